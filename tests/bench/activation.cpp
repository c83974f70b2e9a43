// Activations and softmax, forward and forward + backward, on one thread and on all: time, and the share of the copy bandwidth
// that the memory they must touch amounts to (two arrays forward, five with the derivative: the input twice, the result, the
// gradient twice). The copy is of an array of the same size, by memcpy, in the same turns; sizes in the near caches and in main
// memory. Where computing rather than memory is the bound, oneDNN's function of the same name is the measure. An argument
// names the rows to run by how they begin, "gelu 1000 x 16384".
#include "share.hpp"

#include <dlarray/dlarray.hpp>

using namespace dl;

namespace {

using Activation = std::function<DlArray(const DlArray&)>;

bench::Peer peerOf([[maybe_unused]] const char* name, [[maybe_unused]] const DlArray& x) {
#if DLARRAY_HAS_ONEDNN
  namespace peer = bench::onednn;
  using dnnl::algorithm;
  const std::string which = name;
  if (which == "softmax") {
    if (ndims(x) == 2) return peer::softmax({size(x, 1), size(x, 0)}, 1);
    return peer::softmax({size(x, 3), size(x, 2), size(x, 1), size(x, 0)}, 1);
  }
  const algorithm kind = which == "relu"        ? algorithm::eltwise_relu
                         : which == "gelu"      ? algorithm::eltwise_gelu_erf
                         : which == "gelu tanh" ? algorithm::eltwise_gelu_tanh
                         : which == "sigmoid"   ? algorithm::eltwise_logistic
                                                : algorithm::eltwise_swish;
  return peer::elementwise(kind, numel(x), which == "swish" ? 1.0F : 0.0F);
#else
  return {};
#endif
}

void row(const char* name, const char* size, const DlArray& x, const Activation& f) {
  const DlArray w = x + 1.0F;
  bench::reportShares(
      name, size, static_cast<std::size_t>(numel(x)) * 4, [&] { bench::keep(f(x)); },
      [&] { bench::keep(dlfeval([&](const DlArray& at) { return dlvjp(f(at), at, w); }, x)); }, peerOf(name, x));
}

}  // namespace

int main(int count, char** words) {
  if (count > 1) bench::wantedRows() = words[1];
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
