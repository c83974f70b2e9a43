// Rows for products and norms.
#include "harness/row.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

using Two = std::function<DlArray(const DlArray&, const DlArray&)>;
using Reference = std::function<Numbers(const Plain&, const Plain&)>;

void row(const std::string& name, const char* a, const char* b, const Two& op, const Reference& reference,
         const std::string& expect, double tolerance = 1e-12) {
  check(Row{name + " of " + a + " and " + b,
            {{a}, {b}},
            [&](const Arrays& x) { return op(x[0], x[1]); },
            [&](const std::vector<Plain>& x) { return reference(x[0], x[1]); },
            expect,
            2,
            tolerance});
}

// Products of the pages, dimensions from the third on expanded.
Numbers pages(const Plain& a, const Plain& b) {
  const auto grid = [](const Plain& x) {
    Plain g;
    for (std::size_t d = 2; d < x.size.size(); ++d) g.size.push_back(x.size[d]);
    g.size.resize(std::max<std::size_t>(g.size.size(), 2));
    for (Index k = 0; k < numel(g.size); ++k) g.values.push_back(static_cast<double>(k));
    return g;
  };
  const auto page = [](const Plain& x, double number) {
    const Index n = x.size[0] * x.size[1], first = static_cast<Index>(number) * n;
    return Plain{Size{x.size[0], x.size[1]}, "", Numbers(x.values.begin() + first, x.values.begin() + first + n)};
  };
  const Plain first = expand(grid(a), grid(b), [](double i, double) { return i; }),
              second = expand(grid(a), grid(b), [](double, double j) { return j; });
  Numbers y;
  for (std::size_t k = 0; k < first.values.size(); ++k) {
    const Numbers p = product(page(a, first.values[k]), page(b, second.values[k]));
    y.insert(y.end(), p.begin(), p.end());
  }
  return y;
}
Plain pageTransposed(const Plain& x) {
  std::vector<Index> order{1, 0};
  for (std::size_t d = 2; d < x.size.size(); ++d) order.push_back(static_cast<Index>(d));
  Plain y{x.size, "", permuted(x, order)};
  std::swap(y.size[0], y.size[1]);
  return y;
}
Numbers scaled(const Plain& x, double by) {
  return each(x, [=](double v) { return by * v; });
}
double inner(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
double powerNorm(const Numbers& v, double p) {
  double sum = 0, largest = 0, smallest = INFINITY;
  for (double x : v) {
    sum += std::pow(std::abs(x), p);
    largest = std::max(largest, std::abs(x));
    smallest = std::min(smallest, std::abs(x));
  }
  return p == INFINITY ? largest : p == -INFINITY ? smallest : std::pow(sum, 1 / p);
}

}  // namespace

BOOST_AUTO_TEST_CASE(matrix_products) {
  for (const auto& [a, b, expect] : {std::tuple("3 x 4", "4 x 5", "3 x 5"),
                                     {"1 x 7", "7 x 1", "1 x 1"},
                                     {"7 x 1", "1 x 3", "7 x 3"},
                                     {"5 x 5", "5 x 1", "5 x 1"},
                                     {"1 x 5", "5 x 4", "1 x 4"},
                                     {"17 x 19", "19 x 18", "17 x 18"},
                                     {"3 x 0", "0 x 2", "3 x 2"},
                                     {"0 x 3", "3 x 2", "0 x 2"}}) {
    row("mtimes", a, b, mtimes, product, expect);
    row(
        "operator*", a, b, [](const DlArray& x, const DlArray& y) { return x * y; }, product, expect);
  }
  row(
      "mtimes of transposed matrices", "4 x 3", "5 x 4",
      [](const DlArray& x, const DlArray& y) { return transpose(x) * transpose(y); },
      [](const Plain& a, const Plain& b) { return product(pageTransposed(a), pageTransposed(b)); }, "3 x 5");
  row(
      "operator*=", "3 x 4", "4 x 4",
      [](const DlArray& a, const DlArray& b) {
        DlArray y = a;
        y *= b;
        return y;
      },
      product, "3 x 4");
}

BOOST_AUTO_TEST_CASE(scaling) {
  for (const char* shape : {"3 x 4", "2(S) x 3(C) x 4(B)", "1(C) x 1(B)"}) {
    row(
        "mtimes with a scalar first", "1 x 1", shape, mtimes,
        [](const Plain& a, const Plain& b) { return scaled(b, a.values[0]); }, shape);
    row(
        "mtimes with a scalar second", shape, "1 x 1", mtimes,
        [](const Plain& a, const Plain& b) { return scaled(a, b.values[0]); }, shape);
  }
}

BOOST_AUTO_TEST_CASE(page_by_page) {
  for (const auto& [a, b, expect] : {std::tuple("2 x 3 x 4", "3 x 2 x 4", "2 x 2 x 4"),
                                     {"2 x 3 x 4", "3 x 5", "2 x 5 x 4"},
                                     {"2 x 3", "3 x 1 x 4", "2 x 1 x 4"},
                                     {"2 x 3 x 1 x 2", "3 x 2 x 3", "2 x 2 x 3 x 2"},
                                     {"2 x 3", "3 x 4", "2 x 4"}})
    row(
        "pagemtimes", a, b, [](const DlArray& x, const DlArray& y) { return pagemtimes(x, y); }, pages, expect);
  row(
      "pagemtimes transposed first", "3 x 2 x 4", "3 x 5 x 4",
      [](const DlArray& x, const DlArray& y) { return pagemtimes(x, "transpose", y, "none"); },
      [](const Plain& a, const Plain& b) { return pages(pageTransposed(a), b); }, "2 x 5 x 4");
  row(
      "pagemtimes transposed both", "3 x 2 x 4", "5 x 3",
      [](const DlArray& x, const DlArray& y) { return pagemtimes(x, "ctranspose", y, "transpose"); },
      [](const Plain& a, const Plain& b) { return pages(pageTransposed(a), pageTransposed(b)); }, "2 x 5 x 4");
  const DlArray p = pagemtimes(dlarray({{8, 1, 6}, {3, 5, 7}, {4, 9, 2}}), dlarray({{9, 10, 3}, {10, 7, 6}, {2, 1, 10}}));
  BOOST_TEST(difference(p, {94, 91, 130, 93, 72, 105, 90, 109, 86}) == "");
}

BOOST_AUTO_TEST_CASE(kronecker) {
  row(
      "kron", "2 x 3", "4 x 2", kron,
      [](const Plain& a, const Plain& b) {
        Numbers y(48);
        forEach(Size{8, 6}, [&](std::size_t k, std::vector<Index>& at) {
          y[k] = a.values[numberAt(a.size, {at[0] / 4, at[1] / 2})] * b.values[numberAt(b.size, {at[0] % 4, at[1] % 2})];
        });
        return y;
      },
      "8 x 6");
}

BOOST_AUTO_TEST_CASE(inner_and_vector_products) {
  const auto all = [](const Plain& a, const Plain& b) { return Numbers{inner(a.values, b.values)}; };
  const Two dotOf = [](const DlArray& x, const DlArray& y) { return dot(x, y); };
  row("dot", "1 x 7", "1 x 7", dotOf, all, "1 x 1");
  row("dot of a row and a column", "1 x 7", "7 x 1", dotOf, all, "1 x 1");
  const auto along = [](int d) {
    return [=](const Plain& a, const Plain& b) {
      return reduce({a.size, "", expand(a, b, [](double x, double y) { return x * y; }).values}, {d},
                    [](const Numbers& v) { return inner(v, Numbers(v.size(), 1)); });
    };
  };
  row(
      "dot along 0", "3 x 4", "3 x 4", [](const DlArray& x, const DlArray& y) { return dot(x, y, 0); }, along(0), "1 x 4");
  row(
      "dot along a label", "3(C) x 4(B)", "3(C) x 4(B)", [](const DlArray& x, const DlArray& y) { return dot(x, y, "B"); },
      along(1), "3(C) x 1(B)");
  const auto crossed = [](const Numbers& a, const Numbers& b) {
    return Numbers{a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
  };
  const auto columns = [=](const Plain& a, const Plain& b) {
    Numbers y;
    for (std::size_t k = 0; k < a.values.size(); k += 3) {
      const auto at = [&](const Numbers& v) {
        return Numbers(v.begin() + static_cast<Index>(k), v.begin() + static_cast<Index>(k) + 3);
      };
      const Numbers c = crossed(at(a.values), at(b.values));
      y.insert(y.end(), c.begin(), c.end());
    }
    return y;
  };
  row(
      "cross", "1 x 3", "1 x 3", [](const DlArray& x, const DlArray& y) { return cross(x, y); }, columns, "1 x 3");
  row(
      "cross along 0", "3 x 4", "3 x 4", [](const DlArray& x, const DlArray& y) { return cross(x, y, 0); }, columns, "3 x 4");
  row(
      "cross along a label", "3(C) x 2(B)", "3(C) x 2(B)", [](const DlArray& x, const DlArray& y) { return cross(x, y, "C"); },
      columns, "3(C) x 2(B)");
}

BOOST_AUTO_TEST_CASE(norms) {
  const auto one = [](const std::string& name, const char* shape, const std::function<DlArray(const DlArray&)>& op,
                      const std::function<Numbers(const Plain&)>& reference, const char* expect) {
    check(Row{name,
              {{shape}},
              [&](const Arrays& x) { return op(x[0]); },
              [&](const std::vector<Plain>& x) { return reference(x[0]); },
              expect,
              2,
              1e-11});
  };
  for (double p : {1.0, 2.0, 3.0, 2.5, HUGE_VAL, -HUGE_VAL}) {
    const auto whole = [=](const Plain& x) { return Numbers{powerNorm(x.values, p)}; };
    one(
        "norm of a row", "1 x 7", [=](const DlArray& x) { return norm(x, p); }, whole, "1 x 1");
    one(
        "norm of a labelled column", "5(C) x 1(U)", [=](const DlArray& x) { return norm(x, p); }, whole, "1(C) x 1(U)");
    one(
        "vecnorm along 0", "3 x 4 x 2", [=](const DlArray& x) { return vecnorm(x, p, 0); },
        [=](const Plain& x) { return reduce(x, {0}, [=](const Numbers& v) { return powerNorm(v, p); }); }, "1 x 4 x 2");
    one(
        "vecnorm along a label", "3(C) x 4(B)", [=](const DlArray& x) { return vecnorm(x, p, "B"); },
        [=](const Plain& x) { return reduce(x, {1}, [=](const Numbers& v) { return powerNorm(v, p); }); }, "3(C) x 1(B)");
  }
  one(
      "vecnorm of a vector", "1 x 7", [](const DlArray& x) { return vecnorm(x); },
      [](const Plain& x) { return Numbers{powerNorm(x.values, 2)}; }, "1 x 1");
  const auto largestSum = [](int d) {
    return [=](const Plain& x) {
      const Numbers sums = reduce(x, {d}, [](const Numbers& v) { return powerNorm(v, 1); });
      return Numbers{*std::max_element(sums.begin(), sums.end())};
    };
  };
  one(
      "norm 1 of a matrix", "3 x 4", [](const DlArray& x) { return norm(x, 1); }, largestSum(0), "1 x 1");
  one(
      "norm Inf of a matrix", "3 x 4", [](const DlArray& x) { return norm(x, "inf"); }, largestSum(1), "1 x 1");
  one(
      "norm fro of a matrix", "3 x 4", [](const DlArray& x) { return norm(x, "fro"); },
      [](const Plain& x) { return Numbers{powerNorm(x.values, 2)}; }, "1 x 1");
}
