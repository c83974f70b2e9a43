#include <dlarray/train/lbfgs.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"

#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/shape.hpp>
#include <dlarray/subscript.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace dl {

namespace {

constexpr double sufficientDecrease = 1e-4, curvature = 0.9;

double inner(const DlArray& a, const DlArray& b) { return double(dot(a, b)); }

// All arrays as one column, in double precision whatever their type.
DlArray column(const std::vector<DlArray>& arrays) {
  std::vector<DlArray> parts;
  for (const DlArray& x : arrays) parts.push_back(double_(stripdims(x)(all)));
  return vertcat(parts);
}

std::vector<DlArray> parted(const DlArray& column, const std::vector<DlArray>& like) {
  std::vector<DlArray> arrays;
  Index first = 0;
  for (const DlArray& x : like) {
    const Index count = numel(x);
    const DlArray part = column(span(first, first + count - 1));
    arrays.push_back(Storage::reshaped(cast(part, Storage::of(x).type), Storage::shape(x)));
    first += count;
  }
  return arrays;
}

// A point on the line of search.
struct Trial {
  double step = 0, loss = 0, slope = 0;
  std::vector<DlArray> gradients;
  DlArray gradient;
  std::vector<DlArray> more;
};

// The loss along a line from where the parameters are.
class Line {
 public:
  Line(const detail::LbfgsProblem& problem, LbfgsState& state, const std::source_location& where)
      : problem_(problem), state_(state), where_(where), values_(problem.get()), start_(column(values_)) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  // Unless a point was accepted, parameters go back to where they were.
  ~Line() {
    if (!accepted_) problem_.set(values_);
  }

  Trial here() { return evaluate(0, nullptr); }
  void along(DlArray direction) { direction_ = std::move(direction); }
  Trial at(double step) {
    problem_.set(parted(start_ + step * direction_, values_));
    return evaluate(step, &direction_);
  }
  void accept(const Trial& trial) {
    problem_.set(parted(start_ + trial.step * direction_, values_));
    accepted_ = true;
  }
  bool empty() const { return numel(start_) == 0; }

 private:
  Trial evaluate(double step, const DlArray* direction) {
    Trial trial;
    trial.step = step;
    const DlArray loss = problem_.evaluate(trial.gradients, trial.more);
    ++state_.evaluations;
    if (numel(loss) != 1) fail(where_, "lbfgs:loss", "lbfgsupdate: the loss is {}; it must be a scalar", describe(loss));
    if (trial.gradients.size() != values_.size())
      fail(where_, "update:count", "lbfgsupdate: {} gradients for {} parameters", trial.gradients.size(), values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (!(size(trial.gradients[i]) == size(values_[i])))
        fail(where_, "update:size", "lbfgsupdate: gradient {} is {} for a parameter of {}", i, describe(trial.gradients[i]),
             describe(values_[i]));
    trial.loss = double(loss);
    trial.gradient = column(trial.gradients);
    if (direction) trial.slope = inner(trial.gradient, *direction);
    return trial;
  }

  const detail::LbfgsProblem& problem_;
  LbfgsState& state_;
  const std::source_location& where_;
  std::vector<DlArray> values_;
  DlArray start_, direction_;
  bool accepted_ = false;
};

// -H g by the two loops over the history, H's start a multiple of the unit matrix.
DlArray searchDirection(const LbfgsState& s, const DlArray& gradient) {
  const std::size_t n = s.stepHistory.size();
  std::vector<double> alpha(n), rho(n);
  DlArray q = gradient;
  for (std::size_t k = n; k-- > 0;) {
    rho[k] = 1 / inner(s.stepHistory[k], s.gradientsDifferenceHistory[k]);
    alpha[k] = rho[k] * inner(s.stepHistory[k], q);
    q = q - alpha[k] * s.gradientsDifferenceHistory[k];
  }
  q = s.inverseHessianFactor * q;
  for (std::size_t k = 0; k < n; ++k) {
    const double beta = rho[k] * inner(s.gradientsDifferenceHistory[k], q);
    q = q + (alpha[k] - beta) * s.stepHistory[k];
  }
  return -q;
}

using Found = std::optional<Trial>;
// Where the gradient is no number there is nowhere to go on from.
bool decreases(const Trial& start, const Trial& t) {
  return t.loss <= start.loss + sufficientDecrease * t.step * start.slope && std::isfinite(t.loss) && std::isfinite(t.slope);
}

// Halving until the loss has decreased enough.
Found backtracking(Line& line, const Trial& start, double step, Index most) {
  for (Index i = 0; i < most; ++i, step /= 2)
    if (Trial t = line.at(step); decreases(start, t)) return t;
  return std::nullopt;
}

// Bisection between a step that decreases enough but is too short, and one that does not decrease enough.
Found weakWolfe(Line& line, const Trial& start, double step, Index most) {
  double low = 0, high = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < most; ++i) {
    Trial t = line.at(step);
    if (!decreases(start, t))
      high = step;
    else if (t.slope < curvature * start.slope)
      low = step;
    else
      return t;
    step = std::isinf(high) ? 2 * low : (low + high) / 2;
  }
  return std::nullopt;
}

// Where the cubic through two points and their slopes is least; the middle where there is no such place well between them.
double cubicMinimum(const Trial& a, const Trial& b) {
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step), square = d1 * d1 - a.slope * b.slope,
               middle = (a.step + b.step) / 2, width = std::abs(b.step - a.step);
  if (!(square >= 0)) return middle;
  const double d2 = std::copysign(std::sqrt(square), b.step - a.step);
  const double at = b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
  return std::abs(at - middle) <= 0.4 * width ? at : middle;
}

// Algorithms 3.5 and 3.6 of Nocedal and Wright.
Found strongWolfe(Line& line, const Trial& start, double step, Index most) {
  const auto flatEnough = [&](const Trial& t) { return std::abs(t.slope) <= -curvature * start.slope; };
  Trial low = start, high;
  bool bracketed = false;
  for (Index i = 0; i < most; ++i) {
    Trial t = line.at(bracketed ? cubicMinimum(low, high) : step);
    if (!decreases(start, t) || t.loss >= low.loss) {
      high = std::move(t);
      bracketed = true;
      continue;
    }
    if (flatEnough(t)) return t;
    if (bracketed ? t.slope * (high.step - low.step) >= 0 : t.slope >= 0) high = low, bracketed = true;
    low = std::move(t);
    if (!bracketed) step *= 2;
  }
  return std::nullopt;
}

using Search = Found (*)(Line&, const Trial&, double, Index);
Search searchNamed(std::string_view method, const std::source_location& where) {
  if (method == "weak-wolfe") return weakWolfe;
  if (method == "strong-wolfe") return strongWolfe;
  if (method == "backtracking") return backtracking;
  fail(where, "lbfgs:method", "lbfgsupdate: lineSearchMethod is \"{}\"; use \"weak-wolfe\", \"strong-wolfe\" or \"backtracking\"",
       method);
}

void remember(LbfgsState& s, DlArray step, DlArray difference) {
  const double product = inner(step, difference), square = inner(difference, difference);
  // A pair without positive curvature, as backtracking may leave, would turn directions uphill.
  if (!(product > 1e-10 * square)) return;
  while (!s.stepHistory.empty() && static_cast<Index>(s.stepHistory.size()) >= s.historySize) {
    s.stepHistory.erase(s.stepHistory.begin());
    s.gradientsDifferenceHistory.erase(s.gradientsDifferenceHistory.begin());
  }
  s.stepHistory.push_back(std::move(step));
  s.gradientsDifferenceHistory.push_back(std::move(difference));
  s.inverseHessianFactor = product / square;
}

void forget(LbfgsState& s) {
  s.stepHistory.clear();
  s.gradientsDifferenceHistory.clear();
  s.inverseHessianFactor = s.initialInverseHessianFactor;
}

}  // namespace

LbfgsState lbfgsState(const LbfgsStateOptions& options, std::source_location where) {
  if (options.historySize < 1)
    fail(where, "lbfgs:history", "lbfgsState: historySize is {}; it must be positive", options.historySize);
  if (!(options.initialInverseHessianFactor > 0 && std::isfinite(options.initialInverseHessianFactor)))
    fail(where, "lbfgs:factor", "lbfgsState: initialInverseHessianFactor is {}; it must be positive",
         options.initialInverseHessianFactor);
  LbfgsState state;
  state.historySize = options.historySize;
  state.initialInverseHessianFactor = state.inverseHessianFactor = options.initialInverseHessianFactor;
  return state;
}

namespace detail {

std::vector<DlArray> movable(const std::vector<ParameterPart>& parts, const std::vector<ParameterPart>& factors) {
  std::vector<DlArray> values;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (i >= factors.size() || factors[i].factor != 0) values.push_back(*parts[i].array);
  return values;
}

void checkLossOutputs(int wanted, std::size_t got, const std::source_location& where) {
  if (wanted != 0 && static_cast<std::size_t>(wanted) != got)
    fail(where, "lbfgs:outputs", "lbfgsupdate: the loss function gives {} values, numLossFunctionOutputs is {}", got, wanted);
}

void assignMovable(const std::vector<ParameterPart>& parts, const std::vector<DlArray>& values) {
  std::size_t next = 0;
  for (const ParameterPart& part : parts)
    if (part.factor != 0) *part.array = values[next++];
}

void append(std::vector<DlArray>& list, const DlArray& x) { list.push_back(x); }

void lbfgs(const LbfgsProblem& problem, LbfgsState& state, const LbfgsUpdateOptions& options, const std::source_location& where) {
  const Search search = searchNamed(options.lineSearchMethod, where);
  if (options.maxNumLineSearchIterations < 1)
    fail(where, "lbfgs:iterations", "lbfgsupdate: maxNumLineSearchIterations is {}; it must be positive",
         options.maxNumLineSearchIterations);
  LbfgsState next = state;
  Line line(problem, next, where);
  if (line.empty()) return;
  Trial start = line.here();
  if (!std::isfinite(start.loss)) fail(where, "lbfgs:loss", "lbfgsupdate: the loss is {} before the step", start.loss);
  if (!std::isfinite(double(norm(start.gradient))))
    fail(where, "lbfgs:gradients", "lbfgsupdate: the gradients hold NaN or infinite numbers before the step");
  if (!next.stepHistory.empty() && numel(next.stepHistory[0]) != numel(start.gradient))
    fail(where, "lbfgs:state", "lbfgsupdate: the state is one of {} numbers, the parameters have {}; start with a fresh state",
         numel(next.stepHistory[0]), numel(start.gradient));
  if (next.stepHistory.empty()) next.inverseHessianFactor = next.initialInverseHessianFactor;
  DlArray direction = searchDirection(next, start.gradient);
  start.slope = inner(start.gradient, direction);
  if (!(start.slope < 0)) {
    forget(next);
    direction = -next.inverseHessianFactor * start.gradient;
    start.slope = inner(start.gradient, direction);
  }
  const double length = double(norm(direction));
  const double first = options.initialStepSize > 0 ? options.initialStepSize / length : std::min(1.0, 1 / length);
  line.along(direction);
  // Where the gradient is 0 there is nothing to search for.
  const Found found =
      length > 0 ? search(line, start, next.stepHistory.empty() ? first : 1, options.maxNumLineSearchIterations) : Found(start);
  next.lineSearchStatus = found ? "completed" : "failed";
  const Trial& end = found ? *found : start;
  next.stepNorm = end.step * length;
  next.loss = end.loss;
  next.gradients = end.gradients;
  next.gradientsNorm = double(norm(end.gradient));
  next.additionalLossFunctionOutputs = end.more;
  if (found && end.step > 0)
    remember(next, end.step * direction, end.gradient - start.gradient);
  else if (!found)
    forget(next);
  if (found && end.step > 0) line.accept(end);
  state = std::move(next);
}

}  // namespace detail

}  // namespace dl
