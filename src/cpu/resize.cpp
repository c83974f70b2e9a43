#include "cpu/resize.hpp"

#include <algorithm>

#include "cpu/arch.hpp"
#include "cpu/lines.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"
#include "cpu/simd/resize.hpp"
#include "cpu/simd/transpose.hpp"

namespace dl::cpu {

namespace {

template <class T>
TransposeTile turn() {
  const TransposeKernels& k = DLARRAY_FOR_ARCH(transposeKernels)();
  return sizeof(T) == 4 ? k.bytes4 : k.bytes8;
}

// Columns that are interpolated along: so many at a time are turned, which makes lines of them that fill registers. Columns too
// long for the caches are left as they are.
constexpr Index longestColumn = 8192;
bool turnable(Index inner, Index n, Index m) { return inner == 1 && n + m <= longestColumn; }

// y, m elements for each of `outer` columns of n, by lines(turned x, turned y); what is left over of the last few is not looked
// at.
template <class T, class Lines>
void turned(const T* x, Index n, Index m, Index outer, T* y, Lines lines) {
  const TransposeTile turned = turn<T>();
  parallelFor(outer, std::max(turnedLines, grainFor(n + m) / turnedLines * turnedLines), [&](Index begin, Index end) {
    T* const from = scratchMemory<T>(turnedLines * (n + m));
    T* const to = from + turnedLines * n;
    for (Index column = begin; column < end; column += turnedLines) {
      const Index count = std::min(turnedLines, end - column);
      turned(x + column * n, n, from, turnedLines, count, n);
      lines(from, to);
      turned(to, turnedLines, y + column * m, m, m, count);
    }
  });
}

// y, inner x taps x outer.
template <class T>
void interpolate(const T* x, Index inner, Index n, Index outer, const std::vector<Tap>& taps, T* y) {
  const auto m = static_cast<Index>(taps.size());
  const ResizeKernels<T> kernels = DLARRAY_FOR_ARCH(resizeKernels<T>)();
  if (turnable(inner, n, m))
    return turned(x, n, m, outer, y, [&](const T* from, T* to) { kernels.interpolate(from, turnedLines, taps.data(), m, to); });
  parallelFor(outer, grainFor(inner * (n + m)), [&](Index begin, Index end) {
    for (Index page = begin; page < end; ++page)
      kernels.interpolate(x + page * inner * n, inner, taps.data(), m, y + page * inner * m);
  });
}

// Its transpose: x is zeros with the elements of y, inner x taps x outer, added with their weights.
template <class T>
void interpolateAdjoint(const T* y, Index inner, Index n, Index outer, const std::vector<Tap>& taps, T* x) {
  const auto m = static_cast<Index>(taps.size());
  const ResizeKernels<T> kernels = DLARRAY_FOR_ARCH(resizeKernels<T>)();
  if (turnable(inner, n, m))
    return turned(y, m, n, outer, x, [&](const T* from, T* to) {
      std::fill_n(to, turnedLines * n, T(0));
      kernels.adjoint(from, turnedLines, taps.data(), m, to);
    });
  parallelFor(outer, grainFor(inner * (n + m)), [&](Index begin, Index end) {
    for (Index page = begin; page < end; ++page) {
      std::fill_n(x + page * inner * n, inner * n, T(0));
      kernels.adjoint(y + page * inner * m, inner, taps.data(), m, x + page * inner * n);
    }
  });
}

// The elements of a page before a step, and after it.
Index before(const ResizeStep& s) { return s.inner * s.n * s.outer; }
Index after(const ResizeStep& s) { return s.inner * static_cast<Index>(s.taps.size()) * s.outer; }

// Takes pages through some stages, of which the ends have sizes[0], sizes[1], ... elements; stage(k, from, to) is the k-th.
template <class T, class Stage>
void throughStages(const std::vector<Index>& sizes, const T* x, Index pages, T* y, Stage stage) {
  const std::size_t stages = sizes.size() - 1;
  const Index between = stages > 1 ? *std::max_element(sizes.begin() + 1, sizes.end() - 1) : 0;
  parallelFor(pages, grainFor(sizes.front() + sizes.back()), [&](Index begin, Index end) {
    Lines<T> rooms[2]{Lines<T>(between), Lines<T>(stages > 2 ? between : 0)};
    for (Index page = begin; page < end; ++page) {
      const T* from = x + page * sizes.front();
      for (std::size_t k = 0; k < stages; ++k) {
        T* const to = k + 1 == stages ? y + page * sizes.back() : rooms[k % 2].data();
        stage(k, from, to);
        from = to;
      }
    }
  });
}

}  // namespace

template <class T>
void resize(std::span<const ResizeStep> steps, const T* x, Index pages, T* y) {
  std::vector<Index> sizes{before(steps.front())};
  for (const ResizeStep& s : steps) sizes.push_back(after(s));
  throughStages(sizes, x, pages, y, [&](std::size_t k, const T* from, T* to) {
    interpolate(from, steps[k].inner, steps[k].n, steps[k].outer, steps[k].taps, to);
  });
}

template <class T>
void resizeAdjoint(std::span<const ResizeStep> steps, const T* y, Index pages, T* x) {
  std::vector<Index> sizes{after(steps.back())};
  for (std::size_t k = steps.size(); k-- > 0;) sizes.push_back(before(steps[k]));
  throughStages(sizes, y, pages, x, [&](std::size_t k, const T* from, T* to) {
    const ResizeStep& s = steps[steps.size() - 1 - k];
    interpolateAdjoint(from, s.inner, s.n, s.outer, s.taps, to);
  });
}

template void resize(std::span<const ResizeStep>, const float*, Index, float*);
template void resize(std::span<const ResizeStep>, const double*, Index, double*);
template void resizeAdjoint(std::span<const ResizeStep>, const float*, Index, float*);
template void resizeAdjoint(std::span<const ResizeStep>, const double*, Index, double*);

}  // namespace dl::cpu
