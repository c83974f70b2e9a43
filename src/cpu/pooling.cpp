#include "cpu/pooling.hpp"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/pooling.hpp"

namespace dl::cpu {
namespace {

// The elements of a window along an axis that lie inside the array.
struct Extent {
  Index first, count;
};
Extent inside(const PoolAxis& axis, Index i) {
  const Index start = i * axis.stride - axis.before, first = std::max<Index>(start, 0);
  return {first, std::min(start + axis.window, axis.in) - first};
}

// Rows of results, and what belongs to them beside the kernels' part.
struct Rows : PoolRows {
  Index page, tile;  // which of the pages, where along the first axis
  Index y;           // the first result, within the page
  double divisor;    // without the first axis
};

// The array cut into pages, and pages with a first dimension that no window moves along into tiles of it: all independent of each
// other.
class Pages {
 public:
  explicit Pages(const Pooling& how) : how_(how), first_(how.axes[0]) {
    for (int d = 0; d < how.count; ++d) {
      in_ *= how.axes[d].in;
      out_ *= how.axes[d].out;
    }
    const bool still = first_.window == 1 && first_.stride == 1 && first_.before == 0 && first_.in == first_.out;
    tile_ = still ? std::min<Index>(first_.in, 4096) : first_.in;
    tiles_ = (first_.in + tile_ - 1) / tile_;
    for (int d = 1; d < how.count; ++d) {
      rows_ *= how.axes[d].out;
      window_ *= how.axes[d].window;
    }
  }
  Index in() const { return in_; }
  Index out() const { return out_; }
  Index units() const { return how_.outer * tiles_; }
  Index grain() const { return grainFor((in_ + out_) / std::max<Index>(tiles_, 1)); }

  /// The first axis as seen by one tile.
  PoolRows along(Index unit) const {
    PoolRows result;
    if (tiles_ > 1) {
      result.end = std::min(tile_, first_.in - unit % tiles_ * tile_);
      result.axis = {result.end, result.end, 1, 1, 0};
      return result;
    }
    result.axis = first_;
    std::tie(result.begin, result.end) = whole(first_);
    return result;
  }
  /// True when there is a NaN in a unit.
  template <class T>
  bool holdNaN(const PoolKernels<T>& kernels, Index unit, const T* x) const {
    const T* page = x + unit / tiles_ * in_;
    if (tiles_ == 1) return kernels.holdsNaN(page, in_);
    const Index n = along(unit).axis.in;
    for (Index at = unit % tiles_ * tile_; at < in_; at += first_.in)
      if (kernels.holdsNaN(page + at, n)) return true;
    return false;
  }
  /// Sets the elements of one unit to zero.
  template <class T>
  void clear(Index unit, T* x) const {
    T* page = x + unit / tiles_ * in_;
    if (tiles_ == 1) {
      std::fill_n(page, in_, T(0));
      return;
    }
    const Index n = along(unit).axis.in;
    for (Index at = unit % tiles_ * tile_; at < in_; at += first_.in) std::fill_n(page + at, n, T(0));
  }

  /// The most rows that come together.
  Index together() const { return how_.count > 1 && tiles_ == 1 ? how_.axes[1].out : 1; }

  template <class F>
  void rows(Index unit, F&& body) const {
    std::vector<Index> columns(static_cast<std::size_t>(window_));
    Index at[Pooling::most] = {};
    Rows rows;
    static_cast<PoolRows&>(rows) = along(unit);
    rows.columns = columns.data();
    rows.page = unit / tiles_;
    rows.tile = unit % tiles_ * tile_;
    const auto [begin, end] = how_.count > 1 ? whole(how_.axes[1]) : std::pair<Index, Index>(0, 0);
    for (Index r = 0; r < rows_;) {
      rows.count = 1;
      rows.divisor = 1;
      columns[0] = rows.tile;
      Index stride = first_.in;
      for (int d = 1; d < how_.count; ++d) {
        const PoolAxis& axis = how_.axes[d];
        const Extent here = inside(axis, at[d]);
        rows.divisor *= static_cast<double>(how_.countsPadding ? axis.window : here.count);
        // Column 0 is the base of the others, so it comes last: filled from behind.
        for (Index w = here.count - 1; w >= 0; --w)
          for (Index c = rows.count - 1; c >= 0; --c)
            columns[static_cast<std::size_t>(w * rows.count + c)] =
                columns[static_cast<std::size_t>(c)] + (here.first + w) * stride;
        rows.count *= here.count;
        stride *= axis.in;
      }
      rows.y = r * first_.out + rows.tile;
      // Windows that lie inside along the second axis look the same, one after the other.
      rows.rows = tiles_ == 1 && at[1] == begin && end > begin ? end - begin : 1;
      rows.xStep = how_.count > 1 ? how_.axes[1].stride * first_.in : 0;
      body(static_cast<const Rows&>(rows));
      r += rows.rows;
      at[1] += rows.rows;
      for (int d = 1; d < how_.count && at[d] == how_.axes[d].out; ++d) {
        at[d] = 0;
        if (d + 1 < how_.count) ++at[d + 1];
      }
    }
  }

 private:
  // The windows along an axis that lie inside the array, from the first to behind the last.
  static std::pair<Index, Index> whole(const PoolAxis& axis) {
    const Index first = (axis.before + axis.stride - 1) / axis.stride, last = axis.in + axis.before - axis.window;
    const Index end = last < 0 ? 0 : std::min(last / axis.stride + 1, axis.out);
    return {std::min(first, end), end};
  }

  const Pooling& how_;
  const PoolAxis& first_;
  Index in_ = 1, out_ = 1, rows_ = 1, window_ = 1, tile_ = 1, tiles_ = 1;
};

template <class T>
PoolKernels<T> kernelsFor() {
  return DLARRAY_FOR_ARCH(poolKernels<T>)();
}

// What the sums of a row are multiplied by along the first axis.
template <class T>
std::vector<T> shares(const Pooling& how) {
  const PoolAxis& axis = how.axes[0];
  std::vector<T> each(static_cast<std::size_t>(axis.out));
  for (Index i = 0; i < axis.out; ++i)
    each[static_cast<std::size_t>(i)] = T(1) / static_cast<T>(how.countsPadding ? axis.window : inside(axis, i).count);
  return each;
}

// A NaN costs less than a look for one where each element is in one window.
bool overlaps(const Pooling& how) {
  for (int d = 0; d < how.count; ++d)
    if (how.axes[d].window > how.axes[d].stride) return true;
  return false;
}

// Calls body(rows, codes) for all rows of a unit, with the places of the largest elements in their windows.
template <class T, class F>
void largestOfUnit(const PoolKernels<T>& kernels, const Pages& pages, Index unit, bool look, const T* x, F&& body) {
  const bool withNaN = !look || pages.holdNaN(kernels, unit, x);
  std::vector<PoolCode<T>> codes(static_cast<std::size_t>(pages.along(unit).axis.out * pages.together()));
  pages.rows(unit, [&](const Rows& rows) {
    kernels.maxCodes(x + rows.page * pages.in(), rows, withNaN, codes.data());
    body(rows, codes.data());
  });
}

}  // namespace

template <class T>
void maxPool(const Pooling& how, const T* x, T* y) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  const bool look = overlaps(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    std::vector<T> scratch(static_cast<std::size_t>(how.axes[0].in));
    for (Index unit = begin; unit < end; ++unit) {
      const bool withNaN = !look || pages.holdNaN(kernels, unit, x);
      pages.rows(unit, [&](const Rows& rows) {
        kernels.max(x + rows.page * pages.in(), rows, withNaN, scratch.data(), y + rows.page * pages.out() + rows.y);
      });
    }
  });
}

template <class T>
void maxPoolPositions(const Pooling& how, const T* x, double* positions) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  const bool look = overlaps(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit)
      largestOfUnit(kernels, pages, unit, look, x, [&](const Rows& rows, const PoolCode<T>* codes) {
        double* to = positions + rows.page * pages.out() + rows.y;
        const PoolAxis& axis = rows.axis;
        for (Index r = 0; r < rows.rows; ++r, codes += axis.out, to += axis.out)
          for (Index i = 0; i < axis.out; ++i)
            to[i] = static_cast<double>(rows.page * pages.in() + rows.columns[codes[i] / axis.window] + r * rows.xStep +
                                        i * axis.stride + codes[i] % axis.window - axis.before);
      });
  });
}

template <class T>
void maxPoolGradient(const Pooling& how, const T* x, const T* g, T* dx) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  const bool look = overlaps(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    std::vector<T> scratch;
    for (Index unit = begin; unit < end; ++unit) {
      scratch.resize(static_cast<std::size_t>(spreadScratch(pages.along(unit).axis)));
      pages.clear(unit, dx);
      largestOfUnit(kernels, pages, unit, look, x, [&](const Rows& rows, const PoolCode<T>* codes) {
        kernels.spreadByCodes(codes, g + rows.page * pages.out() + rows.y, rows, scratch.data(), dx + rows.page * pages.in());
      });
    }
  });
}

template <class T>
void meanPool(const Pooling& how, const T* x, T* y) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  const std::vector<T> along = shares<T>(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    std::vector<T> scratch(static_cast<std::size_t>(how.axes[0].in));
    for (Index unit = begin; unit < end; ++unit)
      pages.rows(unit, [&](const Rows& rows) {
        T* to = y + rows.page * pages.out() + rows.y;
        kernels.sum(x + rows.page * pages.in(), rows, scratch.data(), to);
        const T share = static_cast<T>(1 / rows.divisor);
        for (Index r = 0; r < rows.rows; ++r, to += rows.axis.out)
          for (Index i = 0; i < rows.axis.out; ++i) to[i] *= share * along[static_cast<std::size_t>(rows.tile + i)];
      });
  });
}

template <class T>
void meanPoolAdjoint(const Pooling& how, const T* g, T* dx) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  const std::vector<T> along = shares<T>(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    std::vector<T> parts;
    for (Index unit = begin; unit < end; ++unit) {
      const Index out = pages.along(unit).axis.out;
      parts.resize(static_cast<std::size_t>(out * pages.together()));
      pages.clear(unit, dx);
      pages.rows(unit, [&](const Rows& rows) {
        const T* from = g + rows.page * pages.out() + rows.y;
        const T share = static_cast<T>(1 / rows.divisor);
        for (Index r = 0; r < rows.rows; ++r)
          for (Index i = 0; i < out; ++i)
            parts[static_cast<std::size_t>(r * out + i)] =
                from[r * out + i] * (share * along[static_cast<std::size_t>(rows.tile + i)]);
        kernels.spread(parts.data(), rows, dx + rows.page * pages.in());
      });
    }
  });
}

template void maxPool(const Pooling&, const float*, float*);
template void maxPool(const Pooling&, const double*, double*);
template void maxPoolPositions(const Pooling&, const float*, double*);
template void maxPoolPositions(const Pooling&, const double*, double*);
template void maxPoolGradient(const Pooling&, const float*, const float*, float*);
template void maxPoolGradient(const Pooling&, const double*, const double*, double*);
template void meanPool(const Pooling&, const float*, float*);
template void meanPool(const Pooling&, const double*, double*);
template void meanPoolAdjoint(const Pooling&, const float*, float*);
template void meanPoolAdjoint(const Pooling&, const double*, double*);

}  // namespace dl::cpu
