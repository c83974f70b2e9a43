#include "layers/input.hpp"

#include "engine/fit.hpp"
#include "layers/registry.hpp"
#include "layers/support.hpp"

#include <algorithm>
#include <cmath>
#include <dlarray/ops/compare.hpp>
#include <dlarray/ops/elementwise.hpp>

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

struct Kind {
  const char *type, *function, *stem;
  const char* normalization;  // unless options say otherwise
};
constexpr Kind image{"ImageInputLayer", "imageInputLayer", "imageinput", "zerocenter"};
constexpr Kind image3d{"Image3dInputLayer", "image3dInputLayer", "image3dinput", "zerocenter"};
constexpr Kind sequence{"SequenceInputLayer", "sequenceInputLayer", "sequenceinput", "none"};
constexpr Kind feature{"FeatureInputLayer", "featureInputLayer", "input", "none"};
constexpr Kind any{"InputLayer", "inputLayer", "input", "none"};

constexpr const char* statisticNames[] = {"mean", "standardDeviation", "min", "max"};
enum Statistic : std::uint8_t { Mean, Deviation, Min, Max, count };

struct Input final : InputLayer {
  const Kind* kind;
  Shape data;  // of one observation; 0 where the size may vary
  Index minLength = 1;
  std::string rule, dimension = "auto";
  detail::Function<DlArray(const DlArray&)> function;
  DlArray given[count];
  // What follows from these: the layout that networks see, and the numbers of y = (x - shift) / scale or y = x * scale + shift.
  DataLayout layout{Size(), ""};
  DlArray shift, scale;

  explicit Input(const Kind& k) : kind(&k), rule(k.normalization) {}
  std::string type() const override { return kind->type; }
  std::string stem() const override { return kind->stem; }
  const DataLayout* input() const override { return &layout; }
  const std::string& normalization() const override { return rule; }
  const std::string& normalizationDimension() const override { return dimension; }
  std::vector<std::string> statistics() const override;
  bool statisticsMissing() const override;
  const DlArray& statistic(std::string_view called) const override { return given[numbered(called)]; }
  void setStatistic(std::string_view called, const DlArray& value) override;
  void initialize(Parameters&, const std::vector<DataLayout>& layouts) const override {
    checkData(shapesOf(*this, layouts)[0], false);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override;
  void options(OptionVisitor& visit) override;

  static Statistic numbered(std::string_view called);
  void checkData(const Shape& x, bool inUse) const;
  DlArray placed(Statistic which, double missing) const;
  void arrange();
};

Statistic Input::numbered(std::string_view called) {
  for (const Statistic s : {Mean, Deviation, Min, Max})
    if (called == statisticNames[s]) return s;
  fail(noPlace, "layer:statistic", "input layer: \"{}\" is no statistic; they are mean, standardDeviation, min and max", called);
}

std::vector<std::string> Input::statistics() const {
  if (rule == "zerocenter") return {"mean"};
  if (rule == "zscore") return {"mean", "standardDeviation"};
  if (rule.starts_with("rescale")) return {"min", "max"};
  return {};
}

bool Input::statisticsMissing() const {
  const std::vector<std::string> used = statistics();
  return std::any_of(used.begin(), used.end(), [&](const std::string& s) { return isempty(statistic(s)); });
}

void Input::setStatistic(std::string_view called, const DlArray& value) {
  const Statistic which = numbered(called);
  const DlArray before = std::exchange(given[which], value);
  try {
    arrange();
  } catch (...) {
    given[which] = before;
    throw;
  }
}

// A statistic along the dimensions of the data, in double precision: one number, one for each channel or for each element.
DlArray Input::placed(Statistic which, double missing) const {
  if (isempty(given[which])) return missing;
  const DlArray x = double_(stripdims(given[which]));
  if (isscalar(x)) return x;
  Shape one = data, channels = data;
  for (std::size_t d = 0; d < data.size.size(); ++d) {
    const bool element = data.format[d] == Format::S || data.format[d] == Format::C;
    if (!element) one.size[d] = channels.size[d] = 1;
    if (data.format[d] != Format::C) channels.size[d] = 1;
  }
  for (const Shape* shape : {&channels, &one})
    if (numel(x) == numel(shape->size)) return engine::reshapeTo(x, *shape);
  fail(noPlace, "layer:statistic", "{}: .{} is {}; it is one number, or one for each of {} channels or {} elements of the data",
       called(*this), statisticNames[which], toString(size(x)), numel(channels.size), numel(one.size));
}

// 1 where nothing varies, so that what is always the same becomes a number, not NaN.
DlArray divisor(const DlArray& x) { return x + (x == 0.0); }

void Input::arrange() {
  Shape seen = data;
  for (std::size_t d = 0; d < seen.size.size(); ++d) {
    if (seen.size[d] == 0 || seen.format[d] == Format::B) seen.size[d] = 1;
    if (seen.format[d] == Format::T && kind == &sequence) seen.size[d] = minLength;
  }
  layout = DataLayout(seen.size, toString(seen.format, seen.size.size()));
  shift = placed(Mean, 0);
  scale = divisor(placed(Deviation, 1));
  if (!rule.starts_with("rescale")) return;
  // 2 (x - min) / (max - min) - 1 in one product and one sum.
  const bool symmetric = rule == "rescale-symmetric";
  const DlArray least = placed(Min, symmetric ? -1 : 0), range = divisor(placed(Max, 1) - least);
  scale = (symmetric ? 2.0 : 1.0) / range;
  shift = -(least % scale);
  if (symmetric) shift = shift - 1;
}

void Input::checkData(const Shape& x, bool inUse) const {
  const auto wrong = [&] {
    std::string wanted;
    for (std::size_t d = 0; d < data.size.size(); ++d) {
      const bool varies = data.size[d] == 0 || data.format[d] == Format::B || (kind == &sequence && data.format[d] == Format::T);
      wanted +=
          fmt::format("{}{}({})", d ? " x " : "", varies ? "?" : fmt::format("{}", data.size[d]), Format::letter(data.format[d]));
    }
    fail(noPlace, "layer:data", "{}: the input is {}; the layer needs {}", called(*this), toString(x), wanted);
  };
  // B and T may be left out: one observation, one time step.
  std::size_t at = 0;
  for (std::size_t d = 0; d < data.size.size(); ++d) {
    const Format::Label label = data.format[d];
    if (at >= x.size.size() || x.format[at] != label) {
      if (label == Format::B || (label == Format::T && kind == &sequence)) continue;
      wrong();
    }
    const bool varies = data.size[d] == 0 || label == Format::B || (label == Format::T && kind == &sequence);
    if (!varies && x.size[at] != data.size[d]) wrong();
    ++at;
  }
  for (; at < x.size.size(); ++at)
    if (x.format[at] != Format::U || x.size[at] != 1) wrong();
  if (const Index length = sizeAlong(x, Format::T); inUse && kind == &sequence && length < minLength)
    fail(noPlace, "layer:length", "{}: the input has {} time steps, .minLength is {}: {}", called(*this), length, minLength,
         toString(x));
}

std::vector<DlArray> Input::predict(const std::vector<DlArray>& X, const Parameters&) const {
  checkInputs(*this, X.size(), 1);
  const DlArray& x = X[0];
  checkData(Storage::shape(x), true);
  if (rule == "none" ||
      (rule != "function" && isempty(given[Mean]) && isempty(given[Deviation]) && isempty(given[Min]) && isempty(given[Max])))
    return X;
  return {inside(*this, [&] {
    if (rule == "zerocenter") return x - shift;
    if (rule == "zscore") return (x - shift) / scale;
    if (rule.starts_with("rescale")) return x % scale + shift;
    if (!function) fail(noPlace, "layer:function", "its normalisation was a function, which files do not hold");
    return function(x);
  })};
}

void Input::options(OptionVisitor& visit) {
  std::string format = toString(data.format, data.size.size());
  visit("inputSize", data.size);
  visit("inputFormat", format);
  for (std::size_t d = 0; d < format.size(); ++d) data.format.set(d, Format::label(format[d]));
  if (kind == &sequence) visit("minLength", minLength);
  if (kind != &any) {
    visit("normalization", rule);
    visit("normalizationDimension", dimension);
    for (const Statistic s : {Mean, Deviation, Min, Max}) visit(statisticNames[s], given[s]);
  }
  arrange();
}

// Sizes of S ... S C, and the labels behind them, whose sizes vary.
Input inputOf(const Kind& kind, const Size& sizes, std::string_view behind, const std::source_location& where) {
  Input layer(kind);
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    checkNumber(sizes[d], 1, kind.function, "input size", where);
    layer.data.format.set(d, d + 1 < sizes.size() ? Format::S : Format::C);
    layer.data.size.push_back(sizes[d]);
  }
  for (const char label : behind) {
    layer.data.format.set(layer.data.size.size(), Format::label(label));
    layer.data.size.push_back(0);
  }
  return layer;
}

template <class Options>
AnyLayer normalized(Input layer, const Options& o, const std::source_location& where) {
  const char* function = layer.kind->function;
  layer.name = o.name;
  layer.rule = o.normalization.rule();
  layer.function = o.normalization.function();
  const auto known = [](const std::string& word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (!layer.function && !known(layer.rule, {"none", "zerocenter", "zscore", "rescale-symmetric", "rescale-zero-one"}))
    fail(where, "layer:word",
         "{}: the normalization is \"{}\"; it is \"none\", \"zerocenter\", \"zscore\", \"rescale-symmetric\", "
         "\"rescale-zero-one\" or a "
         "function",
         function, layer.rule);
  layer.dimension = o.normalizationDimension;
  if (!known(layer.dimension, {"auto", "channel", "element", "all"}))
    fail(where, "layer:word", "{}: .normalizationDimension is \"{}\"; it is \"auto\", \"channel\", \"element\" or \"all\"",
         function, layer.dimension);
  layer.given[Mean] = o.mean;
  layer.given[Deviation] = o.standardDeviation;
  layer.given[Min] = o.min;
  layer.given[Max] = o.max;
  try {
    layer.arrange();
  } catch (const Error& e) {
    throw Error(e.identifier(), e.what() + lineOf(where));
  }
  return layer;
}

void checkCount(const Size& sizes, std::size_t least, std::size_t most, const char* function, const char* forms,
                const std::source_location& where) {
  if (sizes.size() < least || sizes.size() > most)
    fail(where, "layer:size", "{}: the input size has {} numbers; it is {}", function, sizes.size(), forms);
}

}  // namespace

AnyLayer imageInputLayer(const Size& inputSize, const ImageInputLayerOptions& options, std::source_location where) {
  checkCount(inputSize, 3, 3, image.function, "{height, width, channels}", where);
  return normalized(inputOf(image, inputSize, "B", where), options, where);
}

AnyLayer image3dInputLayer(const Size& inputSize, const Image3dInputLayerOptions& options, std::source_location where) {
  checkCount(inputSize, 4, 4, image3d.function, "{height, width, depth, channels}", where);
  return normalized(inputOf(image3d, inputSize, "B", where), options, where);
}

AnyLayer sequenceInputLayer(const Size& inputSize, const SequenceInputLayerOptions& options, std::source_location where) {
  checkCount(inputSize, 1, 4, sequence.function,
             "a number of channels, or that behind the sizes of up to three spatial dimensions", where);
  checkNumber(options.minLength, 1, sequence.function, "minimum length", where);
  Input layer = inputOf(sequence, inputSize, "BT", where);
  layer.minLength = options.minLength;
  return normalized(std::move(layer), options, where);
}

AnyLayer sequenceInputLayer(Index numChannels, const SequenceInputLayerOptions& options, std::source_location where) {
  checkNumber(numChannels, 1, sequence.function, "input size", where);
  return sequenceInputLayer(Size{numChannels}, options, where);
}

AnyLayer featureInputLayer(Index numFeatures, const FeatureInputLayerOptions& options, std::source_location where) {
  checkNumber(numFeatures, 1, feature.function, "number of features", where);
  return normalized(inputOf(feature, Size{numFeatures}, "B", where), options, where);
}

AnyLayer inputLayer(std::initializer_list<detail::AnyNumber> inputSize, std::string_view format, const InputLayerOptions& options,
                    std::source_location where) {
  const std::vector<Format::Label> labels = parseFormat(format, any.function, where);
  if (labels.size() != inputSize.size() || labels.empty())
    fail(where, "layer:size", "inputLayer: there are {} sizes and {} labels, \"{}\"; each size needs a label", inputSize.size(),
         labels.size(), format);
  Input layer(any);
  layer.name = options.name;
  for (const Format::Label label : {Format::S, Format::C, Format::B, Format::T, Format::U})
    for (std::size_t d = 0; d < labels.size(); ++d) {
      const double n = inputSize.begin()[d].value;
      if (!std::isnan(n) && (n < 1 || n != std::floor(n)))
        fail(where, "layer:number", "inputLayer: a size is {}; sizes are whole numbers from 1, or NaN where they vary", n);
      if (labels[d] != label) continue;
      layer.data.format.set(layer.data.size.size(), label);
      layer.data.size.push_back(std::isnan(n) ? 0 : static_cast<Index>(n));
    }
  layer.arrange();
  return layer;
}

namespace layers {

std::vector<AnyLayer> inputPrototypes() {
  std::vector<AnyLayer> all;
  for (const Kind* kind : {&image, &image3d, &sequence, &feature, &any}) {
    Input layer(*kind);
    layer.arrange();
    all.push_back(layer);
  }
  return all;
}

}  // namespace layers

}  // namespace dl
