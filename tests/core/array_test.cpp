// DlArray is a value: copies share until one is written to, and nothing changes behind a copy's back.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include "core/storage.hpp"

#include <boost/test/unit_test.hpp>
#include <optional>
#include <cmath>

using namespace dl;
using namespace dl::test;

namespace {

DlArray counted(const char* shape) {
  Plain p = parse(shape);
  for (Index k = 0; k < numel(p.size); ++k) p.values.push_back(static_cast<double>(k));
  return array(p);
}

const double* address(const DlArray& x) { return data<double>(x); }

}  // namespace

BOOST_AUTO_TEST_CASE(an_optional_number_is_one_or_none) {
  OptionalNumber x;
  BOOST_TEST((!x && !x.has_value() && x.value_or(3) == 3));
  BOOST_CHECK_THROW(x.value(), Error);
  x = 2;
  BOOST_TEST((x && *x == 2 && x.value() == 2 && x == OptionalNumber(2) && !(x == OptionalNumber())));
  x = std::optional<int>(5);
  BOOST_TEST(*x == 5);
  x = std::optional<double>();
  BOOST_TEST(!x);
  x = 1;
  x = {};
  BOOST_TEST(!x);
}

BOOST_AUTO_TEST_CASE(copies_share_until_one_is_written) {
  const DlArray x = counted("20 x 30");
  DlArray y = x, z;
  z = y;
  BOOST_TEST(address(y) == address(x));
  BOOST_TEST(address(z) == address(x));
  y(3) = -1;
  BOOST_TEST(address(y) != address(x));
  BOOST_TEST(address(z) == address(x));
  BOOST_TEST(double(x(3)) == 3);
  BOOST_TEST(double(y(3)) == -1);
  BOOST_TEST(double(z(3)) == 3);
}

BOOST_AUTO_TEST_CASE(an_array_that_nobody_shares_is_written_in_place) {
  DlArray x = counted("20 x 30");
  const double* before = address(x);
  x(0) = 5;
  x(all, 2) = 7;
  x(x > 500) = 0;
  x(span(2, 4), {1, 3}) = 1;
  BOOST_TEST(address(x) == before);
  DlArray moved = std::move(x);
  BOOST_TEST(address(moved) == before);
}

BOOST_AUTO_TEST_CASE(reshaping_and_relabelling_share_the_elements) {
  const DlArray x = counted("20 x 30");
  DlArray y = reshape(x, 30, 20), z = dlarray(x, "CB"), w = stripdims(z);
  BOOST_TEST(address(y) == address(x));
  BOOST_TEST(address(z) == address(x));
  BOOST_TEST(address(w) == address(x));
  y(1) = -1;
  z(2) = -2;
  w(3) = -3;
  BOOST_TEST(isequal(x, counted("20 x 30")));
}

BOOST_AUTO_TEST_CASE(what_an_index_expression_gives_is_a_value) {
  DlArray x = counted("3 x 4");
  auto element = x(0);
  auto column = x(all, 1);
  const auto part = x(span(0, 1), span(0, 1));
  x(0) = 5;
  x(all, 1) = -1;
  BOOST_TEST(double(element) == 0);
  BOOST_TEST(difference(column, {3, 4, 5}) == "");
  BOOST_TEST(difference(part, {0, 1, 3, 4}) == "");
  BOOST_TEST(double(x(0)) == 5);
}

BOOST_AUTO_TEST_CASE(writing_to_a_kept_element_changes_it_alone) {
  DlArray x = counted("3 x 4");
  auto element = x(1);
  element = 40.0;
  BOOST_TEST(double(element) == 40);
  BOOST_TEST(double(x(1)) == 1);
  element += 2;
  element *= 3;
  element -= 6;
  element /= 4;
  element %= 2;
  BOOST_TEST(double(element) == 60);
  BOOST_TEST(double(x(1)) == 1);
  auto sum = x(0);
  for (int i = 1; i < 4; ++i) sum += x(i);
  BOOST_TEST(double(sum) == 6);
  BOOST_TEST(double(x(0)) == 0);
}

BOOST_AUTO_TEST_CASE(writing_through_an_index_changes_no_copy) {
  DlArray x = counted("3 x 4");
  const DlArray copy = x;
  const std::vector<DlArray> inside{x, x};
  x(2) += 10;
  x(all, 0) *= 2;
  x(span(0, 1), 3) /= 3;
  x({1, 2}, 1) %= dlarray({{3}, {5}});
  x(x > 1000) -= 1;
  BOOST_TEST(difference(x, {0, 2, 24, 3, 12, 25, 6, 7, 8, 3, 10.0 / 3, 11}) == "");
  BOOST_TEST(isequal(copy, counted("3 x 4")));
  BOOST_TEST(isequal(inside[0], copy));
}

BOOST_AUTO_TEST_CASE(the_right_side_is_read_before_the_left_is_written) {
  DlArray x = dlarray({1.0, 2.0, 3.0, 4.0});
  x(0) = x(1);
  x(span(1, 3)) = x(span(0, 2));
  BOOST_TEST(difference(x, {2, 2, 2, 3}) == "");
  x(0) = sum(x);
  x(all) = x * 2;
  BOOST_TEST(difference(x, {18, 4, 4, 6}) == "");
  const DlArray before = x;
  x({0, 3}) = x({3, 0});
  BOOST_TEST(difference(x, {6, 4, 4, 18}) == "");
  BOOST_TEST(difference(before, {18, 4, 4, 6}) == "");
}

BOOST_AUTO_TEST_CASE(temporaries_give_their_memory_and_named_arrays_do_not) {
  const DlArray x = counted("20 x 30"), y = x + 1;
  DlArray z = exp(-(x % y) + x) / 2;
  BOOST_TEST(double(x(7)) == 7);
  BOOST_TEST(double(y(7)) == 8);
  BOOST_TEST(double(z(0)) == 0.5);
  DlArray a = x;
  const DlArray shared = a;
  DlArray b = std::move(a) + 1;  // shared: its memory is not to be used
  BOOST_TEST(double(shared(5)) == 5);
  BOOST_TEST(double(b(5)) == 6);
}

BOOST_AUTO_TEST_CASE(compound_assignment_changes_no_copy) {
  DlArray x = counted("1 x 20");
  const DlArray copy = x;
  x += 1;
  x %= x;
  x /= 2;
  x -= x(0);
  x *= 4;
  BOOST_TEST(double(x(3)) == 4 * (8 - 0.5));
  BOOST_TEST(isequal(copy, counted("1 x 20")));
  x += x;
  BOOST_TEST(double(x(3)) == 60);
}

BOOST_AUTO_TEST_CASE(an_array_may_be_assigned_to_itself) {
  DlArray x = counted("3 x 4");
  const DlArray& same = x;
  x = same;
  x(all, all) = same;
  BOOST_TEST(isequal(x, counted("3 x 4")));
}

BOOST_AUTO_TEST_CASE(the_default_array_is_empty_and_usable) {
  const DlArray x;
  BOOST_TEST((size(x) == Size{0, 0}));
  BOOST_TEST(numel(x) == 0);
  BOOST_TEST((underlyingType(x) == Type::Double));
  BOOST_TEST(dims(x) == "");
  BOOST_TEST(isempty(x + 1));
  BOOST_TEST(isequal(x, DlArray()));
  BOOST_TEST(mistake([&] { x(0); }).identifier == "dlarray:index:range");
  DlArray moved = x, from = std::move(moved);
  BOOST_TEST(isempty(moved));  // NOLINT: a moved-from array is the empty one
}

BOOST_AUTO_TEST_CASE(questions_about_size) {
  const DlArray x = counted("2(S) x 3(S) x 4(C) x 1(B)");
  BOOST_TEST((size(x) == Size{2, 3, 4, 1}));
  BOOST_TEST(ndims(x) == 4);
  BOOST_TEST(size(x, 2) == 4);
  BOOST_TEST(size(x, 9) == 1);
  BOOST_TEST(size(x, "C") == 4);
  BOOST_TEST((size(x, finddim(x, 'S')) == Size{2, 3}));
  BOOST_TEST(finddim(x, 'T').empty());
  BOOST_TEST(finddim(stripdims(x), 'S').empty());
  BOOST_TEST((finddim(x, "S") == std::vector<Index>{0, 1}));
  BOOST_TEST(length(x) == 4);
  BOOST_TEST(numel(x) == 24);
  BOOST_TEST(!isvector(x));
  for (const char* column : {"3 x 1", "3(C) x 1(U)", "3(S) x 1(C) x 1(B)"})
    BOOST_TEST((iscolumn(counted(column)) && isvector(counted(column)) && !isrow(counted(column))), column);
  BOOST_TEST((isrow(counted("1 x 3")) && ismatrix(counted("1 x 3"))));
  BOOST_TEST(!isvector(counted("1 x 1 x 3")));
  BOOST_TEST(!ismatrix(counted("1 x 1 x 3")));
  BOOST_TEST(ismatrix(counted("3(S) x 4(C) x 1(B)")));
  BOOST_TEST((isscalar(counted("1(C) x 1(B)")) && isrow(counted("1 x 1")) && iscolumn(counted("1 x 1"))));
  BOOST_TEST(isdlarray(x));
  BOOST_TEST(!isdlarray(3.0));
}

BOOST_AUTO_TEST_CASE(a_size_is_a_list_of_numbers) {
  Size s{2, 3, 4};
  BOOST_TEST(s.size() == 3U);
  BOOST_TEST(s[1] == 3);
  BOOST_TEST(numel(s) == 24);
  BOOST_TEST(toString(s) == "2 x 3 x 4");
  Index product = 1;
  for (Index n : s) product *= n;
  BOOST_TEST(product == 24);
  const Size copy = s;
  for (Index n = 5; n <= 17; ++n) s.push_back(n);
  BOOST_TEST(s.size() == 16U);
  BOOST_TEST(s[15] == 17);
  BOOST_TEST((copy == Size{2, 3, 4}));
  Size t = s;
  BOOST_TEST((t == s));
  t.resize(3);
  BOOST_TEST((t == copy));
  t.resize(5);
  BOOST_TEST((t == Size{2, 3, 4, 1, 1}));
  t = copy;
  BOOST_TEST((t == copy));
  const Size moved = std::move(s);
  BOOST_TEST(moved.size() == 16U);
  BOOST_TEST(mistake([&] {
               Size full = moved;
               full.push_back(1);
             }).sentence == "size: 17 dimensions; an array can have at most 16");
  BOOST_TEST((Size(std::vector<Index>{2, 3}) == Size{2, 3}));
  BOOST_TEST((Size{} == Size()));
  BOOST_TEST(!(Size{2, 3} == Size{2, 3, 1}));
}

BOOST_AUTO_TEST_CASE(equality_of_arrays) {
  const double nan = std::nan("");
  const DlArray x = counted("2 x 3");
  BOOST_TEST(isequal(x, counted("2 x 3")));
  BOOST_TEST(!isequal(x, counted("3 x 2")));
  BOOST_TEST(!isequal(x, x + 1));
  BOOST_TEST(!isequal(x, dlarray(x, "CB")));
  BOOST_TEST(!isequal(dlarray(x, "SB"), dlarray(x, "CB")));
  BOOST_TEST(isequal(x, single_(x)));
  BOOST_TEST(!isequal(dlarray({1.0, nan}), dlarray({1.0, nan})));
  BOOST_TEST(isequaln(dlarray({1.0, nan}), dlarray({1.0, nan})));
  BOOST_TEST(!isequaln(dlarray({1.0, nan}), dlarray({nan, 1.0})));
  BOOST_TEST(isequal(3, DlArray(3)));
}

BOOST_AUTO_TEST_CASE(types_are_compared_by_name_and_value) {
  BOOST_TEST((underlyingType(counted("2 x 2")) == "double"));
  BOOST_TEST((underlyingType(single_(counted("2 x 2"))) == "single"));
  BOOST_TEST((underlyingType(counted("2 x 2") > 1) == Type::Logical));
  BOOST_TEST(!(underlyingType(counted("2 x 2")) == "single"));
  BOOST_TEST(name(Type::Logical) == "logical");
}

BOOST_AUTO_TEST_CASE(elements_are_aligned) {
  for (const char* shape : {"1 x 1", "2 x 3", "3 x 3", "100 x 7"})
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(address(counted(shape))) % 64 == 0U, shape);
}
