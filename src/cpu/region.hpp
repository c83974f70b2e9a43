// Reading and writing parts of an array: ranges, lists of positions, tiles and blocks.
#pragma once

#include <cstddef>
#include <span>

#include "cpu/types.hpp"

namespace dl::cpu {

/// The positions chosen along one dimension, all of them inside the array: `count` of them, from `list` where given, else
/// start, start + step, start + 2 step, ... (step may be negative or, to repeat one position, zero).
struct Selection {
  Index start = 0;
  Index step = 1;
  Index count = 0;
  const Index* list = nullptr;
};

// A part of an array is one Selection for every dimension of `sizes`; a linear list of positions is a part of an array with
// the one dimension numel. The chosen elements, first dimension fastest, are the compact array that stands opposite the part.

/// The number of elements of a part.
Index numelOf(std::span<const Selection> part);

/// compact = x(part); x has `sizes`, elements of any size in bytes.
void gather(const void* x, std::size_t elementSize, std::span<const Index> sizes, std::span<const Selection> part, void* compact);

/// y(part) = compact; where a position is chosen more than once the last value stays.
void scatter(void* y, std::size_t elementSize, std::span<const Index> sizes, std::span<const Selection> part,
             const void* compact);

/// y(part) = value, one element of 1, 2, 4, 8 or 16 bytes for all positions.
void scatterValue(void* y, std::size_t elementSize, std::span<const Index> sizes, std::span<const Selection> part,
                  const void* value);

/// y(part) += compact; positions chosen more than once add up in the order of the compact array. T: float, double.
template <class T>
void scatterAdd(T* y, std::span<const Index> sizes, std::span<const Selection> part, const T* compact);

/// y = x repeated repeats[d] times along each dimension d (MATLAB's repmat); as many repeats as sizes.
void tile(const void* x, std::size_t elementSize, std::span<const Index> sizes, std::span<const Index> repeats, void* y);

/// Copies `blocks` runs of `blockBytes`, run b from x + b * xStrideBytes to y + b * yStrideBytes (concatenation, splitting).
void copyBlocks(const void* x, Index xStrideBytes, void* y, Index yStrideBytes, Index blockBytes, Index blocks);

}  // namespace dl::cpu
