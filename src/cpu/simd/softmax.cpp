// Softmax of columns and of rows side by side; compiled once for every level of the processor.
#include "cpu/simd/softmax.hpp"

#include "cpu/simd/exponential.hpp"
#include "cpu/simd/square.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <class T>
constexpr T infinity = std::numeric_limits<T>::infinity();
// The logarithm of the smallest probability.
template <class T>
constexpr T lowest = sizeof(T) == 4 ? T(-69.314718) : T(-693.14718055994531);

// What loops advance by, and the parts that sums are taken in: two registers of the largest kind.
template <class T>
constexpr int lanes = 128 / sizeof(T);
// Columns side by side that are taken at a time.
template <class T>
constexpr int strip = 256 / sizeof(T);
template <class T>
constexpr int gradientWidth = 512 / sizeof(T);
// Columns shorter than this are turned, as many at a time as a register has elements, so that the loops run across them.
template <class T>
constexpr Index shortColumn = 128 / sizeof(T);
template <class T>
constexpr int group = registerBytes / sizeof(T);

template <class T>
DL_INLINE T larger(T a, T b) {
  return b > a ? b : a;
}

// e^x for x from `lowest` to 0. In single without the call of a vector function, which would spill what the loops hold: a
// polynomial fitted at Chebyshev's points to 9e-9.
DL_INLINE float exponentialOf(float x) {
  const ReducedExponent reduced(x);
  const float f = reduced.rest;
  float p = 1.393545454e-3F;
  p = p * f + 8.364383390e-3F;
  p = p * f + 4.166644833e-2F;
  p = p * f + 1.666656960e-1F;
  p = p * f + 5.000000015e-1F;
  p = p * (f * f) + f + 1.0F;
  return p * reduced.power;
}
DL_INLINE double exponentialOf(double x) { return formula::exp(x); }

// e^(x - largest), no less than e^least; 0 for x = -Inf alone, and not where the difference is too large for a number. NaN stays.
template <class T>
DL_INLINE T exponential(T x, T largest, T least) {
  const T difference = x - largest, e = exponentialOf(difference < least ? least : difference);
  return x == -infinity<T> ? T(0) : e;
}

// The least exponent for n channels: their sum is at most n, so that divided by it nothing falls below the smallest probability.
template <class T>
DL_INLINE T leastOf(Index n) {
  return lowest<T> + formula::log(static_cast<T>(n));
}

// What is subtracted: nothing from a column that has nothing but -Inf (or NaN).
template <class T>
DL_INLINE T shift(T largest) {
  return largest == -infinity<T> ? T(0) : largest;
}

template <class T>
DL_INLINE T inverseOf(T sum) {
  return sum == T(0) ? T(0) : T(1) / sum;
}

template <int count, class T>
DL_INLINE T foldSum(T* part) {
  if constexpr (count == 1) {
    return part[0];
  } else {
    for (int j = 0; j < count / 2; ++j) part[j] += part[j + count / 2];
    return foldSum<count / 2>(part);
  }
}

template <class T>
DL_INLINE T largestOf(const T* x, Index n) {
  T part[lanes<T>];
  for (int j = 0; j < lanes<T>; ++j) part[j] = -infinity<T>;
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>)
    for (int j = 0; j < lanes<T>; ++j) part[j] = larger(part[j], x[i + j]);
  T result = -infinity<T>;
  for (; i < n; ++i) result = larger(result, x[i]);
  for (int j = 0; j < lanes<T>; ++j) result = larger(result, part[j]);
  return result;
}

template <class T>
void column(const T* x, Index n, T least, T* y) {
  const T largest = shift(largestOf(x, n));
  T part[lanes<T>] = {};
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) {
    // The next column comes from memory while this one is computed.
    __builtin_prefetch(x + n + i);
    __builtin_prefetch(x + n + i + lanes<T> / 2);
#pragma GCC ivdep
    for (int j = 0; j < lanes<T>; ++j) {
      const T e = exponential(x[i + j], largest, least);
      part[j] += e;
      y[i + j] = e;
    }
  }
  T rest = 0;
  for (; i < n; ++i) rest += y[i] = exponential(x[i], largest, least);
  const T inverse = inverseOf(foldSum<lanes<T>>(part) + rest);
  for (Index k = 0; k < n; ++k) y[k] *= inverse;
}

template <class T>
void columnGradient(const T* g, const T* y, Index n, T* result) {
  T part[lanes<T>] = {};
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>)
    for (int j = 0; j < lanes<T>; ++j) part[j] += g[i + j] * y[i + j];
  T rest = 0;
  for (; i < n; ++i) rest += g[i] * y[i];
  const T product = foldSum<lanes<T>>(part) + rest;
#pragma GCC ivdep
  for (Index k = 0; k < n; ++k) result[k] = y[k] * (g[k] - product);
}

template <class T>
using Row = typename Square<T, group<T>>::Row;
template <class T>
DL_INLINE Row<T> load(const T* x) {
  Row<T> r;
  std::memcpy(&r, x, sizeof r);
  return r;
}
template <class T>
DL_INLINE void store(Row<T> r, T* y) {
  std::memcpy(y, &r, sizeof r);
}

// Writes a register past the caches.
#if defined(__SSE2__)
template <class T>
DL_INLINE void storePast(Row<T> r, T* y) {
  constexpr bool single = sizeof(T) == 4;
#if defined(__clang__)
  (void)single;
  __builtin_nontemporal_store(r, reinterpret_cast<Row<T>*>(y));
#elif defined(__AVX512F__)
  if constexpr (single)
    __builtin_ia32_movntps512(y, r);
  else
    __builtin_ia32_movntpd512(y, r);
#elif defined(__AVX__)
  if constexpr (single)
    __builtin_ia32_movntps256(y, r);
  else
    __builtin_ia32_movntpd256(y, r);
#else
  if constexpr (single)
    __builtin_ia32_movntps(y, r);
  else
    __builtin_ia32_movntpd(y, r);
#endif
}
// Before others read what was written.
DL_INLINE void finishPast() { __builtin_ia32_sfence(); }
#else
template <class T>
DL_INLINE void storePast(Row<T> r, T* y) {
  store(r, y);
}
DL_INLINE void finishPast() {}
#endif

// Up to this many elements of a strip are kept together in the nearest cache from one pass to the next: rows of an image lie
// apart by powers of two, which share few places there.
template <class T>
constexpr Index nearElements = 32768 / sizeof(T);

// Columns side by side, as many as `width`, a constant, or fewer. `z` is where e^x is kept.
template <int width, class T>
DL_INLINE void softmaxStrip(const T* x, Index stride, Index n, T* z, Index strideZ, T* y, int left = width, bool past = false) {
  const T least = leastOf<T>(n);
  T largest[width], sum[width];
  for (int i = 0; i < width; ++i) {
    largest[i] = -infinity<T>;
    sum[i] = 0;
  }
  for (Index k = 0; k < n; ++k) {
#pragma GCC ivdep
    for (int i = 0; i < left; ++i) {
      const T v = x[k * stride + i];
      largest[i] = larger(largest[i], v);
      z[k * strideZ + i] = v;
    }
  }
  for (int i = 0; i < width; ++i) largest[i] = shift(largest[i]);
  for (Index k = 0; k < n; ++k) {
    // What is written next, and read for the next strip, comes from memory while this is computed.
#pragma GCC unroll 4
    for (int i = 0; i < width; i += static_cast<int>(64 / sizeof(T))) {
      if (!past) __builtin_prefetch(y + k * stride + i, 1);
      __builtin_prefetch(x + k * stride + width + i);
    }
#pragma GCC ivdep
    for (int i = 0; i < left; ++i) {
      const T e = exponential(z[k * strideZ + i], largest[i], least);
      sum[i] += e;
      z[k * strideZ + i] = e;
    }
  }
  for (int i = 0; i < width; ++i) sum[i] = inverseOf(sum[i]);
  if (past) {
    for (Index k = 0; k < n; ++k)
      for (int i = 0; i < width; i += group<T>) storePast<T>(load(z + k * strideZ + i) * load(sum + i), y + k * stride + i);
    return;
  }
  for (Index k = 0; k < n; ++k) {
#pragma GCC ivdep
    for (int i = 0; i < left; ++i) y[k * stride + i] = z[k * strideZ + i] * sum[i];
  }
}

template <int width, class T>
DL_INLINE void gradientStrip(const T* g, const T* y, Index stride, Index n, T* result, int left = width, bool past = false) {
  T product[width] = {};
  for (Index k = 0; k < n; ++k)
    for (int i = 0; i < left; ++i) product[i] += g[k * stride + i] * y[k * stride + i];
  for (Index k = 0; k < n; ++k) {
#pragma GCC unroll 4
    for (int i = 0; i < width; i += static_cast<int>(64 / sizeof(T))) {
      __builtin_prefetch(g + k * stride + width + i);
      __builtin_prefetch(y + k * stride + width + i);
    }
    if (past) {
      for (int i = 0; i < width; i += group<T>) {
        const Row<T> own = load(y + k * stride + i);
        storePast<T>(own * (load(g + k * stride + i) - load(product + i)), result + k * stride + i);
      }
      continue;
    }
#pragma GCC ivdep
    for (int i = 0; i < left; ++i) result[k * stride + i] = y[k * stride + i] * (g[k * stride + i] - product[i]);
  }
}

template <class T>
void rows(const T* x, Index width, Index stride, Index n, T* y, bool past) {
  constexpr int wide = strip<T>;
  alignas(64) T near[nearElements<T>];
  const bool fits = n * wide <= nearElements<T>;
  const Index strideZ = fits ? wide : stride;
  Index i = 0;
  if (past && fits)
    for (; i + wide <= width; i += wide) softmaxStrip<wide>(x + i, stride, n, near, strideZ, y + i, wide, true);
  for (; i + wide <= width; i += wide) softmaxStrip<wide>(x + i, stride, n, fits ? near : y + i, strideZ, y + i);
  if (i < width) softmaxStrip<wide>(x + i, stride, n, fits ? near : y + i, strideZ, y + i, static_cast<int>(width - i));
  if (past) finishPast();
}
template <class T>
void rowGradients(const T* g, const T* y, Index width, Index stride, Index n, T* result, bool past) {
  constexpr int wide = gradientWidth<T>;
  Index i = 0;
  if (past)
    for (; i + wide <= width; i += wide) gradientStrip<wide>(g + i, y + i, stride, n, result + i, wide, true);
  for (; i + wide <= width; i += wide) gradientStrip<wide>(g + i, y + i, stride, n, result + i);
  if (i < width) gradientStrip<wide>(g + i, y + i, stride, n, result + i, static_cast<int>(width - i));
  if (past) finishPast();
}

// Elements read by a group of short columns beyond its own, so that the last groups are left to be done one by one.
template <class T>
Index readBehind(Index n) {
  return (group<T> - 1) * n + (n + group<T> - 1) / group<T> * group<T>;
}

// A group of short columns as rows: element k of column j at [k * group + j]. They are turned by squares as large as a register
// is wide, or as smaller ones of `side` elements where columns are no longer than that.
template <int side, class T>
DL_INLINE void turn(const T* x, Index n, T* near) {
  for (Index k = 0; k < n; k += side)
#pragma GCC unroll 4
    for (int j = 0; j < group<T>; j += side) Square<T, side>::run(x + j * n + k, n, near + k * group<T> + j, group<T>);
}
// The opposite. Squares reach beyond the ends of columns: what they spoil there is mended by those that come later, but for some
// elements behind the group.
template <int side, class T>
DL_INLINE void turnBackOver(const T* near, Index n, T* y) {
  for (Index k = (n - 1) / side * side; k >= 0; k -= side)
#pragma GCC unroll 4
    for (int j = 0; j < group<T>; j += side) Square<T, side>::run(near + k * group<T> + j, group<T>, y + j * n + k, n);
}
template <int side, class T>
DL_INLINE void turnBack(const T* near, Index n, T* y) {
  T packed[(shortColumn<T> + 1) * group<T>];
  turnBackOver<side>(near, n, packed);
  for (Index k = 0; k < n * group<T>; k += group<T>) store(load(packed + k), y + k);
}

// Short columns that were turned: whole registers, where loops of so few steps would be unrolled instead of vectorised.
template <class T>
DL_INLINE void softmaxTurned(T* z, Index n, T least) {
  Row<T> largest = Row<T>{} - infinity<T>, sum{};
  const Index end = n * group<T>;
  for (Index k = 0; k < end; k += group<T>) largest = larger(largest, load(z + k));
  largest = largest == -infinity<T> ? Row<T>{} : largest;
  for (Index k = 0; k < end; k += group<T>) {
    const Row<T> x = load(z + k), difference = x - largest;
    store(x == -infinity<T> ? x : difference < least ? Row<T>{} + least : difference, z + k);
  }
#pragma GCC ivdep
  for (Index i = 0; i < end; ++i) z[i] = exponential(z[i], T(0), least);
  for (Index k = 0; k < end; k += group<T>) sum += load(z + k);
  const Row<T> inverse = sum == 0 ? Row<T>{} : 1 / sum;
  for (Index k = 0; k < end; k += group<T>) store(load(z + k) * inverse, z + k);
}

template <class T>
DL_INLINE void gradientTurned(T* g, const T* y, Index n) {
  Row<T> product{};
  const Index end = n * group<T>;
  for (Index k = 0; k < end; k += group<T>) product += load(g + k) * load(y + k);
  for (Index k = 0; k < end; k += group<T>) store(load(y + k) * (load(g + k) - product), g + k);
}

template <class T>
using Near = T[shortColumn<T> * group<T>];
template <int side, class T>
DL_INLINE void softmaxGroup(const T* x, Index n, T least, T* y) {
  alignas(64) Near<T> near;
  turn<side>(x, n, near);
  softmaxTurned(near, n, least);
  turnBack<side>(near, n, y);
}
template <int side, class T>
DL_INLINE void gradientGroup(const T* g, const T* y, Index n, T* result) {
  alignas(64) Near<T> near, nearY;
  turn<side>(g, n, near);
  turn<side>(y, n, nearY);
  gradientTurned(near, nearY, n);
  turnBack<side>(near, n, result);
}

// Room for a group and what its squares read behind it.
template <class T>
using Padded = T[(shortColumn<T> + 1) * group<T>];
template <class T>
DL_INLINE void copy(const T* x, Index n, T* y) {
  std::memcpy(y, x, static_cast<std::size_t>(n) * sizeof(T));
}

// How many columns, of all, have enough behind them to be taken in groups.
template <class T>
DL_INLINE Index groupsOf(Index n, Index count) {
  const Index rest = (readBehind<T>(n) + n - 1) / n;
  return count < rest ? 0 : ((count - rest) / group<T> + 1) * group<T>;
}

template <int side, class T>
void shortColumns(const T* x, Index n, Index count, T* y) {
  const T least = leastOf<T>(n);
  const Index groups = groupsOf<T>(n, count), last = groups - group<T>;
  // The next group is read before what lies behind this one is spoilt: the results may lie where it does.
  alignas(64) Near<T> near[2];
  if (groups > 0) turn<side>(x, n, near[0]);
  for (Index c = 0, own = 0; c < groups; c += group<T>, own = 1 - own) {
    softmaxTurned(near[own], n, least);
    if (c == last) {
      turnBack<side>(near[own], n, y + c * n);
      break;
    }
    turn<side>(x + (c + group<T>)*n, n, near[1 - own]);
    turnBackOver<side>(near[own], n, y + c * n);
  }
  for (Index c = groups, here; c < count; c += here) {
    Padded<T> padded = {};
    here = count - c < group<T> ? count - c : group<T>;
    copy(x + c * n, here * n, padded);
    softmaxGroup<side>(padded, n, least, padded);
    copy(padded, here * n, y + c * n);
  }
}

template <int side, class T>
void shortColumnGradients(const T* g, const T* y, Index n, Index count, T* result) {
  const Index groups = groupsOf<T>(n, count);
  for (Index c = 0; c < groups; c += group<T>) gradientGroup<side>(g + c * n, y + c * n, n, result + c * n);
  for (Index c = groups, here; c < count; c += here) {
    Padded<T> padded = {}, paddedY = {};
    here = count - c < group<T> ? count - c : group<T>;
    copy(g + c * n, here * n, padded);
    copy(y + c * n, here * n, paddedY);
    gradientGroup<side>(padded, paddedY, n, padded);
    copy(padded, here * n, result + c * n);
  }
}

template <class T>
constexpr int fourth = group<T> < 4 ? group<T> : 4;
template <class T>
constexpr int half = group<T> < 8 ? group<T> : 8;

template <class T>
void columns(const T* x, Index n, Index count, T* y) {
  if (n <= fourth<T>) return shortColumns<fourth<T>>(x, n, count, y);
  if (n <= half<T>) return shortColumns<half<T>>(x, n, count, y);
  if (n < shortColumn<T>) return shortColumns<group<T>>(x, n, count, y);
  const T least = leastOf<T>(n);
  for (Index c = 0; c < count; ++c) column(x + c * n, n, least, y + c * n);
}

template <class T>
void columnGradients(const T* g, const T* y, Index n, Index count, T* result) {
  if (n <= fourth<T>) return shortColumnGradients<fourth<T>>(g, y, n, count, result);
  if (n <= half<T>) return shortColumnGradients<half<T>>(g, y, n, count, result);
  if (n < shortColumn<T>) return shortColumnGradients<group<T>>(g, y, n, count, result);
  for (Index c = 0; c < count; ++c) columnGradient(g + c * n, y + c * n, n, result + c * n);
}

}  // namespace

template <class T>
SoftmaxKernels<T> softmaxKernels() {
  return {columns<T>, columnGradients<T>, rows<T>, rowGradients<T>};
}
template SoftmaxKernels<float> softmaxKernels();
template SoftmaxKernels<double> softmaxKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
