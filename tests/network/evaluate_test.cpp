// Using networks: outputs, states, gradients, data with and without labels, mistakes.
#include "harness/mistake.hpp"
#include "network/toys.hpp"

#include <boost/test/unit_test.hpp>
#include <thread>

using namespace dl;
using namespace dl::test;

namespace {

const DlArray X = dlarray({{1.0, 2.0, 3.0}, {-1.0, 0.5, 2.0}}, "CB");

double largest(const DlArray& x) { return double(max(abs(double_(stripdims(x))), {}, "all")); }
bool close(const DlArray& a, const DlArray& b, double tolerance = 1e-6) { return largest(a - b) < tolerance; }

// in -> a -> tanh -> b, and in -> skip; both are added.
DlNetwork diamond() {
  LayerGraph g = layerGraph({features(2, "in"), Dense(3, "a"), Tanh("tanh"), Dense(2, "b"), Add(2, "add")});
  return dlnetwork(connectLayers(g, "in", "add/in2"));
}
DlArray diamondByHand(const DlNetwork& net, const DlArray& x) {
  const Learnables p = net.learnables();
  return fullyconnect(tanh(fullyconnect(x, p("a/Weights"), p("a/Bias"))), p("b/Weights"), p("b/Bias")) + x;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_series_is_the_composition_of_its_layers) {
  rng(1);
  const DlNetwork net = dlnetwork({features(2), Dense(4), Tanh(), Dense(3)});
  BOOST_TEST(net.initialized());
  const Learnables p = net.learnables();
  const DlArray expected =
      fullyconnect(tanh(fullyconnect(X, p("dense_1/Weights"), p("dense_1/Bias"))), p("dense_2/Weights"), p("dense_2/Bias"));
  const DlArray Y = predict(net, X);
  BOOST_TEST(dims(Y) == "CB");
  BOOST_TEST(isequal(Y, expected));
  const auto [Z, state] = forward(net, X);
  BOOST_TEST(isequal(Z, expected));
  BOOST_TEST(state.empty());
}

BOOST_AUTO_TEST_CASE(a_diamond_sums_the_gradients_of_both_ways) {
  rng(2);
  DlNetwork net = diamond();
  BOOST_TEST(isequal(predict(net, X), diamondByHand(net, X)));
  const auto byHand = [](const DlArray& aW, const DlArray& aB, const DlArray& bW, const DlArray& bB, const DlArray& x) {
    const DlArray y = sum(pow(fullyconnect(tanh(fullyconnect(x, aW, aB)), bW, bB) + x, 2), "all");
    return dlgradient(y, std::vector<DlArray>{aW, aB, bW, bB, x});
  };
  const auto retained = [&](const DlNetwork& n, const DlArray& x) {
    const DlArray y = sum(pow(predict(n, x), 2), "all");
    const Learnables g = dlgradient(y, n.learnables(), {.retainData = true});
    return std::tuple(g, dlgradient(y, x));
  };
  const auto [g, gx] = dlfeval(retained, net, X);
  const Learnables p = net.learnables();
  const std::vector<DlArray> h = dlfeval(byHand, p("a/Weights"), p("a/Bias"), p("b/Weights"), p("b/Bias"), X);
  BOOST_TEST(g.size() == 4U);
  for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(close(g[i].value, h[i]));
  BOOST_TEST(close(gx, h[4]));
  BOOST_TEST(g[0].layer == "a");
  BOOST_TEST(g[0].parameter == "Weights");
}

BOOST_AUTO_TEST_CASE(two_inputs_and_two_outputs) {
  LayerGraph g = layerGraph();
  g = addLayers(g, {features(2, "x")});
  g = addLayers(g, {features(2, "y")});
  g = addLayers(g, {Add(2, "add"), Split("split")});
  g = connectLayers(g, "x", "add/in1");
  g = connectLayers(g, "y", "add/in2");
  const DlNetwork net = dlnetwork(g);
  BOOST_TEST(net.inputNames() == (std::vector<std::string>{"x", "y"}));
  BOOST_TEST(net.outputNames() == (std::vector<std::string>{"split/out", "split/square"}));
  const DlArray Z = 3 * X;
  BOOST_TEST(isequal(predict(net, X, Z), 4 * X));
  const auto [a, b] = predict<2>(net, X, Z);
  BOOST_TEST(isequal(a, 4 * X));
  BOOST_TEST(isequal(b, 16 * X % X));
  const auto [c, d, state] = forward<2>(net, X, Z);
  BOOST_TEST(isequal(c, a));
  BOOST_TEST(isequal(d, b));
  BOOST_TEST(state.empty());
  const std::vector<DlArray> some = predict(net, X, Z, {.outputs = {"split/square", "add", "x"}});
  BOOST_TEST(some.size() == 3U);
  BOOST_TEST(isequal(some[0], b));
  BOOST_TEST(isequal(some[1], a));
  BOOST_TEST(isequal(some[2], X));
  BOOST_TEST(isequal(activations(net, {X, Z}, "split/square"), b));
  BOOST_TEST(mistake([&] {
               predict<3>(net, X, Z);
             }).sentence.starts_with("predict: 3 outputs asked of a network of 2: split/out, split/square"));
}

BOOST_AUTO_TEST_CASE(only_layers_that_an_output_needs_run) {
  struct Never : Tanh {
    using Tanh::Tanh;
    std::vector<DlArray> predict(const std::vector<DlArray>& x, const Parameters&) const override {
      if (size(x[0], "B") > 1) throw std::runtime_error("this layer must not run");
      return {x[0]};
    }
  };
  LayerGraph g = layerGraph({features(2, "in"), Tanh("tanh"), Tanh("wanted")});
  g = connectLayers(addLayers(g, {Never("never")}), "tanh", "never");
  const DlNetwork net = dlnetwork(g);
  BOOST_TEST(isequal(activations(net, X, "wanted"), tanh(tanh(X))));
  BOOST_CHECK_THROW(predict<2>(net, X), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(states_follow_training_and_prediction_with_memory) {
  DlNetwork net = dlnetwork({features(2), Counter(), Tanh(), Counter("last")});
  BOOST_TEST(isequal(predict(net, X), tanh(X)));
  const auto [Y, state] = forward(net, X);
  BOOST_TEST(state.size() == 2U);
  BOOST_TEST(double(state("counter/Count")) == 1.0);
  BOOST_TEST(double(state("last/Count")) == 1.0);
  BOOST_TEST(double(net.state()("counter/Count")) == 0.0);
  const DlNetwork before = net;
  net.setState(state);
  BOOST_TEST(double(net.state()("last/Count")) == 1.0);
  BOOST_TEST(double(before.state()("last/Count")) == 0.0);
  BOOST_TEST(close(predict(net, X), tanh(X + 1) + 1));
  const auto [after, Z] = predictAndUpdateState(net, X);
  BOOST_TEST(isequal(Z, predict(net, X)));
  BOOST_TEST(double(after.state()("counter/Count")) == 3.0);
  BOOST_TEST(double(resetState(after).state()("counter/Count")) == 0.0);
  BOOST_TEST(double(after.state()("counter/Count")) == 3.0);
}

BOOST_AUTO_TEST_CASE(frozen_learnables_have_no_gradient) {
  rng(3);
  const DlNetwork net = setLearnRateFactor(diamond(), "a", "Weights", 0);
  const auto loss = [](const DlNetwork& n, const DlArray& x) {
    const DlArray y = mean(predict(n, x), "all");
    return std::tuple(dlgradient(y, n.learnables()), n);
  };
  const auto [g, returned] = dlfeval(loss, net, X);
  BOOST_TEST(isempty(g("a/Weights")));
  BOOST_TEST(!isempty(g("a/Bias")));
  BOOST_TEST(isequal(returned, net));
}

BOOST_AUTO_TEST_CASE(derivatives_of_derivatives_pass_through_a_network) {
  rng(4);
  DlNetwork net = diamond();
  Learnables p = net.learnables();
  for (auto& row : p) row.value = double_(row.value);
  net.setLearnables(p);
  const auto slope = [](const DlNetwork& n, const DlArray& x) {
    const DlArray y = sum(predict(n, x), "all");
    return sum(pow(dlgradient(y, x, {.enableHigherDerivatives = true}), 2), "all");
  };
  const auto penalty = [&](const DlNetwork& n, const DlArray& x) {
    const DlArray s = slope(n, x);
    return std::tuple(s, dlgradient(s, n.learnables()));
  };
  const auto [s, g] = dlfeval(penalty, net, X);
  const double h = 1e-6;
  for (const char* path : {"a/Weights", "a/Bias", "b/Weights"}) {
    const auto at = [&](double step) {
      Learnables moved = p;
      moved(path)(0) = moved(path)(0) + step;
      DlNetwork other = net;
      other.setLearnables(moved);
      return double(dlfeval(slope, other, X));
    };
    BOOST_TEST(double(g(path)(0)) == (at(h) - at(-h)) / (2 * h), boost::test_tools::tolerance(1e-6));
  }
}

BOOST_AUTO_TEST_CASE(one_network_serves_many_threads) {
  rng(5);
  const DlNetwork net = diamond();
  const DlArray expected = predict(net, X);
  std::vector<int> right(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < right.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const DlNetwork mine = net;
        right[t] += isequal(predict(i % 2 ? mine : net, X), expected);
      }
    });
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(right == std::vector<int>(4, 50));
}

BOOST_AUTO_TEST_CASE(data_without_labels_comes_and_goes_in_matlabs_order) {
  rng(6);
  const DlNetwork net = dlnetwork({features(2), Dense(3)});
  const DlArray rows = transpose(stripdims(X)), Y = predict(net, rows);
  BOOST_TEST(dims(Y).empty());
  BOOST_TEST((size(Y) == Size{3, 3}));
  BOOST_TEST(isequal(Y, transpose(stripdims(predict(net, X)))));
  // Channels first, as the format says, and out as asked for.
  const std::vector<DlArray> Z = predict(net, stripdims(X), {.inputDataFormats = {"CB"}, .outputDataFormats = {"CB"}});
  BOOST_TEST(isequal(Z[0], stripdims(predict(net, X))));
  const DlNetwork series = dlnetwork({InputLayerToy(Size{2, 1, 1}, "CBT"), Tanh()});
  const DlArray S = rand(5, 2, 4);  // five steps, two channels, four observations
  BOOST_TEST(isequal(predict(series, S), tanh(S)));
  const DlNetwork images = dlnetwork({InputLayerToy(Size{4, 3, 2, 1}, "SSCB"), Tanh()});
  const DlArray I = rand(Size{4, 3, 2, 5});
  BOOST_TEST(isequal(predict(images, I), tanh(I)));
}

BOOST_AUTO_TEST_CASE(wrong_data_is_refused) {
  const DlNetwork net = dlnetwork({features(2, "in"), Dense(3, "fc")});
  const auto says = [](auto&& call) { return mistake(call).sentence; };
  BOOST_TEST(says([&] { predict(net, X, X); }).starts_with("predict: 2 inputs for a network of 1: in"));
  BOOST_TEST(says([&] {
               predict(net, dlarray(ones(3, 5), "CB"));
             }).starts_with("predict: the data for input \"in\" is 3(C) x 5(B), the input layer takes 2(C) x 1(B)"));
  BOOST_TEST(says([&] {
               predict(net, dlarray(ones(2, 5), "CT"));
             }).starts_with("predict: the data for input \"in\" is 2(C) x 5(T), the input layer takes 2(C) x 1(B)"));
  BOOST_TEST(says([&] {
               predict(net, ones(Size{5, 2, 3}));
             }).starts_with("predict: the data for input \"in\", 5 x 2 x 3, has 3 dimensions for the labels \"BC\""));
  BOOST_TEST(says([&] {
               predict(net, X, {.outputs = {"fd"}});
             }).starts_with("predict: there is no layer \"fd\" to give an output; the layers are in, fc"));
  BOOST_TEST(says([&] {
               activations(net, X, "fc/weights");
             }).starts_with("activations: layer \"fc\" has no output \"weights\"; its outputs are out"));

  const DlNetwork open = dlnetwork({Dense(3, "fc")});
  BOOST_TEST(!open.initialized());
  BOOST_TEST(says([&] {
               predict(open, X);
             }).starts_with("predict: the network is not initialized; call net = initialize(net, X) with example data"));
  const DlNetwork ready = initialize(open, X);
  BOOST_TEST(
      says([&] {
        predict(ready, ones(3, 2));
      }).starts_with("predict: the data for input \"fc\", 3 x 2, has no labels, and there is no input layer to tell them"));
  BOOST_TEST(says([&] { forward(ready, dlarray(ones(5, 2), "CB")); }).starts_with("forward: layer \"fc\": fullyconnect: "));
}
