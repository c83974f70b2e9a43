// Windows along the first dimension; compiled once for every level of the processor.
#include "cpu/simd/pooling_register.hpp"

#include <cstddef>
#include <limits>

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// What happens to the elements of a window, for one window and for a register of them.
template <class T, bool withNaN>
struct Max {
  using Result = T;
  static constexpr T nothing = -std::numeric_limits<T>::infinity();
  struct One {
    T best;
    One(T v, PoolCode<T>) : best(v) {}
    void take(T v, PoolCode<T>) { best = ((v > best) | (v != v)) ? v : best; }
    T result() const { return best; }
  };
  template <class R>
  struct Many {
    typename R::Vector best;
    void begin(typename R::Vector v) { best = v; }
    void take(typename R::Vector v) {
      if constexpr (withNaN)
        best = ((v > best) | (v != v)) ? v : best;
      else
        best = v > best ? v : best;
    }
    typename R::Vector result() const { return best; }
  };
};

template <class T, bool withNaN>
struct MaxCode {
  using Result = PoolCode<T>;
  struct One {
    T best;
    PoolCode<T> at;
    One(T v, PoolCode<T> code) : best(v), at(code) {}
    void take(T v, PoolCode<T> code) {
      const bool larger = (v > best) | ((v != v) & (best == best));
      best = larger ? v : best;
      at = larger ? code : at;
    }
    PoolCode<T> result() const { return at; }
  };
  template <class R>
  struct Many {
    typename R::Vector best;
    typename R::Codes at, code;
    void begin(typename R::Vector v) {
      best = v;
      at = code = typename R::Codes{};
    }
    void take(typename R::Vector v) {
      code += 1;
      typename R::Codes larger = v > best;
      if constexpr (withNaN) larger |= (v != v) & (best == best);
      best = larger ? v : best;
      at = larger ? code : at;
    }
    typename R::Codes result() const { return at; }
  };
};

template <class T>
struct Sum {
  using Result = T;
  static constexpr T nothing = 0;
  struct One {
    T sum;
    One(T v, PoolCode<T>) : sum(v) {}
    void take(T v, PoolCode<T>) { sum += v; }
    T result() const { return sum; }
  };
  template <class R>
  struct Many {
    typename R::Vector sum;
    void begin(typename R::Vector v) { sum = v; }
    void take(typename R::Vector v) { sum += v; }
    typename R::Vector result() const { return sum; }
  };
};

// One window after the other: those that stick out, and rows that are shorter than a register.
template <class Kind, class T>
void windows(const T* x, const Index* columns, Index count, const PoolAxis& axis, Index begin, Index end,
             typename Kind::Result* y) {
  for (Index i = begin; i < end; ++i) {
    const Index start = i * axis.stride - axis.before;
    const Index first = start < 0 ? -start : 0, last = start + axis.window > axis.in ? axis.in - start : axis.window;
    const auto code = [&](Index c, Index offset) { return static_cast<PoolCode<T>>(c * axis.window + offset); };
    typename Kind::One one(x[columns[0] + start + first], code(0, first));
    for (Index a = first + 1; a < last; ++a) one.take(x[columns[0] + start + a], code(0, a));
    for (Index c = 1; c < count; ++c)
      for (Index a = first; a < last; ++a) one.take(x[columns[c] + start + a], code(c, a));
    y[i] = one.result();
  }
}

// `fixed` is the window where it is one of the usual ones, so that the loop over it dissolves, else 0.
template <class Kind, class R, int stride, int fixed, class T>
[[gnu::always_inline]] inline void insideRow(const T* x, const Index* columns, Index count, const PoolRows& rows,
                                             typename Kind::Result* y) {
  const Index window = fixed ? fixed : rows.axis.window;
  const T* from = x - rows.axis.before;
  for (Index i = rows.begin; i < rows.end; i += R::lanes) {
    // The last register overlaps the one before it.
    const Index at = i + R::lanes <= rows.end ? i : rows.end - R::lanes;
    const T* here = from + at * stride;
    typename Kind::template Many<R> many;
    many.begin(R::template loadEach<stride>(here + columns[0]));
    for (Index a = 1; a < window; ++a) many.take(R::template loadEach<stride>(here + columns[0] + a));
    for (Index c = 1; c < count; ++c)
      for (Index a = 0; a < window; ++a) many.take(R::template loadEach<stride>(here + columns[c] + a));
    R::store(y + at, many.result());
  }
}

// True where taking the columns together first saves doing it once for every place in the window. The windows of what is left
// need not stick out: it has room for what adds nothing.
template <class Kind, class T>
bool joins(const PoolRows& rows) {
  return std::is_same_v<T, typename Kind::Result> && rows.count > 1 && rows.axis.window > rows.axis.stride;
}

// Each row of the array under a row of windows made one by Kind, into scratch. True when there was a NaN, for a Kind that passes
// over it.
template <class Kind, class R, class T>
bool joinColumns(const T* x, const PoolRows& rows, T* scratch) {
  const Index n = rows.axis.in;
  typename R::Codes found{};
  const auto look = [&](typename R::Vector v) {
    if constexpr (std::is_same_v<Kind, Max<T, false>>) found |= v != v;
    return v;
  };
  for (Index i = 0; i < n; i += R::lanes) {
    const Index at = i + R::lanes <= n ? i : n - R::lanes;
    typename Kind::template Many<R> many;
    many.begin(look(R::load(x + rows.columns[0] + at)));
    for (Index c = 1; c < rows.count; ++c) many.take(look(R::load(x + rows.columns[c] + at)));
    R::store(scratch + at, many.result());
  }
  bool any = false;
  if constexpr (std::is_same_v<Kind, Max<T, false>>)
    for (Index lane = 0; lane < R::lanes; ++lane) any |= found[lane] != 0;
  return any;
}

template <class Kind, class R, int stride, int fixed, class T>
[[gnu::always_inline]] inline void poolRow(const T* x, const Index* columns, Index count, const PoolRows& rows,
                                           typename Kind::Result* y) {
  if (rows.begin > 0) windows<Kind>(x, columns, count, rows.axis, 0, rows.begin, y);
  insideRow<Kind, R, stride, fixed>(x, columns, count, rows, y);
  if (rows.end < rows.axis.out) windows<Kind>(x, columns, count, rows.axis, rows.end, rows.axis.out, y);
}

template <class Kind, class R, int stride, int fixed, class T>
void poolWith(const T* x, const PoolRows& rows, T* scratch, typename Kind::Result* y) {
  if (!joins<Kind, T>(rows)) {
    for (Index r = 0; r < rows.rows; ++r, x += rows.xStep, y += rows.yStep)
      poolRow<Kind, R, stride, fixed>(x, rows.columns, rows.count, rows, y);
    return;
  }
  if constexpr (std::is_same_v<T, typename Kind::Result>) {
    constexpr Index first = 0;
    PoolRows inside = rows;
    inside.begin = 0;
    inside.end = rows.axis.out;
    inside.axis.before = 0;
    inside.axis.in = joinedLength(rows.axis);
    T* const joined = scratch + rows.axis.before;
    for (Index i = 0; i < inside.axis.in; ++i) scratch[i] = Kind::nothing;
    for (Index r = 0; r < rows.rows; ++r, x += rows.xStep, y += rows.yStep) {
      if constexpr (std::is_same_v<Kind, Max<T, true>>)
        if (!joinColumns<Max<T, false>, R>(x, rows, joined)) {
          insideRow<Max<T, false>, R, stride, fixed>(scratch, &first, 1, inside, y);
          continue;
        }
      joinColumns<Kind, R>(x, rows, joined);
      insideRow<Kind, R, stride, fixed>(scratch, &first, 1, inside, y);
    }
  }
}

template <class Kind, class R, class T>
void poolWith(const T* x, const PoolRows& rows, T* scratch, typename Kind::Result* y) {
  const bool dense = rows.axis.stride == 1;
  switch (rows.axis.window) {
    case 2:
      return dense ? poolWith<Kind, R, 1, 2>(x, rows, scratch, y) : poolWith<Kind, R, 2, 2>(x, rows, scratch, y);
    case 3:
      return dense ? poolWith<Kind, R, 1, 3>(x, rows, scratch, y) : poolWith<Kind, R, 2, 3>(x, rows, scratch, y);
    default:
      return dense ? poolWith<Kind, R, 1, 0>(x, rows, scratch, y) : poolWith<Kind, R, 2, 0>(x, rows, scratch, y);
  }
}

// With the widest registers that a row fills.
template <class Kind, class T, int bytes = widest>
void pool(const T* x, const PoolRows& rows, T* scratch, typename Kind::Result* y) {
  if constexpr (bytes < 16) {
    for (Index r = 0; r < rows.rows; ++r)
      windows<Kind>(x + r * rows.xStep, rows.columns, rows.count, rows.axis, 0, rows.axis.out, y + r * rows.yStep);
  } else {
    using R = Register<T, bytes>;
    const Index shorter = rows.axis.out < rows.axis.in ? rows.axis.out : rows.axis.in;
    const Index row = joins<Kind, T>(rows) ? shorter : rows.end - rows.begin;
    if (row < R::lanes || rows.axis.stride > 2) return pool<Kind, T, bytes / 2>(x, rows, scratch, y);
    poolWith<Kind, R>(x, rows, scratch, y);
  }
}

template <class T>
void max(const T* x, const PoolRows& rows, T* scratch, T* y) {
  pool<Max<T, true>>(x, rows, scratch, y);
}

template <class T>
void maxCodes(const T* x, const PoolRows& rows, bool withNaN, PoolCode<T>* codes) {
  if (withNaN)
    pool<MaxCode<T, true>>(x, rows, static_cast<T*>(nullptr), codes);
  else
    pool<MaxCode<T, false>>(x, rows, static_cast<T*>(nullptr), codes);
}

template <class T>
void mean(const T* x, const PoolRows& rows, const T* shares, T share, T* scratch, T* y) {
  pool<Sum<T>>(x, rows, scratch, y);
  for (Index r = 0; r < rows.rows; ++r, y += rows.yStep)
    for (Index i = 0; i < rows.axis.out; ++i) y[i] *= share * shares[i];
}

template <class T>
bool holdsNaN(const T* x, Index n) {
  using R = Register<T, widest>;
  constexpr int ways = 4;
  typename R::Codes found{};
  Index i = 0;
  for (; i + ways * R::lanes <= n; i += ways * R::lanes)
    for (int w = 0; w < ways; ++w) {
      const typename R::Vector v = R::load(x + i + w * R::lanes);
      found |= v != v;
    }
  bool any = false;
  for (; i < n; ++i) any |= x[i] != x[i];
  for (Index lane = 0; lane < R::lanes; ++lane) any |= found[lane] != 0;
  return any;
}

// ---- the way back ------------------------------------------------------------------------------------------------------

// One row of results and one column of the array: registers hold the gradient of each place in the window. Each takes the
// gradients with its code, counted from `first`, or all of them where there are no codes.
template <class R, int stride, int window, bool coded, class T>
void spreadColumn(const PoolCode<T>* codes, const T* g, Index n, PoolCode<T> first, T* x) {
  using Vector = typename R::Vector;
  constexpr int carried = (window - 1) / stride;  // how many windows further on the last place of a window lies
  Vector before[window] = {};
  for (Index i = 0; i < n + carried; i += R::lanes) {
    const Vector all = R::load(g + i);
    Vector places[window];
    for (int a = 0; a < window; ++a) {
      places[a] = all;
      if constexpr (coded) {
        const typename R::Codes wanted = typename R::Codes{} + static_cast<PoolCode<T>>(first + a);
        places[a] = R::loadCodes(codes + i) == wanted ? all : Vector{};
      }
    }
    const JoinedPlaces<R, stride, window> joined(places, before);
    R::template interleave<stride>(joined.sums, [&](Vector v, Index at) { R::add(x + i * stride + at, v); });
  }
}

template <int bytes, int stride, int window, bool coded, class T>
void spreadRows(const PoolCode<T>* codes, const T* g, const PoolRows& rows, T* scratch, T* x) {
  const Index n = rows.axis.out, step = codesStep(rows.axis);
  for (Index i = n; i < step; ++i) scratch[i] = 0;  // registers reach behind the end
  for (Index r = 0; r < rows.rows; ++r, g += rows.yStep, x += rows.xStep) {
    for (Index i = 0; i < n; ++i) scratch[i] = g[i];
    for (Index c = 0; c < rows.count; ++c)
      spreadColumn<Register<T, bytes>, stride, window, coded>(coded ? codes + r * step : nullptr, scratch, n,
                                                              static_cast<PoolCode<T>>(c * window), x + rows.columns[c]);
  }
}

template <int stride, int window, bool coded, class T>
void spreadRows(const PoolCode<T>* codes, const T* g, const PoolRows& rows, T* scratch, T* x) {
  if (rows.axis.out * static_cast<Index>(sizeof(T)) <= 16)
    spreadRows<16, stride, window, coded>(codes, g, rows, scratch, x);
  else if (rows.axis.out * static_cast<Index>(sizeof(T)) <= 32 || widest < 64)
    spreadRows<(widest < 32 ? widest : 32), stride, window, coded>(codes, g, rows, scratch, x);
  else
    spreadRows<widest, stride, window, coded>(codes, g, rows, scratch, x);
}

// False for windows that there is no kernel for.
template <bool coded, class T>
bool spreadUsual(const PoolCode<T>* codes, const T* g, const PoolRows& rows, T* scratch, T* x) {
  const auto is = [&](Index window, Index stride) { return rows.axis.window == window && rows.axis.stride == stride; };
  if (is(2, 2))
    spreadRows<2, 2, coded>(codes, g, rows, scratch, x);
  else if (is(3, 2))
    spreadRows<2, 3, coded>(codes, g, rows, scratch, x);
  else if (is(2, 1))
    spreadRows<1, 2, coded>(codes, g, rows, scratch, x);
  else if (is(3, 1))
    spreadRows<1, 3, coded>(codes, g, rows, scratch, x);
  else if (is(1, 1))
    spreadRows<1, 1, coded>(codes, g, rows, scratch, x);
  else
    return false;
  return true;
}

template <class T>
void spreadByCodes(const PoolCode<T>* codes, const T* g, const PoolRows& rows, T* scratch, T* x) {
  if (spreadUsual<true>(codes, g, rows, scratch, x)) return;
  const PoolAxis& axis = rows.axis;
  for (Index r = 0; r < rows.rows; ++r, codes += codesStep(axis), g += rows.yStep, x += rows.xStep)
    for (Index i = 0; i < axis.out; ++i)
      x[rows.columns[codes[i] / axis.window] + i * axis.stride + codes[i] % axis.window] += g[i];
}

template <class T>
void spread(const T* g, const PoolRows& rows, T* scratch, T* x) {
  if (spreadUsual<false>(static_cast<const PoolCode<T>*>(nullptr), g, rows, scratch, x)) return;
  const PoolAxis& axis = rows.axis;
  for (Index r = 0; r < rows.rows; ++r, g += rows.yStep, x += rows.xStep)
    for (Index c = 0; c < rows.count; ++c)
      for (Index a = 0; a < axis.window; ++a) {
        T* to = x + rows.columns[c] + a;
        for (Index i = 0; i < axis.out; ++i) to[i * axis.stride] += g[i];
      }
}

}  // namespace

template <class T>
PoolKernels<T> poolKernels() {
  return {max<T>, holdsNaN<T>, maxCodes<T>, spreadByCodes<T>, mean<T>, spread<T>};
}

template PoolKernels<float> poolKernels();
template PoolKernels<double> poolKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
