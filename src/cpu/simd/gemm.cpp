// Matrix products; compiled once for every level of the processor. The scheme is Goto and van de Geijn's ("Anatomy of
// high-performance matrix multiplication", 2008): tiles of C in registers, a block of A packed for the second cache.
#include "cpu/simd/gemm.hpp"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "cpu/simd/gemv.hpp"
#include "cpu/simd/square.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <class T>
struct Types {
  typedef T Vector __attribute__((vector_size(registerBytes)));
  typedef T Anywhere __attribute__((vector_size(registerBytes), aligned(sizeof(T)), may_alias));
  static constexpr int width = registerBytes / sizeof(T);
};

// Functions of the standard library that stay calls would be shared with code for other levels.
inline Index smaller(Index a, Index b) { return a < b ? a : b; }

// A tile of C is up to `tall` registers high and `wide` columns wide: 24 of 32 registers, or 12 of 16.
constexpr int tall = 3;
constexpr int wide = registerBytes == 64 ? 8 : 4;
constexpr int widest = 2 * wide;        // where C has no more rows than one register: sums that need not wait for each other
constexpr Index rowsOfBlock = 18;       // of A, in registers
constexpr Index depth = 512;            // of a block, in elements of k
constexpr Index columnsOfPanel = 2048;  // of a packed panel of B
constexpr Index ahead = 8;              // steps of k that packing asks the memory for early: each lies on another page

template <class T>
constexpr Index cacheLine = 64 / static_cast<Index>(sizeof(T));

#if defined(__AVX512F__)
inline void loadPart(const float* x, Index n, __m512& v) { v = _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), x); }
inline void loadPart(const double* x, Index n, __m512d& v) { v = _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), x); }
inline void storePart(float* y, Index n, const __m512& v) { _mm512_mask_storeu_ps(y, static_cast<__mmask16>((1u << n) - 1), v); }
inline void storePart(double* y, Index n, const __m512d& v) { _mm512_mask_storeu_pd(y, static_cast<__mmask8>((1u << n) - 1), v); }
#else
template <class T>
void loadPart(const T* x, Index n, typename Types<T>::Vector& v) {
  T all[Types<T>::width] = {};
  for (Index i = 0; i < n; ++i) all[i] = x[i];
  std::memcpy(&v, all, sizeof(v));
}
template <class T>
void storePart(T* y, Index n, const typename Types<T>::Vector& v) {
  T all[Types<T>::width];
  std::memcpy(all, &v, sizeof(v));
  for (Index i = 0; i < n; ++i) y[i] = all[i];
}
#endif

// What one tile needs: A as k steps of whole registers, B as `columns` sequences of k numbers.
template <class T>
struct Tile {
  Index k;
  const T* a;
  Index aStep;
  const T* b;
  Index bStep, bColumn;
  T alpha;
  bool add;
  T* c;
  Index cColumn;
  Index rows;  // fewer than the registers hold, where C ends
};

template <int height, int columns, class T>
void computeTile(const Tile<T>& t) {
  using Vector = typename Types<T>::Vector;
  using Anywhere = typename Types<T>::Anywhere;
  constexpr int width = Types<T>::width;
  Vector sum[columns][height] = {};
  const T* column[columns];
  for (int j = 0; j < columns; ++j) column[j] = t.b + j * t.bColumn;
  const T* a = t.a;
  Index at = 0;
  for (Index l = 0; l < t.k; ++l) {
    Vector rows[height];
#pragma GCC unroll 4
    for (int i = 0; i < height; ++i) rows[i] = *reinterpret_cast<const Anywhere*>(a + i * width);
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) {
      const T factor = column[j][at];
#pragma GCC unroll 4
      for (int i = 0; i < height; ++i) sum[j][i] += rows[i] * factor;
    }
    a += t.aStep;
    at += t.bStep;
  }
  const Index lastRows = t.rows - (height - 1) * width;
#pragma GCC unroll 16
  for (int j = 0; j < columns; ++j) {
#pragma GCC unroll 4
    for (int i = 0; i < height; ++i) {
      T* to = t.c + j * t.cColumn + i * width;
      Vector result = sum[j][i] * t.alpha;
      if (i == height - 1 && lastRows < width) {
        Vector before;
        if (t.add) loadPart(to, lastRows, before), result += before;
        storePart(to, lastRows, result);
      } else {
        if (t.add) result += *reinterpret_cast<const Anywhere*>(to);
        *reinterpret_cast<Anywhere*>(to) = result;
      }
    }
  }
}

template <int height, int columns, class T>
void computeTileOf(Index wanted, const Tile<T>& t) {
  if (wanted == columns)
    computeTile<height, columns>(t);
  else if constexpr (columns > 1)
    computeTileOf<height, columns - 1>(wanted, t);
}

template <class T>
void computeTile(Index height, Index columns, const Tile<T>& t) {
  switch (height) {
    case 1:
      return computeTileOf<1, widest>(columns, t);
    case 2:
      return computeTileOf<2, wide>(columns, t);
    default:
      return computeTileOf<3, wide>(columns, t);
  }
}

// The height of the next sliver of A when so many registers of rows remain: two of two keep busier than three and one.
Index sliverHeight(Index registers) { return registers == 4 ? 2 : smaller(registers, tall); }

// Rows i to i + rows of op(A), columns l to l + k, as k steps of `height` registers; rows that are not there become zero.
template <class T>
void packSliver(const Product<T>& p, Index i, Index rows, Index height, Index l, Index k, T* to) {
  using Types = Types<T>;
  using Vector = typename Types::Vector;
  const Index step = height * Types::width;
  if (p.transA) {
    if (rows < step)
      for (Index e = 0; e < k * step; ++e) to[e] = T(0);
    transposeSquares<T, Types::width>(p.a + l + i * p.lda, p.lda, to, step, rows, k);
    return;
  }
  const T* from = p.a + i + l * p.lda;
  for (Index q = 0; q < k; ++q) {
    for (Index r = 0; r < height; ++r) {
      __builtin_prefetch(from + (q + ahead) * p.lda + r * Types::width);
      const Index here = rows - r * Types::width;
      Vector v;
      if (here >= Types::width)
        v = *reinterpret_cast<const typename Types::Anywhere*>(from + q * p.lda + r * Types::width);
      else
        loadPart(from + q * p.lda + r * Types::width, here, v);
      *reinterpret_cast<Vector*>(to + q * step + r * Types::width) = v;
    }
  }
}

// Rows l to l + k of a transposed B, columns j to j + n, as slivers of `wide` columns. Eight slivers at a time: whole
// cache lines are read, and no more places written to than the nearest cache has ways.
template <class T>
void packPanel(const Product<T>& p, Index l, Index k, Index j, Index n, T* to) {
  constexpr Index together = 8 * wide;
  for (Index first = 0; first < n; first += together) {
    const Index last = smaller(n, first + together), whole = first + (last - first) / wide * wide;
    for (Index q = 0; q < k; ++q) {
      const T* from = p.b + j + (l + q) * p.ldb;
      for (Index c = first; c < last; c += cacheLine<T>) __builtin_prefetch(from + ahead * p.ldb + c);
      for (Index c = first; c < whole; c += wide) std::memcpy(to + c * k + q * wide, from + c, wide * sizeof(T));
      for (Index c = whole; c < last; ++c) to[whole * k + q * wide + c - whole] = from[c];
    }
  }
}

// How a product is cut.
template <class T>
struct Cut {
  static constexpr Index width = Types<T>::width;
  Index steps;  // of k a block
  bool packA, packB;
  Index panel;  // columns a panel

  explicit Cut(const Product<T>& p) {
    const Index blocks = (p.k + depth - 1) / depth;
    steps = (p.k + blocks - 1) / blocks;
    packA = p.transA || (p.n > 48 && columnsFarApart(p));
    packB = p.transB && p.m > tall * width && steps * p.ldb * static_cast<Index>(sizeof(T)) > 65536;
    panel = packB ? smaller(p.n, columnsOfPanel) : p.n;
  }
  // Reading A where it lies saves a copy, as long as its columns lie close together or few columns of B come to use it;
  // columns a multiple of a kilobyte apart compete for the same places in the caches.
  static bool columnsFarApart(const Product<T>& p) {
    const Index bytes = p.lda * static_cast<Index>(sizeof(T));
    return bytes > 1024 && (p.n > 192 || bytes % 1024 == 0);
  }
  Index blockRows(const Product<T>& p) const { return smaller((p.m + width - 1) / width, rowsOfBlock) * width; }
  Index scratchA(const Product<T>& p) const { return blockRows(p) * steps; }
  Index scratchB() const { return packB ? (panel + wide - 1) / wide * wide * steps : 0; }
};

// Rows of A, as many as a few registers hold: where they are, or where they are packed.
template <class T>
struct Sliver {
  Index row, rows, height, step;
  const T* a;
  T* packed;  // null when read where it lies
};

// Cuts rows i to i + rows of op(A) into slivers and packs, for k steps from l on, those that need it.
template <class T>
Index makeSlivers(const Product<T>& p, bool packAll, Index i, Index rows, Index l, Index k, T* scratch, Sliver<T>* slivers) {
  constexpr Index width = Types<T>::width;
  Index count = 0;
  for (Index at = 0; at < rows;) {
    const Index height = sliverHeight((rows - at + width - 1) / width), here = smaller(rows - at, height * width);
    const bool pack = packAll || here < height * width;
    T* packed = pack ? scratch + at * k : nullptr;
    slivers[count++] = {i + at, here, height, pack ? height * width : p.lda, pack ? packed : p.a + i + at + l * p.lda, packed};
    at += here;
  }
  if (!packAll || count == 1) {
    const Sliver<T>& last = slivers[count - 1];
    if (last.packed) packSliver(p, last.row, last.rows, last.height, l, k, last.packed);
    return count;
  }
  const Index together = p.transA ? 64 : 4;  // steps, so that columns of A are read in turn and not once for every sliver
  for (Index q = 0; q < k; q += together)
    for (Index s = 0; s < count; ++s) {
      const Sliver<T>& v = slivers[s];
      packSliver(p, v.row, v.rows, v.height, l + q, smaller(together, k - q), v.packed + q * v.step);
    }
  return count;
}

// Asks for the tile of C that is to be added to next.
template <class T>
void expect(const T* c, Index ldc, Index rows, Index columns) {
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < rows; i += cacheLine<T>) __builtin_prefetch(c + j * ldc + i, 1);
}

// The tiles of one block of A with all columns of a panel of B.
template <class T>
void computeBlock(const Product<T>& p, const Cut<T>& cut, Index i, Index rows, Index l, Index k, Index j, Index n, T* scratchA,
                  const T* panel) {
  Sliver<T> slivers[rowsOfBlock];
  const Index count = makeSlivers(p, cut.packA, i, rows, l, k, scratchA, slivers);
  const bool add = p.add || l > 0;
  const Index bStep = cut.packB ? wide : p.transB ? p.ldb : 1, bColumn = cut.packB || p.transB ? 1 : p.ldb;
  const Index across = p.m <= Types<T>::width && !cut.packB ? widest : wide;
  for (Index c = 0; c < n; c += across) {
    const T* b = cut.packB ? panel + c * k : p.transB ? p.b + j + c + l * p.ldb : p.b + l + (j + c) * p.ldb;
    const Index columns = smaller(across, n - c);
    T* to = p.c + (j + c) * p.ldc;
    for (Index s = 0; s < count; ++s) {
      const Sliver<T>& v = slivers[s];
      if (add && s + 1 < count)
        expect(to + slivers[s + 1].row, p.ldc, slivers[s + 1].rows, columns);
      else if (add && c + across < n)
        expect(to + across * p.ldc + slivers[0].row, p.ldc, slivers[0].rows, smaller(across, n - c - across));
      computeTile<T>(v.height, columns, {k, v.a, v.step, b, bStep, bColumn, p.alpha, add, to + v.row, p.ldc, v.rows});
    }
  }
}

template <class T>
Index scratch(const Product<T>& p) {
  const Cut<T> cut(p);
  return cut.scratchA(p) + cut.scratchB();
}

template <class T>
void product(const Product<T>& p, T* scratchA) {
  const Cut<T> cut(p);
  T* scratchB = scratchA + cut.scratchA(p);
  const Index blockRows = cut.blockRows(p);
  for (Index j = 0; j < p.n; j += cut.panel) {
    const Index n = smaller(cut.panel, p.n - j);
    for (Index l = 0; l < p.k; l += cut.steps) {
      const Index k = smaller(cut.steps, p.k - l);
      if (cut.packB) packPanel(p, l, k, j, n, scratchB);
      for (Index i = 0; i < p.m; i += blockRows)
        computeBlock(p, cut, i, smaller(blockRows, p.m - i), l, k, j, n, scratchA, scratchB);
    }
  }
}

}  // namespace

template <class T>
const GemmKernels<T>& gemmKernels() {
  static constexpr GemmKernels<T> kernels{scratch<T>, product<T>, dots<T>, combine<T>, Types<T>::width, wide};
  return kernels;
}

template const GemmKernels<float>& gemmKernels();
template const GemmKernels<double>& gemmKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
