#include "ops/part.hpp"

#include "cpu/elementwise.hpp"
#include "formulas/binary.hpp"

#include <algorithm>
#include <numeric>

namespace dl {

namespace {

[[noreturn]] void failPosition(Index position, const DlArray& x, std::size_t dimension, Index size, int count,
                               const std::source_location& where) {
  const auto& h = Storage::of(x);
  std::string stored;
  if (h.format.labelled()) stored = fmt::format("; its dimensions are stored in the order {}", dims(x));
  if (count == 1)
    fail(where, "index:range", "index: position {} is out of range, {} has {} elements, counted from 0{}", position, describe(x),
         size, stored);
  if (static_cast<std::size_t>(count) < h.size.size() && dimension + 1 == static_cast<std::size_t>(count))
    fail(where, "index:range",
         "index: position {} is out of range in dimensions {} to {} of {}, which together have {} positions, counted from 0{}",
         position, dimension, h.size.size() - 1, describe(x), size, stored);
  std::string label;
  if (h.format.labelled() && dimension < h.size.size()) label = fmt::format(" ({})", Format::letter(h.format[dimension]));
  fail(where, "index:range", "index: position {} is out of range in dimension {}{} of {}, which has size {}, counted from 0{}",
       position, dimension, label, describe(x), size, stored);
}

struct Resolver {
  const DlArray& x;
  int count;
  const std::source_location& where;
  std::size_t dimension;
  Index size;

  Index at(Position p) const {
    const Index i = p.fromEnd ? size - 1 + p.value : p.value;
    if (i < 0 || i >= size) failPosition(i, x, dimension, size, count, where);
    return i;
  }
  cpu::Selection range(const Span& s) const {
    if (s.step == 0) fail(where, "index:step", "index: a span's step must not be 0");
    const Index first = s.first.fromEnd ? size - 1 + s.first.value : s.first.value;
    const Index last = s.last.fromEnd ? size - 1 + s.last.value : s.last.value;
    const Index n = s.step > 0 ? (last - first) / s.step + 1 : (first - last) / -s.step + 1;
    if (s.step > 0 ? last < first : last > first) return {0, 1, 0, nullptr};  // an empty range may lie anywhere
    at(first);
    at(first + (n - 1) * s.step);
    return {first, s.step, n, nullptr};
  }
  std::vector<Index> list(const Subscript& s) const {
    std::vector<Index> positions;
    if (!s.array()) {
      for (const Position& p : s.positions()) positions.push_back(at(p));
      return positions;
    }
    const DlArray& a = *s.array();
    const auto n = static_cast<std::size_t>(numel(a));
    if (underlyingType(a) == Type::Logical) {
      const bool* mask = Storage::data<bool>(a);
      if (static_cast<Index>(n) > size || (count == 1 && !(Storage::of(a).size == Storage::of(x).size) && !isvector(a)))
        fail(where, "index:mask", "index: a mask of size {} does not fit {}", describe(a), describe(x));
      for (std::size_t i = 0; i < n; ++i)
        if (mask[i]) positions.push_back(static_cast<Index>(i));
      return positions;
    }
    std::vector<double> values(n);
    detail::copyOut(a, values.data(), Type::Double);
    for (double v : values) {
      if (v != static_cast<double>(static_cast<Index>(v)))
        fail(where, "index:whole", "index: position {} is not a whole number", v);
      positions.push_back(at(static_cast<Index>(v)));
    }
    return positions;
  }
};

bool hasRepeats(std::vector<Index> positions) {
  std::sort(positions.begin(), positions.end());
  return std::adjacent_find(positions.begin(), positions.end()) != positions.end();
}

// What a single subscript reads: a vector keeps its direction, a mask on a matrix and `all` give a column, a list takes its own
// form.
Shape linearShape(const DlArray& x, const Subscript& s, Index count) {
  using Kind = Subscript::Kind;
  const bool mask = s.array() && underlyingType(*s.array()) == Type::Logical;
  if (s.kind() == Kind::Everything) return {Size::matrix(count, 1), {}};
  if (s.array() && !mask && !isvector(*s.array())) return {Storage::of(*s.array()).size, {}};
  if (isvector(x) && !isscalar(x)) return {iscolumn(x) ? Size::matrix(count, 1) : Size::matrix(1, count), {}};
  if (mask) return {isrow(*s.array()) && isscalar(x) ? Size::matrix(1, count) : Size::matrix(count, 1), {}};
  if (s.array()) return {Storage::of(*s.array()).size, {}};
  return {Size::matrix(1, count), {}};
}

}  // namespace

GridPlace::Positions resolve(const DlArray& x, const Subscript* const* subscripts, int count, const std::source_location& where) {
  const auto& h = Storage::of(x);
  const auto n = static_cast<std::size_t>(count);
  GridPlace::Positions p;
  // Fewer subscripts than dimensions: the last one runs over all remaining dimensions; more: dimensions of size 1.
  p.sizes = h.size;
  if (n < p.sizes.size()) {
    Index rest = 1;
    for (std::size_t d = n - 1; d < h.size.size(); ++d) rest *= h.size[d];
    p.sizes.resize(n);
    p.sizes[n - 1] = rest;
  } else {
    p.sizes.resize(n);
  }
  p.lists.resize(n);
  Size result;
  for (std::size_t d = 0; d < n; ++d) {
    const Subscript& s = *subscripts[d];
    const Resolver r{x, count, where, d, p.sizes[d]};
    cpu::Selection selection;
    switch (s.kind()) {
      case Subscript::Kind::Number:
        selection = {r.at(s.range().first), 1, 1, nullptr};
        break;
      case Subscript::Kind::Range:
        selection = r.range(s.range());
        break;
      case Subscript::Kind::Everything:
        selection = {0, 1, p.sizes[d], nullptr};
        break;
      case Subscript::Kind::List:
        p.lists[d] = r.list(s);
        selection = {0, 1, static_cast<Index>(p.lists[d].size()), p.lists[d].data()};
        break;
    }
    p.selections.push_back(selection);
    result.push_back(selection.count);
  }
  if (n == 1) {
    p.shape = linearShape(x, *subscripts[0], result[0]);
    return p;
  }
  p.shape.size = result;
  if (n >= h.size.size() && h.format.labelled())
    for (std::size_t d = 0; d < n; ++d) p.shape.format.set(d, d < h.size.size() ? h.format[d] : Format::U);
  dropTrailing(p.shape);
  return p;
}

// ---- raw access ------------------------------------------------------------------------------------------------------

namespace {
template <class Body>
void withFloating(const DlArray& x, Body&& body) {
  if (Storage::of(x).type == Type::Single)
    body(Storage::mutableData<float>(x), float());
  else
    body(Storage::mutableData<double>(x), double());
}
std::byte* bytes(const DlArray& x) { return Storage::mutableData<std::byte>(x); }
const std::byte* constBytes(const DlArray& x) { return Storage::data<std::byte>(x); }
}  // namespace

Shape ElementPlace::shape() const {
  Size size = Size::matrix(1, 1);
  if (dimensions > 2) size.resize(dimensions);
  return {size, format};
}
void ElementPlace::copyOut(const DlArray& x, DlArray& y) const {
  const std::size_t b = bytesOf(Storage::of(x).type);
  std::memcpy(bytes(y), constBytes(x) + static_cast<std::size_t>(position) * b, b);
}
void ElementPlace::copyIn(DlArray& x, const DlArray& values) const {
  const std::size_t b = bytesOf(Storage::of(x).type);
  std::memcpy(bytes(x) + static_cast<std::size_t>(position) * b, constBytes(values), b);
}
void ElementPlace::addIn(DlArray& x, const DlArray& values) const {
  withFloating(x, [&](auto* to, auto zero) { to[position] += Storage::data<decltype(zero)>(values)[0]; });
}

namespace {
// Below a few megabytes a second thread costs more than it brings.
void copyRun(const std::byte* from, std::byte* to, std::size_t count) {
  if (count < std::size_t{4} << 20)
    std::memcpy(to, from, count);
  else
    cpu::copyBlocks(from, 0, to, 0, static_cast<Index>(count), 1);
}
}  // namespace

void RangePlace::copyOut(const DlArray& x, DlArray& y) const {
  const std::size_t b = bytesOf(Storage::of(x).type);
  copyRun(constBytes(x) + static_cast<std::size_t>(start) * b, bytes(y), static_cast<std::size_t>(count) * b);
}
void RangePlace::copyIn(DlArray& x, const DlArray& values) const {
  const std::size_t b = bytesOf(Storage::of(x).type);
  std::byte* to = bytes(x) + static_cast<std::size_t>(start) * b;
  if (numel(values) == count) return copyRun(constBytes(values), to, static_cast<std::size_t>(count) * b);
  for (Index i = 0; i < count; ++i) std::memcpy(to + static_cast<std::size_t>(i) * b, constBytes(values), b);
}
void RangePlace::addIn(DlArray& x, const DlArray& values) const {
  withFloating(x, [&](auto* to, auto zero) {
    using T = decltype(zero);
    const auto plus = cpu::elementwiseKernels<T>().binary[formula::BinaryFormulas::position<formula::Plus>()].value;
    plus(count, to + start, 1, Storage::data<T>(values), 1, to + start);
  });
}

bool GridPlace::repeats() const { return std::any_of(positions->lists.begin(), positions->lists.end(), hasRepeats); }
void GridPlace::copyOut(const DlArray& x, DlArray& y) const {
  const Positions& p = *positions;
  cpu::gather(constBytes(x), bytesOf(Storage::of(x).type), {p.sizes.begin(), p.sizes.size()}, p.selections, bytes(y));
}
void GridPlace::copyIn(DlArray& x, const DlArray& values) const {
  const Positions& p = *positions;
  const std::size_t b = bytesOf(Storage::of(x).type);
  if (numel(values) == 1)
    cpu::scatterValue(bytes(x), b, {p.sizes.begin(), p.sizes.size()}, p.selections, constBytes(values));
  else
    cpu::scatter(bytes(x), b, {p.sizes.begin(), p.sizes.size()}, p.selections, constBytes(values));
}
void GridPlace::addIn(DlArray& x, const DlArray& values) const {
  const Positions& p = *positions;
  withFloating(x, [&](auto* to, auto zero) {
    cpu::scatterAdd(to, {p.sizes.begin(), p.sizes.size()}, p.selections, Storage::data<decltype(zero)>(values));
  });
}

}  // namespace dl
