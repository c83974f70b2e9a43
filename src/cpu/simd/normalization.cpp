// Sums and linear combinations over runs of elements; compiled once for every level of the processor.
#include "cpu/simd/normalization.hpp"

#include <type_traits>
#include <utility>

namespace dl::cpu::DLARRAY_ARCH {
namespace {

#if defined(__AVX512F__)
constexpr int registerBytes = 64;
#elif defined(__AVX__)
constexpr int registerBytes = 32;
#else
constexpr int registerBytes = 16;
#endif

// As many zeros as lanes, then as many ones.
template <class T, Index lanes>
struct KeptLanes {
  T values[2 * lanes] = {};
  constexpr KeptLanes() {
    for (Index i = lanes; i < 2 * lanes; ++i) values[i] = 1;
  }
};
template <class T, Index lanes>
constexpr KeptLanes<T, lanes> keptLanes;

template <class T>
struct Register {
  typedef T Vector __attribute__((vector_size(registerBytes)));
  typedef T Anywhere __attribute__((vector_size(registerBytes), aligned(sizeof(T)), may_alias));
  static constexpr Index lanes = registerBytes / static_cast<int>(sizeof(T));
  static Vector load(const T* x) { return *reinterpret_cast<const Anywhere*>(x); }
  static void store(T* y, Vector v) { *reinterpret_cast<Anywhere*>(y) = v; }
  static T total(Vector v) { return foldedFrom<lanes / 2>(v, std::make_integer_sequence<int, static_cast<int>(lanes)>())[0]; }
  /// Lanes `half` apart added, then those half as far apart, and so on.
  template <Index half, int... lane>
  static Vector foldedFrom(Vector v, std::integer_sequence<int, lane...> all) {
    if constexpr (half == 0)
      return v;
    else
      return foldedFrom<half / 2>(v + __builtin_shufflevector(v, v, (lane ^ half)...), all);
  }
  /// All lanes but the first n at zero.
  static Vector withoutFirst(Vector v, Index n) { return load(keptLanes<T, lanes>.values + lanes - n) != 0 ? v : Vector{}; }
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

// Short runs lie on a page each, where no hardware looks ahead: asks for the run that comes a few later.
template <class T>
void fetchAhead(const T* x, const Runs& runs, Index run) {
  constexpr Index ahead = 4, line = 64 / static_cast<Index>(sizeof(T)), longest = 16 * line;
  if (runs.length > longest || run + ahead >= runs.count) return;
  const T* next = x + ahead * runs.stride;
  for (Index i = 0; i < runs.length; i += line) __builtin_prefetch(next + i);
}

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
    fetchAhead(x, runs, r);
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
    fetchAhead(x, runs, r);
    fetchAhead(g, runs, r);
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
  using R = Register<T>;
  for (Index r = 0; r < runs.count; ++r, x += runs.stride, y += runs.stride) {
    Index i = 0;
    for (; i + R::lanes <= runs.length; i += R::lanes) R::store(y + i, (R::load(x + i) - mean) * factor + offset);
    for (; i < runs.length; ++i) y[i] = (x[i] - mean) * factor + offset;
  }
}

template <class T>
void combine(const T* g, const T* x, Runs runs, T mean, T a, T b, T c, T* y) {
  using R = Register<T>;
  for (Index r = 0; r < runs.count; ++r, x += runs.stride, g += runs.stride, y += runs.stride) {
    Index i = 0;
    for (; i + R::lanes <= runs.length; i += R::lanes) R::store(y + i, R::load(g + i) * a + ((R::load(x + i) - mean) * b + c));
    for (; i < runs.length; ++i) y[i] = g[i] * a + ((x[i] - mean) * b + c);
  }
}

template <class T>
void scaleEach(const T* x, Index n, T mean, T factor, const T* scale, const T* offset, T* __restrict y) {
  for (Index i = 0; i < n; ++i) y[i] = (x[i] - mean) * factor * scale[i] + offset[i];
}

template <class T>
void normalizeEach(const T* x, Index n, Index count, double epsilon, const T* scale, const T* offset, T* means, T* variances,
                   T* y) {
  const Runs run{n, n, 1};
  const T elements = static_cast<T>(n);
  for (Index k = 0; k < count; ++k, x += n, y += n) {
    // The second sum mends what rounding left over in the first.
    T sums[2];
    const T centre = sum(x, run) / elements;
    deviations(x, run, centre, sums);
    const T shift = sums[0] / elements, squares = sums[1] - shift * sums[0];
    means[k] = centre + shift;
    variances[k] = squares < 0 ? T(0) : squares / elements;
    const T factor = static_cast<T>(1 / __builtin_sqrt(static_cast<double>(variances[k]) + epsilon));
    scaleEach(x, n, means[k], factor, scale, offset, y);
  }
}

template <class T>
void productsEach(const T* g, const T* x, Index n, T mean, T factor, const T* scale, T* __restrict offsets, T* __restrict scales,
                  T* sums) {
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

// ---- many runs in the order of memory ----------------------------------------------------------------------------------

constexpr int partWays = 2;
template <class T>
constexpr Index partCount = partWays* Register<T>::lanes;

// Two sums over each of many runs. step(way, i, from) adds what lies at i for the lanes from `from` on.
template <class T, int ways, class Step>
void sumRunsIn(Runs runs, Index images, T* parts, Step step) {
  using R = Register<T>;
  using Vector = typename R::Vector;
  for (Index image = 0; image < images; ++image) {
    for (Index r = 0; r < runs.count; ++r) {
      T* to = parts + 2 * r * partCount<T>;
      Vector sums[2][ways];
      for (int s = 0; s < 2; ++s)
        for (int w = 0; w < ways; ++w) sums[s][w] = R::load(to + s * partCount<T> + w * R::lanes);
      const Index start = image * runs.stride + r * runs.length, end = start + runs.length;
      Index i = start;
      for (; i + ways * R::lanes <= end; i += ways * R::lanes)
        for (int w = 0; w < ways; ++w) step(r, i + w * R::lanes, 0, sums[0][w], sums[1][w]);
      for (; i + R::lanes <= end; i += R::lanes) step(r, i, 0, sums[0][0], sums[1][0]);
      if (i < end) step(r, end - R::lanes, R::lanes - (end - i), sums[0][ways - 1], sums[1][ways - 1]);
      for (int s = 0; s < 2; ++s)
        for (int w = 0; w < ways; ++w) R::store(to + s * partCount<T> + w * R::lanes, sums[s][w]);
    }
  }
}

// Short runs use half of their parts: fetching these costs as much as the run.
template <class T, class Step>
void sumRuns(Runs runs, Index images, T* parts, Step step) {
  if (runs.length < 8 * Register<T>::lanes)
    sumRunsIn<T, 1>(runs, images, parts, step);
  else
    sumRunsIn<T, partWays>(runs, images, parts, step);
}

template <class T>
void deviationsOfRuns(const T* x, Runs runs, Index images, const T* centres, T* parts) {
  using R = Register<T>;
  sumRuns<T>(runs, images, parts, [=](Index r, Index i, Index from, typename R::Vector& sum, typename R::Vector& squares) {
    typename R::Vector d = R::load(x + i) - centres[r];
    if (from) d = R::withoutFirst(d, from);
    sum += d;
    squares += d * d;
  });
}

template <class T>
void productsOfRuns(const T* g, const T* x, Runs runs, Index images, const T* means, T* parts) {
  using R = Register<T>;
  sumRuns<T>(runs, images, parts, [=](Index r, Index i, Index from, typename R::Vector& sum, typename R::Vector& products) {
    typename R::Vector gradient = R::load(g + i), d = R::load(x + i) - means[r];
    if (from) {
      gradient = R::withoutFirst(gradient, from);
      d = R::withoutFirst(d, from);
    }
    sum += gradient;
    products += gradient * d;
  });
}

template <class T>
T totalOfParts(const T* parts) {
  using R = Register<T>;
  return R::total(R::load(parts) + R::load(parts + R::lanes));
}

template <class T>
void scaleRuns(const T* x, Runs runs, Index images, const T* means, const T* factors, const T* offsets, T* y) {
  using R = Register<T>;
  for (Index image = 0; image < images; ++image)
    for (Index r = 0; r < runs.count; ++r) {
      const T mean = means[r], factor = factors[r], offset = offsets[r];
      const Index start = image * runs.stride + r * runs.length, end = start + runs.length;
      Index i = start;
      for (; i + R::lanes <= end; i += R::lanes) R::store(y + i, (R::load(x + i) - mean) * factor + offset);
      for (; i < end; ++i) y[i] = (x[i] - mean) * factor + offset;
    }
}

template <class T>
void combineRuns(const T* g, const T* x, Runs runs, Index images, const T* means, const T* a, const T* b, const T* c, T* y) {
  using R = Register<T>;
  for (Index image = 0; image < images; ++image)
    for (Index r = 0; r < runs.count; ++r) {
      const T mean = means[r], byG = a[r], byX = b[r], rest = c[r];
      const Index start = image * runs.stride + r * runs.length, end = start + runs.length;
      Index i = start;
      for (; i + R::lanes <= end; i += R::lanes) R::store(y + i, R::load(g + i) * byG + ((R::load(x + i) - mean) * byX + rest));
      for (; i < end; ++i) y[i] = g[i] * byG + ((x[i] - mean) * byX + rest);
    }
}

// Two sums over each column of rows. step(from, i, sums...) adds the element i of the row that begins at `from`; four rows in
// turn, so that the sums are seldom fetched.
template <class T, class Step>
void sumRows(Index n, Index stride, Index images, T* sums, Step step) {
  using R = Register<T>;
  using Vector = typename R::Vector;
  constexpr Index together = 4;
  const auto add = [&](Index from, auto count) {
    Index i = 0;
    for (; i + R::lanes <= n; i += R::lanes) {
      Vector first = R::load(sums + i), second = R::load(sums + n + i);
      for (Index r = 0; r < count; ++r) step.vector(from + r * stride, i, first, second);
      R::store(sums + i, first);
      R::store(sums + n + i, second);
    }
    for (; i < n; ++i)
      for (Index r = 0; r < count; ++r) step.number(from + r * stride, i, sums[i], sums[n + i]);
  };
  Index image = 0;
  for (; image + together <= images; image += together) add(image * stride, std::integral_constant<Index, together>());
  for (; image < images; ++image) add(image * stride, std::integral_constant<Index, 1>());
}

template <class T>
struct DeviationStep {
  using R = Register<T>;
  using Vector = typename R::Vector;
  const T *x, *centres;
  void vector(Index from, Index i, Vector& sum, Vector& squares) const {
    const Vector d = R::load(x + from + i) - R::load(centres + i);
    sum += d;
    squares += d * d;
  }
  void number(Index from, Index i, T& sum, T& squares) const {
    const T d = x[from + i] - centres[i];
    sum += d;
    squares += d * d;
  }
};

template <class T>
struct ProductStep {
  using R = Register<T>;
  using Vector = typename R::Vector;
  const T *g, *x, *means;
  void vector(Index from, Index i, Vector& sum, Vector& products) const {
    const Vector gradient = R::load(g + from + i);
    sum += gradient;
    products += gradient * (R::load(x + from + i) - R::load(means + i));
  }
  void number(Index from, Index i, T& sum, T& products) const {
    sum += g[from + i];
    products += g[from + i] * (x[from + i] - means[i]);
  }
};

template <class T>
void deviationsOfRows(const T* x, Index n, Index stride, Index images, const T* centres, T* sums) {
  sumRows<T>(n, stride, images, sums, DeviationStep<T>{x, centres});
}

template <class T>
void productsOfRows(const T* g, const T* x, Index n, Index stride, Index images, const T* means, T* sums) {
  sumRows<T>(n, stride, images, sums, ProductStep<T>{g, x, means});
}

template <class T>
void scaleRows(const T* x, Index n, Index stride, Index images, const T* means, const T* factors, const T* offsets,
               T* __restrict y) {
  for (Index image = 0; image < images; ++image, x += stride, y += stride)
    for (Index i = 0; i < n; ++i) y[i] = (x[i] - means[i]) * factors[i] + offsets[i];
}

template <class T>
void combineRows(const T* g, const T* x, Index n, Index stride, Index images, const T* means, const T* a, const T* b, const T* c,
                 T* __restrict y) {
  for (Index image = 0; image < images; ++image, x += stride, g += stride, y += stride)
    for (Index i = 0; i < n; ++i) y[i] = g[i] * a[i] + ((x[i] - means[i]) * b[i] + c[i]);
}

}  // namespace

template <class T>
NormalizationKernels<T> normalizationKernels() {
  return {sum<T>,           deviations<T>,   scale<T>,       products<T>,         combine<T>,          scaleEach<T>,
          normalizeEach<T>, productsEach<T>, combineEach<T>, partCount<T>,        deviationsOfRuns<T>, productsOfRuns<T>,
          totalOfParts<T>,  scaleRuns<T>,    combineRuns<T>, deviationsOfRows<T>, productsOfRows<T>,   scaleRows<T>,
          combineRows<T>};
}

template NormalizationKernels<float> normalizationKernels();
template NormalizationKernels<double> normalizationKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
