#pragma once
// The part of input layers that networks and training see.
#include <dlarray/layers/input.hpp>

namespace dl::layers {

/// What all input layers are. Training finds them by `dynamic_cast<const InputLayer*>(&*layer)`, computes what is missing, and
/// puts it in by `layer.changed([&](Layer& l) { static_cast<InputLayer&>(l).setStatistic("mean", m); })`.
struct InputLayer : Layer {
  /// "none", "zerocenter", "zscore", "rescale-symmetric", "rescale-zero-one" or "function".
  virtual const std::string& normalization() const = 0;
  /// "auto", "channel", "element" or "all": what a statistic has a number for. "auto" means channels.
  virtual const std::string& normalizationDimension() const = 0;
  /// The statistics that the normalisation uses: "mean", "standardDeviation", "min", "max".
  virtual std::vector<std::string> statistics() const = 0;
  /// True when one of these was neither given nor set.
  virtual bool statisticsMissing() const = 0;
  /// The value of a statistic, as it was given; empty when there is none.
  virtual const DlArray& statistic(std::string_view name) const = 0;
  /// Sets a statistic: one number, or one for each channel or each element of an observation. Throws for other sizes. An empty
  /// array takes the statistic away.
  virtual void setStatistic(std::string_view name, const DlArray& value) = 0;
};

}  // namespace dl::layers
