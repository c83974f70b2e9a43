#include "cpu/sort.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "cpu/parallel.hpp"

namespace dl::cpu {
namespace {

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

enum class NanPlace { first, last };

// Unsigned numbers that compare as the elements should come out: -0 equals 0, all NaN are equal and stand at one end.
template <class T>
struct Keys {
  using Bits = BitsOf<T>;
  static constexpr Bits sign = Bits{1} << (8 * sizeof(T) - 1);
  SortOrder order;
  NanPlace nan;

  Bits operator()(T x) const {
    if (x != x) return nan == NanPlace::last ? std::numeric_limits<Bits>::max() : Bits{0};
    const T positiveZero = x + T(0);
    Bits bits;
    std::memcpy(&bits, &positiveZero, sizeof(bits));
    bits = bits & sign ? ~bits : bits | sign;
    return order == SortOrder::descending ? ~bits : bits;
  }
};

// A key with the position it came from. Positions differ, so that every sort of entries is a stable sort of elements.
struct WideEntry {
  std::uint64_t key;
  std::uint64_t position;

  static WideEntry of(std::uint64_t key, Index i) { return {key, static_cast<std::uint64_t>(i)}; }
  Index at() const { return static_cast<Index>(position); }
  static constexpr int digits = 8;
  unsigned digit(int d) const { return static_cast<unsigned>(key >> (8 * d)) & 255u; }
  friend bool operator<(const WideEntry& a, const WideEntry& b) {
    return a.key != b.key ? a.key < b.key : a.position < b.position;
  }
};

// The same in 8 bytes, for 32-bit keys and fewer than 2^32 elements.
struct NarrowEntry {
  std::uint64_t bits;

  static NarrowEntry of(std::uint64_t key, Index i) { return {key << 32 | static_cast<std::uint64_t>(i)}; }
  Index at() const { return static_cast<Index>(bits & 0xFFFFFFFFu); }
  static constexpr int digits = 4;
  unsigned digit(int d) const { return static_cast<unsigned>(bits >> (32 + 8 * d)) & 255u; }
  friend bool operator<(const NarrowEntry& a, const NarrowEntry& b) { return a.bits < b.bits; }
};

// Sorts by the digits of the keys, least significant first; digits that all entries share cost nothing. Entries must come
// in the order of their positions.
template <class Entry>
void radixSort(std::vector<Entry>& entries, std::vector<Entry>& spare) {
  std::array<std::array<std::size_t, 256>, Entry::digits> counts{};
  for (const Entry& entry : entries)
    for (int d = 0; d < Entry::digits; ++d) ++counts[static_cast<std::size_t>(d)][entry.digit(d)];
  spare.resize(entries.size());
  for (int d = 0; d < Entry::digits; ++d) {
    std::array<std::size_t, 256>& starts = counts[static_cast<std::size_t>(d)];
    if (starts[entries.front().digit(d)] == entries.size()) continue;
    std::size_t start = 0;
    for (std::size_t& count : starts) start += std::exchange(count, start);
    for (const Entry& entry : entries) spare[starts[entry.digit(d)]++] = entry;
    entries.swap(spare);
  }
}

template <class Entry>
void sortEntries(std::vector<Entry>& entries, std::vector<Entry>& spare) {
  if (entries.size() < 64 * Entry::digits)
    std::sort(entries.begin(), entries.end());
  else
    radixSort(entries, spare);
}

template <class T, class Entry>
struct LineSorter {
  Keys<T> keys;
  std::vector<Entry> entries, spare;

  void sort(const T* x, Index n) {
    entries.resize(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; ++i) entries[static_cast<std::size_t>(i)] = Entry::of(keys(x[i]), i);
    sortEntries(entries, spare);
  }

  // Keeps the best k of what it has seen in front of a few more, and passes over what cannot be among them.
  void select(const T* x, Index n, Index k) {
    entries.clear();
    if (k == 0) return;
    const auto wanted = static_cast<std::size_t>(k), room = 2 * wanted + 64;
    bool bounded = false;
    Entry bound{};
    const auto trim = [&] {
      const auto last = entries.begin() + static_cast<std::ptrdiff_t>(wanted - 1);
      std::nth_element(entries.begin(), last, entries.end());
      bound = *last;
      bounded = true;
      entries.resize(wanted);
    };
    for (Index i = 0; i < n; ++i) {
      const Entry entry = Entry::of(keys(x[i]), i);
      if (bounded && !(entry < bound)) continue;
      entries.push_back(entry);
      if (entries.size() == room) trim();
    }
    if (entries.size() > wanted) trim();
    std::sort(entries.begin(), entries.end());
  }
};

// Lines side by side are sorted through a buffer that holds a few of them, so that whole cache lines are read and written.
constexpr Index linesTogether = 16;

template <class T, class Entry>
void sortLines(const T* x, Index inner, Index n, Index outer, Index k, bool whole, Keys<T> keys, T* values, T* positions) {
  const Index together = inner == 1 ? 1 : linesTogether, groups = (inner + together - 1) / together;
  parallelFor(groups * outer, grainFor(8 * n * together), [&](Index begin, Index end) {
    LineSorter<T, Entry> sorter{keys, {}, {}};
    std::vector<T> lines(static_cast<std::size_t>(inner == 1 ? 0 : n * together));
    for (Index unit = begin; unit < end; ++unit) {
      const Index first = unit % groups * together, page = unit / groups, count = std::min(together, inner - first);
      if (inner > 1)
        for (Index i = 0; i < n; ++i)
          for (Index l = 0; l < count; ++l) lines[static_cast<std::size_t>(l * n + i)] = x[(page * n + i) * inner + first + l];
      for (Index l = 0; l < count; ++l) {
        const T* line = inner > 1 ? lines.data() + l * n : x + page * n;
        whole ? sorter.sort(line, n) : sorter.select(line, n, k);
        const Index to = page * k * inner + first + l;
        for (Index i = 0; i < k; ++i) {
          const Index at = sorter.entries[static_cast<std::size_t>(i)].at();
          if (values) values[to + i * inner] = line[at];
          if (positions) positions[to + i * inner] = static_cast<T>(at);
        }
      }
    }
  });
}

template <class T>
void sortOrSelect(const T* x, Index inner, Index n, Index outer, Index k, bool whole, Keys<T> keys, T* values, T* positions) {
  if (inner == 0 || n == 0 || outer == 0 || k == 0) return;
  if constexpr (std::is_same_v<T, float>)
    if (n <= Index{std::numeric_limits<std::uint32_t>::max()})
      return sortLines<T, NarrowEntry>(x, inner, n, outer, k, whole, keys, values, positions);
  sortLines<T, WideEntry>(x, inner, n, outer, k, whole, keys, values, positions);
}

}  // namespace

template <class T>
void sort(const T* x, Index inner, Index n, Index outer, SortOrder order, T* values, T* positions) {
  const NanPlace nan = order == SortOrder::ascending ? NanPlace::last : NanPlace::first;
  sortOrSelect(x, inner, n, outer, n, true, Keys<T>{order, nan}, values, positions);
}

template <class T>
void topk(const T* x, Index inner, Index n, Index outer, Index k, SortOrder order, T* values, T* positions) {
  assert(k >= 0 && k <= n);
  const bool whole = k > n / 4;
  sortOrSelect(x, inner, n, outer, k, whole, Keys<T>{order, NanPlace::last}, values, positions);
}

template void sort(const float*, Index, Index, Index, SortOrder, float*, float*);
template void sort(const double*, Index, Index, Index, SortOrder, double*, double*);
template void topk(const float*, Index, Index, Index, Index, SortOrder, float*, float*);
template void topk(const double*, Index, Index, Index, Index, SortOrder, double*, double*);

}  // namespace dl::cpu
