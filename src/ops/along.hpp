#pragma once
#include "cpu/scan.hpp"
#include "ops/dimensions.hpp"

// Operations along the lanes of an array that others are written with; all differentiate to any order.
namespace dl {

/// The element of each lane at a position, for each position of the lane. `positions`, double and constant to derivatives, is
/// as large as x but along the lanes, and gives the result its size and labels.
DlArray gatherAlong(const Operand& x, const Operand& positions, const Lanes& along);
/// The opposite of `gatherAlong`: zeros of a shape with values added at the positions.
DlArray scatterAlong(const Operand& values, const Operand& positions, const Lanes& along, const Shape& shape);
/// Elements moved by `steps` along their lanes; `fill` comes in at the end.
DlArray shiftAlong(const Operand& x, const Lanes& along, int steps, float fill);
/// y(i) = b(i) + a(i) y(i - 1) along the lanes, or y(i + 1) in reverse; the derivative of running products.
DlArray recurrence(const Operand& a, const Operand& b, const Lanes& along, cpu::Direction direction);
/// Running sums and running products along the lanes.
DlArray runningSum(const Operand& x, const Lanes& along, cpu::Direction direction);
DlArray runningProduct(const Operand& x, const Lanes& along, cpu::Direction direction);
/// For each element, the product of all elements that come before it in its lane.
DlArray productBefore(const DlArray& x, const Lanes& along, cpu::Direction direction);

/// The result of `kernel(const T* elements, T* positions)` for double and single elements, as an array of doubles of a shape.
/// Single positions are exact only up to 2^24, hence longer lanes are given to the kernel as doubles.
template <class Kernel>
DlArray positionsBy(const DlArray& x, const Lanes& along, const Shape& shape, Kernel kernel) {
  DlArray positions = Storage::make(shape, Type::Double);
  if (numel(positions) == 0) return positions;
  auto* to = Storage::mutableData<double>(positions);
  if (Storage::of(x).type == Type::Double) {
    kernel(Storage::data<double>(x), to);
  } else if (Storage::of(x).type == Type::Single && along.count <= Index{1} << 24) {
    const DlArray single = Storage::make(shape, Type::Single);
    kernel(Storage::data<float>(x), Storage::mutableData<float>(single));
    detail::copyOut(single, to, Type::Double);
  } else {
    const DlArray wide = Storage::make(Storage::shape(x), Type::Double);
    detail::copyOut(x, Storage::mutableData<double>(wide), Type::Double);
    kernel(Storage::data<double>(wide), to);
  }
  return positions;
}

}  // namespace dl
