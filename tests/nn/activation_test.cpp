// Activations where formulas need care: extremes, infinities, NaN, masked rows, mistakes.
#include "harness/mistake.hpp"
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include <dlarray/dlarray.hpp>

using namespace dl;
using test::Numbers;

namespace {

using Activation = DlArray (*)(const DlArray&);

struct Case {
  const char* name;
  Activation f;
  double atMinusInfinity, atInfinity;
};
constexpr double inf = std::numeric_limits<double>::infinity();
const Case cases[] = {{"relu", [](const DlArray& x) { return relu(x); }, 0, inf},
                      {"leakyrelu", [](const DlArray& x) { return leakyrelu(x); }, -inf, inf},
                      {"elu", [](const DlArray& x) { return elu(x); }, -1, inf},
                      {"gelu", [](const DlArray& x) { return gelu(x); }, 0, inf},
                      {"gelu by tanh", [](const DlArray& x) { return gelu(x, {.approximation = "tanh"}); }, 0, inf},
                      {"sigmoid", [](const DlArray& x) { return sigmoid(x); }, 0, 1},
                      {"softplus", [](const DlArray& x) { return softplus(x); }, 0, inf},
                      {"swish", [](const DlArray& x) { return swish(x); }, 0, inf},
                      {"mish", [](const DlArray& x) { return mish(x); }, 0, inf}};

DlArray slope(Activation f, const DlArray& x, bool recorded) {
  return dlfeval([&](const DlArray& at) { return dlgradient(sum(f(at), "all"), at, {.enableHigherDerivatives = recorded}); }, x);
}

Numbers numbers(const DlArray& x) { return extractdata<Numbers>(x); }

}  // namespace

BOOST_AUTO_TEST_CASE(gelu_in_single_is_that_in_double) {
  const auto f = [](const DlArray& x) { return gelu(x); };
  const DlArray x = single_(colon(-12.0, 1.0 / 512, 12.0)), wide = double_(x);
  const Numbers at = numbers(x), y = numbers(f(x)), exact = numbers(f(wide)), d = numbers(slope(f, x, false)),
                exactSlope = numbers(slope(f, wide, false)), recorded = numbers(slope(f, x, true));
  for (std::size_t k = 0; k < y.size(); ++k) {
    const double error = std::abs(y[k] - exact[k]);
    BOOST_TEST(error <= 1.2e-7 * std::max(1.0, std::abs(at[k])), "gelu(" << at[k] << ") = " << y[k]);
    if (at[k] > -6) BOOST_TEST(error <= 1e-5 * std::abs(exact[k]), "gelu(" << at[k] << ") = " << y[k]);
    BOOST_TEST(std::abs(d[k] - exactSlope[k]) < 4e-7, "gelu'(" << at[k] << ") = " << d[k]);
    BOOST_TEST(std::abs(recorded[k] - exactSlope[k]) < 8e-7, "gelu'(" << at[k] << ") = " << recorded[k] << " recorded");
  }
}

BOOST_AUTO_TEST_CASE(infinities_give_limits) {
  for (const Type type : {Type::Double, Type::Single})
    for (const Case& c : cases) {
      // Enough elements for the vector loops.
      const DlArray x = cast(repmat(dlarray({-inf, inf, NAN}), 1, 11), type);
      const Numbers y = numbers(c.f(x)), g = numbers(slope(c.f, x, false)), recorded = numbers(slope(c.f, x, true));
      const double left = std::string(c.name) == "leakyrelu" ? 0.01 : 0, right = std::string(c.name) == "sigmoid" ? 0 : 1;
      for (std::size_t k = 0; k < y.size(); k += 3) {
        BOOST_TEST(y[k] == c.atMinusInfinity, c.name << " at -Inf: " << y[k]);
        BOOST_TEST(y[k + 1] == c.atInfinity, c.name << " at Inf: " << y[k + 1]);
        BOOST_TEST(std::isnan(y[k + 2]), c.name << " of NaN: " << y[k + 2]);
        for (const Numbers* d : {&g, &recorded}) {
          BOOST_TEST(std::abs((*d)[k] - left) < 1e-8, c.name << "' at -Inf: " << (*d)[k]);
          BOOST_TEST(std::abs((*d)[k + 1] - right) < 1e-8, c.name << "' at Inf: " << (*d)[k + 1]);
        }
      }
    }
}

BOOST_AUTO_TEST_CASE(large_numbers_stay_finite_in_every_derivative) {
  for (const Type type : {Type::Double, Type::Single})
    for (const Case& c : cases) {
      const DlArray x =
          cast(dlarray({-3e38, -1e30, -1e10, -1000.0, -200.0, -90.0, -30.0, 30.0, 90.0, 200.0, 1000.0, 1e10, 1e30, 3e38}), type);
      for (const double y : numbers(c.f(x))) BOOST_TEST(std::isfinite(y), c.name);
      const DlArray second = dlfeval(
          [&](const DlArray& at) {
            const DlArray g = dlgradient(sum(c.f(at), "all"), at, {.enableHigherDerivatives = true});
            return dlgradient(sum(g, "all"), at);
          },
          x);
      for (const double g : numbers(slope(c.f, x, false))) BOOST_TEST(std::isfinite(g), c.name);
      for (const double h : numbers(second)) BOOST_TEST(std::isfinite(h), c.name);
    }
}

BOOST_AUTO_TEST_CASE(tails_keep_their_digits) {
  // softplus(-50) = log(1 + e^-50) = e^-50 to the last bit, gelu(-8) = -8 erfc(8 / sqrt(2)) / 2.
  BOOST_TEST(std::abs(double(softplus(-50.0)) / std::exp(-50.0) - 1) < 1e-15);
  BOOST_TEST(std::abs(double(gelu(-8.0)) / (-4 * std::erfc(8 / std::sqrt(2.0))) - 1) < 1e-13);
  BOOST_TEST(std::abs(double(gelu(dlarray({-6.0F, -6.0F}))(0)) / (-3 * std::erfc(6 / std::sqrt(2.0))) - 1) < 1e-4);
  BOOST_TEST(std::abs(double(elu(-1e-9)) / -1e-9 - 1) < 1e-8);
}

BOOST_AUTO_TEST_CASE(slopes_at_zero) {
  const auto at0 = [](Activation f) { return numbers(slope(f, DlArray(0.0), false))[0]; };
  BOOST_TEST(at0(cases[0].f) == 0);
  BOOST_TEST(at0(cases[1].f) == 1);
  BOOST_TEST(at0(cases[2].f) == 1);
  BOOST_TEST(at0(cases[3].f) == 0.5);
}

BOOST_AUTO_TEST_CASE(logical_counts_as_double) {
  const DlArray x = dlarray({true, false});
  BOOST_TEST((underlyingType(relu(x)) == Type::Double));
  BOOST_TEST((underlyingType(softmax(x, {.dataFormat = "CB"})) == Type::Double));
  BOOST_TEST((underlyingType(dropout(x, 0)) == Type::Double));
  BOOST_TEST((underlyingType(leakyrelu(single_(x), 0.1)) == Type::Single));
}

BOOST_AUTO_TEST_CASE(softmax_of_masked_rows) {
  // Nothing but -Inf; some -Inf; one NaN, each as a channel in front of others and behind.
  for (const Type type : {Type::Double, Type::Single})
    for (const Index n : {3, 40}) {
      DlArray x = zeros(n, 20);
      x(all, 0) = -inf;
      x(span(0, n - 3), 1) = -inf;
      x(1, 2) = NAN;
      x = cast(x, type);
      for (const bool behind : {false, true}) {
        const DlArray y = behind ? transpose(softmax(transpose(x), {.dataFormat = "SC"})) : softmax(x, {.dataFormat = "CB"});
        for (const double v : numbers(y(all, 0))) BOOST_TEST(v == 0);
        const Numbers some = numbers(y(all, 1));
        for (std::size_t k = 0; k < some.size(); ++k) BOOST_TEST(some[k] == (k < some.size() - 2 ? 0 : 0.5));
        BOOST_TEST(bool(any(isnan(y(all, 2)))));
        BOOST_TEST(!bool(any(isnan(y(all, 3)))));
      }
      const auto gradient = [&](const DlArray& at) {
        return dlgradient(sum(pow(softmax(at, {.dataFormat = "CB"}), 2), "all"), at);
      };
      for (const double g : numbers(dlfeval(gradient, x)(all, span(0, 1)))) BOOST_TEST(g == 0);
    }
}

BOOST_AUTO_TEST_CASE(softmax_of_extreme_numbers) {
  for (const Type type : {Type::Double, Type::Single}) {
    const double smallest = type == Type::Single ? 0x1p-100 : 0x1p-1000;
    const DlArray x = cast(dlarray({{1e30, -1e30, 1000, 0}, {0, 1e30, 1000, -90}, {-1e30, -1e30, -1000, -800}}, "CB"), type);
    const Numbers y = numbers(softmax(x));
    BOOST_TEST(y[0] == 1);
    BOOST_TEST((y[1] >= smallest * (1 - 1e-6) && y[1] < 4 * smallest));
    BOOST_TEST(y[4] == 1);
    BOOST_TEST(y[6] == 0.5);
    BOOST_TEST((y[8] >= smallest * (1 - 1e-6) && y[8] < 4 * smallest));
    BOOST_TEST(y[9] == 1);
    for (const double v : y) BOOST_TEST(v >= smallest * (1 - 1e-6));
  }
}

// Numbers whose difference is too large for a number are not taken for -Inf, in columns and in rows of any length.
BOOST_AUTO_TEST_CASE(softmax_of_the_largest_numbers) {
  for (const Type type : {Type::Double, Type::Single})
    for (const Index n : {3, 40, 300}) {
      const double largest = type == Type::Single ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
      const double smallest = type == Type::Single ? 0x1p-100 : 0x1p-1000;
      DlArray x = zeros(n, 20, type) - largest;
      x(1, all) = largest;
      for (const bool behind : {false, true}) {
        const DlArray y = behind ? transpose(softmax(transpose(x), {.dataFormat = "SC"})) : softmax(x, {.dataFormat = "CB"});
        for (const double v : numbers(y(1, all))) BOOST_TEST(v == 1);
        for (const double v : numbers(y(2, all))) BOOST_TEST((v >= smallest * (1 - 1e-6) && v < 2 * n * smallest));
      }
    }
}

BOOST_AUTO_TEST_CASE(softmax_does_not_change_its_input_and_reuses_temporaries) {
  const DlArray x = dlarray(rand(100, 300), "CB");
  const DlArray copy = x + 0;
  const DlArray y = softmax(x);
  BOOST_TEST(isequal(x, copy));
  BOOST_TEST(isequal(softmax(x + 0), y));
  BOOST_TEST(isequal(softmax(dlarray({{1.0, 2.0}}, "CB") + 0), softmax(dlarray({{1.0, 2.0}}, "CB"))));
}

BOOST_AUTO_TEST_CASE(labels_of_softmax) {
  const DlArray x = rand(3, 4);
  BOOST_TEST(dims(softmax(dlarray(x, "BC"))) == "CB");
  BOOST_TEST((size(softmax(x, {.dataFormat = "BC"})) == Size{3, 4}));
  BOOST_TEST(dims(softmax(x, {.dataFormat = "BC"})).empty());
  BOOST_TEST(isequal(stripdims(softmax(dlarray(x, "BC")), "BC"), softmax(x, {.dataFormat = "BC"})));
  BOOST_TEST(
      test::mistake([&] { softmax(x); }).sentence.starts_with("softmax: 3 x 4 has no labels to tell channels from observations"));
  BOOST_TEST(
      test::mistake([&] {
        softmax(dlarray(x, "SB"));
      }).sentence.starts_with("softmax: 3(S) x 4(B) has no dimension labelled C, over which the results would sum up to 1"));
  BOOST_TEST(test::mistake([&] {
               softmax(dlarray(x, "CB"), {.dataFormat = "CB"});
             }).sentence.starts_with("softmax: 3(C) x 4(B) has labels already"));
}

BOOST_AUTO_TEST_CASE(softplus_in_single) {
  const DlArray x = linspace(-86, 30, 100001);  // below, e^x loses digits
  const Numbers exact = numbers(softplus(x)), y = numbers(softplus(single_(x))), at = numbers(single_(x));
  double worst = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double expected = at[i] > 0 ? at[i] + std::log1p(std::exp(-at[i])) : std::log1p(std::exp(at[i]));
    worst = std::max(worst, std::abs(y[i] - expected) / expected);
    BOOST_REQUIRE(std::abs(exact[i] - y[i]) <= 1e-4 * exact[i]);
  }
  BOOST_TEST(worst < 6e-7);
  BOOST_TEST(double(softplus(single_(-inf))) == 0);
  BOOST_TEST(double(softplus(single_(inf))) == inf);
  BOOST_TEST(std::isnan(double(softplus(single_(NAN)))));
}

BOOST_AUTO_TEST_CASE(dropping_keeps_the_mean) {
  rng(1);
  const DlArray x = dlarray(ones(200, 500), "CB"), y = dropout(x, 0.3);
  BOOST_TEST(dims(y) == "CB");
  const double kept = double(mean(y != 0.0, "all"));
  BOOST_TEST(std::abs(kept - 0.7) < 0.01);
  BOOST_TEST(std::abs(double(mean(y, "all")) - 1) < 0.015);
  for (const double v : numbers(y)) BOOST_TEST_REQUIRE((v == 0 || std::abs(v - 1 / 0.7) < 1e-15));
  BOOST_TEST(isequal(dropout(x, 0), x));
  BOOST_TEST(!isequal(dropout(x, 0.3), y));
  rng(1);
  BOOST_TEST(isequal(dropout(x, 0.3), y));
  BOOST_TEST((underlyingType(dropout(single_(x), 0.3)) == Type::Single));
}

BOOST_AUTO_TEST_CASE(the_gradient_of_dropout_uses_the_mask_of_the_value) {
  rng(3);
  const auto [y, g] = dlfeval(
      [](const DlArray& x) {
        const DlArray dropped = dropout(x);
        return std::tuple(dropped, dlgradient(sum(dropped, "all"), x));
      },
      dlarray(2 * ones(20, 30), "CB"));
  BOOST_TEST(isequal(y, g % 2));
}

BOOST_AUTO_TEST_CASE(mistakes) {
  for (const double p : {1.0, -0.1, 2.0, static_cast<double>(NAN)})
    BOOST_TEST(test::mistake([&] { dropout(1.0, p); }).sentence.starts_with("dropout: the probability "));
  BOOST_TEST(test::mistake([&] { dropout(1.0, 1.5); }).sentence.starts_with("dropout: the probability 1.5 is not in [0, 1)"));
  BOOST_TEST(test::mistake([&] {
               gelu(1.0, {.approximation = "sigmoid"});
             }).sentence.starts_with("gelu: .approximation = \"sigmoid\" is neither \"none\" nor \"tanh\""));
}
