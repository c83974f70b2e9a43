#include "layers/registry.hpp"

namespace dl::layers {

std::vector<AnyLayer> poolingPrototypes() { return {}; }

}  // namespace dl::layers
