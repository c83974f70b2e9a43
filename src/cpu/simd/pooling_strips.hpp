#pragma once
// What kernels share that go along strips of an image: as many rows, or windows, as a register has lanes, through all columns. To
// be included by the sources in simd/ alone: everything is local to them.
#include <limits>

#include "cpu/simd/pooling_register.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// Asks the memory for some lines that are to be read, or written: of the next image, because no image is read in the order of the
// memory.
template <class T>
[[gnu::always_inline]] inline void expectRead(const T* x, Index lines = 1) {
  for (Index i = 0; i < lines; ++i) __builtin_prefetch(reinterpret_cast<const char*>(x) + 64 * i);
}
template <class T>
[[gnu::always_inline]] inline void expectWrite(const T* x, Index lines = 1) {
  for (Index i = 0; i < lines; ++i) __builtin_prefetch(reinterpret_cast<const char*>(x) + 64 * i, 1);
}
template <class R>
bool any(typename R::Codes lanes) {
  bool found = false;
  for (Index i = 0; i < R::lanes; ++i) found |= lanes[i] != 0;
  return found;
}

// The largest of three elements along a column in each lane, and which it is: 0, 1 or 2.
template <class R>
struct LargestOfThree {
  typename R::Vector value;
  typename R::Codes place;
  [[gnu::always_inline]] LargestOfThree(typename R::Vector above, typename R::Vector here, typename R::Vector below)
      : value(above), place{} {
    take(here, 1);
    take(below, 2);
  }
  [[gnu::always_inline]] void take(typename R::Vector v, int which) {
    const typename R::Codes better = v > value;
    value = better ? v : value;
    place = better ? typename R::Codes{} + which : place;
  }
};

constexpr Index fewestLanes = 4;

// Calls body with the type of the widest registers that a column fills.
template <class T, int bytes = widest, class F>
auto withWidest(Index rows, F&& body) {
  if constexpr (bytes / sizeof(T) > fewestLanes)
    if (rows < bytes / static_cast<Index>(sizeof(T))) return withWidest<T, bytes / 2>(rows, body);
  return body.template operator()<Register<T, bytes>>();
}

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
