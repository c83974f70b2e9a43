#include "layers/registry.hpp"

namespace dl::layers {

std::vector<AnyLayer> inputPrototypes() { return {}; }

}  // namespace dl::layers
