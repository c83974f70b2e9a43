// The sums and the largest elements of short blocks that a single window holds; compiled once for every level of the processor.
#include "cpu/simd/pooling.hpp"

#include <type_traits>

#include "cpu/simd/tile.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <class T>
using Vector = typename Types<T>::Vector;

template <class T>
inline Vector<T> loadAt(const T* x) {
  return *reinterpret_cast<const typename Types<T>::Anywhere*>(x);
}
template <class T>
inline void storeAt(Vector<T> v, T* y) {
  *reinterpret_cast<typename Types<T>::Anywhere*>(y) = v;
}

struct Add {
  template <class U>
  static U join(U a, U b) {
    return a + b;
  }
};
struct Largest {
  template <class U>
  static U join(U a, U b) {
    return b > a ? b : a;
  }
};

// A block's elements joined lane by lane; it holds a register at least. Sums take each element once, so that what is left comes
// among zeros; the largest element may be met twice.
template <class Join, class T>
inline Vector<T> joined(const T* x, Index n) {
  constexpr Index width = Types<T>::width;
  Vector<T> all = loadAt(x);
  Index i = width;
  for (; i + width <= n; i += width) all = Join::join(all, loadAt(x + i));
  if (i == n) return all;
  if constexpr (std::is_same_v<Join, Largest>) return Join::join(all, loadAt(x + n - width));
  Vector<T> rest;
  loadPart(x + i, n - i, rest);
  return Join::join(all, rest);
}

// Joins as many registers as one has lanes, each to one number.
template <class Join, class T>
inline Vector<T> joinedRows(const Vector<T>* rows) {
  constexpr int width = Types<T>::width;
  alignas(64) T turned[width * width];
  Square<T, width>::run(reinterpret_cast<const T*>(rows), width, turned, width);
  Vector<T> all = loadAt(turned);
#pragma GCC unroll 16
  for (int i = 1; i < width; ++i) all = Join::join(all, loadAt(turned + i * width));
  return all;
}

// The results of some blocks, as many as a register has lanes or fewer.
template <class Join, class T>
inline Vector<T> joinedBlocks(const T* x, Index n, Index blocks) {
  alignas(64) Vector<T> rows[Types<T>::width] = {};
  for (Index i = 0; i < blocks; ++i) rows[i] = joined<Join>(x + i * n, n);
  return joinedRows<Join, T>(rows);
}

// Calls body(first, count) for blocks, as many at a time as a register has lanes.
template <class T, class F>
inline void forGroups(Index blocks, F&& body) {
  constexpr Index width = Types<T>::width;
  for (Index b = 0; b < blocks; b += width) body(b, smaller(width, blocks - b));
}

template <class T>
inline void storeSome(Vector<T> v, Index n, T* y) {
  if (n == Types<T>::width)
    storeAt(v, y);
  else
    storePart(y, n, v);
}

template <class T>
void sumBlocks(const T* x, Index n, Index blocks, T factor, T* y) {
  forGroups<T>(blocks,
               [=](Index b, Index count) { storeSome<T>(joinedBlocks<Add>(x + b * n, n, count) * factor, count, y + b); });
}

// True where all elements are finite numbers.
template <class T>
bool allFinite(const T* x, Index n) {
  constexpr Index width = Types<T>::width, ways = 4;
  Vector<T> trace[ways] = {};
  Index i = 0;
  for (; i + ways * width <= n; i += ways * width)
    for (int w = 0; w < ways; ++w) trace[w] += loadAt(x + i + w * width) * T(0);
  T rest = 0;
  for (; i < n; ++i) rest += x[i] * T(0);
  T all[width];
  const Vector<T> total = (trace[0] + trace[1]) + (trace[2] + trace[3]);
  std::memcpy(all, &total, sizeof all);
  for (int j = 0; j < width; ++j) rest += all[j];
  return rest == 0;
}

template <class T>
bool maxBlocks(const T* x, Index n, Index blocks, T* y) {
  if (!allFinite(x, n * blocks)) return false;
  forGroups<T>(blocks, [=](Index b, Index count) { storeSome<T>(joinedBlocks<Largest>(x + b * n, n, count), count, y + b); });
  return true;
}

// 0, -1, -2, ...: of places that are counted downwards the largest is the first.
template <class T>
inline Vector<T> countedDown() {
  constexpr int width = Types<T>::width;
  T places[width];
  for (int i = 0; i < width; ++i) places[i] = static_cast<T>(-i);
  return loadAt(places);
}

// The place of the largest element of a block, lane by lane and counted downwards.
template <class T>
inline Vector<T> placesOf(const T* x, Index n, T largest) {
  constexpr Index width = Types<T>::width;
  const Vector<T> lanes = countedDown<T>(), nowhere = Vector<T>{} - static_cast<T>(n), all = Vector<T>{} + largest;
  Vector<T> place = nowhere;
  const auto look = [&](Index i) {
    const Vector<T> here = loadAt(x + i) == all ? lanes - static_cast<T>(i) : nowhere;
    place = here > place ? here : place;
  };
  for (Index i = 0; i + width <= n; i += width) look(i);
  look(n - width);
  return place;
}

template <class T>
bool maxBlocksGradient(const T* x, const T* g, Index n, Index blocks, T* dx) {
  constexpr Index width = Types<T>::width;
  if (!allFinite(x, n * blocks)) return false;
  forGroups<T>(blocks, [=](Index b, Index count) {
    const T* from = x + b * n;
    T* to = dx + b * n;
    T largest[width], first[width];
    storeAt(joinedBlocks<Largest>(from, n, count), largest);
    alignas(64) Vector<T> places[width] = {};
    for (Index i = 0; i < count; ++i) places[i] = placesOf(from + i * n, n, largest[i]);
    storeAt(joinedRows<Largest, T>(places), first);
    for (Index i = 0; i < count * n; ++i) to[i] = 0;
    for (Index i = 0; i < count; ++i) to[i * n - static_cast<Index>(first[i])] = g[b + i];
  });
  return true;
}

template <class T>
void fillBlocks(const T* g, Index n, Index blocks, T factor, T* dx) {
  constexpr Index width = Types<T>::width;
  for (Index b = 0; b < blocks; ++b, dx += n) {
    const Vector<T> share = Vector<T>{} + g[b] * factor;
    for (Index i = 0; i + width <= n; i += width) storeAt(share, dx + i);
    storeAt(share, dx + n - width);
  }
}

}  // namespace

template <class T>
PoolBlockKernels<T> poolBlockKernels() {
  return {Types<T>::width, sumBlocks<T>, fillBlocks<T>, maxBlocks<T>, maxBlocksGradient<T>};
}
template PoolBlockKernels<float> poolBlockKernels();
template PoolBlockKernels<double> poolBlockKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
