// Normalisation across neighbouring channels; compiled once for every level of the processor.
#include "cpu/simd/crosschannel.hpp"

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
template <class T>
DL_INLINE Powers<T> threeQuarters(T base) {
  const T root = formula::sqrt(base);
  return {T(1) / (root * formula::sqrt(root)), T(1) / base};
}

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

// Calls use(sum), where sum(load, i) is the sum of the elements i, i + apart, ... of the window, for i < n. `memory` holds what
// is summed before, where the window is long.
template <class T, class Use>
DL_INLINE void sumWindow(const T* from, Index apart, Index window, Index n, T* memory, Use use) {
  const T* sums = from;
  Index d = 1;
  for (; d + 4 < window; d += 4) {
    const T *a = from + d * apart, *b = a + apart, *c = b + apart, *e = c + apart;
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) memory[i] = sums[i] + ((a[i] + b[i]) + (c[i] + e[i]));
    sums = memory;
  }
  // The last ones with what else is to be done.
  const Index rest = window - d;
  const auto channel = [=](Index k) { return from + (k < rest ? d + k : d - 1) * apart; };  // of those that there are
  const T *a = channel(0), *b = channel(1), *c = channel(2), *e = channel(3);
  switch (rest) {
    case 0:
      use([=](auto load, Index i) { return load(sums + i); });
      break;
    case 1:
      use([=](auto load, Index i) { return load(sums + i) + load(a + i); });
      break;
    case 2:
      use([=](auto load, Index i) { return load(sums + i) + (load(a + i) + load(b + i)); });
      break;
    case 3:
      use([=](auto load, Index i) { return load(sums + i) + (load(a + i) + load(b + i) + load(c + i)); });
      break;
    default:
      use([=](auto load, Index i) { return load(sums + i) + ((load(a + i) + load(b + i)) + (load(c + i) + load(e + i))); });
  }
}

template <class T>
struct Base {
  T factor, beta, k;
};

// Calls use(register of one number, place, power, inverse) with base ^ -beta and 1 / base, for n bases from the sums of the
// window.
template <Exponent exponent, class T, class Sum, class Use>
DL_INLINE void eachPower(const Base<T>& by, Index n, Sum sum, Use use) {
  const auto load = [](const T* x) { return *x; };
  const auto store = [](T* y, T value) { *y = value; };
  if constexpr (exponent == Exponent::any) {  // powers need all registers
    alignas(64) T bases[blockSize], values[blockSize];
    for (Index i = 0; i < n; ++i) bases[i] = by.k + by.factor * sum(load, i);
    for (Index i = 0; i < n; ++i) values[i] = formula::pow(bases[i], -by.beta);
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) use(load, store, i, values[i], T(1) / bases[i]);
  } else {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) {
      const Powers<T> p = threeQuarters(by.k + by.factor * sum(load, i));
      use(load, store, i, p.value, p.inverse);
    }
  }
}

#if defined(__AVX512F__)
// Roots and divisions would take most of the time. A guess of base ^ -1/4 with an error of 1e-4 needs one step to be as good as
// rounding allows.
template <class Sum, class Use>
DL_INLINE void eachQuickPower(const Base<float>& by, Index n, Sum sum, Use use) {
  const __m512 one = _mm512_set1_ps(1), quarter = _mm512_set1_ps(0.25F), factor = _mm512_set1_ps(by.factor),
               k = _mm512_set1_ps(by.k);
  constexpr int notPositive = 0xff;  // whatever is not a positive normal number
  const auto step = [=](Index i, __mmask16 there) __attribute__((always_inline)) {
    const auto load = [there](const float* x) { return _mm512_maskz_loadu_ps(there, x); };
    const auto store = [there](float* y, __m512 value) { _mm512_mask_storeu_ps(y, there, value); };
    __m512 base = k + factor * sum(load, i);
    const __m512 guess = _mm512_maskz_rsqrt14_ps(0xffff, base * _mm512_maskz_rsqrt14_ps(0xffff, base)), squared = guess * guess;
    const __m512 root = guess + guess * (one - base * squared * squared) * quarter, square = root * root;
    __m512 value = square * root, inverse = square * square;
    if (_mm512_mask_fpclass_ps_mask(there, base, notPositive) != 0) [[unlikely]] {
      alignas(64) float bases[16], values[16], inverses[16];
      _mm512_store_ps(bases, base);
      for (int lane = 0; lane < 16; ++lane) {
        const Powers<float> p = threeQuarters(bases[lane]);
        values[lane] = p.value;
        inverses[lane] = p.inverse;
      }
      value = _mm512_load_ps(values);
      inverse = _mm512_load_ps(inverses);
    }
    use(load, store, i, value, inverse);
  };
  constexpr __mmask16 all = 0xffff;
  Index i = 0;
  for (; i + 16 <= n; i += 16) step(i, all);
  if (i < n) step(i, static_cast<__mmask16>((1U << (n - i)) - 1));
}
#endif

template <Exponent exponent, class T, class Sum, class Use>
DL_INLINE void withPowers(const Base<T>& by, Index n, Sum sum, Use use) {
#if defined(__AVX512F__)
  if constexpr (exponent == Exponent::threeQuarters && sizeof(T) == sizeof(float)) return eachQuickPower(by, n, sum, use);
#endif
  eachPower<exponent>(by, n, sum, use);
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

template <class T>
Base<T> baseOf(const ChannelWindow& w) {
  return {static_cast<T>(w.factor), static_cast<T>(w.beta), static_cast<T>(w.k)};
}

template <Exponent exponent, class T>
void valueWith(const ChannelWindow& w, const T* x, T* y, T* memory) {
  square(w, x, memory);
  const Base<T> base = baseOf<T>(w);
  forBlocks(w, [&](Index from, Index at, Index n) {
    alignas(64) T before[blockSize];
    sumWindow(memory + at, w.width, w.before + w.behind + 1, n, before, [=, in = x + from, out = y + from](auto sum) {
      withPowers<exponent>(base, n, sum,
                           [=](auto load, auto store, Index i, auto power, auto) { store(out + i, load(in + i) * power); });
    });
  });
}

// dx = g base ^ -beta - 2 beta factor x sum of (g x base ^ (-beta - 1)) over the channels in whose windows x lies.
template <Exponent exponent, class T>
void gradientWith(const ChannelWindow& w, const T* g, const T* x, T* dx, T* memory) {
  square(w, x, memory);
  const Index size = w.width * (w.channels + w.before + w.behind), window = w.before + w.behind + 1, first = w.behind * w.width;
  const Base<T> base = baseOf<T>(w);
  T *products = memory + size + 64, *scaledAll = products + size + 64;
  clear(products, first);
  clear(products + first + w.channels * w.width, w.before * w.width);
  forBlocks(w, [&](Index from, Index at, Index n) {
    alignas(64) T before[blockSize];
    T *product = products + first + at, *scaled = scaledAll + at;
    sumWindow(memory + at, w.width, window, n, before, [=, gradient = g + from, in = x + from](auto sum) {
      withPowers<exponent>(base, n, sum, [=](auto load, auto store, Index i, auto power, auto inverse) {
        const auto value = load(gradient + i) * power;
        store(scaled + i, value);
        store(product + i, load(in + i) * value * inverse);
      });
    });
  });
  const T by = static_cast<T>(2 * w.beta * w.factor);
  forBlocks(w, [&](Index from, Index at, Index n) {
    alignas(64) T before[blockSize];
    sumWindow(products + at, w.width, window, n, before, [=, in = x + from, scaled = scaledAll + at, out = dx + from](auto sum) {
#pragma GCC ivdep
      for (Index i = 0; i < n; ++i) out[i] = scaled[i] - in[i] * (by * sum([](const T* p) { return *p; }, i));
    });
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
