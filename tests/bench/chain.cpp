// A chain of 11 element-wise operations on 10 million floats, value and gradient, against the same operations by hand: one pass
// over memory for each operation with recycled temporaries, and all of it in tiles that stay in the cache.
#include "bench.hpp"

#include <dlarray/dlarray.hpp>

#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace dl;

namespace {

constexpr int steps = 11;
using Temporaries = std::vector<std::vector<float>>;

#define EACH for (std::size_t i = 0; i < n; ++i)
// Value and gradient of sum(exp(-(relu(sigmoid(tanh(1.1 x + 0.3) x) - x)^2 + x))) over n elements; t are the temporaries of each
// step.
void byHand(const float* __restrict x, float* __restrict gx, std::size_t n, float* const* t, float* __restrict g) {
  EACH t[0][i] = x[i] * 1.1F;
  EACH t[1][i] = t[0][i] + 0.3F;
  EACH t[2][i] = std::tanh(t[1][i]);
  EACH t[3][i] = t[2][i] * x[i];
  EACH t[4][i] = 1.0F / (1.0F + std::exp(-t[3][i]));
  EACH t[5][i] = t[4][i] - x[i];
  EACH t[6][i] = t[5][i] > 0 ? t[5][i] : 0.0F;
  EACH t[7][i] = t[6][i] * t[6][i];
  EACH t[8][i] = t[7][i] + x[i];
  EACH t[9][i] = -t[8][i];
  EACH t[10][i] = std::exp(t[9][i]);
  EACH g[i] = -t[10][i];
  EACH gx[i] = g[i];
  EACH g[i] = 2 * t[6][i] * g[i];
  EACH g[i] = t[5][i] > 0 ? g[i] : 0.0F;
  EACH gx[i] -= g[i];
  EACH g[i] = g[i] * t[4][i] * (1 - t[4][i]);
  EACH gx[i] += g[i] * t[2][i];
  EACH g[i] = g[i] * x[i];
  EACH g[i] = g[i] * (1 - t[2][i] * t[2][i]);
  EACH gx[i] += 1.1F * g[i];
}
#undef EACH

DlArray chain(const DlArray& x) {
  return sum(exp(-(pow(relu(sigmoid(tanh(x * 1.1 + 0.3) % x) - x), 2) + x)));
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t n = count > 1 ? static_cast<std::size_t>(std::atol(arguments[1])) : 10'000'000;
  std::vector<float> x(n), gx(n), g(n), target(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>((i * 7919) % 1000) / 1000;
  Temporaries memory(steps, std::vector<float>(n));
  std::vector<float*> t;
  for (auto& m : memory) t.push_back(m.data());
  const DlArray X = dlarray(x);
  const auto ours = [&](const DlArray& p) { return dlgradient(chain(p), p); };

  byHand(x.data(), gx.data(), n, t.data(), g.data());
  const auto got = extractdata<std::vector<float>>(dlfeval(ours, X));
  for (std::size_t i = 0; i < n; ++i)
    if (std::abs(got[i] - gx[i]) > 2e-5F * std::max(1.0F, std::abs(gx[i]))) {
      std::printf("WRONG gradient at %zu: %g instead of %g\n", i, static_cast<double>(got[i]), static_cast<double>(gx[i]));
      return 1;
    }

  constexpr std::size_t tile = 2048;
  bench::compare("chain of 11, " + std::to_string(n) + " floats",
                 {
                     {"hand op by op", [&] { byHand(x.data(), gx.data(), n, t.data(), g.data()); }},
                     {"hand in tiles",
                      [&] {
                        for (std::size_t i = 0; i < n; i += tile)
                          byHand(x.data() + i, gx.data() + i, std::min(tile, n - i), t.data(), g.data());
                      }},
                     {"copy",
                      [&] {
                        std::memcpy(target.data(), x.data(), n * sizeof(float));
                        bench::keep(target);
                      }},
                     {"dlarray", [&] { bench::keep(dlfeval(ours, X)); }},
                 },
                 9);
  std::printf("peak memory %.0f MiB\n", bench::peakMemory());
}
