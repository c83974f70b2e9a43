// Layers with several inputs, layers of functions, and the list of all types.
#include "layers/layer_harness.hpp"
#include "layers/registry.hpp"

#include <set>

using namespace dl;
using namespace dl::test;

namespace {

const DlArray A = someNumbers({4, 3, 2, 5}, "SSCB"), B = someNumbers({4, 3, 2, 5}, "SSCB", 1),
              C = someNumbers({4, 3, 2, 5}, "SSCB", 2);

DlArray answer(const AnyLayer& layer, const Arrays& X) { return Ready(layer, X).predict(X)[0]; }

}  // namespace

BOOST_AUTO_TEST_CASE(sums_products_and_joined_arrays) {
  BOOST_TEST(isequal(answer(additionLayer(2), {A, B}), A + B));
  BOOST_TEST(isequal(answer(additionLayer(3), {A, B, C}), A + B + C));
  BOOST_TEST(isequal(answer(multiplicationLayer(3), {A, B, C}), A % B % C));
  const DlArray channel = dlarray(someNumbers({2, 1}), "C");
  BOOST_TEST(isequal(answer(additionLayer(2), {A, channel}), A + channel));
  BOOST_TEST(isequal(answer(concatenationLayer(1, 3), {A, B, C}), cat(1, {A, B, C})));
  BOOST_TEST((size(answer(concatenationLayer("C", 2), {A, B})) == Size{4, 3, 4, 5}));
  BOOST_TEST(isequal(answer(concatenationLayer("C", 2), {A, B}), cat(2, {A, B})));
  BOOST_TEST(isequal(answer(depthConcatenationLayer(3), {A, B, C}), cat(2, {A, B, C})));
  // The inputs are left as they were.
  BOOST_TEST(isequal(A, someNumbers({4, 3, 2, 5}, "SSCB")));
}

BOOST_AUTO_TEST_CASE(combinations_differentiate) {
  checkLayerDerivatives(additionLayer(3), {A, B, C});
  checkLayerDerivatives(multiplicationLayer(2), {A, B});
  checkLayerDerivatives(concatenationLayer(0, 2), {A, B});
  checkLayerDerivatives(depthConcatenationLayer(2), {A, B});
}

BOOST_AUTO_TEST_CASE(names_and_options_are_those_of_the_pages) {
  const auto check = [](const AnyLayer& layer, const char* type, const char* stem, const std::vector<std::string>& options) {
    BOOST_TEST(layer->type() == type);
    BOOST_TEST(layer->stem() == stem);
    BOOST_TEST(layer.name() == "it");
    BOOST_TEST((layer->inputNames() == std::vector<std::string>{"in1", "in2", "in3"}));
    BOOST_TEST((layer->outputNames() == std::vector<std::string>{"out"}));
    BOOST_TEST(optionsOf(layer) == options, boost::test_tools::per_element());
  };
  check(additionLayer(3, {.name = "it"}), "AdditionLayer", "addition", {"numInputs=3"});
  check(multiplicationLayer(3, {.name = "it"}), "MultiplicationLayer", "multiplication", {"numInputs=3"});
  check(concatenationLayer(2, 3, {.name = "it"}), "ConcatenationLayer", "concat", {"dimension=2", "label=", "numInputs=3"});
  check(concatenationLayer("C", 3, {.name = "it"}), "ConcatenationLayer", "concat", {"dimension=0", "label=C", "numInputs=3"});
  check(depthConcatenationLayer(3, {.name = "it"}), "DepthConcatenationLayer", "depthcat", {"numInputs=3"});
}

BOOST_AUTO_TEST_CASE(arrays_that_do_not_fit_together_are_refused_by_name) {
  const DlArray wide = dlarray(ones(4, 3, 3, 5), "SSCB");
  const AnyLayer add = additionLayer(2, {.name = "add"});
  const std::string differ =
      "additionLayer \"add\": plus: sizes of label C differ: 4(S) x 3(S) x 2(C) x 5(B) and 4(S) x 3(S) x 3(C) x 5(B)";
  BOOST_TEST(wholeSentenceOf([&] { Ready(add, Arrays{A, wide}); }) == differ);
  BOOST_TEST(wholeSentenceOf([&] { add->predict({A, wide}, {}); }).starts_with("additionLayer \"add\": "));
  BOOST_TEST(wholeSentenceOf([&] { add->predict({A}, {}); }) == "additionLayer \"add\": there is 1 input, the layer has 2");
  BOOST_TEST(wholeSentenceOf([&] { Ready(add, Arrays{A, B, C}); }) == "additionLayer \"add\": there are 3 inputs, the layer has 2");
  BOOST_TEST(wholeSentenceOf([&] {
               Ready(depthConcatenationLayer(2), Arrays{A, dlarray(ones(2, 5), "CB")});
             }) == "depthConcatenationLayer: inputs 1 and 2 have different labels: 4(S) x 3(S) x 2(C) x 5(B) and 2(C) x 5(B)");
  BOOST_TEST(wholeSentenceOf([&] {
               concatenationLayer(0, 2, {.name = "cat"})->predict({A, wide}, {});
             }).starts_with("concatenationLayer \"cat\": cat"));
  const auto says = [](const std::function<void()>& call, const std::string& wanted) {
    const std::string found = wholeSentenceOf(call);
    BOOST_TEST(found.starts_with(wanted + " (combination_test.cpp:"), found);
  };
  says([] { additionLayer(1); }, "additionLayer: the number of inputs is 1; it must be 2 at least");
  says([] { concatenationLayer("SS", 2); },
       "concatenationLayer: the dimension is \"SS\"; it is one number from 0, or one label such as \"C\"");
  says([] { concatenationLayer(-1, 2); }, "concatenationLayer: the dimension is -1; it must be 0 at least");
}

BOOST_AUTO_TEST_CASE(functions_are_layers) {
  const AnyLayer gate = functionLayer([](const DlArray& a, const DlArray& b) { return a % b; }, {.name = "gate"});
  BOOST_TEST(gate->type() == "FunctionLayer");
  BOOST_TEST(gate.name() == "gate");
  BOOST_TEST((gate->inputNames() == std::vector<std::string>{"in1", "in2"}));
  BOOST_TEST((gate->outputNames() == std::vector<std::string>{"out"}));
  BOOST_TEST(isequal(answer(gate, {A, B}), A % B));
  checkLayerDerivatives(gate, {A, B});

  BOOST_TEST(isequal(answer(functionLayer([](DlArray x) { return x / (1 + abs(x)); }), {A}), A / (1 + abs(A))));
  BOOST_TEST(isequal(answer(functionLayer([](const auto& x) { return 2 * x; }), {A}), 2 * A));
  const AnyLayer two = functionLayer([](const DlArray& x) { return std::tuple(x + 1, 2 * x); }, {.outputNames = {"up", "twice"}});
  BOOST_TEST((two->outputNames() == std::vector<std::string>{"up", "twice"}));
  const Arrays results = two->predict({A}, {});
  BOOST_TEST_REQUIRE(results.size() == 2U);
  BOOST_TEST(isequal(results[0], A + 1));
  BOOST_TEST(isequal(results[1], 2 * A));
  BOOST_TEST((functionLayer([](const DlArray& x) { return std::tuple(x, x); })->outputNames() ==
              std::vector<std::string>{"out1", "out2"}));

  const auto swapped = [](const std::vector<DlArray>& x) { return std::vector<DlArray>{x[1], x[0]}; };
  const AnyLayer list = functionLayer(swapped, {.inputNames = {"left", "right"}, .numOutputs = 2});
  BOOST_TEST((list->inputNames() == std::vector<std::string>{"left", "right"}));
  BOOST_TEST(isequal(list->predict({A, B}, {})[1], A));
  const AnyLayer six = functionLayer([](const DlArray& a, const DlArray& b, const DlArray& c, const DlArray& d, const DlArray& e,
                                        const DlArray& f) { return a + b + c + d + e + f; });
  BOOST_TEST(six->inputNames().size() == 6U);
  BOOST_TEST(isequal(answer(six, {A, B, C, A, B, C}), A + B + C + A + B + C));
}

BOOST_AUTO_TEST_CASE(functions_that_do_not_fit_their_options_are_refused) {
  const auto one = [](const DlArray& x) { return x; };
  BOOST_TEST(wholeSentenceOf([&] {
               functionLayer(one, {.numInputs = 2});
             }).starts_with("functionLayer: the function has 1 inputs, the options say 2 (combination_test.cpp:"));
  BOOST_TEST(wholeSentenceOf([&] {
               functionLayer(one, {.numOutputs = 2, .outputNames = {"a"}});
             }).starts_with("functionLayer: there are 1 names for 2 outputs (combination_test.cpp:"));
  const AnyLayer lies = functionLayer([](const std::vector<DlArray>& x) { return x; }, {.name = "f", .numInputs = 2});
  BOOST_TEST(wholeSentenceOf([&] {
               lies->predict({A, B}, {});
             }) == "functionLayer \"f\": the function returned 2 arrays, the layer has 1 output");
  const AnyLayer fails = functionLayer([](const DlArray& x) { return x + ones(7, 1); }, {.name = "f"});
  BOOST_TEST(wholeSentenceOf([&] { fails->predict({A}, {}); }).starts_with("functionLayer \"f\": "));
  BOOST_TEST(wholeSentenceOf([&] { fails->predict({A, B}, {}); }) == "functionLayer \"f\": there are 2 inputs, the layer has 1");
}

BOOST_AUTO_TEST_CASE(every_type_is_listed_once_and_shows_its_options) {
  std::set<std::string> types;
  for (const auto& family : {layers::inputPrototypes(), layers::convolutionPrototypes(), layers::fullyConnectedPrototypes(),
                             layers::poolingPrototypes(), layers::combinationPrototypes(), layers::shapePrototypes()})
    for (const AnyLayer& layer : family) {
      BOOST_TEST(types.insert(layer->type()).second, layer->type());
      const auto found = layers::layerOfType(layer->type());
      BOOST_TEST_REQUIRE(found.has_value());
      BOOST_TEST((*found)->type() == layer->type());
      const std::vector<std::string> options = optionsOf(layer);
      BOOST_TEST(std::set<std::string>(options.begin(), options.end()).size() == options.size());
    }
  BOOST_TEST(types.size() == 40U);
  BOOST_TEST(!layers::layerOfType("FunctionLayer"));
}
