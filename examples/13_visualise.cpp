// What does a filter look for? Gradient ascent on the picture, not on the weights: noise is changed until an activation in the middle of a trained
// network is as large as it can be.
//     13_visualise [PICTURES]      writes features.png
// Tested as: 3000
#include "fashion.hpp"

#include <tuple>

using namespace dl;

int main(int argc, char** argv) {
  rng(9);
  const Fashion data = fashion(argc > 1 ? std::atoi(argv[1]) : 60000);
  DlNetwork net = dlnetwork({imageInputLayer({28, 28, 1}, {.normalization = "none"}), convolution2dLayer(3, 16, {.padding = "same"}), reluLayer(),
                             maxPooling2dLayer(2, {.stride = 2}), convolution2dLayer(3, 32, {.name = "middle", .padding = "same"}), reluLayer(),
                             maxPooling2dLayer(2, {.stride = 2}), fullyConnectedLayer(10), softmaxLayer()});
  const auto modelLoss = [](const DlNetwork& n, const DlArray& X, const DlArray& T) {
    auto [Y, state] = forward(n, X);
    const DlArray loss = crossentropy(Y, T);
    return std::tuple(loss, dlgradient(loss, n.learnables()));
  };
  MiniBatchQueue queue = batches(data.trainX, data.trainT);
  Learnables average, averageSquare;
  for (Index iteration = 1; hasdata(queue); ++iteration) {
    const auto [X, T] = next<2>(queue);
    const auto [loss, gradients] = dlfeval(modelLoss, net, X, T);
    adamupdate(net, gradients, average, averageSquare, iteration, 0.002);
  }
  std::printf("accuracy after an epoch %.1f %%\n", accuracy(net, data.testX, data.testT));

  // One picture for each of 16 filters, all in one batch: picture k belongs to channel k.
  constexpr Index filters = 16;
  DlArray pictures = dlarray(0.5 + 0.1 * randn(Size{28, 28, 1, filters}, "single"), "SSCB");
  const DlArray own = dlarray(reshape(eye(32)(all, span(0, filters - 1)), Size{1, 1, 32, filters}), "SSCB");
  const auto activation = [&](const DlArray& X) {
    const DlArray A = activations(net, X, "middle");
    const DlArray mean = sum(A % own, "all") / double(14 * 14 * filters);
    return std::tuple(mean, dlgradient(mean - 0.05 * dl::mean(pow(X - 0.5, 2), "all"), X));
  };
  double first = 0, last = 0;
  for (int step = 0; step < 100; ++step) {
    const auto [value, gradient] = dlfeval(activation, pictures);
    if (step == 0) first = double(value);
    last = double(value);
    const DlArray length = sqrt(mean(pow(gradient, 2), "SSC")) + 1e-8;
    pictures = max(min(pictures + 0.05 * gradient / length, 1.0), 0.0);
  }
  std::printf("mean activation %.3f of noise, %.3f in the end\n", first, last);

  std::vector<DlArray> rows;
  for (Index r = 0; r < 4; ++r) {
    std::vector<DlArray> row;
    for (Index c = 0; c < 4; ++c) row.push_back(stripdims(pictures)(all, all, 0, 4 * r + c));
    rows.push_back(cat(1, row));
  }
  imwrite(cat(0, rows), "features.png");
  std::printf("pictures that 16 filters like: features.png\n");
}
