// The harness finds mistakes: rows that are wrong in one respect each.
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace dl;
using namespace dl::test;

namespace {

Row right() {
  return {"square of a labelled array",
          {{"3(C) x 7(B)", 0.5, 2}},
          [](const Arrays& x) { return x[0] % x[0]; },
          [](const std::vector<Plain>& x) { return each(x[0], [](double v) { return v * v; }); },
          "3(C) x 7(B)",
          3};
}

// True when each mistake of the row mentions one of the words, and there is one.
bool onlyMentions(const Row& row, const std::vector<std::string>& words) {
  const auto mistakes = mistakesOf(row);
  bool all = !mistakes.empty();
  for (const std::string& m : mistakes) {
    bool one = false;
    for (const std::string& word : words) one = one || m.find(word) != std::string::npos;
    all = all && one && m.starts_with(row.name + ": ");
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_right_row_has_no_mistakes) {
  for (const std::string& mistake : mistakesOf(right())) BOOST_ERROR(mistake);
}

BOOST_AUTO_TEST_CASE(a_wrong_value_is_found) {
  Row row = right();
  row.reference = [](const std::vector<Plain>& x) { return each(x[0], [](double v) { return v * v + 1e-9; }); };
  BOOST_TEST(onlyMentions(row, {"value: element 0 is "}));
  row.reference = [](const std::vector<Plain>&) { return Numbers{1}; };
  BOOST_TEST(onlyMentions(row, {"value: 21 numbers, not 1"}));
}

BOOST_AUTO_TEST_CASE(wrong_labels_sizes_and_types_are_found) {
  Row row = right();
  row.op = [](const Arrays& x) { return stripdims(x[0] % x[0]); };
  BOOST_TEST(onlyMentions(row, {"size: 3 x 7, not 3(C) x 7(B)"}));
  row = right();
  row.expect = "3(C) x 7(B) logical";
  BOOST_TEST(onlyMentions(row, {"type: double, not logical", "type: single, not logical"}));
  row = right();
  row.op = [](const Arrays& x) { return double_(x[0] % x[0]); };
  BOOST_TEST(onlyMentions(row, {"type: double, not single"}));
}

BOOST_AUTO_TEST_CASE(a_wrong_gradient_is_found) {
  Row row = right();
  row.op = [](const Arrays& x) {
    return x[0] % dlarray(data<double>(double_(x[0])), size(x[0]), "CB");
  };  // half of the product is cut off
  BOOST_TEST(onlyMentions(row, {"derivative: ", "derivative with the gradient recorded: ", "type: ", "single gradient"}));
  BOOST_TEST(!onlyMentions(row, {"type: ", "single gradient"}));
}

BOOST_AUTO_TEST_CASE(a_wrong_second_derivative_is_found) {
  Row row = right();
  // The backward function is not differentiable: the gradient is right, its derivative is not.
  const auto square = customFunction([](const DlArray& x) { return x % x; },
                                     [](const DlArray& g, const DlArray&, const DlArray& x) {
                                       const Plain p = plain(2 * g % x);
                                       return array(p, underlyingType(x)) + 0 * g;
                                     });
  row.op = [square](const Arrays& x) { return square(x[0]); };
  row.order = 1;
  BOOST_TEST(mistakesOf(row).empty());
  row.order = 2;
  BOOST_TEST(onlyMentions(row, {"derivative of the derivative"}));
}

BOOST_AUTO_TEST_CASE(an_operation_that_changes_its_input_is_found) {
  Row row = right();
  row.op = [](const Arrays& x) {
    const DlArray y = x[0] % x[0];
    const_cast<DlArray&>(x[0])(0) = 5;
    return y;
  };
  BOOST_TEST(!mistakesOf(row).empty());
  BOOST_TEST(mistakesOf(row)[0] == "square of a labelled array: input 0: changed by the operation");
}

BOOST_AUTO_TEST_CASE(an_operation_that_throws_is_reported) {
  Row row = right();
  row.op = [](const Arrays& x) { return x[0] + dlarray(Numbers(4), Size{4, 1}, "C"); };
  BOOST_TEST(onlyMentions(row, {"threw \"plus: "}));
}

BOOST_AUTO_TEST_CASE(shapes_are_written_as_they_are_read) {
  for (const char* shape : {"3(C) x 7(B)", "1 x 1", "2 x 3 x 4", "2(S) x 0(S) x 1(T)"}) BOOST_TEST(text(parse(shape)) == shape);
  BOOST_TEST(text(dlarray(Numbers(12), Size{1, 3, 4}, "TSB")) == "3(S) x 4(B) x 1(T)");
}

BOOST_AUTO_TEST_CASE(naive_references_agree_with_hand_computed_numbers) {
  const Plain x{Size{2, 3}, "", {1, 2, 3, 4, 5, 6}};
  const auto total = [](const Numbers& v) {
    double sum = 0;
    for (double s : v) sum += s;
    return sum;
  };
  BOOST_TEST(reduce(x, {0}, total) == (Numbers{3, 7, 11}));
  BOOST_TEST(reduce(x, {1}, total) == (Numbers{9, 12}));
  BOOST_TEST(reduce(x, {0, 1}, total) == (Numbers{21}));
  BOOST_TEST(along(x, 1, [](const Numbers& v) { return Numbers{v[2], v[0]}; }) == (Numbers{5, 6, 1, 2}));
  BOOST_TEST(pick(x, {{1, 1}, {0, 2}}) == (Numbers{2, 2, 6, 6}));
  BOOST_TEST(permuted(x, {1, 0}) == (Numbers{1, 3, 5, 2, 4, 6}));
  BOOST_TEST(product(x, {Size{3, 1}, "", {1, 0, 2}}) == (Numbers{11, 14}));
  const Plain y = expand({Size{2, 1}, "SU", {1, 2}}, {Size{2, 1}, "CU", {10, 20}}, [](double a, double b) { return a + b; });
  BOOST_TEST(text(y) == "2(S) x 2(C)");
  BOOST_TEST(y.values == (Numbers{11, 12, 21, 22}));
}
