#pragma once
#include <dlarray/array.hpp>

namespace dl::train {

/// How an array looks along the dimension that counts observations.
struct Slices {
  Index inner, count, outer;
};
/// Where the result puts piece o of observation k: at o * outer + k * next.
struct Places {
  Index outer, next;
};

/// Copies the slices `which` of an array to a new array, cast to its type.
void gather(const DlArray& from, const Slices& slices, const std::vector<Index>& which, DlArray& to, const Places& places);

/// Copies n elements, cast to the type of `to`, to its elements from `at` on.
void copyElements(const DlArray& from, DlArray& to, Index at);

}  // namespace dl::train
