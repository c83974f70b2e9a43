#include "cpu/resize.hpp"

#include <algorithm>

#include "cpu/parallel.hpp"

namespace dl::cpu {

template <class T>
void interpolate(const T* x, Index inner, Index n, Index outer, std::span<const Tap> taps, T* y) {
  const auto m = static_cast<Index>(taps.size());
  parallelFor(outer, grainFor(inner * (n + m)), [&](Index begin, Index end) {
    for (Index page = begin; page < end; ++page) {
      const T* from = x + page * inner * n;
      T* to = y + page * inner * m;
      for (const Tap& tap : taps) {
        const T *a = from + tap.first * inner, *b = from + tap.second * inner;
        const T w = static_cast<T>(tap.weight), v = static_cast<T>(1 - tap.weight);
        if (tap.weight == 0)
          std::copy_n(a, inner, to);
        else
          for (Index i = 0; i < inner; ++i) to[i] = v * a[i] + w * b[i];
        to += inner;
      }
    }
  });
}

template <class T>
void interpolateAdjoint(const T* y, Index inner, Index n, Index outer, std::span<const Tap> taps, T* x) {
  const auto m = static_cast<Index>(taps.size());
  parallelFor(outer, grainFor(inner * (n + m)), [&](Index begin, Index end) {
    for (Index page = begin; page < end; ++page) {
      const T* from = y + page * inner * m;
      T* to = x + page * inner * n;
      std::fill_n(to, inner * n, T(0));
      for (const Tap& tap : taps) {
        T *a = to + tap.first * inner, *b = to + tap.second * inner;
        const T w = static_cast<T>(tap.weight), v = static_cast<T>(1 - tap.weight);
        for (Index i = 0; i < inner; ++i) a[i] += v * from[i];
        if (tap.weight != 0)
          for (Index i = 0; i < inner; ++i) b[i] += w * from[i];
        from += inner;
      }
    }
  });
}

template void interpolate(const float*, Index, Index, Index, std::span<const Tap>, float*);
template void interpolate(const double*, Index, Index, Index, std::span<const Tap>, double*);
template void interpolateAdjoint(const float*, Index, Index, Index, std::span<const Tap>, float*);
template void interpolateAdjoint(const double*, Index, Index, Index, std::span<const Tap>, double*);

}  // namespace dl::cpu
