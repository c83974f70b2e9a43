// Metrics against sums by hand, shown whole and in batches of any size, and what classes scores stand for.
#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;

namespace {

// Scores of 3 classes for 6 observations; classes predicted: 0 1 2 1 0 2, targets: 0 1 1 2 0 0.
const DlArray& scores() {
  static const DlArray y =
      dlarray({{0.7, 0.1, 0.2, 0.3, 0.5, 0.25}, {0.2, 0.8, 0.35, 0.6, 0.3, 0.15}, {0.1, 0.1, 0.45, 0.1, 0.2, 0.6}}, "CB");
  return y;
}
const DlArray& targets() {
  static const DlArray t = dlarray(onehotencode(dlarray({0, 1, 1, 2, 0, 0}), 0, {.classNames = colon(0, 2)}), "CB");
  return t;
}

double whole(Metric metric, const DlArray& y, const DlArray& t) {
  metric.accumulate(y, t);
  return metric.value();
}

void near(double got, double expected) { BOOST_TEST(std::abs(got - expected) < 1e-12, got << " is not " << expected); }

}  // namespace

BOOST_AUTO_TEST_CASE(accuracy_in_percent) {
  near(whole("accuracy", scores(), targets()), 50);
  near(whole("accuracy", scores(), dlarray(dlarray({0, 1, 1, 2, 0, 0}), "CB")), 50);
  near(whole(accuracyMetric({.numTopKClasses = 2}), scores(), targets()), 100 * 5.0 / 6);
  // Recalls 2/3, 1/2, 0.
  near(whole(accuracyMetric({.averageType = "macro"}), scores(), targets()), 100 * (2.0 / 3 + 0.5) / 3);
  // One channel: the probability of class 1.
  near(whole("accuracy", dlarray(dlarray({0.9, 0.2, 0.4}), "CB"), dlarray(dlarray({1, 0, 1}), "CB")), 100 * 2.0 / 3);
}

BOOST_AUTO_TEST_CASE(precision_recall_and_f_score) {
  // Right 2 1 0, predicted 2 2 2, targets 3 2 1.
  near(whole("precision", scores(), targets()), (1 + 0.5 + 0) / 3);
  near(whole("recall", scores(), targets()), (2.0 / 3 + 0.5 + 0) / 3);
  near(whole("fscore", scores(), targets()), (2 * (2.0 / 3) / (5.0 / 3) + 0.5 + 0) / 3);
  near(whole(precisionMetric({.averageType = "micro"}), scores(), targets()), 0.5);
  near(whole(recallMetric({.averageType = "weighted"}), scores(), targets()), (3 * 2.0 / 3 + 2 * 0.5) / 6);
  near(whole(fScoreMetric({.beta = 2}), scores(), targets()), (5 * (2.0 / 3) / (4 + 2.0 / 3) + 0.5) / 3);
}

BOOST_AUTO_TEST_CASE(area_under_the_curve_counts_pairs) {
  const auto pairs = [](const std::vector<double>& s, const std::vector<bool>& positive) {
    double won = 0, all = 0;
    for (std::size_t i = 0; i < s.size(); ++i)
      for (std::size_t j = 0; j < s.size(); ++j)
        if (positive[i] && !positive[j]) ++all, won += s[i] > s[j] ? 1 : s[i] == s[j] ? 0.5 : 0;
    return won / all;
  };
  const std::vector<double> s{0.1, 0.4, 0.35, 0.8, 0.4, 0.1, 0.9}, t{0, 0, 1, 1, 1, 1, 0};
  std::vector<bool> positive;
  for (double v : t) positive.push_back(v == 1);
  near(whole("auc", dlarray(dlarray(s, Size{1, 7}), "CB"), dlarray(dlarray(t, Size{1, 7}), "CB")), pairs(s, positive));
  double mean = 0;
  for (Index c = 0; c < 3; ++c) {
    std::vector<bool> own;
    for (const double v : extractdata<std::vector<double>>(targets()(c, all))) own.push_back(v == 1);
    mean += pairs(extractdata<std::vector<double>>(scores()(c, all)), own) / 3;
  }
  near(whole("auc", scores(), targets()), mean);
}

BOOST_AUTO_TEST_CASE(metrics_of_numbers) {
  const DlArray y = dlarray({{1.0, 2.5}, {3.0, 8.0}}, "CB"), t = dlarray({{2.0, 2.0}, {4.0, 8.0}}, "CB");
  near(whole("rmse", y, t), std::sqrt((1 + 0.25 + 1) / 4));
  near(whole("mape", y, t), 100 * (0.5 + 0.25 + 0.25) / 4);
  near(whole("rsquared", y, t), 1 - 2.25 / (4 + 4 + 0 + 16));
  near(whole("mse", y, t), 2.25 / 4);
  near(whole("mae", y, t), 2.5 / 4);
  near(whole("huber", y, t), (0.5 + 0.125 + 0.5) / 4);
  // Targets far from zero do not spoil the spread.
  BOOST_TEST(std::abs(whole("rsquared", y + 1e9, t + 1e9) - (1 - 2.25 / 24)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(batches_make_no_difference) {
  rng(5);
  const Index n = 23;
  const DlArray y = dlarray(softmax(dlarray(randn(4, n), "CB")), "CB");
  const DlArray t = dlarray(onehotencode(randi(4, Size{1, n}) - 1, 0, {.classNames = colon(0, 3)}), "CB");
  const Metric own([](const DlArray& a, const DlArray& b) { return mean(abs(a - b), "all"); }, "Own");
  std::vector<Metric> metrics{"accuracy", "fscore", "precision", "recall", "auc", "rmse", "rsquared", "crossentropy", "mse", own};
  for (const Metric& metric : metrics) {
    const double once = whole(metric, y, t);
    Metric batched = metric;
    for (Index first = 0; first < n; first += 5) {
      const auto part = span(first, std::min(first + 4, n - 1));
      batched.accumulate(y(all, part), t(all, part));
    }
    BOOST_TEST(std::abs(batched.value() - once) <= 1e-12 * std::abs(once), metric.name());
    batched.reset();
    BOOST_TEST(std::isnan(batched.value()));
  }
  BOOST_TEST(own.name() == "Own");
}

BOOST_AUTO_TEST_CASE(confusion_matrices) {
  const auto [C, order] = confusionmat<2>(dlarray({0, 1, 1, 2, 0, 0}), dlarray({0, 1, 2, 1, 0, 2}));
  BOOST_TEST(isequal(C, dlarray({{2, 0, 1}, {0, 1, 1}, {0, 1, 0}})));
  BOOST_TEST(isequal(order, dlarray({{0}, {1}, {2}})));
  const std::vector<std::string> a{"dog", "cat", "dog"}, b{"cat", "cat", "dog"};
  const auto [D, words] = confusionmat<2>(a, b);
  BOOST_TEST(isequal(D, dlarray({{1, 0}, {1, 1}})));
  BOOST_TEST(words == (std::vector<std::string>{"cat", "dog"}), boost::test_tools::per_element());
  BOOST_TEST(isequal(confusionmat(a, b, {.order = {"dog", "cat", "cow"}}), dlarray({{1, 1, 0}, {0, 1, 0}, {0, 0, 0}})));
  BOOST_TEST(
      mistake([] { confusionmat(ones(2, 1), ones(3, 1)); }).sentence.starts_with("confusionmat: 2 targets and 3 predictions"));
}

BOOST_AUTO_TEST_CASE(scores_become_labels) {
  const std::vector<std::string> names{"a", "b", "c"}, expected{"a", "b", "c", "b", "a", "c"};
  BOOST_TEST(scores2label(scores(), names) == expected, boost::test_tools::per_element());
  const DlArray rows = transpose(stripdims(scores()));
  BOOST_TEST(scores2label(rows, names) == expected, boost::test_tools::per_element());
  BOOST_TEST(scores2label(stripdims(scores()), names, 0) == expected, boost::test_tools::per_element());
  BOOST_TEST(isequal(scores2label(rows, dlarray({5, 6, 7})), dlarray({{5}, {6}, {7}, {6}, {5}, {7}})));
  const auto [labels, best] = scores2label<2>(rows, names);
  BOOST_TEST(labels == expected, boost::test_tools::per_element());
  BOOST_TEST(isequal(best, dlarray({{0.7}, {0.8}, {0.45}, {0.6}, {0.5}, {0.6}})));
  BOOST_TEST(mistake([&] {
               scores2label(dlarray(ones(3, 2), "SB"), names);
             }).sentence.starts_with("scores2label: scores of 3(S) x 2(B) have no C; name the dimension"));
}

BOOST_AUTO_TEST_CASE(mistakes) {
  BOOST_TEST(mistake([] { Metric("acuracy"); }).sentence.starts_with("metric: \"acuracy\" is not known; use \"accuracy\""));
  BOOST_TEST(mistake([] {
               whole("accuracy", stripdims(scores()), targets());
             }).sentence.starts_with("accuracy: predictions of 3 x 6 have no labels that say which dimension is C"));
  BOOST_TEST(mistake([] {
               whole("accuracy", scores(), dlarray(ones(3, 5), "CB"));
             }).sentence.starts_with("accuracy: predictions are 3(C) x 6(B), targets 3(C) x 5(B)"));
  BOOST_TEST(mistake([] {
               whole("accuracy", scores(), dlarray(3 * ones(1, 6), "CB"));
             }).sentence.starts_with("accuracy: target 3 is no class; there are 3, numbered from 0"));
  BOOST_TEST(mistake([] {
               whole("rmse", scores(), ones(2, 2));
             }).sentence.starts_with("rmse: predictions are 3(C) x 6(B), targets 2 x 2"));
  BOOST_TEST(mistake([] {
               precisionMetric({.averageType = "mean"});
             }).sentence.starts_with("precisionMetric: averageType is \"mean\"; use \"micro\", \"macro\" or \"weighted\""));
}

BOOST_AUTO_TEST_CASE(classes_in_braces) {
  const DlArray scores = dlarray({{0.1, 0.9}, {0.8, 0.2}});
  BOOST_TEST(isequal(scores2label(scores, {5, 7}), dlarray({{7.0}, {5.0}})));
  const auto [labels, most] = scores2label<2>(scores, {5, 7});
  BOOST_TEST(isequal(most, dlarray({{0.9}, {0.8}})));
  BOOST_TEST((scores2label(scores, {"cat", "dog"}) == std::vector<std::string>{"dog", "cat"}));
  BOOST_TEST(isequal(onehotdecode(scores, {5, 7}, 1), labels));
}
