// Softmax over the keys of a query; compiled once for every level of the processor.
#include "cpu/simd/attention.hpp"

#include "cpu/simd/exponential.hpp"
#include "cpu/simd/square.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <class T>
struct Types {
  typedef T Vector __attribute__((vector_size(registerBytes)));
  typedef T Anywhere __attribute__((vector_size(registerBytes), aligned(sizeof(T)), may_alias));
  static constexpr Index width = registerBytes / sizeof(T);
};
constexpr Index parts = 4;  // registers that a sum or a maximum is taken in, so that none waits for the last

template <class T>
DL_INLINE typename Types<T>::Vector load(const T* x) {
  return *reinterpret_cast<const typename Types<T>::Anywhere*>(x);
}

// Takes step(part, i) over 0 .. n: `part` a register that takes up its width from i on, or one number for the last few.
template <class T, class Step, class Join>
DL_INLINE T inParts(Index n, T neutral, Step step, Join join) {
  using Vector = typename Types<T>::Vector;
  constexpr Index width = Types<T>::width;
  Vector part[parts];
  for (Vector& p : part) p = Vector{} + neutral;
  T rest = neutral;
  Index i = 0;
  for (; i + parts * width <= n; i += parts * width) {
#pragma GCC unroll 4
    for (Index p = 0; p < parts; ++p) part[p] = step(part[p], i + p * width);
  }
  for (; i + width <= n; i += width) part[0] = step(part[0], i);
  for (; i < n; ++i) rest = step(rest, i);
  const Vector all = join(join(part[0], part[1]), join(part[2], part[3]));
  for (Index k = 0; k < width; ++k) rest = join(rest, all[k]);
  return rest;
}

template <class T>
struct At {  // x at i: a register, or one number
  const T* x;
  DL_INLINE typename Types<T>::Vector operator()(typename Types<T>::Vector, Index i) const { return load(x + i); }
  DL_INLINE T operator()(T, Index i) const { return x[i]; }
};

template <class T>
DL_INLINE T largest(Index n, const T* x) {
  const auto larger = [](auto a, auto b) { return b > a ? b : a; };
  return inParts(
      n, -std::numeric_limits<T>::infinity(), [=](auto part, Index i) { return larger(part, At<T>{x}(part, i)); }, larger);
}
template <class T>
DL_INLINE T total(Index n, const T* x) {
  return inParts(
      n, T(0), [=](auto part, Index i) { return part + At<T>{x}(part, i); }, [](auto a, auto b) { return a + b; });
}
template <class T>
DL_INLINE T inner(Index n, const T* x, const T* y) {
  return inParts(
      n, T(0), [=](auto part, Index i) { return part + At<T>{x}(part, i) * At<T>{y}(part, i); },
      [](auto a, auto b) { return a + b; });
}

template <class T>
void softmax(Index n, const bool* allowed, T* x) {
  constexpr T nothing = -std::numeric_limits<T>::infinity();
  if (allowed) {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) x[i] = allowed[i] ? x[i] : nothing;  // what is behind a mask takes no part, not even as NaN
  }
  const T top = largest(n, x);
  if (!(top > nothing)) {  // no key is seen, or the scores are no numbers, which is not to be hidden
    for (Index i = 0; i < n; ++i) x[i] = x[i] != x[i] ? x[i] : T(0);
    return;
  }
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) x[i] = fastExp(x[i] - top);
  if (allowed) {
#pragma GCC ivdep
    for (Index i = 0; i < n; ++i) x[i] = allowed[i] ? x[i] : T(0);
  }
  const T factor = T(1) / total(n, x);
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) x[i] *= factor;
}

template <class T>
void softmaxBack(Index n, T scale, const T* y, const T* gradient, T* x) {
  const T along = inner(n, y, gradient);
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) x[i] = scale * (y[i] * (gradient[i] - along));
}

}  // namespace

template <class T>
const AttentionKernels<T>& attentionKernels() {
  static constexpr AttentionKernels<T> kernels{softmax<T>, softmaxBack<T>};
  return kernels;
}

template const AttentionKernels<float>& attentionKernels();
template const AttentionKernels<double>& attentionKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
