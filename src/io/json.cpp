#include "io/json.hpp"

#include <set>

namespace dl::io {

Json parseJson(std::string_view text, const char* what, const Task& task, std::vector<std::string>* keys) {
  constexpr int deepest = 100;
  std::vector<std::set<std::string>> open;  // the keys of every object that is not closed yet
  const auto look = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > deepest) task.fail("json", "{} nests deeper than {} levels", what, deepest);
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key) {
      const std::string key = value.get<std::string>();
      if (!open.back().insert(key).second) task.fail("json", "{} has the key \"{}\" twice", what, key);
      if (keys && depth == 1) keys->push_back(key);
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), look);
  } catch (const Json::parse_error& e) {
    task.fail("json", "{} is no JSON: it goes wrong at byte {} of {}", what, e.byte, text.size());
  } catch (const Json::exception&) {
    task.fail("json", "{} is no JSON: it holds a number that no computer number can be", what);
  }
}

std::string textOf(const Json& value, const Task& task) {
  try {
    return value.dump();
  } catch (const Json::exception&) {
    task.fail("text", "a name or text is not UTF-8, which the format needs");
  }
}

}  // namespace dl::io
