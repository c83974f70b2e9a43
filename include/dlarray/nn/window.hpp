#pragma once
#include <dlarray/array.hpp>

// How a window moves over an array: the words and numbers that convolution and pooling share.
namespace dl {

namespace detail {
/// A whole number of a list. Being a class, it loses against lists: `{{1}, {2}}` is two lists.
struct WindowNumber {
  Index value;
  template <Integer I>
  constexpr WindowNumber(I number) : value(static_cast<Index>(number)) {}
};
}  // namespace detail

/// A whole number for every dimension that a window moves along, or one for each: filter and pool sizes, strides, dilation factors.
class WindowSizes {
 public:
  template <Integer I>
  WindowSizes(I everywhere) : WindowSizes({detail::WindowNumber(everywhere)}) {}
  WindowSizes(std::initializer_list<detail::WindowNumber> each) {
    for (const detail::WindowNumber n : each) sizes_.push_back(n.value);
  }
  WindowSizes(const std::vector<Index>& each) {
    for (const Index n : each) sizes_.push_back(n);
  }

  /// How many numbers were given; one counts for every dimension, none is a mistake.
  std::size_t count() const noexcept { return sizes_.size(); }
  Index operator[](std::size_t dimension) const noexcept { return sizes_[sizes_.size() == 1 ? 0 : dimension]; }
  friend bool operator==(const WindowSizes&, const WindowSizes&) noexcept = default;

 private:
  Size sizes_;
};

/// The size of a pool, or "global" for a pool as large as the array.
class PoolSize : public WindowSizes {
 public:
  using WindowSizes::WindowSizes;
  PoolSize(const WindowSizes& sizes) : WindowSizes(sizes) {}
  PoolSize(const char* word) : WindowSizes(1), word_(word) {}
  PoolSize(std::string word) : WindowSizes(1), word_(std::move(word)) {}

  /// "" when sizes were given; functions accept "global".
  const std::string& word() const noexcept { return word_; }
  friend bool operator==(const PoolSize&, const PoolSize&) noexcept = default;

 private:
  std::string word_;
};

/// What is put around an array, or cut off around one: a number for all sides, one for both sides of each dimension `{1, 2}`, one for each
/// side `{{starts}, {ends}}`, "same" or "causal".
class Padding {
 public:
  template <Integer I>
  Padding(I everywhere) : starts_(everywhere), ends_(everywhere) {}
  Padding(std::initializer_list<detail::WindowNumber> each) : starts_(each), ends_(each) {}
  /// Two lists; of another number of lists nothing is taken, and functions refuse the empty sizes.
  Padding(std::initializer_list<std::initializer_list<Index>> sides)
      : starts_(side(sides, 0)), ends_(side(sides, 1)) {}
  Padding(WindowSizes starts, WindowSizes ends) : starts_(std::move(starts)), ends_(std::move(ends)) {}
  Padding(const char* word) : starts_(0), ends_(0), word_(word) {}
  Padding(std::string word) : starts_(0), ends_(0), word_(std::move(word)) {}

  /// "" when numbers were given; functions accept "same", and some "causal".
  const std::string& word() const noexcept { return word_; }
  const WindowSizes& starts() const noexcept { return starts_; }
  const WindowSizes& ends() const noexcept { return ends_; }
  friend bool operator==(const Padding&, const Padding&) noexcept = default;

 private:
  static std::vector<Index> side(std::initializer_list<std::initializer_list<Index>> sides, std::size_t i) {
    return sides.size() == 2 ? std::vector<Index>(sides.begin()[i]) : std::vector<Index>();
  }

  WindowSizes starts_, ends_;
  std::string word_;
};

/// How many groups the channels are divided into: a number, "all-channels" for one, "channel-wise" for as many as there are channels.
class GroupCount {
 public:
  template <Integer I>
  GroupCount(I count) : count_(static_cast<Index>(count)) {}
  GroupCount(const char* word) : word_(word) {}
  GroupCount(std::string word) : word_(std::move(word)) {}

  const std::string& word() const noexcept { return word_; }
  Index count() const noexcept { return count_; }
  friend bool operator==(const GroupCount&, const GroupCount&) noexcept = default;

 private:
  Index count_ = 1;
  std::string word_;
};

}  // namespace dl
