#pragma once
#include "cpu/types.hpp"

#include <atomic>

namespace dl::cpu {

// Loops over element-wise formulas. Inputs step by 1, or by 0 for a single number; results may lie where an input lies.

template <class T>
struct UnaryKernel {
  void (*value)(Index n, const T* x, T* y);
  void (*gradient)(Index n, const T* g, const T* x, const T* y, T* result);  // null for flat formulas
};
template <class T>
using PredicateKernel = void (*)(Index n, const T* x, bool* y);
template <class T>
struct BinaryKernel {
  void (*value)(Index n, const T* a, int stepA, const T* b, int stepB, T* y);
  using Gradient = void (*)(Index n, const T* g, const T* a, int stepA, const T* b, int stepB, const T* y, T* result);
  Gradient gradientA, gradientB;
};
template <class T>
using RelationKernel = void (*)(Index n, const T* a, int stepA, const T* b, int stepB, bool* y);

/// The loops of one element type, each list in the order of its formulas.
template <class T>
struct ElementwiseKernels {
  const UnaryKernel<T>* unary;
  const PredicateKernel<T>* predicates;
  const BinaryKernel<T>* binary;
  const RelationKernel<T>* relations;
  void (*select)(Index n, const bool* condition, int stepC, const T* a, int stepA, const T* b, int stepB, T* y);
};

template <class T>
const ElementwiseKernels<T>& chooseElementwiseKernels();
template <class T>
inline constinit std::atomic<const ElementwiseKernels<T>*> chosenElementwiseKernels{nullptr};

/// The loops for the processor at hand.
template <class T>
const ElementwiseKernels<T>& elementwiseKernels() {
  const ElementwiseKernels<T>* chosen = chosenElementwiseKernels<T>.load(std::memory_order_acquire);
  return chosen ? *chosen : chooseElementwiseKernels<T>();
}

/// Converts between element types; to bool by "is not zero".
template <class From, class To>
void convert(Index n, const From* x, To* y);

}  // namespace dl::cpu
