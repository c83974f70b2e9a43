#pragma once
// Registers in which the elements of windows of two lie beside each other. To be included by the sources in simd/ alone:
// everything is local to them.
#include <utility>

#include "cpu/simd/pooling.hpp"
#include "cpu/simd/tile.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <class T, class Lanes = std::make_integer_sequence<int, Types<T>::width>>
struct Pairs;
template <class T, int... lane>
struct Pairs<T, std::integer_sequence<int, lane...>> {
  using Vector = typename Types<T>::Vector;
  static constexpr int width = Types<T>::width;
  static Vector swapped(Vector v) { return __builtin_shufflevector(v, v, (lane ^ 1)...); }
  static Vector halvesSwapped(Vector v) { return __builtin_shufflevector(v, v, (lane ^ (width / 2))...); }
  /// Every second element, in the lower half.
  static Vector everySecond(Vector v) { return __builtin_shufflevector(v, v, (2 * lane % width)...); }
  /// Each element of the lower half twice.
  static Vector twice(Vector v) { return __builtin_shufflevector(v, v, (lane / 2)...); }
  /// Each element of the upper half twice.
  static Vector upperTwice(Vector v) { return __builtin_shufflevector(v, v, (width / 2 + lane / 2)...); }
  /// Each element of half a register twice.
  template <class Half>
  static Vector halfTwice(Half v) {
    return __builtin_shufflevector(v, v, (lane / 2)...);
  }
  /// Each element of the lowest quarter twice, in both halves.
  static Vector twiceInHalves(Vector v) { return __builtin_shufflevector(v, v, (lane % (width / 2) / 2)...); }
  /// The lower half of one register and the upper one of another.
  static Vector joined(Vector low, Vector high) {
    return __builtin_shufflevector(low, high, (lane < width / 2 ? lane : width + lane)...);
  }
  /// The elements of one register at even places, of another at odd ones.
  static Vector mixed(Vector even, Vector odd) {
    return __builtin_shufflevector(even, odd, (lane % 2 == 0 ? lane : width + lane)...);
  }

  static Vector load(const T* x, Index n) {
    if (n >= width) return *reinterpret_cast<const typename Types<T>::Anywhere*>(x);
    Vector v;
    loadPart(x, n, v);
    return v;
  }
  static void store(Vector v, Index n, T* y) {
    if (n >= width)
      *reinterpret_cast<typename Types<T>::Anywhere*>(y) = v;
    else
      storePart(y, n, v);
  }
  /// Stores the first lanes of a register, n or as many as fill a half or a quarter, for which no mask is needed.
  template <int most>
  static void storeFirst(Vector v, T* y, Index n = most) {
    if (n < most)
      storePart(y, n, v);
    else
      std::memcpy(y, &v, most * sizeof(T));
  }
  /// Every second element as doubles.
  typedef double Doubles __attribute__((vector_size(width / 2 * sizeof(double))));
  static Doubles doublesOfEverySecond(Vector v) {
    typedef T Half __attribute__((vector_size(sizeof(Vector) / 2)));
    const Vector each = everySecond(v);
    Half half;
    std::memcpy(&half, &each, sizeof half);
    return __builtin_convertvector(half, Doubles);
  }
  static bool holdsNaN(Vector v) {
    bool found = false;
    T all[width];
    std::memcpy(all, &v, sizeof v);
    for (int i = 0; i < width; ++i) found |= all[i] != all[i];
    return found;
  }
};

// The elements of a page that belong to no window become zeros.
template <class T>
void clearRest(const PoolPairs& p, T* page) {
  const Index n = 2 * p.out, columns = 2 * p.columnsOut;
  if (n < p.in)
    for (Index c = 0; c < columns; ++c)
      for (Index i = n; i < p.in; ++i) page[c * p.in + i] = 0;
  for (Index i = columns * p.in; i < p.columnsIn * p.in; ++i) page[i] = 0;
}

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
