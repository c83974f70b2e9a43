#include "engine/fit.hpp"
#include "engine/elementwise.hpp"
#include "engine/gradient.hpp"

#include <dlarray/ops/derivatives.hpp>

#include <cmath>
#include <iostream>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;

void checkWeights(const char* function, const char* what, const std::vector<DlArray>& arrays, const std::vector<DlArray>& weights,
                  const std::source_location& where) {
  if (arrays.size() != weights.size())
    fail(where, "derivatives:count", "{}: {} arrays to weight and {} weights", function, arrays.size(), weights.size());
  for (std::size_t i = 0; i < arrays.size(); ++i)
    if (!(Storage::of(arrays[i]).size == Storage::of(weights[i]).size) && !(numel(arrays[i]) == numel(weights[i]) && isvector(arrays[i]) && isvector(weights[i])))
      fail(where, "derivatives:size", "{}: the weights are of size {}, {} of size {}", function, describe(weights[i]), what, describe(arrays[i]));
}

}  // namespace

namespace detail {

std::vector<DlArray> weightedGradients(const std::vector<DlArray>& outputs, const std::vector<DlArray>& weights, const std::vector<const DlArray*>& variables,
                                       const GradientOptions& options, const std::source_location& where) {
  checkWeights("dlvjp", "the values are", outputs, weights, where);
  std::vector<DlArray> results(variables.size());
  engine::weightedGradients(outputs, weights, variables.data(), results.data(), variables.size(), options, where);
  return results;
}

std::vector<DlArray> jacobianTimesVector(const std::vector<DlArray>& outputs, const std::vector<const DlArray*>& variables,
                                         const std::vector<DlArray>& directions, const GradientOptions& options, const std::source_location& where) {
  std::vector<DlArray> points;
  for (const DlArray* x : variables) points.push_back(*x);
  checkWeights("dljvp", "the variables are", points, directions, where);
  engine::Trace* trace = engine::Trace::current();
  if (!trace) fail(where, "dljvp:outsideDlfeval", "dljvp: no trace is open; call it inside the function that dlfeval evaluates");
  // u' w is linear in w; its derivative by w in the direction v is the Jacobian times v.
  std::vector<DlArray> weights;
  std::vector<const DlArray*> weightPointers;
  for (const DlArray& u : outputs) weights.push_back(trace->leaf(engine::filled(Storage::shape(u), Storage::of(u).type)));
  for (const DlArray& w : weights) weightPointers.push_back(&w);
  std::vector<DlArray> products(variables.size()), results(weights.size());
  engine::weightedGradients(outputs, weights, variables.data(), products.data(), variables.size(), {.enableHigherDerivatives = true}, where);
  engine::weightedGradients(products, directions, weightPointers.data(), results.data(), weights.size(), options, where);
  return results;
}

}  // namespace detail

DlArray dlhessian(Operand y, const DlArray& x, GradientOptions options) {
  const DlArray* variable = &x;
  const Index n = numel(x);
  DlArray gradient;
  engine::gradients(y, &variable, &gradient, 1, {.enableHigherDerivatives = true});
  const Type type = Storage::of(gradient).type;
  const Shape column{Size::matrix(n, 1), {}}, matrix{Size::matrix(n, n), {}};
  DlArray hessian = engine::filled(matrix, type);
  if (options.enableHigherDerivatives) hessian = engine::Trace::current()->leaf(hessian);
  DlArray direction = engine::filled(Storage::shape(gradient), type);
  const std::size_t bytes = bytesOf(type);
  const GradientOptions each{.enableHigherDerivatives = options.enableHigherDerivatives, .retainData = true, .allowComplex = options.allowComplex};
  for (Index i = 0; i < n; ++i) {
    DlArray row, weights = Storage::copied(direction);
    DlArray one = engine::castTo(DlArray(1.0), type);
    std::memcpy(Storage::mutableData<std::byte>(weights) + static_cast<std::size_t>(i) * bytes, Storage::data<std::byte>(one), bytes);
    engine::weightedGradients({gradient}, {std::move(weights)}, &variable, &row, 1, each, y.where());
    if (options.enableHigherDerivatives)
      hessian(i, all) = row;
    else  // symmetric: a column is written as a row
      std::memcpy(Storage::mutableData<std::byte>(hessian) + static_cast<std::size_t>(i * n) * bytes, Storage::data<std::byte>(row),
                  static_cast<std::size_t>(n) * bytes);
  }
  return hessian;
}

namespace detail {

GradientCheck compareGradients(const std::function<double()>& value, const std::vector<DlArray*>& variables, const std::vector<DlArray>& gradients,
                               const GradientCheckOptions& options) {
  double scale = 1;
  for (const DlArray& g : gradients)
    for (double v : extractdata<std::vector<double>>(g)) scale = std::max(scale, std::abs(v));
  GradientCheck worst{true, -1, 0, 0, 0, 0};
  for (std::size_t k = 0; k < variables.size(); ++k) {
    DlArray& x = *variables[k];
    if (underlyingType(x) != Type::Double)
      throw Error("dlarray:checkGradients:type", fmt::format("checkGradients: the point is {}; differences need double precision", name(underlyingType(x))));
    const DlArray original = x;
    const auto values = extractdata<std::vector<double>>(original), g = extractdata<std::vector<double>>(gradients[k]);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double h = std::cbrt(2.2e-16) * std::max(1.0, std::abs(values[i]));
      const auto at = [&](double v) {
        x = original;
        x(static_cast<Index>(i)) = v;
        return value();
      };
      const double difference = (at(values[i] + h) - at(values[i] - h)) / (2 * h);
      const double error = std::abs(difference - g[i]) / scale;
      if (!(error <= worst.error)) worst = {error <= options.tolerance, error, k, static_cast<Index>(i), g[i], difference};
    }
    x = original;
  }
  if (options.display)
    std::cout << fmt::format("checkGradients: {}; worst entry {} of array {}: gradient {:.10g}, central difference {:.10g}, relative error {:.2g}\n",
                             worst.valid ? "passed" : "FAILED", worst.position, worst.array, worst.gradient, worst.difference, std::max(worst.error, 0.0));
  return worst;
}

}  // namespace detail

// ---- functions of the user's own -------------------------------------------------------------------------------------

namespace {

struct Custom {
  static constexpr const char* name = "customFunction";
  std::shared_ptr<const detail::CustomRules> rules;

  static unsigned keep(unsigned) { return ~0U; }
  static std::vector<DlArray> list(const Inputs& in) {
    std::vector<DlArray> x;
    for (int i = 0; i < in.count(); ++i) x.push_back(in[i]);
    return x;
  }
  DlArray evaluate(const Inputs& in) const {
    DlArray y;
    if (engine::Trace* trace = engine::Trace::current()) {
      const engine::Recording off(*trace, false);
      y = rules->forward(list(in));
    } else {
      y = rules->forward(list(in));
    }
    // An array that others hold cannot become this node's result.
    if (Storage::count(Storage::of(y)) > 1 || Storage::traced(y) || !Storage::get(y)) y = Storage::reshaped(y, Storage::shape(y));
    return y;
  }
  void gradient(Backward& b) const {
    std::vector<DlArray> x;
    for (int i = 0; i < b.inputs(); ++i) x.push_back(b.input(i));
    const std::vector<DlArray> gradients = rules->backward(b.gradient(), b.result(), x);
    if (gradients.size() != x.size())
      throw Error("dlarray:customFunction:count", fmt::format("customFunction: backward returned {} gradients for {} inputs", gradients.size(), x.size()));
    for (int i = 0; i < b.inputs(); ++i) {
      if (!b.needs(i)) continue;
      const DlArray& g = gradients[static_cast<std::size_t>(i)];
      if (!(Storage::of(g).size == Storage::of(b.input(i)).size))
        throw Error("dlarray:customFunction:size", fmt::format("customFunction: backward returned a gradient of size {} for input {} of size {}", describe(g), i,
                                                               describe(b.input(i))));
      b.add(i, g);
    }
  }
};

}  // namespace

namespace detail {
DlArray applyCustom(const std::shared_ptr<const CustomRules>& rules, const std::vector<DlArray>& x, const std::source_location& where) {
  return engine::applyToList(Custom{rules}, x, where);
}
}  // namespace detail

}  // namespace dl
