// Rows for questions about elements.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {
using Two = std::function<DlArray(const DlArray&, const DlArray&)>;
const Numbers special{0, -0.0, 1, -2.5, NAN, INFINITY, -INFINITY, 5e-324, 1.7976931348623157e308, 0.5, -1, 3, 4, 5, 6, 7, 8};
}  // namespace

BOOST_AUTO_TEST_CASE(relations) {
  const auto eqRef = [](double a, double b) { return a == b; };
  const auto neRef = [](double a, double b) { return a != b; };
  const auto ltRef = [](double a, double b) { return a < b; };
  const auto leRef = [](double a, double b) { return a <= b; };
  const auto gtRef = [](double a, double b) { return a > b; };
  const auto geRef = [](double a, double b) { return a >= b; };
  check(asking("eq", Two(eq), eqRef));
  check(asking("ne", Two(ne), neRef));
  check(asking("lt", Two(lt), ltRef));
  check(asking("le", Two(le), leRef));
  check(asking("gt", Two(gt), gtRef));
  check(asking("ge", Two(ge), geRef));
  check(asking("operator==", Two([](const DlArray& a, const DlArray& b) { return a == b; }), eqRef));
  check(asking("operator!=", Two([](const DlArray& a, const DlArray& b) { return a != b; }), neRef));
  check(asking("operator<", Two([](const DlArray& a, const DlArray& b) { return a < b; }), ltRef));
  check(asking("operator<=", Two([](const DlArray& a, const DlArray& b) { return a <= b; }), leRef));
  check(asking("operator>", Two([](const DlArray& a, const DlArray& b) { return a > b; }), gtRef));
  check(asking("operator>=", Two([](const DlArray& a, const DlArray& b) { return a >= b; }), geRef));
}

BOOST_AUTO_TEST_CASE(logic) {
  const auto andRef = [](double a, double b) { return a != 0 && b != 0; };
  const auto orRef = [](double a, double b) { return a != 0 || b != 0; };
  const auto xorRef = [](double a, double b) { return (a != 0) != (b != 0); };
  check(asking("and_", Two(and_), andRef));
  check(asking("or_", Two(or_), orRef));
  check(asking("xor_", Two(xor_), xorRef));
  check(asking("operator&&", Two([](const DlArray& a, const DlArray& b) { return a && b; }), andRef));
  check(asking("operator||", Two([](const DlArray& a, const DlArray& b) { return a || b; }), orRef));
  const auto notRef = [](double x) { return x == 0; };
  check(asking("not_", not_, notRef, special));
  check(asking(
      "operator!", [](const DlArray& x) { return !x; }, notRef, special));
  BOOST_TEST(difference(dlarray({true, false}) && true, {1, 0}) == "");
  BOOST_TEST(difference(false || dlarray({true, false}), {1, 0}) == "");
}

BOOST_AUTO_TEST_CASE(kinds_of_numbers) {
  check(asking("isnan", dl::isnan, [](double x) { return std::isnan(x); }, {0, 1, NAN, -NAN, INFINITY, -INFINITY, 2, 3, 4, NAN}));
  check(asking("isinf", dl::isinf, [](double x) { return std::isinf(x); }, {0, 1, NAN, -NAN, INFINITY, -INFINITY, 2, 3, 4, NAN}));
  check(asking("isfinite", dl::isfinite, [](double x) { return std::isfinite(x); },
               {0, 1, NAN, -NAN, INFINITY, -INFINITY, 2, 3, 4, NAN}));
}
