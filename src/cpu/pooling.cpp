#include "cpu/pooling.hpp"

#include <algorithm>
#include <memory>
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

// One row of results and the columns of the array that its windows cover, in column-major order.
struct Row {
  Index page, tile;  // which of the pages, where along the first axis
  Index y;           // the first result, within the page
  const Index* columns;
  Index count;
  double divisor;  // without the first axis
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
  /// The most columns under a window.
  Index columns() const { return window_; }

  /// The first axis as seen by one tile.
  PoolAxis axis(Index unit) const {
    if (tiles_ == 1) return first_;
    const Index n = std::min(tile_, first_.in - unit % tiles_ * tile_);
    return {n, n, 1, 1, 0};
  }
  /// Sets the elements of one unit to zero.
  template <class T>
  void clear(Index unit, T* x) const {
    T* page = x + unit / tiles_ * in_;
    if (tiles_ == 1) {
      std::fill_n(page, in_, T(0));
      return;
    }
    const PoolAxis part = axis(unit);
    for (Index at = unit % tiles_ * tile_; at < in_; at += first_.in) std::fill_n(page + at, part.in, T(0));
  }

  template <class F>
  void rows(Index unit, F&& body) const {
    std::vector<Index> columns(static_cast<std::size_t>(window_));
    Index at[Pooling::most] = {};
    const Index start = unit % tiles_ * tile_;
    for (Index r = 0; r < rows_; ++r) {
      Index count = 1, stride = first_.in;
      double divisor = 1;
      columns[0] = start;
      for (int d = 1; d < how_.count; ++d) {
        const PoolAxis& axis = how_.axes[d];
        const Extent here = inside(axis, at[d]);
        divisor *= static_cast<double>(how_.countsPadding ? axis.window : here.count);
        for (Index w = 0; w < here.count; ++w)
          for (Index c = 0; c < count; ++c) {
            // Column 0 is the base of the others, so it comes last: filled from behind.
            const Index to = (here.count - 1 - w) * count + (count - 1 - c);
            columns[static_cast<std::size_t>(to)] =
                columns[static_cast<std::size_t>(count - 1 - c)] + (here.first + here.count - 1 - w) * stride;
          }
        count *= here.count;
        stride *= axis.in;
      }
      body(Row{unit / tiles_, start, r * first_.out + start, columns.data(), count, divisor});
      for (int d = 1; d < how_.count && ++at[d] == how_.axes[d].out; ++d) at[d] = 0;
    }
  }

 private:
  const Pooling& how_;
  const PoolAxis& first_;
  Index in_ = 1, out_ = 1, rows_ = 1, window_ = 1, tile_ = 1, tiles_ = 1;
};

template <class T>
PoolKernels<T> kernelsFor() {
  return DLARRAY_FOR_ARCH(poolKernels<T>)();
}

// What the results of a row are divided by along the first axis.
template <class T>
std::vector<T> divisors(const Pooling& how) {
  const PoolAxis& axis = how.axes[0];
  std::vector<T> each(static_cast<std::size_t>(axis.out));
  for (Index i = 0; i < axis.out; ++i)
    each[static_cast<std::size_t>(i)] = static_cast<T>(how.countsPadding ? axis.window : inside(axis, i).count);
  return each;
}

// Calls body(row, axis, positions of the largest elements within the page) for every row of a unit.
template <class T, class F>
void largestOfUnit(const PoolKernels<T>& kernels, const Pages& pages, Index unit, const T* x, F&& body) {
  const PoolAxis axis = pages.axis(unit);
  std::vector<PoolCode<T>> codes(static_cast<std::size_t>(axis.out));
  std::vector<Index> offsets(static_cast<std::size_t>(pages.columns() * axis.window));
  pages.rows(unit, [&](const Row& row) {
    kernels.maxCodes(x + row.page * pages.in(), row.columns, row.count, axis, codes.data());
    for (Index c = 0; c < row.count; ++c)
      for (Index a = 0; a < axis.window; ++a)
        offsets[static_cast<std::size_t>(c * axis.window + a)] = row.columns[c] + a - axis.before;
    body(row, axis,
         [&](Index i) { return offsets[static_cast<std::size_t>(codes[static_cast<std::size_t>(i)])] + i * axis.stride; });
  });
}

}  // namespace

template <class T>
void maxPool(const Pooling& how, const T* x, T* y) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const PoolAxis axis = pages.axis(unit);
      pages.rows(unit, [&](const Row& row) {
        kernels.maxRow(x + row.page * pages.in(), row.columns, row.count, axis, y + row.page * pages.out() + row.y);
      });
    }
  });
}

template <class T>
void maxPoolPositions(const Pooling& how, const T* x, double* positions) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit)
      largestOfUnit(kernels, pages, unit, x, [&](const Row& row, const PoolAxis& axis, auto position) {
        double* to = positions + row.page * pages.out() + row.y;
        for (Index i = 0; i < axis.out; ++i) to[i] = static_cast<double>(row.page * pages.in() + position(i));
      });
  });
}

template <class T>
void maxPoolGradient(const Pooling& how, const T* x, const T* g, T* dx) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      pages.clear(unit, dx);
      largestOfUnit(kernels, pages, unit, x, [&](const Row& row, const PoolAxis& axis, auto position) {
        const T* from = g + row.page * pages.out() + row.y;
        T* to = dx + row.page * pages.in();
        for (Index i = 0; i < axis.out; ++i) to[position(i)] += from[i];
      });
    }
  });
}

template <class T>
void meanPool(const Pooling& how, const T* x, T* y) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  const std::vector<T> along = divisors<T>(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const PoolAxis axis = pages.axis(unit);
      pages.rows(unit, [&](const Row& row) {
        T* to = y + row.page * pages.out() + row.y;
        kernels.sumRow(x + row.page * pages.in(), row.columns, row.count, axis, to);
        const T divisor = static_cast<T>(row.divisor);
        for (Index i = 0; i < axis.out; ++i) to[i] /= divisor * along[static_cast<std::size_t>(row.tile + i)];
      });
    }
  });
}

template <class T>
void meanPoolAdjoint(const Pooling& how, const T* g, T* dx) {
  const PoolKernels<T> kernels = kernelsFor<T>();
  const Pages pages(how);
  const std::vector<T> along = divisors<T>(how);
  parallelFor(pages.units(), pages.grain(), [&](Index begin, Index end) {
    std::vector<T> shares;
    for (Index unit = begin; unit < end; ++unit) {
      const PoolAxis axis = pages.axis(unit);
      shares.resize(static_cast<std::size_t>(axis.out));
      pages.clear(unit, dx);
      pages.rows(unit, [&](const Row& row) {
        const T* from = g + row.page * pages.out() + row.y;
        const T divisor = static_cast<T>(row.divisor);
        for (Index i = 0; i < axis.out; ++i)
          shares[static_cast<std::size_t>(i)] = from[i] / (divisor * along[static_cast<std::size_t>(row.tile + i)]);
        kernels.spreadRow(shares.data(), row.columns, row.count, axis, dx + row.page * pages.in());
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
