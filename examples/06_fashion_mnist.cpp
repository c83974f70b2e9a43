// A small convolutional network learns real pictures in a training loop of one's own: forward, loss, gradient, step.
//     06_fashion_mnist [EPOCHS [PICTURES]]
// Tested as: 1 6000
#include "fashion.hpp"

#include <chrono>
#include <tuple>

using namespace dl;

namespace {

DlNetwork smallNetwork() {
  return dlnetwork({imageInputLayer({28, 28, 1}, {.normalization = "none"}), convolution2dLayer(3, 32, {.padding = "same"}),
                    batchNormalizationLayer(), reluLayer(), maxPooling2dLayer(2, {.stride = 2}), convolution2dLayer(3, 64, {.padding = "same"}),
                    batchNormalizationLayer(), reluLayer(), maxPooling2dLayer(2, {.stride = 2}), dropoutLayer(0.2), fullyConnectedLayer(10),
                    softmaxLayer()});
}

auto modelLoss(const DlNetwork& net, const DlArray& X, const DlArray& T) {
  auto [Y, state] = forward(net, X);
  const DlArray loss = crossentropy(Y, T);
  return std::tuple(loss, dlgradient(loss, net.learnables()), state);
}

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 5;
  const Index pictures = argc > 2 ? std::atoi(argv[2]) : 60000;
  rng(1);
  const Fashion data = fashion(pictures);
  DlNetwork net = smallNetwork();
  summary(net);

  MiniBatchQueue queue = batches(data.trainX, data.trainT);
  Learnables averageGradient, averageSquaredGradient;
  const auto start = std::chrono::steady_clock::now();
  Index iteration = 0;
  double mean = 0;
  const Index iterations = epochs * queue.numMiniBatches();
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (shuffle(queue); hasdata(queue);) {
      const auto [X, T] = next<2>(queue);
      const auto [loss, gradients, state] = dlfeval(modelLoss, net, X, T);
      net.setState(state);
      const double left = 1 - double(iteration) / double(iterations);  // the learn rate falls to a fiftieth
      adamupdate(net, gradients, averageGradient, averageSquaredGradient, ++iteration, 0.002 * (0.02 + 0.98 * left));
      mean += (double(loss) - mean) / double(std::min<Index>(iteration, 50));
      if (iteration % 10 == 0 || !hasdata(queue)) {
        std::printf("\repoch %d  iteration %4lld of %lld  loss %.3f  %5.1f s ", epoch, static_cast<long long>(iteration),
                    static_cast<long long>(iterations), mean, secondsSince(start));
        std::fflush(stdout);
      }
    }
    std::printf("\nepoch %d  accuracy on the test pictures %.2f %%\n", epoch, accuracy(net, data.testX, data.testT));
  }
}
