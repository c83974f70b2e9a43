#include "layers/registry.hpp"

namespace dl::layers {

std::vector<AnyLayer> recurrentPrototypes() { return {}; }

}  // namespace dl::layers
