#pragma once
// Formulas over arrays: what lets a derivative that is written once for numbers be recorded and differentiated again.
#include "engine/elementwise.hpp"
#include "formulas/binary.hpp"
#include "formulas/unary.hpp"

namespace dl::formula {

struct Symbol {
  DlArray array;
  Symbol() = default;
  Symbol(double number) : array(number) {}
  explicit Symbol(DlArray value) : array(std::move(value)) {}
};

namespace detail {
template <class F>
Symbol one(Symbol x) {
  return Symbol(engine::unary<F>(std::move(x.array)));
}
template <class F>
Symbol two(Symbol a, Symbol b) {
  return Symbol(engine::binary<F>(std::move(a.array), std::move(b.array)));
}
template <class F>
Symbol ask(Symbol a, Symbol b) {
  return Symbol(engine::relation<F>(a.array, b.array));
}
}  // namespace detail

inline Symbol operator+(Symbol a, Symbol b) { return detail::two<Plus>(std::move(a), std::move(b)); }
inline Symbol operator-(Symbol a, Symbol b) { return detail::two<Minus>(std::move(a), std::move(b)); }
inline Symbol operator*(Symbol a, Symbol b) { return detail::two<Times>(std::move(a), std::move(b)); }
inline Symbol operator/(Symbol a, Symbol b) { return detail::two<Divide>(std::move(a), std::move(b)); }
inline Symbol operator-(Symbol x) { return detail::one<Negate>(std::move(x)); }
inline Symbol operator==(Symbol a, Symbol b) { return detail::ask<Equal>(std::move(a), std::move(b)); }
inline Symbol operator!=(Symbol a, Symbol b) { return detail::ask<NotEqual>(std::move(a), std::move(b)); }
inline Symbol operator<(Symbol a, Symbol b) { return detail::ask<Less>(std::move(a), std::move(b)); }
inline Symbol operator<=(Symbol a, Symbol b) { return detail::ask<LessEqual>(std::move(a), std::move(b)); }
inline Symbol operator>=(Symbol a, Symbol b) { return detail::ask<GreaterEqual>(std::move(a), std::move(b)); }
inline Symbol operator&(Symbol a, Symbol b) { return detail::ask<And>(std::move(a), std::move(b)); }
inline Symbol operator|(Symbol a, Symbol b) { return detail::ask<Or>(std::move(a), std::move(b)); }
inline Symbol where(Symbol condition, Symbol yes, Symbol no) {
  return Symbol(engine::select(condition.array, std::move(yes.array), std::move(no.array)));
}
inline Symbol sign(Symbol x) { return detail::one<Sign>(std::move(x)); }
inline Symbol sqrt(Symbol x) { return detail::one<Sqrt>(std::move(x)); }
inline Symbol exp(Symbol x) { return detail::one<Exp>(std::move(x)); }
inline Symbol expm1(Symbol x) { return detail::one<Expm1>(std::move(x)); }
inline Symbol log(Symbol x) { return detail::one<Log>(std::move(x)); }
inline Symbol sin(Symbol x) { return detail::one<Sin>(std::move(x)); }
inline Symbol cos(Symbol x) { return detail::one<Cos>(std::move(x)); }
inline Symbol tan(Symbol x) { return detail::one<Tan>(std::move(x)); }
inline Symbol sinh(Symbol x) { return detail::one<Sinh>(std::move(x)); }
inline Symbol cosh(Symbol x) { return detail::one<Cosh>(std::move(x)); }
inline Symbol tanh(Symbol x) { return detail::one<Tanh>(std::move(x)); }
inline Symbol floor(Symbol x) { return detail::one<Floor>(std::move(x)); }
inline Symbol trunc(Symbol x) { return detail::one<Fix>(std::move(x)); }
inline Symbol erfc(Symbol x) { return detail::one<Erfc>(std::move(x)); }
inline Symbol sigmoid(Symbol x) { return detail::one<Sigmoid>(std::move(x)); }
inline Symbol normalDistribution(Symbol x) { return erfc(std::move(x) * Symbol(-rootHalf)) * Symbol(0.5); }
inline Symbol pow(Symbol a, Symbol b) { return detail::two<Power>(std::move(a), std::move(b)); }
inline Symbol hypot(Symbol a, Symbol b) { return detail::two<Hypot>(std::move(a), std::move(b)); }
inline Symbol polygamma(Symbol order, Symbol x) { return detail::two<Polygamma>(std::move(order), std::move(x)); }

// The limits are those of the array's type.
inline Symbol probability(Symbol p) {
  const bool single = Storage::of(p.array).type == Type::Single;
  const Symbol least(single ? double{smallestProbability<float>} : smallestProbability<double>);
  return where(p < least, least, p);
}
inline Symbol counterProbability(Symbol p) {
  const bool single = Storage::of(p.array).type == Type::Single;
  const Symbol least(single ? double{lastBit<float>} : lastBit<double>), q = Symbol(1) - p;
  return where(q < least, least, q);
}

}  // namespace dl::formula
