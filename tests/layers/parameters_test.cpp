// What layers are made of: parameters and how they start, tables of learnables, any layer as a value.
#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;

namespace {

struct Scale : Layer {
  double start = 2;
  std::string stem() const override { return "scale"; }
  void initialize(Parameters& p, const std::vector<DataLayout>& in) const override {
    p.learnable("Scale", start * ones({in[0].size("C"), 1}));
    p.state("Count", 0.0);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override {
    return {X[0] % dlarray(p["Scale"], "C")};
  }
  std::vector<DlArray> forward(const std::vector<DlArray>& X, const Parameters& p, Parameters& newState) const override {
    newState.state("Count", p["Count"] + 1);
    return predict(X, p);
  }
};

double meanOf(const DlArray& x) { return double(mean(double_(x), "all")); }
double varianceOf(const DlArray& x) { return double(var(double_(x), 1, "all")); }

}  // namespace

BOOST_AUTO_TEST_CASE(parameters_are_declared_once_and_keep_their_values) {
  Parameters p;
  p.learnable("Weights", "ones", Size{2, 3}, {}, {.learnRate = 2});
  p.state("Mean", zeros(3, 1));
  p.find("Weights")->value = 5 * ones(2, 3);
  p.learnable("Weights", "zeros", Size{2, 3}, {});
  p.state("Mean", ones(3, 1));
  BOOST_TEST(isequal(p["Weights"], 5 * ones(2, 3)));
  BOOST_TEST(isequal(p["Mean"], zeros(3, 1)));
  BOOST_TEST(p.entries().size() == 2U);
  BOOST_TEST(p.find("Weights")->factors.learnRate == 2.0);
  BOOST_TEST(p.find("Mean")->isState);
  BOOST_TEST(!p.has("Bias"));
  p.find("Weights")->value = DlArray();
  p.learnable("Weights", "ones", Size{2, 3}, {});
  BOOST_TEST(isequal(p["Weights"], single_(ones(2, 3))));
  BOOST_TEST(mistake([&] { p["Bias"]; }).sentence == "parameters: there is no \"Bias\"; there are Weights, Mean");
}

BOOST_AUTO_TEST_CASE(a_table_is_read_by_path_and_by_names) {
  ParameterTable table;
  table.push_back({"conv1", "Weights", 1.0, {}});
  table.push_back({"block/conv1", "Weights", 2.0, {}});
  BOOST_TEST(double(table("conv1/Weights")) == 1.0);
  BOOST_TEST(double(table("block/conv1/Weights")) == 2.0);
  table("block/conv1", "Weights") = 3.0;
  BOOST_TEST(double(std::as_const(table)("block/conv1/Weights")) == 3.0);
  int rows = 0;
  for (const auto& row : table) rows += row.parameter == "Weights";
  BOOST_TEST(rows == 2);
  BOOST_TEST(mistake([&] { table("conv2/Weights"); }).sentence ==
             "parameters: the table has no \"conv2/Weights\" among its 2 rows");
}

BOOST_AUTO_TEST_CASE(layouts_answer_by_label) {
  const DataLayout layout(Size{28, 20, 3, 1}, "SSCB");
  BOOST_TEST(layout.size("C") == 3);
  BOOST_TEST(layout.size("T") == 1);
  BOOST_TEST(layout.sizes('S') == (std::vector<Index>{28, 20}));
  BOOST_TEST(mistake([&] { layout.size("S"); }).sentence ==
             "layout: 2 dimensions of \"SSCB\" carry the label S; sizes('S') gives all of them");
}

BOOST_AUTO_TEST_CASE(initial_values_have_the_spread_of_their_rules) {
  rng(3);
  const Size size{200, 300};
  const Fans fans{300, 200};
  const DlArray glorot = Initializer("glorot")(size, fans), he = Initializer("he")(size, fans),
                narrow = Initializer("narrow-normal")(size, fans);
  BOOST_TEST(bool(underlyingType(glorot) == Type::Single));
  BOOST_TEST(std::abs(meanOf(glorot)) < 1e-3);
  BOOST_TEST(std::abs(varianceOf(glorot) / (2.0 / 500) - 1) < 0.02);
  BOOST_TEST(double(max(abs(glorot), {}, "all")) <= std::sqrt(6.0 / 500) * (1 + 1e-6));
  BOOST_TEST(std::abs(varianceOf(he) / (2.0 / 300) - 1) < 0.02);
  BOOST_TEST(std::abs(varianceOf(narrow) / 1e-4 - 1) < 0.02);
  BOOST_TEST(isequal(Initializer("ones")(Size{2, 2}, {}), single_(ones(2, 2))));
  BOOST_TEST(isequal(Initializer("zeros")(Size{2, 2}, {}), single_(zeros(2, 2))));
}

BOOST_AUTO_TEST_CASE(orthogonal_ones_are_orthonormal) {
  rng(5);
  for (const Size& size : {Size{20, 7}, Size{7, 20}, Size{9, 9}, Size{5, 3, 2}, Size{1, 1}}) {
    const DlArray x = double_(Initializer("orthogonal")(size, {}));
    BOOST_TEST((dl::size(x) == size));
    const DlArray m = reshape(x, size[0], -1), product = dl::size(m, 0) >= dl::size(m, 1) ? transpose(m) * m : m * transpose(m);
    BOOST_TEST(double(max(abs(product - eye(dl::size(product, 0))), {}, "all")) < 1e-6);
  }
  // Signs are as likely one way as the other.
  int positive = 0;
  for (int i = 0; i < 400; ++i) positive += double(Initializer("orthogonal")(Size{1, 1}, {})) > 0;
  BOOST_TEST((positive > 140 && positive < 260));
}

BOOST_AUTO_TEST_CASE(forget_gates_start_open) {
  const DlArray bias = Initializer("unit-forget-gate")(Size{12, 1}, {});
  BOOST_TEST(isequal(bias(span(3, 5)), single_(ones(3, 1))));
  BOOST_TEST(double(sum(bias)) == 3.0);
  // Two directions, each with four gates of `hidden` rows: fans.out are the rows of one.
  for (const Index hidden : {2, 3}) {
    const DlArray both = Initializer("unit-forget-gate")(Size{8 * hidden, 1}, {.out = 4 * hidden});
    for (const Index start : {hidden, 5 * hidden})
      BOOST_TEST(isequal(both(span(start, start + hidden - 1)), single_(ones(hidden, 1))));
    BOOST_TEST(double(sum(both)) == 2.0 * double(hidden));
  }
}

BOOST_AUTO_TEST_CASE(initialisers_may_be_functions_and_mistakes_are_named) {
  const Initializer own([](const Size& size) { return 7 * ones(size); });
  BOOST_TEST(isequal(own(Size{2, 1}, {}), single_(7 * ones(2, 1))));
  const Initializer wrong([](const Size&) { return ones(3, 3); });
  BOOST_TEST(mistake([&] {
               wrong(Size{2, 1}, {});
             }).sentence == "initializer: the function answered an array of size 3 x 3 for a parameter of size 2 x 1");
  BOOST_TEST(mistake([] {
               Initializer("xavier")(Size{2, 1}, {});
             }).sentence.starts_with("initializer: \"xavier\" is not known; use \"glorot\""));
}

BOOST_AUTO_TEST_CASE(wrong_rules_and_factors_are_refused_where_they_are_given) {
  const std::string known =
      "\"glorot\", \"he\", \"orthogonal\", \"narrow-normal\", \"zeros\", \"ones\", \"unit-forget-gate\" or a function of the size";
  BOOST_TEST(mistake([] {
               convolution2dLayer(3, 8, {.weightsInitializer = "xavier"});
             }).sentence.starts_with("convolution2dLayer: the initializer \"xavier\" is not known; use " + known));
  BOOST_TEST(mistake([] {
               lstmLayer(8, {.biasInitializer = "forget"});
             }).sentence.starts_with("lstmLayer: the initializer \"forget\" is not known; use " + known));
  BOOST_TEST(mistake([] {
               batchNormalizationLayer({.scaleInitializer = "one"});
             }).sentence.starts_with("batchNormalizationLayer: the initializer \"one\" is not known; use " + known));
  for (const double factor : {-1.0, std::numeric_limits<double>::infinity()})
    BOOST_TEST(mistake([&] {
                 Parameters().learnable("W", 1, {.l2 = factor});
               }).sentence.starts_with("learnable: a factor of \"W\" is "));
}

BOOST_AUTO_TEST_CASE(a_layer_of_ones_own_is_a_value) {
  Scale own;
  own.name = "mine";
  const AnyLayer layer = own, other = layer.named("other");
  BOOST_TEST(layer.name() == "mine");
  BOOST_TEST(other.name() == "other");
  BOOST_TEST((layer->name == "mine" && other->name == "other"));
  BOOST_TEST(layer->stem() == "scale");
  BOOST_TEST(layer->inputNames() == std::vector<std::string>{"in"});

  Parameters p, state;
  layer->initialize(p, {DataLayout(Size{3, 1}, "CB")});
  const DlArray X = dlarray(ones(3, 2), "CB");
  BOOST_TEST(isequal(layer->predict({X}, p)[0], 2 * X));
  BOOST_TEST(isequal(layer->forward({X}, p, state)[0], 2 * X));
  BOOST_TEST(double(state["Count"]) == 1.0);

  const AnyLayer changed = layer.changed([](Layer& l) { static_cast<Scale&>(l).start = 5; });
  BOOST_TEST(static_cast<const Scale&>(*changed).start == 5.0);
  BOOST_TEST(static_cast<const Scale&>(*layer).start == 2.0);
  AnyLayer assigned = layer;
  assigned = changed;
  BOOST_TEST(static_cast<const Scale&>(*assigned).start == 5.0);
}

BOOST_AUTO_TEST_CASE(functions_share_their_callable) {
  detail::Function<int(int)> f, g = [](int x) { return x; };
  BOOST_TEST(!f);
  f = g;
  BOOST_TEST(f(4) == 4);
  f = {};
  BOOST_TEST(!f);
  BOOST_TEST(g(5) == 5);
}
