#pragma once
#include <dlarray/array.hpp>

namespace dl {

/// A position counted from the end of a dimension: `end`, `end - 1`.
struct End {
  Index back = 0;
  friend constexpr End operator-(End e, Index steps) noexcept { return {e.back + steps}; }
  friend constexpr End operator+(End e, Index steps) noexcept { return {e.back - steps}; }
};
inline constexpr End end;

/// A position in a dimension: from the front, or from the end.
struct Position {
  template <Integer I>
  constexpr Position(I position) noexcept : value(static_cast<Index>(position)) {}
  constexpr Position(End e) noexcept : value(-e.back), fromEnd(true) {}
  Index value;
  bool fromEnd = false;
};

/// Positions `first, first + step, ...` up to and including `last`.
struct Span {
  Position first;
  Index step;
  Position last;
};
/// Positions from `first` to `last`, both included, as Armadillo's. (MATLAB: first:last)
constexpr Span span(Position first, Position last) noexcept { return {first, 1, last}; }
/// Every `step`-th position from `first` to at most `last`; a negative step counts down. (MATLAB: first:step:last)
constexpr Span span(Position first, Index step, Position last) noexcept { return {first, step, last}; }

/// `X(all, 0)`: every position of a dimension. Called as a function, it is the reduction: true where all elements are non-zero.
struct All {
  DlArray operator()(Operand x, const Dimensions& dimensions = {}) const;
};
inline constexpr All all;

/// One subscript of `X(...)`: a number, `end`, a span, `all`, a list of positions, or an array of positions or a mask.
class Subscript {
 public:
  enum class Kind : std::uint8_t { Number, Range, Everything, List };

  template <Integer I>
  Subscript(I position) noexcept : kind_(Kind::Number), range_{position, 1, position} {}
  Subscript(End position) noexcept : kind_(Kind::Number), range_{position, 1, position} {}
  Subscript(Span range) noexcept : kind_(Kind::Range), range_(range) {}
  Subscript(All) noexcept : kind_(Kind::Everything), range_{0, 1, end} {}
  Subscript(std::initializer_list<Position> positions);
  template <Integer I>
  Subscript(const std::vector<I>& positions) : kind_(Kind::List), range_{0, 1, end} {
    for (I i : positions) add(i);
  }
  Subscript(DlArray positionsOrMask) : kind_(Kind::List), range_{0, 1, end}, isArray_(true), array_(std::move(positionsOrMask)) {}
  Subscript(const Reference& positionsOrMask);
  // Defined with the library: every program would compile them otherwise.
  Subscript(const Subscript& other);
  Subscript(Subscript&& other) noexcept;
  Subscript& operator=(const Subscript& other);
  Subscript& operator=(Subscript&& other) noexcept;
  ~Subscript();

  Kind kind() const noexcept { return kind_; }
  const Span& range() const noexcept { return range_; }
  const std::vector<Position>& positions() const noexcept { return positions_; }
  /// The array of positions or the mask; null when the list was written in braces.
  const DlArray* array() const noexcept { return isArray_ ? &array_ : nullptr; }

 private:
  void add(Position position);

  Kind kind_;
  Span range_;
  bool isArray_ = false;
  std::vector<Position> positions_;
  DlArray array_;
};

namespace detail {
/// The first of more than five subscripts. It carries the line of the call, for which a list of any length has no room behind it.
struct FirstSubscript : Subscript {
  template <std::convertible_to<Subscript> T>
  FirstSubscript(const T& subscript, std::source_location place = std::source_location::current()) : Subscript(subscript), where(place) {}
  FirstSubscript(std::initializer_list<Position> positions, std::source_location place = std::source_location::current())
      : Subscript(positions), where(place) {}
  std::source_location where;
};

DlArray readElement(const DlArray& x, const Index* position, int count, std::source_location where);
DlArray readRange(const DlArray& x, const Span& range, std::source_location where);
DlArray read(const DlArray& x, const Subscript* const* subscripts, int count, std::source_location where);
void writeElement(DlArray& x, const Index* position, int count, const DlArray& value, std::source_location where);
void write(DlArray& x, const Subscript* const* subscripts, int count, const DlArray& value, std::source_location where);
}  // namespace detail

/// What `X(...)` gives for a variable array: the value that X had there, or, when the expression itself is assigned to, the place.
/// `auto y = X(0)` keeps its value whatever happens to X; assigning to `y` changes `y` alone.
class Reference {
 public:
  Reference(DlArray& target, const Index* position, int count, std::source_location where) noexcept
      : target_(&target), snapshot_(target), count_(count), where_(where) {
    for (int i = 0; i < count; ++i) position_[static_cast<std::size_t>(i)] = position[i];
  }
  Reference(DlArray& target, const Subscript& subscript, std::source_location where);
  Reference(DlArray& target, std::initializer_list<Subscript> subscripts, std::source_location where);
  Reference(const Reference& other);
  Reference(Reference&& other) noexcept;
  ~Reference() {
    if (subscripts_) drop(subscripts_);
  }

  operator DlArray() const { return value(); }
  template <Number T>
  explicit operator T() const {
    return static_cast<T>(value());
  }
  /// The elements referred to, as they were when `X(...)` was written: one value, however often it is asked for.
  const DlArray& value() const;
  template <class... Subscripts>
  DlArray operator()(const Subscripts&... subscripts) const {
    const DlArray v = value();
    return v(subscripts...);
  }

  /// Writes, and gives back what was written, so that `X(0) = X(1) = 5` sets both.
  DlArray operator=(Operand value) && { return assigned(value.get()); }
  DlArray operator=(const Reference& value) && { return assigned(value.value()); }
  void operator=(DlArray value) & { become(std::move(value)); }
  void operator=(const Reference& value) & { become(value.value()); }
  void operator+=(Operand value) &&;
  void operator-=(Operand value) &&;
  void operator*=(Operand value) &&;
  void operator/=(Operand value) &&;
  void operator%=(Operand value) &&;
  void operator+=(Operand value) &;
  void operator-=(Operand value) &;
  void operator*=(Operand value) &;
  void operator/=(Operand value) &;
  void operator%=(Operand value) &;

 private:
  void assign(const DlArray& value);
  DlArray assigned(const DlArray& value);
  void become(DlArray value);
  std::array<const Subscript*, Size::maxDimensions> subscripts() const;
  static void drop(std::vector<Subscript>* subscripts) noexcept;

  DlArray* target_;
  // The array as it was, until its elements are asked for; from then on the elements, so that the array is not held any longer.
  mutable DlArray snapshot_;
  mutable bool isValue_ = false;
  int count_;
  std::array<Index, 2> position_{};  // in place of the subscripts when these are one or two plain numbers
  std::vector<Subscript>* subscripts_ = nullptr;
  std::source_location where_;
};

inline Operand::Operand(const Reference& reference, std::source_location where)
    : own_(reference.value()), array_(&own_), dying_(&own_), where_(where) {}
inline Subscript::Subscript(const Reference& positionsOrMask) : Subscript(positionsOrMask.value()) {}

template <Integer I>
DlArray DlArray::operator()(I i, std::source_location where) const {
  const Index position[] = {static_cast<Index>(i)};
  return detail::readElement(*this, position, 1, where);
}
template <Integer I, Integer J>
DlArray DlArray::operator()(I i, J j, std::source_location where) const {
  const Index position[] = {static_cast<Index>(i), static_cast<Index>(j)};
  return detail::readElement(*this, position, 2, where);
}
template <Integer I>
Reference DlArray::operator()(I i, std::source_location where) {
  const Index position[] = {static_cast<Index>(i)};
  return {*this, position, 1, where};
}
template <Integer I, Integer J>
Reference DlArray::operator()(I i, J j, std::source_location where) {
  const Index position[] = {static_cast<Index>(i), static_cast<Index>(j)};
  return {*this, position, 2, where};
}
inline Reference DlArray::operator()(const Subscript& i, std::source_location where) { return {*this, i, where}; }
inline Reference DlArray::operator()(const Subscript& i, const Subscript& j, std::source_location where) { return {*this, {i, j}, where}; }
inline Reference DlArray::operator()(const Subscript& i, const Subscript& j, const Subscript& k, std::source_location where) {
  return {*this, {i, j, k}, where};
}
inline Reference DlArray::operator()(const Subscript& i, const Subscript& j, const Subscript& k, const Subscript& l, std::source_location where) {
  return {*this, {i, j, k, l}, where};
}
inline Reference DlArray::operator()(const Subscript& i, const Subscript& j, const Subscript& k, const Subscript& l, const Subscript& m,
                                     std::source_location where) {
  return {*this, {i, j, k, l, m}, where};
}
template <class... More>
  requires(sizeof...(More) > 0 && (std::convertible_to<More, Subscript> && ...))
Reference DlArray::operator()(const detail::FirstSubscript& i, const Subscript& j, const Subscript& k, const Subscript& l, const Subscript& m,
                              const More&... more) {
  return {*this, {i, j, k, l, m, Subscript(more)...}, i.where};
}
template <std::same_as<Span> S>
Reference DlArray::operator()(const S& range, std::source_location where) {
  return {*this, Subscript(range), where};
}
template <std::same_as<Span> S>
DlArray DlArray::operator()(const S& range, std::source_location where) const {
  return detail::readRange(*this, range, where);
}
inline DlArray DlArray::operator()(const Subscript& i, std::source_location where) const {
  const Subscript* s[] = {&i};
  return detail::read(*this, s, 1, where);
}
inline DlArray DlArray::operator()(const Subscript& i, const Subscript& j, std::source_location where) const {
  const Subscript* s[] = {&i, &j};
  return detail::read(*this, s, 2, where);
}
inline DlArray DlArray::operator()(const Subscript& i, const Subscript& j, const Subscript& k, std::source_location where) const {
  const Subscript* s[] = {&i, &j, &k};
  return detail::read(*this, s, 3, where);
}
inline DlArray DlArray::operator()(const Subscript& i, const Subscript& j, const Subscript& k, const Subscript& l, std::source_location where) const {
  const Subscript* s[] = {&i, &j, &k, &l};
  return detail::read(*this, s, 4, where);
}
inline DlArray DlArray::operator()(const Subscript& i, const Subscript& j, const Subscript& k, const Subscript& l, const Subscript& m,
                                   std::source_location where) const {
  const Subscript* s[] = {&i, &j, &k, &l, &m};
  return detail::read(*this, s, 5, where);
}
template <class... More>
  requires(sizeof...(More) > 0 && (std::convertible_to<More, Subscript> && ...))
DlArray DlArray::operator()(const detail::FirstSubscript& i, const Subscript& j, const Subscript& k, const Subscript& l, const Subscript& m,
                            const More&... more) const {
  constexpr std::size_t count = 5 + sizeof...(More);
  const Subscript list[count] = {i, j, k, l, m, Subscript(more)...};
  const Subscript* s[count];
  for (std::size_t n = 0; n < count; ++n) s[n] = &list[n];
  return detail::read(*this, s, count, i.where);
}

}  // namespace dl
