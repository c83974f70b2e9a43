#pragma once
#include <dlarray/array.hpp>

// Activations. All but `softmax` and `dropout` are functions of each element: they keep size and labels and need none. All differentiate to
// any order and give limits, not NaN, at infinities; NaN stays NaN. Logical arrays count as double.
namespace dl {

/// max(x, 0); the derivative at 0 is 0. (MATLAB: relu)
DlArray relu(Operand x);
/// x for x >= 0, else scaleFactor * x; the derivative at 0 is 1. (MATLAB: leakyrelu)
DlArray leakyrelu(Operand x, double scaleFactor = 0.01);
/// x for x >= 0, else alpha (e^x - 1); the derivative at 0 is 1. (MATLAB: eluLayer)
DlArray elu(Operand x, double alpha = 1);

struct GeluOptions {
  std::string_view approximation = "none";  // or "tanh"
};
/// x / 2 (1 + erf(x / sqrt(2))); with .approximation = "tanh", x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). Throws for other words.
/// In single the result is 0 below -9, where it would be less than 1e-17. (MATLAB: gelu; Hendrycks and Gimpel, "Gaussian error linear units", 2016)
DlArray gelu(Operand x, const GeluOptions& options = {});

/// 1 / (1 + e^-x). (MATLAB: sigmoid)
DlArray sigmoid(Operand x);
/// log(1 + e^x). (MATLAB: softplusLayer)
DlArray softplus(Operand x);
/// x sigmoid(x), also known as SiLU. (MATLAB: swishLayer)
DlArray swish(Operand x);
/// x tanh(softplus(x)). (Misra, "Mish: a self regularized non-monotonic activation function", 2019)
DlArray mish(Operand x);

struct SoftmaxOptions {
  std::string_view dataFormat = {};
};
/// e^x divided by its sum over the channels, for each position of the other dimensions: positive numbers whose sum over C is 1. None but that
/// of -Inf falls below 2^-100 (single) or 2^-1000 (double); where all channels are -Inf, as those of a masked row, all results are 0.
/// Throws for data without a dimension labelled C, and for unlabelled data without .dataFormat. (MATLAB: softmax)
DlArray softmax(Operand x, const SoftmaxOptions& options = {});

/// Each element with probability p replaced by 0, the others scaled by 1 / (1 - p), by numbers of the library's generator; x itself for
/// p = 0. For training only: the mean stays, so nothing is done at inference. Throws for p outside [0, 1). (MATLAB: dropoutLayer)
DlArray dropout(Operand x, double p = 0.5);

}  // namespace dl
