#include "cpu/crosschannel.hpp"

#include <algorithm>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/scratch.hpp"
#include "cpu/simd/crosschannel.hpp"

namespace dl::cpu {
namespace {

// Calls body(window, first element) for some columns of all channels at a time, so few that what is made of them stays in the
// second cache.
template <class F>
void forColumns(const CrossChannel& how, F&& body) {
  constexpr Index atOnce = Index{1} << 16;  // elements
  if (how.inner * how.channels * how.outer == 0) return;
  const auto upToLines = [](Index n) { return (n + 15) / 16 * 16; };
  // Whole lines of columns, unless there are so many channels that less must do.
  const Index each = atOnce / how.channels, most = each < 16 ? std::max<Index>(1, each) : each / 16 * 16,
              pieces = (how.inner + most - 1) / most, even = (how.inner + pieces - 1) / pieces,
              width = std::min(how.inner, each < 16 ? even : upToLines(even)), across = (how.inner + width - 1) / width;
  parallelFor(across * how.outer, grainFor(width * how.channels), [&](Index begin, Index end) {
    for (Index unit = begin; unit < end; ++unit) {
      const Index first = unit % across * width;
      body(ChannelWindow{std::min(width, how.inner - first), how.inner, how.channels, how.before, how.behind, how.factor,
                         how.beta, how.k},
           unit / across * how.inner * how.channels + first);
    }
  });
}

}  // namespace

template <class T>
void crossChannel(const CrossChannel& how, const T* x, T* y) {
  const CrossChannelKernels<T> kernels = DLARRAY_FOR_ARCH(crossChannelKernels<T>)();
  forColumns(how, [&](const ChannelWindow& window, Index start) {
    const ScratchArray<T> memory(crossChannelMemory(window));
    kernels.value(window, x + start, y + start, memory.data());
  });
}

template <class T>
void crossChannelGradient(const CrossChannel& how, const T* g, const T* x, T* dx) {
  const CrossChannelKernels<T> kernels = DLARRAY_FOR_ARCH(crossChannelKernels<T>)();
  forColumns(how, [&](const ChannelWindow& window, Index start) {
    const ScratchArray<T> memory(crossChannelMemory(window));
    kernels.gradient(window, g + start, x + start, dx + start, memory.data());
  });
}

template void crossChannel(const CrossChannel&, const float*, float*);
template void crossChannel(const CrossChannel&, const double*, double*);
template void crossChannelGradient(const CrossChannel&, const float*, const float*, float*);
template void crossChannelGradient(const CrossChannel&, const double*, const double*, double*);

}  // namespace dl::cpu
