// Windows along the first dimension; compiled once for every level of the processor.
#include "cpu/simd/pooling.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// Rows are short more often than not: registers of 32 bytes fill up sooner than those of 64.
#if defined(__AVX__)
constexpr int registerBytes = 32;
#else
constexpr int registerBytes = 16;
#endif

template <class T>
struct Register {
  typedef T Vector __attribute__((vector_size(registerBytes)));
  typedef T Anywhere __attribute__((vector_size(registerBytes), aligned(sizeof(T)), may_alias));
  typedef PoolCode<T> Codes __attribute__((vector_size(registerBytes)));
  typedef PoolCode<T> CodesAnywhere __attribute__((vector_size(registerBytes), aligned(sizeof(T)), may_alias));
  static constexpr Index lanes = registerBytes / static_cast<int>(sizeof(T));
  static Vector load(const T* x) { return *reinterpret_cast<const Anywhere*>(x); }
  static void store(T* y, Vector v) { *reinterpret_cast<Anywhere*>(y) = v; }
  static void store(PoolCode<T>* y, Codes v) { *reinterpret_cast<CodesAnywhere*>(y) = v; }
  /// x[0], x[stride], ...; reads nothing behind the last of them.
  template <int stride>
  static Vector loadEach(const T* x) {
    if constexpr (stride == 1) {
      return load(x);
    } else {
      // The second register begins one element early, so that it ends with the last element wanted.
      const Vector low = load(x), high = load(x + lanes - 1);
      Codes from;
      for (Index i = 0; i < lanes; ++i) from[i] = static_cast<PoolCode<T>>(2 * i < lanes ? 2 * i : 2 * i + 1);
      return __builtin_shuffle(low, high, from);
    }
  }
};

// What happens to the elements of a window, for one window and for a register of them.
template <class T>
struct Max {
  using R = Register<T>;
  using Result = T;
  struct One {
    T best = 0;
    bool begun = false;
    void take(T v, PoolCode<T>) {
      if (!begun || v > best || v != v) best = v;
      begun = true;
    }
    T result() const { return best; }
  };
  struct Many {
    typename R::Vector best;
    void begin(typename R::Vector v) { best = v; }
    void take(typename R::Vector v, PoolCode<T>) { best = ((v > best) | (v != v)) ? v : best; }
    typename R::Vector result() const { return best; }
  };
};

template <class T>
struct MaxCode {
  using R = Register<T>;
  using Result = PoolCode<T>;
  struct One {
    T best = 0;
    PoolCode<T> at = 0;
    bool begun = false;
    void take(T v, PoolCode<T> code) {
      if (!begun || v > best || (v != v && best == best)) {
        best = v;
        at = code;
      }
      begun = true;
    }
    PoolCode<T> result() const { return at; }
  };
  struct Many {
    typename R::Vector best;
    typename R::Codes at;
    void begin(typename R::Vector v) {
      best = v;
      at = typename R::Codes{};
    }
    void take(typename R::Vector v, PoolCode<T> code) {
      const typename R::Codes larger = (v > best) | ((v != v) & (best == best));
      best = larger ? v : best;
      at = larger ? typename R::Codes{} + code : at;
    }
    typename R::Codes result() const { return at; }
  };
};

template <class T>
struct Sum {
  using R = Register<T>;
  using Result = T;
  struct One {
    T sum = 0;
    void take(T v, PoolCode<T>) { sum += v; }
    T result() const { return sum; }
  };
  struct Many {
    typename R::Vector sum;
    void begin(typename R::Vector v) { sum = v; }
    void take(typename R::Vector v, PoolCode<T>) { sum += v; }
    typename R::Vector result() const { return sum; }
  };
};

// The windows [begin, end) along an axis that lie inside the array.
struct Inside {
  Index begin, end;
  explicit Inside(const PoolAxis& axis) {
    begin = (axis.before + axis.stride - 1) / axis.stride;
    const Index last = axis.in + axis.before - axis.window;
    end = last < 0 ? 0 : last / axis.stride + 1;
    if (end > axis.out) end = axis.out;
    if (begin > end) begin = end;
  }
};

template <class Kind, class T>
void windows(const T* x, const Index* columns, Index count, const PoolAxis& axis, Index begin, Index end,
             typename Kind::Result* y) {
  for (Index i = begin; i < end; ++i) {
    const Index start = i * axis.stride - axis.before;
    const Index first = start < 0 ? -start : 0, last = start + axis.window > axis.in ? axis.in - start : axis.window;
    typename Kind::One one;
    for (Index c = 0; c < count; ++c)
      for (Index a = first; a < last; ++a) one.take(x[columns[c] + start + a], static_cast<PoolCode<T>>(c * axis.window + a));
    y[i] = one.result();
  }
}

template <class Kind, int stride, class T>
void registerOfWindows(const T* x, const Index* columns, Index count, Index window, typename Kind::Result* y) {
  using R = Register<T>;
  typename Kind::Many many;
  many.begin(R::template loadEach<stride>(x + columns[0]));
  for (Index a = 1; a < window; ++a) many.take(R::template loadEach<stride>(x + columns[0] + a), static_cast<PoolCode<T>>(a));
  for (Index c = 1; c < count; ++c)
    for (Index a = 0; a < window; ++a)
      many.take(R::template loadEach<stride>(x + columns[c] + a), static_cast<PoolCode<T>>(c * window + a));
  R::store(y, many.result());
}

template <class Kind, int stride, class T>
void insideRow(const T* x, const Index* columns, Index count, const PoolAxis& axis, Inside inside, typename Kind::Result* y) {
  constexpr Index lanes = Register<T>::lanes;
  const T* from = x - axis.before;
  // The last register overlaps the one before it.
  for (Index i = inside.begin; i < inside.end; i += lanes) {
    const Index at = i + lanes <= inside.end ? i : inside.end - lanes;
    registerOfWindows<Kind, stride>(from + at * stride, columns, count, axis.window, y + at);
  }
}

template <class Kind, class T>
void row(const T* x, const Index* columns, Index count, const PoolAxis& axis, typename Kind::Result* y) {
  const Inside inside(axis);
  if (inside.end - inside.begin < Register<T>::lanes || axis.stride > 2)
    return windows<Kind>(x, columns, count, axis, 0, axis.out, y);
  windows<Kind>(x, columns, count, axis, 0, inside.begin, y);
  if (axis.stride == 1)
    insideRow<Kind, 1>(x, columns, count, axis, inside, y);
  else
    insideRow<Kind, 2>(x, columns, count, axis, inside, y);
  windows<Kind>(x, columns, count, axis, inside.end, axis.out, y);
}

template <class T>
void spreadRow(const T* g, const Index* columns, Index count, const PoolAxis& axis, T* x) {
  for (Index c = 0; c < count; ++c)
    for (Index a = 0; a < axis.window; ++a) {
      // The windows in which this offset lies inside the array.
      const Index shift = a - axis.before;
      const Index begin = shift >= 0 ? 0 : (-shift + axis.stride - 1) / axis.stride;
      const Index last = axis.in - 1 - shift;
      Index end = last < 0 ? 0 : last / axis.stride + 1;
      if (end > axis.out) end = axis.out;
      T* to = x + columns[c] + shift;
      if (axis.stride == 1)
        for (Index i = begin; i < end; ++i) to[i] += g[i];
      else
        for (Index i = begin; i < end; ++i) to[i * axis.stride] += g[i];
    }
}

}  // namespace

template <class T>
PoolKernels<T> poolKernels() {
  return {row<Max<T>, T>, row<MaxCode<T>, T>, row<Sum<T>, T>, spreadRow<T>};
}

template PoolKernels<float> poolKernels();
template PoolKernels<double> poolKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
