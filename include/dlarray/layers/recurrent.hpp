#pragma once
#include <dlarray/layers/layer.hpp>

// Recurrent layers: data is labelled C, B, T (B and T may be missing: one observation, one step); S dimensions are flattened into
// C at each step. They remember: `predict` and `forward` start from the states "HiddenState" and, of LSTMs, "CellState", hidden x
// 1 at first; `forward` and `predictAndUpdateState` leave the states of the last step, hidden x B, for the next call, until
// `resetState`. With .hasStateInputs the states come through ports "hidden" and "cell" instead and nothing is remembered; with
// .hasStateOutputs those of the last step go out through ports of the same names. The functions throw for numbers that are not
// positive, words that are not known, negative factors, and initial states beside .hasStateInputs; the layers for data of another
// number of channels than the weights and of another number of observations than the states. Factors are one number for all
// gates.
namespace dl {

struct LstmLayerOptions {
  std::string name = {};
  std::string outputMode = "sequence";  // or "last": h of the last step only
  bool hasStateInputs = false;
  bool hasStateOutputs = false;
  std::string stateActivationFunction = "tanh";    // or "softsign", "relu"
  std::string gateActivationFunction = "sigmoid";  // or "hard-sigmoid"
  Index inputSize = 0;                             // channels of a step; 0, MATLAB's "auto": as many as the data has
  DlArray cellState = {};                          // to start with, and after resetState; empty: zeros
  DlArray hiddenState = {};
  Initializer inputWeightsInitializer = "glorot";
  Initializer recurrentWeightsInitializer = "orthogonal";
  Initializer biasInitializer = "unit-forget-gate";
  DlArray inputWeights = {};  // empty: by the initialiser
  DlArray recurrentWeights = {};
  DlArray bias = {};
  double inputWeightsLearnRateFactor = 1;
  double recurrentWeightsLearnRateFactor = 1;
  double biasLearnRateFactor = 1;
  double inputWeightsL2Factor = 1;
  double recurrentWeightsL2Factor = 1;
  double biasL2Factor = 0;
};
/// Long short-term memory, as `lstm`: InputWeights 4 hidden x C, RecurrentWeights 4 hidden x hidden, Bias 4 hidden x 1, rows for
/// the input gate, forget gate, cell candidate and output gate. The output is hidden(C) x B x T, or hidden(C) x B of the last
/// step. (MATLAB: lstmLayer; Hochreiter and Schmidhuber 1997)
AnyLayer lstmLayer(Index numHiddenUnits, const LstmLayerOptions& options = {},
                   std::source_location where = std::source_location::current());
using BilstmLayerOptions = LstmLayerOptions;
/// Two LSTMs, one from the first step to the last and one back: parameters have the rows of the forward one, then those of the
/// backward one, 8 hidden x ..., states are 2 hidden x B and the output has 2 hidden channels. "last" joins h of the forward one
/// at the last step and of the backward one at the first. (MATLAB: bilstmLayer)
AnyLayer bilstmLayer(Index numHiddenUnits, const BilstmLayerOptions& options = {},
                     std::source_location where = std::source_location::current());

struct GruLayerOptions {
  std::string name = {};
  std::string outputMode = "sequence";  // or "last"
  bool hasStateInputs = false;
  bool hasStateOutputs = false;
  std::string resetGateMode = "after-multiplication";  // or "before-multiplication", "recurrent-bias-after-multiplication"
  std::string stateActivationFunction = "tanh";        // or "softsign", "relu"
  std::string gateActivationFunction = "sigmoid";      // or "hard-sigmoid"
  Index inputSize = 0;
  DlArray hiddenState = {};
  Initializer inputWeightsInitializer = "glorot";
  Initializer recurrentWeightsInitializer = "orthogonal";
  Initializer biasInitializer = "zeros";
  DlArray inputWeights = {};
  DlArray recurrentWeights = {};
  DlArray bias = {};
  double inputWeightsLearnRateFactor = 1;
  double recurrentWeightsLearnRateFactor = 1;
  double biasLearnRateFactor = 1;
  double inputWeightsL2Factor = 1;
  double recurrentWeightsL2Factor = 1;
  double biasL2Factor = 0;
};
/// Gated recurrent unit, as `gru`: InputWeights 3 hidden x C, RecurrentWeights 3 hidden x hidden, Bias 3 hidden x 1, or 6 hidden
/// x 1 for the reset gate "recurrent-bias-after-multiplication"; rows for the reset gate, update gate and candidate. (MATLAB:
/// gruLayer; Cho et al. 2014)
AnyLayer gruLayer(Index numHiddenUnits, const GruLayerOptions& options = {},
                  std::source_location where = std::source_location::current());

struct LstmProjectedLayerOptions {
  std::string name = {};
  std::string outputMode = "sequence";
  bool hasStateInputs = false;
  bool hasStateOutputs = false;
  std::string stateActivationFunction = "tanh";
  std::string gateActivationFunction = "sigmoid";
  Index inputSize = 0;
  DlArray cellState = {};
  DlArray hiddenState = {};
  Initializer inputWeightsInitializer = "glorot";
  Initializer recurrentWeightsInitializer = "orthogonal";
  Initializer inputProjectorInitializer = "orthogonal";
  Initializer outputProjectorInitializer = "orthogonal";
  Initializer biasInitializer = "unit-forget-gate";
  DlArray inputWeights = {};
  DlArray recurrentWeights = {};
  DlArray inputProjector = {};
  DlArray outputProjector = {};
  DlArray bias = {};
  double inputWeightsLearnRateFactor = 1;
  double recurrentWeightsLearnRateFactor = 1;
  double inputProjectorLearnRateFactor = 1;
  double outputProjectorLearnRateFactor = 1;
  double biasLearnRateFactor = 1;
  double inputWeightsL2Factor = 1;
  double recurrentWeightsL2Factor = 1;
  double inputProjectorL2Factor = 1;
  double outputProjectorL2Factor = 1;
  double biasL2Factor = 0;
};
/// LSTM with InputWeights * InputProjector' and RecurrentWeights * OutputProjector' for its weights: InputWeights 4 hidden x
/// inputProjectorSize, RecurrentWeights 4 hidden x outputProjectorSize, InputProjector C x inputProjectorSize, OutputProjector
/// hidden x outputProjectorSize, Bias 4 hidden x 1. (MATLAB: lstmProjectedLayer)
AnyLayer lstmProjectedLayer(Index numHiddenUnits, Index outputProjectorSize, Index inputProjectorSize,
                            const LstmProjectedLayerOptions& options = {},
                            std::source_location where = std::source_location::current());

struct GruProjectedLayerOptions {
  std::string name = {};
  std::string outputMode = "sequence";
  bool hasStateInputs = false;
  bool hasStateOutputs = false;
  std::string resetGateMode = "after-multiplication";
  std::string stateActivationFunction = "tanh";
  std::string gateActivationFunction = "sigmoid";
  Index inputSize = 0;
  DlArray hiddenState = {};
  Initializer inputWeightsInitializer = "glorot";
  Initializer recurrentWeightsInitializer = "orthogonal";
  Initializer inputProjectorInitializer = "orthogonal";
  Initializer outputProjectorInitializer = "orthogonal";
  Initializer biasInitializer = "zeros";
  DlArray inputWeights = {};
  DlArray recurrentWeights = {};
  DlArray inputProjector = {};
  DlArray outputProjector = {};
  DlArray bias = {};
  double inputWeightsLearnRateFactor = 1;
  double recurrentWeightsLearnRateFactor = 1;
  double inputProjectorLearnRateFactor = 1;
  double outputProjectorLearnRateFactor = 1;
  double biasLearnRateFactor = 1;
  double inputWeightsL2Factor = 1;
  double recurrentWeightsL2Factor = 1;
  double inputProjectorL2Factor = 1;
  double outputProjectorL2Factor = 1;
  double biasL2Factor = 0;
};
/// GRU with projected weights, as `lstmProjectedLayer` has them, with rows for three gates. (MATLAB: gruProjectedLayer)
AnyLayer gruProjectedLayer(Index numHiddenUnits, Index outputProjectorSize, Index inputProjectorSize,
                           const GruProjectedLayerOptions& options = {},
                           std::source_location where = std::source_location::current());

}  // namespace dl
