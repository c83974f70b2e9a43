// What functions allocate: no more than their results and a bounded workspace; with the derivative, the result, the gradients and
// a workspace. Counted are the large blocks of the pool, where arrays lie, and all that is made by `new`, as workspaces are.
#include "core/pool.hpp"
#include "core/storage.hpp"
#include "cpu/parallel.hpp"
#include "harness/counted_new.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <dlarray/dlarray.hpp>

using namespace dl;

namespace {

using Arrays = std::vector<DlArray>;
using Function = std::function<Arrays(const Arrays&)>;

// Each thread has its own.
std::size_t workspace() { return static_cast<std::size_t>(std::max(2, cpu::threadCount())) << 21; }

std::size_t bytesOfAll(const Arrays& arrays) {
  std::size_t bytes = 0;
  for (const DlArray& x : arrays) bytes += static_cast<std::size_t>(numel(x)) * bytesOf(Storage::of(x).type);
  return bytes;
}

// The most bytes in use while `run` works, beside those that were before.
template <class Run>
std::size_t peakOf(Run&& run) {
  releaseMemory();
  const std::size_t before = memoryUse().inUse, beside = test::mostMadeBy(run);
  return memoryUse().peak - before + beside;
}

// Blocks are rounded up to size classes.
std::size_t allowed(std::size_t bytes) { return bytes + bytes / 4 + workspace(); }

// `kept` bytes more for what is kept between the way there and the way back.
void check(const std::string& name, const Arrays& inputs, const Function& f, std::size_t kept = 0) {
  Arrays results;
  const std::size_t forward = peakOf([&] { results = f(inputs); });
  BOOST_TEST(forward <= allowed(bytesOfAll(results)),
             name << ": " << forward / 1024 << " KiB for results of " << bytesOfAll(results) / 1024 << " KiB");
  const DlArray w = results[0] * 0.5;
  Arrays gradients;
  const auto differentiate = [&](const Arrays& x) { return dlvjp(f(x)[0], x, w); };
  const std::size_t both = peakOf([&] { gradients = dlfeval(differentiate, inputs); });
  BOOST_TEST(both <= allowed(bytesOfAll(results) + bytesOfAll(gradients) + kept),
             name << ": " << both / 1024 << " KiB for results of " << bytesOfAll(results) / 1024 << " KiB and gradients of "
                  << bytesOfAll(gradients) / 1024 << " KiB");
}

DlArray random(const Size& size, const char* labels = "") {
  const DlArray x = single_(rand(size));
  return *labels ? dlarray(x, labels) : x;
}

}  // namespace

BOOST_AUTO_TEST_CASE(of_activations) {
  const Arrays x{random({1000, 4000}, "CB")};
  check("relu", x, [](const Arrays& a) { return Arrays{relu(a[0])}; });
  check("leakyrelu", x, [](const Arrays& a) { return Arrays{leakyrelu(a[0])}; });
  check("elu", x, [](const Arrays& a) { return Arrays{elu(a[0])}; });
  check("gelu", x, [](const Arrays& a) { return Arrays{gelu(a[0])}; });
  check("gelu tanh", x, [](const Arrays& a) { return Arrays{gelu(a[0], {.approximation = "tanh"})}; });
  check("sigmoid", x, [](const Arrays& a) { return Arrays{sigmoid(a[0])}; });
  check("softmax", x, [](const Arrays& a) { return Arrays{softmax(a[0])}; });
  check("softplus", x, [](const Arrays& a) { return Arrays{softplus(a[0])}; });
  check("swish", x, [](const Arrays& a) { return Arrays{swish(a[0])}; });
  check("mish", x, [](const Arrays& a) { return Arrays{mish(a[0])}; });
  check("dropout", x, [](const Arrays& a) { return Arrays{dropout(a[0])}; });
}

BOOST_AUTO_TEST_CASE(of_pooling) {
  const Arrays x{random({64, 64, 32, 16}, "SSCB")};
  check("maxpool 2/2", x, [](const Arrays& a) { return Arrays{maxpool(a[0], 2, {.stride = 2})}; });
  check("maxpool over time", {random({16, 4, 40000}, "CBT")},
        [](const Arrays& a) { return Arrays{maxpool(a[0], "global", {.poolFormat = "T"})}; });
  check("avgpool over time", {random({16, 4, 40000}, "CBT")},
        [](const Arrays& a) { return Arrays{avgpool(a[0], 100, {.poolFormat = "T", .stride = 100})}; });
  check("maxpool 3/1", x, [](const Arrays& a) { return Arrays{maxpool(a[0], 3, {.padding = "same"})}; });
  check("avgpool 3/1", x, [](const Arrays& a) { return Arrays{avgpool(a[0], 3, {.padding = "same"})}; });
  check("avgpool global", x, [](const Arrays& a) { return Arrays{avgpool(a[0], "global")}; });
  const auto [y, at, whole] = maxpool<3>(x[0], 2, {.stride = 2});
  check("maxunpool", {y}, [at = at, whole = whole](const Arrays& a) { return Arrays{maxunpool(a[0], at, whole)}; });
  check("dlresize", x, [](const Arrays& a) { return Arrays{dlresize(a[0], {.scale = 2, .method = "linear"})}; });
}

BOOST_AUTO_TEST_CASE(of_convolutions_and_products) {
  const DlArray x = random({64, 64, 16, 16}, "SSCB"), w = random({3, 3, 16, 24}), b = random({24, 1});
  check("dlconv", {x, w, b}, [](const Arrays& a) { return Arrays{dlconv(a[0], a[1], a[2], {.padding = "same"})}; });
  check("dlconv stride 2", {x, w, b},
        [](const Arrays& a) { return Arrays{dlconv(a[0], a[1], a[2], {.stride = 2, .padding = 1})}; });
  const DlArray line = random({200000, 16, 1}, "SCB"), points = random({1, 16, 24});
  check("dlconv of one element, stride 2", {line, points, b},
        [](const Arrays& a) { return Arrays{dlconv(a[0], a[1], a[2], {.stride = 2})}; });
  check("dlconv of a line", {line, random({3, 16, 24}), b}, [](const Arrays& a) { return Arrays{dlconv(a[0], a[1], a[2])}; });
  const DlArray wt = random({3, 3, 24, 16});
  check("dltranspconv", {x, wt, b}, [](const Arrays& a) { return Arrays{dltranspconv(a[0], a[1], a[2], {.stride = 2})}; });
  const DlArray features = random({1000, 2000}, "CB"), weights = random({1500, 1000}), bias = random({1500, 1});
  check("fullyconnect", {features, weights, bias}, [](const Arrays& a) { return Arrays{fullyconnect(a[0], a[1], a[2])}; });
}

BOOST_AUTO_TEST_CASE(of_normalizations) {
  const DlArray x = random({64, 64, 32, 16}, "SSCB"), o = random({32, 1}), s = random({32, 1});
  check("batchnorm", {x, o, s}, [](const Arrays& a) { return Arrays{batchnorm(a[0], a[1], a[2])}; });
  check("batchnorm inference", {x, o, s}, [&](const Arrays& a) { return Arrays{batchnorm(a[0], a[1], a[2], o, s)}; });
  check("layernorm", {x, o, s}, [](const Arrays& a) { return Arrays{layernorm(a[0], a[1], a[2])}; });
  check("groupnorm", {x, o, s}, [](const Arrays& a) { return Arrays{groupnorm(a[0], 4, a[1], a[2])}; });
  check("instancenorm", {x, o, s}, [](const Arrays& a) { return Arrays{instancenorm(a[0], a[1], a[2])}; });
  const DlArray one = random({1, 4000000}, "CB"), o1 = random({1, 1}), few = random({3, 3, 512, 256}, "SSCB"),
                o512 = random({512, 1}), rows = random({200000, 20}, "CB"), oRows = random({200000, 1});
  check("batchnorm of one channel", {one, o1, o1}, [](const Arrays& a) { return Arrays{batchnorm(a[0], a[1], a[2])}; });
  check("batchnorm of small images", {few, o512, o512}, [](const Arrays& a) { return Arrays{batchnorm(a[0], a[1], a[2])}; });
  check("instancenorm of small images", {few, o512, o512},
        [](const Arrays& a) { return Arrays{instancenorm(a[0], a[1], a[2])}; });
  check("layernorm of long rows", {rows, oRows, oRows}, [](const Arrays& a) { return Arrays{layernorm(a[0], a[1], a[2])}; });
  check("crosschannelnorm", {x}, [](const Arrays& a) { return Arrays{crosschannelnorm(a[0], 5)}; });
}

BOOST_AUTO_TEST_CASE(of_losses) {
  const DlArray y = softmax(random({1000, 4000}, "CB")), t = random({1000, 4000}, "CB"), w = random({1000, 1}),
                mask = dlarray(rand(Size{1000, 4000}) > 0.3, "CB");
  check("mse", {y}, [&](const Arrays& a) { return Arrays{mse(a[0], t)}; });
  check("l1loss", {y}, [&](const Arrays& a) { return Arrays{l1loss(a[0], t)}; });
  check("l2loss", {y}, [&](const Arrays& a) { return Arrays{l2loss(a[0], t)}; });
  check("huber", {y}, [&](const Arrays& a) { return Arrays{huber(a[0], t)}; });
  check("crossentropy", {y}, [&](const Arrays& a) { return Arrays{crossentropy(a[0], t)}; });
  check("crossentropy with weights", {y},
        [&](const Arrays& a) { return Arrays{crossentropy(a[0], t, w, {.weightsFormat = "C"})}; });
  check("multilabel", {y}, [&](const Arrays& a) { return Arrays{crossentropy(a[0], t, {.classificationMode = "multilabel"})}; });
  check("l1loss with a mask", {y}, [&](const Arrays& a) { return Arrays{l1loss(a[0], t, {.mask = mask})}; });
  check("huber with a mask", {y}, [&](const Arrays& a) { return Arrays{huber(a[0], t, {.mask = mask})}; });
  check("crossentropy with a mask", {y}, [&](const Arrays& a) { return Arrays{crossentropy(a[0], t, {.mask = mask})}; });
  check("l1loss of each element", {y}, [&](const Arrays& a) { return Arrays{l1loss(a[0], t, {.reduction = "none"})}; });
}

BOOST_AUTO_TEST_CASE(of_sequences) {
  const DlArray x = random({64, 32, 200}, "CBT"), h = zeros(64, 1, "single"), c = zeros(64, 1, "single");
  const DlArray w = random({256, 64}) * 0.1F, r = random({256, 64}) * 0.1F, b = random({256, 1});
  // What each step needs again on the way back, gates, cell and hidden state, and the gradients by the gates.
  const std::size_t states = static_cast<std::size_t>(64 * 32 * 200 * 4) * 8;
  check(
      "lstm", {x, w, r, b}, [&](const Arrays& a) { return Arrays{lstm(a[0], h, c, a[1], a[2], a[3])}; }, states);
  check(
      "gru", {x, w, r, b},
      [&](const Arrays& a) {
        const auto three = [](const DlArray& all) { return all(span(0, 191), dl::all); };
        return Arrays{gru(a[0], h, three(a[1]), three(a[2]), three(a[3]))};
      },
      states);
  const DlArray q = random({256, 16, 128}, "CBT");
  // Projections of queries, keys and values are the caller's; the weights of all heads are kept for the way back.
  check(
      "attention", {q, q * 2.0F, q * 3.0F}, [](const Arrays& a) { return Arrays{attention(a[0], a[1], a[2], 8)}; },
      std::size_t{128 * 128} * 8 * 16 * 4);
  const DlArray table = random({256, 4000}), text = dlarray(randi({0, 3999}, Size{1, 16, 512}), "CBT");
  check("embed", {table}, [&](const Arrays& a) { return Arrays{embed(text, a[0])}; });
  // The first has less to keep of an observation than a thread keeps, the second more.
  const DlArray few = randi({1, 28}, 1, 64, 40), many = randi({1, 28}, 1, 4, 500);
  check("ctc", {softmax(random({29, 64, 400}, "CBT"))},
        [&](const Arrays& a) { return Arrays{ctc(a[0], few, DlArray(), DlArray())}; });
  check("ctc of many labels", {softmax(random({29, 4, 2000}, "CBT"))},
        [&](const Arrays& a) { return Arrays{ctc(a[0], many, DlArray(), DlArray())}; });
}
