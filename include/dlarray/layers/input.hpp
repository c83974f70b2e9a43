#pragma once
#include <dlarray/layers/layer.hpp>

// Layers by which data enters a network: they tell a network its size and labels, refuse data of another size, and normalise it.
namespace dl {

/// What an input layer does to its data: "none"; "zerocenter", x - mean; "zscore", (x - mean) / standard deviation;
/// "rescale-symmetric", 2 (x - min) / (max - min) - 1; "rescale-zero-one", (x - min) / (max - min); or a function of the labelled
/// data.
class InputNormalization {
 public:
  InputNormalization(const char* rule) : rule_(rule) {}
  InputNormalization(std::string rule) : rule_(std::move(rule)) {}
  template <class F>
    requires detail::MaybeCallable<F, InputNormalization> && detail::CallableAs<F, DlArray, const DlArray&>
  InputNormalization(F function) : rule_("function"), function_(std::move(function)) {}

  /// "function" when one was given.
  const std::string& rule() const noexcept { return rule_; }
  const detail::Function<DlArray(const DlArray&)>& function() const noexcept { return function_; }

 private:
  std::string rule_;
  detail::Function<DlArray(const DlArray&)> function_;
};

struct ImageInputLayerOptions {
  std::string name = {};
  InputNormalization normalization = "zerocenter";
  std::string normalizationDimension = "auto";  // "channel", "element", "all": what training computes statistics for
  /// Statistics: one number, one for each channel, or one for each element of an observation. Empty: training computes them, and
  /// until then mean 0, standard deviation 1, min 0 (-1 for "rescale-symmetric") and max 1 leave data as they are.
  DlArray mean = {};
  DlArray standardDeviation = {};
  DlArray min = {};
  DlArray max = {};
};
/// Images of height x width x channels, "SSCB". The layer functions throw for sizes below 1, for other words, and for statistics
/// that do not fit the size; the layers throw for data of another size or with other labels. (MATLAB: imageInputLayer)
AnyLayer imageInputLayer(const Size& inputSize, const ImageInputLayerOptions& options = {},
                         std::source_location where = std::source_location::current());
using Image3dInputLayerOptions = ImageInputLayerOptions;
/// Volumes of height x width x depth x channels, "SSSCB". (MATLAB: image3dInputLayer)
AnyLayer image3dInputLayer(const Size& inputSize, const Image3dInputLayerOptions& options = {},
                           std::source_location where = std::source_location::current());

struct SequenceInputLayerOptions {
  std::string name = {};
  Index minLength = 1;  // time steps
  InputNormalization normalization = "none";
  std::string normalizationDimension = "auto";
  DlArray mean = {};
  DlArray standardDeviation = {};
  DlArray min = {};
  DlArray max = {};
};
/// Sequences of vectors, "CBT" for a number of channels, or of images: {h, c} "SCBT", {h, w, c} "SSCBT", {h, w, d, c} "SSSCBT".
/// (MATLAB: sequenceInputLayer)
AnyLayer sequenceInputLayer(const Size& inputSize, const SequenceInputLayerOptions& options = {},
                            std::source_location where = std::source_location::current());
AnyLayer sequenceInputLayer(Index numChannels, const SequenceInputLayerOptions& options = {},
                            std::source_location where = std::source_location::current());

struct FeatureInputLayerOptions {
  std::string name = {};
  InputNormalization normalization = "none";
  std::string normalizationDimension = "auto";
  DlArray mean = {};
  DlArray standardDeviation = {};
  DlArray min = {};
  DlArray max = {};
};
/// Vectors of features, "CB". (MATLAB: featureInputLayer)
AnyLayer featureInputLayer(Index numFeatures, const FeatureInputLayerOptions& options = {},
                           std::source_location where = std::source_location::current());

struct InputLayerOptions {
  std::string name = {};
};
/// Data with any labels; NaN stands for a size that may vary, and the number of observations always may: `inputLayer({28, 28, 1,
/// NAN}, "SSCB")`. Sizes and labels may come in any order. (MATLAB: inputLayer)
AnyLayer inputLayer(std::initializer_list<detail::AnyNumber> inputSize, std::string_view format,
                    const InputLayerOptions& options = {}, std::source_location where = std::source_location::current());

}  // namespace dl
