#pragma once
#include <dlarray/train/update.hpp>

// Steps of the limited-memory BFGS method (Liu and Nocedal 1989; Nocedal and Wright, "Numerical Optimization", chapters 3 and 7).
namespace dl {

struct LbfgsStateOptions {
  Index historySize = 10;
  double initialInverseHessianFactor = 1;
};

/// What L-BFGS remembers from step to step. Arrays are listed parameter by parameter, without frozen ones.
struct LbfgsState {
  Index historySize = 10;
  double initialInverseHessianFactor = 1;
  double loss = 0;  // where the parameters are now, once a step was made
  std::vector<DlArray> gradients;
  double gradientsNorm = 0;  // the 2-norm of all of them
  double stepNorm = 0;       // the 2-norm of the last step
  double inverseHessianFactor = 1;
  std::string lineSearchStatus;                                  // "" before the first step, "completed" or "failed"
  std::vector<DlArray> stepHistory, gradientsDifferenceHistory;  // columns of all parameters, the oldest first
  std::vector<DlArray> additionalLossFunctionOutputs;
  Index evaluations = 0;  // of the loss function, in all steps
};
/// A fresh state. Throws for numbers that are not positive. (MATLAB: lbfgsState)
LbfgsState lbfgsState(const LbfgsStateOptions& options = {}, std::source_location where = std::source_location::current());

struct LbfgsUpdateOptions {
  std::string_view lineSearchMethod = "weak-wolfe";  // or "strong-wolfe", "backtracking"
  Index maxNumLineSearchIterations = 20;
  int numLossFunctionOutputs = 0;  // 0: as many as it gives; those past the first two go to state.additionalLossFunctionOutputs
  double initialStepSize = 0;      // 2-norm of the first step of all; 0: 1, or that of the gradient's step when this is shorter
};

namespace detail {
/// The parameters as L-BFGS sees them: a list to read and write, and a loss with its gradients.
struct LbfgsProblem {
  Function<std::vector<DlArray>()> get;
  Function<void(const std::vector<DlArray>&)> set;
  /// The loss; fills gradients, and further outputs.
  Function<DlArray(std::vector<DlArray>&, std::vector<DlArray>&)> evaluate;
};
void lbfgs(const LbfgsProblem& problem, LbfgsState& state, const LbfgsUpdateOptions& options, const std::source_location& where);

/// The values of those that are not frozen; `factors` are the parameters'.
std::vector<DlArray> movable(const std::vector<ParameterPart>& parts, const std::vector<ParameterPart>& factors);
void append(std::vector<DlArray>& list, const DlArray& x);
void checkLossOutputs(int wanted, std::size_t got, const std::source_location& where);
void assignMovable(const std::vector<ParameterPart>& parts, const std::vector<DlArray>& values);
}  // namespace detail

/// One step along the direction that curvature met so far suggests, as long as the line search says. `lossFunction` takes the
/// parameters - an array, a container, a table of learnables or a network - and gives a tuple of loss and gradients, mostly by
/// `dlfeval`. When the line search fails, parameters stay as they are, and the next step starts from steepest descent. Learn-rate
/// factors do not count, but frozen parameters stay, bit for bit. Throws for a loss that is not a finite scalar where the
/// parameters are, for gradients of other sizes and for wrong words; parameters are then as they were. (MATLAB: lbfgsupdate)
template <class P, class F>
void lbfgsupdate(P& parameters, const F& lossFunction, LbfgsState& state, const LbfgsUpdateOptions& options = {},
                 std::source_location where = std::source_location::current()) {
  const auto get = [&] {
    const auto parts = detail::parameterParts(parameters);
    return detail::movable(parts, parts);
  };
  const auto set = [&](const std::vector<DlArray>& values) { detail::assignMovable(detail::parameterParts(parameters), values); };
  const auto evaluate = [&](std::vector<DlArray>& gradients, std::vector<DlArray>& more) {
    auto results = lossFunction(std::as_const(parameters));
    gradients = detail::movable(detail::parameterParts(std::get<1>(results)), detail::parameterParts(parameters));
    constexpr std::size_t count = std::tuple_size_v<decltype(results)>;
    detail::checkLossOutputs(options.numLossFunctionOutputs, count, where);
    more.clear();
    const auto keepMore = [&]<std::size_t... i>(std::index_sequence<i...>) {
      (detail::append(more, std::get<i + 2>(results)), ...);
    };
    keepMore(std::make_index_sequence<count - 2>());
    return DlArray(std::get<0>(results));
  };
  detail::lbfgs({get, set, evaluate}, state, options, where);
}

}  // namespace dl
