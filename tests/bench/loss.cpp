// Losses, forward and forward + backward by the predictions: time, and the share of the copy bandwidth that the memory they must
// touch amounts to. Forward reads two arrays, as much as a copy reads and writes; with the derivative they are read again and one
// is written. The copy is of an array of the same size, by memcpy, in the same turns. Weights of the size of the data are one
// array more each time, a mask is a quarter of one, weights and masks of classes or observations are none; losses that are not
// reduced are written and read once.
// Cross-entropies take a logarithm an element, two for many labels: there as many of oneDNN's eltwise_log are the measure. An
// argument names the rows to run by how they begin, "multilabel 1000 x 16384".
#include "share.hpp"

#include <dlarray/dlarray.hpp>

using namespace dl;

namespace {

using Loss = std::function<DlArray(const DlArray& y, const DlArray& t)>;

// oneDNN's logarithms of n numbers, `times` of them one after the other; none for 0.
bench::Peer logarithms([[maybe_unused]] Index n, [[maybe_unused]] int times) {
  bench::Peer peer;
#if DLARRAY_HAS_ONEDNN
  const bench::Peer one = bench::onednn::elementwise(dnnl::algorithm::eltwise_log, n);
  const auto repeated = [=](const std::vector<std::function<void()>>& runs, std::vector<std::function<void()>>& to) {
    if (times == 0 || runs.empty()) return;
    to.push_back([run = runs[0], times] {
      for (int k = 0; k < times; ++k) run();
    });
  };
  repeated(one.forward, peer.forward);
  repeated(one.both, peer.both);
#endif
  return peer;
}

void row(const char* name, const char* size, const DlArray& y, const DlArray& t, const Loss& f, int logs = 0,
         bench::Copies copies = {}) {
  bench::reportShares(
      name, size, static_cast<std::size_t>(numel(y)) * 4, [&] { bench::keep(f(y, t)); },
      [&] { bench::keep(dlfeval([&](const DlArray& at) { return dlgradient(f(at, t), at); }, y)); }, logarithms(numel(y), logs),
      copies);
}

}  // namespace

int main(int count, char** words) {
  if (count > 1) bench::wantedRows() = words[1];
  for (const auto& [name, size] :
       {std::pair("10 x 128", Size{10, 128}), {"1000 x 128", Size{1000, 128}}, {"1000 x 16384", Size{1000, 16384}}}) {
    const DlArray y = softmax(dlarray(single_(randn(size)), "CB")), t = dlarray(single_(rand(size)), "CB");
    const DlArray classes = randi({0, size[0] - 1}, 1, size[1]);
    row("mse", name, y, t, [](const DlArray& a, const DlArray& b) { return mse(a, b); });
    row("l1loss", name, y, t, [](const DlArray& a, const DlArray& b) { return l1loss(a, b); });
    row("huber", name, y, t, [](const DlArray& a, const DlArray& b) { return huber(a, b); });
    row(
        "crossentropy", name, y, t, [](const DlArray& a, const DlArray& b) { return crossentropy(a, b); }, 1);
    const Loss many = [](const DlArray& a, const DlArray& b) { return crossentropy(a, b, {.classificationMode = "multilabel"}); };
    row("multilabel", name, y, t, many, 2);
    row("multilabel 0 or 1", name, y, single_(t < 0.1F), many, 2);
    row("indexcrossentropy", name, y, t, [&](const DlArray& a, const DlArray&) { return indexcrossentropy(a, classes); });

    const DlArray byClass = single_(rand(size[0], 1)), byElement = single_(rand(size));
    const DlArray mask = rand(size) < 0.8, observations = dlarray(rand(1, size[1]) < 0.8, "CB");
    row("weights of classes, l2loss", name, y, t,
        [&](const DlArray& a, const DlArray& b) { return l2loss(a, b, byClass, {.weightsFormat = "C"}); });
    const auto byWeights = [&](const DlArray& a, const DlArray& w) { return l2loss(a, t, w, {.weightsFormat = "C"}); };
    bench::reportShares(
        "weights of classes, learned", name, static_cast<std::size_t>(numel(y)) * 4, [&] { bench::keep(byWeights(y, byClass)); },
        [&] {
          bench::keep(dlfeval([&](const DlArray& a, const DlArray& w) { return dlgradient(byWeights(a, w), a, w); }, y, byClass));
        },
        {}, {1, 3.5});
    row("weights, l2loss", name, y, t, [&](const DlArray& a, const DlArray& b) { return l2loss(a, b, byElement); }, 0,
        {1.5, 3.5});
    row("mask, l2loss", name, y, t, [&](const DlArray& a, const DlArray& b) { return l2loss(a, b, {.mask = mask}); }, 0,
        {1.125, 2.75});
    row("mask of observations, l2loss", name, y, t,
        [&](const DlArray& a, const DlArray& b) { return l2loss(a, b, {.mask = observations}); });
    row(
        "weights of classes, crossentropy", name, y, t,
        [&](const DlArray& a, const DlArray& b) { return crossentropy(a, b, byClass, {.weightsFormat = "C"}); }, 1);
    row("weights and mask, huber", name, y, t,
        [&](const DlArray& a, const DlArray& b) {
          return huber(a, b, byClass, {.transitionPoint = 0.5, .mask = mask, .weightsFormat = "C"});
        },
        0, {1.125, 2.75});
    row("not reduced, huber", name, y, t,
        [&](const DlArray& a, const DlArray& b) {
          return sum(stripdims(huber(a, b, {.transitionPoint = 0.5, .reduction = "none"})), "all");
        },
        0, {2, 3.5});
    row("indexcrossentropy with weights", name, y, t,
        [&](const DlArray& a, const DlArray&) { return indexcrossentropy(a, classes, byClass, {.weightsFormat = "C"}); });
  }
}
