#include "layers/registry.hpp"

namespace dl::layers {

std::vector<AnyLayer> activationPrototypes() { return {}; }

}  // namespace dl::layers
