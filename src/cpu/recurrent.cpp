#include "cpu/recurrent.hpp"

#include <algorithm>

#include "cpu/arch.hpp"
#include "cpu/packed.hpp"
#include "cpu/parallel.hpp"

namespace dl::cpu {

Index recurrentGrain(const RecurrentPlan& p) {
  const Index work = p.hidden * (4 * p.hidden + 40) * p.steps;  // of an observation; a gate costs about as much as ten products
  const Index enough = (Index{1} << 19) / std::max<Index>(1, work);
  return (enough / 8 + 1) * 8;
}

template <class T>
Index lstmRoom(const RecurrentPlan& plan) {
  const Index met = plan.projected ? plan.projected : plan.hidden;
  const auto elements = PackedFactor<T>::elements;
  return std::max(elements(4 * plan.hidden, met) + elements(plan.projected, plan.hidden),
                  elements(met, 4 * plan.hidden) + elements(plan.hidden, plan.projected));
}

template <class T>
void lstmForward(const RecurrentPlan& plan, const T* r, const T* projector, const T* bias, const T* h0, const T* c0, T* gates,
                 T* cells, T* states, T* y, T* room) {
  const Index h = plan.hidden, p = plan.projected, page = h * plan.batch, met = p ? p : h;
  const PackedFactor<T> weights(false, 4 * h, met, r, 4 * h, room);
  const PackedFactor<T> projection(true, p, h, projector, h, room + PackedFactor<T>::elements(4 * h, met));
  const auto kernel = DLARRAY_FOR_ARCH(lstmKernels<T>)(plan.state, plan.gate).forward;
  parallelFor(plan.batch, recurrentGrain(plan), [&](Index begin, Index end) {
    for (Index t = 0; t < plan.steps; ++t) {
      const T *before = (t ? y + (t - 1) * page : h0) + begin * h, *cellsBefore = t ? cells + (t - 1) * page : c0;
      T* sums = gates + t * 4 * page;
      if (p) {
        T* state = states + (t * plan.batch + begin) * p;
        projection.multiply(end - begin, before, h, false, state, p);
        before = state;
      }
      weights.multiply(end - begin, before, met, true, sums + begin * 4 * h, 4 * h);
      for (Index b = begin; b < end; ++b)
        kernel(h, sums + b * 4 * h, bias, cellsBefore + b * h, cells + t * page + b * h, y + t * page + b * h);
    }
  });
}

template <class T>
void lstmBackward(const RecurrentPlan& plan, const T* r, const T* projector, const T* c0, const T* gates, const T* cells,
                  const T* gradient, T* dc, T* sums, T* dStates, T* dh0, T* room) {
  const Index h = plan.hidden, p = plan.projected, page = h * plan.batch, met = p ? p : h;
  const PackedFactor<T> weights(true, met, 4 * h, r, 4 * h, room);
  const PackedFactor<T> projection(false, h, p, projector, h, room + PackedFactor<T>::elements(met, 4 * h));
  const auto kernel = DLARRAY_FOR_ARCH(lstmKernels<T>)(plan.state, plan.gate).backward;
  T* carried = dh0;  // what each step hands to the one before
  parallelFor(plan.batch, recurrentGrain(plan), [&](Index begin, Index end) {
    std::fill(carried + begin * h, carried + end * h, T(0));
    for (Index t = plan.steps - 1; t >= 0; --t) {
      const T* cellsBefore = t ? cells + (t - 1) * page : c0;
      T* to = sums + t * 4 * page;
      for (Index b = begin; b < end; ++b)
        kernel(h, gates + t * 4 * page + b * 4 * h, cellsBefore + b * h, cells + t * page + b * h, gradient + t * page + b * h,
               carried + b * h, dc + b * h, to + b * 4 * h);
      T* state = p ? dStates + (t * plan.batch + begin) * p : carried + begin * h;
      weights.multiply(end - begin, to + begin * 4 * h, 4 * h, false, state, met);
      if (p) projection.multiply(end - begin, state, p, false, carried + begin * h, h);
    }
  });
}

template <class T>
Index gruRoom(const RecurrentPlan& plan) {
  return PackedFactor<T>::elements(plan.hidden, 3 * plan.hidden);  // on the way back; no less than on the way there
}

template <class T>
void gruForward(const RecurrentPlan& plan, const T* r, const T* bias, const T* recurrentBias, const T* h0, T* gates,
                T* candidates, T* y, T* room) {
  const Index h = plan.hidden, page = h * plan.batch;
  const PackedFactor<T> forGates(false, 2 * h, h, r, 3 * h, room);
  const PackedFactor<T> forCandidate(false, h, h, r + 2 * h, 3 * h, room + PackedFactor<T>::elements(2 * h, h));
  const auto kernel = DLARRAY_FOR_ARCH(gruKernels<T>)(plan.state, plan.gate).forward;
  parallelFor(plan.batch, recurrentGrain(plan), [&](Index begin, Index end) {
    for (Index t = 0; t < plan.steps; ++t) {
      const T* before = t ? y + (t - 1) * page : h0;
      T *sums = gates + t * 3 * page, *recurrent = candidates + t * page;
      forGates.multiply(end - begin, before + begin * h, h, true, sums + begin * 3 * h, 3 * h);
      forCandidate.multiply(end - begin, before + begin * h, h, false, recurrent + begin * h, h);
      for (Index b = begin; b < end; ++b)
        kernel(h, sums + b * 3 * h, recurrent + b * h, bias, recurrentBias, before + b * h, y + t * page + b * h);
    }
  });
}

template <class T>
void gruBackward(const RecurrentPlan& plan, const T* r, const T* h0, const T* y, const T* gates, const T* candidates,
                 const T* gradient, T* sums, T* recurrentSums, T* dh0, T* room) {
  const Index h = plan.hidden, page = h * plan.batch;
  const PackedFactor<T> weights(true, h, 3 * h, r, 3 * h, room);
  const auto kernel = DLARRAY_FOR_ARCH(gruKernels<T>)(plan.state, plan.gate).backward;
  T* carried = dh0;  // what each step hands to the one before
  parallelFor(plan.batch, recurrentGrain(plan), [&](Index begin, Index end) {
    std::fill(carried + begin * h, carried + end * h, T(0));
    for (Index t = plan.steps - 1; t >= 0; --t) {
      const T* before = t ? y + (t - 1) * page : h0;
      T* to = recurrentSums + t * 3 * page;
      for (Index b = begin; b < end; ++b)
        kernel(h, gates + t * 3 * page + b * 3 * h, candidates + t * page + b * h, before + b * h, gradient + t * page + b * h,
               carried + b * h, sums + t * 3 * page + b * 3 * h, to + b * 3 * h);
      weights.multiply(end - begin, to + begin * 3 * h, 3 * h, true, carried + begin * h, h);
    }
  });
}

template Index gruRoom<float>(const RecurrentPlan&);
template Index gruRoom<double>(const RecurrentPlan&);
template void gruForward(const RecurrentPlan&, const float*, const float*, const float*, const float*, float*, float*, float*,
                         float*);
template void gruForward(const RecurrentPlan&, const double*, const double*, const double*, const double*, double*, double*,
                         double*, double*);
template void gruBackward(const RecurrentPlan&, const float*, const float*, const float*, const float*, const float*,
                          const float*, float*, float*, float*, float*);
template void gruBackward(const RecurrentPlan&, const double*, const double*, const double*, const double*, const double*,
                          const double*, double*, double*, double*, double*);
template Index lstmRoom<float>(const RecurrentPlan&);
template Index lstmRoom<double>(const RecurrentPlan&);
template void lstmForward(const RecurrentPlan&, const float*, const float*, const float*, const float*, const float*, float*,
                          float*, float*, float*, float*);
template void lstmForward(const RecurrentPlan&, const double*, const double*, const double*, const double*, const double*,
                          double*, double*, double*, double*, double*);
template void lstmBackward(const RecurrentPlan&, const float*, const float*, const float*, const float*, const float*,
                           const float*, float*, float*, float*, float*, float*);
template void lstmBackward(const RecurrentPlan&, const double*, const double*, const double*, const double*, const double*,
                           const double*, double*, double*, double*, double*, double*);

}  // namespace dl::cpu
