#include "cpu/attention.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "nn/data_format.hpp"

#include <dlarray/nn/activation.hpp>
#include <dlarray/nn/attention.hpp>
#include <dlarray/ops/compare.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/reduction.hpp>
#include <dlarray/ops/shape.hpp>

#include <bit>
#include <cmath>

namespace dl {

AttentionMask::AttentionMask(const char* word) : word_(word) {}
AttentionMask::AttentionMask(std::string word) : word_(std::move(word)) {}
AttentionMask::AttentionMask(DlArray array) : array_(std::move(array)) {}

AttentionScale::AttentionScale(const char* word) : word_(word) {}
AttentionScale::AttentionScale(std::string word) : word_(std::move(word)) {}
bool operator==(const AttentionScale& a, const AttentionScale& b) noexcept {
  return a.number_ == b.number_ && a.word_ == b.word_;
}

namespace {

using engine::Backward;
using engine::Inputs;
using engine::Result;
using std::source_location;

// ---- the two operations: weights of keys and queries, values by weights ----------------------------------------------

Shape plainShape(const Size& size) {
  Shape shape{size, {}};
  dropTrailing(shape);
  return shape;
}

// An array as it lies for a plan, and as pages: channels of a head x tokens x heads x observations.
Shape lyingShape(const cpu::AttentionPlan& p, Index channels, Index tokens) {
  return plainShape(p.tokensFirst ? Size{tokens, channels, p.batch} : Size{channels, p.batch, tokens});
}
DlArray pages(const cpu::AttentionPlan& p, const DlArray& x, Index channels, Index tokens) {
  const Index head = channels / p.heads;
  if (p.tokensFirst) return permute(reshape(x, Size{tokens, head, p.heads, p.batch}), {1, 0, 2, 3});
  return permute(reshape(x, Size{head, p.heads, p.batch, tokens}), {0, 3, 1, 2});
}
DlArray fromPages(const cpu::AttentionPlan& p, const DlArray& x, Index channels, Index tokens) {
  return engine::reshapeTo(permute(x, p.tokensFirst ? std::vector<Index>{1, 0, 2, 3} : std::vector<Index>{0, 2, 3, 1}),
                           lyingShape(p, channels, tokens));
}

// Room for a derivative; zeros where the kernel has no query to write for.
DlArray roomFor(const cpu::AttentionPlan& p, const Shape& shape, Type type) {
  return p.queries == 0 ? engine::filled(shape, type) : Storage::make(shape, type);
}

template <class T>
T* dataOrNull(const DlArray& x) {
  return Storage::get(x) ? Storage::mutableData<T>(x) : nullptr;
}

// The derivatives by queries and keys from those by the weights, in operations.
std::pair<DlArray, DlArray> scoreAdjoint(const cpu::AttentionPlan& p, const DlArray& q, const DlArray& k, const DlArray& a,
                                         const DlArray& da) {
  const DlArray scores = p.scale * (a % (da - sum(a % da, 0)));
  const DlArray dq = pagemtimes(pages(p, k, p.channels, p.keys), scores);
  const DlArray dk = pagemtimes(pages(p, q, p.channels, p.queries), "none", scores, "transpose");
  return {fromPages(p, dq, p.channels, p.queries), fromPages(p, dk, p.channels, p.keys)};
}

// Queries, keys and, unless it is empty, a mask.
struct AttentionWeights {
  static constexpr const char* name = "attention";
  static constexpr unsigned kept = 3U | engine::keptResult;
  cpu::AttentionPlan plan;

  Result infer(const Inputs& in) const {
    return {plainShape({plan.keys, plan.queries, plan.heads, plan.batch}), Storage::of(in[0]).type};
  }
  void run(const Inputs& in, DlArray& y) const {
    const bool* mask = isempty(in[2]) ? nullptr : Storage::data<bool>(in[2]);
    withElementType(Storage::of(y).type, [&](auto zero) {
      using T = decltype(zero);
      cpu::attentionWeights(plan, Storage::data<T>(in[0]), Storage::data<T>(in[1]), mask, Storage::mutableData<T>(y));
    });
  }
  void gradient(Backward& b) const {
    if (b.recorded()) return recordedAdjoint(b);
    const DlArray& g = b.gradient();
    const auto room = [&](int i) { return b.needs(i) ? roomFor(plan, b.shape(i), Storage::of(g).type) : DlArray(); };
    DlArray dq = room(0), dk = room(1);
    withElementType(Storage::of(g).type, [&](auto zero) {
      using T = decltype(zero);
      cpu::attentionWeightsBack(plan, Storage::data<T>(b.input(0)), Storage::data<T>(b.input(1)), Storage::data<T>(b.result()),
                                Storage::data<T>(g), dataOrNull<T>(dq), dataOrNull<T>(dk));
    });
    if (b.needs(0)) b.add(0, std::move(dq));
    if (b.needs(1)) b.add(1, std::move(dk));
  }
  void recordedAdjoint(Backward& b) const {
    const auto [dq, dk] = scoreAdjoint(plan, b.input(0), b.input(1), b.result(), b.gradient());
    b.add(0, dq);
    b.add(1, dk);
  }
};

// Values and weights.
struct AttentionValues {
  static constexpr const char* name = "attention";
  cpu::AttentionPlan plan;

  static unsigned keep(unsigned traced) { return (traced & 1U) << 1 | (traced >> 1 & 1U); }
  Result infer(const Inputs& in) const { return {lyingShape(plan, plan.valueChannels, plan.queries), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    withElementType(Storage::of(y).type, [&](auto zero) {
      using T = decltype(zero);
      cpu::attentionValues(plan, Storage::data<T>(in[0]), Storage::data<T>(in[1]), Storage::mutableData<T>(y));
    });
  }
  void gradient(Backward& b) const {
    if (b.recorded()) return recordedAdjoint(b);
    const DlArray& g = b.gradient();
    const auto room = [&](int i) { return b.needs(i) ? roomFor(plan, b.shape(i), Storage::of(g).type) : DlArray(); };
    DlArray dv = room(0), dw = room(1);
    withElementType(Storage::of(g).type, [&](auto zero) {
      using T = decltype(zero);
      cpu::attentionValuesBack(plan, Storage::data<T>(b.input(0)), Storage::data<T>(b.input(1)), Storage::data<T>(g),
                               dataOrNull<T>(dv), dataOrNull<T>(dw));
    });
    if (b.needs(0)) b.add(0, std::move(dv));
    if (b.needs(1)) b.add(1, std::move(dw));
  }
  void recordedAdjoint(Backward& b) const {
    const DlArray g = pages(plan, b.gradient(), plan.valueChannels, plan.queries);
    if (b.needs(0)) b.add(0, fromPages(plan, pagemtimes(g, "none", b.input(1), "transpose"), plan.valueChannels, plan.keys));
    if (b.needs(1)) {
      const DlArray v = pages(plan, b.input(0), plan.valueChannels, plan.keys);
      b.add(1, engine::reshapeTo(pagemtimes(v, "transpose", g, "none"), b.shape(1)));
    }
  }
};

// Both in one, for those who ask for neither weights nor dropout: queries, keys, values, a mask and, in a trace, memory that it
// fills with the weights for its gradient. Outside a trace they are nowhere kept: there may be many more of them than of anything
// else.
struct Attention {
  static constexpr const char* name = "attention";
  enum { Queries, Keys, Values, Mask, Weights };
  static constexpr unsigned kept = 0x1FU;
  cpu::AttentionPlan plan;

  Result infer(const Inputs& in) const { return {lyingShape(plan, plan.valueChannels, plan.queries), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const bool* mask = isempty(in[Mask]) ? nullptr : Storage::data<bool>(in[Mask]);
    withElementType(Storage::of(y).type, [&](auto zero) {
      using T = decltype(zero);
      const auto data = [&](int i) { return Storage::data<T>(in[i]); };
      cpu::attention(plan, data(Queries), data(Keys), data(Values), mask, dataOrNull<T>(in[Weights]), Storage::mutableData<T>(y));
    });
  }
  void gradient(Backward& b) const {
    if (b.recorded()) return recordedAdjoint(b);
    const DlArray& g = b.gradient();
    DlArray room[3];
    for (int i = 0; i < 3; ++i)
      if (b.needs(i)) room[i] = roomFor(plan, b.shape(i), Storage::of(g).type);
    withElementType(Storage::of(g).type, [&](auto zero) {
      using T = decltype(zero);
      const auto data = [&](int i) { return Storage::data<T>(b.input(i)); };
      cpu::attentionBack(plan, data(Queries), data(Keys), data(Values), data(Weights), Storage::data<T>(g),
                         dataOrNull<T>(room[0]), dataOrNull<T>(room[1]), dataOrNull<T>(room[2]));
    });
    for (int i = 0; i < 3; ++i)
      if (b.needs(i)) b.add(i, std::move(room[i]));
  }
  // By way of the two operations, whose gradients are then asked for in turn.
  void recordedAdjoint(Backward& b) const {
    const DlArray a = engine::apply(AttentionWeights{plan}, b.input(Queries), b.input(Keys), b.input(Mask));
    const DlArray g = pages(plan, b.gradient(), plan.valueChannels, plan.queries),
                  v = pages(plan, b.input(Values), plan.valueChannels, plan.keys);
    if (b.needs(Values)) b.add(Values, fromPages(plan, pagemtimes(g, "none", a, "transpose"), plan.valueChannels, plan.keys));
    if (b.needs(Queries) || b.needs(Keys)) {
      const DlArray da = pagemtimes(v, "transpose", g, "none");
      const auto [dq, dk] = scoreAdjoint(plan, b.input(Queries), b.input(Keys), a, da);
      b.add(Queries, dq);
      b.add(Keys, dk);
    }
  }
};

// ---- what the caller gives -------------------------------------------------------------------------------------------

// Queries, keys or values: labelled, with one dimension of tokens.
struct Tokens {
  Shape shape;
  Index channels, batch, count;
  std::uint32_t dimension;
};

Tokens tokensOf(const DlArray& x, const char* what, const source_location& where) {
  const Shape& shape = Storage::shape(x);
  std::uint32_t set = 0;
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] == Format::S || shape.format[d] == Format::T || (shape.format[d] == Format::U && shape.size[d] != 1))
      set |= 1U << d;
  if (dimensionsWith(shape, "C") == 0 || std::popcount(set) != 1 || (set & dimensionsWith(shape, "U")) != 0)
    fail(where, "attention:labels",
         "attention: {} are {}; they must have the label C and one dimension S or T that counts the tokens", what,
         toString(shape));
  return {shape, sizeOf(shape, dimensionsWith(shape, "C")), sizeOf(shape, dimensionsWith(shape, "B")), sizeOf(shape, set), set};
}

std::string labelsOf(const DlArray& x) {
  std::string labels = dims(x);
  while (labels.ends_with('U')) labels.pop_back();
  return labels;
}

// Keys, values or a mask, which without labels are laid out as the queries.
DlArray labelledAs(const Operand& x, std::string_view labels) {
  if (Storage::shape(x).format.labelled()) return x;
  return dlarray(x, labels);
}

cpu::AttentionPlan planOf(const Tokens& q, const Tokens& k, const Tokens& v, Index heads, const source_location& where) {
  const auto sizes = [&] {
    return fmt::format("queries {}, keys {}, values {}", toString(q.shape), toString(k.shape), toString(v.shape));
  };
  if (k.channels != q.channels)
    fail(where, "attention:channels", "attention: keys must have as many channels as queries: {}", sizes());
  if (v.count != k.count) fail(where, "attention:tokens", "attention: values must have as many tokens as keys: {}", sizes());
  if (k.batch != q.batch || v.batch != q.batch)
    fail(where, "attention:batch", "attention: numbers of observations differ: {}", sizes());
  if (heads < 1 || q.channels % heads != 0 || v.channels % heads != 0)
    fail(where, "attention:heads", "attention: {} heads do not divide the channels: {}", heads, sizes());
  const bool tokensFirst = (q.dimension & dimensionsWith(q.shape, "S")) != 0;
  return {heads, q.batch, q.count, k.count, q.channels, v.channels, tokensFirst, 1, false, 1, 1};
}

// true where a key is real, keys x 1 x batch.
DlArray paddingOf(const DlArray& mask, std::string_view labels, const cpu::AttentionPlan& p, const source_location& where) {
  const DlArray labelled = labelledAs(Operand(mask, where), labels);
  const Shape& shape = Storage::shape(labelled);
  const Index batch = sizeOf(shape, dimensionsWith(shape, "B")), keys = sizeOf(shape, dimensionsWith(shape, "ST"));
  if (keys != p.keys || batch != p.batch || numel(labelled) != keys * batch)
    fail(where, "attention:paddingMask",
         "attention: .paddingMask is {}; for {} keys and {} observations it must be 1(C) x {}(B) x {}({})", describe(labelled),
         p.keys, p.batch, p.batch, p.keys, p.tokensFirst ? 'S' : 'T');
  const DlArray real = logical_(stripdims(labelled));
  return reshape(p.tokensFirst ? real : permute(reshape(real, p.batch, p.keys), {1, 0}), Size{p.keys, 1, p.batch});
}

DlArray maskOf(const DlArray& mask, const cpu::AttentionPlan& p, const source_location& where) {
  const Size& own = Storage::of(mask).size;
  const bool fits =
      (own.size() == 2 || own.size() == 3) && own[0] == p.keys && own[1] == p.queries && (own.size() == 2 || own[2] == p.batch);
  if (!fits || Storage::of(mask).format.labelled())
    fail(where, "attention:mask",
         "attention: .attentionMask is {}; it must be keys x queries, {} x {}, or {} x {} x {} with observations", describe(mask),
         p.keys, p.queries, p.keys, p.queries, p.batch);
  return logical_(Operand(mask, where));
}

// Sets what the plan says of masks; gives them in one array, or an empty one.
DlArray masks(cpu::AttentionPlan& p, const AttentionOptions& options, std::string_view labels, const source_location& where) {
  const std::string& word = options.attentionMask.word();
  if (word != "" && word != "none" && word != "causal")
    fail(where, "attention:mask", "attention: .attentionMask = \"{}\"; it is \"none\", \"causal\" or an array, keys x queries",
         word);
  p.causal = word == "causal";
  DlArray all;
  if (Storage::get(options.paddingMask)) all = paddingOf(options.paddingMask, labels, p, where);
  if (word.empty()) {
    const DlArray mask = maskOf(options.attentionMask.array(), p, where);
    all = Storage::get(all) ? all && mask : mask;
  }
  if (Storage::get(all)) {
    p.maskQueries = size(all, 1);
    p.maskBatch = size(all, 2);
  }
  return all;
}

double scaleOf(const AttentionScale& scale, const cpu::AttentionPlan& p, const source_location& where) {
  if (scale.word().empty()) return scale.number();
  if (scale.word() != "auto")
    fail(where, "attention:scale", "attention: .scale = \"{}\"; it is \"auto\" or a number", scale.word());
  return 1 / std::sqrt(static_cast<double>(p.channels / p.heads));
}

void checkDropout(double probability, const source_location& where) {
  if (!(probability >= 0 && probability < 1))
    fail(where, "attention:dropout", "attention: .dropoutProbability is {}; it must be at least 0 and less than 1", probability);
}

Type commonType(const DlArray& a, const DlArray& b, const DlArray& c) {
  return engine::numberType(engine::promote(engine::promote(Storage::of(a).type, Storage::of(b).type), Storage::of(c).type));
}

// Y, and the weights where they are asked for.
std::tuple<DlArray, DlArray> run(const Operand& queries, const Operand& keys, const Operand& values, Index numHeads,
                                 const AttentionOptions& options, bool wanted) {
  const source_location& where = queries.where();
  const LabelledData data(queries, options.dataFormat, "attention");
  const std::string labels = options.dataFormat.empty() ? labelsOf(data.array()) : std::string(options.dataFormat);
  const DlArray k = labelledAs(keys, labels), v = labelledAs(values, labels);
  const Tokens tq = tokensOf(data.array(), "the queries", where), tk = tokensOf(k, "the keys", where),
               tv = tokensOf(v, "the values", where);
  cpu::AttentionPlan plan = planOf(tq, tk, tv, numHeads, where);
  if (labelsOf(k) != labelsOf(data.array()) || labelsOf(v) != labelsOf(data.array()))
    fail(where, "attention:labels", "attention: labels differ: queries {}, keys {}, values {}", describe(data.array()),
         describe(k), describe(v));
  plan.scale = scaleOf(options.scale, plan, where);
  checkDropout(options.dropoutProbability, where);
  const DlArray mask = masks(plan, options, labels, where);

  const Type type = commonType(data.array(), k, v);
  const auto lying = [&](const DlArray& x, Index channels, Index tokens) {
    return engine::castTo(engine::reshapeTo(x, lyingShape(plan, channels, tokens)), type);
  };
  const DlArray q1 = lying(data.array(), plan.channels, plan.queries), k1 = lying(k, plan.channels, plan.keys),
                v1 = lying(v, plan.valueChannels, plan.keys);
  DlArray y, weights;
  if (wanted || options.dropoutProbability > 0) {
    weights = engine::apply(AttentionWeights{plan}, Operand(q1, where), Operand(k1, where), Operand(mask, where));
    const DlArray used = dropout(weights, options.dropoutProbability);
    y = engine::apply(AttentionValues{plan}, Operand(v1, where), Operand(used, where));
  } else {
    const bool traced = Storage::traced(q1) || Storage::traced(k1) || Storage::traced(v1);
    const DlArray room = traced ? Storage::make(plainShape({plan.keys, plan.queries, plan.heads, plan.batch}), type) : DlArray();
    y = engine::applyToList(Attention{plan}, {q1, k1, v1, mask, room}, where);
  }
  Shape shape = tq.shape;
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] == Format::C) shape.size[d] = plan.valueChannels;
  return {data.result(engine::reshapeTo(y, shape)), weights};
}

}  // namespace

DlArray attention(Operand queries, Operand keys, Operand values, Index numHeads, const AttentionOptions& options) {
  return std::get<0>(run(queries, keys, values, numHeads, options, false));
}
template <int n>
std::tuple<DlArray, DlArray> detail::attentionWithWeights(const Operand& queries, const Operand& keys, const Operand& values,
                                                          Index numHeads, const AttentionOptions& options) {
  return run(queries, keys, values, numHeads, options, true);
}
template std::tuple<DlArray, DlArray> detail::attentionWithWeights<2>(const Operand& queries, const Operand& keys,
                                                                      const Operand& values, Index numHeads,
                                                                      const AttentionOptions& options);

}  // namespace dl
