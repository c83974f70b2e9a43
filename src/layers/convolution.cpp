#include <dlarray/layers/convolution.hpp>

#include "layers/registry.hpp"
#include "layers/support.hpp"

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

// What tells the layers of this family apart.
struct Kind {
  const char *type, *function, *stem;
  std::size_t dimensions;
  bool transposed = false, grouped = false;
  // How weights are labelled that move along T, which the functions would take for observations.
  const char* overTime;
};
constexpr Kind conv1d{"Convolution1dLayer", "convolution1dLayer", "conv1d", 1, false, false, "TCU"};
constexpr Kind conv2d{"Convolution2dLayer", "convolution2dLayer", "conv", 2, false, false, "STCU"};
constexpr Kind conv3d{"Convolution3dLayer", "convolution3dLayer", "conv", 3, false, false, "SSTCU"};
constexpr Kind grouped2d{"GroupedConvolution2dLayer", "groupedConvolution2dLayer", "groupedconv", 2, false, true, "STCUU"};
constexpr Kind transposed1d{"TransposedConv1dLayer", "transposedConv1dLayer", "transposed-conv", 1, true, false, "TUC"};
constexpr Kind transposed2d{"TransposedConv2dLayer", "transposedConv2dLayer", "transposed-conv", 2, true, false, "STUC"};
constexpr Kind transposed3d{"TransposedConv3dLayer", "transposedConv3dLayer", "transposed-conv", 3, true, false, "SSTUC"};

struct ConvolutionLayer final : Layer {
  const Kind* kind;
  WindowSizes filterSize = 1;
  Index numFilters = 1;  // of each group
  GroupCount numGroups = 1;
  WindowSizes stride = 1, dilationFactor = 1;
  Padding sides = 0;  // padding or cropping
  ConvolutionPaddingValue paddingValue = 0;
  Index numChannels = 0;
  WeightsAndBias learnables = {};

  explicit ConvolutionLayer(const Kind& k) : kind(&k) {}
  std::string type() const override { return kind->type; }
  std::string stem() const override { return kind->stem; }
  void initialize(Parameters& p, const std::vector<DataLayout>& data) const override;
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override;
  void options(OptionVisitor& visit) override;

  Index groupsFor(const Shape& data) const;
  bool checkData(const Shape& data, const Size& weights) const;
};

Index channelsOf(const ConvolutionLayer& layer, const Shape& data) {
  if (countOf(data, Format::C) == 0)
    fail(noPlace, "layer:data", "{}: the input is {}; it needs a dimension of channels, C", called(layer), toString(data));
  return sizeAlong(data, Format::C);
}

Index ConvolutionLayer::groupsFor(const Shape& data) const {
  const Index channels = channelsOf(*this, data), groups = numGroups.word().empty() ? numGroups.count() : channels;
  if (channels % groups != 0)
    fail(noPlace, "layer:groups", "{}: {} groups do not divide the {} channels of the input, {}", called(*this), groups, channels,
         toString(data));
  return groups;
}

// Whether the filter moves along T.
bool ConvolutionLayer::checkData(const Shape& data, const Size& weights) const {
  const bool time = movesAlongTime(*this, data, kind->dimensions);
  const std::size_t behind = kind->dimensions;
  const Index channels = channelsOf(*this, data),
              wanted = sizeAt(weights, behind + (kind->transposed ? 1 : 0)) * (kind->grouped ? sizeAt(weights, behind + 2) : 1);
  if (channels != wanted)
    fail(noPlace, "layer:channels", "{}: the input has {} channel{}, the weights are for {}: {}", called(*this), channels,
         channels == 1 ? "" : "s", wanted, toString(data));
  return time;
}

void ConvolutionLayer::initialize(Parameters& p, const std::vector<DataLayout>& layouts) const {
  const Shape data = shapesOf(*this, layouts)[0];
  movesAlongTime(*this, data, kind->dimensions);
  const Index channels = channelsOf(*this, data), groups = groupsFor(data);
  if (numChannels != 0 && numChannels != channels)
    fail(noPlace, "layer:channels", "{}: the input has {} channel{}, .numChannels is {}: {}", called(*this), channels,
         channels == 1 ? "" : "s", numChannels, toString(data));
  Size weights, bias;
  Index window = 1;
  for (std::size_t d = 0; d < kind->dimensions; ++d) {
    weights.push_back(filterSize[d]);
    bias.push_back(1);
    window *= filterSize[d];
  }
  const Index perGroup = channels / groups;
  weights.push_back(kind->transposed ? numFilters : perGroup);
  weights.push_back(kind->transposed ? perGroup : numFilters);
  bias.push_back(numFilters);
  if (kind->grouped) {
    weights.push_back(groups);
    bias.push_back(groups);
  }
  learnables.declare(*this, p, weights, bias, {window * perGroup, window * numFilters});
  checkData(data, size(p["Weights"]));
}

std::vector<DlArray> ConvolutionLayer::predict(const std::vector<DlArray>& X, const Parameters& p) const {
  checkInputs(*this, X.size(), 1);
  const DlArray &x = X[0], &weights = p["Weights"], &bias = p["Bias"];
  const std::string_view format = checkData(Storage::shape(x), Storage::shape(weights).size) ? kind->overTime : "";
  return {inside(*this, [&] {
    if (kind->transposed) return dltranspconv(x, weights, bias, {.weightsFormat = format, .stride = stride, .cropping = sides});
    return dlconv(x, weights, bias,
                  {.weightsFormat = format,
                   .stride = stride,
                   .dilationFactor = dilationFactor,
                   .padding = sides,
                   .paddingValue = paddingValue});
  })};
}

void ConvolutionLayer::options(OptionVisitor& visit) {
  visit("filterSize", filterSize);
  visit(kind->grouped ? "numFiltersPerGroup" : "numFilters", numFilters);
  if (kind->grouped) visit("numGroups", numGroups);
  visit("stride", stride);
  if (kind->transposed) {
    visit("cropping", sides);
  } else {
    visit("dilationFactor", dilationFactor);
    visit("padding", sides);
    visit("paddingValue", paddingValue);
  }
  visit("numChannels", numChannels);
  learnables.show(visit);
}

template <class Options>
ConvolutionLayer layerOf(const Kind& kind, const WindowSizes& filterSize, Index numFilters, const Options& o,
                         const std::source_location& where) {
  checkWindow(filterSize, kind.dimensions, kind.function, "filter size", where);
  checkNumber(numFilters, 1, kind.function, "number of filters", where);
  checkWindow(o.stride, kind.dimensions, kind.function, "stride", where);
  checkNumber(o.numChannels, 0, kind.function, "number of channels", where);
  ConvolutionLayer layer(kind);
  layer.name = o.name;
  layer.filterSize = filterSize;
  layer.numFilters = numFilters;
  layer.stride = o.stride;
  layer.numChannels = o.numChannels;
  layer.learnables = WeightsAndBias::of(o, kind.function, where);
  return layer;
}

void checkWord(const std::string& word, std::initializer_list<std::string_view> known, const Kind& kind, const char* what,
               const std::source_location& where) {
  if (word.empty()) return;
  std::string list;
  for (const std::string_view k : known) {
    if (word == k) return;
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", k);
  }
  fail(where, "layer:word", "{}: the {} is \"{}\"; the words for it are {}", kind.function, what, word, list);
}

ConvolutionLayer convolution(const Kind& kind, const WindowSizes& filterSize, Index numFilters,
                             const Convolution2dLayerOptions& o, const std::source_location& where) {
  ConvolutionLayer layer = layerOf(kind, filterSize, numFilters, o, where);
  checkWindow(o.dilationFactor, kind.dimensions, kind.function, "dilation factor", where);
  if (kind.dimensions == 1)
    checkWord(o.padding.word(), {"same", "causal"}, kind, "padding", where);
  else
    checkWord(o.padding.word(), {"same"}, kind, "padding", where);
  checkWord(o.paddingValue.word(), {"symmetric-include-edge", "symmetric-exclude-edge", "replicate"}, kind, "padding value",
            where);
  layer.dilationFactor = o.dilationFactor;
  layer.sides = sidesOf(o.padding, kind.dimensions, kind.function, "padding", where);
  layer.paddingValue = o.paddingValue;
  return layer;
}

ConvolutionLayer transposed(const Kind& kind, const WindowSizes& filterSize, Index numFilters,
                            const TransposedConv2dLayerOptions& o, const std::source_location& where) {
  ConvolutionLayer layer = layerOf(kind, filterSize, numFilters, o, where);
  checkWord(o.cropping.word(), {"same"}, kind, "cropping", where);
  layer.sides = sidesOf(o.cropping, kind.dimensions, kind.function, "cropping", where);
  return layer;
}

}  // namespace

AnyLayer convolution1dLayer(const WindowSizes& filterSize, Index numFilters, const Convolution1dLayerOptions& options,
                            std::source_location where) {
  return convolution(conv1d, filterSize, numFilters, options, where);
}
AnyLayer convolution2dLayer(const WindowSizes& filterSize, Index numFilters, const Convolution2dLayerOptions& options,
                            std::source_location where) {
  return convolution(conv2d, filterSize, numFilters, options, where);
}
AnyLayer convolution3dLayer(const WindowSizes& filterSize, Index numFilters, const Convolution3dLayerOptions& options,
                            std::source_location where) {
  return convolution(conv3d, filterSize, numFilters, options, where);
}
AnyLayer groupedConvolution2dLayer(const WindowSizes& filterSize, Index numFiltersPerGroup, const GroupCount& numGroups,
                                   const GroupedConvolution2dLayerOptions& options, std::source_location where) {
  ConvolutionLayer layer = convolution(grouped2d, filterSize, numFiltersPerGroup, options, where);
  checkWord(numGroups.word(), {"channel-wise"}, grouped2d, "number of groups", where);
  if (numGroups.word().empty()) checkNumber(numGroups.count(), 1, grouped2d.function, "number of groups", where);
  layer.numGroups = numGroups;
  return layer;
}
AnyLayer transposedConv1dLayer(const WindowSizes& filterSize, Index numFilters, const TransposedConv1dLayerOptions& options,
                               std::source_location where) {
  return transposed(transposed1d, filterSize, numFilters, options, where);
}
AnyLayer transposedConv2dLayer(const WindowSizes& filterSize, Index numFilters, const TransposedConv2dLayerOptions& options,
                               std::source_location where) {
  return transposed(transposed2d, filterSize, numFilters, options, where);
}
AnyLayer transposedConv3dLayer(const WindowSizes& filterSize, Index numFilters, const TransposedConv3dLayerOptions& options,
                               std::source_location where) {
  return transposed(transposed3d, filterSize, numFilters, options, where);
}

namespace layers {

std::vector<AnyLayer> convolutionPrototypes() {
  std::vector<AnyLayer> all;
  for (const Kind* kind : {&conv1d, &conv2d, &conv3d, &grouped2d, &transposed1d, &transposed2d, &transposed3d})
    all.push_back(ConvolutionLayer(*kind));
  return all;
}

}  // namespace layers

}  // namespace dl
