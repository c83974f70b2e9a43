#include "cpu/along.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Types = std::tuple<float, double>;
const Index shapes[][3] = {{1, 1, 1}, {1, 9, 1}, {3, 5, 2}, {1, 400, 300}, {70, 30, 40}, {5000, 20, 2}, {1, 150000, 1}};

std::size_t place(Index i, Index k, Index o, Index inner, Index n) { return static_cast<std::size_t>(i + inner * (k + n * o)); }

std::vector<double> somePositions(Index count, Index n) {
  std::vector<double> positions;
  for (const double v : numbers<double>(count, 5))
    positions.push_back(static_cast<double>(static_cast<Index>((v + 1) / 2 * static_cast<double>(n)) % n));
  return positions;
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(gather_and_scatter, T, Types) {
  for (const auto& [inner, n, outer] : shapes)
    for (const Index k : {Index{0}, Index{1}, n / 2, 2 * n}) {
      const auto x = numbers<T>(inner * n * outer), added = numbers<T>(inner * k * outer, 3);
      const auto positions = somePositions(inner * k * outer, n);
      std::vector<T> expected(positions.size()), sums(x.size());
      for (Index o = 0; o < outer; ++o)
        for (Index p = 0; p < k; ++p)
          for (Index i = 0; i < inner; ++i) {
            const std::size_t here = place(i, p, o, inner, k), there = place(i, static_cast<Index>(positions[here]), o, inner, n);
            expected[here] = x[there];
            sums[there] += added[here];
          }
      bool same = false;
      const auto gathered = sameForThreads(
          [&, in = inner, len = n, out = outer] {
            std::vector<T> y(positions.size());
            gatherAlong(x.data(), in, len, out, positions.data(), k, y.data());
            return y;
          },
          same);
      BOOST_TEST((same && sameBits(gathered, expected)));
      const auto scattered = sameForThreads(
          [&, in = inner, len = n, out = outer] {
            std::vector<T> y(x.size());
            scatterAddAlong(added.data(), in, len, out, positions.data(), k, y.data());
            return y;
          },
          same);
      BOOST_TEST((same && sameBits(scattered, sums)));
    }
}

BOOST_AUTO_TEST_CASE(gather_of_bool) {
  const bool x[] = {true, false, false, true};
  const double positions[] = {1, 0, 0, 1};
  bool y[4];
  gatherAlong(x, 2, 2, 1, positions, 2, y);
  BOOST_TEST((!y[0] && !y[1] && y[2] && y[3]));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(shifts, T, Types) {
  for (const auto& [inner, n, outer] : shapes)
    for (const Index steps : {Index{0}, Index{1}, Index{-1}, Index{3}, -n, n + 2}) {
      const auto x = numbers<T>(inner * n * outer);
      std::vector<T> y(x.size());
      shiftAlong(x.data(), inner, n, outer, steps, T(7), y.data());
      bool right = true;
      for (Index o = 0; o < outer; ++o)
        for (Index k = 0; k < n; ++k)
          for (Index i = 0; i < inner; ++i) {
            const Index from = k - steps;
            right = right && y[place(i, k, o, inner, n)] == (from < 0 || from >= n ? T(7) : x[place(i, from, o, inner, n)]);
          }
      BOOST_TEST(right);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(linear_recurrences, T, Types) {
  for (const auto& [inner, n, outer] : shapes)
    for (const Direction direction : {Direction::forward, Direction::reverse}) {
      auto a = numbers<T>(inner * n * outer);
      const auto b = numbers<T>(inner * n * outer, 2);
      const Index first = direction == Direction::forward ? 0 : n - 1, step = direction == Direction::forward ? 1 : -1;
      a[place(0, first, 0, inner, n)] = std::numeric_limits<T>::quiet_NaN();  // counts for nothing
      std::vector<T> expected(b.size());
      for (Index o = 0; o < outer; ++o)
        for (Index i = 0; i < inner; ++i) {
          T state = 0;
          for (Index k = first; k >= 0 && k < n; k += step) {
            const std::size_t here = place(i, k, o, inner, n);
            state = k == first ? b[here] : b[here] + a[here] * state;
            expected[here] = state;
          }
        }
      bool same = false;
      const auto y = sameForThreads(
          [&, in = inner, len = n, out = outer] {
            std::vector<T> result = b;
            recurrence(a.data(), result.data(), in, len, out, direction, result.data());
            return result;
          },
          same);
      BOOST_TEST((same && sameBits(y, expected)));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(positions_of_medians, T, Types) {
  for (const auto& [inner, n, outer] : shapes) {
    const auto size = static_cast<std::size_t>(inner * outer);
    const auto x = numbers<T>(inner * n * outer);
    bool same = false, right = true;
    const auto both = sameForThreads(
        [&, in = inner, len = n, out = outer] {
          std::vector<double> positions(2 * size);
          medianPositions(x.data(), in, len, out, positions.data(), positions.data() + size);
          return positions;
        },
        same);
    BOOST_TEST(same);
    for (std::size_t line = 0; line < size; ++line) {
      const Index i = static_cast<Index>(line) % inner, o = static_cast<Index>(line) / inner;
      std::vector<T> sorted;
      for (Index k = 0; k < n; ++k) sorted.push_back(x[place(i, k, o, inner, n)]);
      const auto low = static_cast<Index>(both[line]), high = static_cast<Index>(both[size + line]);
      const T lower = sorted[static_cast<std::size_t>(low)], upper = sorted[static_cast<std::size_t>(high)];
      std::sort(sorted.begin(), sorted.end());
      right = right && lower == sorted[(sorted.size() - 1) / 2] && upper == sorted[sorted.size() / 2];
    }
    BOOST_TEST(right);
  }
  const T none = std::numeric_limits<T>::quiet_NaN();
  const T x[] = {3, none, 1, none};
  double lower = -1, upper = -1;
  medianPositions(x, 1, 4, 1, &lower, &upper);
  BOOST_TEST((lower == 1 && upper == 1));
}
