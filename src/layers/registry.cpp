#include "layers/registry.hpp"

namespace dl::layers {

std::optional<AnyLayer> layerOfType(std::string_view type) {
  static constexpr std::vector<AnyLayer> (*families[])() = {
      inputPrototypes,      convolutionPrototypes,   fullyConnectedPrototypes, poolingPrototypes,   combinationPrototypes, shapePrototypes,
      activationPrototypes, normalizationPrototypes, recurrentPrototypes,      attentionPrototypes, embeddingPrototypes};
  for (const auto family : families)
    for (AnyLayer& layer : family())
      if (layer->type() == type) return layer;
  return std::nullopt;
}

}  // namespace dl::layers
