#pragma once
#include <dlarray/layers/layer.hpp>

// Activations and dropout. All but softmaxLayer, preluLayer and spatialDropoutLayer take data of any size and labels, which stay.
namespace dl {

struct ActivationLayerOptions {
  std::string name = {};
};
/// max(x, 0). (MATLAB: reluLayer)
AnyLayer reluLayer(const ActivationLayerOptions& options = {});
/// x for x >= 0, else scale x. Throws for a scale that is not finite. (MATLAB: leakyReluLayer)
AnyLayer leakyReluLayer(double scale = 0.01, const ActivationLayerOptions& options = {},
                        std::source_location where = std::source_location::current());
/// min(max(x, 0), ceiling). Throws for a ceiling that is not positive and finite. (MATLAB: clippedReluLayer)
AnyLayer clippedReluLayer(double ceiling, const ActivationLayerOptions& options = {},
                          std::source_location where = std::source_location::current());
/// x for x >= 0, else alpha (e^x - 1). Throws for an alpha that is not finite. (MATLAB: eluLayer)
AnyLayer eluLayer(double alpha = 1, const ActivationLayerOptions& options = {},
                  std::source_location where = std::source_location::current());
/// 1 / (1 + e^-x). (MATLAB: sigmoidLayer)
AnyLayer sigmoidLayer(const ActivationLayerOptions& options = {});
/// tanh(x). (MATLAB: tanhLayer)
AnyLayer tanhLayer(const ActivationLayerOptions& options = {});
/// x sigmoid(x). (MATLAB: swishLayer)
AnyLayer swishLayer(const ActivationLayerOptions& options = {});
/// log(1 + e^x). (MATLAB: softplusLayer)
AnyLayer softplusLayer(const ActivationLayerOptions& options = {});
/// x tanh(softplus(x)). (Misra, "Mish: a self regularized non-monotonic activation function", 2019)
AnyLayer mishLayer(const ActivationLayerOptions& options = {});
/// e^x divided by its sum over the channels. The layer throws for data without C. (MATLAB: softmaxLayer)
AnyLayer softmaxLayer(const ActivationLayerOptions& options = {});

struct GeluLayerOptions {
  std::string name = {};
  std::string approximation = "none";  // or "tanh"
};
/// x / 2 (1 + erf(x / sqrt(2))), or its approximation by tanh. Throws for other words. (MATLAB: geluLayer)
AnyLayer geluLayer(const GeluLayerOptions& options = {}, std::source_location where = std::source_location::current());

struct PreluLayerOptions {
  std::string name = {};
  DlArray alpha = 0.25;  // what slopes start with: one for all channels, or one for each
  double alphaLearnRateFactor = 1;
  double alphaL2Factor = 1;
};
/// x for x >= 0, else Alpha x with a learnable slope Alpha for each channel: 1 x 1 x C for images, C x 1 without S. Throws for
/// negative factors; the layer for data without C and for slopes of another number. (MATLAB: preluLayer; He et al. 2015)
AnyLayer preluLayer(const PreluLayerOptions& options = {}, std::source_location where = std::source_location::current());

/// In training, each element with this probability replaced by 0 and the others scaled by 1 / (1 - probability); in use, x
/// itself. Throws for probabilities outside [0, 1). (MATLAB: dropoutLayer; Srivastava et al. 2014)
AnyLayer dropoutLayer(double probability = 0.5, const ActivationLayerOptions& options = {},
                      std::source_location where = std::source_location::current());
/// The same for whole channels: one draw for each channel of each observation, whatever lies along S and T. The layer throws for
/// data without C. (MATLAB: spatialDropoutLayer; Tompson et al. 2015)
AnyLayer spatialDropoutLayer(double probability = 0.5, const ActivationLayerOptions& options = {},
                             std::source_location where = std::source_location::current());

}  // namespace dl
