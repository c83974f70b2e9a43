#pragma once
#include <dlarray/layers/layer.hpp>
#include <dlarray/nn/convolution.hpp>

// Layers that move filters over data. A layer for n dimensions moves along the n spatial dimensions of its data; over data with
// one spatial dimension less and T it moves along these and T: `convolution1dLayer` along T of a sequence "CBT" and along S of
// "SCB", `convolution2dLayer` along S and T of "SCBT". Over data with n spatial dimensions and T each time step is convolved for
// itself.
//
// Filter size, stride and dilation are a number for all dimensions or one for each. Padding and cropping are a number for all
// sides, "same", `{{starts}, {ends}}`, or MATLAB's lists: `{left, right}` for one dimension; `{a, b}`, or `{top, bottom, left,
// right}`, for two;
// `{a, b, c}` for three.
//
// Weights and bias are learnables. They start by their initialisers, or with the arrays that are given, and have factors for
// learn rate and L2 regularisation; biases have L2 factor 0. The layer functions throw for sizes that are none; the layers throw
// for data with other labels or another number of channels than theirs.
namespace dl {

struct Convolution2dLayerOptions {
  std::string name = {};
  WindowSizes stride = 1;
  WindowSizes dilationFactor = 1;
  Padding padding = 0;
  ConvolutionPaddingValue paddingValue = 0;
  Index numChannels = 0;  // of the data; 0, MATLAB's "auto": as many as the data has
  Initializer weightsInitializer = "glorot";
  Initializer biasInitializer = "zeros";
  DlArray weights = {};  // empty: by the initialiser
  DlArray bias = {};
  double weightLearnRateFactor = 1;
  double biasLearnRateFactor = 1;
  double weightL2Factor = 1;
  double biasL2Factor = 0;
};
using Convolution1dLayerOptions = Convolution2dLayerOptions;
using Convolution3dLayerOptions = Convolution2dLayerOptions;
using GroupedConvolution2dLayerOptions = Convolution2dLayerOptions;

/// Convolution along one dimension; `.padding = "causal"` too. Weights filter x channels x filters, bias 1 x filters. (MATLAB:
/// convolution1dLayer)
AnyLayer convolution1dLayer(const WindowSizes& filterSize, Index numFilters, const Convolution1dLayerOptions& options = {},
                            std::source_location where = std::source_location::current());
/// Convolution along two dimensions. Weights height x width x channels x filters, bias 1 x 1 x filters. (MATLAB:
/// convolution2dLayer)
AnyLayer convolution2dLayer(const WindowSizes& filterSize, Index numFilters, const Convolution2dLayerOptions& options = {},
                            std::source_location where = std::source_location::current());
/// Convolution along three dimensions. Weights height x width x depth x channels x filters, bias 1 x 1 x 1 x filters. (MATLAB:
/// convolution3dLayer)
AnyLayer convolution3dLayer(const WindowSizes& filterSize, Index numFilters, const Convolution3dLayerOptions& options = {},
                            std::source_location where = std::source_location::current());
/// Convolution of groups of channels, each with its own filters; "channel-wise" for as many groups as channels. Weights height x
/// width x channels of a group x filters of a group x groups, bias 1 x 1 x filters of a group x groups. Throws when the groups do
/// not divide the channels. (MATLAB: groupedConvolution2dLayer)
AnyLayer groupedConvolution2dLayer(const WindowSizes& filterSize, Index numFiltersPerGroup, const GroupCount& numGroups,
                                   const GroupedConvolution2dLayerOptions& options = {},
                                   std::source_location where = std::source_location::current());

struct TransposedConv2dLayerOptions {
  std::string name = {};
  WindowSizes stride = 1;
  Padding cropping = 0;
  Index numChannels = 0;
  Initializer weightsInitializer = "glorot";
  Initializer biasInitializer = "zeros";
  DlArray weights = {};
  DlArray bias = {};
  double weightLearnRateFactor = 1;
  double biasLearnRateFactor = 1;
  double weightL2Factor = 1;
  double biasL2Factor = 0;
};
using TransposedConv1dLayerOptions = TransposedConv2dLayerOptions;
using TransposedConv3dLayerOptions = TransposedConv2dLayerOptions;

/// Transposed convolution, which makes data larger, along one dimension. Weights filter x filters x channels, bias 1 x filters.
/// (MATLAB: transposedConv1dLayer)
AnyLayer transposedConv1dLayer(const WindowSizes& filterSize, Index numFilters, const TransposedConv1dLayerOptions& options = {},
                               std::source_location where = std::source_location::current());
/// The same along two dimensions. Weights height x width x filters x channels, bias 1 x 1 x filters. (MATLAB:
/// transposedConv2dLayer)
AnyLayer transposedConv2dLayer(const WindowSizes& filterSize, Index numFilters, const TransposedConv2dLayerOptions& options = {},
                               std::source_location where = std::source_location::current());
/// The same along three dimensions. Weights height x width x depth x filters x channels, bias 1 x 1 x 1 x filters. (MATLAB:
/// transposedConv3dLayer)
AnyLayer transposedConv3dLayer(const WindowSizes& filterSize, Index numFilters, const TransposedConv3dLayerOptions& options = {},
                               std::source_location where = std::source_location::current());

}  // namespace dl
