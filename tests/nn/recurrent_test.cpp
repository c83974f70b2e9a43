// Recurrent functions beyond their rows: against the same in ordinary operations, any number of threads, extremes, mistakes.
#include "cpu/kernel_test.hpp"
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

using Arrays = std::vector<DlArray>;

// X, H0, C0, weights, recurrent weights, bias.
Arrays problem(Index features, Index batch, Index steps, Index hidden, Type type = Type::Double) {
  rng(3);
  const auto some = [&](const Size& size) { return randn(size, type); };
  return {dlarray(some({features, batch, steps}), "CBT"),
          some({hidden, batch}),
          some({hidden, batch}),
          0.3 * some({4 * hidden, features}),
          0.1 * some({4 * hidden, hidden}),
          some({4 * hidden, 1})};
}

DlArray logistic(const DlArray& x) { return 1 / (1 + exp(-x)); }

std::tuple<DlArray, DlArray, DlArray> composed(const Arrays& in) {
  const Index hidden = size(in[4], 1);
  const DlArray x = stripdims(in[0]);
  DlArray h = in[1], c = in[2];
  Arrays y;
  for (Index t = 0; t < size(x, 2); ++t) {
    const DlArray z = in[3] * x(all, all, t) + in[4] * h + in[5];
    const auto gate = [&](Index k) { return z(span(k * hidden, (k + 1) * hidden - 1), all); };
    c = logistic(gate(1)) % c + logistic(gate(0)) % tanh(gate(2));
    h = logistic(gate(3)) % tanh(c);
    y.push_back(h);
  }
  return {cat(2, y), h, c};
}

// The same problem with projectors of the input and of the state.
Arrays projectedProblem(const Arrays& in, Index projected) {
  const Index features = size(in[3], 1), hidden = size(in[4], 1);
  const auto part = [](const DlArray& x, Index rows, Index columns) { return x(span(0, rows - 1), span(0, columns - 1)); };
  Arrays x = in;
  x[4] = part(in[4], 4 * hidden, projected);
  x.push_back(0.5 * part(in[3], features, features));
  x.push_back(3 * part(flip(in[4], 0), hidden, projected));
  return x;
}
std::tuple<DlArray, DlArray, DlArray> projectedLstm(const Arrays& x) {
  return lstmp<3>(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]);
}
std::tuple<DlArray, DlArray, DlArray> composedProjected(const Arrays& x) {
  return composed({x[0], x[1], x[2], x[3] * transpose(x[6]), x[4] * transpose(x[7]), x[5]});
}

// X, H0, weights, recurrent weights, biases of both kinds.
Arrays gruProblem(Index features, Index batch, Index steps, Index hidden, Type type = Type::Double) {
  const Arrays in = problem(features, batch, steps, hidden, type);
  const DlArray rows = in[5](span(0, 3 * hidden - 1), all);
  return {in[0], in[1], in[3](span(0, 3 * hidden - 1), all), in[4](span(0, 3 * hidden - 1), all),
          vertcat(rows, 0.5 * flip(rows, 0))};
}

std::tuple<DlArray, DlArray, DlArray> gruOf(const Arrays& in) {
  const auto [y, h] = gru<2>(in[0], in[1], in[2], in[3], in[4], {.resetGateMode = "recurrent-bias-after-multiplication"});
  return {y, h, y};
}

std::tuple<DlArray, DlArray, DlArray> composedGru(const Arrays& in) {
  const Index hidden = size(in[3], 1);
  const DlArray x = stripdims(in[0]);
  DlArray h = in[1];
  Arrays y;
  for (Index t = 0; t < size(x, 2); ++t) {
    const DlArray u = in[2] * x(all, all, t) + in[4](span(0, 3 * hidden - 1), all),
                  v = in[3] * h + in[4](span(3 * hidden, end), all);
    const auto gate = [&](const DlArray& z, Index k) { return z(span(k * hidden, (k + 1) * hidden - 1), all); };
    const DlArray r = logistic(gate(u, 0) + gate(v, 0)), z = logistic(gate(u, 1) + gate(v, 1));
    h = (1 - z) % tanh(gate(u, 2) + r % gate(v, 2)) + z % h;
    y.push_back(h);
  }
  return {cat(2, y), h, cat(2, y)};
}

// The same problem without the second half of the bias, and with the reset gate before the product.
Arrays resetFirstProblem(const Arrays& in) {
  Arrays x = in;
  x[4] = in[4](span(0, 3 * size(in[3], 1) - 1), all);
  return x;
}
std::tuple<DlArray, DlArray, DlArray> resetFirst(const Arrays& in) {
  const auto [y, h] = gru<2>(in[0], in[1], in[2], in[3], in[4], {.resetGateMode = "before-multiplication"});
  return {y, h, y};
}
std::tuple<DlArray, DlArray, DlArray> composedResetFirst(const Arrays& in) {
  const Index hidden = size(in[3], 1);
  const DlArray x = stripdims(in[0]);
  const auto gate = [&](const DlArray& z, Index k) { return z(span(k * hidden, (k + 1) * hidden - 1), all); };
  DlArray h = in[1];
  Arrays y;
  for (Index t = 0; t < size(x, 2); ++t) {
    const DlArray u = in[2] * x(all, all, t) + in[4], v = in[3] * h;
    const DlArray r = logistic(gate(u, 0) + gate(v, 0)), z = logistic(gate(u, 1) + gate(v, 1));
    h = (1 - z) % tanh(gate(u, 2) + gate(in[3], 2) * (r % h)) + z % h;
    y.push_back(h);
  }
  return {cat(2, y), h, cat(2, y)};
}

template <class F>
Arrays gradientsOf(F&& f, const Arrays& in, const GradientOptions& options = {}) {
  const auto loss = [&](const Arrays& x) {
    const auto [y, h, c] = f(x);
    const DlArray value = sum(pow(stripdims(y), 2), "all") + sum(sin(stripdims(h)), "all") + sum(pow(stripdims(c), 2), "all");
    return dlgradient(value, x, options);
  };
  return dlfeval(loss, in);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_fused_lstm_is_the_composed_one) {
  // The last one is long enough for several products to bring the input to the gates.
  for (const auto& in : {problem(7, 19, 6, 33), problem(3, 1, 9, 48), problem(5, 4, 1, 10), problem(2, 600, 11, 50)}) {
    const auto fused = [](const Arrays& x) { return lstm<3>(x[0], x[1], x[2], x[3], x[4], x[5]); };
    const auto [y, h, c] = fused(in);
    const auto [y2, h2, c2] = composed(in);
    BOOST_TEST(difference(y, extractdata<Numbers>(y2), 1e-13) == "");
    BOOST_TEST(difference(h, extractdata<Numbers>(h2), 1e-13) == "");
    BOOST_TEST(difference(c, extractdata<Numbers>(c2), 1e-13) == "");
    const Arrays g = gradientsOf(fused, in), g2 = gradientsOf(composed, in);
    for (std::size_t i = 0; i < g.size(); ++i) BOOST_TEST(difference(g[i], extractdata<Numbers>(g2[i]), 1e-11) == "");
  }
}

BOOST_AUTO_TEST_CASE(the_projected_lstm_is_the_composed_one) {
  for (const auto& [in, projected] : {std::pair(problem(7, 19, 6, 33), 9),
                                      {problem(3, 1, 9, 48), 48},
                                      {problem(5, 4, 1, 10), 1},
                                      {problem(2, 600, 11, 50), 20}}) {
    const Arrays p = projectedProblem(in, projected);
    const auto [y, h, c] = projectedLstm(p);
    const auto [y2, h2, c2] = composedProjected(p);
    BOOST_TEST(difference(y, extractdata<Numbers>(y2), 1e-13) == "");
    BOOST_TEST(difference(c, extractdata<Numbers>(c2), 1e-13) == "");
    const Arrays g = gradientsOf(projectedLstm, p), g2 = gradientsOf(composedProjected, p),
                 recorded = gradientsOf(projectedLstm, p, {.enableHigherDerivatives = true});
    for (std::size_t i = 0; i < g.size(); ++i) {
      BOOST_TEST(difference(g[i], extractdata<Numbers>(g2[i]), 1e-11) == "");
      BOOST_TEST(difference(recorded[i], extractdata<Numbers>(g2[i]), 1e-11) == "");
    }
  }
}

BOOST_AUTO_TEST_CASE(the_fused_gru_is_the_composed_one) {
  for (const auto& in :
       {gruProblem(7, 19, 6, 33), gruProblem(3, 1, 9, 48), gruProblem(5, 4, 1, 10), gruProblem(2, 600, 11, 60)}) {
    BOOST_TEST(difference(std::get<0>(gruOf(in)), extractdata<Numbers>(std::get<0>(composedGru(in))), 1e-13) == "");
    const Arrays g = gradientsOf(gruOf, in), g2 = gradientsOf(composedGru, in);
    for (std::size_t i = 0; i < g.size(); ++i) BOOST_TEST(difference(g[i], extractdata<Numbers>(g2[i]), 1e-11) == "");
  }
}

BOOST_AUTO_TEST_CASE(the_fused_gru_with_the_reset_gate_first_is_the_composed_one) {
  // The last one has so few units that its weights' gradient is summed in pieces of the steps.
  for (const auto& with : {gruProblem(7, 19, 6, 33), gruProblem(3, 1, 9, 48), gruProblem(5, 4, 1, 10), gruProblem(2, 600, 11, 60),
                           gruProblem(3, 500, 40, 5)}) {
    const Arrays in = resetFirstProblem(with);
    BOOST_TEST(difference(std::get<0>(resetFirst(in)), extractdata<Numbers>(std::get<0>(composedResetFirst(in))), 1e-13) == "");
    const Arrays g = gradientsOf(resetFirst, in), g2 = gradientsOf(composedResetFirst, in),
                 recorded = gradientsOf(resetFirst, in, {.enableHigherDerivatives = true});
    for (std::size_t i = 0; i < g.size(); ++i) {
      BOOST_TEST(difference(g[i], extractdata<Numbers>(g2[i]), 1e-11) == "");
      BOOST_TEST(difference(recorded[i], extractdata<Numbers>(g2[i]), 1e-11) == "");
    }
  }
}

BOOST_AUTO_TEST_CASE(results_do_not_depend_on_threads) {
  const Arrays in = problem(16, 40, 12, 50, Type::Single);
  const Arrays forGru = gruProblem(16, 40, 12, 50, Type::Single);
  const Arrays fewUnits = resetFirstProblem(gruProblem(4, 300, 60, 12, Type::Single));
  const auto run = [&] {
    Arrays g = gradientsOf([](const Arrays& x) { return lstm<3>(x[0], x[1], x[2], x[3], x[4], x[5]); }, in);
    for (const DlArray& x : gradientsOf(projectedLstm, projectedProblem(in, 20))) g.push_back(x);
    for (const DlArray& x : gradientsOf(gruOf, forGru)) g.push_back(x);
    for (const DlArray& x : gradientsOf(resetFirst, resetFirstProblem(forGru))) g.push_back(x);
    for (const DlArray& x : gradientsOf(resetFirst, fewUnits)) g.push_back(x);
    g.push_back(std::get<0>(gruOf(forGru)));
    g.push_back(std::get<0>(resetFirst(resetFirstProblem(forGru))));
    std::vector<float> values = extractdata<std::vector<float>>(lstm(in[0], in[1], in[2], in[3], in[4], in[5]));
    for (const DlArray& x : g) {
      const auto more = extractdata<std::vector<float>>(x);
      values.insert(values.end(), more.begin(), more.end());
    }
    return values;
  };
  bool same = false;
  cpu::sameForThreads(run, same);
  BOOST_TEST(same);
}

BOOST_AUTO_TEST_CASE(single_outputs_are_the_same) {
  const Arrays in = problem(3, 4, 5, 6);
  const auto [y, h, c] = lstm<3>(in[0], in[1], in[2], in[3], in[4], in[5]);
  BOOST_TEST(isequal(y, lstm(in[0], in[1], in[2], in[3], in[4], in[5])));
  const auto [y2, h2] = lstm<2>(in[0], in[1], in[2], in[3], in[4], in[5]);
  BOOST_TEST(isequal(h, h2));
  BOOST_TEST(isequal(stripdims(h), stripdims(y)(all, all, 4)));
  BOOST_TEST(text(h) == "6(C) x 4(B)");
  BOOST_TEST(text(c) == "6(C) x 4(B)");
}

// What a sequence is cut into does not matter when the states are passed on.
BOOST_AUTO_TEST_CASE(states_carry_on) {
  const Arrays in = problem(3, 2, 7, 5);
  const auto [y, h, c] = lstm<3>(in[0], in[1], in[2], in[3], in[4], in[5]);
  const auto [y1, h1, c1] = lstm<3>(in[0](all, all, span(0, 2)), in[1], in[2], in[3], in[4], in[5]);
  const auto [y2, h2, c2] = lstm<3>(in[0](all, all, span(3, 6)), h1, c1, in[3], in[4], in[5]);
  BOOST_TEST(difference(cat("T", {y1, y2}), extractdata<Numbers>(y), 1e-14) == "");
  BOOST_TEST(difference(c2, extractdata<Numbers>(c), 1e-14) == "");
  const DlArray w = in[3](span(0, 14), all), r = in[4](span(0, 14), all), b = in[5](span(0, 14), all);
  const auto [u, k] = gru<2>(in[0], in[1], w, r, b);
  const auto [u1, k1] = gru<2>(in[0](all, all, span(0, 2)), in[1], w, r, b);
  const auto [u2, k2] = gru<2>(in[0](all, all, span(3, 6)), k1, w, r, b);
  BOOST_TEST(difference(cat("T", {u1, u2}), extractdata<Numbers>(u), 1e-14) == "");
  BOOST_TEST(difference(k2, extractdata<Numbers>(k), 1e-14) == "");
}

BOOST_AUTO_TEST_CASE(no_steps_change_nothing) {
  const Arrays in = problem(3, 2, 1, 5);
  const auto [y, h, c] = lstm<3>(zeros(Size{3, 2, 0}), in[1], in[2], in[3], in[4], in[5], {.dataFormat = "CBT"});
  BOOST_TEST((size(y) == Size{5, 2, 0}));
  BOOST_TEST(isequal(h, in[1]));
  BOOST_TEST(isequal(c, in[2]));
}

BOOST_AUTO_TEST_CASE(extreme_numbers_saturate) {
  Arrays in = problem(4, 8, 5, 16, Type::Single);
  in[0] = in[0] * 1e30;
  const auto [y, h, c] = lstm<3>(in[0], in[1], in[2], in[3], in[4], in[5]);
  BOOST_TEST(bool(all(isfinite(stripdims(y)), "all")));
  BOOST_TEST(bool(all(abs(stripdims(y)) <= 1, "all")));
  for (const DlArray& g : gradientsOf([](const Arrays& x) { return lstm<3>(x[0], x[1], x[2], x[3], x[4], x[5]); }, in))
    BOOST_TEST(bool(all(isfinite(stripdims(g)), "all")));
}

// Gates that are shut or open for good have no slope of any order: no exponential on the way may become infinite times zero.
BOOST_AUTO_TEST_CASE(saturated_gates_have_second_derivatives) {
  for (const Type type : {Type::Double, Type::Single}) {
    Arrays in = problem(4, 3, 3, 5, type);
    in[0] = in[0] * 1e4;
    const auto rows = [](const DlArray& x) { return DlArray(x(span(0, 14), all)); };
    const std::function<DlArray(const Arrays&)> functions[] = {
        [](const Arrays& x) { return lstm(x[0], x[1], x[2], x[3], x[4], x[5]); },
        [&](const Arrays& x) { return gru(x[0], x[1], rows(x[3]), rows(x[4]), rows(x[5])); },
        [&](const Arrays& x) {
          return gru(x[0], x[1], rows(x[3]), rows(x[4]), rows(x[5]), {.resetGateMode = "before-multiplication"});
        }};
    for (const auto& f : functions) {
      const Arrays second = dlfeval(
          [&](const Arrays& x) {
            DlArray along = 0.0;
            for (const DlArray& g : dlgradient(sum(stripdims(f(x)), "all"), x, {.enableHigherDerivatives = true}))
              along = along + sum(stripdims(g), "all");
            return dlgradient(along, x);
          },
          in);
      for (const DlArray& g : second) BOOST_TEST(bool(all(isfinite(stripdims(g)), "all")));
    }
  }
}

// The gates in single precision have exponentials of their own: over all their range, small numbers too, as good as those in
// double. From a cell state of 0 nothing cancels.
BOOST_AUTO_TEST_CASE(single_gates_are_precise) {
  const Index n = 20000;
  const DlArray wide = linspace(-120, 120, n);
  for (const DlArray& x : {wide, DlArray(wide / 1e6)})
    for (const double gates : {0.0, 0.5, 1.0}) {
      const DlArray data = single_(reshape(x, 1, n)), w = reshape(dlarray({gates, gates, 1.0, -gates / 2}), 4, 1);
      const auto run = [&](const DlArray& in) {
        return lstm(in, zeros(1, 1), zeros(1, 1), w, zeros(4, 1), zeros(4, 1), {.dataFormat = "CB"});
      };
      const Numbers got = extractdata<Numbers>(run(data)), want = extractdata<Numbers>(run(double_(data)));
      double worst = 0;
      for (std::size_t i = 0; i < got.size(); ++i)
        worst = std::max(worst, std::abs(got[i] - want[i]) / (std::abs(want[i]) + 1e-30));
      BOOST_TEST(worst < 1e-6);
    }
}

BOOST_AUTO_TEST_CASE(types_are_promoted) {
  const Arrays in = problem(3, 2, 4, 5);
  const auto typeOf = [](const DlArray& x) { return name(underlyingType(x)); };
  BOOST_TEST(typeOf(lstm(single_(in[0]), in[1], in[2], in[3], in[4], in[5])) == "single");
  BOOST_TEST(typeOf(lstm(in[0] > 0, in[1], in[2], in[3], in[4], in[5])) == "double");
  const DlArray w = in[3](span(0, 14), all), r = in[4](span(0, 14), all), b = single_(in[5])(span(0, 14), all);
  BOOST_TEST(typeOf(gru(in[0] > 0, in[1], w, r, b)) == "single");
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  const Arrays in = problem(3, 2, 4, 5);
  const auto with = [&](std::size_t i, const DlArray& x) {
    return [&in, i, x] {
      Arrays other = in;
      other[i] = x;
      lstm(other[0], other[1], other[2], other[3], other[4], other[5]);
    };
  };
  BOOST_TEST(sentenceOf(with(0, stripdims(in[0]))) ==
             "lstm: 3 x 2 x 4 has no labels to tell channels from observations; label it, dlarray(X, \"CB\"), or say .dataFormat "
             "= \"CB\"");
  BOOST_TEST(sentenceOf(with(0, dlarray(ones(3, 2, 4), "CUU"))) ==
             "lstm: the data is 3(C) x 2(U) x 4(U); it may have the labels S, C, B and T");
  BOOST_TEST(sentenceOf(with(1, ones(5, 3))) ==
             "lstm: the hidden state is 5 x 3; for 5 hidden units and 2 observations it must be 5(C) x 2(B), or 5 x 1 for all");
  BOOST_TEST(
      sentenceOf(with(1, dlarray(ones(5, 2), "SC"))) ==
      "lstm: the hidden state is 5(S) x 2(C); for 5 hidden units and 2 observations it must be 5(C) x 2(B), or 5 x 1 for all");
  BOOST_TEST(sentenceOf(with(2, ones(1, 5))) ==
             "lstm: the cell state is 1 x 5; for 5 hidden units and 2 observations it must be 5(C) x 2(B), or 5 x 1 for all");
  BOOST_TEST(sentenceOf(with(3, ones(20, 4))) == "lstm: the weight matrix is 20 x 4, it must be 20 x 3");
  BOOST_TEST(sentenceOf(with(4, ones(20, 4))) ==
             "lstm: the recurrent weight matrix is 20 x 4; for n hidden units it must be 4 n x n");
  BOOST_TEST(sentenceOf(with(5, ones(15, 1))) == "lstm: the bias is 15 x 1, it must be 20 x 1");
  BOOST_TEST(sentenceOf([&] { lstm(in[0], in[1], in[2], in[3], in[4], in[5], {.stateActivationFunction = "sigmoid"}); }) ==
             "lstm: .stateActivationFunction = \"sigmoid\"; it is \"tanh\", \"softsign\" or \"relu\"");
  BOOST_TEST(sentenceOf([&] { lstm(in[0], in[1], in[2], in[3], in[4], in[5], {.gateActivationFunction = "tanh"}); }) ==
             "lstm: .gateActivationFunction = \"tanh\"; it is \"sigmoid\" or \"hard-sigmoid\"");
  BOOST_TEST(sentenceOf([&] { lstmp(in[0], in[1], in[2], in[3], ones(20, 2), in[5], ones(3, 4), ones(5, 2)); }) ==
             "lstmp: the weight matrix is 20 x 3, it must be 20 x 4");
  BOOST_TEST(sentenceOf([&] { lstmp(in[0], in[1], in[2], in[3], ones(20, 2), in[5], ones(4, 3), ones(5, 2)); }) ==
             "lstmp: the input projector is 4 x 3, it must be 3 x 3");
  BOOST_TEST(sentenceOf([&] { lstmp(in[0], in[1], in[2], in[3], ones(20, 2), in[5], ones(3, 3), ones(4, 2)); }) ==
             "lstmp: the output projector is 4 x 2, it must be 5 x 2");
  const DlArray w = ones(15, 3), r = ones(15, 5), b = ones(15, 1);
  BOOST_TEST(sentenceOf([&] { gru(in[0], in[1], w, ones(20, 5), b); }) ==
             "gru: the recurrent weight matrix is 20 x 5; for n hidden units it must be 3 n x n");
  BOOST_TEST(sentenceOf([&] { gru(in[0], in[1], w, r, b, {.resetGateMode = "recurrent-bias-after-multiplication"}); }) ==
             "gru: the bias is 15 x 1, it must be 30 x 1");
  BOOST_TEST(sentenceOf([&] { gru(in[0], in[1], w, r, b, {.resetGateMode = "after"}); }) ==
             "gru: .resetGateMode = \"after\"; it is \"after-multiplication\", \"before-multiplication\" or "
             "\"recurrent-bias-after-multiplication\"");
}
