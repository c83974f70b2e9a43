#pragma once
// Every type of layer that the library brings, one of each with default options: what a file's layers are made from.
#include <dlarray/layers/layer.hpp>

#include <optional>

namespace dl::layers {

// By family, each in the family's .cpp.
std::vector<AnyLayer> inputPrototypes();
std::vector<AnyLayer> convolutionPrototypes();
std::vector<AnyLayer> fullyConnectedPrototypes();
std::vector<AnyLayer> poolingPrototypes();
std::vector<AnyLayer> combinationPrototypes();
std::vector<AnyLayer> shapePrototypes();
std::vector<AnyLayer> activationPrototypes();
std::vector<AnyLayer> normalizationPrototypes();
std::vector<AnyLayer> recurrentPrototypes();
std::vector<AnyLayer> attentionPrototypes();
std::vector<AnyLayer> embeddingPrototypes();

/// A layer of this `type()`; none for types that are not the library's.
std::optional<AnyLayer> layerOfType(std::string_view type);

}  // namespace dl::layers
