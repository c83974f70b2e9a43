#pragma once
// What the families of layers share: how errors call a layer, checks of the data, windows, weights and bias.
#include "core/fail.hpp"
#include "core/storage.hpp"

#include <dlarray/layers/layer.hpp>
#include <dlarray/ops/shape.hpp>

namespace dl::layers {

/// `convolution2dLayer "conv1"`: the layer function and the layer's name, if it has one.
std::string called(const Layer& layer);

/// Throws an error again with the layer before its sentence.
[[noreturn]] void failIn(const Layer& layer, const Error& error);

/// What f returns; its errors tell the layer.
template <class F>
auto inside(const Layer& layer, F&& f) {
  try {
    return f();
  } catch (const Error& e) {
    failIn(layer, e);
  }
}

/// Size and labels that a layer is initialised for; throws when there are not `inputs` of them.
std::vector<Shape> shapesOf(const Layer& layer, const std::vector<DataLayout>& data, std::size_t inputs = 1);
/// Throws unless a layer has as many inputs as it needs.
void checkInputs(const Layer& layer, std::size_t found, std::size_t needed);

/// How many dimensions carry a label.
std::size_t countOf(const Shape& shape, Format::Label label) noexcept;
/// The size of the dimension with a label; 1 without one.
Index sizeAlong(const Shape& shape, Format::Label label) noexcept;
/// The size of a dimension; past the last 1.
inline Index sizeAt(const Size& size, std::size_t d) noexcept { return d < size.size() ? size[d] : 1; }

/// True when a window of n dimensions moves along T: the data has n - 1 spatial dimensions and T. False when it has n spatial
/// ones. Throws for other data.
bool movesAlongTime(const Layer& layer, const Shape& data, std::size_t dimensions);

/// Padding as the functions take it from the forms that layers take: {top, bottom, left, right} for two dimensions, {left, right}
/// for one. Throws for lists of another length. `what` is "padding" or "cropping".
Padding sidesOf(const Padding& padding, std::size_t dimensions, const char* function, const char* what,
                const std::source_location& where);
/// Throws unless there is one number, or one for each dimension, and all are positive.
void checkWindow(const WindowSizes& sizes, std::size_t dimensions, const char* function, const char* what,
                 const std::source_location& where);
/// Throws for numbers below `least`.
void checkNumber(Index number, Index least, const char* function, const char* what, const std::source_location& where);
/// Throws for a rule that is not known.
void checkInitializer(const Initializer& initializer, const char* function, const std::source_location& where);
/// Throws for factors of learn rates and L2 regularisation that are negative, NaN or infinite.
void checkFactor(double factor, const char* function, const std::source_location& where);

/// The options of layers with weights and a bias.
struct WeightsAndBias {
  Initializer weightsInitializer = "glorot", biasInitializer = "zeros";
  DlArray weights, bias;
  double weightLearnRateFactor = 1, biasLearnRateFactor = 1, weightL2Factor = 1, biasL2Factor = 0;

  /// Throws for initializers and factors that are none.
  template <class Options>
  static WeightsAndBias of(const Options& o, const char* function, const std::source_location& where) {
    WeightsAndBias result{o.weightsInitializer,    o.biasInitializer,     o.weights,        o.bias,
                          o.weightLearnRateFactor, o.biasLearnRateFactor, o.weightL2Factor, o.biasL2Factor};
    result.check(function, where);
    return result;
  }
  void check(const char* function, const std::source_location& where) const;
  void show(OptionVisitor& visit);
  /// Declares "Weights" and "Bias". Throws when those that were given have another size.
  void declare(const Layer& layer, Parameters& p, const Size& weightsSize, const Size& biasSize, Fans fans) const;
};

}  // namespace dl::layers
