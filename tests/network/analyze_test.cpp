// What the analysis of a network tells.
#include "harness/mistake.hpp"
#include "network/toys.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace dl;
using namespace dl::test;

namespace {
using Names = std::vector<std::string>;
struct Picky : Tanh {
  using Tanh::Tanh;
  void initialize(Parameters&, const std::vector<DataLayout>& in) const override {
    if (in[0].size("C") != 7) throw Error("dlarray:picky:size", "picky: 7 channels are needed");
  }
};
}  // namespace

BOOST_AUTO_TEST_CASE(sizes_learnables_and_states_of_each_layer) {
  const NetworkAnalysis a = analyzeNetwork({features(2), Dense(3), Split(), Counter("n")});
  BOOST_TEST(a.issues.empty());
  BOOST_TEST(a.layers.size() == 4U);
  BOOST_TEST(a.layers[1].name == "dense");
  BOOST_TEST(a.layers[1].type == "Dense");
  BOOST_TEST(a.layers[1].outputs == Names{"3(C) x 1(B)"});
  BOOST_TEST(a.layers[1].learnables == (Names{"Weights 3 x 2", "Bias 3 x 1"}));
  BOOST_TEST(a.layers[1].learnableCount == 9);
  BOOST_TEST(a.layers[2].outputs.size() == 2U);
  BOOST_TEST(a.layers[3].states == Names{"Count 1 x 1"});
  BOOST_TEST(a.totalLearnables == 9);
}

BOOST_AUTO_TEST_CASE(the_analysis_goes_on_behind_a_problem) {
  LayerGraph g = layerGraph({features(2, "in"), Picky("p1"), Dense(4, "behind")});
  g = addLayers(g, {Dense(5, "aside"), Picky("p2"), Add(2, "add")});
  g = connectLayers(g, "in", "aside");
  const NetworkAnalysis a = analyzeNetwork(g);
  BOOST_TEST(a.issues.size() == 3U);
  BOOST_TEST(a.issues[0].layer == "add/in2");
  BOOST_TEST(a.issues[0].problem.starts_with("nothing feeds this input"));
  BOOST_TEST(a.issues[1].layer == "p1");
  BOOST_TEST(a.issues[1].problem == "picky: 7 channels are needed");
  BOOST_TEST(a.issues[2].layer == "p2");
  BOOST_TEST(a.layers[2].outputs == Names{"unknown"});
  BOOST_TEST(a.layers[2].learnableCount == 0);
  BOOST_TEST(a.layers[3].outputs == Names{"5(C) x 1(B)"});
  BOOST_TEST(a.totalLearnables == 15);
}

BOOST_AUTO_TEST_CASE(names_used_twice_do_not_hide_other_problems) {
  const NetworkAnalysis a = analyzeNetwork({features(2, "in"), Tanh("a"), Picky("a")});
  BOOST_TEST(a.issues.size() == 2U);
  BOOST_TEST(a.issues[0].problem == "2 layers have this name; names must differ");
  BOOST_TEST(a.issues[1].layer == "a (2)");
}

BOOST_AUTO_TEST_CASE(example_data_and_networks_are_analysed_too) {
  const NetworkAnalysis a = analyzeNetwork({Dense(3, "fc")}, {networkDataLayout({NAN, 6}, "BC")});
  BOOST_TEST(a.layers[0].learnables[0] == "Weights 3 x 6");
  const DlNetwork net = dlnetwork({features(2, "in"), networkLayer(dlnetwork({Dense(3, "fc")}), {.name = "block"})});
  const NetworkAnalysis b = analyzeNetwork(net);
  BOOST_TEST(b.issues.empty());
  BOOST_TEST(b.layers[1].name == "block/fc");
  BOOST_TEST(b.totalLearnables == 9);
  BOOST_TEST(analyzeNetwork(dlnetwork({Dense(3, "fc")})).issues.size() == 1U);
}
