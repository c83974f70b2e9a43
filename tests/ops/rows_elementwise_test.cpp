// Rows for functions of each element.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

// The derivative of order k + 1 of log(gamma(x)): the sum over all n >= 0 of k! / (x + n)^(k + 1) up to the sign, its tail by
// Euler and Maclaurin.
double polygamma(int k, double x) {
  double sum = 0, factorial = std::tgamma(k + 1);
  for (; x < 40; x += 1) sum += k == 0 ? 1 / x : factorial / std::pow(x, k + 1);
  const double s = 1 / (x * x);
  if (k == 0) return std::log(x) - 0.5 / x - s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s / 240))) - sum;
  if (k == 1) return sum + 1 / x + 0.5 * s + s / x * (1.0 / 6 - s * (1.0 / 30 - s * (1.0 / 42 - s / 30)));
  return -(sum + s + s / x + s * s * (0.5 - s * (1.0 / 6 - s * (1.0 / 6 - 0.3 * s))));  // k = 2
}

// The argument at which erf has a value, by Newton's method.
double inverseErf(double y) {
  double x = 0;
  for (int i = 0; i < 50; ++i) x -= (std::erf(x) - y) / (2 / std::sqrt(std::acos(-1.0)) * std::exp(-x * x));
  return x;
}

double signOf(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

}  // namespace

BOOST_AUTO_TEST_CASE(arithmetic) {
  check(elementwise(
      "operator- of one array", [](const DlArray& x) { return -x; }, [](double x) { return -x; }));
  check(elementwise(
      "operator+ of one array", [](const DlArray& x) { return +x; }, [](double x) { return x; }));
  check(elementwise("uminus", uminus, [](double x) { return -x; }));
  check(elementwise("uplus", uplus, [](double x) { return x; }));
  check(elementwise("abs", dl::abs, [](double x) { return std::abs(x); }));
  check(elementwise("sign", dl::sign, signOf));
  check(elementwise(
      "sqrt", dl::sqrt, [](double x) { return std::sqrt(x); }, 0.2, 4, 3));
}

BOOST_AUTO_TEST_CASE(exponentials_and_logarithms) {
  check(elementwise(
      "exp", dl::exp, [](double x) { return std::exp(x); }, -2, 2, 3));
  check(elementwise(
      "expm1", dl::expm1, [](double x) { return std::expm1(x); }, -2, 2, 3));
  check(elementwise(
      "expm1 of tiny numbers", dl::expm1, [](double x) { return std::expm1(x); }, -1e-9, 1e-9));
  check(elementwise(
      "log", dl::log, [](double x) { return std::log(x); }, 0.2, 4, 3));
  check(elementwise(
      "log1p", dl::log1p, [](double x) { return std::log1p(x); }, -0.7, 3, 3));
  check(elementwise(
      "log1p of tiny numbers", dl::log1p, [](double x) { return std::log1p(x); }, -1e-9, 1e-9));
  check(elementwise(
      "log2", dl::log2, [](double x) { return std::log2(x); }, 0.2, 4, 3));
  check(elementwise(
      "log10", dl::log10, [](double x) { return std::log10(x); }, 0.2, 4, 3));
}

BOOST_AUTO_TEST_CASE(circular_functions) {
  check(elementwise(
      "sin", dl::sin, [](double x) { return std::sin(x); }, -3, 3, 3));
  check(elementwise(
      "cos", dl::cos, [](double x) { return std::cos(x); }, -3, 3, 3));
  check(elementwise(
      "tan", dl::tan, [](double x) { return std::tan(x); }, -1.2, 1.2, 3));
  check(elementwise(
      "sec", sec, [](double x) { return 1 / std::cos(x); }, -1.2, 1.2, 3));
  check(elementwise(
      "csc", csc, [](double x) { return 1 / std::sin(x); }, 0.4, 2.5, 3));
  check(elementwise(
      "cot", cot, [](double x) { return 1 / std::tan(x); }, 0.4, 2.5, 3));
  check(elementwise(
      "asin", dl::asin, [](double x) { return std::asin(x); }, -0.8, 0.8, 3));
  check(elementwise(
      "acos", dl::acos, [](double x) { return std::acos(x); }, -0.8, 0.8, 3));
  check(elementwise(
      "atan", dl::atan, [](double x) { return std::atan(x); }, -3, 3, 3));
}

BOOST_AUTO_TEST_CASE(hyperbolic_functions) {
  check(elementwise(
      "sinh", dl::sinh, [](double x) { return std::sinh(x); }, -2, 2, 3));
  check(elementwise(
      "cosh", dl::cosh, [](double x) { return std::cosh(x); }, -2, 2, 3));
  check(elementwise(
      "tanh", dl::tanh, [](double x) { return std::tanh(x); }, -2, 2, 3));
  check(elementwise(
      "asinh", dl::asinh, [](double x) { return std::asinh(x); }, -3, 3, 3));
  check(elementwise(
      "acosh", dl::acosh, [](double x) { return std::acosh(x); }, 1.2, 4, 3));
  check(elementwise(
      "atanh", dl::atanh, [](double x) { return std::atanh(x); }, -0.8, 0.8, 3));
}

BOOST_AUTO_TEST_CASE(special_functions) {
  check(elementwise(
      "erf", dl::erf, [](double x) { return std::erf(x); }, -2, 2, 3));
  check(elementwise(
      "erfc", dl::erfc, [](double x) { return std::erfc(x); }, -2, 2, 3));
  check(elementwise("erfinv", erfinv, inverseErf, -0.9, 0.9, 3));
  check(elementwise(
      "gamma", dl::gamma, [](double x) { return std::tgamma(x); }, 0.4, 4, 3));
  check(elementwise(
      "gamma of negative numbers", dl::gamma, [](double x) { return std::tgamma(x); }, -1.8, -1.2));
  check(elementwise(
      "gammaln", gammaln, [](double x) { return std::lgamma(x); }, 0.4, 6, 3));
  check(elementwise(
      "psi", [](const DlArray& x) { return psi(x); }, [](double x) { return polygamma(0, x); }, 0.4, 6, 3));
  check(elementwise(
      "psi of order 1", [](const DlArray& x) { return psi(1, x); }, [](double x) { return polygamma(1, x); }, 0.4, 6));
  check(elementwise(
      "psi of order 2", [](const DlArray& x) { return psi(2, x); }, [](double x) { return polygamma(2, x); }, 0.4, 6));
}

BOOST_AUTO_TEST_CASE(rounding) {
  check(elementwise(
      "floor", dl::floor, [](double x) { return std::floor(x); }, -2.6, 2.5));
  check(elementwise(
      "ceil", dl::ceil, [](double x) { return std::ceil(x); }, -2.6, 2.5));
  check(elementwise(
      "round", dl::round, [](double x) { return std::round(x); }, -2.63, 2.41));
  check(elementwise(
      "fix", fix, [](double x) { return std::trunc(x); }, -2.6, 2.5));
  for (const auto& [name, op, want] : {std::tuple("floor", &dl::floor, Numbers{-3, -2, -1, -1, 0, 0, 0, 1, 2, 4503599627370497}),
                                       {"ceil", &dl::ceil, {-2, -1, -1, 0, 0, 1, 1, 2, 3, 4503599627370497}},
                                       {"round", &dl::round, {-3, -2, -1, -1, 0, 0, 1, 2, 3, 4503599627370497}},
                                       {"fix", &dl::fix, {-2, -1, -1, 0, 0, 0, 0, 1, 2, 4503599627370497}}})
    BOOST_TEST(difference(op(dlarray({-2.5, -1.5, -1.0, -0.5, 0.0, 0.49999999999999994, 0.5, 1.5, 2.5, 4503599627370497.0})),
                          want, 0) == "",
               name);
}

BOOST_AUTO_TEST_CASE(parts_of_real_numbers) {
  check(elementwise("real", dl::real, [](double x) { return x; }));
  check(elementwise("conj", dl::conj, [](double x) { return x; }));
  check(elementwise("imag", dl::imag, [](double) { return 0.0; }));
  check(elementwise("angle", angle, [](double x) { return x < 0 ? std::acos(-1.0) : 0; }));
  const double nan = std::nan("");
  BOOST_TEST(difference(dl::imag(dlarray({nan, -INFINITY, -2.0})), {0, 0, 0}, 0) == "");
  BOOST_TEST(difference(1 / dl::imag(dlarray({-2.0})), {INFINITY}, 0) == "", "not -0");
}

// One input each: in chains the memory of temporaries is used again.
BOOST_AUTO_TEST_CASE(chains_of_temporaries) {
  check(elementwise(
      "exp of a temporary", [](const DlArray& x) { return exp(-(x + 1)); }, [](double x) { return std::exp(-(x + 1)); }));
  check(elementwise(
      "times of temporaries", [](const DlArray& x) { return (x + 1) % (x - 1) % sin(x); },
      [](double x) { return (x + 1) * (x - 1) * std::sin(x); }));
  check(elementwise(
      "tanh of itself", [](const DlArray& x) { return tanh(tanh(x % x)) / (1 + x % x); },
      [](double x) { return std::tanh(std::tanh(x * x)) / (1 + x * x); }));
}
