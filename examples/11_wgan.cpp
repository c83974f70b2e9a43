// A generator learns to place points on a ring of eight spots, against a critic that is kept smooth by a penalty on its gradient: the penalty's
// own gradient is a second derivative through a network. (WGAN-GP; Gulrajani et al. 2017)
//     11_wgan [ITERATIONS]
// Tested as: 300
#include <dlarray/dlarray.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <tuple>

using namespace dl;

namespace {

constexpr Index batch = 256, noise = 4, spots = 8;
constexpr double radius = 2, width = 0.1;

DlArray ring(Index count) {
  const DlArray angle = (2 * M_PI / spots) * double_(randi({0, spots - 1}, Size{1, count}));
  return dlarray(single_(radius * vertcat(cos(angle), sin(angle)) + width * randn(Size{2, count})), "CB");
}
DlArray noiseOf(Index count) { return dlarray(randn(Size{noise, count}, "single"), "CB"); }

DlNetwork perceptron(Index in, Index hidden, Index out) {
  return dlnetwork({featureInputLayer(in), fullyConnectedLayer(hidden, {.weightsInitializer = "he"}), leakyReluLayer(0.2),
                    fullyConnectedLayer(hidden, {.weightsInitializer = "he"}), leakyReluLayer(0.2), fullyConnectedLayer(out)});
}

// How much better the critic tells real points from others, and its gradient; the penalty wants slope 1 between the two.
auto criticLoss(const DlNetwork& critic, const DlArray& real, const DlArray& generated, const DlArray& between) {
  const DlArray gap = mean(predict(critic, real), "all") - mean(predict(critic, generated), "all");
  const DlArray slopes = dlgradient(sum(predict(critic, between), "all"), between, {.enableHigherDerivatives = true});
  const DlArray penalty = mean(pow(vecnorm(slopes, 2, "C") - 1, 2), "all");
  const DlArray loss = 10 * penalty - gap;
  return std::tuple(gap, penalty, dlgradient(loss, critic.learnables()));
}

auto generatorLoss(const DlNetwork& generator, const DlNetwork& critic, const DlArray& z) {
  const DlArray loss = -mean(predict(critic, predict(generator, z)), "all");
  return std::tuple(loss, dlgradient(loss, generator.learnables()));
}

// The percentage of points within three widths of a spot, and how many spots have a fair share of them.
std::pair<double, int> quality(const DlArray& points) {
  const Index n = size(points, 1);
  int near = 0, counts[spots] = {};
  for (Index k = 0; k < n; ++k) {
    const double x = double(points(0, k)), y = double(points(1, k)), turn = std::atan2(y, x) / (2 * M_PI) * spots;
    const int spot = int(std::lround(turn) + spots) % int(spots);
    const double angle = 2 * M_PI * spot / spots;
    if (std::hypot(x - radius * std::cos(angle), y - radius * std::sin(angle)) < 3 * width) ++near, ++counts[spot];
  }
  int covered = 0;
  for (const int c : counts) covered += c > near / (3 * int(spots));
  return {100.0 * near / double(n), covered};
}

}  // namespace

int main(int argc, char** argv) {
  const int iterations = argc > 1 ? std::atoi(argv[1]) : 3000;
  rng(6);
  DlNetwork generator = perceptron(noise, 64, 2), critic = perceptron(2, 64, 1);
  Learnables averageG, squareG, averageC, squareC;
  Index criticSteps = 0;
  for (int iteration = 1; iteration <= iterations; ++iteration) {
    double gap = 0, penalty = 0;
    for (int k = 0; k < 5; ++k) {
      const DlArray real = ring(batch), generated = predict(generator, noiseOf(batch));
      const DlArray mix = dlarray(rand(Size{1, batch}, "single"), "CB");
      const auto [g, p, gradients] = dlfeval(criticLoss, critic, real, generated, mix % real + (1 - mix) % generated);
      adamupdate(critic, gradients, averageC, squareC, ++criticSteps, 1e-3, 0.5, 0.9);
      gap = double(g), penalty = double(p);
    }
    const auto [loss, gradients] = dlfeval([&](const DlNetwork& g, const DlArray& z) { return generatorLoss(g, critic, z); }, generator, noiseOf(batch));
    adamupdate(generator, gradients, averageG, squareG, iteration, 1e-3, 0.5, 0.9);
    if (iteration % std::max(1, iterations / 5) == 0) {
      const auto [near, covered] = quality(predict(generator, noiseOf(2000)));
      std::printf("iteration %5d  distance %.3f  penalty %.3f  near a spot %3.0f %%  spots covered %d\n", iteration, gap, penalty, near, covered);
    }
  }
}
