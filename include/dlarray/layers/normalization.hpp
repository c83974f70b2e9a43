#pragma once
#include <dlarray/layers/layer.hpp>

// Normalisation: elements less their mean, divided by their standard deviation, then scaled and moved by learnables "Offset" and
// "Scale" with a number for each channel, 1 x 1 x C for images and C x 1 without S. The functions throw for an epsilon that is
// not positive and for negative factors; the layers for data without C or of another number of channels.
namespace dl {

struct BatchNormalizationLayerOptions {
  std::string name = {};
  double meanDecay = 0.1;
  double varianceDecay = 0.1;
  double epsilon = 1e-5;
  Index numChannels = 0;         // 0, MATLAB's "auto": as many as the data has
  DlArray trainedMean = {};      // empty: zeros
  DlArray trainedVariance = {};  // empty: ones
  DlArray offset = {};           // empty: by the initialiser
  DlArray scale = {};
  Initializer offsetInitializer = "zeros";
  Initializer scaleInitializer = "ones";
  double offsetLearnRateFactor = 1;
  double scaleLearnRateFactor = 1;
  double offsetL2Factor = 1;
  double scaleL2Factor = 1;
};
/// In training, each channel by its mean and variance in the batch, over S, B, T and U, while the states "TrainedMean" and
/// "TrainedVariance" move towards these: decay * (of the batch) + (1 - decay) * (before). In use, by the states. Throws for
/// decays outside [0, 1]. (MATLAB: batchNormalizationLayer; Ioffe and Szegedy 2015)
AnyLayer batchNormalizationLayer(const BatchNormalizationLayerOptions& options = {},
                                 std::source_location where = std::source_location::current());

struct LayerNormalizationLayerOptions {
  std::string name = {};
  double epsilon = 1e-5;
  Index numChannels = 0;  // 0: as many as the data has
  /// What is normalised together, for each observation: "auto" and "spatial-channel" S and C at each time, "channel-only" C,
  /// "batch-excluded" all of it.
  std::string operationDimension = "auto";
  DlArray offset = {};
  DlArray scale = {};
  Initializer offsetInitializer = "zeros";
  Initializer scaleInitializer = "ones";
  double offsetLearnRateFactor = 1;
  double scaleLearnRateFactor = 1;
  double offsetL2Factor = 1;
  double scaleL2Factor = 1;
};
/// Each observation by its own mean and variance; time steps of sequences on their own unless `.operationDimension` says
/// otherwise. Throws for other words. (MATLAB: layerNormalizationLayer; Ba, Kiros and Hinton 2016)
AnyLayer layerNormalizationLayer(const LayerNormalizationLayerOptions& options = {},
                                 std::source_location where = std::source_location::current());

struct GroupNormalizationLayerOptions {
  std::string name = {};
  double epsilon = 1e-5;
  Index numChannels = 0;  // 0: as many as the data has
  DlArray offset = {};
  DlArray scale = {};
  Initializer offsetInitializer = "zeros";
  Initializer scaleInitializer = "ones";
  double offsetLearnRateFactor = 1;
  double scaleLearnRateFactor = 1;
  double offsetL2Factor = 1;
  double scaleL2Factor = 1;
};
/// Each group of neighbouring channels of each observation, over S, T and U: a number of groups, "all-channels" for one group,
/// "channel-wise" for one each. Throws for other words; the layer when the groups do not divide the channels.
/// (MATLAB: groupNormalizationLayer; Wu and He 2018)
AnyLayer groupNormalizationLayer(const GroupCount& numGroups, const GroupNormalizationLayerOptions& options = {},
                                 std::source_location where = std::source_location::current());
using InstanceNormalizationLayerOptions = GroupNormalizationLayerOptions;
/// Each channel of each observation, over S, T and U. (MATLAB: instanceNormalizationLayer)
AnyLayer instanceNormalizationLayer(const InstanceNormalizationLayerOptions& options = {},
                                    std::source_location where = std::source_location::current());

struct CrossChannelNormalizationLayerOptions {
  std::string name = {};
  double alpha = 1e-4;
  double beta = 0.75;
  double k = 2;
};
/// Each element divided by (k + alpha s / windowSize) ^ beta, where s sums the squares over a window of channels around its own.
/// Nothing is learned. Throws for a window below 1. (MATLAB: crossChannelNormalizationLayer; Krizhevsky, Sutskever and Hinton
/// 2012)
AnyLayer crossChannelNormalizationLayer(Index windowChannelSize, const CrossChannelNormalizationLayerOptions& options = {},
                                        std::source_location where = std::source_location::current());

}  // namespace dl
