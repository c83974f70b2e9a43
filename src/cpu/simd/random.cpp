// Counters to random bits, bits to numbers; compiled once for every level of the processor.
#include "cpu/simd/random.hpp"

#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "cpu/simd/register_bytes.hpp"
#if defined(__SSE2__)
#include <immintrin.h>
#endif

// A fused multiply-add rounds once where processors without it round twice: without it numbers are the same everywhere.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif

namespace dl::cpu::DLARRAY_ARCH {
namespace {

// One round of Philox; multipliers of Salmon et al. 2011, table 2.
__attribute__((always_inline)) inline void philoxRound(std::uint32_t& c0, std::uint32_t& c1, std::uint32_t& c2, std::uint32_t& c3,
                                                       std::uint32_t k0, std::uint32_t k1) {
  const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0;
  const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c2;
  c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
  c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
  c1 = static_cast<std::uint32_t>(p1);
  c3 = static_cast<std::uint32_t>(p0);
}

// The words of block b.
void philoxBlock(std::uint64_t key, std::uint64_t counter, std::uint32_t* words) {
  const auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  std::uint32_t c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32), c2 = 0, c3 = 0;
  for (std::uint32_t round = 0; round < 10; ++round)
    philoxRound(c0, c1, c2, c3, k0 + round * 0x9E3779B9u, k1 + round * 0xBB67AE85u);
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

#if defined(__SSE2__)
typedef std::uint64_t Lanes __attribute__((vector_size(registerBytes)));
constexpr Index blocksOfLanes = registerBytes / 8;

// The products of the lower halves, whatever the upper ones are.
inline Lanes multiply(Lanes a, Lanes b) {
#if defined(__AVX512F__)
  return (Lanes)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (Lanes)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
  return (Lanes)_mm_mul_epu32((__m128i)a, (__m128i)b);
#endif
}
// Pairs of words as they lie in memory, two to a block.
template <int... lane>
inline void storePairs(Lanes first, Lanes second, std::uint32_t* words, std::integer_sequence<int, lane...>) {
  constexpr int n = sizeof...(lane);
  const Lanes low = __builtin_shufflevector(first, second, (lane / 2 + lane % 2 * n)...),
              high = __builtin_shufflevector(first, second, (lane / 2 + n / 2 + lane % 2 * n)...);
  std::memcpy(words, &low, sizeof low);
  std::memcpy(words + registerBytes / 4, &high, sizeof high);
}

// A block a lane: each word is the lower half of one, and what the upper half becomes does not matter. Some registers of lanes
// together, for which the keys are spread once and which need not wait for each other.
template <int count>
void philoxLanes(std::uint64_t key, Lanes counter, std::uint32_t* words) {
  const Lanes m0 = Lanes{} + 0xD2511F53u, m1 = Lanes{} + 0xCD9E8D57u;
  Lanes c0[count], c1[count], c2[count] = {}, c3[count] = {};
  for (int i = 0; i < count; ++i, counter += static_cast<std::uint64_t>(blocksOfLanes)) c0[i] = counter, c1[i] = counter >> 32;
  Lanes k0 = Lanes{} + key, k1 = Lanes{} + (key >> 32);
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) {
      const Lanes p0 = multiply(c0[i], m0), p1 = multiply(c2[i], m1);
      c0[i] = (p1 >> 32) ^ c1[i] ^ k0;
      c2[i] = (p0 >> 32) ^ c3[i] ^ k1;
      c1[i] = p1;
      c3[i] = p0;
    }
  }
  const Lanes lower = Lanes{} + 0xFFFFFFFFu;
#pragma GCC unroll 4
  for (int i = 0; i < count; ++i)
    storePairs((c0[i] & lower) | c1[i] << 32, (c2[i] & lower) | c3[i] << 32, words + i * 4 * blocksOfLanes,
               std::make_integer_sequence<int, blocksOfLanes>{});
}
#endif

void philoxWords(std::uint64_t key, std::uint64_t counter, Index blocks, std::uint32_t* words) {
  Index b = 0;
#if defined(__SSE2__)
  Lanes counters;
  for (Index k = 0; k < blocksOfLanes; ++k) counters[k] = counter + static_cast<std::uint64_t>(k);
  constexpr int together = registerBytes == 64 ? 4 : 2;
  const auto take = [&](auto count) {
    constexpr Index step = decltype(count)::value * blocksOfLanes;
    for (; b + step <= blocks; b += step, counters += static_cast<std::uint64_t>(step))
      philoxLanes<decltype(count)::value>(key, counters, words + 4 * b);
  };
  take(std::integral_constant<int, together>{});
  take(std::integral_constant<int, 1>{});
#endif
  for (; b < blocks; ++b) philoxBlock(key, counter + static_cast<std::uint64_t>(b), words + 4 * b);
}

template <class To, class From>
inline To bitsAs(From from) {
  To to;
  static_assert(sizeof(to) == sizeof(from));
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

inline std::uint64_t pairAt(const std::uint32_t* words, Index i) {
  std::uint64_t bits;
  std::memcpy(&bits, words + 2 * i, sizeof(bits));
  return bits;
}

// Odd multiples of half the spacing: neither 0 nor 1 can come out. The leading bits become the fraction of a number in
// [1, 2), which every level of the processor can do without converting 64-bit integers.
inline float uniform(std::uint32_t bits) { return (bitsAs<float>(bits >> 9 | 0x3F800000u) - 1.0f) + 0x1p-24f; }
inline double uniform(std::uint64_t bits) { return (bitsAs<double>(bits >> 12 | 0x3FF0000000000000u) - 1.0) + 0x1p-53; }

void uniformFloat(const std::uint32_t* words, Index blocks, float* y) {
  for (Index i = 0; i < 4 * blocks; ++i) y[i] = uniform(words[i]);
}

void uniformDouble(const std::uint32_t* words, Index blocks, double* y) {
  for (Index i = 0; i < 2 * blocks; ++i) y[i] = uniform(pairAt(words, i));
}

void dropFloat(const std::uint32_t* words, Index n, float p, float scale, const float* x, float* y) {
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) y[i] = x[i] * (uniform(words[i]) < p ? 0.0f : scale);
}

void dropDouble(const std::uint32_t* words, Index n, double p, double scale, const double* x, double* y) {
#pragma GCC ivdep
  for (Index i = 0; i < n; ++i) y[i] = x[i] * (uniform(pairAt(words, i)) < p ? 0.0 : scale);
}

// -2 log(u) for 0 < u <= 1, u normal: the exponent apart, log(m) = 2 atanh((m - 1) / (m + 1)) by its series for
// sqrt(1/2) <= m < sqrt(2).
inline double minusTwoLog(double u) {
  const auto bits = bitsAs<std::uint64_t>(u) - 0x3FE6A09E667F3BCDu;  // of sqrt(1/2)
  const double exponent = bitsAs<double>((bits >> 52 & 0xFFF) ^ 0x4330000000000800u) - (0x1p52 + 2048.0);
  const double m = bitsAs<double>((bits & 0xFFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu);
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double p = 1.0 / 21;
  p = p * z + 1.0 / 19;
  p = p * z + 1.0 / 17;
  p = p * z + 1.0 / 15;
  p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  const double log = exponent * 0.69314718055994530942 + (2.0 * s + 2.0 * s * (z * p));
  return -2.0 * log;
}

inline float minusTwoLog(float u) {
  const auto bits = bitsAs<std::uint32_t>(u) - 0x3F3504F3u;  // of sqrt(1/2)
  const auto exponent = static_cast<float>(bitsAs<std::int32_t>(bits) >> 23);
  const float m = bitsAs<float>((bits & 0x7FFFFFu) + 0x3F3504F3u);
  const float s = (m - 1.0f) / (m + 1.0f), z = s * s;
  float p = 1.0f / 11;
  p = p * z + 1.0f / 9;
  p = p * z + 1.0f / 7;
  p = p * z + 1.0f / 5;
  p = p * z + 1.0f / 3;
  const float log = exponent * 0.693147181f + (2.0f * s + 2.0f * s * (z * p));
  return -2.0f * log;
}

// A point on the circle of the given radius at `turn` full turns, 0 <= turn <= 1: the nearest quarter apart, the rest by
// the series of sine and cosine for angles up to pi / 4.
inline void onCircle(double radius, double turn, double* y) {
  const double shifted = 4.0 * turn + 0x1.8p52;
  const auto quarter = bitsAs<std::uint64_t>(shifted);
  const double a = (turn - 0.25 * (shifted - 0x1.8p52)) * 6.28318530717958647693, z = a * a;
  double s = 1.0 / 355687428096000.0;
  s = s * z - 1.0 / 1307674368000.0;
  s = s * z + 1.0 / 6227020800.0;
  s = s * z - 1.0 / 39916800.0;
  s = s * z + 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  double c = 1.0 / 20922789888000.0;
  c = c * z - 1.0 / 87178291200.0;
  c = c * z + 1.0 / 479001600.0;
  c = c * z - 1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  c = c * z - 1.0 / 2.0;
  const double sine = a + a * (z * s), cosine = 1.0 + z * c;
  const bool odd = quarter & 1;
  const double x = odd ? -sine : cosine, w = odd ? cosine : sine;
  const double signedRadius = quarter & 2 ? -radius : radius;
  y[0] = signedRadius * x;
  y[1] = signedRadius * w;
}

inline void onCircle(float radius, float turn, float* y) {
  const float shifted = 4.0f * turn + 0x1.8p23f;
  const auto quarter = bitsAs<std::uint32_t>(shifted);
  const float a = (turn - 0.25f * (shifted - 0x1.8p23f)) * 6.28318531f, z = a * a;
  float s = 1.0f / 362880.0f;
  s = s * z - 1.0f / 5040.0f;
  s = s * z + 1.0f / 120.0f;
  s = s * z - 1.0f / 6.0f;
  float c = -1.0f / 3628800.0f;
  c = c * z + 1.0f / 40320.0f;
  c = c * z - 1.0f / 720.0f;
  c = c * z + 1.0f / 24.0f;
  c = c * z - 1.0f / 2.0f;
  const float sine = a + a * (z * s), cosine = 1.0f + z * c;
  const bool odd = quarter & 1;
  const float x = odd ? -sine : cosine, w = odd ? cosine : sine;
  const float signedRadius = quarter & 2 ? -radius : radius;
  y[0] = signedRadius * x;
  y[1] = signedRadius * w;
}

void normalFloat(const std::uint32_t* words, Index blocks, float* y) {
  for (Index i = 0; i < 2 * blocks; ++i) {
    // 31 bits for the radius, so that the tail reaches to 6.6.
    const float u = (static_cast<float>(static_cast<std::int32_t>(words[2 * i] >> 1)) + 0.5f) * 0x1p-31f;
    const float turn = static_cast<float>(static_cast<std::int32_t>(words[2 * i + 1] >> 8)) * 0x1p-24f;
    onCircle(std::sqrt(minusTwoLog(u)), turn, y + 2 * i);
  }
}

void normalDouble(const std::uint32_t* words, Index blocks, double* y) {
  for (Index i = 0; i < blocks; ++i)
    onCircle(std::sqrt(minusTwoLog(uniform(pairAt(words, 2 * i)))), uniform(pairAt(words, 2 * i + 1)), y + 2 * i);
}

}  // namespace

const RandomKernels& randomKernels() {
  static constexpr RandomKernels kernels{philoxWords, uniformFloat, uniformDouble, dropFloat,
                                         dropDouble,  normalFloat,  normalDouble};
  return kernels;
}

}  // namespace dl::cpu::DLARRAY_ARCH
