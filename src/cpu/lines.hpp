// Memory for one call, in whole lines of the cache.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "cpu/types.hpp"

namespace dl::cpu {

/// Memory, as it comes, that begins with a line of the cache: registers that lie across two cost twice as much.
template <class T>
class Lines {
 public:
  explicit Lines(Index n = 0) : n_(n), elements_(std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(n + line))) {}
  T* data() const {
    const auto address = reinterpret_cast<std::uintptr_t>(elements_.get());
    return elements_.get() + (address + 63) / 64 * 64 / sizeof(T) - address / sizeof(T);
  }
  void fill(T value) { std::fill_n(data(), n_, value); }
  Index size() const { return n_; }

 private:
  static constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  Index n_;
  std::unique_ptr<T[]> elements_;
};

}  // namespace dl::cpu
