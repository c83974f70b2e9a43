#pragma once
// Options of layers as JSON: numbers, texts and lists as they are, arrays by the name of a tensor, initialisers by their rule.
#include "io/json.hpp"

#include <dlarray/network.hpp>
#include <functional>

namespace dl::io {

/// Where options go that are no JSON: a name for an array, JSON for a nested network.
struct OptionSink {
  std::function<std::string(std::string_view option, const DlArray& value)> array;
  std::function<Json(std::string_view option, const DlNetwork& value)> network;
};
/// And where they come from.
struct OptionSource {
  std::function<DlArray(const std::string& tensor)> array;
  std::function<DlNetwork(std::string_view option, const Json& value)> network;
};

/// The options of a layer as a JSON object. Numbers that JSON does not have are the texts "NaN", "Infinity" and "-Infinity"; an
/// initializer that is a function is {"function": true}.
Json writeOptions(const AnyLayer& layer, const OptionSink& sink);

/// The layer with the options of a JSON object; those that the object lacks stay as they are. An initializer that was a function
/// stays too if it is one, and otherwise becomes one that throws when it is needed. `path` names the layer in sentences. Throws
/// for options that the layer does not have, and values of another kind or out of range.
AnyLayer readOptions(const AnyLayer& layer, const Json& options, const OptionSource& source, const std::string& path,
                     const Task& task);

}  // namespace dl::io
