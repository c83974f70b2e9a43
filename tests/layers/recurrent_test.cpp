// Recurrent layers: parameters, what they compute against the functions and by hand, what they remember, mistakes.
#include "layers/layer_harness.hpp"

using namespace dl;
using namespace dl::test;

namespace {

const DlArray X = someNumbers(Size{3, 2, 5}, "CBT");  // 3 channels, 2 observations, 5 steps

Ready shaken(const AnyLayer& layer, const Arrays& data = {X}) {
  Ready ready(layer, data);
  shake(ready.parameters);
  return ready;
}
DlArray backwards(const DlArray& x) { return flip(x, "T"); }

}  // namespace

BOOST_AUTO_TEST_CASE(parameters_have_matlabs_names_sizes_and_starts) {
  rng(1);
  const Ready l(lstmLayer(4, {.name = "l"}), Arrays{X});
  BOOST_TEST(l.layer.name() == "l");
  BOOST_TEST(l.layer->type() == "LstmLayer");
  BOOST_TEST(l.layer->stem() == "lstm");
  BOOST_TEST(
      summaryOf(l.parameters) ==
      "InputWeights 16 x 3 (1, 1), RecurrentWeights 16 x 4 (1, 1), Bias 16 x 1 (1, 0), HiddenState 4 x 1 state, CellState 4 x 1 "
      "state");
  const DlArray W = double_(l["InputWeights"]), R = double_(l["RecurrentWeights"]);
  BOOST_TEST(double(max(abs(W), {}, "all")) <= std::sqrt(6.0 / (3 + 16)));
  BOOST_TEST(double(max(abs(W), {}, "all")) > 0.5 * std::sqrt(6.0 / (3 + 16)));
  BOOST_TEST(double(max(abs(transpose(R) * R - eye(4)), {}, "all")) < 1e-6);
  DlArray open = zeros(Size{16, 1}, Type::Single);
  open(span(4, 7)) = 1;
  BOOST_TEST(isequal(l["Bias"], open));
  BOOST_TEST(isequal(l["HiddenState"], zeros(Size{4, 1}, Type::Single)));

  const Ready b(bilstmLayer(4), Arrays{X});
  BOOST_TEST(b.layer->stem() == "biLSTM");
  BOOST_TEST(
      summaryOf(b.parameters) ==
      "InputWeights 32 x 3 (1, 1), RecurrentWeights 32 x 4 (1, 1), Bias 32 x 1 (1, 0), HiddenState 8 x 1 state, CellState 8 x 1 "
      "state");
  BOOST_TEST(isequal(b["Bias"], vertcat(open, open)));

  const Ready g(gruLayer(4), Arrays{X});
  BOOST_TEST(g.layer->stem() == "gru");
  BOOST_TEST(summaryOf(g.parameters) ==
             "InputWeights 12 x 3 (1, 1), RecurrentWeights 12 x 4 (1, 1), Bias 12 x 1 (1, 0), HiddenState 4 x 1 state");
  BOOST_TEST(isequal(g["Bias"], zeros(Size{12, 1}, Type::Single)));
  const Ready two(gruLayer(4, {.resetGateMode = "recurrent-bias-after-multiplication"}), Arrays{X});
  BOOST_TEST((size(two["Bias"]) == Size{24, 1}));

  const Ready lp(lstmProjectedLayer(4, 2, 1, {.inputProjectorLearnRateFactor = 0.5}), Arrays{X});
  BOOST_TEST(
      summaryOf(lp.parameters) ==
      "InputWeights 16 x 1 (1, 1), RecurrentWeights 16 x 2 (1, 1), InputProjector 3 x 1 (0.5, 1), OutputProjector 4 x 2 (1, 1), "
      "Bias 16 x 1 (1, 0), HiddenState 4 x 1 state, CellState 4 x 1 state");
  BOOST_TEST(isequal(lp["Bias"], open));
  const Ready gp(gruProjectedLayer(4, 2, 1), Arrays{X});
  BOOST_TEST(summaryOf(gp.parameters).ends_with("OutputProjector 4 x 2 (1, 1), Bias 12 x 1 (1, 0), HiddenState 4 x 1 state"));
  const DlArray Q = double_(gp["OutputProjector"]);
  BOOST_TEST(double(max(abs(transpose(Q) * Q - eye(2)), {}, "all")) < 1e-6);
}

BOOST_AUTO_TEST_CASE(they_compute_what_the_functions_do) {
  const Ready l = shaken(lstmLayer(4, {.stateActivationFunction = "softsign", .gateActivationFunction = "hard-sigmoid"}));
  const LstmOptions soft{.stateActivationFunction = "softsign", .gateActivationFunction = "hard-sigmoid"};
  BOOST_TEST(isequal(l(X), lstm(X, l["HiddenState"], l["CellState"], l["InputWeights"], l["RecurrentWeights"], l["Bias"], soft)));
  BOOST_TEST(dims(l(X)) == "CBT");
  const Ready last = shaken(lstmLayer(4, {.outputMode = "last"}));
  const auto [Y, h, c] =
      lstm<3>(X, last["HiddenState"], last["CellState"], last["InputWeights"], last["RecurrentWeights"], last["Bias"]);
  BOOST_TEST(isequal(last(X), h));
  BOOST_TEST(dims(last(X)) == "CB");
  for (const char* mode : {"after-multiplication", "before-multiplication", "recurrent-bias-after-multiplication"}) {
    const Ready g = shaken(gruLayer(4, {.resetGateMode = mode}));
    BOOST_TEST(
        isequal(g(X), gru(X, g["HiddenState"], g["InputWeights"], g["RecurrentWeights"], g["Bias"], {.resetGateMode = mode})));
  }
  const Ready lp = shaken(lstmProjectedLayer(4, 2, 1));
  const DlArray W = lp["InputWeights"] * transpose(lp["InputProjector"]),
                R = lp["RecurrentWeights"] * transpose(lp["OutputProjector"]);
  BOOST_TEST(differenceOf(lp(X), lstm(X, lp["HiddenState"], lp["CellState"], W, R, lp["Bias"])) < 1e-14);
  const Ready gp = shaken(gruProjectedLayer(4, 2, 1));
  const DlArray Wg = gp["InputWeights"] * transpose(gp["InputProjector"]),
                Rg = gp["RecurrentWeights"] * transpose(gp["OutputProjector"]);
  BOOST_TEST(differenceOf(gp(X), gru(X, gp["HiddenState"], Wg, Rg, gp["Bias"])) < 1e-14);
}

BOOST_AUTO_TEST_CASE(both_directions_read_the_sequence_both_ways) {
  const Ready b = shaken(bilstmLayer(4)), last = shaken(bilstmLayer(4, {.outputMode = "last"}));
  const auto half = [&](const char* name, bool second) {
    const Index rows = size(b[name], 0) / 2;
    return b[name](span(second ? rows : 0, (second ? 2 * rows : rows) - 1), all);
  };
  const auto direction = [&](bool back) {
    return lstm<3>(back ? backwards(X) : X, half("HiddenState", back), half("CellState", back), half("InputWeights", back),
                   half("RecurrentWeights", back), half("Bias", back));
  };
  const auto [Y1, h1, c1] = direction(false);
  const auto [Y2, h2, c2] = direction(true);
  const DlArray Y = b(X);
  BOOST_TEST((size(Y) == Size{8, 2, 5}));
  BOOST_TEST(isequal(Y, cat("C", {Y1, backwards(Y2)})));
  BOOST_TEST(isequal(last(X), cat("C", {h1, h2})));
  Parameters next;
  BOOST_TEST(isequal(last.layer->forward({X}, last.parameters, next)[0], last(X)));
  BOOST_TEST(isequal(next["HiddenState"], stripdims(cat("C", {h1, h2}))));
  BOOST_TEST(isequal(next["CellState"], stripdims(cat("C", {c1, c2}))));
}

BOOST_AUTO_TEST_CASE(states_are_remembered_until_reset) {
  for (const AnyLayer& layer : {lstmLayer(4), gruLayer(4), lstmProjectedLayer(4, 2, 2), gruProjectedLayer(4, 2, 2)}) {
    BOOST_TEST_CONTEXT(layer->type()) {
      Ready ready(layer, Arrays{X});
      const bool cell = ready.parameters.has("CellState");
      for (auto& e : ready.parameters.entries()) e.value = double_(e.value);
      const DlArray whole = ready(X);
      BOOST_TEST(isequal(ready(X), whole));  // predict alone changes nothing
      Parameters next;
      const DlArray first = layer->predictAndUpdate({X(all, all, span(0, 2))}, ready.parameters, next)[0];
      BOOST_TEST(next.entries().size() == (cell ? 2U : 1U));
      BOOST_TEST((size(next["HiddenState"]) == Size{4, 2}));
      BOOST_TEST(dims(next["HiddenState"]) == "");
      BOOST_TEST(next.find("HiddenState")->isState);
      for (const auto& e : next.entries()) ready.parameters.find(e.name)->value = e.value;
      const DlArray second = ready(X(all, all, span(3, 4)));
      BOOST_TEST(differenceOf(cat("T", {first, second}), whole) < 1e-14);
      Parameters training;
      layer->forward({X(all, all, span(3, 4))}, ready.parameters, training);
      BOOST_TEST(differenceOf(training["HiddenState"], stripdims(whole)(all, all, 4)) < 1e-14);
      layer->resetState(ready.parameters);
      BOOST_TEST(isequal(ready["HiddenState"], zeros(4, 1)));
      BOOST_TEST(bool(underlyingType(ready["HiddenState"]) == Type::Double));
      BOOST_TEST(differenceOf(ready(X), whole) < 1e-14);
      Parameters fresh;
      layer->resetState(fresh);
      BOOST_TEST(fresh.entries().size() == (cell ? 2U : 1U));
    }
  }
}

BOOST_AUTO_TEST_CASE(initial_states_may_be_given_and_come_back) {
  const DlArray h = someNumbers(Size{4, 1}), c = someNumbers(Size{4, 1}, "", 1);
  const AnyLayer layer = lstmLayer(4, {.cellState = c, .hiddenState = h});
  Ready ready(layer, Arrays{X});
  BOOST_TEST(isequal(ready["HiddenState"], h));
  BOOST_TEST(isequal(ready["CellState"], c));
  ready.parameters.find("HiddenState")->value = zeros(4, 2);
  layer->resetState(ready.parameters);
  BOOST_TEST(isequal(ready["HiddenState"], h));
  BOOST_TEST(isequal(Ready(gruLayer(2, {.hiddenState = dlarray({1, 2})}), Arrays{X})["HiddenState"], dlarray({{1}, {2}})));
}

BOOST_AUTO_TEST_CASE(a_column_of_state_serves_every_observation_and_another_number_is_refused) {
  Ready ready(lstmLayer(4, {.name = "l"}), Arrays{X});
  Parameters next;
  ready.layer->predictAndUpdate({X(all, 0, all)}, ready.parameters, next);
  BOOST_TEST((size(next["HiddenState"]) == Size{4, 1}));
  for (const auto& e : next.entries()) ready.parameters.find(e.name)->value = e.value;
  BOOST_TEST((size(ready(X)) == Size{4, 2, 5}));  // one column is for all
  ready.parameters.find("HiddenState")->value = zeros(4, 3);
  BOOST_TEST(mistake([&] { ready(X); }).sentence ==
             "lstmLayer \"l\": HiddenState is 4 x 3, but the input has 2 observations: 3(C) x 2(B) x 5(T); call resetState "
             "before data of "
             "another number of observations");
}

BOOST_AUTO_TEST_CASE(states_go_in_and_out_through_ports) {
  const AnyLayer layer = lstmLayer(4, {.hasStateInputs = true, .hasStateOutputs = true});
  BOOST_TEST((layer->inputNames() == std::vector<std::string>{"in", "hidden", "cell"}));
  BOOST_TEST((layer->outputNames() == std::vector<std::string>{"out", "hidden", "cell"}));
  BOOST_TEST((gruLayer(4, {.hasStateOutputs = true})->outputNames() == std::vector<std::string>{"out", "hidden"}));
  BOOST_TEST((gruLayer(4)->inputNames() == std::vector<std::string>{"in"}));
  const DlArray h = someNumbers(Size{4, 2}, "CB", 3), c = someNumbers(Size{4, 2}, "CB", 4);
  const Ready ready = shaken(layer, {X, h, c});
  BOOST_TEST(!ready.parameters.has("HiddenState"));
  const Arrays Y = ready.predict({X, h, c});
  const auto [Y0, h0, c0] = lstm<3>(X, h, c, ready["InputWeights"], ready["RecurrentWeights"], ready["Bias"]);
  BOOST_REQUIRE(Y.size() == 3U);
  BOOST_TEST(isequal(Y[0], Y0));
  BOOST_TEST(isequal(Y[1], h0));
  BOOST_TEST(isequal(Y[2], c0));
  Parameters next;
  ready.layer->forward({X, h, c}, ready.parameters, next);
  BOOST_TEST(next.entries().empty());
  checkLayerDerivatives(layer, {X, h, c}, 2);
  checkLayerDerivatives(gruLayer(2, {.hasStateInputs = true}), {X, h(span(0, 1), all)}, 2);
  BOOST_TEST(mistake([&] { ready.predict({X}); }).sentence == "lstmLayer: there is 1 input, the layer has 3");
  BOOST_TEST(
      mistake([&] {
        ready.predict({X, dlarray(zeros(4, 3), "CB"), c});
      }).sentence ==
      "lstmLayer: the input \"hidden\" is 4(C) x 3(B), but the input has 2 observations: 3(C) x 2(B) x 5(T); states must have as "
      "many columns as there are observations, or one");
}

BOOST_AUTO_TEST_CASE(derivatives_of_two_orders_by_everything_learned) {
  const DlArray x = someNumbers(Size{2, 2, 3}, "CBT");
  for (const AnyLayer& layer :
       {lstmLayer(2), lstmLayer(2, {.outputMode = "last"}), bilstmLayer(2), bilstmLayer(2, {.outputMode = "last"}), gruLayer(2),
        gruLayer(2, {.outputMode = "last"}), lstmProjectedLayer(2, 1, 1), gruProjectedLayer(2, 1, 1, {.outputMode = "last"})})
    checkLayerDerivatives(layer, {x}, 2, {}, shake);
  // In training too, where states are written beside: the same gradient.
  const Ready ready = shaken(lstmLayer(2), {x});
  const auto gradient = [&](bool training) {
    return dlfeval(
        [&](const DlArray& w) {
          Parameters p = ready.parameters, next;
          p.find("InputWeights")->value = w;
          const DlArray Y = training ? ready.layer->forward({x}, p, next)[0] : ready.layer->predict({x}, p)[0];
          return dlgradient(sum(stripdims(Y) % stripdims(Y), "all"), w);
        },
        ready["InputWeights"]);
  };
  BOOST_TEST(differenceOf(gradient(true), gradient(false)) < 1e-14);
}

BOOST_AUTO_TEST_CASE(data_without_time_or_observations_and_images) {
  const Ready l = shaken(lstmLayer(4, {.outputMode = "last"}));
  const DlArray step = someNumbers(Size{3, 2}, "CB"), alone = someNumbers(Size{3, 5}, "CT");
  BOOST_TEST(differenceOf(l(step), lstm(step, l["HiddenState"], l["CellState"], l["InputWeights"], l["RecurrentWeights"],
                                        l["Bias"])) == 0.0);
  BOOST_TEST(dims(l(alone)) == "CU");
  const Ready b = shaken(bilstmLayer(4, {.outputMode = "last"}));
  BOOST_TEST((size(b(step)) == Size{8, 2}));
  BOOST_TEST((size(b(alone)) == Size{8, 1}));
  const DlArray frames = someNumbers(Size{2, 2, 3, 2, 4}, "SSCBT");
  const Ready f(gruLayer(4), Arrays{frames});
  BOOST_TEST((size(f["InputWeights"]) == Size{12, 12}));
  BOOST_TEST((size(f(frames)) == Size{4, 2, 4}));
}

BOOST_AUTO_TEST_CASE(options_are_shown) {
  BOOST_TEST((optionsOf(gruLayer(4, {.outputMode = "last"})) == std::vector<std::string>{"numHiddenUnits=4",
                                                                                         "outputMode=last",
                                                                                         "hasStateInputs=false",
                                                                                         "hasStateOutputs=false",
                                                                                         "resetGateMode=after-multiplication",
                                                                                         "stateActivationFunction=tanh",
                                                                                         "gateActivationFunction=sigmoid",
                                                                                         "inputSize=0",
                                                                                         "hiddenState=0 x 0",
                                                                                         "inputWeightsInitializer=glorot",
                                                                                         "inputWeights=0 x 0",
                                                                                         "inputWeightsLearnRateFactor=1",
                                                                                         "inputWeightsL2Factor=1",
                                                                                         "recurrentWeightsInitializer=orthogonal",
                                                                                         "recurrentWeights=0 x 0",
                                                                                         "recurrentWeightsLearnRateFactor=1",
                                                                                         "recurrentWeightsL2Factor=1",
                                                                                         "biasInitializer=zeros",
                                                                                         "bias=0 x 0",
                                                                                         "biasLearnRateFactor=1",
                                                                                         "biasL2Factor=0"}));
  const auto projected = optionsOf(lstmProjectedLayer(4, 3, 2));
  BOOST_TEST(projected[1] == "outputProjectorSize=3");
  BOOST_TEST(projected[2] == "inputProjectorSize=2");
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  const Ready ready(lstmLayer(4, {.name = "l"}), Arrays{X});
  BOOST_TEST(mistake([&] {
               ready(someNumbers(Size{5, 2, 3}, "CBT"));
             }).sentence == "lstmLayer \"l\": a step of the input has 5 numbers, the weights are for 3: 5(C) x 2(B) x 3(T)");
  BOOST_TEST(mistake([] { Ready(gruLayer(4, {.inputSize = 2}), Arrays{X}); }).sentence ==
             "gruLayer: a step of the input has 3 numbers, .inputSize is 2: 3(C) x 2(B) x 5(T)");
  BOOST_TEST(mistake([] {
               Ready(gruLayer(4), {DataLayout(Size{3, 2}, "SB")});
             }).sentence == "gruLayer: the input is 3(S) x 2(B); it needs a dimension of channels, C");
  BOOST_TEST(mistake([] { Ready(lstmLayer(4, {.inputWeights = ones(16, 2)}), Arrays{X}); }).sentence ==
             "lstmLayer: InputWeights is 16 x 2; for this data it must be 16 x 3");
  BOOST_TEST(sentenceOf([] { lstmLayer(0); }) == "lstmLayer: the number of hidden units is 0; it must be 1 at least");
  BOOST_TEST(sentenceOf([] { bilstmLayer(4, {.outputMode = "first"}); }) ==
             "bilstmLayer: .outputMode = \"first\"; it is \"sequence\" or \"last\"");
  BOOST_TEST(sentenceOf([] { gruLayer(4, {.resetGateMode = "never"}); }) ==
             "gruLayer: .resetGateMode = \"never\"; it is \"after-multiplication\", \"before-multiplication\" or "
             "\"recurrent-bias-after-multiplication\"");
  BOOST_TEST(sentenceOf([] { lstmLayer(4, {.hasStateInputs = true, .hiddenState = ones(4, 1)}); }) ==
             "lstmLayer: with .hasStateInputs the states come in with the data; leave .hiddenState and .cellState empty");
  BOOST_TEST(sentenceOf([] { lstmLayer(4, {.hiddenState = ones(3, 1)}); }) ==
             "lstmLayer: an initial state is 3 x 1; it must be 4 x 1, or 4 x B");
  BOOST_TEST(sentenceOf([] { lstmProjectedLayer(4, 0, 1); }) ==
             "lstmProjectedLayer: the size of the output projector is 0; it must be 1 at least");
}
