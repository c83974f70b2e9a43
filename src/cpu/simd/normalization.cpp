// Sums and linear combinations over runs of elements; compiled once for every level of the processor.
#include "cpu/simd/normalization.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

#if defined(__AVX512F__)
constexpr int registerBytes = 64;
#elif defined(__AVX__)
constexpr int registerBytes = 32;
#else
constexpr int registerBytes = 16;
#endif

template <class T>
struct Register {
  typedef T Vector __attribute__((vector_size(registerBytes)));
  typedef T Anywhere __attribute__((vector_size(registerBytes), aligned(sizeof(T)), may_alias));
  static constexpr Index lanes = registerBytes / static_cast<int>(sizeof(T));
  static Vector load(const T* x) { return *reinterpret_cast<const Anywhere*>(x); }
  static void store(T* y, Vector v) { *reinterpret_cast<Anywhere*>(y) = v; }
  static T total(Vector v) {
    T sum = 0;
    for (Index i = 0; i < lanes; ++i) sum += v[i];
    return sum;
  }
};

// Several sums at once, each in `ways` registers so that additions do not wait for each other, and one number for what is left.
template <class T, int sums, int ways>
struct Totals {
  typename Register<T>::Vector part[sums][ways] = {};
  T rest[sums] = {};
  T total(int s) const {
    typename Register<T>::Vector all = part[s][0];
    for (int w = 1; w < ways; ++w) all += part[s][w];
    return Register<T>::total(all) + rest[s];
  }
};

template <class T>
T sum(const T* x, Runs runs) {
  using R = Register<T>;
  constexpr int ways = 4;
  Totals<T, 1, ways> totals;
  for (Index r = 0; r < runs.count; ++r, x += runs.stride) {
    Index i = 0;
    for (; i + ways * R::lanes <= runs.length; i += ways * R::lanes)
      for (int w = 0; w < ways; ++w) totals.part[0][w] += R::load(x + i + w * R::lanes);
    for (; i + R::lanes <= runs.length; i += R::lanes) totals.part[0][0] += R::load(x + i);
    for (; i < runs.length; ++i) totals.rest[0] += x[i];
  }
  return totals.total(0);
}

template <class T>
void deviations(const T* x, Runs runs, T centre, T* sums) {
  using R = Register<T>;
  constexpr int ways = 4;
  Totals<T, 2, ways> totals;
  const auto add = [&](int w, const T* from) {
    const typename R::Vector d = R::load(from) - centre;
    totals.part[0][w] += d;
    totals.part[1][w] += d * d;
  };
  for (Index r = 0; r < runs.count; ++r, x += runs.stride) {
    Index i = 0;
    for (; i + ways * R::lanes <= runs.length; i += ways * R::lanes)
      for (int w = 0; w < ways; ++w) add(w, x + i + w * R::lanes);
    for (; i + R::lanes <= runs.length; i += R::lanes) add(0, x + i);
    for (; i < runs.length; ++i) {
      const T d = x[i] - centre;
      totals.rest[0] += d;
      totals.rest[1] += d * d;
    }
  }
  sums[0] = totals.total(0);
  sums[1] = totals.total(1);
}

template <class T>
void products(const T* g, const T* x, Runs runs, T mean, T* sums) {
  using R = Register<T>;
  constexpr int ways = 4;
  Totals<T, 2, ways> totals;
  const auto add = [&](int w, Index i) {
    const typename R::Vector gradient = R::load(g + i);
    totals.part[0][w] += gradient;
    totals.part[1][w] += gradient * (R::load(x + i) - mean);
  };
  for (Index r = 0; r < runs.count; ++r, x += runs.stride, g += runs.stride) {
    Index i = 0;
    for (; i + ways * R::lanes <= runs.length; i += ways * R::lanes)
      for (int w = 0; w < ways; ++w) add(w, i + w * R::lanes);
    for (; i + R::lanes <= runs.length; i += R::lanes) add(0, i);
    for (; i < runs.length; ++i) {
      totals.rest[0] += g[i];
      totals.rest[1] += g[i] * (x[i] - mean);
    }
  }
  sums[0] = totals.total(0);
  sums[1] = totals.total(1);
}

template <class T>
void scale(const T* x, Runs runs, T mean, T factor, T offset, T* y) {
  for (Index r = 0; r < runs.count; ++r, x += runs.stride, y += runs.stride)
    for (Index i = 0; i < runs.length; ++i) y[i] = (x[i] - mean) * factor + offset;
}

template <class T>
void combine(const T* g, const T* x, Runs runs, T mean, T a, T b, T c, T* __restrict y) {
  for (Index r = 0; r < runs.count; ++r, x += runs.stride, g += runs.stride, y += runs.stride)
    for (Index i = 0; i < runs.length; ++i) y[i] = a * g[i] + (b * (x[i] - mean) + c);
}

template <class T>
void scaleEach(const T* x, Index n, T mean, T factor, const T* scale, const T* offset, T* __restrict y) {
  for (Index i = 0; i < n; ++i) y[i] = (x[i] - mean) * factor * scale[i] + offset[i];
}

template <class T>
void productsEach(const T* g, const T* x, Index n, T mean, T factor, const T* scale, T* __restrict offsets, T* __restrict scales, T* sums) {
  using R = Register<T>;
  constexpr int ways = 2;
  Totals<T, 2, ways> totals;
  const auto add = [&](int w, Index i) {
    const typename R::Vector gradient = R::load(g + i), d = R::load(x + i) - mean, scaled = gradient * R::load(scale + i);
    R::store(offsets + i, R::load(offsets + i) + gradient);
    R::store(scales + i, R::load(scales + i) + gradient * d * factor);
    totals.part[0][w] += scaled;
    totals.part[1][w] += scaled * d;
  };
  Index i = 0;
  for (; i + ways * R::lanes <= n; i += ways * R::lanes)
    for (int w = 0; w < ways; ++w) add(w, i + w * R::lanes);
  for (; i + R::lanes <= n; i += R::lanes) add(0, i);
  for (; i < n; ++i) {
    const T d = x[i] - mean;
    offsets[i] += g[i];
    scales[i] += g[i] * d * factor;
    totals.rest[0] += scale[i] * g[i];
    totals.rest[1] += scale[i] * g[i] * d;
  }
  sums[0] = totals.total(0);
  sums[1] = totals.total(1);
}

template <class T>
void combineEach(const T* g, const T* x, Index n, T mean, const T* scale, T a, T b, T c, T* __restrict y) {
  for (Index i = 0; i < n; ++i) y[i] = a * scale[i] * g[i] + (b * (x[i] - mean) + c);
}

}  // namespace

template <class T>
NormalizationKernels<T> normalizationKernels() {
  return {sum<T>, deviations<T>, scale<T>, products<T>, combine<T>, scaleEach<T>, productsEach<T>, combineEach<T>};
}

template NormalizationKernels<float> normalizationKernels();
template NormalizationKernels<double> normalizationKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
