#pragma once
// A network's file with room for more: what training needs to go on.
#include "io/safetensors.hpp"

#include <dlarray/io/network_file.hpp>

namespace dl::io {

/// What a network's file holds.
struct NetworkFile {
  DlNetwork net;
  std::vector<NamedArray> extraTensors;  // in the order in which they were given
  Metadata extraMetadata;                // sorted by key
};

/// Writes a network with more arrays and texts, whole or not at all. Their names are their own: none can clash with the
/// network's.
void saveNetworkWith(const DlNetwork& net, const std::vector<NamedArray>& extraTensors, const Metadata& extraMetadata,
                     const Task& task);
NetworkFile loadNetworkWith(const LoadNetworkOptions& options, const Task& task);

}  // namespace dl::io
