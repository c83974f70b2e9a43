// A GRU that applies the reset gate before the product with the recurrent weights.
#include <algorithm>

#include "cpu/arch.hpp"
#include "cpu/blas.hpp"
#include "cpu/packed.hpp"
#include "cpu/parallel.hpp"
#include "cpu/recurrent.hpp"

namespace dl::cpu {

template <class T>
void resetFirstForward(const RecurrentPlan& plan, const T* r, const T* bias, const T* h0, T* gates, T* gated, T* y, T* room) {
  const Index h = plan.hidden, page = h * plan.batch;
  const PackedFactor<T> forGates(false, 2 * h, h, r, 3 * h, room);
  const PackedFactor<T> forCandidate(false, h, h, r + 2 * h, 3 * h, room + PackedFactor<T>::elements(2 * h, h));
  const auto kernels = DLARRAY_FOR_ARCH(resetFirstKernels<T>)(plan.state, plan.gate);
  parallelFor(plan.batch, recurrentGrain(plan), [&](Index begin, Index end) {
    for (Index t = 0; t < plan.steps; ++t) {
      const T* before = t ? y + (t - 1) * page : h0;
      T *sums = gates + t * 3 * page, *product = gated + t * page;
      forGates.multiply(end - begin, before + begin * h, h, true, sums + begin * 3 * h, 3 * h);
      for (Index b = begin; b < end; ++b) kernels.reset(h, sums + b * 3 * h, bias, before + b * h, product + b * h);
      forCandidate.multiply(end - begin, product + begin * h, h, true, sums + begin * 3 * h + 2 * h, 3 * h);
      for (Index b = begin; b < end; ++b) kernels.finish(h, sums + b * 3 * h, bias, before + b * h, y + t * page + b * h);
    }
  });
}

template <class T>
void resetFirstBackward(const RecurrentPlan& plan, const T* r, const T* h0, const T* y, const T* gates, const T* gradient,
                        T* sums, T* gatedGradient, T* dh0, T* room) {
  const Index h = plan.hidden, page = h * plan.batch;
  const PackedFactor<T> forGates(true, h, 2 * h, r, 3 * h, room);
  const PackedFactor<T> forCandidate(true, h, h, r + 2 * h, 3 * h, room + PackedFactor<T>::elements(h, 2 * h));
  const auto kernels = DLARRAY_FOR_ARCH(resetFirstKernels<T>)(plan.state, plan.gate);
  T* carried = dh0;  // what each step hands to the one before
  parallelFor(plan.batch, recurrentGrain(plan), [&](Index begin, Index end) {
    std::fill(carried + begin * h, carried + end * h, T(0));
    for (Index t = plan.steps - 1; t >= 0; --t) {
      const T *before = t ? y + (t - 1) * page : h0, *active = gates + t * 3 * page;
      T* to = sums + t * 3 * page;
      for (Index b = begin; b < end; ++b)
        kernels.backward(h, active + b * 3 * h, before + b * h, gradient + t * page + b * h, carried + b * h, to + b * 3 * h);
      forCandidate.multiply(end - begin, to + begin * 3 * h + 2 * h, 3 * h, false, gatedGradient + begin * h, h);
      for (Index b = begin; b < end; ++b)
        kernels.backwardReset(h, active + b * 3 * h, before + b * h, gatedGradient + b * h, carried + b * h, to + b * 3 * h);
      forGates.multiply(end - begin, to + begin * 3 * h, 3 * h, true, carried + begin * h, h);
    }
  });
}

template <class T>
void resetFirstWeights(const RecurrentPlan& plan, const T* sums, const T* h0, const T* y, const T* gated, T* dr) {
  const Index h = plan.hidden, batch = plan.batch, all = batch * plan.steps;
  const auto product = [&](Index rows, Index columns, const T* from, const T* by, bool add, T* to) {
    gemmWithinByThreads<T>(false, true, rows, h, columns, 1, from, 3 * h, by, h, add, to, 3 * h);
  };
  product(2 * h, all - batch, sums + 3 * h * batch, y, false, dr);
  product(2 * h, batch, sums, h0, true, dr);
  product(h, all, sums + 2 * h, gated, false, dr + 2 * h);
}

template void resetFirstForward(const RecurrentPlan&, const float*, const float*, const float*, float*, float*, float*, float*);
template void resetFirstForward(const RecurrentPlan&, const double*, const double*, const double*, double*, double*, double*,
                                double*);
template void resetFirstBackward(const RecurrentPlan&, const float*, const float*, const float*, const float*, const float*,
                                 float*, float*, float*, float*);
template void resetFirstBackward(const RecurrentPlan&, const double*, const double*, const double*, const double*, const double*,
                                 double*, double*, double*, double*);
template void resetFirstWeights(const RecurrentPlan&, const float*, const float*, const float*, const float*, float*);
template void resetFirstWeights(const RecurrentPlan&, const double*, const double*, const double*, const double*, double*);

}  // namespace dl::cpu
