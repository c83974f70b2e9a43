#include "engine/fit.hpp"
#include "engine/symbol.hpp"
#include "nn/loss.hpp"
#include "ops/along.hpp"

#include <dlarray/nn/loss.hpp>
#include <dlarray/ops/elementwise.hpp>

#include <algorithm>
#include <bit>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;
using formula::CrossEntropy;
using formula::Symbol;
using losses::Common;

constexpr const char* function = "indexcrossentropy";

// The arrays of the loss as its kernels take them. Predictions lie along `channel`, targets and mask have a 1 there.
template <class T>
struct Arrays {
  cpu::ClassLosses<T> losses;

  Arrays(std::size_t channel, const DlArray& y, const DlArray& t, const DlArray& w, const DlArray& m) {
    const Size& size = Storage::of(y).size;
    const Lanes along = lanes(size, channel);
    losses = {
        .predictions = Storage::data<T>(y), .inner = along.inner, .classes = along.count, .outer = along.outer, .targets = {}};
    if (Storage::of(t).type == Type::Single)
      losses.targets.narrow = Storage::data<float>(t);
    else
      losses.targets.wide = Storage::data<double>(t);
    if (Storage::get(w)) {
      losses.weights = Storage::data<T>(w);
      lay(Storage::of(w).size, size, channel);
    }
    if (Storage::get(m)) {
      Size targets = size;
      targets[channel] = 1;
      losses.mask = Storage::data<bool>(m);
      losses.maskLies = losses::overlayOf(Storage::of(m).size, targets);
    }
  }
  /// Says how weights of a size lie over the predictions.
  void lay(const Size& weights, const Size& size, std::size_t channel) {
    cpu::Overlay::Axis axes[Size::maxDimensions];
    for (std::size_t d = 0; d < size.size(); ++d) axes[d] = {d == channel ? 1 : size[d], losses::strideOf(weights, d)};
    losses.weightsLie = cpu::Overlay(std::span(axes, size.size()));
    losses.classStride = losses::strideOf(weights, channel);
  }
};

// The cross-entropies of the predictions for the classes that the targets, numbers of classes, name.
struct ClassLossOf : losses::Terms {
  static constexpr const char* name = function;
  std::size_t channel;

  unsigned keep(unsigned traced) const { return 3U | (weighted && (traced & 1U) ? 4U : 0U) | (masked ? 1U << maskAt() : 0U); }
  DlArray evaluate(const Inputs& in) const {
    return withElementType(Storage::of(in[0]).type, [&]<class T>(T) {
      const auto at = losses::inputsOf(in);
      const Arrays<T> a(channel, in[0], in[1], weights(at), mask(at));
      if (summed) return DlArray(static_cast<T>(factor * cpu::classLossSum(a.losses)));
      DlArray result = Storage::make(Storage::shape(in[1]), typeOf<T>);
      cpu::classLossValues(a.losses, Storage::mutableData<T>(result));
      return result;
    });
  }
  void gradient(Backward& b) const {
    if (b.recorded()) return composed(b);
    withElementType(Storage::of(b.input(0)).type, [&]<class T>(T) { adjoint<T>(b); });
  }

 private:
  template <class T>
  void adjoint(Backward& b) const {
    const losses::Factors<T> g(b, factor, summed);
    const DlArray& y = b.input(0);
    const auto at = losses::inputsOf(b);
    Arrays<T> a(channel, y, b.input(1), weights(at), mask(at));
    if (b.needs(0)) {
      DlArray result = Storage::makeLike(y, typeOf<T>);
      cpu::classLossGradient(a.losses, g.each, static_cast<T>(g.all), Storage::mutableData<T>(result));
      b.add(0, std::move(result));
    }
    if (weighted && b.needs(2)) {
      DlArray result = Storage::make(b.shape(2), typeOf<T>);
      a.lay(Storage::of(result).size, Storage::of(y).size, channel);
      cpu::classLossWeightGradient(a.losses, g.each, static_cast<T>(g.all), numel(result), Storage::mutableData<T>(result));
      b.add(2, std::move(result));
    }
  }
  // The same in operations, so that it can be differentiated.
  void composed(Backward& b) const {
    const DlArray &y = b.input(0), part = mask(losses::inputsOf(b));
    const auto kept = [&](const DlArray& x, double otherwise) { return masked ? engine::select(part, x, otherwise) : x; };
    const Lanes along = lanes(Storage::of(y).size, channel);
    const DlArray positions = engine::castTo(kept(b.input(1), 0), Type::Double);
    const DlArray p = kept(gatherAlong(y, positions, along), 1);
    const Symbol g(b.gradient() * factor);
    if (b.needs(0)) {
      Symbol gw = g;
      if (weighted) gw = g * Symbol(gatherAlong(engine::expandTo(b.input(2), Storage::shape(y)), positions, along));
      const DlArray by = kept(CrossEntropy::gradientA(gw, Symbol(p), Symbol(1), Symbol()).array, 0);
      b.add(0, scatterAlong(by, positions, along, Storage::shape(y)));
    }
    if (weighted && b.needs(2)) {
      const DlArray by = kept(g.array % engine::binary<CrossEntropy>(p, 1.0), 0);
      b.add(2, engine::sumTo(scatterAlong(by, positions, along, Storage::shape(y)), b.shape(2)));
    }
  }
};

// The targets of indexcrossentropy beside predictions of this shape, labelled and with a C of size 1.
DlArray classesAlong(const Operand& y, const Operand& t, const Shape& classes, std::string_view dataFormat) {
  const auto refuse = [&] {
    fail(t.where(), "loss:sizes",
         "{}: predictions are {} but targets {}; they must have the size and labels of the predictions, without C or with a C of "
         "size 1",
         function, describe(y), describe(t));
  };
  DlArray labelled = t;
  const Size& size = Storage::of(t).size;
  if (!Storage::shape(t).format.labelled()) {
    if (dataFormat.empty()) {
      if (losses::longSizes(size) != losses::longSizes(classes.size)) refuse();
      return engine::reshapeTo(t, classes);
    }
    std::string format(dataFormat);
    const auto c = format.find('C');
    if (c < size.size() && size[c] != 1) format.erase(c, 1);
    if (losses::withoutTrailingOnes(size).size() > std::max<std::size_t>(format.size(), 2)) refuse();
    labelled = dlarray(t, format);
  }
  // Without C and what has size 1 without a meaning, the same labels with the same sizes.
  const auto rest = [](const Shape& shape) {
    std::vector<std::pair<Format::Label, Index>> dimensions;
    for (std::size_t d = 0; d < shape.size.size(); ++d)
      if (!(shape.size[d] == 1 && (shape.format[d] == Format::C || shape.format[d] == Format::U || shape.format[d] == Format::B)))
        dimensions.emplace_back(shape.format[d], shape.size[d]);
    return dimensions;
  };
  if (rest(Storage::shape(labelled)) != rest(classes)) refuse();
  return engine::reshapeTo(labelled, classes);
}

void checkClasses(const DlArray& y, const DlArray& t, const DlArray& mask, std::size_t channel,
                  const std::source_location& where) {
  withElementType(Storage::of(y).type, [&]<class T>(T) {
    const DlArray none;
    const Arrays<T> a(channel, y, t, none, mask);
    const Index wrong = cpu::wrongClass(a.losses);
    if (wrong >= 0)
      fail(where, "indexcrossentropy:class", "indexcrossentropy: target {} is {}; the {} classes count from 0 to {}", wrong,
           a.losses.targets[wrong], a.losses.classes, a.losses.classes - 1);
  });
}

DlArray indexcrossentropyOf(const Operand& y, const Operand& t, const Operand* weights, const LossOptions& options) {
  const Common o = Common::of(options);
  losses::checkWords(o, function, y.where());
  const LabelledData data(y, o.dataFormat, function);
  const Shape& shape = data.shape();
  const std::uint32_t channels = dimensionsWith(shape, "C");
  if (!channels)
    fail(y.where(), "indexcrossentropy:channels", "indexcrossentropy: {} has no dimension labelled C for its classes",
         toString(shape));
  const auto channel = static_cast<std::size_t>(std::countr_zero(channels));
  if (shape.size[channel] == 0)
    fail(y.where(), "indexcrossentropy:channels", "indexcrossentropy: {} has no classes: its dimension C has size 0",
         describe(y));
  Shape classes = shape;
  classes.size[channel] = 1;
  const DlArray targets = engine::numbers(classesAlong(y, t, classes, o.dataFormat)),
                mask = o.masked() ? losses::fittedMask(y, classes, o, function) : DlArray();
  DlArray w = weights ? losses::fittedWeights(*weights, y, shape, o, function) : DlArray();
  Type type = Storage::of(data.array()).type;
  if (weights) type = engine::promote(type, Storage::of(w).type);
  type = engine::numberType(type);
  if (weights) w = engine::castTo(w, type);
  const DlArray predictions = engine::castTo(data.array(), type);
  checkClasses(predictions, targets, mask, channel, t.where());

  const double factor = o.summed() ? 1 / losses::divisor(o, shape, mask, numel(classes.size)) : 1;
  const ClassLossOf op{{factor, o.summed(), weights != nullptr, o.masked()}, channel};
  DlArray result = losses::applyTo(op, predictions, targets, w, mask, y.where());
  return o.summed() ? result : data.result(std::move(result));
}

}  // namespace

DlArray indexcrossentropy(Operand y, Operand targets, const LossOptions& options) {
  return indexcrossentropyOf(y, targets, nullptr, options);
}
DlArray indexcrossentropy(Operand y, Operand targets, Operand weights, const LossOptions& options) {
  return indexcrossentropyOf(y, targets, &weights, options);
}

}  // namespace dl
