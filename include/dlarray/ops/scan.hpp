#pragma once
#include <dlarray/array.hpp>
#include <tuple>

namespace dl {

/// Running sums along a dimension. Without one, along the only dimension longer than 1; throws when there are several.
/// Logical arrays count as double. (MATLAB: cumsum)
DlArray cumsum(Operand x, const Dimensions& dimension = {});
/// Running products, as `cumsum`; the derivatives are right with zeros among the elements. (MATLAB: cumprod)
DlArray cumprod(Operand x, const Dimensions& dimension = {});

}  // namespace dl
