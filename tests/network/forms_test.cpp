// Every way of writing a call that users of MATLAB or C++ may try: it must compile, and mean the same as the long form.
#include "harness/mistake.hpp"
#include "network/toys.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdio>

using namespace dl;
using namespace dl::test;

namespace {

using Names = std::vector<std::string>;

DlArray batch() { return dlarray(reshape(colon(1, 8), 4, 2), "CB"); }

std::string sentenceOf(const auto& f) { return mistake(f).sentence; }
bool begins(const std::string& sentence, std::string_view start) { return sentence.starts_with(start); }

}  // namespace

BOOST_AUTO_TEST_CASE(options_of_dlnetwork_go_in_braces) {
  BOOST_TEST(!dlnetwork({featureInputLayer(4), fullyConnectedLayer(3)}, {.initialize = false}).initialized());
  BOOST_TEST(!dlnetwork(layerGraph({featureInputLayer(4), reluLayer()}), {.initialize = false}).initialized());
  const DlNetwork net = dlnetwork({featureInputLayer(4), tanhLayer(), reluLayer()}, {.outputNames = {"tanh"}});
  BOOST_TEST(net.outputNames() == Names{"tanh"});
  BOOST_TEST(net.initialized());
}

BOOST_AUTO_TEST_CASE(example_data_and_options_go_together) {
  const DlNetwork one = dlnetwork({fullyConnectedLayer(3), reluLayer()}, batch(), {.outputNames = {"fc", "relu"}});
  BOOST_TEST(one.initialized());
  BOOST_TEST(one.outputNames() == (Names{"fc", "relu"}));
  const LayerGraph sum = layerGraph({additionLayer(2)});
  BOOST_TEST(dlnetwork(sum, batch(), batch()).initialized());
  BOOST_TEST(dlnetwork(sum, batch(), networkDataLayout({4, NAN}, "CB"), {.outputNames = {"addition"}}).initialized());
  BOOST_TEST(dlnetwork(layerGraph(additionLayer(3)), batch(), batch(), batch()).initialized());
  BOOST_TEST(dlnetwork(sum, std::vector<DataLayout>{batch(), batch()}).initialized());
}

BOOST_AUTO_TEST_CASE(one_layer_needs_no_braces) {
  DlNetwork net = dlnetwork(featureInputLayer(4));
  net = addLayers(net, fullyConnectedLayer(3));
  net = connectLayers(net, "input", "fc");
  net = initialize(replaceLayer(net, "fc", fullyConnectedLayer(2)));
  BOOST_TEST(size(predict(net, batch()), "C") == 2);
  net = initialize(addLayers(dlnetwork(), Tanh("own")), batch());
  BOOST_TEST(net.inputNames() == Names{"own"});
  LayerGraph graph = addLayers(layerGraph(reluLayer()), tanhLayer());
  BOOST_TEST(graph.layers().size() == 2U);
  graph = replaceLayer(graph, "relu", {reluLayer(), geluLayer()});
  BOOST_TEST(graph.layers().size() == 3U);
}

BOOST_AUTO_TEST_CASE(removes_one_name_or_several) {
  const DlNetwork net = dlnetwork({featureInputLayer(4), reluLayer(), tanhLayer()});
  BOOST_TEST(removeLayers(net, "tanh").layers().size() == 2U);
  BOOST_TEST(removeLayers(net, std::string("tanh")).layers().size() == 2U);
  BOOST_TEST(removeLayers(net, {"tanh"}).layers().size() == 2U);
  BOOST_TEST(removeLayers(net, {"relu", "tanh"}).layers().size() == 1U);
  BOOST_TEST(removeLayers(layerGraph({reluLayer(), tanhLayer()}), "relu").layers().size() == 1U);
}

BOOST_AUTO_TEST_CASE(analyses_example_data_given_one_by_one) {
  const DlNetwork net = dlnetwork({fullyConnectedLayer(3)}, {.initialize = false});
  BOOST_TEST(analyzeNetwork(net, batch()).totalLearnables == 15);
  BOOST_TEST(analyzeNetwork(net, {batch()}).totalLearnables == 15);
  BOOST_TEST(analyzeNetwork(std::vector<AnyLayer>{fullyConnectedLayer(3)}, batch()).totalLearnables == 15);
}

BOOST_AUTO_TEST_CASE(functions_return_pairs) {
  const AnyLayer layer = functionLayer([](const DlArray& x) { return std::pair(2 * x, x + 1); });
  BOOST_TEST(layer->outputNames() == (Names{"out1", "out2"}));
  const auto [twice, more] = predict<2>(dlnetwork({featureInputLayer(4), layer}), batch());
  BOOST_TEST(isequal(twice, 2 * batch()));
  BOOST_TEST(isequal(more, batch() + 1));
}

BOOST_AUTO_TEST_CASE(double_networks_stay_double) {
  for (const AnyLayer& layer :
       {lstmLayer(3), bilstmLayer(3), gruLayer(3), lstmProjectedLayer(3, 2, 2), batchNormalizationLayer()}) {
    DlNetwork net = dlnetwork({sequenceInputLayer(4), layer});
    Learnables learnables = net.learnables();
    for (auto& row : learnables) row.value = double_(row.value);
    net.setLearnables(learnables);
    const DlArray X = dlarray(randn(Size{4, 2, 5}), "CBT");
    BOOST_TEST_CONTEXT(layer->type()) {
      BOOST_TEST((underlyingType(predict(net, X)) == Type::Double));
      BOOST_TEST((underlyingType(std::get<0>(forward(net, X))) == Type::Double));
      BOOST_TEST((underlyingType(std::get<1>(predictAndUpdateState(net, X))) == Type::Double));
      BOOST_TEST((underlyingType(predict(net, single_(X))) == Type::Single));
    }
  }
}

BOOST_AUTO_TEST_CASE(states_of_other_sizes_and_types_are_refused) {
  DlNetwork net = dlnetwork({imageInputLayer({6, 5, 4}, {.normalization = "none"}), batchNormalizationLayer()});
  const DlNetwork before = net;
  NetworkState state = net.state();
  state[0].value = ones(Size{1, 1, 9});
  BOOST_TEST(begins(sentenceOf([&] { net.setState(state); }),
                    "setState: the value for \"batchnorm/TrainedMean\" is 1 x 1 x 9, the network's is 1 x 1 x 4"));
  state = before.state();
  state[1].value = state[1].value > 0;
  BOOST_TEST(begins(sentenceOf([&] { net.setState(state); }),
                    "setState: the value for \"batchnorm/TrainedVariance\" is logical, the network's is single"));
  BOOST_TEST(isequal(net, before));
}

BOOST_AUTO_TEST_CASE(factors_are_checked_before_anything_changes) {
  const DlNetwork net = dlnetwork({featureInputLayer(4), fullyConnectedLayer(2), reluLayer()});
  BOOST_TEST(begins(sentenceOf([&] { setLearnRateFactor(net, "fc/Weights", INFINITY); }),
                    "setLearnRateFactor: a factor of inf; factors are finite and 0 or larger"));
  BOOST_TEST(begins(sentenceOf([&] { setLearnRateFactor(net, "relu", "Weights", 0); }),
                    "setLearnRateFactor: layer \"relu\" has no learnable \"Weights\"; it has none"));
  BOOST_TEST(begins(sentenceOf([] { setL2Factor(fullyConnectedLayer(2, {.name = "fc"}), "Weigths", 0); }),
                    "setL2Factor: layer \"fc\" has no learnable \"Weigths\"; it has Weights, Bias"));
  BOOST_TEST(begins(sentenceOf([] { fullyConnectedLayer(2, {.biasL2Factor = INFINITY}); }),
                    "fullyConnectedLayer: a factor is inf; factors are finite and not negative"));
}

BOOST_AUTO_TEST_CASE(sides_of_padding_are_not_negative) {
  BOOST_TEST(begins(sentenceOf([] {
                      convolution2dLayer(3, 2, {.padding = {1, 2, -1, 3}});
                    }),
                    "convolution2dLayer: the padding is -1; it must be 0 at least"));
  BOOST_TEST(begins(sentenceOf([] {
                      transposedConv1dLayer(3, 2, {.cropping = {-1, 0}});
                    }),
                    "transposedConv1dLayer: the cropping is -1; it must be 0 at least"));
  BOOST_TEST(begins(sentenceOf([] {
                      maxPooling2dLayer(2, {.padding = {0, -2, 0, 0}});
                    }),
                    "maxPooling2dLayer: the padding is -2; it must be 0 at least"));
}

BOOST_AUTO_TEST_CASE(functions_that_a_file_lost_say_so) {
  const std::string file = "/tmp/dlarray_forms_" + std::to_string(std::uintptr_t(&batch)) + ".dlnet";
  const DlNetwork net = dlnetwork({featureInputLayer(4, {.name = "in", .normalization = [](const DlArray& x) { return 2 * x; }}),
                                   fullyConnectedLayer(2, {.weightsInitializer = [](const Size& size) { return rand(size); }})});
  save(net, file);
  const DlNetwork read = loadNetwork(file);
  std::remove(file.c_str());
  BOOST_TEST(
      begins(sentenceOf([&] { predict(read, batch()); }),
             "predict: layer \"in\": featureInputLayer \"in\": its normalisation was a function, which files do not hold"));
  DlNetwork fresh = initialize(replaceLayer(read, "in", featureInputLayer(4, {.name = "in"})));
  BOOST_TEST(isequal(fresh.learnables()[0].value, net.learnables()[0].value));
  const AnyLayer lost = getLayer(read, "fc");
  BOOST_TEST(sentenceOf([&] {
               dlnetwork({featureInputLayer(4), lost});
             }).find("\"weightsInitializer\" was a function") != std::string::npos);
}
