#pragma once
#include <dlarray/layers/layer.hpp>

// Learned vectors in place of tokens, which are whole numbers from 0 and lie where channels would: C is left out or has size 1.
// Tokens that are NaN, negative or too large take the last column of the weights. The functions throw for numbers that are not
// positive and for negative factors; the layers for data with several channels.
namespace dl {

struct EmbeddingLayerOptions {
  std::string name = {};
  Initializer weightsInitializer = "narrow-normal";
  DlArray weights = {};  // empty: by the initialiser
  double weightLearnRateFactor = 1;
  double weightL2Factor = 1;
};
/// A vector for each of `numWords` words, and one more, the last, for all that is none: Weights dimension x (numWords + 1), as
/// MATLAB's have it. 1(C) x 5(B) x 7(T) becomes dimension(C) x 5(B) x 7(T). (MATLAB: wordEmbeddingLayer)
AnyLayer wordEmbeddingLayer(Index dimension, Index numWords, const EmbeddingLayerOptions& options = {},
                            std::source_location where = std::source_location::current());
/// A vector for each of `numTokens` tokens: Weights dimension x numTokens, without one for others. (MATLAB: embeddingLayer)
AnyLayer embeddingLayer(Index dimension, Index numTokens, const EmbeddingLayerOptions& options = {},
                        std::source_location where = std::source_location::current());

}  // namespace dl
