// Numbers to test with, and derivatives of any order checked against central differences.
#pragma once
#include <dlarray/dlarray.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace dl::testing {

/// Reproducible distinct numbers between -2 and 2.
inline std::vector<double> someNumbers(Index n, unsigned seed = 1) {
  std::vector<double> values(static_cast<std::size_t>(n));
  unsigned state = seed * 2654435761U + 12345U;
  for (double& v : values) {
    state = state * 1664525U + 1013904223U;
    v = (static_cast<double>(state >> 8) / (1 << 24) - 0.5) * 4;
  }
  return values;
}

inline DlArray someArray(const Size& size, std::string_view format = "", unsigned seed = 1) {
  return dlarray(someNumbers(numel(size), seed), size, format);
}

inline std::vector<double> values(const DlArray& x) { return extractdata<std::vector<double>>(x); }

/// Every element of x agrees with what is expected up to a relative tolerance; NaN agrees with NaN.
inline void checkValues(const DlArray& x, const std::vector<double>& expected, double tolerance = 0) {
  const std::vector<double> found = values(x);
  BOOST_REQUIRE_EQUAL(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool same = found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i]));
    BOOST_TEST((same || std::fabs(found[i] - expected[i]) <= tolerance * std::max(1.0, std::fabs(expected[i]))),
               "element " << i << " is " << found[i] << ", not " << expected[i]);
  }
}

using Function = std::function<DlArray(const DlArray&)>;

/// The value of fun, reduced to a number with fixed weights, differentiated `order` times along fixed directions.
inline DlArray derivative(const Function& fun, const DlArray& x, int order) {
  if (order == 0) {
    const DlArray y = fun(x);
    return sum(y % someArray(size(y), "", 77), "all");
  }
  const DlArray g = dlgradient(derivative(fun, x, order - 1), x, {.enableHigherDerivatives = true});
  return sum(g % someArray(size(x), "", 100 + static_cast<unsigned>(order)), "all");
}

/// The gradients of fun of orders 1 to `orders` at x agree with central differences of the order below.
inline void checkDerivatives(const Function& fun, const DlArray& x, int orders = 2, double tolerance = 1e-7) {
  constexpr double h = 1e-5;
  for (int order = 0; order < orders; ++order) {
    const DlArray g = dlfeval([&](const DlArray& v) { return dlgradient(derivative(fun, v, order), v); }, x);
    BOOST_TEST((size(g) == size(x)));
    BOOST_TEST(dims(g) == dims(x));
    const auto at = [&](const std::vector<double>& point) {
      return double(dlfeval([&](const DlArray& v) { return derivative(fun, v, order); }, dlarray(point, size(x), dims(x))));
    };
    std::vector<double> expected;
    for (Index i = 0; i < numel(x); ++i) {
      std::vector<double> up = values(x), down = up;
      up[static_cast<std::size_t>(i)] += h;
      down[static_cast<std::size_t>(i)] -= h;
      expected.push_back((at(up) - at(down)) / (2 * h));
    }
    BOOST_TEST_CONTEXT("derivative of order " << order + 1) checkValues(g, expected, tolerance);
  }
}

/// The call throws an Error whose sentence is exactly this.
template <class F>
void checkError(F&& call, const std::string& sentence) {
  try {
    call();
    BOOST_ERROR("nothing was thrown; expected: " << sentence);
  } catch (const Error& error) {
    const std::string text = error.what();
    BOOST_TEST(text.substr(0, text.rfind(" (")) == sentence);
  }
}

}  // namespace dl::testing
