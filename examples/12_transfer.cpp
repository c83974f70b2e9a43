// Transfer: what a network learned from five kinds of clothes serves for five others of which there are few pictures. Its layers are frozen, the last
// one is new; saved and loaded in between.
//     12_transfer [PICTURES]
// Tested as: 6000
#include "fashion.hpp"

#include <tuple>
#include <vector>

using namespace dl;

namespace {

// The pictures of classes `first` to `first + 4`, at most `limit` of them, counted from `first`.
std::pair<DlArray, DlArray> classesFrom(const DlArray& X, const DlArray& T, int first, Index limit) {
  std::vector<Index> chosen;
  for (Index k = 0; k < numel(T) && Index(chosen.size()) < limit; ++k)
    if (const double c = double(T(k)); c >= first && c < first + 5) chosen.push_back(k);
  const DlArray list = dlarray(std::vector<double>(chosen.begin(), chosen.end()));
  return {X(all, all, all, list), reshape(T(list), Size{1, Index(chosen.size())}) - first};
}

void train(DlNetwork& net, const DlArray& X, const DlArray& T, int epochs, double rate) {
  const auto modelLoss = [](const DlNetwork& n, const DlArray& x, const DlArray& t) {
    auto [Y, state] = forward(n, x);
    const DlArray loss = indexcrossentropy(Y, t);
    return std::tuple(loss, dlgradient(loss, n.learnables()), state);
  };
  MiniBatchQueue queue = minibatchqueue(combine(arrayDatastore(X, {.iterationDimension = 3}), arrayDatastore(T, {.iterationDimension = 1})),
                                        {.miniBatchSize = 64, .miniBatchFormat = {"SSCB", "CB"}});
  Learnables average, averageSquare;
  Index iteration = 0;
  for (int epoch = 0; epoch < epochs; ++epoch)
    for (shuffle(queue); hasdata(queue);) {
      const auto [x, t] = next<2>(queue);
      const auto [loss, gradients, state] = dlfeval(modelLoss, net, x, t);
      adamupdate(net, gradients, average, averageSquare, ++iteration, rate);
    }
}

}  // namespace

int main(int argc, char** argv) {
  rng(8);
  const Fashion data = fashion(argc > 1 ? std::atoi(argv[1]) : 30000);
  const auto [X, T] = classesFrom(data.trainX, data.trainT, 0, 60000);
  DlNetwork net = dlnetwork({imageInputLayer({28, 28, 1}, {.normalization = "none"}), convolution2dLayer(5, 16, {.name = "conv1", .padding = "same"}),
                             reluLayer(), maxPooling2dLayer(2, {.stride = 2}), convolution2dLayer(5, 32, {.name = "conv2", .padding = "same"}),
                             reluLayer(), maxPooling2dLayer(2, {.stride = 2}), fullyConnectedLayer(64, {.name = "features"}), reluLayer(),
                             fullyConnectedLayer(5, {.name = "classes"}), softmaxLayer()});
  train(net, X, T, 2, 1e-3);
  const auto [testX, testT] = classesFrom(data.testX, data.testT, 0, 5000);
  std::printf("five kinds of clothes, %lld pictures: %.1f %%\n", static_cast<long long>(numel(T)), accuracy(net, testX, testT));
  save(net, "transfer.dlnet");

  const auto [fewX, fewT] = classesFrom(data.trainX, data.trainT, 5, 100);
  const auto [otherX, otherT] = classesFrom(data.testX, data.testT, 5, 5000);
  DlNetwork transferred = replaceLayer(loadNetwork("transfer.dlnet"), "classes", {fullyConnectedLayer(5, {.name = "classes"})});
  for (const char* layer : {"conv1", "conv2", "features"})
    for (const char* parameter : {"Weights", "Bias"}) transferred = setLearnRateFactor(transferred, layer, parameter, 0);
  transferred = initialize(transferred);
  const DlArray before = transferred.learnables()("conv2/Weights");
  train(transferred, fewX, fewT, 30, 3e-3);
  std::printf("five others, 100 pictures, frozen layers: %.1f %%\n", accuracy(transferred, otherX, otherT));
  std::printf("the frozen weights are %s\n", isequal(before, transferred.learnables()("conv2/Weights")) ? "as they were" : "CHANGED");
}
