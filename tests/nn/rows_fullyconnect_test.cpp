// fullyconnect against a loop over observations; its labels and its mistakes.
#include "harness/mistake.hpp"
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

// y(o, observation) = b(o) + sum of w(o, e) x(e, observation), elements and observations each in stored order.
Numbers connected(const Plain& x, const Plain& w, const Numbers& bias) {
  const auto outputs = static_cast<std::size_t>(w.size[0]);
  std::vector<Numbers> sums;
  std::vector<std::size_t> seen;
  forEach(x.size, [&](std::size_t k, std::vector<Index>& at) {
    std::size_t observation = 0, observations = 1;
    for (std::size_t d = 0; d < x.size.size(); ++d)
      if (x.labels[d] == 'B' || x.labels[d] == 'T') {
        observation += observations * static_cast<std::size_t>(at[d]);
        observations *= static_cast<std::size_t>(x.size[d]);
      }
    if (sums.size() <= observation) sums.resize(observation + 1, Numbers(outputs)), seen.resize(observation + 1);
    const std::size_t element = seen[observation]++;
    for (std::size_t o = 0; o < outputs; ++o) sums[observation][o] += w.values[o + outputs * element] * x.values[k];
  });
  Numbers y;
  for (const Numbers& s : sums)
    for (std::size_t o = 0; o < outputs; ++o) y.push_back(s[o] + bias[bias.size() == 1 ? 0 : o]);
  return y;
}

void row(const std::string& name, const char* x, const char* weights, const char* bias, const char* expect) {
  check(Row{"fullyconnect " + name,
            {{x}, {weights}, {bias}},
            [](const Arrays& in) { return fullyconnect(in[0], in[1], in[2]); },
            [](const std::vector<Plain>& in) { return connected(in[0], in[1], in[2].values); },
            expect});
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows) {
  check(Row{"fullyconnect of features",
            {{"3(C) x 5(B)"}, {"4 x 3"}, {"4 x 1"}},
            [](const Arrays& in) { return fullyconnect(in[0], in[1], in[2]); },
            [](const std::vector<Plain>& in) { return connected(in[0], in[1], in[2].values); },
            "4(C) x 5(B)"});
  row("of images", "2(S) x 3(S) x 2(C) x 4(B)", "5 x 12", "1 x 5", "5(C) x 4(B)");
  row("of sequences", "3(C) x 2(B) x 4(T)", "2 x 3", "2 x 1", "2(C) x 2(B) x 4(T)");
  row("of one image", "2(S) x 3(S) x 2(C)", "5 x 12", "5(C) x 1(U)", "5(C) x 1(U)");
  row("of one observation's steps", "3(C) x 4(T)", "2 x 3", "1 x 1", "2(C) x 4(T)");
  row("with unspecified dimensions", "2(C) x 3(B) x 2(T) x 2(U)", "3 x 4", "3 x 1", "3(C) x 3(B) x 2(T)");
  row("with labelled weights", "3(C) x 5(B)", "4(C) x 3(U)", "4 x 1", "4(C) x 5(B)");
  row("of one element", "1(C) x 1(B)", "4 x 1", "4 x 1", "4(C) x 1(B)");
  row("to one output", "3(C) x 5(B)", "1 x 3", "1 x 1", "1(C) x 5(B)");
}

BOOST_AUTO_TEST_CASE(of_nothing_there_is_the_bias) {
  const DlArray y = fullyconnect(dlarray(ones(0, 3), "CB"), ones(2, 0), dlarray({1, 2}));
  BOOST_TEST(text(y) == "2(C) x 3(B)");
  BOOST_TEST(difference(y, {1, 2, 1, 2, 1, 2}) == "");
  BOOST_TEST(text(fullyconnect(dlarray(ones(3, 0), "CB"), ones(2, 3), 0)) == "2(C) x 0(B)");
}

BOOST_AUTO_TEST_CASE(weights_with_channels_behind_spatial_dimensions) {
  const DlArray x = dlarray(linspace(-1, 1, 12), "U"), w = reshape(linspace(0, 1, 24), 12, 2);
  const DlArray expected = fullyconnect(x, transpose(w), 0);
  BOOST_TEST(isequal(fullyconnect(x, dlarray(reshape(w, 4, 3, 2), "SSC"), 0), expected));
}

BOOST_AUTO_TEST_CASE(unlabelled_data_keeps_the_order_of_the_caller) {
  const DlArray x = reshape(linspace(-1, 1, 15), 5, 3), w = reshape(linspace(0, 1, 12), 4, 3), b = linspace(1, 2, 4);
  const DlArray y = fullyconnect(x, w, b, {.dataFormat = "BC"});
  BOOST_TEST(dims(y) == "");
  BOOST_TEST((size(y) == Size{5, 4}));
  BOOST_TEST(isequal(y, transpose(stripdims(fullyconnect(dlarray(x, "BC"), w, b)))));
}

BOOST_AUTO_TEST_CASE(a_number_is_the_bias_of_every_output) {
  const DlArray x = dlarray(ones(3, 2), "CB"), w = ones(4, 3);
  BOOST_TEST(difference(fullyconnect(x, w, 0), Numbers(8, 3)) == "");
  BOOST_TEST(difference(fullyconnect(x, w, 0.5), Numbers(8, 3.5)) == "");
}

BOOST_AUTO_TEST_CASE(types_meet_as_in_arithmetic) {
  const DlArray x = dlarray(ones(3, 2), "CB"), w = ones(4, 3);
  BOOST_TEST((underlyingType(fullyconnect(single_(x), w, 0)) == Type::Single));
  BOOST_TEST((underlyingType(fullyconnect(x, w, single_(ones(4, 1)))) == Type::Single));
  BOOST_TEST((underlyingType(fullyconnect(logical_(x), logical_(w), 0)) == Type::Double));
}

BOOST_AUTO_TEST_CASE(mistakes) {
  const DlArray x = dlarray(ones(Size{2, 3, 4, 5}), "SSCB");
  const auto sentence = [&](const DlArray& data, const DlArray& w, const DlArray& b, const FullyconnectOptions& options = {}) {
    return mistake([&] { fullyconnect(data, w, b, options); }).sentence;
  };
  BOOST_TEST(sentence(x, ones(7, 23), 0.0).starts_with(
      "fullyconnect: the weights are 7 x 23 but an observation of 2(S) x 3(S) x 4(C) x 5(B) has 24 elements; the weights must be 7 x 24"));
  BOOST_TEST(sentence(x, ones(24, 7), 0.0).starts_with("fullyconnect: the weights are 24 x 7 but an observation"));
  BOOST_TEST(sentence(x, ones(Size{7, 6, 4}), 0.0).starts_with(
      "fullyconnect: the weights are 7 x 6 x 4; unlabelled ones must be a matrix, outputs x 24"));
  BOOST_TEST(sentence(x, dlarray(ones(7, 24), "UU"), 0.0).starts_with(
      "fullyconnect: the weights are 7(U) x 24(U); labelled ones must carry C, as many as there are outputs"));
  BOOST_TEST(sentence(x, ones(7, 24), ones(6, 1)).starts_with(
      "fullyconnect: the bias is 6 x 1 but the data has 7 channels: 7(C) x 5(B)"));
  BOOST_TEST(sentence(x, ones(7, 24), dlarray(ones(1, 7), "CB")).starts_with(
      "fullyconnect: the bias is 1(C) x 7(B); its elements must lie along C"));
  BOOST_TEST(sentence(ones(3, 5), ones(7, 3), 0.0).starts_with("fullyconnect: 3 x 5 has no labels to tell channels from observations"));
  BOOST_TEST(sentence(x, ones(7, 24), 0.0, {.dataFormat = "SSCB"}).starts_with(
      "fullyconnect: 2(S) x 3(S) x 4(C) x 5(B) has labels already; leave .dataFormat = \"SSCB\" out"));
  BOOST_TEST(mistake([&] { fullyconnect(x, ones(7, 23), 0); }).identifier == "dlarray:fullyconnect:weights");
}
