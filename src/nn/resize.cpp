#include "cpu/resize.hpp"
#include "engine/elementwise.hpp"
#include "nn/data_format.hpp"
#include "ops/dimensions.hpp"

#include <dlarray/nn/resize.hpp>
#include <dlarray/nn/window.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace dl {

ResizeNumbers::ResizeNumbers() noexcept = default;
ResizeNumbers::ResizeNumbers(std::initializer_list<detail::AnyNumber> each) {
  for (const detail::AnyNumber n : each) numbers_.push_back(n.value);
}
ResizeNumbers::ResizeNumbers(const Size& each) : numbers_(each.begin(), each.end()) {}
ResizeNumbers::ResizeNumbers(std::vector<double> each) : numbers_(std::move(each)) {}
bool operator==(const ResizeNumbers& a, const ResizeNumbers& b) noexcept { return a.numbers_ == b.numbers_; }

namespace {

using engine::Backward;
using engine::Inputs;
using engine::Result;

enum class Rounding { Linear, Nearest, Up, Down };

// How one dimension is resized.
struct Grid {
  Index in, out;
  double scale;
  bool halfPixel;
  Rounding rounding;
};

// Positions that are whole or half but for the last bits count as such: which side they fall to must not depend on them.
double tidy(double position) {
  const double halves = std::round(2 * position);
  return std::abs(2 * position - halves) < 1e-9 * std::max(1.0, std::abs(halves)) ? halves / 2 : position;
}

double rounded(double position, Rounding rounding) {
  switch (rounding) {
    case Rounding::Nearest:
      return std::floor(position + 0.5);
    case Rounding::Up:
      return std::ceil(position);
    default:
      return std::floor(position);
  }
}

std::vector<cpu::Tap> tapsOf(const Grid& grid) {
  std::vector<cpu::Tap> taps;
  const auto last = static_cast<double>(grid.in - 1);
  for (Index i = 0; i < grid.out; ++i) {
    const auto at = static_cast<double>(i);
    const double position = tidy(grid.halfPixel ? (at + 0.5) / grid.scale - 0.5 : at / grid.scale);
    if (grid.rounding == Rounding::Linear) {
      const double inside = std::clamp(position, 0.0, last), first = std::floor(inside);
      const auto element = static_cast<Index>(first);
      taps.push_back({element, std::min(element + 1, grid.in - 1), inside - first});
    } else {
      const auto element = static_cast<Index>(std::clamp(rounded(position, grid.rounding), 0.0, last));
      taps.push_back({element, element, 0});
    }
  }
  return taps;
}

// What happens to each of some pages.
struct Steps {
  std::vector<cpu::ResizeStep> list;
  Index pages = 1;
};

// Interpolation along the spatial dimensions, or with `adjoint` its transpose: each is the other's derivative.
template <bool adjoint>
struct Interpolate {
  static constexpr const char* name = adjoint ? "dlresizeAdjoint" : "dlresize";
  static constexpr unsigned kept = 0;
  std::shared_ptr<const Steps> steps;
  Shape to;

  Result infer(const Inputs& in) const { return {to, Storage::of(in[0]).type}; }
  void run(const Inputs& in, DlArray& y) const {
    const auto as = [&](auto zero) {
      using T = decltype(zero);
      const T* from = Storage::data<T>(in[0]);
      if constexpr (adjoint)
        cpu::resizeAdjoint<T>(steps->list, from, steps->pages, Storage::mutableData<T>(y));
      else
        cpu::resize<T>(steps->list, from, steps->pages, Storage::mutableData<T>(y));
    };
    withElementType(Storage::of(y).type, as);
  }
  void gradient(Backward& b) const { b.add(0, engine::apply(Interpolate<!adjoint>{steps, b.shape(0)}, b.gradient())); }
};

bool choose(std::string_view word, std::string_view first, std::string_view second, const char* option,
            const std::source_location& where) {
  if (word != first && word != second)
    fail(where, "dlresize:option", "dlresize: .{} is \"{}\", neither \"{}\" nor \"{}\"", option, word, first, second);
  return word == first;
}

void checkNumbers(const ResizeNumbers& numbers, const char* option, bool whole, std::size_t dimensions, const Shape& shape,
                  const std::source_location& where) {
  if (numbers.count() != 1 && numbers.count() != dimensions)
    fail(where, "dlresize:numbers",
         "dlresize: .{} has {} numbers for {} spatial dimensions of {}; give one number, or one for each", option,
         numbers.count(), dimensions, toString(shape));
  for (std::size_t d = 0; d < numbers.count(); ++d)
    if (!(numbers[d] > 0 && std::isfinite(numbers[d])) || (whole && numbers[d] != std::floor(numbers[d])))
      fail(where, "dlresize:numbers", "dlresize: .{} is {}; it must be a positive {}number", option, numbers[d],
           whole ? "whole " : "");
}

// The dimensions that change: what shrinks does so first and the last dimension before the others, whose elements lie farthest apart
// and are the easiest to join; what grows does so last, and from the first dimension on.
std::vector<std::size_t> cheapestOrder(const std::vector<Grid>& grids) {
  std::vector<std::size_t> order;
  for (std::size_t d = grids.size(); d-- > 0;)
    if (grids[d].out < grids[d].in) order.push_back(d);
  for (std::size_t d = 0; d < grids.size(); ++d)
    if (grids[d].out > grids[d].in || (grids[d].out == grids[d].in && grids[d].in > 0 && grids[d].scale != 1)) order.push_back(d);
  return order;
}

}  // namespace

DlArray dlresize(Operand x, const DlresizeOptions& options) {
  const auto& where = x.where();
  const LabelledData data(x, options.dataFormat, "dlresize");
  const Shape& shape = data.shape();
  const std::uint32_t set = dimensionsWith(shape, "S");
  if (set == 0) fail(where, "dlresize:spatial", "dlresize: {} has no spatial dimension, S", toString(shape));
  const bool bySize = options.outputSize.count() > 0;
  if (bySize == (options.scale.count() > 0))
    fail(where, "dlresize:numbers", "dlresize: {}; either .scale or .outputSize says how large {} becomes",
         bySize ? "both .scale and .outputSize are given" : "neither .scale nor .outputSize is given", toString(shape));
  const ResizeNumbers& numbers = bySize ? options.outputSize : options.scale;
  checkNumbers(numbers, bySize ? "outputSize" : "scale", bySize, static_cast<std::size_t>(__builtin_popcount(set)), shape, where);
  const bool nearest = choose(options.method, "nearest", "linear", "method", where);
  const bool halfPixel = choose(options.geometricTransformMode, "half-pixel", "asymmetric", "geometricTransformMode", where);
  const bool byOnnx = options.nearestRoundingMode == "onnx-10";
  const bool round = options.nearestRoundingMode == "round";
  if (!byOnnx && !round && options.nearestRoundingMode != "floor")
    fail(where, "dlresize:option", "dlresize: .nearestRoundingMode is \"{}\", not \"round\", \"floor\" or \"onnx-10\"",
         options.nearestRoundingMode);

  std::vector<Grid> grids(shape.size.size());
  std::size_t spatial = 0;
  for (std::size_t d = 0; d < shape.size.size(); ++d) {
    if (!(set >> d & 1U)) continue;
    const auto in = static_cast<double>(shape.size[d]), number = numbers[spatial++];
    const double out = bySize ? number : std::floor(tidy(in * number)), scale = bySize ? number / in : number;
    if (in == 0 || out < 1)
      fail(where, "dlresize:empty", "dlresize: dimension {} of {} would have {} elements", d, toString(shape),
           in == 0 ? 0.0 : out);
    if (out > static_cast<double>(WindowSizes::most))
      fail(where, "dlresize:large", "dlresize: dimension {} of {} would have {} elements; {} is the most", d, toString(shape), out,
           WindowSizes::most);
    const Rounding rounding = !nearest ? Rounding::Linear
                              : byOnnx ? (scale < 1 ? Rounding::Up : Rounding::Down)
                              : round  ? Rounding::Nearest
                                       : Rounding::Down;
    grids[d] = {shape.size[d], static_cast<Index>(out), scale, halfPixel, rounding};
  }
  const DlArray y = engine::numbers(data.array());
  const std::vector<std::size_t> order = cheapestOrder(grids);
  if (order.empty()) return data.result(y);
  // Spatial dimensions come first, so that they make pages.
  const std::size_t last = *std::max_element(order.begin(), order.end()) + 1;
  Size page(shape.size.begin(), last);
  Steps steps;
  for (std::size_t d = last; d < shape.size.size(); ++d) steps.pages *= shape.size[d];
  Shape to = Storage::shape(y);
  for (const std::size_t d : order) {
    const Lanes along = lanes(page, d);
    steps.list.push_back({along.inner, along.count, along.outer, tapsOf(grids[d])});
    page[d] = to.size[d] = grids[d].out;
  }
  return data.result(engine::apply(Interpolate<false>{std::make_shared<const Steps>(std::move(steps)), to}, y));
}

}  // namespace dl
