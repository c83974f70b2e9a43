#include "nn/loss.hpp"

#include "engine/fit.hpp"
#include "engine/symbol.hpp"

#include <dlarray/nn/loss.hpp>
#include <dlarray/ops/elementwise.hpp>

#include <algorithm>
#include <cmath>

namespace dl {

namespace losses {

void checkWords(const Common& o, const char* function, const std::source_location& where) {
  if (o.reduction != "sum" && o.reduction != "none")
    fail(where, "loss:reduction", "{}: .reduction = \"{}\" is neither \"sum\" nor \"none\"", function, o.reduction);
  for (const char* word : {"batch-size", "all-elements", "mask-included", "none"})
    if (o.normalizationFactor == word) return;
  fail(where, "loss:normalizationFactor",
       "{}: .normalizationFactor = \"{}\" is none of \"batch-size\", \"all-elements\", \"mask-included\" and \"none\"", function,
       o.normalizationFactor);
}

std::vector<Index> longSizes(const Size& size) {
  std::vector<Index> sizes;
  for (const Index n : size)
    if (n != 1) sizes.push_back(n);
  return sizes;
}

Size withoutTrailingOnes(Size size) {
  std::size_t n = size.size();
  while (n > 2 && size[n - 1] == 1) --n;
  size.resize(n);
  return size;
}

namespace {

// `shape` is that of the data, or of what the values may be as large as.
DlArray fitted(const Operand& values, const Operand& y, const Shape& shape, std::string_view format, const char* function,
               const char* what) {
  DlArray labelled = values;
  if (!Storage::shape(values).format.labelled() && numel(values) != 1) {
    if (static_cast<std::size_t>(ndims(values)) > std::max<std::size_t>(format.size(), 2))
      fail(values.where(), "loss:sizes", "{}: {} {} has more dimensions than \"{}\" has labels", function, what, describe(values),
           format);
    labelled = dlarray(values, format);
  }
  const Expansion expansion = mergeFormats(shape, Storage::shape(labelled), function, values.where());
  if (expansion.result != shape) {
    const bool whole = numel(shape.size) == numel(y);
    fail(values.where(), "loss:sizes", "{}: {} {} would expand the {} {}", function, what, describe(values),
         whole ? "predictions" : "targets", whole ? describe(y) : toString(shape));
  }
  Shape aligned{expansion.b, shape.format};
  aligned.size.resize(shape.size.size());
  return engine::reshapeTo(Operand(labelled, values.where()), aligned);
}

}  // namespace

DlArray fittedWeights(const Operand& weights, const Operand& y, const Shape& shape, const Common& o, const char* function) {
  const Shape& own = Storage::shape(weights);
  if (own.format.labelled() && !o.weightsFormat.empty())
    fail(weights.where(), "loss:weightsFormat", "{}: the weights {} have labels already; leave .weightsFormat = \"{}\" out",
         function, describe(weights), o.weightsFormat);
  if (!own.format.labelled() && o.weightsFormat.empty() && numel(weights) != 1 && own.size != Storage::of(y).size)
    fail(weights.where(), "loss:weightsFormat",
         "{}: the weights {} are not as large as the predictions {}; say what they run along, .weightsFormat = \"C\"", function,
         describe(weights), describe(y));
  const std::string stored = dims(y);
  return fitted(weights, y, shape,
                !o.weightsFormat.empty() ? o.weightsFormat
                : o.dataFormat.empty()   ? stored
                                         : o.dataFormat,
                function, "the weights");
}

DlArray fittedMask(const Operand& y, const Shape& shape, const Common& o, const char* function) {
  const std::string stored = dims(y);
  return engine::castTo(
      fitted(Operand(o.mask, y.where()), y, shape, o.dataFormat.empty() ? stored : o.dataFormat, function, "the mask"),
      Type::Logical);
}

double divisor(const Common& o, const Shape& shape, const DlArray& mask, Index count) {
  double n = 1;
  if (o.normalizationFactor == "batch-size") n = static_cast<double>(sizeOf(shape, dimensionsWith(shape, "B")));
  if (o.normalizationFactor == "all-elements" || (o.normalizationFactor == "mask-included" && !o.masked()))
    n = static_cast<double>(numel(shape.size));
  if (o.normalizationFactor == "mask-included" && o.masked() && count > 0) {
    const bool* included = Storage::data<bool>(mask);
    const auto own = static_cast<double>(std::count(included, included + numel(mask), true));
    n = own * static_cast<double>(count / numel(mask));
  }
  return std::max(n, 1.0);  // nothing to divide by means that the sum is 0
}

Index strideOf(const Size& small, std::size_t dimension) {
  if (dimension >= small.size() || small[dimension] == 1) return 0;
  Index stride = 1;
  for (std::size_t d = 0; d < dimension; ++d) stride *= small[d];
  return stride;
}

cpu::Overlay overlayOf(const Size& small, const Size& size) {
  cpu::Overlay::Axis axes[Size::maxDimensions];
  for (std::size_t d = 0; d < size.size(); ++d) axes[d] = {size[d], strideOf(small, d)};
  return cpu::Overlay(std::span(axes, size.size()));
}

}  // namespace losses

namespace {

using engine::Backward;
using engine::Inputs;
using formula::Symbol;
using losses::Common;

// The arrays of a loss as its kernels take them; weights and mask may be missing.
template <class T>
cpu::Losses<T> arrays(std::size_t formula, double parameter, const DlArray& y, const DlArray& t, const DlArray& w,
                      const DlArray& m) {
  cpu::Losses<T> a{formula, static_cast<T>(parameter), Storage::data<T>(y), Storage::data<T>(t), numel(y)};
  const Size& size = Storage::of(y).size;
  if (Storage::get(w)) {
    a.weights = Storage::data<T>(w);
    a.weightsLie = losses::overlayOf(Storage::of(w).size, size);
  }
  if (Storage::get(m)) {
    a.mask = Storage::data<bool>(m);
    a.maskLies = losses::overlayOf(Storage::of(m).size, size);
  }
  return a;
}

// Losses of predictions and targets of the same shape and type. Composed of other operations this would write several arrays as
// large as the data.
template <class F>
struct LossOf : losses::Terms {
  static constexpr const char* name = F::name;
  static constexpr std::size_t position = formula::LossFormulas::position<F>();
  double parameter;

  unsigned keep(unsigned traced) const {
    unsigned kept = ((traced & 1U) ? F::needsForA : 0U) | ((traced & 2U) ? F::needsForB : 0U);
    if (weighted && (traced & 3U)) kept |= 4U;
    if (weighted && (traced & 4U)) kept |= formula::A | formula::B;
    return masked ? kept | 1U << maskAt() : kept;
  }
  DlArray evaluate(const Inputs& in) const {
    return withElementType(Storage::of(in[0]).type, [&]<class T>(T) {
      const auto at = losses::inputsOf(in);
      const cpu::Losses<T> a = arrays<T>(position, parameter, in[0], in[1], weights(at), mask(at));
      if (summed) return DlArray(static_cast<T>(factor * cpu::lossSum(a)));
      DlArray result = Storage::makeLike(in[0], typeOf<T>);
      cpu::lossValues<T>(a, nullptr, static_cast<T>(factor), Storage::mutableData<T>(result));
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
    const DlArray &y = b.input(0), &t = Storage::get(b.input(1)) ? b.input(1) : y;  // where it is not looked at, any will do
    const auto at = losses::inputsOf(b);
    const cpu::Losses<T> a = arrays<T>(position, parameter, y, t, weights(at), mask(at));
    for (const int i : {0, 1})
      if (b.needs(i)) {
        DlArray result = Storage::makeLike(y, typeOf<T>);
        cpu::lossGradient(a, i == 0, g.each, static_cast<T>(g.all), Storage::mutableData<T>(result));
        b.add(i, std::move(result));
      }
    if (weighted && b.needs(2)) {
      const Shape& shape = b.shape(2);
      DlArray result = Storage::make(shape, typeOf<T>);
      cpu::lossWeightGradient(a, losses::overlayOf(shape.size, Storage::of(y).size), g.each, static_cast<T>(g.all), numel(result),
                              Storage::mutableData<T>(result));
      b.add(2, std::move(result));
    }
  }
  // The same in operations, so that it can be differentiated. What the mask leaves out becomes 1 first: what it was cannot
  // reach a derivative of any order.
  void composed(Backward& b) const {
    const DlArray part = mask(losses::inputsOf(b));
    const auto kept = [&](const DlArray& x, double otherwise) { return masked ? engine::select(part, x, otherwise) : x; };
    const DlArray y = kept(b.input(0), 1), t = Storage::get(b.input(1)) ? kept(b.input(1), 1) : b.input(1);
    const Symbol g(b.gradient() * factor), p(parameter);
    const Symbol weightedG = weighted && (b.needs(0) || b.needs(1)) ? g * Symbol(b.input(2)) : g;
    if (b.needs(0)) b.add(0, kept(F::gradientA(weightedG, Symbol(y), Symbol(t), p).array, 0));
    if (b.needs(1)) b.add(1, kept(F::gradientB(weightedG, Symbol(y), Symbol(t), p).array, 0));
    if (weighted && b.needs(2)) {
      const LossOf each{{1, false, false, false}, parameter};
      b.add(2, engine::sumTo(kept(g.array % engine::apply(each, y, t), 0), b.shape(2)));
    }
  }
};

// What to do about targets of another size: their dimensions may only be in another order.
const char* hint(const DlArray& y, const DlArray& t) {
  std::vector<Index> sizesY = losses::longSizes(Storage::of(y).size), sizesT = losses::longSizes(Storage::of(t).size);
  if (sizesY == sizesT && Storage::of(t).format.labelled()) return "; the labels differ";
  std::sort(sizesY.begin(), sizesY.end());
  std::sort(sizesT.begin(), sizesT.end());
  if (sizesY != sizesT) return "";
  if (!Storage::of(t).format.labelled()) return ndims(t) == 2 ? "; transpose(targets) would fit" : "; permute the targets";
  return "; the targets look transposed, were they labelled in the order that their dimensions have?";
}

[[noreturn]] void failSizes(const Operand& y, const Operand& t, const char* function) {
  fail(t.where(), "loss:sizes", "{}: predictions are {} but targets {}; they must have the same size and labels{}", function,
       describe(y), describe(t), hint(y, t));
}

// Unlabelled targets take the labels of the predictions, in stored order, or with a format as the caller's predictions do.
DlArray withLabels(const Operand& t, const Operand& y, const Shape& shape, std::string_view dataFormat, const char* function) {
  if (Storage::shape(t).format.labelled()) return t;
  if (losses::withoutTrailingOnes(Storage::of(t).size) != losses::withoutTrailingOnes(Storage::of(y).size))
    failSizes(y, t, function);
  return dataFormat.empty() ? engine::relabel(t, shape) : dlarray(t, dataFormat);
}

template <class F>
DlArray loss(const char* function, const Operand& y, const Operand& t, const Operand* weights, const Common& o, double factor = 1,
             double parameter = 1) {
  losses::checkWords(o, function, y.where());
  const LabelledData data(y, o.dataFormat, function);
  const Shape& shape = data.shape();
  DlArray targets = withLabels(t, y, shape, o.dataFormat, function);
  if (Storage::shape(targets) != shape) failSizes(y, t, function);
  DlArray w = weights ? losses::fittedWeights(*weights, y, shape, o, function) : DlArray();
  const DlArray mask = o.masked() ? losses::fittedMask(y, shape, o, function) : DlArray();
  Type type = engine::promote(Storage::of(data.array()).type, Storage::of(targets).type);
  if (weights) {
    type = engine::numberType(engine::promote(type, Storage::of(w).type));
    w = engine::castTo(w, type);
  }
  type = engine::numberType(type);
  if (o.summed()) factor /= losses::divisor(o, shape, mask, numel(shape.size));
  const LossOf<F> op{{factor, o.summed(), weights != nullptr, o.masked()}, parameter};
  DlArray result = losses::applyTo(op, engine::castTo(data.array(), type), engine::castTo(targets, type), w, mask, y.where());
  return o.summed() ? result : data.result(std::move(result));
}

DlArray crossentropyOf(const Operand& y, const Operand& t, const Operand* weights, const CrossentropyOptions& options) {
  const Common o = Common::of(options);
  if (options.classificationMode == "single-label") return loss<formula::CrossEntropy>("crossentropy", y, t, weights, o);
  if (options.classificationMode == "multilabel") return loss<formula::BinaryCrossEntropy>("crossentropy", y, t, weights, o);
  fail(y.where(), "crossentropy:classificationMode",
       "crossentropy: .classificationMode = \"{}\" is neither \"single-label\" nor \"multilabel\"", options.classificationMode);
}

DlArray huberOf(const Operand& y, const Operand& t, const Operand* weights, const HuberOptions& options) {
  const double d = options.transitionPoint;
  if (!(d > 0 && std::isfinite(d)))
    fail(y.where(), "huber:transitionPoint", "huber: .transitionPoint = {} is not a positive number", d);
  return loss<formula::HuberError>("huber", y, t, weights, Common::of(options), 1, d);
}

}  // namespace

DlArray crossentropy(Operand y, Operand targets, const CrossentropyOptions& options) {
  return crossentropyOf(y, targets, nullptr, options);
}
DlArray crossentropy(Operand y, Operand targets, Operand weights, const CrossentropyOptions& options) {
  return crossentropyOf(y, targets, &weights, options);
}
DlArray mse(Operand y, Operand targets, const MseOptions& options) {
  const LossOptions common{.dataFormat = options.dataFormat};
  return loss<formula::SquaredError>("mse", y, targets, nullptr, Common::of(common), 0.5);
}
DlArray l2loss(Operand y, Operand targets, const LossOptions& options) {
  return loss<formula::SquaredError>("l2loss", y, targets, nullptr, Common::of(options));
}
DlArray l2loss(Operand y, Operand targets, Operand weights, const LossOptions& options) {
  return loss<formula::SquaredError>("l2loss", y, targets, &weights, Common::of(options));
}
DlArray l1loss(Operand y, Operand targets, const LossOptions& options) {
  return loss<formula::AbsoluteError>("l1loss", y, targets, nullptr, Common::of(options));
}
DlArray l1loss(Operand y, Operand targets, Operand weights, const LossOptions& options) {
  return loss<formula::AbsoluteError>("l1loss", y, targets, &weights, Common::of(options));
}
DlArray huber(Operand y, Operand targets, const HuberOptions& options) { return huberOf(y, targets, nullptr, options); }
DlArray huber(Operand y, Operand targets, Operand weights, const HuberOptions& options) {
  return huberOf(y, targets, &weights, options);
}

}  // namespace dl
