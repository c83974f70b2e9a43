// Functions that move data more than they compute: embedding, one-hot codes, resizing, pooling with positions, unpooling,
// dropout. Time forward and forward + backward, and the share of the copy bandwidth that the memory they must touch amounts to:
// each input and each result once, gradients likewise, the table of an embedding's gradient once for its zeros. Dropout is set
// beside random numbers of as many elements, which it cannot do without, resizing beside oneDNN's in the better of two layouts.
// Arguments: the beginnings of the rows to run.
#include "share.hpp"

#include <dlarray/dlarray.hpp>

#include <numeric>
#include <string>

using namespace dl;

namespace {

std::vector<std::string> wanted;

using Function = std::function<DlArray(const DlArray&)>;

// Arrays touched forward, and on the way back, in elements of single precision.
struct Touched {
  Index forward, backward;
};

void row(const std::string& name, const DlArray& x, const Touched& touched, const Function& f, const Function& reference = {},
         const bench::Peer& peer = {}) {
  const auto begins = [&](const std::string& word) { return name.starts_with(word); };
  if (!wanted.empty() && std::none_of(wanted.begin(), wanted.end(), begins)) return;
  const DlArray y = f(x);
  const DlArray w = dlarray(stripdims(single_(rand(size(y)))), dims(y));
  const Index copied = std::max(numel(x), numel(y));
  bench::CopyShare copy(static_cast<std::size_t>(copied) * 4);
  const auto copies = [&](Index elements) { return static_cast<double>(elements) / static_cast<double>(2 * copied); };
  const auto forward = copy.of([&] { bench::keep(f(x)); }, copies(touched.forward));
  std::printf("%-42s copy %9s  forward %9s %4.0f %%", name.c_str(), bench::duration(copy.copySeconds()).c_str(),
              bench::duration(forward.seconds).c_str(), 100 * forward.share);
  bench::Share both{};
  if (touched.backward > 0) {
    both = copy.of([&] { bench::keep(dlfeval([&](const DlArray& at) { return dlvjp(f(at), at, w); }, x)); },
                   copies(touched.forward + touched.backward));
    std::printf("  forward + backward %9s %4.0f %%", bench::duration(both.seconds).c_str(), 100 * both.share);
  }
  if (reference) {
    const auto alone = copy.of([&] { bench::keep(reference(x)); }, 1);
    std::printf("  of random numbers alone %.0f %%", 100 * alone.seconds / forward.seconds);
  }
  const auto bytes = [](Index elements) { return 4 * static_cast<double>(elements); };
  const double forwardAndBackward = touched.backward > 0 ? bytes(touched.forward + touched.backward) : 0;
  std::printf("%s%s\n", bench::besideMemory(forward.seconds, both.seconds, bytes(touched.forward), forwardAndBackward).c_str(),
              bench::besidePeer(forward.seconds, both.seconds, copy.fastest(peer.forward), copy.fastest(peer.both)).c_str());
  std::fflush(stdout);
}

DlArray image(Index size, Index channels, Index batch) {
  return dlarray(single_(randn(Size{size, size, channels, batch})), "SSCB");
}

void embeddings(const char* name, Index dimension, Index words, Index batch, Index steps) {
  const DlArray table = single_(randn(dimension, words)), text = dlarray(randi({0, words - 1}, Size{1, batch, steps}), "CBT");
  const Index read = dimension * batch * steps;
  row(name, table, {2 * read, dimension * words + 2 * read}, [=](const DlArray& t) { return embed(text, t); });
}

void codes(const char* name, Index classes, Index count) {
  std::vector<double> numbers(static_cast<std::size_t>(classes));
  std::iota(numbers.begin(), numbers.end(), 0.0);
  const OnehotencodeOptions options{.classNames = numbers};
  const DlArray labels = single_(randi({0, classes - 1}, 1, count)), all = dlarray(numbers);
  const DlArray vectors = onehotencode(labels, 0, options);
  const Index n = classes * count;
  row(std::string("onehotencode ") + name, labels, {n + count, 0}, [=](const DlArray& x) { return onehotencode(x, 0, options); });
  row(std::string("onehotdecode ") + name, vectors, {n + count, 0}, [=](const DlArray& x) { return onehotdecode(x, all, 0); });
}

void resizing(const char* name, const DlArray& x, const char* method, double scale) {
  const DlresizeOptions options{.scale = scale, .method = method};
  const auto f = [=](const DlArray& a) { return dlresize(a, options); };
  const Index touched = numel(x) + numel(f(x));
  bench::Peer peer;
#if DLARRAY_HAS_ONEDNN
  const Size s = size(x);
  peer = bench::onednn::resampling(*method == 'n' ? dnnl::algorithm::resampling_nearest : dnnl::algorithm::resampling_linear,
                                   {s[3], s[2], s[1], s[0]}, static_cast<float>(scale));
#endif
  row(name, x, {touched, touched}, f, {}, peer);
}

// Positions are doubles: two elements each. The way back must read all lines of the gradient to find its elements.
void unpooling(const char* name, const DlArray& x) {
  const auto [y, at, whole] = maxpool<3>(x, 2, {.stride = 2});
  const Index n = 3 * numel(y) + numel(x);
  row(name, y, {n, n}, [at = at, whole = whole](const DlArray& a) { return maxunpool(a, at, whole); });
}

void poolingWithPositions(const char* name, const DlArray& x, Index window, const MaxpoolOptions& options) {
  const auto f = [=](const DlArray& a) { return std::get<0>(maxpool<3>(a, window, options)); };
  const Index n = numel(f(x));
  row(name, x, {numel(x) + 3 * n, 2 * numel(x) + n}, f);
}

void dropping(const char* name, const DlArray& x) {
  const Index n = numel(x);
  row(
      name, x, {2 * n, 3 * n}, [](const DlArray& a) { return dropout(a, 0.5); },
      [](const DlArray& a) { return rand(size(a), Type::Single); });
}

}  // namespace

int main(int count, char** words) {
  wanted.assign(words + 1, words + count);
  embeddings("embed 256 x 10000, 16 x 128 tokens", 256, 10000, 16, 128);
  embeddings("embed 100 x 5000, 32 x 20 tokens", 100, 5000, 32, 20);
  codes("10 x 128", 10, 128);
  codes("1000 x 16384", 1000, 16384);
  resizing("dlresize nearest 2x 28x28x64x16", image(28, 64, 16), "nearest", 2);
  resizing("dlresize linear 2x 28x28x64x16", image(28, 64, 16), "linear", 2);
  resizing("dlresize linear 0.5x 224x224x3x16", image(224, 3, 16), "linear", 0.5);
  unpooling("maxunpool 2/2 32x32x16x128", image(32, 16, 128));
  poolingWithPositions("maxpool<3> 2/2 32x32x16x128", image(32, 16, 128), 2, {.stride = 2});
  poolingWithPositions("maxpool<3> 3/2 56x56x16x64", image(56, 16, 64), 3, {.stride = 2, .padding = 1});
  dropping("dropout 1000 x 128", dlarray(single_(randn(1000, 128)), "CB"));
  dropping("dropout 1000 x 16384", dlarray(single_(randn(1000, 16384)), "CB"));
}
