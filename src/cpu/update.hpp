// One step of a solver on one parameter: everything in a single pass over its elements.
#pragma once

#include "cpu/types.hpp"

namespace dl::cpu {

/// w, the parameter, and its velocity: v = momentum v - rate g; w += v.
struct SgdmStep {
  double rate, momentum;
};
/// First and second moment of the gradient: m = first m + (1 - first) g, v = second v + (1 - second) g^2,
/// w -= rate m correction / (sqrt(v secondCorrection) + epsilon) + decay w.
struct AdamStep {
  double rate, first, second, correction, secondCorrection, epsilon, decay;
};
/// Second moment of the gradient: v = second v + (1 - second) g^2, w -= rate g / (sqrt(v) + epsilon).
struct RmspropStep {
  double rate, second, epsilon;
};

/// T: float, double.
template <class T>
void update(const SgdmStep& step, Index n, const T* g, T* velocity, T* w);
template <class T>
void update(const AdamStep& step, Index n, const T* g, T* m, T* v, T* w);
template <class T>
void update(const RmspropStep& step, Index n, const T* g, T* v, T* w);

/// The sum of squares in double precision: the same for every number of threads.
template <class T>
double sumOfSquares(Index n, const T* g);
template <class T>
void scale(double factor, Index n, T* g);
/// Brings each element into [-threshold, threshold].
template <class T>
void limit(double threshold, Index n, T* g);
/// g += factor w.
template <class T>
void addScaled(double factor, Index n, const T* w, T* g);

}  // namespace dl::cpu
