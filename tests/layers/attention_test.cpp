// Attention, positions and tokens as layers.
#include "layers/layer_harness.hpp"

using namespace dl;
using namespace dl::test;

namespace {

const DlArray X = someNumbers(Size{4, 2, 5}, "CBT");  // 4 channels, 2 observations, 5 tokens

Ready shaken(const AnyLayer& layer, const Arrays& data = {X}) {
  Ready ready(layer, data);
  shake(ready.parameters);
  return ready;
}

}  // namespace

BOOST_AUTO_TEST_CASE(self_attention_is_projections_around_attention) {
  rng(1);
  const AnyLayer layer = selfAttentionLayer(2, 6, {.name = "a", .numValueChannels = 8, .outputSize = 3, .weightL2Factor = 0.5});
  Ready ready(layer, Arrays{X});
  BOOST_TEST(layer.name() == "a");
  BOOST_TEST(layer->type() == "SelfAttentionLayer");
  BOOST_TEST(layer->stem() == "selfattention");
  BOOST_TEST(summaryOf(ready.parameters) ==
             "QueryWeights 6 x 4 (1, 0.5), KeyWeights 6 x 4 (1, 0.5), ValueWeights 8 x 4 (1, 0.5), OutputWeights 3 x 8 (1, 0.5), "
             "QueryBias 6 x 1 (1, 0), KeyBias 6 x 1 (1, 0), ValueBias 8 x 1 (1, 0), OutputBias 3 x 1 (1, 0)");
  BOOST_TEST(double(max(abs(ready["QueryWeights"]), {}, "all")) <= std::sqrt(6.0 / (4 + 6)) * (1 + 1e-6));
  BOOST_TEST(isequal(ready["OutputBias"], zeros(Size{3, 1}, Type::Single)));
  shake(ready.parameters);
  const auto projected = [&](const DlArray& x, const std::string& name) {
    return fullyconnect(x, ready[name + "Weights"], ready[name + "Bias"]);
  };
  const DlArray q = projected(X, "Query"), k = projected(X, "Key"), v = projected(X, "Value");
  const DlArray Y = ready(X);
  BOOST_TEST(isequal(Y, projected(attention(q, k, v, 2), "Output")));
  BOOST_TEST((size(Y) == Size{3, 2, 5}));
  // By hand, for one head of one observation.
  const DlArray Q = stripdims(q)(span(0, 2), 0, all), K = stripdims(k)(span(0, 2), 0, all);
  const DlArray scores = exp(transpose(reshape(K, 3, 5)) * reshape(Q, 3, 5) / std::sqrt(3.0)), A = scores / sum(scores, 0);
  const auto [unused, weights] = attention<2>(q, k, v, 2);
  BOOST_TEST(differenceOf(weights(all, all, 0, 0), A) < 1e-14);

  const Ready causal = shaken(selfAttentionLayer(2, 6, {.attentionMask = "causal"}));
  BOOST_TEST((size(causal["OutputWeights"]) == Size{4, 6}));
  DlArray later = X;
  later(all, all, 4) = 7;
  BOOST_TEST(differenceOf(causal(X)(all, all, span(0, 3)), causal(later)(all, all, span(0, 3))) == 0.0);
  BOOST_TEST(differenceOf(causal(X), causal(later)) > 0.01);
}

BOOST_AUTO_TEST_CASE(self_attention_over_space_is_that_over_time) {
  const DlArray S = dlarray(stripdims(X), "CBS");
  const Ready ready = shaken(selfAttentionLayer(2, 4, {.hasPaddingMaskInput = true}), {X, dlarray(ones(Size{1, 2, 5}), "CBT")});
  DlArray mask = ones(Size{1, 2, 5});
  mask(0, 1, 3) = 0;
  const DlArray overTime = ready.predict({X, dlarray(mask, "CBT")})[0], overSpace = ready.predict({S, dlarray(mask, "CBS")})[0];
  BOOST_TEST(dims(overSpace) == "SCB");
  BOOST_TEST(differenceOf(dlarray(stripdims(overTime), "CBS"), overSpace) < 1e-14);
  BOOST_TEST((ready.layer->inputNames() == std::vector<std::string>{"in", "mask"}));
  // A hidden key counts for nothing.
  DlArray other = X;
  other(all, 1, 3) = 9;
  const DlArray a = overTime, b = ready.predict({other, dlarray(mask, "CBT")})[0];
  BOOST_TEST(differenceOf(a(all, all, span(0, 2)), b(all, all, span(0, 2))) == 0.0);
}

BOOST_AUTO_TEST_CASE(scores_come_out_and_dropout_is_for_training) {
  const AnyLayer layer = selfAttentionLayer(2, 4, {.dropoutProbability = 0.5, .hasScoresOutput = true});
  BOOST_TEST((layer->outputNames() == std::vector<std::string>{"out", "scores"}));
  const Ready ready = shaken(layer);
  const Arrays Y = ready.predict({X});
  BOOST_REQUIRE(Y.size() == 2U);
  BOOST_TEST((size(Y[1]) == Size{5, 5, 2, 2}));
  BOOST_TEST(double(max(abs(sum(Y[1], 0) - 1), {}, "all")) < 1e-14);
  BOOST_TEST(isequal(ready.predict({X})[0], Y[0]));
  Parameters next;
  BOOST_TEST(differenceOf(layer->forward({X}, ready.parameters, next)[0], Y[0]) > 1e-3);
  BOOST_TEST(next.entries().empty());
}

BOOST_AUTO_TEST_CASE(attention_of_three_inputs) {
  const DlArray K = someNumbers(Size{4, 2, 3}, "CBT", 1), V = someNumbers(Size{6, 2, 3}, "CBT", 2);
  const AnyLayer layer = attentionLayer(2, {.scale = 0.7, .hasPaddingMaskInput = true, .hasScoresOutput = true});
  BOOST_TEST((layer->inputNames() == std::vector<std::string>{"query", "key", "value", "mask"}));
  BOOST_TEST(layer->stem() == "attention");
  const DlArray mask = dlarray(reshape(dlarray({1, 1, 0, 1, 1, 1}), 1, 2, 3), "CBT");
  const Ready ready(layer, Arrays{X, K, V, mask});
  BOOST_TEST(ready.parameters.entries().empty());
  const Arrays Y = ready.predict({X, K, V, mask});
  const auto [Y0, A] = attention<2>(X, K, V, 2, {.scale = 0.7, .paddingMask = mask});
  BOOST_TEST(isequal(Y[0], Y0));
  BOOST_TEST(isequal(Y[1], A));
  BOOST_TEST(double(A(1, 0, 0, 0)) == 0.0);  // the padding is that of observation 0, key 1
  checkLayerDerivatives(attentionLayer(2), {X, K, V});
  checkLayerDerivatives(
      attentionLayer(1, {.attentionMask = dlarray(reshape(dlarray({1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1}), 3, 5))}),
      {X, K, V});
  BOOST_TEST(mistake([&] {
               Ready(attentionLayer(3), Arrays{X, K, V});
             }).sentence == "attentionLayer: 3 heads do not divide the 4 channels of 4(C) x 2(B) x 5(T)");
  BOOST_TEST(mistake([&] {
               attentionLayer(2)->predict({X, V, V}, Parameters());
             }).sentence.starts_with("attentionLayer: attention: keys must have as many channels as queries: "));
  BOOST_TEST(mistake([&] { attentionLayer(2)->predict({X}, Parameters()); }).sentence ==
             "attentionLayer: there is 1 input, the layer has 3");
}

BOOST_AUTO_TEST_CASE(derivatives_of_self_attention) {
  checkLayerDerivatives(selfAttentionLayer(2, 2), {someNumbers(Size{2, 2, 3}, "CBT")}, 2, {}, shake);
  checkLayerDerivatives(selfAttentionLayer(1, 2), {someNumbers(Size{3, 2, 2}, "SCB")}, 2, {}, shake);
}

BOOST_AUTO_TEST_CASE(positions_are_embedded) {
  const Ready ready(positionEmbeddingLayer(3, 7, {.weightLearnRateFactor = 2}), Arrays{X});
  BOOST_TEST(summaryOf(ready.parameters) == "Weights 3 x 7 (2, 1)");
  BOOST_TEST(ready.layer->stem() == "positionembedding");
  const DlArray Y = ready(X), W = ready["Weights"];
  BOOST_TEST((size(Y) == Size{3, 2, 5}));
  for (int b = 0; b < 2; ++b) BOOST_TEST(isequal(reshape(stripdims(Y)(all, b, all), 3, 5), W(all, span(0, 4))));
  const DlArray S = someNumbers(Size{6, 4, 2}, "SCB");
  const DlArray Z = ready(S);
  BOOST_TEST(dims(Z) == "SCB");
  BOOST_TEST(isequal(stripdims(Z)(all, all, 1), transpose(W(all, span(0, 5)))));
  checkLayerDerivatives(positionEmbeddingLayer(3, 6), {X});
  BOOST_TEST(mistake([&] {
               ready(someNumbers(Size{4, 2, 8}, "CBT"));
             }).sentence == "positionEmbeddingLayer: the input has 8 tokens, there are 7 positions: 4(C) x 2(B) x 8(T)");
  BOOST_TEST(mistake([&] {
               ready(someNumbers(Size{4, 2}, "CB"));
             }).sentence ==
             "positionEmbeddingLayer: the input is 4(C) x 2(B); it needs one dimension, T or S, along which tokens lie");
}

BOOST_AUTO_TEST_CASE(positions_are_encoded_by_waves) {
  const Ready ready(sinusoidalPositionEncodingLayer(6), Arrays{X});
  const DlArray Y = ready(X);
  BOOST_TEST((size(Y) == Size{6, 2, 5}));
  double worst = 0;
  for (int c = 0; c < 6; ++c)
    for (int t = 0; t < 5; ++t) {
      const double angle = t / std::pow(10000, 2 * (c / 2) / 6.0);
      worst = std::fmax(worst, std::abs(double(stripdims(Y)(c, 1, t)) - (c % 2 ? std::cos(angle) : std::sin(angle))));
    }
  BOOST_TEST(worst < 1e-15);
  const DlArray positions = dlarray(reshape(dlarray({0, 0, 1, 1, 2, 2, 3, 3, 4, 4}), Size{1, 2, 5}), "CBT");
  BOOST_TEST(differenceOf(Ready(sinusoidalPositionEncodingLayer(6, {.positions = "data-values"}), Arrays{positions})(positions),
                          Y) < 1e-15);
  BOOST_TEST(bool(underlyingType(ready(single_(X))) == Type::Single));
  BOOST_TEST(dims(ready(someNumbers(Size{6, 4, 2}, "SCB"))) == "SCB");
  BOOST_TEST(sentenceOf([] { sinusoidalPositionEncodingLayer(5); }) ==
             "sinusoidalPositionEncodingLayer: the output size is 5; it must be even and positive");
}

BOOST_AUTO_TEST_CASE(a_learned_token_comes_first) {
  const Ready ready = shaken(embeddingConcatenationLayer());
  BOOST_TEST(summaryOf(ready.parameters) == "Weights 4 x 1 (1, 1)");
  const DlArray Y = ready(X);
  BOOST_TEST((size(Y) == Size{4, 2, 6}));
  for (int b = 0; b < 2; ++b) BOOST_TEST(isequal(stripdims(Y)(all, b, 0), ready["Weights"]));
  BOOST_TEST(isequal(Y(all, all, span(1, 5)), X));
  const DlArray S = someNumbers(Size{3, 4, 2}, "SCB"), Z = ready(S);
  BOOST_TEST((size(Z) == Size{4, 4, 2}));
  BOOST_TEST(isequal(stripdims(Z)(0, all, 1), transpose(ready["Weights"])));
  checkLayerDerivatives(embeddingConcatenationLayer(), {X});
  BOOST_TEST(mistake([&] {
               ready(someNumbers(Size{3, 2, 5}, "CBT"));
             }).sentence == "embeddingConcatenationLayer: the input has 3 channels, the token has 4: 3(C) x 2(B) x 5(T)");
}

BOOST_AUTO_TEST_CASE(one_token_is_picked) {
  const auto pick = [](const AnyLayer& layer, const DlArray& x) { return Ready(layer, Arrays{x})(x); };
  BOOST_TEST(isequal(stripdims(pick(indexing1dLayer(), X)), stripdims(X)(all, all, 0)));
  BOOST_TEST(isequal(stripdims(pick(indexing1dLayer("last"), X)), stripdims(X)(all, all, 4)));
  BOOST_TEST(isequal(stripdims(pick(indexing1dLayer(2), X)), stripdims(X)(all, all, 2)));
  BOOST_TEST(isequal(stripdims(pick(indexing1dLayer(0), X)), stripdims(X)(all, all, 0)));
  BOOST_TEST(dims(pick(indexing1dLayer(2), X)) == "CB");
  const DlArray S = someNumbers(Size{3, 4, 2}, "SCB");
  BOOST_TEST(isequal(stripdims(pick(indexing1dLayer(1), S)), reshape(stripdims(S)(1, all, all), 4, 2)));
  rng(1);
  bool found[5] = {};
  for (int i = 0; i < 60; ++i)
    for (int t = 0; t < 5; ++t) found[t] |= isequal(stripdims(pick(indexing1dLayer("random"), X)), stripdims(X)(all, all, t));
  BOOST_TEST((found[0] && found[1] && found[2] && found[3] && found[4]));
  checkLayerDerivatives(indexing1dLayer("last"), {X});
  BOOST_TEST(mistake([] { indexing1dLayer(5, {.name = "i"})->predict({X}, Parameters()); }).sentence ==
             "indexing1dLayer \"i\": token 5 is not among the 5 of the input, 4(C) x 2(B) x 5(T)");
  BOOST_TEST(sentenceOf([] { indexing1dLayer("middle"); }) ==
             "indexing1dLayer: .index = \"middle\"; it is \"first\", \"last\" or \"random\"");
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  const Ready ready(selfAttentionLayer(2, 4, {.name = "a"}), Arrays{X});
  BOOST_TEST(mistake([&] {
               ready(someNumbers(Size{3, 2, 5}, "CBT"));
             }).sentence == "selfAttentionLayer \"a\": the input has 3 channels, the weights are for 4: 3(C) x 2(B) x 5(T)");
  BOOST_TEST(
      mistake([&] {
        ready(someNumbers(Size{2, 4, 2, 5}, "SCBT"));
      }).sentence ==
      "selfAttentionLayer \"a\": the input is 2(S) x 4(C) x 2(B) x 5(T); it needs one dimension, T or S, along which tokens lie");
  BOOST_TEST(mistake([] { Ready(selfAttentionLayer(2, 4, {.keyBias = ones(3, 1)}), Arrays{X}); }).sentence ==
             "selfAttentionLayer: KeyBias is 3 x 1; for this data it must be 4 x 1");
  BOOST_TEST(sentenceOf([] { selfAttentionLayer(2, 3); }) ==
             "selfAttentionLayer: 2 heads must divide 3 key channels and 3 value channels");
  BOOST_TEST(sentenceOf([] { selfAttentionLayer(0, 3); }) ==
             "selfAttentionLayer: the number of heads is 0; it must be 1 at least");
  BOOST_TEST(sentenceOf([] { selfAttentionLayer(1, 3, {.dropoutProbability = 1}); }) ==
             "selfAttentionLayer: the probability is 1; it must be at least 0 and less than 1");
  BOOST_TEST(sentenceOf([] { attentionLayer(1, {.attentionMask = "all"}); }) ==
             "attentionLayer: .attentionMask = \"all\"; it is \"none\" or \"causal\"");
}
