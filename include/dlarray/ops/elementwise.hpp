#pragma once
#include <dlarray/array.hpp>

// Functions of each element, with MATLAB's names. All of them keep labels, differentiate to any order, and expand arrays of different
// sizes as MATLAB does: dimensions with the same label meet, sizes must be equal or one of them 1, else they throw.
namespace dl {

/// a + b, element-wise. (MATLAB: plus)
DlArray operator+(Operand a, Operand b);
/// a - b, element-wise. (MATLAB: minus)
DlArray operator-(Operand a, Operand b);
/// a .* b, element-wise. (MATLAB: times)
DlArray operator%(Operand a, Operand b);
/// a ./ b, element-wise. (MATLAB: rdivide)
DlArray operator/(Operand a, Operand b);
/// The matrix product, or scaling when one side is scalar; see `mtimes`.
DlArray operator*(Operand a, Operand b);
DlArray operator-(Operand x);
DlArray operator+(Operand x);
DlArray& operator+=(DlArray& a, Operand b);
DlArray& operator-=(DlArray& a, Operand b);
DlArray& operator%=(DlArray& a, Operand b);
DlArray& operator/=(DlArray& a, Operand b);
DlArray& operator*=(DlArray& a, Operand b);

DlArray plus(Operand a, Operand b);
DlArray minus(Operand a, Operand b);
DlArray times(Operand a, Operand b);
DlArray rdivide(Operand a, Operand b);
DlArray ldivide(Operand a, Operand b);
/// a .^ b for real results; the slope at 0 of an exponent in [0, 1) is taken as 0. (MATLAB: power)
DlArray power(Operand a, Operand b);
/// The same as `power`.
DlArray pow(Operand a, Operand b);
DlArray uminus(Operand x);
DlArray uplus(Operand x);

/// |x|; the derivative at 0 is 0. (MATLAB: abs)
DlArray abs(Operand x);
/// -1, 0 or 1; the derivative is 0. (MATLAB: sign)
DlArray sign(Operand x);
/// The square root, NaN for negative numbers; the derivative at 0 is taken as 0. (MATLAB: sqrt)
DlArray sqrt(Operand x);
DlArray exp(Operand x);
DlArray expm1(Operand x);
/// The natural logarithm, NaN for negative numbers. (MATLAB: log)
DlArray log(Operand x);
DlArray log1p(Operand x);
DlArray log2(Operand x);
DlArray log10(Operand x);
DlArray sin(Operand x);
DlArray cos(Operand x);
DlArray tan(Operand x);
DlArray asin(Operand x);
DlArray acos(Operand x);
DlArray atan(Operand x);
/// The angle of the point (x, y), -pi to pi; derivatives 0 at the origin. (MATLAB: atan2)
DlArray atan2(Operand y, Operand x);
DlArray sinh(Operand x);
DlArray cosh(Operand x);
DlArray tanh(Operand x);
DlArray asinh(Operand x);
DlArray acosh(Operand x);
DlArray atanh(Operand x);
DlArray sec(Operand x);
DlArray csc(Operand x);
DlArray cot(Operand x);
DlArray erf(Operand x);
DlArray erfc(Operand x);
DlArray erfinv(Operand x);
DlArray gamma(Operand x);
/// log(gamma(x)). (MATLAB: gammaln)
DlArray gammaln(Operand x);
/// The derivative of gammaln. (MATLAB: psi)
DlArray psi(Operand x);
/// The derivative of order k of psi, k = 0, 1, ... (MATLAB: psi)
DlArray psi(int k, Operand x);
DlArray floor(Operand x);
DlArray ceil(Operand x);
/// To the nearest whole number, halves away from zero. (MATLAB: round)
DlArray round(Operand x);
/// Towards zero. (MATLAB: fix)
DlArray fix(Operand x);
/// The remainder with the sign of b; mod(a, 0) is a. (MATLAB: mod)
DlArray mod(Operand a, Operand b);
/// The remainder with the sign of a; rem(a, 0) is NaN. (MATLAB: rem)
DlArray rem(Operand a, Operand b);
/// sqrt(a^2 + b^2) without overflow; derivatives 0 at the origin. (MATLAB: hypot)
DlArray hypot(Operand a, Operand b);
/// The larger of two elements; a number wins over NaN, equal ones count as the first's in derivatives. (MATLAB: max)
DlArray max(Operand a, Operand b);
/// The smaller of two elements. (MATLAB: min)
DlArray min(Operand a, Operand b);
/// The real part: of a real array the array itself. (MATLAB: real)
DlArray real(Operand x);
/// The imaginary part: of a real array zeros. (MATLAB: imag)
DlArray imag(Operand x);
/// The complex conjugate: of a real array the array itself. (MATLAB: conj)
DlArray conj(Operand x);
/// The phase angle: of a real array 0 or pi. (MATLAB: angle)
DlArray angle(Operand x);

}  // namespace dl
