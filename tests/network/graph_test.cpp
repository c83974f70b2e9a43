// Graphs: names, ports, connections, and what is refused.
#include "harness/mistake.hpp"
#include "network/toys.hpp"

#include <boost/test/unit_test.hpp>

using namespace dl;
using namespace dl::test;

namespace {
std::vector<std::string> namesOf(const LayerGraph& g) {
  std::vector<std::string> names;
  for (const AnyLayer& layer : g.layers()) names.push_back(layer.name());
  return names;
}
using Names = std::vector<std::string>;
using Connections = std::vector<Connection>;
bool says(const std::string& sentence, const std::string& start) { return sentence.starts_with(start); }
#define REFUSED(call, start) BOOST_TEST(says(mistake([&] { call; }).sentence, start), mistake([&] { call; }).sentence)
}  // namespace

BOOST_AUTO_TEST_CASE(layers_without_a_name_get_one_as_in_matlab) {
  BOOST_TEST(namesOf(layerGraph({features(2), Dense(3), Tanh(), Dense(4), Tanh("mine"), Dense(1)})) ==
             (Names{"input", "dense_1", "tanh", "dense_2", "mine", "dense_3"}));
  // Names that are taken are left out.
  BOOST_TEST(namesOf(layerGraph({Tanh(), Tanh("tanh_1"), Tanh()})) == (Names{"tanh_2", "tanh_1", "tanh_3"}));
  BOOST_TEST(namesOf(layerGraph({Tanh("tanh"), Tanh()})) == (Names{"tanh", "tanh_1"}));
  BOOST_TEST(namesOf(addLayers(layerGraph({Tanh()}), {Tanh(), Tanh()})) == (Names{"tanh", "tanh_1", "tanh_2"}));
}

BOOST_AUTO_TEST_CASE(a_series_is_connected_and_ports_are_named_where_there_are_several) {
  const LayerGraph g = layerGraph({features(2, "in"), Split("split"), Add(2, "add")});
  BOOST_TEST((g.connections() == Connections{{"in", "split"}, {"split/out", "add/in1"}}));
  BOOST_TEST(g.inputNames() == (Names{"in", "add/in2"}));
  BOOST_TEST(g.outputNames() == (Names{"split/square", "add"}));
  const LayerGraph all = connectLayers(g, "split/square", "add/in2");
  BOOST_TEST(all.inputNames() == Names{"in"});
  BOOST_TEST(all.outputNames() == Names{"add"});
  BOOST_TEST(layerGraph().layers().empty());
  // A source may feed many; without a port it is the first output.
  const LayerGraph twice = connectLayers(g, "split", "add/in2");
  BOOST_TEST((twice.connections().back() == Connection{"split/out", "add/in2"}));
}

BOOST_AUTO_TEST_CASE(wrong_names_are_refused) {
  REFUSED(layerGraph({Tanh("a"), Tanh("b"), Tanh("a")}), "layerGraph: layer \"a\": 2 layers have this name; names must differ");
  REFUSED(layerGraph({Tanh("a/b")}),
          "layerGraph: layer \"a/b\": a name may not hold '/', which separates layers from ports and parameters");
  REFUSED(addLayers(layerGraph({Tanh("a")}), {Dense(1, "a")}),
          "addLayers: layer \"a\": 2 layers have this name; names must differ");
  REFUSED(layerGraph({Tanh("a"), Tanh("a"), Tanh("b"), Tanh("b")}),
          "layerGraph: 2 problems\n  layer \"a\": 2 layers have this name; names must differ\n  layer \"b\": 2 layers have this "
          "name");
  struct Nameless : Tanh {
    std::string stem() const override { return ""; }
  };
  REFUSED(layerGraph({Nameless()}), "layerGraph: a layer has no name, and its stem() gives none");
}

BOOST_AUTO_TEST_CASE(wrong_connections_are_refused_with_what_there_is) {
  const LayerGraph g = addLayers(layerGraph({features(2, "in"), Split("split"), Add(2, "add")}), {Tanh("tanh")});
  REFUSED(connectLayers(g, "sp", "tanh"), "connectLayers: there is no layer \"sp\"; the layers are in, split, add, tanh");
  REFUSED(connectLayers(g, "split", "tan"), "connectLayers: there is no layer \"tan\"; the layers are in, split, add, tanh");
  REFUSED(connectLayers(g, "split/cube", "tanh"),
          "connectLayers: layer \"split\" has no output \"cube\"; its outputs are out, square");
  REFUSED(connectLayers(g, "split", "add/in3"), "connectLayers: layer \"add\" has no input \"in3\"; its inputs are in1, in2");
  REFUSED(connectLayers(g, "split", "add"), "connectLayers: layer \"add\" has 2 inputs, in1, in2; name one, as \"add/in1\"");
  REFUSED(connectLayers(g, "split", "in"), "connectLayers: layer \"in\" has no inputs that another layer could feed");
  REFUSED(connectLayers(g, "tanh", "add/in1"),
          "connectLayers: \"add/in1\" is fed by \"split/out\" already; disconnect them first");
  const LayerGraph towards = connectLayers(g, "add", "tanh");
  REFUSED(connectLayers(towards, "tanh", "add/in2"),
          "connectLayers: the layers add -> tanh -> add form a cycle; data must flow one way");
  REFUSED(connectLayers(addLayers(g, {Add(1, "self")}), "self", "self"), "connectLayers: the layers self -> self form a cycle");
  REFUSED(disconnectLayers(g, "in", "add/in1"), "disconnectLayers: \"in\" does not feed \"add/in1\"; \"split/out\" does");
  REFUSED(disconnectLayers(g, "in", "add/in2"), "disconnectLayers: \"in\" does not feed \"add/in2\"; nothing does");
  BOOST_TEST(mistake([&] { connectLayers(g, "split", "tan"); }).identifier == "dlarray:network:layer");
}

BOOST_AUTO_TEST_CASE(many_layers_are_not_all_listed) {
  std::vector<AnyLayer> layers;
  for (int i = 0; i < 25; ++i) layers.push_back(Tanh());
  const std::string sentence = mistake([&] { connectLayers(layerGraph(layers), "x", "tanh_1"); }).sentence;
  BOOST_TEST(sentence.find("tanh_20 and 5 more") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(layers_are_found_by_name) {
  const LayerGraph g = layerGraph({features(2, "in"), Dense(3, "fc")});
  BOOST_TEST(getLayer(g, "fc")->type() == "Dense");
  REFUSED(getLayer(g, "fd"), "getLayer: there is no layer \"fd\"; the layers are in, fc");
  REFUSED(getLayer(g, "fc/a"), "getLayer: layer \"fc\" holds no network in which there could be a layer \"a\"");
}
