#include "layers/registry.hpp"

namespace dl::layers {

std::vector<AnyLayer> fullyConnectedPrototypes() { return {}; }

}  // namespace dl::layers
