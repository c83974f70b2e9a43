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
  static constexpr Index most = 2147483647;  // functions refuse larger numbers

  template <Integer I>
  WindowSizes(I everywhere) : WindowSizes({detail::WindowNumber(everywhere)}) {}
  WindowSizes(std::initializer_list<detail::WindowNumber> each);
  WindowSizes(const std::vector<Index>& each);

  /// How many numbers were given; one counts for every dimension, none is a mistake.
  std::size_t count() const noexcept { return sizes_.size(); }
  Index operator[](std::size_t dimension) const noexcept { return sizes_[sizes_.size() == 1 ? 0 : dimension]; }
  friend bool operator==(const WindowSizes& a, const WindowSizes& b) noexcept { return a.sizes_ == b.sizes_; }

 private:
  Size sizes_;
};

/// The size of a pool, or "global" for a pool as large as the array.
class PoolSize : public WindowSizes {
 public:
  using WindowSizes::WindowSizes;
  PoolSize(const WindowSizes& sizes) : WindowSizes(sizes) {}
  PoolSize(const char* word);
  PoolSize(std::string word);

  /// "" when sizes were given; functions accept "global".
  const std::string& word() const noexcept { return word_; }
  friend bool operator==(const PoolSize& a, const PoolSize& b) noexcept;

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
  Padding(std::initializer_list<std::initializer_list<Index>> sides);
  Padding(WindowSizes starts, WindowSizes ends) : starts_(std::move(starts)), ends_(std::move(ends)) {}
  Padding(const char* word);
  Padding(std::string word);

  /// "" when numbers were given; functions accept "same", and some "causal".
  const std::string& word() const noexcept { return word_; }
  const WindowSizes& starts() const noexcept { return starts_; }
  const WindowSizes& ends() const noexcept { return ends_; }
  friend bool operator==(const Padding& a, const Padding& b) noexcept;

 private:
  WindowSizes starts_, ends_;
  std::string word_;
};

/// How many groups the channels are divided into: a number, "all-channels" for one, "channel-wise" for as many as there are channels.
class GroupCount {
 public:
  template <Integer I>
  GroupCount(I count) : count_(static_cast<Index>(count)) {}
  GroupCount(const char* word);
  GroupCount(std::string word);

  const std::string& word() const noexcept { return word_; }
  Index count() const noexcept { return count_; }
  friend bool operator==(const GroupCount& a, const GroupCount& b) noexcept;

 private:
  Index count_ = 1;
  std::string word_;
};

}  // namespace dl
