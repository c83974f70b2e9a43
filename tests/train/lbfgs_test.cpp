// L-BFGS on functions whose minima are known, on every kind of container, and what it leaves alone.
#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;

namespace {

std::tuple<DlArray, DlArray> rosenbrock(const DlArray& x) {
  const Index n = numel(x);
  const DlArray a = x(span(0, n - 2)), b = x(span(1, n - 1));
  const DlArray f = sum(100 * pow(b - pow(a, 2), 2) + pow(1 - a, 2));
  return {f, dlgradient(f, x)};
}

struct Model {
  DlArray W, b;
};
DLARRAY_FIELDS(Model, W, b)

}  // namespace

BOOST_AUTO_TEST_CASE(rosenbrock_of_a_hundred_variables) {
  for (const std::string_view method : {"weak-wolfe", "strong-wolfe", "backtracking"}) {
    DlArray x = repmat(dlarray({{-1.2}, {1.0}}), 50, 1);
    LbfgsState state = lbfgsState();
    const auto loss = [](const DlArray& p) { return dlfeval(rosenbrock, p); };
    int steps = 0;
    do {
      lbfgsupdate(x, loss, state, {.lineSearchMethod = method});
    } while (state.gradientsNorm > 1e-9 && state.lineSearchStatus == "completed" && ++steps < 1000);
    // This start has a local minimum beside the global one; any stationary point to 1e-8 counts, told by the gradient.
    BOOST_TEST(state.gradientsNorm < 1e-8, method << ": gradient " << state.gradientsNorm << " after " << steps << " steps");
    BOOST_TEST(state.loss < 4.0);
    BOOST_TEST(std::abs(double(std::get<0>(loss(x))) - state.loss) <= 1e-15);
    BOOST_TEST(state.stepHistory.size() == 10U);
  }
}

BOOST_AUTO_TEST_CASE(rosenbrock_reaches_ones) {
  DlArray x = zeros(100, 1);
  LbfgsState state = lbfgsState({.historySize = 20});
  for (int step = 0; step < 800 && state.lineSearchStatus != "failed"; ++step) {
    lbfgsupdate(
        x, [](const DlArray& p) { return dlfeval(rosenbrock, p); }, state);
    if (state.gradientsNorm < 1e-10) break;
  }
  BOOST_TEST(double(max(abs(x - 1))) < 1e-8);
}

BOOST_AUTO_TEST_CASE(least_squares_on_a_struct_and_a_map) {
  rng(3);
  const DlArray X = randn(3, 40), W0 = randn(2, 3), b0 = randn(2, 1), T = W0 * X + b0;
  Model model{zeros(2, 3), zeros(2, 1)};
  LbfgsState state = lbfgsState();
  const auto loss = [&](const Model& m) {
    return dlfeval(
        [&](const Model& p) {
          const DlArray l = mean(pow(p.W * X + p.b - T, 2), "all");
          return std::tuple(l, dlgradient(l, p), 2 * l);
        },
        m);
  };
  for (int step = 0; step < 60 && state.gradientsNorm + (step == 0) > 1e-12; ++step) lbfgsupdate(model, loss, state);
  BOOST_TEST(double(max(abs(model.W - W0), {}, "all")) < 1e-10);
  BOOST_TEST(double(max(abs(model.b - b0))) < 1e-10);
  BOOST_TEST_REQUIRE(state.additionalLossFunctionOutputs.size() == 1U);
  BOOST_TEST(double(state.additionalLossFunctionOutputs[0]) == 2 * state.loss);
  BOOST_TEST_REQUIRE(state.gradients.size() == 2U);
  BOOST_TEST(bool(size(state.gradients[0]) == size(W0)));

  std::map<std::string, DlArray> map{{"x", 3.0}};
  LbfgsState fresh;
  for (int step = 0; step < 20; ++step)
    lbfgsupdate(
        map,
        [](const auto& m) {
          return dlfeval(
              [](const std::map<std::string, DlArray>& p) {
                const DlArray f = cosh(p.at("x") - 1);
                return std::tuple(f, dlgradient(f, p));
              },
              m);
        },
        fresh);
  BOOST_TEST(std::abs(double(map.at("x")) - 1) < 1e-8);
}

BOOST_AUTO_TEST_CASE(frozen_rows_stay_and_single_stays_single) {
  Learnables table;
  table.push_back({"a", "Weights", single_(dlarray({1.0, 2.0})), {1, 1}});
  table.push_back({"b", "Weights", single_(dlarray({0.3, 0.7})), {0, 1}});
  table.push_back({"c", "Bias", single_(dlarray({5.0, 6.0})), {1, 1}});
  LbfgsState state = lbfgsState();
  for (int step = 0; step < 30; ++step)
    lbfgsupdate(
        table,
        [](const Learnables& l) {
          return dlfeval(
              [](const Learnables& p) {
                const DlArray f = sum(pow(p("a/Weights") - p("b/Weights"), 2)) + sum(pow(p("c/Bias") - 1, 2));
                return std::tuple(f, dlgradient(f, p));
              },
              l);
        },
        state);
  BOOST_TEST(isequal(table("b/Weights"), single_(dlarray({0.3, 0.7}))));
  BOOST_TEST(bool(underlyingType(table("a/Weights")) == Type::Single));
  BOOST_TEST(double(max(abs(table("a/Weights") - table("b/Weights")))) < 1e-5);
  BOOST_TEST(double(max(abs(table("c/Bias") - 1))) < 1e-5);
  BOOST_TEST(state.gradients.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_search_that_fails_leaves_the_parameters) {
  // A gradient of the wrong sign: no step downhill decreases the loss.
  DlArray x = 1.0;
  LbfgsState state = lbfgsState();
  lbfgsupdate(x, [](const DlArray& p) { return std::tuple(DlArray(pow(p, 2)), DlArray(-2 * p)); }, state,
              {.maxNumLineSearchIterations = 5});
  BOOST_TEST(double(x) == 1.0);
  BOOST_TEST(state.lineSearchStatus == "failed");
  BOOST_TEST(state.stepNorm == 0);
  BOOST_TEST(state.evaluations == 6);
}

BOOST_AUTO_TEST_CASE(wolfe_conditions_hold) {
  for (const std::string_view method : {"weak-wolfe", "strong-wolfe"}) {
    DlArray x = dlarray({{-1.2}, {1.0}, {2.0}});
    LbfgsState state = lbfgsState();
    const auto loss = [](const DlArray& p) { return dlfeval(rosenbrock, p); };
    for (int step = 0; step < 15; ++step) {
      const DlArray before = x;
      const auto [f0, g0] = loss(before);
      lbfgsupdate(x, loss, state, {.lineSearchMethod = method});
      const auto [f1, g1] = loss(x);
      const DlArray s = x - before;
      const double slope0 = double(dot(g0, s)), slope1 = double(dot(g1, s));
      BOOST_TEST(slope0 < 0);
      BOOST_TEST(double(f1) <= double(f0) + 1e-4 * slope0 + 1e-12);
      BOOST_TEST(slope1 >= 0.9 * slope0 - 1e-12);
      if (method == "strong-wolfe") BOOST_TEST(std::abs(slope1) <= 0.9 * std::abs(slope0) + 1e-12);
      BOOST_TEST(std::abs(double(norm(s)) - state.stepNorm) < 1e-10);
    }
  }
}

BOOST_AUTO_TEST_CASE(mistakes_leave_everything) {
  DlArray x = ones(2, 1);
  LbfgsState state = lbfgsState();
  const auto good = [](const DlArray& p) { return std::tuple(DlArray(sum(pow(p, 2))), DlArray(2 * p)); };
  BOOST_TEST(mistake([&] {
               lbfgsupdate(x, good, state, {.lineSearchMethod = "wolfe"});
             }).sentence.starts_with("lbfgsupdate: lineSearchMethod is \"wolfe\"; use "));
  BOOST_TEST(mistake([&] {
               lbfgsupdate(
                   x, [](const DlArray& p) { return std::tuple(DlArray(p), DlArray(p)); }, state);
             }).sentence.starts_with("lbfgsupdate: the loss is 2 x 1; it must be a scalar"));
  BOOST_TEST(mistake([&] {
               lbfgsupdate(
                   x, [](const DlArray& p) { return std::tuple(DlArray(sum(p)), DlArray(1.0)); }, state);
             }).sentence.starts_with("lbfgsupdate: gradient 0 is 1 x 1 for a parameter of 2 x 1"));
  BOOST_TEST(mistake([&] {
               lbfgsupdate(x, good, state, {.numLossFunctionOutputs = 3});
             }).sentence.starts_with("lbfgsupdate: the loss function gives 2 values, numLossFunctionOutputs is 3"));
  BOOST_TEST(mistake([&] { lbfgsState({.historySize = 0}); }).sentence.starts_with("lbfgsState: historySize is 0"));
  int calls = 0;
  BOOST_CHECK_THROW(lbfgsupdate(
                        x,
                        [&](const DlArray& p) {
                          if (++calls == 2) throw std::runtime_error("power cut");
                          return good(p);
                        },
                        state),
                    std::runtime_error);
  BOOST_TEST(isequal(x, ones(2, 1)));
  BOOST_TEST(state.lineSearchStatus.empty());
  BOOST_TEST(state.evaluations == 0);
}

BOOST_AUTO_TEST_CASE(gradients_that_are_no_numbers_are_refused) {
  DlArray x = dlarray({1.0, 2.0});
  LbfgsState state;
  const auto loss = [](const DlArray&) {
    return std::tuple(DlArray(1.0), dlarray({std::numeric_limits<double>::quiet_NaN(), 0.0}));
  };
  BOOST_TEST(mistake([&] {
               lbfgsupdate(x, loss, state);
             }).sentence.starts_with("lbfgsupdate: the gradients hold NaN or infinite numbers before the step"));
  BOOST_TEST(isequal(x, dlarray({1.0, 2.0})));
}
