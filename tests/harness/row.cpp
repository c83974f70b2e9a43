#include "harness/row.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#if __has_include(<dlarray/accelerate.hpp>)
#include <dlarray/accelerate.hpp>
#define DLARRAY_HAS_ACCELERATE 1
#endif

namespace dl::test {

Input constant(Input input) {
  input.constant = true;
  return input;
}
Input logical(const char* shape, Numbers values) {
  Input input = constant({shape, std::move(values)});
  input.type = Type::Logical;
  return input;
}

namespace {

using Report = std::function<void(const std::string&)>;

Arrays inputsOf(const Row& row, Type type) {
  Arrays x;
  unsigned seed = 0;
  for (const Input& input : row.inputs) {
    Plain p = input.plain;
    if (p.values.empty()) p.values = spread(static_cast<std::size_t>(numel(p.size)), input.low, input.high, seed++);
    x.push_back(array(p, input.constant ? input.type : type));
  }
  return x;
}

void compareValues(const std::string& check, const Numbers& got, const Numbers& want, double tolerance, const Report& report) {
  if (const std::string what = difference(got, want, tolerance); !what.empty()) report(check + ": " + what);
}

// The shape and the type that a row expects of inputs of some type: the same, unless the row names one.
std::pair<std::string, std::string> expected(const Row& row, Type type) {
  for (const char* word : {" logical", " double"})
    if (row.expect.ends_with(word)) return {row.expect.substr(0, row.expect.size() - std::string(word).size()), word + 1};
  return {row.expect, std::string(name(type))};
}

// Checks 1 and 2 for inputs of one type, in and out of a trace.
void checkValues(const Row& row, Type type, const Report& report) {
  const Arrays x = inputsOf(row, type);
  std::vector<Plain> plains;
  for (const DlArray& a : x) plains.push_back(plain(a));
  const Numbers want = row.reference(plains);
  const bool single = type == Type::Single;
  const double tolerance = single ? std::max(1e-5, row.tolerance * 1e8) : row.tolerance;
  const auto [shape, typeName] = expected(row, type);
  for (bool traced : {false, true}) {
    const std::string kind = fmt::format("{}{}", single ? "single " : "", traced ? "traced " : "");
    const DlArray y = traced ? dlfeval([&](const Arrays& at) { return row.op(at); }, x) : row.op(x);
    if (text(y) != shape) report(fmt::format("{}size: {}, not {}", kind, text(y), shape));
    if (name(underlyingType(y)) != typeName) report(fmt::format("{}type: {}, not {}", kind, name(underlyingType(y)), typeName));
    compareValues(kind + "value", extractdata<Numbers>(y), want, tolerance, report);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!isequaln(x[i], array(plains[i]))) report(fmt::format("{}input {}: changed by the operation", kind, i));
  }
}

Numbers direction(std::size_t n, unsigned seed) { return spread(n, -1, 1, seed); }

// A weighted sum of all elements, so that each of them matters differently.
DlArray projected(const DlArray& y, unsigned seed) {
  const DlArray weights = dlarray(direction(static_cast<std::size_t>(numel(y)), seed), size(y));
  return sum(stripdims(y) % cast(weights, underlyingType(y)), "all");
}

std::vector<bool> variedOf(const Row& row) {
  std::vector<bool> varied;
  for (const Input& input : row.inputs) varied.push_back(!input.constant);
  return varied;
}

// Check 3.
void checkGradients(const Row& row, const Report& report) {
  const auto scalar = [&](const Arrays& x) { return projected(row.op(x), 7); };
  checkDerivatives(scalar, inputsOf(row, Type::Double), variedOf(row), row.order, report);
}

#ifdef DLARRAY_HAS_ACCELERATE
// Check 4: the first call records, the second replays.
void checkAccelerated(const Row& row, const Report& report) {
  const Arrays x = inputsOf(row, Type::Double);
  const Numbers want = extractdata<Numbers>(row.op(x));
  auto fast = dlaccelerate(row.op);
  for (const char* call : {"first accelerated value", "second accelerated value"})
    compareValues(call, extractdata<Numbers>(dlfeval(fast, x)), want, row.tolerance, report);
}
#endif

// Check 5 beyond values: a gradient has the type of its input, and is about as large in single as in double.
void checkSingleGradients(const Row& row, const Report& report) {
  const auto gradientsAs = [&](Type type) {
    const auto differentiate = [&](const Arrays& x) { return dlgradient(projected(row.op(x), 7), x); };
    return dlfeval(differentiate, inputsOf(row, type));
  };
  const Arrays singles = gradientsAs(Type::Single), doubles = gradientsAs(Type::Double);
  for (std::size_t i = 0; i < singles.size(); ++i) {
    if (row.inputs[i].constant) continue;
    if (underlyingType(singles[i]) != Type::Single)
      report(fmt::format("single gradient: by input {} it is {}, not single", i, name(underlyingType(singles[i]))));
    if (text(singles[i]) != text(row.inputs[i].plain))
      report(fmt::format("gradient size: by input {} it is {}, not {}", i, text(singles[i]), text(row.inputs[i].plain)));
    double scale = 1;
    for (double g : extractdata<Numbers>(doubles[i])) scale = std::max(scale, std::abs(g));
    compareValues(fmt::format("single gradient by input {}", i), extractdata<Numbers>(singles[i]),
                  extractdata<Numbers>(doubles[i]), 2e-4 * scale, report);
  }
}

// Check 6.
void checkOnGpu(const Row& row, const Report& report) {
  Arrays there;
  for (const DlArray& x : inputsOf(row, Type::Double)) there.push_back(gpuArray(x));
  compareValues("value on the GPU", extractdata<Numbers>(gather(row.op(there))),
                extractdata<Numbers>(row.op(inputsOf(row, Type::Double))), std::max(row.tolerance, 1e-10), report);
}

}  // namespace

void checkDerivatives(const ScalarFunction& f, const Arrays& x, const std::vector<bool>& varied, int order,
                      const Report& report) {
  Arrays directions;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto n = static_cast<std::size_t>(numel(x[i]));
    directions.push_back(
        dlarray(varied[i] ? direction(n, static_cast<unsigned>(order) + 2 * static_cast<unsigned>(i)) : Numbers(n), size(x[i])));
  }
  // The derivative of f along the directions; recorded, so that it is itself a function to check.
  const auto slope = [&](const Arrays& at, bool recorded) {
    const Arrays gradient = dlgradient(f(at), at, {.enableHigherDerivatives = recorded});
    DlArray along = 0.0;
    for (std::size_t i = 0; i < at.size(); ++i)
      if (varied[i]) along += sum(stripdims(gradient[i]) % directions[i], "all");
    return along;
  };
  const auto valueAt = [&](double step) {
    Arrays moved;
    for (std::size_t i = 0; i < x.size(); ++i) moved.push_back(varied[i] ? x[i] + step * directions[i] : x[i]);
    return double(dlfeval(f, moved));
  };
  constexpr double h = 1e-3;
  const double expected = (8 * (valueAt(h) - valueAt(-h)) - (valueAt(2 * h) - valueAt(-2 * h))) / (12 * h);
  for (bool recorded : {true, false}) {
    const double derivative = double(dlfeval([&](const Arrays& at) { return slope(at, recorded); }, x));
    if (!difference(Numbers{derivative}, Numbers{expected}, 1e-7).empty())
      report(fmt::format("derivative{}: {:.12g} by dlgradient, {:.12g} by central differences",
                         recorded ? " with the gradient recorded" : "", derivative, expected));
  }
  if (order > 1)
    checkDerivatives([&](const Arrays& at) { return slope(at, true); }, x, varied, order - 1,
                     [&](const std::string& sentence) { report("derivative of the " + sentence); });
}

std::vector<std::string> mistakesOf(const Row& row) {
  std::vector<std::string> mistakes;
  const Report report = [&](const std::string& sentence) { mistakes.push_back(row.name + ": " + sentence); };
  try {
    checkValues(row, Type::Double, report);
    const std::vector<bool> varied = variedOf(row);
    if (std::find(varied.begin(), varied.end(), true) != varied.end()) checkValues(row, Type::Single, report);
    if (row.order > 0) checkGradients(row, report);
    if (row.order > 0) checkSingleGradients(row, report);
#ifdef DLARRAY_HAS_ACCELERATE
    checkAccelerated(row, report);
#endif
    if (canUseGPU()) checkOnGpu(row, report);
  } catch (const std::exception& e) {
    report(fmt::format("threw \"{}\"", e.what()));
  }
  return mistakes;
}

void check(const Row& row) {
  const std::vector<std::string> mistakes = mistakesOf(row);
  BOOST_CHECK_MESSAGE(mistakes.empty(), fmt::format("{}", fmt::join(mistakes, "\n")));
}

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) check(row);
}

}  // namespace dl::test
