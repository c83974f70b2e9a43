// The same pictures and a larger network, trained by trainnet: options in place of a loop, validation, the best network kept, a checkpoint after
// each epoch; then the confusion of classes.
//     07_trainnet [EPOCHS [PICTURES]]
// Tested as: 1 1500
#include "fashion.hpp"

#include <iostream>

using namespace dl;

int main(int argc, char** argv) {
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 5;
  const Index pictures = argc > 2 ? std::atoi(argv[2]) : 60000;
  rng(2);
  const Fashion data = fashion(pictures);

  std::vector<AnyLayer> layers{imageInputLayer({28, 28, 1})};  // subtracts the mean of the training pictures
  for (const int filters : {32, 64}) {
    for (int repeat = 0; repeat < 2; ++repeat) {
      layers.push_back(convolution2dLayer(3, filters, {.padding = "same", .weightsInitializer = "he"}));
      layers.push_back(batchNormalizationLayer());
      layers.push_back(reluLayer());
    }
    layers.push_back(maxPooling2dLayer(2, {.stride = 2}));
    layers.push_back(dropoutLayer(0.25));
  }
  for (AnyLayer& last : std::vector<AnyLayer>{fullyConnectedLayer(128), batchNormalizationLayer(), reluLayer(), dropoutLayer(0.4),
                                              fullyConnectedLayer(10), softmaxLayer()})
    layers.push_back(last);

  const auto observations = [](const DlArray& X, const DlArray& T) {
    return combine(arrayDatastore(X, {.iterationDimension = 3}), arrayDatastore(T, {.iterationDimension = 1}));
  };
  TrainingOptions options = trainingOptions("adam");
  options.initialLearnRate = 0.002;
  options.learnRateSchedule = cosineLearnRate({.finalFactor = 0.01, .period = double(epochs)});
  options.maxEpochs = epochs;
  options.shuffle = "every-epoch";
  options.validationData = observations(data.testX, data.testT);
  options.validationFrequency = 200;
  options.metrics = {"accuracy"};
  const auto [net, info] = trainnet<2>(observations(data.trainX, data.trainT), dlnetwork(layers), "crossentropy", options);

  std::printf("accuracy on the test pictures %.2f %%\n", testnet(net, observations(data.testX, data.testT), "accuracy"));
  const DlArray scores = minibatchpredict(net, data.testX);
  const DlArray classes = scores2label(scores, colon(0, 9));
  std::cout << "confusion, a row for each true class:\n" << confusionmat(data.testT, classes);
}
