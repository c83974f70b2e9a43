#pragma once
#include "cpu/elementwise.hpp"

// The same functions once for each processor generation that the loops are compiled for.
namespace dl::cpu {
#define DL_DECLARE_ARCH(arch)                   \
  namespace arch {                              \
  template <class T>                            \
  const UnaryKernel<T>* unaryKernels();         \
  template <class T>                            \
  const PredicateKernel<T>* predicateKernels(); \
  template <class T>                            \
  ElementwiseKernels<T> elementwise();          \
  }
DL_DECLARE_ARCH(v2)
DL_DECLARE_ARCH(v3)
DL_DECLARE_ARCH(v4)
#undef DL_DECLARE_ARCH
}  // namespace dl::cpu
