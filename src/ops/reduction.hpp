#pragma once
#include "cpu/reduce.hpp"
#include "engine/fit.hpp"

#include <array>
#include <span>

namespace dl {

/// The dimensions of an array for the kernels that reduce a set of them.
class Extents {
 public:
  Extents(const Size& size, std::uint32_t set) noexcept : count_(size.size()) {
    for (std::size_t d = 0; d < count_; ++d) extents_[d] = {size[d], (set >> d & 1U) != 0};
  }
  std::span<const cpu::ReducedExtent> get() const noexcept { return {extents_.data(), count_}; }

 private:
  std::array<cpu::ReducedExtent, Size::maxDimensions> extents_;
  std::size_t count_;
};

/// A number of the type of an array, with which that array can be combined and keeps its type.
inline DlArray numberLike(const DlArray& x, double value) {
  return engine::filled({Size::matrix(1, 1), {}}, Storage::of(x).type, value);
}

}  // namespace dl
