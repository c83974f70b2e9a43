// Rows for embeddings and one-hot vectors.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

// The columns of a 3-row matrix that tokens name, one behind the other.
Numbers columns(const Plain& weights, const Numbers& tokens) {
  const double count = static_cast<double>(weights.size[1]);
  Numbers y;
  for (const double t : tokens) {
    const auto column = static_cast<std::size_t>(t >= 0 && t < count ? t : count - 1);
    y.insert(y.end(), weights.values.begin() + static_cast<Index>(3 * column),
             weights.values.begin() + static_cast<Index>(3 * column + 3));
  }
  return y;
}

void row(const std::string& name, const Input& tokens, const char* expect, const std::string& format = "") {
  check(Row{name,
            {constant(tokens), {"3 x 5"}},
            [=](const Arrays& x) { return embed(x[0], x[1], {.dataFormat = format}); },
            [](const std::vector<Plain>& x) { return columns(x[1], x[0].values); },
            expect});
}

}  // namespace

BOOST_AUTO_TEST_CASE(columns_by_token) {
  row("embed", {"1(C) x 4(B)", {0, 3, 3, 1}}, "3(C) x 4(B)");
  row("embed without C", {"2(B) x 3(T)", {0, 3, 3, 1, 4, 2}}, "3(C) x 2(B) x 3(T)");
  row("embed of tokens out of range", {"1(C) x 4(B)", {-1, NAN, 5, 1e30}}, "3(C) x 4(B)");
  row("embed of one observation", {"1(C) x 1(B) x 3(T)", {2, 0, 2}}, "3(C) x 1(B) x 3(T)");
  row("embed of a vector", {"3(B) x 1(U)", {2, 0, 2}}, "3(C) x 3(B)");
  row("embed of nothing", {"1(C) x 0(B)", Numbers{}}, "3(C) x 0(B)");
  row("embed with a format", {"1 x 4", {0, 3, 3, 1}}, "3 x 4", "CB");
  check(Row{"embed of images",
            {constant({"2(S) x 1(C) x 2(B)", {0, 3, 3, 1}}), {"3 x 5"}},
            [](const Arrays& x) { return embed(x[0], x[1]); },
            [](const std::vector<Plain>& x) {
              return permuted({Size{3, 2, 2}, "", columns(x[1], x[0].values)}, {1, 0, 2});
            },
            "2(S) x 3(C) x 2(B)"});
}

BOOST_AUTO_TEST_CASE(one_hot) {
  const auto row = [](const std::string& name, const Input& a, const Dimensions& d, const Numbers& want, const char* expect) {
    check(Row{name,
              {a},
              [=](const Arrays& x) {
                return onehotencode(x[0], d, {.classNames = {7, 3, 5}});
              },
              [=](const std::vector<Plain>&) { return want; },
              expect,
              0});
  };
  row("onehotencode", {"1 x 2", {3, 5}}, 0, {0, 1, 0, 0, 0, 1}, "3 x 2");
  row("onehotencode of what is no class", {"1 x 2", {3, 4}}, 0, {0, 1, 0, NAN, NAN, NAN}, "3 x 2");
  row("onehotencode along 1", {"2 x 1", {3, 5}}, 1, {0, 0, 1, 0, 0, 1}, "2 x 3");
  row("onehotencode along a new dimension", {"1 x 2", {3, 5}}, 2, {0, 0, 1, 0, 0, 1}, "1 x 2 x 3");
  row("onehotencode along a label", {"1(C) x 2(B)", {3, 7}}, "C", {0, 1, 0, 1, 0, 0}, "3(C) x 2(B)");
  row("onehotencode of images", {"2(S) x 1(C) x 2(B)", {3, 7, 7, 5}}, "C", {0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1},
      "2(S) x 3(C) x 2(B)");
}

BOOST_AUTO_TEST_CASE(the_largest_wins) {
  const auto row = [](const std::string& name, const Input& b, const Dimensions& d, const Numbers& want, const char* expect) {
    check(Row{name,
              {b},
              [=](const Arrays& x) {
                return onehotdecode(x[0], dlarray({7, 3, 5}), d);
              },
              [=](const std::vector<Plain>&) { return want; },
              expect,
              0});
  };
  row("onehotdecode", {"3 x 2", {0.2, 0.5, 0.3, 0.4, 0.4, 0.2}}, 0, {3, 7}, "1 x 2 double");
  row("onehotdecode along a label", {"3(C) x 2(B)", {0, 0, 1, NAN, NAN, NAN}}, "C", {5, NAN}, "1(C) x 2(B) double");
  row("onehotdecode along 1", {"2 x 3", {0, 1, 0, 0, 1, 0}}, 1, {5, 7}, "2 x 1 double");
}
