#pragma once
#include <dlarray/array.hpp>
#include <tuple>

// Reductions. They take a dimension from 0, a list of dimensions, labels ("S", "CB") or "all", and keep the reduced dimensions with size 1
// and their labels. Without a dimension they accept an array with at most one dimension longer than 1 and throw for others:
// a reduction never guesses.
namespace dl {

/// (MATLAB: sum)
DlArray sum(Operand x, const Dimensions& dimensions = {});
/// (MATLAB: mean)
DlArray mean(Operand x, const Dimensions& dimensions = {});
/// The product; its derivative is right with zeros among the elements. (MATLAB: prod)
DlArray prod(Operand x, const Dimensions& dimensions = {});
/// The variance, divided by n - 1, or by n when `weight` is 1. (MATLAB: var)
DlArray var(Operand x, int weight = 0, const Dimensions& dimensions = {});
/// The standard deviation; MATLAB's std, whose name belongs to the language. The derivative at 0 is 0. (MATLAB: std)
DlArray stddev(Operand x, int weight = 0, const Dimensions& dimensions = {});
/// The middle value, the mean of the two middle ones for an even count; NaN when there is a NaN. (MATLAB: median)
DlArray median(Operand x, const Dimensions& dimensions = {});
/// The largest element along one dimension, or of several; NaN is left out, of equal ones the first counts in derivatives.
/// `max<2>(X, {}, 0)` gives the 0-based positions too (untraced; along one dimension, or column-major for "all"). `max(A, B)` of two
/// arrays or with a number is element-wise, always. (MATLAB: max)
DlArray max(Operand x);
DlArray max(Operand x, Empty, const Dimensions& dimensions);
/// The smallest element; as `max`. (MATLAB: min)
DlArray min(Operand x);
DlArray min(Operand x, Empty, const Dimensions& dimensions);

namespace detail {
std::tuple<DlArray, DlArray> extremes(const Operand& x, const Dimensions& dimensions, bool largest);
}
template <int n>
  requires(n == 2)
std::tuple<DlArray, DlArray> max(Operand x, Empty = {}, const Dimensions& dimensions = {}) {
  return detail::extremes(x, dimensions, true);
}
template <int n>
  requires(n == 2)
std::tuple<DlArray, DlArray> min(Operand x, Empty = {}, const Dimensions& dimensions = {}) {
  return detail::extremes(x, dimensions, false);
}

/// True where any element is not zero. (MATLAB: any)
DlArray any(Operand x, const Dimensions& dimensions = {});

}  // namespace dl
