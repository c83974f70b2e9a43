#pragma once
#include <dlarray/error.hpp>
#include <fmt/format.h>
#include <source_location>
#include <string_view>
#include <utility>

namespace dl {

/// " (file.cpp:12)" for a line of the user's, "" for a line of the library itself.
std::string lineOf(const std::source_location& where);

[[noreturn]] void throwError(const std::source_location& where, std::string_view identifier, std::string sentence);

/// Throws the sentence that a user reads: `fail(where, "mtimes:innerSizes", "mtimes: inner sizes differ: {} times {}", a, b)`.
template <class... Arguments>
[[noreturn]] void fail(const std::source_location& where, std::string_view identifier, fmt::format_string<Arguments...> sentence,
                       Arguments&&... arguments) {
  throwError(where, identifier, fmt::format(sentence, std::forward<Arguments>(arguments)...));
}

}  // namespace dl
