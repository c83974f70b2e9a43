// Interpolation between lines; compiled once for every level of the processor.
#include "cpu/simd/resize.hpp"

#include "cpu/simd/tile.hpp"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// of(i) writes a register's width of elements from i on, for all of a line; where it does not end with a register, the last one
// of it is written again in part.
template <class T, class F>
DL_INLINE void forRegisters(Index n, F&& of) {
  constexpr Index width = Types<T>::width;
  Index i = 0;
  for (; i + width <= n; i += width) of(i);
  if (i < n) of(n - width);
}

// fixed: the number of terms, 0 for any but none.
template <int fixed, class T>
DL_INLINE void combineTerms(const T* from, Index n, const Index* elements, const T* weights, Index any, T* to) {
  using Vector = typename Types<T>::Anywhere;
  const Index terms = fixed ? fixed : any;
  const auto sum = [&](auto take) {
    auto total = weights[0] * take(from + elements[0] * n);
    for (Index t = 1; t < terms; ++t) total += weights[t] * take(from + elements[t] * n);
    return total;
  };
  if (n < Types<T>::width)
    for (Index i = 0; i < n; ++i) to[i] = sum([=](const T* x) { return x[i]; });
  else
    forRegisters<T>(n, [&](Index i) {
      *reinterpret_cast<Vector*>(to + i) = sum([=](const T* x) { return *reinterpret_cast<const Vector*>(x + i); });
    });
}

template <class T>
void combine(const T* from, Index n, const LineSums<T>& sums, T* to) {
  for (Index r = 0, first = 0; r < sums.count; first = sums.ends[r++], to += n) {
    const Index terms = sums.ends[r] - first;
    const Index* elements = sums.elements + first;
    const T* weights = sums.weights + first;
    if (terms == 0)
      for (Index i = 0; i < n; ++i) to[i] = T(0);
    else if (terms == 1)
      combineTerms<1>(from, n, elements, weights, terms, to);
    else if (terms == 2)
      combineTerms<2>(from, n, elements, weights, terms, to);
    else if (terms == 4)
      combineTerms<4>(from, n, elements, weights, terms, to);
    else
      combineTerms<0>(from, n, elements, weights, terms, to);
  }
}

#if defined(__AVX512F__)
// The elements of one register or two that `places` names, for the results in the mask; else 0.
inline __m512 choose(std::uint32_t mask, __m512i places, __m512 from) {
  return _mm512_maskz_permutexvar_ps(static_cast<__mmask16>(mask), places, from);
}
inline __m512d choose(std::uint32_t mask, __m512i places, __m512d from) {
  return _mm512_maskz_permutexvar_pd(static_cast<__mmask8>(mask), places, from);
}
inline __m512 choose(std::uint32_t mask, __m512i places, __m512 low, __m512 high) {
  return _mm512_maskz_permutex2var_ps(static_cast<__mmask16>(mask), low, places, high);
}
inline __m512d choose(std::uint32_t mask, __m512i places, __m512d low, __m512d high) {
  return _mm512_maskz_permutex2var_pd(static_cast<__mmask8>(mask), low, places, high);
}

// What a term of a block takes, in registers.
template <bool narrow, class T>
struct GatheredTerm {
  using Vector = typename Types<T>::Vector;
  static constexpr Index width = Types<T>::width;

  Index base, low, high;
  std::uint32_t takes;
  __m512i places;
  Vector weights;

  DL_INLINE GatheredTerm(const Gathering<T>& g, Index term)
      : base(g.base[term]),
        low(smaller(g.present[term], width)),
        high(g.present[term] - low),
        takes(g.takes[term]),
        places(_mm512_loadu_si512(g.places + term * width)) {
    __builtin_memcpy(&weights, g.weights + term * width, sizeof weights);
  }
  DL_INLINE Vector of(const T* column) const {
    Vector first, second;
    loadPart(column + base, low, first);
    if constexpr (narrow) return weights * choose(takes, places, first);
    loadPart(column + base + width, high, second);
    return weights * choose(takes, places, first, second);
  }
};

// Block by block, so that what `fixed` terms take is read once for all columns; 0 for any number of them.
template <int fixed, bool narrow, class T>
void gatherTerms(const T* from, Index n, const Gathering<T>& g, Index m, Index columns, T* to) {
  using Term = GatheredTerm<narrow, T>;
  for (Index block = 0; block < g.blocks; ++block) {
    const Index written = smaller(m - block * Term::width, Term::width), first = block * g.terms;
    const T* x = from;
    T* y = to + block * Term::width;
    const Term own(g, first), second(g, first + (fixed > 1)), third(g, first + (fixed > 2 ? 2 : 0)),
        fourth(g, first + (fixed > 2 ? 3 : 0));
    for (Index column = 0; column < columns; ++column, x += n, y += m) {
      auto sum = own.of(x);
      if constexpr (fixed > 1) sum += second.of(x);
      if constexpr (fixed > 2) sum += third.of(x), sum += fourth.of(x);
      if constexpr (fixed == 0)
        for (Index t = 1; t < g.terms; ++t) sum += Term(g, first + t).of(x);
      storePart(y, written, sum);
    }
  }
}

template <bool narrow, class T>
void gatherBlocks(const T* from, Index n, const Gathering<T>& g, Index m, Index columns, T* to) {
  switch (g.terms) {
    case 1:
      return gatherTerms<1, narrow>(from, n, g, m, columns, to);
    case 2:
      return gatherTerms<2, narrow>(from, n, g, m, columns, to);
    case 4:
      return gatherTerms<4, narrow>(from, n, g, m, columns, to);
    default:
      return gatherTerms<0, narrow>(from, n, g, m, columns, to);
  }
}
template <class T>
void gather(const T* from, Index n, const Gathering<T>& g, Index m, Index columns, T* to) {
  g.narrow ? gatherBlocks<true>(from, n, g, m, columns, to) : gatherBlocks<false>(from, n, g, m, columns, to);
}
#endif

}  // namespace

template <class T>
ResizeKernels<T> resizeKernels() {
#if defined(__AVX512F__)
  return {combine<T>, gather<T>, static_cast<Index>(64 / sizeof(T))};
#else
  return {combine<T>, nullptr, 0};
#endif
}
template ResizeKernels<float> resizeKernels();
template ResizeKernels<double> resizeKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
