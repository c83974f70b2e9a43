#pragma once
#include <dlarray/types.hpp>
#include <initializer_list>
#include <string>
#include <vector>

namespace dl {

/// The sizes of an array's dimensions, first dimension first, as MATLAB's size vector.
///
///     Size{2, 3}        zeros(Size{2, 3})       size(X)[0]
class Size {
 public:
  /// As many dimensions as an array can have.
  static constexpr int maxDimensions = 16;

  Size() noexcept = default;
  Size(std::initializer_list<Index> sizes) : Size(sizes.begin(), sizes.size()) {}
  explicit Size(const std::vector<Index>& sizes) : Size(sizes.data(), sizes.size()) {}
  /// Copies `count` sizes; throws when a size is negative or there are more than `maxDimensions`.
  Size(const Index* sizes, std::size_t count);

  /// rows x columns, both known to be sizes.
  static Size matrix(Index rows, Index columns) noexcept {
    Size size;
    size.count_ = 2;
    size.near_[0] = rows;
    size.near_[1] = columns;
    return size;
  }

  Size(const Size& other) : Size() { *this = other; }
  Size(Size&& other) noexcept { take(other); }
  Size& operator=(const Size& other) {
    if (other.count_ <= near && count_ <= near) {
      count_ = other.count_;
      near_[0] = other.near_[0];
      near_[1] = other.near_[1];
      if (count_ > 2) {
        near_[2] = other.near_[2];
        near_[3] = other.near_[3];
      }
    } else {
      copyFar(other);
    }
    return *this;
  }
  Size& operator=(Size&& other) noexcept {
    if (this != &other) {
      drop();
      take(other);
    }
    return *this;
  }
  ~Size() { drop(); }

  /// The number of dimensions listed.
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  Index operator[](std::size_t i) const noexcept { return begin()[i]; }
  Index& operator[](std::size_t i) noexcept { return begin()[i]; }
  const Index* begin() const noexcept { return count_ <= near ? near_ : far_; }
  const Index* end() const noexcept { return begin() + count_; }
  Index* begin() noexcept { return count_ <= near ? near_ : far_; }
  Index* end() noexcept { return begin() + count_; }

  /// Appends a dimension; throws past `maxDimensions`.
  void push_back(Index size);
  /// Keeps the first `count` dimensions or appends dimensions of size `fill`.
  void resize(std::size_t count, Index fill = 1);

  friend bool operator==(const Size& a, const Size& b) noexcept {
    if (a.count_ != b.count_) return false;
    if (a.count_ == 2) return a.near_[0] == b.near_[0] && a.near_[1] == b.near_[1];
    for (std::size_t i = 0; i < a.count_; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }

 private:
  static constexpr int near = 4;  // sizes kept in the object itself; more go to the heap

  void take(Size& other) noexcept {
    count_ = other.count_;
    for (int i = 0; i < near; ++i) near_[i] = other.near_[i];
    other.count_ = 0;
  }
  void drop() noexcept {
    if (count_ > near) delete[] far_;
  }
  void copyFar(const Size& other);

  std::uint32_t count_ = 0;
  union {
    Index near_[near] = {};
    Index* far_;
  };
};

/// The number of elements of an array of this size.
Index numel(const Size& size) noexcept;

/// "3 x 4 x 2", as error sentences and displays print it.
std::string toString(const Size& size);

}  // namespace dl
