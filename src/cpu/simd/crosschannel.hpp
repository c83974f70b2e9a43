// The table of kernels for normalisation across channels that simd/crosschannel.cpp fills for every level of the processor.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// Some columns of `channels` numbers side by side: `width` neighbours, `stride` elements from one channel to the next. base = k
/// + factor s, where s sums the squares of the channels from `before` before the own one to `behind` behind it, as far as there
/// are any.
struct ChannelWindow {
  Index width, stride, channels, before, behind;
  double factor, beta, k;
};

/// The numbers of T that a kernel needs to work in.
inline Index crossChannelMemory(const ChannelWindow& w) { return 3 * (w.width * (w.channels + w.before + w.behind) + 64); }

/// All run in one thread.
template <class T>
struct CrossChannelKernels {
  /// y = x base ^ -beta.
  void (*value)(const ChannelWindow& window, const T* x, T* y, T* memory);
  /// The gradient by x for the gradient g by y.
  void (*gradient)(const ChannelWindow& window, const T* g, const T* x, T* dx, T* memory);
};

namespace v2 {
template <class T>
CrossChannelKernels<T> crossChannelKernels();
}
namespace v3 {
template <class T>
CrossChannelKernels<T> crossChannelKernels();
}
namespace v4 {
template <class T>
CrossChannelKernels<T> crossChannelKernels();
}

}  // namespace dl::cpu
