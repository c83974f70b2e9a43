// Embeddings of tokens as layers.
#include "layers/layer_harness.hpp"

using namespace dl;
using namespace dl::test;

BOOST_AUTO_TEST_CASE(words_take_their_columns_and_strangers_the_last) {
  rng(2);
  const DlArray X = dlarray(reshape(dlarray({0, 2, 4, 1, 3, 9}), Size{1, 2, 3}), "CBT");
  const Ready ready(wordEmbeddingLayer(3, 4, {.name = "emb", .weightLearnRateFactor = 2, .weightL2Factor = 0.5}), Arrays{X});
  BOOST_TEST(ready.layer.name() == "emb");
  BOOST_TEST(ready.layer->type() == "WordEmbeddingLayer");
  BOOST_TEST(summaryOf(ready.parameters) == "Weights 3 x 5 (2, 0.5)");
  const DlArray Y = ready(X), W = ready["Weights"];
  BOOST_TEST((size(Y) == Size{3, 2, 3}));
  BOOST_TEST(dims(Y) == "CBT");
  const int columns[] = {0, 2, 4, 1, 3, 4};
  for (int i = 0; i < 6; ++i) BOOST_TEST(isequal(stripdims(Y)(all, i % 2, i / 2), W(all, columns[i])));
  BOOST_TEST(isequal(Y, embed(X, W)));
  // Without C at all.
  const Ready plain(embeddingLayer(3, 4), {DataLayout(Size{2, 3}, "BT")});
  BOOST_TEST(summaryOf(plain.parameters) == "Weights 3 x 4 (1, 1)");
  BOOST_TEST(dims(plain(dlarray(dlarray({{0, 1, 2}, {3, 0, 7}}), "BT"))) == "CBT");
}

BOOST_AUTO_TEST_CASE(weights_start_small_or_as_given) {
  rng(4);
  const Ready ready(wordEmbeddingLayer(100, 199), {DataLayout(Size{1, 1}, "CB")});
  const DlArray W = double_(ready["Weights"]);
  BOOST_TEST(std::abs(double(mean(W, "all"))) < 3e-4);
  BOOST_TEST(std::abs(std::sqrt(double(var(W, 1, "all"))) - 0.01) < 2e-4);
  const DlArray own = someNumbers(Size{2, 4});
  BOOST_TEST(isequal(Ready(wordEmbeddingLayer(2, 3, {.weights = own}), {DataLayout(Size{1, 1}, "CB")})["Weights"], own));
}

BOOST_AUTO_TEST_CASE(derivatives_by_weights) {
  checkLayerDerivatives(wordEmbeddingLayer(2, 3), {dlarray(reshape(dlarray({0, 2, 5, 2}), 1, 4), "CB")}, 2, {false});
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  const std::string several =
      "wordEmbeddingLayer: the input has 2 channels; tokens take their place, so C is left out or has size 1: ";
  BOOST_TEST(mistake([] {
               Ready(wordEmbeddingLayer(2, 3), {DataLayout(Size{2, 5}, "CB")});
             }).sentence == several + "2(C) x 5(B)");
  const Ready ready(wordEmbeddingLayer(2, 3), {DataLayout(Size{1, 5}, "CB")});
  BOOST_TEST(mistake([&] { ready(dlarray(ones(2, 3), "CB")); }).sentence == several + "2(C) x 3(B)");
  BOOST_TEST(mistake([&] { ready(dlarray(0.5 * ones(1, 3), "CB")); }).sentence ==
             "wordEmbeddingLayer: embed: token 0.5 is not a whole number");
  BOOST_TEST(mistake([] {
               Ready(wordEmbeddingLayer(2, 3, {.weights = ones(2, 3)}), {DataLayout(Size{1, 5}, "CB")});
             }).sentence == "wordEmbeddingLayer: Weights is 2 x 3; for this data it must be 2 x 4");
  BOOST_TEST(
      mistake([] { embeddingLayer(0, 3); }).sentence.starts_with("embeddingLayer: the dimension is 0; it must be 1 at least"));
}
