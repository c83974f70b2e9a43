// The LSTM (and the GRU, with the reset gate behind and before the product) of 64 inputs and 128 units, 100 steps of 32
// observations, and small ones, in single precision: against its matrix products alone, done by the library's own kernel, and
// against oneDNN's LSTM where that was found; the projected LSTM against ours without projectors. All in one run, taking turns.
// An argument names the rows to run by how they begin.
#if DLARRAY_HAS_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#endif

#include <cmath>
#include <memory>

#include "bench.hpp"
#include "threads.hpp"
#include "cpu/blas.hpp"

#include <dlarray/dlarray.hpp>

using namespace dl;

namespace {

struct Sizes {
  Index features, hidden, batch, steps, columns = batch * steps;
};

using Floats = std::vector<float>;
Floats numbers(Index n) { return extractdata<Floats>(0.1F * randn(n, 1, Type::Single)); }

// The products of a forward pass, and of a backward pass, as few and as large as the recurrence allows.
struct Products : Sizes {
  explicit Products(const Sizes& sizes) : Sizes(sizes) {}
  Floats x = numbers(features * columns), w = numbers(4 * hidden * features), r = numbers(4 * hidden * hidden),
         h = numbers(hidden * (columns + batch)), z = numbers(4 * hidden * columns), dx = x, dw = w, dr = r, dh = h;

  void forward(Index gates = 4) {
    cpu::gemm<float>(false, false, gates * hidden, columns, features, 1, w.data(), x.data(), 0, z.data());
    for (Index t = 0; t < steps; ++t)
      cpu::gemm<float>(false, false, gates * hidden, batch, hidden, 1, r.data(), h.data() + t * hidden * batch, 1,
                       z.data() + t * gates * hidden * batch);
  }
  void backward(Index gates = 4) {
    for (Index t = 0; t < steps; ++t)
      cpu::gemm<float>(true, false, hidden, batch, gates * hidden, 1, r.data(), z.data() + t * gates * hidden * batch, 0,
                       dh.data() + t * hidden * batch);
    cpu::gemm<float>(true, false, features, columns, gates * hidden, 1, w.data(), z.data(), 0, dx.data());
    cpu::gemm<float>(false, true, gates * hidden, features, columns, 1, z.data(), x.data(), 0, dw.data());
    cpu::gemm<float>(false, true, gates * hidden, hidden, columns, 1, z.data(), h.data(), 0, dr.data());
  }
};

struct Ours : Sizes {
  explicit Ours(const Sizes& sizes) : Sizes(sizes) {}
  DlArray x = dlarray(0.1F * randn(Size{features, batch, steps}, Type::Single), "CBT"), h0 = zeros(hidden, batch, Type::Single),
          c0 = h0, w = 0.1F * randn(4 * hidden, features, Type::Single), r = 0.1F * randn(4 * hidden, hidden, Type::Single),
          b = 0.1F * randn(4 * hidden, 1, Type::Single);

  void forward() const { bench::keep(data<float>(lstm(x, h0, c0, w, r, b))); }
  void both() const {
    const auto gradients =
        dlfeval([&](const std::vector<DlArray>& p) { return dlgradient(sum(lstm(p[0], h0, c0, p[1], p[2], p[3]), "all"), p); },
                std::vector<DlArray>{x, w, r, b});
    bench::keep(data<float>(gradients[0]));
  }
  // A quarter of the channels in the projected state.
  DlArray rp = r(all, span(0, hidden / 4 - 1)), in = 0.1F * randn(features, features, Type::Single),
          out = 0.1F * randn(hidden, hidden / 4, Type::Single);
  void projectedForward() const { bench::keep(data<float>(lstmp(x, h0, c0, w, rp, b, in, out))); }
  void projectedBoth() const {
    const auto gradients = dlfeval(
        [&](const std::vector<DlArray>& p) {
          return dlgradient(sum(lstmp(p[0], h0, c0, p[1], p[2], p[3], p[4], p[5]), "all"), p);
        },
        std::vector<DlArray>{x, w, rp, b, in, out});
    bench::keep(data<float>(gradients[0]));
  }
  DlArray w3 = w(span(0, 3 * hidden - 1), all), r3 = r(span(0, 3 * hidden - 1), all), b3 = b(span(0, 3 * hidden - 1), all);
  void gruForward(const GruOptions& o) const { bench::keep(data<float>(gru(x, h0, w3, r3, b3, o))); }
  void gruBoth(const GruOptions& o) const {
    const auto gradients =
        dlfeval([&](const std::vector<DlArray>& p) { return dlgradient(sum(gru(p[0], h0, p[1], p[2], p[3], o), "all"), p); },
                std::vector<DlArray>{x, w3, r3, b3});
    bench::keep(data<float>(gradients[0]));
  }
};

#if DLARRAY_HAS_ONEDNN
// oneDNN's LSTM with weights in the layout it likes best, reordered on every call as training must.
class OneDnn {
 public:
  explicit OneDnn(const Sizes& s) {
    using namespace dnnl;
    using tag = memory::format_tag;
    const auto f32 = memory::data_type::f32;
    const memory::dims src{s.steps, s.batch, s.features}, dst{s.steps, s.batch, s.hidden}, state{1, 1, s.batch, s.hidden},
        wx{1, 1, s.features, 4, s.hidden}, wh{1, 1, s.hidden, 4, s.hidden}, bias{1, 1, 4, s.hidden};
    const auto any = [&](const memory::dims& d) { return memory::desc(d, f32, tag::any); };
    const memory::desc srcD(src, f32, tag::tnc), dstD(dst, f32, tag::tnc), stateD(state, f32, tag::ldnc),
        biasD(bias, f32, tag::ldgo);
    const auto direction = rnn_direction::unidirectional_left2right;
    const lstm_forward::desc fd(prop_kind::forward_training, direction, srcD, stateD, stateD, any(wx), any(wh), biasD, dstD,
                                stateD, stateD);
    const lstm_forward::primitive_desc fpd(fd, engine_);
    const lstm_backward::desc bd(prop_kind::backward, direction, srcD, stateD, stateD, any(wx), any(wh), biasD, dstD, stateD,
                                 stateD, srcD, stateD, stateD, any(wx), any(wh), biasD, dstD, stateD, stateD);
    const lstm_backward::primitive_desc bpd(bd, engine_, fpd);
    forward_ = lstm_forward(fpd);
    backward_ = lstm_backward(bpd);
    const auto make = [&](const memory::desc& d) {
      memory m(d, engine_);
      std::fill_n(static_cast<float*>(m.get_data_handle()), d.get_size() / sizeof(float), 0.01F);
      return m;
    };
    wx_ = make({wx, f32, tag::ldigo}), wh_ = make({wh, f32, tag::ldigo});
    wxF_ = make(fpd.weights_layer_desc()), whF_ = make(fpd.weights_iter_desc());
    wxB_ = make(bpd.weights_layer_desc()), whB_ = make(bpd.weights_iter_desc());
    args_ = {{DNNL_ARG_SRC_LAYER, make(srcD)},    {DNNL_ARG_SRC_ITER, make(stateD)},
             {DNNL_ARG_SRC_ITER_C, make(stateD)}, {DNNL_ARG_WEIGHTS_LAYER, wxF_},
             {DNNL_ARG_WEIGHTS_ITER, whF_},       {DNNL_ARG_BIAS, make(biasD)},
             {DNNL_ARG_DST_LAYER, make(dstD)},    {DNNL_ARG_DST_ITER, make(stateD)},
             {DNNL_ARG_DST_ITER_C, make(stateD)}, {DNNL_ARG_WORKSPACE, make(fpd.workspace_desc())}};
    backArgs_ = args_;
    backArgs_[DNNL_ARG_WEIGHTS_LAYER] = wxB_, backArgs_[DNNL_ARG_WEIGHTS_ITER] = whB_;
    for (const auto& [arg, desc] : {std::pair(DNNL_ARG_DIFF_SRC_LAYER, srcD),
                                    {DNNL_ARG_DIFF_SRC_ITER, stateD},
                                    {DNNL_ARG_DIFF_SRC_ITER_C, stateD},
                                    {DNNL_ARG_DIFF_BIAS, biasD},
                                    {DNNL_ARG_DIFF_DST_LAYER, dstD},
                                    {DNNL_ARG_DIFF_DST_ITER, stateD},
                                    {DNNL_ARG_DIFF_DST_ITER_C, stateD},
                                    {DNNL_ARG_DIFF_WEIGHTS_LAYER, bpd.diff_weights_layer_desc()},
                                    {DNNL_ARG_DIFF_WEIGHTS_ITER, bpd.diff_weights_iter_desc()}})
      backArgs_.insert({arg, make(desc)});
  }
  /// How far its results are from ours, of the same data.
  double distance(const Ours& ours) {
    const auto fill = [](const dnnl::memory& m, const DlArray& x) {
      std::copy_n(data<float>(x), numel(x), static_cast<float*>(m.get_data_handle()));
    };
    fill(args_.at(DNNL_ARG_SRC_LAYER), ours.x), fill(args_.at(DNNL_ARG_BIAS), ours.b), fill(wx_, ours.w), fill(wh_, ours.r);
    fill(args_.at(DNNL_ARG_SRC_ITER), ours.h0), fill(args_.at(DNNL_ARG_SRC_ITER_C), ours.c0);
    forward();
    const DlArray y = lstm(ours.x, ours.h0, ours.c0, ours.w, ours.r, ours.b);
    const auto* theirs = static_cast<const float*>(args_.at(DNNL_ARG_DST_LAYER).get_data_handle());
    double worst = 0;
    for (Index i = 0; i < numel(y); ++i) worst = std::max(worst, std::abs(static_cast<double>(data<float>(y)[i] - theirs[i])));
    return worst;
  }
  void forward() {
    dnnl::reorder(wx_, wxF_).execute(stream_, wx_, wxF_);
    dnnl::reorder(wh_, whF_).execute(stream_, wh_, whF_);
    forward_.execute(stream_, args_);
  }
  void both() {
    forward();
    dnnl::reorder(wx_, wxB_).execute(stream_, wx_, wxB_);
    dnnl::reorder(wh_, whB_).execute(stream_, wh_, whB_);
    for (const int arg : {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS}) {  // it adds to them
      const dnnl::memory& m = backArgs_.at(arg);
      std::fill_n(static_cast<float*>(m.get_data_handle()), m.get_desc().get_size() / sizeof(float), 0.0F);
    }
    backward_.execute(stream_, backArgs_);
  }

 private:
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::memory wx_, wh_, wxF_, whF_, wxB_, whB_;
  dnnl::primitive forward_, backward_;
  std::unordered_map<int, dnnl::memory> args_, backArgs_;
};
#endif

}  // namespace

int main(int count, char** words) {
  const std::string wanted = count > 1 ? words[1] : "";
  const auto compare = [&](const std::string& row, std::vector<bench::Candidate> candidates) {
    if (row.starts_with(wanted)) bench::compare(row, std::move(candidates));
  };
  const auto rows = [&](int threads, const Sizes& sizes, bool projected) {
    const Ours ours(sizes);
    const auto products = std::make_shared<Products>(sizes);
    std::vector<bench::Candidate> forward{{"ours", [&] { ours.forward(); }}, {"products alone", [&] { products->forward(); }}},
        both{{"ours", [&] { ours.both(); }}, {"products alone", [&] { products->forward(), products->backward(); }}};
#if DLARRAY_HAS_ONEDNN
    const auto peer = std::make_shared<OneDnn>(sizes);
    std::printf("largest difference from oneDNN's results: %.1e\n", peer->distance(ours));
    forward.push_back({"oneDNN", [=] { peer->forward(); }});
    both.push_back({"oneDNN", [=] { peer->both(); }});
#endif
    const std::string size = std::to_string(sizes.features) + "-" + std::to_string(sizes.hidden),
                      on = " x " + std::to_string(sizes.batch) + " x " + std::to_string(sizes.steps) + ", " +
                           std::to_string(threads) + " thread" + (threads > 1 ? "s" : "");
    compare("lstm " + size + on + ", forward", forward);
    compare("lstm " + size + on + ", both", both);
    if (projected) {
      const std::string name = "lstmp " + size + " by " + std::to_string(sizes.hidden / 4) + on;
      compare(name + ", forward", {{"ours", [&] { ours.projectedForward(); }}, {"lstm", [&] { ours.forward(); }}});
      compare(name + ", both", {{"ours", [&] { ours.projectedBoth(); }}, {"lstm", [&] { ours.both(); }}});
    }
    for (const char* mode : {"after-multiplication", "before-multiplication"}) {
      const GruOptions options{.resetGateMode = mode};
      const std::string name = "gru " + size + on + ", " + mode;
      compare(name + ", forward",
              {{"ours", [&] { ours.gruForward(options); }}, {"products alone", [&] { products->forward(3); }}});
      compare(name + ", both", {{"ours", [&] { ours.gruBoth(options); }},
                                {"products alone", [&] { products->forward(3), products->backward(3); }}});
    }
  };
  bench::forThreads([&](int threads) {
    rows(threads, {64, 128, 32, 100}, true);
    rows(threads, {16, 16, 1, 100}, false);
    rows(threads, {16, 16, 32, 100}, false);
    rows(threads, {16, 16, 256, 100}, false);
    rows(threads, {16, 8, 256, 100}, false);
    rows(threads, {64, 64, 1, 100}, false);
  });
}
