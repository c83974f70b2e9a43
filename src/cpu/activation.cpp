#include "cpu/activation.hpp"

#include <algorithm>
#include <cstdint>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/softmax.hpp"

namespace dl::cpu {
namespace {

template <class T>
const SoftmaxKernels<T>& kernels() {
  static const SoftmaxKernels<T> table = DLARRAY_FOR_ARCH(softmaxKernels<T>)();
  return table;
}

// Columns side by side that make a task: some cache lines of each row.
template <class T>
constexpr Index tile = 1024 / sizeof(T);

// Results that are larger than caches are and lie at whole cache lines are written past them: else the lines would first be read.
template <class T>
bool goesPast(Index inner, Index n, Index outer, const T* y) {
  constexpr Index large = Index{1} << 24, line = 64;
  const auto bytes = static_cast<Index>(sizeof(T));
  return inner * n * outer * bytes >= large && inner * bytes % line == 0 && reinterpret_cast<std::uintptr_t>(y) % line == 0;
}

// Calls columns(first, count) for the columns one behind the other, or rows(offset, width) for tiles of rows.
template <class T, class Columns, class Rows>
void forEachTile(Index inner, Index n, Index outer, Columns columns, Rows rows) {
  if (inner == 0 || n == 0 || outer == 0) return;
  if (inner == 1) {
    parallelFor(outer, grainFor(n), [&](Index begin, Index end) { columns(begin, end - begin); });
    return;
  }
  const Index tiles = (inner + tile<T> - 1) / tile<T>;
  parallelFor(tiles * outer, grainFor(std::min(tile<T>, inner) * n), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index at = unit % tiles * tile<T>;
      rows(unit / tiles * inner * n + at, std::min(tile<T>, inner - at));
    }
  });
}

}  // namespace

template <class T>
void softmax(const T* x, Index inner, Index n, Index outer, T* y) {
  const bool past = goesPast(inner, n, outer, y);
  forEachTile<T>(
      inner, n, outer, [&](Index first, Index count) { kernels<T>().columns(x + first * n, n, count, y + first * n); },
      [&](Index offset, Index width) { kernels<T>().rows(x + offset, width, inner, n, y + offset, past); });
}

template <class T>
void softmaxGradient(const T* g, const T* y, Index inner, Index n, Index outer, T* result) {
  const bool past = goesPast(inner, n, outer, result);
  forEachTile<T>(
      inner, n, outer,
      [&](Index first, Index count) { kernels<T>().columnGradients(g + first * n, y + first * n, n, count, result + first * n); },
      [&](Index offset, Index width) {
        kernels<T>().rowGradients(g + offset, y + offset, width, inner, n, result + offset, past);
      });
}

template void softmax(const float*, Index, Index, Index, float*);
template void softmax(const double*, Index, Index, Index, double*);
template void softmaxGradient(const float*, const float*, Index, Index, Index, float*);
template void softmaxGradient(const double*, const double*, Index, Index, Index, double*);

}  // namespace dl::cpu
