#include "core/fail.hpp"

namespace dl {

namespace {
// Calls of one library function by another carry the library's own line, which tells the user nothing.
constexpr std::string_view ownRoot() {
  std::string_view path = __FILE__;
  path.remove_suffix(std::string_view("src/core/error.cpp").size());
  return path;
}
bool isOwn(std::string_view file) {
  const bool source = file.starts_with(ownRoot()) && file.substr(ownRoot().size()).starts_with("src/");
  // Headers are found wherever they are installed, and by relative paths too.
  const bool header = file.find("include/dlarray/") != std::string_view::npos && file.ends_with(".hpp");
  return source || header;
}
}  // namespace

std::string lineOf(const std::source_location& where) {
  std::string_view file = where.file_name();
  if (file.empty() || where.line() == 0 || isOwn(file)) return {};
  file.remove_prefix(file.find_last_of('/') + 1);
  return fmt::format(" ({}:{})", file, where.line());
}

void throwError(const std::source_location& where, std::string_view identifier, std::string sentence) {
  throw Error("dlarray:" + std::string(identifier), sentence + lineOf(where));
}

}  // namespace dl
