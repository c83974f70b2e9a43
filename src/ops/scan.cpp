#include "cpu/along.hpp"
#include "engine/elementwise.hpp"
#include "ops/along.hpp"

#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/scan.hpp>

namespace dl {

namespace {

using cpu::Direction;
using engine::Backward;
using engine::Inputs;
using engine::Result;

Direction opposite(Direction direction) { return direction == Direction::forward ? Direction::reverse : Direction::forward; }
int stepOf(Direction direction) { return direction == Direction::forward ? 1 : -1; }

// An array like the first input to write the result to: its own memory when nobody else sees it.
DlArray resultLike(const Inputs& in) {
  if (DlArray* x = in.recyclable(0)) return Storage::recycled(std::move(*x), Storage::shape(*x), Storage::of(*x).type);
  return Storage::make(Storage::shape(in[0]), Storage::of(in[0]).type);
}

struct RunningSum {
  static constexpr const char* name = "cumsum";
  static constexpr unsigned kept = 0;
  Lanes along;
  Direction direction;

  DlArray evaluate(const Inputs& in) const {
    const DlArray x = Storage::reshaped(in[0], Storage::shape(in[0]));
    DlArray y = Storage::make(Storage::shape(x), Storage::of(x).type);
    if (Storage::of(y).type == Type::Single)
      cpu::cumsum(Storage::data<float>(x), along.inner, along.count, along.outer, direction, Storage::mutableData<float>(y));
    else
      cpu::cumsum(Storage::data<double>(x), along.inner, along.count, along.outer, direction, Storage::mutableData<double>(y));
    return y;
  }
  void gradient(Backward& b) const { b.add(0, runningSum(b.take(), along, opposite(direction))); }
};
}}
