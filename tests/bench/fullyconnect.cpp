// fullyconnect at the layers of networks, in single precision, forward and forward + backward, against its matrix products alone,
// done by the library's own kernel in the same run, taking turns.
#include <omp.h>

#include "bench.hpp"
#include "threads.hpp"
#include "cpu/blas.hpp"

#include <dlarray/dlarray.hpp>

using namespace dl;

namespace {

using Floats = std::vector<float>;
Floats numbers(Index n) { return extractdata<Floats>(0.1F * randn(n, 1, Type::Single)); }

void row(Index outputs, Index inputs, Index observations) {
  const DlArray w = 0.1F * randn(outputs, inputs, Type::Single), b = 0.1F * randn(outputs, 1, Type::Single),
                x = dlarray(randn(inputs, observations, Type::Single), "CB"), g = randn(outputs, observations, Type::Single);
  const Floats plainW = numbers(outputs * inputs), plainX = numbers(inputs * observations),
               plainG = numbers(outputs * observations);
  Floats y(plainG.size()), dw(plainW.size()), dx(plainX.size());
  const auto products = [&](bool both) {
    cpu::gemm<float>(false, false, outputs, observations, inputs, 1, plainW.data(), plainX.data(), 0, y.data());
    if (!both) return;
    cpu::gemm<float>(false, true, outputs, inputs, observations, 1, plainG.data(), plainX.data(), 0, dw.data());
    cpu::gemm<float>(true, false, inputs, observations, outputs, 1, plainW.data(), plainG.data(), 0, dx.data());
  };
  const auto forward = [&] { bench::keep(data<float>(fullyconnect(x, w, b))); };
  const auto both = [&] {
    const auto gradients = dlfeval(
        [&](const std::vector<DlArray>& v) {
          return dlgradient(sum(stripdims(fullyconnect(dlarray(v[0], "CB"), v[1], v[2])) % g, "all"), v);
        },
        std::vector{stripdims(x), w, b});
    bench::keep(data<float>(gradients[1]));
  };
  const std::string name = std::to_string(outputs) + " x " + std::to_string(inputs) + ", " + std::to_string(observations) +
                           " observations, " + std::to_string(omp_get_max_threads()) + " threads, ";
  bench::compare(name + "forward", {{"ours", forward}, {"products alone", [&] { products(false); }}});
  bench::compare(name + "both", {{"ours", both}, {"products alone", [&] { products(true); }}});
}

}  // namespace

int main() {
  bench::forThreads([](int) {
    row(512, 784, 128);
    row(512, 512, 128);
    row(10, 512, 128);
    row(10, 1568, 128);
    row(120, 256, 128);
    row(1000, 512, 16);
    row(256, 256, 2048);
  });
}
