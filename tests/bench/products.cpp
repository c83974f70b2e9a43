// Matrix products against the libraries found: OpenBLAS, and in single precision oneDNN, in the same run, taking turns.
// OPENBLAS_CORETYPE is left as it is, so the first line says which kernels OpenBLAS uses.
#include <cblas.h>
#if DLARRAY_HAS_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench.hpp"
#include "cpu/blas.hpp"
#include "pages.hpp"
#include "threads.hpp"

namespace {

struct Shape {
  int m, n, k;
  bool transA = false, transB = false;
};

CBLAS_TRANSPOSE flag(bool trans) { return trans ? CblasTrans : CblasNoTrans; }

void openblas(const Shape& s, const float* a, const float* b, float* c) {
  cblas_sgemm(CblasColMajor, flag(s.transA), flag(s.transB), s.m, s.n, s.k, 1, a, s.transA ? s.k : s.m, b, s.transB ? s.n : s.k,
              0, c, s.m);
}

void openblas(const Shape& s, const double* a, const double* b, double* c) {
  cblas_dgemm(CblasColMajor, flag(s.transA), flag(s.transB), s.m, s.n, s.k, 1, a, s.transA ? s.k : s.m, b, s.transB ? s.n : s.k,
              0, c, s.m);
}

// The size that is wanted alone, where one is.
Shape wanted{};

template <class T>
void compare(const Shape& s) {
  if (wanted.m && (s.m != wanted.m || s.n != wanted.n || s.k != wanted.k)) return;
  const auto count = [](int rows, int columns) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns); };
  const bench::Numbers<T> a(count(s.m, s.k), T(0.5)), b(count(s.k, s.n), T(0.25));
  bench::Numbers<T> c(count(s.m, s.n)), d = c;
  std::vector<bench::Candidate> candidates;
  candidates.push_back(
      {"ours", [&] { dl::cpu::gemm<T>(s.transA, s.transB, s.m, s.n, s.k, T(1), a.data(), b.data(), T(0), c.data()); }});
  candidates.push_back({"OpenBLAS", [&] { openblas(s, a.data(), b.data(), d.data()); }});
#if DLARRAY_HAS_ONEDNN
  if constexpr (sizeof(T) == sizeof(float))
    // Row-major: C' = B' A'.
    candidates.push_back({"oneDNN", [&] {
                            dnnl_sgemm(s.transB ? 'T' : 'N', s.transA ? 'T' : 'N', s.n, s.m, s.k, 1, b.data(),
                                       s.transB ? s.n : s.k, a.data(), s.transA ? s.k : s.m, 0, d.data(), s.m);
                          }});
#endif
  bench::measure(candidates, s.m >= 2048 ? 5 : 15);
  const double operations = 2.0 * s.m * s.n * s.k;
  double best = 1e300;
  std::printf("%s %c%c %5d x %5d x %5d ", sizeof(T) == sizeof(float) ? "single" : "double", s.transA ? 'T' : 'N',
              s.transB ? 'T' : 'N', s.m, s.n, s.k);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    std::printf(" %s %7.1f", candidates[i].name.c_str(), operations / candidates[i].seconds / 1e9);
    if (i > 0) best = std::min(best, candidates[i].seconds);
  }
  std::printf(" GFLOP/s, ours / best %.2f\n", best / candidates[0].seconds);
  std::fflush(stdout);
}

template <class T>
void compareAll(int largest) {
  for (const int n : {2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096})
    if (n <= largest) compare<T>({n, n, n});
  for (const int n : {128, 512, 1024})
    for (const int flags : {1, 2, 3}) compare<T>({n, n, n, (flags & 1) != 0, (flags & 2) != 0});
  // Layers of a network for few observations: forward, gradient of the input, gradient of the weights.
  for (const int few : {1, 2, 4, 8, 16}) {
    compare<T>({512, few, 784});
    compare<T>({784, few, 512, true, false});
    compare<T>({512, 784, few, false, true});
  }
  // The same for 128; then long and thin ones.
  compare<T>({512, 128, 784});
  compare<T>({784, 128, 512, true, false});
  compare<T>({512, 784, 128, false, true});
  compare<T>({10, 128, 512});
  compare<T>({32, 100, 32});
  compare<T>({1000, 1, 1000});
  compare<T>({1000, 1, 1000, true, false});
  compare<T>({10, 10, 100000, false, true});
}

}  // namespace

// bench_products [M N K]: all sizes, or one.
int main(int count, char** arguments) {
  if (count > 3) wanted = {std::atoi(arguments[1]), std::atoi(arguments[2]), std::atoi(arguments[3])};
  std::printf("OpenBLAS %s\n", openblas_get_corename());
  bench::forThreads([](int threads) {
    std::printf("%d thread%s\n", threads, threads == 1 ? "" : "s");
    compareAll<float>(4096);
    compareAll<double>(2048);
  });
}
