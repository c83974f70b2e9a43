// Normalisations at the sizes of networks: how much of the bandwidth of a copy of the same array they reach, counting what must
// be read and written: the data twice, for the statistics and for the result, which is written; with the derivative, data and
// gradient twice, for the sums and for the gradient by the data, which is written. Inference and windows of channels read the
// data once, and with the derivative data and gradient once. Beside it oneDNN's normalisation, in the better of the layout as it
// is and blocks of channels with reorders. Run with OMP_NUM_THREADS=1 and 2; a row's beginning may be named.
#include "onednn.hpp"
#include "threads.hpp"

#include "core/pool.hpp"

#include <dlarray/dlarray.hpp>

#include <cstring>
#include <omp.h>

using namespace dl;

namespace {

const char* wanted = "";  // the rows whose names begin so

using Function = std::function<DlArray(const DlArray& x, const DlArray& offset, const DlArray& scale)>;

void row(const char* name, const Size& sizes, const char* labels, const Function& f, const bench::Peer& peer,
         double forwardCopies = 1.5, double backwardCopies = 2.5) {
  if (std::strncmp(name, wanted, std::strlen(wanted)) != 0) return;
  const DlArray x = dlarray(rand(sizes, Type::Single), labels);
  const Index channels = size(x, "C"), n = numel(x);
  const DlArray offset = single_(rand(channels, 1)), scale = single_(rand(channels, 1)), weights = single_(rand(sizes));
  const DlArray w = dlarray(weights, labels);
  const auto* from = data<float>(weights);
  std::vector<float> to(static_cast<std::size_t>(n));
  const auto copy = [&] {
    bench::copyInParallel(from, to.data(), static_cast<std::size_t>(n) * sizeof(float));
    bench::keep(to.data());
  };
  // The derivative of sum(y % w): its own loops are measured alone and taken off.
  const auto both = [&](const Function& function) {
    return [&, function] {
      bench::keep(dlfeval([&](const DlArray& a, const DlArray& b,
                              const DlArray& c) { return dlgradient(sum(function(a, b, c) % w, "all"), a, b, c); },
                          x, offset, scale));
    };
  };
  std::vector<bench::Candidate> all{
      {"copy", copy},
      {"forward", [&] { bench::keep(f(x, offset, scale)); }},
      {"both", both(f)},
      {"frame", both([](const DlArray& a, const DlArray&, const DlArray&) { return a; })},
  };
  for (const auto& run : peer.forward) all.push_back({"oneDNN forward", run});
  for (const auto& run : peer.both) all.push_back({"oneDNN both", run});
  releaseMemory();  // of the sizes that only the preparation needed
  bench::measure(all, 11);
  const double copied = all[0].seconds, forward = all[1].seconds, total = all[2].seconds - all[3].seconds;
  std::printf(
      "%-44s copy %s (%.1f GB/s)  forward %s: %.0f %% of copy bandwidth  forward + backward %s: %.0f %%%s%s\n", name,
      bench::duration(copied).c_str(), 8e-9 * static_cast<double>(n) / copied, bench::duration(forward).c_str(),
      100 * forwardCopies * copied / forward, bench::duration(total).c_str(),
      100 * (forwardCopies + backwardCopies) * copied / total,
      bench::besideMemory(forward, total, 8 * static_cast<double>(n) * forwardCopies,
                          8 * static_cast<double>(n) * (forwardCopies + backwardCopies))
          .c_str(),
      bench::besidePeer(forward, total, bench::fastest(all, "oneDNN forward"), bench::fastest(all, "oneDNN both")).c_str());
  std::fflush(stdout);
}

const auto batch = [](const DlArray& x, const DlArray& o, const DlArray& s) { return batchnorm(x, o, s); };
const auto trained = [](const DlArray& x, const DlArray& o, const DlArray& s) {
  return std::get<0>(batchnorm<3>(x, o, s, 0, 1));
};
const auto inference = [](const DlArray& x, const DlArray& o, const DlArray& s) { return batchnorm(x, o, s, o, s); };
const auto layer = [](const DlArray& x, const DlArray& o, const DlArray& s) { return layernorm(x, o, s); };
const auto tokens = [](const DlArray& x, const DlArray& o, const DlArray& s) {
  return layernorm(x, o, s, {.operationDimension = "channel-only"});
};
const auto grouped = [](const DlArray& x, const DlArray& o, const DlArray& s) { return groupnorm(x, 8, o, s); };
const auto across = [](const DlArray& x, const DlArray&, const DlArray&) { return crosschannelnorm(x, 5); };
const auto instance = [](const DlArray& x, const DlArray& o, const DlArray& s) { return instancenorm(x, o, s); };

#if DLARRAY_HAS_ONEDNN
bench::Peer batchPeer(const Size& s, bool fixed = false) {
  return bench::onednn::batchNormalization(
      s.size() == 2 ? dnnl::memory::dims{s[1], s[0]} : dnnl::memory::dims{s[3], s[2], s[1], s[0]}, fixed);
}
bench::Peer acrossPeer(const Size& s) {
  return bench::onednn::crossChannelNormalization({s[3], s[2], s[1], s[0]}, 5, 1e-4F, 0.75F, 2);
}
bench::Peer rowsPeer(Index rows, Index length) { return bench::onednn::layerNormalization(rows, length); }
#else
bench::Peer batchPeer(const Size&, bool = false) { return {}; }
bench::Peer rowsPeer(Index, Index) { return {}; }
bench::Peer acrossPeer(const Size&) { return {}; }
#endif

}  // namespace

int main(int count, char** words) {
  if (count > 1) wanted = words[1];
  std::printf("%d threads\n", omp_get_max_threads());
  row("batchnorm 32x32x16x128", Size{32, 32, 16, 128}, "SSCB", batch, batchPeer(Size{32, 32, 16, 128}));
  row("batchnorm<3> 32x32x16x128", Size{32, 32, 16, 128}, "SSCB", trained, batchPeer(Size{32, 32, 16, 128}));
  row("batchnorm 16x16x32x128", Size{16, 16, 32, 128}, "SSCB", batch, batchPeer(Size{16, 16, 32, 128}));
  row("batchnorm 8x8x64x128", Size{8, 8, 64, 128}, "SSCB", batch, batchPeer(Size{8, 8, 64, 128}));
  row("batchnorm 112x112x64x16", Size{112, 112, 64, 16}, "SSCB", batch, batchPeer(Size{112, 112, 64, 16}));
  row("batchnorm 56x56x64x16", Size{56, 56, 64, 16}, "SSCB", batch, batchPeer(Size{56, 56, 64, 16}));
  row("batchnorm 7x7x512x16", Size{7, 7, 512, 16}, "SSCB", batch, batchPeer(Size{7, 7, 512, 16}));
  row("batchnorm 512x4096", Size{512, 4096}, "CB", batch, batchPeer(Size{512, 4096}));
  row("batchnorm inference 32x32x16x128", Size{32, 32, 16, 128}, "SSCB", inference, batchPeer(Size{32, 32, 16, 128}, true), 1,
      1.5);
  row("layernorm 256x16x128, each token", Size{256, 16, 128}, "CBT", tokens, rowsPeer(16 * 128, 256));
  row("layernorm 256x16x128", Size{256, 16, 128}, "CBT", layer, {});
  row("layernorm 56x56x64x16", Size{56, 56, 64, 16}, "SSCB", layer, {});
  row("groupnorm 56x56x64x16, 8 groups", Size{56, 56, 64, 16}, "SSCB", grouped, {});
  row("instancenorm 56x56x64x16", Size{56, 56, 64, 16}, "SSCB", instance, {});
  row("instancenorm 256x16x128", Size{256, 16, 128}, "CBT", instance, {});
  row("crosschannelnorm 24x24x20x128", Size{24, 24, 20, 128}, "SSCB", across, acrossPeer(Size{24, 24, 20, 128}), 1, 1.5);
  row("crosschannelnorm 27x27x96x16", Size{27, 27, 96, 16}, "SSCB", across, acrossPeer(Size{27, 27, 96, 16}), 1, 1.5);
  row("crosschannelnorm 56x56x64x16", Size{56, 56, 64, 16}, "SSCB", across, acrossPeer(Size{56, 56, 64, 16}), 1, 1.5);
}
