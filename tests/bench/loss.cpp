// Losses, forward and forward + backward by the predictions: time, and the share of the copy bandwidth that the memory they must
// touch amounts to. Forward reads two arrays, as much as a copy reads and writes; with the derivative they are read again and one
// is written. The copy is of an array of the same size, by memcpy, in the same turns.
#include "bench.hpp"

#include <dlarray/dlarray.hpp>

#include <cstring>

using namespace dl;

namespace {

using Loss = std::function<DlArray(const DlArray& y, const DlArray& t)>;

void row(const char* name, const char* size, const DlArray& y, const DlArray& t, const Loss& f) {
  const std::size_t bytes = static_cast<std::size_t>(numel(y)) * 4;
  std::vector<char> from(bytes, 1), to(bytes);
  std::vector<bench::Candidate> c{
      {"copy", [&] { std::memcpy(to.data(), from.data(), bytes), bench::keep(to.data()); }},
      {"forward", [&] { bench::keep(f(y, t)); }},
      {"both", [&] { bench::keep(dlfeval([&](const DlArray& at) { return dlgradient(f(at, t), at); }, y)); }},
  };
  bench::measure(c, numel(y) > 1'000'000 ? 7 : 15);
  std::printf("%-18s %-14s copy %9s  forward %9s %3.0f %%  forward + backward %9s %3.0f %%\n", name, size,
              bench::duration(c[0].seconds).c_str(), bench::duration(c[1].seconds).c_str(), 100 * c[0].seconds / c[1].seconds,
              bench::duration(c[2].seconds).c_str(), 100 * 2.5 * c[0].seconds / c[2].seconds);
  std::fflush(stdout);
}

}  // namespace

int main() {
  for (const auto& [name, size] :
       {std::pair("10 x 128", Size{10, 128}), {"1000 x 128", Size{1000, 128}}, {"1000 x 16384", Size{1000, 16384}}}) {
    const DlArray y = softmax(dlarray(single_(randn(size)), "CB")), t = dlarray(single_(rand(size)), "CB");
    const DlArray classes = randi({0, size[0] - 1}, 1, size[1]);
    row("mse", name, y, t, [](const DlArray& a, const DlArray& b) { return mse(a, b); });
    row("l1loss", name, y, t, [](const DlArray& a, const DlArray& b) { return l1loss(a, b); });
    row("huber", name, y, t, [](const DlArray& a, const DlArray& b) { return huber(a, b); });
    row("crossentropy", name, y, t, [](const DlArray& a, const DlArray& b) { return crossentropy(a, b); });
    row("multilabel", name, y, t,
        [](const DlArray& a, const DlArray& b) { return crossentropy(a, b, {.classificationMode = "multilabel"}); });
    row("indexcrossentropy", name, y, t, [&](const DlArray& a, const DlArray&) { return indexcrossentropy(a, classes); });
  }
}
