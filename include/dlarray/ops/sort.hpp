#pragma once
#include <dlarray/array.hpp>
#include <tuple>

namespace dl {

/// The elements along a dimension in order, equal ones as they stood, NaN last ("ascend") or first ("descend").
/// `sort<2>` gives the 0-based positions too, constants to derivatives. The direction may stand in place of the dimension:
/// `sort(x, "descend")`. Throws without a dimension for an array with several longer than 1. (MATLAB: sort)
DlArray sort(Operand x, const Dimensions& dimension = {}, std::string_view direction = "ascend");
/// The k largest elements along a dimension, largest first, NaN last; `topk<2>` gives their 0-based positions too, constants to
/// derivatives. Throws when the dimension has fewer than k elements. (MATLAB: maxk)
DlArray topk(Operand x, Index k, const Dimensions& dimension = {});

namespace detail {
template <int n>
std::tuple<DlArray, DlArray> sortWithPositions(const Operand& x, const Dimensions& dimension, std::string_view direction);
template <int n>
std::tuple<DlArray, DlArray> topkWithPositions(const Operand& x, Index k, const Dimensions& dimension);
}  // namespace detail
template <int n>
  requires(n == 2)
auto sort(Operand x, const Dimensions& dimension = {}, std::string_view direction = "ascend") {
  return detail::sortWithPositions<n>(x, dimension, direction);
}
template <int n>
  requires(n == 2)
auto topk(Operand x, Index k, const Dimensions& dimension = {}) {
  return detail::topkWithPositions<n>(x, k, dimension);
}

}  // namespace dl
