#include "cpu/sort.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Types = std::tuple<float, double>;

// The positions of a line in the order in which its elements should come out.
template <class T>
std::vector<Index> naive(const std::vector<T>& line, SortOrder order, bool nanLast) {
  std::vector<Index> positions(line.size());
  std::iota(positions.begin(), positions.end(), Index{0});
  std::stable_sort(positions.begin(), positions.end(), [&](Index i, Index j) {
    const T a = line[static_cast<std::size_t>(i)], b = line[static_cast<std::size_t>(j)];
    if (a != a || b != b) return nanLast ? a == a && b != b : a != a && b == b;
    return order == SortOrder::ascending ? a < b : a > b;
  });
  return positions;
}

// Data with ties, zeros of both signs, infinities and NaN.
template <class T>
std::vector<T> hard(Index n, int variant) {
  auto x = numbers<T>(n);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (variant == 1) x[i] = std::round(x[i] * 3);
    if (variant == 2 && i % 5 == 2) x[i] = std::numeric_limits<T>::quiet_NaN();
    if (variant == 2 && i % 5 == 3) x[i] = i % 2 ? std::numeric_limits<T>::infinity() : -std::numeric_limits<T>::infinity();
    if (variant == 2 && i % 5 == 4) x[i] = i % 2 ? T(0) : -T(0);
    if (variant == 3) x[i] = static_cast<T>(i);
  }
  return x;
}

// Compares k results a line of sort (k = n, or topk) with the naive order.
template <class T>
void check(Index inner, Index n, Index outer, Index k, SortOrder order, bool top, int variant) {
  const auto x = hard<T>(inner * n * outer, variant);
  const auto size = static_cast<std::size_t>(inner * k * outer);
  bool same = false;
  const auto both = sameForThreads(
      [&] {
        std::vector<T> result(2 * size);
        T *values = result.data(), *positions = result.data() + size;
        if (top)
          topk(x.data(), inner, n, outer, k, order, values, positions);
        else
          sort(x.data(), inner, n, outer, order, values, positions);
        return result;
      },
      same);
  BOOST_TEST(same);
  for (Index o = 0; o < outer; ++o)
    for (Index i = 0; i < inner; ++i) {
      std::vector<T> line;
      for (Index j = 0; j < n; ++j) line.push_back(x[static_cast<std::size_t>(i + inner * (j + n * o))]);
      const auto expected = naive(line, order, top || order == SortOrder::ascending);
      for (Index j = 0; j < k; ++j) {
        const auto at = static_cast<std::size_t>(i + inner * (j + k * o));
        const Index position = expected[static_cast<std::size_t>(j)];
        BOOST_REQUIRE(both[size + at] == static_cast<T>(position));
        BOOST_REQUIRE(std::memcmp(&both[at], &line[static_cast<std::size_t>(position)], sizeof(T)) == 0);
      }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_sort)

BOOST_AUTO_TEST_CASE_TEMPLATE(sorts_as_a_stable_sort_does, T, Types) {
  for (const SortOrder order : {SortOrder::ascending, SortOrder::descending})
    for (const int variant : {0, 1, 2, 3}) {
      for (const Index n : {1, 2, 3, 16, 100, 511, 512, 2000}) check<T>(1, n, 3, n, order, false, variant);
      for (const Index inner : {2, 16, 17, 40}) check<T>(inner, 33, 2, 33, order, false, variant);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(selects_the_first_of_the_sorted, T, Types) {
  for (const SortOrder order : {SortOrder::ascending, SortOrder::descending})
    for (const int variant : {0, 1, 2, 3})
      for (const Index k : {1, 2, 5, 50}) {
        check<T>(1, 50, 3, k, order, true, variant);
        check<T>(1, 3000, 2, k, order, true, variant);
        check<T>(20, 60, 2, k, order, true, variant);
      }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(big_arrays, T, Types) {
  for (const SortOrder order : {SortOrder::ascending, SortOrder::descending}) {
    check<T>(1, 200000, 1, 200000, order, false, 2);
    check<T>(300, 1000, 1, 1000, order, false, 1);
    check<T>(1, 10, 30000, 10, order, false, 0);
    check<T>(1, 200000, 1, 10, order, true, 2);
    check<T>(1, 1000, 300, 5, order, true, 1);
  }
}

BOOST_AUTO_TEST_CASE(results_are_optional_and_arrays_may_be_empty) {
  const std::vector<double> x{3, 1, 2};
  std::vector<double> y(3);
  sort(x.data(), 1, 3, 1, SortOrder::ascending, y.data(), static_cast<double*>(nullptr));
  BOOST_TEST(y == (std::vector<double>{1, 2, 3}), boost::test_tools::per_element());
  sort(x.data(), 1, 3, 1, SortOrder::descending, static_cast<double*>(nullptr), y.data());
  BOOST_TEST(y == (std::vector<double>{0, 2, 1}), boost::test_tools::per_element());
  sort(x.data(), 0, 3, 1, SortOrder::ascending, y.data(), y.data());
  sort(x.data(), 1, 0, 3, SortOrder::ascending, y.data(), y.data());
  topk(x.data(), 1, 3, 1, 0, SortOrder::ascending, y.data(), y.data());
  BOOST_TEST(y == (std::vector<double>{0, 2, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
