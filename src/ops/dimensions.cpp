#include "ops/dimensions.hpp"

#include <algorithm>
#include <bit>

namespace dl {

namespace {

bool isNothing(const Size& size) { return size.size() == 2 && size[0] == 0 && size[1] == 0; }

// The dimensions whose size is not 1, at most one; `ways` says what to do when there are more.
std::uint32_t onlyLong(const DlArray& x, const char* function, const char* ways, const std::source_location& where) {
  const auto& h = Storage::of(x);
  const Size& s = h.size;
  std::uint32_t set = 0;
  for (std::size_t d = 0; d < s.size(); ++d)
    if (s[d] != 1) set |= 1U << d;
  if (std::popcount(set) <= 1) return set ? set : 1U;
  const bool empty = std::find(s.begin(), s.end(), 0) != s.end();
  fail(where, "dimensions:missing", "{}: {} has {} dimensions {}; say which one, counted from 0{}{}", function, describe(x),
       std::popcount(set), empty ? "of a size other than 1" : "longer than 1", h.format.labelled() ? ", or by label" : "", ways);
}

std::uint32_t byLabels(const std::string& labels, const DlArray& x, const char* function, const std::source_location& where) {
  const auto& h = Storage::of(x);
  std::uint32_t set = 0;
  for (char letter : labels) {
    const Format::Label label = Format::label(letter);
    if (label == Format::None) parseFormat(labels, function, where);
    std::uint32_t found = 0;
    if (h.format.labelled())
      for (std::size_t d = 0; d < h.size.size(); ++d)
        if (h.format[d] == label) found |= 1U << d;
    if (!found)
      fail(where, "dimensions:label", "{}: {} has no dimension labelled {}{}", function, describe(x), letter,
           h.format.labelled() ? "" : "; it is unlabelled");
    set |= found;
  }
  if (!set) fail(where, "dimensions:label", "{}: the labels of the dimensions are empty", function);
  return set;
}

}  // namespace

std::uint32_t resolveDimensions(const Dimensions& dimensions, const DlArray& x, const char* function,
                                const std::source_location& where) {
  const Size& size = Storage::of(x).size;
  const std::size_t n = size.size();
  switch (dimensions.kind()) {
    case Dimensions::Kind::None:
      return isNothing(size) ? 3U : onlyLong(x, function, ", or \"all\"", where);
    case Dimensions::Kind::All:
      return (1U << n) - 1;
    case Dimensions::Kind::Labels:
      return byLabels(dimensions.labels(), x, function, where);
    case Dimensions::Kind::Numbers:
      break;
  }
  std::uint32_t set = 0;
  for (int i = 0; i < dimensions.count(); ++i) {
    const Index d = dimensions.number(i);
    if (d < 0) fail(where, "dimensions:negative", "{}: dimension {} does not exist; dimensions count from 0", function, d);
    if (static_cast<std::size_t>(d) < n) set |= 1U << d;
  }
  return set;
}

std::size_t resolveDimension(const Dimensions& dimension, const DlArray& x, const char* function,
                             const std::source_location& where) {
  if (dimension.kind() == Dimensions::Kind::Numbers && dimension.count() == 1 && dimension.number(0) >= 0)
    return static_cast<std::size_t>(dimension.number(0));
  if (dimension.kind() == Dimensions::Kind::None)
    return isNothing(Storage::of(x).size) ? 0 : static_cast<std::size_t>(std::countr_zero(onlyLong(x, function, "", where)));
  const std::uint32_t set = resolveDimensions(dimension, x, function, where);
  if (std::popcount(set) != 1)
    fail(where, "dimensions:one", "{}: one dimension is needed, {} of {} were named", function, std::popcount(set), describe(x));
  return static_cast<std::size_t>(std::countr_zero(set));
}

Shape reducedShape(const Shape& shape, std::uint32_t set) {
  Shape result = shape;
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (set >> d & 1U) result.size[d] = 1;
  dropTrailing(result);
  return result;
}

Lanes lanes(const Size& size, std::size_t dimension) noexcept {
  Lanes l{1, 1, 1};
  for (std::size_t d = 0; d < size.size(); ++d) (d < dimension ? l.inner : d == dimension ? l.count : l.outer) *= size[d];
  return l;
}

bool lanes(const Size& size, std::uint32_t set, Lanes& result) noexcept {
  result = {1, 1, 1};
  bool inside = false, behind = false;
  for (std::size_t d = 0; d < size.size(); ++d) {
    if (size[d] == 1) continue;
    const bool member = (set >> d & 1U) != 0;
    if (member && behind) return false;
    inside = inside || member;
    behind = inside && !member;
    (member ? result.count : behind ? result.outer : result.inner) *= size[d];
  }
  return true;
}

std::uint32_t firstNeighbours(const Size& size, std::uint32_t set) noexcept {
  std::uint32_t neighbours = 0;
  for (std::size_t d = 0; d < size.size(); ++d) {
    if (set >> d & 1U)
      neighbours |= 1U << d;
    else if (neighbours && size[d] != 1)
      break;
  }
  return neighbours;
}

}  // namespace dl
