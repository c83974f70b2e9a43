#include <dlarray/train/update.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "cpu/update.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "train/update.hpp"

#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/shape.hpp>
#include <dlarray/subscript.hpp>

#include <algorithm>
#include <cmath>

namespace dl::detail {

UpdateArrays::UpdateArrays(Parts w, Parts g, Parts s1, Parts s2)
    : parameters(std::move(w)), gradients(std::move(g)), first(std::move(s1)), second(std::move(s2)) {}
UpdateArrays::UpdateArrays(UpdateArrays&& other) noexcept = default;
UpdateArrays::~UpdateArrays() = default;

std::vector<ParameterPart> collectParts(const Visitable& parameters) {
  std::vector<ParameterPart> parts;
  auto collect = [&](DlArray& x, double factor) { parts.push_back({&x, factor}); };
  parameters.visit(parameters.value, ArrayVisitor(collect));
  return parts;
}

namespace {

bool skipped(const ParameterPart& parameter, const ParameterPart& gradient) {
  return parameter.factor == 0 || numel(*gradient.array) == 0;
}

bool isReal(const DlArray& x) { return Storage::of(x).type == Type::Double || Storage::of(x).type == Type::Single; }

// The array as one that may be written to: of the parameter's type and size, with memory of its own.
template <class T>
T* writable(DlArray& x, const DlArray& parameter) {
  const Type type = Storage::of(parameter).type;
  if (numel(x) == 0)
    x = engine::filled(Storage::shape(parameter), type);
  else if (Storage::of(x).type != type)
    x = engine::castTo(x, type);
  if (!Storage::unique(x)) x = Storage::copied(x);
  return Storage::mutableData<T>(x);
}

// Calls run(T*) with the elements of a real array, made its own before.
template <class Run>
void onOwn(DlArray& x, const Run& run) {
  if (Storage::of(x).type == Type::Single)
    run(writable<float>(x, x));
  else
    run(writable<double>(x, x));
}

// Calls step(count, gradient, first state, second state, parameter, factor) for each part with the C++ type of its elements.
template <class Step>
void forEachPart(const UpdateArrays& arrays, const Step& step) {
  for (std::size_t i = 0; i < arrays.parameters.size(); ++i) {
    const ParameterPart& part = arrays.parameters[i];
    if (skipped(part, arrays.gradients[i])) continue;
    DlArray& parameter = *part.array;
    const auto run = [&](auto zero) {
      using T = decltype(zero);
      const DlArray g = engine::castTo(*arrays.gradients[i].array, Storage::of(parameter).type);
      T* first = writable<T>(*arrays.first[i].array, parameter);
      T* second = arrays.second.empty() ? nullptr : writable<T>(*arrays.second[i].array, parameter);
      T* w = writable<T>(parameter, parameter);
      step(numel(g), Storage::data<T>(g), first, second, w, part.factor);
    };
    withElementType(Storage::of(parameter).type, run);
  }
}

void checkPart(std::size_t i, const UpdateArrays& arrays, const UpdateCaller& caller) {
  const auto& [function, where] = caller;
  const DlArray &w = *arrays.parameters[i].array, &g = *arrays.gradients[i].array;
  if (!isReal(w))
    fail(where, "update:type", "{}: parameter {} is {}; only single and double ones can be moved", function, i,
         name(Storage::of(w).type));
  if (Storage::traced(w))
    fail(where, "update:traced", "{}: parameter {} is being traced; make the step outside the function that dlfeval evaluates",
         function, i);
  if (!(Storage::of(g).size == Storage::of(w).size))
    fail(where, "update:size", "{}: gradient {} is {} for a parameter of {}", function, i, describe(g), describe(w));
  for (const auto* states : {&arrays.first, &arrays.second}) {
    if (states->size() != arrays.parameters.size()) continue;  // an empty one, yet to be filled
    const DlArray& state = *(*states)[i].array;
    if (numel(state) > 0 && !(Storage::of(state).size == Storage::of(w).size))
      fail(where, "update:size", "{}: state {} is {} for a parameter of {}; start with an empty state", function, i,
           describe(state), describe(w));
  }
}

// In a trace the gradient is an operation's result as any other.
void scaleBy(DlArray& g, double factor) {
  if (Storage::traced(g) || !isReal(g))
    g %= factor;
  else
    onOwn(g, [&](auto* elements) { cpu::scale(factor, numel(g), elements); });
}

void limitTo(DlArray& g, double threshold) {
  if (Storage::traced(g) || !isReal(g))
    g = max(min(std::move(g), threshold), -threshold);
  else
    onOwn(g, [&](auto* elements) { cpu::limit(threshold, numel(g), elements); });
}

}  // namespace

void checkUpdate(const UpdateArrays& arrays, bool hasSecond, const UpdateCaller& caller) {
  const std::size_t count = arrays.parameters.size();
  const auto checkCount = [&](const char* what, std::size_t got) {
    if (got != count) fail(caller.where, "update:count", "{}: {} {} for {} parameters", caller.function, got, what, count);
  };
  checkCount("gradients", arrays.gradients.size());
  for (const auto* states : {&arrays.first, &arrays.second})
    if ((states != &arrays.second || hasSecond) &&
        !std::ranges::all_of(*states, [](const ParameterPart& part) { return numel(*part.array) == 0; }))
      checkCount("arrays of state", states->size());
  for (std::size_t i = 0; i < count; ++i)
    if (!skipped(arrays.parameters[i], arrays.gradients[i])) checkPart(i, arrays, caller);
}

void checkLearnRate(double learnRate, const UpdateCaller& caller) {
  if (!(learnRate >= 0 && std::isfinite(learnRate)))
    fail(caller.where, "update:learnRate", "{}: the learn rate is {}; it must be a number that is not negative", caller.function,
         learnRate);
}

void checkDecay(double decay, const char* what, const UpdateCaller& caller) {
  if (!(decay >= 0 && decay < 1))
    fail(caller.where, "update:decay", "{}: {} is {}; it must be at least 0 and less than 1", caller.function, what, decay);
}

void checkNotNegative(double value, const char* what, const UpdateCaller& caller) {
  if (!(value >= 0 && std::isfinite(value)))
    fail(caller.where, "update:number", "{}: {} is {}; it must be a number that is not negative", caller.function, what, value);
}

void checkAdam(const AdamNumbers& numbers, const UpdateCaller& caller) {
  if (numbers.iteration < 1)
    fail(caller.where, "update:iteration", "{}: iteration {} of the counter, which starts at 1", caller.function,
         numbers.iteration);
  checkLearnRate(numbers.learnRate, caller);
  checkDecay(numbers.gradientDecay, "gradientDecay", caller);
  checkDecay(numbers.squaredGradientDecay, "squaredGradientDecay", caller);
  checkNotNegative(numbers.epsilon, "epsilon", caller);
  checkNotNegative(numbers.weightDecay, "weightDecay", caller);
}

std::vector<DlArray> splitState(const DlArray& all, const std::vector<ParameterPart>& parameters, const UpdateCaller& caller) {
  std::vector<DlArray> states(parameters.size());
  if (numel(all) == 0) return states;
  Index total = 0, first = 0;
  for (const ParameterPart& part : parameters) total += numel(*part.array);
  if (numel(all) != total)
    fail(caller.where, "update:size", "{}: the state has {} elements, the parameters {}; start with an empty state",
         caller.function, numel(all), total);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const DlArray& parameter = *parameters[i].array;
    const Index count = numel(parameter);
    if (count > 0) states[i] = Storage::reshaped(DlArray(all(span(first, first + count - 1))), Storage::shape(parameter));
    first += count;
  }
  return states;
}

DlArray joinState(const std::vector<DlArray>& states, const std::vector<ParameterPart>& parameters) {
  // Single numbers fit into double ones.
  const auto isDouble = [](const ParameterPart& part) { return Storage::of(*part.array).type == Type::Double; };
  const Type type = std::ranges::any_of(parameters, isDouble) ? Type::Double : Type::Single;
  std::vector<DlArray> columns;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const Index count = numel(*parameters[i].array);
    const Shape column{Size{count, 1}, {}};
    columns.push_back(numel(states[i]) == 0 ? engine::filled(column, type)
                                            : engine::castTo(Storage::reshaped(states[i], column), type));
  }
  return columns.empty() ? DlArray() : vertcat(columns);
}

void checkArrayCount(std::size_t got, std::size_t wanted, const std::source_location& where) {
  if (got != wanted) fail(where, "update:count", "dlupdate: {} arrays of another argument for {} of the first", got, wanted);
}

void sgdm(const UpdateArrays& arrays, double learnRate, double momentum) {
  forEachPart(arrays, [&](Index n, auto* g, auto* velocity, auto*, auto* w, double factor) {
    cpu::update(cpu::SgdmStep{learnRate * factor, momentum}, n, g, velocity, w);
  });
}

void adam(const UpdateArrays& arrays, const AdamNumbers& a) {
  const auto iteration = static_cast<double>(a.iteration);
  const double correction = 1 / (1 - std::pow(a.gradientDecay, iteration)),
               secondCorrection = 1 / (1 - std::pow(a.squaredGradientDecay, iteration));
  forEachPart(arrays, [&](Index n, auto* g, auto* m, auto* v, auto* w, double factor) {
    const double rate = a.learnRate * factor;
    cpu::update(cpu::AdamStep{rate, a.gradientDecay, a.squaredGradientDecay, correction, secondCorrection, a.epsilon,
                              rate * a.weightDecay},
                n, g, m, v, w);
  });
}

void rmsprop(const UpdateArrays& arrays, double learnRate, double squaredGradientDecay, double epsilon) {
  forEachPart(arrays, [&](Index n, auto* g, auto* v, auto*, auto* w, double factor) {
    cpu::update(cpu::RmspropStep{learnRate * factor, squaredGradientDecay, epsilon}, n, g, v, w);
  });
}

void clip(const std::vector<DlArray*>& gradients, double threshold, std::string_view method, const std::source_location& where) {
  if (!(threshold > 0)) fail(where, "clip:threshold", "clipGradients: the threshold is {}; it must be positive", threshold);
  if (method == "absolute-value") {
    for (DlArray* g : gradients)
      if (numel(*g) > 0) limitTo(*g, threshold);
  } else if (method == "l2norm") {
    for (DlArray* g : gradients)
      if (const double length = std::sqrt(train::sumOfSquares(*g)); length > threshold) scaleBy(*g, threshold / length);
  } else if (method == "global-l2norm") {
    double square = 0;
    for (const DlArray* g : gradients) square += train::sumOfSquares(*g);
    const double length = std::sqrt(square);
    if (length > threshold)
      for (DlArray* g : gradients)
        if (numel(*g) > 0) scaleBy(*g, threshold / length);
  } else {
    fail(where, "clip:method", "clipGradients: \"{}\" is not known; use \"l2norm\", \"global-l2norm\" or \"absolute-value\"",
         method);
  }
}

}  // namespace dl::detail

namespace dl::train {

double sumOfSquares(const DlArray& x) {
  if (numel(x) == 0) return 0;
  if (Storage::of(x).type == Type::Single) return cpu::sumOfSquares(numel(x), Storage::data<float>(x));
  const DlArray numbers = engine::castTo(x, Type::Double);
  return cpu::sumOfSquares(numel(x), Storage::data<double>(numbers));
}

void addScaled(double factor, const DlArray& w, DlArray& g) {
  const DlArray same = engine::castTo(w, Storage::of(g).type);
  detail::onOwn(g, [&](auto* elements) {
    using T = std::remove_pointer_t<decltype(elements)>;
    cpu::addScaled(factor, numel(g), Storage::data<T>(same), elements);
  });
}

}  // namespace dl::train
