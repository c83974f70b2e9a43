#include "layers/registry.hpp"

namespace dl::layers {

std::vector<AnyLayer> combinationPrototypes() { return {}; }

}  // namespace dl::layers
