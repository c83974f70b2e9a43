// Rows for ctc: against the probabilities of all ways through all classes, one by one.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

// What a way means: repetitions merged, then blanks left out.
std::vector<int> meaning(const std::vector<int>& way, int blank) {
  std::vector<int> labels;
  for (std::size_t i = 0; i < way.size(); ++i)
    if (way[i] != blank && (i == 0 || way[i] != way[i - 1])) labels.push_back(way[i]);
  return labels;
}

// The probability of labels for y[step][class], by all classes to the power of the steps ways.
double probability(const std::vector<Numbers>& y, const std::vector<int>& labels, int blank) {
  if (y.empty()) return labels.empty() ? 1 : 0;
  const int classes = static_cast<int>(y[0].size());
  std::vector<int> way(y.size(), 0);
  double sum = 0;
  for (;;) {
    if (meaning(way, blank) == labels) {
      double p = 1;
      for (std::size_t t = 0; t < y.size(); ++t) p *= y[t][static_cast<std::size_t>(way[t])];
      sum += p;
    }
    std::size_t t = 0;
    while (t < way.size() && ++way[t] == classes) way[t++] = 0;
    if (t == way.size()) return sum;
  }
}

// y is classes x batch x steps; one list of labels and of steps for each observation.
double reference(const Plain& y, Index batch, const std::vector<std::vector<int>>& labels,
                 const std::vector<std::vector<Index>>& steps, int blank) {
  const Index classes = y.size[0];
  double sum = 0;
  for (Index b = 0; b < batch; ++b) {
    std::vector<Numbers> own;
    for (const Index t : steps[static_cast<std::size_t>(b)]) {
      const auto first = y.values.begin() + (t * batch + b) * classes;
      own.emplace_back(first, first + classes);
    }
    sum -= std::log(probability(own, labels[static_cast<std::size_t>(b)], blank));
  }
  return sum / static_cast<double>(batch);
}

}  // namespace

BOOST_AUTO_TEST_CASE(against_all_ways) {
  const DlArray nothing;
  check(Row{"ctc of one observation",
            {{"3(C) x 1(B) x 5(T)", 0.05, 0.9}, constant({"1 x 1 x 2", {1, 2}})},
            [](const Arrays& x) { return ctc(x[0], x[1], DlArray(), DlArray()); },
            [](const std::vector<Plain>& x) {
              return Numbers{reference(x[0], 1, {{1, 2}}, {{0, 1, 2, 3, 4}}, 0)};
            },
            "1 x 1"});
  check(Row{"ctc of repeated labels",
            {{"3(C) x 2(B) x 5(T)", 0.05, 0.9}, constant({"1(C) x 2(B) x 3(T)", {1, 2, 1, 2, 2, 1}})},
            [](const Arrays& x) { return ctc(x[0], x[1], DlArray(), DlArray()); },
            [](const std::vector<Plain>& x) {
              return Numbers{reference(x[0], 2, {{1, 1, 2}, {2, 2, 1}}, {{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}}, 0)};
            },
            "1 x 1"});
  check(Row{"ctc with masks and the last class as blank",
            {{"3(C) x 3(B) x 4(T)", 0.05, 0.9},
             constant({"3(B) x 2(T)", {0, 1, NAN, 1, -1, 7}}),
             logical("3(B) x 4(T)", {1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0}),
             logical("3(B) x 2(T)", {1, 1, 0, 1, 0, 0})},
            [](const Arrays& x) { return ctc(x[0], x[1], x[2], x[3], {.blankIndex = "last"}); },
            [](const std::vector<Plain>& x) {
              return Numbers{reference(x[0], 3, {{0, 1}, {1}, {}}, {{0, 1, 2, 3}, {0, 2, 3}, {0, 1, 2}}, 2)};
            },
            "1 x 1"});
  check(Row{"ctc with a format and a number as blank",
            {{"2 x 4 x 3", 0.05, 0.9}, constant({"2 x 2 x 1", {0, 2, 2, 2}})},
            [](const Arrays& x) { return ctc(x[0], x[1], DlArray(), DlArray(), {.blankIndex = 1, .dataFormat = "BTC"}); },
            [](const std::vector<Plain>& x) {
              const Plain y{Size{3, 2, 4}, "", permuted(x[0], {2, 0, 1})};
              return Numbers{reference(y, 2, {{0, 2}, {2, 2}}, {{0, 1, 2, 3}, {0, 1, 2, 3}}, 1)};
            },
            "1 x 1"});
  check(Row{"ctc without a batch",
            {{"3(C) x 3(T)", 0.05, 0.9}, constant({"1(C) x 1(T)", Numbers{2}})},
            [](const Arrays& x) { return ctc(x[0], x[1], DlArray(), DlArray()); },
            [](const std::vector<Plain>& x) {
              return Numbers{reference({Size{3, 1, 3}, "", x[0].values}, 1, {{2}}, {{0, 1, 2}}, 0)};
            },
            "1 x 1"});
}
