// Normalisation down the columns and along the rows of arrays; compiled once for every level of the processor. Some rows are
// worked on in turn, so that what belongs to the columns is fetched once for all of them.
#include "cpu/simd/normalization_rows.hpp"

#include "cpu/simd/normalization_register.hpp"
#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// The hardware does not see that the next rows will be wanted when this one ends.
template <class T>
DL_INLINE void fetchAhead(const T* x, Index i, Index ahead) {
  if (i % (64 / static_cast<Index>(sizeof(T))) == 0) __builtin_prefetch(x + ahead);
}

template <class T>
DL_INLINE void fetchToWrite(const T* y, Index i, Index ahead) {
  if (i % (64 / static_cast<Index>(sizeof(T))) == 0) __builtin_prefetch(y + ahead, 1);
}

// Calls body(first row, number of rows as a constant) for all rows, `together` or one at a time.
template <Index together = 4, class Body>
void inGroups(Index count, Body body) {
  Index r = 0;
  for (; r + together <= count; r += together) body(r, std::integral_constant<Index, together>());
  for (; r < count; ++r) body(r, std::integral_constant<Index, 1>());
}

// ---- down the columns --------------------------------------------------------------------------------------------------

// One number in place of a register, for columns that do not fill one.
template <class T>
struct Number {
  using Vector = T;
  static constexpr Index lanes = 1;
  static T load(const T* x) { return *x; }
  static void store(T* y, T value) { *y = value; }
};

// Calls body(register, number of registers as a constant, first column) for all columns, as many registers at a time as these
// numbers say, then one, then numbers.
template <class T, int... many, class Body>
void byColumns(Index length, Body body) {
  Index i = 0;
  const auto all = [&](auto width, auto count) {
    using Width = decltype(width);
    for (; i + count * Width::lanes <= length; i += count * Width::lanes) body(width, count, i);
  };
  (all(Register<T>(), std::integral_constant<int, many>()), ...);
  all(Register<T>(), std::integral_constant<int, 1>());
  all(Number<T>(), std::integral_constant<int, 1>());
}

// True when rows meet in the same lines of the first cache, so that few of them fit there at once.
template <class T>
bool meet(Rows rows) {
  return rows.stride * static_cast<Index>(sizeof(T)) % 4096 == 0;
}

// Two sums over each column; add(registers, number of the register in the row, its place, what belongs to its columns, sums...).
// Going down all rows of so many columns that their sums stay in registers costs less than going along the rows.
template <class T, class Add>
void sumDown(Rows rows, const T* numbers, T* first, T* second, Add add) {
  byColumns<T, 8, 4>(rows.length, [=](auto width, auto count, Index i) {
    using R = decltype(width);
    typename R::Vector number[count], a[count] = {}, b[count] = {};
    for (int k = 0; k < count; ++k) number[k] = R::load(numbers + i + k * R::lanes);
    for (Index r = 0, at = i; r < rows.count; ++r, at += rows.stride)
      for (int k = 0; k < count; ++k) add(width, k, at + k * R::lanes, number[k], a[k], b[k]);
    for (int k = 0; k < count; ++k) {
      R::store(first + i + k * R::lanes, a[k]);
      R::store(second + i + k * R::lanes, b[k]);
    }
  });
}

template <class T>
void deviationsDown(const T* x, Rows rows, const T* centres, T* sums, T* squares) {
  sumDown(rows, centres, sums, squares, [=](auto width, int k, Index at, auto centre, auto& sum, auto& square) {
    fetchAhead(x + at, k * width.lanes, 2 * rows.stride);
    const auto d = width.load(x + at) - centre;
    sum += d;
    square += d * d;
  });
}

template <class T>
void productsDown(const T* g, const T* x, Rows rows, const T* means, T* sums, T* products) {
  sumDown(rows, means, sums, products, [=](auto width, int k, Index at, auto mean, auto& sum, auto& product) {
    fetchAhead(x + at, k * width.lanes, 2 * rows.stride);
    fetchAhead(g + at, k * width.lanes, 2 * rows.stride);
    const auto gradient = width.load(g + at);
    sum += gradient;
    product += gradient * (width.load(x + at) - mean);
  });
}

// y = value(registers, place, first column) along two rows at a time.
template <class T, class Value>
void spreadDown(Rows rows, T* y, Value value) {
  const bool far = !meet<T>(rows);
  inGroups<2>(rows.count, [=](Index row, auto together) {
    byColumns<T>(rows.length, [=](auto width, auto, Index i) {
      const Index start = row * rows.stride + i;
      typename decltype(width)::Vector values[together];
      for (Index r = 0; r < together; ++r) {
        if (far) fetchToWrite(y + start + r * rows.stride, i, together * rows.stride);
        values[r] = value(width, start + r * rows.stride, i);
      }
      for (Index r = 0; r < together; ++r) width.store(y + start + r * rows.stride, values[r]);
    });
  });
}

template <class T>
void scaleDown(const T* x, Rows rows, const T* means, const T* factors, const T* offsets, T* y) {
  spreadDown(rows, y, [=](auto width, Index at, Index i) {
    return (width.load(x + at) - width.load(means + i)) * width.load(factors + i) + width.load(offsets + i);
  });
}

template <class T>
void combineDown(const T* g, const T* x, Rows rows, const T* means, const T* a, const T* b, const T* c, T* y) {
  spreadDown(rows, y, [=](auto width, Index at, Index i) {
    return width.load(g + at) * width.load(a + i) +
           ((width.load(x + at) - width.load(means + i)) * width.load(b + i) + width.load(c + i));
  });
}

template <class T>
void foldColumns(const T* sums, const T* products, Index n, T factor, const T* scale, T* offsets, T* scales, T* sum, T* product) {
  using R = Register<T>;
  Totals<T, 2, 1> totals;
  Index i = 0;
  for (; i + R::lanes <= n; i += R::lanes) {
    const auto by = R::load(scale + i), s = R::load(sums + i), p = R::load(products + i);
    R::store(offsets + i, R::load(offsets + i) + s);
    R::store(scales + i, R::load(scales + i) + p * factor);
    totals.part[0][0] += s * by;
    totals.part[1][0] += p * by;
  }
  for (; i < n; ++i) {
    offsets[i] += sums[i];
    scales[i] += products[i] * factor;
    totals.rest[0] += sums[i] * scale[i];
    totals.rest[1] += products[i] * scale[i];
  }
  *sum = totals.total(0);
  *product = totals.total(1);
}

// ---- along the rows ----------------------------------------------------------------------------------------------------

// Numbers of some rows, kept in registers: what is written might be one of them, for all that the compiler knows.
template <class T, int count>
struct RowNumbers {
  typename Register<T>::Vector of[count];
  explicit RowNumbers(const T* values) {
    for (int r = 0; r < count; ++r) of[r] = Register<T>::filled(values[r]);
  }
};

// Two sums over each of some rows: of the whole registers, and of what is left.
template <class T, int count>
struct RowSums {
  using Vector = typename Register<T>::Vector;
  Vector part[2 * count];
  T rest[2 * count];
  void clear() {
#pragma GCC unroll 8
    for (int s = 0; s < 2 * count; ++s) {
      part[s] = Vector{};
      rest[s] = 0;
    }
  }
  void totals(T* first, T* second) const {
    T all[2 * count];
    Register<T>::template totals<2 * count>(part, all);
    for (int r = 0; r < count; ++r) {
      first[r] = all[r] + rest[r];
      second[r] = all[count + r] + rest[count + r];
    }
  }
};

// One row after the other, as the hardware looks ahead, but all of them are added up together.
template <int count, class T>
DL_INLINE void deviationsOf(const T* x, Rows rows, const T* centres, T* sums, T* squares) {
  using R = Register<T>;
  using Vector = typename R::Vector;
  RowSums<T, count> all;
#pragma GCC unroll 4
  for (int r = 0; r < count; ++r, x += rows.stride) {
    const Vector centre = R::filled(centres[r]);
    Vector sum[2] = {}, square[2] = {};
    T lastSum = 0, lastSquare = 0;
    const auto add = [&](int way, Index i) {
      const Vector d = R::load(x + i) - centre;
      sum[way] += d;
      square[way] += d * d;
    };
    Index i = 0;
    for (; i + 2 * R::lanes <= rows.length; i += 2 * R::lanes) {
      add(0, i);
      add(1, i + R::lanes);
    }
    if (i + R::lanes <= rows.length) {
      add(0, i);
      i += R::lanes;
    }
    for (; i < rows.length; ++i) {
      const T d = x[i] - centres[r];
      lastSum += d;
      lastSquare += d * d;
    }
    all.rest[r] = lastSum;
    all.rest[count + r] = lastSquare;
    all.part[r] = sum[0] + sum[1];
    all.part[count + r] = square[0] + square[1];
  }
  all.totals(sums, squares);
}

template <class T>
void deviationsAlong(const T* x, Rows rows, const T* centres, T* sums, T* squares) {
  inGroups(rows.count, [=](Index row, auto count) {
    deviationsOf<count>(x + row * rows.stride, rows, centres + row, sums + row, squares + row);
  });
}

template <int count, class T>
DL_INLINE void scaleOf(const T* x, Rows rows, const T* means, const T* factors, const T* scale, const T* offset, T* y) {
  using R = Register<T>;
  const RowNumbers<T, count> mean(means), factor(factors);
  Index i = 0;
  for (; i + R::lanes <= rows.length; i += R::lanes) {
    const auto by = R::load(scale + i), plus = R::load(offset + i);
    for (Index r = 0; r < count; ++r) {
      const Index at = r * rows.stride + i;
      R::store(y + at, (R::load(x + at) - mean.of[r]) * factor.of[r] * by + plus);
    }
  }
  for (; i < rows.length; ++i)
    for (Index r = 0; r < count; ++r) {
      const Index at = r * rows.stride + i;
      y[at] = (x[at] - means[r]) * factors[r] * scale[i] + offset[i];
    }
}

template <class T>
void scaleAlong(const T* x, Rows rows, const T* means, const T* factors, const T* scale, const T* offset, T* y) {
  inGroups<2>(rows.count, [=](Index row, auto count) {
    const Index start = row * rows.stride;
    scaleOf<count>(x + start, rows, means + row, factors + row, scale, offset, y + start);
  });
}

template <int count, class T>
DL_INLINE void productsOf(const T* g, const T* x, Rows rows, const T* means, const T* factors, const T* scale, T* offsets,
                          T* scales, T* sums, T* products) {
  using R = Register<T>;
  RowSums<T, count> all;
  all.clear();
  const RowNumbers<T, count> mean(means), factor(factors);
  Index i = 0;
  for (; i + R::lanes <= rows.length; i += R::lanes) {
    const auto by = R::load(scale + i);
    auto offsetSum = R::load(offsets + i), scaleSum = R::load(scales + i);
    for (Index r = 0; r < count; ++r) {
      const Index at = r * rows.stride + i;
      fetchAhead(x + at, i, count * rows.stride);
      fetchAhead(g + at, i, count * rows.stride);
      const auto gradient = R::load(g + at), product = gradient * (R::load(x + at) - mean.of[r]);
      offsetSum += gradient;
      scaleSum += product * factor.of[r];
      all.part[r] += gradient * by;
      all.part[count + r] += product * by;
    }
    R::store(offsets + i, offsetSum);
    R::store(scales + i, scaleSum);
  }
  for (; i < rows.length; ++i)
    for (Index r = 0; r < count; ++r) {
      const Index at = r * rows.stride + i;
      const T product = g[at] * (x[at] - means[r]);
      offsets[i] += g[at];
      scales[i] += product * factors[r];
      all.rest[r] += g[at] * scale[i];
      all.rest[count + r] += product * scale[i];
    }
  all.totals(sums, products);
}

template <class T>
void productsAlong(const T* g, const T* x, Rows rows, const T* means, const T* factors, const T* scale, T* offsets, T* scales,
                   T* sums, T* products) {
  inGroups(rows.count, [=](Index row, auto count) {
    const Index start = row * rows.stride;
    productsOf<count>(g + start, x + start, rows, means + row, factors + row, scale, offsets, scales, sums + row, products + row);
  });
}

template <int count, class T>
DL_INLINE void combineOf(const T* g, const T* x, Rows rows, const T* means, const T* scale, const T* a, const T* b, const T* c,
                         T* y) {
  using R = Register<T>;
  const RowNumbers<T, count> mean(means), byG(a), byX(b), rest(c);
  Index i = 0;
  for (; i + R::lanes <= rows.length; i += R::lanes) {
    const auto by = R::load(scale + i);
    for (Index r = 0; r < count; ++r) {
      const Index at = r * rows.stride + i;
      R::store(y + at, R::load(g + at) * by * byG.of[r] + ((R::load(x + at) - mean.of[r]) * byX.of[r] + rest.of[r]));
    }
  }
  for (; i < rows.length; ++i)
    for (Index r = 0; r < count; ++r) {
      const Index at = r * rows.stride + i;
      y[at] = g[at] * scale[i] * a[r] + ((x[at] - means[r]) * b[r] + c[r]);
    }
}

template <class T>
void combineAlong(const T* g, const T* x, Rows rows, const T* means, const T* scale, const T* a, const T* b, const T* c, T* y) {
  inGroups<1>(rows.count, [=](Index row, auto count) {
    const Index start = row * rows.stride;
    combineOf<count>(g + start, x + start, rows, means + row, scale, a + row, b + row, c + row, y + start);
  });
}

// ---- what the sums say -------------------------------------------------------------------------------------------------

template <class T>
void addUp(const T* from, Index n, double* __restrict to) {
  for (Index i = 0; i < n; ++i) to[i] += static_cast<double>(from[i]);
}

template <class T>
DL_INLINE Index moments(Index n, double count, double epsilon, const T* centres, const double* sums, const double* squares,
                        T* __restrict means, T* __restrict variances, T* __restrict factors) {
  Index cancelled = 0;
  const double share = 1 / count;
  for (Index k = 0; k < n; ++k) {
    const double shift = sums[k] * share, lost = shift * sums[k], rest = squares[k] - lost;
    means[k] = static_cast<T>(static_cast<double>(centres[k]) + shift);
    variances[k] = static_cast<T>((rest < 0 ? 0 : rest) * share);
    factors[k] = static_cast<T>(1 / __builtin_sqrt(static_cast<double>(variances[k]) + epsilon));
    cancelled += lost > 0.9 * squares[k] ? 1 : 0;
  }
  return cancelled;
}

template <class T>
void inverseDeviations(Index n, double epsilon, const T* variances, T* __restrict factors) {
  for (Index k = 0; k < n; ++k) factors[k] = static_cast<T>(1 / __builtin_sqrt(static_cast<double>(variances[k]) + epsilon));
}

template <class T>
DL_INLINE void combinations(Index n, double count, double epsilon, const T* variances, const T* scale, const double* sums,
                            double* __restrict products, T* __restrict a, T* __restrict b, T* __restrict c) {
  for (Index k = 0; k < n; ++k) {
    const double factor = 1 / __builtin_sqrt(static_cast<double>(variances[k]) + epsilon), s = static_cast<double>(scale[k]);
    products[k] *= factor;
    a[k] = static_cast<T>(factor * s);
    b[k] = static_cast<T>(-factor * factor * s * products[k] / count);
    c[k] = static_cast<T>(-factor * s * sums[k] / count);
  }
}

// ---- rows that are normalised each for itself --------------------------------------------------------------------------

// So many at a time that what they read and write stays in the first cache.
template <class T, Index many, Index few, class Body>
void inCachedGroups(Rows rows, Index arrays, Body body) {
  constexpr Index cached = 24576;
  if (many * arrays * rows.length * static_cast<Index>(sizeof(T)) <= cached)
    inGroups<many>(rows.count, body);
  else
    inGroups<few>(rows.count, body);
}

template <class T>
void normalizeEach(const T* x, Rows rows, double epsilon, const T* scale, const T* offset, T* means, T* variances, T* y) {
  inCachedGroups<T, 4, 1>(rows, 2, [=](Index row, auto count) {
    const T* from = x + row * rows.stride;
    const auto n = static_cast<double>(rows.length);
    T centres[count], sums[2][count], factors[count];
    double exact[2][count];
    const auto collect = [&] {
      deviationsOf<count>(from, rows, centres, sums[0], sums[1]);
      for (const int s : {0, 1})
        for (int r = 0; r < count; ++r) exact[s][r] = static_cast<double>(sums[s][r]);
      return moments(count, n, epsilon, centres, exact[0], exact[1], means + row, variances + row, factors);
    };
    for (int r = 0; r < count; ++r) centres[r] = from[r * rows.stride];
    if (collect() > 0) {
      for (int r = 0; r < count; ++r)
        if (exact[0][r] / n * exact[0][r] > 0.9 * exact[1][r]) centres[r] = means[row + r];
      collect();
    }
    scaleOf<count>(from, rows, means + row, factors, scale, offset, y + row * rows.stride);
  });
}

template <class T>
void gradientEach(const T* g, const T* x, Rows rows, double epsilon, const T* scale, const T* means, const T* variances,
                  T* offsets, T* scales, T* dx) {
  inCachedGroups<T, 4, 2>(rows, 3, [=](Index row, auto count) {
    const Index start = row * rows.stride;
    T factors[count], sums[2][count], ones[count], a[count], b[count], c[count];
    double exact[2][count];
    inverseDeviations(count, epsilon, variances + row, factors);
    productsOf<count>(g + start, x + start, rows, means + row, factors, scale, offsets, scales, sums[0], sums[1]);
    if (!dx) return;
    for (int r = 0; r < count; ++r) {
      exact[0][r] = static_cast<double>(sums[0][r]);
      exact[1][r] = static_cast<double>(sums[1][r]);
      ones[r] = 1;
    }
    combinations(count, static_cast<double>(rows.length), epsilon, variances + row, ones, exact[0], exact[1], a, b, c);
    combineOf<count>(g + start, x + start, rows, means + row, scale, a, b, c, dx + start);
  });
}

}  // namespace

template <class T>
NormalizationRowKernels<T> normalizationRowKernels() {
  return {deviationsDown<T>, productsDown<T>,  scaleDown<T>,         combineDown<T>,   foldColumns<T>,  deviationsAlong<T>,
          scaleAlong<T>,     productsAlong<T>, combineAlong<T>,      normalizeEach<T>, gradientEach<T>, addUp<T>,
          addUp<double>,     moments<T>,       inverseDeviations<T>, combinations<T>};
}

template NormalizationRowKernels<float> normalizationRowKernels();
template NormalizationRowKernels<double> normalizationRowKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
