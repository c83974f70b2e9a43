// Rows for functions of two arrays with implicit expansion.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

double modulo(double a, double b) { return b == 0 ? a : a - b * std::floor(a / b); }
double sumOf(double a, double b) { return a + b; }
double differenceOf(double a, double b) { return a - b; }
double productOf(double a, double b) { return a * b; }
double quotientOf(double a, double b) { return a / b; }

}  // namespace

BOOST_AUTO_TEST_CASE(operators) {
  check(expanding(
      "operator+", [](const DlArray& a, const DlArray& b) { return a + b; }, sumOf));
  check(expanding(
      "operator-", [](const DlArray& a, const DlArray& b) { return a - b; }, differenceOf));
  check(expanding(
      "operator%", [](const DlArray& a, const DlArray& b) { return a % b; }, productOf));
  check(expanding(
      "operator/", [](const DlArray& a, const DlArray& b) { return a / b; }, quotientOf, 0.4, 2));
}

BOOST_AUTO_TEST_CASE(compound_assignment) {
  const auto with = [](auto change) {
    return [=](const DlArray& a, const DlArray& b) {
      DlArray y = a;
      change(y, b);
      return y;
    };
  };
  check(expanding("operator+=", with([](DlArray& y, const DlArray& b) { y += b; }), sumOf));
  check(expanding("operator-=", with([](DlArray& y, const DlArray& b) { y -= b; }), differenceOf));
  check(expanding("operator%=", with([](DlArray& y, const DlArray& b) { y %= b; }), productOf));
  check(expanding("operator/=", with([](DlArray& y, const DlArray& b) { y /= b; }), quotientOf, 0.4, 2));
}

BOOST_AUTO_TEST_CASE(arithmetic_by_name) {
  check(expanding("plus", plus, sumOf));
  check(expanding("minus", minus, differenceOf));
  check(expanding("times", times, productOf));
  check(expanding("rdivide", rdivide, quotientOf, 0.4, 2));
  check(expanding(
      "ldivide", ldivide, [](double a, double b) { return b / a; }, 0.4, 2));
}

BOOST_AUTO_TEST_CASE(powers) {
  check(expanding(
      "power", power, [](double a, double b) { return std::pow(a, b); }, 0.4, 2, 3));
  check(expanding(
      "pow", [](const DlArray& a, const DlArray& b) { return dl::pow(a, b); }, [](double a, double b) { return std::pow(a, b); },
      0.4, 2));
  for (double p : {-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0})
    check(elementwise(
        "power with a constant exponent", [=](const DlArray& x) { return power(x, p); }, [=](double x) { return std::pow(x, p); },
        -2, -0.4, 3));
  check(elementwise(
      "power with exponent 0.5", [](const DlArray& x) { return power(x, 0.5); }, [](double x) { return std::sqrt(x); }, 0.4, 2,
      3));
  check(elementwise(
      "power of a constant base", [](const DlArray& x) { return power(3, x); }, [](double x) { return std::pow(3, x); }, -2, 2,
      3));
  check(elementwise(
      "power of a negative constant", [](const DlArray& x) { return power(-2, dl::round(x)); },
      [](double x) { return std::pow(-2, std::round(x)); }, -2, 2, 0));
}

BOOST_AUTO_TEST_CASE(points_and_distances) {
  check(expanding(
      "atan2", dl::atan2, [](double y, double x) { return std::atan2(y, x); }, 0.3, 2, 3));
  check(expanding(
      "atan2 on the negative side", [](const DlArray& y, const DlArray& x) { return dl::atan2(y, -x); },
      [](double y, double x) { return std::atan2(y, -x); }, 0.3, 2));
  check(expanding(
      "hypot", dl::hypot, [](double a, double b) { return std::hypot(a, b); }, 0.3, 2, 3));
}

BOOST_AUTO_TEST_CASE(remainders) {
  check(expanding("mod", dl::mod, modulo, 0.61, 1.93));
  check(expanding(
      "rem", dl::rem, [](double a, double b) { return std::fmod(a, b); }, 0.61, 1.93));
  const DlArray a = dlarray({5.0, -5.0, 5.0, -5.0, 6.0, -6.0, 5.0, 0.0, 5.5}),
                b = dlarray({3.0, 3.0, -3.0, -3.0, 3.0, 3.0, 0.0, 3.0, INFINITY});
  BOOST_TEST(test::difference(dl::mod(a, b), {2, 1, -1, -2, 0, 0, 5, 0, 5.5}) == "");
  BOOST_TEST(test::difference(dl::rem(a, b), {2, -2, 2, -2, 0, 0, NAN, 0, 5.5}) == "");
}

BOOST_AUTO_TEST_CASE(the_larger_and_the_smaller) {
  check(expanding(
      "max of two", [](const DlArray& a, const DlArray& b) { return dl::max(a, b); },
      [](double a, double b) { return std::max(a, b); }));
  check(expanding(
      "min of two", [](const DlArray& a, const DlArray& b) { return dl::min(a, b); },
      [](double a, double b) { return std::min(a, b); }));
  const DlArray a = dlarray({1.0, NAN, 2.0, NAN}), b = dlarray({NAN, 1.0, 3.0, NAN});
  BOOST_TEST(test::difference(dl::max(a, b), {1, 1, 3, NAN}) == "");
  BOOST_TEST(test::difference(dl::min(a, b), {1, 1, 2, NAN}) == "");
}

BOOST_AUTO_TEST_CASE(numbers_beside_arrays) {
  check(elementwise(
      "plus with a number", [](const DlArray& x) { return 1 + x + 0.5; }, [](double x) { return x + 1.5; }));
  check(elementwise(
      "minus with a number", [](const DlArray& x) { return 1 - (x - 3); }, [](double x) { return 4 - x; }));
  check(elementwise(
      "times with a number", [](const DlArray& x) { return 2 * x * 3 % 0.5; }, [](double x) { return 3 * x; }));
  check(elementwise(
      "rdivide with a number", [](const DlArray& x) { return 1 / x / 4; }, [](double x) { return 0.25 / x; }, 0.4, 2, 3));
  check(elementwise(
      "max with a number", [](const DlArray& x) { return dl::max(x, 0.5); }, [](double x) { return std::max(x, 0.5); }, -2, 2));
  check(elementwise(
      "min with a number", [](const DlArray& x) { return dl::min(0.5, x); }, [](double x) { return std::min(x, 0.5); }, -2, 2));
}

BOOST_AUTO_TEST_CASE(types_that_meet) {
  const DlArray d = dlarray({1.5, 2.5}), s = single_(d), l = d > 2;
  BOOST_TEST((underlyingType(d + s) == Type::Single));
  BOOST_TEST((underlyingType(s + d) == Type::Single));
  BOOST_TEST((underlyingType(d + l) == Type::Double));
  BOOST_TEST((underlyingType(s % l) == Type::Single));
  BOOST_TEST((underlyingType(l + l) == Type::Double));
  BOOST_TEST((underlyingType(-l) == Type::Double));
  BOOST_TEST((underlyingType(s + 1) == Type::Single));
  BOOST_TEST((underlyingType(s + 1.0F) == Type::Single));
  BOOST_TEST((underlyingType(d + 1.0F) == Type::Single));
  BOOST_TEST((underlyingType(l * 2) == Type::Double));
  BOOST_TEST(test::difference(d + l, {1.5, 3.5}) == "");
}
