#include "cpu/blas.hpp"

#include <algorithm>
#include <vector>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"
#include "cpu/simd/gemm.hpp"
#include "cpu/transpose.hpp"

namespace dl::cpu {
namespace {

// Multiplications from which a product gains from a second thread.
constexpr Index parallelProducts = Index{1} << 19;
// Elements of k that are summed as one piece where k is what a product has most of; the pieces are then summed in order.
// Like every choice here it follows from the sizes alone: results are the same for every number of threads.
constexpr Index pieceOfDot = 4096;
constexpr Index pieceOfProduct = 8192;
constexpr Index pieceOfCombination = 512;

template <class T>
const GemmKernels<T>& kernels() {
  return DLARRAY_FOR_ARCH(gemmKernels<T>)();
}

Index ceilDiv(Index a, Index b) { return (a + b - 1) / b; }

template <class T>
void runProduct(const Product<T>& p) {
  kernels<T>().product(p, scratchMemory<T>(kernels<T>().scratch(p)));
}

template <class T>
void runInner(const Product<T>& p) {
  kernels<T>().inner(p);
}

// The part of a product that makes rows [i, i + m) and columns [j, j + n) of C.
template <class T>
Product<T> partOf(Product<T> p, Index i, Index m, Index j, Index n) {
  p.a += p.transA ? i * p.lda : i;
  p.b += p.transB ? j : j * p.ldb;
  p.c += i + j * p.ldc;
  p.m = m;
  p.n = n;
  return p;
}

// Cuts C into a grid with one part a thread, so that the slowest part costs least: its multiplications, and what copying its
// share of A and B into order costs, counted in multiplications.
template <class T>
void runInParallel(const Product<T>& p) {
  const Index work = p.m * p.n * p.k;
  const Index threads = work < parallelProducts ? 1 : std::min<Index>(threadCount(), work / (parallelProducts / 2));
  if (threads == 1) return runProduct(p);
  const Index rowUnit = kernels<T>().rows, columnUnit = kernels<T>().columns;
  const Index rowUnits = ceilDiv(p.m, rowUnit), columnUnits = ceilDiv(p.n, columnUnit);
  const bool packA = p.transA || p.lda * static_cast<Index>(sizeof(T)) > 1024;
  const Index copyA = packA ? 12 : 2, copyB = p.transB ? 10 : 2;
  Index down = 1, across = 1, best = p.m * p.n + copyA * p.m + copyB * p.n;
  for (Index d = 1; d <= std::min(threads, rowUnits); ++d) {
    const Index a = std::min(threads / d, columnUnits);
    const Index rows = ceilDiv(rowUnits, d) * rowUnit, columns = ceilDiv(columnUnits, a) * columnUnit;
    const Index cost = rows * columns + copyA * rows + copyB * columns;
    if (cost < best) best = cost, down = d, across = a;
  }
  parallelFor(down * across, 1, [&](Index begin, Index end) {
    for (Index part = begin; part < end; ++part) {
      const Index d = part % down, a = part / down;
      const Index i = rowUnits * d / down * rowUnit, j = columnUnits * a / across * columnUnit;
      const Index iEnd = std::min(rowUnits * (d + 1) / down * rowUnit, p.m);
      const Index jEnd = std::min(columnUnits * (a + 1) / across * columnUnit, p.n);
      if (i < iEnd && j < jEnd) runProduct(partOf(p, i, iEnd - i, j, jEnd - j));
    }
  });
}

// sum[i] = partial[i] + partial[i + n] + ..., `count` terms in a fixed order of pairs.
template <class T>
void addUp(T* partial, Index n, Index count) {
  for (; count > 1; count = ceilDiv(count, 2)) {
    const Index half = ceilDiv(count, 2);
    for (Index p = 0; p + half < count; ++p)
      for (Index i = 0; i < n; ++i) partial[p * n + i] += partial[(p + half) * n + i];
  }
}

// A small C from a long k: pieces of k in parallel, each by `run`.
template <class T>
void runLongProduct(const Product<T>& p, void (*run)(const Product<T>&)) {
  const Index pieces = ceilDiv(p.k, pieceOfProduct), length = ceilDiv(p.k, pieces), size = p.m * p.n;
  std::vector<T> partial(static_cast<std::size_t>(size * pieces));
  parallelFor(pieces, std::max<Index>(1, parallelProducts / (size * pieceOfProduct)), [&](Index begin, Index end) {
    for (Index piece = begin; piece < end; ++piece) {
      Product<T> part = p;
      const Index l = piece * length;
      part.k = std::min(length, p.k - l);
      part.a += p.transA ? l : l * p.lda;
      part.b += p.transB ? l * p.ldb : l;
      part.add = false;
      part.c = partial.data() + piece * size;
      part.ldc = p.m;
      run(part);
    }
  });
  addUp(partial.data(), size, pieces);
  for (Index j = 0; j < p.n; ++j)
    for (Index i = 0; i < p.m; ++i) {
      T& c = p.c[i + j * p.ldc];
      c = p.add ? c + partial[static_cast<std::size_t>(i + j * p.m)] : partial[static_cast<std::size_t>(i + j * p.m)];
    }
}

template <class T>
bool isLong(const Product<T>& p) {
  return p.k > 2 * pieceOfProduct && p.m * p.n <= 4096;
}

template <class T>
void runByThreads(const Product<T>& p) {
  if (isLong(p))
    runLongProduct(p, runProduct<T>);
  else
    runInParallel(p);
}

// True where inner products of columns beat the product, which copies a transposed A into order and whose tiles are as high as a
// register: for few columns of B or rows of A, which are many times as long as they are many; and for few rows of A beside
// columns of B that lie so that the tile's would compete for the same places in the caches.
template <class T>
bool isInner(const Product<T>& p) {
  const Index height = kernels<T>().rows;
  const auto isFew = [&](Index few) { return p.k >= std::max<Index>(32, 16 * few); };
  if (p.transA && p.n <= 32 && isFew(p.n)) return true;
  if (p.transB || (!p.transA && p.n < 64)) return false;
  if (p.k * static_cast<Index>(sizeof(T)) % 4096 == 0 && p.m <= height) return true;
  const bool fillsHalf = p.m <= height / 2 || (p.m > height && 4 * p.m <= 5 * height);
  return fillsHalf && isFew(p.m);
}

// y = the transpose of x (rows x columns).
template <class T>
void turn(const T* x, Index rows, Index columns, T* y) {
  transposeTile(sizeof(T))(x, rows, y, columns, columns, rows);
}

// Such products, of contiguous matrices. Of the others the one with few rows or columns is turned first.
template <class T>
void runInnerProducts(Product<T> p) {
  const ScratchArray<T> turned(p.transB ? p.n * p.k : p.transA ? 0 : p.m * p.k);
  if (!p.transA) {
    turn(p.a, p.m, p.k, turned.data());
    p.transA = true, p.a = turned.data(), p.lda = p.k;
  }
  if (p.transB) {
    turn(p.b, p.n, p.k, turned.data());
    p.transB = false, p.b = turned.data(), p.ldb = p.k;
  }
  if (isLong(p)) return runLongProduct(p, runInner<T>);
  constexpr Index unit = 8;
  const bool down = p.m >= p.n;
  const Index most = down ? p.m : p.n, work = unit * (down ? p.n : p.m) * p.k;
  parallelFor(ceilDiv(most, unit), std::max<Index>(1, parallelProducts / 4 / work), [&](Index begin, Index end) {
    const Index i = begin * unit, n = std::min(end * unit, most) - i;
    runInner(down ? partOf(p, i, n, 0, p.n) : partOf(p, 0, p.m, i, n));
  });
}

// y = alpha * a (m x k) times x, or added to y.
template <class T>
void combineColumns(Index m, Index k, T alpha, const T* a, const T* x, bool add, T* y) {
  constexpr Index tile = 2048;
  const auto combine = kernels<T>().combine;
  const Index tiles = ceilDiv(m, tile), pieces = m <= tile ? std::max<Index>(1, ceilDiv(k, pieceOfCombination)) : 1;
  const bool direct = pieces == 1 && alpha == T(1) && !add;
  std::vector<T> partial(static_cast<std::size_t>(direct ? 0 : m * pieces));
  T* results = direct ? y : partial.data();
  const Index columns = pieces > 1 ? pieceOfCombination : k;
  parallelFor(tiles * pieces, grainFor(std::min(m, tile) * columns), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index i = unit % tiles * tile, piece = unit / tiles, l = piece * columns;
      combine(std::min(tile, m - i), std::min(columns, k - l), a + i + l * m, m, x + l, results + piece * m + i);
    }
  });
  if (direct) return;
  addUp(results, m, pieces);
  for (Index i = 0; i < m; ++i) y[i] = alpha * results[i] + (add ? y[i] : T(0));
}

template <class T>
void scale(T* c, Index n, T beta) {
  if (beta == T(0))
    std::fill(c, c + n, T(0));
  else if (beta != T(1))
    for (Index i = 0; i < n; ++i) c[i] *= beta;
}

}  // namespace

template <class T>
void gemm(bool transA, bool transB, Index m, Index n, Index k, T alpha, const T* a, const T* b, T beta, T* c) {
  if (m == 0 || n == 0) return;
  if (k == 0 || alpha == T(0) || beta != T(0)) scale(c, m * n, beta);
  if (k == 0 || alpha == T(0)) return;
  const Product<T> p{transA, transB, m, n, k, alpha, a, transA ? k : m, b, transB ? n : k, beta != T(0), c, m};
  // A vector is its own transpose.
  if (m == 1 && n == 1)
    *c = alpha * dot(k, a, b) + (p.add ? *c : T(0));
  else if (m == 1 && !transB)
    runInnerProducts(Product<T>{true, false, n, 1, k, alpha, b, k, a, k, p.add, c, n});
  else if (n == 1 && transA)
    runInnerProducts(Product<T>{true, false, m, 1, k, alpha, a, k, b, k, p.add, c, m});
  else if (m == 1)
    combineColumns(n, k, alpha, b, a, p.add, c);
  else if (n == 1)
    combineColumns(m, k, alpha, a, b, p.add, c);
  else if (isInner(p))
    runInnerProducts(p);
  else
    runByThreads(p);
}

template <class T>
void gemmWithin(bool transA, bool transB, Index m, Index n, Index k, T alpha, const T* a, Index lda, const T* b, Index ldb,
                bool add, T* c, Index ldc) {
  if (m == 0 || n == 0) return;
  if (k > 0) return runProduct(Product<T>{transA, transB, m, n, k, alpha, a, lda, b, ldb, add, c, ldc});
  for (Index j = 0; j < (add ? 0 : n); ++j) std::fill(c + j * ldc, c + j * ldc + m, T(0));
}

template <class T>
void gemmWithinByThreads(bool transA, bool transB, Index m, Index n, Index k, T alpha, const T* a, Index lda, const T* b,
                         Index ldb, bool add, T* c, Index ldc) {
  if (m == 0 || n == 0 || k == 0) return gemmWithin(transA, transB, m, n, k, alpha, a, lda, b, ldb, add, c, ldc);
  runByThreads(Product<T>{transA, transB, m, n, k, alpha, a, lda, b, ldb, add, c, ldc});
}

template <class T>
void gemmBatch(bool transA, bool transB, Index m, Index n, Index k, T alpha, const T* a, Index aStride, const T* b, Index bStride,
               T beta, T* c, Index cStride, Index pages) {
  // Pages that are large enough for threads of their own use them one after the other.
  const bool largePages = m * n * k >= 8 * parallelProducts && pages < 4 * threadCount();
  const Index grain = largePages ? pages : std::max<Index>(1, parallelProducts / 2 / std::max<Index>(1, m * n * k));
  parallelFor(pages, grain, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p)
      gemm(transA, transB, m, n, k, alpha, a + p * aStride, b + p * bStride, beta, c + p * cStride);
  });
}

template <class T>
T dot(Index n, const T* x, const T* y) {
  const auto dot = kernels<T>().dot;
  const Index pieces = ceilDiv(n, pieceOfDot);
  if (pieces <= 1) return n > 0 ? dot(n, x, y) : T(0);
  std::vector<T> partial(static_cast<std::size_t>(pieces));
  parallelFor(pieces, grainFor(pieceOfDot), [&](Index begin, Index end) {
    for (Index piece = begin; piece < end; ++piece) {
      const Index i = piece * pieceOfDot;
      partial[static_cast<std::size_t>(piece)] = dot(std::min(pieceOfDot, n - i), x + i, y + i);
    }
  });
  addUp(partial.data(), 1, pieces);
  return partial[0];
}

template void gemm(bool, bool, Index, Index, Index, float, const float*, const float*, float, float*);
template void gemm(bool, bool, Index, Index, Index, double, const double*, const double*, double, double*);
template void gemmWithin(bool, bool, Index, Index, Index, float, const float*, Index, const float*, Index, bool, float*, Index);
template void gemmWithin(bool, bool, Index, Index, Index, double, const double*, Index, const double*, Index, bool, double*,
                         Index);
template void gemmWithinByThreads(bool, bool, Index, Index, Index, float, const float*, Index, const float*, Index, bool, float*,
                                  Index);
template void gemmWithinByThreads(bool, bool, Index, Index, Index, double, const double*, Index, const double*, Index, bool,
                                  double*, Index);
template void gemmBatch(bool, bool, Index, Index, Index, float, const float*, Index, const float*, Index, float, float*, Index,
                        Index);
template void gemmBatch(bool, bool, Index, Index, Index, double, const double*, Index, const double*, Index, double, double*,
                        Index, Index);
template float dot(Index, const float*, const float*);
template double dot(Index, const double*, const double*);

}  // namespace dl::cpu
