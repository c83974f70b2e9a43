// Registers and sums in and across several of them. To be included by the sources in simd/ alone: everything is
// local to them.
#pragma once

#include <utility>

#include "cpu/simd/register_bytes.hpp"
#include "cpu/types.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// As many zeros as lanes, then as many ones.
template <class T, Index lanes>
struct KeptLanes {
  T values[2 * lanes] = {};
  constexpr KeptLanes() {
    for (Index i = lanes; i < 2 * lanes; ++i) values[i] = 1;
  }
};
template <class T, Index lanes>
constexpr KeptLanes<T, lanes> keptLanes;

template <class T>
struct Register {
  typedef T Vector __attribute__((vector_size(registerBytes)));
  typedef T Anywhere __attribute__((vector_size(registerBytes), aligned(sizeof(T)), may_alias));
  static constexpr Index lanes = registerBytes / static_cast<int>(sizeof(T));
  static Vector load(const T* x) { return *reinterpret_cast<const Anywhere*>(x); }
  static Vector filled(T value) { return Vector{} + value; }
  static void store(T* y, Vector v) { *reinterpret_cast<Anywhere*>(y) = v; }
  static T total(Vector v) { return foldedFrom<lanes / 2>(v, std::make_integer_sequence<int, static_cast<int>(lanes)>())[0]; }
  /// Lanes `half` apart added, then those half as far apart, and so on.
  template <Index half, int... lane>
  static Vector foldedFrom(Vector v, std::integer_sequence<int, lane...> all) {
    if constexpr (half == 0)
      return v;
    else
      return foldedFrom<half / 2>(v + __builtin_shufflevector(v, v, (lane ^ half)...), all);
  }
  /// The totals of `count` vectors, a power of two: of two at a time, half of the lanes of one beside half of the other, so that
  /// many cost little more than one.
  template <int count>
  static void totals(const Vector* v, T* to) {
    if constexpr (count > lanes) {
      totals<count / 2>(v, to);
      totals<count / 2>(v + count / 2, to + count / 2);
    } else {
      constexpr int width = static_cast<int>(lanes) / count;
      const Vector each = foldedFrom<width / 2>(joined<count>(v), std::make_integer_sequence<int, static_cast<int>(lanes)>());
      for (int i = 0; i < count; ++i) to[i] = each[i * width];
    }
  }
  /// Vector i's lanes folded to the i-th of `count` pieces of a vector.
  template <int count>
  static Vector joined(const Vector* v) {
    if constexpr (count == 1)
      return *v;
    else
      return beside<static_cast<int>(lanes) / count>(joined<count / 2>(v), joined<count / 2>(v + count / 2),
                                                     std::make_integer_sequence<int, static_cast<int>(lanes)>());
  }
  /// Pieces of 2 * width lanes, those of b behind those of a, each folded to `width` lanes.
  template <int width, int... lane>
  static Vector beside(Vector a, Vector b, std::integer_sequence<int, lane...>) {
    return __builtin_shufflevector(a, b, (lane / width * 2 * width + lane % width)...) +
           __builtin_shufflevector(a, b, (lane / width * 2 * width + width + lane % width)...);
  }
  /// True in the last n lanes.
  static auto lastLanes(Index n) { return load(keptLanes<T, lanes>.values + n) != 0; }
};

// Several sums at once, each in `ways` registers so that additions do not wait for each other, and one number for what is left.
template <class T, int sums, int ways>
struct Totals {
  typename Register<T>::Vector part[sums][ways] = {};
  T rest[sums] = {};
  T total(int s) const {
    typename Register<T>::Vector all = part[s][0];
    for (int w = 1; w < ways; ++w) all += part[s][w];
    return Register<T>::total(all) + rest[s];
  }
};

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
