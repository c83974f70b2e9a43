#include <dlarray/nn/loss.hpp>

#include "cpu/loss.hpp"
#include "engine/fit.hpp"
#include "engine/symbol.hpp"
#include "nn/data_format.hpp"
#include "ops/along.hpp"
#include "ops/reduction.hpp"

#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/reduction.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;
using formula::Symbol;

// The sum of a formula over predictions and targets of the same shape and type, times a number. Composed of other operations it
// would write the losses of all elements to memory and read them again.
template <class F>
struct LossSum {
  static constexpr const char* name = F::name;
  static constexpr std::size_t position = formula::LossFormulas::position<F>();
  double scale;

  static unsigned keep(unsigned traced) { return ((traced & 1U) ? F::needsForA : 0U) | ((traced & 2U) ? F::needsForB : 0U); }
  DlArray evaluate(const Inputs& in) const {
    if (Storage::of(in[0]).type == Type::Single) return static_cast<float>(scale * total<float>(in));
    return scale * total<double>(in);
  }
  template <class T>
  double total(const Inputs& in) const {
    return cpu::lossSum(position, Storage::data<T>(in[0]), Storage::data<T>(in[1]), numel(in[0]));
  }
  void gradient(Backward& b) const {
    if (b.needs(0)) b.add(0, by<true>(b));
    if (b.needs(1)) b.add(1, by<false>(b));
  }
  template <bool first>
  DlArray by(Backward& b) const {
    const DlArray none;
    const DlArray &y = b.input(0), &t = (first ? F::needsForA : F::needsForB) & formula::B ? b.input(1) : none;
    if (b.recorded()) {
      const Symbol g(b.gradient() * scale);
      return (first ? F::gradientA(g, Symbol(y), Symbol(t), Symbol()) : F::gradientB(g, Symbol(y), Symbol(t), Symbol())).array;
    }
    const double g = scale * double(b.gradient());
    DlArray result = Storage::makeLike(y, Storage::of(y).type);
    // Where the derivative does not look at the targets, any numbers will do.
    const DlArray& targets = Storage::get(t) ? t : y;
    const auto run = [&]<class T>(T factor) {
      cpu::lossGradient(position, first, factor, Storage::data<T>(y), Storage::data<T>(targets), numel(y),
                        Storage::mutableData<T>(result));
    };
    if (Storage::of(y).type == Type::Single)
      run(static_cast<float>(g));
    else
      run(g);
    return result;
  }
};

// The options that losses share.
struct Common {
  const DlArray& mask;
  std::string_view reduction, normalizationFactor, dataFormat, weightsFormat;

  template <class Options>
  static Common of(const Options& o) {
    return {o.mask, o.reduction, o.normalizationFactor, o.dataFormat, o.weightsFormat};
  }
  bool masked() const noexcept { return Storage::get(mask) != nullptr; }
  bool summed() const noexcept { return reduction == "sum"; }
};

void checkWords(const Common& o, const char* function, const std::source_location& where) {
  if (o.reduction != "sum" && o.reduction != "none")
    fail(where, "loss:reduction", "{}: .reduction = \"{}\" is neither \"sum\" nor \"none\"", function, o.reduction);
  for (const char* word : {"batch-size", "all-elements", "mask-included", "none"})
    if (o.normalizationFactor == word) return;
  fail(where, "loss:normalizationFactor",
       "{}: .normalizationFactor = \"{}\" is none of \"batch-size\", \"all-elements\", \"mask-included\" and \"none\"", function,
       o.normalizationFactor);
}

DlArray floating(const DlArray& x) { return Storage::of(x).type == Type::Logical ? engine::castTo(x, Type::Double) : x; }

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

// What to do about targets of another size: their dimensions may only be in another order.
const char* hint(const DlArray& y, const DlArray& t) {
  std::vector<Index> sizesY = longSizes(Storage::of(y).size), sizesT = longSizes(Storage::of(t).size);
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
  if (withoutTrailingOnes(Storage::of(t).size) != withoutTrailingOnes(Storage::of(y).size)) failSizes(y, t, function);
  return dataFormat.empty() ? engine::relabel(t, shape) : dlarray(t, dataFormat);
}

// Weights and masks: labelled, and such that they expand to the data but not the data to them.
DlArray fitted(const Operand& values, const Operand& y, const Shape& shape, std::string_view format, const char* function,
               const char* what) {
  DlArray labelled = values;
  if (!Storage::shape(values).format.labelled() && numel(values) != 1) labelled = dlarray(values, format);
  if (mergeFormats(shape, Storage::shape(labelled), function, values.where()).result != shape)
    fail(values.where(), "loss:sizes", "{}: {} {} would expand the predictions {}", function, what, describe(values),
         describe(y));
  return labelled;
}

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

// The elements that take part, for each element of `shape`.
DlArray fittedMask(const Operand& y, const Shape& shape, const Common& o, const char* function) {
  const std::string stored = dims(y);
  const DlArray mask =
      fitted(Operand(o.mask, y.where()), y, shape, o.dataFormat.empty() ? stored : o.dataFormat, function, "the mask");
  return engine::expandTo(engine::castTo(mask, Type::Logical), shape);
}

double divisor(const Common& o, const Shape& shape, const DlArray& mask) {
  double n = 1;
  if (o.normalizationFactor == "batch-size") n = static_cast<double>(sizeOf(shape, dimensionsWith(shape, "B")));
  if (o.normalizationFactor == "all-elements" || (o.normalizationFactor == "mask-included" && !o.masked()))
    n = static_cast<double>(numel(shape.size));
  if (o.normalizationFactor == "mask-included" && o.masked()) {
    const bool* included = Storage::data<bool>(mask);
    n = static_cast<double>(std::count(included, included + numel(mask), true));
  }
  return std::max(n, 1.0);  // nothing to divide by means that the sum is 0
}

// Predictions and targets of the same shape and type.
struct Pair {
  DlArray y, t;
};
Pair ofOneType(const DlArray& y, const DlArray& t) {
  Type type = engine::promote(Storage::of(y).type, Storage::of(t).type);
  if (type == Type::Logical) type = Type::Double;
  return {engine::castTo(y, type), engine::castTo(t, type)};
}

// The losses of elements, weighted and normalised; `factor` belongs to the formula.
DlArray reduced(DlArray losses, const DlArray& weights, const Common& o, double factor, const LabelledData& data,
                const DlArray& mask) {
  if (Storage::get(weights)) losses = std::move(losses) % weights;
  if (!o.summed()) return data.result(factor == 1 ? losses : losses % factor);
  return sum(stripdims(std::move(losses)), "all") * (factor / divisor(o, data.shape(), mask));
}

template <class F>
DlArray loss(const char* function, const Operand& y, const Operand& t, const Operand* weights, const Common& o, double factor = 1,
             double unit = 1) {
  checkWords(o, function, y.where());
  const LabelledData data(y, o.dataFormat, function);
  const Shape& shape = data.shape();
  const DlArray targets = withLabels(t, y, shape, o.dataFormat, function);
  if (Storage::shape(targets) != shape) failSizes(y, t, function);
  const DlArray w = weights ? fittedWeights(*weights, y, shape, o, function) : DlArray(),
                mask = o.masked() ? fittedMask(y, shape, o, function) : DlArray();
  Pair p = ofOneType(data.array(), targets);
  if (unit != 1) p = {std::move(p.y) / unit, std::move(p.t) / unit};
  if (!weights && !o.masked() && o.summed()) {
    return engine::apply(LossSum<F>{factor / divisor(o, shape, mask)}, Operand(p.y, y.where()), Operand(p.t, y.where()));
  }
  // Predictions and targets that the mask leaves out become 1, which costs nothing: what they were cannot reach a derivative.
  if (o.masked()) p = {engine::select(mask, p.y, 1.0), engine::select(mask, p.t, 1.0)};
  return reduced(engine::binary<F>(p.y, p.t), w, o, factor, data, mask);
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
  return loss<formula::HuberError>("huber", y, t, weights, Common::of(options), d * d, d);
}

// The targets of indexcrossentropy beside predictions of this shape, labelled and with a C of size 1.
DlArray classesAlong(const Operand& y, const Operand& t, const Shape& classes, std::string_view dataFormat) {
  constexpr const char* function = "indexcrossentropy";
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
      if (longSizes(size) != longSizes(classes.size)) refuse();
      return engine::reshapeTo(t, classes);
    }
    std::string format(dataFormat);
    const auto c = format.find('C');
    if (c < size.size() && size[c] != 1) format.erase(c, 1);
    if (withoutTrailingOnes(size).size() > std::max<std::size_t>(format.size(), 2)) refuse();
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

// Numbers of classes, checked, as doubles; 0 where the mask leaves them out.
DlArray checkedClasses(const DlArray& targets, const DlArray& mask, Index count, const std::source_location& where) {
  DlArray classes = Storage::make(Storage::shape(targets), Type::Double);
  auto* c = Storage::mutableData<double>(classes);
  detail::copyOut(targets, c, Type::Double);
  const bool* included = Storage::get(mask) ? Storage::data<bool>(mask) : nullptr;
  for (Index i = 0; i < numel(classes); ++i) {
    if (included && !included[i])
      c[i] = 0;
    else if (!(c[i] >= 0 && c[i] < static_cast<double>(count) && c[i] == std::floor(c[i])))
      fail(where, "indexcrossentropy:class", "indexcrossentropy: target {} is {}; the {} classes count from 0 to {}", i, c[i],
           count, count - 1);
  }
  return classes;
}

DlArray indexcrossentropyOf(const Operand& y, const Operand& t, const Operand* weights, const LossOptions& options) {
  constexpr const char* function = "indexcrossentropy";
  const Common o = Common::of(options);
  checkWords(o, function, y.where());
  const LabelledData data(y, o.dataFormat, function);
  const Shape& shape = data.shape();
  const std::uint32_t channels = dimensionsWith(shape, "C");
  if (!channels)
    fail(y.where(), "indexcrossentropy:channels", "indexcrossentropy: {} has no dimension labelled C for its classes",
         toString(shape));
  const Lanes along = lanes(shape.size, static_cast<std::size_t>(std::countr_zero(channels)));
  Shape classes = shape;
  classes.size[static_cast<std::size_t>(std::countr_zero(channels))] = 1;
  const DlArray targets = classesAlong(y, t, classes, o.dataFormat),
                mask = o.masked() ? fittedMask(y, classes, o, function) : DlArray();
  const DlArray positions = checkedClasses(targets, mask, along.count, t.where());

  DlArray probabilities = gatherAlong(floating(data.array()), positions, along), w;
  if (o.masked()) probabilities = engine::select(mask, probabilities, 1.0);
  if (weights)
    w = gatherAlong(engine::expandTo(floating(fittedWeights(*weights, y, shape, o, function)), shape), positions, along);
  DlArray losses = engine::binary<formula::CrossEntropy>(probabilities, 1.0);
  return reduced(std::move(losses), w, o, 1, data, mask);
}

}  // namespace

DlArray crossentropy(Operand y, Operand targets, const CrossentropyOptions& options) {
  return crossentropyOf(y, targets, nullptr, options);
}
DlArray crossentropy(Operand y, Operand targets, Operand weights, const CrossentropyOptions& options) {
  return crossentropyOf(y, targets, &weights, options);
}
DlArray indexcrossentropy(Operand y, Operand targets, const LossOptions& options) {
  return indexcrossentropyOf(y, targets, nullptr, options);
}
DlArray indexcrossentropy(Operand y, Operand targets, Operand weights, const LossOptions& options) {
  return indexcrossentropyOf(y, targets, &weights, options);
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
