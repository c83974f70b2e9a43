// Normalisation layers: parameters, states in training and in use, derivatives, mistakes.
#include "layers/layer_harness.hpp"

using namespace dl;
using namespace dl::test;

namespace {

const DlArray image = someNumbers(Size{3, 2, 4, 5}, "SSCB"), sequence = someNumbers(Size{4, 3, 6}, "CBT");

void setChannels(Parameters& p) {
  p.find("Offset")->value = reshape(dlarray({0.5, -1.0, 2.0, 0.0}), size(p["Offset"]));
  p.find("Scale")->value = reshape(dlarray({1.5, -0.5, 1.0, 3.0}), size(p["Scale"]));
}
const DlArray offsets = dlarray(std::vector<double>{0.5, -1.0, 2.0, 0.0}, "C"),
              scales = dlarray(std::vector<double>{1.5, -0.5, 1.0, 3.0}, "C");

// By the definition, with statistics over these labels.
DlArray normalizedOver(const DlArray& x, const Dimensions& along, double epsilon = 1e-5) {
  const DlArray d = x - mean(x, along);
  return scales % (d / sqrt(mean(d % d, along) + epsilon)) + offsets;
}

}  // namespace

BOOST_AUTO_TEST_CASE(batch_normalization_uses_states_and_moves_them_in_training) {
  Ready ready(batchNormalizationLayer({.name = "bn", .meanDecay = 0.2, .varianceDecay = 0.3, .epsilon = 1e-3}), Arrays{image});
  BOOST_TEST(ready.layer->type() == "BatchNormalizationLayer");
  BOOST_TEST(ready.layer->stem() == "batchnorm");
  BOOST_TEST(ready.layer.name() == "bn");
  BOOST_TEST(summaryOf(ready.parameters) ==
             "Offset 1 x 1 x 4 (1, 1), Scale 1 x 1 x 4 (1, 1), TrainedMean 1 x 1 x 4 state, TrainedVariance 1 x 1 x 4 state");
  const DlArray none = zeros(Size{1, 1, 4}, Type::Single), one = ones(Size{1, 1, 4}, Type::Single);
  BOOST_TEST(isequal(ready["Offset"], none));
  BOOST_TEST(isequal(ready["Scale"], one));
  BOOST_TEST(isequal(ready["TrainedMean"], none));
  BOOST_TEST(isequal(ready["TrainedVariance"], one));

  for (auto& e : ready.parameters.entries()) e.value = double_(e.value);
  setChannels(ready.parameters);
  BOOST_TEST(differenceOf(ready(image), scales % (image / std::sqrt(1 + 1e-3)) + offsets) < 1e-14);

  Parameters next;
  const DlArray Y = ready.layer->forward({image}, ready.parameters, next)[0];
  BOOST_TEST(differenceOf(Y, normalizedOver(image, "SB", 1e-3)) < 1e-13);
  BOOST_TEST(summaryOf(next) == "TrainedMean 1 x 1 x 4 state, TrainedVariance 1 x 1 x 4 state");
  const DlArray mu = mean(image, "SB"), d = image - mu, variance = mean(d % d, "SB");
  BOOST_TEST(differenceOf(next["TrainedMean"], reshape(0.2 * mu, 1, 1, 4)) < 1e-15);
  BOOST_TEST(differenceOf(next["TrainedVariance"], reshape(0.3 * variance, 1, 1, 4) + 0.7) < 1e-15);
  BOOST_TEST(isequal(ready["TrainedMean"], double_(none)));  // until the network is given the new ones

  for (const char* state : {"TrainedMean", "TrainedVariance"}) ready.parameters.find(state)->value = next[state];
  const DlArray used = scales % ((image - 0.2 * mu) / sqrt(0.3 * variance + 0.7 + 1e-3)) + offsets;
  BOOST_TEST(differenceOf(ready(image), used) < 1e-13);
}

BOOST_AUTO_TEST_CASE(states_in_a_trace_are_constants) {
  Ready ready(batchNormalizationLayer(), Arrays{sequence});
  BOOST_TEST(summaryOf(ready.parameters).starts_with("Offset 4 x 1 (1, 1), Scale 4 x 1 (1, 1), TrainedMean 4 x 1 state"));
  const auto mistakeIn = mistake([&] {
    dlfeval(
        [&](const DlArray& x) {
          Parameters next;
          ready.layer->forward({x}, ready.parameters, next);
          return dlgradient(sum(next["TrainedMean"], "all"), x);
        },
        sequence);
  });
  BOOST_TEST(mistakeIn.sentence != "nothing");
}

BOOST_AUTO_TEST_CASE(training_has_derivatives_of_two_orders) {
  Ready ready(batchNormalizationLayer(), Arrays{sequence});
  for (auto& e : ready.parameters.entries()) e.value = double_(e.value);
  const auto f = [&](const Arrays& x) {
    Parameters p = ready.parameters, next;
    p.find("Offset")->value = x[1];
    p.find("Scale")->value = x[2];
    const DlArray Y = stripdims(ready.layer->forward({x[0]}, p, next)[0]);
    return sum(Y % someNumbers(size(Y), "", 1), "all");
  };
  checkDerivatives(f, {sequence, someNumbers(Size{4, 1}), someNumbers(Size{4, 1}, "", 2)}, {true, true, true}, 2,
                   [](const std::string& sentence) { BOOST_ERROR(sentence); });
  checkLayerDerivatives(batchNormalizationLayer(), {image});
}

BOOST_AUTO_TEST_CASE(given_statistics_and_parameters_are_taken) {
  const DlArray mu = dlarray({1, 2, 3, 4}), variance = dlarray({4.0, 1.0, 9.0, 1.0});
  const Ready ready(
      batchNormalizationLayer({.trainedMean = mu, .trainedVariance = variance, .offset = ones(4, 1), .scale = 2 * ones(4, 1)}),
      Arrays{image});
  BOOST_TEST(isequal(ready["TrainedMean"], reshape(mu, 1, 1, 4)));
  BOOST_TEST(isequal(ready["Offset"], ones(Size{1, 1, 4})));
  const DlArray m = dlarray(reshape(mu, 4, 1), "CU"), v = dlarray(reshape(variance, 4, 1), "CU");
  BOOST_TEST(differenceOf(ready(image), 2 * (image - m) / sqrt(v + 1e-5) + 1) < 1e-13);
}

BOOST_AUTO_TEST_CASE(layer_normalization_treats_time_steps_on_their_own) {
  const auto at = [](const char* together, const DlArray& x) {
    Ready ready(layerNormalizationLayer({.operationDimension = together}), Arrays{x});
    setChannels(ready.parameters);
    return ready(x);
  };
  BOOST_TEST(differenceOf(at("auto", sequence), normalizedOver(sequence, "C")) < 1e-13);
  BOOST_TEST(differenceOf(at("spatial-channel", sequence), normalizedOver(sequence, "C")) < 1e-13);
  BOOST_TEST(differenceOf(at("batch-excluded", sequence), normalizedOver(sequence, "CT")) < 1e-13);
  BOOST_TEST(differenceOf(at("auto", image), normalizedOver(image, "SC")) < 1e-13);
  BOOST_TEST(differenceOf(at("channel-only", image), normalizedOver(image, "C")) < 1e-13);
  const Ready ready(layerNormalizationLayer(), Arrays{sequence});
  BOOST_TEST(summaryOf(ready.parameters) == "Offset 4 x 1 (1, 1), Scale 4 x 1 (1, 1)");
  BOOST_TEST(ready.layer->stem() == "layernorm");
  for (const char* together : {"auto", "channel-only", "batch-excluded"})
    checkLayerDerivatives(layerNormalizationLayer({.operationDimension = together}), {sequence});
  BOOST_TEST(sentenceOf([] { layerNormalizationLayer({.operationDimension = "time"}); }) ==
             "layerNormalizationLayer: .operationDimension = \"time\"; it is \"auto\", \"channel-only\", \"spatial-channel\" or "
             "\"batch-excluded\"");
}

BOOST_AUTO_TEST_CASE(groups_and_instances) {
  const auto run = [](const AnyLayer& layer, const DlArray& x) {
    Ready ready(layer, Arrays{x});
    BOOST_TEST(summaryOf(ready.parameters) == "Offset 1 x 1 x 4 (1, 1), Scale 1 x 1 x 4 (1, 1)");
    setChannels(ready.parameters);
    return ready(x);
  };
  BOOST_TEST(differenceOf(run(groupNormalizationLayer("all-channels"), image), normalizedOver(image, "SC")) < 1e-13);
  BOOST_TEST(differenceOf(run(groupNormalizationLayer("channel-wise"), image), normalizedOver(image, "S")) < 1e-13);
  BOOST_TEST(differenceOf(run(instanceNormalizationLayer(), image), normalizedOver(image, "S")) < 1e-13);
  const DlArray two = run(groupNormalizationLayer(2), image);
  const DlArray plain = stripdims(image), half = plain(all, all, span(0, 1), all);
  const DlArray d = half - mean(half, {0, 1, 2}), own = d / sqrt(mean(d % d, {0, 1, 2}) + 1e-5);
  BOOST_TEST(differenceOf(stripdims(two)(all, all, 1, all), -0.5 * own(all, all, 1, all) - 1) < 1e-13);
  checkLayerDerivatives(groupNormalizationLayer(2), {image});
  checkLayerDerivatives(instanceNormalizationLayer(), {image});
  BOOST_TEST((optionsOf(groupNormalizationLayer(2))[0] == "numGroups=2"));
  BOOST_TEST(mistake([] { Ready(groupNormalizationLayer(3, {.name = "g"}), {DataLayout(image)}); }).sentence ==
             "groupNormalizationLayer \"g\": 3 groups do not divide the 4 channels of the input, 3(S) x 2(S) x 4(C) x 5(B)");
  BOOST_TEST(sentenceOf([] { groupNormalizationLayer(0); }) ==
             "groupNormalizationLayer: the number of groups is 0; it must be 1 at least");
}

BOOST_AUTO_TEST_CASE(across_channels) {
  const Ready ready(crossChannelNormalizationLayer(3, {.alpha = 0.5, .beta = 0.6, .k = 1.5}), Arrays{image});
  BOOST_TEST(ready.parameters.entries().empty());
  BOOST_TEST(ready.layer->stem() == "crossnorm");
  const DlArray x = stripdims(image), s = x % x;
  const DlArray around = s(all, all, 0, all) + s(all, all, 1, all) + s(all, all, 2, all);
  BOOST_TEST(differenceOf(stripdims(ready(image))(all, all, 1, all), x(all, all, 1, all) / pow(1.5 + 0.5 / 3 * around, 0.6)) <
             1e-14);
  BOOST_TEST(isequal(Ready(crossChannelNormalizationLayer(5), Arrays{image})(image), crosschannelnorm(image, 5)));
  checkLayerDerivatives(crossChannelNormalizationLayer(2), {image});
}

BOOST_AUTO_TEST_CASE(factors_initialisers_and_options) {
  const AnyLayer layer = batchNormalizationLayer({.numChannels = 4,
                                                  .offsetInitializer = "ones",
                                                  .scaleInitializer = [](const Size& size) { return 3 * ones(size); },
                                                  .offsetLearnRateFactor = 2,
                                                  .scaleLearnRateFactor = 3,
                                                  .offsetL2Factor = 0,
                                                  .scaleL2Factor = 0.5});
  const Ready ready(layer, Arrays{sequence});
  BOOST_TEST(summaryOf(ready.parameters).starts_with("Offset 4 x 1 (2, 0), Scale 4 x 1 (3, 0.5)"));
  BOOST_TEST(isequal(ready["Scale"], 3 * ones(Size{4, 1}, Type::Single)));
  BOOST_TEST(isequal(ready["Offset"], ones(Size{4, 1}, Type::Single)));
  BOOST_TEST((optionsOf(layer) == std::vector<std::string>{"meanDecay=0.1", "varianceDecay=0.1", "trainedMean=0 x 0",
                                                           "trainedVariance=0 x 0", "epsilon=1e-05", "numChannels=4",
                                                           "offsetInitializer=ones", "offset=0 x 0", "offsetLearnRateFactor=2",
                                                           "offsetL2Factor=0", "scaleInitializer=function", "scale=0 x 0",
                                                           "scaleLearnRateFactor=3", "scaleL2Factor=0.5"}));
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  const Ready ready(batchNormalizationLayer({.name = "bn1"}), Arrays{image});
  const std::string wrong = "batchNormalizationLayer \"bn1\": the input has 3 channels, the offset is for 4: 3(C) x 2(B)";
  const DlArray X = someNumbers(Size{3, 2}, "CB");
  Parameters next;
  BOOST_TEST(mistake([&] { ready(X); }).sentence == wrong);
  BOOST_TEST(mistake([&] { ready.layer->forward({X}, ready.parameters, next); }).sentence == wrong);
  BOOST_TEST(next.entries().empty());
  BOOST_TEST(mistake([&] {
               Parameters p = ready.parameters;
               ready.layer->initialize(p, {DataLayout(X)});
             }).sentence.starts_with("batchNormalizationLayer \"bn1\": the input has 3 channels, the offset is for 4"));
  BOOST_TEST(mistake([] {
               Ready(layerNormalizationLayer(), {DataLayout(Size{4, 2}, "SB")});
             }).sentence == "layerNormalizationLayer: the input is 4(S) x 2(B); it needs a dimension of channels, C");
  BOOST_TEST(mistake([] { Ready(instanceNormalizationLayer({.numChannels = 2}), {DataLayout(image)}); }).sentence ==
             "instanceNormalizationLayer: the input has 4 channels, .numChannels is 2: 3(S) x 2(S) x 4(C) x 5(B)");
  BOOST_TEST(mistake([] { Ready(batchNormalizationLayer({.scale = ones(3, 1)}), {DataLayout(image)}); }).sentence ==
             "batchNormalizationLayer: Scale is 3 x 1; for this data it must be 1 x 1 x 4");
  BOOST_TEST(mistake([] { Ready(batchNormalizationLayer({.trainedMean = ones(3, 1)}), {DataLayout(image)}); }).sentence ==
             "batchNormalizationLayer: TrainedMean is 3 x 1; for this data it must be 1 x 1 x 4");
  BOOST_TEST(sentenceOf([] { batchNormalizationLayer({.epsilon = 0}); }) ==
             "batchNormalizationLayer: epsilon is 0; it must be positive");
  BOOST_TEST(sentenceOf([] { batchNormalizationLayer({.meanDecay = 2}); }) ==
             "batchNormalizationLayer: a decay is 2; it must lie between 0 and 1");
  BOOST_TEST(sentenceOf([] { crossChannelNormalizationLayer(0); }) ==
             "crossChannelNormalizationLayer: the window is 0; it must be 1 at least");
}
