#include "engine/fit.hpp"

#include "cpu/elementwise.hpp"
#include "cpu/parallel.hpp"
#include "cpu/reduce.hpp"
#include "cpu/region.hpp"
#include "engine/elementwise.hpp"
#include "formulas/binary.hpp"

#include <algorithm>
#include <cmath>

namespace dl::engine {

namespace {

struct Reshape {
  static constexpr const char* name = "reshape";
  static constexpr unsigned kept = 0;
  Shape to;
  DlArray evaluate(const Inputs& in) const {
    const Type type = Storage::of(in[0]).type;
    DlArray* const x = in.recyclable(0);
    return x ? Storage::recycled(std::move(*x), to, type) : Storage::reshaped(in[0], to);
  }
  void gradient(Backward& b) const { b.add(0, reshapeTo(b.take(), b.shape(0))); }
};

struct Relabel : Reshape {
  static constexpr const char* name = "relabel";
  static constexpr bool sameVariable = true;
};

struct Expand {
  static constexpr const char* name = "expand";
  static constexpr unsigned kept = 0;
  Shape to;
  DlArray evaluate(const Inputs& in) const {
    const DlArray& x = in[0];
    if (numel(x) == 1) {
      double value;
      dl::detail::copyOut(x, &value, Type::Double);
      return filled(to, Storage::of(x).type, value);
    }
    DlArray y = Storage::make(to, Storage::of(x).type);
    if (numel(y) > 0) repeat(in, y);
    return y;
  }
  void repeat(const Inputs& in, DlArray& y) const {
    const Expansion e = mergeFormats(Storage::shape(in[0]), to, name, in.where());
    std::vector<cpu::Selection> part(e.a.size());
    Size full = to.size;
    full.resize(e.a.size());
    for (std::size_t d = 0; d < part.size(); ++d) part[d] = {0, e.a[d] == full[d] ? 1 : 0, full[d], nullptr};
    cpu::gather(Storage::data<void>(in[0]), bytesOf(Storage::of(y).type), {e.a.begin(), e.a.size()}, part,
                Storage::mutableData<void>(y));
  }
  void gradient(Backward& b) const { b.add(0, b.take()); }  // `add` sums
};

struct SumTo {
  static constexpr const char* name = "sumTo";
  static constexpr unsigned kept = 0;
  Shape to;
  Result infer(const Inputs& in) const { return {to, Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const Expansion e = mergeFormats(to, Storage::shape(in[0]), name, in.where());
    cpu::ReducedExtent extents[Size::maxDimensions];
    for (std::size_t d = 0; d < e.b.size(); ++d) extents[d] = {e.b[d], e.a[d] == 1};
    const std::span<const cpu::ReducedExtent> dims(extents, e.b.size());
    if (Storage::of(y).type == Type::Single)
      cpu::reduce(cpu::Reduction::sum, Storage::data<float>(in[0]), dims, Storage::mutableData<float>(y));
    else
      cpu::reduce(cpu::Reduction::sum, Storage::data<double>(in[0]), dims, Storage::mutableData<double>(y));
  }
  void gradient(Backward& b) const { b.add(0, expandTo(b.gradient(), b.shape(0))); }
};

// Which of two arrays each element comes from.
struct Select {
  static constexpr const char* name = "select";
  static constexpr unsigned kept = 1;
  Result infer(const Inputs& in) const {
    const DlArray& large = numel(in[0]) >= numel(in[1]) && numel(in[0]) >= numel(in[2]) ? in[0]
                           : numel(in[1]) >= numel(in[2])                               ? in[1]
                                                                                        : in[2];
    return {Storage::shape(large), Storage::of(in[1]).type};
  }
  void run(const Inputs& in, DlArray& y) const;
  void gradient(Backward& b) const {
    if (b.needs(1)) b.add(1, select(b.input(0), b.gradient(), 0.0));
    if (b.needs(2)) b.add(2, select(b.input(0), 0.0, b.gradient()));
  }
};

void Select::run(const Inputs& in, DlArray& y) const {
  const auto loop = [&](auto zero) {
    using T = decltype(zero);
    const Index n = numel(y);
    const int step[] = {numel(in[0]) == n, numel(in[1]) == n, numel(in[2]) == n};
    const bool* c = Storage::data<bool>(in[0]);
    const T *a = Storage::data<T>(in[1]), *b = Storage::data<T>(in[2]);
    T* to = Storage::mutableData<T>(y);
    const auto kernel = cpu::elementwiseKernels<T>().select;
    cpu::parallelFor(n, Index{1} << 15, [&](Index begin, Index end) {
      kernel(end - begin, c + begin * step[0], step[0], a + begin * step[1], step[1], b + begin * step[2], step[2], to + begin);
    });
  };
  withElementType(Storage::of(y).type, loop);
}
}  // namespace

DlArray reshapeTo(const Operand& x, const Shape& shape) {
  if (Storage::shape(x) == shape) return x;
  return apply(Reshape{shape}, x);
}

DlArray relabel(const Operand& x, const Shape& shape) { return apply(Relabel{{shape}}, x); }

DlArray expandTo(const Operand& x, const Shape& shape) {
  if (Storage::shape(x) == shape) return x;
  if (numel(x) == numel(shape.size)) return reshapeTo(x, shape);
  return apply(Expand{shape}, x);
}

DlArray sumTo(const Operand& x, const Shape& shape) {
  if (Storage::shape(x) == shape) return x;
  if (numel(x) == numel(shape.size)) return reshapeTo(x, shape);
  return apply(SumTo{shape}, x);
}

namespace {
template <class T>
void fill(const DlArray& y, T value) {
  const T nothing = T(-0.0);  // the one number that changes no other when added
  T* to = Storage::mutableData<T>(y);
  // A sum of two numbers that stand still is a vectorised loop of writes.
  const auto kernel = cpu::elementwiseKernels<T>().binary[formula::BinaryFormulas::position<formula::Plus>()].value;
  cpu::parallelFor(Storage::of(y).numel, Index{1} << 18,
                   [&](Index begin, Index end) { kernel(end - begin, &value, 0, &nothing, 0, to + begin); });
}
}  // namespace

DlArray filled(const Shape& shape, Type type, double value) {
  DlArray y = Storage::make(shape, type);
  constexpr std::size_t few = std::size_t{1} << 16;  // bytes that no second thread helps with
  if (const std::size_t bytes = static_cast<std::size_t>(Storage::of(y).numel) * bytesOf(type);
      value == 0 && !std::signbit(value) && bytes <= few)
    std::memset(Storage::mutableData<void>(y), 0, bytes);
  else if (type == Type::Double)
    fill(y, value);
  else if (type == Type::Single)
    fill(y, static_cast<float>(value));
  else
    std::fill_n(Storage::mutableData<bool>(y), static_cast<std::size_t>(numel(y)), value != 0);
  return y;
}

DlArray select(const Operand& condition, const Operand& a, const Operand& b) {
  const auto& where = condition.where();
  const DlArray c = castTo(condition, Type::Logical);
  const Type type = numberType(promote(Storage::of(a).type, Storage::of(b).type));
  DlArray x = castTo(a, type), y = castTo(b, type);
  const Shape shape =
      mergeFormats(mergeFormats(Storage::shape(c), Storage::shape(x), "select", where).result, Storage::shape(y), "select", where)
          .result;
  const bool empty = numel(shape.size) == 0;  // then no number stands for all elements
  const auto fit = [&](const DlArray& v) { return Storage::plainScalar(v) && !empty ? v : expandTo(v, shape); };
  DlArray c1 = fit(c), x1 = fit(x), y1 = fit(y);
  if (numel(c1) != numel(shape.size) && numel(x1) != numel(shape.size) && numel(y1) != numel(shape.size))
    c1 = expandTo(c1, shape);
  return apply(Select(), Operand(c1, where), x1, y1);
}

}  // namespace dl::engine
