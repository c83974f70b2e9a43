// Changing networks: what stays keeps its values.
#include "harness/mistake.hpp"
#include "network/toys.hpp"

#include <boost/test/unit_test.hpp>

using namespace dl;
using namespace dl::test;

namespace {
using Names = std::vector<std::string>;
using Connections = std::vector<Connection>;
const DlArray X = dlarray({{1.0, 2.0, 3.0}, {-1.0, 0.5, 2.0}}, "CB");
bool says(const std::string& sentence, const std::string& start) { return sentence.starts_with(start); }
#define REFUSED(call, start) BOOST_TEST(says(mistake([&] { call; }).sentence, start), mistake([&] { call; }).sentence)
DlNetwork chain() { return dlnetwork({features(2, "in"), Dense(3, "a"), Tanh("t"), Dense(2, "b")}); }
Names namesOf(const DlNetwork& net) {
  Names names;
  for (const AnyLayer& layer : net.layers()) names.push_back(layer.name());
  return names;
}
}  // namespace

BOOST_AUTO_TEST_CASE(layers_are_added_and_connected) {
  const DlNetwork net = chain();
  DlNetwork longer = addLayers(net, {Dense(4, "c"), Tanh()});
  BOOST_TEST(!longer.initialized());
  BOOST_TEST(net.initialized());
  BOOST_TEST(longer.inputNames() == (Names{"in", "c"}));
  longer = connectLayers(longer, "b", "c");
  BOOST_TEST(longer.outputNames() == Names{"tanh"});
  longer = initialize(longer);
  for (const auto& row : net.learnables()) BOOST_TEST(isequal(longer.learnables()(row.layer, row.parameter), row.value));
  BOOST_TEST((size(longer.learnables()("c/Weights")) == Size{4, 2}));
  const Learnables p = longer.learnables();
  BOOST_TEST(isequal(predict(longer, X), tanh(fullyconnect(predict(net, X), p("c/Weights"), p("c/Bias")))));
}

BOOST_AUTO_TEST_CASE(a_network_grows_from_nothing) {
  DlNetwork net = dlnetwork();
  net = addLayers(net, {features(2, "in"), Dense(3, "a")});
  net = addLayers(net, {Add(2, "add"), Tanh("t")});
  net = connectLayers(net, "a", "add/in1");
  net = connectLayers(net, "a", "add/in2");
  BOOST_TEST(!net.initialized());
  net = initialize(net);
  BOOST_TEST(isequal(predict(net, X), tanh(2 * activations(net, X, "a"))));
  net = disconnectLayers(net, "a", "add/in2");
  BOOST_TEST(net.inputNames() == (Names{"in", "add/in2"}));
}

BOOST_AUTO_TEST_CASE(layers_are_removed_with_their_connections) {
  DlNetwork net = removeLayers(chain(), {"t"});
  BOOST_TEST(namesOf(net) == (Names{"in", "a", "b"}));
  BOOST_TEST((net.connections() == Connections{{"in", "a"}}));
  BOOST_TEST(net.learnables().size() == 4U);
  net = initialize(connectLayers(net, "a", "b"));
  BOOST_TEST(net.initialized());
  REFUSED(removeLayers(net, {"a", "z"}), "removeLayers: there is no layer \"z\"; the layers are in, a, b");
  const DlNetwork chosen = dlnetwork({features(2, "in"), Tanh("t"), Tanh("u")}, {.outputNames = {"t", "u"}});
  BOOST_TEST(removeLayers(chosen, {"u"}).outputNames() == Names{"t"});
}

BOOST_AUTO_TEST_CASE(a_layer_is_replaced_by_a_series) {
  const DlNetwork net = chain();
  DlNetwork other = replaceLayer(net, "t", {Dense(3, "t"), Tanh("u")});
  BOOST_TEST(namesOf(other) == (Names{"in", "a", "t", "u", "b"}));
  BOOST_TEST((other.connections() == Connections{{"in", "a"}, {"a", "t"}, {"u", "b"}, {"t", "u"}}));
  BOOST_TEST(!other.initialized());
  other = initialize(other);
  BOOST_TEST(isequal(other.learnables()("a/Weights"), net.learnables()("a/Weights")));
  BOOST_TEST(isequal(other.learnables()("b/Weights"), net.learnables()("b/Weights")));
  // A new layer under the old name starts anew.
  const DlNetwork fresh = initialize(replaceLayer(net, "b", {Dense(2, "b")}));
  BOOST_TEST(!isequal(fresh.learnables()("b/Weights"), net.learnables()("b/Weights")));
}

BOOST_AUTO_TEST_CASE(ports_are_connected_again_by_name_or_by_order) {
  struct Mix : Add {
    Mix() : Add(2, "mix") {}
    Names inputNames() const override { return {"left", "right"}; }
  };
  LayerGraph g = layerGraph({features(2, "in"), Tanh("t"), Add(2, "add"), Tanh("end")});
  g = connectLayers(g, "in", "add/in2");
  REFUSED(replaceLayer(g, "add", {Mix()}),
          "replaceLayer: the new layer \"mix\" has no input \"in1\" to connect again; its inputs are left, right; .reconnectBy = "
          "\"order\"");
  const LayerGraph h = replaceLayer(g, "add", {Mix()}, {.reconnectBy = "order"});
  BOOST_TEST((h.connections() == Connections{{"in", "t"}, {"t", "mix/left"}, {"mix", "end"}, {"in", "mix/right"}}));
  const LayerGraph three = replaceLayer(g, "add", {Add(3, "add3")});
  BOOST_TEST((three.connections() == Connections{{"in", "t"}, {"t", "add3/in1"}, {"add3", "end"}, {"in", "add3/in2"}}));
  REFUSED(replaceLayer(g, "add", {Tanh("one")}, {.reconnectBy = "order"}),
          "replaceLayer: the new layer \"one\" has no input number 2 to connect again; its inputs are in");
  REFUSED(replaceLayer(g, "add", {Mix()}, {.reconnectBy = "names"}),
          "replaceLayer: .reconnectBy is \"names\"; use \"name\" or \"order\"");
  REFUSED(replaceLayer(g, "add", {}), "replaceLayer: no layers to put in the place of \"add\"");
  REFUSED(replaceLayer(g, "add", {Tanh("t")}), "replaceLayer: layer \"t\": 2 layers have this name; names must differ");
}

BOOST_AUTO_TEST_CASE(an_input_layer_is_put_in_front) {
  const DlNetwork open = dlnetwork({Dense(3, "fc"), Tanh("t")});
  const DlNetwork net = addInputLayer(open, features(2));
  BOOST_TEST(namesOf(net) == (Names{"input", "fc", "t"}));
  BOOST_TEST(net.initialized());
  BOOST_TEST(net.inputNames() == Names{"input"});
  const DlNetwork two = dlnetwork({Add(2, "add")});
  const DlNetwork one = addInputLayer(two, features(2, "x"), "add/in2");
  BOOST_TEST(!one.initialized());
  BOOST_TEST((one.connections() == Connections{{"x", "add/in2"}}));
  REFUSED(addInputLayer(one, features(2), "add/in2"),
          "addInputLayer: the network has no input \"add/in2\" that lacks a layer; those that do are add/in1");
  REFUSED(addInputLayer(net, features(2)), "addInputLayer: the network has no input that lacks a layer; those that do are none");
  REFUSED(addInputLayer(open, Tanh("x")), "addInputLayer: \"x\", a Tanh, is no input layer");
}
