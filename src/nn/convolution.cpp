#include <dlarray/nn/convolution.hpp>

#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "nn/bias.hpp"
#include "nn/convolve.hpp"
#include "nn/data_format.hpp"

#include <dlarray/ops/shape.hpp>
#include <dlarray/subscript.hpp>

#include <algorithm>

namespace dl {

ConvolutionPaddingValue::ConvolutionPaddingValue(const char* word) : word_(word) {}
ConvolutionPaddingValue::ConvolutionPaddingValue(std::string word) : word_(std::move(word)) {}
bool operator==(const ConvolutionPaddingValue& a, const ConvolutionPaddingValue& b) noexcept {
  return a.number_ == b.number_ && a.word_ == b.word_;
}

namespace {

using cpu::ConvolutionAxis;
using Labels = std::vector<Format::Label>;

// What the two functions share: data and weights as the kernels want them, and where their dimensions came from.
class Arguments {
 public:
  Arguments(const char* function, const Operand& x, const Operand& weights, const LabelledData& data,
            std::string_view weightsFormat, bool transposed);

  const char* function;
  const std::source_location& where;
  std::string identifier(const char* mistake) const { return fmt::format("{}:{}", function, mistake); }
  DlArray x, weights;             // data [in, in, in, channels, batch], weights [filter, filter, filter, first, second, groups]
  std::vector<Index> in, filter;  // of the dimensions that the filter moves along
  Index first, second, groups, batch;  // the weights' dimensions behind the filter's

  /// The shape of a result: that of the data, but for these sizes along what the filter moves along and these channels.
  Shape resultShape(const std::vector<Index>& out, Index channels) const;
  /// A result of the kernels in the order and with the labels of the data.
  DlArray labelled(DlArray y, const Shape& shape) const;

 private:
  Labels weightLabels(std::string_view weightsFormat, bool transposed) const;
  void checkLabels(const Labels& labels) const;
  void takeWeights(const Labels& labels, bool transposed);
  void takeData();

  const Operand& given_;  // the weights
  const Shape& shape_;    // of the labelled data
  bool overTime_ = false;
};

Arguments::Arguments(const char* name, const Operand& data, const Operand& given, const LabelledData& labelledData,
                     std::string_view weightsFormat, bool transposed)
    : function(name), where(data.where()), x(labelledData.array()), given_(given), shape_(labelledData.shape()) {
  const Labels labels = weightLabels(weightsFormat, transposed);
  checkLabels(labels);
  takeWeights(labels, transposed);
  takeData();
}

// A label for each dimension of the weights, and perhaps for some of size 1 behind them.
Labels Arguments::weightLabels(std::string_view weightsFormat, bool transposed) const {
  const Shape& own = Storage::shape(given_);
  Labels labels;
  if (own.format.labelled()) {
    if (!weightsFormat.empty())
      fail(where, identifier("weightsFormat"), "{}: the weights {} have labels already; leave .weightsFormat = \"{}\" out",
           function, describe(given_), weightsFormat);
    for (std::size_t d = 0; d < own.size.size(); ++d) labels.push_back(own.format[d]);
  } else if (!weightsFormat.empty()) {
    labels = parseFormat(weightsFormat, function, where);
  } else {
    labels.assign(finddim(x, 'S').size(), Format::S);
    for (const Format::Label label :
         transposed ? Labels{Format::U, Format::C, Format::U} : Labels{Format::C, Format::U, Format::U})
      labels.push_back(label);
  }
  while (labels.size() < own.size.size() && own.size[labels.size()] == 1) labels.push_back(Format::U);
  if (labels.size() < own.size.size())
    fail(where, identifier("weights"), "{}: the weights are {}, which is more dimensions than {}", function, describe(given_),
         weightsFormat.empty() ? fmt::format("the {} of filter sizes, channels, filters and groups", labels.size())
                               : fmt::format("the {} of .weightsFormat = \"{}\"", labels.size(), weightsFormat));
  return labels;
}

void Arguments::checkLabels(const Labels& labels) const {
  const auto count = [&](Format::Label label) { return std::count(labels.begin(), labels.end(), label); };
  std::string letters;
  for (const Format::Label label : labels) letters += Format::letter(label);
  const auto spatial = static_cast<std::ptrdiff_t>(finddim(x, 'S').size());
  const bool time = count(Format::T) > 0;
  if (finddim(x, 'C').empty() || !finddim(x, 'U').empty())
    fail(where, identifier("data"), "{}: the data is {}; it must have C for its channels, and none but S, C, B and T", function,
         describe(x));
  if (count(Format::C) != 1 || count(Format::B) != 0)
    fail(where, identifier("weights"),
         "{}: the weights {} are taken as {}; they need S or T for the filter, C for the channels, U for filters and groups",
         function, describe(given_), letters);
  if (time && finddim(x, 'T').empty())
    fail(where, identifier("weights"), "{}: the weights {} move along T, which the data, {}, does not have", function,
         describe(given_), describe(x));
  if (spatial == 0 && !time)
    fail(where, identifier("data"),
         "{}: {} has no spatial dimension to move along; to move along T, label the weights or say .weightsFormat = \"TCU\"",
         function, describe(x));
  if (count(Format::S) != spatial)
    fail(where, identifier("weights"), "{}: the weights {} have {} spatial dimension{} but the data has {}: {}", function,
         describe(given_), count(Format::S), count(Format::S) == 1 ? "" : "s", spatial, describe(x));
  if (spatial + time > 3)
    fail(where, identifier("data"), "{}: filters move along at most three dimensions; the data is {}", function, describe(x));
}

void Arguments::takeWeights(const Labels& labels, bool transposed) {
  const Shape& own = Storage::shape(given_);
  const auto sizeAt = [&](std::size_t d) { return d < own.size.size() ? own.size[d] : Index{1}; };
  std::vector<std::size_t> place[6];  // where each label stands
  for (std::size_t d = 0; d < labels.size(); ++d) place[labels[d]].push_back(d);
  const auto& unnamed = place[Format::U];
  Index more = 1;
  for (std::size_t i = 2; i < unnamed.size(); ++i) more *= sizeAt(unnamed[i]);
  if (more != 1)
    fail(where, identifier("weights"), "{}: the weights are {}; behind the filter's sizes they have channels, filters and groups",
         function, describe(given_));
  std::vector<std::size_t> order = place[Format::S];
  order.insert(order.end(), place[Format::T].begin(), place[Format::T].end());
  for (const std::size_t d : order) filter.push_back(sizeAt(d));
  const Index channels = sizeAt(place[Format::C][0]), filters = unnamed.empty() ? 1 : sizeAt(unnamed[0]);
  if (transposed && !unnamed.empty()) order.push_back(unnamed[0]);
  order.push_back(place[Format::C][0]);
  for (std::size_t i = transposed; i < unnamed.size(); ++i) order.push_back(unnamed[i]);
  first = transposed ? filters : channels;
  second = transposed ? channels : filters;
  groups = unnamed.size() > 1 ? sizeAt(unnamed[1]) : 1;
  overTime_ = !place[Format::T].empty();

  DlArray plain = stripdims(Operand(given_.get(), where));
  std::vector<Index> moved;
  for (const std::size_t d : order)
    if (d < own.size.size()) moved.push_back(static_cast<Index>(d));
  if (!std::is_sorted(moved.begin(), moved.end())) plain = permute(std::move(plain), moved);
  Shape shape;
  for (std::size_t d = 0; d < 3; ++d) shape.size.push_back(d < filter.size() ? filter[d] : 1);
  for (const Index n : {first, second, groups}) shape.size.push_back(n);
  dropTrailing(shape);
  weights = engine::reshapeTo(Operand(std::move(plain), where), shape);
}

void Arguments::takeData() {
  std::vector<Index> order = finddim(x, 'S');
  if (overTime_) order.push_back(finddim(x, 'T')[0]);
  Shape shape;
  for (const Index d : order)
    shape.size.push_back(shape_.size[static_cast<std::size_t>(d)]), in.push_back(shape.size[shape.size.size() - 1]);
  shape.size.resize(3);
  const Index channels = size(x, "C");
  batch = 1;
  for (Index d = finddim(x, 'C')[0] + 1; d < ndims(x); ++d)
    if (std::find(order.begin(), order.end(), d) == order.end()) batch *= size(x, d);
  shape.size.push_back(channels);
  shape.size.push_back(batch);
  dropTrailing(shape);
  if (overTime_) {
    for (Index d = 0; d < ndims(x); ++d)
      if (std::find(order.begin(), order.end(), d) == order.end()) order.push_back(d);
    x = permute(stripdims(Operand(std::move(x), where)), order);
  }
  x = engine::reshapeTo(Operand(std::move(x), where), shape);
  Type type = engine::promote(Storage::of(x).type, Storage::of(weights).type);
  if (type == Type::Logical) type = Type::Double;
  x = engine::castTo(Operand(std::move(x), where), type);
  weights = engine::castTo(Operand(std::move(weights), where), type);
}

Shape Arguments::resultShape(const std::vector<Index>& out, Index channels) const {
  Shape shape = shape_;
  std::size_t along = 0;
  for (std::size_t d = 0; d < shape.size.size(); ++d) {
    if (shape.format[d] == Format::S || (overTime_ && shape.format[d] == Format::T)) shape.size[d] = out[along++];
    if (shape.format[d] == Format::C) shape.size[d] = channels;
  }
  return shape;
}

DlArray Arguments::labelled(DlArray y, const Shape& shape) const {
  if (overTime_) {
    // T stands before C in y and last in the result.
    Shape stored;
    std::vector<Index> order;
    const std::size_t spatial = filter.size() - 1, count = shape.size.size();
    for (std::size_t d = 0; d < count; ++d) stored.size.push_back(shape.size[d < spatial ? d : d == spatial ? count - 1 : d - 1]);
    for (std::size_t d = 0; d < count; ++d)
      order.push_back(static_cast<Index>(d < spatial ? d : d + 1 < count ? d + 1 : spatial));
    dropTrailing(stored);
    y = permute(engine::reshapeTo(Operand(std::move(y), where), stored), order);
  }
  return engine::reshapeTo(Operand(std::move(y), where), shape);
}

// ---- windows ---------------------------------------------------------------------------------------------------------

// As many numbers as dimensions, none below `least`, and none so large that sums of positions could not be told.
void checkSizes(const Arguments& a, const WindowSizes& sizes, Index least, const char* what) {
  const std::size_t count = a.filter.size();
  if (sizes.count() != 1 && sizes.count() != count)
    fail(a.where, a.identifier("window"), "{}: {} has {} numbers; the filter moves along {} dimensions, so it takes 1 or {}",
         a.function, what, sizes.count(), count, count);
  for (std::size_t d = 0; d < sizes.count(); ++d) {
    if (sizes[d] < least)
      fail(a.where, a.identifier("window"), "{}: {} is {}; it must be at least {}", a.function, what, sizes[d], least);
    if (sizes[d] > WindowSizes::most)
      fail(a.where, a.identifier("window"), "{}: {} is {}; it must be at most {}", a.function, what, sizes[d], WindowSizes::most);
  }
}

void checkWindow(const Arguments& a, const WindowSizes& stride, const WindowSizes& dilation) {
  checkSizes(a, stride, 1, "the stride");
  checkSizes(a, dilation, 1, "the dilation factor");
  for (const Index n : a.filter)
    if (n < 1) fail(a.where, a.identifier("weights"), "{}: a filter of size {} has no elements", a.function, n);
}

Index spanOf(Index filter, Index dilation) { return (filter - 1) * dilation + 1; }

// Elements before and behind the data along each dimension.
struct Sides {
  std::vector<Index> starts, ends;
  bool any() const {
    return std::any_of(starts.begin(), starts.end(), [](Index n) { return n > 0; }) ||
           std::any_of(ends.begin(), ends.end(), [](Index n) { return n > 0; });
  }
};

Sides paddingOf(const Arguments& a, const DlconvOptions& o) {
  const std::string& word = o.padding.word();
  if (!word.empty() && word != "same" && word != "causal")
    fail(a.where, a.identifier("padding"), "{}: the padding is \"{}\", neither \"same\", \"causal\" nor numbers", a.function,
         word);
  if (word == "causal" && a.filter.size() != 1)
    fail(a.where, a.identifier("padding"), "{}: \"causal\" padding is for one dimension; the filter moves along {}", a.function,
         a.filter.size());
  if (word.empty()) checkSizes(a, o.padding.starts(), 0, "the padding"), checkSizes(a, o.padding.ends(), 0, "the padding");
  Sides sides;
  for (std::size_t d = 0; d < a.filter.size(); ++d) {
    const Index span = spanOf(a.filter[d], o.dilationFactor[d]), stride = o.stride[d], in = a.in[d];
    const Index all = std::max<Index>(0, ((in + stride - 1) / stride - 1) * stride + span - in);  // for "same"
    sides.starts.push_back(word == "same" ? all / 2 : word == "causal" ? span - 1 : o.padding.starts()[d]);
    sides.ends.push_back(word == "same" ? all - all / 2 : word == "causal" ? 0 : o.padding.ends()[d]);
  }
  return sides;
}

// The position that stands for position i before or behind n elements.
Index mirrored(Index i, Index n, bool includeEdge) {
  if (n == 1) return 0;
  const Index period = includeEdge ? 2 * n : 2 * n - 2, at = (i % period + period) % period;
  return at < n ? at : period - (includeEdge ? 1 : 0) - at;
}

void checkPaddingValue(const Arguments& a, const std::string& word) {
  if (!word.empty() && word != "symmetric-include-edge" && word != "symmetric-exclude-edge" && word != "replicate")
    fail(a.where, a.identifier("paddingValue"),
         "{}: the padding value is \"{}\", neither \"symmetric-include-edge\", \"symmetric-exclude-edge\", \"replicate\" nor a "
         "number",
         a.function, word);
}

DlArray paddedWith(const Arguments& a, const Sides& sides, const ConvolutionPaddingValue& value) {
  const std::string& word = value.word();
  if (word.empty()) {
    Shape shape = Storage::shape(a.x);
    while (shape.size.size() < a.in.size()) shape.size.push_back(1);  // a plane of one channel has lost its last sizes
    for (std::size_t d = 0; d < a.in.size(); ++d) shape.size[d] += sides.starts[d] + sides.ends[d];
    DlArray y = engine::filled(shape, Storage::of(a.x).type, value.number());
    const auto inside = [&](std::size_t d) -> Subscript {
      if (d >= a.in.size()) return all;
      return span(sides.starts[d], sides.starts[d] + a.in[d] - 1);
    };
    y(inside(0), inside(1), inside(2), all, all) = a.x;
    return y;
  }
  DlArray y = a.x;
  for (std::size_t d = 0; d < a.in.size(); ++d) {
    std::vector<Index> from;
    for (Index i = -sides.starts[d]; i < a.in[d] + sides.ends[d]; ++i)
      from.push_back(word == "replicate" ? std::clamp<Index>(i, 0, a.in[d] - 1)
                                         : mirrored(i, a.in[d], word == "symmetric-include-edge"));
    const auto at = [&](std::size_t axis) { return axis == d ? Subscript(from) : Subscript(all); };
    y = std::as_const(y)(at(0), at(1), at(2), all, all);
  }
  return y;
}

}  // namespace

DlArray dlconv(Operand x, Operand weights, Operand bias, const DlconvOptions& o) {
  const LabelledData data(x, o.dataFormat, "dlconv");
  Arguments a("dlconv", x, weights, data, o.weightsFormat, false);
  checkWindow(a, o.stride, o.dilationFactor);
  checkPaddingValue(a, o.paddingValue.word());
  const Sides sides = paddingOf(a, o);
  const Index channels = size(data.array(), "C");
  if (channels != a.first * a.groups)
    fail(a.where, a.identifier("channels"), "dlconv: the weights {} are for {} channels{} but the data has {}: {}",
         describe(weights), a.first * a.groups, a.groups > 1 ? fmt::format(" ({} groups of {})", a.groups, a.first) : "",
         channels, describe(data.array()));
  cpu::Convolution p;
  p.channels = a.first, p.filters = a.second, p.groups = a.groups, p.batch = a.batch;
  std::vector<Index> out;
  for (std::size_t d = 0; d < a.in.size(); ++d) {
    const Index span = spanOf(a.filter[d], o.dilationFactor[d]), padded = a.in[d] + sides.starts[d] + sides.ends[d];
    if (a.in[d] == 0)
      fail(a.where, a.identifier("size"), "dlconv: {} has no elements along dimension {}, which the filter moves along",
           describe(data.array()), d);
    if (padded < span)
      fail(a.where, a.identifier("size"),
           "dlconv: along dimension {} of {} the filter spans {} elements but data and padding have {}", d,
           describe(data.array()), span, padded);
    out.push_back((padded - span) / o.stride[d] + 1);
    p.axis[d] = {a.in[d], a.filter[d], out[d], o.stride[d], o.dilationFactor[d], sides.starts[d]};
  }
  const Shape shape = a.resultShape(out, p.filters * p.groups);
  const DlArray b = biasAlong(bias, shape, a.function);
  if (sides.any() && (!o.paddingValue.word().empty() || o.paddingValue.number() != 0)) {
    a.x = paddedWith(a, sides, o.paddingValue);
    for (std::size_t d = 0; d < a.in.size(); ++d) p.axis[d].in += sides.starts[d] + sides.ends[d], p.axis[d].start = 0;
  }
  const Index filters = p.filters * p.groups;
  const bool joined = Storage::get(b) && numel(b) == filters && Storage::of(b).type == Storage::of(a.x).type && numel(a.x) > 0 &&
                      numel(a.weights) > 0;
  const Operand in(std::move(a.x), a.where), by(a.weights, a.where);
  if (joined) return data.result(a.labelled(convolved(p, in, by, engine::reshapeTo(b, {Size{1, 1, 1, filters}, {}})), shape));
  return data.result(withBias(a.labelled(convolved(p, in, by), shape), b, a.where));
}

DlArray dltranspconv(Operand x, Operand weights, Operand bias, const DltranspconvOptions& o) {
  const LabelledData data(x, o.dataFormat, "dltranspconv");
  Arguments a("dltranspconv", x, weights, data, o.weightsFormat, true);
  checkWindow(a, o.stride, o.dilationFactor);
  const std::string& word = o.cropping.word();
  if (!word.empty() && word != "same")
    fail(a.where, a.identifier("cropping"), "dltranspconv: the cropping is \"{}\", neither \"same\" nor numbers", word);
  if (word.empty()) checkSizes(a, o.cropping.starts(), 0, "the cropping"), checkSizes(a, o.cropping.ends(), 0, "the cropping");
  const Index channels = size(data.array(), "C");
  if (channels != a.second * a.groups)
    fail(a.where, a.identifier("channels"),
         "dltranspconv: the weights {} are for {} channels but the data has {}: {}; filters come before channels here",
         describe(weights), a.second * a.groups, channels, describe(data.array()));
  cpu::Convolution p;
  p.channels = a.first, p.filters = a.second, p.groups = a.groups, p.batch = a.batch;
  std::vector<Index> out;
  for (std::size_t d = 0; d < a.in.size(); ++d) {
    const Index span = spanOf(a.filter[d], o.dilationFactor[d]), stride = o.stride[d],
                full = a.in[d] == 0 ? 0 : (a.in[d] - 1) * stride + span;
    const bool same = word == "same";
    const Index start = same ? std::max<Index>(0, span - stride) / 2 : o.cropping.starts()[d];
    out.push_back(same ? a.in[d] * stride : full - start - o.cropping.ends()[d]);
    if (out[d] < 1)
      fail(a.where, a.identifier("size"), "dltranspconv: along dimension {} of {} nothing is left of {} elements after cropping",
           d, describe(data.array()), full);
    p.axis[d] = {out[d], a.filter[d], a.in[d], stride, o.dilationFactor[d], start};
  }
  const Shape shape = a.resultShape(out, p.channels * p.groups);
  const DlArray b = biasAlong(bias, shape, a.function);
  DlArray y = spread(p, Operand(std::move(a.x), a.where), Operand(a.weights, a.where));
  return data.result(withBias(a.labelled(std::move(y), shape), b, a.where));
}

}  // namespace dl
