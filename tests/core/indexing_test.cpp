// Reading and writing elements: what is read, its size and labels, and how values are taken.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>

using namespace dl;
using namespace dl::test;

namespace {

// 0, 1, 2, ... in column-major order.
DlArray counted(const char* shape) {
  Plain p = parse(shape);
  for (Index k = 0; k < numel(p.size); ++k) p.values.push_back(static_cast<double>(k));
  return array(p);
}

// "1 x 3: 0 3 6"
std::string seen(const DlArray& x) {
  std::string text = test::text(x) + ":";
  for (double v : extractdata<Numbers>(x)) text.append(" ").append(std::to_string(static_cast<int>(v)));
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(numbers_and_end) {
  const DlArray m = counted("3 x 4"), t = counted("2 x 3 x 4");
  BOOST_TEST(seen(m(5)) == "1 x 1: 5");
  BOOST_TEST(seen(m(2, 1)) == "1 x 1: 5");
  BOOST_TEST(seen(m(end)) == "1 x 1: 11");
  BOOST_TEST(seen(m(end, 0)) == "1 x 1: 2");
  BOOST_TEST(seen(m(end - 1, end - 2)) == "1 x 1: 4");
  BOOST_TEST(seen(t(1, 2, 3)) == "1 x 1: 23");
  BOOST_TEST(seen(t(1, 11)) == "1 x 1: 23", "the last subscript runs over all remaining dimensions");
  BOOST_TEST(seen(m(1, 1, 0)) == "1 x 1: 4", "more subscripts than dimensions");
  BOOST_TEST(double(m(1, 2)) == 7);
  BOOST_TEST(int(m(std::size_t{1}, 2U)) == 7);
}

BOOST_AUTO_TEST_CASE(spans_include_both_ends) {
  const DlArray m = counted("3 x 4"), row = counted("1 x 6"), column = counted("6 x 1");
  BOOST_TEST(seen(m(span(0, 1), span(1, 2))) == "2 x 2: 3 4 6 7");
  BOOST_TEST(seen(m(span(1, end), 3)) == "2 x 1: 10 11");
  BOOST_TEST(seen(m(0, span(end - 1, end))) == "1 x 2: 6 9");
  BOOST_TEST(seen(row(span(0, 2, end))) == "1 x 3: 0 2 4");
  BOOST_TEST(seen(row(span(end, -1, 0))) == "1 x 6: 5 4 3 2 1 0");
  BOOST_TEST(seen(column(span(4, -2, 1))) == "2 x 1: 4 2");
  BOOST_TEST(seen(row(span(3, 2))) == "1 x 0:");
  BOOST_TEST(seen(row(span(end + 1, end))) == "1 x 0:", "an empty range may lie outside");
  BOOST_TEST(seen(m(span(2, 5))) == "1 x 4: 2 3 4 5");
}

BOOST_AUTO_TEST_CASE(all_of_a_dimension_and_all_of_the_array) {
  const DlArray m = counted("2 x 3");
  BOOST_TEST(seen(m(all, 1)) == "2 x 1: 2 3");
  BOOST_TEST(seen(m(1, all)) == "1 x 3: 1 3 5");
  BOOST_TEST(seen(m(all, all)) == "2 x 3: 0 1 2 3 4 5");
  BOOST_TEST(seen(m(all)) == "6 x 1: 0 1 2 3 4 5");
  BOOST_TEST(seen(counted("1 x 3")(all)) == "3 x 1: 0 1 2");
  BOOST_TEST(seen(counted("2 x 3 x 2")(all, 4)) == "2 x 1: 8 9");
  BOOST_TEST(seen(counted("2 x 3 x 2")(all, all)) == "2 x 6: 0 1 2 3 4 5 6 7 8 9 10 11");
}

BOOST_AUTO_TEST_CASE(lists_of_positions) {
  const DlArray m = counted("3 x 4"), row = counted("1 x 6"), column = counted("6 x 1");
  BOOST_TEST(seen(m({2, 0}, all)) == "2 x 4: 2 0 5 3 8 6 11 9");
  BOOST_TEST(seen(m({1, 1}, {end, 0})) == "2 x 2: 10 10 1 1");
  BOOST_TEST(seen(row({0, 2, 5})) == "1 x 3: 0 2 5");
  BOOST_TEST(seen(column({0, 2, 5})) == "3 x 1: 0 2 5");
  BOOST_TEST(seen(row(dlarray({{4}, {0}}))) == "1 x 2: 4 0", "a list on a vector keeps the vector's direction");
  BOOST_TEST(seen(m(dlarray({{0, 1}, {2, 11}}))) == "2 x 2: 0 2 1 11", "a matrix of positions gives its own form");
  BOOST_TEST(seen(m(dlarray({{3}, {4}}))) == "2 x 1: 3 4");
  BOOST_TEST(seen(m(dlarray({3.0, 4.0}))) == "1 x 2: 3 4");
  BOOST_TEST(seen(m({3, 4})) == "1 x 2: 3 4");
  BOOST_TEST(seen(row(std::vector<Index>{5, 5, 1})) == "1 x 3: 5 5 1");
  BOOST_TEST(seen(row(std::vector<Index>{})) == "1 x 0:");
  const auto [values, positions] = sort<2>(dlarray({3.0, 1.0, 2.0}));
  BOOST_TEST(seen(dlarray({3.0, 1.0, 2.0})(positions)) == "1 x 3: 1 2 3");
}

BOOST_AUTO_TEST_CASE(masks) {
  const DlArray m = counted("3 x 4"), row = counted("1 x 6"), column = counted("6 x 1"), labelled = counted("3(C) x 4(B)");
  BOOST_TEST(seen(m(m > 8)) == "3 x 1: 9 10 11", "a mask on a matrix gives a column");
  BOOST_TEST(seen(row(row > 3)) == "1 x 2: 4 5");
  BOOST_TEST(seen(column(column > 3)) == "2 x 1: 4 5");
  BOOST_TEST(seen(row(row > 9)) == "1 x 0:");
  BOOST_TEST(seen(m(m > 99)) == "0 x 1:");
  BOOST_TEST(seen(labelled(labelled > 9)) == "2 x 1: 10 11");
  BOOST_TEST(seen(m(dlarray({true, false, true}), 0)) == "2 x 1: 0 2");
  BOOST_TEST(seen(m(all, m(0, all) > 2)) == "3 x 3: 3 4 5 6 7 8 9 10 11");
  BOOST_TEST(seen(row(dlarray({false, true}))) == "1 x 1: 1", "a mask may be shorter");
  BOOST_TEST(seen(DlArray(7)(DlArray(true))) == "1 x 1: 7");
}

BOOST_AUTO_TEST_CASE(labels_of_what_is_read) {
  const DlArray x = counted("2(S) x 3(C) x 4(B)");
  BOOST_TEST(seen(x(1, 2, 3)) == "1(S) x 1(C) x 1(B): 23");
  BOOST_TEST(seen(x(all, 0, 0)) == "2(S) x 1(C) x 1(B): 0 1");
  BOOST_TEST(seen(x(0, {2, 0}, span(0, 1))) == "1(S) x 2(C) x 2(B): 4 0 10 6");
  BOOST_TEST(text(x(all, all, all, 0)) == "2(S) x 3(C) x 4(B)", "trailing U");
  BOOST_TEST(seen(x(1, 5)) == "1 x 1: 11", "fewer subscripts than dimensions: unlabelled");
  BOOST_TEST(seen(x(23)) == "1 x 1: 23");
  BOOST_TEST(seen(counted("3(C) x 5(B)")(1, all)) == "1(C) x 5(B): 1 4 7 10 13");
  BOOST_TEST(seen(counted("3(C) x 1(U)")(1, 0)) == "1(C) x 1(U): 1");
  BOOST_TEST(seen(counted("3(C) x 1(U)")(1)) == "1 x 1: 1");
  BOOST_TEST(seen(counted("3(C) x 5(B)")(1, 2)) == "1(C) x 1(B): 7");
}

BOOST_AUTO_TEST_CASE(many_subscripts) {
  const DlArray x = counted("2 x 1 x 3 x 1 x 2 x 2");
  BOOST_TEST(seen(x(1, 0, 2, 0, 1, 1)) == "1 x 1: 23");
  BOOST_TEST(seen(x(all, 0, 0, 0, 0, 1)) == "2 x 1: 12 13");
  DlArray y = x;
  y(0, 0, 0, 0, 0, 0) = 50;
  y(1, 0, span(1, 2), 0, 0, 1) = 60;
  BOOST_TEST(double(y(0)) == 50);
  BOOST_TEST(double(y(15)) == 60);
  BOOST_TEST(double(y(17)) == 60);
}

BOOST_AUTO_TEST_CASE(writing_places_of_all_kinds) {
  DlArray x = counted("3 x 4");
  x(0) = -1;
  x(2, 3) = -2;
  x(end, 0) = -3;
  x(all, 1) = dlarray({{10}, {20}, {30}});
  x(1, span(2, 3)) = dlarray({{40}, {50}});  // two values, a row or a column
  BOOST_TEST(seen(x) == "3 x 4: -1 1 -3 10 20 30 6 40 8 9 50 -2");
  x({0, 2}, {0, 3}) = dlarray({{1, 2}, {3, 4}});
  x(x > 20) = 0;
  BOOST_TEST(seen(x) == "3 x 4: 1 1 3 10 20 0 6 0 8 2 0 4");
  x(dlarray({0.0, 11.0})) = dlarray({7.0, 8.0});
  x(span(3, 5)) = 5;
  BOOST_TEST(seen(x) == "3 x 4: 7 1 3 5 5 5 6 0 8 2 0 8");
  x(all) = 1;
  x(span(4, 3)) = 9;
  BOOST_TEST(seen(x) == "3 x 4: 1 1 1 1 1 1 1 1 1 1 1 1");
}

BOOST_AUTO_TEST_CASE(one_value_for_several_places) {
  DlArray x = counted("2 x 3");
  x(0) = x(1, 2) = 7;
  BOOST_TEST(seen(x) == "2 x 3: 7 1 2 3 4 7");
  x(span(1, 2)) = x(3) = x(4);
  BOOST_TEST(seen(x) == "2 x 3: 7 4 4 4 4 7");
  DlArray s = single_(x);
  x(0) = s(0) = 0.1;  // what is written is what the place to the right holds
  BOOST_TEST(double(x(0)) == double(0.1f));
  const auto f = [](DlArray v) {
    const DlArray u = v(2);
    v(0) = v(1) = u * u;
    return dlgradient(sum(v), u);
  };
  BOOST_TEST(double(dlfeval(f, dlarray({1.0, 2.0, 3.0}))) == 12);
}

BOOST_AUTO_TEST_CASE(of_repeated_positions_the_last_counts) {
  DlArray x = counted("1 x 4");
  x({2, 2, 2}) = dlarray({7.0, 8.0, 9.0});
  x({0, 0}) = 5;
  BOOST_TEST(seen(x) == "1 x 4: 5 1 9 3");
  x({1, 1}) += 10;
  BOOST_TEST(seen(x) == "1 x 4: 5 11 9 3", "as in MATLAB, not twice");
}

BOOST_AUTO_TEST_CASE(a_written_array_keeps_labels_size_and_type) {
  DlArray labelled = counted("3(C) x 2(B)"), single = single_(counted("1 x 3")), truth = counted("1 x 3") > 1;
  labelled(all, 1) = dlarray({1.0, 2.0, 3.0}, "T");
  BOOST_TEST(seen(labelled) == "3(C) x 2(B): 0 1 2 1 2 3");
  single(1) = 0.1;
  BOOST_TEST((underlyingType(single) == Type::Single));
  BOOST_TEST(double(single(1)) == double(0.1F));
  truth(0) = 5;
  BOOST_TEST((underlyingType(truth) == Type::Logical));
  BOOST_TEST(seen(truth) == "1 x 3: 1 0 1");
}

BOOST_AUTO_TEST_CASE(arrays_do_not_grow) {
  DlArray x = counted("1 x 3");
  BOOST_TEST(mistake([&] { x(3) = 1; }).identifier == "dlarray:index:range");
  BOOST_TEST(mistake([&] { x(0, 0, 1) = 1; }).identifier == "dlarray:index:range");
  BOOST_TEST(mistake([&] { x(end + 1) = 1; }).identifier == "dlarray:index:range");
  BOOST_TEST(seen(x) == "1 x 3: 0 1 2");
}

BOOST_AUTO_TEST_CASE(parts_of_parts) {
  DlArray x = counted("3 x 4");
  BOOST_TEST(seen(x(all, span(1, 2))(2, 0)) == "1 x 1: 5");
  BOOST_TEST(double(x(1, all)(end)) == 10);
  const DlArray part = x(span(0, 1), all)(0, all);
  BOOST_TEST(seen(part) == "1 x 4: 0 3 6 9");
}

BOOST_AUTO_TEST_CASE(elements_in_conditions_and_arithmetic) {
  DlArray x = dlarray({1.0, -2.0, 3.0});
  if (x(0) > 0 && x(1) < 0) x(2) = 4;
  BOOST_TEST(double(x(0) + x(1) * x(2)) == -7);
  BOOST_TEST(bool(x(0) != x(1)));
  BOOST_TEST(double(-x(2)) == -4);
  BOOST_TEST(double(max(x(0), x(1))) == 1);
  BOOST_TEST(double(2 * x(0) - 1) == 1);
  const double plain = double(x(2)) + 1;
  BOOST_TEST(plain == 5);
  BOOST_TEST(!bool(!x(0)));
}
