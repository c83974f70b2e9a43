// An autoencoder squeezes pictures of clothes through 16 numbers and draws them again.
//     10_autoencoder [EPOCHS [PICTURES]]      writes autoencoder.png: pictures above, what came back below
// Tested as: 2 3000
#include "fashion.hpp"

#include <cmath>
#include <tuple>

using namespace dl;

int main(int argc, char** argv) {
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 5;
  rng(5);
  const Fashion data = fashion(argc > 2 ? std::atoi(argv[2]) : 60000);
  DlNetwork net = dlnetwork({imageInputLayer({28, 28, 1}, {.normalization = "none"}),
                             convolution2dLayer(3, 16, {.stride = 2, .padding = "same"}), reluLayer(),
                             convolution2dLayer(3, 32, {.stride = 2, .padding = "same"}), reluLayer(),
                             fullyConnectedLayer(16, {.name = "code"}), fullyConnectedLayer(7 * 7 * 32), reluLayer(),
                             functionLayer([](const DlArray& X) { return dlarray(reshape(stripdims(X), Size{7, 7, 32, size(X, "B")}), "SSCB"); },
                                           {.name = "unfold"}),
                             transposedConv2dLayer(4, 16, {.stride = 2, .cropping = "same"}), reluLayer(),
                             transposedConv2dLayer(4, 1, {.stride = 2, .cropping = "same"}), sigmoidLayer()});

  const auto modelLoss = [](const DlNetwork& n, const DlArray& X) {
    const auto [Y, state] = forward(n, X);
    const DlArray loss = mse(Y, X);
    return std::tuple(loss, dlgradient(loss, n.learnables()));
  };
  const DlArray test = dlarray(data.testX(all, all, all, span(0, 999)), "SSCB");
  // What is left when every pixel is guessed by its mean over all pictures.
  const double spread = std::sqrt(double(mean(pow(test - mean(test, "B"), 2), "all")));
  MiniBatchQueue queue = batches(data.trainX, data.trainT);
  Learnables average, averageSquare;
  Index iteration = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (shuffle(queue); hasdata(queue);) {
      const DlArray X = next(queue);
      const auto [loss, gradients] = dlfeval(modelLoss, net, X);
      adamupdate(net, gradients, average, averageSquare, ++iteration, 0.002);
    }
    const double error = std::sqrt(double(mean(pow(predict(net, test) - test, 2), "all")));
    std::printf("epoch %d  root mean square error of a pixel %.4f, of mean pictures %.4f\n", epoch, error, spread);
  }

  const DlArray some = test(all, all, all, span(0, 7)), again = predict(net, some);
  std::vector<DlArray> columns;
  for (Index k = 0; k < 8; ++k)
    columns.push_back(vertcat(stripdims(some)(all, all, 0, k), stripdims(again)(all, all, 0, k)));
  imwrite(cat(1, columns), "autoencoder.png");
  std::printf("the code of the first picture:");
  const DlArray code = activations(net, some, "code");
  for (Index c = 0; c < 16; ++c) std::printf(" %.1f", double(code(c, 0)));
  std::printf("\npictures and what came back: autoencoder.png\n");
}
