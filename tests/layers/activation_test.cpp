// Activation and dropout layers: what they compute, learn and refuse.
#include "layers/layer_harness.hpp"

using namespace dl;
using namespace dl::test;

namespace {

struct Expected {
  AnyLayer layer;
  const char *type, *stem;
  double (*f)(double);
};

const std::vector<Expected>& elementwiseLayers() {
  static const std::vector<Expected> all{
      {reluLayer(), "ReluLayer", "relu", [](double x) { return x > 0 ? x : 0.0; }},
      {leakyReluLayer(), "LeakyReluLayer", "leakyrelu", [](double x) { return x > 0 ? x : 0.01 * x; }},
      {leakyReluLayer(0.2), "LeakyReluLayer", "leakyrelu", [](double x) { return x > 0 ? x : 0.2 * x; }},
      {clippedReluLayer(0.5), "ClippedReluLayer", "clippedrelu", [](double x) { return std::fmin(std::fmax(x, 0), 0.5); }},
      {eluLayer(), "EluLayer", "elu", [](double x) { return x > 0 ? x : std::expm1(x); }},
      {eluLayer(2), "EluLayer", "elu", [](double x) { return x > 0 ? x : 2 * std::expm1(x); }},
      {geluLayer(), "GeluLayer", "gelu", [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }},
      {geluLayer({.approximation = "tanh"}), "GeluLayer", "gelu",
       [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }},
      {sigmoidLayer(), "SigmoidLayer", "sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {tanhLayer(), "TanhLayer", "tanh", [](double x) { return std::tanh(x); }},
      {swishLayer(), "SwishLayer", "swish", [](double x) { return x / (1 + std::exp(-x)); }},
      {softplusLayer(), "SoftplusLayer", "softplus", [](double x) { return std::log1p(std::exp(x)); }},
      {mishLayer(), "MishLayer", "mish", [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }},
  };
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(functions_of_each_element) {
  for (const Expected& e : elementwiseLayers()) {
    BOOST_TEST_CONTEXT(e.type) {
      BOOST_TEST(e.layer->type() == e.type);
      BOOST_TEST(e.layer->stem() == e.stem);
      BOOST_TEST(e.layer.name() == "");
      for (const char* labels : {"SSCB", "CBT", "CB"}) {
        const Size size = std::string(labels) == "SSCB"  ? Size{3, 2, 2, 2}
                          : std::string(labels) == "CBT" ? Size{2, 3, 4}
                                                         : Size{5, 2};
        const DlArray X = 2 * someNumbers(size, labels);
        const Ready ready(e.layer, Arrays{X});
        BOOST_TEST(ready.parameters.entries().empty());
        std::vector<double> expected = extractdata<std::vector<double>>(X);
        for (double& x : expected) x = e.f(x);
        BOOST_TEST(differenceOf(ready(X), dlarray(reshape(dlarray(expected), size), labels)) < 1e-14);
      }
      checkLayerDerivatives(e.layer, {2 * someNumbers(Size{3, 4}, "CB")});
    }
  }
}

BOOST_AUTO_TEST_CASE(names_and_options_are_kept) {
  BOOST_TEST(reluLayer({.name = "act"}).name() == "act");
  BOOST_TEST((optionsOf(leakyReluLayer(0.1)) == std::vector<std::string>{"scale=0.1"}));
  BOOST_TEST((optionsOf(clippedReluLayer(6)) == std::vector<std::string>{"ceiling=6"}));
  BOOST_TEST((optionsOf(eluLayer()) == std::vector<std::string>{"alpha=1"}));
  BOOST_TEST((optionsOf(geluLayer({.approximation = "tanh"})) == std::vector<std::string>{"approximation=tanh"}));
  BOOST_TEST((optionsOf(dropoutLayer(0.3)) == std::vector<std::string>{"probability=0.3"}));
  BOOST_TEST((optionsOf(preluLayer()) == std::vector<std::string>{"alpha=1 x 1", "alphaLearnRateFactor=1", "alphaL2Factor=1"}));
  BOOST_TEST(optionsOf(tanhLayer()).empty());
  BOOST_TEST(dropoutLayer(0.5, {.name = "d"}).name() == "d");
  BOOST_TEST(geluLayer({.name = "g"}).name() == "g");
}

BOOST_AUTO_TEST_CASE(softmax_is_over_channels) {
  const DlArray X = 3 * someNumbers(Size{2, 3, 4, 2}, "SSCB");
  const Ready ready(softmaxLayer(), Arrays{X});
  const DlArray e = exp(X);
  BOOST_TEST(differenceOf(ready(X), e / sum(e, "C")) < 1e-15);
  BOOST_TEST(ready.layer->stem() == "softmax");
  checkLayerDerivatives(softmaxLayer(), {someNumbers(Size{4, 3}, "CB")});
  BOOST_TEST(mistake([&] {
               ready(someNumbers(Size{2, 3}, "SB"));
             }).sentence == "softmaxLayer: the input is 2(S) x 3(B); it needs a dimension of channels, C");
  BOOST_TEST(mistake([] {
               Ready(softmaxLayer({.name = "s"}), {DataLayout(Size{2, 3}, "SB")});
             }).sentence == "softmaxLayer \"s\": the input is 2(S) x 3(B); it needs a dimension of channels, C");
}

BOOST_AUTO_TEST_CASE(prelu_learns_a_slope_for_each_channel) {
  const DlArray X = someNumbers(Size{2, 2, 3, 2}, "SSCB");
  Ready ready(preluLayer({.alphaLearnRateFactor = 2, .alphaL2Factor = 0}), Arrays{X});
  BOOST_TEST(summaryOf(ready.parameters) == "Alpha 1 x 1 x 3 (2, 0)");
  BOOST_TEST(isequal(ready["Alpha"], 0.25 * ones(Size{1, 1, 3}, Type::Single)));
  ready.parameters.find("Alpha")->value = reshape(dlarray({0.1, -0.5, 2.0}), 1, 1, 3);
  const DlArray slopes = dlarray(std::vector<double>{0.1, -0.5, 2.0}, "C");
  BOOST_TEST(differenceOf(ready(X), max(X, 0) + slopes % min(X, 0)) < 1e-15);
  BOOST_TEST(summaryOf(Ready(preluLayer({.alpha = dlarray({1, 2, 3})}), Arrays{someNumbers(Size{3, 2, 4}, "CBT")}).parameters) ==
             "Alpha 3 x 1 (1, 1)");
  checkLayerDerivatives(preluLayer(), {someNumbers(Size{3, 4}, "CB")});
  BOOST_TEST(mistake([&] {
               ready(someNumbers(Size{2, 5}, "CB"));
             }).sentence == "preluLayer: the input has 2 channels, Alpha is for 3: 2(C) x 5(B)");
  BOOST_TEST(mistake([&] {
               Ready(preluLayer({.alpha = dlarray({1, 2})}), Arrays{X});
             }).sentence == "preluLayer: Alpha is 1 x 2; for this data it must be a number or 1 x 1 x 3");
}

BOOST_AUTO_TEST_CASE(dropout_acts_in_training_only) {
  const DlArray X = dlarray(ones(Size{50, 40}), "CB");
  const Ready ready(dropoutLayer(0.3), Arrays{X});
  BOOST_TEST(isequal(ready(X), X));
  rng(7);
  Parameters state;
  const DlArray Y = ready.layer->forward({X}, ready.parameters, state)[0];
  BOOST_TEST(state.entries().empty());
  rng(7);
  BOOST_TEST(isequal(Y, dropout(X, 0.3)));
  const double kept = double(mean(stripdims(Y) > 0, "all"));
  BOOST_TEST(std::abs(kept - 0.7) < 0.04);
  BOOST_TEST(double(max(stripdims(Y), {}, "all")) == 1 / 0.7);
  BOOST_TEST(sentenceOf([] { dropoutLayer(1); }) == "dropoutLayer: the probability is 1; it must be at least 0 and less than 1");
}

BOOST_AUTO_TEST_CASE(spatial_dropout_drops_whole_channels) {
  const DlArray X = dlarray(ones(Size{3, 2, 20, 10}, Type::Single), "SSCB");
  const Ready ready(spatialDropoutLayer(0.4), Arrays{X});
  BOOST_TEST(isequal(ready(X), X));
  rng(3);
  Parameters state;
  const DlArray Y = ready.layer->forward({X}, ready.parameters, state)[0];
  BOOST_TEST(bool(underlyingType(Y) == Type::Single));
  BOOST_TEST(dims(Y) == "SSCB");
  // Constant along S, with zeros and ones / 0.6 among channels and observations.
  BOOST_TEST(double(max(max(stripdims(Y), {}, {0, 1}) - min(stripdims(Y), {}, {0, 1}), {}, "all")) == 0.0);
  const double kept = double(mean(stripdims(Y) > 0, "all"));
  BOOST_TEST(std::abs(kept - 0.6) < 0.15);
  BOOST_TEST(std::abs(double(max(stripdims(Y), {}, "all")) - 1 / 0.6) < 1e-6);
  // Over time too.
  const DlArray Z = ready.layer->forward({dlarray(ones(Size{6, 5, 7}), "CBT")}, ready.parameters, state)[0];
  BOOST_TEST(double(max(max(stripdims(Z), {}, 2) - min(stripdims(Z), {}, 2), {}, "all")) == 0.0);
  BOOST_TEST(mistake([&] {
               ready(someNumbers(Size{2, 3}, "SB"));
             }).sentence == "spatialDropoutLayer: the input is 2(S) x 3(B); it needs a dimension of channels, C");
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  const double infinite = std::numeric_limits<double>::infinity();
  BOOST_TEST(sentenceOf([&] { clippedReluLayer(infinite); }) ==
             "clippedReluLayer: the ceiling is inf; it must be a finite number");
  BOOST_TEST(sentenceOf([&] { leakyReluLayer(std::nan("")); }) ==
             "leakyReluLayer: the scale is nan; it must be a finite number");
  BOOST_TEST(sentenceOf([&] { eluLayer(infinite); }) == "eluLayer: alpha is inf; it must be a finite number");
  BOOST_TEST(sentenceOf([] { clippedReluLayer(-1); }) == "clippedReluLayer: the ceiling is -1; it must be positive");
  BOOST_TEST(sentenceOf([] { geluLayer({.approximation = "exact"}); }) ==
             "geluLayer: .approximation = \"exact\"; it is \"none\" or \"tanh\"");
  BOOST_TEST(sentenceOf([] { preluLayer({.alphaL2Factor = -1}); }) ==
             "preluLayer: a factor is -1; factors are finite and not negative");
  BOOST_TEST(mistake([] { reluLayer({.name = "r"})->predict({}, Parameters()); }).sentence ==
             "reluLayer \"r\": there are 0 inputs, the layer has 1");
}
