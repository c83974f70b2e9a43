#include <dlarray/train/update.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "cpu/update.hpp"
#include "engine/elementwise.hpp"
#include "engine/fit.hpp"

#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/reduction.hpp>

#include <cmath>

namespace dl::detail {

namespace {

bool skipped(const UpdatePart& part) { return numel(*part.gradient) == 0; }

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

// Calls step(count, gradient, first state, second state, parameter, factor) for each part with the C++ type of its elements.
template <class Step>
void forEachPart(const std::vector<UpdatePart>& parts, const Step& step) {
  for (const UpdatePart& part : parts) {
    if (skipped(part)) continue;
    const auto run = [&](auto zero) {
      using T = decltype(zero);
      const DlArray g = engine::castTo(*part.gradient, Storage::of(*part.parameter).type);
      T* first = writable<T>(*part.first, *part.parameter);
      T* second = part.second ? writable<T>(*part.second, *part.parameter) : nullptr;
      T* w = writable<T>(*part.parameter, *part.parameter);
      step(numel(g), Storage::data<T>(g), first, second, w, part.factor);
    };
    if (Storage::of(*part.parameter).type == Type::Single)
      run(float());
    else
      run(double());
  }
}

}  // namespace

void failUpdateCount(const char* function, const char* what, std::size_t got, std::size_t parameters,
                     const std::source_location& where) {
  fail(where, "update:count", "{}: {} {} for {} parameters", function, got, what, parameters);
}

void checkUpdate(const char* function, const std::vector<UpdatePart>& parts, const std::source_location& where) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const UpdatePart& part = parts[i];
    if (skipped(part)) continue;
    const DlArray& w = *part.parameter;
    const Type type = Storage::of(w).type;
    if (type != Type::Double && type != Type::Single)
      fail(where, "update:type", "{}: parameter {} is {}; only single and double ones can be moved", function, i, name(type));
    if (Storage::traced(w))
      fail(where, "update:traced", "{}: parameter {} is being traced; make the step outside the function that dlfeval evaluates",
           function, i);
    if (!(Storage::of(*part.gradient).size == Storage::of(w).size))
      fail(where, "update:size", "{}: gradient {} is {} for a parameter of {}", function, i, describe(*part.gradient),
           describe(w));
    for (const DlArray* state : {part.first, part.second})
      if (state && numel(*state) > 0 && !(Storage::of(*state).size == Storage::of(w).size))
        fail(where, "update:size", "{}: state {} is {} for a parameter of {}; start with an empty state", function, i,
             describe(*state), describe(w));
  }
}

void sgdm(const std::vector<UpdatePart>& parts, double learnRate, double momentum) {
  forEachPart(parts, [&](Index n, auto* g, auto* velocity, auto*, auto* w, double factor) {
    cpu::update(cpu::SgdmStep{learnRate * factor, momentum}, n, g, velocity, w);
  });
}

void adam(const std::vector<UpdatePart>& parts, const AdamNumbers& a, const char* function, const std::source_location& where) {
  if (a.iteration < 1)
    fail(where, "update:iteration", "{}: iteration {} of the counter, which starts at 1", function, a.iteration);
  const double correction = 1 / (1 - std::pow(a.gradientDecay, a.iteration)),
               secondCorrection = 1 / (1 - std::pow(a.squaredGradientDecay, a.iteration));
  forEachPart(parts, [&](Index n, auto* g, auto* m, auto* v, auto* w, double factor) {
    const double rate = a.learnRate * factor;
    cpu::update(cpu::AdamStep{rate, a.gradientDecay, a.squaredGradientDecay, correction, secondCorrection, a.epsilon,
                              rate * a.weightDecay},
                n, g, m, v, w);
  });
}

void rmsprop(const std::vector<UpdatePart>& parts, double learnRate, double squaredGradientDecay, double epsilon) {
  forEachPart(parts, [&](Index n, auto* g, auto* v, auto*, auto* w, double factor) {
    cpu::update(cpu::RmspropStep{learnRate * factor, squaredGradientDecay, epsilon}, n, g, v, w);
  });
}

void clip(const std::vector<DlArray*>& gradients, double threshold, std::string_view method, const std::source_location& where) {
  if (!(threshold > 0)) fail(where, "clip:threshold", "clipGradients: the threshold is {}; it must be positive", threshold);
  const auto norm2 = [](const DlArray& g) { return double(norm(double_(g)(all))); };
  if (method == "absolute-value") {
    for (DlArray* g : gradients)
      if (numel(*g) > 0) *g = max(min(std::move(*g), threshold), -threshold);
  } else if (method == "l2norm") {
    for (DlArray* g : gradients)
      if (const double length = numel(*g) > 0 ? norm2(*g) : 0; length > threshold) *g %= threshold / length;
  } else if (method == "global-l2norm") {
    double square = 0;
    for (const DlArray* g : gradients)
      if (numel(*g) > 0) square += std::pow(norm2(*g), 2);
    const double length = std::sqrt(square);
    if (length > threshold)
      for (DlArray* g : gradients)
        if (numel(*g) > 0) *g %= threshold / length;
  } else {
    fail(where, "clip:method", "clipGradients: \"{}\" is not known; use \"l2norm\", \"global-l2norm\" or \"absolute-value\"",
         method);
  }
}

}  // namespace dl::detail
