// Rows for reductions, along every kind of dimensions.
#include "harness/row.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

struct Along {
  const char* title;
  const char* shape;
  Dimensions dimensions;
  std::vector<int> numbers;
  const char* expect;
};

const Along ways[] = {
    {"a row", "1 x 7", {}, {1}, "1 x 1"},
    {"a labelled column", "7(C) x 1(U)", {}, {0}, "1(C) x 1(U)"},
    {"the only long dimension", "1(S) x 1(C) x 5(B)", {}, {2}, "1(S) x 1(C) x 1(B)"},
    {"a scalar", "1 x 1", {}, {0}, "1 x 1"},
    {"dimension 0", "3 x 4 x 2", 0, {0}, "1 x 4 x 2"},
    {"dimension 1", "3 x 4 x 2", 1, {1}, "3 x 1 x 2"},
    {"dimension 2", "3 x 4 x 2", 2, {2}, "3 x 4"},
    {"dimensions 0 and 2", "3 x 4 x 2", {0, 2}, {0, 2}, "1 x 4"},
    {"dimensions 2 and 1", "3 x 4 x 2", {2, 1}, {1, 2}, "3 x 1"},
    {"dimension 5", "3 x 4 x 2", 5, {}, "3 x 4 x 2"},
    {"label C", "2(S) x 3(C) x 4(B)", "C", {1}, "2(S) x 1(C) x 4(B)"},
    {"label B", "2(S) x 3(C) x 4(B)", 'B', {2}, "2(S) x 3(C) x 1(B)"},
    {"both labels S", "2(S) x 3(S) x 4(B)", "S", {0, 1}, "1(S) x 1(S) x 4(B)"},
    {"labels SB", "2(S) x 3(C) x 4(B)", "SB", {0, 2}, "1(S) x 3(C) x 1(B)"},
    {"label U", "2(C) x 3(U)", "U", {1}, "2(C) x 1(U)"},
    {"all", "2(S) x 3(C) x 4(B)", "all", {0, 1, 2}, "1(S) x 1(C) x 1(B)"},
    {"all of a long array", "40 x 30", "all", {0, 1}, "1 x 1"},
    {"a long dimension", "2 x 300", 1, {1}, "2 x 1"},
};

using Reduction = std::function<DlArray(const DlArray&, const Dimensions&)>;
using Fold = std::function<double(const Numbers&)>;

void checkReduction(const std::string& name, const Reduction& op, const Fold& fold, double low = -2, double high = 2,
                    int order = 2, const char* type = "") {
  for (const Along& way : ways)
    check(Row{name + " along " + way.title,
              {{way.shape, low, high}},
              [&](const Arrays& x) { return op(x[0], way.dimensions); },
              [&](const std::vector<Plain>& x) { return reduce(x[0], way.numbers, fold); },
              way.expect + std::string(type),
              order,
              1e-11});
}

double total(const Numbers& v) { return std::accumulate(v.begin(), v.end(), 0.0); }
double average(const Numbers& v) { return total(v) / static_cast<double>(v.size()); }
double largest(const Numbers& v) { return v.empty() ? 0 : *std::max_element(v.begin(), v.end()); }
double smallest(const Numbers& v) { return v.empty() ? 0 : *std::min_element(v.begin(), v.end()); }
double variance(const Numbers& v, int weight) {
  double sum = 0;
  for (double x : v) sum += (x - average(v)) * (x - average(v));
  return sum / std::max(1.0, static_cast<double>(v.size()) - (weight ? 0 : 1));
}
double middle(Numbers v) {
  std::sort(v.begin(), v.end());
  const std::size_t n = v.size();
  return n == 0 ? NAN : n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}
double position(const Numbers& v, double value) { return static_cast<double>(std::find(v.begin(), v.end(), value) - v.begin()); }

}  // namespace

BOOST_AUTO_TEST_CASE(sums_and_means) {
  checkReduction(
      "sum", [](const DlArray& x, const Dimensions& d) { return sum(x, d); }, total);
  checkReduction(
      "mean", [](const DlArray& x, const Dimensions& d) { return mean(x, d); }, average);
}

BOOST_AUTO_TEST_CASE(products) {
  const auto product = [](const Numbers& v) { return std::accumulate(v.begin(), v.end(), 1.0, std::multiplies()); };
  checkReduction(
      "prod", [](const DlArray& x, const Dimensions& d) { return prod(x, d); }, product, 0.8, 1.2);
  for (const Numbers& values : {Numbers{2, 0, 3, -1, 0, 5}, Numbers{2, 0, 3, -1, 4, 5}})
    check(Row{"prod with zeros",
              {{"3(C) x 2(B)", values}},
              [](const Arrays& x) { return prod(x[0], "C"); },
              [&](const std::vector<Plain>& x) { return reduce(x[0], {0}, product); },
              "1(C) x 2(B)",
              3});
}

BOOST_AUTO_TEST_CASE(spread_of_values) {
  for (int weight : {0, 1}) {
    checkReduction(
        "var", [=](const DlArray& x, const Dimensions& d) { return var(x, weight, d); },
        [=](const Numbers& v) { return variance(v, weight); });
    // The deviation of a single number is 0, where stddev has no derivative.
    checkReduction(
        "stddev", [=](const DlArray& x, const Dimensions& d) { return stddev(x, weight, d); },
        [=](const Numbers& v) { return std::sqrt(variance(v, weight)); });
  }
}

BOOST_AUTO_TEST_CASE(order_statistics) {
  checkReduction(
      "median", [](const DlArray& x, const Dimensions& d) { return median(x, d); }, middle);
  checkReduction(
      "max along dimensions", [](const DlArray& x, const Dimensions& d) { return max(x, {}, d); }, largest);
  checkReduction(
      "min along dimensions", [](const DlArray& x, const Dimensions& d) { return min(x, {}, d); }, smallest);
  for (int d : {0, 1}) {
    const auto lane = [=](auto f) { return [=](const std::vector<Plain>& x) { return reduce(x[0], {d}, f); }; };
    const char* expect = d ? "3(C) x 1(B) double" : "1(C) x 5(B) double";
    check(Row{"max and its positions",
              {{"3(C) x 5(B)"}},
              [=](const Arrays& x) { return std::get<1>(max<2>(x[0], {}, d)); },
              lane([](const Numbers& v) { return position(v, largest(v)); }),
              expect,
              0});
    check(Row{"min and its positions",
              {{"3(C) x 5(B)"}},
              [=](const Arrays& x) { return std::get<1>(min<2>(x[0], {}, d)); },
              lane([](const Numbers& v) { return position(v, smallest(v)); }),
              expect,
              0});
  }
  check(Row{"max without dimensions",
            {{"1 x 7"}},
            [](const Arrays& x) { return max(x[0]); },
            [](const std::vector<Plain>& x) { return reduce(x[0], {1}, largest); },
            "1 x 1"});
  check(Row{"min without dimensions",
            {{"7 x 1"}},
            [](const Arrays& x) { return min(x[0]); },
            [](const std::vector<Plain>& x) { return reduce(x[0], {0}, smallest); },
            "1 x 1"});
}

BOOST_AUTO_TEST_CASE(truth) {
  const auto anyOf = [](const Numbers& v) { return std::any_of(v.begin(), v.end(), [](double x) { return x != 0; }); };
  const auto allOf = [](const Numbers& v) { return std::all_of(v.begin(), v.end(), [](double x) { return x != 0; }); };
  checkReduction(
      "any", [](const DlArray& x, const Dimensions& d) { return any(x, d); }, anyOf, -2, 2, 0, " logical");
  checkReduction(
      "all", [](const DlArray& x, const Dimensions& d) { return all(x, d); }, allOf, -2, 2, 0, " logical");
  const Numbers values{0, 0, 0, 0, 1, 0, 1, 1, 1, 0, -2, 0.5};
  for (int d : {0, 1}) {
    const char* expect = d ? "3(C) x 1(B) logical" : "1(C) x 4(B) logical";
    check(Row{"any of zeros and others",
              {logical("3(C) x 4(B)", values)},
              [=](const Arrays& x) { return any(x[0], d); },
              [=](const std::vector<Plain>& x) { return reduce(x[0], {d}, anyOf); },
              expect,
              0});
    check(Row{"all of zeros and others",
              {{"3(C) x 4(B)", values}},
              [=](const Arrays& x) { return all(x[0], d); },
              [=](const std::vector<Plain>& x) { return reduce(x[0], {d}, allOf); },
              expect,
              0});
  }
}

BOOST_AUTO_TEST_CASE(logical_arrays_count_as_double) {
  const Input truth = logical("2(C) x 3(B)", {1, 0, 1, 1, 0, 0});
  check(Row{"sum of logical",
            {truth},
            [](const Arrays& x) { return sum(x[0], "B"); },
            [](const std::vector<Plain>&) {
              return Numbers{2, 1};
            },
            "2(C) x 1(B)",
            0});
  check(Row{"mean of logical",
            {truth},
            [](const Arrays& x) { return mean(x[0], "all"); },
            [](const std::vector<Plain>&) { return Numbers{0.5}; },
            "1(C) x 1(B)",
            0});
  check(Row{"max of logical",
            {truth},
            [](const Arrays& x) { return max(x[0], {}, 0); },
            [](const std::vector<Plain>&) {
              return Numbers{1, 1, 0};
            },
            "1(C) x 3(B) logical",
            0});
}

BOOST_AUTO_TEST_CASE(reductions_of_nothing) {
  const auto row = [](const char* name, const std::function<DlArray(const DlArray&)>& f, double value) {
    check(Row{name,
              {{"0(C) x 3(B)"}},
              [=](const Arrays& x) { return f(x[0]); },
              [=](const std::vector<Plain>&) { return Numbers(3, value); },
              "1(C) x 3(B)"});
  };
  row(
      "sum of nothing", [](const DlArray& x) { return sum(x, "C"); }, 0);
  row(
      "prod of nothing", [](const DlArray& x) { return prod(x, "C"); }, 1);
  check(Row{"mean of nothing",
            {{"0(C) x 3(B)"}},
            [](const Arrays& x) { return mean(x[0], "C"); },
            [](const std::vector<Plain>&) { return Numbers(3, NAN); },
            "1(C) x 3(B)",
            0});
}
