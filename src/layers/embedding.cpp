#include "layers/registry.hpp"

namespace dl::layers {

std::vector<AnyLayer> embeddingPrototypes() { return {}; }

}  // namespace dl::layers
