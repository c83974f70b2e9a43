// The table of random number kernels that simd/random.cpp fills for every level of the processor.
#pragma once

#include <cstdint>

#include "cpu/types.hpp"

namespace dl::cpu {

/// Kernels from counters to bits and from bits to numbers. They give the same numbers to the last bit on every processor:
/// all arithmetic in them is rounded step by step.
struct RandomKernels {
  /// The words of Philox4x32-10 for the counters counter to counter + blocks - 1: four words a block.
  void (*words)(std::uint64_t key, std::uint64_t counter, Index blocks, std::uint32_t* words);
  /// `blocks` blocks of words to four floats, or two doubles, a block.
  void (*uniformFloat)(const std::uint32_t* words, Index blocks, float* y);
  void (*uniformDouble)(const std::uint32_t* words, Index blocks, double* y);
  /// n elements of y = x (u < p ? 0 : scale), where u are the uniform numbers.
  void (*dropFloat)(const std::uint32_t* words, Index n, float p, float scale, const float* x, float* y);
  void (*dropDouble)(const std::uint32_t* words, Index n, double p, double scale, const double* x, double* y);
  void (*normalFloat)(const std::uint32_t* words, Index blocks, float* y);
  void (*normalDouble)(const std::uint32_t* words, Index blocks, double* y);
};

namespace v2 {
const RandomKernels& randomKernels();
}
namespace v3 {
const RandomKernels& randomKernels();
}
namespace v4 {
const RandomKernels& randomKernels();
}

}  // namespace dl::cpu
