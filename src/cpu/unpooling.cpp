#include "cpu/unpooling.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>
#include <vector>

#include "cpu/parallel.hpp"

namespace dl::cpu {

namespace {

constexpr Index partElements = Index{1} << 15;

// Calls body(first, last) for all elements: in parts on several threads where parts meet different ranges of positions, as those
// of pooled pages do, else once.
template <class Body>
void forParts(const double* at, Index n, Body body) {
  const Index parts = (n + partElements - 1) / partElements;
  std::vector<std::pair<double, double>> ranges(static_cast<std::size_t>(parts));
  const auto endOf = [&](Index part) { return std::min(n, (part + 1) * partElements); };
  parallelFor(parts, 1, [&](Index begin, Index end) {
    for (Index part = begin; part < end; ++part) {
      double least = at[part * partElements], most = least;
      for (Index i = part * partElements; i < endOf(part); ++i) {
        least = at[i] < least ? at[i] : least;
        most = at[i] > most ? at[i] : most;
      }
      ranges[static_cast<std::size_t>(part)] = {least, most};
    }
  });
  const bool apart = std::adjacent_find(ranges.begin(), ranges.end(),
                                        [](const auto& a, const auto& b) { return a.second >= b.first; }) == ranges.end();
  if (!apart) return body(Index{0}, n);
  parallelFor(parts, 1, [&](Index begin, Index end) { body(begin * partElements, endOf(end - 1)); });
}

}  // namespace

bool arePositions(const double* at, Index n, Index count) {
  const auto end = static_cast<double>(count);
  std::atomic<bool> all{true};
  parallelFor(n, partElements, [&](Index first, Index last) {
    bool here = true;
    for (Index i = first; i < last; ++i) {
      const double p = at[i];
      here &= (p >= 0) & (p < end) && static_cast<double>(static_cast<Index>(p)) == p;
    }
    if (!here) all = false;
  });
  return all;
}

template <class T>
void unpool(const T* x, const double* at, Index n, T* y, Index count) {
  parallelFor(count, parallelElements,
              [&](Index begin, Index end) { std::memset(y + begin, 0, static_cast<std::size_t>(end - begin) * sizeof(T)); });
  forParts(at, n, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) y[static_cast<Index>(at[i])] = x[i];
  });
}

template <class T>
void unpoolAdjoint(const T* g, Index count, const double* at, Index n, T* dx) {
  // Backwards: the last one takes the gradient of its place, and leaves nothing for those before it.
  std::vector<char> taken(static_cast<std::size_t>(count));
  forParts(at, n, [&](Index first, Index last) {
    for (Index i = last - 1; i >= first; --i) {
      const auto place = static_cast<Index>(at[i]);
      dx[i] = std::exchange(taken[static_cast<std::size_t>(place)], char{1}) ? T(0) : g[place];
    }
  });
}

template void unpool(const float*, const double*, Index, float*, Index);
template void unpool(const double*, const double*, Index, double*, Index);
template void unpoolAdjoint(const float*, Index, const double*, Index, float*);
template void unpoolAdjoint(const double*, Index, const double*, Index, double*);

}  // namespace dl::cpu
