// The solvers' steps against plain loops, on every kind of container, and what they leave alone.
#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;

namespace {

using Numbers = std::vector<double>;
Numbers numbers(const DlArray& x) { return extractdata<Numbers>(x); }

void close(const DlArray& got, const Numbers& expected, double tolerance) {
  const Numbers values = numbers(got);
  BOOST_TEST_REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    BOOST_TEST(std::abs(values[i] - expected[i]) <= tolerance * std::max(1.0, std::abs(expected[i])),
               values[i] << " is not " << expected[i]);
}

// Five steps on a parameter whose gradient follows it: g = 2 w - 1.
template <class Step, class Naive>
void compare(const Step& step, const Naive& naive) {
  for (const Type type : {Type::Double, Type::Single}) {
    DlArray w = cast(linspace(-1, 1, 37), type);
    Numbers expected = numbers(w), first(37, 0.0), second(37, 0.0);
    DlArray a, b;
    for (int t = 1; t <= 5; ++t) {
      step(w, 2 * w - 1, a, b, t);
      for (std::size_t i = 0; i < 37; ++i) naive(expected[i], 2 * expected[i] - 1, first[i], second[i], t);
    }
    BOOST_TEST(bool(underlyingType(w) == type));
    close(w, expected, type == Type::Double ? 1e-14 : 2e-6);
  }
}

struct Model {
  DlArray W, b;
};
DLARRAY_FIELDS(Model, W, b)

Learnables table() {
  Learnables rows;
  rows.push_back({"one", "Weights", ones(2, 3, "single"), {1, 1}});
  rows.push_back({"frozen", "Weights", 0.3 * ones(3, 1, "single"), {0, 1}});
  rows.push_back({"two", "Bias", ones(2, 1, "single"), {2, 1}});
  return rows;
}

}  // namespace

BOOST_AUTO_TEST_CASE(sgdm_steps) {
  compare([](DlArray& w, const DlArray& g, DlArray& a, DlArray&, int) { sgdmupdate(w, g, a, 0.1, 0.8); },
          [](double& w, double g, double& v, double&, int) {
            v = 0.8 * v - 0.1 * g;
            w += v;
          });
}

BOOST_AUTO_TEST_CASE(adam_steps) {
  const auto naive = [](double decay) {
    return [decay](double& w, double g, double& m, double& v, int t) {
      m = 0.8 * m + 0.2 * g;
      v = 0.95 * v + 0.05 * g * g;
      const double mean = m / (1 - std::pow(0.8, t)), square = v / (1 - std::pow(0.95, t));
      w -= 0.01 * mean / (std::sqrt(square) + 1e-6) + 0.01 * decay * w;
    };
  };
  compare([](DlArray& w, const DlArray& g, DlArray& a, DlArray& b, int t) { adamupdate(w, g, a, b, t, 0.01, 0.8, 0.95, 1e-6); },
          naive(0));
  compare(
      [](DlArray& w, const DlArray& g, DlArray& a, DlArray& b, int t) { adamwupdate(w, g, a, b, t, 0.01, 0.3, 0.8, 0.95, 1e-6); },
      naive(0.3));
}

BOOST_AUTO_TEST_CASE(rmsprop_steps) {
  compare([](DlArray& w, const DlArray& g, DlArray& a, DlArray&, int) { rmspropupdate(w, g, a, 0.02, 0.7, 1e-5); },
          [](double& w, double g, double& v, double&, int) {
            v = 0.7 * v + 0.3 * g * g;
            w -= 0.02 * g / (std::sqrt(v) + 1e-5);
          });
}

BOOST_AUTO_TEST_CASE(defaults_are_matlabs) {
  DlArray w = 1.0, a, b;
  adamupdate(w, DlArray(0.5), a, b, 1);
  close(w, {1 - 0.001 * 0.5 / (0.5 + 1e-8)}, 1e-14);
  w = 1.0, a = DlArray();
  sgdmupdate(w, DlArray(0.5), a);
  close(w, {1 - 0.01 * 0.5}, 1e-14);
  w = 1.0, a = DlArray();
  rmspropupdate(w, DlArray(0.5), a);
  close(w, {1 - 0.001 * 0.5 / (std::sqrt(0.1 * 0.25) + 1e-8)}, 1e-14);
}

BOOST_AUTO_TEST_CASE(containers_of_every_kind_and_empty_states) {
  Model model{ones(2, 2), zeros(2, 1)}, gradient{ones(2, 2), ones(2, 1)}, velocity;
  sgdmupdate(model, gradient, velocity, 0.5);
  BOOST_TEST(isequal(model.W, 0.5 * ones(2, 2)));
  BOOST_TEST(isequal(velocity.b, -0.5 * ones(2, 1)));

  std::vector<DlArray> list{ones(2, 1), ones(1, 3)}, average, squares;
  adamupdate(list, {ones(2, 1), zeros(1, 3)}, average, squares, 1);
  BOOST_TEST(average.size() == 2U);
  BOOST_TEST(isequal(list[1], ones(1, 3)));
  BOOST_TEST(double(list[0](0)) < 1.0);

  std::map<std::string, DlArray> map{{"w", 2.0}}, state;
  rmspropupdate(map, {{"w", DlArray(1.0)}}, state);
  BOOST_TEST(double(map.at("w")) < 2.0);
}

BOOST_AUTO_TEST_CASE(copies_keep_their_values) {
  DlArray w = ones(3, 1), v;
  const DlArray copy = w;
  sgdmupdate(w, ones(3, 1), v, 0.5);
  BOOST_TEST(isequal(copy, ones(3, 1)));
  BOOST_TEST(isequal(w, 0.5 * ones(3, 1)));
}

BOOST_AUTO_TEST_CASE(learn_rate_factors_multiply_and_frozen_rows_stay_bit_for_bit) {
  const auto loss = [](const Learnables& p) {
    const DlArray l = sum(pow(p("one/Weights") * p("frozen/Weights") % p("two/Bias") - 1, 2), "all");
    return std::tuple(l, dlgradient(l, p));
  };
  for (int solver = 0; solver < 4; ++solver) {
    Learnables p = table(), a, b;
    for (int t = 1; t <= 100; ++t) {
      const auto [l, g] = dlfeval(loss, p);
      BOOST_TEST(isempty(g("frozen/Weights")));
      if (solver == 0) sgdmupdate(p, g, a, 0.001);
      if (solver == 1) adamupdate(p, g, a, b, t);
      if (solver == 2) rmspropupdate(p, g, a);
      if (solver == 3) adamwupdate(p, g, a, b, t, 0.001, 0.1);
    }
    BOOST_TEST(isequal(p("frozen/Weights"), table()("frozen/Weights")));
    BOOST_TEST(isempty(a("frozen/Weights")));
    BOOST_TEST(!isequal(p("one/Weights"), table()("one/Weights")));
  }
  Learnables p = table(), g = table(), v;
  for (auto& row : g) row.value = ones(size(row.value), "single");
  sgdmupdate(p, g, v, 0.25);
  BOOST_TEST(isequal(p("one/Weights"), 0.75 * ones(2, 3, "single")));
  BOOST_TEST(isequal(p("two/Bias"), 0.5 * ones(2, 1, "single")));
}

BOOST_AUTO_TEST_CASE(factors_count_wherever_a_table_sits) {
  struct Pair {
    Learnables generator, other;
    DlArray scale;
    static void dlarrayFields(Pair& p, const ArrayVisitor& visit) {
      visitArrays(p.generator, visit);
      visitArrays(p.other, visit);
      visitArrays(p.scale, visit);
    }
  };
  const auto gradient = [] {
    Learnables g = table();
    for (auto& row : g) row.value = ones(size(row.value), "single");
    return g;
  };
  const auto moved = [](const Learnables& p) {
    BOOST_TEST(isequal(p("one/Weights"), 0.75 * ones(2, 3, "single")));
    BOOST_TEST(isequal(p("two/Bias"), 0.5 * ones(2, 1, "single")));
    BOOST_TEST(isequal(p("frozen/Weights"), table()("frozen/Weights")));
  };
  Pair pair{table(), table(), 1.0}, velocity;
  sgdmupdate(pair, {gradient(), gradient(), 1.0}, velocity, 0.25);
  moved(pair.generator);
  moved(pair.other);
  BOOST_TEST(double(pair.scale) == 0.75);
  BOOST_TEST(isempty(velocity.generator("frozen/Weights")));
  sgdmupdate(pair, {gradient(), gradient(), 1.0}, velocity, 0.25);
  BOOST_TEST(isequal(pair.other("one/Weights"), (0.75 - 0.25 - 0.9 * 0.25) * ones(2, 3, "single")));

  std::vector<Learnables> list{table(), table()}, first, second;
  sgdmupdate(list, {gradient(), gradient()}, first, 0.25);
  moved(list[1]);
  // A table whose rows are frozen later keeps the places of its state.
  for (auto& row : list[0]) row.factors.learnRate = row.layer == "one" ? 0 : 1;
  sgdmupdate(list, {gradient(), gradient()}, first, 0.25);
  BOOST_TEST(isequal(list[0]("one/Weights"), 0.75 * ones(2, 3, "single")));
}

BOOST_AUTO_TEST_CASE(arrays_that_nobody_shares_are_updated_where_they_lie) {
  std::vector<DlArray> p{ones(200, 300), single_(ones(200, 300))}, a, b;
  const std::vector<DlArray> g{ones(200, 300), single_(ones(200, 300))};
  for (int t = 1; t <= 3; ++t) {
    const double* at = data<double>(p[0]);
    const float* single = data<float>(p[1]);
    const float* state = t > 1 ? data<float>(a[1]) : nullptr;
    adamupdate(p, g, a, b, t);
    BOOST_TEST(data<double>(p[0]) == at);
    BOOST_TEST(data<float>(p[1]) == single);
    if (t > 1) BOOST_TEST(data<float>(a[1]) == state);
  }
  std::vector<DlArray> own{ones(200, 300), single_(ones(200, 300))};
  for (const std::string_view method : {"l2norm", "global-l2norm", "absolute-value"}) {
    const double* at = data<double>(own[0]);
    const float* single = data<float>(own[1]);
    clipGradients(own, 1e-3, method);
    BOOST_TEST(data<double>(own[0]) == at);
    BOOST_TEST(data<float>(own[1]) == single);
  }
}

BOOST_AUTO_TEST_CASE(refused_calls_leave_empty_states_empty) {
  std::vector<DlArray> list{ones(2, 1), ones(2, 1)}, a, b;
  BOOST_TEST(mistake([&] { adamupdate(list, {ones(2, 1), ones(3, 1)}, a, b, 1); }).identifier == "dlarray:update:size");
  BOOST_TEST(mistake([&] { adamupdate(list, {ones(2, 1), ones(2, 1)}, a, b, 0); }).identifier == "dlarray:update:iteration");
  BOOST_TEST(mistake([&] { rmspropupdate(list, {ones(2, 1)}, a); }).identifier == "dlarray:update:count");
  BOOST_TEST(a.empty());
  BOOST_TEST(b.empty());
}

BOOST_AUTO_TEST_CASE(norms_do_not_overflow_and_frozen_rows_do_not_count) {
  DlArray huge = single_(1e30 * ones(3, 1));
  clipGradients(huge, 1);
  close(huge, Numbers(3, 1 / std::sqrt(3.0)), 1e-6);
  rng(1);
  DlArray many = single_(randn(100'001, 1));
  const double length = double(norm(double_(many)));
  clipGradients(many, length / 4);
  BOOST_TEST(std::abs(double(norm(double_(many))) / (length / 4) - 1) < 1e-6);
  Learnables g = table();
  g("frozen/Weights") = 1e9 * ones(3, 1, "single");
  clipGradients(g, 1, "global-l2norm");
  BOOST_TEST(isequal(g("frozen/Weights"), 1e9 * ones(3, 1, "single")));
  close(g("two/Bias"), Numbers(2, 1 / std::sqrt(8.0)), 1e-6);
}

BOOST_AUTO_TEST_CASE(gradients_are_clipped) {
  std::vector<DlArray> g{dlarray({3.0, 4.0}), dlarray({-0.3}), DlArray()};
  auto each = g, all = g, values = g;
  clipGradients(each, 1);
  close(each[0], {0.6, 0.8}, 1e-15);
  close(each[1], {-0.3}, 0);
  clipGradients(all, 1, "global-l2norm");
  const double length = std::sqrt(25.09);
  close(all[0], {3 / length, 4 / length}, 1e-15);
  close(all[1], {-0.3 / length}, 1e-15);
  clipGradients(values, 0.5, "absolute-value");
  close(values[0], {0.5, 0.5}, 0);
  close(values[1], {-0.3}, 0);
  DlArray single = single_(dlarray({3.0, 4.0}));
  clipGradients(single, 1);
  BOOST_TEST(bool(underlyingType(single) == Type::Single));
}

BOOST_AUTO_TEST_CASE(dlupdate_goes_array_by_array) {
  const Model a{ones(2, 2), zeros(2, 1)}, b{2 * ones(2, 2), ones(2, 1)};
  const Model sum = dlupdate([](const DlArray& x, const DlArray& y) { return x + 3 * y; }, a, b);
  BOOST_TEST(isequal(sum.W, 7 * ones(2, 2)));
  BOOST_TEST(isequal(sum.b, 3 * ones(2, 1)));
  BOOST_TEST(isequal(dlupdate([](const DlArray& x) { return -x; }, a.W), -ones(2, 2)));
}

BOOST_AUTO_TEST_CASE(mistakes_are_named_before_anything_changes) {
  DlArray w = ones(2, 3), v;
  const auto sentence = [](const auto& call) { return mistake(call).sentence; };
  BOOST_TEST(
      sentence([&] { sgdmupdate(w, ones(3, 2), v); }).starts_with("sgdmupdate: gradient 0 is 3 x 2 for a parameter of 2 x 3"));
  v = ones(1, 3);
  BOOST_TEST(sentence([&] {
               sgdmupdate(w, ones(2, 3), v);
             }).starts_with("sgdmupdate: state 0 is 1 x 3 for a parameter of 2 x 3; start with an empty state"));
  DlArray a, b;
  BOOST_TEST(sentence([&] {
               adamupdate(w, ones(2, 3), a, b, 0);
             }).starts_with("adamupdate: iteration 0 of the counter, which starts at 1"));
  std::vector<DlArray> list{w, w}, state;
  BOOST_TEST(sentence([&] { rmspropupdate(list, {w}, state); }).starts_with("rmspropupdate: 1 gradients for 2 parameters"));
  DlArray truth = w > 0, g = ones(2, 3), none;
  BOOST_TEST(sentence([&] {
               sgdmupdate(truth, g, none);
             }).starts_with("sgdmupdate: parameter 0 is logical; only single and double ones can be moved"));
  BOOST_TEST(
      sentence([&] {
        dlfeval([&](DlArray x) { sgdmupdate(x, g, none); }, w);
      }).starts_with("sgdmupdate: parameter 0 is being traced; make the step outside the function that dlfeval evaluates"));
  BOOST_TEST(sentence([&] { clipGradients(g, 0); }).starts_with("clipGradients: the threshold is 0; it must be positive"));
  BOOST_TEST(sentence([&] {
               clipGradients(g, 1, "l2");
             }).starts_with("clipGradients: \"l2\" is not known; use \"l2norm\", \"global-l2norm\" or \"absolute-value\""));
  BOOST_TEST(isequal(w, ones(2, 3)));
  const std::string line = "update_test.cpp:" + std::to_string(__LINE__ + 2) + ")";
  const auto said =
      sentence([&] { dlupdate([](const DlArray& x, const DlArray& y) { return x + y; }, list, std::vector<DlArray>{w}); });
  BOOST_TEST(said.starts_with("dlupdate: 1 arrays of another argument for 2 of the first"));
  BOOST_TEST(said.find(line) != std::string::npos, said);
}

BOOST_AUTO_TEST_CASE(one_array_or_a_vector_holds_the_state_of_a_network) {
  const auto fresh = [] {
    rng(4);
    return dlnetwork({featureInputLayer(3), fullyConnectedLayer(4, {.weightLearnRateFactor = 0}), fullyConnectedLayer(2)});
  };
  DlNetwork a = fresh(), b = fresh(), c = fresh();
  Learnables g = a.learnables(), m, v;
  DlArray m1, v1;
  std::vector<DlArray> m2, v2;
  for (Index i = 1; i <= 3; ++i) {
    adamupdate(a, g, m, v, i);
    adamupdate(b, g, m1, v1, i);
    adamupdate(c, g, m2, v2, i);
  }
  for (std::size_t i = 0; i < g.size(); ++i) {
    BOOST_TEST(isequal(a.learnables()[i].value, b.learnables()[i].value));
    BOOST_TEST(isequal(a.learnables()[i].value, c.learnables()[i].value));
  }
  BOOST_TEST(numel(m1) == 3 * 4 + 4 + 4 * 2 + 2);
  BOOST_TEST(m2.size() == 4U);
  m1 = ones(5, 1);
  BOOST_TEST(mistake([&] {
               adamupdate(b, g, m1, v1, 4);
             }).sentence.starts_with("adamupdate: the state has 5 elements, the parameters 26; start with an empty state"));
}

BOOST_AUTO_TEST_CASE(numbers_that_would_spoil_parameters_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  DlArray w = ones(2, 2), g = ones(2, 2), a, b;
  for (const double wrong : {nan, infinity, -1.0}) {
    BOOST_TEST(mistake([&] { sgdmupdate(w, g, a, wrong); }).identifier == "dlarray:update:learnRate");
    BOOST_TEST(mistake([&] { sgdmupdate(w, g, a, 0.1, wrong); }).identifier == "dlarray:update:decay");
    BOOST_TEST(mistake([&] { adamupdate(w, g, a, b, 1, wrong); }).identifier == "dlarray:update:learnRate");
    BOOST_TEST(mistake([&] { adamupdate(w, g, a, b, 1, 0.1, wrong); }).identifier == "dlarray:update:decay");
    BOOST_TEST(mistake([&] { adamupdate(w, g, a, b, 1, 0.1, 0.9, 0.9, wrong); }).identifier == "dlarray:update:number");
    BOOST_TEST(mistake([&] { adamwupdate(w, g, a, b, 1, 0.1, wrong); }).identifier == "dlarray:update:number");
    BOOST_TEST(mistake([&] { rmspropupdate(w, g, a, 0.1, wrong); }).identifier == "dlarray:update:decay");
  }
  BOOST_TEST(isequal(w, ones(2, 2)));
  BOOST_TEST(numel(a) == 0);
  sgdmupdate(w, g, a, 0);  // where a schedule ends
}
