#pragma once
// Giving parameters their start values, by trying the layers one after the other on example data.
#include "network/network.hpp"

namespace dl::network {

/// The problem of an input whose sizes nothing tells.
inline constexpr std::string_view noData =
    "nothing feeds this input; connect a layer to it, put an input layer before it, or give example data";

/// What came of trying a network: all problems, and what the layers behind them could not be given.
struct Trial {
  std::vector<Parameters> parameters;              // one for each leaf
  std::vector<std::optional<DataLayout>> layouts;  // by slot; none where a layer before failed
  std::vector<Issue> issues;
};

/// Runs every leaf on zeros of its input's size, as far as problems allow. `inputs` are for all inputs of the network, or for
/// those without input layers, in order.
Trial tryOut(const detail::Network& net, const std::vector<DataLayout>& inputs);

}  // namespace dl::network
