#pragma once
#include "engine/apply.hpp"
#include "formulas/list.hpp"

// The short way of element-wise operations on arrays of equal shape and type, or an array and a number, that are too few for a second
// thread: everything that `apply` does, without its generality. Small arrays are all overhead otherwise.
namespace dl::engine {

/// What the short way needs to know of an operation.
struct ShortForm {
  const Rule* rule;
  std::size_t formula;
  // What is kept for the gradient, by which inputs are traced (bit i): bits 0 and 1 for the inputs, bit 2 for the result.
  std::uint8_t keep[4];
};

/// The result, or no array at all (a null header) when the operands are of any other kind.
DlArray shortUnary(const ShortForm& form, const Operand& x, Trace* trace);
DlArray shortBinary(const ShortForm& form, const Operand& a, const Operand& b, Trace* trace);

}  // namespace dl::engine
