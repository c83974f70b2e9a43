#pragma once
// JSON from files nobody vouches for, and into files.
#include "io/whole_file.hpp"

#include <nlohmann/json.hpp>
#include <vector>

namespace dl::io {

using Json = nlohmann::json;

/// Reads a text. Throws for text that is no JSON, nests deeper than 100 levels or has a key twice in one object. `what` names the
/// text in the sentence; `keys`, if any, takes the keys of the outermost object in the order of the text.
Json parseJson(std::string_view text, const char* what, const Task& task, std::vector<std::string>* keys = nullptr);
/// The text of a value; throws for strings that are not UTF-8.
std::string textOf(const Json& value, const Task& task);

}  // namespace dl::io
