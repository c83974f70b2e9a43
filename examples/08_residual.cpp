// A residual network as a graph: blocks whose input goes around them and is added to what they compute.
//     08_residual [EPOCHS [PICTURES]]
// Tested as: 1 6000
#include "fashion.hpp"

#include <tuple>

using namespace dl;

namespace {

// Adds a block behind the layer `from` and answers the name of the block's last layer.
std::string addBlock(LayerGraph& graph, const std::string& from, const std::string& name, int filters, int stride) {
  graph = addLayers(graph, {convolution2dLayer(3, filters, {.name = name + "_conv1", .stride = stride, .padding = "same"}),
                            batchNormalizationLayer({.name = name + "_norm1"}), reluLayer({.name = name + "_relu1"}),
                            convolution2dLayer(3, filters, {.name = name + "_conv2", .padding = "same"}),
                            batchNormalizationLayer({.name = name + "_norm2"}), additionLayer(2, {.name = name + "_add"}),
                            reluLayer({.name = name})});
  graph = connectLayers(graph, from, name + "_conv1");
  if (stride == 1) {
    graph = connectLayers(graph, from, name + "_add/in2");
  } else {  // the way around changes its size as well
    graph = addLayers(graph, {convolution2dLayer(1, filters, {.name = name + "_skip", .stride = stride})});
    graph = connectLayers(graph, from, name + "_skip");
    graph = connectLayers(graph, name + "_skip", name + "_add/in2");
  }
  return name;
}

DlNetwork residualNetwork() {
  LayerGraph graph = layerGraph({imageInputLayer({28, 28, 1}, {.name = "pictures", .normalization = "none"}),
                                 convolution2dLayer(3, 16, {.name = "conv", .padding = "same"}), batchNormalizationLayer({.name = "norm"}),
                                 reluLayer({.name = "relu"})});
  std::string last = addBlock(graph, "relu", "block1", 16, 1);
  last = addBlock(graph, last, "block2", 32, 2);
  last = addBlock(graph, last, "block3", 64, 2);
  graph = addLayers(graph, {globalAveragePooling2dLayer({.name = "pool"}), fullyConnectedLayer(10, {.name = "fc"}), softmaxLayer({.name = "softmax"})});
  return dlnetwork(connectLayers(graph, last, "pool"));
}

}  // namespace

int main(int argc, char** argv) {
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 3;
  rng(3);
  const Fashion data = fashion(argc > 2 ? std::atoi(argv[2]) : 60000);
  DlNetwork net = residualNetwork();
  plot(net, "residual.dot");
  std::printf("%zu layers, %zu connections, drawn in residual.dot\n", net.layers().size(), net.connections().size());

  const auto modelLoss = [](const DlNetwork& n, const DlArray& X, const DlArray& T) {
    auto [Y, state] = forward(n, X);
    const DlArray loss = crossentropy(Y, T);
    return std::tuple(loss, dlgradient(loss, n.learnables()), state);
  };
  MiniBatchQueue queue = batches(data.trainX, data.trainT);
  Learnables velocity;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    double mean = 0;
    for (shuffle(queue); hasdata(queue);) {
      const auto [X, T] = next<2>(queue);
      const auto [loss, gradients, state] = dlfeval(modelLoss, net, X, T);
      net.setState(state);
      sgdmupdate(net, gradients, velocity, epochs > 1 && epoch == epochs ? 0.01 : 0.05, 0.9);
      mean += double(loss) / double(queue.numMiniBatches());
    }
    std::printf("epoch %d  mean loss %.3f  accuracy on the test pictures %.2f %%\n", epoch, mean, accuracy(net, data.testX, data.testT));
  }
}
