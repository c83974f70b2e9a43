// Elements put back to where windows of two by two found them; compiled once for every level of the processor.
#include "cpu/simd/unpooling.hpp"

#include "cpu/simd/pooling_pairs.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

bool within(const double* at, Index n, double begin, double end) {
  constexpr double whole = 4503599627370496;  // from here on there are whole numbers only
  std::int64_t wrong = 0;
  for (Index i = 0; i < n; ++i) {
    const double p = at[i];
    wrong |= !((p >= begin) & (p < end) & ((p + whole) - whole == p));
  }
  return wrong == 0;
}

// As many windows of a row as a register has positions.
template <class T>
struct Windows {
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  using Positions = typename Types<double>::Vector;
  using Bits = decltype(Positions{} == Positions{});
  static constexpr int count = Types<double>::width,
                       parts = 2 * count / P::width;  // registers that their elements of a column fill
  typedef T Each __attribute__((vector_size(count * sizeof(T))));
  typedef T EachAnywhere __attribute__((vector_size(count * sizeof(T)), aligned(sizeof(T)), may_alias));

  static Each load(const T* x, Index n) {
    if (n >= count) return *reinterpret_cast<const EachAnywhere*>(x);
    const Vector v = P::load(x, n);
    Each each;
    std::memcpy(&each, &v, sizeof each);
    return each;
  }
  static void store(Vector v, Index n, T* y) {
    if (n >= count)
      std::memcpy(y, &v, sizeof(Each));
    else
      P::store(v, n, y);
  }
  /// Each number twice.
  static Vector spread(Each v, int part) {
    if constexpr (parts == 1)
      return P::halfTwice(v);
    else
      return part == 0 ? P::twice(v) : P::upperTwice(v);
  }
};

// What a window's elements are counted by: from its first one on they are 0 and 1, and in the next column as many more as a
// column has elements.
template <class T>
struct Places {
  using W = Windows<T>;
  typename W::Positions steps, column;
  typename W::Vector top, below;
  explicit Places(const PoolPairs& p) : column(typename W::Positions{} + static_cast<double>(p.in)) {
    for (int i = 0; i < W::count; ++i) steps[i] = 2 * i;
    for (int i = 0; i < W::P::width; ++i) {
      top[i] = static_cast<T>(i % 2);
      below[i] = static_cast<T>(i % 2 + p.in);
    }
  }
};

// Calls body(places of the elements in their windows, first element in the page, first result, windows) for windows that lie
// beside each other. `begin` is the position of the page's first element. Leaves a bit in `wrong` where a position is in no place
// of its window.
template <class T, class Body>
[[gnu::always_inline]] inline void forWindows(const double* at, const PoolPairs& p, const Places<T>& places, double begin,
                                              typename Windows<T>::Bits& wrong, Body&& body) {
  using W = Windows<T>;
  using Positions = typename W::Positions;
  const auto some = [&](Positions from, Index element, Index result, Index n) __attribute__((always_inline)) {
    Positions offset = Pairs<double>::load(at + result, n) - from;
    if (n < W::count) offset = places.steps < static_cast<double>(2 * n) ? offset : Positions{};
    // 0 and 1 are the numbers that are their own squares.
    const Positions inColumn = offset >= places.column ? offset - places.column : offset;
    wrong |= reinterpret_cast<typename W::Bits>(inColumn * inColumn - inColumn);
    body(__builtin_convertvector(offset, typename W::Each), element, result, n);
  };
  for (Index c = 0; c < p.columnsOut; ++c, begin += static_cast<double>(2 * p.in)) {
    Positions from = places.steps + begin;
    Index i = 0;
    for (; i + W::count <= p.out; i += W::count, from += 2.0 * W::count) some(from, 2 * (c * p.in + i), c * p.out + i, W::count);
    if (i < p.out) some(from, 2 * (c * p.in + i), c * p.out + i, p.out - i);
  }
}

template <class Bits>
bool anyBit(Bits bits, int lanes) {
  std::int64_t any = 0;
  for (int i = 0; i < lanes; ++i) any |= bits[i];
  return any != 0;
}

template <class T>
bool unpoolPairs(const T* x, const double* at, const PoolPairs& pairs, Index begin, Index pages, T* y) {
  using W = Windows<T>;
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  const PoolPairs p = pairs;                 // apart from what is written
  if (p.in >= Index{1} << 23) return false;  // to what a T can count
  const Index elements = p.in * p.columnsIn, results = p.out * p.columnsOut;
  const Places<T> places(p);
  typename W::Bits wrong{};
  for (Index page = 0; page < pages; ++page, begin += elements, x += results, at += results, y += elements) {
    forWindows<T>(
        at, p, places, static_cast<double>(begin),
        wrong, [&](typename W::Each place, Index element, Index result, Index n) __attribute__((always_inline)) {
          const typename W::Each v = W::load(x + result, n);
#pragma GCC unroll 2
          for (int q = 0; q < W::parts; ++q) {
            const Index left = 2 * n - q * P::width;
            if (left <= 0) break;
            const Vector each = W::spread(v, q), where = W::spread(place, q);
            T* first = y + element + q * P::width;
            P::store(where == places.top ? each : Vector{}, left, first);
            P::store(where == places.below ? each : Vector{}, left, first + p.in);
          }
        });
    clearRest(p, y);
  }
  return !anyBit(wrong, W::count);
}

template <class T>
bool unpoolPairsAdjoint(const T* g, const double* at, const PoolPairs& pairs, Index begin, Index pages, T* dx) {
  using W = Windows<T>;
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  using Mask = decltype(Vector{} == Vector{});
  const PoolPairs p = pairs;                 // apart from what is written
  if (p.in >= Index{1} << 23) return false;  // to what a T can count
  const Index elements = p.in * p.columnsIn, results = p.out * p.columnsOut;
  const Places<T> places(p);
  typename W::Bits wrong{};
  for (Index page = 0; page < pages; ++page, begin += elements, dx += results, at += results, g += elements)
    forWindows<T>(
        at, p, places, static_cast<double>(begin),
        wrong, [&](typename W::Each place, Index element, Index result, Index n) __attribute__((always_inline)) {
          Vector found[2] = {};
#pragma GCC unroll 2
          for (int q = 0; q < W::parts; ++q) {
            const Index left = 2 * n - q * P::width;
            if (left <= 0) break;
            const Vector where = W::spread(place, q);
            const T* first = g + element + q * P::width;
            const Vector top = P::load(first, left), below = P::load(first + p.in, left);
            const Vector v = where == places.top ? top : where == places.below ? below : Vector{};
            // Bits are joined, because a sum with zero would change a sign.
            found[q] =
                P::everySecond(reinterpret_cast<Vector>(reinterpret_cast<Mask>(v) | reinterpret_cast<Mask>(P::swapped(v))));
          }
          W::store(W::parts == 2 ? P::joined(found[0], found[1]) : found[0], n, dx + result);
        });
  return !anyBit(wrong, W::count);
}

}  // namespace

template <class T>
UnpoolKernels<T> unpoolKernels() {
  return {within, unpoolPairs<T>, unpoolPairsAdjoint<T>};
}
template UnpoolKernels<float> unpoolKernels();
template UnpoolKernels<double> unpoolKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
