#include "cpu/reduce.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/reduce.hpp"

namespace dl::cpu {
namespace {

// Blocks make partial results whose number and borders follow from the sizes alone: that keeps results independent of the
// threads, and sums as accurate as a tree of them.
constexpr Index columnBlock = 4096;  // elements
constexpr Index rowTile = 4096;      // elements side by side, so that the results stay in the nearest cache
Index rowBlock(Index inner) { return inner >= 64 ? 256 : 16384 / inner; }

// What partial results are combined with.
Reduction combining(Reduction kind) { return kind == Reduction::sumSquares || kind == Reduction::sumAbs ? Reduction::sum : kind; }

template <class In, class Out>
ReduceKernels<In, Out> kernelsFor(Reduction kind) {
  return DLARRAY_FOR_ARCH(reduceKernels<In, Out>)(kind);
}

template <class In, class Out>
void reduceMiddle(Reduction kind, const In* x, Index inner, Index n, Index outer, Out* y);

// Reduces each of the `outer` columns of n elements.
template <class In, class Out>
void reduceColumns(Reduction kind, const In* x, Index n, Index outer, Out* y) {
  const ReduceKernels<In, Out> kernels = kernelsFor<In, Out>(kind);
  const Index blocks = (n + columnBlock - 1) / columnBlock;
  if (blocks == 1) {
    parallelFor(outer, grainFor(n),
                [&](Index begin, Index end) { kernels.columns(x + begin * n, n, n, end - begin, y + begin); });
    return;
  }
  const std::unique_ptr<Out[]> partial(new Out[static_cast<std::size_t>(blocks * outer)]);
  parallelFor(blocks * outer, grainFor(columnBlock), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index column = unit / blocks, first = unit % blocks * columnBlock;
      kernels.columns(x + column * n + first, std::min(columnBlock, n - first), 0, 1, partial.get() + unit);
    }
  });
  reduceMiddle<Out, Out>(combining(kind), partial.get(), 1, blocks, outer, y);
}

// Reduces each of the `outer` pages of n rows of `inner` elements to one row.
template <class In, class Out>
void reduceRows(Reduction kind, const In* x, Index inner, Index n, Index outer, Out* y) {
  const ReduceKernels<In, Out> kernels = kernelsFor<In, Out>(kind);
  const Index block = rowBlock(inner), blocks = (n + block - 1) / block, tiles = (inner + rowTile - 1) / rowTile;
  std::unique_ptr<Out[]> partial;
  if (blocks > 1) partial.reset(new Out[static_cast<std::size_t>(inner * blocks * outer)]);
  Out* results = blocks > 1 ? partial.get() : y;
  const Index elements = std::min(inner, rowTile) * std::min(n, block);
  parallelFor(outer * blocks * tiles, grainFor(elements), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index column = unit % tiles * rowTile, row = unit / tiles % blocks * block, page = unit / tiles / blocks;
      kernels.rows(x + (page * n + row) * inner + column, std::min(rowTile, inner - column), inner, std::min(block, n - row),
                   results + unit / tiles * inner + column);
    }
  });
  if (blocks > 1) reduceMiddle<Out, Out>(combining(kind), partial.get(), inner, blocks, outer, y);
}

template <class In, class Out>
void reduceMiddle(Reduction kind, const In* x, Index inner, Index n, Index outer, Out* y) {
  if (inner == 1)
    reduceColumns(kind, x, n, outer, y);
  else
    reduceRows(kind, x, inner, n, outer, y);
}

template <class Out>
Out resultOfNothing(Reduction kind) {
  if constexpr (std::is_same_v<Out, bool>)
    return kind == Reduction::all;
  else if (kind == Reduction::max || kind == Reduction::min)
    return std::numeric_limits<Out>::quiet_NaN();
  else
    return kind == Reduction::prod ? Out(1) : Out(0);
}

// Without dimensions of size 1, neighbours of one kind joined: reduced and kept dimensions alternate.
std::vector<ReducedExtent> joined(std::span<const ReducedExtent> dims) {
  std::vector<ReducedExtent> result;
  for (const ReducedExtent& dim : dims) {
    if (dim.size == 1) continue;
    if (!result.empty() && result.back().reduced == dim.reduced)
      result.back().size *= dim.size;
    else
      result.push_back(dim);
  }
  return result;
}

Index product(std::span<const ReducedExtent> dims) {
  Index n = 1;
  for (const ReducedExtent& dim : dims) n *= dim.size;
  return n;
}

// Reduces one group of dimensions after the other, the largest first: what remains to be read then is small.
template <class In, class Out>
void reduceGroups(Reduction kind, const In* x, std::vector<ReducedExtent> groups, Out* y) {
  std::size_t largest = groups.size();
  Index reducedGroups = 0;
  for (std::size_t d = 0; d < groups.size(); ++d) {
    if (!groups[d].reduced) continue;
    ++reducedGroups;
    if (largest == groups.size() || groups[d].size > groups[largest].size) largest = d;
  }
  if (reducedGroups == 0) {
    const Index n = product(groups);
    reduceMiddle(kind, x, n, 1, 1, y);
    return;
  }
  const Index inner = product(std::span(groups).first(largest)), n = groups[largest].size;
  const Index outer = product(std::span(groups).subspan(largest + 1));
  if (reducedGroups == 1) {
    reduceMiddle(kind, x, inner, n, outer, y);
    return;
  }
  const std::unique_ptr<Out[]> partial(new Out[static_cast<std::size_t>(inner * outer)]);
  reduceMiddle(kind, x, inner, n, outer, partial.get());
  groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(largest));
  reduceGroups<Out, Out>(combining(kind), partial.get(), joined(groups), y);
}

// The common case, in which the dimensions that disappear are neighbours, without lists on the heap.
template <class In, class Out>
bool reduceOneGroup(Reduction kind, const In* x, std::span<const ReducedExtent> dims, Out* y) {
  Index inner = 1, n = 1, outer = 1;
  bool inside = false, behind = false;
  for (const ReducedExtent& dim : dims) {
    if (dim.size == 1) continue;
    if (dim.reduced && behind) return false;
    inside = inside || dim.reduced;
    behind = inside && !dim.reduced;
    (dim.reduced ? n : behind ? outer : inner) *= dim.size;
  }
  reduceMiddle(kind, x, inner, n, outer, y);
  return true;
}

template <class In, class Out>
void reduceAny(Reduction kind, const In* x, std::span<const ReducedExtent> dims, Out* y) {
  Index kept = 1, reduced = 1;
  for (const ReducedExtent& dim : dims) (dim.reduced ? reduced : kept) *= dim.size;
  if (kept == 0) return;
  if (reduced == 0)
    std::fill(y, y + kept, resultOfNothing<Out>(kind));
  else if (!reduceOneGroup(kind, x, dims, y))
    reduceGroups(kind, x, joined(dims), y);
}

// One page of narrow rows: pieces of it in parallel, then the best of the pieces, the first of equals.
template <class T>
void reduceIndexInPieces(const ReduceIndexKernels<T>& kernels, const T* x, Index inner, Index n, T* values, T* positions) {
  const Index piece = (parallelElements + inner - 1) / inner, pieces = (n + piece - 1) / piece, results = inner * pieces;
  const std::unique_ptr<T[]> memory(new T[static_cast<std::size_t>(2 * results)]);
  T *best = memory.get(), *at = best + results;
  parallelFor(pieces, 1, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p)
      kernels.rows(x + p * piece * inner, inner, inner, std::min(piece, n - p * piece), best + p * inner, at + p * inner);
  });
  kernels.rows(best, inner, inner, pieces, values, positions);
  for (Index i = 0; i < inner; ++i) {
    const auto p = static_cast<Index>(positions[i]);
    positions[i] = static_cast<T>(p * piece) + at[p * inner + i];
  }
}

}  // namespace

template <class T>
void reduce(Reduction kind, const T* x, std::span<const ReducedExtent> dims, T* y) {
  if constexpr (std::is_same_v<T, bool>) {
    const bool any = kind == Reduction::any || kind == Reduction::max;
    assert(any || kind == Reduction::all || kind == Reduction::min);
    reduceAny(any ? Reduction::any : Reduction::all, x, dims, y);
  } else {
    assert(kind != Reduction::any && kind != Reduction::all);
    reduceAny(kind, x, dims, y);
  }
}

template <class T>
void reduceLogical(Reduction kind, const T* x, std::span<const ReducedExtent> dims, bool* y) {
  assert(kind == Reduction::any || kind == Reduction::all);
  reduceAny(kind, x, dims, y);
}

template <class T>
void reduceIndex(Reduction kind, const T* x, Index inner, Index n, Index outer, T* values, T* positions) {
  assert(n > 0);
  const ReduceIndexKernels<T> kernels = DLARRAY_FOR_ARCH(reduceIndexKernels<T>)(kind);
  std::unique_ptr<T[]> unwanted;
  if (!positions) {
    unwanted.reset(new T[static_cast<std::size_t>(inner * outer)]);
    positions = unwanted.get();
  }
  if (inner == 1) {
    parallelFor(outer, grainFor(n), [&](Index begin, Index end) {
      kernels.columns(x + begin * n, n, end - begin, values + begin, positions + begin);
    });
    return;
  }
  const Index tile = std::min<Index>(inner, rowTile / 2), tiles = (inner + tile - 1) / tile;
  if (tiles * outer == 1 && inner * n > 2 * parallelElements) {
    reduceIndexInPieces(kernels, x, inner, n, values, positions);
    return;
  }
  parallelFor(outer * tiles, grainFor(tile * n), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index column = unit % tiles * tile, page = unit / tiles;
      kernels.rows(x + page * n * inner + column, std::min(tile, inner - column), inner, n, values + page * inner + column,
                   positions + page * inner + column);
    }
  });
}

template void reduce(Reduction, const float*, std::span<const ReducedExtent>, float*);
template void reduce(Reduction, const double*, std::span<const ReducedExtent>, double*);
template void reduce(Reduction, const bool*, std::span<const ReducedExtent>, bool*);
template void reduceLogical(Reduction, const float*, std::span<const ReducedExtent>, bool*);
template void reduceLogical(Reduction, const double*, std::span<const ReducedExtent>, bool*);
template void reduceLogical(Reduction, const bool*, std::span<const ReducedExtent>, bool*);
template void reduceIndex(Reduction, const float*, Index, Index, Index, float*, float*);
template void reduceIndex(Reduction, const double*, Index, Index, Index, double*, double*);

}  // namespace dl::cpu
