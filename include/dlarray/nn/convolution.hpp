#pragma once
#include <dlarray/array.hpp>
#include <dlarray/nn/window.hpp>

namespace dl {

/// What stands in the padding of a convolution: a number, or the data itself, mirrored at its edge with or without the edge element
/// ("symmetric-include-edge", "symmetric-exclude-edge"), or the edge element again and again ("replicate").
class ConvolutionPaddingValue {
 public:
  template <Number N>
  ConvolutionPaddingValue(N value) : number_(static_cast<double>(value)) {}
  ConvolutionPaddingValue(const char* word);
  ConvolutionPaddingValue(std::string word);

  /// "" when a number was given.
  const std::string& word() const noexcept { return word_; }
  double number() const noexcept { return number_; }
  friend bool operator==(const ConvolutionPaddingValue& a, const ConvolutionPaddingValue& b) noexcept;

 private:
  double number_ = 0;
  std::string word_;
};

struct DlconvOptions {
  std::string_view dataFormat = {};     // the labels of an array without labels
  std::string_view weightsFormat = {};  // the same for the weights
  WindowSizes stride = 1;
  WindowSizes dilationFactor = 1;
  Padding padding = 0;
  ConvolutionPaddingValue paddingValue = 0;
};

struct DltranspconvOptions {
  std::string_view dataFormat = {};
  std::string_view weightsFormat = {};
  WindowSizes stride = 1;
  WindowSizes dilationFactor = 1;
  Padding cropping = 0;  // "causal" is not among its words
};

/// The convolution of data with filters, without turning the filters around:
///
///     Y(i, f) = bias(f) + sum over a, c of W(a, c, f) X(i * stride + a * dilation - padding, c)
///
/// over the one to three S dimensions of the data, and over T when the weights have T. Weights are filter sizes x channels x filters
/// ("SSCU"), or filter sizes x channels of a group x filters of a group x groups ("SSCUU"), where group g joins the g-th channels with the
/// g-th filters; channels and filters of one number and as many groups as channels make a channel-wise convolution. Unlabelled weights
/// without `weightsFormat` are in this order. The bias has an element for each filter, or is one number for all. Size along a
/// dimension: floor((in + padding - (filter - 1) * dilation - 1) / stride) + 1; with "same" padding ceil(in / stride), the odd zero at the
/// end. The labels are those of X.
///
/// Throws when data, weights and bias do not fit each other, and for strides, dilations and paddings that are no sizes or more than
/// there are dimensions. Differentiable to any order. (MATLAB: dlconv)
DlArray dlconv(Operand x, Operand weights, Operand bias, const DlconvOptions& options = {});

/// The transposed convolution: every element of the data puts the filter, scaled, into the result,
///
///     Y(i * stride + a * dilation - cropping, f) += W(a, f, c) X(i, c), plus bias(f)
///
/// over the dimensions that `dlconv` moves along. Weights are filter sizes x filters x channels ("SSUC"), or filter sizes x filters of
/// a group x channels of a group x groups ("SSUCU"). Size along a dimension: (in - 1) * stride + (filter - 1) * dilation + 1 - cropping;
/// with "same" cropping in * stride, the odd element cut at the end. Throws as `dlconv`. Differentiable to any order. (MATLAB: dltranspconv)
DlArray dltranspconv(Operand x, Operand weights, Operand bias, const DltranspconvOptions& options = {});

}  // namespace dl
