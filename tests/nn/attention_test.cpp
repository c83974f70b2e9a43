// Attention beyond its rows: against the same in ordinary operations, any number of threads, extremes, dropout, mistakes.
#include "cpu/kernel_test.hpp"
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

using Arrays = std::vector<DlArray>;

Arrays problem(Index queries, Index keys, Index batch, Index channels, Type type = Type::Double) {
  rng(5);
  const auto some = [&](Index tokens) { return dlarray(randn(Size{channels, batch, tokens}, type), "CBT"); };
  return {some(queries), some(keys), some(keys)};
}

DlArray composed(const Arrays& in, Index heads) {
  const auto pages = [&](const DlArray& x) {
    return permute(reshape(x, size(x, 0) / heads, heads, size(x, 1), size(x, 2)), {0, 3, 1, 2});
  };
  const DlArray q = pages(in[0]), k = pages(in[1]), v = pages(in[2]);
  const DlArray scores = pagemtimes(k, "transpose", q, "none") / std::sqrt(static_cast<double>(size(k, 0)));
  const DlArray e = exp(scores - max(scores, {}, 0));
  const DlArray y = permute(pagemtimes(v, e / sum(e, 0)), {0, 2, 3, 1});
  return dlarray(reshape(y, size(in[2], 0), size(in[0], 1), size(in[0], 2)), "CBT");
}

template <class F>
Arrays gradientsOf(F&& f, const Arrays& in) {
  return dlfeval([&](const Arrays& x) { return dlgradient(sum(pow(stripdims(f(x)), 3), "all"), x); }, in);
}

bool finite(const DlArray& x) { return bool(all(isfinite(stripdims(x)), "all")); }

}  // namespace

BOOST_AUTO_TEST_CASE(many_tokens_are_as_few) {
  for (const auto& [queries, keys] : {std::pair<Index, Index>(300, 70), {64, 200}}) {
    const Arrays in = problem(queries, keys, 2, 12);
    const auto fused = [](const Arrays& x) { return attention(x[0], x[1], x[2], 3); };
    const auto plain = [](const Arrays& x) { return composed(x, 3); };
    BOOST_TEST(difference(fused(in), extractdata<Numbers>(plain(in)), 1e-12) == "");
    const Arrays g = gradientsOf(fused, in), g2 = gradientsOf(plain, in);
    for (std::size_t i = 0; i < g.size(); ++i) BOOST_TEST(difference(g[i], extractdata<Numbers>(g2[i]), 1e-11) == "");
  }
}

BOOST_AUTO_TEST_CASE(results_do_not_depend_on_threads) {
  const Arrays in = problem(150, 90, 3, 32, Type::Single);
  const auto run = [&] {
    const auto f = [](const Arrays& x) { return attention(x[0], x[1], x[2], 4, {.attentionMask = "causal"}); };
    std::vector<float> values = extractdata<std::vector<float>>(f(in));
    for (const DlArray& x : gradientsOf(f, in)) {
      const auto more = extractdata<std::vector<float>>(x);
      values.insert(values.end(), more.begin(), more.end());
    }
    return values;
  };
  bool same = false;
  cpu::sameForThreads(run, same);
  BOOST_TEST(same);
}

BOOST_AUTO_TEST_CASE(queries_without_keys_get_zeros) {
  const Arrays in = problem(4, 5, 2, 6, Type::Single);
  const DlArray none = zeros(5, 4);
  const auto f = [&](const Arrays& x) { return attention(x[0], x[1], x[2], 2, {.attentionMask = none}); };
  BOOST_TEST(bool(all(stripdims(f(in)) == 0, "all")));
  for (const DlArray& g : gradientsOf(f, in)) BOOST_TEST(bool(all(stripdims(g) == 0, "all")));
  const auto [y, weights] = attention<2>(in[0], in[1], in[2], 2, {.paddingMask = zeros(Size{1, 2, 5})});
  BOOST_TEST(bool(all(weights == 0, "all")));
  BOOST_TEST(bool(all(stripdims(y) == 0, "all")));
}

BOOST_AUTO_TEST_CASE(extreme_scores_stay_finite) {
  Arrays in = problem(40, 50, 2, 6, Type::Single);
  in[0] = in[0] * 1e15;
  in[1] = in[1] * 1e15;
  for (const char* mask : {"none", "causal"}) {
    const auto f = [&](const Arrays& x) { return attention(x[0], x[1], x[2], 2, {.attentionMask = mask}); };
    const auto [y, weights] = attention<2>(in[0], in[1], in[2], 2, {.attentionMask = mask});
    BOOST_TEST(finite(y));
    BOOST_TEST(difference(sum(weights, 0), Numbers(40 * 2 * 2, 1.0), 1e-6) == "");
    for (const DlArray& g : gradientsOf(f, in)) BOOST_TEST(finite(g));
  }
}

// One channel: the scores are products of two numbers.
BOOST_AUTO_TEST_CASE(single_weights_are_precise) {
  const DlArray q = dlarray(single_(reshape(linspace(-3, 3, 61), 1, 61)), "CT"),
                k = dlarray(single_(reshape(linspace(-25, 25, 301), 1, 301)), "CT");
  const Numbers got = extractdata<Numbers>(std::get<1>(attention<2>(q, k, k, 1))),
                want = extractdata<Numbers>(std::get<1>(attention<2>(double_(q), double_(k), double_(k), 1)));
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - want[i]) / (std::abs(want[i]) + 1e-30));
  BOOST_TEST(worst < 2e-5);  // of scores up to 75, whose last digit counts 4e-6
}

// What lies behind a mask takes no part, not even as NaN.
BOOST_AUTO_TEST_CASE(hidden_keys_do_not_matter) {
  const Arrays in = problem(4, 5, 1, 6);
  Arrays other = in;
  other[1](all, 0, 4) = NAN;
  const DlArray mask = dlarray({1, 1, 1, 1, 0}), padding = reshape(mask, 1, 1, 5);
  const DlArray y = attention(in[0], in[1], in[2], 2, {.paddingMask = padding});
  BOOST_TEST(isequal(y, attention(in[0], other[1], in[2], 2, {.paddingMask = padding})));
  BOOST_TEST(difference(y, extractdata<Numbers>(attention(in[0], in[1](all, all, span(0, 3)), in[2](all, all, span(0, 3)), 2)),
                        1e-14) == "");
  BOOST_TEST(!finite(attention(in[0], other[1], in[2], 2)));
}

BOOST_AUTO_TEST_CASE(dropout_keeps_the_mean) {
  const Arrays in = problem(40, 50, 4, 8);
  rng(1);
  const auto [y, weights] = attention<2>(in[0], in[1], ones(Size{8, 4, 50}), 2, {.dropoutProbability = 0.4});
  BOOST_TEST(difference(sum(weights, 0), Numbers(40 * 2 * 4, 1.0), 1e-12) == "");  // the weights are those before dropout
  BOOST_TEST(std::abs(double(mean(stripdims(y), "all")) - 1) < 0.05);
  BOOST_TEST(double(var(stripdims(y), 0, "all")) > 1e-3);
}

BOOST_AUTO_TEST_CASE(nothing_gives_nothing) {
  const Arrays in = problem(4, 5, 2, 6);
  const DlArray none = dlarray(zeros(Size{6, 2, 0}), "CBT");
  BOOST_TEST(text(attention(none, in[1], in[2], 2)) == "6(C) x 2(B) x 0(T)");
  BOOST_TEST(bool(all(stripdims(attention(in[0], none, none, 2)) == 0, "all")));
  for (const DlArray& g : gradientsOf([](const Arrays& x) { return attention(x[0], x[1], x[2], 2); }, {none, in[1], in[2]}))
    BOOST_TEST(bool(all(stripdims(g) == 0, "all")));
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  const Arrays in = problem(4, 5, 2, 6);
  const auto call = [&](const DlArray& q, const DlArray& k, const DlArray& v, Index heads, const AttentionOptions& options = {}) {
    return sentenceOf([&] { attention(q, k, v, heads, options); });
  };
  const std::string sizes = ": queries 6(C) x 2(B) x 4(T), keys ";
  BOOST_TEST(call(stripdims(in[0]), in[1], in[2], 2) ==
             "attention: 6 x 2 x 4 has no labels to tell channels from observations; label it, dlarray(X, \"CB\"), or say "
             ".dataFormat = \"CB\"");
  BOOST_TEST(call(in[0], in[1], in[2], 4) ==
             "attention: 4 heads do not divide the channels" + sizes + "6(C) x 2(B) x 5(T), values 6(C) x 2(B) x 5(T)");
  BOOST_TEST(call(in[0], in[1](span(0, 3), all, all), in[2], 2) ==
             "attention: keys must have as many channels as queries" + sizes + "4(C) x 2(B) x 5(T), values 6(C) x 2(B) x 5(T)");
  BOOST_TEST(call(in[0], in[1], in[2](all, all, span(0, 3)), 2) ==
             "attention: values must have as many tokens as keys" + sizes + "6(C) x 2(B) x 5(T), values 6(C) x 2(B) x 4(T)");
  BOOST_TEST(call(in[0], in[1](all, 0, all), in[2], 2) ==
             "attention: numbers of observations differ" + sizes + "6(C) x 1(B) x 5(T), values 6(C) x 2(B) x 5(T)");
  const DlArray image = dlarray(ones(Size{5, 6, 2}), "SCB");
  BOOST_TEST(call(in[0], image, in[2], 2) ==
             "attention: labels differ: queries 6(C) x 2(B) x 4(T), keys 5(S) x 6(C) x 2(B), values 6(C) x 2(B) x 5(T)");
  BOOST_TEST(
      call(dlarray(ones(6, 2), "CB"), in[1], in[2], 2) ==
      "attention: the queries are 6(C) x 2(B); they must have the label C and one dimension S or T that counts the tokens");
  BOOST_TEST(call(in[0], in[1], in[2], 2, {.scale = "big"}) == "attention: .scale = \"big\"; it is \"auto\" or a number");
  BOOST_TEST(call(in[0], in[1], in[2], 2, {.attentionMask = "casual"}) ==
             "attention: .attentionMask = \"casual\"; it is \"none\", \"causal\" or an array, keys x queries");
  BOOST_TEST(call(in[0], in[1], in[2], 2, {.attentionMask = ones(4, 5)}) ==
             "attention: .attentionMask is 4 x 5; it must be keys x queries, 5 x 4, or 5 x 4 x 2 with observations");
  BOOST_TEST(call(in[0], in[1], in[2], 2, {.paddingMask = ones(Size{1, 2, 4})}) ==
             "attention: .paddingMask is 1(C) x 2(B) x 4(T); for 5 keys and 2 observations it must be 1(C) x 2(B) x 5(T)");
  BOOST_TEST(call(in[0], in[1], in[2], 2, {.dropoutProbability = 1}) ==
             "attention: .dropoutProbability is 1; it must be at least 0 and less than 1");
}
