#include "cpu/blas.hpp"

#include <algorithm>
#include <vector>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"
#include "cpu/simd/gemm.hpp"

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

// A small C from a long k: pieces of k in parallel.
template <class T>
void runLongProduct(const Product<T>& p) {
  const Index pieces = ceilDiv(p.k, pieceOfProduct), size = p.m * p.n;
  std::vector<T> partial(static_cast<std::size_t>(size * pieces));
  parallelFor(pieces, std::max<Index>(1, parallelProducts / (size * pieceOfProduct)), [&](Index begin, Index end) {
    for (Index piece = begin; piece < end; ++piece) {
      Product<T> part = p;
      const Index l = piece * pieceOfProduct;
      part.k = std::min(pieceOfProduct, p.k - l);
      part.a += p.transA ? l : l * p.lda;
      part.b += p.transB ? l * p.ldb : l;
      part.add = false;
      part.c = partial.data() + piece * size;
      part.ldc = p.m;
      runProduct(part);
    }
  });
  addUp(partial.data(), size, pieces);
  for (Index j = 0; j < p.n; ++j)
    for (Index i = 0; i < p.m; ++i) {
      T& c = p.c[i + j * p.ldc];
      c = p.add ? c + partial[static_cast<std::size_t>(i + j * p.m)] : partial[static_cast<std::size_t>(i + j * p.m)];
    }
}

// y[c] = inner product of x and column c of a (n x columns).
template <class T>
void columnDots(Index n, const T* x, const T* a, Index columns, T* y) {
  const auto dots = kernels<T>().dots;
  const Index pieces = ceilDiv(n, pieceOfDot);
  if (pieces <= 1) {
    parallelFor(columns, grainFor(n), [&](Index begin, Index end) { dots(n, x, a + begin * n, n, end - begin, y + begin); });
    return;
  }
  std::vector<T> partial(static_cast<std::size_t>(columns * pieces));
  parallelFor(columns * pieces, grainFor(pieceOfDot), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index c = unit / pieces, piece = unit % pieces, i = piece * pieceOfDot;
      dots(std::min(pieceOfDot, n - i), x + i, a + c * n + i, n, 1, partial.data() + piece * columns + c);
    }
  });
  addUp(partial.data(), columns, pieces);
  std::copy(partial.begin(), partial.begin() + columns, y);
}

// y = a (m x k) times x.
template <class T>
void combineColumns(Index m, Index k, const T* a, const T* x, T* y) {
  constexpr Index tile = 2048;
  const auto combine = kernels<T>().combine;
  const Index tiles = ceilDiv(m, tile), pieces = m <= tile ? std::max<Index>(1, ceilDiv(k, pieceOfCombination)) : 1;
  std::vector<T> partial(static_cast<std::size_t>(pieces > 1 ? m * pieces : 0));
  T* results = pieces > 1 ? partial.data() : y;
  const Index columns = pieces > 1 ? pieceOfCombination : k;
  parallelFor(tiles * pieces, grainFor(std::min(m, tile) * columns), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index i = unit % tiles * tile, piece = unit / tiles, l = piece * columns;
      combine(std::min(tile, m - i), std::min(columns, k - l), a + i + l * m, m, x + l, results + piece * m + i);
    }
  });
  if (pieces == 1) return;
  addUp(partial.data(), m, pieces);
  std::copy(partial.begin(), partial.begin() + m, y);
}

// y (n) = alpha * result + beta * y.
template <class T>
void finish(Index n, T alpha, const T* result, T beta, T* y) {
  if (beta == T(0))
    for (Index i = 0; i < n; ++i) y[i] = alpha * result[i];
  else
    for (Index i = 0; i < n; ++i) y[i] = alpha * result[i] + beta * y[i];
}

// y = alpha * op(a) * x + beta * y, where op(a) has m rows and k columns.
template <class T>
void gemv(bool trans, Index m, Index k, T alpha, const T* a, const T* x, T beta, T* y) {
  const bool direct = alpha == T(1) && beta == T(0);
  std::vector<T> result(static_cast<std::size_t>(direct ? 0 : m));
  T* to = direct ? y : result.data();
  if (trans)
    columnDots(k, x, a, m, to);
  else
    combineColumns(m, k, a, x, to);
  if (!direct) finish(m, alpha, to, beta, y);
}

// The same with a few vectors, row r of C being op(a) times row r of X (rows x k, element l of row r at x[r * xRow + l *
// xStep]), for a whose columns are to be multiplied by rows of X: reading a once a row beats arranging it anew.
template <class T>
void thinProduct(Index rows, Index columns, Index k, T alpha, const T* a, const T* x, Index xRow, Index xStep, T beta, T* c,
                 Index cRow, Index cStep) {
  std::vector<T> buffer(static_cast<std::size_t>(k + 2 * columns));
  T *row = buffer.data(), *result = row + k, *old = result + columns;
  for (Index r = 0; r < rows; ++r) {
    for (Index l = 0; l < k; ++l) row[l] = x[r * xRow + l * xStep];
    columnDots(k, row, a, columns, result);
    if (beta != T(0))
      for (Index j = 0; j < columns; ++j) old[j] = c[r * cRow + j * cStep];
    finish(columns, alpha, result, beta, old);
    for (Index j = 0; j < columns; ++j) c[r * cRow + j * cStep] = old[j];
  }
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
  if (k == 0 || alpha == T(0)) return scale(c, m * n, beta);
  if (n == 1) return gemv(transA, m, k, alpha, a, b, beta, c);
  if (m == 1) return gemv(!transB, n, k, alpha, b, a, beta, c);
  constexpr Index thin = 3;
  if (transA && n <= thin && k > 64)
    return thinProduct(n, m, k, alpha, a, b, transB ? Index{1} : k, transB ? n : Index{1}, beta, c, m, Index{1});
  if (!transB && m <= thin && k > 64)
    return thinProduct(m, n, k, alpha, b, a, transA ? k : Index{1}, transA ? Index{1} : m, beta, c, Index{1}, m);
  if (beta != T(0)) scale(c, m * n, beta);
  const Product<T> p{transA, transB, m, n, k, alpha, a, transA ? k : m, b, transB ? n : k, beta != T(0), c, m};
  if (k > 2 * pieceOfProduct && m * n <= 4096)
    runLongProduct(p);
  else
    runInParallel(p);
}

template <class T>
void gemmWithin(bool transA, bool transB, Index m, Index n, Index k, T alpha, const T* a, Index lda, const T* b, Index ldb, bool add,
                T* c, Index ldc) {
  if (m == 0 || n == 0) return;
  if (k > 0) return runProduct(Product<T>{transA, transB, m, n, k, alpha, a, lda, b, ldb, add, c, ldc});
  for (Index j = 0; j < (add ? 0 : n); ++j) std::fill(c + j * ldc, c + j * ldc + m, T(0));
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
  T result = 0;
  if (n > 0) columnDots(n, x, y, 1, &result);
  return result;
}

template void gemm(bool, bool, Index, Index, Index, float, const float*, const float*, float, float*);
template void gemm(bool, bool, Index, Index, Index, double, const double*, const double*, double, double*);
template void gemmWithin(bool, bool, Index, Index, Index, float, const float*, Index, const float*, Index, bool, float*, Index);
template void gemmWithin(bool, bool, Index, Index, Index, double, const double*, Index, const double*, Index, bool, double*, Index);
template void gemmBatch(bool, bool, Index, Index, Index, float, const float*, Index, const float*, Index, float, float*, Index,
                        Index);
template void gemmBatch(bool, bool, Index, Index, Index, double, const double*, Index, const double*, Index, double, double*,
                        Index, Index);
template float dot(Index, const float*, const float*);
template double dot(Index, const double*, const double*);

}  // namespace dl::cpu
