#include "cpu/along.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

#include "cpu/parallel.hpp"

namespace dl::cpu {

template <class T>
void gatherAlong(const T* x, Index inner, Index n, Index outer, const double* positions, Index k, T* y) {
  parallelFor(outer * k, grainFor(inner), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end;) {
      const T* page = x + unit / k * inner * n;
      for (const Index last = std::min(end, (unit / k + 1) * k); unit < last; ++unit)
        for (Index i = 0; i < inner; ++i) y[unit * inner + i] = page[i + inner * static_cast<Index>(positions[unit * inner + i])];
    }
  });
}

template <class T>
void scatterAddAlong(const T* x, Index inner, Index n, Index outer, const double* positions, Index k, T* y) {
  // Pages are the unit: within one, several elements may be added to the same place.
  parallelFor(outer, grainFor(inner * k), [&](Index begin, Index end) {
    for (Index o = begin; o < end; ++o)
      for (Index unit = o * k; unit < (o + 1) * k; ++unit)
        for (Index i = 0; i < inner; ++i)
          y[o * inner * n + i + inner * static_cast<Index>(positions[unit * inner + i])] += x[unit * inner + i];
  });
}

template <class T>
void shiftAlong(const T* x, Index inner, Index n, Index outer, Index steps, T fill, T* y) {
  const Index filled = std::min(steps < 0 ? -steps : steps, n) * inner, copied = n * inner - filled;
  parallelFor(outer, grainFor(inner * n), [&](Index begin, Index end) {
    for (Index page = begin; page < end; ++page) {
      const T* from = x + page * inner * n;
      T* to = y + page * inner * n;
      if (steps < 0) {
        std::copy(from + filled, from + filled + copied, to);
        std::fill(to + copied, to + copied + filled, fill);
      } else {
        std::copy(from, from + copied, to + filled);
        std::fill(to, to + filled, fill);
      }
    }
  });
}

namespace {

// `step` leads from one element of a column to the next in the order of the recurrence.
template <class T>
void recurColumn(const T* a, const T* b, Index n, Index step, T* y) {
  T state = b[0];
  y[0] = state;
  for (Index k = 1; k < n; ++k) {
    state = b[k * step] + a[k * step] * state;
    y[k * step] = state;
  }
}

template <class T>
void recurRows(const T* a, const T* b, Index width, Index n, Index step, T* y) {
  std::copy(b, b + width, y);
  for (Index k = 1; k < n; ++k) {
    const T* before = y;
    a += step, b += step, y += step;
    for (Index i = 0; i < width; ++i) y[i] = b[i] + a[i] * before[i];
  }
}

}  // namespace

template <class T>
void recurrence(const T* a, const T* b, Index inner, Index n, Index outer, Direction direction, T* y) {
  if (inner == 0 || n == 0) return;
  const bool reverse = direction == Direction::reverse;
  const Index step = reverse ? -inner : inner;
  const Index tile = std::min<Index>(inner, 1024), tiles = (inner + tile - 1) / tile;
  parallelFor(tiles * outer, grainFor(tile * n), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index column = unit % tiles * tile;
      const Index start = unit / tiles * inner * n + column + (reverse ? (n - 1) * inner : 0);
      if (inner == 1)
        recurColumn(a + start, b + start, n, step, y + start);
      else
        recurRows(a + start, b + start, std::min(tile, inner - column), n, step, y + start);
    }
  });
}

namespace {

template <class T>
std::pair<Index, Index> middle(std::vector<std::pair<T, Index>>& entries) {
  for (const auto& [value, at] : entries)
    if (value != value) return {at, at};
  const auto upper = entries.begin() + static_cast<std::ptrdiff_t>(entries.size() / 2);
  std::nth_element(entries.begin(), upper, entries.end());
  if (entries.size() % 2 == 1) return {upper->second, upper->second};
  return {std::max_element(entries.begin(), upper)->second, upper->second};
}

}  // namespace

template <class T>
void medianPositions(const T* x, Index inner, Index n, Index outer, double* lower, double* upper) {
  assert(n > 0);
  parallelFor(inner * outer, grainFor(8 * n), [&](Index begin, Index end) {
    std::vector<std::pair<T, Index>> entries(static_cast<std::size_t>(n));
    for (Index line = begin; line < end; ++line) {
      const T* from = x + line % inner + line / inner * inner * n;
      for (Index k = 0; k < n; ++k) entries[static_cast<std::size_t>(k)] = {from[k * inner], k};
      const auto [low, high] = middle(entries);
      lower[line] = static_cast<double>(low);
      upper[line] = static_cast<double>(high);
    }
  });
}

template void gatherAlong(const float*, Index, Index, Index, const double*, Index, float*);
template void gatherAlong(const double*, Index, Index, Index, const double*, Index, double*);
template void gatherAlong(const bool*, Index, Index, Index, const double*, Index, bool*);
template void scatterAddAlong(const float*, Index, Index, Index, const double*, Index, float*);
template void scatterAddAlong(const double*, Index, Index, Index, const double*, Index, double*);
template void shiftAlong(const float*, Index, Index, Index, Index, float, float*);
template void shiftAlong(const double*, Index, Index, Index, Index, double, double*);
template void recurrence(const float*, const float*, Index, Index, Index, Direction, float*);
template void recurrence(const double*, const double*, Index, Index, Index, Direction, double*);
template void medianPositions(const float*, Index, Index, Index, double*, double*);
template void medianPositions(const double*, Index, Index, Index, double*, double*);

}  // namespace dl::cpu
