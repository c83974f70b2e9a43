// Matrix products; compiled once for every level of the processor. The scheme is Goto and van de Geijn's ("Anatomy of
// high-performance matrix multiplication", 2008): tiles of C in registers, a block of A packed for the second cache.
#include "cpu/simd/gemm.hpp"

#include "cpu/simd/gemv.hpp"
#include "cpu/simd/inner.hpp"
#include "cpu/simd/tile.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

constexpr Index rowsOfBlock = 18;       // of A, in registers
constexpr Index depth = 512;            // of a block, in elements of k
constexpr Index columnsOfPanel = 2048;  // of a packed panel of B
constexpr Index ahead = 8;              // steps of k that packing asks the memory for early: each lies on another page

// Rows i to i + rows of op(A), columns l to l + k, as k steps of `height` registers; rows that are not there become zero.
template <class T>
void packSliver(const Product<T>& p, Index i, Index rows, Index height, Index l, Index k, T* to) {
  using Types = Types<T>;
  using Vector = typename Types::Vector;
  const Index step = height * Types::width;
  if (p.transA) return packTurned(p.a + l + i * p.lda, p.lda, rows, k, height, to);
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

// Rows l to l + k of B, columns j to j + n, as slivers of `wide` columns.
template <class T>
void packTurnedPanel(const Product<T>& p, Index l, Index k, Index j, Index n, T* to) {
  for (Index c = 0; c < n; c += wide) {
    const Index columns = smaller(wide, n - c);
    transposeSquares<T, wide>(p.b + l + (j + c) * p.ldb, p.ldb, to + c * k, wide, columns, k);
  }
}

// The same of a transposed B. Eight slivers at a time: whole cache lines are read, and no more places written to than the nearest
// cache has ways.
template <class T>
void packPanel(const Product<T>& p, Index l, Index k, Index j, Index n, T* to) {
  if (!p.transB) return packTurnedPanel(p, l, k, j, n, to);
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
    // A transposed B is packed unless it is small. Columns lie well as they are, but for those so many pages apart that a panel
    // of them finds room in a few sets of the outer cache only.
    packB = p.transB ? p.m > tall * width && steps * p.ldb * static_cast<Index>(sizeof(T)) > 65536
                     : p.m > 2 * rowsOfBlock * width && p.ldb * static_cast<Index>(sizeof(T)) % 16384 == 0;
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
    const bool inPart = readsParts && !p.transA && height == 1;
    const bool pack = packAll || (here < height * width && !inPart);
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
      const Tile<T> tile{k, v.a, v.step, b, bStep, bColumn, p.alpha, add, to + v.row, p.ldc, v.rows};
      if constexpr (readsParts) {
        if (!v.packed && v.rows < Types<T>::width) {
          computeTile<Steps::part>(1, columns, tile);
          continue;
        }
      }
      computeTile<Steps::even>(v.height, columns, tile);
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

// Calls body(row, rows, height) for the slivers of a factor that is arranged once.
template <class T, class F>
void forSlivers(Index m, F&& body) {
  constexpr Index width = Types<T>::width;
  for (Index i = 0; i < m;) {
    const Index height = sliverHeight((m - i + width - 1) / width), rows = smaller(m - i, height * width);
    body(i, rows, height);
    i += rows;
  }
}

template <class T>
void arrange(const Product<T>& p, T* to) {
  forSlivers<T>(p.m, [&](Index i, Index rows, Index height) { packSliver(p, i, rows, height, 0, p.k, to + i * p.k); });
}

// Sliver by sliver, each of which stays in the nearest cache for all columns.
template <class T>
void arranged(const Product<T>& p, const T* a) {
  forSlivers<T>(p.m, [&](Index i, Index rows, Index height) {
    const Index across = height == 1 ? widest : wide;
    for (Index j = 0; j < p.n; j += across)
      computeTile<Steps::even>(height, smaller(across, p.n - j),
                               Tile<T>{p.k, a + i * p.k, height * Types<T>::width, p.b + j * p.ldb, 1, p.ldb, T(1), p.add,
                                       p.c + i + j * p.ldc, p.ldc, rows});
  });
}

}  // namespace

template <class T>
const GemmKernels<T>& gemmKernels() {
  static constexpr GemmKernels<T> kernels{scratch<T>, product<T>, inner<T>,        arrange<T>, arranged<T>,
                                          dot<T>,     combine<T>, Types<T>::width, wide};
  return kernels;
}

template const GemmKernels<float>& gemmKernels();
template const GemmKernels<double>& gemmKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
