// Factors of the learn rate and of the L2 regularisation.
#include "harness/mistake.hpp"
#include "network/toys.hpp"

#include <boost/test/unit_test.hpp>

using namespace dl;
using namespace dl::test;

namespace {
bool says(const std::string& sentence, const std::string& start) { return sentence.starts_with(start); }
#define REFUSED(call, start) BOOST_TEST(says(mistake([&] { call; }).sentence, start), mistake([&] { call; }).sentence)
const DlArray X = dlarray(ones(2, 3), "CB");
}  // namespace

BOOST_AUTO_TEST_CASE(factors_of_a_network) {
  const DlNetwork net = dlnetwork({features(2, "in"), Dense(3, "fc"), Counter("n")});
  BOOST_TEST(getLearnRateFactor(net, "fc", "Weights") == 2.0);  // as declared
  BOOST_TEST(getL2Factor(net, "fc/Bias") == 0.0);
  const DlNetwork frozen = setLearnRateFactor(net, "fc", "Weights", 0);
  BOOST_TEST(getLearnRateFactor(frozen, "fc/Weights") == 0.0);
  BOOST_TEST(getLearnRateFactor(net, "fc/Weights") == 2.0);
  BOOST_TEST(frozen.initialized());
  BOOST_TEST(frozen.learnables()[0].factors.learnRate == 0.0);
  BOOST_TEST(isequal(frozen.learnables()("fc/Weights"), net.learnables()("fc/Weights")));
  const DlNetwork both = setL2Factor(frozen, "fc/Weights", 5);
  BOOST_TEST(getL2Factor(both, "fc", "Weights") == 5.0);
  BOOST_TEST(getLearnRateFactor(both, "fc", "Weights") == 0.0);
  REFUSED(setLearnRateFactor(net, "fd", "Weights", 0), "setLearnRateFactor: there is no layer \"fd\"; the layers are in, fc, n");
  REFUSED(setLearnRateFactor(net, "fc/Wieghts", 0),
          "setLearnRateFactor: layer \"fc\" has no learnable \"Wieghts\"; it has Weights, Bias");
  REFUSED(getL2Factor(net, "n/Count"), "getL2Factor: layer \"n\" has no learnable \"Count\"; it has none");
  REFUSED(setL2Factor(net, "Weights", 0), "setL2Factor: \"Weights\" names no layer; give a path such as \"fc/Weights\"");
  REFUSED(setL2Factor(net, "fc/Weights", -1), "setL2Factor: a factor of -1; factors are finite and 0 or larger");
}

BOOST_AUTO_TEST_CASE(factors_of_a_layer_take_effect_in_its_network) {
  AnyLayer layer = Dense(3, "fc");
  const RandomState before = rng();
  BOOST_TEST(getLearnRateFactor(layer, "Weights") == 2.0);  // as it will be declared
  BOOST_TEST(getL2Factor(layer, "Bias") == 0.0);
  BOOST_TEST((rng() == before));
  layer = setLearnRateFactor(layer, "Weights", 0);
  BOOST_TEST(getLearnRateFactor(layer, "Weights") == 0.0);
  BOOST_TEST(getL2Factor(layer, "Weights") == 1.0);
  const DlNetwork net = dlnetwork({features(2), layer});
  BOOST_TEST(getLearnRateFactor(net, "fc/Weights") == 0.0);
  BOOST_TEST(getLearnRateFactor(net, "fc/Bias") == 1.0);
  REFUSED(getLearnRateFactor(layer, "Scale"),
          "getLearnRateFactor: layer \"fc\" has no learnable \"Scale\"; it has Weights, Bias");
  REFUSED(dlnetwork({features(2), setL2Factor(layer, "Scale", 2)}),
          "setL2Factor: layer \"fc\" has no learnable \"Scale\"; it has Weights, Bias");
}

BOOST_AUTO_TEST_CASE(factors_can_be_set_before_initialisation) {
  const DlNetwork open = setLearnRateFactor(dlnetwork({Dense(3, "fc")}), "fc/Bias", 7);
  BOOST_TEST(!open.initialized());
  BOOST_TEST(getLearnRateFactor(open, "fc/Bias") == 7.0);
  BOOST_TEST(getLearnRateFactor(open, "fc/Weights") == 2.0);
  BOOST_TEST(getLearnRateFactor(initialize(open, X), "fc/Bias") == 7.0);
}

BOOST_AUTO_TEST_CASE(factors_are_reached_by_paths_through_nested_networks) {
  const DlNetwork inner = dlnetwork({Dense(3, "fc"), Tanh("t")});
  const DlNetwork outer = dlnetwork({networkLayer(inner, {.name = "deep"})});
  DlNetwork net = dlnetwork({features(2, "in"), networkLayer(outer, {.name = "block"})});
  BOOST_TEST(getLearnRateFactor(net, "block/deep/fc/Weights") == 2.0);
  const DlNetwork frozen = setLearnRateFactor(net, "block/deep/fc/Weights", 0);
  BOOST_TEST(getLearnRateFactor(frozen, "block/deep/fc", "Weights") == 0.0);
  BOOST_TEST(getLearnRateFactor(frozen, "block", "deep/fc/Weights") == 0.0);
  BOOST_TEST(getLearnRateFactor(getLayer(frozen, "block"), "deep/fc/Weights") == 0.0);
  BOOST_TEST(getLearnRateFactor(net, "block/deep/fc/Weights") == 2.0);
  const AnyLayer layer = setLearnRateFactor(networkLayer(inner, {.name = "b"}), "fc/Bias", 4);
  BOOST_TEST(getLearnRateFactor(layer, "fc/Bias") == 4.0);
  BOOST_TEST(getLearnRateFactor(dlnetwork({features(2), layer}), "b/fc/Bias") == 4.0);
}
