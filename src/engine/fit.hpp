#pragma once
#include "engine/apply.hpp"

namespace dl::engine {

/// The same elements in the same order under another size and other labels.
DlArray reshapeTo(const Operand& x, const Shape& shape);
/// The same as another array of the same variable: gradients by the one are gradients by the other.
DlArray relabel(const Operand& x, const Shape& shape);
/// An array repeated along dimensions of size 1 until it has this shape, as implicit expansion does.
DlArray expandTo(const Operand& x, const Shape& shape);
/// The opposite of `expandTo`: sums over the dimensions that expansion stretched.
DlArray sumTo(const Operand& x, const Shape& shape);
/// Zeros, or the number given, of a shape and type.
DlArray filled(const Shape& shape, Type type, double value = 0);

}  // namespace dl::engine
