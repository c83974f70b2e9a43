// Mistakes, data without labels, the running statistics, numbers far from zero, and labels of the normalisations.
#include "cpu/kernel_test.hpp"
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

BOOST_AUTO_TEST_CASE(unlabelled_data_comes_back_as_it_came) {
  const DlArray x = rand(Size{3, 5, 2}), offset = rand(2, 1), scale = rand(2, 1);
  const DlArray labelled = dlarray(x, "SBC");
  const DlArray want = stripdims(batchnorm(labelled, offset, scale), "SBC");
  const DlArray y = batchnorm(x, offset, scale, {.dataFormat = "SBC"});
  BOOST_TEST(dims(y) == "");
  BOOST_TEST(isequal(y, want));
  BOOST_TEST(isequal(layernorm(x, offset, scale, {.dataFormat = "SBC"}), stripdims(layernorm(labelled, offset, scale), "SBC")));
  BOOST_TEST(
      isequal(groupnorm(x, 2, offset, scale, {.dataFormat = "SBC"}), stripdims(groupnorm(labelled, 2, offset, scale), "SBC")));
  BOOST_TEST(
      isequal(instancenorm(x, offset, scale, {.dataFormat = "SBC"}), stripdims(instancenorm(labelled, offset, scale), "SBC")));
  BOOST_TEST(isequal(crosschannelnorm(x, 2, {.dataFormat = "SBC"}), stripdims(crosschannelnorm(labelled, 2), "SBC")));
}

BOOST_AUTO_TEST_CASE(running_statistics) {
  const DlArray x = dlarray(dlarray({{1, 3}, {10, 30}}), "CB"), mu = dlarray({0.5, -1.0}),
                variance = dlarray(std::vector<double>{2, 4}, "C");
  const auto [y, newMean, newVariance] = batchnorm<3>(x, 0, 1, mu, variance, {.meanDecay = 0.5, .varianceDecay = 0.25});
  BOOST_TEST(isequal(y, batchnorm(x, 0, 1)));
  BOOST_TEST(isequal(newMean, dlarray({1.25, 9.5})));
  BOOST_TEST(dims(newVariance) == "CU");
  BOOST_TEST(difference(newVariance, {0.25 * 1 + 0.75 * 2, 0.25 * 100 + 0.75 * 4}) == "");
  // Temporaries, too, come back with their sizes and labels.
  const auto [same, ofColumn, ofRow] = batchnorm<3>(x, 0, 1, dlarray(zeros(2, 1), "C"), ones(1, 2));
  BOOST_TEST(text(ofColumn) == "2(C) x 1(U)");
  BOOST_TEST(text(ofRow) == "1 x 2");
  const auto [z, mean, sigmaSq] = batchnorm<3>(x, 0, 1);
  BOOST_TEST(isequal(mean, dlarray(std::vector<double>{2, 20})));
  BOOST_TEST(isequal(sigmaSq, dlarray(std::vector<double>{1, 100})));
}

BOOST_AUTO_TEST_CASE(single_stays_single) {
  const DlArray x = dlarray(single_(rand(Size{4, 3, 2})), "SCB");
  const auto [y, mu, v] = batchnorm<3>(x, zeros(3, 1), ones(3, 1), zeros(3, 1), ones(3, 1));
  for (const DlArray& result : {y, mu, v, layernorm(x, 0, 1), batchnorm(x, 0, 1, 0, 1), crosschannelnorm(x, 3)})
    BOOST_TEST((underlyingType(result) == Type::Single));
  BOOST_TEST((underlyingType(batchnorm(dlarray(dlarray({{true, false}}), "CB"), 0, 1)) == Type::Double));
}

// A mean that is a million times the deviation must not spoil the variance.
BOOST_AUTO_TEST_CASE(far_from_zero) {
  const Index n = 40000;
  const DlArray noise = dlarray(reshape(colon(0, n - 1), n, 1) / n, "SC");
  const auto [far, centre, variance] = batchnorm<3>(noise + 1e6, 0, 1);
  BOOST_TEST(std::abs(double(variance) - 1.0 / 12) < 1e-7);
  const DlArray level = single_(noise) * 8 + 4096;
  const auto [y, m, v] = batchnorm<3>(level, 0, 1);
  BOOST_TEST(std::abs(double(v) / (64.0 / 12) - 1) < 1e-4);
  BOOST_TEST(std::abs(double(mean(y, "all"))) < 1e-3);
  // Equal elements have variance 0 and become the offset.
  BOOST_TEST(isequal(batchnorm(dlarray(ones(3, 2) * 1e30, "CB"), 7, 2), dlarray(ones(3, 2) * 7, "CB")));
}

// Each token of every length that registers leave something over of, and one too long for the kernel of short columns.
BOOST_AUTO_TEST_CASE(each_token) {
  for (const Index n : {1, 2, 7, 16, 31, 64, 65, 100, 257, 9000}) {
    const DlArray x = 3 * rand(Size{n, 2, 3}) + 5, offset = rand(n, 1), scale = rand(n, 1);
    const DlArray deviations = x - mean(x, 0);
    const DlArray want = deviations / sqrt(mean(deviations % deviations, 0) + 1e-5) % scale + offset;
    const DlArray y = layernorm(dlarray(x, "CBT"), offset, scale, {.operationDimension = "channel-only"});
    BOOST_TEST(double(max(abs(stripdims(y) - want), {}, "all")) < 1e-9, "tokens of " << n);
    const DlArray single =
        layernorm(dlarray(single_(x), "CBT"), single_(offset), single_(scale), {.operationDimension = "channel-only"});
    BOOST_TEST(double(max(abs(double_(stripdims(single)) - want), {}, "all")) < 1e-4, "tokens of " << n << " in single");
  }
}

// Sums over many neighbours in single lose no more than over few.
BOOST_AUTO_TEST_CASE(long_tokens_in_single) {
  const Index n = 1000000;
  const DlArray x = single_(3 * rand(n, 2) + 5), offset = single_(rand(n, 1)), scale = single_(rand(n, 1)),
                g = single_(rand(n, 2) + 1);
  const auto all = [&](auto type) {
    return dlfeval(
        [&](const std::vector<DlArray>& v) {
          const DlArray y = stripdims(layernorm(dlarray(v[0], "CB"), v[1], v[2]));
          std::vector<DlArray> results = dlvjp(y, v, type(g));
          results.push_back(y);
          return results;
        },
        std::vector<DlArray>{type(x), type(offset), type(scale)});
  };
  const auto wide = all([](const DlArray&a) { return double_(a); }), narrow = all([](const DlArray&a) { return a; });
  for (std::size_t i = 0; i < wide.size(); ++i) {
    const DlArray off = abs(double_(narrow[i]) - wide[i]);
    BOOST_TEST(double(max(off, {}, "all")) < 2e-6 * double(max(abs(wide[i]), {}, "all")), "result " << i);
  }
}

// The fused gradient of a normalisation with given statistics is that of a walk that is recorded, which is composed.
BOOST_AUTO_TEST_CASE(gradient_with_given_statistics) {
  for (const Size& size : {Size{9, 7, 5, 11}, Size{1, 1, 3, 4}, Size{40, 41, 2, 3}, Size{3, 1, 130, 20}, Size{3, 3, 5000, 1}}) {
    const DlArray x = dlarray(rand(size), "SSCB"), g = rand(size);
    const std::vector<DlArray> inputs{x, rand(size[2], 1), rand(size[2], 1), rand(size[2], 1), rand(size[2], 1) + 0.5};
    const auto gradients = [&](bool recorded) {
      return dlfeval(
          [&](const std::vector<DlArray>& v) {
            const DlArray y = batchnorm(v[0], v[1], v[2], v[3], v[4]);
            return dlgradient(sum(stripdims(y) % g, "all"), v, {.enableHigherDerivatives = recorded});
          },
          inputs);
    };
    const auto fused = gradients(false), composed = gradients(true);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      BOOST_TEST(double(max(abs(stripdims(fused[i]) - stripdims(composed[i])), {}, "all")) < 1e-9, "input " << i);
  }
}

// Sizes at which the work is divided in each way there is.
BOOST_AUTO_TEST_CASE(results_do_not_depend_on_threads) {
  using Function = DlArray (*)(const DlArray&, const DlArray&, const DlArray&);
  const Function functions[] = {
      [](const DlArray& x, const DlArray& o, const DlArray& s) { return batchnorm(x, o, s); },
      [](const DlArray& x, const DlArray& o, const DlArray& s) { return batchnorm(x, o, s, o, abs(s)); },
      [](const DlArray& x, const DlArray& o, const DlArray& s) { return layernorm(x, o, s); },
      [](const DlArray& x, const DlArray& o, const DlArray& s) { return groupnorm(x, 2, o, s); },
      [](const DlArray& x, const DlArray& o, const DlArray& s) { return instancenorm(x, o, s); },
      [](const DlArray& x, const DlArray&, const DlArray&) { return crosschannelnorm(x, 3); },
  };
  rng(2);
  const std::vector<std::pair<Size, const char*>> shapes{
      {{90, 101, 4, 9}, "SSCB"}, {{200, 201, 4, 3}, "SSCB"},    {{7, 7, 64, 40}, "SSCB"},
      {{64, 900}, "CB"},         {{64, 9, 130}, "CBT"},         {{20000, 1, 13}, "CBT"},
      {{3, 3, 6, 9001}, "SSCB"}, {{5, 7, 1001 * 2, 2}, "SSCB"}, {{5, 5, 14000, 1}, "SSCB"}};
  for (const auto& [size, labels] : shapes) {
    const DlArray x = dlarray(randn(size, Type::Single), labels), g = randn(size, Type::Single);
    const Index channels = dl::size(x, "C");
    const std::vector<DlArray> inputs{x, randn(Size{channels, 1}, Type::Single), randn(Size{channels, 1}, Type::Single)};
    for (const Function f : functions) {
      const auto run = [&, &inputs = inputs] {
        std::vector<float> values = extractdata<std::vector<float>>(f(inputs[0], inputs[1], inputs[2]));
        const auto gradients = dlfeval(
            [&](const std::vector<DlArray>& v) { return dlgradient(sum(stripdims(f(v[0], v[1], v[2])) % g, "all"), v); }, inputs);
        for (const DlArray& each : gradients) {
          const auto more = extractdata<std::vector<float>>(each);
          values.insert(values.end(), more.begin(), more.end());
        }
        return values;
      };
      bool same = false;
      cpu::sameForThreads(run, same);
      BOOST_TEST(same, labels << " " << toString(size));
    }
  }
}

// Statistics of small images, tile by tile, and of all of an observation, chunk by chunk, whose borders are no borders of the
// channels.
BOOST_AUTO_TEST_CASE(many_small_images) {
  for (const Size& size : {Size{3, 3, 7, 9000}, Size{2, 1, 300, 1001}, Size{5, 5, 3, 5000}, Size{5, 5, 14000, 1}}) {
    const DlArray x = rand(size), g = rand(size), offset = rand(size[2], 1), scale = rand(size[2], 1);
    const auto both = [&](bool recorded, bool layer = false) {
      return dlfeval(
          [&](const std::vector<DlArray>& v) {
            const DlArray labelled = dlarray(v[0], "SSCB");
            const DlArray y = layer ? layernorm(labelled, v[1], v[2]) : instancenorm(labelled, v[1], v[2]);
            std::vector<DlArray> all = dlgradient(sum(stripdims(y) % g, "all"), v, {.enableHigherDerivatives = recorded});
            all.push_back(stripdims(y));
            return all;
          },
          std::vector<DlArray>{x, offset, scale});
    };
    const auto fused = both(false), composed = both(true), layers = both(false, true), composedLayers = both(true, true);
    for (std::size_t i = 0; i < fused.size(); ++i) {
      BOOST_TEST(double(max(abs(stripdims(fused[i]) - stripdims(composed[i])), {}, "all")) < 1e-8, toString(size) << " " << i);
      BOOST_TEST(double(max(abs(stripdims(layers[i]) - stripdims(composedLayers[i])), {}, "all")) < 1e-8,
                 toString(size) << " " << i << " as layers");
    }
    const DlArray each = reshape(x, size[0] * size[1], size[2], size[3]), d = each - mean(each, 0);
    const DlArray want = d / sqrt(mean(d % d, 0) + 1e-5) % reshape(scale, 1, size[2]) + reshape(offset, 1, size[2]);
    BOOST_TEST(double(max(abs(reshape(fused[3], dl::size(want)) - want), {}, "all")) < 1e-10, toString(size));
  }
}

// First elements that tell nothing of the rest must not spoil the statistics.
BOOST_AUTO_TEST_CASE(misleading_beginnings) {
  const Size sizes[] = {{64, 40, 5}, {16, 9, 70}, {300, 7, 3}};
  for (const Size& size : sizes) {
    DlArray x = 100 + rand(size);
    x(span(0, 31 < size[0] ? 31 : size[0] - 1), all, 0) = 0;
    const DlArray plainX = reshape(x, size[0], size[1] * size[2]);
    const DlArray deviations = plainX - mean(plainX, 1), want = deviations / sqrt(mean(deviations % deviations, 1) + 1e-5);
    const DlArray y = batchnorm(dlarray(x, "CBT"), 0, 1), z = instancenorm(dlarray(x, "CBT"), 0, 1);
    BOOST_TEST(double(max(abs(reshape(stripdims(y), dl::size(want)) - want), {}, "all")) < 1e-10);
    const DlArray apart = x - mean(x, 2), each = apart / sqrt(mean(apart % apart, 2) + 1e-5);
    BOOST_TEST(double(max(abs(stripdims(z) - each), {}, "all")) < 1e-10);
    DlArray tokens = 100 + rand(size);
    tokens(0, all, all) = -1e4;
    const DlArray off = tokens - mean(tokens, 0), normal = off / sqrt(mean(off % off, 0) + 1e-5);
    const DlArray t = layernorm(dlarray(tokens, "CBT"), 0, 1, {.operationDimension = "channel-only"});
    BOOST_TEST(double(max(abs(stripdims(t) - normal), {}, "all")) < 1e-9);
  }
}

BOOST_AUTO_TEST_CASE(nothing_and_nan) {
  BOOST_TEST((size(batchnorm(dlarray(zeros(3, 0), "CB"), 0, 1)) == Size{3, 0}));
  const auto [y, mu, v] = batchnorm<3>(dlarray(zeros(3, 0), "CB"), 0, 1);
  BOOST_TEST(bool(all(isnan(mu) && isnan(v))));
  BOOST_TEST((size(layernorm(dlarray(zeros(Size{0, 3, 2}), "SCB"), 0, 1)) == Size{0, 3, 2}));
  DlArray x = rand(2, 3);
  x(1, 1) = NAN;
  BOOST_TEST(isequal(isnan(stripdims(batchnorm(dlarray(x, "CB"), 0, 1))), dlarray({{false, false, false}, {true, true, true}})));
}

// Windows over columns that are parts of the channels, with their gradient, against loops: many columns, and many channels.
BOOST_AUTO_TEST_CASE(columns_across_channels) {
  const double alpha = 0.7, k = 1.5;
  const Index before = 1, behind = 2, window = before + behind + 1;
  for (const double beta : {0.75, 0.6})
    for (const auto& [columns, channels] : {std::pair<Index, Index>{150 * 150, 4}, {21, 9000}, {3, 70000}}) {
      const DlArray x = rand(columns, channels) + 0.1, g = rand(columns, channels);
      const auto all = dlfeval(
          [&, beta = beta](const std::vector<DlArray>& v) {
            const DlArray y = stripdims(crosschannelnorm(dlarray(v[0], "SC"), window, {.alpha = alpha, .beta = beta, .k = k}));
            return std::vector<DlArray>{y, dlvjp(y, v, g)[0]};
          },
          std::vector<DlArray>{x});
      const auto xs = extractdata<std::vector<double>>(x), gs = extractdata<std::vector<double>>(g),
                 ys = extractdata<std::vector<double>>(all[0]), dxs = extractdata<std::vector<double>>(all[1]);
      const auto at = [columns = columns](Index i, Index c) { return static_cast<std::size_t>(c * columns + i); };
      const double factor = alpha / static_cast<double>(window);
      double worst = 0, worstGradient = 0;
      for (Index i = 0; i < columns; ++i) {
        std::vector<double> bases(static_cast<std::size_t>(channels), k);
        const auto inWindow = [&, channels = channels](Index c, Index from, Index to, auto&& add) {
          for (Index d = std::max<Index>(0, c - from); d <= std::min(channels - 1, c + to); ++d) add(d);
        };
        for (Index c = 0; c < channels; ++c) {
          double& base = bases[static_cast<std::size_t>(c)];
          inWindow(c, before, behind, [&](Index d) { base += factor * xs[at(i, d)] * xs[at(i, d)]; });
          worst = std::max(worst, std::abs(ys[at(i, c)] - xs[at(i, c)] * std::pow(base, -beta)));
        }
        for (Index c = 0; c < channels; ++c) {
          double sum = 0;
          inWindow(c, behind, before, [&](Index d) {
            sum += gs[at(i, d)] * xs[at(i, d)] * std::pow(bases[static_cast<std::size_t>(d)], -beta - 1);
          });
          const double want =
              gs[at(i, c)] * std::pow(bases[static_cast<std::size_t>(c)], -beta) - 2 * beta * factor * xs[at(i, c)] * sum;
          worstGradient = std::max(worstGradient, std::abs(dxs[at(i, c)] - want));
        }
      }
      BOOST_TEST(worst < 1e-12, columns << " x " << channels);
      BOOST_TEST(worstGradient < 1e-12, columns << " x " << channels);
    }
}

// What the fast powers of single numbers cannot say themselves: bases that are infinite, zero, negative or not numbers.
BOOST_AUTO_TEST_CASE(extreme_bases_across_channels) {
  for (const Type type : {Type::Single, Type::Double}) {
    DlArray x = ones(Size{20, 5}, type);
    x(all, 2) = INFINITY;
    const DlArray y = stripdims(crosschannelnorm(dlarray(x, "SC"), 3));
    BOOST_TEST(bool(all(y(all, 1) == 0) && all(isnan(y(all, 2))) && all(y(all, 3) == 0) && all(y(all, 0) > 0.5)));
    x(all, 2) = NAN;
    const DlArray z = stripdims(crosschannelnorm(dlarray(x, "SC"), 3));
    BOOST_TEST(bool(all(isnan(z(all, span(1, 3))), "all") && all(z(all, 4) > 0.5)));
    const DlArray nothing = dlarray(zeros(Size{20, 5}, type), "SC");
    BOOST_TEST(bool(all(isnan(stripdims(crosschannelnorm(nothing, 3, {.k = 0}))), "all")));
    BOOST_TEST(bool(all(stripdims(crosschannelnorm(nothing, 3)) == 0, "all")));
    BOOST_TEST(bool(all(isnan(stripdims(crosschannelnorm(nothing + 1, 3, {.k = -2}))), "all")));
  }
}

BOOST_AUTO_TEST_CASE(mistakes) {
  const DlArray x = dlarray(ones(Size{4, 3, 2}), "SCB"), plainX = ones(4, 3);
  const auto says = [](auto&& call, const char* sentence) {
    const std::string said = mistake(call).sentence;
    BOOST_TEST(said.starts_with(sentence), said);
  };
  says([&] { batchnorm(plainX, 0, 1); },
       "batchnorm: 4 x 3 has no labels to tell channels from observations; label it, dlarray(X, \"CB\"), or say .dataFormat = "
       "\"CB\"");
  says([&] { batchnorm(x, 0, 1, {.dataFormat = "SCB"}); }, "batchnorm: 4(S) x 3(C) x 2(B) has labels already");
  says([&] { layernorm(dlarray(plainX, "SB"), 0, 1); }, "layernorm: 4(S) x 3(B) has no channel dimension, C");
  says([&] { batchnorm(x, ones(2, 1), 1); }, "batchnorm: the offset is 2 x 1 but the data has 3 channels: 4(S) x 3(C) x 2(B)");
  says([&] { batchnorm(x, 0, dlarray(ones(1, 3), "CB")); }, "batchnorm: the scale is 1(C) x 3(B); its elements must lie along C");
  says([&] { batchnorm(x, 0, 1, ones(4, 1), 1); }, "batchnorm: the mean is 4 x 1 but the data has 3 channels");
  says([&] { batchnorm<3>(x, 0, 1, 0, ones(2, 2)); }, "batchnorm: the variance is 2 x 2 but the data has 3 channels");
  says([&] { batchnorm(x, 0, 1, {.epsilon = 0}); }, "batchnorm: epsilon is 0; it must be positive");
  says([&] { batchnorm<3>(x, 0, 1, 0, 1, {.meanDecay = 2}); },
       "batchnorm: the decay of the mean is 2; it must lie between 0 and 1");
  says([&] { groupnorm(x, 2, 0, 1); },
       "groupnorm: 2 groups of 3 channels, 4(S) x 3(C) x 2(B); the number of groups must divide that of the channels");
  says([&] { groupnorm(x, "each", 0, 1); },
       "groupnorm: the groups are \"each\", not a number, \"all-channels\" or \"channel-wise\"");
  says([&] { layernorm(x, 0, 1, {.operationDimension = "time"}); },
       "layernorm: .operationDimension is \"time\", not \"batch-excluded\", \"spatial-channel\" or \"channel-only\"");
  says([&] { crosschannelnorm(x, 0); }, "crosschannelnorm: the window has 0 channels; it must have one at least");
}

// Any order of labels is put into the stored one first.
BOOST_AUTO_TEST_CASE(reordered_labels) {
  const DlArray x = rand(Size{2, 3, 4});
  BOOST_TEST(dims(instancenorm(dlarray(x, "BCS"), 0, 1)) == "SCB");
  BOOST_TEST((size(instancenorm(dlarray(x, "BCS"), 0, 1)) == Size{4, 3, 2}));
}
