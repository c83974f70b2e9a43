#pragma once
#include <dlarray/layers/layer.hpp>

// Layers that make one array of several: inputs "in1", "in2", ... They throw for fewer than two inputs, and for data that does
// not fit together.
namespace dl {

struct CombinationLayerOptions {
  std::string name = {};
};
/// The sum of the inputs, element by element with implicit expansion. (MATLAB: additionLayer)
AnyLayer additionLayer(Index numInputs, const CombinationLayerOptions& options = {},
                       std::source_location where = std::source_location::current());
/// The product of the inputs, element by element with implicit expansion. (MATLAB: multiplicationLayer)
AnyLayer multiplicationLayer(Index numInputs, const CombinationLayerOptions& options = {},
                             std::source_location where = std::source_location::current());
/// The inputs joined along a dimension, from 0 in the order S C B T U, or along a label, "C". (MATLAB: concatenationLayer)
AnyLayer concatenationLayer(const Dimensions& dimension, Index numInputs, const CombinationLayerOptions& options = {},
                            std::source_location where = std::source_location::current());
/// The inputs joined along C. (MATLAB: depthConcatenationLayer)
AnyLayer depthConcatenationLayer(Index numInputs, const CombinationLayerOptions& options = {},
                                 std::source_location where = std::source_location::current());

}  // namespace dl
