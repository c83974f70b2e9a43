#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "formulas/binary.hpp"
#include "ops/part.hpp"

#include <dlarray/ops/linalg.hpp>

#include <numeric>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;
using engine::Result;

// The first input as an array that may be written to: its own memory when nobody else sees it, else a copy.
DlArray writable(const Inputs& in) {
  if (DlArray* x = in.recyclable(0)) return Storage::recycled(std::move(*x), Storage::shape(*x), Storage::of(*x).type);
  return Storage::copied(in[0]);
}

// The elements at a place as an array of their own.
template <class Place>
DlArray pieceOf(const Place& place, const DlArray& x) {
  const Type type = Storage::of(x).type;
  DlArray y = place.single() ? Storage::adopt(Storage::scalar(type)) : Storage::make(place.shape(), type);
  if (numel(y) > 0) place.copyOut(x, y);
  return y;
}

template <class Place>
struct Read {
  static constexpr const char* name = "index";
  static constexpr unsigned kept = 0;
  Place place;
  DlArray evaluate(const Inputs& in) const { return pieceOf(place, in[0]); }
  void gradient(Backward& b) const {
    if (!b.needs(0)) return;
    if constexpr (std::same_as<Place, RangePlace>)
      if (!b.recorded() && b.beginAt(0, place.start, b.gradient())) return;
    if (DlArray* sum = b.recorded() ? nullptr : b.collecting(0)) {
      if constexpr (std::same_as<Place, ElementPlace>) {
        if (b.isNumber() && Storage::of(*sum).type == Type::Double) {
          Storage::mutableData<double>(*sum)[place.position] += b.number();
          return;
        }
      }
      if (Storage::of(*sum).type == Storage::of(b.gradient()).type) return place.addIn(*sum, b.gradient());
    }
    b.put(0, addAt(place, b.collected(0), b.take()));
  }
};

// Linear in both inputs.
template <class Place>
struct Add {
  static constexpr const char* name = "addAt";
  static constexpr unsigned kept = 0;
  Place place;
  DlArray evaluate(const Inputs& in) const {
    DlArray x = writable(in);
    place.addIn(x, in[1]);
    return x;
  }
  void gradient(Backward& b) const {
    if (b.needs(1)) b.add(1, b.recorded() ? readAt(place, b.gradient()) : pieceOf(place, b.gradient()));
    b.add(0, b.take());
  }
};

template <class Place>
struct Write {
  static constexpr const char* name = "assign";
  static constexpr unsigned kept = 0;
  Place place;
  DlArray evaluate(const Inputs& in) const {
    const DlArray values = in[1];
    DlArray x = writable(in);
    place.copyIn(x, values);
    return x;
  }
  void gradient(Backward& b) const {
    if (b.needs(1)) {
      DlArray g = readAt(place, b.gradient());
      if (place.repeats()) g = engine::binary<formula::Times>(std::move(g), lastWriters(b.resultShape()));
      b.add(1, std::move(g));
    }
    if (b.needs(0)) b.add(0, writeAt(place, b.take(), DlArray(0.0)));
  }

 private:
  // 1 where a value stayed, 0 where a later one of the same position replaced it.
  DlArray lastWriters(const Shape& whole) const {
    DlArray number = Storage::make(place.shape(), Type::Double), at = engine::filled(whole, Type::Double);
    std::iota(Storage::mutableData<double>(number), Storage::mutableData<double>(number) + numel(number), 1.0);
    place.copyIn(at, number);
    return engine::relation<formula::Equal>(readAt(place, at), number);
  }
};

}  // namespace

template <class Place>
DlArray readAt(const Place& place, const Operand& x) {
  return engine::apply(Read<Place>{place}, x);
}

template <class Place>
DlArray addAt(const Place& place, const Operand& x, const Operand& values) {
  if (Storage::of(values).type != Storage::of(x).type) return addAt(place, x, engine::castTo(values, Storage::of(x).type));
  return engine::apply(Add<Place>{place}, x, values);
}

template <class Place>
DlArray writeAt(const Place& place, const Operand& x, const Operand& values) {
  if (Storage::of(values).type != Storage::of(x).type) return writeAt(place, x, engine::castTo(values, Storage::of(x).type));
  return engine::apply(Write<Place>{place}, x, values);
}

// For the functions of other files that cut arrays into pieces.
template DlArray readAt(const RangePlace& place, const Operand& x);
template DlArray readAt(const GridPlace& place, const Operand& x);

namespace {

// Subscripts that are plain numbers, checked, as one column-major position.
ElementPlace elementPlace(const DlArray& x, const Index* position, int count, const std::source_location& where) {
  const auto& h = Storage::of(x);
  const Size& s = h.size;
  if (count == 1 && position[0] >= 0 && position[0] < h.numel) return {position[0], {}, 2};
  if (count == 2 && s.size() == 2 && position[0] >= 0 && position[0] < s[0] && position[1] >= 0 && position[1] < s[1])
    return {position[0] + s[0] * position[1], h.format, 2};
  // More dimensions than subscripts, or a mistake: the general way knows what to do.
  const Subscript first(position[0]), second(count == 2 ? position[1] : 0);
  const Subscript* subscripts[] = {&first, &second};
  const GridPlace::Positions p = resolve(x, subscripts, count, where);
  Index at = p.selections[0].start;
  if (count == 2) at += p.sizes[0] * p.selections[1].start;
  return {at, p.shape.format, static_cast<std::uint8_t>(p.shape.size.size())};
}

// Neighbouring elements of an array: the common way to take a piece of a vector.
bool neighbours(const DlArray& x, const Span& range, RangePlace& place) {
  if (range.step != 1) return false;
  const auto& h = Storage::of(x);
  const Index n = h.numel;
  const auto at = [&](Position p) { return p.fromEnd ? n - 1 + p.value : p.value; };
  const Index first = at(range.first), last = at(range.last);
  if (first < 0 || last < first || last >= n) return false;
  const bool column = h.size.size() == 2 ? h.size[1] == 1 : iscolumn(x);
  place = {first, last - first + 1, !column || n == 1};
  return true;
}

// The same for a single span or `all` among subscripts of any kind.
bool rangePlace(const DlArray& x, const Subscript* const* subscripts, int count, RangePlace& place) {
  if (count != 1) return false;
  const Subscript& s = *subscripts[0];
  if (s.kind() == Subscript::Kind::Everything) {
    place = {0, numel(x), false};
    return true;
  }
  return s.kind() == Subscript::Kind::Range && neighbours(x, s.range(), place);
}

void checkCount(const DlArray& x, const Shape& place, const DlArray& value, const std::source_location& where) {
  if (numel(value) == 1) return;
  const auto withoutOnes = [](const Size& size) {
    std::vector<Index> rest;
    for (Index n : size)
      if (n != 1) rest.push_back(n);
    return rest;
  };
  if (withoutOnes(place.size) == withoutOnes(Storage::of(value).size)) return;
  fail(where, "assign:size", "assign: {} elements of {} are of size {}, the values are of size {}", numel(place.size),
       describe(x), toString(place.size), describe(value));
}

// The new values of x with the place written; x keeps its labels, size and type.
template <class Place>
void assign(DlArray& x, const Place& place, const DlArray& value, const std::source_location& where) {
  // Whatever can fail does so before x is given away: the memory of x is then written in place.
  const DlArray converted = engine::castTo(Operand(value, where), Storage::of(x).type);
  x = writeAt(place, Operand(std::move(x), where), Operand(converted, where));
}

}  // namespace

namespace detail {

DlArray readElement(const DlArray& x, const Index* position, int count, std::source_location where) {
  // The shortcut of small objectives: one number out of a double array.
  if (const auto& h = Storage::of(x); count == 1 && h.type == Type::Double && position[0] >= 0 && position[0] < h.numel) {
    DlArray y(static_cast<const double*>(h.data)[position[0]]);
    if (h.origin) Storage::get(y)->origin = h.origin;
    engine::Trace* trace = engine::Trace::current();
    if (h.node != 0 && engine::recorded(trace, x)) {
      using Op = Read<ElementPlace>;
      engine::Node& node = engine::appendScalar(*trace, engine::detail::RuleOf<Op>::rule, 1, h.node, 0, y);
      static_assert(engine::detail::trivial<Op>);
      node.keeps = false;
      node.parameters = new (node.nearParameters) Op{ElementPlace{position[0], {}, 2}};
    }
    return y;
  }
  return readAt(elementPlace(x, position, count, where), x);
}

namespace {
// The short way of `readAt` for a few neighbours of a vector.
DlArray readFew(const RangePlace& place, const DlArray& x) {
  using Op = Read<RangePlace>;
  static_assert(engine::detail::trivial<Op>);
  const auto& h = Storage::of(x);
  DlArray y = Storage::makeVector(h.type, place.count, place.row);
  place.copyOut(x, y);
  Storage::get(y)->origin = h.origin;
  engine::Trace* trace = engine::Trace::current();
  if (const std::uint32_t from = engine::tracedNode(trace, x)) {
    engine::Node& node = engine::appendArray(*trace, engine::detail::RuleOf<Op>::rule, 1, from, 0, y);
    node.keeps = false;
    node.parameters = new (node.nearParameters) Op{place};
  }
  return y;
}

DlArray readPlace(const RangePlace& range, const DlArray& x) {
  constexpr Index few = 1024;
  const bool isShort = range.count > 0 && range.count <= few && Storage::of(x).device == Device::Cpu;
  return isShort ? readFew(range, x) : readAt(range, x);
}
}  // namespace

DlArray readRange(const DlArray& x, const Span& range, std::source_location where) {
  if (RangePlace place; neighbours(x, range, place)) return readPlace(place, x);
  const Subscript subscript(range), *list = &subscript;
  return read(x, &list, 1, where);
}

DlArray read(const DlArray& x, const Subscript* const* subscripts, int count, std::source_location where) {
  if (RangePlace range; rangePlace(x, subscripts, count, range)) return readPlace(range, x);
  return readAt(GridPlace{std::make_shared<const GridPlace::Positions>(resolve(x, subscripts, count, where))}, x);
}

void writeElement(DlArray& x, const Index* position, int count, const DlArray& value, std::source_location where) {
  const ElementPlace place = elementPlace(x, position, count, where);
  checkCount(x, place.shape(), value, where);
  assign(x, place, value, where);
}

void write(DlArray& x, const Subscript* const* subscripts, int count, const DlArray& value, std::source_location where) {
  RangePlace range;
  if (rangePlace(x, subscripts, count, range)) {
    checkCount(x, range.shape(), value, where);
    return assign(x, range, value, where);
  }
  const GridPlace place{std::make_shared<const GridPlace::Positions>(resolve(x, subscripts, count, where))};
  checkCount(x, place.shape(), value, where);
  assign(x, place, value, where);
}

}  // namespace detail

Subscript::Subscript(std::initializer_list<Position> positions) : kind_(Kind::List), range_{0, 1, end}, positions_(positions) {}
Subscript::Subscript(const Subscript& other) = default;
Subscript::Subscript(Subscript&& other) noexcept = default;
Subscript& Subscript::operator=(const Subscript& other) = default;
Subscript& Subscript::operator=(Subscript&& other) noexcept = default;
Subscript::~Subscript() = default;
void Subscript::add(Position position) { positions_.push_back(position); }

Reference::Reference(DlArray& target, const Subscript& subscript, std::source_location where)
    : Reference(target, {subscript}, where) {}
Reference::Reference(DlArray& target, std::initializer_list<Subscript> subscripts, std::source_location where)
    : target_(&target), snapshot_(target), count_(static_cast<int>(subscripts.size())),
      subscripts_(new std::vector<Subscript>(subscripts)), where_(where) {}
Reference::Reference(const Reference& other)
    : target_(other.target_), snapshot_(other.snapshot_), isValue_(other.isValue_), count_(other.count_), position_(other.position_),
      subscripts_(other.subscripts_ ? new std::vector<Subscript>(*other.subscripts_) : nullptr), where_(other.where_) {}
Reference::Reference(Reference&& other) noexcept
    : target_(other.target_), snapshot_(std::move(other.snapshot_)), isValue_(other.isValue_), count_(other.count_),
      position_(other.position_), subscripts_(detail::taken(other.subscripts_)), where_(other.where_) {}
void Reference::drop(std::vector<Subscript>* subscripts) noexcept { delete subscripts; }

std::array<const Subscript*, Size::maxDimensions> Reference::subscripts() const {
  if (subscripts_->size() > Size::maxDimensions)
    fail(where_, "index:tooMany", "index: {} subscripts; an array can have at most {} dimensions", subscripts_->size(),
         Size::maxDimensions);
  std::array<const Subscript*, Size::maxDimensions> list{};
  for (std::size_t i = 0; i < subscripts_->size(); ++i) list[i] = &(*subscripts_)[i];
  return list;
}

const DlArray& Reference::value() const {
  if (isValue_) return snapshot_;
  snapshot_ = subscripts_ ? detail::read(snapshot_, subscripts().data(), count_, where_)
                     : detail::readElement(snapshot_, position_.data(), count_, where_);
  isValue_ = true;
  return snapshot_;
}

void Reference::assign(const DlArray& value) {
  // The snapshot would make the target look shared and force a copy of all of it.
  snapshot_ = DlArray();
  if (!subscripts_)
    detail::writeElement(*target_, position_.data(), count_, value, where_);
  else
    detail::write(*target_, subscripts().data(), count_, value, where_);
}

DlArray Reference::assigned(const DlArray& value) {
  assign(value);
  return engine::castTo(Operand(value, where_), Storage::of(*target_).type);
}

void Reference::become(DlArray value) {
  snapshot_ = std::move(value);
  isValue_ = true;
}

namespace {
template <class F>
DlArray combined(const Reference& x, const Operand& value) {
  return engine::binary<F>(Operand(x.value(), value.where()), value);
}
DlArray product(const Reference& x, const Operand& value) { return mtimes(Operand(x.value(), value.where()), value); }
}  // namespace

void Reference::operator+=(Operand value) && { assign(combined<formula::Plus>(*this, value)); }
void Reference::operator-=(Operand value) && { assign(combined<formula::Minus>(*this, value)); }
void Reference::operator%=(Operand value) && { assign(combined<formula::Times>(*this, value)); }
void Reference::operator/=(Operand value) && { assign(combined<formula::Divide>(*this, value)); }
void Reference::operator*=(Operand value) && { assign(product(*this, value)); }
void Reference::operator+=(Operand value) & { become(combined<formula::Plus>(*this, value)); }
void Reference::operator-=(Operand value) & { become(combined<formula::Minus>(*this, value)); }
void Reference::operator%=(Operand value) & { become(combined<formula::Times>(*this, value)); }
void Reference::operator/=(Operand value) & { become(combined<formula::Divide>(*this, value)); }
void Reference::operator*=(Operand value) & { become(product(*this, value)); }

}  // namespace dl
