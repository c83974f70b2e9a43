#include "cpu/scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Types = std::tuple<float, double>;

template <class T>
void check(Index inner, Index n, Index outer) {
  const auto x = numbers<T>(inner * n * outer);
  auto factors = x;
  for (T& v : factors) v = T(1) + v / T(1024);
  for (const Direction direction : {Direction::forward, Direction::reverse})
    for (const bool product : {false, true}) {
      const auto run = [&](bool inPlace) {
        std::vector<T> y = product ? factors : x;
        const std::vector<T> from = y;
        const T* source = inPlace ? y.data() : from.data();
        if (product)
          cumprod(source, inner, n, outer, direction, y.data());
        else
          cumsum(source, inner, n, outer, direction, y.data());
        return y;
      };
      bool same = false;
      const auto y = sameForThreads([&] { return run(false); }, same);
      BOOST_TEST(same);
      BOOST_TEST(sameBits(y, run(true)));
      const double tolerance = std::numeric_limits<T>::epsilon() * (8.0 + 4 * std::sqrt(static_cast<double>(n)));
      for (Index o = 0; o < outer; ++o)
        for (Index i = 0; i < inner; ++i) {
          long double running = product ? 1 : 0;
          double largest = 1;
          for (Index step = 0; step < n; ++step) {
            const Index k = direction == Direction::forward ? step : n - 1 - step;
            const auto at = static_cast<std::size_t>(i + inner * (k + n * o));
            running = product ? running * factors[at] : running + x[at];
            largest = std::max(largest, std::fabs(static_cast<double>(running)));
            BOOST_REQUIRE_SMALL(static_cast<double>(y[at] - running), tolerance * largest);
          }
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_scan)

BOOST_AUTO_TEST_CASE_TEMPLATE(running_sums_and_products, T, Types) {
  for (const Index n : {1, 2, 7, 8, 9, 16, 100})
    for (const Index inner : {1, 2, 5, 70})
      for (const Index outer : {1, 3}) check<T>(inner, n, outer);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(big_arrays, T, Types) {
  check<T>(1, 300001, 1);
  check<T>(1, 1 << 17, 1);
  check<T>(1, 1001, 200);
  check<T>(3001, 50, 2);
  check<T>(3, 30000, 2);
}

BOOST_AUTO_TEST_CASE(empty_arrays) {
  double nothing = 7;
  cumsum(&nothing, 0, 3, 2, Direction::forward, &nothing);
  cumsum(&nothing, 3, 0, 2, Direction::reverse, &nothing);
  cumprod(&nothing, 1, 3, 0, Direction::forward, &nothing);
  BOOST_TEST(nothing == 7);
}

BOOST_AUTO_TEST_CASE(whole_numbers_stay_exact) {
  std::vector<double> x(1000, 1.0), y(1000);
  cumsum(x.data(), 1, 1000, 1, Direction::forward, y.data());
  for (std::size_t i = 0; i < 1000; ++i) BOOST_REQUIRE(y[i] == static_cast<double>(i + 1));
  cumsum(x.data(), 1, 1000, 1, Direction::reverse, y.data());
  for (std::size_t i = 0; i < 1000; ++i) BOOST_REQUIRE(y[i] == static_cast<double>(1000 - i));
}

BOOST_AUTO_TEST_SUITE_END()
