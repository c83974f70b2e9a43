#include "nn/convolve.hpp"

#include <algorithm>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;
using engine::Result;

// Without a factor there is nothing to sum.
template <class T>
bool nothingToSum(const Inputs& in, DlArray& y) {
  if (numel(in[0]) > 0 && numel(in[1]) > 0) return false;
  std::fill_n(Storage::mutableData<T>(y), numel(y), T(0));
  return true;
}

template <class T>
DlArray workspace(Index elements) {
  return Storage::make({Size::matrix(elements, 1), {}}, typeOf<T>);
}

template <class Kernel>
void runAs(const Inputs& in, DlArray& y, Kernel kernel) {
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    if (!nothingToSum<T>(in, y)) kernel(Storage::data<T>(in[0]), Storage::data<T>(in[1]), Storage::mutableData<T>(y));
  };
  withElementType(Storage::of(y).type, run);
}

// Of two factors, each is kept for the gradient by the other.
unsigned keepOther(unsigned traced) { return (traced & 1U) << 1 | (traced >> 1 & 1U); }

DlArray weightsOf(const cpu::Convolution& p, const Operand& x, const Operand& results);

// Without a third input, or with one: a bias of the results' type, with a number for each of their channels.
struct Convolve {
  static constexpr const char* name = "dlconv";
  cpu::Convolution p;

  static unsigned keep(unsigned traced) { return keepOther(traced); }
  Result infer(const Inputs& in) const { return {resultsShape(p), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    runAs(in, y, [&]<class T>(const T* x, const T* w, T* to) {
      cpu::convolve(p, x, w, to, in.count() > 2 ? Storage::data<T>(in[2]) : nullptr);
    });
  }
  void gradient(Backward& b) const {
    if (b.needs(0)) b.add(0, spread(p, b.gradient(), b.input(1)));
    if (b.needs(1)) b.add(1, weightsOf(p, b.input(0), b.gradient()));
    if (b.inputs() > 2 && b.needs(2)) b.add(2, b.gradient());
  }
};

struct Spread {
  static constexpr const char* name = "dltranspconv";
  cpu::Convolution p;

  static unsigned keep(unsigned traced) { return keepOther(traced); }
  Result infer(const Inputs& in) const { return {dataShape(p), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    runAs(in, y, [&]<class T>(const T* results, const T* w, T* to) {
      const DlArray room = workspace<T>(numel(in[1]));
      cpu::convolveDataGradient(p, results, w, to, Storage::mutableData<T>(room));
    });
  }
  void gradient(Backward& b) const {
    if (b.needs(0)) b.add(0, convolved(p, b.gradient(), b.input(1)));
    if (b.needs(1)) b.add(1, weightsOf(p, b.gradient(), b.input(0)));
  }
};

struct WeightsOf {
  static constexpr const char* name = "dlconvWeights";
  cpu::Convolution p;

  static unsigned keep(unsigned traced) { return keepOther(traced); }
  Result infer(const Inputs& in) const { return {weightsShape(p), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    runAs(in, y, [&]<class T>(const T* x, const T* results, T* to) {
      const DlArray room = workspace<T>(numel(y));
      cpu::convolveWeightGradient(p, x, results, to, Storage::mutableData<T>(room));
    });
  }
  void gradient(Backward& b) const {
    if (b.needs(0)) b.add(0, spread(p, b.input(1), b.gradient()));
    if (b.needs(1)) b.add(1, convolved(p, b.input(0), b.gradient()));
  }
};

DlArray weightsOf(const cpu::Convolution& p, const Operand& x, const Operand& results) {
  return engine::apply(WeightsOf{p}, x, results);
}

Shape shapeOf(const cpu::Convolution& p, Index cpu::ConvolutionAxis::*size, std::initializer_list<Index> more) {
  Shape shape;
  for (const cpu::ConvolutionAxis& a : p.axis) shape.size.push_back(a.*size);
  for (const Index n : more) shape.size.push_back(n);
  dropTrailing(shape);
  return shape;
}

}  // namespace

DlArray convolved(const cpu::Convolution& p, const Operand& x, const Operand& weights) {
  return engine::apply(Convolve{p}, x, weights);
}
DlArray convolved(const cpu::Convolution& p, const Operand& x, const Operand& weights, const Operand& bias) {
  return engine::apply(Convolve{p}, x, weights, bias);
}
DlArray spread(const cpu::Convolution& p, const Operand& results, const Operand& weights) {
  return engine::apply(Spread{p}, results, weights);
}

Shape dataShape(const cpu::Convolution& p) { return shapeOf(p, &cpu::ConvolutionAxis::in, {p.channels * p.groups, p.batch}); }
Shape weightsShape(const cpu::Convolution& p) {
  return shapeOf(p, &cpu::ConvolutionAxis::filter, {p.channels, p.filters, p.groups});
}
Shape resultsShape(const cpu::Convolution& p) { return shapeOf(p, &cpu::ConvolutionAxis::out, {p.filters * p.groups, p.batch}); }

}  // namespace dl
