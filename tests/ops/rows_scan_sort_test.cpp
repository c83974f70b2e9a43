// Rows for running sums and products, sorting and what comes first in order.
#include "harness/row.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

struct Along {
  const char* title;
  const char* shape;
  Dimensions dimension;
  int number;
};
const Along ways[] = {{"a row", "1 x 7", {}, 1},
                      {"a labelled column", "7(C) x 1(U)", {}, 0},
                      {"dimension 0", "4 x 3 x 2", 0, 0},
                      {"dimension 1", "3 x 4 x 2", 1, 1},
                      {"dimension 2", "2 x 3 x 4", 2, 2},
                      {"label C", "2(S) x 4(C) x 3(B)", "C", 1},
                      {"label B", "2(S) x 3(C) x 4(B)", "B", 2}};

using Lanes = std::function<Numbers(const Numbers&)>;

// Functions that keep the length of the dimension.
void checkAlong(const std::string& name, const std::function<DlArray(const DlArray&, const Dimensions&)>& op, const Lanes& f,
                double low = -2, double high = 2, int order = 2, const char* type = "") {
  for (const Along& way : ways)
    check(Row{name + " along " + way.title,
              {{way.shape, low, high}},
              [&](const Arrays& x) { return op(x[0], way.dimension); },
              [&](const std::vector<Plain>& x) { return along(x[0], way.number, f); },
              way.shape + std::string(type),
              order});
}

Numbers running(const Numbers& v, const std::function<double(double, double)>& f) {
  Numbers y;
  std::partial_sum(v.begin(), v.end(), std::back_inserter(y), f);
  return y;
}

// The positions of the numbers in order, equal ones as they stood.
std::vector<std::size_t> ordered(const Numbers& v, bool descending) {
  std::vector<std::size_t> at(v.size());
  std::iota(at.begin(), at.end(), 0U);
  std::stable_sort(at.begin(), at.end(), [&](std::size_t a, std::size_t b) { return descending ? v[a] > v[b] : v[a] < v[b]; });
  return at;
}
Numbers sorted(const Numbers& v, bool descending) {
  Numbers y;
  for (std::size_t i : ordered(v, descending)) y.push_back(v[i]);
  return y;
}
Numbers positions(const Numbers& v, bool descending) {
  const auto at = ordered(v, descending);
  return {at.begin(), at.end()};
}
Numbers first(Numbers v, std::size_t k) {
  v.resize(k);
  return v;
}

}  // namespace

BOOST_AUTO_TEST_CASE(running_sums_and_products) {
  checkAlong(
      "cumsum", [](const DlArray& x, const Dimensions& d) { return cumsum(x, d); },
      [](const Numbers& v) { return running(v, std::plus()); });
  checkAlong(
      "cumprod", [](const DlArray& x, const Dimensions& d) { return cumprod(x, d); },
      [](const Numbers& v) { return running(v, std::multiplies()); }, 0.6, 1.6, 3);
  for (const Numbers& values : {Numbers{2, 0, 3, -1, 0, 5}, Numbers{0, 7, 3, -1, 4, 5}})
    check(Row{"cumprod with zeros",
              {{"6 x 1", values}},
              [](const Arrays& x) { return cumprod(x[0]); },
              [](const std::vector<Plain>& x) {
                return along(x[0], 0, [](const Numbers& v) { return running(v, std::multiplies()); });
              },
              "6 x 1",
              3});
}

BOOST_AUTO_TEST_CASE(sorting) {
  checkAlong(
      "sort", [](const DlArray& x, const Dimensions& d) { return sort(x, d); },
      [](const Numbers& v) { return sorted(v, false); });
  checkAlong(
      "sort descending", [](const DlArray& x, const Dimensions& d) { return sort(x, d, "descend"); },
      [](const Numbers& v) { return sorted(v, true); });
  checkAlong(
      "sort and its positions", [](const DlArray& x, const Dimensions& d) { return std::get<1>(sort<2>(x, d)); },
      [](const Numbers& v) { return positions(v, false); }, -2, 2, 0, " double");
  const Numbers ties{2, 1, 2, 0, 1, 1};
  for (bool down : {false, true})
    check(Row{"sort of equal numbers",
              {{"1 x 6", ties}},
              [=](const Arrays& x) { return std::get<1>(sort<2>(x[0], 1, down ? "descend" : "ascend")); },
              [=](const std::vector<Plain>& x) { return positions(x[0].values, down); },
              "1 x 6 double",
              0});
}

BOOST_AUTO_TEST_CASE(the_largest) {
  for (Index k : {0, 1, 3, 4})
    for (const bool labelled : {false, true}) {
      const std::string n = std::to_string(k), shape = labelled ? "2(S) x 4(C) x 3(B)" : "2 x 4 x 3";
      const Dimensions d = labelled ? Dimensions("C") : Dimensions(1);
      const auto rest = static_cast<std::size_t>(k);
      check(Row{"topk of " + shape,
                {{shape.c_str()}},
                [=](const Arrays& x) { return topk(x[0], k, d); },
                [=](const std::vector<Plain>& x) {
                  return along(x[0], 1, [&](const Numbers& v) { return first(sorted(v, true), rest); });
                },
                labelled ? "2(S) x " + n + "(C) x 3(B)" : "2 x " + n + " x 3"});
      check(Row{"topk and its positions",
                {{shape.c_str()}},
                [=](const Arrays& x) { return std::get<1>(topk<2>(x[0], k, d)); },
                [=](const std::vector<Plain>& x) {
                  return along(x[0], 1, [&](const Numbers& v) { return first(positions(v, true), rest); });
                },
                (labelled ? "2(S) x " + n + "(C) x 3(B)" : "2 x " + n + " x 3") + " double",
                0});
    }
}
