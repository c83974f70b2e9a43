// The loops of the solvers' steps, which simd/update.cpp fills in for every level of the processor.
#pragma once

#include "cpu/update.hpp"

namespace dl::cpu {

template <class T>
struct UpdateKernels {
  void (*sgdm)(const SgdmStep& step, Index n, const T* g, T* velocity, T* w);
  void (*adam)(const AdamStep& step, Index n, const T* g, T* m, T* v, T* w);
  void (*rmsprop)(const RmspropStep& step, Index n, const T* g, T* v, T* w);
  double (*sumOfSquares)(Index n, const T* g);
  void (*scale)(double factor, Index n, T* g);
  void (*limit)(double threshold, Index n, T* g);
  void (*addScaled)(double factor, Index n, const T* w, T* g);
};

namespace v2 {
template <class T>
UpdateKernels<T> updateKernels();
}
namespace v3 {
template <class T>
UpdateKernels<T> updateKernels();
}
namespace v4 {
template <class T>
UpdateKernels<T> updateKernels();
}

}  // namespace dl::cpu
