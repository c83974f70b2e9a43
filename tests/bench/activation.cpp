// Activations and softmax, forward and forward + backward, on one thread and on all: time, and the share of the copy bandwidth
// that the memory they must touch amounts to (two arrays forward, five with the derivative: the input twice, the result, the
// gradient twice). The copy is of an array of the same size, by memcpy, in the same turns; sizes in the near caches and in main
// memory. Where computing rather than memory is the bound, oneDNN's function of the same name is the measure. An argument
// names the rows to run by how they begin, "gelu 1000 x 16384".
#include "share.hpp"

#include <dlarray/dlarray.hpp>

#include <string>
#include <utility>

using namespace dl;

namespace {

using Activation = std::function<DlArray(const DlArray&)>;

bench::Peer peerOf([[maybe_unused]] const std::string& name, [[maybe_unused]] const DlArray& x) {
#if DLARRAY_HAS_ONEDNN
  namespace peer = bench::onednn;
  using dnnl::algorithm;
  if (name == "softmax") {
    if (ndims(x) == 2) return peer::softmax({size(x, 1), size(x, 0)}, 1);
    return peer::softmax({size(x, 3), size(x, 2), size(x, 1), size(x, 0)}, 1);
  }
  const struct {
    const char* name;
    algorithm kind;
    float parameter;
  } kinds[] = {{"relu", algorithm::eltwise_relu, 0},
               {"gelu", algorithm::eltwise_gelu_erf, 0},
               {"gelu tanh", algorithm::eltwise_gelu_tanh, 0},
               {"sigmoid", algorithm::eltwise_logistic, 0},
               {"swish", algorithm::eltwise_swish, 1},
               {"leakyrelu", algorithm::eltwise_relu, 0.01F},
               {"elu", algorithm::eltwise_elu, 1},
               {"softplus", algorithm::eltwise_soft_relu, 0},
               {"mish", algorithm::eltwise_mish, 0}};
  for (const auto& k : kinds)
    if (name == k.name) return peer::elementwise(k.kind, numel(x), k.parameter);
#endif
  return {};
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
  const std::pair<const char*, Activation> usual[] = {
      {"relu", [](const DlArray& x) { return relu(x); }},
      {"gelu", [](const DlArray& x) { return gelu(x); }},
      {"gelu tanh", [](const DlArray& x) { return gelu(x, {.approximation = "tanh"}); }},
      {"sigmoid", [](const DlArray& x) { return sigmoid(x); }},
      {"swish", [](const DlArray& x) { return swish(x); }},
      {"softmax", [](const DlArray& x) { return softmax(x); }},
  };
  const std::pair<const char*, Activation> others[] = {
      {"leakyrelu", [](const DlArray& x) { return leakyrelu(x); }},
      {"elu", [](const DlArray& x) { return elu(x); }},
      {"softplus", [](const DlArray& x) { return softplus(x); }},
      {"mish", [](const DlArray& x) { return mish(x); }},
  };
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
    for (const auto& [function, f] : usual) row(function, name, x, f);
    if (size(x, 0) == 1000)
      for (const auto& [function, f] : others) row(function, name, x, f);
  }
}
