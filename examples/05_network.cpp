// A convolutional network from functions alone: images labelled S S C B, parameters in a struct, the gradient step in plain arithmetic.
// It learns to tell bars that lie from bars that stand and from crosses, in pictures full of noise.
#include <dlarray/dlarray.hpp>

#include <cstdio>
#include <tuple>

using namespace dl;

struct Network {
  DlArray filters, filterBias, offset, scale, weights, bias;
};
DLARRAY_FIELDS(Network, filters, filterBias, offset, scale, weights, bias)

constexpr Index side = 12, channels = 8, classes = 3;

// Pictures side x side x 1 x count, and their classes 1 x count.
std::tuple<DlArray, DlArray> pictures(Index count) {
  DlArray X = 0.5 * randn(Size{side, side, 1, count}, "single");
  const DlArray label = randi({0, classes - 1}, Size{1, count}), row = randi({0, side - 1}, Size{2, count});
  for (Index k = 0; k < count; ++k) {
    const int kind = int(label(k));
    if (kind != 1) X(Index(row(0, k)), all, 0, k) += 1;
    if (kind != 0) X(all, Index(row(1, k)), 0, k) += 1;
  }
  return {dlarray(X, "SSCB"), dlarray(label, "CB")};
}

DlArray probabilities(const Network& net, const DlArray& X) {
  DlArray Y = dlconv(X, net.filters, net.filterBias, {.padding = "same"});
  Y = relu(batchnorm(Y, net.offset, net.scale));
  Y = maxpool(Y, "global");
  return softmax(fullyconnect(Y, net.weights, net.bias));
}

double accuracy(const Network& net, const DlArray& X, const DlArray& T) {
  const DlArray largest = std::get<1>(max<2>(probabilities(net, X), {}, "C"));
  return 100 * double(mean(largest == stripdims(T), "all"));
}

int main() {
  rng(7);
  Network net{0.3 * randn(Size{5, 5, 1, channels}, "single"), zeros(channels, 1, "single"), zeros(channels, 1, "single"),
              ones(channels, 1, "single"), 0.3 * randn(classes, channels, "single"), zeros(classes, 1, "single")};
  const auto [testX, testT] = pictures(500);
  std::printf("before    accuracy %5.1f %%\n", accuracy(net, testX, testT));

  const auto loss = [](const Network& n, const DlArray& X, const DlArray& T) {
    const DlArray l = indexcrossentropy(probabilities(n, X), T);
    return std::tuple(l, dlgradient(l, n));
  };
  for (int step = 1; step <= 200; ++step) {
    const auto [X, T] = pictures(64);
    auto [l, g] = dlfeval([&](const Network& n) { return loss(n, X, T); }, net);
    const auto parameters = arraysOf(net), gradients = arraysOf(g);
    for (std::size_t i = 0; i < parameters.size(); ++i) *parameters[i] -= 0.2 * *gradients[i];
    if (step % 50 == 0) std::printf("step %3d  loss %.3f\n", step, double(l));
  }
  std::printf("after     accuracy %5.1f %%\n", accuracy(net, testX, testT));
}
