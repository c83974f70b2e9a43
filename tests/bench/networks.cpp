// Steps of training, and inference, of whole networks in single precision: milliseconds forward, backward and in the update, the
// rate of their products and its share of the largest product's in the same run, and memory.
//     bench_networks [NAME]     OMP_NUM_THREADS sets the number of threads
#include "bench.hpp"
#include "core/pool.hpp"

#include <dlarray/dlarray.hpp>

#include <cmath>
#include <cstring>

using namespace dl;

namespace {

using Layers = std::vector<AnyLayer>;

struct Task {
  std::string name;
  DlNetwork net;
  DlArray X, T;  // no targets: inference
  double forwardOperations;
  int turns = 7;
};

// ---- the networks
// ----------------------------------------------------------------------------------------------------------------------

DlNetwork mlp() {
  return dlnetwork({featureInputLayer(784), fullyConnectedLayer(512), reluLayer(), fullyConnectedLayer(512), reluLayer(),
                    fullyConnectedLayer(10), softmaxLayer()});
}

DlNetwork digits() {
  Layers layers{imageInputLayer({28, 28, 1}, {.normalization = "none"})};
  for (const int filters : {8, 16, 32}) {
    layers.push_back(convolution2dLayer(3, filters, {.padding = "same"}));
    layers.push_back(batchNormalizationLayer());
    layers.push_back(reluLayer());
    if (filters < 32) layers.push_back(maxPooling2dLayer(2, {.stride = 2}));
  }
  layers.push_back(fullyConnectedLayer(10));
  layers.push_back(softmaxLayer());
  return dlnetwork(layers);
}

// A residual block after `from`; answers the name of its last layer.
std::string addBlock(LayerGraph& graph, const std::string& from, const std::string& name, int filters, int stride, bool project) {
  graph = addLayers(graph, {convolution2dLayer(3, filters, {.name = name + "_conv1", .stride = stride, .padding = "same"}),
                            batchNormalizationLayer({.name = name + "_norm1"}), reluLayer({.name = name + "_relu1"}),
                            convolution2dLayer(3, filters, {.name = name + "_conv2", .padding = "same"}),
                            batchNormalizationLayer({.name = name + "_norm2"}), additionLayer(2, {.name = name + "_add"}),
                            reluLayer({.name = name + "_relu2"})});
  graph = connectLayers(graph, from, name + "_conv1");
  std::string shortcut = from;
  if (project) {
    graph = addLayers(graph, {convolution2dLayer(1, filters, {.name = name + "_skip", .stride = stride}),
                              batchNormalizationLayer({.name = name + "_skipnorm"})});
    graph = connectLayers(graph, from, name + "_skip");
    shortcut = name + "_skipnorm";
  }
  graph = connectLayers(graph, shortcut, name + "_add/in2");
  return name + "_relu2";
}

DlNetwork resnet20() {
  LayerGraph graph = layerGraph({imageInputLayer({32, 32, 3}, {.name = "in", .normalization = "none"}),
                                 convolution2dLayer(3, 16, {.name = "conv", .padding = "same"}),
                                 batchNormalizationLayer({.name = "norm"}), reluLayer({.name = "relu"})});
  std::string last = "relu";
  for (int stage = 0; stage < 3; ++stage)
    for (int block = 0; block < 3; ++block) {
      const bool down = stage > 0 && block == 0;
      last = addBlock(graph, last, "s" + std::to_string(stage) + "b" + std::to_string(block), 16 << stage, down ? 2 : 1, down);
    }
  graph = addLayers(graph, {globalAveragePooling2dLayer({.name = "pool"}), fullyConnectedLayer(10, {.name = "fc"}),
                            softmaxLayer({.name = "softmax"})});
  return dlnetwork(connectLayers(graph, last, "pool"));
}

DlNetwork resnet18() {
  LayerGraph graph = layerGraph({imageInputLayer({224, 224, 3}, {.name = "in", .normalization = "none"}),
                                 convolution2dLayer(7, 64, {.name = "conv", .stride = 2, .padding = 3}),
                                 batchNormalizationLayer({.name = "norm"}), reluLayer({.name = "relu"}),
                                 maxPooling2dLayer(3, {.name = "maxpool", .stride = 2, .padding = 1})});
  std::string last = "maxpool";
  for (int stage = 0; stage < 4; ++stage)
    for (int block = 0; block < 2; ++block) {
      const bool down = stage > 0 && block == 0;
      last = addBlock(graph, last, "s" + std::to_string(stage) + "b" + std::to_string(block), 64 << stage, down ? 2 : 1, down);
    }
  graph = addLayers(graph, {globalAveragePooling2dLayer({.name = "pool"}), fullyConnectedLayer(1000, {.name = "fc"}),
                            softmaxLayer({.name = "softmax"})});
  return dlnetwork(connectLayers(graph, last, "pool"));
}

DlNetwork lstm64() {
  return dlnetwork({sequenceInputLayer(64), lstmLayer(128, {.outputMode = "last"}), fullyConnectedLayer(10), softmaxLayer()});
}

DlNetwork encoder() {
  LayerGraph graph = layerGraph({sequenceInputLayer(256, {.name = "in"}), selfAttentionLayer(8, 256, {.name = "attention"}),
                                 additionLayer(2, {.name = "add1"}), layerNormalizationLayer({.name = "norm1"}),
                                 fullyConnectedLayer(1024, {.name = "fc1"}), geluLayer({.name = "gelu"}),
                                 fullyConnectedLayer(256, {.name = "fc2"}), additionLayer(2, {.name = "add2"}),
                                 layerNormalizationLayer({.name = "norm2"})});
  graph = connectLayers(graph, "in", "add1/in2");
  return dlnetwork(connectLayers(graph, "norm1", "add2/in2"));
}

// ---- what they cost
// --------------------------------------------------------------------------------------------------------------------

Index sizeAlong(const DlArray& x, char label) {
  Index all = 1;
  for (const Index d : finddim(x, label)) all *= size(x, d);
  return all;
}

// Operations of the products of one forward pass: two for every weight and every place it is used at.
double productsOf(const DlNetwork& net, const DlArray& X) {
  double operations = 0;
  for (const ParameterTable::Row& row : net.learnables()) {
    if (row.parameter.find("Weights") == std::string::npos) continue;
    const bool recurrent = row.parameter == "RecurrentWeights" || row.parameter == "InputWeights";
    const DlArray Y = activations(net, X, row.layer);
    const Index places = sizeAlong(Y, 'B') * sizeAlong(Y, 'S') * sizeAlong(recurrent ? X : Y, 'T');
    operations += 2 * double(numel(row.value)) * double(places);
  }
  return operations;
}

double largestProduct() {
  const DlArray A = rand(Size{2048, 2048}, "single"), B = rand(Size{2048, 2048}, "single");
  std::vector<bench::Candidate> product{{"product", [&] { bench::keep(A * B); }}};
  bench::measure(product, 5);
  return 2 * std::pow(2048.0, 3) / product[0].seconds;
}

DlArray lossOf(const DlArray& Y, const DlArray& T) {
  return finddim(Y, "T").empty() ? crossentropy(Y, T) : l2loss(Y, T, {.normalizationFactor = "all-elements"});
}

void train(const Task& task, double peak) {
  DlNetwork net = task.net;
  Learnables average, averageSquare;
  const auto loss = [&](const DlNetwork& n) {
    auto [Y, state] = forward(n, task.X);
    return std::tuple(lossOf(Y, task.T), std::move(state));
  };
  const auto step = [&](const DlNetwork& n) {
    auto [l, state] = loss(n);
    Learnables gradients = dlgradient(l, n.learnables());
    return std::tuple(std::move(l), std::move(gradients), std::move(state));
  };
  double iteration = 0;
  Learnables gradients = std::get<1>(dlfeval(step, net));
  adamupdate(net, gradients, average, averageSquare, ++iteration);
  std::vector<bench::Candidate> parts{{"step",
                                       [&] {
                                         auto [l, g, state] = dlfeval(step, net);
                                         net.setState(state);
                                         adamupdate(net, g, average, averageSquare, ++iteration);
                                       }},
                                      {"forward", [&] { bench::keep(dlfeval(loss, net)); }},
                                      {"update", [&] { adamupdate(net, gradients, average, averageSquare, ++iteration); }}};
  bench::measure(parts, task.turns);

  const std::size_t taken = memoryUse().taken;
  for (int i = 0; i < 5; ++i) parts[0].run();
  const double fromSystem = double(memoryUse().taken - taken);
  const double total = parts[0].seconds, backward = total - parts[1].seconds - parts[2].seconds,
               rate = 3 * task.forwardOperations / total;
  std::printf(
      "%-34s step %8.2f ms   forward %8.2f  backward %8.2f  update %6.3f   %6.1f GFLOP/s, %3.0f %% of the product's   %.0f bytes "
      "new from the system\n",
      task.name.c_str(), 1e3 * total, 1e3 * parts[1].seconds, 1e3 * backward, 1e3 * parts[2].seconds, rate / 1e9,
      100 * rate / peak, fromSystem);
  std::fflush(stdout);
}

void infer(const Task& task, double peak) {
  std::vector<bench::Candidate> parts{{"predict", [&] { bench::keep(predict(task.net, task.X)); }}};
  bench::measure(parts, task.turns);
  const double total = parts[0].seconds, rate = task.forwardOperations / total;
  std::printf("%-34s predict %8.2f ms   %6.1f GFLOP/s, %3.0f %% of the product's\n", task.name.c_str(), 1e3 * total, rate / 1e9,
              100 * rate / peak);
  std::fflush(stdout);
}

// The memory of one step beside what lies in learnables, and what the outputs of all layers hold, which derivatives look at.
void memory(const Task& task) {
  std::vector<std::string> names;
  for (const AnyLayer& layer : task.net.layers()) names.push_back(layer.name());
  double values = 0;
  {
    auto [outputs, state] = forward(task.net, task.X, {.outputs = names});
    for (const DlArray& y : outputs) values += 4.0 * double(numel(y));
  }
  releaseMemory();
  const std::size_t before = memoryUse().inUse;
  const auto step = [&](const DlNetwork& n) {
    auto [Y, state] = forward(n, task.X);
    return dlgradient(lossOf(Y, task.T), n.learnables());
  };
  const Learnables gradients = dlfeval(step, task.net);
  double parameters = 0;
  for (const auto& row : gradients) parameters += 4.0 * double(numel(row.value));
  std::printf("%-34s memory of a step %8.2f MiB; outputs of the layers %8.2f, gradients %6.2f\n", task.name.c_str(),
              double(memoryUse().peak - before) / (1 << 20), values / (1 << 20), parameters / (1 << 20));
}

DlArray classes(Index count, Index batch) {
  std::vector<double> names;
  for (Index i = 0; i < count; ++i) names.push_back(double(i));
  return dlarray(single_(onehotencode(randi({0, count - 1}, Size{1, batch}), 0, {.classNames = names})), "CB");
}

}  // namespace

int main(int argc, char** argv) {
  rng(1);
  const std::string only = argc > 1 ? argv[1] : "";
  const double peak = largestProduct();
  std::printf("product 2048 x 2048 x 2048: %.1f GFLOP/s\n", peak / 1e9);
  const auto images = [](Index side, Index channels, Index batch) {
    return dlarray(rand(Size{side, side, channels, batch}, "single"), "SSCB");
  };
  const auto run = [&](const std::string& name, DlNetwork (*make)(), const auto& input, const auto& targets, bool training,
                       int turns = 7) {
    if (name.find(only) == std::string::npos) return;
    Task task{name, make(), input(), targets(), 0, turns};
    task.forwardOperations = productsOf(task.net, task.X);
    if (training) {
      train(task, peak);
      memory(task);
    } else {
      infer(task, peak);
    }
  };
  const auto none = [] { return DlArray(); };
  const auto ten = [] { return classes(10, 128); };
  run(
      "MLP 784-512-512-10, batch 128", mlp,
      [] {
        return dlarray(rand(Size{784, 128}, "single"), "CB");
      },
      ten, true, 25);
  run(
      "digits CNN, batch 128", digits, [&] { return images(28, 1, 128); }, ten, true, 15);
  run(
      "ResNet-20, batch 128", resnet20, [&] { return images(32, 3, 128); }, ten, true);
  run(
      "ResNet-18, batch 1", resnet18, [&] { return images(224, 3, 1); }, none, false, 15);
  run(
      "ResNet-18, batch 16", resnet18, [&] { return images(224, 3, 16); }, none, false, 5);
  run(
      "LSTM 64-128, 100 steps, batch 32", lstm64,
      [] {
        return dlarray(rand(Size{64, 32, 100}, "single"), "CBT");
      },
      [] { return classes(10, 32); }, true, 15);
  const auto tokens = [] { return dlarray(rand(Size{256, 16, 128}, "single"), "CBT"); };
  run("encoder d 256, 128 tokens, batch 16", encoder, tokens, tokens, true);
}
