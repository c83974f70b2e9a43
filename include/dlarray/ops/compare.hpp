#pragma once
#include <dlarray/array.hpp>

// Questions about each element; the answers are logical arrays with the labels of the inputs, expanded as by arithmetic.
namespace dl {

DlArray operator==(Operand a, Operand b);
DlArray operator!=(Operand a, Operand b);
DlArray operator<(Operand a, Operand b);
DlArray operator<=(Operand a, Operand b);
DlArray operator>(Operand a, Operand b);
DlArray operator>=(Operand a, Operand b);
/// Element-wise and; also written a && b, where both sides are evaluated. (MATLAB: and, &)
DlArray and_(Operand a, Operand b);
/// Element-wise or; also written a || b, where both sides are evaluated. (MATLAB: or, |)
DlArray or_(Operand a, Operand b);
/// True where exactly one of two elements is not zero. (MATLAB: xor)
DlArray xor_(Operand a, Operand b);
/// True where an element is zero; also written !x. (MATLAB: not, ~)
DlArray not_(Operand x);

namespace detail {
template <class T>
concept ArrayLike = std::same_as<T, DlArray> || std::same_as<T, Reference>;
}
// Exact matches: an array also converts to bool where && || ! stand, which would make a call of and_ by conversion ambiguous.
template <class A, class B>
  requires(detail::ArrayLike<A> || detail::ArrayLike<B>)
DlArray operator&&(const A& a, const B& b) {
  return and_(a, b);
}
template <class A, class B>
  requires(detail::ArrayLike<A> || detail::ArrayLike<B>)
DlArray operator||(const A& a, const B& b) {
  return or_(a, b);
}
template <detail::ArrayLike A>
DlArray operator!(const A& x) {
  return not_(x);
}

DlArray eq(Operand a, Operand b);
DlArray ne(Operand a, Operand b);
DlArray lt(Operand a, Operand b);
DlArray le(Operand a, Operand b);
DlArray gt(Operand a, Operand b);
DlArray ge(Operand a, Operand b);
DlArray isnan(Operand x);
DlArray isinf(Operand x);
DlArray isfinite(Operand x);

}  // namespace dl
