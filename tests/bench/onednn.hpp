#pragma once
// oneDNN's own primitives as the measure of functions that computing bounds rather than memory: forward, and forward + backward,
// on memory that lies ready, so that it allocates nothing.
#include "bench.hpp"

#include <array>
#include <memory>
#if DLARRAY_HAS_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace bench {

/// One function in one or more layouts; empty where oneDNN has none, or is not installed.
struct Peer {
  std::vector<std::function<void()>> forward, both;
};

/// The fastest of some candidates' times; 0 when there is none.
inline double fastest(const std::vector<Candidate>& candidates, const std::string& name) {
  double best = 0;
  for (const Candidate& c : candidates)
    if (c.name == name && (best == 0 || c.seconds < best)) best = c.seconds;
  return best;
}

/// ", of oneDNN 90 / 120 %": how many times as fast as the peer a function is, forward and forward + backward.
inline std::string besidePeer(double forward, double both, double peerForward, double peerBoth) {
  char text[64] = "";
  if (peerForward > 0 && peerBoth > 0)
    std::snprintf(text, sizeof text, "  of oneDNN %.0f / %.0f %%", 100 * peerForward / forward, 100 * peerBoth / both);
  else if (peerForward > 0)
    std::snprintf(text, sizeof text, "  of oneDNN %.0f / - %%", 100 * peerForward / forward);
  return text;
}

#if DLARRAY_HAS_ONEDNN
namespace onednn {

using namespace dnnl;
using Dims = memory::dims;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;
inline constexpr auto f32 = memory::data_type::f32;

inline engine& cpu() {
  static engine e(engine::kind::cpu, 0);
  return e;
}
inline memory make(const memory::desc& d) {
  memory m(d, cpu());
  if (d.data.data_type == dnnl_f32) std::fill_n(static_cast<float*>(m.get_data_handle()), d.get_size() / sizeof(float), 0.5F);
  return m;
}

/// Primitives that run one after the other, with a stream of their own.
class Steps {
 public:
  void add(primitive p, Arguments a) { list_.push_back({std::move(p), std::move(a)}); }
  /// An array in the layout `theirs`, filled from one in the layout `ours` whenever the steps run.
  memory taken(const memory::desc& ours, const memory::desc& theirs) { return taken(make(ours), theirs); }
  memory taken(const memory& m, const memory::desc& theirs) {
    if (m.get_desc() == theirs) return m;
    const memory other(theirs, cpu());
    move(m, other);
    return other;
  }
  void give(const memory& m, const memory::desc& ours) {
    if (m.get_desc() != ours) move(m, make(ours));
  }
  /// The other way round: where `theirs` is to be written, and the step that brings it to m; add(result) comes between them.
  template <class Add>
  void given(const memory& m, const memory::desc& theirs, Add&& add) {
    const bool same = m.get_desc() == theirs;
    const memory result = same ? m : memory(theirs, cpu());
    add(result);
    if (!same) move(result, m);
  }
  void operator()() {
    for (auto& [p, arguments] : list_) p.execute(stream_, arguments);
    stream_.wait();
  }

 private:
  void move(const memory& from, const memory& to) { add(reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}); }

  std::vector<std::pair<primitive, Arguments>> list_;
  stream stream_{cpu()};
};

/// Builds the steps of one layout; a layout that oneDNN does not have is left out.
template <class Build>
void addLayout(Peer& peer, Build&& build) {
  try {
    auto forward = std::make_shared<Steps>(), both = std::make_shared<Steps>();
    build(*forward, *both);
    peer.forward.emplace_back([forward] { (*forward)(); });
    peer.both.emplace_back([both] { (*both)(); });
  } catch (const dnnl::error&) {
  }
}

inline Peer elementwise(algorithm kind, memory::dim count, float alpha = 0) {
  Peer peer;
  addLayout(peer, [&](Steps& forward, Steps& both) {
    const memory::desc d(Dims{count}, f32, Tag::a);
    const eltwise_forward::primitive_desc f({prop_kind::forward_training, kind, d, alpha}, cpu());
    const memory x = make(d), y = make(d);
    forward.add(eltwise_forward(f), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
    both.add(eltwise_forward(f), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
    const eltwise_backward::primitive_desc b({kind, d, d, alpha}, cpu(), f);
    both.add(eltwise_backward(b), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, make(d)}, {DNNL_ARG_DIFF_SRC, make(d)}});
  });
  return peer;
}

/// Over the channels of arrays whose sizes are listed slowest first.
inline Peer softmax(const Dims& sizes, int axis) {
  Peer peer;
  addLayout(peer, [&](Steps& forward, Steps& both) {
    const memory::desc d(sizes, f32, sizes.size() == 2 ? Tag::ab : Tag::abcd);
    const softmax_forward::primitive_desc f({prop_kind::forward_training, d, axis}, cpu());
    const memory x = make(d), y = make(d);
    forward.add(softmax_forward(f), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
    both.add(softmax_forward(f), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
    const softmax_backward::primitive_desc b({d, d, axis}, cpu(), f);
    both.add(softmax_backward(b), {{DNNL_ARG_DST, y}, {DNNL_ARG_DIFF_DST, make(d)}, {DNNL_ARG_DIFF_SRC, make(d)}});
  });
  return peer;
}

struct Window {
  Dims size, stride, before, after;
};

/// Of images [H W C B] of ours, which are its nchw with H and W exchanged: as they lie and, with reorders, in blocks of channels.
inline Peer pooling(algorithm kind, const Dims& x, const Window& w) {
  Dims y = x;
  for (std::size_t d = 0; d < w.size.size(); ++d) y[d + 2] = (x[d + 2] + w.before[d] + w.after[d] - w.size[d]) / w.stride[d] + 1;
  Peer peer;
  for (const Tag tag : {Tag::nchw, Tag::nChw16c})
    addLayout(peer, [&](Steps& forward, Steps& both) {
      const memory::desc dx(x, f32, tag), dy(y, f32, tag), oursX(x, f32, Tag::nchw), oursY(y, f32, Tag::nchw);
      const auto build = [&](Steps& s, prop_kind prop) {
        const pooling_forward::primitive_desc f({prop, kind, dx, dy, w.stride, w.size, w.before, w.after}, cpu());
        Arguments a{{DNNL_ARG_SRC, s.taken(oursX, dx)}, {DNNL_ARG_DST, make(dy)}};
        if (prop == prop_kind::forward_training && kind == algorithm::pooling_max)
          a.insert({DNNL_ARG_WORKSPACE, make(f.workspace_desc())});
        s.add(pooling_forward(f), a);
        s.give(a.at(DNNL_ARG_DST), oursY);
        return std::pair(f, a);
      };
      build(forward, prop_kind::forward_inference);
      const auto [f, a] = build(both, prop_kind::forward_training);
      const pooling_backward::primitive_desc b({kind, dx, dy, w.stride, w.size, w.before, w.after}, cpu(), f);
      Arguments back{{DNNL_ARG_DIFF_DST, both.taken(oursY, dy)}, {DNNL_ARG_DIFF_SRC, make(dx)}};
      if (a.contains(DNNL_ARG_WORKSPACE)) back.insert({DNNL_ARG_WORKSPACE, a.at(DNNL_ARG_WORKSPACE)});
      both.add(pooling_backward(b), back);
      both.give(back.at(DNNL_ARG_DIFF_SRC), oursX);
    });
  return peer;
}

/// The sizes of images changed by a factor.
inline Peer resampling(algorithm kind, const Dims& x, float factor) {
  Dims y = x;
  for (std::size_t d = 2; d < x.size(); ++d) y[d] = static_cast<memory::dim>(static_cast<float>(x[d]) * factor);
  Peer peer;
  for (const Tag tag : {Tag::nchw, Tag::nChw16c})
    addLayout(peer, [&](Steps& forward, Steps& both) {
      const memory::desc dx(x, f32, tag), dy(y, f32, tag), oursX(x, f32, Tag::nchw), oursY(y, f32, Tag::nchw);
      const resampling_forward::primitive_desc f({prop_kind::forward_training, kind, {factor, factor}, dx, dy}, cpu());
      for (Steps* s : {&forward, &both}) {
        const memory result = make(dy);
        s->add(resampling_forward(f), {{DNNL_ARG_SRC, s->taken(oursX, dx)}, {DNNL_ARG_DST, result}});
        s->give(result, oursY);
      }
      const resampling_backward::primitive_desc b({kind, {factor, factor}, dx, dy}, cpu(), f);
      const memory gradient = make(dx);
      both.add(resampling_backward(b), {{DNNL_ARG_DIFF_DST, both.taken(oursY, dy)}, {DNNL_ARG_DIFF_SRC, gradient}});
      both.give(gradient, oursX);
    });
  return peer;
}

/// Batch normalisation of nchw or nc, with offset and scale; with `fixed`, mean and variance are given.
inline Peer batchNormalization(const Dims& x, bool fixed) {
  Peer peer;
  const Tag ours = x.size() == 2 ? Tag::nc : Tag::nchw;
  for (const Tag tag : {ours, x.size() == 2 ? Tag::undef : Tag::nChw16c}) {
    if (tag == Tag::undef) continue;
    addLayout(peer, [&](Steps& forward, Steps& both) {
      const auto flags = fixed ? normalization_flags::use_scale_shift | normalization_flags::use_global_stats
                               : normalization_flags::use_scale_shift;
      const memory::desc d(x, f32, tag), mine(x, f32, ours), channels(Dims{x[1]}, f32, Tag::a), two(Dims{2, x[1]}, f32, Tag::nc);
      const batch_normalization_forward::primitive_desc f({prop_kind::forward_training, d, 1e-5F, flags}, cpu());
      Arguments a;
      for (Steps* s : {&forward, &both}) {
        a = {{DNNL_ARG_SRC, s->taken(mine, d)},
             {DNNL_ARG_DST, make(d)},
             {DNNL_ARG_SCALE_SHIFT, make(two)},
             {DNNL_ARG_MEAN, make(channels)},
             {DNNL_ARG_VARIANCE, make(channels)}};
        s->add(batch_normalization_forward(f), a);
        s->give(a.at(DNNL_ARG_DST), mine);
      }
      const batch_normalization_backward::primitive_desc b({prop_kind::backward, d, d, 1e-5F, flags}, cpu(), f);
      const memory gradient = make(d);
      both.add(batch_normalization_backward(b), {{DNNL_ARG_SRC, a.at(DNNL_ARG_SRC)},
                                                 {DNNL_ARG_MEAN, a.at(DNNL_ARG_MEAN)},
                                                 {DNNL_ARG_VARIANCE, a.at(DNNL_ARG_VARIANCE)},
                                                 {DNNL_ARG_SCALE_SHIFT, a.at(DNNL_ARG_SCALE_SHIFT)},
                                                 {DNNL_ARG_DIFF_DST, both.taken(mine, d)},
                                                 {DNNL_ARG_DIFF_SRC, gradient},
                                                 {DNNL_ARG_DIFF_SCALE_SHIFT, make(two)}});
      both.give(gradient, mine);
    });
  }
  return peer;
}

/// Normalisation across a window of channels of nchw.
inline Peer crossChannelNormalization(const Dims& x, memory::dim window, float alpha, float beta, float k) {
  Peer peer;
  for (const Tag tag : {Tag::nchw, Tag::nChw16c})
    addLayout(peer, [&](Steps& forward, Steps& both) {
      const memory::desc d(x, f32, tag), mine(x, f32, Tag::nchw);
      const auto across = algorithm::lrn_across_channels;
      const auto build = [&](Steps& s, prop_kind prop) {
        const lrn_forward::primitive_desc f({prop, across, d, window, alpha, beta, k}, cpu());
        Arguments a{{DNNL_ARG_SRC, s.taken(mine, d)}, {DNNL_ARG_DST, make(d)}};
        if (prop == prop_kind::forward_training) a.insert({DNNL_ARG_WORKSPACE, make(f.workspace_desc())});
        s.add(lrn_forward(f), a);
        s.give(a.at(DNNL_ARG_DST), mine);
        return std::pair(f, a);
      };
      build(forward, prop_kind::forward_inference);
      const auto [f, a] = build(both, prop_kind::forward_training);
      const lrn_backward::primitive_desc b({across, d, d, window, alpha, beta, k}, cpu(), f);
      const memory gradient = make(d);
      both.add(lrn_backward(b), {{DNNL_ARG_SRC, a.at(DNNL_ARG_SRC)},
                                 {DNNL_ARG_WORKSPACE, a.at(DNNL_ARG_WORKSPACE)},
                                 {DNNL_ARG_DIFF_DST, both.taken(mine, d)},
                                 {DNNL_ARG_DIFF_SRC, gradient}});
      both.give(gradient, mine);
    });
  return peer;
}

/// Layer normalisation of each row of as many neighbouring elements.
inline Peer layerNormalization(memory::dim rows, memory::dim length) {
  Peer peer;
  addLayout(peer, [&](Steps& forward, Steps& both) {
    const auto flags = normalization_flags::use_scale_shift;
    const memory::desc d(Dims{rows, length}, f32, Tag::ab), each(Dims{rows}, f32, Tag::a), two(Dims{2, length}, f32, Tag::ab);
    const layer_normalization_forward::primitive_desc f({prop_kind::forward_training, d, each, 1e-5F, flags}, cpu());
    const Arguments a{{DNNL_ARG_SRC, make(d)},
                      {DNNL_ARG_DST, make(d)},
                      {DNNL_ARG_SCALE_SHIFT, make(two)},
                      {DNNL_ARG_MEAN, make(each)},
                      {DNNL_ARG_VARIANCE, make(each)}};
    forward.add(layer_normalization_forward(f), a);
    both.add(layer_normalization_forward(f), a);
    const layer_normalization_backward::primitive_desc b({prop_kind::backward, d, d, each, 1e-5F, flags}, cpu(), f);
    both.add(layer_normalization_backward(b), {{DNNL_ARG_SRC, a.at(DNNL_ARG_SRC)},
                                               {DNNL_ARG_MEAN, a.at(DNNL_ARG_MEAN)},
                                               {DNNL_ARG_VARIANCE, a.at(DNNL_ARG_VARIANCE)},
                                               {DNNL_ARG_SCALE_SHIFT, a.at(DNNL_ARG_SCALE_SHIFT)},
                                               {DNNL_ARG_DIFF_DST, make(d)},
                                               {DNNL_ARG_DIFF_SRC, make(d)},
                                               {DNNL_ARG_DIFF_SCALE_SHIFT, make(two)}});
  });
  return peer;
}

}  // namespace onednn
#endif

}  // namespace bench
