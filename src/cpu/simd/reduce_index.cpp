// The extreme of columns and rows with its position; compiled once for every level of the processor.
#include <cstring>
#include <limits>

#include "cpu/simd/reduce.hpp"
#include "cpu/simd/square.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <bool max, class T>
bool beats(T challenger, T champion) {
  return max ? challenger > champion : challenger < champion;
}

// The extreme of a piece; NaN never wins, so the start value is left when nothing else is there.
template <bool max, class T>
T extreme(const T* x, Index n, T start) {
  constexpr int lanes = 256 / sizeof(T);
  T part[lanes];
  for (int j = 0; j < lanes; ++j) part[j] = start;
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int j = 0; j < lanes; ++j) part[j] = beats<max>(x[i + j], part[j]) ? x[i + j] : part[j];
  if (i < n) {
    T last[lanes];
    for (int j = 0; j < lanes; ++j) last[j] = start;
    std::memcpy(last, x + i, static_cast<std::size_t>(n - i) * sizeof(T));
    for (int j = 0; j < lanes; ++j) part[j] = beats<max>(last[j], part[j]) ? last[j] : part[j];
  }
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j) part[j] = beats<max>(part[j + half], part[j]) ? part[j + half] : part[j];
  return part[0];
}

// The first i with x[i] == value, n when there is none.
template <class T>
Index find(const T* x, Index n, T value) {
  constexpr Index piece = 256 / sizeof(T);
  Index i = 0;
  for (; i + piece <= n; i += piece) {
    unsigned found = 0;
    for (Index j = 0; j < piece; ++j) found |= x[i + j] == value;
    if (found) break;
  }
  while (i < n && !(x[i] == value)) ++i;
  return i;
}

// Finds the extreme piece by piece and looks for its position only in the piece that has it.
template <bool max, class T>
void column(const T* x, Index n, T* value, Index* position) {
  constexpr Index piece = 2048;
  constexpr T worst = max ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
  T best = worst;
  Index bestPiece = 0;
  for (Index i = 0; i < n; i += piece) {
    const T here = extreme<max>(x + i, n - i < piece ? n - i : piece, worst);
    if (!beats<max>(here, best)) continue;
    best = here;
    bestPiece = i;
  }
  const Index i = bestPiece + find(x + bestPiece, n - bestPiece, best);
  *value = i < n ? best : std::numeric_limits<T>::quiet_NaN();
  *position = i < n ? i : 0;
}

template <bool max, class T>
void rows(const T* x, Index width, Index stride, Index n, T* values, T* positions) {
  for (Index i = 0; i < width; ++i) {
    values[i] = x[i];
    positions[i] = 0;
  }
  for (Index k = 1; k < n; ++k) {
    const T* row = x + k * stride;
    const T here = static_cast<T>(k);
    for (Index i = 0; i < width; ++i) {
      const T challenger = row[i], champion = values[i];
      const bool wins = beats<max>(challenger, champion) | ((champion != champion) & (challenger == challenger));
      values[i] = wins ? challenger : champion;
      positions[i] = wins ? here : positions[i];
    }
  }
}

// Short columns: N side by side, turned around in registers, as in simd/reduce.cpp. Returns how many it did.
template <bool max, int N, class T>
Index turnedColumns(const T* x, Index n, Index count, T* values, T* positions) {
  using Register = typename Square<T, N>::Row;
  const Index readBehind = (N - 1) * n + (n + N - 1) / N * N;
  Index c = 0;
  for (; c * n + readBehind <= count * n; c += N) {
    Register value{}, position{};
    for (Index l = 0; l < n; l += N) {
      Register r[N];
      Square<T, N>::turn(x + c * n + l, n, r);
      if (l == 0) value = r[0];
#pragma GCC unroll 16
      for (int i = 0; i < N; ++i) {
        if (l + i >= n) break;
        const auto wins = (max ? r[i] > value : r[i] < value) | ((value != value) & (r[i] == r[i]));
        value = wins ? r[i] : value;
        position = wins ? Register{} + static_cast<T>(l + i) : position;
      }
    }
    std::memcpy(values + c, &value, sizeof(value));
    std::memcpy(positions + c, &position, sizeof(position));
  }
  return c;
}

template <bool max, class T>
void columns(const T* x, Index n, Index count, T* values, T* positions) {
  constexpr int width = registerBytes / sizeof(T);
  constexpr Index shortColumn = 64;
  Index c = n <= shortColumn && width >= 4 ? turnedColumns<max, width>(x, n, count, values, positions) : 0;
  for (; c < count; ++c) {
    Index position;
    column<max>(x + c * n, n, values + c, &position);
    positions[c] = static_cast<T>(position);
  }
}

}  // namespace

template <class T>
ReduceIndexKernels<T> reduceIndexKernels(Reduction kind) {
  if (kind == Reduction::max) return {columns<true, T>, rows<true, T>};
  return {columns<false, T>, rows<false, T>};
}

template ReduceIndexKernels<float> reduceIndexKernels(Reduction);
template ReduceIndexKernels<double> reduceIndexKernels(Reduction);

}  // namespace dl::cpu::DLARRAY_ARCH
