#include "cpu/ctc.hpp"

#include <algorithm>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/ctc.hpp"

namespace dl::cpu {
namespace {

// Each state of each step costs several exponentials, as many as some dozen elements of a plain loop.
template <class T>
Index grainOf(const CtcBatch<T>& batch) {
  return grainFor(batch.stepCount * (2 * batch.most + 1) * 32);
}

template <class T>
double* workspaceOf(const CtcBatch<T>& batch, double* workspace, Index b) {
  return workspace + batch.workspace() / batch.batch * b;
}

}  // namespace

template <class T>
double ctcSum(const CtcBatch<T>& batch, double* workspace) {
  const auto loss = DLARRAY_FOR_ARCH(ctcKernels<T>)().loss;
  // The loss of an observation is left at the start of its workspace.
  parallelFor(batch.batch, grainOf(batch), [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b) {
      double* own = workspaceOf(batch, workspace, b);
      *own = loss(batch, b, own);
    }
  });
  double sum = 0;
  for (Index b = 0; b < batch.batch; ++b) sum += *workspaceOf(batch, workspace, b);
  return sum;
}

template <class T>
void ctcGradient(const CtcBatch<T>& batch, double factor, double* workspace, T* result) {
  const auto gradient = DLARRAY_FOR_ARCH(ctcKernels<T>)().gradient;
  std::fill(result, result + batch.classes * batch.batch * batch.stepCount, T(0));
  parallelFor(batch.batch, grainOf(batch), [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b) gradient(batch, b, factor, workspaceOf(batch, workspace, b), result);
  });
}

template double ctcSum(const CtcBatch<float>&, double*);
template double ctcSum(const CtcBatch<double>&, double*);
template void ctcGradient(const CtcBatch<float>&, double, double*, float*);
template void ctcGradient(const CtcBatch<double>&, double, double*, double*);

}  // namespace dl::cpu
