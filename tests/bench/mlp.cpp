// The loss of a network 2-32-32-1 with tanh and its gradient, double precision, batch of 100, against plain C++ loops.
#include "bench.hpp"

#include <dlarray/dlarray.hpp>

#include <cmath>

using namespace dl;

namespace {

constexpr int H = 32, N = 100;

struct Network {
  DlArray W1, b1, W2, b2, W3, b3;
  DLARRAY_FIELDS(Network, W1, b1, W2, b2, W3, b3)
};

struct Plain {
  std::vector<double> W1, b1, W2, b2, W3, b3;
};

Plain plain(const Network& p) {
  const auto v = [](const DlArray& a) { return extractdata<std::vector<double>>(a); };
  return {v(p.W1), v(p.b1), v(p.W2), v(p.b2), v(p.W3), v(p.b3)};
}

// One observation after the other; the gradient goes to `g`.
double lossByHand(const Plain& p, const double* X, const double* Y, Plain& g) {
  for (auto* v : {&g.W1, &g.b1, &g.W2, &g.b2, &g.W3, &g.b3}) std::fill(v->begin(), v->end(), 0.0);
  double loss = 0;
  for (int n = 0; n < N; ++n) {
    double h1[H], h2[H], d1[H], d2[H];
    for (int i = 0; i < H; ++i) h1[i] = std::tanh(p.b1[i] + p.W1[i] * X[2 * n] + p.W1[H + i] * X[2 * n + 1]);
    for (int i = 0; i < H; ++i) h2[i] = p.b2[i];
    for (int j = 0; j < H; ++j)
      for (int i = 0; i < H; ++i) h2[i] += p.W2[j * H + i] * h1[j];
    double y = p.b3[0];
    for (int i = 0; i < H; ++i) h2[i] = std::tanh(h2[i]), y += p.W3[i] * h2[i];
    const double e = y - Y[n], dy = 2 * e / N;
    loss += e * e / N;
    g.b3[0] += dy;
    for (int i = 0; i < H; ++i) g.W3[i] += dy * h2[i], d2[i] = dy * p.W3[i] * (1 - h2[i] * h2[i]), g.b2[i] += d2[i];
    for (int j = 0; j < H; ++j) {
      double s = 0;
      for (int i = 0; i < H; ++i) g.W2[j * H + i] += d2[i] * h1[j], s += p.W2[j * H + i] * d2[i];
      d1[j] = s * (1 - h1[j] * h1[j]);
    }
    for (int i = 0; i < H; ++i) g.b1[i] += d1[i], g.W1[i] += d1[i] * X[2 * n], g.W1[H + i] += d1[i] * X[2 * n + 1];
  }
  return loss;
}

}  // namespace

int main() {
  rng(7);
  const auto weights = [](Index m, Index n) { return 0.6 * rand(Size{m, n}) - 0.3; };
  const Network network{weights(H, 2), weights(H, 1), weights(H, H), weights(H, 1), weights(1, H), weights(1, 1)};
  const DlArray X = 2 * rand(Size{2, N}) - 1, Y = sin(3 * X(0, all)) % X(1, all);
  const auto ours = [&](const Network& p) {
    const DlArray h1 = tanh(p.W1 * X + p.b1), h2 = tanh(p.W2 * h1 + p.b2);
    const DlArray loss = mean(pow(p.W3 * h2 + p.b3 - Y, 2), "all");
    return std::make_tuple(loss, dlgradient(loss, p));
  };
  const Plain p = plain(network);
  Plain g = p;
  const double expected = lossByHand(p, data<double>(X), data<double>(Y), g);
  const auto [loss, gradient] = dlfeval(ours, network);
  const Plain got = plain(gradient);
  for (std::size_t i = 0; i < g.W2.size(); ++i)
    if (std::abs(got.W2[i] - g.W2[i]) > 1e-12 || std::abs(double(loss) - expected) > 1e-12) return std::printf("WRONG\n"), 1;
  bench::compare("network 2-32-32-1, batch 100",
                 {{"hand, plain loops", [&] { bench::keep(lossByHand(p, data<double>(X), data<double>(Y), g)); }},
                  {"dlarray", [&] { bench::keep(dlfeval(ours, network)); }}});
}
