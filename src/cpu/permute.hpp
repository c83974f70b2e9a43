// Reordering the dimensions of an array.
#pragma once

#include <cstddef>
#include <span>

#include "cpu/types.hpp"

namespace dl::cpu {

/// y = x with its dimensions reordered: dimension d of y is dimension order[d] of x. Elements may have any size in bytes;
/// 1, 2, 4, 8 and 16 are the fast ones. x and y do not overlap.
void permute(const void* x, std::size_t elementSize, std::span<const Index> sizes, std::span<const int> order, void* y);

/// y (n x m) = transpose of x (m x n): the common case of `permute`.
void transpose(const void* x, std::size_t elementSize, Index m, Index n, void* y);

}  // namespace dl::cpu
