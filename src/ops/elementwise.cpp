#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "formulas/binary.hpp"
#include "formulas/unary.hpp"

#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/linalg.hpp>

namespace dl {

using engine::binary;
using engine::unary;

DlArray operator+(Operand a, Operand b) { return binary<formula::Plus>(a, b); }
DlArray operator-(Operand a, Operand b) { return binary<formula::Minus>(a, b); }
DlArray operator%(Operand a, Operand b) { return binary<formula::Times>(a, b); }
DlArray operator/(Operand a, Operand b) { return binary<formula::Divide>(a, b); }
DlArray operator-(Operand x) { return unary<formula::Negate>(x); }
DlArray operator+(Operand x) { return x; }

DlArray& operator+=(DlArray& a, Operand b) { return a = binary<formula::Plus>(Operand(DlArray(a), b.where()), b); }
DlArray& operator-=(DlArray& a, Operand b) { return a = binary<formula::Minus>(Operand(DlArray(a), b.where()), b); }
DlArray& operator%=(DlArray& a, Operand b) { return a = binary<formula::Times>(Operand(DlArray(a), b.where()), b); }
DlArray& operator/=(DlArray& a, Operand b) { return a = binary<formula::Divide>(Operand(DlArray(a), b.where()), b); }

DlArray plus(Operand a, Operand b) { return binary<formula::Plus>(a, b); }
DlArray minus(Operand a, Operand b) { return binary<formula::Minus>(a, b); }
DlArray times(Operand a, Operand b) { return binary<formula::Times>(a, b); }
DlArray rdivide(Operand a, Operand b) { return binary<formula::Divide>(a, b); }
DlArray ldivide(Operand a, Operand b) { return binary<formula::Divide>(b, a); }
DlArray uminus(Operand x) { return unary<formula::Negate>(x); }
DlArray uplus(Operand x) { return x; }

namespace {
bool isTwo(const Operand& x) {
  if (x.isNumber()) return x.number() == 2;
  return Storage::plainScalar(x) && !Storage::traced(x) && double(x.get()) == 2;
}
DlArray powerOf(const Operand& a, const Operand& b) {
  // A square costs a multiplication, the general power a logarithm and an exponential.
  if (isTwo(b) && Storage::of(a).type != Type::Logical &&
      (Storage::of(a).type == Type::Single || b.isNumber() || Storage::of(b).type != Type::Single))
    return unary<formula::Square>(a);
  return binary<formula::Power>(a, b);
}
}  // namespace
DlArray power(Operand a, Operand b) { return powerOf(a, b); }
DlArray pow(Operand a, Operand b) { return powerOf(a, b); }

DlArray abs(Operand x) { return unary<formula::Abs>(x); }
DlArray sign(Operand x) { return unary<formula::Sign>(x); }
DlArray sqrt(Operand x) { return unary<formula::Sqrt>(x); }
DlArray exp(Operand x) { return unary<formula::Exp>(x); }
DlArray expm1(Operand x) { return unary<formula::Expm1>(x); }
DlArray log(Operand x) { return unary<formula::Log>(x); }
DlArray log1p(Operand x) { return unary<formula::Log1p>(x); }
DlArray log2(Operand x) { return unary<formula::Log2>(x); }
DlArray log10(Operand x) { return unary<formula::Log10>(x); }
DlArray sin(Operand x) { return unary<formula::Sin>(x); }
DlArray cos(Operand x) { return unary<formula::Cos>(x); }
DlArray tan(Operand x) { return unary<formula::Tan>(x); }
DlArray asin(Operand x) { return unary<formula::Asin>(x); }
DlArray acos(Operand x) { return unary<formula::Acos>(x); }
DlArray atan(Operand x) { return unary<formula::Atan>(x); }
DlArray atan2(Operand y, Operand x) { return binary<formula::Atan2>(y, x); }
DlArray sinh(Operand x) { return unary<formula::Sinh>(x); }
DlArray cosh(Operand x) { return unary<formula::Cosh>(x); }
DlArray tanh(Operand x) { return unary<formula::Tanh>(x); }
DlArray asinh(Operand x) { return unary<formula::Asinh>(x); }
DlArray acosh(Operand x) { return unary<formula::Acosh>(x); }
DlArray atanh(Operand x) { return unary<formula::Atanh>(x); }
DlArray sec(Operand x) { return unary<formula::Sec>(x); }
DlArray csc(Operand x) { return unary<formula::Csc>(x); }
DlArray cot(Operand x) { return unary<formula::Cot>(x); }
DlArray erf(Operand x) { return unary<formula::Erf>(x); }
DlArray erfc(Operand x) { return unary<formula::Erfc>(x); }
DlArray erfinv(Operand x) { return unary<formula::Erfinv>(x); }
DlArray gamma(Operand x) { return unary<formula::Gamma>(x); }
DlArray gammaln(Operand x) { return unary<formula::Gammaln>(x); }
DlArray psi(Operand x) { return binary<formula::Polygamma>(Operand(0.0, x.where()), x); }
DlArray psi(int k, Operand x) {
  if (k < 0) fail(x.where(), "psi:order", "psi: the order of the derivative is {}, it counts from 0", k);
  return binary<formula::Polygamma>(Operand(k, x.where()), x);
}
DlArray floor(Operand x) { return unary<formula::Floor>(x); }
DlArray ceil(Operand x) { return unary<formula::Ceil>(x); }
DlArray round(Operand x) { return unary<formula::Round>(x); }
DlArray fix(Operand x) { return unary<formula::Fix>(x); }
DlArray mod(Operand a, Operand b) { return binary<formula::Mod>(a, b); }
DlArray rem(Operand a, Operand b) { return binary<formula::Rem>(a, b); }
DlArray hypot(Operand a, Operand b) { return binary<formula::Hypot>(a, b); }
DlArray max(Operand a, Operand b) { return binary<formula::Max>(a, b); }
DlArray min(Operand a, Operand b) { return binary<formula::Min>(a, b); }
DlArray real(Operand x) { return x; }
DlArray imag(Operand x) {
  // 0 * x would be NaN of NaN and -0 of negative numbers.
  return engine::castTo(engine::relation<formula::Less>(x, x), engine::promote(Storage::of(x.get()).type, Type::Double));
}
DlArray conj(Operand x) { return x; }
DlArray angle(Operand x) { return unary<formula::Angle>(x); }

}  // namespace dl
