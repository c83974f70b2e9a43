// Losses, forward and forward + backward by the predictions: time, and the share of the copy bandwidth that the memory they must
// touch amounts to. Forward reads two arrays, as much as a copy reads and writes; with the derivative they are read again and one
// is written. The copy is of an array of the same size, by memcpy, in the same turns.
#include "share.hpp"

#include <dlarray/dlarray.hpp>

using namespace dl;

namespace {

using Loss = std::function<DlArray(const DlArray& y, const DlArray& t)>;

void row(const char* name, const char* size, const DlArray& y, const DlArray& t, const Loss& f) {
  bench::reportShares(
      name, size, static_cast<std::size_t>(numel(y)) * 4, [&] { bench::keep(f(y, t)); },
      [&] { bench::keep(dlfeval([&](const DlArray& at) { return dlgradient(f(at, t), at); }, y)); });
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
