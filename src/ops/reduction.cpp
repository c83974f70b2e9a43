#include "cpu/reduce.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "ops/along.hpp"
#include "ops/reduction.hpp"

#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/reduction.hpp>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;
using engine::Result;

// Sums of a few elements make up whole objectives, so that nothing on this way allocates but the result.
struct Sum {
  static constexpr const char* name = "sum";
  static constexpr unsigned kept = 0;
  std::uint32_t set;

  DlArray evaluate(const Inputs& in) const {
    const auto& h = Storage::of(in[0]);
    const auto disappears = [&](unsigned d) { return (set >> d & 1U) || h.size[d] == 1; };
    const bool toScalar = h.size.size() == 2 && !h.format.labelled() && disappears(0) && disappears(1);
    DlArray y = toScalar ? Storage::adopt(Storage::scalar(h.type)) : Storage::make(reducedShape({h.size, h.format}, set), h.type);
    const Extents extents(h.size, set);
    if (h.type == Type::Single)
      cpu::reduce(cpu::Reduction::sum, static_cast<const float*>(h.data), extents.get(), Storage::mutableData<float>(y));
    else
      cpu::reduce(cpu::Reduction::sum, static_cast<const double*>(h.data), extents.get(), Storage::mutableData<double>(y));
    return y;
  }
  void gradient(Backward& b) const {
    if (b.isNumber())
      b.addEverywhere(0, b.number());
    else if (!b.recorded() && numel(b.gradient()) == 1)
      b.addEverywhere(0, double(b.gradient()));
    else
      b.add(0, engine::expandTo(b.gradient(), b.shape(0)));
  }
};

struct Product {
  static constexpr const char* name = "prod";
  static constexpr unsigned kept = 1;
  std::uint32_t set;  // neighbours

  Result infer(const Inputs& in) const { return {reducedShape(Storage::shape(in[0]), set), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const Extents extents(Storage::of(in[0]).size, set);
    if (Storage::of(y).type == Type::Single)
      cpu::reduce(cpu::Reduction::prod, Storage::data<float>(in[0]), extents.get(), Storage::mutableData<float>(y));
    else
      cpu::reduce(cpu::Reduction::prod, Storage::data<double>(in[0]), extents.get(), Storage::mutableData<double>(y));
  }
  // Each element's factor is the product of all before it and all behind it: no quotient that a zero would spoil.
  void gradient(Backward& b) const {
    const DlArray& x = b.input(0);
    Lanes along;
    lanes(Storage::of(x).size, set, along);
    DlArray others = productBefore(x, along, cpu::Direction::forward) % productBefore(x, along, cpu::Direction::reverse);
    b.add(0, std::move(others) % b.gradient());
  }
};

Index countOver(const Size& size, std::uint32_t set) {
  Index n = 1;
  for (std::size_t d = 0; d < size.size(); ++d)
    if (set >> d & 1U) n *= size[d];
  return n;
}

// The short way of `sum` over all of a few elements.
DlArray sumOfFew(const Operand& x) {
  const auto& h = Storage::of(x);
  DlArray y = Storage::adopt(Storage::scalar(h.type));
  const cpu::ReducedExtent extent{h.numel, true};
  if (h.type == Type::Single)
    cpu::reduce(cpu::Reduction::sum, static_cast<const float*>(h.data), {&extent, 1}, Storage::mutableData<float>(y));
  else
    cpu::reduce(cpu::Reduction::sum, static_cast<const double*>(h.data), {&extent, 1}, Storage::mutableData<double>(y));
  Storage::get(y)->origin = h.origin;
  engine::Trace* trace = engine::Trace::current();
  if (const std::uint32_t from = engine::tracedNode(trace, x)) {
    static_assert(engine::detail::trivial<Sum>);
    engine::Node& node = engine::appendArray(*trace, engine::detail::RuleOf<Sum>::rule, 1, from, 0, y);
    node.keeps = false;
    node.parameters = new (node.nearParameters) Sum{3};
  }
  return y;
}

bool isSumOfFew(const DlArray& x, const Dimensions& dimensions) {
  constexpr Index few = 4096;
  const auto& h = Storage::of(x);
  if (h.numel < 1 || h.numel > few || h.device != Device::Cpu || h.size.size() != 2 || h.format.labelled()) return false;
  return dimensions.kind() == Dimensions::Kind::All ||
         (dimensions.kind() == Dimensions::Kind::None && (h.size[0] == 1 || h.size[1] == 1));
}

DlArray sumOver(const Operand& x, std::uint32_t set) { return engine::apply(Sum{set}, x); }

DlArray meanOver(const Operand& x, std::uint32_t set) {
  const double n = static_cast<double>(countOver(Storage::of(x).size, set));
  return n == 1 ? DlArray(x) : sumOver(x, set) / numberLike(x, n);
}

// Composed of other operations it would take two more passes and keep the deviations; its derivative needs x alone.
struct Variance {
  static constexpr const char* name = "var";
  static constexpr unsigned kept = 1;
  std::uint32_t set;
  double divisor;

  DlArray evaluate(const Inputs& in) const {
    const Shape shape = Storage::shape(in[0]);
    const DlArray x = Storage::reshaped(in[0], shape);  // untraced
    const DlArray deviations = x - meanOver(x, set);
    DlArray y = Storage::make(reducedShape(shape, set), Storage::of(x).type);
    const Extents extents(shape.size, set);
    const auto run = [&](auto zero) {
      using T = decltype(zero);
      T* to = Storage::mutableData<T>(y);
      cpu::reduce(cpu::Reduction::sumSquares, Storage::data<T>(deviations), extents.get(), to);
      for (Index i = 0; i < numel(y); ++i) to[i] /= static_cast<T>(divisor);
    };
    withElementType(Storage::of(y).type, run);
    return y;
  }
  void gradient(Backward& b) const {
    const DlArray& x = b.input(0);
    b.add(0, (x - meanOver(x, set)) % (b.take() % numberLike(x, 2 / divisor)));
  }
};

template <bool isAny>
struct Question {
  static constexpr const char* name = isAny ? "any" : "all";
  std::uint32_t set;

  Result infer(const Inputs& in) const { return {reducedShape(Storage::shape(in[0]), set), Type::Logical}; }
  void run(const Inputs& in, DlArray& y) const {
    switch (Storage::of(in[0]).type) {
      case Type::Single:
        return ask<float>(in, y);
      case Type::Logical:
        return ask<bool>(in, y);
      default:
        return ask<double>(in, y);
    }
  }
  template <class T>
  void ask(const Inputs& in, DlArray& y) const {
    const Extents extents(Storage::of(in[0]).size, set);
    cpu::reduceLogical(isAny ? cpu::Reduction::any : cpu::Reduction::all, Storage::data<T>(in[0]), extents.get(),
                       Storage::mutableData<bool>(y));
  }
};

bool isLogical(const DlArray& x) { return Storage::of(x).type == Type::Logical; }
// A logical operand's numbers, which the functions below then work with in its place.
struct Numbers {
  explicit Numbers(const Operand& x) : array(engine::numbers(x)), operand(array, x.where()) {}
  DlArray array;
  Operand operand;
};

DlArray variance(const Operand& x, int weight, const Dimensions& dimensions, const char* function) {
  if (isLogical(x)) return variance(Numbers(x).operand, weight, dimensions, function);
  if (weight != 0 && weight != 1)
    fail(x.where(), "var:weight", "{}: the weight is {}; it is 0 to divide by n - 1, or 1 to divide by n", function, weight);
  const std::uint32_t set = resolveDimensions(dimensions, x, function, x.where());
  const Index n = countOver(Storage::of(x).size, set);
  return engine::apply(Variance{set, static_cast<double>(weight == 0 && n > 1 ? n - 1 : n)}, x);
}

}  // namespace

DlArray sum(Operand x, const Dimensions& dimensions) {
  if (isLogical(x)) return sum(Numbers(x).operand, dimensions);
  if (isSumOfFew(x, dimensions)) return sumOfFew(x);
  return sumOver(x, resolveDimensions(dimensions, x, "sum", x.where()));
}

DlArray mean(Operand x, const Dimensions& dimensions) {
  if (isLogical(x)) return mean(Numbers(x).operand, dimensions);
  return meanOver(x, resolveDimensions(dimensions, x, "mean", x.where()));
}

DlArray prod(Operand x, const Dimensions& dimensions) {
  if (isLogical(x)) return prod(Numbers(x).operand, dimensions);
  std::uint32_t rest = resolveDimensions(dimensions, x, "prod", x.where());
  DlArray y = x;
  while (const std::uint32_t neighbours = firstNeighbours(Storage::of(y).size, rest)) {
    y = engine::apply(Product{neighbours}, Operand(y, x.where()));
    rest &= ~neighbours;
  }
  return y;
}

DlArray var(Operand x, int weight, const Dimensions& dimensions) { return variance(x, weight, dimensions, "var"); }
DlArray stddev(Operand x, int weight, const Dimensions& dimensions) { return sqrt(variance(x, weight, dimensions, "stddev")); }

DlArray any(Operand x, const Dimensions& dimensions) {
  return engine::apply(Question<true>{resolveDimensions(dimensions, x, "any", x.where())}, x);
}

DlArray All::operator()(Operand x, const Dimensions& dimensions) const {
  return engine::apply(Question<false>{resolveDimensions(dimensions, x, "all", x.where())}, x);
}

}  // namespace dl
