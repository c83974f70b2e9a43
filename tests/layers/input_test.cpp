// Layers by which data enters a network.
#include "layers/input.hpp"

#include "layers/layer_harness.hpp"

using namespace dl;
using namespace dl::test;

namespace {

const DlArray X = 3 * someNumbers({4, 3, 2, 5}, "SSCB") + 1;
const double unknown = std::nan("");

DlArray answer(const AnyLayer& layer, const DlArray& x) { return Ready(layer, Arrays{x})(x); }
std::string layoutOf(const AnyLayer& layer) { return toString(layer->input()->size()) + " " + layer->input()->format(); }
const layers::InputLayer& insideOf(const AnyLayer& layer) { return dynamic_cast<const layers::InputLayer&>(*layer); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_network_sees_size_and_labels) {
  BOOST_TEST(layoutOf(imageInputLayer({28, 20, 3})) == "28 x 20 x 3 x 1 SSCB");
  BOOST_TEST(layoutOf(image3dInputLayer({9, 8, 7, 2})) == "9 x 8 x 7 x 2 x 1 SSSCB");
  BOOST_TEST(layoutOf(sequenceInputLayer(12)) == "12 x 1 x 1 CBT");
  BOOST_TEST(layoutOf(sequenceInputLayer(12, {.minLength = 5})) == "12 x 1 x 5 CBT");
  BOOST_TEST(layoutOf(sequenceInputLayer({12})) == "12 x 1 x 1 CBT");
  BOOST_TEST(layoutOf(sequenceInputLayer({30, 2})) == "30 x 2 x 1 x 1 SCBT");
  BOOST_TEST(layoutOf(sequenceInputLayer({30, 20, 2})) == "30 x 20 x 2 x 1 x 1 SSCBT");
  BOOST_TEST(layoutOf(sequenceInputLayer({30, 20, 10, 2}, {.minLength = 4})) == "30 x 20 x 10 x 2 x 1 x 4 SSSCBT");
  BOOST_TEST(layoutOf(featureInputLayer(7)) == "7 x 1 CB");
  BOOST_TEST(layoutOf(inputLayer({unknown, 5, 20}, "BCT")) == "5 x 1 x 20 CBT");
  BOOST_TEST(layoutOf(inputLayer({28, unknown, 1, 16}, "SSCB")) == "28 x 1 x 1 x 1 SSCB");
}

BOOST_AUTO_TEST_CASE(names_and_options_are_those_of_the_pages) {
  const auto check = [](const AnyLayer& layer, const char* type, const char* stem, const std::vector<std::string>& options) {
    BOOST_TEST(layer->type() == type);
    BOOST_TEST(layer->stem() == stem);
    BOOST_TEST(layer.name() == "it");
    BOOST_TEST(optionsOf(layer) == options, boost::test_tools::per_element());
    Parameters p;
    layer->initialize(p, {*layer->input()});
    BOOST_TEST(p.entries().empty());
  };
  const auto with = [](std::vector<std::string> head, const char* rule) {
    for (const std::string& text :
         {std::string("normalization=") + rule, std::string("normalizationDimension=auto"), std::string("mean=0 x 0"),
          std::string("standardDeviation=0 x 0"), std::string("min=0 x 0"), std::string("max=0 x 0")})
      head.push_back(text);
    return head;
  };
  check(imageInputLayer({4, 3, 2}, {.name = "it"}), "ImageInputLayer", "imageinput",
        with({"inputSize=4 x 3 x 2 x 0", "inputFormat=SSCB"}, "zerocenter"));
  check(image3dInputLayer({4, 3, 2, 1}, {.name = "it"}), "Image3dInputLayer", "image3dinput",
        with({"inputSize=4 x 3 x 2 x 1 x 0", "inputFormat=SSSCB"}, "zerocenter"));
  check(sequenceInputLayer(4, {.name = "it", .minLength = 2}), "SequenceInputLayer", "sequenceinput",
        with({"inputSize=4 x 0 x 0", "inputFormat=CBT", "minLength=2"}, "none"));
  check(featureInputLayer(4, {.name = "it"}), "FeatureInputLayer", "input", with({"inputSize=4 x 0", "inputFormat=CB"}, "none"));
  check(inputLayer({4, unknown}, "CB", {.name = "it"}), "InputLayer", "input", {"inputSize=4 x 0", "inputFormat=CB"});
}

BOOST_AUTO_TEST_CASE(statistics_normalise_as_the_formulas_say) {
  const DlArray m = dlarray({0.5, -2.0}), s = dlarray({2.0, 4.0});  // one for each channel, in any direction
  const DlArray mc = dlarray(reshape(m, 2, 1), "C"), sc = dlarray(reshape(s, 2, 1), "C");
  BOOST_TEST(differenceOf(answer(imageInputLayer({4, 3, 2}, {.mean = m}), X), X - mc) == 0.0);
  BOOST_TEST(differenceOf(answer(imageInputLayer({4, 3, 2}, {.mean = 3}), X), X - 3) == 0.0);
  BOOST_TEST(differenceOf(answer(imageInputLayer({4, 3, 2}, {.mean = reshape(m, 1, 1, 2)}), X), X - mc) == 0.0);
  BOOST_TEST(differenceOf(answer(imageInputLayer({4, 3, 2}, {.normalization = "zscore", .mean = m, .standardDeviation = s}), X),
                          (X - mc) / sc) < 1e-15);
  const DlArray each = someNumbers({4, 3, 2});
  BOOST_TEST(differenceOf(answer(imageInputLayer({4, 3, 2}, {.mean = each}), X), X - dlarray(each, "SSC")) == 0.0);
  BOOST_TEST(differenceOf(answer(imageInputLayer({4, 3, 2}, {.normalization = "rescale-symmetric", .min = m, .max = s}), X),
                          2 * (X - mc) / (sc - mc) - 1) < 1e-14);
  BOOST_TEST(differenceOf(answer(imageInputLayer({4, 3, 2}, {.normalization = "rescale-zero-one", .min = m, .max = s}), X),
                          (X - mc) / (sc - mc)) < 1e-14);
  // The range that was given becomes -1 to 1 and 0 to 1.
  const DlArray ends = dlarray({-5.0, 15.0}, "CB");
  BOOST_TEST(differenceOf(answer(featureInputLayer(1, {.normalization = "rescale-symmetric", .min = -5, .max = 15}), ends),
                          dlarray({-1.0, 1.0}, "CB")) < 1e-15);
  BOOST_TEST(differenceOf(answer(featureInputLayer(1, {.normalization = "rescale-zero-one", .min = -5, .max = 15}), ends),
                          dlarray({0.0, 1.0}, "CB")) < 1e-15);
  const AnyLayer own = imageInputLayer({4, 3, 2}, {.normalization = [](const DlArray& x) { return x / 255; }});
  BOOST_TEST(differenceOf(answer(own, X), X / 255) == 0.0);
  // Sequences, single precision, elements that never vary.
  const DlArray series = someNumbers({2, 3, 4}, "CBT");
  BOOST_TEST(differenceOf(answer(sequenceInputLayer(2, {.normalization = "zerocenter", .mean = m}), series), series - mc) == 0.0);
  BOOST_TEST(bool(underlyingType(answer(imageInputLayer({4, 3, 2}, {.mean = m}), single_(X))) == Type::Single));
  BOOST_TEST(isequal(answer(featureInputLayer(2, {.normalization = "zscore", .mean = m, .standardDeviation = 0}),
                            dlarray({{0.5}, {-2.0}}, "CB")),
                     dlarray({{0.0}, {0.0}}, "CB")));
  BOOST_TEST(
      isequal(answer(featureInputLayer(1, {.normalization = "rescale-zero-one", .min = 3, .max = 3}), dlarray({3.0}, "CB")),
              dlarray({0.0}, "CB")));
}

BOOST_AUTO_TEST_CASE(without_statistics_data_stays_as_it_is) {
  for (const char* rule : {"none", "zerocenter", "zscore", "rescale-symmetric", "rescale-zero-one"})
    BOOST_TEST(differenceOf(answer(imageInputLayer({4, 3, 2}, {.normalization = rule}), X), X) == 0.0);
  BOOST_TEST(differenceOf(answer(inputLayer({4, 3, 2, unknown}, "SSCB"), X), X) == 0.0);
  // What is not given counts as deviation 1, or as the end of the range that stays.
  BOOST_TEST(differenceOf(answer(imageInputLayer({4, 3, 2}, {.normalization = "zscore", .mean = 2}), X), X - 2) == 0.0);
  BOOST_TEST(differenceOf(answer(imageInputLayer({4, 3, 2}, {.normalization = "rescale-symmetric", .max = 3}), X),
                          2 * (X + 1) / 4 - 1) < 1e-14);
}

BOOST_AUTO_TEST_CASE(training_can_set_statistics) {
  const AnyLayer layer = imageInputLayer({4, 3, 2}, {.normalization = "zscore", .normalizationDimension = "all"});
  BOOST_TEST(insideOf(layer).normalization() == "zscore");
  BOOST_TEST(insideOf(layer).normalizationDimension() == "all");
  BOOST_TEST((insideOf(layer).statistics() == std::vector<std::string>{"mean", "standardDeviation"}));
  BOOST_TEST(insideOf(layer).statisticsMissing());
  const AnyLayer set = layer.changed([](Layer& l) {
    auto& in = dynamic_cast<layers::InputLayer&>(l);
    in.setStatistic("mean", 2.0);
    in.setStatistic("standardDeviation", 4.0);
  });
  BOOST_TEST(!insideOf(set).statisticsMissing());
  BOOST_TEST(insideOf(layer).statisticsMissing());
  BOOST_TEST(differenceOf(answer(set, X), (X - 2) / 4) == 0.0);
  BOOST_TEST(double(insideOf(set).statistic("mean")) == 2.0);
  BOOST_TEST(!insideOf(imageInputLayer({4, 3, 2}, {.normalization = "none"})).statisticsMissing());
  BOOST_TEST(insideOf(imageInputLayer({4, 3, 2})).statisticsMissing());
  BOOST_TEST(!insideOf(imageInputLayer({4, 3, 2}, {.mean = 1})).statisticsMissing());
  BOOST_TEST(wholeSentenceOf([&] {
               layer.changed([](Layer& l) { dynamic_cast<layers::InputLayer&>(l).setStatistic("mean", ones(3, 1)); });
             }) == "imageInputLayer: .mean is 3 x 1; it is one number, or one for each of 2 channels or 24 elements of the data");
}

BOOST_AUTO_TEST_CASE(normalised_data_differentiates) {
  checkLayerDerivatives(imageInputLayer({4, 3, 2}, {.normalization = "zscore", .mean = 1, .standardDeviation = 2}), {X});
  checkLayerDerivatives(imageInputLayer({4, 3, 2}, {.normalization = "rescale-symmetric", .min = -1, .max = 2}), {X});
}

BOOST_AUTO_TEST_CASE(other_data_is_refused) {
  const AnyLayer image = imageInputLayer({4, 3, 2}, {.name = "in"});
  const std::string needs =
      "imageInputLayer \"in\": the input is 4(S) x 3(S) x 1(C) x 5(B); the layer needs 4(S) x 3(S) x 2(C) x ?(B)";
  const DlArray grey = dlarray(ones(4, 3, 1, 5), "SSCB");
  BOOST_TEST(wholeSentenceOf([&] { Ready(image, Arrays{grey}); }) == needs);
  BOOST_TEST(wholeSentenceOf([&] { image->predict({grey}, {}); }) == needs);
  BOOST_TEST(wholeSentenceOf([&] { image->predict({stripdims(X)}, {}); }) ==
             "imageInputLayer \"in\": the input is 4 x 3 x 2 x 5; the layer needs 4(S) x 3(S) x 2(C) x ?(B)");
  BOOST_TEST(wholeSentenceOf([&] { image->predict({dlarray(ones(4, 3, 2, 1, 2), "SSCBT")}, {}); }) ==
             "imageInputLayer \"in\": the input is 4(S) x 3(S) x 2(C) x 1(B) x 2(T); the layer needs 4(S) x 3(S) x 2(C) x ?(B)");
  const AnyLayer series = sequenceInputLayer(2, {.minLength = 4});
  BOOST_TEST(wholeSentenceOf([&] { series->predict({dlarray(ones(2, 1, 3), "CBT")}, {}); }) ==
             "sequenceInputLayer: the input has 3 time steps, .minLength is 4: 2(C) x 1(B) x 3(T)");
  BOOST_TEST(wholeSentenceOf([&] { series->predict({dlarray(ones(3, 1, 4), "CBT")}, {}); }) ==
             "sequenceInputLayer: the input is 3(C) x 1(B) x 4(T); the layer needs 2(C) x ?(B) x ?(T)");
  BOOST_TEST(wholeSentenceOf([] {
               inputLayer({unknown, 5, 20}, "BCT")->predict({dlarray(ones(5, 3, 4), "CBT")}, {});
             }) == "inputLayer: the input is 5(C) x 3(B) x 4(T); the layer needs 5(C) x ?(B) x 20(T)");
  // One image without B, one step without T, a feature vector: what is left out counts as 1.
  BOOST_TEST(wholeSentenceOf([&] { image->predict({dlarray(ones(4, 3, 2), "SSC")}, {}); }) == "nothing");
  BOOST_TEST(wholeSentenceOf([] { sequenceInputLayer(2)->predict({dlarray(ones(2, 3), "CB")}, {}); }) == "nothing");
  BOOST_TEST(wholeSentenceOf([] { featureInputLayer(2)->predict({dlarray(ones(2, 1), "C")}, {}); }) == "nothing");
}

BOOST_AUTO_TEST_CASE(options_that_are_none_are_refused_where_they_are_written) {
  const auto says = [](const std::function<void()>& call, const std::string& wanted) {
    const std::string found = wholeSentenceOf(call);
    BOOST_TEST(found.starts_with(wanted + " (input_test.cpp:"), found);
  };
  says([] { imageInputLayer({28, 28}); }, "imageInputLayer: the input size has 2 numbers; it is {height, width, channels}");
  says([] { imageInputLayer({28, 0, 1}); }, "imageInputLayer: the input size is 0; it must be 1 at least");
  says([] { sequenceInputLayer(0); }, "sequenceInputLayer: the input size is 0; it must be 1 at least");
  says([] { sequenceInputLayer(3, {.minLength = 0}); }, "sequenceInputLayer: the minimum length is 0; it must be 1 at least");
  says([] { featureInputLayer(3, {.normalization = "center"}); },
       "featureInputLayer: the normalization is \"center\"; it is \"none\", \"zerocenter\", \"zscore\", \"rescale-symmetric\", "
       "\"rescale-zero-one\" or a function");
  says([] { featureInputLayer(3, {.normalizationDimension = "rows"}); },
       "featureInputLayer: .normalizationDimension is \"rows\"; it is \"auto\", \"channel\", \"element\" or \"all\"");
  says([] { featureInputLayer(3, {.normalization = "zerocenter", .mean = ones(2, 1)}); },
       "featureInputLayer: .mean is 2 x 1; it is one number, or one for each of 3 channels or 3 elements of the data");
  says([] { inputLayer({3, 4}, "CBT"); }, "inputLayer: there are 2 sizes and 3 labels, \"CBT\"; each size needs a label");
  says([] { inputLayer({3, 0.5}, "CB"); }, "inputLayer: a size is 0.5; sizes are whole numbers from 1, or NaN where they vary");
}
