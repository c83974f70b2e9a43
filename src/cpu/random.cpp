#include "cpu/random.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <numeric>
#include <type_traits>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/random.hpp"

namespace dl::cpu {
namespace {

constexpr Index blocksAtOnce = 256;  // 4 KiB of bits: they stay in the nearest cache

const RandomKernels& kernels() { return DLARRAY_FOR_ARCH(randomKernels)(); }

Index blocksFor(Index n, Index elementsPerBlock) { return (n + elementsPerBlock - 1) / elementsPerBlock; }

// Calls body(words, how many blocks, the first element of them) for parts of n elements.
template <Index perBlock, class Body>
std::uint64_t forBits(Index n, std::uint64_t key, std::uint64_t counter, Body body) {
  const Index blocks = blocksFor(n, perBlock);
  const auto words = kernels().words;
  parallelFor(blocks, grainFor(4 * perBlock), [&](Index begin, Index end) {
    std::uint32_t bits[4 * blocksAtOnce];
    for (Index block = begin; block < end;) {
      const Index here = std::min(blocksAtOnce, end - block);
      words(key, counter + static_cast<std::uint64_t>(block), here, bits);
      body(bits, here, block * perBlock);
      block += here;
    }
  });
  return static_cast<std::uint64_t>(blocks);
}

// Makes n elements from the blocks from `counter` on; convert(words, blocks, y) makes the elements of whole blocks.
template <Index perBlock, class T, class Convert>
std::uint64_t fill(T* y, Index n, std::uint64_t key, std::uint64_t counter, Convert convert) {
  return forBits<perBlock>(n, key, counter, [&](const std::uint32_t* bits, Index here, Index first) {
    if (first + here * perBlock <= n) {
      convert(bits, here, y + first);
    } else {
      T whole[perBlock * blocksAtOnce];
      convert(bits, here, whole);
      std::copy(whole, whole + (n - first), y + first);
    }
  });
}

// The integer part of fraction * range for the fraction bits / 2^64; off from equal chances by at most range / 2^64.
std::uint64_t scaled(std::uint64_t bits, std::uint64_t range) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(bits) * range >> 64);
}

std::uint64_t drawAt(const std::uint32_t* words, Index i) {
  std::uint64_t bits;
  std::memcpy(&bits, words + 2 * i, sizeof(bits));
  return bits;
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

template <class T>
std::uint64_t fillUniform(T* y, Index n, std::uint64_t key, std::uint64_t counter) {
  if constexpr (std::is_same_v<T, float>)
    return fill<4>(y, n, key, counter, kernels().uniformFloat);
  else
    return fill<2>(y, n, key, counter, kernels().uniformDouble);
}

template <class T>
void dropout(const T* x, Index n, T p, T scale, std::uint64_t key, std::uint64_t counter, T* y) {
  constexpr Index perBlock = 16 / static_cast<Index>(sizeof(T));
  forBits<perBlock>(n, key, counter, [&](const std::uint32_t* bits, Index here, Index first) {
    const Index count = std::min(here * perBlock, n - first);
    if constexpr (std::is_same_v<T, float>)
      kernels().dropFloat(bits, count, p, scale, x + first, y + first);
    else
      kernels().dropDouble(bits, count, p, scale, x + first, y + first);
  });
}

template <class T>
std::uint64_t fillNormal(T* y, Index n, std::uint64_t key, std::uint64_t counter) {
  if constexpr (std::is_same_v<T, float>)
    return fill<4>(y, n, key, counter, kernels().normalFloat);
  else
    return fill<2>(y, n, key, counter, kernels().normalDouble);
}

template <class T>
std::uint64_t fillIntegers(T* y, Index n, std::int64_t lo, std::int64_t hi, std::uint64_t key, std::uint64_t counter) {
  assert(lo <= hi);
  const std::uint64_t range = static_cast<std::uint64_t>(hi) - static_cast<std::uint64_t>(lo) + 1;
  return fill<2>(y, n, key, counter, [&](const std::uint32_t* words, Index blocks, T* to) {
    for (Index i = 0; i < 2 * blocks; ++i)
      to[i] = static_cast<T>(lo + static_cast<std::int64_t>(scaled(drawAt(words, i), range)));
  });
}

template <class T>
std::uint64_t permutation(T* y, Index n, std::uint64_t key, std::uint64_t counter) {
  const auto words = kernels().words;
  std::iota(y, y + n, T(0));
  std::uint32_t bits[4 * blocksAtOnce];
  for (Index i = 0; i < n; ++i) {
    const Index draw = i % (2 * blocksAtOnce);
    if (draw == 0) words(key, counter + static_cast<std::uint64_t>(i / 2), std::min(blocksAtOnce, blocksFor(n - i, 2)), bits);
    const auto other = static_cast<Index>(scaled(drawAt(bits, draw), static_cast<std::uint64_t>(n - i)));
    std::swap(y[i], y[i + other]);
  }
  return static_cast<std::uint64_t>(blocksFor(n, 2));
}

template std::uint64_t fillUniform(float*, Index, std::uint64_t, std::uint64_t);
template std::uint64_t fillUniform(double*, Index, std::uint64_t, std::uint64_t);
template void dropout(const float*, Index, float, float, std::uint64_t, std::uint64_t, float*);
template void dropout(const double*, Index, double, double, std::uint64_t, std::uint64_t, double*);
template std::uint64_t fillNormal(float*, Index, std::uint64_t, std::uint64_t);
template std::uint64_t fillNormal(double*, Index, std::uint64_t, std::uint64_t);
template std::uint64_t fillIntegers(float*, Index, std::int64_t, std::int64_t, std::uint64_t, std::uint64_t);
template std::uint64_t fillIntegers(double*, Index, std::int64_t, std::int64_t, std::uint64_t, std::uint64_t);
template std::uint64_t permutation(float*, Index, std::uint64_t, std::uint64_t);
template std::uint64_t permutation(double*, Index, std::uint64_t, std::uint64_t);

}  // namespace dl::cpu
