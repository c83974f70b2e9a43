// Layers that convolve and connect: parameters, start values, factors, results by hand, mistakes.
#include "layers/layer_harness.hpp"

using namespace dl;
using namespace dl::test;

namespace {

DlArray images() { return someNumbers({6, 5, 3, 2}, "SSCB"); }
double largest(const DlArray& x) { return double(max(abs(double_(x)), {}, "all")); }

}  // namespace

BOOST_AUTO_TEST_CASE(parameters_have_the_sizes_and_factors_of_their_pages) {
  const auto summary = [](const AnyLayer& layer, const DataLayout& data) { return summaryOf(Ready(layer, {data}).parameters); };
  const DataLayout image(Size{28, 20, 3, 1}, "SSCB"), volume(Size{9, 8, 7, 2, 1}, "SSSCB"), series(Size{4, 1, 1}, "CBT");
  BOOST_TEST(summary(convolution1dLayer(3, 8), series) == "Weights 3 x 4 x 8 (1, 1), Bias 1 x 8 (1, 0)");
  BOOST_TEST(summary(convolution2dLayer({3, 5}, 8), image) == "Weights 3 x 5 x 3 x 8 (1, 1), Bias 1 x 1 x 8 (1, 0)");
  BOOST_TEST(summary(convolution3dLayer(2, 8), volume) == "Weights 2 x 2 x 2 x 2 x 8 (1, 1), Bias 1 x 1 x 1 x 8 (1, 0)");
  BOOST_TEST(summary(groupedConvolution2dLayer(3, 4, "channel-wise"), image) ==
             "Weights 3 x 3 x 1 x 4 x 3 (1, 1), Bias 1 x 1 x 4 x 3 (1, 0)");
  BOOST_TEST(summary(groupedConvolution2dLayer(3, 4, 2), DataLayout(Size{8, 8, 6, 1}, "SSCB")) ==
             "Weights 3 x 3 x 3 x 4 x 2 (1, 1), Bias 1 x 1 x 4 x 2 (1, 0)");
  BOOST_TEST(summary(transposedConv1dLayer(3, 8), series) == "Weights 3 x 8 x 4 (1, 1), Bias 1 x 8 (1, 0)");
  BOOST_TEST(summary(transposedConv2dLayer({3, 5}, 8), image) == "Weights 3 x 5 x 8 x 3 (1, 1), Bias 1 x 1 x 8 (1, 0)");
  BOOST_TEST(summary(transposedConv3dLayer(2, 8), volume) == "Weights 2 x 2 x 2 x 8 x 2 (1, 1), Bias 1 x 1 x 1 x 8 (1, 0)");
  BOOST_TEST(summary(fullyConnectedLayer(10), image) == "Weights 10 x 1680 (1, 1), Bias 10 x 1 (1, 0)");
  BOOST_TEST(summary(fullyConnectedLayer(10), series) == "Weights 10 x 4 (1, 1), Bias 10 x 1 (1, 0)");
  BOOST_TEST(summary(convolution2dLayer(
                         3, 8, {.weightLearnRateFactor = 2, .biasLearnRateFactor = 0, .weightL2Factor = 0.5, .biasL2Factor = 3}),
                     image) == "Weights 3 x 3 x 3 x 8 (2, 0.5), Bias 1 x 1 x 8 (0, 3)");
}

BOOST_AUTO_TEST_CASE(names_are_those_of_the_pages) {
  const auto check = [](const AnyLayer& layer, const char* type, const char* stem) {
    BOOST_TEST(layer->type() == type);
    BOOST_TEST(layer->stem() == stem);
    BOOST_TEST(layer.name() == "it");
    BOOST_TEST(layer->name == "it");
    BOOST_TEST(layer->inputNames() == std::vector<std::string>{"in"});
    BOOST_TEST(layer->outputNames() == std::vector<std::string>{"out"});
    BOOST_TEST(!layer->input());
  };
  check(convolution1dLayer(3, 2, {.name = "it"}), "Convolution1dLayer", "conv1d");
  check(convolution2dLayer(3, 2, {.name = "it"}), "Convolution2dLayer", "conv");
  check(convolution3dLayer(3, 2, {.name = "it"}), "Convolution3dLayer", "conv");
  check(groupedConvolution2dLayer(3, 2, 1, {.name = "it"}), "GroupedConvolution2dLayer", "groupedconv");
  check(transposedConv1dLayer(3, 2, {.name = "it"}), "TransposedConv1dLayer", "transposed-conv");
  check(transposedConv2dLayer(3, 2, {.name = "it"}), "TransposedConv2dLayer", "transposed-conv");
  check(transposedConv3dLayer(3, 2, {.name = "it"}), "TransposedConv3dLayer", "transposed-conv");
  check(fullyConnectedLayer(3, {.name = "it"}), "FullyConnectedLayer", "fc");
}

BOOST_AUTO_TEST_CASE(start_values_follow_the_initialisers_and_fans) {
  rng(1);
  // glorot: below sqrt(6 / (in + out)) and close to it, in = window x channels, out = window x filters; biases are zeros.
  const auto bound = [](const AnyLayer& layer, const DataLayout& data, double in, double out) {
    const Ready ready(layer, {data});
    const double b = std::sqrt(6 / (in + out)), found = largest(ready["Weights"]);
    BOOST_TEST(found <= b * (1 + 1e-6));
    BOOST_TEST(found > 0.97 * b);
    BOOST_TEST(largest(ready["Bias"]) == 0.0);
    BOOST_TEST(bool(underlyingType(ready["Weights"]) == Type::Single));
  };
  const DataLayout image(Size{28, 28, 6, 1}, "SSCB");
  bound(convolution2dLayer({3, 5}, 20), image, 15 * 6, 15 * 20);
  bound(groupedConvolution2dLayer({3, 5}, 20, 2), image, 15 * 3, 15 * 20);
  bound(transposedConv2dLayer({3, 5}, 20), image, 15 * 6, 15 * 20);
  bound(convolution1dLayer(9, 20), DataLayout(Size{6, 1, 1}, "CBT"), 9 * 6, 9 * 20);
  bound(fullyConnectedLayer(20), DataLayout(Size{50, 1}, "CB"), 50, 20);

  const Ready he(fullyConnectedLayer(100, {.weightsInitializer = "he", .biasInitializer = "ones"}),
                 {DataLayout(Size{200, 1}, "CB")});
  BOOST_TEST(std::abs(double(var(double_(he["Weights"]), 1, "all")) / (2.0 / 200) - 1) < 0.05);
  BOOST_TEST(largest(he["Bias"] - 1) == 0.0);
  const Ready own(convolution2dLayer(2, 3, {.weightsInitializer = [](const Size& s) { return 7 * ones(s); }}), {image});
  BOOST_TEST(largest(own["Weights"] - 7) == 0.0);

  // Arrays that are given are taken as they are, and a bias of any direction.
  const DlArray w = someNumbers({2, 2, 6, 3}), b = someNumbers({3, 1});
  const Ready given(convolution2dLayer(2, 3, {.weights = w, .bias = b}), {image});
  BOOST_TEST(isequal(given["Weights"], w));
  BOOST_TEST(isequal(given["Bias"], reshape(b, 1, 1, 3)));
}

BOOST_AUTO_TEST_CASE(layers_answer_as_the_functions_called_by_hand) {
  const DlArray X = images();
  const auto same = [](const AnyLayer& layer, const DlArray& x, const auto& byHand) {
    Ready ready(layer, Arrays{x});
    ready.parameters.find("Bias")->value = someNumbers(size(ready["Bias"]));
    BOOST_TEST(differenceOf(ready(x), byHand(ready["Weights"], ready["Bias"])) == 0.0);
  };
  same(convolution2dLayer(3, 4), X, [&](auto& w, auto& b) { return dlconv(X, w, b); });
  same(convolution2dLayer({3, 2}, 4,
                          {.stride = {2, 1}, .dilationFactor = {1, 2}, .padding = {1, 2, 3, 0}, .paddingValue = "replicate"}),
       X, [&](auto& w, auto& b) {
         return dlconv(X, w, b,
                       {.stride = {2, 1}, .dilationFactor = {1, 2}, .padding = {{1, 3}, {2, 0}}, .paddingValue = "replicate"});
       });
  same(convolution2dLayer(3, 4, {.padding = {1, 2}}), X, [&](auto& w, auto& b) { return dlconv(X, w, b, {.padding = {1, 2}}); });
  same(convolution2dLayer(3, 4, {.padding = "same"}), X, [&](auto& w, auto& b) { return dlconv(X, w, b, {.padding = "same"}); });
  same(groupedConvolution2dLayer(3, 2, "channel-wise"), X, [&](auto& w, auto& b) { return dlconv(X, w, b); });
  same(transposedConv2dLayer(3, 4, {.stride = 2, .cropping = {1, 0, 2, 1}}), X, [&](auto& w, auto& b) {
    return dltranspconv(X, w, b, {.stride = 2, .cropping = {{1, 2}, {0, 1}}});
  });
  same(fullyConnectedLayer(4), X, [&](auto& w, auto& b) { return fullyconnect(X, w, b); });
  const DlArray volume = someNumbers({5, 4, 4, 2, 2}, "SSSCB");
  same(convolution3dLayer({2, 3, 2}, 3, {.padding = {1, 0, 1}}), volume, [&](auto& w, auto& b) {
    return dlconv(volume, w, b, {.padding = {1, 0, 1}});
  });
  same(transposedConv3dLayer(2, 3, {.stride = 2}), volume,
       [&](auto& w, auto& b) { return dltranspconv(volume, w, b, {.stride = 2}); });
}

BOOST_AUTO_TEST_CASE(filters_move_along_what_the_labels_say) {
  const auto withBias = [](const AnyLayer& layer, const DlArray& x) { return Ready(layer, Arrays{x}); };
  // Along T of a sequence, and the sum by hand for one place.
  const DlArray series = someNumbers({2, 3, 7}, "CBT");
  const Ready overTime = withBias(convolution1dLayer(3, 4, {.padding = "causal"}), series);
  const DlArray y = overTime(series), w = overTime["Weights"];
  BOOST_TEST(dims(y) == "CBT");
  BOOST_TEST((size(y) == Size{4, 3, 7}));
  double sum = 0;
  for (Index a = 0; a < 3; ++a)
    for (Index c = 0; c < 2; ++c) sum += double(w(a, c, 1)) * double(std::as_const(series)(c, 2, 5 + a - 2));
  BOOST_TEST(std::abs(double(std::as_const(y)(1, 2, 5)) - sum) < 1e-5);
  BOOST_TEST(differenceOf(y, dlconv(series, w, overTime["Bias"], {.weightsFormat = "TCU", .padding = "causal"})) == 0.0);
  // Along S where there is one.
  const DlArray line = someNumbers({7, 2, 3}, "SCB");
  const Ready along = withBias(convolution1dLayer(3, 4, {.padding = {2, 1}}), line);
  BOOST_TEST(differenceOf(along(line), dlconv(line, along["Weights"], along["Bias"], {.padding = {{2}, {1}}})) == 0.0);
  BOOST_TEST((size(along(line)) == Size{8, 4, 3}));
  // S and T of a sequence of lines, two spatial dimensions of a sequence of images.
  const DlArray lines = someNumbers({5, 2, 3, 6}, "SCBT"), movie = someNumbers({5, 4, 2, 2, 3}, "SSCBT");
  const Ready both = withBias(convolution2dLayer({2, 3}, 4, {.stride = {1, 2}}), lines);
  BOOST_TEST(differenceOf(both(lines),
                          dlconv(lines, both["Weights"], both["Bias"], {.weightsFormat = "STCU", .stride = {1, 2}})) == 0.0);
  BOOST_TEST((size(both(lines)) == Size{4, 4, 3, 2}));
  const Ready each = withBias(convolution2dLayer(2, 4), movie);
  const DlArray frames = each(movie);
  BOOST_TEST((size(frames) == Size{4, 3, 4, 2, 3}));
  const DlArray second = dlarray(stripdims(std::as_const(movie)(all, all, all, all, 1)), "SSCB");
  BOOST_TEST(differenceOf(dlarray(stripdims(std::as_const(frames)(all, all, all, all, 1)), "SSCB"), each(second)) < 1e-6);
  const Ready cube = withBias(convolution3dLayer(2, 4), movie);
  BOOST_TEST((size(cube(movie)) == Size{4, 3, 4, 2, 2}));
  // The transposed ones and groups over time.
  const Ready back = withBias(transposedConv1dLayer(3, 4, {.stride = 2, .cropping = {1, 0}}), series);
  BOOST_TEST(differenceOf(back(series), dltranspconv(series, back["Weights"], back["Bias"],
                                                     {.weightsFormat = "TUC", .stride = 2, .cropping = {{1}, {0}}})) == 0.0);
  const Ready grouped = withBias(groupedConvolution2dLayer(2, 3, 2), lines);
  BOOST_TEST(differenceOf(grouped(lines), dlconv(lines, grouped["Weights"], grouped["Bias"], {.weightsFormat = "STCUU"})) == 0.0);
}

BOOST_AUTO_TEST_CASE(layers_differentiate_by_data_and_learnables) {
  rng(2);
  checkLayerDerivatives(convolution2dLayer({2, 3}, 2, {.stride = {1, 2}, .padding = "same"}),
                        {someNumbers({4, 4, 2, 2}, "SSCB")});
  checkLayerDerivatives(convolution1dLayer(2, 3, {.dilationFactor = 2, .padding = "causal"}), {someNumbers({2, 2, 5}, "CBT")});
  checkLayerDerivatives(groupedConvolution2dLayer(2, 2, 2), {someNumbers({3, 3, 4, 2}, "SSCB")});
  checkLayerDerivatives(transposedConv2dLayer(2, 2, {.stride = 2}), {someNumbers({2, 3, 2, 2}, "SSCB")});
  checkLayerDerivatives(fullyConnectedLayer(3), {someNumbers({2, 2, 2, 3}, "SSCB")});
}

BOOST_AUTO_TEST_CASE(options_are_shown_one_by_one) {
  const std::vector<std::string> tail = {
      "weightsInitializer=he",   "biasInitializer=zeros", "weights=0 x 0",    "bias=0 x 0",
      "weightLearnRateFactor=2", "biasLearnRateFactor=1", "weightL2Factor=1", "biasL2Factor=0"};
  const auto with = [&](std::vector<std::string> head) {
    head.insert(head.end(), tail.begin(), tail.end());
    return head;
  };
  BOOST_TEST(optionsOf(convolution2dLayer(3, 8,
                                          {.stride = {2, 1},
                                           .padding = {1, 2, 3, 4},
                                           .paddingValue = 5,
                                           .numChannels = 3,
                                           .weightsInitializer = "he",
                                           .weightLearnRateFactor = 2})) ==
                 with({"filterSize=3", "numFilters=8", "stride=2 1", "dilationFactor=1", "padding=1 3|2 4", "paddingValue=5",
                       "numChannels=3"}),
             boost::test_tools::per_element());
  BOOST_TEST(optionsOf(groupedConvolution2dLayer(3, 8, "channel-wise",
                                                 {.padding = "same", .weightsInitializer = "he", .weightLearnRateFactor = 2})) ==
                 with({"filterSize=3", "numFiltersPerGroup=8", "numGroups=channel-wise", "stride=1", "dilationFactor=1",
                       "padding=same", "paddingValue=0", "numChannels=0"}),
             boost::test_tools::per_element());
  BOOST_TEST(
      optionsOf(transposedConv1dLayer(3, 8, {.cropping = {1, 2}, .weightsInitializer = "he", .weightLearnRateFactor = 2})) ==
          with({"filterSize=3", "numFilters=8", "stride=1", "cropping=1|2", "numChannels=0"}),
      boost::test_tools::per_element());
  BOOST_TEST(optionsOf(fullyConnectedLayer(3, {.inputSize = 4, .weightsInitializer = "he", .weightLearnRateFactor = 2})) ==
                 with({"outputSize=3", "inputSize=4"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(data_that_does_not_fit_is_refused_by_name) {
  const AnyLayer conv = convolution2dLayer(3, 8, {.name = "conv1", .numChannels = 3});
  const Ready ready(convolution2dLayer(3, 8, {.name = "conv1"}), {DataLayout(Size{28, 28, 1, 1}, "SSCB")});
  BOOST_TEST(wholeSentenceOf([&] { ready(images()); }) ==
             "convolution2dLayer \"conv1\": the input has 3 channels, the weights are for 1: 6(S) x 5(S) x 3(C) x 2(B)");
  BOOST_TEST(wholeSentenceOf([&] {
               Parameters p = ready.parameters;
               ready.layer->initialize(p, {DataLayout(images())});
             }) == "convolution2dLayer \"conv1\": the input has 3 channels, the weights are for 1: 6(S) x 5(S) x 3(C) x 2(B)");
  BOOST_TEST(wholeSentenceOf([&] {
               Ready(conv, {DataLayout(Size{28, 28, 1, 1}, "SSCB")});
             }) == "convolution2dLayer \"conv1\": the input has 1 channel, .numChannels is 3: 28(S) x 28(S) x 1(C) x 1(B)");
  BOOST_TEST(
      wholeSentenceOf([&] {
        Ready(conv, {DataLayout(Size{3, 1, 1}, "CBT")});
      }) == "convolution2dLayer \"conv1\": the input is 3(C) x 1(B) x 1(T); the layer needs 2 spatial dimensions, S, or 1 and T");
  BOOST_TEST(wholeSentenceOf([&] { ready(dlarray(ones(2, 2, 1), "SSCB")); }) ==
             "convolution2dLayer \"conv1\": dlconv: along dimension 0 of 2(S) x 2(S) x 1(C) x 1(B) the filter spans 3 elements "
             "but data and "
             "padding have 2");
  BOOST_TEST(wholeSentenceOf([&] {
               ready.predict({images(), images()});
             }) == "convolution2dLayer \"conv1\": there are 2 inputs, the layer has 1");
  BOOST_TEST(wholeSentenceOf([&] { ready(dlarray(ones(5, 5), "SS")); }) ==
             "convolution2dLayer \"conv1\": the input is 5(S) x 5(S); it needs a dimension of channels, C");
  BOOST_TEST(wholeSentenceOf([&] { Ready(groupedConvolution2dLayer(3, 2, 2), Arrays{images()}); }) ==
             "groupedConvolution2dLayer: 2 groups do not divide the 3 channels of the input, 6(S) x 5(S) x 3(C) x 2(B)");
  BOOST_TEST(wholeSentenceOf([&] { Ready(convolution2dLayer(3, 2, {.weights = ones(3, 3, 1, 2)}), Arrays{images()}); }) ==
             "convolution2dLayer: the weights are 3 x 3 x 1 x 2; for this data they must be 3 x 3 x 3 x 2");
  BOOST_TEST(wholeSentenceOf([&] { Ready(convolution2dLayer(3, 2, {.bias = ones(3, 1)}), Arrays{images()}); }) ==
             "convolution2dLayer: the bias is 3 x 1; it must be 1 x 1 x 2");
  const Ready fc(fullyConnectedLayer(4, {.name = "fc"}), {DataLayout(Size{5, 1}, "CB")});
  BOOST_TEST(wholeSentenceOf([&] { fc(dlarray(ones(6, 2), "CB")); }) ==
             "fullyConnectedLayer \"fc\": an observation of the input has 6 elements, the weights are for 5: 6(C) x 2(B)");
  BOOST_TEST(wholeSentenceOf([&] {
               Ready(fullyConnectedLayer(4, {.inputSize = 7}), {DataLayout(Size{5, 1}, "CB")});
             }) == "fullyConnectedLayer: an observation of the input has 5 elements, .inputSize is 7: 5(C) x 1(B)");
}

BOOST_AUTO_TEST_CASE(options_that_are_none_are_refused_where_they_are_written) {
  const auto says = [](const std::function<void()>& call, const std::string& wanted) {
    const std::string found = wholeSentenceOf(call);
    BOOST_TEST(found.starts_with(wanted + " (convolution_test.cpp:"), found);
  };
  says(
      [] {
        convolution2dLayer({3, 3, 3}, 8);
      },
      "convolution2dLayer: the filter size has 3 numbers; give one, or one for each of 2 dimensions");
  says([] { convolution2dLayer(0, 8); }, "convolution2dLayer: the filter size is 0; it must be 1 at least");
  says([] { convolution2dLayer(3, 0); }, "convolution2dLayer: the number of filters is 0; it must be 1 at least");
  says([] { convolution2dLayer(3, 8, {.stride = 0}); }, "convolution2dLayer: the stride is 0; it must be 1 at least");
  says(
      [] {
        convolution2dLayer(3, 8, {.padding = {1, 2, 3}});
      },
      "convolution2dLayer: the padding has 3 numbers; it is a number, \"same\", {top and bottom, left and right}, {top, bottom, "
      "left, right} "
      "or {{starts}, {ends}} with 2 in each list");
  says([] { convolution1dLayer(3, 8, {.padding = "valid"}); },
       "convolution1dLayer: the padding is \"valid\"; the words for it are \"same\", \"causal\"");
  says([] { convolution2dLayer(3, 8, {.padding = "causal"}); },
       "convolution2dLayer: the padding is \"causal\"; the words for it are \"same\"");
  says([] { convolution2dLayer(3, 8, {.padding = -1}); }, "convolution2dLayer: the padding is -1; it must be 0 at least");
  says([] { convolution2dLayer(3, 8, {.biasL2Factor = -1}); },
       "convolution2dLayer: a factor is -1; factors are finite and not negative");
  says([] { groupedConvolution2dLayer(3, 8, "all-channels"); },
       "groupedConvolution2dLayer: the number of groups is \"all-channels\"; the words for it are \"channel-wise\"");
  says([] { transposedConv2dLayer(3, 8, {.cropping = "causal"}); },
       "transposedConv2dLayer: the cropping is \"causal\"; the words for it are \"same\"");
  says([] { fullyConnectedLayer(0); }, "fullyConnectedLayer: the output size is 0; it must be 1 at least");
}
