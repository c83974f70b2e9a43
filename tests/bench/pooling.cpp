// Pooling at the sizes of networks: how much of the bandwidth of a copy it reaches, counting what must be read and written.
// Forward that is the data in and the result out; backward of maxpool the data and the gradient in and the gradient by the data
// out, of avgpool without the data. Beside it oneDNN's pooling, in the better of the layout as it is and blocks of channels with
// reorders. Run with OMP_NUM_THREADS=1 and 2.
#include "onednn.hpp"
#include "threads.hpp"

#include "core/pool.hpp"

#include <dlarray/dlarray.hpp>

#include <cstring>
#include <omp.h>

using namespace dl;

namespace {

const char* wanted = "";  // the rows whose names begin so

using Function = std::function<DlArray(const DlArray& x)>;

// The window of a row, for the peer: 0 for all of the image.
struct Window {
  Index size, stride, padding;
};

bench::Peer peerOf([[maybe_unused]] const Size& s, [[maybe_unused]] bool largest, [[maybe_unused]] Window w) {
#if DLARRAY_HAS_ONEDNN
  if (s.size() == 4) {
    const auto each = [](Index a, Index b) { return dnnl::memory::dims{a, b}; };
    const bool all = w.size == 0;
    const Index end =
        all ? 0 : std::max<Index>(0, ((s[0] + 2 * w.padding - w.size) / w.stride) * w.stride + w.size - s[0] - w.padding);
    return bench::onednn::pooling(largest ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_include_padding,
                                  {s[3], s[2], s[1], s[0]},
                                  {all ? each(s[1], s[0]) : each(w.size, w.size), all ? each(1, 1) : each(w.stride, w.stride),
                                   each(w.padding, w.padding), each(end, end)});
  }
#endif
  return {};
}

void row(const char* name, const Size& sizes, const char* labels, const Function& f, bool readsData, Window window) {
  if (std::strncmp(name, wanted, std::strlen(wanted)) != 0) return;
  const DlArray x = dlarray(rand(sizes, Type::Single), labels), y = f(x);
  const Index n = numel(x);
  const DlArray w = dlarray(stripdims(single_(rand(size(y)))), dims(y));
  std::vector<float> from(static_cast<std::size_t>(n), 1.0F), to(static_cast<std::size_t>(n));
  const auto copy = [&] {
    bench::copyInParallel(from.data(), to.data(), static_cast<std::size_t>(n) * sizeof(float));
    bench::keep(to.data());
  };
  std::vector<bench::Candidate> all{
      {"copy", copy},
      {"forward", [&] { bench::keep(f(x)); }},
      {"both", [&] { bench::keep(dlfeval([&](const DlArray& a) { return dlgradient(sum(f(a) % w, "all"), a); }, x)); }},
      // The loops of the sum, on the small result.
      {"frame", [&] { bench::keep(dlfeval([&](const DlArray& a) { return dlgradient(sum(a % w, "all"), a); }, y)); }},
  };
  const bench::Peer peer = peerOf(sizes, readsData, window);
  for (const auto& run : peer.forward) all.push_back({"oneDNN forward", run});
  for (const auto& run : peer.both) all.push_back({"oneDNN both", run});
  releaseMemory();  // of the sizes that only the preparation needed
  bench::measure(all, 11);
  const double elements = static_cast<double>(n), results = static_cast<double>(numel(y));
  const double rate = 2 * elements / all[0].seconds, forward = elements + results;
  const double backward = results + elements + (readsData ? elements : 0), total = all[2].seconds - all[3].seconds;
  std::printf("%-36s copy %s (%.1f GB/s)  forward %s: %.0f %% of copy bandwidth  forward + backward %s: %.0f %%%s%s\n", name,
              bench::duration(all[0].seconds).c_str(), 4e-9 * rate, bench::duration(all[1].seconds).c_str(),
              100 * forward / all[1].seconds / rate, bench::duration(total).c_str(), 100 * (forward + backward) / total / rate,
              bench::besideMemory(all[1].seconds, total, 4 * forward, 4 * (forward + backward)).c_str(),
              bench::besidePeer(all[1].seconds, total, bench::fastest(all, "oneDNN forward"), bench::fastest(all, "oneDNN both"))
                  .c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** words) {
  if (count > 1) wanted = words[1];
  std::printf("%d threads\n", omp_get_max_threads());
  const auto three = [](const DlArray& x) { return maxpool(x, 3, {.stride = 2, .padding = 1}); };
  const auto two = [](const DlArray& x) { return maxpool(x, 2, {.stride = 2}); };
  const auto dense = [](const DlArray& x) { return maxpool(x, 3, {.padding = "same"}); };
  const auto halves = [](const DlArray& x) { return avgpool(x, 2, {.stride = 2}); };
  const auto smooth = [](const DlArray& x) { return avgpool(x, 3, {.padding = "same"}); };
  const auto globalMean = [](const DlArray& x) { return avgpool(x, "global"); };
  const auto globalMax = [](const DlArray& x) { return maxpool(x, "global"); };
  const auto inTime = [](const DlArray& x) { return maxpool(x, 2, {.poolFormat = "T", .stride = 2}); };
  row("maxpool 3/2 112x112x64x16", Size{112, 112, 64, 16}, "SSCB", three, true, {3, 2, 1});
  row("maxpool 3/1 56x56x64x16", Size{56, 56, 64, 16}, "SSCB", dense, true, {3, 1, 1});
  row("maxpool 2/2 24x24x20x128", Size{24, 24, 20, 128}, "SSCB", two, true, {2, 2, 0});
  row("maxpool 2/2 32x32x16x128", Size{32, 32, 16, 128}, "SSCB", two, true, {2, 2, 0});
  row("maxpool 2/2 8x8x64x128", Size{8, 8, 64, 128}, "SSCB", two, true, {2, 2, 0});
  row("maxpool 2/2 time 256x16x128", Size{256, 16, 128}, "CBT", inTime, true, {2, 2, 0});
  row("maxpool global 7x7x512x16", Size{7, 7, 512, 16}, "SSCB", globalMax, true, {0, 0, 0});
  row("avgpool 2/2 32x32x16x128", Size{32, 32, 16, 128}, "SSCB", halves, false, {2, 2, 0});
  row("avgpool 3/1 56x56x64x16", Size{56, 56, 64, 16}, "SSCB", smooth, false, {3, 1, 1});
  row("avgpool global 7x7x512x16", Size{7, 7, 512, 16}, "SSCB", globalMean, false, {0, 0, 0});
  row("avgpool global 8x8x64x128", Size{8, 8, 64, 128}, "SSCB", globalMean, false, {0, 0, 0});
}
