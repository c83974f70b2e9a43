// Rows for reading and writing parts of arrays.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

using Positions = std::vector<std::vector<Index>>;

void reading(const std::string& name, const char* shape, const std::function<DlArray(const DlArray&)>& op,
             const Positions& positions, const char* expect) {
  check(Row{"index " + name,
            {{shape}},
            [&](const Arrays& x) { return op(x[0]); },
            [&](const std::vector<Plain>& x) { return pick(x[0], positions); },
            expect});
}
// One subscript counts column-major.
void readingNumbered(const std::string& name, const char* shape, const std::function<DlArray(const DlArray&)>& op,
                     const std::vector<Index>& positions, const char* expect) {
  check(Row{"index " + name,
            {{shape}},
            [&](const Arrays& x) { return op(x[0]); },
            [&](const std::vector<Plain>& x) {
              return pick({Size{numel(x[0].size)}, "", x[0].values}, {positions});
            },
            expect});
}
// v written to positions of x, one after the other.
void writing(const std::string& name, const char* shape, const char* values,
             const std::function<void(DlArray&, const DlArray&)>& op, const Positions& positions) {
  const auto reference = [&](const std::vector<Plain>& in) {
    Numbers y = in[0].values;
    Size size;
    for (const auto& list : positions) size.push_back(static_cast<Index>(list.size()));
    forEach(size, [&](std::size_t k, std::vector<Index>& at) {
      for (std::size_t d = 0; d < at.size(); ++d) at[d] = positions[d][static_cast<std::size_t>(at[d])];
      y[positions.size() == 1 ? static_cast<std::size_t>(at[0]) : numberAt(in[0].size, at)] =
          in[1].values[in[1].values.size() == 1 ? 0 : k];
    });
    return y;
  };
  check(Row{"write " + name,
            {{shape}, {values, 2, 3}},
            [&](const Arrays& x) {
              DlArray y = x[0];
              op(y, x[1]);
              return y;
            },
            reference,
            shape});
}

}  // namespace

BOOST_AUTO_TEST_CASE(reading_elements) {
  readingNumbered(
      "a number", "3 x 4", [](const DlArray& x) { return x(7); }, {7}, "1 x 1");
  readingNumbered(
      "end", "3(C) x 4(B)", [](const DlArray& x) { return x(end - 1); }, {10}, "1 x 1");
  reading(
      "two numbers", "3(C) x 4(B)", [](const DlArray& x) { return x(2, 1); }, {{2}, {1}}, "1(C) x 1(B)");
  reading(
      "three numbers", "2 x 3 x 4", [](const DlArray& x) { return x(1, 2, 3); }, {{1}, {2}, {3}}, "1 x 1");
}

BOOST_AUTO_TEST_CASE(reading_ranges) {
  reading(
      "a column", "3(C) x 4(B)", [](const DlArray& x) { return x(all, 1); }, {{0, 1, 2}, {1}}, "3(C) x 1(B)");
  reading(
      "a block", "3 x 4 x 2", [](const DlArray& x) { return x(span(1, 2), span(0, 2), 1); }, {{1, 2}, {0, 1, 2}, {1}}, "2 x 3");
  reading(
      "a block with steps", "5 x 6", [](const DlArray& x) { return x(span(0, 2, end), span(end, -3, 0)); }, {{0, 2, 4}, {5, 2}},
      "3 x 2");
  reading(
      "a page", "2(S) x 3(C) x 4(B)", [](const DlArray& x) { return x(all, all, 2); }, {{0, 1}, {0, 1, 2}, {2}},
      "2(S) x 3(C) x 1(B)");
  readingNumbered(
      "a span of a matrix", "3 x 4", [](const DlArray& x) { return x(span(2, 5)); }, {2, 3, 4, 5}, "1 x 4");
  readingNumbered(
      "all of a matrix", "2 x 3", [](const DlArray& x) { return x(all); }, {0, 1, 2, 3, 4, 5}, "6 x 1");
}

BOOST_AUTO_TEST_CASE(reading_lists_and_masks) {
  reading(
      "a list of rows", "3 x 4",
      [](const DlArray& x) {
        return x({2, 0}, all);
      },
      {{2, 0}, {0, 1, 2, 3}}, "2 x 4");
  reading(
      "repeated rows and columns", "3(C) x 4(B)",
      [](const DlArray& x) {
        return x({1, 1, 0}, {3, 3});
      },
      {{1, 1, 0}, {3, 3}}, "3(C) x 2(B)");
  readingNumbered(
      "a list with repeats", "1 x 5",
      [](const DlArray& x) {
        return x({0, 0, 2});
      },
      {0, 0, 2}, "1 x 3");
  readingNumbered(
      "an array of positions", "3 x 4",
      [](const DlArray& x) {
        return x(dlarray({{0, 5}, {5, 11}}));
      },
      {0, 5, 5, 11}, "2 x 2");
  readingNumbered(
      "a mask of a matrix", "2 x 3",
      [](const DlArray& x) {
        return x(dlarray({{true, false, true}, {false, true, true}}));
      },
      {0, 3, 4, 5}, "4 x 1");
  reading(
      "a mask of columns", "2 x 3",
      [](const DlArray& x) {
        return x(all, dlarray({true, false, true}));
      },
      {{0, 1}, {0, 2}}, "2 x 2");
  readingNumbered(
      "an empty list", "1 x 5", [](const DlArray& x) { return x(std::vector<Index>()); }, {}, "1 x 0");
}

BOOST_AUTO_TEST_CASE(writing_values) {
  writing("an element", "3 x 4", "1 x 1", [](DlArray& x, const DlArray& v) { x(7) = v; }, {{7}});
  writing("an element of a labelled array", "3(C) x 4(B)", "1 x 1", [](DlArray& x, const DlArray& v) { x(2, 1) = v; },
          {{2}, {1}});
  writing("a column", "3(C) x 4(B)", "3 x 1", [](DlArray& x, const DlArray& v) { x(all, 2) = v; }, {{0, 1, 2}, {2}});
  writing("a row as a column", "3 x 4", "4 x 1", [](DlArray& x, const DlArray& v) { x(1, all) = v; }, {{1}, {0, 1, 2, 3}});
  writing("a number to a block", "3 x 4 x 2", "1 x 1",
          [](DlArray& x, const DlArray& v) {
            x(span(0, 1), {0, 3}, 1) = v;
          },
          {{0, 1}, {0, 3}, {1}});
  writing("a block", "5 x 6", "3 x 2", [](DlArray& x, const DlArray& v) { x(span(0, 2, end), span(end, -3, 0)) = v; },
          {{0, 2, 4}, {5, 2}});
  writing("a span of a vector", "1 x 6", "1 x 3", [](DlArray& x, const DlArray& v) { x(span(2, 4)) = v; }, {{2, 3, 4}});
  writing("a list with repeats", "1 x 6", "1 x 4", [](DlArray& x, const DlArray& v) { x({1, 3, 1, 1}) = v; }, {{1, 3, 1, 1}});
  writing("repeated columns", "2 x 3", "2 x 3", [](DlArray& x, const DlArray& v) { x(all, {2, 2, 0}) = v; }, {{0, 1}, {2, 2, 0}});
  writing("a number to a mask", "2 x 3", "1 x 1",
          [](DlArray& x, const DlArray& v) {
            x(dlarray({{true, false, true}, {false, true, true}})) = v;
          },
          {{0, 3, 4, 5}});
  writing("values to a mask", "2 x 3", "4 x 1",
          [](DlArray& x, const DlArray& v) {
            x(dlarray({{true, false, true}, {false, true, true}})) = v;
          },
          {{0, 3, 4, 5}});
  writing("everything", "2(C) x 3(B)", "2 x 3", [](DlArray& x, const DlArray& v) { x(all, all) = v; }, {{0, 1}, {0, 1, 2}});
  writing("nothing", "2 x 3", "1 x 1", [](DlArray& x, const DlArray& v) { x(span(1, 0)) = v; }, {std::vector<Index>()});
}

BOOST_AUTO_TEST_CASE(changing_in_place) {
  const auto row = [](const char* name, const std::function<void(DlArray&, const DlArray&)>& op,
                      const std::function<void(Numbers&, const Numbers&)>& reference) {
    check(Row{name,
              {{"1 x 5"}, {"1 x 2", 2, 3}},
              [&](const Arrays& x) {
                DlArray y = x[0];
                op(y, x[1]);
                return y;
              },
              [&](const std::vector<Plain>& x) {
                Numbers y = x[0].values;
                reference(y, x[1].values);
                return y;
              },
              "1 x 5"});
  };
  row(
      "write a sum", [](DlArray& x, const DlArray& v) { x(span(1, 2)) += v; },
      [](Numbers& x, const Numbers& v) { x[1] += v[0], x[2] += v[1]; });
  row(
      "write a product",
      [](DlArray& x, const DlArray& v) {
        x({0, 4}) %= v;
      },
      [](Numbers& x, const Numbers& v) { x[0] *= v[0], x[4] *= v[1]; });
  row(
      "write a quotient",
      [](DlArray& x, const DlArray& v) {
        x({0, 4}) /= v;
      },
      [](Numbers& x, const Numbers& v) { x[0] /= v[0], x[4] /= v[1]; });
  row(
      "write a scaled part", [](DlArray& x, const DlArray& v) { x(span(3, 4)) *= v(0); },
      [](Numbers& x, const Numbers& v) { x[3] *= v[0], x[4] *= v[0]; });
  row(
      "write what was just written",
      [](DlArray& x, const DlArray& v) {
        x(0) = x(1) * v(0);
        x(1) = x(0) * x(0);
        x(2) -= x(1);
      },
      [](Numbers& x, const Numbers& v) { x[0] = x[1] * v[0], x[1] = x[0] * x[0], x[2] -= x[1]; });
}
