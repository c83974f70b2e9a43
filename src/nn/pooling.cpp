#include "cpu/pooling.hpp"
#include "cpu/unpooling.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "nn/data_format.hpp"
#include "ops/along.hpp"
#include "ops/reduction.hpp"

#include <dlarray/nn/pooling.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/reduction.hpp>
#include <dlarray/ops/shape.hpp>

#include <algorithm>

namespace dl {

PoolPaddingValue::PoolPaddingValue(const char* word) : word_(word) {}
PoolPaddingValue::PoolPaddingValue(std::string word) : word_(std::move(word)) {}
bool operator==(const PoolPaddingValue& a, const PoolPaddingValue& b) noexcept {
  return a.number_ == b.number_ && a.word_ == b.word_;
}

namespace {

using cpu::PoolAxis;
using cpu::Pooling;
using engine::Backward;
using engine::Inputs;
using engine::Result;

// ---- operations --------------------------------------------------------------------------------------------------------

Lanes whole(const Shape& shape) { return {1, numel(shape.size), 1}; }

// Where the largest elements are, as doubles.
struct MaxPositions {
  static constexpr const char* name = "maxpoolPositions";
  Pooling how;
  Shape to;

  Result infer(const Inputs&) const { return {to, Type::Double}; }
  void run(const Inputs& in, DlArray& y) const {
    withElementType(Storage::of(in[0]).type, [&](auto zero) {
      using T = decltype(zero);
      cpu::maxPoolPositions(how, Storage::data<T>(in[0]), Storage::mutableData<double>(y));
    });
  }
};

// The largest elements. A second input is no more than memory for their positions.
struct MaxPool {
  static constexpr const char* name = "maxpool";
  static constexpr unsigned kept = 1;
  Pooling how;
  Shape to;

  Result infer(const Inputs& in) const { return {to, Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    withElementType(Storage::of(y).type, [&](auto zero) {
      using T = decltype(zero);
      const T* x = Storage::data<T>(in[0]);
      if (in.count() == 1)
        cpu::maxPool(how, x, Storage::mutableData<T>(y));
      else
        cpu::maxPoolPositions(how, x, Storage::mutableData<double>(in[1]), Storage::mutableData<T>(y));
    });
  }
  void gradient(Backward& b) const {
    const DlArray& x = b.input(0);
    if (b.recorded()) {
      b.add(0, scatterAlong(b.gradient(), engine::apply(MaxPositions{how, to}, x), whole(b.shape(0)), b.shape(0)));
      return;
    }
    DlArray dx = Storage::make(b.shape(0), Storage::of(x).type);
    if (numel(dx) > 0)
      withElementType(Storage::of(dx).type, [&](auto zero) {
        using T = decltype(zero);
        cpu::maxPoolGradient(how, Storage::data<T>(x), Storage::data<T>(b.gradient()), Storage::mutableData<T>(dx));
      });
    b.add(0, std::move(dx));
  }
};

// The means of windows, or with `adjoint` the transpose of that: each is the other's derivative.
template <bool adjoint>
struct MeanPool {
  static constexpr const char* name = adjoint ? "avgpoolAdjoint" : "avgpool";
  static constexpr unsigned kept = 0;
  Pooling how;
  Shape to;

  Result infer(const Inputs& in) const { return {to, Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    withElementType(Storage::of(y).type, [&](auto zero) {
      using T = decltype(zero);
      if constexpr (adjoint)
        cpu::meanPoolAdjoint(how, Storage::data<T>(in[0]), Storage::mutableData<T>(y));
      else
        cpu::meanPool(how, Storage::data<T>(in[0]), Storage::mutableData<T>(y));
    });
  }
  void gradient(Backward& b) const { b.add(0, engine::apply(MeanPool<!adjoint>{how, b.shape(0)}, b.gradient())); }
};

// How elements of one shape may have come from the other.
cpu::Unpooling unpooling(const Shape& pooled, const Shape& whole) {
  const std::size_t dimensions = pooled.size.size();
  cpu::Unpooling how{numel(pooled.size), numel(whole.size)};
  std::size_t d = dimensions;
  for (; d > 0 && pooled.size[d - 1] == whole.size[d - 1]; --d) how.pages *= whole.size[d - 1];
  const auto half = [&](std::size_t i) { return whole.size[i] / 2 == pooled.size[i]; };
  if (d == 2 && half(0) && half(1)) how.pairs = {whole.size[0], pooled.size[0], whole.size[1], pooled.size[1]};
  return how;
}

// x at positions among zeros, of several at one position the last; or with `adjoint` the transpose of that: each is the other's
// derivative.
template <bool adjoint>
struct Unpool {
  static constexpr const char* name = adjoint ? "maxunpoolAdjoint" : "maxunpool";
  static constexpr unsigned kept = 2;
  Shape to;

  Result infer(const Inputs& in) const {
    if (!adjoint && numel(to.size) == 0 && numel(in[0]) > 0) refuse(in);
    return {to, Storage::of(in[0]).type};
  }
  void run(const Inputs& in, DlArray& y) const {
    const auto* at = Storage::data<double>(in[1]);
    withElementType(Storage::of(y).type, [&](auto zero) {
      using T = decltype(zero);
      if constexpr (adjoint) {
        cpu::unpoolAdjoint(unpooling(to, Storage::shape(in[0])), Storage::data<T>(in[0]), at, Storage::mutableData<T>(y));
      } else {
        const cpu::Unpooling how = unpooling(Storage::shape(in[0]), to);
        if (!cpu::unpool(how, Storage::data<T>(in[0]), at, Storage::mutableData<T>(y))) refuse(in);
      }
    });
  }
  void gradient(Backward& b) const {
    if (b.needs(0)) b.add(0, engine::apply(Unpool<!adjoint>{b.shape(0)}, b.gradient(), b.input(1)));
  }

 private:
  [[noreturn]] void refuse(const Inputs& in) const {
    const Index n = numel(to.size);
    const auto* at = Storage::data<double>(in[1]);
    const double* wrong = std::find_if_not(at, at + numel(in[1]), [&](double p) { return cpu::isPosition(p, n); });
    fail(in.where(), "maxunpool:positions", "maxunpool: the position {} is not a whole number from 0 to {}, the last of {}",
         *wrong, n - 1, toString(to));
  }
};

// ---- how the window moves ----------------------------------------------------------------------------------------------

// The arguments of one call.
struct Window {
  const char* function;
  const std::source_location& where;
  const PoolSize& size;
  const WindowSizes& stride;
  const Padding& padding;
};

std::uint32_t pooledDimensions(const Shape& shape, std::string_view poolFormat, const Window& w) {
  const std::uint32_t set = dimensionsWith(shape, poolFormat.empty() ? "S" : poolFormat);
  if (poolFormat.empty()) {
    if (set == 0)
      fail(w.where, "dlarray:poolFormat", "{}: {} has no spatial dimension, S; .poolFormat = \"T\" pools over time", w.function,
           toString(shape));
    return set;
  }
  std::string found;
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (set >> d & 1U) found += Format::letter(shape.format[d]);
  std::string wanted(poolFormat);
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  if (poolFormat.find_first_not_of("ST") != std::string_view::npos || found != wanted)
    fail(w.where, "dlarray:poolFormat",
         "{}: .poolFormat is \"{}\" but the data is {}; it names the dimensions S and T to pool over", w.function, poolFormat,
         toString(shape));
  return set;
}

void checkCount(const WindowSizes& sizes, std::size_t dimensions, const char* what, Index least, const Shape& shape,
                const Window& w) {
  if (sizes.count() != 1 && sizes.count() != dimensions)
    fail(w.where, "dlarray:window", "{}: the {} has {} numbers for {} dimensions of {}; give one number, or one for each",
         w.function, what, sizes.count(), dimensions, toString(shape));
  for (std::size_t d = 0; d < dimensions; ++d) {
    if (sizes[d] < least)
      fail(w.where, "dlarray:window", "{}: the {} is {} along dimension {}; it must be {} at least", w.function, what, sizes[d],
           d, least);
    if (sizes[d] > WindowSizes::most)
      fail(w.where, "dlarray:window", "{}: the {} is {} along dimension {}; it must be {} at most", w.function, what, sizes[d], d,
           WindowSizes::most);
  }
}

PoolAxis axisAlong(std::size_t d, Index in, const Shape& shape, const Window& w) {
  if (in == 0) fail(w.where, "dlarray:window", "{}: {} has nothing to pool", w.function, toString(shape));
  if (!w.size.word().empty()) return {in, 1, in, 1, 0};
  PoolAxis axis{in, 0, w.size[d], w.stride[d], 0};
  Index behind = 0;
  if (!w.padding.word().empty()) {
    axis.out = (in + axis.stride - 1) / axis.stride;
    const Index all = std::max<Index>(0, (axis.out - 1) * axis.stride + axis.window - in);
    axis.before = all / 2;
    return axis;
  }
  axis.before = w.padding.starts()[d];
  behind = w.padding.ends()[d];
  if (std::max(axis.before, behind) >= axis.window)
    fail(w.where, "dlarray:window",
         "{}: the padding of {} is not smaller than the window of {}: windows would hold nothing but padding", w.function,
         std::max(axis.before, behind), axis.window);
  const Index room = in + axis.before + behind - axis.window;
  if (room < 0)
    fail(w.where, "dlarray:window", "{}: a window of {} along a dimension of {} with {} elements of padding, {}; it must fit in",
         w.function, axis.window, in, axis.before + behind, toString(shape));
  axis.out = room / axis.stride + 1;
  return axis;
}

struct Plan {
  Pooling how;
  Shape to;
  std::uint32_t set;
};

Plan plan(const Shape& shape, std::string_view poolFormat, const Window& w) {
  const std::uint32_t set = pooledDimensions(shape, poolFormat, w);
  const auto dimensions = static_cast<std::size_t>(__builtin_popcount(set));
  if (!w.size.word().empty()) {
    if (w.size.word() != "global")
      fail(w.where, "dlarray:window", "{}: the pool size is \"{}\", neither numbers nor \"global\"", w.function, w.size.word());
    if (!(w.padding == Padding(0))) fail(w.where, "dlarray:window", "{}: a global pool takes no padding", w.function);
  } else {
    checkCount(w.size, dimensions, "pool size", 1, shape, w);
  }
  checkCount(w.stride, dimensions, "stride", 1, shape, w);
  if (w.padding.word().empty()) {
    checkCount(w.padding.starts(), dimensions, "padding", 0, shape, w);
    checkCount(w.padding.ends(), dimensions, "padding", 0, shape, w);
  } else if (w.padding.word() != "same") {
    fail(w.where, "dlarray:window", "{}: the padding is \"{}\", neither numbers nor \"same\"", w.function, w.padding.word());
  }
  Plan result{{}, shape, set};
  Pooling& how = result.how;
  Index beside = 1;  // dimensions between those that are pooled, together
  // Which of the numbers that the caller gives belongs to the next: they come in the order of the format.
  const std::size_t time = poolFormat.find('T');
  std::size_t pooled = 0;
  const auto numberFor = [&](Format::Label label) { return label == Format::T ? time : pooled >= time ? pooled + 1 : pooled; };
  for (std::size_t d = 0; d < shape.size.size(); ++d) {
    if (!(set >> d & 1U)) {
      beside *= shape.size[d];
      continue;
    }
    if (how.count + (beside != 1) >= Pooling::most)
      fail(w.where, "dlarray:window", "{}: more dimensions than a window can have", w.function);
    if (beside != 1) how.axes[how.count++] = {beside, beside, 1, 1, 0};
    beside = 1;
    how.axes[how.count] = axisAlong(numberFor(shape.format[d]), shape.size[d], shape, w);
    ++pooled;
    result.to.size[d] = how.axes[how.count++].out;
  }
  how.outer = beside;
  return result;
}

// The sizes that the caller gives in the order of the data format, in stored order.
Size stored(const Size& sizes, std::string_view dataFormat) {
  Size result;
  for (const char label : std::string_view("SCBTU"))
    for (std::size_t d = 0; d < dataFormat.size(); ++d)
      if (dataFormat[d] == label) result.push_back(d < sizes.size() ? sizes[d] : 1);
  return result;
}

}  // namespace

DlArray maxpool(Operand x, const PoolSize& poolSize, const MaxpoolOptions& options) {
  const LabelledData data(x, options.dataFormat, "maxpool");
  const Plan p = plan(data.shape(), options.poolFormat, {"maxpool", x.where(), poolSize, options.stride, options.padding});
  return data.result(engine::apply(MaxPool{p.how, p.to}, engine::numbers(data.array())));
}

template <int n>
std::tuple<DlArray, DlArray, Size> detail::maxpoolWithPositions(const Operand& x, const PoolSize& poolSize,
                                                                const MaxpoolOptions& options) {
  const LabelledData data(x, options.dataFormat, "maxpool");
  const Plan p = plan(data.shape(), options.poolFormat, {"maxpool", x.where(), poolSize, options.stride, options.padding});
  const DlArray positions = Storage::make(p.to, Type::Double);
  DlArray values = engine::apply(MaxPool{p.how, p.to}, engine::numbers(data.array()), positions);
  return {data.result(std::move(values)), data.result(positions), size(x)};
}
template std::tuple<DlArray, DlArray, Size> detail::maxpoolWithPositions<3>(const Operand& x, const PoolSize& poolSize,
                                                                            const MaxpoolOptions& options);

DlArray avgpool(Operand x, const PoolSize& poolSize, const AvgpoolOptions& options) {
  const LabelledData data(x, options.dataFormat, "avgpool");
  Plan p = plan(data.shape(), options.poolFormat, {"avgpool", x.where(), poolSize, options.stride, options.padding});
  const std::string& word = options.paddingValue.word();
  if ((!word.empty() && word != "mean") || options.paddingValue.number() != 0)
    fail(x.where(), "avgpool:paddingValue", "avgpool: .paddingValue is {}, neither 0 nor \"mean\"",
         word.empty() ? fmt::format("{}", options.paddingValue.number()) : "\"" + word + "\"");
  p.how.countsPadding = word.empty();
  const DlArray values = engine::numbers(data.array());
  bool blocks = false;
  withElementType(Storage::of(values).type, [&](auto zero) { blocks = cpu::averagesBlocks<decltype(zero)>(p.how); });
  if (!poolSize.word().empty() && !blocks) {  // one window: a sum is faster
    std::vector<Index> pooled;
    for (std::size_t d = 0; d < data.shape().size.size(); ++d)
      if (p.set >> d & 1U) pooled.push_back(static_cast<Index>(d));
    return data.result(mean(values, pooled));
  }
  return data.result(engine::apply(MeanPool<false>{p.how, p.to}, values));
}

DlArray maxunpool(Operand x, Operand positions, const Size& outputSize, const MaxunpoolOptions& options) {
  const LabelledData data(x, options.dataFormat, "maxunpool");
  const bool labelled = options.dataFormat.empty();
  if (!(size(x) == size(positions)))
    fail(x.where(), "maxunpool:sizes", "maxunpool: {} and positions of {}; both come from maxpool<3> and have the same size",
         describe(x), describe(positions));
  const DlArray at = labelled ? DlArray(positions) : LabelledData(stripdims(positions), options.dataFormat, "maxunpool").array();
  Shape shape{labelled ? outputSize : stored(outputSize, options.dataFormat), data.shape().format};
  if (shape.size.size() != data.shape().size.size())
    fail(x.where(), "maxunpool:outputSize", "maxunpool: the output size {} has {} dimensions, the data {} has {}",
         toString(outputSize), outputSize.size(), describe(x), data.shape().size.size());
  double elements = 1;
  for (const Index n : outputSize) elements *= static_cast<double>(n);
  if (elements > 0x1p52)  // what positions reach
    fail(x.where(), "maxunpool:outputSize", "maxunpool: an array of size {} has too many elements", toString(outputSize));
  const DlArray values = engine::numbers(data.array());
  return data.result(engine::apply(Unpool<false>{shape}, Operand(values, x.where()), engine::castTo(at, Type::Double)));
}

}  // namespace dl
