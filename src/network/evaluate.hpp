#pragma once
// Running the layers of a network.
#include "network/network.hpp"

namespace dl::network {

/// The outputs asked for. States that change are written to `newState`, which lists all states of the network in its order.
std::vector<DlArray> run(const detail::Network& net, std::vector<DlArray> inputs, const Schedule& schedule,
                         const std::vector<Slot>& outputs, detail::Mode mode, NetworkState* newState, const Caller& caller);

/// Throws when a layer gave another number of outputs than it names.
void checkOutputs(const Leaf& leaf, const std::vector<DlArray>& outputs, std::size_t expected);

/// Inputs with labels: their own, or those of a format; `labelled` tells whether any had some. Throws for another number of
/// inputs, and for sizes or labels that an input layer does not take.
std::vector<DlArray> labelledInputs(const Structure& structure, const std::vector<DlArray>& inputs,
                                    const std::vector<std::string>& formats, bool& labelled, const Caller& caller);

}  // namespace dl::network
