#include "cpu/permute.hpp"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <vector>

#include "cpu/parallel.hpp"
#include "cpu/transpose.hpp"
#include "cpu/walk.hpp"

namespace dl::cpu {
namespace {

// The array as y sees it: axes fastest first in y, strides in elements.
struct View {
  std::size_t elementSize;
  std::vector<Axis> axes;
};

// Leaves out dimensions of size 1 and joins neighbours in y that are neighbours in x too.
View joined(std::size_t elementSize, std::span<const Index> sizes, std::span<const int> order) {
  const auto xStride = [&](std::size_t d) {
    Index stride = 1;
    for (std::size_t e = 0; e < d; ++e) stride *= sizes[e];
    return stride;
  };
  View view{elementSize, {}};
  Index yStride = 1;
  for (const int from : order) {
    const auto d = static_cast<std::size_t>(from);
    if (sizes[d] == 1) continue;
    const Axis axis{sizes[d], xStride(d), yStride};
    if (!view.axes.empty() && view.axes.back().xStride * view.axes.back().size == axis.xStride)
      view.axes.back().size *= axis.size;
    else
      view.axes.push_back(axis);
    yStride *= axis.size;
  }
  return view;
}

// Makes one element of the run that stays contiguous, where a kernel knows that size; a size without kernel becomes a
// run of bytes. Afterwards either the first axis is a run to be copied as it is, or the element size has a kernel.
void chooseElement(View& view) {
  std::vector<Axis>& axes = view.axes;
  if (!transposeTile(view.elementSize)) {
    const auto bytes = static_cast<Index>(view.elementSize);
    for (Axis& axis : axes) axis.xStride *= bytes, axis.yStride *= bytes;
    if (!axes.empty() && axes.front().xStride == bytes) {
      axes.front() = {axes.front().size * bytes, 1, 1};
    } else {
      axes.insert(axes.begin(), {bytes, 1, 1});
    }
    view.elementSize = 1;
  }
  if (axes.size() < 2 || axes.front().xStride != 1) return;
  const Index run = axes.front().size;
  const std::size_t bytes = static_cast<std::size_t>(run) * view.elementSize;
  if (!transposeTile(bytes)) return;
  axes.erase(axes.begin());
  for (Axis& axis : axes) axis.xStride /= run, axis.yStride /= run;
  view.elementSize = bytes;
}

template <class Word>
void copyEnds(char* to, const char* from, std::size_t bytes) {
  Word first, last;
  std::memcpy(&first, from, sizeof(Word));
  std::memcpy(&last, from + bytes - sizeof(Word), sizeof(Word));
  std::memcpy(to, &first, sizeof(Word));
  std::memcpy(to + bytes - sizeof(Word), &last, sizeof(Word));
}

// Short runs come by the million: calling memcpy would cost more than the copy. Two words that overlap cover a run.
void copyRun(char* to, const char* from, std::size_t bytes) {
  struct Word16 {
    std::uint64_t low, high;
  };
  struct Word32 {
    Word16 low, high;
  };
  if (bytes > 64 || bytes < 4)
    std::memcpy(to, from, bytes);
  else if (bytes >= 32)
    copyEnds<Word32>(to, from, bytes);
  else if (bytes >= 16)
    copyEnds<Word16>(to, from, bytes);
  else if (bytes >= 8)
    copyEnds<std::uint64_t>(to, from, bytes);
  else
    copyEnds<std::uint32_t>(to, from, bytes);
}

void copyRuns(const View& view, const char* x, char* y) {
  const auto size = static_cast<Index>(view.elementSize);
  if (view.axes.size() <= 1) {
    const Index bytes = positions(view.axes) * size;
    parallelFor(bytes, Index{4} * parallelElements,
                [&](Index begin, Index end) { std::memcpy(y + begin, x + begin, static_cast<std::size_t>(end - begin)); });
    return;
  }
  const auto bytes = static_cast<std::size_t>(view.axes.front().size * size);
  const std::span<const Axis> outer = std::span(view.axes).subspan(1);
  parallelFor(positions(outer), grainFor(view.axes.front().size), [&](Index begin, Index end) {
    walk(outer, begin, end, [&](Index from, Index to) { copyRun(y + to * size, x + from * size, bytes); });
  });
}

// y's fastest axis is a, x's fastest is b; all others are pages of such transposes. Tiles fit the second cache, their sides
// are whole cache lines where the sizes allow it.
void transposePages(const View& view, const char* x, char* y) {
  const auto size = static_cast<Index>(view.elementSize);
  const TransposeTile tile = transposeTile(view.elementSize);
  const Axis a = view.axes.front();
  std::vector<Axis> pages(view.axes.begin() + 1, view.axes.end());
  const auto fastest = std::find_if(pages.begin(), pages.end(), [](const Axis& axis) { return axis.xStride == 1; });
  assert(fastest != pages.end());
  const Axis b = *fastest;
  pages.erase(fastest);

  const Index side = size <= 8 ? 256 : 128;
  const Index aSide = b.size < side ? side * side / std::max<Index>(b.size, 1) : side;
  const Index bSide = a.size < side ? side * side / std::max<Index>(a.size, 1) : side;
  const Index aTiles = (a.size + aSide - 1) / aSide, bTiles = (b.size + bSide - 1) / bSide;
  const Index tiles = aTiles * bTiles;
  const Index tileElements = std::min(a.size, aSide) * std::min(b.size, bSide);
  parallelFor(positions(pages) * tiles, grainFor(tileElements), [&](Index begin, Index end) {
    if (tiles == 1)
      return walk(pages, begin, end, [&](Index xPage, Index yPage) {
        tile(x + xPage * size, a.xStride, y + yPage * size, b.yStride, a.size, b.size);
      });
    for (Index unit = begin; unit < end;) {
      const Index page = unit / tiles, pageEnd = std::min(end, (page + 1) * tiles);
      walk(pages, page, page + 1, [&](Index xPage, Index yPage) {
        for (; unit < pageEnd; ++unit) {
          const Index i = (unit - page * tiles) % aTiles * aSide, j = (unit - page * tiles) / aTiles * bSide;
          tile(x + (xPage + i * a.xStride + j) * size, a.xStride, y + (yPage + i + j * b.yStride) * size, b.yStride,
               std::min(aSide, a.size - i), std::min(bSide, b.size - j));
        }
      });
    }
  });
}

}  // namespace

void permute(const void* x, std::size_t elementSize, std::span<const Index> sizes, std::span<const int> order, void* y) {
  assert(sizes.size() == order.size());
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) return;
  View view = joined(elementSize, sizes, order);
  chooseElement(view);
  const auto* from = static_cast<const char*>(x);
  auto* to = static_cast<char*>(y);
  if (view.axes.empty() || view.axes.front().xStride == 1)
    copyRuns(view, from, to);
  else
    transposePages(view, from, to);
}

void transpose(const void* x, std::size_t elementSize, Index m, Index n, void* y) {
  const Index sizes[] = {m, n};
  const int order[] = {1, 0};
  permute(x, elementSize, sizes, order, y);
}

}  // namespace dl::cpu
