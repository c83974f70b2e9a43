// The table of interpolation kernels that simd/resize.cpp fills for every level of the processor.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cpu/resize.hpp"

namespace dl::cpu {

/// Lines of this length have loops of their own.
inline constexpr Index turnedLines = 16;

/// Lines that are sums of lines: those of line r end at ends[r] in the list of all terms.
template <class T>
struct LineSums {
  Index count;
  const Index *ends, *elements;
  const T* weights;
};

/// Sums along neighbours, for as many results at a time as a register holds: their sums have `terms`
/// terms, each of elements that lie within two registers' width of one another.
template <class T>
struct Gathering {
  using Place = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

  Index terms, blocks;
  bool narrow;  // the elements of a term lie within one register
  // For each term of each block:
  const Index* base;           // where the two registers begin
  const Index* present;        // how many elements of these are there
  const std::uint32_t* takes;  // a bit for each result that has the term
  const Place* places;         // for each result, which of the elements
  const T* weights;
};

template <class T>
struct ResizeKernels {
  /// Each line of `to`, of `inner` elements, from lines of `from`.
  void (*combine)(const T* from, Index inner, const LineSums<T>& sums, T* to);
  /// The m results of each of `columns` columns of n elements, and how many a register holds; null and 0 where the processor
  /// cannot choose among the elements of two registers.
  void (*gather)(const T* from, Index n, const Gathering<T>& gathering, Index m, Index columns, T* to);
  Index gathered;
};

namespace v2 {
template <class T>
ResizeKernels<T> resizeKernels();
}
namespace v3 {
template <class T>
ResizeKernels<T> resizeKernels();
}
namespace v4 {
template <class T>
ResizeKernels<T> resizeKernels();
}

}  // namespace dl::cpu
