// ctc in single precision against its recursion by hand: for every observation forward and backward probabilities over the labels
// with blanks between them, scaled at each step, in plain C++ loops of the same precision.
#include "bench.hpp"
#include "threads.hpp"

#include <dlarray/dlarray.hpp>

#include <cmath>

using namespace dl;

namespace {

struct ByHand {
  Index classes, batch, steps, labels;
  std::vector<float> y, dy;
  std::vector<Index> targets;  // of each observation

  float run() {
    const Index states = 2 * labels + 1;
    const auto n = static_cast<std::size_t>(states);
    std::vector<float> forward(n * static_cast<std::size_t>(steps)), backward(n), next(n);
    float loss = 0;
    std::fill(dy.begin(), dy.end(), 0.0F);
    for (Index b = 0; b < batch; ++b) {
      const auto label = [&](Index s) { return s % 2 == 0 ? Index{0} : targets[static_cast<std::size_t>(b * labels + s / 2)]; };
      const auto at = [&](Index t, Index c) { return static_cast<std::size_t>(c + classes * (b + batch * t)); };
      const auto skips = [&](Index s) { return s % 2 == 1 && s > 1 && label(s) != label(s - 2); };
      for (Index t = 0; t < steps; ++t) {
        float* a = forward.data() + t * states;
        const float* before = a - states;
        float sum = 0;
        for (Index s = 0; s < states; ++s) {
          float from = t == 0 ? static_cast<float>(s < 2) : before[s];
          if (t > 0 && s > 0) from += before[s - 1];
          if (t > 0 && skips(s)) from += before[s - 2];
          sum += a[s] = from * y[at(t, label(s))];
        }
        loss -= std::log(sum);
        for (Index s = 0; s < states; ++s) a[s] /= sum;
      }
      const float* last = forward.data() + (steps - 1) * states;
      loss -= std::log(last[states - 1] + last[states - 2]);
      for (Index t = steps - 1; t >= 0; --t) {
        const float* a = forward.data() + t * states;
        float all = 0;
        for (Index s = 0; s < states; ++s) {
          float to = t == steps - 1 ? static_cast<float>(s >= states - 2) : next[static_cast<std::size_t>(s)];
          if (t < steps - 1 && s + 1 < states) to += next[static_cast<std::size_t>(s + 1)];
          if (t < steps - 1 && s + 2 < states && skips(s + 2)) to += next[static_cast<std::size_t>(s + 2)];
          all += a[s] * to;
          backward[static_cast<std::size_t>(s)] = to;
        }
        for (Index s = 0; s < states; ++s) {
          const float to = backward[static_cast<std::size_t>(s)] / all, p = y[at(t, label(s))];
          dy[at(t, label(s))] -= a[s] * to / p / static_cast<float>(batch);
          next[static_cast<std::size_t>(s)] = to * p;
        }
      }
    }
    return loss / static_cast<float>(batch);
  }
};

// `sure` is how far apart the numbers lie that softmax makes the probabilities of. The loops by hand lose what is small.
void row(Index classes, Index batch, Index steps, Index labels, double sure = 1) {
  const DlArray y = softmax(dlarray(sure * randn(Size{classes, batch, steps}, Type::Single), "CBT"));
  const DlArray targets = dlarray(1 + floor(rand(Size{1, batch, labels}) * static_cast<double>(classes - 1)), "CBT");
  ByHand plain{classes, batch, steps, labels, extractdata<std::vector<float>>(y), {}, {}};
  plain.dy.resize(plain.y.size());
  for (Index b = 0; b < batch; ++b)
    for (Index l = 0; l < labels; ++l) plain.targets.push_back(static_cast<Index>(double(targets(0, b, l))));
  const auto loss = [&](const DlArray& x) { return ctc(x, targets, DlArray(), DlArray()); };
  const std::string name = std::to_string(classes) + " classes, " + std::to_string(batch) + " x " + std::to_string(steps) +
                           " steps, " + std::to_string(labels) + " labels" + (sure > 1 ? ", sure and wrong" : "");
  std::printf("loss %.4f, by hand %.4f\n", double(loss(y)), static_cast<double>(plain.run()));
  bench::compare(
      name, {{"both by hand", [&] { bench::keep(plain.run()); }},
             {"forward", [&] { bench::keep(loss(y)); }},
             {"forward + backward", [&] { bench::keep(dlfeval([&](const DlArray& x) { return dlgradient(loss(x), x); }, y)); }}});
}

}  // namespace

int main() {
  bench::forThreads([](int threads) {
    std::printf("%d thread%s; by hand always one\n", threads, threads > 1 ? "s" : "");
    row(29, 16, 100, 20);
    row(29, 16, 100, 20, 10);
    row(29, 64, 200, 40);
    row(80, 1, 300, 60);
  });
}
