#pragma once
// One row, six checks. A row names an operation, its inputs and what a naive computation says; the harness compares
//   1 the values, in and out of a trace           4 eager with accelerated
//   2 size, labels and type                       5 single with double
//   3 derivatives of the orders asked for         6 the GPU, where there is one, with the CPU
// and that the operation leaves its inputs alone.
#include "harness/plain.hpp"

namespace dl::test {

using Arrays = std::vector<DlArray>;

/// An input of a row: its size and labels as "3(C) x 7(B)", and a range for its values or the values.
struct Input {
  Input(const char* shape, double lowest = -1, double highest = 1) : plain(parse(shape)), low(lowest), high(highest) {}
  Input(const char* shape, Numbers values) : plain(parse(shape)) { plain.values = std::move(values); }

  Plain plain;
  double low = 0, high = 0;
  Type type = Type::Double;
  bool constant = false;
};
/// An input that nothing is differentiated by, and that keeps its type when single is compared with double.
Input constant(Input input);
/// A constant of logical type.
Input logical(const char* shape, Numbers values);

struct Row {
  std::string name;  // begins with the function's name
  std::vector<Input> inputs;
  std::function<DlArray(const Arrays& x)> op;
  std::function<Numbers(const std::vector<Plain>& x)> reference;
  std::string expect;        // "1(C) x 7(B)"; "2 x 3 logical" or "2 x 3 double" where the type is not that of the inputs
  int order = 2;             // derivatives up to this order are checked
  double tolerance = 1e-12;  // of values in double, relative to the larger of 1 and the value
};

/// What is wrong, a sentence for each: row, check, both numbers. None when all is right.
std::vector<std::string> mistakesOf(const Row& row);
/// Reports the mistakes to the test framework.
void check(const Row& row);
void check(const std::vector<Row>& rows);

using ScalarFunction = std::function<DlArray(const Arrays& x)>;
/// Compares the derivative of a traced scalar function in some direction with central differences; then does the same with that
/// derivative, up to `order`. `varied` tells for each input whether it is varied.
void checkDerivatives(const ScalarFunction& f, const Arrays& x, const std::vector<bool>& varied, int order,
                      const std::function<void(const std::string& sentence)>& report);

/// Rows for a function of each element, on sizes and labels of all kinds.
std::vector<Row> elementwise(const std::string& name, const std::function<DlArray(const DlArray&)>& op,
                             const std::function<double(double)>& reference, double low = -2, double high = 2, int order = 2);
/// Rows for a function of two arrays with implicit expansion; `logical` when it answers a question.
std::vector<Row> expanding(const std::string& name, const std::function<DlArray(const DlArray&, const DlArray&)>& op,
                           const std::function<double(double, double)>& reference, double low = -2, double high = 2,
                           int order = 2);
/// Rows for questions about one and two arrays.
std::vector<Row> asking(const std::string& name, const std::function<DlArray(const DlArray&)>& op,
                        const std::function<bool(double)>& reference, const Numbers& values);
std::vector<Row> asking(const std::string& name, const std::function<DlArray(const DlArray&, const DlArray&)>& op,
                        const std::function<bool(double, double)>& reference);

}  // namespace dl::test
