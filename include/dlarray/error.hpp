#pragma once
#include <source_location>
#include <stdexcept>
#include <string>

namespace dl {

/// What every function of the library throws: a sentence that names the function, what it got and what it needs.
class Error : public std::runtime_error {
 public:
  /// `identifier` is of the form "dlarray:function:mistake", as MATLAB's.
  Error(std::string identifier, const std::string& sentence) : std::runtime_error(sentence), identifier_(std::move(identifier)) {}

  /// A stable word to tell mistakes apart by, for example "dlarray:mtimes:innerSizes".
  const std::string& identifier() const noexcept { return identifier_; }

 private:
  std::string identifier_;
};

}  // namespace dl
