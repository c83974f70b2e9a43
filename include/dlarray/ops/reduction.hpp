#pragma once
#include <dlarray/array.hpp>
#include <tuple>

// Reductions. They take a dimension from 0, a list of dimensions, labels ("S", "CB") or "all", and keep the reduced dimensions with size 1
// and their labels. Without a dimension they accept an array with at most one dimension longer than 1 and throw for others:
// a reduction never guesses. Logical arrays count as double, but any, all, max and min of them are logical.
namespace dl {

/// The sum of the elements, 0 of none. (MATLAB: sum)
DlArray sum(Operand x, const Dimensions& dimensions = {});
/// The sum divided by the number of elements, NaN of none. (MATLAB: mean)
DlArray mean(Operand x, const Dimensions& dimensions = {});
/// The product, 1 of no elements; its derivatives are right with zeros among the elements. (MATLAB: prod)
DlArray prod(Operand x, const Dimensions& dimensions = {});
/// The squared deviations from the mean, summed and divided by n - 1, or by n when `weight` is 1 or n is 1; NaN of no elements.
/// Throws for other weights. (MATLAB: var)
DlArray var(Operand x, int weight = 0, const Dimensions& dimensions = {});
/// The standard deviation; MATLAB's std, whose name belongs to the language. The derivative at 0 is 0. (MATLAB: std)
DlArray stddev(Operand x, int weight = 0, const Dimensions& dimensions = {});
/// The middle value, the mean of the two middle ones for an even count; NaN when there is a NaN. (MATLAB: median)
DlArray median(Operand x, const Dimensions& dimensions = {});
/// The largest element along one dimension, or of several; NaN is left out, of equal ones the first counts in derivatives. Of no
/// elements there is none: a dimension of size 0 stays. `max<2>(X, {}, 0)` gives the 0-based positions too, constants to
/// derivatives: along the dimension, or column-major in the whole array for several dimensions and "all". `max(A, B)` of two arrays
/// or with a number is element-wise, always. (MATLAB: max)
DlArray max(Operand x);
DlArray max(Operand x, Empty, const Dimensions& dimensions);
/// The smallest element; as `max`. (MATLAB: min)
DlArray min(Operand x);
DlArray min(Operand x, Empty, const Dimensions& dimensions);

namespace detail {
template <int n>
std::tuple<DlArray, DlArray> extremes(const Operand& x, const Dimensions& dimensions, bool largest);
}
template <int n>
  requires(n == 2)
auto max(Operand x, Empty = {}, const Dimensions& dimensions = {}) {
  return detail::extremes<n>(x, dimensions, true);
}
template <int n>
  requires(n == 2)
auto min(Operand x, Empty = {}, const Dimensions& dimensions = {}) {
  return detail::extremes<n>(x, dimensions, false);
}

/// True where any element is not zero; NaN is left out. Its counterpart `all(x, dimensions)`, for which NaN is true, shares its name
/// with the subscript and is declared beside it. (MATLAB: any)
DlArray any(Operand x, const Dimensions& dimensions = {});

}  // namespace dl
