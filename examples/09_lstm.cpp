// An LSTM learns a pendulum that is damped and driven. It then forecasts swings that it has not seen, from the measured angle alone: first one
// step ahead, then on and on from its own answers, its state carried along.
//     09_lstm [EPOCHS]
// Tested as: 60
#include <dlarray/dlarray.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <tuple>

using namespace dl;

namespace {

constexpr double step = 0.1;  // s

// theta'' = -(g / l) sin(theta) - c theta' + a cos(w t), by Runge and Kutta's fourth-order rule: angles in rad, one every `step`.
std::vector<double> swing(double theta, double speed, double driveFrequency, Index steps) {
  constexpr double gravity = 9.81, length = 1, damping = 0.2, drive = 1.5;
  const auto acceleration = [&](double angle, double rate, double t) {
    return -gravity / length * std::sin(angle) - damping * rate + drive * std::cos(driveFrequency * t);
  };
  std::vector<double> angles;
  constexpr int inner = 10;
  for (Index k = 0; k < steps; ++k) {
    angles.push_back(theta);
    for (int i = 0; i < inner; ++i) {
      const double h = step / inner, t = double(k) * step + i * h;
      const double v1 = speed, a1 = acceleration(theta, v1, t);
      const double v2 = speed + h / 2 * a1, a2 = acceleration(theta + h / 2 * v1, v2, t + h / 2);
      const double v3 = speed + h / 2 * a2, a3 = acceleration(theta + h / 2 * v2, v3, t + h / 2);
      const double v4 = speed + h * a3, a4 = acceleration(theta + h * v3, v4, t + h);
      theta += h / 6 * (v1 + 2 * v2 + 2 * v3 + v4);
      speed += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4);
    }
  }
  return angles;
}

// 1(C) x count(B) x steps(T)
DlArray swings(Index count, Index steps) {
  const DlArray start = rand(Size{3, count});
  DlArray X = zeros(Size{1, count, steps}, "single");
  for (Index k = 0; k < count; ++k)
    X(0, k, all) = dlarray(swing(2 * double(start(0, k)) - 1, 2 * double(start(1, k)) - 1, 2 + double(start(2, k)), steps));
  return dlarray(X, "CBT");
}

double rootMeanSquare(const DlArray& x) { return std::sqrt(double(mean(x % x, "all"))); }

}  // namespace

int main(int argc, char** argv) {
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 300;
  rng(4);
  const Index steps = 120;
  const DlArray train = swings(64, steps + 1), test = swings(32, steps + 41);
  const auto from = [](const DlArray& x, Index first, Index count) { return x(all, all, span(first, first + count - 1)); };
  DlNetwork net = dlnetwork({sequenceInputLayer(1), lstmLayer(48), fullyConnectedLayer(1)});

  const auto modelLoss = [](const DlNetwork& n, const DlArray& X, const DlArray& T) {
    const auto [Y, state] = forward(n, X);
    const DlArray loss = l2loss(Y, T, {.normalizationFactor = "all-elements"});
    return std::tuple(loss, dlgradient(loss, n.learnables()));
  };
  Learnables average, averageSquare;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    auto [loss, gradients] = dlfeval(modelLoss, net, from(train, 0, steps), from(train, 1, steps));
    clipGradients(gradients, 1.0, "global-l2norm");
    adamupdate(net, gradients, average, averageSquare, epoch, 0.01 * (1 - 0.95 * double(epoch) / epochs));
    if (epoch % std::max(1, epochs / 5) == 0) std::printf("epoch %3d  loss %.2e\n", epoch, double(loss));
  }

  // One step ahead, against the guess that nothing changes; the first 20 steps are for the network to find its bearings.
  const DlArray Y = predict(net, from(test, 0, steps));
  const double error = rootMeanSquare(from(Y, 20, steps - 20) - from(test, 21, steps - 20)),
               naive = rootMeanSquare(from(test, 20, steps - 20) - from(test, 21, steps - 20));
  std::printf("one step ahead: error %.4f rad, by standing still %.4f rad\n", error, naive);

  // On and on: the state that the measured part left, and then each answer as the next input.
  auto [running, answers] = predictAndUpdateState(net, from(test, 0, steps));
  DlArray x = from(answers, steps - 1, 1);
  for (Index k = 0; k < 40; ++k) {
    if (k == 0 || k == 9 || k == 19 || k == 39)
      std::printf("%2d steps ahead: error %.4f rad\n", int(k) + 1, rootMeanSquare(x - from(test, steps + k, 1)));
    std::tie(running, x) = predictAndUpdateState(running, x);
  }
}
