#pragma once
#include <dlarray/error.hpp>

namespace dl::test {

/// What a wrong call says: identifier and sentence; "nothing" when it does not throw an Error.
struct Mistake {
  std::string identifier = "nothing", sentence = "nothing";
};

template <class F>
Mistake mistake(F&& call) {
  try {
    call();
  } catch (const Error& e) {
    return {e.identifier(), e.what()};
  }
  return {};
}

}  // namespace dl::test
