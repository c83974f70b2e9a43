#include "engine/loops.hpp"

#include "cpu/elementwise.hpp"
#include "cpu/parallel.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "formulas/binary.hpp"

namespace dl::engine {

namespace {

DlArray sameShape(DlArray* recyclable, const DlArray& like, Type type) {
  if (recyclable && Storage::of(*recyclable).type == type)
    return Storage::recycled(std::move(*recyclable), Storage::shape(like), type);
  return Storage::makeLike(like, type);
}

// How two arrays of different sizes meet: dimensions that continue each other in all three arrays are joined.
struct Grid {
  struct Axis {
    Index size, a, b;
  };
  Axis axes[Size::maxDimensions];
  int count = 0;

  Grid(const Size& result, const Size& a, const Size& b) {
    Index strideA = 1, strideB = 1;
    for (std::size_t d = 0; d < result.size(); ++d) {
      if (result[d] == 1) continue;
      const Axis axis{result[d], a[d] == 1 ? 0 : strideA, b[d] == 1 ? 0 : strideB};
      strideA *= a[d];
      strideB *= b[d];
      if (count > 0) {
        Axis& last = axes[count - 1];
        if (last.a * last.size == axis.a && last.b * last.size == axis.b) {
          last.size *= axis.size;
          continue;
        }
      }
      axes[count++] = axis;
    }
    if (count == 0) axes[count++] = {1, 1, 1};
  }

  // Calls run(offsetA, offsetB, offsetY, n, stepA, stepB) for every run along the first axis.
  template <class Run>
  void forEachRun(Run&& run) const {
    const Axis& inner = axes[0];
    Index runs = 1;
    for (int i = 1; i < count; ++i) runs *= axes[i].size;
    const Index runGrain = std::max<Index>(1, grain / inner.size);
    cpu::parallelFor(runs, runGrain, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) {
        Index rest = r, offsetA = 0, offsetB = 0;
        for (int i = 1; i < count; ++i) {
          const Index at = rest % axes[i].size;
          rest /= axes[i].size;
          offsetA += at * axes[i].a;
          offsetB += at * axes[i].b;
        }
        run(offsetA, offsetB, r * inner.size, inner.size, static_cast<int>(inner.a), static_cast<int>(inner.b));
      }
    });
  }
};

// A run along the first axis steps by 0 or 1 only: an axis that stands still in one array and jumps in the other cannot be first,
// because every array's first axis of more than one element has stride 1.

template <class T, class Y, class Kernel>
DlArray runTwo(const Inputs& in, const char* name, Type resultType, Kernel kernel) {
  const DlArray &a = in[0], &b = in[1];
  const auto &ha = Storage::of(a), &hb = Storage::of(b);
  const bool equal = Storage::shape(a) == Storage::shape(b);
  if (equal || ha.plainScalar || hb.plainScalar) {
    const bool stepA = equal || !ha.plainScalar, stepB = equal || !hb.plainScalar;
    DlArray* spare = nullptr;
    if (sizeof(T) == sizeof(Y)) spare = stepA && in.recyclable(0) ? in.recyclable(0) : stepB ? in.recyclable(1) : nullptr;
    // The elements stay where they are when the memory changes hands, or are small enough to be read again from the result.
    const T *pa = Storage::data<T>(a), *pb = Storage::data<T>(b);
    const bool fromA = spare && spare == &a, fromB = spare && spare == &b;
    const DlArray& like = stepA ? a : b;
    const Index n = numel(like);
    DlArray y = sameShape(spare, like, resultType);
    Y* py = Storage::mutableData<Y>(y);
    if (fromA) pa = reinterpret_cast<const T*>(py);
    if (fromB) pb = reinterpret_cast<const T*>(py);
    if (n == 0) return y;
    cpu::parallelFor(n, grain, [&](Index begin, Index end) {
      kernel(end - begin, stepA ? pa + begin : pa, stepA, stepB ? pb + begin : pb, stepB, py + begin);
    });
    return y;
  }
  Expansion expansion = mergeFormats(ha, hb, name, in.where());
  Size aligned = expansion.result.size;
  aligned.resize(expansion.a.size());
  const T *pa = Storage::data<T>(a), *pb = Storage::data<T>(b);
  // An input as large as the result lies in the same order.
  const Index all = numel(expansion.result.size);
  DlArray* spareA = sizeof(T) == sizeof(Y) && ha.numel == all ? in.recyclable(0) : nullptr;
  DlArray* spareB = sizeof(T) == sizeof(Y) && !spareA && hb.numel == all ? in.recyclable(1) : nullptr;
  DlArray y = spareA || spareB ? Storage::recycled(std::move(spareA ? *spareA : *spareB), expansion.result, resultType)
                               : Storage::make(expansion.result, resultType);
  if (all == 0) return y;
  Y* py = Storage::mutableData<Y>(y);
  if (spareA) pa = reinterpret_cast<const T*>(py);
  if (spareB) pb = reinterpret_cast<const T*>(py);
  Grid(aligned, expansion.a, expansion.b).forEachRun([&](Index oa, Index ob, Index oy, Index n, int stepA, int stepB) {
    kernel(n, pa + oa, stepA, pb + ob, stepB, py + oy);
  });
  return y;
}

template <class T>
const T* dataOrNull(const DlArray& x) {
  return Storage::get(x) ? Storage::data<T>(x) : nullptr;
}

}  // namespace

DlArray runUnary(const Inputs& in, std::size_t formula) {
  const DlArray& x = in[0];
  const Type type = Storage::of(x).type;
  return withElementType(type, [&](auto zero) {
    using T = decltype(zero);
    const auto kernel = cpu::elementwiseKernels<T>().unary[formula].value;
    DlArray* spare = in.recyclable(0);
    const T* px = Storage::data<T>(x);
    DlArray y = sameShape(spare, x, type);
    T* py = Storage::mutableData<T>(y);
    if (spare) px = py;
    cpu::parallelFor(numel(y), grain, [&](Index begin, Index end) { kernel(end - begin, px + begin, py + begin); });
    return y;
  });
}

DlArray runUnaryGradient(DlArray&& g, const DlArray& x, const DlArray& y, std::size_t formula) {
  const Type type = Storage::of(g).type;
  return withElementType(type, [&](auto zero) {
    using T = decltype(zero);
    const auto kernel = cpu::elementwiseKernels<T>().unary[formula].gradient;
    const bool inPlace = Storage::unique(g);
    DlArray result = inPlace ? std::move(g) : Storage::makeLike(g, type);
    const T *pg = inPlace ? Storage::data<T>(result) : Storage::data<T>(g), *px = dataOrNull<T>(x), *py = dataOrNull<T>(y);
    T* to = Storage::mutableData<T>(result);
    cpu::parallelFor(numel(result), grain, [&](Index begin, Index end) {
      kernel(end - begin, pg + begin, px ? px + begin : nullptr, py ? py + begin : nullptr, to + begin);
    });
    return result;
  });
}

DlArray runPredicate(const Inputs& in, std::size_t formula) {
  const DlArray& x = in[0];
  const DlArray wide = numbers(x);
  DlArray y = Storage::makeLike(x, Type::Logical);
  withElementType(Storage::of(wide).type, [&](auto zero) {
    using T = decltype(zero);
    const auto kernel = cpu::elementwiseKernels<T>().predicates[formula];
    cpu::parallelFor(numel(y), grain, [&](Index begin, Index end) {
      kernel(end - begin, Storage::data<T>(wide) + begin, Storage::mutableData<bool>(y) + begin);
    });
  });
  return y;
}

DlArray runBinary(const Inputs& in, const char* name, std::size_t formula) {
  const Type type = Storage::of(in[0]).type;
  return withElementType(type, [&](auto zero) {
    using T = decltype(zero);
    return runTwo<T, T>(in, name, type, cpu::elementwiseKernels<T>().binary[formula].value);
  });
}

DlArray runRelation(const Inputs& in, const char* name, std::size_t formula) {
  return withElementType(Storage::of(in[0]).type, [&](auto zero) {
    using T = decltype(zero);
    return runTwo<T, bool>(in, name, Type::Logical, cpu::elementwiseKernels<T>().relations[formula]);
  });
}

DlArray runProductGradient(DlArray&& g, const DlArray& other) {
  const dl::detail::Header &hg = Storage::of(g), &ho = Storage::of(other);
  const Index n = hg.numel;
  const bool step = ho.numel == n;
  const void *from = hg.data, *factor = ho.data;
  DlArray result = Storage::unique(g) && hg.node == 0 ? std::move(g) : Storage::makeLike(hg);
  void* to = Storage::get(result)->data;
  withElementType(Storage::get(result)->type, [&](auto zero) {
    using T = decltype(zero);
    const auto kernel = cpu::elementwiseKernels<T>().binary[formula::BinaryFormulas::position<formula::Times>()].value;
    const T *pg = static_cast<const T*>(from), *po = static_cast<const T*>(factor);
    cpu::parallelFor(n, grain, [&](Index begin, Index end) {
      kernel(end - begin, pg + begin, 1, step ? po + begin : po, step, static_cast<T*>(to) + begin);
    });
  });
  return result;
}

DlArray runBinaryGradient(DlArray&& g, const DlArray& a, const DlArray& b, const DlArray& y, std::size_t formula, bool byA) {
  const Type type = Storage::of(g).type;
  return withElementType(type, [&](auto zero) {
    using T = decltype(zero);
    const auto& kernels = cpu::elementwiseKernels<T>().binary[formula];
    const auto kernel = byA ? kernels.gradientA : kernels.gradientB;
    const bool inPlace = Storage::unique(g);
    DlArray result = inPlace ? std::move(g) : Storage::makeLike(g, type);
    const Index n = numel(result);
    const T* pg = inPlace ? Storage::data<T>(result) : Storage::data<T>(g);
    const T *pa = dataOrNull<T>(a), *pb = dataOrNull<T>(b), *py = dataOrNull<T>(y);
    const int stepA = n == 1 || !pa || numel(a) != 1, stepB = n == 1 || !pb || numel(b) != 1;
    T* to = Storage::mutableData<T>(result);
    if (n == 0) return result;
    cpu::parallelFor(n, grain, [&](Index begin, Index end) {
      kernel(end - begin, pg + begin, stepA && pa ? pa + begin : pa, stepA, stepB && pb ? pb + begin : pb, stepB,
             py ? py + begin : nullptr, to + begin);
    });
    return result;
  });
}

}  // namespace dl::engine
