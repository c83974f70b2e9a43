// Positions of the maxima of windows of three by three that move by two, around every second element of an image, and the way
// back; compiled once for every level of the processor. Lanes are windows; the rows of an image are taken apart into those in the
// windows' middle and those between them.
#include <cstring>

#include "cpu/simd/pooling_strips.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// The elements at even places of two registers, and those at odd ones.
template <class R, int odd, int... lane>
[[gnu::always_inline]] inline typename R::Vector everySecond(typename R::Vector a, typename R::Vector b,
                                                             std::integer_sequence<int, lane...>) {
  return __builtin_shufflevector(a, b, (2 * lane + odd)...);
}

template <class T>
struct Halved {
  Index rows, columns, windows, windowColumns;  // the windows' number along a column, and across
  Index ahead, aheadResults;                    // lines of the next image, and its results, to ask for at every step

  template <class R>
  static Halved of(const PoolImage& p) {
    const Index steps = ((p.along.out + R::lanes - 2) / (R::lanes - 1)) * p.across.out;
    const auto each = [&](Index elements) { return elements / cacheLine<T> / steps + 1; };
    return {p.along.in, p.across.in, p.along.out, p.across.out, each(p.along.in * p.across.in), each(p.along.out * p.across.out)};
  }
};

// The largest elements of columns under a strip of windows from number `at` on. A place is special where comparisons are not
// enough.
template <class R, bool first, class T>
struct StripColumns {
  using Vector = typename R::Vector;
  const T* x;
  Index rows;
  Vector smallest;
  typename R::Codes& special;

  StripColumns(const T* image, const Halved<T>& h, Index at, typename R::Codes& specialPlaces)
      : x(image + 2 * at), rows(h.rows), smallest(Vector{} - std::numeric_limits<T>::infinity()), special(specialPlaces) {}
  [[gnu::always_inline]] LargestOfThree<R> operator()(Index c) const {
    constexpr auto lanes = std::make_integer_sequence<int, static_cast<int>(R::lanes)>();
    const T* from = x + c * rows;
    const Vector low = R::load(from), high = R::load(from + R::lanes);
    special |= ~(low > smallest) | ~(high > smallest);
    const Vector here = everySecond<R, 0>(low, high, lanes), below = everySecond<R, 1>(low, high, lanes);
    const Vector before = first ? smallest : from[-1] - Vector{};
    return LargestOfThree<R>(R::template shifted<1>(before, below), here, below);
  }
  [[gnu::always_inline]] LargestOfThree<R> ahead() const { return LargestOfThree<R>(smallest, smallest, smallest); }
};

// The last row of a strip gets what the next window gives it from the strip behind, which begins with this strip's last window.
// As in windows around every element, which of three rows an element is in does not depend on the column of the window.
template <class R, bool first, class T>
[[gnu::always_inline]] inline void gradientStrip(const T* x, const T* g, const Halved<T>& h, Index at, Index step,
                                                 typename R::Codes& special, T* dx) {
  using Vector = typename R::Vector;
  using Codes = typename R::Codes;
  const StripColumns<R, first, T> largest(x, h, at, special);
  const auto finish = [&](Index c, Vector sum, Codes place) __attribute__((always_inline)) {
    const auto of = [&](int which) __attribute__((always_inline)) { return place == Codes{} + which ? sum : Vector{}; };
    T* to = dx + c * h.rows + 2 * at;
    const Vector both[] = {of(1), of(2) + R::template lowered<1>(of(0), Vector{})};
    R::template interleave<2>(
        both, [&](Vector v, Index row) __attribute__((always_inline)) { R::store(to + row, v); });
  };
  LargestOfThree<R> before = largest.ahead();
  Vector sumBefore{};
  const T *nextX = x + h.rows * h.columns, *nextG = g + h.windows * h.windowColumns;
  for (Index c = 0; c < h.windowColumns; ++c, ++step) {
    expectRead(nextX + step * h.ahead * cacheLine<T>, h.ahead);
    expectRead(nextG + step * h.aheadResults * cacheLine<T>, h.aheadResults);
    expectWrite(dx + h.rows * h.columns + step * h.ahead * cacheLine<T>, h.ahead);
    const LargestOfThree<R> here = largest(2 * c), behind = largest(2 * c + 1);
    const Codes later = here.value > before.value, last = behind.value > (later ? here.value : before.value);
    const Vector all = R::load(g + c * h.windows + at), notLast = last ? Vector{} : all;
    if (c > 0) finish(2 * c - 1, sumBefore + (later ? Vector{} : notLast), before.place);
    finish(2 * c, later ? notLast : Vector{}, here.place);
    sumBefore = last ? all : Vector{};
    before = behind;
  }
  finish(2 * h.windowColumns - 1, sumBefore, before.place);
}

template <class T, Index lanes>
struct DoublesOf {
  static constexpr int parts = sizeof(double) / sizeof(T), each = static_cast<int>(lanes) / parts;
  typedef double Vector __attribute__((vector_size(each * sizeof(double))));
  typedef PoolCode<T> Codes __attribute__((vector_size(each * sizeof(T))));
};

// Positions are doubles, which need two registers for one of float.
template <class R, bool first, class T>
[[gnu::always_inline]] inline void positionsStrip(const T* x, double begin, const Halved<T>& h, Index at, Index step,
                                                  typename R::Codes& special, double* positions, T* y) {
  using Codes = typename R::Codes;
  using Doubles = typename DoublesOf<T, R::lanes>::Vector;
  constexpr int parts = DoublesOf<T, R::lanes>::parts, each = DoublesOf<T, R::lanes>::each;
  const StripColumns<R, first, T> largest(x, h, at, special);
  const Codes column = Codes{} + static_cast<PoolCode<T>>(h.rows);
  Doubles steps;
  for (int i = 0; i < each; ++i) steps[i] = 2 * i - 1;
  LargestOfThree<R> before = largest.ahead();
  begin += static_cast<double>(2 * at);
  for (Index c = 0; c < h.windowColumns; ++c, ++step, begin += static_cast<double>(2 * h.rows)) {
    expectRead(x + h.rows * h.columns + step * h.ahead * cacheLine<T>, h.ahead);
    const LargestOfThree<R> here = largest(2 * c), behind = largest(2 * c + 1);
    const Codes later = here.value > before.value;
    const typename R::Vector larger = later ? here.value : before.value;
    const Codes last = behind.value > larger;
    if (y) R::store(y + c * h.windows + at, last ? behind.value : larger);
    const Codes place = last ? behind.place + column : later ? here.place : before.place - column;
    typename DoublesOf<T, R::lanes>::Codes part[parts];
    std::memcpy(part, &place, sizeof place);
    for (int q = 0; q < parts; ++q) {
      const Doubles found = __builtin_convertvector(part[q], Doubles) + (steps + (begin + 2 * q * each));
      std::memcpy(positions + c * h.windows + at + q * each, &found, sizeof found);
    }
    before = behind;
  }
}

// Calls strip.operator()<first>(first window, step) for strips that overlap by a window.
template <class R, class T, class F>
[[gnu::always_inline]] inline void forStrips(const Halved<T>& h, F&& strip) {
  strip.template operator()<true>(0, 0);
  Index step = h.windowColumns;
  for (Index done = R::lanes; done < h.windows; done += R::lanes - 1, step += h.windowColumns)
    strip.template operator()<false>(done - 1 + R::lanes <= h.windows ? done - 1 : h.windows - R::lanes, step);
}

template <class T>
bool knows(const PoolImage& p) {
  const auto half = [](const PoolAxis& a) { return a.window == 3 && a.stride == 2 && a.before == 1 && a.in == 2 * a.out; };
  return widest / sizeof(T) >= fewestLanes && half(p.along) && half(p.across) && p.along.out >= fewestLanes &&
         p.along.in < Index{1} << 30;
}

template <class T>
bool maxGradient(const T* x, const T* g, const PoolImage& p, T* dx) {
  return withWidest<T>(p.along.out, [&]<class R>() {
    const auto h = Halved<T>::template of<R>(p);
    typename R::Codes special{};
    forStrips<R>(h, [&]<bool first>(Index at, Index step) { gradientStrip<R, first>(x, g, h, at, step, special, dx); });
    return !any<R>(special);
  });
}

template <class T>
bool maxPositions(const T* x, const PoolImage& p, Index begin, double* positions, T* y) {
  return withWidest<T>(p.along.out, [&]<class R>() {
    const auto h = Halved<T>::template of<R>(p);
    typename R::Codes special{};
    forStrips<R>(h, [&]<bool first>(Index at, Index step) {
      positionsStrip<R, first>(x, static_cast<double>(begin), h, at, step, special, positions, y);
    });
    return !any<R>(special);
  });
}

}  // namespace

template <class T>
PoolHalvedKernels<T> poolHalvedKernels() {
  return {knows<T>, maxGradient<T>, maxPositions<T>};
}
template PoolHalvedKernels<float> poolHalvedKernels();
template PoolHalvedKernels<double> poolHalvedKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
