// The tile that products and convolutions are computed in: a few registers of rows times a few columns, summed over k. To be
// included by the sources in simd/ alone: everything is local to them.
#pragma once

#include <cstring>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "cpu/simd/square.hpp"
#include "formulas/math.hpp"

namespace dl::cpu::DLARRAY_ARCH {
namespace {

template <class T>
struct Types {
  typedef T Vector __attribute__((vector_size(registerBytes)));
  typedef T Anywhere __attribute__((vector_size(registerBytes), aligned(sizeof(T)), may_alias));
  static constexpr int width = registerBytes / sizeof(T);
};

// Functions of the standard library that stay calls would be shared with code for other levels.
inline Index smaller(Index a, Index b) { return a < b ? a : b; }

// A tile of C is up to `tall` registers high and `wide` columns wide: 24 of 32 registers, or 12 of 16.
constexpr int tall = 3;
constexpr int wide = registerBytes == 64 ? 8 : 4;
constexpr int narrow = wide * 3 / 4;  // for one register more in height
constexpr int widest = 2 * wide;      // where C has no more rows than one register: sums that need not wait for each other

#if defined(__AVX512F__)
inline void loadPart(const float* x, Index n, __m512& v) { v = _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), x); }
inline void loadPart(const double* x, Index n, __m512d& v) { v = _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), x); }
inline void storePart(float* y, Index n, const __m512& v) { _mm512_mask_storeu_ps(y, static_cast<__mmask16>((1u << n) - 1), v); }
inline void storePart(double* y, Index n, const __m512d& v) { _mm512_mask_storeu_pd(y, static_cast<__mmask8>((1u << n) - 1), v); }
#else
template <class T>
void loadPart(const T* x, Index n, typename Types<T>::Vector& v) {
  T all[Types<T>::width] = {};
  for (Index i = 0; i < n; ++i) all[i] = x[i];
  std::memcpy(&v, all, sizeof(v));
}
template <class T>
void storePart(T* y, Index n, const typename Types<T>::Vector& v) {
  T all[Types<T>::width];
  std::memcpy(all, &v, sizeof(v));
  for (Index i = 0; i < n; ++i) y[i] = all[i];
}
#endif

// What is used several times is read once: compilers would take it from memory each time, as a part of the multiplication.
template <class Vector>
DL_INLINE void keepInRegister([[maybe_unused]] Vector& v) {
#if defined(__AVX512F__)
  __asm__("" : "+v"(v));
#elif defined(__SSE2__)
  __asm__("" : "+x"(v));
#endif
}

// How a tile finds step l of k: at even distances (of a part of a register, the rest of which is not to be touched, or of whole
// ones), or where a table of B, or tables of both, say. With tables of both, registers of A lie `aRegister` apart, or halves of
// registers do; each also with asking the memory for what a later tile needs of B.
enum class Steps { part, even, tableOfB, tables, tablesAhead, halves, halvesAhead };
#if defined(__AVX512F__)
constexpr bool readsParts = true;  // at no cost: by masks
#else
constexpr bool readsParts = false;
#endif

// What one tile needs: A as k steps of whole registers, B as `columns` sequences of k numbers.
template <class T>
struct Tile {
  Index k;
  const T* a;
  Index aStep;
  const T* b;
  Index bStep, bColumn;
  T alpha;
  bool add;
  T* c;
  Index cColumn;
  Index rows;  // fewer than the registers hold, where C ends
  Index aRegister = Types<T>::width;
  const Index* tableA = nullptr;      // where step l of A lies
  const Index* tableB = nullptr;      // and step l of B
  const Index* columnsOfB = nullptr;  // where each column of B begins, if not at even distances; with a table of B alone
  const Index* places = nullptr;      // where each register of rows goes, if not behind the one before; with two tables
  const T* next = nullptr;            // where a later tile's numbers of B lie
  const Index* soon = nullptr;        // and which of them each step asks the memory for
  const T* start = nullptr;           // what the sums of each column begin with, if not with zero; with tables alone
};

// Two halves of a register.
template <class T>
void loadHalves(const T* low, const T* high, typename Types<T>::Vector& v) {
  typedef T Half __attribute__((vector_size(registerBytes / 2)));
  Half a, b;
  std::memcpy(&a, low, sizeof(a));
  std::memcpy(&b, high, sizeof(b));
  std::memcpy(&v, &a, sizeof(a));
  std::memcpy(reinterpret_cast<char*>(&v) + sizeof(a), &b, sizeof(b));
}
#if defined(__AVX512F__)
inline void loadHalves(const float* low, const float* high, __m512& v) {
  v = _mm512_maskz_insertf32x8(0xffff, _mm512_castps256_ps512(_mm256_loadu_ps(low)), _mm256_loadu_ps(high), 1);
}
inline void loadHalves(const double* low, const double* high, __m512d& v) {
  v = _mm512_maskz_insertf64x4(0xff, _mm512_castpd256_pd512(_mm256_loadu_pd(low)), _mm256_loadu_pd(high), 1);
}
#endif

template <int height, int columns, Steps steps, class T>
void computeTile(const Tile<T>& t) {
  using Vector = typename Types<T>::Vector;
  using Anywhere = typename Types<T>::Anywhere;
  constexpr int width = Types<T>::width;
  constexpr bool halves = steps >= Steps::halves, twoTables = steps >= Steps::tables && !halves;
  constexpr bool ahead = steps == Steps::tablesAhead || steps == Steps::halvesAhead;
  Vector sum[columns][height] = {};
  if constexpr (steps != Steps::even)
    if (t.start) {
#pragma GCC unroll 16
      for (int j = 0; j < columns; ++j)
#pragma GCC unroll 4
        for (int i = 0; i < height; ++i) sum[j][i] += t.start[j];
    }
  const T* column[columns];
  for (int j = 0; j < columns; ++j)
    column[j] = t.b + (steps == Steps::tableOfB && t.columnsOfB ? t.columnsOfB[j] : j * t.bColumn);
  const T* a = t.a;
  const Index apart = t.aRegister;
  Index at = 0;
  for (Index l = 0; l < t.k; ++l) {
    if constexpr (steps >= Steps::tables) a = t.a + t.tableA[l];
    if constexpr (steps > Steps::even) at = t.tableB[l];
    if constexpr (ahead) __builtin_prefetch(t.next + t.soon[l]);
    Vector rows[height];
#pragma GCC unroll 4
    for (int i = 0; i < height; ++i) {
      if constexpr (steps == Steps::part)
        loadPart(a, t.rows, rows[i]);
      else if constexpr (halves)
        loadHalves(a + 2 * i * apart, a + (2 * i + 1) * apart, rows[i]);
      else
        rows[i] = *reinterpret_cast<const Anywhere*>(a + i * (twoTables ? apart : width));
      if constexpr (columns == 2 || columns == 3) keepInRegister(rows[i]);
    }
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) {
      const T factor = column[j][at];
#pragma GCC unroll 4
      for (int i = 0; i < height; ++i) sum[j][i] += rows[i] * factor;
    }
    if constexpr (steps < Steps::tables) a += t.aStep;
    if constexpr (steps <= Steps::even) at += t.bStep;
  }
  if constexpr (twoTables)
    if (t.places) {
#pragma GCC unroll 16
      for (int j = 0; j < columns; ++j) {
#pragma GCC unroll 4
        for (int i = 0; i < height; ++i) {
          T* to = t.c + j * t.cColumn + t.places[i];
          Vector result = sum[j][i], before;
          if (t.add) loadPart(to, t.rows, before), result += before;
          storePart(to, t.rows, result);
        }
      }
      return;
    }
  const Index lastRows = t.rows - (height - 1) * width;
#pragma GCC unroll 16
  for (int j = 0; j < columns; ++j) {
#pragma GCC unroll 4
    for (int i = 0; i < height; ++i) {
      T* to = t.c + j * t.cColumn + i * width;
      Vector result = sum[j][i] * t.alpha;
      if (i == height - 1 && lastRows < width) {
        Vector before;
        if (t.add) loadPart(to, lastRows, before), result += before;
        storePart(to, lastRows, result);
      } else {
        if (t.add) result += *reinterpret_cast<const Anywhere*>(to);
        *reinterpret_cast<Anywhere*>(to) = result;
      }
    }
  }
}

template <int height, int columns, Steps steps, class T>
void computeTileOf(Index wanted, const Tile<T>& t) {
  if (wanted == columns)
    computeTile<height, columns, steps>(t);
  else if constexpr (columns > 1)
    computeTileOf<height, columns - 1, steps>(wanted, t);
}

template <Steps steps, class T>
void computeTile(Index height, Index columns, const Tile<T>& t) {
  if constexpr (steps == Steps::part) return computeTileOf<1, widest, steps>(columns, t);
  if constexpr (steps >= Steps::halves)
    if (height == tall + 1) return computeTileOf<tall + 1, narrow, steps>(columns, t);
  switch (height) {
    case 1:
      return computeTileOf<1, widest, steps>(columns, t);
    case 2:
      return computeTileOf<2, wide, steps>(columns, t);
    default:
      return computeTileOf<3, wide, steps>(columns, t);
  }
}

// The height of the next sliver of A when so many registers of rows remain: two of two keep busier than three and one.
inline Index sliverHeight(Index registers) { return registers == 4 ? 2 : smaller(registers, tall); }

// k x rows elements, column i beginning at a + i * lda, as k steps of `height` registers; rows that are not there become zero.
template <class T>
void packTurned(const T* a, Index lda, Index rows, Index k, Index height, T* to) {
  const Index step = height * Types<T>::width;
  if (rows < step)
    for (Index e = 0; e < k * step; ++e) to[e] = T(0);
  transposeSquares<T, Types<T>::width>(a, lda, to, step, rows, k);
}

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
