// Normalisation across neighbouring channels; compiled once for every level of the processor.
#include "cpu/simd/crosschannel.hpp"

#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

constexpr Index blockSize = 256;  // what is summed before it is used

// base ^ -beta. Three quarters, the default of the layer, are two square roots.
enum class Exponent { threeQuarters, any };
template <Exponent exponent, class T>
DL_INLINE T power(T base, T beta) {
  if constexpr (exponent == Exponent::threeQuarters) {
    const T root = formula::sqrt(base);
    return T(1) / (root * formula::sqrt(root));
  } else {
    return formula::pow(base, -beta);
  }
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

// sums[i] = the elements i, i + apart, ... of the window.
template <class T>
DL_INLINE void sumWindow(const T* from, Index apart, Index window, Index n, T* __restrict sums) {
  for (Index i = 0; i < n; ++i) sums[i] = from[i];
  Index d = 1;
  for (; d + 4 <= window; d += 4) {
    const T *a = from + d * apart, *b = a + apart, *c = b + apart, *e = c + apart;
    for (Index i = 0; i < n; ++i) sums[i] += (a[i] + b[i]) + (c[i] + e[i]);
  }
  for (; d < window; ++d) {
    const T* a = from + d * apart;
    for (Index i = 0; i < n; ++i) sums[i] += a[i];
  }
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
    T sums[blockSize];
    sumWindow(memory + at, w.width, w.before + w.behind + 1, n, sums);
    const T* in = x + from;
    T* __restrict out = y + from;
    for (Index i = 0; i < n; ++i) out[i] = in[i] * power<exponent>(k + factor * sums[i], beta);
  });
}

// dx = g base ^ -beta - 2 beta factor x sum of (g x base ^ (-beta - 1)) over the channels in whose windows x lies.
template <Exponent exponent, class T>
void gradientWith(const ChannelWindow& w, const T* g, const T* x, T* dx, T* memory) {
  square(w, x, memory);
  const Index size = w.width * (w.channels + w.before + w.behind), window = w.before + w.behind + 1, first = w.behind * w.width;
  const T factor = static_cast<T>(w.factor), beta = static_cast<T>(w.beta), k = static_cast<T>(w.k);
  T *products = memory + size + 64, *powers = products + size + 64;
  clear(products, first);
  clear(products + first + w.channels * w.width, w.before * w.width);
  forBlocks(w, [&](Index from, Index at, Index n) {
    T sums[blockSize];
    sumWindow(memory + at, w.width, window, n, sums);
    const T *gradient = g + from, *in = x + from;
    T* __restrict product = products + first + at, * __restrict scaled = powers + at;
    for (Index i = 0; i < n; ++i) {
      const T base = k + factor * sums[i];
      scaled[i] = gradient[i] * power<exponent>(base, beta);
      product[i] = in[i] * scaled[i] / base;
    }
  });
  const T by = static_cast<T>(2 * w.beta * w.factor);
  forBlocks(w, [&](Index from, Index at, Index n) {
    T sums[blockSize];
    sumWindow(products + at, w.width, window, n, sums);
    const T *in = x + from, *scaled = powers + at;
    T* __restrict out = dx + from;
    for (Index i = 0; i < n; ++i) out[i] = scaled[i] - by * in[i] * sums[i];
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
