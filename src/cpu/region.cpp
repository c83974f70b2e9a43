#include "cpu/region.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "cpu/elementwise.hpp"
#include "cpu/parallel.hpp"
#include "cpu/walk.hpp"
#include "formulas/binary.hpp"

namespace dl::cpu {
namespace {

// Stands for elements of N bytes, whatever their type and wherever they lie.
template <class Bits>
struct __attribute__((packed, may_alias)) Word {
  Bits bits;
};
struct __attribute__((packed, may_alias)) Bits16 {
  std::uint64_t low, high;
};

// A part of an array x as a grid: x is the whole array, y the compact one.
struct Grid {
  std::vector<Axis> axes;
  std::vector<std::vector<Index>> offsets;  // what the axes' lists point to
  Index base = 0;                           // where the part begins in x

  bool empty() const { return positions(axes) == 0; }
};

// Adds a slower axis, joined with the one before where both arrays allow it.
void addAxis(std::vector<Axis>& axes, const Axis& axis) {
  if (!axes.empty() && !axes.back().xOffsets && !axis.xOffsets && axes.back().xStride * axes.back().size == axis.xStride &&
      axes.back().yStride * axes.back().size == axis.yStride)
    axes.back().size *= axis.size;
  else
    axes.push_back(axis);
}

// A list that is in truth a range becomes one: ranges join and copy faster.
Selection simplified(Selection s) {
  if (!s.list || s.count == 0) return s;
  const Index start = s.list[0], step = s.count > 1 ? s.list[1] - s.list[0] : 1;
  for (Index i = 2; i < s.count; ++i)
    if (s.list[i] - s.list[i - 1] != step) return s;
  return {start, step, s.count, nullptr};
}

Grid gridOf(std::span<const Index> sizes, std::span<const Selection> part) {
  assert(sizes.size() == part.size());
  Grid grid;
  Index xStride = 1, yStride = 1;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    const Selection s = simplified(part[d]);
    if (!s.list) {
      grid.base += s.count > 0 ? s.start * xStride : 0;
      if (s.count != 1) addAxis(grid.axes, {s.count, s.step * xStride, yStride, nullptr});
    } else if (xStride == 1) {
      addAxis(grid.axes, {s.count, 0, yStride, s.list});
    } else {
      std::vector<Index>& offsets = grid.offsets.emplace_back(s.list, s.list + s.count);
      for (Index& offset : offsets) offset *= xStride;
      addAxis(grid.axes, {s.count, 0, yStride, offsets.data()});
    }
    xStride *= sizes[d];
    yStride *= s.count;
  }
  return grid;
}

// Elements of a size without a word of their own are walked as runs of bytes.
std::size_t useWords(std::size_t elementSize, Grid& grid) {
  if (elementSize == 1 || elementSize == 2 || elementSize == 4 || elementSize == 8 || elementSize == 16) return elementSize;
  const auto bytes = static_cast<Index>(elementSize);
  for (Axis& axis : grid.axes) {
    axis.xStride *= bytes;
    axis.yStride *= bytes;
    if (!axis.xOffsets) continue;
    std::vector<Index>& offsets = grid.offsets.emplace_back(axis.xOffsets, axis.xOffsets + axis.size);
    for (Index& offset : offsets) offset *= bytes;
    axis.xOffsets = offsets.data();
  }
  grid.base *= bytes;
  std::vector<Axis> axes{{bytes, 1, 1, nullptr}};
  for (const Axis& axis : grid.axes) addAxis(axes, axis);
  grid.axes = std::move(axes);
  return 1;
}

// Calls body(line, x, y) for the pieces of lines (runs along the first axis) that cover the positions [begin, end).
template <class F>
void walkLines(std::span<const Axis> axes, Index begin, Index end, F&& body) {
  if (axes.empty()) {
    if (begin < end) body(Axis{1, 1, 1, nullptr}, Index{0}, Index{0});
    return;
  }
  const Axis inner = axes.front();
  Index line = begin / inner.size;
  walk(axes.subspan(1), line, (end + inner.size - 1) / inner.size, [&](Index x, Index y) {
    const Index first = std::max<Index>(begin - line * inner.size, 0);
    Axis piece = inner;
    piece.size = std::min(end - line * inner.size, inner.size) - first;
    if (piece.xOffsets)
      piece.xOffsets += first;
    else
      x += first * inner.xStride;
    body(piece, x, y + first * inner.yStride);
    ++line;
  });
}

bool distinct(const Axis& axis) {
  if (!axis.xOffsets) return axis.xStride != 0;
  for (Index i = 2; i < axis.size; ++i)
    if ((axis.xOffsets[i] > axis.xOffsets[i - 1]) != (axis.xOffsets[1] > axis.xOffsets[0])) return false;
  return std::adjacent_find(axis.xOffsets, axis.xOffsets + axis.size) == axis.xOffsets + axis.size;
}

// For reading x: every position may go to any thread.
template <class F>
void readLines(const Grid& grid, F&& body) {
  parallelFor(positions(grid.axes), parallelElements, [&](Index begin, Index end) {
    walkLines(grid.axes, begin, end, [&](const Axis& line, Index x, Index y) { body(line, grid.base + x, y); });
  });
}

// For writing x: positions that may repeat must meet in one thread and in order. A repeated position repeats the whole
// range of every other axis, so threads share the work along an axis whose own positions are distinct.
template <class F>
void writeLines(const Grid& grid, F&& body) {
  const Index total = positions(grid.axes);
  if (total <= parallelElements || std::all_of(grid.axes.begin(), grid.axes.end(), distinct)) {
    readLines(grid, body);
    return;
  }
  const Axis* shared = nullptr;
  for (const Axis& axis : grid.axes)
    if (distinct(axis) && (!shared || axis.size > shared->size)) shared = &axis;
  const Index steps = shared ? shared->size : 1;
  parallelFor(steps, grainFor(total / steps), [&](Index begin, Index end) {
    std::vector<Axis> axes = grid.axes;
    Index x = grid.base, y = 0;
    if (shared) {
      Axis& mine = axes[static_cast<std::size_t>(shared - grid.axes.data())];
      if (mine.xOffsets)
        mine.xOffsets += begin;
      else
        x += begin * mine.xStride;
      y += begin * mine.yStride;
      mine.size = end - begin;
    }
    walkLines(axes, 0, positions(axes), [&](const Axis& line, Index dx, Index dy) { body(line, x + dx, y + dy); });
  });
}

// Calls f with a value of the type that stands for elements of this size.
template <class F>
void withWord(std::size_t size, F&& f) {
  switch (size) {
    case 1:
      f(Word<std::uint8_t>{});
      break;
    case 2:
      f(Word<std::uint16_t>{});
      break;
    case 4:
      f(Word<std::uint32_t>{});
      break;
    case 8:
      f(Word<std::uint64_t>{});
      break;
    default:
      f(Word<Bits16>{});
      break;
  }
}

template <class W>
void copyLine(const W* x, const Axis& line, W* y) {
  const Index n = line.size, xs = line.xStride, ys = line.yStride;
  if (line.xOffsets)
    for (Index i = 0; i < n; ++i) y[i * ys] = x[line.xOffsets[i]];
  else if (xs == 1 && ys == 1)
    std::memcpy(y, x, static_cast<std::size_t>(n) * sizeof(W));
  else if (xs == 0 && ys == 1)
    std::fill(y, y + n, *x);
  else
    for (Index i = 0; i < n; ++i) y[i * ys] = x[i * xs];
}

template <class W>
void writeLine(W* x, const Axis& line, const W* y) {
  const Index n = line.size, xs = line.xStride;
  if (line.xOffsets)
    for (Index i = 0; i < n; ++i) x[line.xOffsets[i]] = y[i];
  else if (xs == 1)
    std::memcpy(x, y, static_cast<std::size_t>(n) * sizeof(W));
  else
    for (Index i = 0; i < n; ++i) x[i * xs] = y[i];
}

template <class W>
void fillLine(W* x, const Axis& line, W value) {
  const Index n = line.size;
  for (Index i = 0; i < n; ++i) x[line.xOffset(i)] = value;
}

// Columns, or equal pieces of them, that lie anywhere behind a grid's base.
struct Columns {
  const Index* offsets = nullptr;  // null where a part is something else
  Index length = 0, count = 0;

  explicit Columns(const Grid& grid) {
    if (grid.axes.size() != 2) return;
    const Axis &along = grid.axes[0], &across = grid.axes[1];
    if (along.xOffsets || along.xStride != 1 || !across.xOffsets) return;
    *this = {across.xOffsets, along.size, across.size};
  }

 private:
  Columns(const Index* o, Index l, Index n) : offsets(o), length(l), count(n) {}
};

// So many elements are worth a thread where the processor foresees nothing.
constexpr Index scatteredElements = Index{1} << 14;

// Asks the memory for an array's first bytes; it asks for what follows by itself.
inline void expect(const void* x, Index bytes) {
  constexpr Index line = 64, lines = 16;
  for (Index at = 0; at < std::min(bytes, line * lines); at += line) __builtin_prefetch(static_cast<const char*>(x) + at);
}
constexpr Index ahead = 4;  // columns, for which the memory is asked while others are at hand

template <class W>
void copyColumns(const W* x, const Columns& columns, W* y) {
  const Index bytes = columns.length * static_cast<Index>(sizeof(W));
  parallelFor(columns.count, std::max<Index>(1, scatteredElements / std::max<Index>(columns.length, 1)),
              [&](Index begin, Index end) {
                for (Index i = begin; i < end; ++i) {
                  if (i + ahead < end) expect(x + columns.offsets[i + ahead], bytes);
                  std::memcpy(y + i * columns.length, x + columns.offsets[i], static_cast<std::size_t>(bytes));
                }
              });
}

// Borders between ranges of x in which about equally many columns begin, by a few of them. The first and the last range have no
// end.
std::array<Index, 17> bordersOf(const Columns& columns) {
  constexpr Index few = 64;
  std::array<Index, few> some;
  for (Index i = 0; i < few; ++i) some[static_cast<std::size_t>(i)] = columns.offsets[i * columns.count / few];
  std::sort(some.begin(), some.end());
  std::array<Index, 17> borders;
  for (std::size_t i = 1; i < 16; ++i) borders[i] = some[i * few / 16];
  borders.front() = 0;
  borders.back() = std::numeric_limits<Index>::max();
  return borders;
}

// A column belongs to one thread, which adds to it in order. Threads share x by ranges, because what was written last lies in the
// caches of threads by ranges too.
template <class T>
void addColumns(T* y, const Columns& columns, const T* x) {
  const auto borders = bordersOf(columns);
  constexpr auto ranges = static_cast<Index>(borders.size()) - 1;
  const auto plus = elementwiseKernels<T>().binary[formula::BinaryFormulas::position<formula::Plus>()].value;
  const Index bytes = columns.length * static_cast<Index>(sizeof(T)), each = columns.length * columns.count / ranges;
  parallelFor(ranges, std::max<Index>(1, scatteredElements / std::max<Index>(each, 1)), [&](Index begin, Index end) {
    const Index first = borders[static_cast<std::size_t>(begin)], last = borders[static_cast<std::size_t>(end)];
    const auto own = [&](Index i) { return columns.offsets[i] >= first && columns.offsets[i] < last; };
    for (Index i = 0; i < columns.count; ++i) {
      if (i + ahead < columns.count && own(i + ahead)) expect(y + columns.offsets[i + ahead], bytes);
      if (!own(i)) continue;
      T* to = y + columns.offsets[i];
      plus(columns.length, to, 1, x + i * columns.length, 1, to);
    }
  });
}

void copyGrid(const void* x, std::size_t elementSize, Grid& grid, void* y) {
  if (grid.empty()) return;
  withWord(useWords(elementSize, grid), [&]<class W>(W) {
    const auto* from = static_cast<const W*>(x);
    auto* to = static_cast<W*>(y);
    if (const Columns columns(grid); columns.offsets) return copyColumns(from + grid.base, columns, to);
    readLines(grid, [&](const Axis& line, Index dx, Index dy) { copyLine(from + dx, line, to + dy); });
  });
}

}  // namespace

Index numelOf(std::span<const Selection> part) {
  Index n = 1;
  for (const Selection& s : part) n *= s.count;
  return n;
}

void gather(const void* x, std::size_t elementSize, std::span<const Index> sizes, std::span<const Selection> part,
            void* compact) {
  Grid grid = gridOf(sizes, part);
  copyGrid(x, elementSize, grid, compact);
}

void scatter(void* y, std::size_t elementSize, std::span<const Index> sizes, std::span<const Selection> part,
             const void* compact) {
  Grid grid = gridOf(sizes, part);
  if (grid.empty()) return;
  withWord(useWords(elementSize, grid), [&]<class W>(W) {
    auto* to = static_cast<W*>(y);
    const auto* from = static_cast<const W*>(compact);
    writeLines(grid, [&](const Axis& line, Index dx, Index dy) { writeLine(to + dx, line, from + dy); });
  });
}

void scatterValue(void* y, std::size_t elementSize, std::span<const Index> sizes, std::span<const Selection> part,
                  const void* value) {
  Grid grid = gridOf(sizes, part);
  if (grid.empty()) return;
  withWord(elementSize, [&]<class W>(W word) {
    std::memcpy(&word, value, sizeof(W));
    auto* to = static_cast<W*>(y);
    writeLines(grid, [&](const Axis& line, Index dx, Index) { fillLine(to + dx, line, word); });
  });
}

template <class T>
void scatterAdd(T* y, std::span<const Index> sizes, std::span<const Selection> part, const T* compact) {
  const Grid grid = gridOf(sizes, part);
  if (grid.empty()) return;
  if (const Columns columns(grid); columns.offsets) return addColumns(y + grid.base, columns, compact);
  writeLines(grid, [&](const Axis& line, Index dx, Index dy) {
    T* to = y + dx;
    const T* from = compact + dy;
    const Index n = line.size, step = line.xStride;
    if (line.xOffsets)
      for (Index i = 0; i < n; ++i) to[line.xOffsets[i]] += from[i];
    else if (step == 1)
      for (Index i = 0; i < n; ++i) to[i] += from[i];
    else
      for (Index i = 0; i < n; ++i) to[i * step] += from[i];
  });
}

template void scatterAdd(float*, std::span<const Index>, std::span<const Selection>, const float*);
template void scatterAdd(double*, std::span<const Index>, std::span<const Selection>, const double*);

void tile(const void* x, std::size_t elementSize, std::span<const Index> sizes, std::span<const Index> repeats, void* y) {
  assert(sizes.size() == repeats.size());
  Grid grid;
  Index xStride = 1, yStride = 1;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) addAxis(grid.axes, {sizes[d], xStride, yStride, nullptr});
    yStride *= sizes[d];
    if (repeats[d] != 1) addAxis(grid.axes, {repeats[d], 0, yStride, nullptr});
    yStride *= repeats[d];
    xStride *= sizes[d];
  }
  copyGrid(x, elementSize, grid, y);
}

void copyBlocks(const void* x, Index xStrideBytes, void* y, Index yStrideBytes, Index blockBytes, Index blocks) {
  Grid grid;
  const bool word = blockBytes == 1 || blockBytes == 2 || blockBytes == 4 || blockBytes == 8 || blockBytes == 16;
  if (word && xStrideBytes % blockBytes == 0 && yStrideBytes % blockBytes == 0) {
    grid.axes = {{blocks, xStrideBytes / blockBytes, yStrideBytes / blockBytes, nullptr}};
    copyGrid(x, static_cast<std::size_t>(blockBytes), grid, y);
  } else {
    addAxis(grid.axes, {blockBytes, 1, 1, nullptr});
    addAxis(grid.axes, {blocks, xStrideBytes, yStrideBytes, nullptr});
    copyGrid(x, 1, grid, y);
  }
}

}  // namespace dl::cpu
