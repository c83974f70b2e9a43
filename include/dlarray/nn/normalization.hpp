#pragma once
#include <dlarray/nn/window.hpp>
#include <tuple>

// Normalisation: elements less their mean, divided by their standard deviation, then scaled and moved by numbers for each channel,
// y = scale (x - mean) / sqrt(variance + epsilon) + offset. The variance is divided by the number of elements. `offset` comes before `scale`,
// as in MATLAB; each has one element for each channel, or one for all. They throw for data without a channel dimension, for
// other numbers of elements and for an epsilon that is not positive.
namespace dl {

struct BatchnormOptions {
  std::string_view dataFormat = {};
  double epsilon = 1e-5;
  double meanDecay = 0.1;
  double varianceDecay = 0.1;
};

/// Normalises each channel by the mean and variance that it has in the data, over S, B, T and U; of the size and labels of x.
/// `batchnorm<3>` gives these means and variances too, as columns without labels. (MATLAB: batchnorm; Ioffe and Szegedy 2015)
DlArray batchnorm(Operand x, Operand offset, Operand scale, const BatchnormOptions& options = {});
/// Normalises each channel by a mean and a variance that are given, as for inference; `batchnorm<3>` takes them as running ones instead,
/// see there. (MATLAB: batchnorm)
DlArray batchnorm(Operand x, Operand offset, Operand scale, Operand mu, Operand sigmaSq, const BatchnormOptions& options = {});

namespace detail {
template <int n>
std::tuple<DlArray, DlArray, DlArray> batchnormStatistics(const Operand& x, const Operand& offset, const Operand& scale,
                                                          const BatchnormOptions& options);
template <int n>
std::tuple<DlArray, DlArray, DlArray> batchnormTraining(const Operand& x, const Operand& offset, const Operand& scale, const Operand& mu,
                                                        const Operand& sigmaSq, const BatchnormOptions& options);
}  // namespace detail
template <int n>
  requires(n == 3)
auto batchnorm(Operand x, Operand offset, Operand scale, const BatchnormOptions& options = {}) {
  return detail::batchnormStatistics<n>(x, offset, scale, options);
}
/// Training: normalises by the mean and variance of the data and moves the running ones towards them, to
/// decay * (of the data) + (1 - decay) * (running); the new ones have the size and labels of the old. (MATLAB: batchnorm)
template <int n>
  requires(n == 3)
auto batchnorm(Operand x, Operand offset, Operand scale, Operand mu, Operand sigmaSq, const BatchnormOptions& options = {}) {
  return detail::batchnormTraining<n>(x, offset, scale, mu, sigmaSq, options);
}

struct LayernormOptions {
  std::string_view dataFormat = {};
  double epsilon = 1e-5;
  /// What is normalised together, for each observation: "batch-excluded" all of it; "spatial-channel" S and C at each time; "channel-only" C.
  std::string_view operationDimension = "batch-excluded";
};
/// Normalises each observation by its own mean and variance, over S, C, T and U unless `.operationDimension` says otherwise; of the size
/// and labels of x. (MATLAB: layernorm; Ba, Kiros and Hinton 2016)
DlArray layernorm(Operand x, Operand offset, Operand scale, const LayernormOptions& options = {});

struct GroupnormOptions {
  std::string_view dataFormat = {};
  double epsilon = 1e-5;
};
/// Normalises each group of neighbouring channels of each observation, over S, T and U; of the size and labels of x. `groups` is a number that
/// divides the number of channels, "all-channels" for one group or "channel-wise" for a group for each channel. (MATLAB: groupnorm; Wu and
/// He 2018)
DlArray groupnorm(Operand x, const GroupCount& groups, Operand offset, Operand scale, const GroupnormOptions& options = {});

struct InstancenormOptions {
  std::string_view dataFormat = {};
  double epsilon = 1e-5;
};
/// Normalises each channel of each observation, over S, T and U; of the size and labels of x. (MATLAB: instancenorm)
DlArray instancenorm(Operand x, Operand offset, Operand scale, const InstancenormOptions& options = {});

struct CrosschannelnormOptions {
  std::string_view dataFormat = {};
  double alpha = 1e-4;
  double beta = 0.75;
  double k = 2;
};
/// Each element divided by (k + alpha s / windowSize) ^ beta, where s sums the squares over a window of channels around its own:
/// floor((windowSize - 1) / 2) before and floor(windowSize / 2) behind it, as far as there are any. Throws for a window below 1. (MATLAB:
/// crosschannelnorm; Krizhevsky, Sutskever and Hinton 2012)
DlArray crosschannelnorm(Operand x, Index windowSize, const CrosschannelnormOptions& options = {});

}  // namespace dl
