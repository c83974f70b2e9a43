// The types that every kernel shares.
#pragma once

#include <cstdint>

namespace dl::cpu {

/// Counts, sizes, positions and strides, in elements unless a name says bytes.
using Index = std::int64_t;

}  // namespace dl::cpu
