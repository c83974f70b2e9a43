#include "cpu/crosschannel.hpp"
#include "cpu/normalization.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "nn/data_format.hpp"
#include "ops/along.hpp"
#include "ops/reduction.hpp"

#include <dlarray/nn/normalization.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/reduction.hpp>

#include <algorithm>
#include <cstring>
#include <limits>

namespace dl {

namespace {

using cpu::Normalization;
using engine::Backward;
using engine::Inputs;
using engine::Result;

// ---- the definition, in operations -------------------------------------------------------------------------------------

Shape plain(std::initializer_list<Index> sizes) {
  Shape shape{Size(sizes), {}};
  dropTrailing(shape);
  return shape;
}

// The array as its statistics see it, and as its channels do; both without labels.
DlArray grouped(const Operand& x, const Normalization& how) {
  return engine::reshapeTo(x, plain({how.inner, how.kept, how.outer}));
}
DlArray byChannel(const Operand& x, const Normalization& how) {
  return engine::reshapeTo(x, plain({how.run, how.channels, numel(x) / (how.run * how.channels)}));
}
// A column with a number for each channel as a row, that expands against the above.
DlArray row(const DlArray& column) { return engine::reshapeTo(column, plain({1, numel(column)})); }

struct Standardised {
  DlArray values, factor;  // (x - mean) factor, grouped
};
Standardised standardised(const DlArray& x, const Normalization& how) {
  const DlArray groups = grouped(x, how), deviations = groups - mean(groups, {0, 2});
  DlArray factor = numberLike(x, 1) / sqrt(mean(deviations % deviations, {0, 2}) + numberLike(x, how.epsilon));
  return {deviations % factor, factor};
}

// ---- fused -------------------------------------------------------------------------------------------------------------

// The result for x, offset, scale (columns of all channels) and an array of two columns, which the kernel fills with the mean and
// variance of each middle position: a second result that the gradient and the caller need, and that is not worth reading x once
// more.
struct Normalize {
  static constexpr const char* name = "normalize";
  static constexpr unsigned kept = 0b1101;
  Normalization how;

  Result infer(const Inputs& in) const { return {Storage::shape(in[0]), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const auto as = [&](auto zero) {
      using T = decltype(zero);
      T* statistics = Storage::mutableData<T>(in[3]);
      cpu::normalize(how, Storage::data<T>(in[0]), Storage::data<T>(in[1]), Storage::data<T>(in[2]), statistics,
                     statistics + how.kept, Storage::mutableData<T>(y));
    };
    withElementType(Storage::of(y).type, as);
  }
  void gradient(Backward& b) const { b.recorded() ? inOperations(b) : fused(b); }

 private:
  // Differentiable itself.
  void inOperations(Backward& b) const {
    const DlArray &x = b.input(0), &g = b.gradient();
    const auto [values, factor] = standardised(x, how);
    const Shape column = plain({how.channels, 1});
    if (b.needs(0)) {
      const DlArray scaled = grouped(byChannel(g, how) % row(b.input(2)), how);
      const DlArray along = values % mean(scaled % values, {0, 2});
      b.add(0, engine::reshapeTo(factor % (scaled - mean(scaled, {0, 2}) - along), b.shape(0)));
    }
    if (b.needs(1)) b.add(1, engine::reshapeTo(sum(byChannel(g, how), {0, 2}), column));
    if (b.needs(2)) b.add(2, engine::reshapeTo(sum(byChannel(g, how) % byChannel(values, how), {0, 2}), column));
  }
  void fused(Backward& b) const {
    const DlArray &x = b.input(0), &g = b.gradient();
    const Type type = Storage::of(x).type;
    DlArray dx = b.needs(0) ? Storage::make(Storage::shape(x), type) : DlArray();
    DlArray dOffset = Storage::make(plain({how.channels, 1}), type), dScale = Storage::make(plain({how.channels, 1}), type);
    const auto as = [&](auto zero) {
      using T = decltype(zero);
      const T* statistics = Storage::data<T>(b.input(3));
      cpu::normalizeGradient(how, Storage::data<T>(g), Storage::data<T>(x), Storage::data<T>(b.input(2)), statistics,
                             statistics + how.kept, b.needs(0) ? Storage::mutableData<T>(dx) : nullptr,
                             Storage::mutableData<T>(dOffset), Storage::mutableData<T>(dScale));
    };
    withElementType(type, as);
    if (b.needs(0)) b.add(0, std::move(dx));
    if (b.needs(1)) b.add(1, std::move(dOffset));
    if (b.needs(2)) b.add(2, std::move(dScale));
  }
};

// (x - mean) factor + offset with columns of numbers for each channel.
struct ScaleChannels {
  static constexpr const char* name = "scaleChannels";
  static constexpr unsigned kept = 0b0111;
  Index inner, channels;

  Result infer(const Inputs& in) const { return {Storage::shape(in[0]), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const auto as = [&](auto zero) {
      using T = decltype(zero);
      cpu::scaleChannels(inner, channels, numel(y) / (inner * channels), Storage::data<T>(in[0]), Storage::data<T>(in[1]),
                         Storage::data<T>(in[2]), Storage::data<T>(in[3]), Storage::mutableData<T>(y));
    };
    withElementType(Storage::of(y).type, as);
  }
  void gradient(Backward& b) const {
    const Shape view = plain({inner, channels, numel(b.gradient()) / (inner * channels)}), column = plain({channels, 1});
    const DlArray &mean = b.input(1), &factor = b.input(2);
    const int last = b.inputs() - 1;
    const bool columns = b.needs(1) || b.needs(2) || b.needs(last);
    if (columns && !b.recorded()) return fused(b);
    if (b.needs(0)) {
      const DlArray zero = engine::filled(column, Storage::of(factor).type);
      const Operand g(b.gradient()), none(zero), by(factor);
      const Operand* operands[] = {&g, &none, &by, &none};
      b.add(0, engine::apply(*this, Inputs(operands, 4)));
    }
    if (!columns) return;
    const auto summed = [&](const DlArray& x) { return engine::reshapeTo(sum(engine::reshapeTo(x, view), {0, 2}), column); };
    const DlArray sums = summed(b.gradient());
    if (b.needs(1)) b.add(1, -(factor % sums));
    if (b.needs(2)) b.add(2, summed(b.gradient() % b.input(0)) - mean % sums);
    if (b.needs(last)) b.add(last, sums);
  }

 private:
  // In one pass over data and gradient.
  void fused(Backward& b) const {
    const DlArray &g = b.gradient(), &x = b.input(0), &mean = b.input(1), &factor = b.input(2);
    const Type type = Storage::of(x).type;
    const Shape column = plain({channels, 1});
    DlArray dx = b.needs(0) ? Storage::make(Storage::shape(x), type) : DlArray();
    DlArray sums = Storage::make(column, type), products = Storage::make(column, type);
    const auto as = [&](auto zero) {
      using T = decltype(zero);
      cpu::scaleChannelsGradient(inner, channels, numel(x) / (inner * channels), Storage::data<T>(g), Storage::data<T>(x),
                                 Storage::data<T>(mean), Storage::data<T>(factor),
                                 b.needs(0) ? Storage::mutableData<T>(dx) : nullptr, Storage::mutableData<T>(sums),
                                 Storage::mutableData<T>(products));
    };
    withElementType(type, as);
    if (b.needs(0)) b.add(0, std::move(dx));
    if (b.needs(1)) b.add(1, -(factor % sums));
    if (b.needs(2)) b.add(2, std::move(products));
    if (const int last = b.inputs() - 1; b.needs(last)) b.add(last, std::move(sums));
  }
};

// The mean or the variance of each middle position, found before, as a column; its derivative is that of the sums it stands for.
template <bool isMean>
struct Statistic {
  static constexpr const char* name = isMean ? "batchMean" : "batchVariance";
  static constexpr unsigned kept = isMean ? 0U : 1U;
  Normalization how;

  DlArray evaluate(const Inputs& in) const {
    DlArray y = Storage::make(plain({how.kept, 1}), Storage::of(in[0]).type);
    const std::size_t bytes = static_cast<std::size_t>(how.kept) * bytesOf(Storage::of(y).type);
    if (bytes > 0) std::memcpy(Storage::mutableData<void>(y), Storage::data<std::byte>(in[1]) + (isMean ? 0 : bytes), bytes);
    return y;
  }
  void gradient(Backward& b) const {
    const DlArray& g = b.gradient();
    const DlArray each = row(g) % numberLike(g, 1 / static_cast<double>(how.inner * how.outer));
    const Shape view = plain({how.inner, how.kept, how.outer});
    if constexpr (isMean) {
      b.add(0, engine::reshapeTo(engine::expandTo(each, view), b.shape(0)));
    } else {
      const DlArray x = engine::reshapeTo(b.input(0), view);
      b.add(0, engine::reshapeTo((x - mean(x, {0, 2})) % each % numberLike(g, 2), b.shape(0)));
    }
  }
};

// x / base ^ beta, with a base from the squares of the channels around.
struct CrossChannelNormalize {
  static constexpr const char* name = "crosschannelnorm";
  static constexpr unsigned kept = 1;
  cpu::CrossChannel how;

  Result infer(const Inputs& in) const { return {Storage::shape(in[0]), Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    if (Storage::of(y).type == Type::Single)
      cpu::crossChannel(how, Storage::data<float>(in[0]), Storage::mutableData<float>(y));
    else
      cpu::crossChannel(how, Storage::data<double>(in[0]), Storage::mutableData<double>(y));
  }
  void gradient(Backward& b) const {
    const DlArray &x = b.input(0), &g = b.gradient();
    if (b.recorded()) return b.add(0, inOperations(x, g));
    const Type type = Storage::of(x).type;
    DlArray dx = Storage::make(Storage::shape(x), type);
    const auto as = [&](auto zero) {
      using T = decltype(zero);
      cpu::crossChannelGradient(how, Storage::data<T>(g), Storage::data<T>(x), Storage::mutableData<T>(dx));
    };
    withElementType(type, as);
    b.add(0, std::move(dx));
  }

 private:
  // Differentiable itself.
  DlArray inOperations(const DlArray& x, const DlArray& g) const {
    const DlArray base = around(x % x, how.before, how.behind) % numberLike(x, how.factor) + numberLike(x, how.k);
    const DlArray scaled = g / power(base, numberLike(x, how.beta));
    return scaled - x % around(scaled % x / base, how.behind, how.before) % numberLike(x, 2 * how.beta * how.factor);
  }
  // The sums over the channels from `before` before each to `behind` behind it.
  DlArray around(const DlArray& x, Index before, Index behind) const {
    const Lanes along{how.inner, how.channels, how.outer};
    DlArray sums = x;
    for (Index step = 1; step <= before; ++step) sums = std::move(sums) + shiftAlong(x, along, static_cast<int>(step), 0);
    for (Index step = 1; step <= behind; ++step) sums = std::move(sums) + shiftAlong(x, along, -static_cast<int>(step), 0);
    return sums;
  }
};

// ---- what the functions share ------------------------------------------------------------------------------------------

Type floating(Type a, Type b) { return engine::numberType(engine::promote(a, b)); }

// The arguments of one call, checked: the data in stored order, columns with a number for each channel, one type for all.
class Arguments {
 public:
  Arguments(const Operand& x, std::string_view dataFormat, double epsilon, const char* function)
      : data_(x, dataFormat, function), function_(function), where_(x.where()), type_(Storage::of(x).type) {
    const std::uint32_t set = dimensionsWith(shape(), "C");
    if (set == 0) fail(where_, "dlarray:channels", "{}: {} has no channel dimension, C", function, toString(shape()));
    if (!(epsilon > 0)) fail(where_, "dlarray:epsilon", "{}: epsilon is {}; it must be positive", function, epsilon);
    channels_ = sizeOf(shape(), set);
    run_ = sizeOf(shape(), dimensionsWith(shape(), "S"));
  }

  const Shape& shape() const { return data_.shape(); }
  Index channels() const { return channels_; }
  Index run() const { return run_; }

  /// A column with a number for each channel.
  DlArray column(const Operand& values, const char* what) {
    const DlArray along = alongChannels(values, shape(), function_, what);
    type_ = floating(type_, Storage::of(along).type);
    const Shape one = plain({channels_, 1});
    return numel(along) == 1 ? engine::expandTo(engine::reshapeTo(along, plain({1, 1})), one) : engine::reshapeTo(along, one);
  }
  /// An array in the type to compute in; to be called when all columns are known.
  DlArray typed(const DlArray& x) const { return engine::castTo(x, floating(type_, type_)); }
  DlArray data() const { return typed(data_.array()); }
  DlArray result(DlArray y) const { return data_.result(std::move(y)); }
  const std::source_location& where() const { return where_; }

 private:
  LabelledData data_;
  const char* function_;
  std::source_location where_;
  Type type_;
  Index channels_ = 0, run_ = 0;
};

struct Normalized {
  DlArray values, statistics;
};

Normalized normalized(const DlArray& x, const DlArray& offset, const DlArray& scale, const Normalization& how) {
  if (numel(x) == 0) return {x, DlArray()};
  const DlArray statistics = Storage::make(plain({how.kept, 2}), Storage::of(x).type);
  const Operand a(x), b(offset), c(scale), d(statistics);
  const Operand* operands[] = {&a, &b, &c, &d};
  DlArray y = engine::apply(Normalize{how}, Inputs(operands, 4));
  return {std::move(y), statistics};
}

// Everything that is normalised together lies around the dimension of groups: groups of channels, of each observation.
Normalization byGroups(const Arguments& in, Index groups, double epsilon) {
  const Index observations = sizeOf(in.shape(), dimensionsWith(in.shape(), "B"));
  const Index inner = groups == 0 ? 0 : in.run() * in.channels() / groups;
  return {inner, groups * observations, sizeOf(in.shape(), dimensionsWith(in.shape(), "TU")), in.run(), in.channels(), epsilon};
}

Normalization byChannels(const Arguments& in, double epsilon) {
  return {in.run(), in.channels(), sizeOf(in.shape(), dimensionsWith(in.shape(), "BTU")), in.run(), in.channels(), epsilon};
}

DlArray simple(Arguments& in, const Operand& offset, const Operand& scale, const Normalization& how) {
  const DlArray o = in.column(offset, "the offset"), s = in.column(scale, "the scale");
  return in.result(normalized(in.data(), in.typed(o), in.typed(s), how).values);
}

struct Batch {
  DlArray values, mean, variance;
};

Batch batch(Arguments& in, const DlArray& offset, const DlArray& scale, double epsilon) {
  const Normalization how = byChannels(in, epsilon);
  const DlArray x = in.data();
  const auto [values, statistics] = normalized(x, in.typed(offset), in.typed(scale), how);
  if (numel(x) == 0) {  // no kernel ran
    const DlArray none = engine::filled(plain({how.kept, 1}), Storage::of(x).type, std::numeric_limits<double>::quiet_NaN());
    return {in.result(values), none, none};
  }
  return {in.result(values), engine::apply(Statistic<true>{how}, x, statistics),
          engine::apply(Statistic<false>{how}, x, statistics)};
}

void checkDecay(double decay, const char* what, const std::source_location& where) {
  if (!(decay >= 0 && decay <= 1))
    fail(where, "batchnorm:decay", "batchnorm: {} is {}; it must lie between 0 and 1", what, decay);
}

// C alone, with spatial dimensions before it: what is normalised together lies apart.
DlArray layernormByChannel(Arguments& in, const Operand& offset, const Operand& scale, double epsilon) {
  const DlArray o = in.column(offset, "the offset"), s = in.column(scale, "the scale"), x = in.data();
  if (numel(x) == 0) return in.result(x);
  const DlArray deviations = x - mean(x, "C");
  const DlArray values = deviations / sqrt(mean(deviations % deviations, "C") + numberLike(x, epsilon));
  const Normalization how{0, 0, 0, in.run(), in.channels(), epsilon};
  return in.result(engine::reshapeTo(byChannel(values, how) % row(in.typed(s)) + row(in.typed(o)), Storage::shape(x)));
}

}  // namespace

DlArray batchnorm(Operand x, Operand offset, Operand scale, const BatchnormOptions& options) {
  Arguments in(x, options.dataFormat, options.epsilon, "batchnorm");
  return simple(in, offset, scale, byChannels(in, options.epsilon));
}

DlArray batchnorm(Operand x, Operand offset, Operand scale, Operand mu, Operand sigmaSq, const BatchnormOptions& options) {
  Arguments in(x, options.dataFormat, options.epsilon, "batchnorm");
  const DlArray o = in.column(offset, "the offset"), s = in.column(scale, "the scale"), m = in.column(mu, "the mean"),
                v = in.column(sigmaSq, "the variance");
  const DlArray variance = in.typed(v);
  const DlArray factor = in.typed(s) / sqrt(variance + numberLike(variance, options.epsilon));
  const DlArray data = in.data(), typedMean = in.typed(m), typedOffset = in.typed(o);
  if (numel(data) == 0) return in.result(data);
  const Operand a(data), b(typedMean), c(factor), d(typedOffset);
  const Operand* operands[] = {&a, &b, &c, &d};
  return in.result(engine::apply(ScaleChannels{in.run(), in.channels()}, Inputs(operands, 4)));
}

template <int n>
std::tuple<DlArray, DlArray, DlArray> detail::batchnormStatistics(const Operand& x, const Operand& offset, const Operand& scale,
                                                                  const BatchnormOptions& options) {
  Arguments in(x, options.dataFormat, options.epsilon, "batchnorm");
  const DlArray o = in.column(offset, "the offset"), s = in.column(scale, "the scale");
  Batch y = batch(in, o, s, options.epsilon);
  return {std::move(y.values), std::move(y.mean), std::move(y.variance)};
}
template std::tuple<DlArray, DlArray, DlArray> detail::batchnormStatistics<3>(const Operand& x, const Operand& offset,
                                                                              const Operand& scale,
                                                                              const BatchnormOptions& options);

template <int n>
std::tuple<DlArray, DlArray, DlArray> detail::batchnormTraining(const Operand& x, const Operand& offset, const Operand& scale,
                                                                const Operand& mu, const Operand& sigmaSq,
                                                                const BatchnormOptions& options) {
  checkDecay(options.meanDecay, "the decay of the mean", x.where());
  checkDecay(options.varianceDecay, "the decay of the variance", x.where());
  Arguments in(x, options.dataFormat, options.epsilon, "batchnorm");
  const Shape meanShape = Storage::shape(mu), varianceShape = Storage::shape(sigmaSq);  // before temporaries give up theirs
  const DlArray o = in.column(offset, "the offset"), s = in.column(scale, "the scale"), m = in.column(mu, "the mean"),
                v = in.column(sigmaSq, "the variance");
  Batch y = batch(in, o, s, options.epsilon);
  const auto moved = [&](const DlArray& before, const Shape& shape, const DlArray& now, double decay) {
    const DlArray running = in.typed(before);
    DlArray after = now % numberLike(now, decay) + running % numberLike(running, 1 - decay);
    return numel(shape.size) == numel(after) ? engine::reshapeTo(after, shape) : after;
  };
  return {std::move(y.values), moved(m, meanShape, y.mean, options.meanDecay),
          moved(v, varianceShape, y.variance, options.varianceDecay)};
}
template std::tuple<DlArray, DlArray, DlArray> detail::batchnormTraining<3>(const Operand& x, const Operand& offset,
                                                                            const Operand& scale, const Operand& mu,
                                                                            const Operand& sigmaSq,
                                                                            const BatchnormOptions& options);

DlArray layernorm(Operand x, Operand offset, Operand scale, const LayernormOptions& options) {
  Arguments in(x, options.dataFormat, options.epsilon, "layernorm");
  Normalization how = byGroups(in, 1, options.epsilon);
  if (options.operationDimension != "batch-excluded") {
    if (options.operationDimension != "spatial-channel" && options.operationDimension != "channel-only")
      fail(x.where(), "layernorm:operationDimension",
           "layernorm: .operationDimension is \"{}\", not \"batch-excluded\", \"spatial-channel\" or \"channel-only\"",
           options.operationDimension);
    if (options.operationDimension == "channel-only" && in.run() != 1)
      return layernormByChannel(in, offset, scale, options.epsilon);
    how.kept *= how.outer;
    how.outer = 1;
  }
  return simple(in, offset, scale, how);
}

DlArray groupnorm(Operand x, const GroupCount& groups, Operand offset, Operand scale, const GroupnormOptions& options) {
  Arguments in(x, options.dataFormat, options.epsilon, "groupnorm");
  Index count = groups.count();
  if (groups.word() == "channel-wise")
    count = in.channels();
  else if (!groups.word().empty() && groups.word() != "all-channels")
    fail(x.where(), "groupnorm:groups", "groupnorm: the groups are \"{}\", not a number, \"all-channels\" or \"channel-wise\"",
         groups.word());
  else if (count < 1 || in.channels() % count != 0)
    fail(x.where(), "groupnorm:groups",
         "groupnorm: {} groups of {} channels, {}; the number of groups must divide that of the channels", count, in.channels(),
         toString(in.shape()));
  return simple(in, offset, scale, byGroups(in, count, options.epsilon));
}

DlArray instancenorm(Operand x, Operand offset, Operand scale, const InstancenormOptions& options) {
  Arguments in(x, options.dataFormat, options.epsilon, "instancenorm");
  return simple(in, offset, scale, byGroups(in, in.channels(), options.epsilon));
}

DlArray crosschannelnorm(Operand x, Index windowSize, const CrosschannelnormOptions& options) {
  Arguments in(x, options.dataFormat, 1, "crosschannelnorm");
  if (windowSize < 1)
    fail(x.where(), "crosschannelnorm:window", "crosschannelnorm: the window has {} channels; it must have one at least",
         windowSize);
  const DlArray data = in.data();
  if (numel(data) == 0) return in.result(data);
  const Index last = in.channels() - 1;
  const cpu::CrossChannel how{in.run(),
                              in.channels(),
                              numel(data) / (in.run() * in.channels()),
                              std::min((windowSize - 1) / 2, last),
                              std::min(windowSize / 2, last),
                              options.alpha / static_cast<double>(windowSize),
                              options.beta,
                              options.k};
  return in.result(engine::apply(CrossChannelNormalize{how}, data));
}

}  // namespace dl
