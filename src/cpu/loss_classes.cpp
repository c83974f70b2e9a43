#include <cmath>

#include "cpu/blocks.hpp"
#include "cpu/loss.hpp"
#include "cpu/loss_pieces.hpp"
#include "formulas/loss.hpp"

namespace dl::cpu {
namespace {

constexpr Index piece = lossPiece;

template <class T>
const LossKernels<T>& crossEntropy() {
  return lossKernelsOf<T>(formula::LossFormulas::position<formula::CrossEntropy>());
}

// Some lanes: where their targets lie, the predictions for these, weights, and which take part.
template <class T>
struct Lanes {
  Index begin, n;
  const Index *elements, *weightsAt;
  const T *predictions, *ones;
  T* weights;
  const bool* mask;
};

// The mask of all lanes; each thread makes its own, as in loss.cpp.
template <class T>
Laid<bool> maskOf(const ClassLosses<T>& l) {
  return l.mask ? Laid<bool>(l.mask, l.maskLies, l.lanes()) : Laid<bool>(true, l.lanes());
}

// Calls body(lanes) for pieces of lanes.
template <class T, class Body>
void forLanes(const ClassLosses<T>& l, const Laid<bool>& laidMask, Index begin, Index end, Body body) {
  alignas(64) T predictions[piece], weights[piece], ones[piece];
  alignas(64) bool mask[piece];
  Index elements[piece], weightsAt[piece];
  std::fill_n(ones, piece, T(1));
  for (Index i = begin; i < end; i += piece) {
    const Index n = std::min(piece, end - i);
    const bool* m = laidMask.at(i, n, mask);
    Index page = i / l.inner * l.inner * l.classes, inner = i % l.inner;
    for (Index k = 0; k < n; ++k) {
      const Index target = m[k] ? static_cast<Index>(l.targets[i + k]) : 0;
      weightsAt[k] = target * l.classStride;
      elements[k] = page + inner + target * l.inner;
      predictions[k] = l.predictions[elements[k]];
      if (++inner == l.inner) inner = 0, page += l.inner * l.classes;
    }
    l.weightsLie.forRuns(i, n, [&](Index at, Index count, Index offset, Index stride) {
      for (Index k = 0; k < count; ++k) weightsAt[at + k] += offset + k * stride;
    });
    for (Index k = 0; k < n; ++k) weights[k] = l.weights ? l.weights[weightsAt[k]] : T(1);
    body(Lanes<T>{i, n, elements, weightsAt, predictions, ones, weights, m});
  }
}

// The weights times what each lane is multiplied by.
template <class T>
void multiply(const Lanes<T>& lanes, const T* g) {
  if (g)
    for (Index k = 0; k < lanes.n; ++k) lanes.weights[k] *= g[lanes.begin + k];
}

}  // namespace

template <class T>
Index wrongClass(const ClassLosses<T>& l) {
  const Laid<bool> mask = maskOf(l);
  bool buffer[piece];
  for (Index i = 0; i < l.lanes(); i += piece) {
    const Index n = std::min(piece, l.lanes() - i);
    const bool* m = mask.at(i, n, buffer);
    for (Index k = 0; k < n; ++k) {
      const double t = l.targets[i + k];
      if (m[k] && !(t >= 0 && t < static_cast<double>(l.classes) && t == std::floor(t))) return i + k;
    }
  }
  return -1;
}

template <class T>
double classLossSum(const ClassLosses<T>& l) {
  return sumOfBlocks(l.lanes(), [&](auto&& blocks) {
    const Laid<bool> mask = maskOf(l);
    blocks([&](Index begin, Index end) {
      double total = 0;
      forLanes(l, mask, begin, end, [&](const Lanes<T>& at) {
        total += static_cast<double>(crossEntropy<T>().weightedSum(at.n, T(1), at.predictions, at.ones, at.weights, at.mask));
      });
      return total;
    });
  });
}

template <class T>
void classLossValues(const ClassLosses<T>& l, T* result) {
  parallelFor(l.lanes(), parallelElements, [&](Index begin, Index end) {
    forLanes(l, maskOf(l), begin, end, [&](const Lanes<T>& at) {
      crossEntropy<T>().values(at.n, T(1), T(1), at.predictions, at.ones, at.weights, at.mask, result + at.begin);
    });
  });
}

template <class T>
void classLossGradient(const ClassLosses<T>& l, const T* g, T factor, T* result) {
  const Index page = l.inner * l.classes;
  const auto clear = [&](Index begin, Index end) { std::fill(result + begin, result + end, T(0)); };
  const auto scatter = [&](Index begin, Index end) {
    alignas(64) T slopes[piece];
    forLanes(l, maskOf(l), begin, end, [&](const Lanes<T>& at) {
      multiply(at, g);
      crossEntropy<T>().weightedA(at.n, T(1), factor, at.predictions, at.ones, at.weights, at.mask, slopes);
      for (Index k = 0; k < at.n; ++k) result[at.elements[k]] = slopes[k];
    });
  };
  // Where there are several pages, what a thread has cleared it fills; in a single one threads share either.
  parallelFor(l.outer, grainFor(page), [&](Index first, Index last) {
    parallelFor((last - first) * page, parallelElements,
                [&](Index begin, Index end) { clear(first * page + begin, first * page + end); });
    parallelFor((last - first) * l.inner, parallelElements,
                [&](Index begin, Index end) { scatter(first * l.inner + begin, first * l.inner + end); });
  });
}

template <class T>
void classLossWeightGradient(const ClassLosses<T>& l, const T* g, T factor, Index weights, T* result) {
  ClassLosses<T> unweighted = l;
  unweighted.weights = nullptr;
  const auto sums = sumsOfBlocks(l.lanes(), weights, [&](Index begin, Index end, double* own) {
    alignas(64) T values[piece];
    forLanes(unweighted, maskOf(l), begin, end, [&](const Lanes<T>& at) {
      multiply(at, g);
      crossEntropy<T>().values(at.n, T(1), factor, at.predictions, at.ones, at.weights, at.mask, values);
      for (Index k = 0; k < at.n; ++k) own[at.weightsAt[k]] += static_cast<double>(values[k]);
    });
  });
  for (Index k = 0; k < weights; ++k) result[k] = static_cast<T>(sums[static_cast<std::size_t>(k)]);
}

template Index wrongClass(const ClassLosses<float>&);
template Index wrongClass(const ClassLosses<double>&);
template double classLossSum(const ClassLosses<float>&);
template double classLossSum(const ClassLosses<double>&);
template void classLossValues(const ClassLosses<float>&, float*);
template void classLossValues(const ClassLosses<double>&, double*);
template void classLossGradient(const ClassLosses<float>&, const float*, float, float*);
template void classLossGradient(const ClassLosses<double>&, const double*, double, double*);
template void classLossWeightGradient(const ClassLosses<float>&, const float*, float, Index, float*);
template void classLossWeightGradient(const ClassLosses<double>&, const double*, double, Index, double*);

}  // namespace dl::cpu
