// Sums of element losses and their derivatives.
#pragma once

#include "cpu/overlay.hpp"

namespace dl::cpu {

/// n predictions and their targets, and what is to be done with them. Nothing larger than a piece is written but results and, for
/// derivatives by weights, sums in double: one for each weight, and as many again for every block of elements that is summed by
/// itself, n / 16 at most. Results are the same for every number of threads.
template <class T>
struct Losses {
  std::size_t formula;  // its place in formula::LossFormulas
  T parameter;          // of the formula
  const T *predictions, *targets;
  Index n;
  const T* weights = nullptr;
  Overlay weightsLie = {};
  const bool* mask = nullptr;  // an element that it leaves out counts nothing, whatever it is
  Overlay maskLies = {};
};

/// The sum of the losses of all elements.
template <class T>
double lossSum(const Losses<T>& losses);

// `g`, where given, holds a factor for each element, beside one for all.

/// result = the loss of each element, times its factor.
template <class T>
void lossValues(const Losses<T>& losses, const T* g, T factor, T* result);

/// result = the derivative of that by the predictions or by the targets.
template <class T>
void lossGradient(const Losses<T>& losses, bool byPredictions, const T* g, T factor, T* result);

/// The derivative by weights that lie over the elements like `overlay`; `result` has as many elements as they.
template <class T>
void lossWeightGradient(const Losses<T>& losses, const Overlay& overlay, const T* g, T factor, Index weights, T* result);

/// Numbers in one of two types.
struct Numbers {
  const double* wide = nullptr;
  const float* narrow = nullptr;
  double operator[](Index i) const { return wide ? wide[i] : static_cast<double>(narrow[i]); }
};

/// Predictions for classes, inner x classes x outer, with the number of a class for each of the inner x outer lanes.
template <class T>
struct ClassLosses {
  const T* predictions;
  Index inner, classes, outer;
  Numbers targets;
  const T* weights = nullptr;  // `classStride` apart for neighbouring classes
  Overlay weightsLie = {};     // over the lanes
  Index classStride = 0;
  const bool* mask = nullptr;  // over the lanes; targets that it leaves out may be anything
  Overlay maskLies = {};

  Index lanes() const { return inner * outer; }
};

/// The lane of the first target that is no class though it takes part; -1 where there is none.
template <class T>
Index wrongClass(const ClassLosses<T>& losses);

// As above for the cross-entropy of the predictions of the targets; g and values have an element for each lane.
template <class T>
double classLossSum(const ClassLosses<T>& losses);
template <class T>
void classLossValues(const ClassLosses<T>& losses, T* result);
template <class T>
void classLossGradient(const ClassLosses<T>& losses, const T* g, T factor, T* result);
template <class T>
void classLossWeightGradient(const ClassLosses<T>& losses, const T* g, T factor, Index weights, T* result);

}  // namespace dl::cpu
