#include "cpu/pooling.hpp"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "cpu/arch.hpp"
#include "cpu/lines.hpp"
#include "cpu/parallel.hpp"
#include "cpu/pooling_images.hpp"
#include "cpu/pooling_ways.hpp"
#include "cpu/reduce.hpp"
#include "cpu/simd/pooling.hpp"

namespace dl::cpu {
namespace {

// Rows of results of a page, and what belongs to them beside the kernels' part.
struct Rows : PoolRows {
  Index y;         // the first result
  double divisor;  // of means, without the first axis
  std::size_t firstColumn;
};

// The array cut into pages, and pages with a first dimension that no window moves along into tiles of it: units that are
// independent of each other and look the same.
class Pages {
 public:
  explicit Pages(const Pooling& how) : how_(how), first_(how.axes[0]) {
    Index rows = 1;
    for (int d = 0; d < how.count; ++d) {
      in_ *= how.axes[d].in;
      out_ *= how.axes[d].out;
      if (d > 0) rows *= how.axes[d].out;
    }
    const bool still = first_.window == 1 && first_.stride == 1 && first_.before == 0 && first_.in == first_.out;
    tile_ = still ? std::min<Index>(first_.in, 1024) : first_.in;
    tiles_ = (first_.in + tile_ - 1) / tile_;
    std::tie(begin_, end_) = whole(first_);
    layOut(rows);
  }
  Index units() const { return how_.outer * tiles_; }
  Index grain() const { return grainFor((in_ + out_) / std::max<Index>(tiles_, 1)); }
  /// The first element and the first result of a unit, and where along the first axis it begins.
  Index x(Index unit) const { return unit / tiles_ * in_ + tile(unit); }
  Index y(Index unit) const { return unit / tiles_ * out_ + tile(unit); }
  Index tile(Index unit) const { return unit % tiles_ * tile_; }
  /// How many columns a page has, and how many a window at most.
  Index columns() const { return in_ / first_.in; }
  Index window() const { return window_; }
  /// Where the elements of the windows' columns lie, from that of the first window's first one on; as many for each as a window
  /// is long.
  std::vector<Index> places(Index window) const {
    std::vector<Index> all;
    for (const Index column : columns_)
      for (Index i = 0; i < window; ++i) all.push_back(column + i - first_.before);
    return all;
  }
  /// The most rows that come together.
  Index together() const { return together_; }

  /// The first axis as seen by one unit.
  PoolAxis axis(Index unit) const {
    if (tiles_ == 1) return first_;
    const Index n = std::min(tile_, first_.in - tile(unit));
    return {n, n, 1, 1, 0};
  }
  /// Calls body(rows) for all rows of a unit.
  template <class F>
  void rows(Index unit, F&& body) const {
    const PoolAxis axis = this->axis(unit);
    for (Rows rows : rows_) {
      rows.axis = axis;
      if (tiles_ > 1) rows.end = axis.out;
      body(static_cast<const Rows&>(rows));
    }
  }
  /// True when there is a NaN in a unit.
  template <class T>
  bool holdNaN(const PoolKernels<T>& kernels, Index unit, const T* x) const {
    if (tiles_ == 1) return kernels.holdsNaN(x, in_);
    const Index n = axis(unit).in;
    for (Index at = 0; at < in_; at += first_.in)
      if (kernels.holdsNaN(x + at, n)) return true;
    return false;
  }

 private:
  // The windows along an axis that lie inside the array, from the first to behind the last.
  static std::pair<Index, Index> whole(const PoolAxis& axis) {
    const Index first = (axis.before + axis.stride - 1) / axis.stride, last = axis.in + axis.before - axis.window;
    const Index end = last < 0 ? 0 : std::min(last / axis.stride + 1, axis.out);
    return {std::min(first, end), end};
  }

  void layOut(Index count) {
    Index at[Pooling::most] = {};
    const auto [begin, end] = how_.count > 1 ? whole(how_.axes[1]) : std::pair<Index, Index>(0, 0);
    for (Index r = 0; r < count;) {
      Rows rows;
      rows.begin = begin_;
      rows.end = end_;
      rows.firstColumn = columns_.size();
      rows.divisor = 1;
      columns_.push_back(0);
      Index stride = first_.in;
      rows.count = 1;
      for (int d = 1; d < how_.count; ++d) {
        const PoolAxis& axis = how_.axes[d];
        const PoolAxis::Extent here = axis.inside(at[d]);
        rows.divisor *= static_cast<double>(how_.countsPadding ? axis.window : here.count);
        columns_.resize(rows.firstColumn + static_cast<std::size_t>(rows.count * here.count));
        Index* columns = columns_.data() + rows.firstColumn;
        // The first columns are the base of the others, so they come last.
        for (Index w = here.count - 1; w >= 0; --w)
          for (Index c = rows.count - 1; c >= 0; --c) columns[w * rows.count + c] = columns[c] + (here.first + w) * stride;
        rows.count *= here.count;
        stride *= axis.in;
      }
      // Windows that lie inside along the second axis look the same, one after the other.
      rows.rows = at[1] == begin && end > begin ? end - begin : 1;
      rows.xStep = how_.count > 1 ? how_.axes[1].stride * first_.in : 0;
      rows.yStep = first_.out;
      rows.y = r * first_.out;
      rows_.push_back(rows);
      window_ = std::max(window_, rows.count);
      together_ = std::max(together_, rows.rows);
      r += rows.rows;
      at[1] += rows.rows;
      for (int d = 1; d + 1 < how_.count && at[d] == how_.axes[d].out; ++d) {
        at[d] = 0;
        ++at[d + 1];
      }
    }
    for (Rows& rows : rows_) rows.columns = columns_.data() + rows.firstColumn;
  }

  const Pooling& how_;
  const PoolAxis& first_;
  Index in_ = 1, out_ = 1, tile_ = 1, tiles_ = 1, begin_ = 0, end_ = 0, window_ = 1, together_ = 1;
  std::vector<Rows> rows_;
  std::vector<Index> columns_;
};

template <class T>
PoolKernels<T> kernelsFor() {
  return DLARRAY_FOR_ARCH(poolKernels<T>)();
}

// Calls body(rows, codes) for all rows of a unit that begins at x, with the places of the largest elements in their windows.
template <class T, class F>
void largestOfUnit(const PoolKernels<T>& kernels, const Pages& pages, Index unit, bool look, const T* x,
                   Lines<PoolCode<T>>& codes, F&& body) {
  // A NaN costs less than a look for one where each element is in one window.
  const bool withNaN = !look || pages.holdNaN(kernels, unit, x);
  const Index step = codesStep(pages.axis(unit));
  if (codes.size() != step * pages.together()) {
    codes = Lines<PoolCode<T>>(step * pages.together());
    codes.fill(-1);  // what lies between rows stays so
  }
  pages.rows(unit, [&](const Rows& rows) {
    PoolRows apart = rows;
    apart.yStep = step;
    kernels.maxCodes(x, apart, withNaN, codes.data());
    body(rows, codes.data());
  });
}

constexpr Index longestBlock = 4096;  // sums of longer ones are taken in parts, elsewhere

// Calls body(block, its elements, position of the largest) for every block of n elements; the first NaN counts as the largest.
template <class T, class F>
void largestOfBlocks(const PoolKernels<T>& kernels, const T* x, Index n, Index blocks, F&& body) {
  parallelFor(blocks, grainFor(n), [&](Index begin, Index end) {
    constexpr Index together = 256;  // so many results stay in the cache
    T values[together], positions[together];
    for (Index first = begin; first < end; first += together) {
      const Index count = std::min(together, end - first);
      const T* from = x + first * n;
      reduceIndex(Reduction::max, from, 1, n, count, values, positions);
      const bool withNaN = kernels.holdsNaN(from, n * count);
      for (Index b = 0; b < count; ++b) {
        const T* block = from + b * n;
        auto at = static_cast<Index>(positions[b]);
        if (withNaN)
          if (const T* found = std::find_if(block, block + n, [](T v) { return v != v; }); found != block + n) at = found - block;
        body(first + b, block, at);
      }
    }
  });
}

template <class T>
void anyMaxPool(const Pooling& how, const T* x, T* y) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  if (const Index n = wholeBlock(how))
    return largestOfBlocks(kernels, x, n, how.outer, [&](Index b, const T* block, Index at) { y[b] = block[at]; });
  const Pages pages(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    std::vector<T> scratch(static_cast<std::size_t>(joinedLength(how.axes[0])));
    for (Index unit = begin; unit < end; ++unit) {
      const T* from = x + pages.x(unit);
      T* to = y + pages.y(unit);
      pages.rows(unit, [&](const Rows& rows) { kernels.max(from, rows, scratch.data(), to + rows.y); });
    }
  });
}

template <class T>
void anyMaxPoolGradient(const Pooling& how, const T* x, const T* g, T* dx) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  if (const Index n = wholeBlock(how))
    return largestOfBlocks(kernels, x, n, how.outer, [&](Index b, const T*, Index at) {
      std::fill_n(dx + b * n, n, T(0));
      dx[b * n + at] = g[b];
    });
  const Pages pages(how);
  const bool look = how.overlaps();
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    // The gradient of a page grows in the cache, with room ahead of its first column and behind its last.
    const PoolAxis largest = pages.axis(0);
    Lines<T> page(largest.before + largest.in * pages.columns() + codesStep(largest) * largest.stride),
        scratch(codesStep(largest));
    std::vector<Index> columns(static_cast<std::size_t>(pages.window()));
    Lines<PoolCode<T>> codes;
    for (Index unit = begin; unit < end; ++unit) {
      const Index length = pages.axis(unit).in, whole = how.axes[0].in;
      page.fill(0);
      largestOfUnit(kernels, pages, unit, look, x + pages.x(unit), codes, [&](const Rows& rows, const PoolCode<T>* code) {
        PoolRows close = rows;
        const T* from = g + pages.y(unit) + rows.y;
        if (length == whole) return kernels.spreadByCodes(code, from, rows, scratch.data(), page.data());
        for (Index c = 0; c < rows.count; ++c) columns[static_cast<std::size_t>(c)] = rows.columns[c] / whole * length;
        close.columns = columns.data();
        close.xStep = rows.xStep / whole * length;
        kernels.spreadByCodes(code, from, close, scratch.data(), page.data());
      });
      const T* grown = page.data() + largest.before;
      T* to = dx + pages.x(unit);
      if (length == whole)
        std::copy_n(grown, length * pages.columns(), to);
      else
        for (Index c = 0; c < pages.columns(); ++c) std::copy_n(grown + c * length, length, to + c * whole);
    }
  });
}

template <class T>
void anyMaxPoolPositions(const Pooling& how, const T* x, Index begin, double* positions) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  if (const Index n = wholeBlock(how))
    return largestOfBlocks(kernels, x, n, how.outer,
                           [&](Index b, const T*, Index at) { positions[b] = static_cast<double>(begin + b * n + at); });
  const Pages pages(how);
  const bool look = how.overlaps();
  const std::vector<Index> places = pages.places(how.axes[0].window);
  parallelFor(pages.units(), pages.grain(), [&](Index first, Index end) {
    Lines<PoolCode<T>> codes;
    for (Index unit = first; unit < end; ++unit) {
      const Index start = pages.x(unit);
      largestOfUnit(kernels, pages, unit, look, x + start, codes, [&](const Rows& rows, const PoolCode<T>* code) {
        double* to = positions + pages.y(unit) + rows.y;
        const PoolAxis& axis = rows.axis;
        const Index* place = places.data() + static_cast<Index>(rows.firstColumn) * axis.window;
        for (Index r = 0; r < rows.rows; ++r, code += codesStep(axis), to += rows.yStep)
          for (Index i = 0; i < axis.out; ++i)
            to[i] = static_cast<double>(begin + start + r * rows.xStep + i * axis.stride + place[code[i]]);
      });
    }
  });
}

template <class T>
void anyMeanPool(const Pooling& how, const std::vector<T>& along, const T* x, T* y) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    std::vector<T> scratch(static_cast<std::size_t>(joinedLength(how.axes[0])));
    for (Index unit = begin; unit < end; ++unit)
      pages.rows(unit, [&](const Rows& rows) {
        kernels.mean(x + pages.x(unit), rows, along.data() + pages.tile(unit), static_cast<T>(1 / rows.divisor), scratch.data(),
                     y + pages.y(unit) + rows.y);
      });
  });
}

template <class T>
void anyMeanPoolAdjoint(const Pooling& how, const std::vector<T>& along, const T* g, T* dx) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    const PoolAxis largest = pages.axis(0);
    const Index length = spreadLength(largest), whole = how.axes[0].in;
    Lines<T> page(length * pages.columns()), scratch(codesStep(largest));
    std::vector<Index> columns(static_cast<std::size_t>(pages.window()));
    std::vector<T> parts(static_cast<std::size_t>(largest.out * pages.together()));
    for (Index unit = begin; unit < end; ++unit) {
      const PoolAxis axis = pages.axis(unit);
      page.fill(0);
      pages.rows(unit, [&](const Rows& rows) {
        const T* from = g + pages.y(unit) + rows.y;
        const T share = static_cast<T>(1 / rows.divisor), *shareAlong = along.data() + pages.tile(unit);
        for (Index r = 0; r < rows.rows; ++r)
          for (Index i = 0; i < axis.out; ++i)
            parts[static_cast<std::size_t>(r * axis.out + i)] = from[r * rows.yStep + i] * (share * shareAlong[i]);
        PoolRows padded = rows;
        for (Index c = 0; c < rows.count; ++c) columns[static_cast<std::size_t>(c)] = rows.columns[c] / whole * length;
        padded.columns = columns.data();
        padded.xStep = rows.xStep / whole * length;
        padded.yStep = axis.out;
        kernels.spread(parts.data(), padded, scratch.data(), page.data());
      });
      T* to = dx + pages.x(unit);
      for (Index c = 0; c < pages.columns(); ++c) std::copy_n(page.data() + c * length + axis.before, axis.in, to + c * whole);
    }
  });
}

}  // namespace

template <class T>
void maxPool(const Pooling& how, const T* x, T* y) {
  using Units = PoolUnits;
  fastestPool<T>(
      how, wholeBlock(how),
      PoolWays{
          [=](const PoolPairKernels<T>& kernels, const PoolPairs& p, Units u) {
            return kernels.max(x + u.x, p, u.count, y + u.y);
          },
          [=](const PoolBlockKernels<T>& kernels, Index n, Units u) { return kernels.max(x + u.x, n, u.count, y + u.y); },
          [=](const PoolDenseKernels<T>& kernels, const PoolImage& p, Units u) { return kernels.max(x + u.x, p, y + u.y); },
          [=](const Pooling& some, Index at, Index result) { anyMaxPool(some, x + at, y + result); },
      });
}

template <class T>
void maxPoolGradient(const Pooling& how, const T* x, const T* g, T* dx) {
  using Units = PoolUnits;
  const Index block = wholeBlock(how);
  fastestPool<T>(how, block,
                 PoolWays{
                     [=](const PoolPairKernels<T>& kernels, const PoolPairs& p, Units u) {
                       return kernels.maxGradient(x + u.x, g + u.y, p, u.count, dx + u.x);
                     },
                     [=](const PoolBlockKernels<T>& kernels, Index n, Units u) {
                       return kernels.maxGradient(x + u.x, g + u.y, n, u.count, dx + u.x);
                     },
                     [=](const PoolDenseKernels<T>& kernels, const PoolImage& p, Units u) {
                       return kernels.maxGradient(x + u.x, g + u.y, p, dx + u.x);
                     },
                     [=](const PoolHalvedKernels<T>& kernels, const PoolImage& p, Units u) {
                       return kernels.maxGradient(x + u.x, g + u.y, p, dx + u.x);
                     },
                     [=](const Pooling& some, Index at, Index result) {
                       if (block > 0 || !maxPoolGradientOfImages(some, x + at, g + result, dx + at))
                         anyMaxPoolGradient(some, x + at, g + result, dx + at);
                     },
                 });
}

template <class T>
void maxPoolPositions(const Pooling& how, const T* x, double* positions, T* y) {
  const auto from = [=](Index result) { return y ? y + result : nullptr; };
  fastestPool<T>(how, 0,
                 PoolWays{
                     [=](const PoolPairKernels<T>& kernels, const PoolPairs& p, PoolUnits u) {
                       return kernels.maxPositions(x + u.x, p, u.x, u.count, positions + u.y, from(u.y));
                     },
                     [=](const PoolHalvedKernels<T>& kernels, const PoolImage& p, PoolUnits u) {
                       return kernels.maxPositions(x + u.x, p, u.x, positions + u.y, from(u.y));
                     },
                     [=](const Pooling& some, Index at, Index result) {
                       anyMaxPoolPositions(some, x + at, at, positions + result);
                       if (y) maxPool(some, x + at, y + result);
                     },
                 });
}

template <class T>
bool averagesBlocks(const Pooling& how) {
  for (int d = 0; d < how.count; ++d)
    if (how.countsPadding && how.axes[d].window != how.axes[d].in) return false;
  const Index n = wholeBlock(how);
  return n >= blockKernels<T>().least && n <= longestBlock;
}

template <class T>
void meanPool(const Pooling& how, const T* x, T* y) {
  using Units = PoolUnits;
  const std::vector<T> along = poolShares<T>(how, how.axes[0]), across = poolShares<T>(how, how.axes[1]);
  fastestPool<T>(how, averagesBlocks<T>(how) ? wholeBlock(how) : 0,
                 PoolWays{
                     [=](const PoolPairKernels<T>& kernels, const PoolPairs& p, Units u) {
                       kernels.mean(x + u.x, p, u.count, y + u.y);
                       return true;
                     },
                     [=](const PoolBlockKernels<T>& kernels, Index n, Units u) {
                       kernels.sum(x + u.x, n, u.count, T(1) / static_cast<T>(n), y + u.y);
                       return true;
                     },
                     [=, a = along.data(), b = across.data()](const PoolDenseKernels<T>& kernels, const PoolImage& p, Units u) {
                       kernels.mean(x + u.x, a, b, p, y + u.y);
                       return true;
                     },
                     [&](const Pooling& all, Index, Index) { anyMeanPool(all, along, x, y); },
                 });
}

template <class T>
void meanPoolAdjoint(const Pooling& how, const T* g, T* dx) {
  using Units = PoolUnits;
  const std::vector<T> along = poolShares<T>(how, how.axes[0]), across = poolShares<T>(how, how.axes[1]);
  fastestPool<T>(
      how, averagesBlocks<T>(how) ? wholeBlock(how) : 0,
      PoolWays{
          [=](const PoolPairKernels<T>& kernels, const PoolPairs& p, Units u) {
            kernels.meanAdjoint(g + u.y, p, u.count, dx + u.x);
            return true;
          },
          [=](const PoolBlockKernels<T>& kernels, Index n, Units u) {
            kernels.fill(g + u.y, n, u.count, T(1) / static_cast<T>(n), dx + u.x);
            return true;
          },
          [=, &how, a = along.data(), b = across.data()](const PoolDenseKernels<T>& kernels, const PoolImage& p, Units u) {
            // Shares that are the same everywhere may come first or last.
            (how.countsPadding ? kernels.mean : kernels.meanAdjoint)(g + u.y, a, b, p, dx + u.x);
            return true;
          },
          [&](const Pooling& all, Index, Index) {
            if (!meanPoolAdjointOfImages(all, along, across, g, dx)) anyMeanPoolAdjoint(all, along, g, dx);
          },
      });
}

template void maxPool(const Pooling&, const float*, float*);
template void maxPool(const Pooling&, const double*, double*);
template void maxPoolPositions(const Pooling&, const float*, double*, float*);
template void maxPoolPositions(const Pooling&, const double*, double*, double*);
template void maxPoolGradient(const Pooling&, const float*, const float*, float*);
template void maxPoolGradient(const Pooling&, const double*, const double*, double*);
template bool averagesBlocks<float>(const Pooling&);
template bool averagesBlocks<double>(const Pooling&);
template void meanPool(const Pooling&, const float*, float*);
template void meanPool(const Pooling&, const double*, double*);
template void meanPoolAdjoint(const Pooling&, const float*, float*);
template void meanPoolAdjoint(const Pooling&, const double*, double*);

}  // namespace dl::cpu
