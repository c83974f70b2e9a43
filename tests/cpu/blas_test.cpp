#include "cpu/blas.hpp"

#include <cmath>
#include <limits>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Types = std::tuple<float, double>;

template <class T>
void check(bool transA, bool transB, Index m, Index n, Index k, T alpha, T beta) {
  const auto a = numbers<T>(m * k, 1), b = numbers<T>(k * n, 2);
  auto before = numbers<T>(m * n, 3);
  if (beta == T(0)) std::fill(before.begin(), before.end(), std::numeric_limits<T>::quiet_NaN());
  bool same = false;
  const auto c = sameForThreads(
      [&] {
        std::vector<T> result = before;
        gemm(transA, transB, m, n, k, alpha, a.data(), b.data(), beta, result.data());
        return result;
      },
      same);
  BOOST_TEST_CONTEXT("m " << m << " n " << n << " k " << k << " transA " << transA << " transB " << transB) {
    BOOST_TEST(same);
    const double tolerance = std::numeric_limits<T>::epsilon() * (8 + static_cast<double>(k) / 2);
    const Index step = std::max<Index>(1, m * n * k / 4'000'000);
    for (Index at = 0; at < m * n; at += step) {
      const Index i = at % m, j = at / m;
      long double sum = 0;
      for (Index l = 0; l < k; ++l)
        sum += static_cast<long double>(a[static_cast<std::size_t>(transA ? l + i * k : i + l * m)]) *
               static_cast<long double>(b[static_cast<std::size_t>(transB ? j + l * n : l + j * k)]);
      const auto e = static_cast<std::size_t>(at);
      const auto expected = static_cast<double>(alpha * sum + (beta == T(0) ? 0 : beta * before[e]));
      BOOST_REQUIRE_SMALL(static_cast<double>(c[e]) - expected, tolerance * (1 + std::fabs(static_cast<double>(alpha))));
    }
  }
}

template <class T>
void checkAll(Index m, Index n, Index k) {
  for (const bool transA : {false, true})
    for (const bool transB : {false, true}) {
      check<T>(transA, transB, m, n, k, T(1), T(0));
      check<T>(transA, transB, m, n, k, T(-0.5), T(1));
      check<T>(transA, transB, m, n, k, T(2), T(0.25));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_blas)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_small_shape, T, Types) {
  for (const Index m : {1, 2, 3, 5, 8, 17})
    for (const Index n : {1, 2, 4, 7, 9})
      for (const Index k : {1, 2, 3, 8, 19}) checkAll<T>(m, n, k);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(odd_middle_sizes, T, Types) {
  const Index shapes[][3] = {{33, 65, 17}, {64, 64, 64}, {100, 1, 300}, {1, 100, 300}, {127, 31, 129}, {10, 128, 512},
                             {49, 50, 51}, {96, 12, 7},  {300, 2, 3},   {3, 300, 2},   {2, 3, 300},    {24, 24, 1}};
  for (const auto& [m, n, k] : shapes) checkAll<T>(m, n, k);
}

// Few rows or columns that are long.
BOOST_AUTO_TEST_CASE_TEMPLATE(thin_sizes, T, Types) {
  const Index shapes[][3] = {{3, 70, 200}, {7, 100, 300},  {2, 3, 5000},  {40, 30, 1024}, {12, 80, 1024}, {100, 5, 200},
                             {5, 64, 97},  {33, 32, 1100}, {4, 4, 17001}, {1, 1, 5000},   {66, 1, 70},    {200, 3, 2500}};
  for (const auto& [m, n, k] : shapes) checkAll<T>(m, n, k);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(big_sizes_do_not_depend_on_threads, T, Types) {
  const Index shapes[][3] = {{257, 301, 260}, {513, 128, 784}, {1000, 1, 999}, {1, 1000, 999}, {700, 700, 1},
                             {10, 10, 20001}, {1, 1, 300001},  {2000, 30, 40}, {30, 2000, 40}, {3, 3, 100001}};
  for (const auto& [m, n, k] : shapes) checkAll<T>(m, n, k);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(empty_sizes, T, Types) {
  std::vector<T> c{1, 2, 3, 4, 5, 6};
  const T* nothing = nullptr;
  gemm<T>(false, false, 2, 3, 0, T(1), nothing, nothing, T(2), c.data());
  BOOST_TEST(c == (std::vector<T>{2, 4, 6, 8, 10, 12}), boost::test_tools::per_element());
  gemm<T>(true, true, 2, 3, 0, T(1), nothing, nothing, T(0), c.data());
  BOOST_TEST(c == (std::vector<T>(6, T(0))), boost::test_tools::per_element());
  gemm<T>(false, false, 0, 3, 2, T(1), nothing, c.data(), T(0), static_cast<T*>(nullptr));
  gemm<T>(false, false, 2, 0, 3, T(1), c.data(), nothing, T(0), static_cast<T*>(nullptr));
  BOOST_TEST(dot<T>(0, nothing, nothing) == T(0));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nan_and_infinity_spread_as_in_plain_loops, T, Types) {
  const T none = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
  for (const Index n : {2, 9, 70}) {
    const auto size = static_cast<std::size_t>(n * n);
    std::vector<T> a(size, T(1)), b(size, T(0)), c(size);
    a[0] = none;
    a[1] = infinity;
    gemm(false, false, n, n, n, T(1), a.data(), b.data(), T(0), c.data());
    for (Index j = 0; j < n; ++j) {
      BOOST_TEST(std::isnan(c[static_cast<std::size_t>(j * n)]));
      BOOST_TEST(std::isnan(c[static_cast<std::size_t>(j * n + 1)]));
    }
    if (n > 2) BOOST_TEST(c[size - 1] == T(0));
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(products_page_by_page, T, Types) {
  for (const bool transA : {false, true})
    for (const bool transB : {false, true})
      for (const auto& [size, count] : {std::pair<Index, Index>{2, 5}, {7, 2000}, {40, 30}, {150, 3}, {3, 0}}) {
        const Index m = size, n = size + 1, k = size + 2, pages = count;
        for (const int reuse : {0, 1, 2}) {
          const Index aStride = reuse == 1 ? 0 : m * k, bStride = reuse == 2 ? 0 : k * n;
          const auto a = numbers<T>(m * k * pages, 1), b = numbers<T>(k * n * pages, 2), before = numbers<T>(m * n * pages, 3);
          bool same = false;
          const auto c = sameForThreads(
              [&] {
                std::vector<T> result = before;
                gemmBatch(transA, transB, m, n, k, T(1), a.data(), aStride, b.data(), bStride, T(1), result.data(), m * n, pages);
                return result;
              },
              same);
          BOOST_TEST(same);
          std::vector<T> expected = before;
          for (Index p = 0; p < pages; ++p)
            gemm(transA, transB, m, n, k, T(1), a.data() + p * aStride, b.data() + p * bStride, T(1),
                 expected.data() + p * m * n);
          BOOST_TEST(sameBits(c, expected));
        }
      }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(inner_products, T, Types) {
  for (const Index n : {1, 2, 7, 63, 64, 65, 1000, 4097, 300001}) {
    const auto x = numbers<T>(n, 1), y = numbers<T>(n, 2);
    long double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<long double>(x[i]) * static_cast<long double>(y[i]);
    bool same = false;
    const auto result = sameForThreads([&] { return std::vector<T>{dot(n, x.data(), y.data())}; }, same);
    BOOST_TEST(same);
    BOOST_REQUIRE_SMALL(static_cast<double>(result[0] - sum),
                        std::numeric_limits<T>::epsilon() * (8 + 2 * std::sqrt(static_cast<double>(n))));
  }
}

BOOST_AUTO_TEST_SUITE_END()
