// Reductions of columns and of rows; compiled once for every level of the processor.
#include "cpu/simd/reduce.hpp"

#include <cstdint>
#include <limits>
#include <type_traits>
#include <type_traits>

#include "cpu/simd/square.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// A reduction is a first step on an element, an associative combination, and a neutral start. gather() combines a result
// with four elements. All take numbers or registers of them.
template <class T>
struct Sum {
  static constexpr T start = 0;
  template <class U>
  static U first(U x) {
    return x;
  }
  template <class U>
  static U combine(U a, U b) {
    return a + b;
  }
  template <class U>
  static U gather(U y, U a, U b, U c, U d) {
    return y + ((a + b) + (c + d));
  }
};
template <class T>
struct SumSquares : Sum<T> {
  template <class U>
  static U first(U x) {
    return x * x;
  }
};
template <class T>
struct SumAbs : Sum<T> {
  template <class U>
  static U first(U x) {
    return x < U{} ? -x : x;
  }
};
template <class T>
struct Prod {
  static constexpr T start = 1;
  template <class U>
  static U first(U x) {
    return x;
  }
  template <class U>
  static U combine(U a, U b) {
    return a * b;
  }
  template <class U>
  static U gather(U y, U a, U b, U c, U d) {
    return y * ((a * b) * (c * d));
  }
};
// A NaN on the right never wins, so it never gets to the left; only the start value can then remain, see settle().
template <class T, bool max>
struct Extreme {
  static constexpr T start = max ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
  template <class U>
  static U first(U x) {
    return x;
  }
  template <class U>
  static U combine(U a, U b) {
    if constexpr (max)
      return b > a ? b : a;
    else
      return b < a ? b : a;
  }
  template <class U>
  static U gather(U y, U a, U b, U c, U d) {
    return combine(combine(combine(combine(y, a), b), c), d);
  }
};
template <class T>
using Max = Extreme<T, true>;
template <class T>
using Min = Extreme<T, false>;

template <class Op>
constexpr bool isExtreme = false;
template <class T, bool max>
constexpr bool isExtreme<Extreme<T, max>> = true;

// The start value as the result of an extreme means that it occurs, or that there are only NaN.
template <class Op, class T>
T settle(T result, const T* x, Index stride, Index n) {
  if (result != Op::start) return result;
  for (Index k = 0; k < n; ++k)
    if (x[k * stride] == x[k * stride]) return result;
  return std::numeric_limits<T>::quiet_NaN();
}

template <class Op, int lanes, class T>
__attribute__((always_inline)) inline T foldParts(T* part) {
  if constexpr (lanes == 1)
    return part[0];
  else {
    for (int j = 0; j < lanes / 2; ++j) part[j] = Op::combine(part[j], part[j + lanes / 2]);
    return foldParts<Op, lanes / 2>(part);
  }
}

// Reduces a column in `lanes` interleaved parts, then the parts in a tree.
template <class Op, int lanes, class T>
T columnInLanes(const T* x, Index n) {
  T part[lanes], last[lanes];
  for (int j = 0; j < lanes; ++j) part[j] = last[j] = Op::start;
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int j = 0; j < lanes; ++j) part[j] = Op::combine(part[j], Op::first(x[i + j]));
  if (i < n) {
    std::memcpy(last, x + i, static_cast<std::size_t>(n - i) * sizeof(T));
    for (int j = 0; j < lanes; ++j) part[j] = Op::combine(part[j], Op::first(last[j]));
  }
  return foldParts<Op, lanes>(part);
}

// Up to this length a column is reduced in the order of its elements, four at a time, and several columns side by side.
template <class T>
constexpr Index shortColumn = 512 / sizeof(T) - 1;

template <class Op, class T>
__attribute__((always_inline)) inline T columnInOrder(const T* x, Index n) {
  T result = Op::start;
  Index i = 0;
  for (; i + 4 <= n; i += 4)
    result = Op::gather(result, Op::first(x[i]), Op::first(x[i + 1]), Op::first(x[i + 2]), Op::first(x[i + 3]));
  for (; i < n; ++i) result = Op::combine(result, Op::first(x[i]));
  return result;
}

template <class Op, class T>
T column(const T* x, Index n) {
  if (n <= shortColumn<T>) return columnInOrder<Op>(x, n);
  return columnInLanes<Op, 256 / sizeof(T)>(x, n);
}

// Columns of very few elements: the compiler vectorises the loop over columns.
template <class Op, int n, class T>
void fewElements(const T* x, Index count, T* y) {
  for (Index c = 0; c < count; ++c) y[c] = columnInOrder<Op>(x + c * n, n);
}

// Short columns: N side by side, turned around in registers. Reads whole registers, up to elements of the columns after; the
// last columns, behind which there may be nothing, are left to the caller. Returns where they begin.
template <class Op, int N, class T>
Index turnedColumns(const T* x, Index n, Index count, T* y) {
  using Register = typename Square<T, N>::Row;
  const Index readBehind = (N - 1) * n + (n + N - 1) / N * N;
  Index c = 0;
  for (; c * n + readBehind <= count * n; c += N) {
    Register result = Register{} + Op::start;
    for (Index l = 0; l < n; l += N) {
      Register r[N];
      Square<T, N>::turn(x + c * n + l, n, r);
      const Index here = n - l;
#pragma GCC unroll 4
      for (int i = 0; i < N; i += 4) {
        if (i + 4 <= here) {
          result = Op::gather(result, Op::first(r[i]), Op::first(r[i + 1]), Op::first(r[i + 2]), Op::first(r[i + 3]));
          continue;
        }
        if (i < here) result = Op::combine(result, Op::first(r[i]));
        if (i + 1 < here) result = Op::combine(result, Op::first(r[i + 1]));
        if (i + 2 < here) result = Op::combine(result, Op::first(r[i + 2]));
        break;
      }
    }
    std::memcpy(y + c, &result, sizeof(result));
  }
  return c;
}

template <class Op, class T>
void columns(const T* x, Index n, Index stride, Index count, T* y) {
  constexpr int width = registerBytes / sizeof(T);
  Index c = 0;
  if (n == 2 && stride == 2)
    fewElements<Op, 2>(x, count, y), c = count;
  else if (n == 3 && stride == 3)
    fewElements<Op, 3>(x, count, y), c = count;
  else if (n == 4 && stride == 4)
    fewElements<Op, 4>(x, count, y), c = count;
  else if constexpr (width >= 4)
    if (n > 4 && n <= shortColumn<T> && stride == n) c = turnedColumns<Op, width>(x, n, count, y);
  for (; c < count; ++c) y[c] = column<Op>(x + c * stride, n);
  if constexpr (isExtreme<Op>)
    for (c = 0; c < count; ++c) y[c] = settle<Op>(y[c], x + c * stride, 1, n);
}

constexpr Index widestNarrowRows = 1024;

template <class Op, class T>
void wideRows(const T* x, Index width, Index stride, Index n, T* y) {
  const auto f = [](T value) { return Op::first(value); };
  Index k = 0;
  if (n >= 4) {
    const T *a = x, *b = a + stride, *c = b + stride, *d = c + stride;
    for (Index i = 0; i < width; ++i) y[i] = Op::gather(Op::start, f(a[i]), f(b[i]), f(c[i]), f(d[i]));
    k = 4;
  } else {
    for (Index i = 0; i < width; ++i) y[i] = Op::start;
  }
  for (; k + 4 <= n; k += 4) {
    const T *a = x + k * stride, *b = a + stride, *c = b + stride, *d = c + stride;
    for (Index i = 0; i < width; ++i) y[i] = Op::gather(y[i], f(a[i]), f(b[i]), f(c[i]), f(d[i]));
  }
  for (; k < n; ++k)
    for (Index i = 0; i < width; ++i) y[i] = Op::combine(y[i], f(x[k * stride + i]));
}

// Narrow rows that lie close together are read as fewer, wider ones: whole registers, several of them.
template <class Op, class T>
void narrowRows(const T* x, Index width, Index together, Index n, T* y) {
  T wide[widestNarrowRows];
  const Index groups = n / together;
  wideRows<Op>(x, width * together, width * together, groups, wide);
  for (Index i = 0; i < width; ++i) y[i] = wide[i];
  for (Index k = 1; k < together; ++k)
    for (Index i = 0; i < width; ++i) y[i] = Op::combine(y[i], wide[i + k * width]);
  for (Index k = groups * together; k < n; ++k)
    for (Index i = 0; i < width; ++i) y[i] = Op::combine(y[i], Op::first(x[i + k * width]));
}

template <class Op, class T>
void rows(const T* x, Index width, Index stride, Index n, T* y) {
  // The fewest rows that fill registers of 16 elements, four of them: additions then need not wait for each other.
  Index together = 16;
  while (together > 1 && width * together / 2 % 16 == 0) together /= 2;
  while (width * together < 64) together *= 2;
  if (stride == width && width * together <= widestNarrowRows && width % 16 != 0 && n >= 4 * together)
    narrowRows<Op>(x, width, together, n, y);
  else
    wideRows<Op>(x, width, stride, n, y);
  if constexpr (isExtreme<Op>)
    for (Index i = 0; i < width; ++i) y[i] = settle<Op>(y[i], x + i, stride, n);
}

template <template <class> class Op, class T>
ReduceKernels<T, T> numeric() {
  return {columns<Op<T>, T>, rows<Op<T>, T>};
}

// Whether an element counts as true: NaN does for all, and does not for any.
template <bool any, class T>
bool isTrue(T x) {
  if constexpr (any && !std::is_same_v<T, bool>)
    return (x < 0) | (x > 0);
  else
    return x != T(0);
}

// Whether one of n elements is true (wanted = true), or false.
template <bool wanted, class T>
bool contains(const T* x, Index n) {
  constexpr Index piece = 1024;
  for (Index i = 0; i < n; i += piece) {
    const Index end = i + piece < n ? i + piece : n;
    unsigned found = 0;
    for (Index j = i; j < end; ++j) found |= isTrue<wanted>(x[j]) == wanted;
    if (found) return true;
  }
  return false;
}

template <bool any, class T>
void logicalColumns(const T* x, Index n, Index stride, Index count, bool* y) {
  for (Index c = 0; c < count; ++c) y[c] = contains<any>(x + c * stride, n) == any;
}

// Notes one mark a column in numbers as wide as the elements, which a vector comparison gives at once.
template <bool any, class T>
void logicalRows(const T* x, Index width, Index stride, Index n, bool* y) {
  using Mark =
      std::conditional_t<sizeof(T) == 8, std::uint64_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, unsigned char>>;
  constexpr Index piece = 2048;
  Mark marks[piece];
  for (Index first = 0; first < width; first += piece) {
    const Index here = width - first < piece ? width - first : piece;
    for (Index i = 0; i < here; ++i) marks[i] = 0;
    const auto mark = [](T value) { return isTrue<any>(value) == any ? Mark(1) : Mark(0); };
    Index k = 0;
    for (; k + 4 <= n; k += 4) {
      const T *a = x + k * stride + first, *b = a + stride, *c = b + stride, *d = c + stride;
      for (Index i = 0; i < here; ++i) marks[i] |= static_cast<Mark>((mark(a[i]) | mark(b[i])) | (mark(c[i]) | mark(d[i])));
    }
    for (; k < n; ++k)
      for (Index i = 0; i < here; ++i) marks[i] |= mark(x[k * stride + first + i]);
    for (Index i = 0; i < here; ++i) y[first + i] = (marks[i] != 0) == any;
  }
}

template <bool any, class T>
ReduceKernels<T, bool> logical() {
  return {logicalColumns<any, T>, logicalRows<any, T>};
}

}  // namespace

template <class In, class Out>
ReduceKernels<In, Out> reduceKernels(Reduction kind) {
  if constexpr (!std::is_same_v<Out, bool>) {
    switch (kind) {
      case Reduction::sum:
        return numeric<Sum, In>();
      case Reduction::prod:
        return numeric<Prod, In>();
      case Reduction::max:
        return numeric<Max, In>();
      case Reduction::min:
        return numeric<Min, In>();
      case Reduction::sumSquares:
        return numeric<SumSquares, In>();
      case Reduction::sumAbs:
        return numeric<SumAbs, In>();
      default:
        return {};
    }
  } else {
    return kind == Reduction::any ? logical<true, In>() : logical<false, In>();
  }
}

template ReduceKernels<float, float> reduceKernels(Reduction);
template ReduceKernels<double, double> reduceKernels(Reduction);
template ReduceKernels<float, bool> reduceKernels(Reduction);
template ReduceKernels<double, bool> reduceKernels(Reduction);
template ReduceKernels<bool, bool> reduceKernels(Reduction);

}  // namespace dl::cpu::DLARRAY_ARCH
