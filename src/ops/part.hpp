#pragma once
#include "cpu/region.hpp"
#include "engine/apply.hpp"

#include <memory>

namespace dl {

// Where elements are read or written. The three kinds answer the same questions:
//   Shape shape() const                           of what is read there
//   bool single() const                           true when that is a plain scalar
//   bool repeats() const                          true when a position is named more than once
//   copyOut / copyIn / addIn                      on raw arrays

/// One element by its column-major position.
struct ElementPlace {
  Index position;
  Format format;  // of the 1 x 1 result
  std::uint8_t dimensions = 2;

  Shape shape() const;
  bool single() const noexcept { return dimensions == 2 && !format.labelled(); }
  bool repeats() const noexcept { return false; }
  void copyOut(const DlArray& x, DlArray& y) const;
  void copyIn(DlArray& x, const DlArray& values) const;
  void addIn(DlArray& x, const DlArray& values) const;
};

/// Neighbouring elements by their column-major positions, read as a row or a column.
struct RangePlace {
  Index start, count;
  bool row;

  Shape shape() const { return {row ? Size::matrix(1, count) : Size::matrix(count, 1), {}}; }
  bool single() const noexcept { return false; }
  bool repeats() const noexcept { return false; }
  void copyOut(const DlArray& x, DlArray& y) const;
  void copyIn(DlArray& x, const DlArray& values) const;
  void addIn(DlArray& x, const DlArray& values) const;
};

/// Any positions along each dimension.
struct GridPlace {
  struct Positions {
    Size sizes;  // of the array as the subscripts see it
    std::vector<cpu::Selection> selections;
    std::vector<std::vector<Index>> lists;  // what the selections point to
    Shape shape;
  };
  std::shared_ptr<const Positions> positions;

  const Shape& shape() const noexcept { return positions->shape; }
  bool single() const noexcept { return false; }
  bool repeats() const;
  void copyOut(const DlArray& x, DlArray& y) const;
  void copyIn(DlArray& x, const DlArray& values) const;
  void addIn(DlArray& x, const DlArray& values) const;
};

/// The positions that subscripts name in an array; throws for positions out of range, naming size and stored order.
GridPlace::Positions resolve(const DlArray& x, const Subscript* const* subscripts, int count, const std::source_location& where);

/// x(place), and its two adjoint forms: x with values added at a place, x with values written there.
template <class Place>
DlArray readAt(const Place& place, const Operand& x);
template <class Place>
DlArray addAt(const Place& place, const Operand& x, const Operand& values);
template <class Place>
DlArray writeAt(const Place& place, const Operand& x, const Operand& values);

}  // namespace dl
