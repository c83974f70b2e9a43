#include "ops/along.hpp"

#include "cpu/along.hpp"

#include <algorithm>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;
using engine::Result;

Index positionsPerLane(const DlArray& positions, const Lanes& l) { return numel(positions) / (l.inner * l.outer); }

struct Gather {
  static constexpr const char* name = "gatherAlong";
  static constexpr unsigned kept = 1U << 1;
  Lanes along;

  Result infer(const Inputs& in) const { return {Storage::shape(in[1]), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    switch (Storage::of(y).type) {
      case Type::Single:
        return pick<float>(in, y);
      case Type::Logical:
        return pick<bool>(in, y);
      default:
        return pick<double>(in, y);
    }
  }
  template <class T>
  void pick(const Inputs& in, DlArray& y) const {
    cpu::gatherAlong(Storage::data<T>(in[0]), along.inner, along.count, along.outer, Storage::data<double>(in[1]),
                     positionsPerLane(y, along), Storage::mutableData<T>(y));
  }
  void gradient(Backward& b) const {
    if (b.needs(0)) b.add(0, scatterAlong(b.gradient(), b.input(1), along, b.shape(0)));
  }
};

struct Scatter {
  static constexpr const char* name = "scatterAlong";
  static constexpr unsigned kept = 1U << 1;
  Lanes along;
  Shape to;

  Result infer(const Inputs& in) const { return {to, Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    if (Storage::of(y).type == Type::Single)
      add<float>(in, y);
    else
      add<double>(in, y);
  }
  template <class T>
  void add(const Inputs& in, DlArray& y) const {
    T* sums = Storage::mutableData<T>(y);
    std::fill(sums, sums + numel(y), T(0));
    cpu::scatterAddAlong(Storage::data<T>(in[0]), along.inner, along.count, along.outer, Storage::data<double>(in[1]),
                         positionsPerLane(in[0], along), sums);
  }
  void gradient(Backward& b) const {
    if (b.needs(0)) b.add(0, gatherAlong(b.gradient(), b.input(1), along));
  }
};

}  // namespace

DlArray gatherAlong(const Operand& x, const Operand& positions, const Lanes& along) {
  return engine::apply(Gather{along}, x, positions);
}

DlArray scatterAlong(const Operand& values, const Operand& positions, const Lanes& along, const Shape& shape) {
  return engine::apply(Scatter{along, shape}, values, positions);
}

}  // namespace dl
