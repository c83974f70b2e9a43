// Activations and softmax, forward and forward + backward, on one thread and on all: time, and the share of the copy bandwidth
// that the memory they must touch amounts to (two arrays forward, five with the derivative: the input twice, the result, the
// gradient twice). The copy is of an array of the same size, by memcpy, in the same turns; sizes in the near caches and in main
// memory.
#include "bench.hpp"

#include <dlarray/dlarray.hpp>

#include <cstdlib>
#include <cstring>

using namespace dl;

namespace {

using Activation = std::function<DlArray(const DlArray&)>;

void row(const char* name, const char* size, const DlArray& x, const Activation& f) {
  const std::size_t bytes = static_cast<std::size_t>(numel(x)) * 4;
  std::vector<char> from(bytes, 1), to(bytes);
  const DlArray w = x + 1.0F;
  std::vector<bench::Candidate> c{
      {"copy", [&] { std::memcpy(to.data(), from.data(), bytes), bench::keep(to.data()); }},
      {"forward", [&] { bench::keep(f(x)); }},
      {"pullback", [&] { bench::keep(dlfeval([&](const DlArray& at) { return dlvjp(f(at), at, w); }, x)); }},
  };
  bench::measure(c, numel(x) > 1'000'000 ? 7 : 15);
  std::printf("%-14s %-22s copy %9s  forward %9s %3.0f %%  forward + backward %9s %3.0f %%\n", name, size,
              bench::duration(c[0].seconds).c_str(), bench::duration(c[1].seconds).c_str(), 100 * c[0].seconds / c[1].seconds,
              bench::duration(c[2].seconds).c_str(), 100 * 2.5 * c[0].seconds / c[2].seconds);
  std::fflush(stdout);
}

}  // namespace

int main() {
  const Activation r = [](const DlArray&x) { return relu(x); }, g = [](const DlArray&x) { return gelu(x); },
                   t = [](const DlArray&x) { return gelu(x, {.approximation = "tanh"}); },
                   s = [](const DlArray&x) { return sigmoid(x); }, w = [](const DlArray&x) { return swish(x); },
                   m = [](const DlArray&x) { return softmax(x); };
  const auto data = [](const Size& size, const char* labels) { return dlarray(single_(randn(size)), labels); };
  const struct {
    const char* name;
    DlArray x;
  } sizes[] = {{"10 x 128", data({10, 128}, "CB")},
               {"1000 x 128", data({1000, 128}, "CB")},
               {"1000 x 16384", data({1000, 16384}, "CB")},
               {"10 x 1000000", data({10, 1000000}, "CB")},
               {"32 x 32 x 64 x 128", data({32, 32, 64, 128}, "SSCB")},
               {"56 x 56 x 64 x 1", data({56, 56, 64, 1}, "SSCB")}};
  for (const auto& [name, x] : sizes) {
    row("relu", name, x, r);
    row("gelu", name, x, g);
    row("gelu tanh", name, x, t);
    row("sigmoid", name, x, s);
    row("swish", name, x, w);
    row("softmax", name, x, m);
  }
}
