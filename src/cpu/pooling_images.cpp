#include "cpu/pooling_images.hpp"

#include <algorithm>

#include "cpu/arch.hpp"
#include "cpu/lines.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/pooling.hpp"

namespace dl::cpu {
namespace {

template <class T>
PoolImageKernels<T> kernelsFor() {
  return DLARRAY_FOR_ARCH(poolImageKernels<T>)();
}

// An array of one or two dimensions, some of them times, as images. Where no window moves along the first one, parts of it are
// images of their own, so that what belongs together stays in the cache.
struct Images {
  PoolAxis along, across;
  Index part, parts, elements, results;  // the last part is the longest

  explicit Images(const Pooling& how) : along(how.axes[0]), across(how.count > 1 ? how.axes[1] : PoolAxis{1, 1, 1, 1, 0}) {
    constexpr Index cached = 1024;
    const bool still = along.window == 1 && along.stride == 1;
    parts = still ? std::max<Index>(1, along.in / cached) : 1;
    part = along.in / parts;
    elements = along.in * across.in;
    results = along.out * across.out;
  }
  Index grain() const { return grainFor(std::max<Index>(1, elements / parts)); }
  /// Calls body(image, its first element, its first result) for some of the images.
  template <class F>
  void forEach(Index begin, Index end, F&& body) const {
    for (Index i = begin; i < end; ++i) {
      const Index which = i % parts, start = which * part;
      body(which + 1 == parts ? last() : image(part), i / parts * elements + start, i / parts * results + start, start);
    }
  }
  PoolImage last() const { return image(along.in - (parts - 1) * part); }

 private:
  PoolImage image(Index length) const {
    PoolAxis axis = along;
    if (parts > 1) axis.in = axis.out = length;
    return {axis, across, along.in, along.out};
  }
};

template <class T>
bool holdsNaN(const PoolKernels<T>& kernels, const PoolImage& p, const T* x) {
  if (p.along.in == p.columnStep) return kernels.holdsNaN(x, p.along.in * p.across.in);
  for (Index c = 0; c < p.across.in; ++c)
    if (kernels.holdsNaN(x + c * p.columnStep, p.along.in)) return true;
  return false;
}

// Calls body(image, first element, first result, start along the first dimension, memory) for all images.
template <class T, class F>
bool forImages(const Pooling& how, const PoolImageKernels<T>& kernels, F&& body) {
  if (how.count > 2) return false;
  const Images images(how);
  const PoolImage image = images.last();
  const Index room = kernels.scratch(image);
  if (room == 0) return false;
  parallelFor(how.outer * images.parts, images.grain(), [&](Index begin, Index end) {
    Lines<T> memory(room);
    kernels.prepare(image, memory.data());
    images.forEach(begin, end, [&](const PoolImage& p, Index x, Index y, Index start) { body(p, x, y, start, memory.data()); });
  });
  return true;
}

}  // namespace

template <class T>
std::vector<T> poolShares(const Pooling& how, const PoolAxis& axis) {
  std::vector<T> each(static_cast<std::size_t>(axis.out));
  for (Index i = 0; i < axis.out; ++i)
    each[static_cast<std::size_t>(i)] = T(1) / static_cast<T>(how.countsPadding ? axis.window : axis.inside(i).count);
  return each;
}
template std::vector<float> poolShares(const Pooling&, const PoolAxis&);
template std::vector<double> poolShares(const Pooling&, const PoolAxis&);

template <class T>
bool maxPoolGradientOfImages(const Pooling& how, const T* x, const T* g, T* dx) {
  const PoolImageKernels<T> kernels = kernelsFor<T>();
  const PoolKernels<T> look = DLARRAY_FOR_ARCH(poolKernels<T>)();
  return forImages(how, kernels, [&](const PoolImage& p, Index at, Index result, Index, T* memory) {
    // A NaN costs less than a look for one where each element is in one window.
    const bool withNaN = !how.overlaps() || holdsNaN(look, p, x + at);
    kernels.maxGradient(x + at, g + result, p, withNaN, memory, dx + at);
  });
}

template <class T>
bool meanPoolAdjointOfImages(const Pooling& how, const std::vector<T>& along, const std::vector<T>& across, const T* g, T* dx) {
  const PoolImageKernels<T> kernels = kernelsFor<T>();
  return forImages(how, kernels, [&](const PoolImage& p, Index at, Index result, Index start, T* memory) {
    kernels.meanAdjoint(g + result, along.data() + start, across.data(), p, memory, dx + at);
  });
}

template bool maxPoolGradientOfImages(const Pooling&, const float*, const float*, float*);
template bool maxPoolGradientOfImages(const Pooling&, const double*, const double*, double*);
template bool meanPoolAdjointOfImages(const Pooling&, const std::vector<float>&, const std::vector<float>&, const float*, float*);
template bool meanPoolAdjointOfImages(const Pooling&, const std::vector<double>&, const std::vector<double>&, const double*,
                                      double*);

}  // namespace dl::cpu
