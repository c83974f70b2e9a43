#include "core/fail.hpp"
#include "core/storage.hpp"

// The sentences of <dlarray/armadillo.hpp>, which itself knows no formatting; nothing here needs Armadillo.
namespace dl::detail {

[[noreturn]] void failArmadilloShape(const DlArray& x, const char* function, const char* wanted, std::source_location where) {
  fail(where, fmt::format("{}:shape", function), "{}: an array of size {} is no {}", function, describe(x), wanted);
}

[[noreturn]] void failArmadilloLogical(Index position, double value, std::source_location where) {
  fail(where, "dlarray:unsigned",
       "dlarray: a matrix of Armadillo's unsigned numbers becomes logical, but its element {} is {}; convert it to arma::mat "
       "first",
       position, value);
}

[[noreturn]] void failArmadilloUnsigned(Index position, double value, std::source_location where) {
  fail(where, "extractdata:unsigned", "extractdata: Armadillo's unsigned numbers cannot hold element {}, which is {}", position,
       value);
}

}  // namespace dl::detail
