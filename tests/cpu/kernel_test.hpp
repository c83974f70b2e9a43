// What the tests of the kernels share: data, and running something with several numbers of threads.
#pragma once

#include <cstring>
#include <vector>

#include "cpu/parallel.hpp"

#include "harness/threads.hpp"

namespace dl::cpu {

using test::withThreads;

/// n reproducible numbers between -1 and 1 that are exact in float and mostly distinct.
template <class T>
std::vector<T> numbers(Index n, unsigned seed = 1) {
  std::vector<T> x(static_cast<std::size_t>(n));
  unsigned state = seed * 2654435761u + 12345u;
  for (T& value : x) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<T>(static_cast<int>(state >> 8) - (1 << 23)) / static_cast<T>(1 << 23);
  }
  return x;
}

template <class T>
bool sameBits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// f() gives the same bits with 1, 2 and 3 threads; the result comes back.
template <class F>
auto sameForThreads(F&& f, bool& same) {
  auto one = withThreads(1, f);
  same = sameBits(one, withThreads(2, f)) && sameBits(one, withThreads(3, f));
  return one;
}

}  // namespace dl::cpu
