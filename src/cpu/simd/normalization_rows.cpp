// Normalisation down the columns and along the rows of arrays; compiled once for every level of the processor. Some rows are
// worked on in turn, so that what belongs to the columns is fetched once for all of them.
#include "cpu/simd/normalization_rows.hpp"

#include "cpu/simd/normalization_register.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// The hardware does not see that the next rows will be wanted when this one ends.
template <class T>
void fetchAhead(const T* x, Index i, Index ahead) {
  if (i % (64 / static_cast<Index>(sizeof(T))) == 0) __builtin_prefetch(x + i + ahead);
}

template <class T>
void fetchToWrite(const T* y, Index i, Index ahead) {
  if (i % (64 / static_cast<Index>(sizeof(T))) == 0) __builtin_prefetch(y + i + ahead, 1);
}

// Calls body(first row, number of rows as a constant) for all rows, `together` or one at a time.
template <Index together = 4, class Body>
void inGroups(Index count, Body body) {
  Index r = 0;
  for (; r + together <= count; r += together) body(r, std::integral_constant<Index, together>());
  for (; r < count; ++r) body(r, std::integral_constant<Index, 1>());
}

// ---- down the columns --------------------------------------------------------------------------------------------------

// True when rows meet in the same lines of the first cache, so that few of them fit there at once.
template <class T>
bool meet(Rows rows) {
  return rows.stride * static_cast<Index>(sizeof(T)) % 4096 == 0;
}

// Two sums over each column; add(element, column, load, sums...) with `load` for registers or for numbers.
template <Index together, class T, class Add>
void sumDownIn(Rows rows, T* first, T* second, Add add) {
  using R = Register<T>;
  for (Index i = 0; i < rows.length; ++i) first[i] = second[i] = 0;
  inGroups<together>(rows.count, [&](Index row, auto count) {
    const Index start = row * rows.stride;
    Index i = 0;
    for (; i + R::lanes <= rows.length; i += R::lanes) {
      auto a = R::load(first + i), b = R::load(second + i);
      for (Index r = 0; r < count; ++r) add(start + r * rows.stride, i, R::load, a, b);
      R::store(first + i, a);
      R::store(second + i, b);
    }
    for (; i < rows.length; ++i)
      for (Index r = 0; r < count; ++r)
        add(
            start + r * rows.stride, i, [](const T* x) { return *x; }, first[i], second[i]);
  });
}

template <class T>
void deviationsDown(const T* x, Rows rows, const T* centres, T* sums, T* squares) {
  sumDownIn<4>(rows, sums, squares, [=](Index from, Index i, auto load, auto& sum, auto& square) {
    fetchAhead(x + from, i, 4 * rows.stride);
    const auto d = load(x + from + i) - load(centres + i);
    sum += d;
    square += d * d;
  });
}

template <class T>
void productsDown(const T* g, const T* x, Rows rows, const T* means, T* sums, T* products) {
  const auto in = [=](auto together) {
    sumDownIn<together>(rows, sums, products, [=](Index from, Index i, auto load, auto& sum, auto& product) {
      if constexpr (together == 4) {
        fetchAhead(x + from, i, 4 * rows.stride);
        fetchAhead(g + from, i, 4 * rows.stride);
      }
      const auto gradient = load(g + from + i);
      sum += gradient;
      product += gradient * (load(x + from + i) - load(means + i));
    });
  };
  meet<T>(rows) ? in(std::integral_constant<Index, 2>()) : in(std::integral_constant<Index, 4>());
}

template <class T>
void scaleDown(const T* x, Rows rows, const T* means, const T* factors, const T* offsets, T* y) {
  using R = Register<T>;
  for (Index row = 0; row < rows.count; ++row, x += rows.stride, y += rows.stride) {
    Index i = 0;
    for (; i + R::lanes <= rows.length; i += R::lanes) {
      fetchToWrite(y, i, rows.stride);
      R::store(y + i, (R::load(x + i) - R::load(means + i)) * R::load(factors + i) + R::load(offsets + i));
    }
    for (; i < rows.length; ++i) y[i] = (x[i] - means[i]) * factors[i] + offsets[i];
  }
}

template <class T>
void combineDown(const T* g, const T* x, Rows rows, const T* means, const T* a, const T* b, const T* c, T* y) {
  using R = Register<T>;
  for (Index row = 0; row < rows.count; ++row, g += rows.stride, x += rows.stride, y += rows.stride) {
    Index i = 0;
    for (; i + R::lanes <= rows.length; i += R::lanes) {
      fetchToWrite(y, i, rows.stride);
      R::store(y + i,
               R::load(g + i) * R::load(a + i) + ((R::load(x + i) - R::load(means + i)) * R::load(b + i) + R::load(c + i)));
    }
    for (; i < rows.length; ++i) y[i] = g[i] * a[i] + ((x[i] - means[i]) * b[i] + c[i]);
  }
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

template <class T>
void deviationsAlong(const T* x, Rows rows, const T* centres, T* sums, T* squares) {
  using R = Register<T>;
  inGroups(rows.count, [=](Index row, auto count) {
    Totals<T, 2 * count, 1> totals;
    const RowNumbers<T, count> centre(centres + row);
    const T* from = x + row * rows.stride;
    Index i = 0;
    for (; i + R::lanes <= rows.length; i += R::lanes)
      for (Index r = 0; r < count; ++r) {
        const auto d = R::load(from + r * rows.stride + i) - centre.of[r];
        totals.part[2 * r][0] += d;
        totals.part[2 * r + 1][0] += d * d;
      }
    for (; i < rows.length; ++i)
      for (Index r = 0; r < count; ++r) {
        const T d = from[r * rows.stride + i] - centres[row + r];
        totals.rest[2 * r] += d;
        totals.rest[2 * r + 1] += d * d;
      }
    for (Index r = 0; r < count; ++r) {
      sums[row + r] = totals.total(static_cast<int>(2 * r));
      squares[row + r] = totals.total(static_cast<int>(2 * r + 1));
    }
  });
}

template <class T>
void scaleAlong(const T* x, Rows rows, const T* means, const T* factors, const T* scale, const T* offset, T* y) {
  using R = Register<T>;
  inGroups(rows.count, [=](Index row, auto count) {
    const T* from = x + row * rows.stride;
    T* to = y + row * rows.stride;
    const RowNumbers<T, count> mean(means + row), factor(factors + row);
    Index i = 0;
    for (; i + R::lanes <= rows.length; i += R::lanes) {
      const auto by = R::load(scale + i), plus = R::load(offset + i);
      for (Index r = 0; r < count; ++r) {
        const Index at = r * rows.stride + i;
        R::store(to + at, (R::load(from + at) - mean.of[r]) * factor.of[r] * by + plus);
      }
    }
    for (; i < rows.length; ++i)
      for (Index r = 0; r < count; ++r) {
        const Index at = r * rows.stride + i;
        to[at] = (from[at] - means[row + r]) * factors[row + r] * scale[i] + offset[i];
      }
  });
}

template <class T>
void productsAlong(const T* g, const T* x, Rows rows, const T* means, const T* factors, const T* scale, T* offsets, T* scales,
                   T* sums, T* products) {
  using R = Register<T>;
  inGroups(rows.count, [=](Index row, auto count) {
    Totals<T, 2 * count, 1> totals;
    const RowNumbers<T, count> mean(means + row), factor(factors + row);
    const Index start = row * rows.stride;
    Index i = 0;
    for (; i + R::lanes <= rows.length; i += R::lanes) {
      const auto by = R::load(scale + i);
      auto offsetSum = R::load(offsets + i), scaleSum = R::load(scales + i);
      for (Index r = 0; r < count; ++r) {
        const Index at = start + r * rows.stride + i;
        const auto gradient = R::load(g + at), d = R::load(x + at) - mean.of[r], scaled = gradient * by;
        offsetSum += gradient;
        scaleSum += gradient * d * factor.of[r];
        totals.part[2 * r][0] += scaled;
        totals.part[2 * r + 1][0] += scaled * d;
      }
      R::store(offsets + i, offsetSum);
      R::store(scales + i, scaleSum);
    }
    for (; i < rows.length; ++i)
      for (Index r = 0; r < count; ++r) {
        const Index at = start + r * rows.stride + i;
        const T d = x[at] - means[row + r], scaled = scale[i] * g[at];
        offsets[i] += g[at];
        scales[i] += g[at] * d * factors[row + r];
        totals.rest[2 * r] += scaled;
        totals.rest[2 * r + 1] += scaled * d;
      }
    for (Index r = 0; r < count; ++r) {
      sums[row + r] = totals.total(static_cast<int>(2 * r));
      products[row + r] = totals.total(static_cast<int>(2 * r + 1));
    }
  });
}

template <class T>
void combineAlong(const T* g, const T* x, Rows rows, const T* means, const T* scale, const T* a, const T* b, const T* c, T* y) {
  using R = Register<T>;
  inGroups(rows.count, [=](Index row, auto count) {
    const Index start = row * rows.stride;
    const RowNumbers<T, count> mean(means + row), byG(a + row), byX(b + row), rest(c + row);
    Index i = 0;
    for (; i + R::lanes <= rows.length; i += R::lanes) {
      const auto by = R::load(scale + i);
      for (Index r = 0; r < count; ++r) {
        const Index at = start + r * rows.stride + i;
        R::store(y + at, R::load(g + at) * by * byG.of[r] + ((R::load(x + at) - mean.of[r]) * byX.of[r] + rest.of[r]));
      }
    }
    for (; i < rows.length; ++i)
      for (Index r = 0; r < count; ++r) {
        const Index at = start + r * rows.stride + i;
        y[at] = g[at] * scale[i] * a[row + r] + ((x[at] - means[row + r]) * b[row + r] + c[row + r]);
      }
  });
}

// ---- what the sums say -------------------------------------------------------------------------------------------------

template <class T>
void addUp(const T* from, Index n, double* __restrict to) {
  for (Index i = 0; i < n; ++i) to[i] += static_cast<double>(from[i]);
}

template <class T>
Index moments(Index n, double count, double epsilon, const T* centres, const double* sums, const double* squares,
              T* __restrict means, T* __restrict variances, T* __restrict factors) {
  Index cancelled = 0;
  for (Index k = 0; k < n; ++k) {
    const double shift = sums[k] / count, lost = shift * sums[k], rest = squares[k] - lost;
    means[k] = static_cast<T>(static_cast<double>(centres[k]) + shift);
    variances[k] = static_cast<T>((rest < 0 ? 0 : rest) / count);
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
void combinations(Index n, double count, double epsilon, const T* variances, const T* scale, const double* sums,
                  double* __restrict products, T* __restrict a, T* __restrict b, T* __restrict c) {
  for (Index k = 0; k < n; ++k) {
    const double factor = 1 / __builtin_sqrt(static_cast<double>(variances[k]) + epsilon), s = static_cast<double>(scale[k]);
    products[k] *= factor;
    a[k] = static_cast<T>(factor * s);
    b[k] = static_cast<T>(-factor * factor * s * products[k] / count);
    c[k] = static_cast<T>(-factor * s * sums[k] / count);
  }
}

}  // namespace

template <class T>
NormalizationRowKernels<T> normalizationRowKernels() {
  return {deviationsDown<T>, productsDown<T>,      scaleDown<T>,    combineDown<T>, deviationsAlong<T>,
          scaleAlong<T>,     productsAlong<T>,     combineAlong<T>, addUp<T>,       addUp<double>,
          moments<T>,        inverseDeviations<T>, combinations<T>};
}

template NormalizationRowKernels<float> normalizationRowKernels();
template NormalizationRowKernels<double> normalizationRowKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
