#include "cpu/resize.hpp"

#include <cmath>
#include <limits>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Types = std::tuple<float, double>;

std::vector<Tap> tapsOf(Index n, Index m, bool nearest) {
  std::vector<Tap> taps;
  const double last = static_cast<double>(n - 1);
  for (Index i = 0; i < m; ++i) {
    const double at = (static_cast<double>(i) + 0.5) * static_cast<double>(n) / static_cast<double>(m) - 0.5;
    const double inside = std::min(std::max(at, 0.0), last), first = std::floor(inside);
    const auto element = static_cast<Index>(first);
    taps.push_back({element, nearest ? element : std::min(element + 1, n - 1), nearest ? 0 : inside - first});
  }
  return taps;
}

// One step against its definition, there and back.
template <class T>
void check(Index inner, Index n, Index m, Index outer, Index pages, bool nearest) {
  const ResizeStep step{inner, n, outer, tapsOf(n, m, nearest)};
  const std::vector<T> x = numbers<T>(inner * n * outer * pages), g = numbers<T>(inner * m * outer * pages, 2);
  bool same = false, sameBack = false;
  const auto y = sameForThreads(
      [&] {
        std::vector<T> to(g.size(), std::numeric_limits<T>::quiet_NaN());
        resize<T>(std::span(&step, 1), x.data(), pages, to.data());
        return to;
      },
      same);
  const auto d = sameForThreads(
      [&] {
        std::vector<T> to(x.size(), std::numeric_limits<T>::quiet_NaN());
        resizeAdjoint<T>(std::span(&step, 1), g.data(), pages, to.data());
        return to;
      },
      sameBack);
  BOOST_TEST_CONTEXT("inner " << inner << " n " << n << " m " << m << " outer " << outer << " nearest " << nearest) {
    BOOST_TEST(same);
    BOOST_TEST(sameBack);
    const double tolerance =
        8 * static_cast<double>(std::numeric_limits<T>::epsilon()) * (1 + static_cast<double>(m) / static_cast<double>(n));
    std::vector<double> want(x.size());
    for (Index o = 0; o < outer * pages; ++o)
      for (Index t = 0; t < m; ++t)
        for (Index i = 0; i < inner; ++i) {
          const Tap& tap = step.taps[static_cast<std::size_t>(t)];
          const auto at = [&](Index k, Index count) { return static_cast<std::size_t>(i + inner * (k + count * o)); };
          const double a = static_cast<double>(x[at(tap.first, n)]), b = static_cast<double>(x[at(tap.second, n)]);
          BOOST_REQUIRE_SMALL(static_cast<double>(y[at(t, m)]) - ((1 - tap.weight) * a + tap.weight * b), tolerance);
          want[at(tap.first, n)] += (1 - tap.weight) * static_cast<double>(g[at(t, m)]);
          want[at(tap.second, n)] += tap.weight * static_cast<double>(g[at(t, m)]);
        }
    for (std::size_t k = 0; k < want.size(); ++k) BOOST_REQUIRE_SMALL(static_cast<double>(d[k]) - want[k], tolerance);
  }
}

}  // namespace

// Columns that fit one register, two, or neither, with ends that do not fill one; lines shorter and longer than a register.
BOOST_AUTO_TEST_CASE_TEMPLATE(steps_of_all_shapes, T, Types) {
  for (const bool nearest : {false, true})
    for (const auto& [n, m] : {std::pair<Index, Index>{1, 1},
                               {1, 7},
                               {7, 1},
                               {4, 8},
                               {8, 4},
                               {28, 56},
                               {33, 40},
                               {40, 33},
                               {56, 28},
                               {10, 95},
                               {95, 10},
                               {300, 20},
                               {20, 300},
                               {100, 101},
                               {5000, 4000}})
      for (const Index inner : {1, 3, 16, 17}) check<T>(inner, n, m, n > 1000 ? 1 : 5, 2, nearest);
  check<T>(1, 28, 56, 1000, 20, false);
  check<T>(56, 28, 56, 1, 200, false);
}

// An element without weight is not looked at.
BOOST_AUTO_TEST_CASE_TEMPLATE(infinite_neighbours, T, Types) {
  const T infinity = std::numeric_limits<T>::infinity();
  const ResizeStep step{1, 3, 1, {{0, 1, 0}, {1, 2, 0.5}, {2, 2, 0}}};
  const std::vector<T> x{T(3), infinity, T(1)};
  std::vector<T> y(3), d(3);
  resize<T>(std::span(&step, 1), x.data(), 1, y.data());
  BOOST_TEST(y[0] == T(3));
  BOOST_TEST(y[1] == infinity);
  BOOST_TEST(y[2] == T(1));
  const std::vector<T> g{infinity, T(1), T(2)};
  resizeAdjoint<T>(std::span(&step, 1), g.data(), 1, d.data());
  BOOST_TEST(d == (std::vector<T>{infinity, T(0.5), T(2.5)}), boost::test_tools::per_element());
}
