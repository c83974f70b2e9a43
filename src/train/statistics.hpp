#pragma once
// Numbers about the training data that layers keep.
#include "train/batches.hpp"

namespace dl::train {

/// Gives input layers the statistics that they normalise with: all of them when `reset`, else those that have none. Reads the
/// data once when there is anything to compute.
DlNetwork withInputStatistics(const DlNetwork& net, Batches& batches, bool reset, const std::source_location& where);

/// Replaces the running statistics of layers that normalise batches by those of all the data. Reads the data once when there is
/// such a layer.
void setPopulationStatistics(DlNetwork& net, Batches& batches);

}  // namespace dl::train
