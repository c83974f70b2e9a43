#pragma once
#include <dlarray/layers/layer.hpp>

namespace dl::network {

/// True for layers of one kind with equal names, ports, factors and options. Functions among options cannot be compared; they
/// count as equal.
bool sameLayer(const AnyLayer& a, const AnyLayer& b);

}  // namespace dl::network
