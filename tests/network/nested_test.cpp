// Networks as layers of networks.
#include "harness/mistake.hpp"
#include "network/toys.hpp"

#include <boost/test/unit_test.hpp>

using namespace dl;
using namespace dl::test;

namespace {
using Names = std::vector<std::string>;
const DlArray X = dlarray({{1.0, 2.0, 3.0}, {-1.0, 0.5, 2.0}}, "CB");
bool says(const std::string& sentence, const std::string& start) { return sentence.starts_with(start); }
#define REFUSED(call, start) BOOST_TEST(says(mistake([&] { call; }).sentence, start), mistake([&] { call; }).sentence)
DlNetwork block(Index outputs) { return dlnetwork({Dense(outputs, "fc"), Counter("n"), Tanh("tanh")}); }
}  // namespace

BOOST_AUTO_TEST_CASE(the_parent_initialises_and_paths_reach_inside) {
  rng(1);
  const DlNetwork net = dlnetwork({features(2, "in"), networkLayer(block(3), {.name = "block"}), Dense(2, "out")});
  BOOST_TEST(net.initialized());
  const Learnables p = net.learnables();
  BOOST_TEST(p.size() == 4U);
  BOOST_TEST(p[0].layer == "block/fc");
  BOOST_TEST(p[0].parameter == "Weights");
  BOOST_TEST(net.state()[0].layer == "block/n");
  const DlArray inside = tanh(fullyconnect(X, p("block/fc/Weights"), p("block/fc/Bias")));
  BOOST_TEST(isequal(activations(net, X, "block/tanh"), inside));
  BOOST_TEST(isequal(activations(net, X, "block"), inside));
  BOOST_TEST(isequal(predict(net, X), fullyconnect(inside, p("out/Weights"), p("out/Bias"))));
  const auto [Y, state] = forward(net, X);
  BOOST_TEST(double(state("block/n/Count")) == 1.0);
  REFUSED(activations(net, X, "block/relu"),
          "activations: there is no layer \"block/relu\" to give an output; the layers are in, block, block/fc, block/n, "
          "block/tanh, out");
}

BOOST_AUTO_TEST_CASE(values_of_an_initialised_network_come_along_and_back) {
  rng(2);
  const DlNetwork inner = initialize(block(2), X);
  DlNetwork net = dlnetwork({features(2, "in"), networkLayer(inner, {.name = "block"})});
  BOOST_TEST(isequal(predict(net, X), predict(inner, X)));
  Learnables p = net.learnables();
  for (auto& row : p) row.value = row.value + 1;
  net.setLearnables(p);
  const AnyLayer again = getLayer(net, "block");
  const DlNetwork other = dlnetwork({features(2, "in"), again});
  BOOST_TEST(isequal(predict(other, X), predict(net, X)));
  BOOST_TEST(getLayer(net, "block/fc")->type() == "Dense");
  BOOST_TEST(isequal(inner.learnables()("fc/Bias"), zeros(2, 1)));
  // Editing around a nested network keeps what it learned.
  const DlNetwork longer = initialize(connectLayers(addLayers(net, {Tanh("end")}), "block", "end"));
  BOOST_TEST(isequal(predict(longer, X), tanh(predict(net, X))));
}

BOOST_AUTO_TEST_CASE(several_inputs_and_outputs_become_ports) {
  LayerGraph g = layerGraph({Add(2, "add"), Split("split")});
  const DlNetwork inner = dlnetwork(g);
  LayerGraph outer = layerGraph({features(2, "x")});
  outer = addLayers(outer, {networkLayer(inner, {.name = "block"})});
  outer = addLayers(outer, {Add(2, "sum")});
  outer = connectLayers(outer, "x", "block/add/in1");
  outer = connectLayers(outer, "x", "block/add/in2");
  outer = connectLayers(outer, "block/split/out", "sum/in1");
  outer = connectLayers(outer, "block/split/square", "sum/in2");
  const DlNetwork net = dlnetwork(outer);
  BOOST_TEST(isequal(predict(net, X), 2 * X + 4 * X % X));
  BOOST_TEST(isequal(activations(net, X, "block/split/square"), 4 * X % X));
  BOOST_TEST(isequal(activations(net, X, "block/add"), 2 * X));
  REFUSED(connectLayers(outer, "x", "block"),
          "connectLayers: layer \"block\" has 2 inputs, add/in1, add/in2; name one, as \"block/add/in1\"");
}

BOOST_AUTO_TEST_CASE(nested_networks_have_gradients_and_states) {
  rng(3);
  const DlNetwork twice = dlnetwork({networkLayer(block(2), {.name = "inner"})});
  DlNetwork net = dlnetwork({features(2, "in"), networkLayer(twice, {.name = "a"}), networkLayer(twice, {.name = "b"})});
  BOOST_TEST(net.learnables().size() == 4U);
  BOOST_TEST(net.learnables()[2].layer == "b/inner/fc");
  BOOST_TEST(!isequal(net.learnables()[0].value, net.learnables()[2].value));
  const auto loss = [](const DlNetwork& n, const DlArray& x) {
    const auto [y, state] = forward(n, x);
    return std::tuple(dlgradient(sum(y, "all"), n.learnables()), state);
  };
  const auto [g, state] = dlfeval(loss, net, X);
  for (const auto& row : g) BOOST_TEST(double(max(abs(row.value), {}, "all")) > 0.0);
  net.setState(state);
  BOOST_TEST(double(net.state()("b/inner/n/Count")) == 1.0);
  BOOST_TEST(double(resetState(net).state()("b/inner/n/Count")) == 0.0);
}

BOOST_AUTO_TEST_CASE(a_network_layer_works_by_itself) {
  rng(4);
  const AnyLayer layer = networkLayer(block(3), {.name = "block"});
  BOOST_TEST(layer->type() == "NetworkLayer");
  Parameters p, state;
  layer->initialize(p, {DataLayout(X)});
  BOOST_TEST(p.entries().size() == 3U);
  BOOST_TEST(p.has("fc/Weights"));
  BOOST_TEST(p.find("n/Count")->isState);
  const DlArray Y = layer->predict({X}, p)[0];
  BOOST_TEST(isequal(Y, tanh(fullyconnect(X, p["fc/Weights"], p["fc/Bias"]))));
  BOOST_TEST(isequal(layer->forward({X}, p, state)[0], Y));
  BOOST_TEST(double(state["n/Count"]) == 1.0);
  Parameters fresh = p;
  fresh.find("n/Count")->value = DlArray();
  layer->resetState(fresh);
  BOOST_TEST(double(fresh["n/Count"]) == 0.0);
}

BOOST_AUTO_TEST_CASE(input_layers_inside_tell_sizes_to_the_parent) {
  const DlNetwork inner = dlnetwork({features(2, "in"), Dense(3, "fc")}, DlnetworkOptions{.initialize = false});
  const DlNetwork net = dlnetwork({networkLayer(inner, {.name = "block"})});
  BOOST_TEST(net.initialized());
  BOOST_TEST(net.inputNames() == Names{"block"});
  BOOST_TEST((size(predict(net, X)) == Size{3, 3}));
  REFUSED(predict(net, dlarray(ones(5, 1), "CB")),
          "predict: the data for input \"block\" is 5(C) x 1(B), the input layer takes 2(C) x 1(B)");
}
