// Sums and linear combinations over runs of elements; compiled once for every level of the processor.
#include "cpu/simd/normalization.hpp"

#include <type_traits>

#include "cpu/simd/normalization_register.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

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

// ---- many runs in the order of memory ----------------------------------------------------------------------------------

// Two sums over each of many runs, of `together` images at a time, which need not wait for each other. step(r, i, end, sums...)
// adds what lies at i; with `end` only the lanes that the whole registers before it have left.
template <class T, int together, int ways, class Step>
void sumRunsOf(Runs runs, Index start, T* parts, Step step) {
  using R = Register<T>;
  using Vector = typename R::Vector;
  for (Index r = 0; r < runs.count; ++r, start += runs.length, parts += 2 * R::lanes) {
    Vector sums[2][together * ways] = {};
    Index i = 0;
    for (; i + ways * R::lanes <= runs.length; i += ways * R::lanes)
      for (int t = 0; t < together; ++t)
        for (int w = 0; w < ways; ++w)
          step(r, start + t * runs.stride + i + w * R::lanes, std::false_type(), sums[0][t * ways + w], sums[1][t * ways + w]);
    for (; i + R::lanes <= runs.length; i += R::lanes)
      for (int t = 0; t < together; ++t)
        step(r, start + t * runs.stride + i, std::false_type(), sums[0][t * ways], sums[1][t * ways]);
    if (i < runs.length)
      for (int t = 0; t < together; ++t) {
        const Index last = start + t * runs.stride + runs.length - R::lanes;
        step(r, last, std::true_type(), sums[0][t * ways], sums[1][t * ways]);
      }
    for (int s = 0; s < 2; ++s) {
      Vector all = sums[s][0];
      for (int w = 1; w < together * ways; ++w) all += sums[s][w];
      R::store(parts + s * R::lanes, R::load(parts + s * R::lanes) + all);
    }
  }
}

template <class T, class Step>
void sumRuns(Runs runs, Index images, T* parts, Step step) {
  Index image = 0;
  if (runs.length < 8 * Register<T>::lanes)
    for (; image + 4 <= images; image += 4) sumRunsOf<T, 4, 1>(runs, image * runs.stride, parts, step);
  for (; image < images; ++image) sumRunsOf<T, 1, 4>(runs, image * runs.stride, parts, step);
}

template <class T>
void deviationsOfRuns(const T* x, Runs runs, Index images, const T* centres, T* parts) {
  using R = Register<T>;
  const auto left = R::lastLanes(runs.length % R::lanes);
  sumRuns<T>(runs, images, parts, [=](Index r, Index i, auto end, typename R::Vector& sum, typename R::Vector& squares) {
    typename R::Vector d = R::load(x + i) - centres[r];
    if constexpr (end) d = left ? d : typename R::Vector{};
    sum += d;
    squares += d * d;
  });
}

// With `scaled` also y = factor g; what lies at the end of a run is written twice, alike.
template <bool scaled, class T>
void productsOfEach(const T* g, const T* x, Runs runs, Index images, const T* means, T* parts, const T* factors, T* y) {
  using R = Register<T>;
  const auto left = R::lastLanes(runs.length % R::lanes);
  sumRuns<T>(runs, images, parts, [=](Index r, Index i, auto end, typename R::Vector& sum, typename R::Vector& products) {
    typename R::Vector gradient = R::load(g + i), d = R::load(x + i) - means[r];
    if constexpr (scaled) R::store(y + i, gradient * factors[r]);
    if constexpr (end) {
      gradient = left ? gradient : typename R::Vector{};
      d = left ? d : typename R::Vector{};
    }
    sum += gradient;
    products += gradient * d;
  });
}

template <class T>
void productsOfRuns(const T* g, const T* x, Runs runs, Index images, const T* means, T* parts) {
  productsOfEach<false, T>(g, x, runs, images, means, parts, nullptr, nullptr);
}

template <class T>
void productsAndScaleOfRuns(const T* g, const T* x, Runs runs, Index images, const T* means, T* parts, const T* factors, T* y) {
  productsOfEach<true>(g, x, runs, images, means, parts, factors, y);
}

// Calls body(first, number as a constant), so many at a time that their sums fold together.
template <class Body>
void inFours(Index count, Body body) {
  Index r = 0;
  for (; r + 4 <= count; r += 4) body(r, std::integral_constant<int, 4>());
  for (; r < count; ++r) body(r, std::integral_constant<int, 1>());
}

template <class T>
void totalsOfParts(const T* parts, Index count, T* first, T* second) {
  using R = Register<T>;
  inFours(count, [=](Index run, auto some) {
    typename R::Vector v[2 * some];
    T all[2 * some];
    for (int i = 0; i < 2 * some; ++i) v[i] = R::load(parts + (2 * run + i) * R::lanes);
    R::template totals<2 * some>(v, all);
    for (int r = 0; r < some; ++r) {
      first[run + r] = all[2 * r];
      second[run + r] = all[2 * r + 1];
    }
  });
}

template <class T>
void beginnings(const T* x, Index length, Index count, T* means) {
  using R = Register<T>;
  constexpr int few = 16;
  inFours(count, [=](Index run, auto some) {
    typename R::Vector v[some];
    for (int r = 0; r < some; ++r) {
      const T* from = x + (run + r) * length;
      v[r] = R::load(from);
      for (int i = R::lanes; i < few; i += R::lanes) v[r] += R::load(from + i);
    }
    R::template totals<some>(v, means + run);
    for (int r = 0; r < some; ++r) means[run + r] *= T(1) / few;
  });
}

// Runs of one register at least: what whole registers leave is computed with the last lanes of what they gave, which was
// read before it is written, so that y may be x.
// valueOf(r) gives what computes a register of the run r.
template <class T, class ValueOf>
void eachOfRuns(Runs runs, Index images, T* y, ValueOf valueOf) {
  using R = Register<T>;
  for (Index image = 0; image < images; ++image)
    for (Index r = 0; r < runs.count; ++r) {
      const Index start = image * runs.stride + r * runs.length, end = start + runs.length;
      const auto value = valueOf(r);
      const typename R::Vector last = value(end - R::lanes);
      Index i = start;
      for (; i + R::lanes <= end; i += R::lanes) R::store(y + i, value(i));
      if (i < end) R::store(y + end - R::lanes, last);
    }
}

template <class T>
void scaleRuns(const T* x, Runs runs, Index images, const T* means, const T* factors, const T* offsets, T* y) {
  using R = Register<T>;
  eachOfRuns(runs, images, y, [=](Index r) {
    return [x, mean = R::filled(means[r]), factor = R::filled(factors[r]), offset = R::filled(offsets[r])](Index i) {
      return (R::load(x + i) - mean) * factor + offset;
    };
  });
}

template <class T>
void combineRuns(const T* g, const T* x, Runs runs, Index images, const T* means, const T* a, const T* b, const T* c, T* y) {
  using R = Register<T>;
  eachOfRuns(runs, images, y, [=](Index r) {
    return [g, x, mean = R::filled(means[r]), byG = R::filled(a[r]), byX = R::filled(b[r]), rest = R::filled(c[r])](Index i) {
      return R::load(g + i) * byG + ((R::load(x + i) - mean) * byX + rest);
    };
  });
}

}  // namespace

template <class T>
NormalizationKernels<T> normalizationKernels() {
  return {sum<T>,
          deviations<T>,
          scale<T>,
          products<T>,
          combine<T>,
          Register<T>::lanes,
          deviationsOfRuns<T>,
          productsOfRuns<T>,
          productsAndScaleOfRuns<T>,
          totalsOfParts<T>,
          beginnings<T>,
          scaleRuns<T>,
          combineRuns<T>};
}

template NormalizationKernels<float> normalizationKernels();
template NormalizationKernels<double> normalizationKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
