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

// In which lanes of two columns the elements of a row of windows lie, of as many windows as a register has positions.
template <class T>
class Places {
 public:
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  using Mask = decltype(Vector{} == Vector{});
  static constexpr int windows = Types<double>::width, parts = 2 * windows / P::width;  // registers in a column
  Mask first[parts], second[parts];

  explicit Places(const PoolPairs& p) {
    for (int i = 0; i < windows; ++i) steps_[i] = 2 * i;
    for (int i = 0; i < P::width; ++i) {
      top_[i] = static_cast<T>(i % 2);
      below_[i] = static_cast<T>(i % 2 + p.in);
    }
  }
  /// `begin` is the position of the first element.
  [[gnu::always_inline]] void find(const double* at, double begin, Index count) {
    const Positions offset = Pairs<double>::load(at, count) - (steps_ + begin);
    Vector twice[parts];
    if constexpr (parts == 2) {
      twice[0] = P::twice(offset);
      twice[1] = P::upperTwice(offset);
    } else {
      const auto rounded = __builtin_convertvector(offset, Half);
      inexact_ |= __builtin_convertvector(rounded, Positions) != offset;
      twice[0] = P::halfTwice(rounded);
    }
    for (int q = 0; q < parts; ++q) {
      first[q] = twice[q] == top_;
      second[q] = twice[q] == below_;
      found_ -= first[q] | second[q];
    }
  }
  /// True when so many windows had their position inside, all since the beginning.
  bool found(Index all) const {
    Index count = 0;
    bool exact = true;
    for (int i = 0; i < P::width; ++i) count += found_[i];
    for (int i = 0; i < windows; ++i) exact &= inexact_[i] == 0;
    return exact && count == all;
  }

 private:
  using Positions = typename Types<double>::Vector;
  typedef float Half __attribute__((vector_size(registerBytes / 2)));
  Positions steps_;
  Vector top_, below_;
  Mask found_{};
  decltype(Positions{} != Positions{}) inexact_{};
};

// Calls body(position of the window's first element, its place in the page, first result, windows) for windows that lie beside
// each other in a row of windows of a page.
template <class T, class Body>
[[gnu::always_inline]] inline void forWindows(const PoolPairs& p, Body&& body) {
  for (Index c = 0; c < p.columnsOut; ++c)
    for (Index i = 0; i < p.out; i += Places<T>::windows)
      body(2 * c * p.in + 2 * i, c * p.out + i, smaller(p.out - i, Places<T>::windows));
}

template <class T>
bool unpoolPairs(const T* x, const double* at, const PoolPairs& p, Index begin, Index pages, T* y) {
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  const Index elements = p.in * p.columnsIn, results = p.out * p.columnsOut;
  Places<T> places(p);
  for (Index page = 0; page < pages; ++page, x += results, at += results, y += elements) {
    forWindows<T>(p, [&](Index place, Index result, Index count) {
      places.find(at + result, static_cast<double>(begin + page * elements + place), count);
      const Vector v = P::load(x + result, count);
      T *first = y + place, *second = first + p.in;
      for (int q = 0; q < Places<T>::parts && q * P::width < 2 * count; ++q) {
        const Vector all = q == 0 ? P::twice(v) : P::upperTwice(v);
        const Index n = 2 * count - q * P::width;
        P::store(places.first[q] ? all : Vector{}, n, first + q * P::width);
        P::store(places.second[q] ? all : Vector{}, n, second + q * P::width);
      }
    });
    clearRest(p, y);
  }
  return places.found(pages * results);
}

template <class T>
bool unpoolPairsAdjoint(const T* g, const double* at, const PoolPairs& p, Index begin, Index pages, T* dx) {
  using P = Pairs<T>;
  using Vector = typename P::Vector;
  using Mask = typename Places<T>::Mask;
  const Index elements = p.in * p.columnsIn, results = p.out * p.columnsOut;
  Places<T> places(p);
  for (Index page = 0; page < pages; ++page, dx += results, at += results, g += elements)
    forWindows<T>(p, [&](Index place, Index result, Index count) {
      places.find(at + result, static_cast<double>(begin + page * elements + place), count);
      const T *first = g + place, *second = first + p.in;
      Vector found[2] = {};
      for (int q = 0; q < Places<T>::parts && q * P::width < 2 * count; ++q) {
        const Index n = 2 * count - q * P::width;
        const Vector a = P::load(first + q * P::width, n), b = P::load(second + q * P::width, n);
        // Bits are joined, because a sum with zero would change a sign.
        const Vector v = places.first[q] ? a : places.second[q] ? b : Vector{};
        found[q] = P::everySecond(reinterpret_cast<Vector>(reinterpret_cast<Mask>(v) | reinterpret_cast<Mask>(P::swapped(v))));
      }
      P::store(Places<T>::parts == 2 ? P::joined(found[0], found[1]) : found[0], count, dx + result);
    });
  return places.found(pages * results);
}

}  // namespace

template <class T>
UnpoolKernels<T> unpoolKernels() {
  return {within, unpoolPairs<T>, unpoolPairsAdjoint<T>};
}
template UnpoolKernels<float> unpoolKernels();
template UnpoolKernels<double> unpoolKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
