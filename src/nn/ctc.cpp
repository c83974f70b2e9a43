#include "cpu/ctc.hpp"
#include "engine/fit.hpp"
#include "engine/loops.hpp"
#include "engine/symbol.hpp"
#include "nn/data_format.hpp"
#include "ops/along.hpp"

#include <dlarray/nn/loss.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/reduction.hpp>
#include <dlarray/ops/shape.hpp>

#include <cmath>

namespace dl {

BlankIndex::BlankIndex(const char* word) : word_(word) {}
BlankIndex::BlankIndex(std::string word) : word_(std::move(word)) {}

namespace {

using engine::Backward;
using engine::Inputs;

constexpr double never = -1e30;  // the logarithm of 0: finite, so that differences are

struct Sizes {
  Index classes, batch, steps, most, blank;
  Index states() const { return 2 * most + 1; }
};

double* numbers(const DlArray& x) { return Storage::mutableData<double>(x); }

// The derivative, composed of ordinary operations: what a second derivative is taken of. The kernels do the same, one observation
// at a time.
class ComposedGradient {
 public:
  ComposedGradient(const DlArray& y, const DlArray& labels, const DlArray& steps, const DlArray& counts, const Sizes& sizes)
      : y_(y), labels_(labels), steps_(steps), counts_(counts), s_(sizes) {
    const DlArray positions = engine::expandTo(classesOfStates(), {Size{s_.states(), s_.batch, s_.steps}, {}});
    positions_ = positions;
    const DlArray logs = engine::binary<formula::CrossEntropy>(y_, -1.0);  // log(y), with the limit of a cross-entropy
    emissions_ = gatherAlong(logs, positions_, overClasses());
  }

  DlArray operator()(const DlArray& factor) const {
    const Index T = s_.steps;
    std::vector<DlArray> alpha(static_cast<std::size_t>(T)), weights(static_cast<std::size_t>(T));
    DlArray ways = start();
    for (Index t = 0; t < T; ++t) {
      const DlArray next = logSum(ways, shifted(ways, 1), shifted(ways, 2) + skip()) + emission(t);
      alpha[static_cast<std::size_t>(t)] = ways = engine::select(takesPart(t), next, ways);
    }
    const DlArray end = ends(), finals = ways + end, top = most(finals);
    const DlArray total = top + log(sum(exp(finals - top), 0));
    DlArray on = end;
    for (Index t = T - 1; t >= 0; --t) {
      const DlArray e = emission(t), share = exp(alpha[static_cast<std::size_t>(t)] + on - total - e);
      weights[static_cast<std::size_t>(t)] = engine::select(takesPart(t), share, 0.0);
      const DlArray from = on + e;
      on = engine::select(takesPart(t), logSum(from, shifted(from, -1), shifted(from + skip(), -2)), on);
    }
    const DlArray all = cat(2, weights) * (-1.0 * factor);
    return scatterAlong(engine::castTo(all, Storage::of(y_).type), positions_, overClasses(), Storage::shape(y_));
  }

 private:
  Lanes overClasses() const { return {1, s_.classes, s_.batch * s_.steps}; }
  Lanes overStates() const { return {1, s_.states(), s_.batch}; }
  Shape lattice() const { return {Size::matrix(s_.states(), s_.batch), {}}; }
  DlArray shifted(const DlArray& x, int by) const { return shiftAlong(x, overStates(), by, static_cast<float>(never)); }
  // A constant: what is subtracted before and added behind has no share in the derivative.
  DlArray most(const DlArray& x) const { return max(Storage::reshaped(x, Storage::shape(x)), {}, 0); }
  DlArray logSum(const DlArray& a, const DlArray& b, const DlArray& c) const {
    const auto untraced = [](const DlArray& x) { return Storage::reshaped(x, Storage::shape(x)); };
    const DlArray top = max(max(untraced(a), untraced(b)), untraced(c));
    return top + log(exp(a - top) + exp(b - top) + exp(c - top));
  }
  DlArray emission(Index t) const { return emissions_(all, all, t); }
  DlArray takesPart(Index t) const {
    DlArray part = Storage::make({Size::matrix(1, s_.batch), {}}, Type::Double);
    for (Index b = 0; b < s_.batch; ++b) numbers(part)[b] = Storage::data<double>(steps_)[b + t * s_.batch];
    return engine::expandTo(engine::castTo(part, Type::Logical), lattice());
  }
  // An array over states and observations, of numbers of the type that is computed in.
  template <class Number>
  DlArray overLattice(Number number) const {
    DlArray x = Storage::make(lattice(), Type::Double);
    for (Index b = 0; b < s_.batch; ++b)
      for (Index s = 0; s < s_.states(); ++s) numbers(x)[s + b * s_.states()] = number(s, b);
    return x;
  }
  Index count(Index b) const { return static_cast<Index>(Storage::data<double>(counts_)[b]); }
  double classOf(Index s, Index b) const {
    return s % 2 == 1 && s < 2 * count(b) ? Storage::data<double>(labels_)[s / 2 + b * s_.most] : static_cast<double>(s_.blank);
  }
  DlArray classesOfStates() const {
    return overLattice([&](Index s, Index b) { return classOf(s, b); });
  }
  DlArray typed(const DlArray& x) const { return engine::castTo(x, Storage::of(y_).type); }
  DlArray start() const {
    return typed(overLattice([](Index s, Index) { return s == 0 ? 0.0 : never; }));
  }
  DlArray ends() const {
    return typed(overLattice([&](Index s, Index b) { return s == 2 * count(b) || s == 2 * count(b) - 1 ? 0.0 : never; }));
  }
  DlArray skip() const {
    return typed(overLattice([&](Index s, Index b) {
      return s % 2 == 1 && s >= 3 && s < 2 * count(b) && classOf(s, b) != classOf(s - 2, b) ? 0.0 : never;
    }));
  }

  DlArray y_, labels_, steps_, counts_, positions_, emissions_;
  Sizes s_;
};

// Inputs: y (classes x batch x steps), labels (most x batch), steps that take part (batch x steps), counts of labels (batch), and
// memory for the derivative by y, which is found on the way there at half the price of going a second time; none where none is
// wanted.
struct Ctc {
  static constexpr const char* name = "ctc";
  static constexpr unsigned kept = 31;
  Sizes sizes;

  DlArray evaluate(const Inputs& in) const {
    const auto mean = [&]<class T>(T) {
      const cpu::CtcBatch<T> batch{Storage::data<T>(in[0]),
                                   Storage::data<double>(in[2]),
                                   Storage::data<double>(in[1]),
                                   Storage::data<double>(in[3]),
                                   sizes.classes,
                                   sizes.batch,
                                   sizes.steps,
                                   sizes.most,
                                   sizes.blank};
      const auto count = static_cast<double>(sizes.batch);
      return cpu::ctc(batch, 1.0 / count, numel(in[4]) > 0 ? Storage::mutableData<T>(in[4]) : nullptr) / count;
    };
    if (Storage::of(in[0]).type == Type::Single) return static_cast<float>(mean(float()));
    return mean(double());
  }
  void gradient(Backward& b) const {
    if (!b.needs(0)) return;
    if (b.recorded())
      return b.add(0, ComposedGradient(b.input(0), b.input(1), b.input(2), b.input(3),
                                       sizes)(b.gradient() / static_cast<double>(sizes.batch)));
    DlArray derivative = b.takeInput(4);
    const bool alone = b.isNumber() && b.number() == 1;
    b.add(0, alone ? std::move(derivative) : engine::runProductGradient(std::move(derivative), b.gradient()));
  }
};

// An argument beside y: labelled as y is, or in the order of the caller's data; its values as batch x time, of its first channel.
struct Sequence {
  Index batch = 1, time = 1, channels = 1;
  std::vector<double> values;
};
Sequence sequenceOf(const Operand& x, std::string_view format, const char* what) {
  DlArray labelled = x;
  if (!Storage::shape(x).format.labelled()) {
    if (static_cast<std::size_t>(ndims(x)) > format.size())
      fail(x.where(), "ctc:sizes", "ctc: {} {} have more dimensions than the predictions, \"{}\"", what, describe(x), format);
    labelled = dlarray(x, format);
  }
  const Shape& shape = Storage::shape(labelled);
  Sequence s;
  for (std::size_t d = 0; d < shape.size.size(); ++d) {
    if (shape.format[d] == Format::C)
      s.channels = shape.size[d];
    else if (shape.format[d] == Format::B)
      s.batch = shape.size[d];
    else if (shape.format[d] == Format::T)
      s.time = shape.size[d];
    else if (shape.size[d] != 1)
      fail(x.where(), "ctc:sizes", "ctc: {} {} have dimensions other than C, B and T", what, describe(x));
  }
  const std::vector<double> elements = extractdata<std::vector<double>>(labelled);
  for (std::size_t k = 0; k < elements.size(); k += static_cast<std::size_t>(std::max<Index>(s.channels, 1)))
    s.values.push_back(elements[k]);
  return s;
}

Index blankOf(const BlankIndex& blank, Index classes, const std::source_location& where) {
  if (blank.word() == "first") return 0;
  if (blank.word() == "last") return classes - 1;
  if (!blank.word().empty())
    fail(where, "ctc:blankIndex", "ctc: .blankIndex = \"{}\" is neither \"first\" nor \"last\" nor a number", blank.word());
  if (blank.number() < 0 || blank.number() >= classes)
    fail(where, "ctc:blankIndex", "ctc: .blankIndex = {} is not among the {} classes 0 to {}", blank.number(), classes,
         classes - 1);
  return blank.number();
}

// Labels without padding, column by column, and how many each observation has.
struct Labels {
  DlArray labels, counts;
  Index most = 0;
};
Labels checkedLabels(const Sequence& t, const Sequence& mask, const Sizes& s, const std::vector<double>& steps,
                     const std::source_location& where) {
  Labels l;
  l.counts = Storage::make({Size::matrix(s.batch, 1), {}}, Type::Double);
  std::vector<std::vector<double>> own(static_cast<std::size_t>(s.batch));
  for (Index b = 0; b < s.batch; ++b) {
    std::vector<double>& labels = own[static_cast<std::size_t>(b)];
    Index needed = 0, given = 0;
    for (Index k = 0; k < t.time; ++k) {
      const auto at = static_cast<std::size_t>(b + k * s.batch);
      if (!mask.values.empty() && mask.values[at] == 0) continue;
      const double v = t.values[at];
      if (!(v >= 0 && v < static_cast<double>(s.classes) && v == std::floor(v)))
        fail(where, "ctc:label", "ctc: label {} of observation {} is {}; the {} classes count from 0 to {}", k, b, v, s.classes,
             s.classes - 1);
      if (v == static_cast<double>(s.blank))
        fail(where, "ctc:label",
             "ctc: label {} of observation {} is {}, which is the blank; choose another .blankIndex, or mask it out", k, b, v);
      needed += !labels.empty() && labels.back() == v ? 2 : 1;  // between equal labels there must be a blank
      labels.push_back(v);
    }
    for (Index k = 0; k < s.steps; ++k) given += steps[static_cast<std::size_t>(b + k * s.batch)] != 0;
    if (needed > given)
      fail(where, "ctc:length", "ctc: observation {} has {} time steps for {} labels, which need {}", b, given, labels.size(),
           needed);
    numbers(l.counts)[b] = static_cast<double>(labels.size());
    l.most = std::max(l.most, static_cast<Index>(labels.size()));
  }
  l.labels = engine::filled({Size::matrix(std::max<Index>(l.most, 1), s.batch), {}}, Type::Double);
  for (Index b = 0; b < s.batch; ++b)
    std::copy(own[static_cast<std::size_t>(b)].begin(), own[static_cast<std::size_t>(b)].end(), numbers(l.labels) + b * l.most);
  return l;
}

}  // namespace

DlArray ctc(Operand y, Operand targets, Operand yMask, Operand targetsMask, const CtcOptions& options) {
  const LabelledData data(y, options.dataFormat, "ctc");
  const Shape& shape = data.shape();
  const std::uint32_t c = dimensionsWith(shape, "C"), t = dimensionsWith(shape, "T");
  if (!c || !t || sizeOf(shape, dimensionsWith(shape, "SU")) != 1)
    fail(y.where(), "ctc:labels", "ctc: predictions are {}; they need the labels C and T, and may have B besides",
         toString(shape));
  const std::string stored = dims(data.array());
  const std::string_view format = options.dataFormat.empty() ? std::string_view(stored) : options.dataFormat;

  Sizes s{sizeOf(shape, c), sizeOf(shape, dimensionsWith(shape, "B")), sizeOf(shape, t), 0, 0};
  s.blank = blankOf(options.blankIndex, s.classes, y.where());
  if (s.batch == 0)
    fail(y.where(), "ctc:empty", "ctc: predictions are {}; a mean needs at least one observation", toString(shape));
  const Sequence labels = sequenceOf(targets, format, "the targets");
  if (labels.batch != s.batch)
    fail(targets.where(), "ctc:sizes",
         "ctc: predictions are {} but targets {}; they must have the same size along B, with the labels along T{}", describe(y),
         describe(targets), labels.time == s.batch ? "; are B and T of the targets exchanged?" : "");
  if (labels.channels != 1)
    fail(targets.where(), "ctc:sizes", "ctc: the targets {} must have one channel: numbers of classes", describe(targets));
  Sequence steps, labelMask;
  if (numel(yMask) > 0) steps = sequenceOf(yMask, format, "the mask of the predictions");
  if (numel(yMask) > 0 && (steps.batch != s.batch || steps.time != s.steps))
    fail(yMask.where(), "ctc:sizes", "ctc: predictions are {} but their mask {}; they must have the same sizes along B and T",
         describe(y), describe(yMask));
  if (steps.channels != 1 && steps.channels != s.classes)
    fail(yMask.where(), "ctc:sizes", "ctc: predictions are {} but their mask {}; it must have one channel, or as many",
         describe(y), describe(yMask));
  if (numel(targetsMask) > 0) {
    // One without labels that is as large as the targets is laid out as they are.
    const std::string own = dims(targets);
    labelMask =
        sequenceOf(targetsMask, !own.empty() && size(targets) == size(targetsMask) ? own : format, "the mask of the targets");
  }
  if (numel(targetsMask) > 0 && (labelMask.batch != s.batch || labelMask.time != labels.time || labelMask.channels != 1))
    fail(targetsMask.where(), "ctc:sizes", "ctc: targets are {} but their mask {}; they must have the same size",
         describe(targets), describe(targetsMask));
  if (steps.values.empty()) steps.values.assign(static_cast<std::size_t>(s.batch * s.steps), 1.0);

  const Labels own = checkedLabels(labels, labelMask, s, steps.values, targets.where());
  s.most = own.most;
  const DlArray part = dlarray(steps.values, Size{s.batch, s.steps});
  Shape plain{Size{s.classes, s.batch, s.steps}, {}};
  dropTrailing(plain);
  const DlArray wide =
      Storage::of(data.array()).type == Type::Logical ? engine::castTo(data.array(), Type::Double) : data.array();
  const DlArray probabilities = engine::reshapeTo(wide, plain);
  const Type type = Storage::of(probabilities).type;
  const DlArray derivative = Storage::make(Storage::traced(probabilities) ? plain : Shape{Size::matrix(0, 0), {}}, type);
  return engine::applyToList(Ctc{s}, {probabilities, own.labels, part, own.counts, derivative}, y.where());
}

}  // namespace dl
