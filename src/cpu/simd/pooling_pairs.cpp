// The largest elements and means of windows of two by two that touch each other; compiled once for every level of the processor.
// A register keeps elements where they lie, those of a window along a column beside each other: they meet by changing places with
// their neighbours.
#include "cpu/simd/pooling.hpp"

#include "cpu/simd/pooling_pairs.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// Two columns that fill the halves of a register. Multiplied by zero, elements leave a trace in a sum where they are infinite or
// no numbers.
template <class T>
bool maxHalves(const T* x, Index pairs, T* y) {
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  Vector trace{};
  for (Index c = 0; c < pairs; ++c, x += P::width, y += P::width / 4) {
    const Vector v = P::load(x, P::width), other = P::swapped(v);
    trace += v * T(0);
    const Vector larger = other > v ? other : v, below = P::halvesSwapped(larger);
    P::template storeFirst<P::width / 4>(P::everySecond(below > larger ? below : larger), y);
  }
  return !P::holdsNaN(trace);
}

template <class T>
bool maxHalvesGradient(const T* x, const T* g, Index pairs, T* dx) {
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  Vector trace{};
  for (Index c = 0; c < pairs; ++c, x += P::width, g += P::width / 4, dx += P::width) {
    const Vector v = P::load(x, P::width), other = P::swapped(v), all = P::twiceInHalves(P::load(g, P::width / 4)), zero{};
    trace += v * T(0);
    const Vector larger = other > v ? other : v, below = P::halvesSwapped(larger);
    const Vector share = P::mixed(v >= other ? all : zero, v > other ? all : zero);
    P::store(P::joined(larger >= below ? share : zero, larger > below ? share : zero), P::width, dx);
  }
  return !P::holdsNaN(trace);
}

template <class T>
void meanHalves(const T* x, Index pairs, T* y) {
  using P = Pairs<T>;
  for (Index c = 0; c < pairs; ++c, x += P::width, y += P::width / 4) {
    const typename P::Vector v = P::load(x, P::width), sum = v + P::halvesSwapped(v);
    P::template storeFirst<P::width / 4>(P::everySecond((sum + P::swapped(sum)) * T(0.25)), y);
  }
}

template <class T>
void meanHalvesAdjoint(const T* g, Index pairs, T* dx) {
  using P = Pairs<T>;
  for (Index c = 0; c < pairs; ++c, g += P::width / 4, dx += P::width)
    P::store(P::twiceInHalves(P::load(g, P::width / 4)) * T(0.25), P::width, dx);
}

// Pages without a column or an element that belongs to no window, whose columns fill half a register.
template <class T>
bool inHalves(const PoolPairs& p) {
  return 2 * p.in == Types<T>::width && 2 * p.out == p.in && 2 * p.columnsOut == p.columnsIn;
}

template <class T>
bool maxPairs(const T* x, const PoolPairs& p, Index pages, T* y) {
  if (inHalves<T>(p)) return maxHalves(x, pages * p.columnsOut, y);
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  Vector traceA{}, traceB{};
  const Index n = 2 * p.out;
  for (Index page = 0; page < pages; ++page, x += p.in * p.columnsIn) {
    const T* column = x;
    for (Index c = 0; c < p.columnsOut; ++c, column += 2 * p.in, y += p.out)
      for (Index i = 0; i < n; i += P::width) {
        const Vector a = P::load(column + i, n - i), b = P::load(column + p.in + i, n - i);
        traceA += a * T(0);
        traceB += b * T(0);
        const Vector larger = b > a ? b : a, other = P::swapped(larger);
        P::template storeFirst<P::width / 2>(P::everySecond(other > larger ? other : larger), y + i / 2, (n - i) / 2);
      }
  }
  return !P::holdsNaN(traceA + traceB);
}

template <class T>
bool maxPairsGradient(const T* x, const T* g, const PoolPairs& p, Index pages, T* dx) {
  if (inHalves<T>(p)) return maxHalvesGradient(x, g, pages * p.columnsOut, dx);
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  Vector traceA{}, traceB{};
  const Vector zero{};
  const Index n = 2 * p.out;
  // What belongs to the larger of a pair; of equal ones to the first.
  const auto share = [](Vector v, Vector other, Vector all) {
    return P::mixed(v >= other ? all : Vector{}, v > other ? all : Vector{});
  };
  for (Index page = 0; page < pages; ++page, x += p.in * p.columnsIn, dx += p.in * p.columnsIn) {
    for (Index c = 0; c < p.columnsOut; ++c, g += p.out) {
      const T *first = x + 2 * c * p.in, *second = first + p.in;
      T *toFirst = dx + 2 * c * p.in, *toSecond = toFirst + p.in;
      for (Index i = 0; i < n; i += P::width) {
        const Vector a = P::load(first + i, n - i), b = P::load(second + i, n - i);
        const Vector all = P::twice(P::load(g + i / 2, smaller(n - i, P::width) / 2));
        traceA += a * T(0);
        traceB += b * T(0);
        const Vector otherA = P::swapped(a), otherB = P::swapped(b);
        const Vector bestA = otherA > a ? otherA : a, bestB = otherB > b ? otherB : b;
        const Vector shareA = share(a, otherA, all), shareB = share(b, otherB, all);
        P::store(bestB > bestA ? zero : shareA, n - i, toFirst + i);
        P::store(bestB > bestA ? shareB : zero, n - i, toSecond + i);
      }
    }
    clearRest(p, dx);
  }
  return !P::holdsNaN(traceA + traceB);
}

// Places in a window are counted from its first element: 0 or 1, and one column on, which a T can count to.
template <class T>
bool maxPairsPositions(const T* x, const PoolPairs& pairs, Index begin, Index pages, double* positions, T* y) {
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  constexpr Index windows = P::width / 2;
  const PoolPairs p = pairs;  // apart from what is written
  if (p.in >= Index{1} << 23) return false;
  const double* const start = positions;
  Vector first, traceA{}, traceB{};
  typename P::Doubles steps;
  for (int i = 0; i < P::width; ++i) first[i] = static_cast<T>(i % 2);
  for (int i = 0; i < windows; ++i) steps[i] = 2 * i;
  const Vector second = first + static_cast<T>(p.in);
  for (Index page = 0; page < pages; ++page, x += p.in * p.columnsIn, begin += p.in * p.columnsIn) {
    const T* column = x;
    typename P::Doubles ofColumn = steps + static_cast<double>(begin);
    for (Index c = 0; c < p.columnsOut; ++c, column += 2 * p.in, ofColumn += static_cast<double>(2 * p.in), positions += p.out)
      for (Index i = 0; i < p.out; i += windows) {
        const Index n = smaller(p.out - i, windows);
        const Vector a = P::load(column + 2 * i, 2 * n), b = P::load(column + p.in + 2 * i, 2 * n);
        traceA += a * T(0);
        traceB += b * T(0);
        const Vector larger = b > a ? b : a, place = b > a ? second : first;
        const Vector other = P::swapped(larger), otherPlace = P::swapped(place);
        const auto better = (other > larger) | ((other == larger) & (otherPlace < place));
        if (y) P::template storeFirst<windows>(P::everySecond(other > larger ? other : larger), y + (positions - start) + i, n);
        const typename P::Doubles found =
            P::doublesOfEverySecond(better ? otherPlace : place) + (ofColumn + static_cast<double>(2 * i));
        if (n == windows)
          std::memcpy(positions + i, &found, sizeof found);
        else
          for (Index k = 0; k < n; ++k) positions[i + k] = found[k];
      }
  }
  return !P::holdsNaN(traceA + traceB);
}

template <class T>
void meanPairs(const T* x, const PoolPairs& p, Index pages, T* y) {
  if (inHalves<T>(p)) return meanHalves(x, pages * p.columnsOut, y);
  using P = Pairs<T>;
  const Index n = 2 * p.out;
  for (Index page = 0; page < pages; ++page, x += p.in * p.columnsIn) {
    const T* column = x;
    for (Index c = 0; c < p.columnsOut; ++c, column += 2 * p.in, y += p.out)
      for (Index i = 0; i < n; i += P::width) {
        const typename P::Vector sum = P::load(column + i, n - i) + P::load(column + p.in + i, n - i);
        P::template storeFirst<P::width / 2>(P::everySecond((sum + P::swapped(sum)) * T(0.25)), y + i / 2, (n - i) / 2);
      }
  }
}

template <class T>
void meanPairsAdjoint(const T* g, const PoolPairs& p, Index pages, T* dx) {
  if (inHalves<T>(p)) return meanHalvesAdjoint(g, pages * p.columnsOut, dx);
  using P = Pairs<T>;
  const Index n = 2 * p.out;
  for (Index page = 0; page < pages; ++page, dx += p.in * p.columnsIn) {
    for (Index c = 0; c < p.columnsOut; ++c, g += p.out) {
      T *first = dx + 2 * c * p.in, *second = first + p.in;
      for (Index i = 0; i < n; i += P::width) {
        const typename P::Vector share = P::twice(P::load(g + i / 2, smaller(n - i, P::width) / 2)) * T(0.25);
        P::store(share, n - i, first + i);
        P::store(share, n - i, second + i);
      }
    }
    clearRest(p, dx);
  }
}

}  // namespace

template <class T>
PoolPairKernels<T> poolPairKernels() {
  return {maxPairs<T>, maxPairsGradient<T>, maxPairsPositions<T>, meanPairs<T>, meanPairsAdjoint<T>};
}
template PoolPairKernels<float> poolPairKernels();
template PoolPairKernels<double> poolPairKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
