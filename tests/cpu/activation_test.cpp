#include "cpu/activation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Types = std::tuple<float, double>;

// The first element at the start of a cache line.
template <class T>
T* lined(std::vector<T>& x) {
  auto at = reinterpret_cast<std::uintptr_t>(x.data());
  return reinterpret_cast<T*>((at + 63) / 64 * 64);
}

// Against long doubles, column by column.
template <class T>
void check(Index inner, Index n, Index outer) {
  const auto count = inner * n * outer;
  auto x = numbers<T>(count), g = numbers<T>(count, 2);
  for (T& v : x) v *= T(8);
  bool same = false, sameGradient = false;
  const auto y = sameForThreads(
      [&] {
        std::vector<T> to(x.size() + 16);
        softmax(x.data(), inner, n, outer, lined(to));
        return std::vector<T>(lined(to), lined(to) + x.size());
      },
      same);
  const auto d = sameForThreads(
      [&] {
        std::vector<T> to(x.size() + 16);
        softmaxGradient(g.data(), y.data(), inner, n, outer, lined(to));
        return std::vector<T>(lined(to), lined(to) + x.size());
      },
      sameGradient);
  BOOST_TEST(same);
  BOOST_TEST(sameGradient);
  auto there = x, thereToo = g;
  softmax(there.data(), inner, n, outer, there.data());
  softmaxGradient(thereToo.data(), y.data(), inner, n, outer, thereToo.data());
  BOOST_TEST(sameBits(y, there));
  BOOST_TEST(sameBits(d, thereToo));
  const double tolerance = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (Index o = 0; o < outer; ++o)
    for (Index i = 0; i < inner; ++i) {
      const auto at = [&](Index k) { return static_cast<std::size_t>(i + inner * (k + n * o)); };
      long double sum = 0, product = 0;
      for (Index k = 0; k < n; ++k) sum += std::exp(static_cast<long double>(x[at(k)]));
      for (Index k = 0; k < n; ++k) product += static_cast<long double>(g[at(k)]) * y[at(k)];
      for (Index k = 0; k < n; ++k) {
        BOOST_REQUIRE_SMALL(static_cast<double>(y[at(k)] / (std::exp(static_cast<long double>(x[at(k)])) / sum) - 1), tolerance);
        BOOST_REQUIRE_SMALL(static_cast<double>(d[at(k)] - y[at(k)] * (g[at(k)] - product)), tolerance);
      }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(softmax_of_all_shapes, T, Types) {
  // Turned columns with and without a rest, long ones, strips with a rest, more than is kept near, several threads.
  for (Index n : {1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 17, 31, 32, 33, 100, 1000})
    for (Index outer : {1, 5, 16, 37, 90}) check<T>(1, n, outer);
  for (Index inner : {2, 15, 64, 65, 129, 300})
    for (Index n : {1, 3, 64, 200}) check<T>(inner, n, 2);
  for (Index n : {3, 6, 10}) check<T>(1, n, 30000);
  check<T>(784, 64, 4);
  check<T>(1040, 64, 70);  // large enough to be written past the caches, with a rest
  check<T>(0, 3, 2);
}
