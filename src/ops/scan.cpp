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

// Runs a kernel that may write over what it reads; body(const T* x, T* y).
template <class Body>
DlArray likeFirst(const Inputs& in, Body&& body) {
  DlArray* spare = in.recyclable(0);
  DlArray y = spare ? Storage::recycled(std::move(*spare), Storage::shape(*spare), Storage::of(*spare).type)
                    : Storage::make(Storage::shape(in[0]), Storage::of(in[0]).type);
  const DlArray& x = spare ? y : in[0];
  if (Storage::of(y).type == Type::Single)
    body(Storage::data<float>(x), Storage::mutableData<float>(y));
  else
    body(Storage::data<double>(x), Storage::mutableData<double>(y));
  return y;
}

struct RunningSum {
  static constexpr const char* name = "cumsum";
  static constexpr unsigned kept = 0;
  Lanes along;
  Direction direction;

  DlArray evaluate(const Inputs& in) const {
    return likeFirst(in, [&](const auto* x, auto* y) { cpu::cumsum(x, along.inner, along.count, along.outer, direction, y); });
  }
  void gradient(Backward& b) const { b.add(0, runningSum(b.take(), along, opposite(direction))); }
};

// Its derivative takes no quotients, so that zeros do no harm: with y(k) = x(0) ... x(k), the gradient by x(i) is the product of
// what comes before x(i), times the sum over k >= i of g(k) x(i + 1) ... x(k). That sum is a linear recurrence from the end.
struct RunningProduct {
  static constexpr const char* name = "cumprod";
  static constexpr unsigned kept = 1U | engine::keptResult;
  Lanes along;
  Direction direction;

  DlArray evaluate(const Inputs& in) const {
    return likeFirst(in, [&](const auto* x, auto* y) { cpu::cumprod(x, along.inner, along.count, along.outer, direction, y); });
  }
  void gradient(Backward& b) const {
    const int step = stepOf(direction);
    DlArray behind = recurrence(shiftAlong(b.input(0), along, -step, 0), b.take(), along, opposite(direction));
    b.add(0, std::move(behind) % shiftAlong(b.result(), along, step, 1));
  }
};

struct Shift {
  static constexpr const char* name = "shift";
  static constexpr unsigned kept = 0;
  Lanes along;
  int steps;
  float fill;

  Result infer(const Inputs& in) const { return {Storage::shape(in[0]), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const auto [inner, count, outer] = along;
    if (Storage::of(y).type == Type::Single)
      cpu::shiftAlong(Storage::data<float>(in[0]), inner, count, outer, steps, fill, Storage::mutableData<float>(y));
    else
      cpu::shiftAlong(Storage::data<double>(in[0]), inner, count, outer, steps, double{fill}, Storage::mutableData<double>(y));
  }
  void gradient(Backward& b) const { b.add(0, shiftAlong(b.gradient(), along, -steps, 0)); }
};

// Closed under differentiation: the gradient by b is a recurrence with the same coefficients, run the other way.
struct Recurrence {
  static constexpr const char* name = "recurrence";
  Lanes along;
  Direction direction;

  static unsigned keep(unsigned traced) { return 1U | ((traced & 1U) ? engine::keptResult : 0U); }
  Result infer(const Inputs& in) const { return {Storage::shape(in[1]), Storage::of(in[1]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    if (Storage::of(y).type == Type::Single)
      recur<float>(in, y);
    else
      recur<double>(in, y);
  }
  template <class T>
  void recur(const Inputs& in, DlArray& y) const {
    cpu::recurrence(Storage::data<T>(in[0]), Storage::data<T>(in[1]), along.inner, along.count, along.outer, direction,
                    Storage::mutableData<T>(y));
  }
  void gradient(Backward& b) const {
    const int step = stepOf(direction);
    const DlArray byB = recurrence(shiftAlong(b.input(0), along, -step, 0), b.take(), along, opposite(direction));
    if (b.needs(0)) b.add(0, byB % shiftAlong(b.result(), along, step, 0));
    if (b.needs(1)) b.add(1, byB);
  }
};

}  // namespace

DlArray shiftAlong(const Operand& x, const Lanes& along, int steps, float fill) {
  return engine::apply(Shift{along, steps, fill}, x);
}

DlArray recurrence(const Operand& a, const Operand& b, const Lanes& along, Direction direction) {
  return engine::apply(Recurrence{along, direction}, a, b);
}

DlArray runningSum(const Operand& x, const Lanes& along, Direction direction) {
  return engine::apply(RunningSum{along, direction}, x);
}

DlArray runningProduct(const Operand& x, const Lanes& along, Direction direction) {
  return engine::apply(RunningProduct{along, direction}, x);
}

DlArray productBefore(const DlArray& x, const Lanes& along, Direction direction) {
  return shiftAlong(runningProduct(x, along, direction), along, stepOf(direction), 1);
}

DlArray cumsum(Operand x, const Dimensions& dimension) {
  if (Storage::of(x).type == Type::Logical) return cumsum(Operand(engine::numbers(x), x.where()), dimension);
  return runningSum(x, lanes(Storage::of(x).size, resolveDimension(dimension, x, "cumsum", x.where())), Direction::forward);
}

DlArray cumprod(Operand x, const Dimensions& dimension) {
  if (Storage::of(x).type == Type::Logical) return cumprod(Operand(engine::numbers(x), x.where()), dimension);
  return runningProduct(x, lanes(Storage::of(x).size, resolveDimension(dimension, x, "cumprod", x.where())), Direction::forward);
}

}  // namespace dl
