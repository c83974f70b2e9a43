#include "cpu/reduce.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "ops/dimensions.hpp"

#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/reduction.hpp>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;
using engine::Result;

// Sizes with the reduced dimensions at 1; labels stay.
Shape reducedShape(const Shape& shape, std::uint32_t reduced) {
  Shape result = shape;
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (reduced >> d & 1U) result.size[d] = 1;
  dropTrailing(result);
  return result;
}

std::vector<cpu::ReducedExtent> extents(const Size& size, std::uint32_t reduced) {
  std::vector<cpu::ReducedExtent> dims;
  for (std::size_t d = 0; d < size.size(); ++d) dims.push_back({size[d], (reduced >> d & 1U) != 0});
  return dims;
}

struct Sum {
  static constexpr const char* name = "sum";
  static constexpr unsigned kept = 0;
  std::uint32_t reduced;

  DlArray evaluate(const Inputs& in) const {
    const auto& h = Storage::of(in[0]);
    DlArray y = Storage::make(reducedShape({h.size, h.format}, reduced), h.type);
    const auto dims = extents(h.size, reduced);
    if (h.type == Type::Single)
      cpu::reduce(cpu::Reduction::sum, Storage::data<float>(in[0]), dims, Storage::mutableData<float>(y));
    else
      cpu::reduce(cpu::Reduction::sum, Storage::data<double>(in[0]), dims, Storage::mutableData<double>(y));
    return y;
  }
  void gradient(Backward& b) const { b.add(0, engine::expandTo(b.gradient(), b.shape(0))); }
};

}  // namespace

DlArray sum(Operand x, const Dimensions& dimensions) {
  if (Storage::of(x).type == Type::Logical) return sum(Operand(engine::castTo(x, Type::Double), x.where()), dimensions);
  return engine::apply(Sum{resolveDimensions(dimensions, x, "sum", x.where())}, x);
}

}  // namespace dl
