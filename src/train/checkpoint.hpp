#pragma once
// A training's state in a file.
#include "train/loop.hpp"

namespace dl::train {

/// Writes the state into a file of the folder, whole or not at all.
void saveCheckpoint(const TrainingState& state, const TrainingOptions& options, Index observations,
                    const std::source_location& where);
/// Reads a state; layers of types of the user's come from `net`. Moves the generator to where it was. Throws when the checkpoint
/// is one of another training.
TrainingState loadCheckpoint(const TrainingOptions& options, const DlNetwork& net, Index observations,
                             const std::source_location& where);

}  // namespace dl::train
