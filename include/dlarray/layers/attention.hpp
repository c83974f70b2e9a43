#pragma once
#include <dlarray/layers/layer.hpp>
#include <dlarray/nn/attention.hpp>

// Attention and what goes with it. The tokens of the data lie along its one dimension T or S: "CBT" or "SCB". The functions throw
// for numbers that are not positive, words that are not known, negative factors and probabilities outside [0, 1); the layers for
// data without C, with no or several dimensions of tokens, and of other sizes than their learnables.
namespace dl {

struct SelfAttentionLayerOptions {
  std::string name = {};
  Index numValueChannels = 0;            // 0, MATLAB's "auto": as many as key channels
  Index outputSize = 0;                  // 0: as many channels as the data has
  bool hasPaddingMaskInput = false;      // a port "mask", zero where a token is padding
  AttentionMask attentionMask = "none";  // or "causal", or an array
  double dropoutProbability = 0;         // of a weight, in training
  bool hasScoresOutput = false;          // a port "scores": the weights, keys x queries x heads x observations
  Index inputSize = 0;                   // channels; 0: as many as the data has
  Initializer weightsInitializer = "glorot";
  Initializer biasInitializer = "zeros";
  DlArray queryWeights = {};  // empty: by the initialiser
  DlArray keyWeights = {};
  DlArray valueWeights = {};
  DlArray outputWeights = {};
  DlArray queryBias = {};
  DlArray keyBias = {};
  DlArray valueBias = {};
  DlArray outputBias = {};
  double weightLearnRateFactor = 1;
  double biasLearnRateFactor = 1;
  double weightL2Factor = 1;
  double biasL2Factor = 0;
};
/// Queries, keys and values from one input by QueryWeights and KeyWeights (key channels x C) and ValueWeights (value channels x
/// C), then `attention`, then OutputWeights (output size x value channels), each with a bias, QueryBias, ..., of n x 1. Throws
/// when the heads do not divide the channels of keys and values. (MATLAB: selfAttentionLayer; Vaswani et al. 2017)
AnyLayer selfAttentionLayer(Index numHeads, Index numKeyChannels, const SelfAttentionLayerOptions& options = {},
                            std::source_location where = std::source_location::current());

struct AttentionLayerOptions {
  std::string name = {};
  AttentionScale scale = "auto";  // or a number
  bool hasPaddingMaskInput = false;
  bool hasScoresOutput = false;
  AttentionMask attentionMask = "none";
  double dropoutProbability = 0;
};
/// `attention` of inputs "query", "key" and "value", and "mask" where it is asked for. Nothing is learned. (MATLAB:
/// attentionLayer)
AnyLayer attentionLayer(Index numHeads, const AttentionLayerOptions& options = {},
                        std::source_location where = std::source_location::current());

struct PositionEmbeddingLayerOptions {
  std::string name = {};
  Initializer weightsInitializer = "narrow-normal";
  DlArray weights = {};
  double weightLearnRateFactor = 1;
  double weightL2Factor = 1;
};
/// A learned vector for each position, whatever stands there: Weights outputSize x maxPosition; the result has outputSize
/// channels and otherwise the size and labels of the data. Throws for more tokens than there are positions. (MATLAB:
/// positionEmbeddingLayer)
AnyLayer positionEmbeddingLayer(Index outputSize, Index maxPosition, const PositionEmbeddingLayerOptions& options = {},
                                std::source_location where = std::source_location::current());

struct SinusoidalPositionEncodingLayerOptions {
  std::string name = {};
  std::string positions = "auto";  // 0, 1, ... along the tokens; "data-values": the numbers of the data, which has one channel
};
/// sin(p / 10000^(2 i / outputSize)) in channel 2 i and its cosine in channel 2 i + 1 for position p. Throws for an odd output
/// size. (MATLAB: sinusoidalPositionEncodingLayer; Vaswani et al. 2017)
AnyLayer sinusoidalPositionEncodingLayer(Index outputSize, const SinusoidalPositionEncodingLayerOptions& options = {},
                                         std::source_location where = std::source_location::current());

struct EmbeddingConcatenationLayerOptions {
  std::string name = {};
  Initializer weightsInitializer = "narrow-normal";
  DlArray weights = {};
  double weightLearnRateFactor = 1;
  double weightL2Factor = 1;
};
/// A learned token, Weights C x 1, in front of those of the data. (MATLAB: embeddingConcatenationLayer)
AnyLayer embeddingConcatenationLayer(const EmbeddingConcatenationLayerOptions& options = {},
                                     std::source_location where = std::source_location::current());

struct Indexing1dLayerOptions {
  std::string name = {};
};
/// One token: the "first", the "last", one at "random", drawn at each call, or the one at an index from 0. Its dimension is
/// dropped: "CBT" gives "CB". Throws for other words and negative indices; the layer for tokens that the data does not have.
/// (MATLAB: indexing1dLayer)
AnyLayer indexing1dLayer(std::string_view which = "first", const Indexing1dLayerOptions& options = {},
                         std::source_location where = std::source_location::current());
AnyLayer indexing1dLayer(Index index, const Indexing1dLayerOptions& options = {},
                         std::source_location where = std::source_location::current());

}  // namespace dl
