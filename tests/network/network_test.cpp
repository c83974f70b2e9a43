// Networks as values: what they are made of, initialisation, tables of parameters.
#include "harness/mistake.hpp"
#include "network/toys.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace dl;
using namespace dl::test;

namespace {
using Names = std::vector<std::string>;
const DlArray X = dlarray({{1.0, 2.0, 3.0}, {-1.0, 0.5, 2.0}}, "CB");
bool says(const std::string& sentence, const std::string& start) { return sentence.starts_with(start); }
#define REFUSED(call, start) BOOST_TEST(says(mistake([&] { call; }).sentence, start), mistake([&] { call; }).sentence)
}  // namespace

BOOST_AUTO_TEST_CASE(an_empty_network_has_nothing) {
  const DlNetwork net;
  BOOST_TEST(net.layers().empty());
  BOOST_TEST(net.connections().empty());
  BOOST_TEST(net.inputNames().empty());
  BOOST_TEST(net.outputNames().empty());
  BOOST_TEST(!net.initialized());
  BOOST_TEST(net.learnables().empty());
  BOOST_TEST(net.state().empty());
  BOOST_TEST(isequal(net, dlnetwork()));
}

BOOST_AUTO_TEST_CASE(learnables_are_listed_in_the_order_of_layers) {
  const DlNetwork net = dlnetwork({features(2), Dense(4, "a"), Counter("n"), Dense(3, "b")});
  const Learnables p = net.learnables();
  BOOST_TEST(p.size() == 4U);
  BOOST_TEST(p[0].layer == "a");
  BOOST_TEST(p[0].parameter == "Weights");
  BOOST_TEST(p[1].parameter == "Bias");
  BOOST_TEST(p[2].layer == "b");
  BOOST_TEST((size(p[2].value) == Size{3, 4}));
  BOOST_TEST(p[0].factors.learnRate == 2.0);
  BOOST_TEST(p[1].factors.l2 == 0.0);
  for (const auto& row : p) BOOST_TEST(bool(underlyingType(row.value) == Type::Single));
  BOOST_TEST(net.state().size() == 1U);
  BOOST_TEST(net.state()[0].layer == "n");
  BOOST_TEST(net.inputNames() == Names{"input"});
  BOOST_TEST(net.outputNames() == Names{"b"});
}

BOOST_AUTO_TEST_CASE(copies_are_independent) {
  DlNetwork net = dlnetwork({features(2), Dense(2, "fc")});
  const DlNetwork copy = net;
  Learnables p = net.learnables();
  p("fc/Bias") = dlarray({{5.0}, {6.0}});
  p("fc/Weights") = DlArray();  // leaves the network's
  net.setLearnables(p);
  BOOST_TEST(isequal(net.learnables()("fc/Bias"), dlarray({{5.0}, {6.0}})));
  BOOST_TEST(isequal(copy.learnables()("fc/Bias"), zeros(2, 1)));
  BOOST_TEST(isequal(net.learnables()("fc/Weights"), copy.learnables()("fc/Weights")));
  BOOST_TEST(!isequal(net, copy));
  DlNetwork third = copy;
  auto increase = [](DlArray& x) { x = x + 1; };
  visitArrays(third, ArrayVisitor(increase));
  BOOST_TEST(isequal(third.learnables()("fc/Bias"), ones(2, 1)));
  BOOST_TEST(isequal(copy.learnables()("fc/Bias"), zeros(2, 1)));
}

BOOST_AUTO_TEST_CASE(initialisation_fills_only_what_is_missing) {
  rng(1);
  const DlNetwork open = dlnetwork({Dense(3, "fc"), Dense(1, "out")});
  BOOST_TEST(!open.initialized());
  BOOST_TEST(open.inputNames() == Names{"fc"});
  const DlNetwork net = initialize(open, X);
  BOOST_TEST(net.initialized());
  BOOST_TEST(!open.initialized());
  BOOST_TEST((size(net.learnables()("fc/Weights")) == Size{3, 2}));
  BOOST_TEST(isequal(initialize(net, X), net));
  BOOST_TEST(isequal(initialize(net, networkDataLayout({2, NAN}, "CB")), net));
  BOOST_TEST(dlnetwork({Dense(3)}, X).initialized());
  BOOST_TEST(dlnetwork({Dense(3)}, {networkDataLayout({NAN, 2}, "BC")}).initialized());
  BOOST_TEST(!dlnetwork({features(2), Dense(3)}, DlnetworkOptions{.initialize = false}).initialized());
  const RandomState before = rng();
  initialize(net, X);
  BOOST_TEST((rng() == before));
}

BOOST_AUTO_TEST_CASE(values_that_a_layer_brings_are_kept_in_single_precision) {
  struct Given : Dense {
    Given() : Dense(2, "given") {}
    void initialize(Parameters& p, const std::vector<DataLayout>&) const override {
      p.learnable("Weights", 3 * ones(2, 2));
      p.learnable("Bias", zeros(2, 1));
    }
  };
  const DlArray w = dlnetwork({features(2), Given()}).learnables()("given/Weights");
  BOOST_TEST(isequal(w, 3 * ones(2, 2)));
  BOOST_TEST(bool(underlyingType(w) == Type::Single));
}

BOOST_AUTO_TEST_CASE(outputs_are_chosen_by_name) {
  const DlNetwork net = dlnetwork({features(2, "in"), Tanh("a"), Tanh("b")}, {.outputNames = {"b", "a"}});
  BOOST_TEST(net.outputNames() == (Names{"b", "a"}));
  const auto [b, a] = predict<2>(net, X);
  BOOST_TEST(isequal(a, tanh(X)));
  BOOST_TEST(isequal(b, tanh(tanh(X))));
  REFUSED(dlnetwork({features(2, "in"), Tanh("a")}, DlnetworkOptions{.outputNames = {"c"}}),
          "dlnetwork: there is no layer \"c\" to give an output; the layers are in, a");
}

BOOST_AUTO_TEST_CASE(tables_that_do_not_fit_are_refused_and_change_nothing) {
  DlNetwork net = dlnetwork({features(2), Dense(2, "fc"), Counter("n")});
  const DlNetwork before = net;
  Learnables p = net.learnables();
  p("fc/Weights") = ones(2, 2);
  p("fc/Bias") = ones(3, 1);
  REFUSED(net.setLearnables(p), "setLearnables: the value for \"fc/Bias\" is 3 x 1, the network's is 2 x 1");
  BOOST_TEST(isequal(net, before));
  Learnables foreign;
  foreign.push_back({"fd", "Weights", ones(2, 2), {}});
  REFUSED(net.setLearnables(foreign), "setLearnables: the network has no learnable \"fd/Weights\"; it has fc/Weights, fc/Bias");
  Learnables logical;
  logical.push_back({"fc", "Bias", zeros(2, 1) > 0, {}});
  REFUSED(net.setLearnables(logical), "setLearnables: the value for \"fc/Bias\" is logical; learnables are single or double");
  NetworkState s;
  s.push_back({"fc", "Weights", ones(2, 2), {}});
  REFUSED(net.setState(s), "setState: the network has no state \"fc/Weights\"; it has n/Count");
  NetworkState wide;
  wide.push_back({"n", "Count", ones(2, 2), {}});
  REFUSED(net.setState(wide), "setState: the value for \"n/Count\" is 2 x 2, the network's is 1 x 1");
  BOOST_TEST(isequal(net, before));
  // As many columns as observations.
  wide[0].value = dlarray({1.0, 2.0, 3.0});
  net.setState(wide);
  BOOST_TEST((size(net.state()("n/Count")) == Size{1, 3}));
}

BOOST_AUTO_TEST_CASE(initialisation_tells_what_is_missing) {
  const DlNetwork net = dlnetwork(layerGraph({features(2, "in"), Add(2, "add")}));
  BOOST_TEST(!net.initialized());
  REFUSED(initialize(net),
          "initialize: layer \"add/in2\": nothing feeds this input; connect a layer to it, put an input layer before it, or "
          "give example data");
  BOOST_TEST(initialize(net, X).initialized());  // for the input that has no layer
  BOOST_TEST(initialize(net, X, X).initialized());
  REFUSED(initialize(net, X, X, X),
          "initialize: 3 examples for 2 inputs, in, add/in2; give one for each, or one for each of the 1 without");
  REFUSED(initialize(net, ones(2, 3)), "initialize: layer \"add/in2\": the example data, 2 x 3, has no labels");
  REFUSED(networkDataLayout({2, 3}, "CBT"), "networkDataLayout: 3 labels, \"CBT\", for 2 sizes, 2 x 3");
  REFUSED(networkDataLayout({2.5}, "C"), "networkDataLayout: 2.5 is not a size");
}

BOOST_AUTO_TEST_CASE(all_problems_are_told_at_once) {
  struct Picky : Tanh {
    using Tanh::Tanh;
    void initialize(Parameters&, const std::vector<DataLayout>& in) const override {
      if (in[0].size("C") != 7) throw Error("dlarray:picky:size", "picky: 7 channels are needed");
    }
  };
  LayerGraph g = layerGraph({features(2, "in"), Picky("p1"), Tanh("behind")});
  g = connectLayers(addLayers(g, {Picky("p2")}), "in", "p2");
  const dl::test::Mistake m = mistake([&] { dlnetwork(g); });
  BOOST_TEST(
      says(m.sentence, "dlnetwork: 2 problems\n  layer \"p1\": picky: 7 channels are needed\n  layer \"p2\": picky: 7 channels"),
      m.sentence);
  BOOST_TEST(m.identifier == "dlarray:network:problems");
  REFUSED(dlnetwork({features(2, "in"), Tanh("a"), Picky("a")}),
          "dlnetwork: 2 problems\n  layer \"a\": 2 layers have this name; names must differ\n  layer \"a (2)\": picky: 7 "
          "channels are needed");
  REFUSED(dlnetwork({Tanh("a"), Tanh("a")}), "dlnetwork: layer \"a\": 2 layers have this name; names must differ");
}

BOOST_AUTO_TEST_CASE(layers_that_break_their_word_are_named) {
  struct Liar : Split {
    using Split::Split;
    std::vector<DlArray> predict(const std::vector<DlArray>& x, const Parameters&) const override { return {x[0]}; }
  };
  REFUSED(dlnetwork({features(2, "in"), Liar("liar")}),
          "dlnetwork: layer \"liar\": the layer gave 1 outputs and names 2, out, square");
  struct Forger : Tanh {
    using Tanh::Tanh;
    std::vector<DlArray> forward(const std::vector<DlArray>& x, const Parameters& p, Parameters& newState) const override {
      newState.state("Cuont", 1.0);
      return predict(x, p);
    }
  };
  const DlNetwork net = dlnetwork({features(2, "in"), Forger("forger")});
  REFUSED(forward(net, X), "forward: layer \"forger\": the layer set a state \"Cuont\" that it never declared");
}

BOOST_AUTO_TEST_CASE(networks_are_compared_by_layers_options_wiring_and_values) {
  rng(7);
  const DlNetwork net = dlnetwork({features(2, "in"), Dense(3, "fc"), Tanh("t")});
  rng(7);
  BOOST_TEST(isequal(net, dlnetwork({features(2, "in"), Dense(3, "fc"), Tanh("t")})));
  rng(8);
  BOOST_TEST(!isequal(net, dlnetwork({features(2, "in"), Dense(3, "fc"), Tanh("t")})));
  rng(7);
  BOOST_TEST(!isequal(net, dlnetwork({features(2, "in"), Dense(3, "fc"), Tanh("u")})));
  BOOST_TEST(!isequal(net, setLearnRateFactor(net, "fc/Bias", 3)));
  const auto open = [](Index n) { return dlnetwork({Dense(n, "fc")}); };
  BOOST_TEST(isequal(open(3), open(3)));
  BOOST_TEST(!isequal(open(3), open(4)));
}
