// Windows of three by three around every element of an image; compiled once for every level of the processor. An image is cut
// into strips of as many rows as a register has lanes. Along a strip a column is read once, its three rows joined, and what was
// found in the two columns before stays in registers.
#include "cpu/simd/pooling_join.hpp"
#include "cpu/simd/pooling_strips.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// What to ask for, column by column in each strip, to have asked for all of the next image.
template <class T>
[[gnu::always_inline]] inline Index ahead(Index rows, Index columns, Index column, Index at) {
  return (rows + at) * columns + column * cacheLine<T>;
}

// Calls put(column, what its windows joined) for the columns of a strip that begins with row `at`. load(column, row) gives
// elements from a row on, look(register) sees each element once. Above the first row and below the last there is nothing.
template <class Join, class R, bool first, bool last, class Load, class Look, class Put>
[[gnu::always_inline]] inline void denseStrip(Index columns, Index at, typename R::Vector nothing, Load load, Look look,
                                              Put put) {
  using Vector = typename R::Vector;
  const auto joined = [&](Index column) __attribute__((always_inline)) {
    const Vector here = load(column, at);
    look(here);
    const Vector above = first ? R::template shifted<1>(nothing, here) : load(column, at - 1);
    const Vector below = last ? R::template lowered<1>(here, nothing) : load(column, at + 1);
    return Join::join(Join::join(above, here), below);
  };
  Vector before = nothing, now = joined(0);
  for (Index c = 0; c + 1 < columns; ++c) {
    const Vector next = joined(c + 1);
    put(c, Join::join(Join::join(before, now), next));
    before = now;
    now = next;
  }
  put(columns - 1, Join::join(before, now));
}

// The same for all strips of an image with as many rows as a register has lanes, or more; putAt(row) gives what puts columns from
// that row on.
template <class Join, class R, class Load, class Look, class PutAt>
[[gnu::always_inline]] inline void dense(Index rows, Index columns, typename R::Vector nothing, Load load, Look look,
                                         PutAt putAt) {
  if (rows == R::lanes) return denseStrip<Join, R, true, true>(columns, 0, nothing, load, look, putAt(0));
  denseStrip<Join, R, true, false>(columns, 0, nothing, load, look, putAt(0));
  for (Index at = R::lanes; at + R::lanes < rows; at += R::lanes)
    denseStrip<Join, R, false, false>(columns, at, nothing, load, look, putAt(at));
  denseStrip<Join, R, false, true>(columns, rows - R::lanes, nothing, load, look, putAt(rows - R::lanes));
}

template <class R, class T>
bool maxWith(const T* x, Index rows, Index columns, T* y) {
  using Vector = typename R::Vector;
  const Vector smallest = Vector{} - std::numeric_limits<T>::infinity();
  typename R::Codes found{};
  dense<Largest, R>(
      rows, columns, smallest, [=](Index c, Index row) __attribute__((always_inline)) { return R::load(x + c * rows + row); },
      [&](Vector v) __attribute__((always_inline)) { found |= v != v; },
      [=](Index at) __attribute__((always_inline)) {
        return [=](Index c, Vector v) __attribute__((always_inline)) {
          expectRead(x + ahead<T>(rows, columns, c, at));
          expectWrite(y + ahead<T>(rows, columns, c, at));
          R::store(y + c * rows + at, v);
        };
      });
  return !any<R>(found);
}

template <class R, class T>
void meanWith(const T* x, const T* shareAlong, const T* shareAcross, Index rows, Index columns, T* y) {
  using Vector = typename R::Vector;
  dense<Add, R>(
      rows, columns, Vector{}, [=](Index c, Index row) __attribute__((always_inline)) { return R::load(x + c * rows + row); },
      [](Vector) {},
      [=](Index at) __attribute__((always_inline)) {
        return [ =, share = R::load(shareAlong + at) ](Index c, Vector v) __attribute__((always_inline)) {
          expectRead(x + ahead<T>(rows, columns, c, at));
          expectWrite(y + ahead<T>(rows, columns, c, at));
          R::store(y + c * rows + at, v * (share * shareAcross[c]));
        };
      });
}

template <class R, class T>
void meanAdjointWith(const T* g, const T* shareAlong, const T* shareAcross, Index rows, Index columns, T* dx) {
  using Vector = typename R::Vector;
  dense<Add, R>(
      rows, columns, Vector{},
      [=](Index c, Index row)
          __attribute__((always_inline)) { return R::load(g + c * rows + row) * (R::load(shareAlong + row) * shareAcross[c]); },
      [](Vector) {},
      [=](Index at) __attribute__((always_inline)) {
        return [=](Index c, Vector v) __attribute__((always_inline)) {
          expectRead(g + ahead<T>(rows, columns, c, at));
          expectWrite(dx + ahead<T>(rows, columns, c, at));
          R::store(dx + c * rows + at, v);
        };
      });
}

// Where the windows of a strip lie, one a lane: one row ahead of the strip, of which the last two rows remain to be done, or, in
// the last strip, row by row, its first row being done.
enum class Strip { first, inner, last, only };

// Which column of a window holds its largest element is found for one column of windows after the other; which of three rows it
// is in does not depend on the window, so that what belongs to a column is summed first and then brought to its places.
template <class R, Strip strip, class T>
[[gnu::always_inline]] inline void maxGradientStrip(const T* x, const T* g, Index rows, Index columns, Index at,
                                                    typename R::Codes& special, T* dx) {
  using Vector = typename R::Vector;
  using Codes = typename R::Codes;
  constexpr bool ends = strip == Strip::last || strip == Strip::only;
  const Vector smallest = Vector{} - std::numeric_limits<T>::infinity();
  const auto largest = [&](Index c) __attribute__((always_inline)) {
    const T* from = x + c * rows + at;
    const Vector here = R::load(from);
    special |= ~(here > smallest);
    if constexpr (ends)
      return LargestOfThree<R>(strip == Strip::only ? R::template shifted<1>(smallest, here) : R::load(from - 1), here,
                               R::template lowered<1>(here, smallest));
    else if constexpr (strip == Strip::first)
      return LargestOfThree<R>(R::template shifted<2>(smallest, here), R::template shifted<1>(smallest, here), here);
    else
      return LargestOfThree<R>(R::load(from - 2), R::load(from - 1), here);
  };
  const auto gradient = [&](Index c) __attribute__((always_inline)) {
    const T* from = g + c * rows + at;
    if constexpr (ends)
      return R::load(from);
    else
      return strip == Strip::first ? R::template shifted<1>(Vector{}, R::load(from)) : R::load(from - 1);
  };
  const auto finish = [&](Index c, Vector sum, Codes place) __attribute__((always_inline)) {
    const auto of = [&](int which) __attribute__((always_inline)) { return place == Codes{} + which ? sum : Vector{}; };
    T* to = dx + c * rows + at;
    if constexpr (ends) {
      const Vector v = R::template shifted<1>(Vector{}, of(2)) + of(1) + R::template lowered<1>(of(0), Vector{});
      Codes first{};
      first[0] = -1;
      R::store(to, first ? R::load(to) : v);
    } else {
      R::store(to, of(2) + R::template lowered<1>(of(1), Vector{}) + R::template lowered<2>(of(0), Vector{}));
    }
  };
  LargestOfThree<R> before(smallest, smallest, smallest), now = largest(0);
  Vector sumBefore{}, sumNow{};
  const auto window = [&](Index c, const LargestOfThree<R>& next) __attribute__((always_inline)) {
    const Codes later = now.value > before.value;
    const Codes last = next.value > (later ? now.value : before.value);
    const Vector all = gradient(c), notLast = last ? Vector{} : all;
    sumBefore += later ? Vector{} : notLast;
    sumNow += later ? notLast : Vector{};
    if (c > 0) finish(c - 1, sumBefore, before.place);
    expectRead(x + ahead<T>(rows, columns, c, at));
    expectRead(g + ahead<T>(rows, columns, c, at));
    expectWrite(dx + ahead<T>(rows, columns, c, at));
    sumBefore = sumNow;
    sumNow = last ? all : Vector{};
    before = now;
    now = next;
  };
  for (Index c = 0; c + 1 < columns; ++c) window(c, largest(c + 1));
  window(columns - 1, LargestOfThree<R>(smallest, smallest, smallest));
  finish(columns - 1, sumBefore, before.place);
}

template <class R, class T>
bool maxGradientWith(const T* x, const T* g, Index rows, Index columns, T* dx) {
  typename R::Codes special{};
  maxGradientStrip<R, Strip::first>(x, g, rows, columns, 0, special, dx);
  for (Index at = R::lanes - 2; at + R::lanes <= rows; at += R::lanes - 2)
    maxGradientStrip<R, Strip::inner>(x, g, rows, columns, at, special, dx);
  if (rows == R::lanes)
    maxGradientStrip<R, Strip::only>(x, g, rows, columns, 0, special, dx);
  else
    maxGradientStrip<R, Strip::last>(x, g, rows, columns, rows - R::lanes, special, dx);
  return !any<R>(special);
}

template <class T>
bool knows(const PoolImage& p) {
  const auto around = [](const PoolAxis& a) { return a.window == 3 && a.stride == 1 && a.before == 1 && a.in == a.out; };
  return widest / sizeof(T) >= fewestLanes && around(p.along) && around(p.across) && p.along.in >= fewestLanes;
}
template <class T>
bool max(const T* x, const PoolImage& p, T* y) {
  return withWidest<T>(p.along.in, [&]<class R>() { return maxWith<R>(x, p.along.in, p.across.in, y); });
}
template <class T>
bool maxGradient(const T* x, const T* g, const PoolImage& p, T* dx) {
  return withWidest<T>(p.along.in, [&]<class R>() { return maxGradientWith<R>(x, g, p.along.in, p.across.in, dx); });
}
template <class T>
void mean(const T* x, const T* shareAlong, const T* shareAcross, const PoolImage& p, T* y) {
  withWidest<T>(p.along.in, [&]<class R>() { meanWith<R>(x, shareAlong, shareAcross, p.along.in, p.across.in, y); });
}
template <class T>
void meanAdjoint(const T* g, const T* shareAlong, const T* shareAcross, const PoolImage& p, T* dx) {
  withWidest<T>(p.along.in, [&]<class R>() { meanAdjointWith<R>(g, shareAlong, shareAcross, p.along.in, p.across.in, dx); });
}

}  // namespace

template <class T>
PoolDenseKernels<T> poolDenseKernels() {
  return {knows<T>, max<T>, maxGradient<T>, mean<T>, meanAdjoint<T>};
}
template PoolDenseKernels<float> poolDenseKernels();
template PoolDenseKernels<double> poolDenseKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
