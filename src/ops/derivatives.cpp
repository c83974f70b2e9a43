#include "engine/fit.hpp"
#include "engine/elementwise.hpp"
#include "engine/gradient.hpp"

#include <dlarray/ops/derivatives.hpp>

#include <cmath>
#include <iostream>
#include <memory>

namespace dl {

namespace {

using engine::Backward;
using engine::Inputs;

// The factors of a product with a Jacobian or Hessian: as many arrays, of the same sizes; a vector may be a row or a column.
void checkFactors(const char* function, const char* what, std::span<const DlArray> arrays, const std::vector<DlArray>& factors,
                  const std::source_location& where) {
  if (arrays.size() != factors.size())
    fail(where, "derivatives:count", "{}: {} arrays were given as factors of {} {}", function, factors.size(), arrays.size(),
         what);
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const DlArray &x = arrays[i], &v = factors[i];
    if (!(size(x) == size(v)) && !(numel(x) == numel(v) && isvector(x) && isvector(v)))
      fail(where, "derivatives:size", "{}: a factor of size {} was given for a {} of size {}", function, describe(v), what,
           describe(x));
  }
}

std::vector<const DlArray*> pointersTo(const std::vector<DlArray>& arrays) {
  std::vector<const DlArray*> pointers;
  for (const DlArray& x : arrays) pointers.push_back(&x);
  return pointers;
}

}  // namespace

namespace detail {

std::vector<DlArray> takeArrays(const Visitable& container) {
  std::vector<DlArray> arrays;
  auto take = [&](DlArray& x) { arrays.push_back(std::move(x)); };
  container.visit(container.value, ArrayVisitor(take));
  return arrays;
}

void putArrays(const Visitable& container, std::vector<DlArray>&& arrays) {
  std::size_t i = 0;
  auto put = [&](DlArray& x) { x = std::move(arrays[i++]); };
  container.visit(container.value, ArrayVisitor(put));
}

std::vector<DlArray> vectorTimesJacobian(const Operand& u, const std::vector<DlArray>& variables, const DlArray& weights,
                                         const GradientOptions& options) {
  checkFactors("dlvjp", "value", {&u.get(), 1}, {weights}, u.where());
  std::vector<DlArray> results(variables.size());
  DlArray weight = weights;
  engine::weightedGradients("dlvjp", {&u.get(), 1}, {&weight, 1}, pointersTo(variables).data(), results.data(), variables.size(),
                            options, u.where());
  return results;
}

std::vector<DlArray> hessianTimesVector(const Operand& y, const std::vector<DlArray>& variables,
                                        const std::vector<DlArray>& directions, const GradientOptions& options) {
  checkFactors("dlhvp", "variable", variables, directions, y.where());
  std::vector<DlArray> gradient(variables.size()), results(variables.size());
  GradientOptions first = options;
  first.enableHigherDerivatives = true;
  const std::vector<const DlArray*> pointers = pointersTo(variables);
  engine::gradients("dlhvp", y, pointers.data(), gradient.data(), variables.size(), first);
  std::vector<DlArray> weights = directions;
  engine::weightedGradients("dlhvp", gradient, weights, pointers.data(), results.data(), variables.size(), options, y.where());
  return results;
}

DlArray jacobianTimesVector(const Operand& u, const std::vector<DlArray>& variables, const std::vector<DlArray>& directions,
                            const GradientOptions& options) {
  const auto& where = u.where();
  checkFactors("dljvp", "variable", variables, directions, where);
  engine::Trace* trace = engine::Trace::current();
  if (!trace)
    fail(where, "dlgradient:outsideDlfeval", "dljvp: no trace is open; call it inside the function that dlfeval evaluates");
  // u' w is linear in w; its derivative by w in the direction v is the Jacobian times v.
  const DlArray weights = trace->leaf(engine::filled(Storage::shape(u), Storage::of(u).type)), *byWeights = &weights;
  std::vector<DlArray> products(variables.size());
  DlArray result;
  DlArray start = weights;
  engine::weightedGradients("dljvp", {&u.get(), 1}, {&start, 1}, pointersTo(variables).data(), products.data(), variables.size(),
                            {.enableHigherDerivatives = true}, where);
  std::vector<DlArray> factors = directions;
  engine::weightedGradients("dljvp", products, factors, &byWeights, &result, 1, options, where);
  return result;
}

}  // namespace detail

DlArray dlhessian(Operand y, const DlArray& x, GradientOptions options) {
  const DlArray* variable = &x;
  const Index n = numel(x);
  DlArray gradient;
  engine::gradients("dlhessian", y, &variable, &gradient, 1, {.enableHigherDerivatives = true});
  const Type type = Storage::of(gradient).type;
  const Shape column{Size::matrix(n, 1), {}}, matrix{Size::matrix(n, n), {}};
  DlArray hessian = engine::filled(matrix, type);
  if (options.enableHigherDerivatives) hessian = engine::Trace::current()->leaf(hessian);
  DlArray direction = engine::filled(Storage::shape(gradient), type);
  const std::size_t bytes = bytesOf(type);
  const DlArray one = engine::castTo(DlArray(1.0), type);
  const GradientOptions each{
      .enableHigherDerivatives = options.enableHigherDerivatives, .retainData = true, .allowComplex = options.allowComplex};
  for (Index i = 0; i < n; ++i) {
    DlArray row, weights = Storage::copied(direction);
    std::memcpy(Storage::mutableData<std::byte>(weights) + static_cast<std::size_t>(i) * bytes, Storage::data<std::byte>(one),
                bytes);
    engine::weightedGradients("dlhessian", {&gradient, 1}, {&weights, 1}, &variable, &row, 1, each, y.where());
    if (options.enableHigherDerivatives)
      hessian(i, all) = row;
    else  // symmetric: a column is written as a row
      std::memcpy(Storage::mutableData<std::byte>(hessian) + static_cast<std::size_t>(i * n) * bytes,
                  Storage::data<std::byte>(row), static_cast<std::size_t>(n) * bytes);
  }
  return hessian;
}

namespace detail {

GradientCheck compareGradients(const Evaluation& value, const std::vector<DlArray*>& variables,
                               const std::vector<DlArray>& gradients, const GradientCheckOptions& options) {
  if (gradients.size() != variables.size())
    throw Error("dlarray:checkGradients:count",
                fmt::format("checkGradients: {} gradients for {} arrays", gradients.size(), variables.size()));
  for (std::size_t k = 0; k < gradients.size(); ++k)
    if (numel(gradients[k]) != numel(*variables[k]))
      throw Error("dlarray:checkGradients:size",
                  fmt::format("checkGradients: the gradient by array {} is of size {}, the array of size {}", k,
                              describe(gradients[k]), describe(*variables[k])));
  double scale = 1;
  for (const DlArray& g : gradients)
    for (double v : extractdata<std::vector<double>>(g)) scale = std::max(scale, std::abs(v));
  GradientCheck worst{true, -1, 0, 0, 0, 0};
  for (std::size_t k = 0; k < variables.size(); ++k) {
    DlArray& x = *variables[k];
    if (underlyingType(x) != Type::Double)
      throw Error("dlarray:checkGradients:type",
                  fmt::format("checkGradients: the point is {}; differences need double precision", name(underlyingType(x))));
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
      if (!std::isnan(worst.error) && !(error <= worst.error))
        worst = {error <= options.tolerance, error, k, static_cast<Index>(i), g[i], difference};
    }
    x = original;
  }
  if (options.display)
    std::cout << fmt::format(
        "checkGradients: {}; worst entry {} of array {}: gradient {:.10g}, central difference {:.10g}, relative error {:.2g}\n",
        worst.valid ? "passed" : "FAILED", worst.position, worst.array, worst.gradient, worst.difference,
        std::max(worst.error, 0.0));
  return worst;
}

}  // namespace detail

// ---- functions of the user's own -------------------------------------------------------------------------------------

namespace {

struct Custom {
  static constexpr const char* name = "customFunction";
  static constexpr bool runsUserCode = true;
  std::shared_ptr<detail::CustomRules> rules;
  std::source_location where;

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
      fail(where, "customFunction:count", "customFunction: backward returned {} gradients for {} inputs", gradients.size(), x.size());
    for (int i = 0; i < b.inputs(); ++i) {
      if (!b.needs(i)) continue;
      const DlArray& g = gradients[static_cast<std::size_t>(i)];
      if (!(Storage::of(g).size == Storage::of(b.input(i)).size))
        fail(where, "customFunction:size", "customFunction: backward returned a gradient of size {} for input {} of size {}",
             describe(g), i, describe(b.input(i)));
      b.add(i, g);
    }
  }
};

}  // namespace

namespace detail {
DlArray applyCustom(CustomRules* rules, const std::vector<DlArray>& x, const std::source_location& where) {
  return engine::applyToList(Custom{std::shared_ptr<CustomRules>(rules), where}, x, where);
}
}  // namespace detail

}  // namespace dl
