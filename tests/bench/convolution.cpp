// Convolutions and their two gradients at the sizes of LeNet, ResNet-20 and ResNet-18, in GFLOP/s, against the library's product
// kernel and, where it was found, against oneDNN: its plain layout, which is ours, and its own layouts with the reorders to and
// from ours.
#include <omp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cpu/blas.hpp"
#include "cpu/convolution.hpp"
#include "onednn.hpp"
#include "pages.hpp"

namespace {

using dl::cpu::Convolution;
using dl::cpu::ConvolutionAxis;
using dl::cpu::Index;

struct Layer {
  const char* name;
  Index size, channels, filters, filter, stride, padding, batch, groups = 1;

  Convolution sizes() const {
    const ConvolutionAxis a{size, filter, (size + 2 * padding - filter) / stride + 1, stride, 1, padding};
    return {{a, a, {}}, channels / groups, filters / groups, groups, batch};
  }
  Index out() const { return sizes().axis[0].out; }
  double operations() const {
    return 2.0 * static_cast<double>(out() * out() * filter * filter * channels / groups * filters * batch);
  }
};

// The last ones are for transposed convolutions, whose results are the data's gradient of a convolution.
const Layer layers[] = {
    {"LeNet conv1", 28, 1, 20, 5, 1, 0, 128},         {"LeNet conv2", 12, 20, 50, 5, 1, 0, 128},
    {"ResNet-20 first", 32, 3, 16, 3, 1, 1, 128},     {"ResNet-20 stage 1", 32, 16, 16, 3, 1, 1, 128},
    {"ResNet-20 down 2", 32, 16, 32, 3, 2, 1, 128},   {"ResNet-20 stage 2", 16, 32, 32, 3, 1, 1, 128},
    {"ResNet-20 down 3", 16, 32, 64, 3, 2, 1, 128},   {"ResNet-20 stage 3", 8, 64, 64, 3, 1, 1, 128},
    {"ResNet-18 first", 224, 3, 64, 7, 2, 3, 16},     {"ResNet-18 stage 1", 56, 64, 64, 3, 1, 1, 16},
    {"ResNet-18 down 2", 56, 64, 128, 3, 2, 1, 16},   {"ResNet-18 skip 2", 56, 64, 128, 1, 2, 0, 16},
    {"ResNet-18 stage 2", 28, 128, 128, 3, 1, 1, 16}, {"ResNet-18 down 3", 28, 128, 256, 3, 2, 1, 16},
    {"ResNet-18 skip 3", 28, 128, 256, 1, 2, 0, 16},  {"ResNet-18 stage 3", 14, 256, 256, 3, 1, 1, 16},
    {"ResNet-18 down 4", 14, 256, 512, 3, 2, 1, 16},  {"ResNet-18 stage 4", 7, 512, 512, 3, 1, 1, 16},
    {"ResNet-18 first", 224, 3, 64, 7, 2, 3, 1},      {"ResNet-18 stage 1", 56, 64, 64, 3, 1, 1, 1},
    {"ResNet-18 stage 2", 28, 128, 128, 3, 1, 1, 1},  {"ResNet-18 stage 3", 14, 256, 256, 3, 1, 1, 1},
    {"ResNet-18 stage 4", 7, 512, 512, 3, 1, 1, 1},   {"1 x 1", 28, 256, 128, 1, 1, 0, 16},
    {"channel-wise", 28, 128, 128, 3, 1, 1, 16, 128}, {"upsampling 2 x 2", 56, 64, 128, 2, 2, 0, 16},
    {"upsampling 4 x 4", 32, 64, 128, 4, 2, 1, 16},
};

enum class Pass { forward, data, weights };

const char* nameOf(Pass pass) { return pass == Pass::forward ? "forward" : pass == Pass::data ? "data" : "weights"; }

using Numbers = bench::Numbers<float>;

struct Arrays {
  Numbers x, w, y, workspace;
  explicit Arrays(const Layer& l)
      : x(static_cast<std::size_t>(l.size * l.size * l.channels * l.batch)),
        w(static_cast<std::size_t>(l.filter * l.filter * l.channels / l.groups * l.filters)),
        y(static_cast<std::size_t>(l.out() * l.out() * l.filters * l.batch)),
        workspace(w.size()) {
    unsigned state = 1;
    for (auto* v : {&x, &w, &y})
      for (float& e : *v) e = static_cast<float>((state = state * 1664525u + 1013904223u) >> 9) / 8388608.0f - 0.5f;
  }
};

void ours(const Convolution& p, Pass pass, Arrays& a) {
  switch (pass) {
    case Pass::forward:
      return dl::cpu::convolve(p, a.x.data(), a.w.data(), a.y.data());
    case Pass::data:
      return dl::cpu::convolveDataGradient(p, a.y.data(), a.w.data(), a.x.data(), a.workspace.data());
    default:
      return dl::cpu::convolveWeightGradient(p, a.x.data(), a.y.data(), a.w.data(), a.workspace.data());
  }
}

#if DLARRAY_HAS_ONEDNN
// One pass of one layer in oneDNN, on arrays of ours: described as they are (column-major [H W C B] is its nchw with H and W
// exchanged), or in the layout that it likes best, with reorders.
bench::onednn::Steps reference(const Layer& l, Pass pass, Arrays& a, bool plain) {
  using namespace bench::onednn;
  const Dims x{l.batch, l.channels, l.size, l.size}, y{l.batch, l.filters, l.out(), l.out()};
  Dims w{l.filters, l.channels, l.filter, l.filter};
  if (l.groups > 1) w = {l.groups, l.filters / l.groups, l.channels / l.groups, l.filter, l.filter};
  const Tag tagW = l.groups > 1 ? Tag::goihw : Tag::oihw, any = Tag::any;
  const memory::desc anyX(x, f32, plain ? Tag::nchw : any), anyW(w, f32, plain ? tagW : any),
      anyY(y, f32, plain ? Tag::nchw : any);
  const memory ourX({x, f32, Tag::nchw}, cpu(), a.x.data()), ourW({w, f32, tagW}, cpu(), a.w.data()),
      ourY({y, f32, Tag::nchw}, cpu(), a.y.data());
  const Dims stride(2, l.stride), dilation(2, 0), start(2, l.padding),
      end(2, (l.out() - 1) * l.stride + l.filter - l.size - l.padding);
  const auto direct = algorithm::convolution_direct;
  const convolution_forward::primitive_desc f(
      {prop_kind::forward_training, direct, anyX, anyW, anyY, stride, dilation, start, end}, cpu());
  Steps steps;
  if (pass == Pass::forward) {
    Arguments all{{DNNL_ARG_SRC, steps.taken(ourX, f.src_desc())}, {DNNL_ARG_WEIGHTS, steps.taken(ourW, f.weights_desc())}};
    steps.given(ourY, f.dst_desc(), [&](const memory& to) {
      all.insert({DNNL_ARG_DST, to});
      steps.add(convolution_forward(f), all);
    });
  } else if (pass == Pass::data) {
    const convolution_backward_data::primitive_desc p({direct, anyX, anyW, anyY, stride, dilation, start, end}, cpu(), f);
    Arguments all{{DNNL_ARG_DIFF_DST, steps.taken(ourY, p.diff_dst_desc())},
                  {DNNL_ARG_WEIGHTS, steps.taken(ourW, p.weights_desc())}};
    steps.given(ourX, p.diff_src_desc(), [&](const memory& to) {
      all.insert({DNNL_ARG_DIFF_SRC, to});
      steps.add(convolution_backward_data(p), all);
    });
  } else {
    const convolution_backward_weights::primitive_desc p({direct, anyX, anyW, anyY, stride, dilation, start, end}, cpu(), f);
    Arguments all{{DNNL_ARG_SRC, steps.taken(ourX, p.src_desc())}, {DNNL_ARG_DIFF_DST, steps.taken(ourY, p.diff_dst_desc())}};
    steps.given(ourW, p.diff_weights_desc(), [&](const memory& to) {
      all.insert({DNNL_ARG_DIFF_WEIGHTS, to});
      steps.add(convolution_backward_weights(p), all);
    });
  }
  return steps;
}
#endif

double largestDifference(const Numbers& a, const Numbers& b) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    largest = std::max(largest, std::abs(static_cast<double>(a[i])));
  }
  return difference / largest;
}

// The fastest of many turns: other programs on the machine can only slow one down.
void fastest(std::vector<bench::Candidate>& candidates) {
  constexpr double enough = 0.15;
  for (bench::Candidate& c : candidates) c.run(), c.seconds = 1e300;
  double spent = 0;
  for (int turn = 0; turn < 200 && (turn < 5 || spent < enough * static_cast<double>(candidates.size())); ++turn)
    for (bench::Candidate& c : candidates) {
      const double start = bench::now();
      c.run();
      const double seconds = bench::now() - start;
      spent += seconds;
      c.seconds = std::min(c.seconds, seconds);
    }
}

// Prints a row; how many times as fast as oneDNN's better way ours is, 0 without oneDNN.
double compare(const Layer& l, Pass pass) {
  Arrays mine(l);
  const Convolution p = l.sizes();
  Numbers a(512 * 512, 0.5f), b = a, c = a;
  std::vector<bench::Candidate> candidates{
      {"ours", [&] { ours(p, pass, mine); }},
      {"product", [&] { dl::cpu::gemm(false, false, 512, 512, 512, 1.0f, a.data(), b.data(), 0.0f, c.data()); }}};
#if DLARRAY_HAS_ONEDNN
  Arrays plainly(l), freely(l);
  auto plain = reference(l, pass, plainly, true), any = reference(l, pass, freely, false);
  candidates.push_back({"oneDNN plain", [&] { plain(); }});
  candidates.push_back({"oneDNN reordered", [&] { any(); }});
#endif
  fastest(candidates);
  const double peak = 2.0 * 512 * 512 * 512 / candidates[1].seconds, rate = l.operations() / candidates[0].seconds;
  std::printf("%-18s batch %3d %-8s ours %6.1f GFLOP/s, of product %.2f", l.name, static_cast<int>(l.batch), nameOf(pass),
              rate / 1e9, rate / peak);
  double ratio = 0;
#if DLARRAY_HAS_ONEDNN
  ratio = std::min(candidates[2].seconds, candidates[3].seconds) / candidates[0].seconds;
  const auto result = [&](const Arrays& v) { return pass == Pass::forward ? v.y : pass == Pass::data ? v.x : v.w; };
  std::printf("; oneDNN plain %6.1f, reordered %6.1f, differs by %.0e; of its better %.2f",
              l.operations() / candidates[2].seconds / 1e9, l.operations() / candidates[3].seconds / 1e9,
              largestDifference(result(mine), result(freely)), ratio);
#endif
  std::printf("\n");
  std::fflush(stdout);
  return ratio;
}

// The line that closes a table.
void summarize(std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  if (ratios.empty() || ratios.back() == 0) return;
  const auto enough = std::count_if(ratios.begin(), ratios.end(), [](double r) { return r >= 0.8; });
  std::printf("of oneDNN's better: %d of %d passes reach 0.80, median %.2f, worst %.2f\n", static_cast<int>(enough),
              static_cast<int>(ratios.size()), ratios[ratios.size() / 2], ratios[0]);
}

#if DLARRAY_HAS_ONEDNN
// Whether results depend on the number of threads.
void compareThreads(const Layer& l, Pass pass) {
  const auto same = [&](const auto& run) {
    std::vector<Arrays> results(2, Arrays(l));
    for (const int threads : {1, 2}) {
      omp_set_num_threads(threads);
      run(results[static_cast<std::size_t>(threads - 1)]);
    }
    return results[0].x == results[1].x && results[0].w == results[1].w && results[0].y == results[1].y;
  };
  const auto answer = [](bool yes) { return yes ? "same" : "DIFFERENT"; };
  const bool mine = same([&](Arrays& a) { ours(l.sizes(), pass, a); });
  const bool plain = same([&](Arrays&a) { reference(l, pass, a, true)(); }),
             any = same([&](Arrays&a) { reference(l, pass, a, false)(); });
  std::printf("%-18s batch %3d %-8s ours %s, oneDNN plain %s, reordered %s\n", l.name, static_cast<int>(l.batch), nameOf(pass),
              answer(mine), answer(plain), answer(any));
}
#endif

}  // namespace

// bench_convolution [THREADS [NAME [PASS]]]: all rows, or those whose layer and pass begin so; 0 for one and two threads.
// bench_convolution same: bits on one and two threads.
int main(int count, char** arguments) {
  constexpr Pass passes[] = {Pass::forward, Pass::data, Pass::weights};
#if DLARRAY_HAS_ONEDNN
  if (count > 1 && std::string(arguments[1]) == "same") {
    for (const Layer& l : layers)
      for (const Pass pass : passes) compareThreads(l, pass);
    return 0;
  }
#endif
  const auto chosen = [&](int argument, const char* name) {
    return count <= argument || std::string(name).starts_with(arguments[argument]);
  };
  const int available = omp_get_max_threads(), wanted = count > 1 ? std::atoi(arguments[1]) : 0;
  for (const int threads : {1, 2}) {
    if (threads > available || (wanted && threads != wanted)) continue;
    omp_set_num_threads(threads);
    std::printf("%d thread%s\n", threads, threads == 1 ? "" : "s");
    std::vector<double> ratios;
    for (const Layer& l : layers)
      for (const Pass pass : passes)
        if (chosen(2, l.name) && chosen(3, nameOf(pass))) ratios.push_back(compare(l, pass));
    summarize(std::move(ratios));
  }
}
