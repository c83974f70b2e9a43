// Rows for activations, softmax and dropout.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// e^x over its sum, along one dimension of the stored order.
Numbers normalised(const Plain& x, int dimension) {
  return along(x, dimension, [](Numbers v) {
    double largest = -INFINITY, sum = 0;
    for (double a : v) largest = std::max(largest, a);
    for (double& a : v) sum += a = std::exp(a - largest);
    for (double& a : v) a /= sum;
    return v;
  });
}

}  // namespace

BOOST_AUTO_TEST_CASE(piecewise) {
  check(elementwise("relu", relu, [](double x) { return std::max(x, 0.0); }));
  check(elementwise(
      "leakyrelu", [](const DlArray& x) { return leakyrelu(x); }, [](double x) { return x < 0 ? 0.01 * x : x; }));
  check(elementwise(
      "leakyrelu with a scale", [](const DlArray& x) { return leakyrelu(x, 0.3); },
      [](double x) { return x < 0 ? 0.3 * x : x; }));
  check(elementwise(
      "elu of one sign", [](const DlArray& x) { return elu(x); }, [](double x) { return x < 0 ? std::expm1(x) : x; }, -3, -0.1,
      3));
  check(elementwise(
      "elu with alpha", [](const DlArray& x) { return elu(x, 0.7); }, [](double x) { return x < 0 ? 0.7 * std::expm1(x) : x; }));
}

BOOST_AUTO_TEST_CASE(smooth) {
  check(elementwise("sigmoid", sigmoid, logistic, -3, 3, 3));
  check(elementwise(
      "softplus", softplus, [](double x) { return std::log(1 + std::exp(x)); }, -3, 3, 3));
  check(elementwise(
      "swish", swish, [](double x) { return x * logistic(x); }, -3, 3, 3));
  check(elementwise(
      "mish", mish, [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); }, -3, 3, 3));
  check(elementwise(
      "gelu", [](const DlArray& x) { return gelu(x); }, [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2))); }, -3, 3,
      3));
  check(elementwise(
      "gelu by tanh", [](const DlArray& x) { return gelu(x, {.approximation = "tanh"}); },
      [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x))); }, -3, 3, 3));
}

BOOST_AUTO_TEST_CASE(probabilities) {
  struct Case {
    const char* shape;
    int channels;
  };
  // Channels in front and behind others, few and many, more columns than a group, tiles with a rest.
  for (const Case c : {Case{"5(C) x 3(B)", 0},
                       {"1(C) x 4(B)", 0},
                       {"10(C) x 37(B)", 0},
                       {"131(C) x 2(B)", 0},
                       {"3(S) x 4(S) x 5(C) x 2(B)", 2},
                       {"700(S) x 3(C)", 1},
                       {"4(C) x 3(B) x 2(T)", 0},
                       {"2(S) x 33(C) x 1(B) x 2(T)", 1},
                       {"7(C) x 1(U)", 0},
                       {"0(C) x 3(B)", 0},
                       {"3(C) x 0(B)", 0}})
    check(Row{"softmax of " + std::string(c.shape),
              {{c.shape, -3, 3}},
              [](const Arrays& x) { return softmax(x[0]); },
              [=](const std::vector<Plain>& x) { return normalised(x[0], c.channels); },
              c.shape,
              numel(parse(c.shape).size) < 100 ? 3 : 2});
  check(Row{"softmax with a format",
            {{"3 x 5", -3, 3}},
            [](const Arrays& x) { return softmax(x[0], {.dataFormat = "BC"}); },
            [](const std::vector<Plain>& x) { return normalised(x[0], 1); },
            "3 x 5",
            3});
}

BOOST_AUTO_TEST_CASE(dropping) {
  // The same numbers at each call, so that the harness sees one function.
  const RandomState start = rng(7);
  const Numbers u = extractdata<Numbers>(rand(Size{3, 4}));
  check(Row{"dropout",
            {{"3(C) x 4(B)"}},
            [](const Arrays& x) {
              rng(7);
              return double_(dropout(double_(x[0]), 0.4));
            },
            [&](const std::vector<Plain>& x) {
              Numbers y = x[0].values;
              for (std::size_t k = 0; k < y.size(); ++k) y[k] = u[k] < 0.4 ? 0 : y[k] / 0.6;
              return y;
            },
            "3(C) x 4(B) double"});
  rng(start);
}
