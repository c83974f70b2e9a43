#pragma once
// The safetensors format: eight bytes with the header's length, a JSON header, elements. What all files of the library are made
// of.
#include "io/whole_file.hpp"

#include <dlarray/io/safetensors.hpp>

namespace dl::io {

using Metadata = std::vector<std::pair<std::string, std::string>>;

/// What the library writes; files of a later version are refused.
inline constexpr int formatVersion = 1;

void writeSafetensors(const std::vector<NamedArray>& tensors, const Metadata& metadata, const Task& task);
Safetensors readSafetensors(const Task& task);

/// The text of a key, null when there is none.
const std::string* findKey(const Metadata& metadata, std::string_view key) noexcept;

}  // namespace dl::io
