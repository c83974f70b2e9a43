#include "cpu/unpooling.hpp"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "cpu/arch.hpp"
#include "cpu/parallel.hpp"
#include "cpu/simd/unpooling.hpp"

namespace dl::cpu {

namespace {

// Some elements, their positions, and the results from position `begin` on that these lie among.
struct Part {
  Index n, begin, count;
};

template <class T>
UnpoolKernels<T> kernelsFor() {
  return DLARRAY_FOR_ARCH(unpoolKernels<T>)();
}

template <class T>
bool isWithin(const UnpoolKernels<T>& kernels, const Part& part, const double* at) {
  return kernels.within(at, part.n, static_cast<double>(part.begin), static_cast<double>(part.begin + part.count));
}

// False, with nothing done, where a position lies elsewhere.
template <class T>
bool put(const UnpoolKernels<T>& kernels, const Part& part, const T* x, const double* at, T* y) {
  if (!isWithin(kernels, part, at)) return false;
  std::fill_n(y, part.count, T(0));
  for (Index i = 0; i < part.n; ++i) y[static_cast<Index>(at[i]) - part.begin] = x[i];
  return true;
}

template <class T>
bool take(const UnpoolKernels<T>& kernels, const Part& part, const T* g, const double* at, T* dx) {
  if (!isWithin(kernels, part, at)) return false;
  // Backwards: the last one takes the gradient of its place, and leaves nothing for those before it.
  std::vector<char> taken(static_cast<std::size_t>(part.count));
  for (Index i = part.n - 1; i >= 0; --i) {
    const Index place = static_cast<Index>(at[i]) - part.begin;
    dx[i] = std::exchange(taken[static_cast<std::size_t>(place)], char{1}) ? T(0) : g[place];
  }
  return true;
}

// Calls body(part, its first element) for some pages at a time, which stay in the nearest cache. True where it always was.
template <class Body>
bool forPages(const Unpooling& how, Body body) {
  constexpr Index cached = 4096;
  if (how.n == 0) return false;
  const Index n = how.n / how.pages, count = how.count / how.pages, together = std::max<Index>(1, cached / count);
  std::atomic<bool> all{true};
  parallelFor(how.pages, grainFor(n + count), [&](Index first, Index end) {
    for (; first < end && all; first += together) {
      const Index pages = std::min(together, end - first);
      if (!body(Part{pages * n, first * count, pages * count}, first * n, pages)) all = false;
    }
  });
  return all;
}

}  // namespace

bool isPosition(double at, Index count) {
  return at >= 0 && at < static_cast<double>(count) && static_cast<double>(static_cast<Index>(at)) == at;
}

template <class T>
bool unpool(const Unpooling& how, const T* x, const double* at, T* y) {
  const UnpoolKernels<T> kernels = kernelsFor<T>();
  const bool pairs = how.pairs.in > 0;
  return forPages(how,
                  [&](const Part& part, Index first, Index pages) {
                    T* to = y + part.begin;
                    return (pairs && kernels.pairs(x + first, at + first, how.pairs, part.begin, pages, to)) ||
                           put(kernels, part, x + first, at + first, to);
                  }) ||
         put(kernels, {how.n, 0, how.count}, x, at, y);
}

template <class T>
void unpoolAdjoint(const Unpooling& how, const T* g, const double* at, T* dx) {
  const UnpoolKernels<T> kernels = kernelsFor<T>();
  const bool pairs = how.pairs.in > 0;
  const bool apart = forPages(how, [&](const Part& part, Index first, Index pages) {
    const T* from = g + part.begin;
    return (pairs && kernels.pairsAdjoint(from, at + first, how.pairs, part.begin, pages, dx + first)) ||
           take(kernels, part, from, at + first, dx + first);
  });
  if (!apart) take(kernels, {how.n, 0, how.count}, g, at, dx);
}

template bool unpool(const Unpooling&, const float*, const double*, float*);
template bool unpool(const Unpooling&, const double*, const double*, double*);
template void unpoolAdjoint(const Unpooling&, const float*, const double*, float*);
template void unpoolAdjoint(const Unpooling&, const double*, const double*, double*);

}  // namespace dl::cpu
