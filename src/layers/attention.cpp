#include "layers/registry.hpp"

namespace dl::layers {

std::vector<AnyLayer> attentionPrototypes() { return {}; }

}  // namespace dl::layers
