#pragma once
// Registers of elements, and of whole numbers as wide, as pooling moves them about.
#include <utility>

#include "cpu/simd/pooling.hpp"
#include "cpu/simd/register_bytes.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

constexpr int widest = registerBytes;

template <class T, int bytes>
struct Register {
  typedef T Vector __attribute__((vector_size(bytes)));
  typedef T Anywhere __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias));
  typedef PoolCode<T> Codes __attribute__((vector_size(bytes)));
  typedef PoolCode<T> CodesAnywhere __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias));
  static constexpr Index lanes = bytes / static_cast<int>(sizeof(T));
  static Vector load(const T* x) { return *reinterpret_cast<const Anywhere*>(x); }
  static void store(T* y, Vector v) { *reinterpret_cast<Anywhere*>(y) = v; }
  static Codes loadCodes(const PoolCode<T>* x) { return *reinterpret_cast<const CodesAnywhere*>(x); }
  static void store(PoolCode<T>* y, Codes v) { *reinterpret_cast<CodesAnywhere*>(y) = v; }
  /// x[0], x[stride], ...; reads nothing behind the last of them.
  template <int stride>
  static Vector loadEach(const T* x) {
    if constexpr (stride == 1) {
      return load(x);
    } else {
      // The second register begins one element early, so that it ends with the last element wanted.
      const Vector low = load(x), high = load(x + lanes - 1);
      if constexpr (lanes == 2)
        return __builtin_shufflevector(low, high, 0, 3);
      else if constexpr (lanes == 4)
        return __builtin_shufflevector(low, high, 0, 2, 5, 7);
      else if constexpr (lanes == 8)
        return __builtin_shufflevector(low, high, 0, 2, 4, 6, 9, 11, 13, 15);
      else
        return __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
    }
  }
  /// The same of codes, which shuffles move as they are.
  template <int stride>
  static Codes loadEachCode(const PoolCode<T>* x) {
    if constexpr (stride == 1)
      return loadCodes(x);
    else
      return reinterpret_cast<Codes>(loadEach<stride>(reinterpret_cast<const T*>(x)));
  }
  /// The lanes of `now` moved up by `steps`, the last ones of `before` ahead of them.
  template <int steps>
  static Vector shifted(Vector before, Vector now) {
    static_assert(steps == 1 || steps == 2);
    if constexpr (steps == 1) {
      if constexpr (lanes == 2)
        return __builtin_shufflevector(before, now, 1, 2);
      else if constexpr (lanes == 4)
        return __builtin_shufflevector(before, now, 3, 4, 5, 6);
      else if constexpr (lanes == 8)
        return __builtin_shufflevector(before, now, 7, 8, 9, 10, 11, 12, 13, 14);
      else
        return __builtin_shufflevector(before, now, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    } else {
      if constexpr (lanes == 2)
        return before;
      else if constexpr (lanes == 4)
        return __builtin_shufflevector(before, now, 2, 3, 4, 5);
      else if constexpr (lanes == 8)
        return __builtin_shufflevector(before, now, 6, 7, 8, 9, 10, 11, 12, 13);
      else
        return __builtin_shufflevector(before, now, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
    }
  }
  /// The lanes of `now` moved down by `steps`, the first ones of `after` behind them.
  template <int steps>
  static Vector lowered(Vector now, Vector after) {
    static_assert(steps == 1 || steps == 2);
    return lowered<steps>(now, after, std::make_integer_sequence<int, static_cast<int>(lanes)>());
  }
  template <int steps, int... lane>
  static Vector lowered(Vector now, Vector after, std::integer_sequence<int, lane...>) {
    return __builtin_shufflevector(now, after, (lane + steps)...);
  }
  static void add(T* y, Vector v) { store(y, load(y) + v); }
  /// Calls put(register, its place) for the elements of `stride` registers in turn.
  template <int stride, class Put>
  static void interleave(const Vector* each, Put&& put) {
    if constexpr (stride == 1) {
      put(each[0], 0);
    } else if constexpr (lanes == 2) {
      put(__builtin_shufflevector(each[0], each[1], 0, 2), 0);
      put(__builtin_shufflevector(each[0], each[1], 1, 3), lanes);
    } else if constexpr (lanes == 4) {
      put(__builtin_shufflevector(each[0], each[1], 0, 4, 1, 5), 0);
      put(__builtin_shufflevector(each[0], each[1], 2, 6, 3, 7), lanes);
    } else if constexpr (lanes == 8) {
      put(__builtin_shufflevector(each[0], each[1], 0, 8, 1, 9, 2, 10, 3, 11), 0);
      put(__builtin_shufflevector(each[0], each[1], 4, 12, 5, 13, 6, 14, 7, 15), lanes);
    } else {
      put(__builtin_shufflevector(each[0], each[1], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), 0);
      put(__builtin_shufflevector(each[0], each[1], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), lanes);
    }
  }
};

// What each place in the windows of a register gives, moved to where it belongs and added up. With a stride of 2, places 0 and 2
// of neighbouring windows meet at even elements, place 1 lies at the odd ones. `before` holds the places of the register before.
template <class R, int stride, int window>
struct JoinedPlaces {
  typename R::Vector sums[stride] = {};

  [[gnu::always_inline]] JoinedPlaces(const typename R::Vector* places, typename R::Vector* before) {
    for (int a = 0; a < window; ++a) {
      sums[a % stride] += a / stride == 0   ? places[a]
                          : a / stride == 1 ? R::template shifted<1>(before[a], places[a])
                                            : R::template shifted<2>(before[a], places[a]);
      before[a] = places[a];
    }
  }
};

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
