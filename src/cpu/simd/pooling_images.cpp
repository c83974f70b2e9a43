// The way back from windows over images; compiled once for every level of the processor. A row of windows leaves the places of
// its largest elements in a ring of rows that stays in the nearest cache, and a column of the array is made of the few rows over
// it.
#include <limits>

#include "cpu/simd/pooling_register.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

inline Index larger(Index a, Index b) { return a > b ? a : b; }
inline Index atMost(Index a, Index b) { return a < b ? a : b; }

// How many windows further on the last element of a window lies.
inline Index carried(const PoolAxis& axis) { return (axis.window - 1) / axis.stride; }

// The rows of windows whose places must be at hand for one column.
inline Index ringOf(const PoolImage& p) { return atMost((p.across.window - 1) / p.across.stride + 1, p.across.out); }

// The memory beside: a column with what lies ahead of it and behind it, the largest elements of columns joined and where they
// came from, and the ring with its gradients. Everything begins with a line of the cache.
template <class T>
struct Room {
  Index step, length;
  T *column, *best, *gradients;
  PoolCode<T>*bestCodes, *codes;

  static Index lines(Index n) { return (n + 15) / 16 * 16; }
  Room(const PoolImage& p, T* memory) {
    const PoolAxis& a = p.along;
    step = lines(a.out + carried(a));
    length = lines(larger(step * a.stride + a.window, a.before + a.in) + 16);
    column = memory;
    best = column + length;
    gradients = best + length;
    bestCodes = reinterpret_cast<PoolCode<T>*>(gradients + ringOf(p) * step);
    codes = bestCodes + length;
  }
  static Index elements(const PoolImage& p) {
    const Room room(p, nullptr);
    return 3 * room.length + 2 * ringOf(p) * room.step;
  }
};

template <class R, class T>
inline void copy(const T* from, Index n, T* to) {
  if (n < R::lanes) {
    for (Index i = 0; i < n; ++i) to[i] = from[i];
    return;
  }
  for (Index i = 0; i < n; i += R::lanes) {
    const Index at = i + R::lanes <= n ? i : n - R::lanes;
    R::store(to + at, R::load(from + at));
  }
}

// The larger of what was found and what comes; a NaN counts as the largest. Of equal ones the first counts, which is the one with
// the smaller code.
template <bool withNaN, class Vector, class Codes>
[[gnu::always_inline]] inline void take(Vector v, Codes code, Vector& best, Codes& bestCode) {
  Codes better = (v > best) | ((v == best) & (code < bestCode));
  if constexpr (withNaN) better |= (v != v) & ((best == best) | (code < bestCode));
  best = better ? v : best;
  bestCode = better ? code : bestCode;
}

// The larger of what was found in the columns so far and what comes behind it.
template <bool withNaN, class Vector, class Codes>
[[gnu::always_inline]] inline void takeLater(Vector v, Codes code, Vector& best, Codes& bestCode) {
  Codes better = v > best;
  if constexpr (withNaN) better |= (v != v) & (best == best);
  best = better ? v : best;
  bestCode = better ? code : bestCode;
}

// Where the largest element of each window of a row lies: column * window + offset. Columns are joined first, and what is left is
// a window along a column, which may stick out: there lie elements that are smaller than any, or come last.
template <class R, int stride, int window, bool withNaN, class T>
void placesOfRow(const T* x, const PoolImage& p, Index row, const Room<T>& room, PoolCode<T>* codes) {
  using Vector = typename R::Vector;
  using Codes = typename R::Codes;
  const PoolAxis &along = p.along, &across = p.across;
  const Index start = row * across.stride - across.before, first = larger(-start, 0),
              last = atMost(across.window, across.in - start);
  const T* const columns = x + (start + first) * p.columnStep;
  T* const best = room.best + along.before;
  PoolCode<T>* const bestCodes = window == 1 ? codes : room.bestCodes + along.before;
  for (Index i = 0; i < along.in; i += R::lanes) {
    const Index at = i + R::lanes <= along.in ? i : along.in - R::lanes;
    Vector v = R::load(columns + at);
    Codes code = Codes{} + static_cast<PoolCode<T>>(first * window);
    for (Index c = first + 1; c < last; ++c) {
      const Vector next = R::load(columns + (c - first) * p.columnStep + at);
      takeLater<withNaN>(next, Codes{} + static_cast<PoolCode<T>>(c * window), v, code);
    }
    if constexpr (window > 1) R::store(best + at, v);
    R::store(bestCodes + at, code);
  }
  if constexpr (window > 1) {
    for (Index i = 0; i < along.out; i += R::lanes) {
      Vector v = R::template loadEach<stride>(room.best + i * stride);
      Codes code = R::template loadEachCode<stride>(room.bestCodes + i * stride);
      for (int a = 1; a < window; ++a)
        take<withNaN>(R::template loadEach<stride>(room.best + i * stride + a),
                      R::template loadEachCode<stride>(room.bestCodes + i * stride + a) + a, v, code);
      R::store(codes + i, code);
    }
    for (Index i = along.out; i < room.step; ++i) codes[i] = -1;
  }
}

// One column of the array from the rows of windows over it: those `from` to `to`. Registers hold the gradient of each place in
// the window; where there are no codes, every place takes all gradients.
template <class R, int stride, int window, bool coded, class T>
void gatherColumn(const PoolImage& p, Index column, Index from, Index to, const Room<T>& room, T* dx) {
  using Vector = typename R::Vector;
  constexpr int carry = (window - 1) / stride;
  const Index ring = ringOf(p), n = p.along.out + carry, reach = column + p.across.before;
  Vector before[window] = {};
  for (Index i = 0; i < n; i += R::lanes) {
    const Index at = window > 1 || i + R::lanes <= n ? i : n - R::lanes;
    Vector places[window] = {};
    for (Index row = from; row <= to; ++row) {
      const Vector all = R::load(room.gradients + row % ring * room.step + at);
      if constexpr (coded) {
        const typename R::Codes codes = R::loadCodes(room.codes + row % ring * room.step + at);
        const auto first = static_cast<PoolCode<T>>((reach - row * p.across.stride) * window);
        for (int a = 0; a < window; ++a)
          places[a] += codes == typename R::Codes{} + static_cast<PoolCode<T>>(first + a) ? all : Vector{};
      } else {
        places[0] += all;
      }
    }
    if constexpr (!coded)
      for (int a = 1; a < window; ++a) places[a] = places[0];
    const JoinedPlaces<R, stride, window> joined(places, before);
    if constexpr (window == 1)
      R::store(dx + at, joined.sums[0]);
    else
      R::template interleave<stride>(joined.sums, [&](Vector v, Index place) { R::store(room.column + i * stride + place, v); });
  }
  if constexpr (window > 1) copy<R>(room.column + p.along.before, p.along.in, dx);
}

// Calls known(row) for every row of windows, in time, and gather(column, first row over it, last) for every column.
template <class Known, class Gather>
[[gnu::always_inline]] inline void forColumns(const PoolAxis& across, Known&& known, Gather&& gather) {
  Index next = 0;
  for (Index column = 0; column < across.in; ++column) {
    const Index reach = column + across.before;
    const Index from = reach < across.window ? 0 : (reach - across.window) / across.stride + 1,
                to = atMost(reach / across.stride, across.out - 1);
    for (; next <= to; ++next) known(next);
    gather(column, from, to);
  }
}

// Windows that move across columns alone and do not overlap: each makes its own columns.
template <class R, bool withNaN, class T>
void maxGradientApart(const T* x, const T* g, const PoolImage& p, T* dx) {
  using Codes = typename R::Codes;
  const Index n = p.along.in;
  const auto code = [](Index c) { return Codes{} + static_cast<PoolCode<T>>(c); };
  const auto clear = [&](Index from, Index to) {
    for (; from < to; ++from)
      for (Index i = 0; i < n; ++i) dx[from * p.columnStep + i] = 0;
  };
  Index done = 0;
  for (Index row = 0; row < p.across.out; ++row) {
    const Index start = row * p.across.stride - p.across.before, first = larger(start, 0),
                count = atMost(start + p.across.window, p.across.in) - first;
    clear(done, first);
    done = first + count;
    const T *columns = x + first * p.columnStep, *gradients = g + row * p.resultStep;
    T* const to = dx + first * p.columnStep;
    for (Index i = 0; i < n; i += R::lanes) {
      const Index at = i + R::lanes <= n ? i : n - R::lanes;
      typename R::Vector v = R::load(columns + at);
      Codes best{};
      for (Index c = 1; c < count; ++c) takeLater<withNaN>(R::load(columns + c * p.columnStep + at), code(c), v, best);
      const typename R::Vector all = R::load(gradients + at);
      for (Index c = 0; c < count; ++c) R::store(to + c * p.columnStep + at, best == code(c) ? all : typename R::Vector{});
    }
  }
  clear(done, p.across.in);
}

template <class R, int stride, int window, bool withNaN, class T>
void maxGradientWith(const T* x, const T* g, const PoolImage& p, T* scratch, T* dx) {
  if (window == 1 && (p.across.stride >= p.across.window || p.across.out == 1)) return maxGradientApart<R, withNaN>(x, g, p, dx);
  const Room<T> room(p, scratch);
  const Index ring = ringOf(p);
  forColumns(
      p.across,
      [&](Index row) {
        placesOfRow<R, stride, window, withNaN>(x, p, row, room, room.codes + row % ring * room.step);
        copy<R>(g + row * p.resultStep, p.along.out, room.gradients + row % ring * room.step);
      },
      [&](Index column, Index from, Index to) {
        gatherColumn<R, stride, window, true>(p, column, from, to, room, dx + column * p.columnStep);
      });
}

template <class R, int stride, int window, class T>
void meanAdjointWith(const T* g, const T* shareAlong, const T* shareAcross, const PoolImage& p, T* scratch, T* dx) {
  const Room<T> room(p, scratch);
  const Index ring = ringOf(p);
  forColumns(
      p.across,
      [&](Index row) {
        T* to = room.gradients + row % ring * room.step;
        const T* from = g + row * p.resultStep;
        for (Index i = 0; i < p.along.out; ++i) to[i] = from[i] * (shareAcross[row] * shareAlong[i]);
      },
      [&](Index column, Index from, Index to) {
        gatherColumn<R, stride, window, false>(p, column, from, to, room, dx + column * p.columnStep);
      });
}

// Calls body with the type of the registers, the stride and the window along columns, as constants.
template <class T, int bytes, class F>
void withRegister(const PoolAxis& along, F&& body) {
  using R = Register<T, bytes>;
  const auto with = [&]<int stride, int window>() { body.template operator()<R, stride, window>(); };
  if (along.window == 1)
    with.template operator()<1, 1>();
  else if (along.window == 2)
    along.stride == 1 ? with.template operator()<1, 2>() : with.template operator()<2, 2>();
  else
    along.stride == 1 ? with.template operator()<1, 3>() : with.template operator()<2, 3>();
}
template <class T, class F>
void withWidest(const PoolAxis& along, F&& body) {
  const Index bytes = atMost(along.in, along.out + 3) * static_cast<Index>(sizeof(T));
  if (bytes >= 64 && widest >= 64)
    withRegister<T, widest>(along, body);
  else if (bytes >= 32 && widest >= 32)
    withRegister<T, (widest < 32 ? widest : 32)>(along, body);
  else
    withRegister<T, 16>(along, body);
}

template <class T>
Index scratch(const PoolImage& p) {
  const PoolAxis& a = p.along;
  const bool known =
      a.window <= 3 && a.stride <= 2 && (a.window > 1 || a.stride == 1) && a.in * static_cast<Index>(sizeof(T)) >= 16;
  return known ? Room<T>::elements(p) : 0;
}

template <class T>
void prepare(const PoolImage& p, T* memory) {
  const Room<T> room(p, memory);
  constexpr PoolCode<T> comesLast = PoolCode<T>{1} << 30;
  for (Index i = 0; i < room.length; ++i) {
    room.column[i] = 0;
    room.best[i] = -std::numeric_limits<T>::infinity();
    room.bestCodes[i] = comesLast;
  }
  for (Index i = 0; i < ringOf(p) * room.step; ++i) {
    room.gradients[i] = 0;
    room.codes[i] = -1;
  }
}

template <class T>
void maxGradient(const T* x, const T* g, const PoolImage& p, bool withNaN, T* scratch, T* dx) {
  withWidest<T>(p.along, [&]<class R, int stride, int window>() {
    withNaN ? maxGradientWith<R, stride, window, true>(x, g, p, scratch, dx)
            : maxGradientWith<R, stride, window, false>(x, g, p, scratch, dx);
  });
}

template <class T>
void meanAdjoint(const T* g, const T* shareAlong, const T* shareAcross, const PoolImage& p, T* scratch, T* dx) {
  withWidest<T>(p.along, [&]<class R, int stride, int window>() {
    meanAdjointWith<R, stride, window>(g, shareAlong, shareAcross, p, scratch, dx);
  });
}

}  // namespace

template <class T>
PoolImageKernels<T> poolImageKernels() {
  return {scratch<T>, prepare<T>, maxGradient<T>, meanAdjoint<T>};
}
template PoolImageKernels<float> poolImageKernels();
template PoolImageKernels<double> poolImageKernels();

}  // namespace dl::cpu::DLARRAY_ARCH
