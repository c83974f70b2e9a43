#pragma once
#include <cstddef>

namespace dl::formula {

/// Formulas as a type; a formula's place in its list is its place in every table of kernels.
template <class... Formulas>
struct List {
  static constexpr std::size_t size = sizeof...(Formulas);
  template <class F>
  static constexpr std::size_t position() {
    std::size_t i = 0, found = size;
    ((static_cast<bool>(__is_same(F, Formulas)) ? void(found = i++) : void(++i)), ...);
    return found;
  }
};

/// What the derivative looks at, and so what a trace keeps: first input (A, or X), second input, result.
enum Kept : unsigned { Nothing = 0, X = 1, A = 1, B = 2, Y = 4 };

/// A differentiable formula of one input and what its derivative looks at.
template <unsigned kept>
struct Needs {
  static constexpr bool differentiable = true;
  static constexpr unsigned needs = kept;
};

/// A formula whose derivative is zero wherever it exists.
struct Flat {
  static constexpr bool differentiable = false;
  static constexpr unsigned needs = 0;
};

/// A formula of two inputs and what its derivative by the first and by the second looks at.
template <unsigned keptForA, unsigned keptForB>
struct NeedsForEach {
  static constexpr bool differentiable = true;
  static constexpr unsigned needsForA = keptForA, needsForB = keptForB;
  /// The derivative costs a single operation on arrays: nothing would be gained by a kernel of its own.
  static constexpr bool simple = false;
};

}  // namespace dl::formula
