// Rows for the normalisations, against loops over the elements that belong together.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

// What the elements with the same key have in common; the key says for each element what it is normalised with.
using Key = std::function<std::vector<Index>(const std::map<char, Index>& at)>;

// The channel and the normalisation key of each element; positions by label, several S count as one.
std::map<char, Index> places(const Plain& x, const std::vector<Index>& at) {
  std::map<char, Index> by{{'S', 0}, {'C', 0}, {'B', 0}, {'T', 0}, {'U', 0}};
  for (std::size_t d = 0; d < at.size(); ++d) by[x.labels[d]] = by[x.labels[d]] * x.size[d] + at[d];
  return by;
}

struct Moments {
  double n = 0, mean = 0, variance = 0;
};
std::map<std::vector<Index>, Moments> momentsOf(const Plain& x, const Key& key) {
  std::map<std::vector<Index>, Moments> all;
  forEach(x.size, [&](std::size_t k, auto& at) {
    Moments& m = all[key(places(x, at))];
    m.n += 1;
    m.mean += x.values[k];
  });
  for (auto& [name, m] : all) m.mean /= m.n;
  forEach(x.size, [&](std::size_t k, auto& at) {
    Moments& m = all[key(places(x, at))];
    m.variance += std::pow(x.values[k] - m.mean, 2) / m.n;
  });
  return all;
}

double number(const Plain& values, Index channel) {
  return values.values[values.values.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
}

Numbers normalised(const Plain& x, const Plain& offset, const Plain& scale, const Key& key, double epsilon = 1e-5) {
  auto moments = momentsOf(x, key);
  Numbers y(x.values.size());
  forEach(x.size, [&](std::size_t k, auto& at) {
    const auto by = places(x, at);
    const Moments& m = moments[key(by)];
    y[k] = (x.values[k] - m.mean) / std::sqrt(m.variance + epsilon) * number(scale, by.at('C')) + number(offset, by.at('C'));
  });
  return y;
}

const Key byChannel = [](const auto& at) { return std::vector<Index>{at.at('C')}; };
const Key byObservation = [](const auto& at) { return std::vector<Index>{at.at('B')}; };
const Key byBoth = [](const auto& at) { return std::vector<Index>{at.at('C'), at.at('B')}; };
Key byGroup(Index channels) {
  return [=](const auto& at) { return std::vector<Index>{at.at('C') / channels, at.at('B')}; };
}

// Long and short runs, one and several observations, with and without time; channels are 4 everywhere.
const char* const shapes[] = {"3(S) x 2(S) x 4(C) x 3(B)",
                              "20(S) x 4(C) x 2(B) x 2(T)",
                              "4(C) x 6(B)",
                              "4(C) x 3(B) x 5(T)",
                              "5(S) x 4(C)",
                              "4(C) x 7(T)",
                              "2(S) x 3(S) x 2(S) x 4(C) x 2(B) x 2(U)"};

void row(const std::string& name, const std::function<DlArray(const Arrays&)>& op, const Key& key) {
  for (const char* shape : shapes) {
    check(Row{name + " of " + shape,
              {{shape}, {"4 x 1", -1, 1}, {"4 x 1", 0.5, 2}},
              op,
              [&](const std::vector<Plain>& x) { return normalised(x[0], x[1], x[2], key); },
              shape,
              2,
              1e-11});
  }
  check(Row{name + " with one offset, labelled scale",
            {{"3(S) x 4(C) x 2(B)"}, {"1 x 1", {0.5}}, {"4(C) x 1(U)", 0.5, 2}},
            op,
            [&](const std::vector<Plain>& x) { return normalised(x[0], x[1], x[2], key); },
            "3(S) x 4(C) x 2(B)",
            2,
            1e-11});
}

}  // namespace

BOOST_AUTO_TEST_CASE(batch) {
  row(
      "batchnorm", [](const Arrays& x) { return batchnorm(x[0], x[1], x[2]); }, byChannel);
  row(
      "batchnorm training", [](const Arrays& x) { return std::get<0>(batchnorm<3>(x[0], x[1], x[2], zeros(4, 1), ones(4, 1))); },
      byChannel);
}

BOOST_AUTO_TEST_CASE(batch_with_statistics) {
  for (const char* shape : shapes)
    check(Row{"batchnorm inference of " + std::string(shape),
              {{shape}, {"4 x 1"}, {"4 x 1", 0.5, 2}, {"4 x 1"}, {"1 x 4", 0.5, 2}},
              [](const Arrays& x) { return batchnorm(x[0], x[1], x[2], x[3], x[4], {.epsilon = 1e-3}); },
              [](const std::vector<Plain>& x) {
                Numbers y(x[0].values.size());
                forEach(x[0].size, [&](std::size_t k, auto& at) {
                  const Index c = places(x[0], at).at('C');
                  y[k] =
                      (x[0].values[k] - number(x[3], c)) / std::sqrt(number(x[4], c) + 1e-3) * number(x[2], c) + number(x[1], c);
                });
                return y;
              },
              shape});
}

BOOST_AUTO_TEST_CASE(statistics_of_the_batch) {
  const auto statistic = [](const Plain& x, bool mean) {
    Numbers y;
    for (const auto& [key, m] : momentsOf(x, byChannel)) y.push_back(mean ? m.mean : m.variance);
    return y;
  };
  for (const char* shape : shapes) {
    const std::vector<Input> inputs{{shape}, constant({"4 x 1"}), constant({"4 x 1"})};
    check(Row{"batchnorm mean of " + std::string(shape), inputs,
              [](const Arrays& x) { return std::get<1>(batchnorm<3>(x[0], x[1], x[2])); },
              [&](const std::vector<Plain>& x) { return statistic(x[0], true); }, "4 x 1"});
    check(Row{"batchnorm variance of " + std::string(shape), inputs,
              [](const Arrays& x) { return std::get<2>(batchnorm<3>(x[0], x[1], x[2])); },
              [&](const std::vector<Plain>& x) { return statistic(x[0], false); }, "4 x 1"});
    check(Row{"batchnorm running variance of " + std::string(shape),
              {{shape}, constant({"4 x 1"}), constant({"4 x 1"}), {"1 x 4"}, {"4(C) x 1(U)", 0.5, 2}},
              [](const Arrays& x) { return std::get<2>(batchnorm<3>(x[0], x[1], x[2], x[3], x[4], {.varianceDecay = 0.25})); },
              [&](const std::vector<Plain>& x) {
                Numbers y = statistic(x[0], false);
                for (std::size_t c = 0; c < y.size(); ++c) y[c] = 0.25 * y[c] + 0.75 * x[4].values[c];
                return y;
              },
              "4(C) x 1(U)"});
  }
}

BOOST_AUTO_TEST_CASE(layers_groups_and_instances) {
  row(
      "layernorm", [](const Arrays& x) { return layernorm(x[0], x[1], x[2]); }, byObservation);
  row(
      "layernorm of S and C",
      [](const Arrays& x) { return layernorm(x[0], x[1], x[2], {.operationDimension = "spatial-channel"}); },
      [](const auto& at) {
        return std::vector<Index>{at.at('B'), at.at('T'), at.at('U')};
      });
  row(
      "layernorm of C", [](const Arrays& x) { return layernorm(x[0], x[1], x[2], {.operationDimension = "channel-only"}); },
      [](const auto& at) {
        return std::vector<Index>{at.at('S'), at.at('B'), at.at('T'), at.at('U')};
      });
  row(
      "groupnorm", [](const Arrays& x) { return groupnorm(x[0], 2, x[1], x[2]); }, byGroup(2));
  row(
      "groupnorm of all", [](const Arrays& x) { return groupnorm(x[0], "all-channels", x[1], x[2]); }, byObservation);
  row(
      "groupnorm of each", [](const Arrays& x) { return groupnorm(x[0], "channel-wise", x[1], x[2]); }, byBoth);
  row(
      "instancenorm", [](const Arrays& x) { return instancenorm(x[0], x[1], x[2]); }, byBoth);
}

// An exponent of its own, and the usual one.
BOOST_AUTO_TEST_CASE(neighbouring_channels) {
  for (const auto& [window, beta] : std::vector<std::pair<Index, double>>{{1, 0.6}, {2, 0.75}, {3, 0.6}, {5, 0.75}, {12, 0.6}})
    for (const char* shape : {"2(S) x 6(C) x 3(B)", "6(C) x 2(B) x 2(T)", "3(S) x 1(C)", "17(S) x 19(S) x 7(C) x 2(B)"})
      check(Row{"crosschannelnorm of " + std::string(shape),
                {{shape}},
                [=](const Arrays& x) { return crosschannelnorm(x[0], window, {.alpha = 0.7, .beta = beta, .k = 1.5}); },
                [=](const std::vector<Plain>& x) {
                  const auto c = x[0].labels.find('C');
                  Numbers y(x[0].values.size());
                  forEach(x[0].size, [&](std::size_t k, auto& at) {
                    double squares = 0;
                    const Index first = std::max<Index>(0, at[c] - (window - 1) / 2),
                                last = std::min(x[0].size[c] - 1, at[c] + window / 2);
                    for (Index i = first; i <= last; ++i) {
                      auto there = at;
                      there[c] = i;
                      squares += std::pow(x[0].values[numberAt(x[0].size, there)], 2);
                    }
                    y[k] = x[0].values[k] / std::pow(1.5 + 0.7 * squares / static_cast<double>(window), beta);
                  });
                  return y;
                },
                shape});
}

// Sizes at which the kernels cut the data into pieces, work position by position or in passes over all, and leave remainders.
BOOST_AUTO_TEST_CASE(large) {
  const auto compare = [](const char* shape, const auto& op, const Key& key) {
    Plain x = parse(shape), offset = parse("4 x 1"), scale = parse("4 x 1");
    x.values = spread(static_cast<std::size_t>(numel(x.size)), 2, 6);
    offset.values = {1, -1, 0.5, 2};
    scale.values = {1, 2, -1, 0.25};
    const Numbers want = normalised(x, offset, scale, key);
    BOOST_TEST(difference(op(array(x), array(offset), array(scale)), want, 1e-11) == "", shape);
    BOOST_TEST(difference(op(array(x, Type::Single), array(offset, Type::Single), array(scale, Type::Single)), want, 3e-5) == "",
               shape);
    // Both ways to the gradient, fused and in operations.
    for (const Type type : {Type::Double, Type::Single}) {
      const auto gradients = [&](bool higher) {
        return dlfeval(
            [&](const DlArray& a, const DlArray& b, const DlArray& c) {
              const DlArray y = op(a, b, c);
              return dlgradient(sum(y % y % y, "all"), a, b, c, GradientOptions{.enableHigherDerivatives = higher});
            },
            array(x, type), array(offset, type), array(scale, type));
      };
      const auto fused = gradients(false), composed = gradients(true);
      const double tolerance = type == Type::Double ? 1e-9 : 2e-3;
      BOOST_TEST(difference(std::get<0>(fused), plain(std::get<0>(composed)).values, tolerance) == "", shape);
      BOOST_TEST(
          difference(std::get<1>(fused) / numel(x.size), plain(std::get<1>(composed) / numel(x.size)).values, tolerance) == "",
          shape);
      BOOST_TEST(
          difference(std::get<2>(fused) / numel(x.size), plain(std::get<2>(composed) / numel(x.size)).values, tolerance) == "",
          shape);
    }
  };
  const auto batchnormed = [](const DlArray& x, const DlArray& o, const DlArray& s) { return batchnorm(x, o, s); };
  const auto layernormed = [](const DlArray& x, const DlArray& o, const DlArray& s) { return layernorm(x, o, s); };
  const auto grouped = [](const DlArray& x, const DlArray& o, const DlArray& s) { return groupnorm(x, 2, o, s); };
  compare("37(S) x 31(S) x 4(C) x 9(B)", batchnormed, byChannel);
  compare("200(S) x 101(S) x 4(C) x 11(B)", batchnormed, byChannel);
  compare("4(C) x 30011(B)", batchnormed, byChannel);
  compare("3(S) x 4(C) x 20003(B)", batchnormed, byChannel);
  compare("97(S) x 89(S) x 4(C) x 3(B)", layernormed, byObservation);
  compare("97(S) x 89(S) x 4(C) x 3(B) x 2(T)", grouped, byGroup(2));
  compare("4(C) x 101(B) x 57(T)", layernormed, byObservation);
  const auto separate = [](const DlArray& x, const DlArray& o, const DlArray& s) { return instancenorm(x, o, s); };
  compare("4(C) x 133(B) x 301(T)", separate, byBoth);
  compare("7(S) x 7(S) x 4(C) x 65(B)", separate, byBoth);
  compare("7(S) x 7(S) x 4(C) x 65(B)", batchnormed, byChannel);
  compare("12(S) x 4(C) x 201(B)", separate, byBoth);
  compare("4(C) x 53(B) x 301(T)", grouped, byGroup(2));
  compare("5(S) x 4(C) x 501(B)", grouped, byGroup(2));
  compare("5(S) x 4(C) x 501(B)", layernormed, byObservation);
  compare("4(C) x 1(B) x 1001(T)", layernormed, byObservation);
}
