#include "cpu/permute.hpp"
#include "cpu/region.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "formulas/binary.hpp"
#include "ops/dimensions.hpp"
#include "ops/part.hpp"

#include <dlarray/ops/shape.hpp>

#include <algorithm>
#include <utility>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;
using engine::Result;

std::span<const Index> spanOf(const Size& size) { return {size.begin(), size.size()}; }
const std::byte* bytes(const DlArray& x) { return Storage::data<std::byte>(x); }
std::size_t elementBytes(const DlArray& x) { return bytesOf(Storage::of(x).type); }

// A shape with dimensions of size 1 up to `count`; further labels are U.
Shape widened(Shape shape, std::size_t count) {
  const std::size_t before = shape.size.size();
  if (count <= before) return shape;
  shape.size.resize(count);
  if (shape.format.labelled())
    for (std::size_t d = before; d < count; ++d) shape.format.set(d, Format::U);
  return shape;
}

// ---- orders of dimensions --------------------------------------------------------------------------------------------

struct Permute {
  static constexpr const char* name = "permute";
  static constexpr unsigned kept = 0;
  std::array<std::uint8_t, Size::maxDimensions> order;
  std::uint8_t count;

  // Labels stay: only equal ones are ever exchanged.
  Shape shapeOf(const Shape& from) const {
    const Shape wide = widened(from, count);
    Shape to = wide;
    for (std::size_t d = 0; d < count; ++d) to.size[d] = wide.size[order[d]];
    dropTrailing(to);
    return to;
  }
  // True when the elements stay where they are.
  bool free(const Shape& from) const {
    const Shape wide = widened(from, count);
    std::size_t last = 0;
    for (std::size_t d = 0; d < count; ++d) {
      if (wide.size[order[d]] == 1) continue;
      if (order[d] < last) return numel(from.size) == 0;
      last = order[d];
    }
    return true;
  }
  Permute inverse() const {
    Permute result{{}, count};
    for (std::uint8_t d = 0; d < count; ++d) result.order[order[d]] = d;
    return result;
  }
  Result infer(const Inputs& in) const { return {shapeOf(Storage::shape(in[0])), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const Shape wide = widened(Storage::shape(in[0]), count);
    std::array<int, Size::maxDimensions> to;
    std::copy_n(order.begin(), count, to.begin());
    cpu::permute(bytes(in[0]), elementBytes(y), spanOf(wide.size), std::span(to).first(count), Storage::mutableData<void>(y));
  }
  void gradient(Backward& b) const;
};

DlArray permuteBy(const Permute& p, const Operand& x) {
  const Shape from = Storage::shape(x);
  return p.free(from) ? engine::reshapeTo(x, p.shapeOf(from)) : engine::apply(p, x);
}

void Permute::gradient(Backward& b) const { b.add(0, permuteBy(inverse(), b.gradient())); }

std::string list(const std::vector<Index>& numbers) { return fmt::format("{{{}}}", fmt::join(numbers, ", ")); }

void checkLabels(const Permute& p, const DlArray& x, const char* function, const std::source_location& where) {
  if (!Storage::of(x).format.labelled()) return;
  const Shape wide = widened(Storage::shape(x), p.count);
  for (std::size_t d = 0; d < p.count; ++d)
    if (wide.format[d] != wide.format[p.order[d]])
      fail(where, "permute:labels",
           "{}: dimensions {} and {} of {} have different labels, which keep their places; take the labels off with stripdims "
           "first",
           function, std::min<std::size_t>(d, p.order[d]), std::max<std::size_t>(d, p.order[d]), describe(x));
}

Permute permuteFor(const std::vector<Index>& order, const DlArray& x, const char* function, const std::source_location& where) {
  const auto& h = Storage::of(x);
  if (order.size() < h.size.size())
    fail(where, "permute:order", "{}: the order {} names {} dimensions, {} has {}", function, list(order), order.size(),
         describe(x), h.size.size());
  if (order.size() > Size::maxDimensions)
    fail(where, "permute:order", "{}: the order names {} dimensions; an array can have at most {}", function, order.size(),
         Size::maxDimensions);
  Permute p{{}, static_cast<std::uint8_t>(order.size())};
  std::uint32_t seen = 0;
  for (std::size_t d = 0; d < order.size(); ++d) {
    if (order[d] >= 0 && order[d] < p.count) seen |= 1U << order[d];
    p.order[d] = static_cast<std::uint8_t>(order[d]);
  }
  if (seen != (1U << p.count) - 1)
    fail(where, "permute:order", "{}: the order {} must name each of the dimensions 0 to {} once", function, list(order),
         p.count - 1);
  checkLabels(p, x, function, where);
  return p;
}

DlArray transposed(const Operand& x, const char* function) {
  if (!ismatrix(x))
    fail(x.where(), "transpose:matrix", "{}: {} is not a matrix; permute exchanges any dimensions", function, describe(x));
  Permute p{{1, 0}, static_cast<std::uint8_t>(ndims(x))};
  for (std::uint8_t d = 2; d < p.count; ++d) p.order[d] = d;
  checkLabels(p, x, function, x.where());
  return permuteBy(p, x);
}

// ---- copies and exchanges along dimensions ---------------------------------------------------------------------------

struct Repeat {
  static constexpr const char* name = "repmat";
  static constexpr unsigned kept = 0;
  Size repeats;  // one for each dimension of the input, or more

  Result infer(const Inputs& in) const {
    Shape shape = widened(Storage::shape(in[0]), repeats.size());
    for (std::size_t d = 0; d < shape.size.size(); ++d)
      if (__builtin_mul_overflow(shape.size[d], repeats[d], &shape.size[d]))
        fail(in.where(), "repmat:memory", "repmat: {} copies of {} have more elements than memory can hold", toString(repeats),
             describe(in[0]));
    dropTrailing(shape);
    return {shape, Storage::of(in[0]).type};
  }
  void run(const Inputs& in, DlArray& y) const {
    const Size size = widened(Storage::shape(in[0]), repeats.size()).size;
    cpu::tile(bytes(in[0]), elementBytes(y), spanOf(size), spanOf(repeats), Storage::mutableData<void>(y));
  }
  // The sum of the copies, folded one dimension at a time: from the last, so that the later sums are the small ones.
  void gradient(Backward& b) const {
    const Shape from = widened(b.shape(0), repeats.size());
    DlArray g = b.take();
    Size size = from.size;
    for (std::size_t d = 0; d < size.size(); ++d) size[d] *= repeats[d];
    for (std::size_t d = size.size(); d-- > 0;) {
      if (repeats[d] == 1) continue;
      const Lanes l = lanes(size, d);
      const Index one = from.size[d];
      g = engine::sumTo(engine::reshapeTo(g, {Size{l.inner, one, repeats[d], l.outer}, {}}),
                        {Size{l.inner, one, 1, l.outer}, {}});
      size[d] = one;
    }
    b.add(0, engine::reshapeTo(g, b.shape(0)));
  }
};

struct Flip {
  static constexpr const char* name = "flip";
  static constexpr unsigned kept = 0;
  std::uint32_t dimensions;

  Result infer(const Inputs& in) const { return {Storage::shape(in[0]), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const Size& size = Storage::of(in[0]).size;
    std::vector<cpu::Selection> part;
    for (std::size_t d = 0; d < size.size(); ++d) {
      const bool flipped = (dimensions >> d & 1U) != 0;
      part.push_back({flipped ? size[d] - 1 : 0, flipped ? -1 : 1, size[d], nullptr});
    }
    cpu::gather(bytes(in[0]), elementBytes(y), spanOf(size), part, Storage::mutableData<void>(y));
  }
  void gradient(Backward& b) const { b.add(0, engine::apply(*this, b.gradient())); }
};

struct Circshift {
  static constexpr const char* name = "circshift";
  static constexpr unsigned kept = 0;
  Index shift;  // 0 to size - 1
  std::size_t dimension;

  Result infer(const Inputs& in) const { return {Storage::shape(in[0]), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const Lanes l = lanes(Storage::of(in[0]).size, dimension);
    const Index one = l.inner * static_cast<Index>(elementBytes(y)), lane = l.count * one;
    auto* to = Storage::mutableData<std::byte>(y);
    cpu::copyBlocks(bytes(in[0]), lane, to + shift * one, lane, (l.count - shift) * one, l.outer);
    cpu::copyBlocks(bytes(in[0]) + (l.count - shift) * one, lane, to, lane, shift * one, l.outer);
  }
  void gradient(Backward& b) const {
    const Index size = b.shape(0).size[dimension];
    b.add(0, engine::apply(Circshift{size - shift, dimension}, b.gradient()));
  }
};

DlArray shifted(const Operand& x, Index shift, std::size_t dimension) {
  const Size& size = Storage::of(x).size;
  if (dimension >= size.size() || size[dimension] == 0) return x;
  const Index n = size[dimension], forward = (shift % n + n) % n;
  return forward == 0 ? DlArray(x) : engine::apply(Circshift{forward, dimension}, x);
}

// ---- joining and cutting ---------------------------------------------------------------------------------------------

// Positions start to start + count - 1 along a dimension.
DlArray slice(const Operand& x, std::size_t dimension, Index start, Index count) {
  const auto& h = Storage::of(x);
  const bool alongVector = dimension < 2 && h.size.size() == 2 && h.size[1 - dimension] == 1;
  if (alongVector && !h.format.labelled()) return readAt(RangePlace{start, count, dimension == 1}, x);
  Shape shape = widened({h.size, h.format}, dimension + 1);
  auto positions = std::make_shared<GridPlace::Positions>();
  positions->sizes = shape.size;
  for (Index n : shape.size) positions->selections.push_back({0, 1, n, nullptr});
  positions->selections[dimension] = {start, 1, count, nullptr};
  shape.size[dimension] = count;
  dropTrailing(shape);
  positions->shape = shape;
  return readAt(GridPlace{std::move(positions)}, x);
}

struct Concatenate {
  static constexpr const char* name = "cat";
  static constexpr unsigned kept = 0;
  std::size_t dimension;
  Shape to;
  std::vector<Index> counts;  // sizes of the inputs along the dimension

  Result infer(const Inputs& in) const { return {to, Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const Lanes l = lanes(to.size, dimension);
    const Index one = l.inner * static_cast<Index>(elementBytes(y));
    auto* at = Storage::mutableData<std::byte>(y);
    for (int i = 0; i < in.count(); ++i) {
      const Index block = counts[static_cast<std::size_t>(i)] * one;
      if (block > 0) cpu::copyBlocks(bytes(in[i]), block, at, l.count * one, block, l.outer);
      at += block;
    }
  }
  void gradient(Backward& b) const {
    Index start = 0;
    for (int i = 0; i < b.inputs(); ++i) {
      const Index count = counts[static_cast<std::size_t>(i)];
      if (b.needs(i)) b.add(i, slice(b.gradient(), dimension, start, count));
      start += count;
    }
  }
};

// Which arrays are joined and what is to come of them.
struct Joint {
  std::vector<DlArray> arrays;
  Type type = Type::Logical;
  Format format;
  std::size_t labelledCount = 0;  // dimensions of the labelled arrays
};

bool sameLabels(const Shape& a, const Shape& b) {
  const std::size_t n = std::max(a.size.size(), b.size.size());
  return widened(a, n).format == widened(b, n).format;
}

Joint jointOf(const std::vector<DlArray>& arrays, const char* function, const std::source_location& where) {
  Joint joint;
  const DlArray* labelled = nullptr;
  for (const DlArray& x : arrays) {
    const auto& h = Storage::of(x);
    if (!h.format.labelled() && h.size == Size::matrix(0, 0)) continue;
    joint.type = joint.arrays.empty() ? h.type : engine::promote(joint.type, h.type);
    joint.arrays.push_back(x);
    if (!h.format.labelled()) continue;
    if (labelled && !sameLabels(Storage::shape(*labelled), Storage::shape(x)))
      fail(where, "cat:labels", "{}: labels differ: {} and {}", function, describe(*labelled), describe(x));
    if (!labelled || h.size.size() > joint.labelledCount) {
      labelled = &x;
      joint.format = h.format;
      joint.labelledCount = h.size.size();
    }
  }
  return joint;
}

Concatenate concatenationOf(const Joint& joint, std::size_t dimension, const char* function, const std::source_location& where) {
  Concatenate op{dimension, {}, {}};
  std::size_t n = std::max(joint.labelledCount, dimension + 1);
  for (const DlArray& x : joint.arrays) n = std::max(n, Storage::of(x).size.size());
  op.to = widened(Storage::shape(joint.arrays[0]), n);
  Index total = 0;
  for (const DlArray& x : joint.arrays) {
    const Shape shape = widened(Storage::shape(x), n);
    for (std::size_t d = 0; d < n; ++d)
      if (d != dimension && shape.size[d] != op.to.size[d])
        fail(where, "cat:sizes", "{}: sizes differ outside dimension {}: {} and {}", function, dimension,
             describe(joint.arrays[0]), describe(x));
    op.counts.push_back(shape.size[dimension]);
    total += shape.size[dimension];
  }
  op.to.size[dimension] = total;
  op.to.format = joint.format;
  if (joint.labelledCount > 0)
    for (std::size_t d = joint.labelledCount; d < n; ++d) op.to.format.set(d, Format::U);
  dropTrailing(op.to);
  return op;
}

DlArray join(const Dimensions& named, const std::vector<DlArray>& arrays, const char* function,
             const std::source_location& where) {
  Joint joint = jointOf(arrays, function, where);
  if (joint.arrays.empty()) return arrays.empty() ? DlArray() : arrays[0];
  const auto labelled =
      std::find_if(joint.arrays.begin(), joint.arrays.end(), [](const DlArray& x) { return Storage::of(x).format.labelled(); });
  const std::size_t dimension =
      resolveDimension(named, labelled == joint.arrays.end() ? joint.arrays[0] : *labelled, function, where);
  if (dimension >= Size::maxDimensions)
    fail(where, "cat:dimension", "{}: dimension {} does not exist; an array can have at most {}", function, dimension,
         Size::maxDimensions);
  if (joint.arrays.size() == 1) return joint.arrays[0];
  const Concatenate op = concatenationOf(joint, dimension, function, where);
  std::vector<Operand> operands;
  std::vector<const Operand*> pointers;
  operands.reserve(joint.arrays.size());
  for (DlArray& x : joint.arrays) {
    x = engine::castTo(x, joint.type);
    pointers.push_back(&operands.emplace_back(std::as_const(x), where));
  }
  return engine::apply(op, Inputs(pointers.data(), static_cast<int>(pointers.size())));
}

}  // namespace

namespace detail {

DlArray reshaped(const Operand& x, const Index* sizes, std::size_t count) {
  const auto& where = x.where();
  Shape to;
  Index known = 1;
  bool tooMany = false;
  std::size_t open = count;
  for (std::size_t d = 0; d < count; ++d) {
    if (sizes[d] < -1) fail(where, "reshape:negative", "reshape: dimension {} has the negative size {}", d, sizes[d]);
    if (sizes[d] == -1 && open != count)
      fail(where, "reshape:open", "reshape: only one size can be worked out, dimensions {} and {} are open", open, d);
    if (sizes[d] == -1)
      open = d;
    else
      tooMany |= __builtin_mul_overflow(known, sizes[d], &known);
    to.size.push_back(std::max<Index>(sizes[d], 0));
  }
  if (tooMany)
    fail(where, "reshape:memory", "reshape: an array of size {} has more elements than memory can hold", toString(to.size));
  if (count < 2)
    fail(where, "reshape:dimensions", "reshape: {} is no size of an array, which has at least two dimensions", toString(to.size));
  const Index n = numel(x);
  if (open != count) {
    if (known == 0 ? n != 0 : n % known != 0)
      fail(where, "reshape:count", "reshape: the {} elements of {} cannot be divided by the {} of the sizes given", n,
           describe(x), known);
    to.size[open] = known == 0 ? 0 : n / known;
  }
  if (countOf(to.size, Storage::of(x).type) != n)
    fail(where, "reshape:count", "reshape: the {} elements of {} do not fill {}, which has {}", n, describe(x), toString(to.size),
         numel(to.size));
  dropTrailing(to);
  return engine::reshapeTo(x, to);
}

}  // namespace detail

DlArray reshape(Operand x, const Size& size) { return detail::reshaped(x, size.begin(), size.size()); }
DlArray reshape(Operand x, Empty, Index columns) { return reshape(x, Index{-1}, columns); }
DlArray reshape(Operand x, Index rows, Empty) { return reshape(x, rows, Index{-1}); }

DlArray permute(Operand x, const std::vector<Index>& order) { return permuteBy(permuteFor(order, x, "permute", x.where()), x); }
DlArray ipermute(Operand x, const std::vector<Index>& order) {
  return permuteBy(permuteFor(order, x, "ipermute", x.where()).inverse(), x);
}
DlArray transpose(Operand x) { return transposed(x, "transpose"); }
DlArray ctranspose(Operand x) { return transposed(x, "ctranspose"); }

DlArray squeeze(Operand x) {
  const auto& h = Storage::of(x);
  if (h.size.size() <= 2) return x;
  Shape to;
  for (std::size_t d = 0; d < h.size.size(); ++d) {
    if (h.size[d] == 1) continue;
    to.format.set(to.size.size(), h.format[d]);
    to.size.push_back(h.size[d]);
  }
  return engine::reshapeTo(x, widened(to, 2));
}

DlArray shiftdim(Operand x, Index n) {
  const auto& h = Storage::of(x);
  const auto count = static_cast<Index>(h.size.size());
  if (n >= 0) {
    std::vector<Index> order(h.size.size());
    for (Index d = 0; d < count; ++d) order[static_cast<std::size_t>(d)] = (d + n) % count;
    return permuteBy(permuteFor(order, x, "shiftdim", x.where()), x);
  }
  if (h.format.labelled())
    fail(x.where(), "shiftdim:labels",
         "shiftdim: the dimensions of {} keep their places by their labels; take them off with stripdims first", describe(x));
  if (count - n > Size::maxDimensions)
    fail(x.where(), "shiftdim:tooMany", "shiftdim: {} dimensions; an array can have at most {}", count - n, Size::maxDimensions);
  Size to;
  to.resize(static_cast<std::size_t>(-n));
  for (Index s : h.size) to.push_back(s);
  return engine::reshapeTo(x, {to, {}});
}

DlArray shiftdim(Operand x) {
  const Size& size = Storage::of(x).size;
  const auto* first = std::find_if(size.begin(), size.end(), [](Index n) { return n != 1; });
  return first == size.end() ? DlArray(x) : shiftdim(x, static_cast<Index>(first - size.begin()));
}

DlArray repmat(Operand x, const Size& repeats) {
  Repeat op{repeats};
  if (repeats.size() == 1) op.repeats.push_back(repeats[0]);
  op.repeats.resize(std::max(op.repeats.size(), Storage::of(x).size.size()));
  if (std::all_of(op.repeats.begin(), op.repeats.end(), [](Index n) { return n == 1; })) return x;
  return engine::apply(op, x);
}

DlArray cat(const Dimensions& dimension, const std::vector<DlArray>& arrays, std::source_location where) {
  return join(dimension, arrays, "cat", where);
}
DlArray horzcat(const std::vector<DlArray>& arrays, std::source_location where) { return join(1, arrays, "horzcat", where); }
DlArray vertcat(const std::vector<DlArray>& arrays, std::source_location where) { return join(0, arrays, "vertcat", where); }

DlArray flip(Operand x, const Dimensions& dimension) {
  const std::uint32_t set = resolveDimensions(dimension, x, "flip", x.where());
  std::uint32_t longOnes = 0;
  for (std::size_t d = 0; d < Storage::of(x).size.size(); ++d)
    if (Storage::of(x).size[d] > 1) longOnes |= 1U << d;
  return set & longOnes ? engine::apply(Flip{set}, x) : DlArray(x);
}

DlArray circshift(Operand x, Index shift, const Dimensions& dimension) {
  return shifted(x, shift, resolveDimension(dimension, x, "circshift", x.where()));
}

DlArray circshift(Operand x, const std::vector<Index>& shifts) {
  DlArray y = x;
  for (std::size_t d = 0; d < shifts.size(); ++d) y = shifted(y, shifts[d], d);
  return y;
}

DlArray diff(Operand x, Index order, const Dimensions& dimension) {
  if (order < 0) fail(x.where(), "diff:order", "diff: the order {} is negative", order);
  const std::size_t d = resolveDimension(dimension, x, "diff", x.where());
  if (d >= Size::maxDimensions)
    fail(x.where(), "diff:dimension", "diff: dimension {} does not exist; an array can have at most {}", d, Size::maxDimensions);
  DlArray y = engine::numbers(x);
  for (; order > 0; --order) {
    const Index rest = std::max<Index>(size(y, static_cast<Index>(d)) - 1, 0);
    if (rest == 0) return slice(y, d, 0, 0);
    y = engine::binary<formula::Minus>(slice(y, d, 1, rest), slice(y, d, 0, rest));
  }
  return y;
}

}  // namespace dl
