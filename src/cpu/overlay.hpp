// Small arrays laid over larger ones, along whose other dimensions they repeat: read piece by piece, without being expanded.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "cpu/types.hpp"

namespace dl::cpu {

/// Where the elements of the small array lie for those of the large one.
class Overlay {
 public:
  struct Axis {
    Index size;    // of the large array
    Index stride;  // in the small one; 0 where that repeats
  };
  static constexpr std::size_t mostAxes = 24;

  Overlay() = default;
  /// The dimensions of the large array, first fastest.
  explicit Overlay(std::span<const Axis> axes) {
    for (const Axis& axis : axes) {
      if (axis.size == 1) continue;
      Axis* last = count_ ? &axes_[count_ - 1] : nullptr;
      if (last && axis.stride == last->stride * last->size)
        last->size *= axis.size;
      else
        axes_[count_++] = axis;
    }
    while (count_ && axes_[count_ - 1].stride == 0) --count_;
    for (std::size_t d = 0; d < count_; ++d) period_ *= axes_[d].size;
  }

  /// The number of elements of the large array after which all begins anew.
  Index period() const { return period_; }
  /// True when neighbours of the large array are neighbours of the small one, all through the period.
  bool contiguous() const { return count_ == 0 || (count_ == 1 && axes_[0].stride == 1); }

  /// Calls body(at, n, offset, stride) for the elements [begin, begin + count) of the large array in runs of n from begin + at
  /// on, which lie from `offset` on in the small one, `stride` apart.
  template <class F>
  void forRuns(Index begin, Index count, F&& body) const {
    if (count_ == 0) {
      body(Index{0}, count, Index{0}, Index{0});
      return;
    }
    std::array<Index, mostAxes> position;
    Index rest = begin, offset = 0;
    for (std::size_t d = 0; d < count_; ++d) {
      position[d] = rest % axes_[d].size;
      rest /= axes_[d].size;
      offset += position[d] * axes_[d].stride;
    }
    const Axis first = axes_[0];
    Index skipped = position[0];
    for (Index at = 0; at < count;) {
      const Index n = std::min(first.size - skipped, count - at);
      body(at, n, offset, first.stride);
      at += n;
      offset -= skipped * first.stride;
      skipped = 0;
      for (std::size_t d = 1; d < count_; ++d) {
        offset += axes_[d].stride;
        if (++position[d] < axes_[d].size) break;
        offset -= axes_[d].size * axes_[d].stride;
        position[d] = 0;
      }
    }
  }

 private:
  std::array<Axis, mostAxes> axes_;
  std::size_t count_ = 0;
  Index period_ = 1;
};

/// A small array laid over a large one of n elements.
template <class T>
class Laid {
 public:
  /// The most elements that are asked for at once.
  static constexpr Index piece = 2048;

  /// One number everywhere.
  Laid(T number, Index n) : period_(1) { std::fill_n(cycle_, std::min(n, piece + 1), number); }
  Laid(const T* values, const Overlay& overlay, Index n) : values_(values), overlay_(overlay), period_(overlay.period()) {
    cycles_ = period_ <= piece && period_ < n;
    if (!cycles_) return;
    fill(0, period_, cycle_);
    const Index all = std::min(n, period_ + piece);
    for (Index done = period_; done < all; done *= 2) std::copy_n(cycle_, std::min(done, all - done), cycle_ + done);
  }
  Laid(const Laid&) = delete;
  Laid& operator=(const Laid&) = delete;

  const Overlay& overlay() const { return overlay_; }
  /// Those for the elements [begin, begin + n) of the large array, in place or in the buffer.
  const T* at(Index begin, Index n, T* buffer) const {
    const Index from = begin % period_;
    if (cycles_) return cycle_ + from;
    if (overlay_.contiguous() && from + n <= period_) return values_ + from;
    fill(from, n, buffer);
    return buffer;
  }

 private:
  void fill(Index begin, Index count, T* to) const {
    overlay_.forRuns(begin, count, [&](Index at, Index n, Index offset, Index stride) {
      if (stride == 0)
        std::fill_n(to + at, n, values_[offset]);
      else if (stride == 1)
        std::copy_n(values_ + offset, n, to + at);
      else
        for (Index i = 0; i < n; ++i) to[at + i] = values_[offset + i * stride];
    });
  }

  const T* values_ = nullptr;
  Overlay overlay_;
  Index period_;
  bool cycles_ = true;
  T cycle_[2 * piece];  // the period, again and again
};

}  // namespace dl::cpu
