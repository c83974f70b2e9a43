#pragma once
#include <dlarray/array.hpp>

// Arrays in files that other programs read: the safetensors format, a JSON header with names, types and shapes, and the elements
// behind it.
namespace dl {

/// An array with its name in a file.
struct NamedArray {
  std::string name;
  DlArray value;
};

/// What a safetensors file holds: arrays in the order of its header, and texts sorted by their keys.
struct Safetensors {
  std::vector<NamedArray> tensors;
  std::vector<std::pair<std::string, std::string>> metadata;

  /// The array of this name; throws when there is none.
  const DlArray& operator[](std::string_view name) const;
};

namespace detail {
const std::vector<std::pair<std::string, std::string>>& noTexts() noexcept;
}
/// Writes arrays into one file, to be read here or by Python's `safetensors`. A column-major array of size 2 x 3 x 4 is a
/// row-major tensor of shape [4, 3, 2] with the same elements in the same order; its labels are kept in the metadata
/// "dlarray.labels". Double arrays become F64, single F32, logical BOOL. The file is written under a temporary name and then
/// renamed, so that it is there whole or as it was before. Throws for names or keys used twice, the name "__metadata__", the keys
/// "dlarray.labels" and "dlarray.version", texts that are not UTF-8, and files that cannot be written. (Format: safetensors of
/// Hugging Face)
void saveSafetensors(const std::string& file, const std::vector<NamedArray>& tensors,
                     const std::vector<std::pair<std::string, std::string>>& metadata = detail::noTexts(),
                     std::source_location where = std::source_location::current());

/// Reads arrays of a safetensors file, whoever wrote it: F64, F32 and BOOL; tensors of shape [n] become columns, of shape []
/// scalars. Throws, naming the file and what is wrong with it, for files that are damaged, cut off, of another format, or hold
/// other types.
Safetensors loadSafetensors(const std::string& file, std::source_location where = std::source_location::current());

}  // namespace dl
