#include "core/fail.hpp"

#include <dlarray/size.hpp>

namespace dl {

Size::Size(const Index* sizes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (sizes[i] < 0)
      throw Error("dlarray:size:negative", fmt::format("size: dimension {} has the negative size {}", i, sizes[i]));
    push_back(sizes[i]);
  }
}

void Size::push_back(Index size) { resize(count_ + 1, size); }

void Size::resize(std::size_t count, Index fill) {
  if (count > maxDimensions)
    throw Error("dlarray:size:tooMany", fmt::format("size: {} dimensions; an array can have at most {}", count, maxDimensions));
  if (count > near && count_ <= near) {
    auto* far = new Index[maxDimensions];
    for (std::size_t i = 0; i < count_; ++i) far[i] = near_[i];
    far_ = far;
  } else if (count <= near && count_ > near) {
    Index* far = far_;
    for (std::size_t i = 0; i < near; ++i) near_[i] = far[i];
    delete[] far;
  }
  const std::size_t before = count_;
  count_ = static_cast<std::uint32_t>(count);
  for (std::size_t i = before; i < count; ++i) (*this)[i] = fill;
}

void Size::copyFar(const Size& other) {
  if (this == &other) return;
  resize(other.count_);
  for (std::size_t i = 0; i < count_; ++i) (*this)[i] = other[i];
}

Index numel(const Size& size) noexcept {
  std::uint64_t n = 1;  // sizes beyond memory wrap round here; making an array of them throws
  for (Index s : size) n *= static_cast<std::uint64_t>(s);
  return static_cast<Index>(n);
}

std::string toString(const Size& size) {
  std::string text;
  for (std::size_t i = 0; i < size.size(); ++i) text += fmt::format("{}{}", i ? " x " : "", size[i]);
  return text;
}

}  // namespace dl
