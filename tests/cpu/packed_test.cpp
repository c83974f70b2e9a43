// Products with a factor that is arranged once, and of matrices inside larger ones, against the plain product.
#include "cpu/packed.hpp"

#include "cpu/blas.hpp"
#include "cpu/kernel_test.hpp"
#include "cpu/scratch.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <tuple>

using namespace dl::cpu;

namespace {

template <class T>
void close(const std::vector<T>& a, const std::vector<T>& b, double tolerance) {
  BOOST_TEST_REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(a[i] - b[i])));
  BOOST_TEST(worst <= tolerance);
}

template <class T>
void packedProducts(double tolerance) {
  for (const Index m : {1, 16, 40, 48, 100})
    for (const Index k : {1, 17, 600})
      for (const Index n : {1, 7, 33})
        for (const bool trans : {false, true}) {
          const auto a = numbers<T>(m * k, 1), b = numbers<T>(k * n, 2);
          auto want = numbers<T>(m * n, 3), got = want;
          gemm<T>(trans, false, m, n, k, 1, a.data(), b.data(), 1, want.data());
          const auto memory = freshMemory<T>(PackedFactor<T>::elements(m, k));
          const PackedFactor<T> factor(trans, m, k, a.data(), trans ? k : m, memory.get());
          factor.multiply(n, b.data(), k, true, got.data(), m);
          close(got, want, tolerance);
        }
}

}  // namespace

BOOST_AUTO_TEST_CASE(packed_factors_multiply) {
  packedProducts<float>(2e-4);
  packedProducts<double>(1e-12);
}

BOOST_AUTO_TEST_CASE(part_of_a_factor) {
  const Index m = 20, k = 9, n = 5, from = 30;
  const auto a = numbers<double>(from * k, 1), b = numbers<double>(k * n, 2);
  std::vector<double> part, want(static_cast<std::size_t>(m * n)), got = want;
  const auto memory = freshMemory<double>(PackedFactor<double>::elements(m, k));
  for (Index l = 0; l < k; ++l)
    for (Index i = 0; i < m; ++i) part.push_back(a[static_cast<std::size_t>(10 + i + l * from)]);
  gemm<double>(false, false, m, n, k, 1, part.data(), b.data(), 0, want.data());
  PackedFactor<double>(false, m, k, a.data() + 10, from, memory.get()).multiply(n, b.data(), k, false, got.data(), m);
  close(got, want, 1e-13);
}

BOOST_AUTO_TEST_CASE(products_within_larger_matrices) {
  const Index m = 21, n = 10, k = 13, lda = 40, ldb = 50, ldc = 30;
  const auto a = numbers<double>(lda * 40, 1), b = numbers<double>(ldb * 40, 2);
  for (const bool transA : {false, true})
    for (const bool transB : {false, true})
      for (const bool add : {false, true}) {
        auto c = numbers<double>(ldc * n, 3);
        const auto before = c;
        gemmWithin(transA, transB, m, n, k, 0.5, a.data(), lda, b.data(), ldb, add, c.data(), ldc);
        for (Index j = 0; j < n; ++j)
          for (Index i = 0; i < ldc; ++i) {
            double want = before[static_cast<std::size_t>(i + j * ldc)];
            if (i < m) {
              double sum = 0;
              for (Index l = 0; l < k; ++l)
                sum += a[static_cast<std::size_t>(transA ? l + i * lda : i + l * lda)] *
                       b[static_cast<std::size_t>(transB ? j + l * ldb : l + j * ldb)];
              want = (add ? want : 0) + 0.5 * sum;
            }
            BOOST_TEST_REQUIRE(std::abs(c[static_cast<std::size_t>(i + j * ldc)] - want) < 1e-13);
          }
      }
  std::vector<double> c(6, 1);
  gemmWithin(false, false, 2, 2, 0, 1.0, a.data(), 2, b.data(), 1, false, c.data(), 3);
  BOOST_TEST((c == std::vector<double>{0, 0, 1, 0, 0, 1}));
}

// Cut by rows and columns, and by pieces of a long k.
BOOST_AUTO_TEST_CASE(products_within_larger_matrices_by_threads) {
  for (const auto& [m, n, k] : {std::tuple<Index, Index, Index>{90, 70, 300}, {20, 11, 30000}, {3, 1, 20000}, {4, 5, 0}})
    for (const bool transA : {false, true})
      for (const bool transB : {false, true})
        for (const bool add : {false, true}) {
          const Index lda = (transA ? k : m) + 3, ldb = (transB ? n : k) + 2, ldc = m + 1;
          const auto a = numbers<double>(lda * (transA ? m : k), 1), b = numbers<double>(ldb * (transB ? k : n), 2),
                     before = numbers<double>(ldc * n, 3);
          auto want = before;
          gemmWithin(transA, transB, m, n, k, 0.5, a.data(), lda, b.data(), ldb, add, want.data(), ldc);
          bool same = false;
          const auto got = sameForThreads(
              [&] {
                auto c = before;
                gemmWithinByThreads(transA, transB, m, n, k, 0.5, a.data(), lda, b.data(), ldb, add, c.data(), ldc);
                return c;
              },
              same);
          BOOST_TEST(same);
          close(got, want, 1e-10);
        }
}
