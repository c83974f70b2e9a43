// The table of running sums and products that simd/scan.cpp fills for every level of the processor.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// Kernels of one operation and direction. y may be x.
template <class T>
struct ScanKernels {
  /// y = running results over x[0 .. n), all combined with `before`; the last of them comes back (`before` for n = 0).
  T (*column)(const T* x, Index n, T before, T* y);
  /// The same for `width` columns side by side: element k of column i lies at [i + k * stride].
  void (*rows)(const T* x, Index width, Index stride, Index n, T* y);
  /// y[i] = y[i] combined with `before`.
  void (*shift)(T* y, Index n, T before);
  /// Combined with anything it changes nothing.
  T neutral;
};

namespace v2 {
template <class T>
ScanKernels<T> scanKernels(bool product, bool reverse);
}
namespace v3 {
template <class T>
ScanKernels<T> scanKernels(bool product, bool reverse);
}
namespace v4 {
template <class T>
ScanKernels<T> scanKernels(bool product, bool reverse);
}

}  // namespace dl::cpu
