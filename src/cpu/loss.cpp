#include "cpu/loss.hpp"

#include "cpu/blocks.hpp"
#include "cpu/loss_pieces.hpp"

namespace dl::cpu {
namespace {

constexpr Index piece = lossPiece;

template <class T>
const LossKernels<T>& kernels(const Losses<T>& losses) {
  return lossKernelsOf<T>(losses.formula);
}

// Weights and mask of all elements, piece by piece; ones and true where there are none. Each thread makes its own: what lies
// ready in them would be far away for another.
template <class T>
class Parts {
 public:
  Parts(const Losses<T>& l, const T* g)
      : g_(g),
        weights_(l.weights ? Laid<T>(l.weights, l.weightsLie, l.n) : Laid<T>(T(1), l.n)),
        mask_(l.mask ? Laid<bool>(l.mask, l.maskLies, l.n) : Laid<bool>(true, l.n)) {}

  /// Calls body(i, n, w, m) for pieces of n elements from i on.
  template <class Body>
  void forEach(Index begin, Index end, Body body) const {
    alignas(64) T weights[piece];
    alignas(64) bool mask[piece];
    for (Index i = begin; i < end; i += piece) {
      const Index n = std::min(piece, end - i);
      const T* w = weights_.at(i, n, weights);
      if (g_) {
        for (Index k = 0; k < n; ++k) weights[k] = w[k] * g_[i + k];
        w = weights;
      }
      body(i, n, w, mask_.at(i, n, mask));
    }
  }

 private:
  const T* g_;
  const Laid<T> weights_;
  const Laid<bool> mask_;
};

template <class T>
bool isPlain(const Losses<T>& losses) {
  return !losses.weights && !losses.mask;
}

}  // namespace

template <class T>
double lossSum(const Losses<T>& l) {
  const LossKernels<T>& k = kernels(l);
  return sumOfBlocks(l.n, [&](auto&& blocks) {
    if (isPlain(l)) {
      blocks([&](Index begin, Index end) {
        double total = 0;
        for (Index i = begin; i < end; i += leastBlock)
          total += static_cast<double>(k.sum(std::min(leastBlock, end - i), l.parameter, l.predictions + i, l.targets + i));
        return total;
      });
      return;
    }
    const Parts<T> parts(l, nullptr);
    blocks([&](Index begin, Index end) {
      double total = 0;
      parts.forEach(begin, end, [&](Index i, Index n, const T* w, const bool* m) {
        total += static_cast<double>(k.weightedSum(n, l.parameter, l.predictions + i, l.targets + i, w, m));
      });
      return total;
    });
  });
}

template <class T>
void lossValues(const Losses<T>& l, const T* g, T factor, T* result) {
  parallelFor(l.n, parallelElements, [&](Index begin, Index end) {
    const Parts<T> parts(l, g);
    parts.forEach(begin, end, [&](Index i, Index n, const T* w, const bool* m) {
      kernels(l).values(n, l.parameter, factor, l.predictions + i, l.targets + i, w, m, result + i);
    });
  });
}

template <class T>
void lossGradient(const Losses<T>& l, bool byPredictions, const T* g, T factor, T* result) {
  if (isPlain(l) && !g) {
    const auto kernel = byPredictions ? kernels(l).gradientA : kernels(l).gradientB;
    parallelFor(l.n, parallelElements, [&](Index begin, Index end) {
      kernel(end - begin, l.parameter, factor, l.predictions + begin, l.targets + begin, result + begin);
    });
    return;
  }
  const auto kernel = byPredictions ? kernels(l).weightedA : kernels(l).weightedB;
  parallelFor(l.n, parallelElements, [&](Index begin, Index end) {
    const Parts<T> parts(l, g);
    parts.forEach(begin, end, [&](Index i, Index n, const T* w, const bool* m) {
      kernel(n, l.parameter, factor, l.predictions + i, l.targets + i, w, m, result + i);
    });
  });
}

template <class T>
void lossWeightGradient(const Losses<T>& l, const Overlay& overlay, const T* g, T factor, Index weights, T* result) {
  Losses<T> unweighted = l;
  unweighted.weights = nullptr;
  if (weights == l.n) {
    lossValues(unweighted, g, factor, result);
    return;
  }
  // Few are the sums of many, so they are taken in double.
  const auto sums = sumsOfBlocks(l.n, weights, [&](Index begin, Index end, double* own) {
    const Parts<T> parts(unweighted, g);
    alignas(64) T values[piece];
    parts.forEach(begin, end, [&](Index i, Index n, const T* w, const bool* m) {
      kernels(l).values(n, l.parameter, factor, l.predictions + i, l.targets + i, w, m, values);
      overlay.forRuns(
          i, n, [&](Index at, Index count, Index offset, Index stride) { addTo(own + offset, stride, values + at, count); });
    });
  });
  for (Index k = 0; k < weights; ++k) result[k] = static_cast<T>(sums[static_cast<std::size_t>(k)]);
}

template double lossSum(const Losses<float>&);
template double lossSum(const Losses<double>&);
template void lossValues(const Losses<float>&, const float*, float, float*);
template void lossValues(const Losses<double>&, const double*, double, double*);
template void lossGradient(const Losses<float>&, bool, const float*, float, float*);
template void lossGradient(const Losses<double>&, bool, const double*, double, double*);
template void lossWeightGradient(const Losses<float>&, const Overlay&, const float*, float, Index, float*);
template void lossWeightGradient(const Losses<double>&, const Overlay&, const double*, double, Index, double*);

}  // namespace dl::cpu
