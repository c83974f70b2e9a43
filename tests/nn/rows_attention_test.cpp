// Rows for attention, against loops over every number.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

struct Problem {
  Index heads, batch, queries, keys, channels, valueChannels;
  bool tokensFirst = false;
};

using Seen = std::function<bool(Index key, Index query, Index observation)>;

bool everything(Index, Index, Index) { return true; }

// Channel, observation and token to a place in the data.
double at(const Problem& p, const Plain& x, Index channels, Index tokens, Index c, Index b, Index t) {
  return x.values[static_cast<std::size_t>(p.tokensFirst ? t + tokens * (c + channels * b) : c + channels * (b + p.batch * t))];
}

Numbers weightsByHand(const Problem& p, const std::vector<Plain>& in, double scale, const Seen& seen) {
  Numbers weights;
  const Index head = p.channels / p.heads;
  for (Index b = 0; b < p.batch; ++b)
    for (Index h = 0; h < p.heads; ++h)
      for (Index m = 0; m < p.queries; ++m) {
        Numbers e;
        double sum = 0;
        for (Index n = 0; n < p.keys; ++n) {
          double score = 0;
          for (Index c = h * head; c < (h + 1) * head; ++c)
            score += at(p, in[0], p.channels, p.queries, c, b, m) * at(p, in[1], p.channels, p.keys, c, b, n);
          e.push_back(seen(n, m, b) ? std::exp(scale * score) : 0);
          sum += e.back();
        }
        for (double& x : e) x = sum > 0 ? x / sum : 0;
        weights.insert(weights.end(), e.begin(), e.end());
      }
  return weights;
}

Numbers attentionByHand(const Problem& p, const std::vector<Plain>& in, double scale, const Seen& seen) {
  const Numbers weights = weightsByHand(p, in, scale, seen);
  const Index head = p.valueChannels / p.heads;
  Numbers y(static_cast<std::size_t>(p.valueChannels * p.batch * p.queries));
  for (Index b = 0; b < p.batch; ++b)
    for (Index c = 0; c < p.valueChannels; ++c)
      for (Index m = 0; m < p.queries; ++m) {
        double sum = 0;
        for (Index n = 0; n < p.keys; ++n)
          sum += weights[static_cast<std::size_t>(n + p.keys * (m + p.queries * (c / head + p.heads * b)))] *
                 at(p, in[2], p.valueChannels, p.keys, c, b, n);
        y[static_cast<std::size_t>(p.tokensFirst ? m + p.queries * (c + p.valueChannels * b)
                                                 : c + p.valueChannels * (b + p.batch * m))] = sum;
      }
  return y;
}

const Problem usual{2, 3, 4, 5, 4, 6};
const std::vector<Input> usualInputs{"4(C) x 3(B) x 4(T)", "4(C) x 3(B) x 5(T)", "6(C) x 3(B) x 5(T)"};

void row(const std::string& name, const Problem& p, const std::vector<Input>& inputs, double scale, const Seen& seen,
         const AttentionOptions& options, const std::string& expect) {
  check(Row{"attention " + name, inputs, [&](const Arrays& x) { return attention(x[0], x[1], x[2], p.heads, options); },
            [&](const std::vector<Plain>& in) { return attentionByHand(p, in, scale, seen); }, expect, 2, 1e-12});
}

const double halfRoot = 1 / std::sqrt(2.0);

}  // namespace

BOOST_AUTO_TEST_CASE(attention_of_sequences) {
  row("of sequences", usual, usualInputs, halfRoot, everything, {}, "6(C) x 3(B) x 4(T)");
  row("with a scale", usual, usualInputs, 0.3, everything, {.scale = 0.3}, "6(C) x 3(B) x 4(T)");
  row("of one head", {1, 3, 4, 5, 4, 6}, usualInputs, 0.5, everything, {}, "6(C) x 3(B) x 4(T)");
  row("without labels on keys and values", usual, {"4(C) x 3(B) x 4(T)", "4 x 3 x 5", "6 x 3 x 5"}, halfRoot, everything, {},
      "6(C) x 3(B) x 4(T)");
  row("without labels", usual, {"4 x 3 x 4", "4 x 3 x 5", "6 x 3 x 5"}, halfRoot, everything, {.dataFormat = "CBT"}, "6 x 3 x 4");
  row("of one observation", {2, 1, 4, 5, 4, 6}, {"4(C) x 4(T)", "4(C) x 5(T)", "6(C) x 5(T)"}, halfRoot, everything, {},
      "6(C) x 4(T)");
  row("of images", {2, 3, 4, 5, 4, 6, true}, {"4(S) x 4(C) x 3(B)", "5(S) x 4(C) x 3(B)", "5(S) x 6(C) x 3(B)"}, halfRoot,
      everything, {}, "4(S) x 6(C) x 3(B)");
  row("of one image", {2, 1, 4, 5, 4, 6, true}, {"4(S) x 4(C)", "5(S) x 4(C)", "5(S) x 6(C)"}, halfRoot, everything, {},
      "4(S) x 6(C)");
  row("of one token", {2, 3, 1, 1, 4, 6}, {"4(C) x 3(B) x 1(T)", "4(C) x 3(B) x 1(T)", "6(C) x 3(B) x 1(T)"}, halfRoot,
      everything, {}, "6(C) x 3(B) x 1(T)");
}

BOOST_AUTO_TEST_CASE(attention_of_the_same_thing) {
  check(Row{"attention to itself",
            {"4(C) x 2(B) x 3(T)"},
            [](const Arrays& x) { return attention(x[0], x[0], x[0], 2); },
            [](const std::vector<Plain>& in) {
              return attentionByHand({2, 2, 3, 3, 4, 4}, {in[0], in[0], in[0]}, halfRoot, everything);
            },
            "4(C) x 2(B) x 3(T)",
            2,
            1e-12});
}

BOOST_AUTO_TEST_CASE(third_derivatives) {
  const Problem p{2, 2, 2, 3, 2, 2};
  check(Row{"attention",
            {"2(C) x 2(B) x 2(T)", "2(C) x 2(B) x 3(T)", "2(C) x 2(B) x 3(T)"},
            [](const Arrays& x) { return attention(x[0], x[1], x[2], 2); },
            [=](const std::vector<Plain>& in) { return attentionByHand(p, in, 1, everything); },
            "2(C) x 2(B) x 2(T)",
            3});
}

BOOST_AUTO_TEST_CASE(attention_weights) {
  check(Row{"attention with its weights", usualInputs,
            [](const Arrays& x) {
              const auto [y, weights] = attention<2>(x[0], x[1], x[2], 2);
              BOOST_TEST(text(weights) == "5 x 4 x 2 x 3");
              return vertcat(reshape(y, -1, 1), reshape(weights, -1, 1));
            },
            [](const std::vector<Plain>& in) {
              Numbers all = attentionByHand(usual, in, halfRoot, everything);
              const Numbers weights = weightsByHand(usual, in, halfRoot, everything);
              all.insert(all.end(), weights.begin(), weights.end());
              return all;
            },
            "192 x 1", 2, 1e-12});
}

BOOST_AUTO_TEST_CASE(attention_masks) {
  const std::string expect = "6(C) x 3(B) x 4(T)";
  const auto causal = [](Index n, Index m, Index) { return n <= m; };
  row("with a causal mask", usual, usualInputs, halfRoot, causal, {.attentionMask = "causal"}, expect);
  const auto stripes = [](Index n, Index m, Index) { return (n + m) % 3 != 0; };
  Numbers mask;
  for (Index m = 0; m < 4; ++m)
    for (Index n = 0; n < 5; ++n) mask.push_back(stripes(n, m, 0));
  row("with a mask", usual, usualInputs, halfRoot, stripes, {.attentionMask = dlarray(mask, Size{5, 4})}, expect);
  // The second query of the third observation sees nothing, the second observation has two keys only.
  const auto each = [](Index n, Index m, Index b) { return (n + m + b) % 2 == 0 && !(b == 2 && m == 1); };
  Numbers masks;
  for (Index b = 0; b < 3; ++b)
    for (Index m = 0; m < 4; ++m)
      for (Index n = 0; n < 5; ++n) masks.push_back(each(n, m, b));
  const DlArray threeMasks = dlarray(masks, Size{5, 4, 3}) > 0;
  row("with a mask for each observation", usual, usualInputs, halfRoot, each, {.attentionMask = threeMasks}, expect);
  const auto real = [](Index n, Index, Index b) { return b != 1 || n < 2; };
  Numbers padding;
  for (Index n = 0; n < 5; ++n)
    for (Index b = 0; b < 3; ++b) padding.push_back(real(n, 0, b));
  const DlArray paddingMask = dlarray(padding, Size{1, 3, 5}, "CBT");
  row("with padding", usual, usualInputs, halfRoot, real, {.paddingMask = paddingMask}, expect);
  row("with padding without labels", usual, usualInputs, halfRoot, real, {.paddingMask = stripdims(paddingMask)}, expect);
  row(
      "with padding and a causal mask", usual, usualInputs, halfRoot,
      [=](Index n, Index m, Index b) { return real(n, m, b) && causal(n, m, b); },
      {.paddingMask = paddingMask, .attentionMask = "causal"}, expect);
  row(
      "with padding and masks", usual, usualInputs, halfRoot,
      [=](Index n, Index m, Index b) { return real(n, m, b) && each(n, m, b); },
      {.paddingMask = paddingMask, .attentionMask = threeMasks}, expect);
  row("of images with padding", {2, 3, 4, 5, 4, 6, true}, {"4(S) x 4(C) x 3(B)", "5(S) x 4(C) x 3(B)", "5(S) x 6(C) x 3(B)"},
      halfRoot, real, {.paddingMask = dlarray(permute(stripdims(paddingMask), {2, 0, 1}), "SCB")}, "4(S) x 6(C) x 3(B)");
}
