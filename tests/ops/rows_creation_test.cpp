// Rows for arrays that are made of nothing.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {
void row(const std::string& name, const std::function<DlArray()>& make, const Numbers& values, const std::string& expect) {
  check(
      Row{name, {}, [&](const Arrays&) { return make(); }, [&](const std::vector<Plain>&) { return values; }, expect, 0, 1e-15});
}
}  // namespace

BOOST_AUTO_TEST_CASE(constants) {
  row(
      "zeros", [] { return zeros(2, 3); }, Numbers(6), "2 x 3");
  row(
      "zeros of a size",
      [] {
        return zeros(Size{2, 1, 3});
      },
      Numbers(6), "2 x 1 x 3");
  row(
      "zeros n x n", [] { return zeros(2); }, Numbers(4), "2 x 2");
  row(
      "zeros of logical type", [] { return zeros(2, 2, Type::Logical); }, Numbers(4), "2 x 2 logical");
  row(
      "zeros like another", [] { return zeros(2, 2, "like", dlarray({true})); }, Numbers(4), "2 x 2 logical");
  row(
      "ones", [] { return ones(2, 3); }, Numbers(6, 1), "2 x 3");
  row(
      "ones of nothing", [] { return ones(0, 3); }, {}, "0 x 3");
  row(
      "ones of a scalar", [] { return ones(); }, {1}, "1 x 1");
  row(
      "eye", [] { return eye(2, 3); }, {1, 0, 0, 1, 0, 0}, "2 x 3");
  row(
      "eye n x n", [] { return eye(2); }, {1, 0, 0, 1}, "2 x 2");
}

BOOST_AUTO_TEST_CASE(sequences) {
  row(
      "linspace", [] { return linspace(1, 2, 5); }, {1, 1.25, 1.5, 1.75, 2}, "1 x 5");
  row(
      "linspace of one number", [] { return linspace(1, 2, 1); }, {2}, "1 x 1");
  row(
      "colon", [] { return colon(2, 5); }, {2, 3, 4, 5}, "1 x 4");
  row(
      "colon with a step", [] { return colon(0, 2, 7); }, {0, 2, 4, 6}, "1 x 4");
  row(
      "colon that meets its end", [] { return colon(0, 0.1, 0.3); }, {0, 0.1, 0.2, 0.3}, "1 x 4");
  row(
      "colon downwards", [] { return colon(3, -1.5, 0); }, {3, 1.5, 0}, "1 x 3");
  row(
      "colon of nothing", [] { return colon(5, 2); }, {}, "1 x 0");
}
