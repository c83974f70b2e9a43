#pragma once
#include <dlarray/error.hpp>

#include <string>

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

template <class F>
std::string wholeSentenceOf(F&& call) {
  return mistake(call).sentence;
}
/// The sentence without the line of the call, " (file.cpp:12)".
template <class F>
std::string sentenceOf(F&& call) {
  std::string sentence = mistake(call).sentence;
  if (const auto line = sentence.rfind(" ("); line != sentence.npos && sentence.find(".cpp:", line) != sentence.npos)
    sentence.resize(line);
  return sentence;
}

}  // namespace dl::test
