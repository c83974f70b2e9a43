// Random numbers by counters: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011).
#pragma once

#include <array>
#include <cstdint>

#include "cpu/types.hpp"

namespace dl::cpu {

// A stream is a 64-bit key and a 64-bit counter. Counter c under key k gives 128 random bits, always the same; element i of
// an array is made from counter + i / (elements per counter) alone, so threads, processors and earlier calls do not matter.
// Every function below returns how many counters it used: the generator above adds that to its counter.

/// The four words of Philox4x32-10.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// Uniform numbers in the open interval (0, 1): 53 bits, 2 a counter (double); 24 bits, 4 a counter (float).
template <class T>
std::uint64_t fillUniform(T* y, Index n, std::uint64_t key, std::uint64_t counter);

/// y = 0 x where the numbers that `fillUniform` makes are below p, else `scale` x; y may be x.
template <class T>
void dropout(const T* x, Index n, T p, T scale, std::uint64_t key, std::uint64_t counter, T* y);

/// Standard normal numbers by Box and Muller's transform: 2 a counter (double), 4 a counter (float).
template <class T>
std::uint64_t fillNormal(T* y, Index n, std::uint64_t key, std::uint64_t counter);

/// Integers lo to hi, both included, 2 a counter; |lo|, |hi| <= 2^53, lo <= hi.
template <class T>
std::uint64_t fillIntegers(T* y, Index n, std::int64_t lo, std::int64_t hi, std::uint64_t key, std::uint64_t counter);

/// A random permutation of 0 to n - 1 (Fisher and Yates), one draw of 64 bits an element.
template <class T>
std::uint64_t permutation(T* y, Index n, std::uint64_t key, std::uint64_t counter);

}  // namespace dl::cpu
