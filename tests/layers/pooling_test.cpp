// Layers that pool, and the way back.
#include "layers/layer_harness.hpp"

using namespace dl;
using namespace dl::test;

namespace {

const DlArray X = someNumbers({6, 5, 3, 2}, "SSCB"), series = someNumbers({3, 2, 7}, "CBT"), line = someNumbers({7, 3, 2}, "SCB"),
              lines = someNumbers({5, 3, 2, 6}, "SCBT"), volume = someNumbers({4, 5, 3, 2, 2}, "SSSCB"),
              movie = someNumbers({4, 5, 2, 2, 3}, "SSCBT");

DlArray answer(const AnyLayer& layer, const DlArray& x) { return Ready(layer, Arrays{x})(x); }
double worst(const AnyLayer& layer, const DlArray& x, const DlArray& byHand) { return differenceOf(answer(layer, x), byHand); }

}  // namespace

BOOST_AUTO_TEST_CASE(windows_answer_as_the_functions_called_by_hand) {
  BOOST_TEST(worst(maxPooling2dLayer(2), X, maxpool(X, 2)) == 0.0);
  BOOST_TEST((size(answer(maxPooling2dLayer(2), X)) == Size{5, 4, 3, 2}));
  BOOST_TEST(worst(maxPooling2dLayer({3, 2}, {.stride = {2, 1}, .padding = {1, 2, 0, 1}}), X,
                   maxpool(X, {3, 2}, {.stride = {2, 1}, .padding = {{1, 0}, {2, 1}}})) == 0.0);
  BOOST_TEST(worst(averagePooling2dLayer(3, {.stride = 2, .padding = "same", .paddingValue = "mean"}), X,
                   avgpool(X, 3, {.stride = 2, .padding = "same", .paddingValue = "mean"})) == 0.0);
  BOOST_TEST(worst(averagePooling1dLayer(3, {.padding = {2, 1}}), series,
                   avgpool(series, 3, {.poolFormat = "T", .padding = {{2}, {1}}})) == 0.0);
  BOOST_TEST(worst(maxPooling1dLayer(3, {.stride = 3}), line, maxpool(line, 3, {.stride = 3})) == 0.0);
  BOOST_TEST(worst(maxPooling2dLayer({2, 3}), lines, maxpool(lines, {2, 3}, {.poolFormat = "ST"})) == 0.0);
  BOOST_TEST(worst(maxPooling2dLayer({2, 3}), movie, maxpool(movie, {2, 3})) == 0.0);
  BOOST_TEST(worst(averagePooling3dLayer(2), volume, avgpool(volume, 2)) == 0.0);
  BOOST_TEST(worst(maxPooling3dLayer({2, 2, 3}), movie, maxpool(movie, {2, 2, 3}, {.poolFormat = "SST"})) == 0.0);
}

BOOST_AUTO_TEST_CASE(global_layers_keep_space_and_drop_time) {
  const auto shape = [](const DlArray& y) { return toString(size(y)) + " " + dims(y); };
  BOOST_TEST(shape(answer(globalAveragePooling2dLayer(), X)) == "1 x 1 x 3 x 2 SSCB");
  BOOST_TEST(shape(answer(globalMaxPooling1dLayer(), series)) == "3 x 2 CB");
  BOOST_TEST(shape(answer(globalAveragePooling1dLayer(), line)) == "1 x 3 x 2 SCB");
  BOOST_TEST(shape(answer(globalAveragePooling1dLayer(), lines)) == "1 x 3 x 2 x 6 SCBT");
  BOOST_TEST(shape(answer(globalAveragePooling2dLayer(), lines)) == "1 x 3 x 2 SCB");
  BOOST_TEST(shape(answer(globalMaxPooling3dLayer(), movie)) == "1 x 1 x 2 x 2 SSCB");
  BOOST_TEST(shape(answer(globalMaxPooling3dLayer(), volume)) == "1 x 1 x 1 x 2 x 2 SSSCB");
  BOOST_TEST(shape(answer(globalAveragePooling1dLayer(), dlarray(ones(3, 4), "CT"))) == "3 x 1 CU");
  BOOST_TEST(worst(globalAveragePooling2dLayer(), X, mean(X, "S")) < 1e-15);
  BOOST_TEST(worst(globalMaxPooling2dLayer(), X, max(X, {}, "S")) == 0.0);
  BOOST_TEST(worst(globalMaxPooling1dLayer(), series, dlarray(stripdims(max(series, {}, "T")), "CB")) == 0.0);
  BOOST_TEST(worst(globalAveragePooling2dLayer(), lines, dlarray(stripdims(mean(lines, "ST")), "SCB")) < 1e-15);
}

BOOST_AUTO_TEST_CASE(adaptive_windows_cover_all_of_the_data) {
  BOOST_TEST(worst(adaptiveAveragePooling2dLayer({3, 5}), X, avgpool(X, {2, 1}, {.stride = {2, 1}})) < 1e-15);
  // 6 rows in 4 windows and 5 columns in 2, by the definition.
  const DlArray y = answer(adaptiveAveragePooling2dLayer({4, 2}), X);
  BOOST_TEST((size(y) == Size{4, 2, 3, 2}));
  BOOST_TEST(dims(y) == "SSCB");
  const auto range = [](Index i, Index n, Index m) {
    return std::pair(Index(std::floor(double(i) * double(n) / double(m))),
                     Index(std::ceil(double(i + 1) * double(n) / double(m))));
  };
  for (Index i = 0; i < 4; ++i)
    for (Index j = 0; j < 2; ++j) {
      const auto [top, bottom] = range(i, 6, 4);
      const auto [left, right] = range(j, 5, 2);
      double sum = 0;
      for (Index a = top; a < bottom; ++a)
        for (Index b = left; b < right; ++b) sum += double(X(a, b, 2, 1));
      BOOST_TEST(std::abs(double(std::as_const(y)(i, j, 2, 1)) - sum / double((bottom - top) * (right - left))) < 1e-14);
    }
  BOOST_TEST((size(answer(adaptiveAveragePooling2dLayer(7), movie)) == Size{7, 7, 2, 2, 3}));
  BOOST_TEST(bool(underlyingType(answer(adaptiveAveragePooling2dLayer(4), single_(X))) == Type::Single));
}

BOOST_AUTO_TEST_CASE(unpooling_puts_back_what_pooling_took) {
  const AnyLayer pool = maxPooling2dLayer(2, {.name = "pool", .stride = 2, .hasUnpoolingOutputs = true}),
                 back = maxUnpooling2dLayer();
  BOOST_TEST((pool->outputNames() == std::vector<std::string>{"out", "indices", "size"}));
  BOOST_TEST((back->inputNames() == std::vector<std::string>{"in", "indices", "size"}));
  BOOST_TEST((maxPooling2dLayer(2)->outputNames() == std::vector<std::string>{"out"}));
  const Arrays three = Ready(pool, Arrays{X}).predict({X});
  BOOST_TEST_REQUIRE(three.size() == 3U);
  const auto [y, positions, sizes] = maxpool<3>(X, 2, {.stride = 2});
  BOOST_TEST(differenceOf(three[0], y) == 0.0);
  BOOST_TEST(differenceOf(three[1], positions) == 0.0);
  BOOST_TEST(isequal(three[2], dlarray({6, 5, 3, 2})));
  BOOST_TEST(differenceOf(Ready(back, three).predict(three)[0], maxunpool(y, positions, sizes)) == 0.0);
}

BOOST_AUTO_TEST_CASE(pooling_differentiates) {
  checkLayerDerivatives(maxPooling2dLayer(2, {.stride = 2}), {X});
  checkLayerDerivatives(averagePooling2dLayer(3, {.padding = 1}), {X});
  checkLayerDerivatives(averagePooling1dLayer(3), {series});
  checkLayerDerivatives(globalAveragePooling1dLayer(), {series});
  // No two elements are close to each other: differences would step over a change of the largest.
  const DlArray apart = dlarray(reshape(mod(7 * colon(0, 1, 179), 180) / 180, Size{6, 5, 3, 2}), "SSCB");
  checkLayerDerivatives(globalMaxPooling2dLayer(), {apart});
  checkLayerDerivatives(adaptiveAveragePooling2dLayer({4, 2}), {X});
}

BOOST_AUTO_TEST_CASE(names_and_options_are_those_of_the_pages) {
  const auto check = [](const AnyLayer& layer, const char* type, const char* stem, const std::vector<std::string>& options) {
    BOOST_TEST(layer->type() == type);
    BOOST_TEST(layer->stem() == stem);
    BOOST_TEST(layer.name() == "it");
    BOOST_TEST(optionsOf(layer) == options, boost::test_tools::per_element());
  };
  check(maxPooling1dLayer(3, {.name = "it", .padding = {1, 2}}), "MaxPooling1dLayer", "maxpool1d",
        {"poolSize=3", "stride=1", "padding=1|2"});
  check(maxPooling2dLayer({3, 2}, {.name = "it", .stride = 2, .padding = "same", .hasUnpoolingOutputs = true}),
        "MaxPooling2dLayer", "maxpool", {"poolSize=3 2", "stride=2", "padding=same", "hasUnpoolingOutputs=true"});
  check(maxPooling3dLayer(3, {.name = "it"}), "MaxPooling3dLayer", "maxpool3d", {"poolSize=3", "stride=1", "padding=0|0"});
  check(averagePooling1dLayer(3, {.name = "it"}), "AveragePooling1dLayer", "avgpool1d",
        {"poolSize=3", "stride=1", "padding=0|0", "paddingValue=0"});
  check(averagePooling2dLayer(3, {.name = "it", .padding = {1, 2, 2, 1}, .paddingValue = "mean"}), "AveragePooling2dLayer",
        "avgpool2d", {"poolSize=3", "stride=1", "padding=1 2|2 1", "paddingValue=mean"});
  check(averagePooling3dLayer(3, {.name = "it"}), "AveragePooling3dLayer", "avgpool3d",
        {"poolSize=3", "stride=1", "padding=0|0", "paddingValue=0"});
  check(globalAveragePooling1dLayer({.name = "it"}), "GlobalAveragePooling1dLayer", "globalavgpool1d", {});
  check(globalAveragePooling2dLayer({.name = "it"}), "GlobalAveragePooling2dLayer", "globalavgpool2d", {});
  check(globalAveragePooling3dLayer({.name = "it"}), "GlobalAveragePooling3dLayer", "globalavgpool3d", {});
  check(globalMaxPooling1dLayer({.name = "it"}), "GlobalMaxPooling1dLayer", "globalmaxpool1d", {});
  check(globalMaxPooling2dLayer({.name = "it"}), "GlobalMaxPooling2dLayer", "globalmaxpool2d", {});
  check(globalMaxPooling3dLayer({.name = "it"}), "GlobalMaxPooling3dLayer", "globalmaxpool3d", {});
  check(adaptiveAveragePooling2dLayer(3, {.name = "it"}), "AdaptiveAveragePooling2dLayer", "adaptiveavgpool2d", {"outputSize=3"});
  check(maxUnpooling2dLayer({.name = "it"}), "MaxUnpooling2dLayer", "maxunpool", {});
}

BOOST_AUTO_TEST_CASE(mistakes_name_the_layer) {
  const AnyLayer pool = maxPooling2dLayer(3, {.name = "pool"});
  const std::string needs =
      "maxPooling2dLayer \"pool\": the input is 3(C) x 2(B) x 7(T); the layer needs 2 spatial dimensions, S, or 1 and T";
  BOOST_TEST(wholeSentenceOf([&] { Ready(pool, Arrays{series}); }) == needs);
  BOOST_TEST(wholeSentenceOf([&] { pool->predict({series}, {}); }) == needs);
  BOOST_TEST(wholeSentenceOf([&] { pool->predict({dlarray(ones(2, 3, 1), "SSC")}, {}); }) ==
             "maxPooling2dLayer \"pool\": maxpool: a window of 3 along a dimension of 2 with 0 elements of padding, 2(S) x 3(S) "
             "x 1(C); it must "
             "fit in");
  BOOST_TEST(wholeSentenceOf([&] {
               globalAveragePooling3dLayer({.name = "gap"})->predict({X, X}, {});
             }) == "globalAveragePooling3dLayer \"gap\": there are 2 inputs, the layer has 1");
  BOOST_TEST(wholeSentenceOf([&] { Ready(adaptiveAveragePooling2dLayer(2), Arrays{line}); }) ==
             "adaptiveAveragePooling2dLayer: the input is 7(S) x 3(C) x 2(B); the layer needs 2 spatial dimensions, S");
  BOOST_TEST(wholeSentenceOf([&] { Ready(maxUnpooling2dLayer(), Arrays{X}); }) ==
             "maxUnpooling2dLayer: there is 1 input, the layer has 3");
  const auto says = [](const std::function<void()>& call, const std::string& wanted) {
    const std::string found = wholeSentenceOf(call);
    BOOST_TEST(found.starts_with(wanted + " (pooling_test.cpp:"), found);
  };
  says([] { maxPooling2dLayer(0); }, "maxPooling2dLayer: the pool size is 0; it must be 1 at least");
  says(
      [] {
        maxPooling1dLayer({2, 2});
      },
      "maxPooling1dLayer: the pool size has 2 numbers; give one, or one for each of 1 dimensions");
  says(
      [] {
        maxPooling3dLayer(2, {.stride = {1, 2}});
      },
      "maxPooling3dLayer: the stride has 2 numbers; give one, or one for each of 3 dimensions");
  says([] { maxPooling2dLayer(2, {.padding = "causal"}); },
       "maxPooling2dLayer: the padding is \"causal\", neither \"same\" nor numbers");
  says([] { averagePooling2dLayer(2, {.paddingValue = 1}); },
       "averagePooling2dLayer: the padding value is 1, neither 0 nor \"mean\"");
  says([] { adaptiveAveragePooling2dLayer(0); }, "adaptiveAveragePooling2dLayer: the output size is 0; it must be 1 at least");
}
