#include <dlarray/nn/activation.hpp>

#include "cpu/activation.hpp"
#include "cpu/random.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "formulas/binary.hpp"
#include "formulas/unary.hpp"
#include "nn/data_format.hpp"
#include "ops/dimensions.hpp"
#include "ops/random.hpp"

#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/reduction.hpp>

#include <bit>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;

// Linear, and its own transpose. No mask is kept: the same numbers are made again on the way back, which costs less than it would
// to write one and read it.
struct Dropout {
  static constexpr const char* name = "dropout";
  static constexpr unsigned kept = 0;
  double p;
  RandomState numbers;

  engine::Result infer(const Inputs& in) const { return {Storage::shape(in[0]), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    withElementType(Storage::of(y).type, [&]<class T>(T) {
      cpu::dropout(Storage::data<T>(in[0]), numel(y), static_cast<T>(p), static_cast<T>(1 / (1 - p)), numbers.seed,
                   numbers.position, Storage::mutableData<T>(y));
    });
  }
  void gradient(Backward& b) const { b.add(0, engine::apply(*this, b.take())); }
};

struct Softmax {
  static constexpr const char* name = "softmax";
  static constexpr unsigned kept = engine::keptResult;
  std::uint32_t dimension;

  DlArray evaluate(const Inputs& in) const {
    const DlArray& x = in[0];
    const Lanes l = lanes(Storage::of(x).size, std::size_t{dimension});
    const Shape shape = Storage::shape(x);
    const Type type = Storage::of(x).type;
    const void* elements = Storage::data<void>(x);
    DlArray* spare = in.recyclable(0);
    DlArray y = spare ? Storage::recycled(std::move(*spare), shape, type) : Storage::make(shape, type);
    withElementType(Storage::of(y).type, [&]<class T>(T) {
      T* to = Storage::mutableData<T>(y);
      cpu::softmax(spare ? to : static_cast<const T*>(elements), l.inner, l.count, l.outer, to);
    });
    return y;
  }
  void gradient(Backward& b) const {
    const DlArray& y = b.result();
    if (b.recorded())
      b.add(0, y % (b.gradient() - sum(b.gradient() % y, static_cast<int>(dimension))));
    else
      b.add(0, fused(b.take(), y));
  }
  DlArray fused(DlArray g, const DlArray& y) const {
    const Lanes l = lanes(Storage::of(y).size, std::size_t{dimension});
    DlArray result = Storage::unique(g) ? std::move(g) : Storage::makeLike(y, Storage::of(y).type);
    withElementType(Storage::of(y).type, [&]<class T>(T) {
      T* to = Storage::mutableData<T>(result);
      const T* from = Storage::get(g) ? Storage::data<T>(g) : to;
      cpu::softmaxGradient(from, Storage::data<T>(y), l.inner, l.count, l.outer, to);
    });
    return result;
  }
};

DlArray floating(const Operand& x) { return engine::castTo(x, engine::promote(Storage::of(x).type, Type::Double)); }

}  // namespace

DlArray relu(Operand x) { return engine::unary<formula::Relu>(x); }
DlArray leakyrelu(Operand x, double scaleFactor) {
  return engine::binary<formula::LeakyRelu>(x, Operand(scaleFactor, x.where()));
}
DlArray elu(Operand x, double alpha) { return engine::binary<formula::Elu>(x, Operand(alpha, x.where())); }
DlArray sigmoid(Operand x) { return engine::unary<formula::Sigmoid>(x); }
DlArray softplus(Operand x) { return engine::unary<formula::Softplus>(x); }
DlArray swish(Operand x) { return engine::unary<formula::Swish>(x); }
DlArray mish(Operand x) { return engine::unary<formula::Mish>(x); }

DlArray gelu(Operand x, const GeluOptions& options) {
  if (options.approximation == "none") return engine::unary<formula::Gelu>(x);
  if (options.approximation == "tanh") return engine::unary<formula::GeluTanh>(x);
  fail(x.where(), "gelu:approximation", "gelu: .approximation = \"{}\" is neither \"none\" nor \"tanh\"", options.approximation);
}

namespace {
DlArray softmaxOfLabelled(const Operand& x) {
  const std::uint32_t channels = dimensionsWith(Storage::shape(x), "C");
  if (!channels)
    fail(x.where(), "softmax:channels", "softmax: {} has no dimension labelled C, over which the results would sum up to 1",
         describe(x));
  if (Storage::of(x).type == Type::Logical) return softmaxOfLabelled(Operand(floating(x), x.where()));
  return engine::apply(Softmax{static_cast<std::uint32_t>(std::countr_zero(channels))}, x);
}
}  // namespace

DlArray softmax(Operand x, const SoftmaxOptions& options) {
  if (options.dataFormat.empty() && Storage::shape(x).format.labelled()) return softmaxOfLabelled(x);
  LabelledData data(x, options.dataFormat, "softmax");
  return data.result(softmaxOfLabelled(data.take(x.where())));
}

DlArray dropout(Operand x, double p) {
  if (!(p >= 0 && p < 1)) fail(x.where(), "dropout:probability", "dropout: the probability {} is not in [0, 1)", p);
  const DlArray wide = floating(x);
  if (p == 0) return wide;
  return engine::apply(Dropout{p, takeUniform(numel(wide), Storage::of(wide).type)}, wide);
}

}  // namespace dl
