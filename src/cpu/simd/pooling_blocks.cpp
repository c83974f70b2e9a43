// The sums and the largest elements of short blocks that a single window holds; compiled once for every level of the processor.
#include "cpu/simd/pooling.hpp"

#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "cpu/simd/pooling_join.hpp"
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

// What is left of a block behind its whole registers. Sums take each element once, so that it comes among zeros; the largest
// element may be met twice.
template <class Join, class T>
inline Vector<T> rest(const T* x, Index from, Index n) {
  if constexpr (std::is_same_v<Join, Largest>) return loadAt(x + n - Types<T>::width);
  Vector<T> v;
  loadPart(x + from, n - from, v);
  return v;
}

// A block's elements joined lane by lane; it holds a register at least. Its sum beside: no number where an element is none.
template <class Join, class T>
inline Vector<T> joined(const T* x, Index n, Vector<T>& sum) {
  constexpr Index width = Types<T>::width;
  Vector<T> all = loadAt(x), total = all;
  Index i = width;
  for (; i + 2 * width <= n; i += 2 * width) {
    const Vector<T> a = loadAt(x + i), b = loadAt(x + i + width);
    all = Join::join(all, Join::join(a, b));
    total += a + b;
  }
  for (; i < n; i += width) {
    const Vector<T> a = i + width <= n ? loadAt(x + i) : rest<Join>(x, i, n);
    all = Join::join(all, a);
    total += a;
  }
  sum += total;
  return all;
}

template <class Join, class T, int distance, int... lane>
[[gnu::always_inline]] inline Vector<T> merged(Vector<T> a, Vector<T> b, std::integer_sequence<int, lane...>) {
  constexpr int width = Types<T>::width;
  return Join::join(__builtin_shufflevector(a, b, ((lane & distance) == 0 ? lane : width + (lane ^ distance))...),
                    __builtin_shufflevector(a, b, ((lane & distance) == 0 ? lane ^ distance : width + lane)...));
}

// Joins the lanes of some registers, as many as one has lanes: lane i is all of register row(first + i).
template <class Join, class T, int count = Types<T>::width, class F>
[[gnu::always_inline]] inline Vector<T> joinedRows(F&& row, Index first = 0) {
  if constexpr (count == 1) {
    return row(first);
  } else {
    constexpr int half = count / 2;
    const Vector<T> a = joinedRows<Join, T, half>(row, first), b = joinedRows<Join, T, half>(row, first + half);
    return merged<Join, T, half>(a, b, std::make_integer_sequence<int, Types<T>::width>());
  }
}

// The results of some blocks, as many as a register has lanes or fewer: then the last one is taken for those that are missing.
template <class Join, class T>
inline Vector<T> joinedBlocks(const T* x, Index n, Index blocks, Vector<T>& sum) {
  return joinedRows<Join, T>([&](Index i)
                                 __attribute__((always_inline)) { return joined<Join>(x + smaller(i, blocks - 1) * n, n, sum); });
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
inline bool holdsNaN(Vector<T> v) {
  bool any = false;
  for (int i = 0; i < Types<T>::width; ++i) any |= v[i] != v[i];
  return any;
}

template <class T>
void sumBlocks(const T* x, Index n, Index blocks, T factor, T* y) {
  forGroups<T>(blocks, [=](Index b, Index count) {
    Vector<T> beside{};
    storeSome<T>(joinedBlocks<Add>(x + b * n, n, count, beside) * factor, count, y + b);
  });
}

template <class T>
bool maxBlocks(const T* x, Index n, Index blocks, T* y) {
  Vector<T> sum{};
  forGroups<T>(blocks,
               [&](Index b, Index count) { storeSome<T>(joinedBlocks<Largest>(x + b * n, n, count, sum), count, y + b); });
  return !holdsNaN<T>(sum);
}

// In which lanes two registers are equal, a bit for each.
template <class T>
inline std::uint64_t equalLanes(Vector<T> a, Vector<T> b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
  else
    return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4)
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)));
  else
    return static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_EQ_OQ)));
#elif defined(__SSE2__)
  if constexpr (sizeof(T) == 4)
    return static_cast<unsigned>(_mm_movemask_ps(_mm_cmpeq_ps(a, b)));
  else
    return static_cast<unsigned>(_mm_movemask_pd(_mm_cmpeq_pd(a, b)));
#else
  std::uint64_t lanes = 0;
  for (int i = 0; i < Types<T>::width; ++i) lanes |= static_cast<std::uint64_t>(a[i] == b[i]) << i;
  return lanes;
#endif
}

// The place of the first element of a block that equals one of it; 0 where none does, as when that is no number.
template <class T>
inline Index firstPlace(const T* x, Index n, T value) {
  constexpr Index width = Types<T>::width;
  const Vector<T> all = value - Vector<T>{};
  const auto lanes = [&](Index i) { return equalLanes<T>(loadAt(x + i), all); };
  if (n <= 64) {
    std::uint64_t found = lanes(n - width) << (n - width);
    for (Index i = 0; i + width <= n; i += width) found |= lanes(i) << i;
    return found ? __builtin_ctzll(found) : 0;
  }
  for (Index i = 0; i < n; i += width) {
    const Index at = smaller(i, n - width);
    if (const std::uint64_t found = lanes(at)) return at + __builtin_ctzll(found);
  }
  return 0;
}

// A number among n zeros, in registers: to clear all blocks first and then write single numbers makes these wait.
template <class T>
inline void oneAmongZeros(T value, Index place, Index n, T* y) {
  constexpr Index width = Types<T>::width;
  typedef PoolCode<T> Codes __attribute__((vector_size(sizeof(Vector<T>))));
  Codes lanes;
  for (int i = 0; i < width; ++i) lanes[i] = i;
  const Vector<T> all = value - Vector<T>{};  // which keeps the sign of a zero
  const Codes where = Codes{} + static_cast<PoolCode<T>>(place);
  const auto put = [&](Index i) { storeAt(lanes + static_cast<PoolCode<T>>(i) == where ? all : Vector<T>{}, y + i); };
  for (Index i = 0; i + width <= n; i += width) put(i);
  put(n - width);
}

template <class T>
bool maxBlocksGradient(const T* x, const T* g, Index n, Index blocks, T* dx) {
  Vector<T> sum{};
  forGroups<T>(blocks, [&](Index b, Index count) {
    const T* from = x + b * n;
    T largest[Types<T>::width];
    storeAt(joinedBlocks<Largest>(from, n, count, sum), largest);
    for (Index i = 0; i < count; ++i) oneAmongZeros(g[b + i], firstPlace(from + i * n, n, largest[i]), n, dx + (b + i) * n);
  });
  return !holdsNaN<T>(sum);
}

template <class T>
void fillBlocks(const T* g, Index n, Index blocks, T factor, T* dx) {
  constexpr Index width = Types<T>::width;
  for (Index b = 0; b < blocks; ++b, dx += n) {
    const Vector<T> share = g[b] * factor - Vector<T>{};
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
