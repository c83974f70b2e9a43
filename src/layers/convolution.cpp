#include "layers/registry.hpp"

namespace dl::layers {

std::vector<AnyLayer> convolutionPrototypes() { return {}; }

}  // namespace dl::layers
