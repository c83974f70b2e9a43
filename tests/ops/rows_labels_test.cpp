// Rows for functions that give, take and reorder labels, and that change the element type.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

void row(const std::string& name, const char* shape, const std::function<DlArray(const DlArray&)>& op,
         const std::vector<Index>& order, const std::string& expect) {
  check(Row{name,
            {{shape}},
            [&](const Arrays& x) { return op(x[0]); },
            [&](const std::vector<Plain>& x) { return permuted(x[0], order); },
            expect});
}
auto labelledAs(const char* format) {
  return [=](const DlArray& x) { return dlarray(x, format); };
}
auto strippedTo(const char* format) {
  return [=](const DlArray& x) { return stripdims(x, format); };
}

}  // namespace

BOOST_AUTO_TEST_CASE(giving_labels) {
  row("dlarray CB", "3 x 10", labelledAs("CB"), {0, 1}, "3(C) x 10(B)");
  row("dlarray BC", "3 x 10", labelledAs("BC"), {1, 0}, "10(C) x 3(B)");
  row("dlarray SSBC", "3 x 3 x 10 x 7", labelledAs("SSBC"), {0, 1, 3, 2}, "3(S) x 3(S) x 7(C) x 10(B)");
  row("dlarray TS", "3 x 4", labelledAs("TS"), {1, 0}, "4(S) x 3(T)");
  row("dlarray TSSU", "5 x 4 x 3 x 2", labelledAs("TSSU"), {1, 2, 0, 3}, "4(S) x 3(S) x 5(T) x 2(U)");
  row("dlarray SSTU", "3 x 2 x 1 x 2", labelledAs("SSTU"), {0, 1, 2, 3}, "3(S) x 2(S) x 1(T) x 2(U)");
  row("dlarray with more labels than dimensions", "2 x 3", labelledAs("SSCB"), {0, 1, 2, 3}, "2(S) x 3(S) x 1(C) x 1(B)");
  row("dlarray of a row with one label", "1 x 5", labelledAs("C"), {1, 0}, "5(C) x 1(U)");
  row("dlarray of a column with one label", "5 x 1", labelledAs("T"), {0, 1}, "5(T) x 1(U)");
  row("dlarray of a page vector with one label", "1 x 1 x 5", labelledAs("B"), {2, 0, 1}, "5(B) x 1(U)");
  row("dlarray of a scalar with one label", "1 x 1", labelledAs("C"), {0, 1}, "1(C) x 1(U)");
  row("dlarray drops a trailing U", "2 x 3", labelledAs("SCU"), {0, 1}, "2(S) x 3(C)");
  row("dlarray replaces labels", "3(C) x 4(B)", labelledAs("TS"), {1, 0}, "4(S) x 3(T)");
  row("dlarray without labels strips", "3(C) x 4(B)", labelledAs(""), {0, 1}, "3 x 4");
  row(
      "dlarray of an array", "3(C) x 4(B)", [](const DlArray& x) { return dlarray(x); }, {0, 1}, "3(C) x 4(B)");
}

BOOST_AUTO_TEST_CASE(taking_labels) {
  row(
      "stripdims", "3(S) x 2(S) x 1(T) x 2(U)", [](const DlArray& x) { return stripdims(x); }, {0, 1, 2, 3}, "3 x 2 x 1 x 2");
  row(
      "stripdims drops trailing ones", "3(S) x 2(C) x 1(B)", [](const DlArray& x) { return stripdims(x); }, {0, 1}, "3 x 2");
  row(
      "stripdims of an unlabelled array", "3 x 2", [](const DlArray& x) { return stripdims(x); }, {0, 1}, "3 x 2");
  row("stripdims to BCS", "2(S) x 3(C) x 4(B)", strippedTo("BCS"), {2, 1, 0}, "4 x 3 x 2");
  row("stripdims to SCTB", "2(S) x 3(C) x 4(B)", strippedTo("SCTB"), {0, 1, 3, 2}, "2 x 3 x 1 x 4");
  row("stripdims of an unlabelled array to BC", "2 x 3", strippedTo("BC"), {0, 1}, "2 x 3");
  row("stripdims of two labels S", "2(S) x 3(S) x 4(B)", strippedTo("BSS"), {2, 0, 1}, "4 x 2 x 3");
  row("stripdims of a column", "5(C) x 1(U)", strippedTo("BC"), {1, 0}, "1 x 5");
}

BOOST_AUTO_TEST_CASE(changing_the_type) {
  const auto same = [](const std::vector<Plain>& x) { return x[0].values; };
  check(Row{"double_", {{"3(C) x 4(B)"}}, [](const Arrays& x) { return double_(x[0]); }, same, "3(C) x 4(B) double", 0});
  check(Row{"cast to its own type",
            {{"3(C) x 4(B)"}},
            [](const Arrays& x) { return cast(x[0], underlyingType(x[0])); },
            same,
            "3(C) x 4(B)"});
  check(Row{"logical_",
            {{"1 x 3", {0, 2, -0.5}}},
            [](const Arrays& x) { return logical_(x[0]); },
            [](const std::vector<Plain>&) {
              return Numbers{0, 1, 1};
            },
            "1 x 3 logical",
            0});
  check(Row{"cast of logical",
            {logical("1 x 3", {0, 1, 1})},
            [](const Arrays& x) { return cast(x[0], Type::Double); },
            same,
            "1 x 3 double",
            0});
  const DlArray third = single_(DlArray(1.0 / 3));
  BOOST_TEST((underlyingType(third) == Type::Single));
  BOOST_TEST(double(third) == double(1.0F / 3.0F));
}

BOOST_AUTO_TEST_CASE(changing_the_type_passes_gradients) {
  const auto f = [](const DlArray& x) { return dlgradient(sum(double_(single_(x) % 3)), x); };
  const DlArray g = dlfeval(f, dlarray({1.0, 2.0}));
  BOOST_TEST((underlyingType(g) == Type::Double));
  BOOST_TEST(difference(g, {3, 3}) == "");
}
