#include "layers/learnable.hpp"

#include <algorithm>
#include <cmath>
#include <dlarray/ops/creation.hpp>

namespace dl::layers {

namespace {
const std::source_location noPlace;
}

void LearnableOptions::check(const char* function, const std::source_location& where) const {
  checkInitializer(initializer, function, where);
  for (const double factor : {learnRate, l2}) checkFactor(factor, function, where);
}

void LearnableOptions::show(OptionVisitor& visit, std::string_view name, std::string_view factors) {
  const std::string own(name), before(factors.empty() ? name : factors);
  visit(own + "Initializer", initializer);
  visit(own, value);
  visit(before + "LearnRateFactor", learnRate);
  visit(before + "L2Factor", l2);
}

void LearnableOptions::declare(const Layer& layer, Parameters& p, std::string_view name, const Size& size, Fans fans) const {
  const ParameterFactors factors{learnRate, l2};
  if (isempty(value)) return p.learnable(name, initializer, size, fans, factors);
  const auto vector = [](const Size& s) { return std::count_if(s.begin(), s.end(), [](Index n) { return n != 1; }) <= 1; };
  const Size given = dl::size(value);
  if (numel(value) != numel(size) || !(given == size || (vector(given) && vector(size))))
    fail(noPlace, "layer:learnable", "{}: {} is {}; for this data it must be {}", called(layer), name, describe(value),
         toString(size));
  p.learnable(name, reshape(value, size), factors);
}

void checkWord(std::string_view word, std::initializer_list<std::string_view> allowed, const char* function, const char* what,
               const std::source_location& where) {
  if (std::find(allowed.begin(), allowed.end(), word) != allowed.end()) return;
  std::string list;
  for (std::size_t i = 0; i < allowed.size(); ++i)
    list += (i == 0 ? "\"" : i + 1 == allowed.size() ? " or \"" : ", \"") + std::string(allowed.begin()[i]) + "\"";
  fail(where, "layer:word", "{}: .{} = \"{}\"; it is {}", function, what, word, list);
}

void checkPositive(double number, const char* function, const char* what, const std::source_location& where) {
  if (!(number > 0)) fail(where, "layer:number", "{}: {} is {}; it must be positive", function, what, number);
}

void checkFinite(double number, const char* function, const char* what, const std::source_location& where) {
  if (!std::isfinite(number)) fail(where, "layer:number", "{}: {} is {}; it must be a finite number", function, what, number);
}

void checkProbability(double p, const char* function, const std::source_location& where) {
  if (!(p >= 0 && p < 1))
    fail(where, "layer:probability", "{}: the probability is {}; it must be at least 0 and less than 1", function, p);
}

Index channelsOf(const Layer& layer, const Shape& data) {
  if (countOf(data, Format::C) == 0)
    fail(noPlace, "layer:data", "{}: the input is {}; it needs a dimension of channels, C", called(layer), toString(data));
  return sizeAlong(data, Format::C);
}

Size channelSize(const Shape& data) {
  Size size;
  size.resize(countOf(data, Format::S));
  size.push_back(sizeAlong(data, Format::C));
  if (size.size() == 1) size.push_back(1);
  return size;
}

void checkChannels(const Layer& layer, const Shape& data, Index wanted, const char* whose) {
  if (const Index channels = channelsOf(layer, data); channels != wanted)
    fail(noPlace, "layer:channels", "{}: the input has {} channel{}, {} {}: {}", called(layer), channels,
         channels == 1 ? "" : "s", whose, wanted, toString(data));
}

DlArray statePreciseAs(const DlArray& data, const DlArray& learnable, const DlArray& state) {
  const bool allDouble = underlyingType(data) == Type::Double && underlyingType(learnable) == Type::Double;
  return allDouble && underlyingType(state) == Type::Single ? double_(state) : state;
}

TokenDimension TokenDimension::of(const Layer& layer, const Shape& data) {
  const std::size_t spatial = countOf(data, Format::S), time = countOf(data, Format::T);
  if (spatial + time != 1)
    fail(noPlace, "layer:tokens", "{}: the input is {}; it needs one dimension, T or S, along which tokens lie", called(layer),
         toString(data));
  std::size_t d = 0;
  while (data.format[d] != (time ? Format::T : Format::S)) ++d;
  return {d, data.size[d], spatial == 1};
}

}  // namespace dl::layers
