#include "harness/row.hpp"

namespace dl::test {

namespace {

// More than a vector register of either precision with a rest, labelled and not, a scalar, nothing.
const char* const shapes[] = {"1 x 1", "19 x 1", "3 x 4", "1(C) x 1(B)", "2(S) x 3(C) x 2(B)", "0 x 3"};

// Equal shapes, scalars on either side, rows with columns, the same labels, labels of which one array has more, labels that
// neither shares, repeated labels, a labelled array with an unlabelled one of fewer and of more dimensions, nothing.
const char* const pairs[][2] = {{"1 x 1", "1 x 1"},
                                {"19 x 1", "19 x 1"},
                                {"3 x 4", "1 x 1"},
                                {"1 x 1", "3(C) x 4(B)"},
                                {"3 x 1", "1 x 4"},
                                {"2 x 1 x 3", "1 x 4 x 3"},
                                {"3(C) x 5(B)", "3(C) x 5(B)"},
                                {"2(S) x 3(C) x 2(B)", "3(C) x 1(U)"},
                                {"4(S) x 1(U)", "3(C) x 1(U)"},
                                {"2(S) x 3(C) x 2(B)", "2(S) x 3(S) x 3(C) x 2(T)"},
                                {"1(C) x 1(B)", "2(S) x 3(U)"},
                                {"3(C) x 5(B)", "3 x 1"},
                                {"2 x 3 x 2", "2(S) x 3(B)"},
                                {"0 x 3", "1 x 3"}};

}  // namespace

std::vector<Row> elementwise(const std::string& name, const std::function<DlArray(const DlArray&)>& op,
                             const std::function<double(double)>& reference, double low, double high, int order) {
  std::vector<Row> rows;
  for (const char* shape : shapes)
    rows.push_back({name + " of " + shape,
                    {{shape, low, high}},
                    [op](const Arrays& x) { return op(x[0]); },
                    [reference](const std::vector<Plain>& x) { return each(x[0], reference); },
                    shape,
                    order});
  return rows;
}

std::vector<Row> expanding(const std::string& name, const std::function<DlArray(const DlArray&, const DlArray&)>& op,
                           const std::function<double(double, double)>& reference, double low, double high, int order) {
  std::vector<Row> rows;
  for (const auto& [a, b] : pairs) {
    Plain pa = parse(a), pb = parse(b);
    pa.values.resize(static_cast<std::size_t>(numel(pa.size)));
    pb.values.resize(static_cast<std::size_t>(numel(pb.size)));
    rows.push_back({name + " of " + a + " and " + b,
                    {{a, low, high}, {b, low, high}},
                    [op](const Arrays& x) { return op(x[0], x[1]); },
                    [reference](const std::vector<Plain>& x) { return expand(x[0], x[1], reference).values; },
                    text(expand(pa, pb, reference)),
                    order});
  }
  return rows;
}

std::vector<Row> asking(const std::string& name, const std::function<DlArray(const DlArray&)>& op,
                        const std::function<bool(double)>& reference, const Numbers& values) {
  const std::string column = std::to_string(values.size()) + " x 1", labelled = "1(S) x " + std::to_string(values.size()) + "(B)";
  std::vector<Row> rows;
  for (const std::string& shape : {column, labelled})
    rows.push_back({name + " of " + shape,
                    {{shape.c_str(), values}},
                    [op](const Arrays& x) { return op(x[0]); },
                    [reference](const std::vector<Plain>& x) { return each(x[0], reference); },
                    shape + " logical",
                    0});
  return rows;
}

std::vector<Row> asking(const std::string& name, const std::function<DlArray(const DlArray&, const DlArray&)>& op,
                        const std::function<bool(double, double)>& reference) {
  std::vector<Row> rows = expanding(name, op, reference, -2, 2, 0);
  for (Row& row : rows) row.expect += " logical";
  const Numbers a{0, 0, 1, 1, -2, 3, 0.5, -0.0, 7}, b{0, 1, 0, 1, -2, -3, 0.5, 0.0, 8};
  rows.push_back({name + " of equal and unequal numbers",
                  {{"9 x 1", a}, {"9 x 1", b}},
                  [op](const Arrays& x) { return op(x[0], x[1]); },
                  [reference](const std::vector<Plain>& x) { return expand(x[0], x[1], reference).values; },
                  "9 x 1 logical",
                  0});
  return rows;
}

}  // namespace dl::test
