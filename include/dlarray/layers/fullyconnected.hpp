#pragma once
#include <dlarray/layers/layer.hpp>

namespace dl {

struct FullyConnectedLayerOptions {
  std::string name = {};
  Index inputSize = 0;  // elements of an observation; 0, MATLAB's "auto": as many as the data has
  Initializer weightsInitializer = "glorot";
  Initializer biasInitializer = "zeros";
  DlArray weights = {};  // empty: by the initialiser
  DlArray bias = {};
  double weightLearnRateFactor = 1;
  double biasLearnRateFactor = 1;
  double weightL2Factor = 1;
  double biasL2Factor = 0;
};
/// W x + b for every observation and time step, with all of its elements along S, C and U as x: data "SSCB" gives "CB", "CBT"
/// gives "CBT". Weights outputs x elements, bias outputs x 1. Throws for an output size below 1; the layer for observations of
/// another number of elements. (MATLAB: fullyConnectedLayer)
AnyLayer fullyConnectedLayer(Index outputSize, const FullyConnectedLayerOptions& options = {},
                             std::source_location where = std::source_location::current());

}  // namespace dl
