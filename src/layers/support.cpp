#include "layers/support.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace dl::layers {

namespace {
const std::source_location noPlace;
}

std::string called(const Layer& layer) {
  std::string text = layer.type();
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  if (!layer.name.empty()) text += " \"" + layer.name + "\"";
  return text;
}

void failIn(const Layer& layer, const Error& error) { throw Error(error.identifier(), called(layer) + ": " + error.what()); }

void checkInputs(const Layer& layer, std::size_t found, std::size_t needed) {
  if (found != needed)
    fail(noPlace, "layer:inputs", "{}: there {} {} input{}, the layer has {}", called(layer), found == 1 ? "is" : "are", found,
         found == 1 ? "" : "s", needed);
}

std::vector<Shape> shapesOf(const Layer& layer, const std::vector<DataLayout>& data, std::size_t inputs) {
  checkInputs(layer, data.size(), inputs);
  std::vector<Shape> shapes;
  for (const DataLayout& d : data) {
    Shape shape{d.size(), {}};
    shape.size.resize(std::max(d.format().size(), d.size().size()));
    for (std::size_t i = 0; i < d.format().size(); ++i) shape.format.set(i, Format::label(d.format()[i]));
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

std::size_t countOf(const Shape& shape, Format::Label label) noexcept {
  std::size_t count = 0;
  for (std::size_t d = 0; d < shape.size.size(); ++d) count += shape.format[d] == label;
  return count;
}

Index sizeAlong(const Shape& shape, Format::Label label) noexcept {
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] == label) return shape.size[d];
  return 1;
}

bool movesAlongTime(const Layer& layer, const Shape& data, std::size_t dimensions) {
  const std::size_t spatial = countOf(data, Format::S);
  if (spatial == dimensions) return false;
  if (spatial + 1 == dimensions && countOf(data, Format::T) == 1) return true;
  fail(noPlace, "layer:data", "{}: the input is {}; the layer needs {} spatial dimension{}, S, or {} and T", called(layer),
       toString(data), dimensions, dimensions == 1 ? "" : "s", dimensions - 1);
}

Padding sidesOf(const Padding& padding, std::size_t dimensions, const char* function, const char* what,
                const std::source_location& where) {
  if (!padding.word().empty()) return padding;
  const WindowSizes &starts = padding.starts(), &ends = padding.ends();
  for (const WindowSizes* side : {&starts, &ends})
    for (std::size_t d = 0; d < side->count(); ++d)
      if ((*side)[d] < 0) fail(where, "layer:padding", "{}: the {} is {}; it must be 0 at least", function, what, (*side)[d]);
  if (starts == ends && starts.count() == 2 * dimensions && dimensions < 3) {
    if (dimensions == 1) return {WindowSizes(starts[0]), WindowSizes(starts[1])};
    return {WindowSizes({starts[0], starts[2]}), WindowSizes({starts[1], starts[3]})};
  }
  for (const WindowSizes* side : {&starts, &ends})
    if (side->count() != 1 && side->count() != dimensions)
      fail(where, "layer:padding",
           "{}: the {} has {} numbers; it is a number, \"same\", {} or {{{{starts}}, {{ends}}}} with {} in each list", function,
           what, side->count(),
           dimensions == 1   ? "{left, right}"
           : dimensions == 2 ? "{top and bottom, left and right}, {top, bottom, left, right}"
                             : "a number for each of 3 dimensions",
           dimensions);
  return padding;
}

void checkWindow(const WindowSizes& sizes, std::size_t dimensions, const char* function, const char* what,
                 const std::source_location& where) {
  if (sizes.count() != 1 && sizes.count() != dimensions)
    fail(where, "layer:window", "{}: the {} has {} numbers; give one, or one for each of {} dimensions", function, what,
         sizes.count(), dimensions);
  for (std::size_t d = 0; d < sizes.count(); ++d) checkNumber(sizes[d], 1, function, what, where);
}

void checkNumber(Index number, Index least, const char* function, const char* what, const std::source_location& where) {
  if (number < least) fail(where, "layer:number", "{}: the {} is {}; it must be {} at least", function, what, number, least);
}

void checkFactor(double factor, const char* function, const std::source_location& where) {
  if (!(factor >= 0) || std::isinf(factor))
    fail(where, "layer:factor", "{}: a factor is {}; factors are finite and not negative", function, factor);
}

void WeightsAndBias::check(const char* function, const std::source_location& where) const {
  for (const Initializer* initializer : {&weightsInitializer, &biasInitializer}) checkInitializer(*initializer, function, where);
  for (const double factor : {weightLearnRateFactor, biasLearnRateFactor, weightL2Factor, biasL2Factor})
    checkFactor(factor, function, where);
}

void WeightsAndBias::show(OptionVisitor& visit) {
  visit("weightsInitializer", weightsInitializer);
  visit("biasInitializer", biasInitializer);
  visit("weights", weights);
  visit("bias", bias);
  visit("weightLearnRateFactor", weightLearnRateFactor);
  visit("biasLearnRateFactor", biasLearnRateFactor);
  visit("weightL2Factor", weightL2Factor);
  visit("biasL2Factor", biasL2Factor);
}

namespace {
Size withoutTrailing(const Size& size) {
  Shape shape{size, {}};
  dropTrailing(shape);
  return shape.size;
}
}  // namespace

void WeightsAndBias::declare(const Layer& layer, Parameters& p, const Size& weightsSize, const Size& biasSize, Fans fans) const {
  const ParameterFactors ofWeights{weightLearnRateFactor, weightL2Factor}, ofBias{biasLearnRateFactor, biasL2Factor};
  if (isempty(weights)) {
    p.learnable("Weights", weightsInitializer, withoutTrailing(weightsSize), fans, ofWeights);
  } else {
    if (!(size(stripdims(weights)) == withoutTrailing(weightsSize)))
      fail(noPlace, "layer:weights", "{}: the weights are {}; for this data they must be {}", called(layer), describe(weights),
           toString(weightsSize));
    p.learnable("Weights", stripdims(weights), ofWeights);
  }
  if (isempty(bias)) {
    p.learnable("Bias", biasInitializer, withoutTrailing(biasSize), fans, ofBias);
  } else {
    if (numel(bias) != numel(biasSize))
      fail(noPlace, "layer:bias", "{}: the bias is {}; it must be {}", called(layer), describe(bias), toString(biasSize));
    p.learnable("Bias", reshape(stripdims(bias), withoutTrailing(biasSize)), ofBias);
  }
}

}  // namespace dl::layers
