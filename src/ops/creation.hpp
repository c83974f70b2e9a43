#pragma once
#include "core/format.hpp"

namespace dl {

/// The shape of a new array as MATLAB reads sizes: none is a scalar, a single one a square matrix, trailing ones are dropped.
Shape newShape(const Size& size);

}  // namespace dl
