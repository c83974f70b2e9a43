// Rows for losses.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

using Loss = std::function<DlArray(const DlArray& y, const DlArray& t)>;
using Element = std::function<double(double y, double t)>;

double crossed(double y, double t) { return -t * std::log(y); }
double crossedBoth(double y, double t) { return -t * std::log(y) - (1 - t) * std::log(1 - y); }
double squared(double y, double t) { return (y - t) * (y - t); }
double halfSquared(double y, double t) { return squared(y, t) / 2; }
double absolute(double y, double t) { return std::abs(y - t); }
Element hubers(double d) {
  return [=](double y, double t) { return std::abs(y - t) <= d ? squared(y, t) / 2 : d * (std::abs(y - t) - d / 2); };
}

// The sum of the losses of all elements over a divisor.
void row(const std::string& name, const char* shape, const Loss& op, const Element& element, double divisor, double low = 0.1,
         double high = 0.9) {
  check(Row{name + " of " + shape,
            {{shape, low, high}, {shape, low, high}},
            [=](const Arrays& x) { return op(x[0], x[1]); },
            [=](const std::vector<Plain>& x) {
              double sum = 0;
              for (std::size_t k = 0; k < x[0].values.size(); ++k) sum += element(x[0].values[k], x[1].values[k]);
              return Numbers{sum / divisor};
            },
            "1 x 1"});
}

// Batches, none, images, sequences, more than a block of a sum's lanes, nothing.
const std::pair<const char*, double> shapes[] = {{"3(C) x 4(B)", 4},        {"5(C) x 1(U)", 1},  {"2(S) x 3(S) x 2(C) x 3(B)", 3},
                                                 {"2(C) x 3(B) x 4(T)", 3}, {"71(C) x 3(B)", 3}, {"3(C) x 0(B)", 1}};

}  // namespace

BOOST_AUTO_TEST_CASE(sums_over_the_batch) {
  for (const auto& [shape, batch] : shapes) {
    row(
        "crossentropy", shape, [](const DlArray& y, const DlArray& t) { return crossentropy(y, t); }, crossed, batch);
    row(
        "crossentropy of many labels", shape,
        [](const DlArray& y, const DlArray& t) { return crossentropy(y, t, {.classificationMode = "multilabel"}); }, crossedBoth,
        batch);
    row(
        "mse", shape, [](const DlArray& y, const DlArray& t) { return mse(y, t); }, halfSquared, batch, -1, 1);
    row(
        "l2loss", shape, [](const DlArray& y, const DlArray& t) { return l2loss(y, t); }, squared, batch, -1, 1);
    row(
        "l1loss", shape, [](const DlArray& y, const DlArray& t) { return l1loss(y, t); }, absolute, batch, -1, 1);
    row(
        "huber", shape, [](const DlArray& y, const DlArray& t) { return huber(y, t); }, hubers(1), batch, -2, 2);
    row(
        "huber with another transition", shape,
        [](const DlArray& y, const DlArray& t) { return huber(y, t, {.transitionPoint = 0.4}); }, hubers(0.4), batch, -1, 1);
  }
}

BOOST_AUTO_TEST_CASE(other_normalisations) {
  const char* shape = "2(S) x 3(C) x 4(B)";
  const auto by = [](std::string_view word) {
    return [=](const DlArray& y, const DlArray& t) { return l2loss(y, t, {.normalizationFactor = word}); };
  };
  row("l2loss by all elements", shape, by("all-elements"), squared, 24);
  row("l2loss not normalised", shape, by("none"), squared, 1);
  row("l2loss by a mask that there is not", shape, by("mask-included"), squared, 24);
  row(
      "mse with a format", "3 x 4", [](const DlArray& y, const DlArray& t) { return mse(y, t, {.dataFormat = "BC"}); },
      halfSquared, 3);
}

BOOST_AUTO_TEST_CASE(unreduced) {
  const auto none = [](const char* shape, const std::string& format) {
    check(Row{"crossentropy without reduction",
              {{shape, 0.1, 0.9}, {shape, 0.1, 0.9}},
              [=](const Arrays& x) { return crossentropy(x[0], x[1], {.reduction = "none", .dataFormat = format}); },
              [](const std::vector<Plain>& x) { return expand(x[0], x[1], crossed).values; },
              shape});
    check(Row{
        "huber without reduction",
        {{shape, -1, 1}, {shape, -1, 1}},
        [=](const Arrays& x) { return huber(x[0], x[1], {.transitionPoint = 0.5, .reduction = "none", .dataFormat = format}); },
        [](const std::vector<Plain>& x) { return expand(x[0], x[1], hubers(0.5)).values; },
        shape});
  };
  none("3(C) x 4(B)", "");
  none("3 x 4", "BC");
}

BOOST_AUTO_TEST_CASE(weighted_and_masked) {
  const auto weighted = [](const std::string& name, const char* weights, const std::function<DlArray(const Arrays&)>& op,
                           const std::function<double(const Numbers& w, Index c, Index b)>& weight) {
    check(Row{name,
              {{"3(C) x 4(B)", 0.1, 0.9}, {"3(C) x 4(B)", 0.1, 0.9}, {weights, 0.5, 2}},
              op,
              [=](const std::vector<Plain>& x) {
                double sum = 0;
                for (Index b = 0; b < 4; ++b)
                  for (Index c = 0; c < 3; ++c) {
                    const auto k = static_cast<std::size_t>(c + 3 * b);
                    sum += weight(x[2].values, c, b) * crossed(x[0].values[k], x[1].values[k]);
                  }
                return Numbers{sum / 4};
              },
              "1 x 1"});
  };
  const auto plainOptions = [](const Arrays& x) { return crossentropy(x[0], x[1], x[2]); };
  const auto at = [](const Numbers& w, Index i) { return w[static_cast<std::size_t>(i)]; };
  const auto byClass = [=](const Numbers& w, Index c, Index) { return at(w, c); };
  weighted("crossentropy with class weights", "3(C) x 1(U)", plainOptions, byClass);
  weighted(
      "crossentropy with a row of class weights", "1 x 3",
      [](const Arrays& x) { return crossentropy(x[0], x[1], x[2], {.weightsFormat = "UC"}); }, byClass);
  weighted(
      "crossentropy with a column of class weights", "3 x 1",
      [](const Arrays& x) { return crossentropy(x[0], x[1], x[2], {.weightsFormat = "C"}); }, byClass);
  weighted("crossentropy with weights of observations", "4(B) x 1(U)", plainOptions,
           [=](const Numbers& w, Index, Index b) { return at(w, b); });
  weighted("crossentropy with a scalar weight", "1 x 1", plainOptions, [=](const Numbers& w, Index, Index) { return at(w, 0); });
  weighted("crossentropy with weights of elements", "3 x 4", plainOptions,
           [=](const Numbers& w, Index c, Index b) { return at(w, c + 3 * b); });

  const Numbers mask{1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1};
  for (const auto& [word, divisor] :
       {std::pair("batch-size", 4.0), {"mask-included", 8.0}, {"all-elements", 12.0}, {"none", 1.0}})
    check(Row{
        std::string("l1loss with a mask by ") + word,
        {{"3(C) x 4(B)"}, {"3(C) x 4(B)"}, logical("3 x 4", mask)},
        [word = std::string(word)](const Arrays& x) { return l1loss(x[0], x[1], {.mask = x[2], .normalizationFactor = word}); },
        [=, divisor = divisor](const std::vector<Plain>& x) {
          double sum = 0;
          for (std::size_t k = 0; k < 12; ++k) sum += mask[k] * absolute(x[0].values[k], x[1].values[k]);
          return Numbers{sum / divisor};
        },
        "1 x 1"});
  check(Row{"l2loss with a mask over time",
            {{"2(C) x 3(B) x 2(T)"}, {"2(C) x 3(B) x 2(T)"}, logical("1(C) x 3(B) x 2(T)", {1, 1, 1, 0, 1, 0})},
            [](const Arrays& x) { return l2loss(x[0], x[1], {.mask = x[2], .reduction = "none"}); },
            [](const std::vector<Plain>& x) {
              Numbers y = expand(x[0], x[1], squared).values;
              for (std::size_t k = 0; k < y.size(); ++k) y[k] *= x[2].values[k / 2];
              return y;
            },
            "2(C) x 3(B) x 2(T)"});
}

BOOST_AUTO_TEST_CASE(by_class_numbers) {
  const auto row = [](const std::string& name, const Input& y, const Input& targets,
                      const std::function<DlArray(const Arrays&)>& op, double divisor) {
    check(Row{name,
              {y, constant(targets)},
              op,
              [=](const std::vector<Plain>& x) {
                // One target for each lane of channels, in stored order.
                const std::string& labels = x[0].labels;
                const std::size_t at = labels.empty() ? 1 : labels.find('C');
                Index inner = 1;
                for (std::size_t d = 0; d < at; ++d) inner *= x[0].size[d];
                double sum = 0;
                for (std::size_t lane = 0; lane < x[1].values.size(); ++lane) {
                  const auto i = static_cast<Index>(lane), page = i / inner * inner * x[0].size[at];
                  sum += crossed(
                      x[0].values[static_cast<std::size_t>(page + i % inner + inner * static_cast<Index>(x[1].values[lane]))], 1);
                }
                return Numbers{sum / divisor};
              },
              "1 x 1"});
  };
  const auto plainly = [](const Arrays& x) { return indexcrossentropy(x[0], x[1]); };
  const Numbers four{2, 0, 1, 2};
  row("indexcrossentropy", {"3(C) x 4(B)", 0.1, 0.9}, {"1 x 4", four}, plainly, 4);
  row("indexcrossentropy of a column", {"3(C) x 4(B)", 0.1, 0.9}, {"4 x 1", four}, plainly, 4);
  row("indexcrossentropy of labelled targets", {"3(C) x 4(B)", 0.1, 0.9}, {"1(C) x 4(B)", four}, plainly, 4);
  row("indexcrossentropy of targets without C", {"3(C) x 4(B)", 0.1, 0.9}, {"4(B) x 1(U)", four}, plainly, 4);
  row("indexcrossentropy of sequences", {"3(C) x 2(B) x 2(T)", 0.1, 0.9}, {"2 x 2", four}, plainly, 2);
  row("indexcrossentropy of images", {"2(S) x 3(C) x 2(B)", 0.1, 0.9}, {"2(S) x 2(B)", four}, plainly, 2);
  row(
      "indexcrossentropy with a format", {"4 x 3", 0.1, 0.9}, {"4 x 1", four},
      [](const Arrays& x) { return indexcrossentropy(x[0], x[1], {.dataFormat = "BC"}); }, 4);
  row(
      "indexcrossentropy by all elements", {"3(C) x 4(B)", 0.1, 0.9}, {"1 x 4", four},
      [](const Arrays& x) { return indexcrossentropy(x[0], x[1], {.normalizationFactor = "all-elements"}); }, 12);
  check(Row{
      "indexcrossentropy with weights and a mask",
      {{"3(C) x 4(B)", 0.1, 0.9}, constant({"1 x 4", {2, NAN, 1, 2}}), {"3(C) x 1(U)", 0.5, 2}, logical("1 x 4", {1, 0, 1, 1})},
      [](const Arrays& x) { return indexcrossentropy(x[0], x[1], x[2], {.mask = x[3], .normalizationFactor = "mask-included"}); },
      [](const std::vector<Plain>& x) {
        const Numbers &y = x[0].values, &w = x[2].values;
        return Numbers{-(w[2] * std::log(y[2]) + w[1] * std::log(y[7]) + w[2] * std::log(y[11])) / 3};
      },
      "1 x 1"});
}
