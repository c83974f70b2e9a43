// Normalisation across neighbouring channels; compiled once for every level of the processor.
#include "cpu/simd/crosschannel.hpp"

#include <limits>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

constexpr Index blockSize = 256;  // what is summed before it is used

enum class Exponent { threeQuarters, any };

// base ^ -beta and 1 / base; three quarters, the default of the layer, are two square roots.
template <class T>
struct Powers {
  T value, inverse;
};
template <Exponent exponent, class T>
DL_INLINE Powers<T> powersOf(T base, T beta) {
  if constexpr (exponent == Exponent::threeQuarters) {
    const T root = formula::sqrt(base);
    return {T(1) / (root * formula::sqrt(root)), T(1) / base};
  } else {
    return {formula::pow(base, -beta), T(1) / base};
  }
}

// The same of n bases, which are there up to a whole number of registers; `inverses` may be null.
template <Exponent exponent, class T>
DL_INLINE void powers(const T* bases, Index n, T beta, T* __restrict values, T* __restrict inverses) {
  if (inverses)
    for (Index i = 0; i < n; ++i) {
      const Powers<T> p = powersOf<exponent>(bases[i], beta);
      values[i] = p.value;
      inverses[i] = p.inverse;
    }
  else
    for (Index i = 0; i < n; ++i) values[i] = powersOf<exponent>(bases[i], beta).value;
}

#if defined(__AVX512F__)
// Roots and divisions would take most of the time. A guess of base ^ -1/4 with an error of 1e-4 needs one step to be as good as
// rounding allows.
template <>
DL_INLINE void powers<Exponent::threeQuarters, float>(const float* bases, Index n, float beta, float* __restrict values,
                                                      float* __restrict inverses) {
  const __m512 one = _mm512_set1_ps(1), quarter = _mm512_set1_ps(0.25F),
               smallest = _mm512_set1_ps(std::numeric_limits<float>::min()),
               largest = _mm512_set1_ps(std::numeric_limits<float>::max());
  for (Index i = 0; i < n; i += 16) {
    const __m512 base = _mm512_loadu_ps(bases + i);
    const __mmask16 usual = _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(base, smallest, _CMP_GE_OQ), base, largest, _CMP_LE_OQ);
    const __m512 guess = _mm512_maskz_rsqrt14_ps(0xffff, base * _mm512_maskz_rsqrt14_ps(0xffff, base)), squared = guess * guess;
    const __m512 root = guess + guess * (one - base * squared * squared) * quarter, square = root * root;
    _mm512_storeu_ps(values + i, square * root);
    if (inverses) _mm512_storeu_ps(inverses + i, square * square);
    if (usual == 0xffff) continue;
    for (Index lane = i; lane < i + 16; ++lane) {
      const Powers<float> p = powersOf<Exponent::threeQuarters>(bases[lane], beta);
      values[lane] = p.value;
      if (inverses) inverses[lane] = p.inverse;
    }
  }
}
#endif

// Calls body(first element, its place in a compact copy, number of elements) for blocks of elements that lie side by side in
// both.
template <class F>
DL_INLINE void forBlocks(const ChannelWindow& w, F body) {
  const bool compact = w.width == w.stride;
  const Index rows = compact ? 1 : w.channels, length = compact ? w.width * w.channels : w.width;
  for (Index row = 0; row < rows; ++row)
    for (Index i = 0; i < length; i += blockSize)
      body(row * w.stride + i, row * w.width + i, length - i < blockSize ? length - i : blockSize);
}

// bases[i] = k + factor times the sum of the elements i, i + apart, ... of the window, up to a whole number of registers.
template <class T>
DL_INLINE void sumWindow(const T* from, Index apart, Index window, Index n, T factor, T k, T* bases) {
  const T* sums = from;
  Index d = 1;
  for (; d + 4 < window; d += 4) {
    const T *a = from + d * apart, *b = a + apart, *c = b + apart, *e = c + apart;
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) bases[i] = sums[i] + ((a[i] + b[i]) + (c[i] + e[i]));
    sums = bases;
  }
  // The last ones with what else is to be done.
  const auto finish = [&](auto rest) {
    const T *a = from + d * apart, *b = a + apart, *c = b + apart, *e = c + apart;
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) bases[i] = k + factor * (sums[i] + rest(a + i, b + i, c + i, e + i));
  };
  switch (window - d) {
    case 0:
      finish([](auto...) { return T(0); });
      break;
    case 1:
      finish([](const T* a, auto...) { return *a; });
      break;
    case 2:
      finish([](const T* a, const T* b, auto...) { return *a + *b; });
      break;
    case 3:
      finish([](const T* a, const T* b, const T* c, auto) { return *a + *b + *c; });
      break;
    default:
      finish([](const T* a, const T* b, const T* c, const T* e) { return (*a + *b) + (*c + *e); });
  }
  for (Index i = n; i % 16 != 0; ++i) bases[i] = T(1);
}

template <class T>
DL_INLINE void clear(T* to, Index n) {
  for (Index i = 0; i < n; ++i) to[i] = T(0);
}

// The squares of all elements, with zeros for the channels that are not there.
template <class T>
DL_INLINE void square(const ChannelWindow& w, const T* x, T* squares) {
  const Index first = w.before * w.width;
  clear(squares, first);
  clear(squares + first + w.channels * w.width, w.behind * w.width);
  forBlocks(w, [&](Index from, Index at, Index n) {
    T* __restrict to = squares + first + at;
    for (Index i = 0; i < n; ++i) to[i] = x[from + i] * x[from + i];
  });
}

template <Exponent exponent, class T>
void valueWith(const ChannelWindow& w, const T* x, T* y, T* memory) {
  square(w, x, memory);
  const T factor = static_cast<T>(w.factor), beta = static_cast<T>(w.beta), k = static_cast<T>(w.k);
  forBlocks(w, [&](Index from, Index at, Index n) {
    alignas(64) T bases[blockSize], values[blockSize];
    sumWindow(memory + at, w.width, w.before + w.behind + 1, n, factor, k, bases);
    powers<exponent, T>(bases, n, beta, values, nullptr);
    const T* in = x + from;
    T* __restrict out = y + from;
    for (Index i = 0; i < n; ++i) out[i] = in[i] * values[i];
  });
}

// dx = g base ^ -beta - 2 beta factor x sum of (g x base ^ (-beta - 1)) over the channels in whose windows x lies.
template <Exponent exponent, class T>
void gradientWith(const ChannelWindow& w, const T* g, const T* x, T* dx, T* memory) {
  square(w, x, memory);
  const Index size = w.width * (w.channels + w.before + w.behind), window = w.before + w.behind + 1, first = w.behind * w.width;
  const T factor = static_cast<T>(w.factor), beta = static_cast<T>(w.beta), k = static_cast<T>(w.k);
  T *products = memory + size + 64, *scaledAll = products + size + 64;
  clear(products, first);
  clear(products + first + w.channels * w.width, w.before * w.width);
  forBlocks(w, [&](Index from, Index at, Index n) {
    alignas(64) T bases[blockSize], values[blockSize], inverses[blockSize];
    sumWindow(memory + at, w.width, window, n, factor, k, bases);
    powers<exponent, T>(bases, n, beta, values, inverses);
    const T *gradient = g + from, *in = x + from;
    T* __restrict product = products + first + at, * __restrict scaled = scaledAll + at;
    for (Index i = 0; i < n; ++i) {
      scaled[i] = gradient[i] * values[i];
      product[i] = in[i] * scaled[i] * inverses[i];
    }
  });
  const T by = static_cast<T>(2 * w.beta * w.factor);
  forBlocks(w, [&](Index from, Index at, Index n) {
    alignas(64) T sums[blockSize];
    sumWindow(products + at, w.width, window, n, by, T(0), sums);
    const T *in = x + from, *scaled = scaledAll + at;
    T* __restrict out = dx + from;
    for (Index i = 0; i < n; ++i) out[i] = scaled[i] - in[i] * sums[i];
  });
}

template <class T>
void value(const ChannelWindow& w, const T* x, T* y, T* memory) {
  w.beta == 0.75 ? valueWith<Exponent::threeQuarters>(w, x, y, memory) : valueWith<Exponent::any>(w, x, y, memory);
}

template <class T>
void gradient(const ChannelWindow& w, const T* g, const T* x, T* dx, T* memory) {
  w.beta == 0.75 ? gradientWith<Exponent::threeQuarters>(w, g, x, dx, memory) : gradientWith<Exponent::any>(w, g, x, dx, memory);
}

}  // namespace

template <class T>
CrossChannelKernels<T> crossChannelKernels() {
  return {value<T>, gradient<T>};
}

template CrossChannelKernels<float> crossChannelKernels();
template CrossChannelKernels<double> crossChannelKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
