#pragma once
#include "engine/apply.hpp"

namespace dl {

/// Dimensions as a set: bit d is dimension d. Throws when a label is missing, a number is negative, or none was given and
/// more than one dimension is longer than 1. Without one, the 0 x 0 array means both. Dimensions past the last are left out:
/// they have size 1.
std::uint32_t resolveDimensions(const Dimensions& dimensions, const DlArray& x, const char* function,
                                const std::source_location& where);
/// The same where exactly one dimension is meant; may be past the last.
std::size_t resolveDimension(const Dimensions& dimension, const DlArray& x, const char* function,
                             const std::source_location& where);

/// The shape with the dimensions of a set at size 1; labels stay.
Shape reducedShape(const Shape& shape, std::uint32_t set);

/// How an array looks along one dimension, or along neighbouring ones: the elements before it, along it, and behind it.
struct Lanes {
  Index inner, count, outer;
};
Lanes lanes(const Size& size, std::size_t dimension) noexcept;
/// The same along a set of dimensions; false when dimensions longer than 1 stand between them.
bool lanes(const Size& size, std::uint32_t set, Lanes& result) noexcept;
/// The first dimensions of a set that are neighbours.
std::uint32_t firstNeighbours(const Size& size, std::uint32_t set) noexcept;

}  // namespace dl
