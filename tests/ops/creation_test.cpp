#include "differences.hpp"
#include "harness/mistake.hpp"

#include <fmt/format.h>

#include <limits>

using namespace dl;
using namespace dl::testing;

BOOST_AUTO_TEST_CASE(zeros_and_ones_in_every_form) {
  BOOST_TEST(isequal(zeros(2, 3), dlarray({{0, 0, 0}, {0, 0, 0}})));
  BOOST_TEST(isequal(zeros(Size{2, 3}), zeros(2, 3)));
  BOOST_TEST((size(zeros(3)) == Size{3, 3}));
  BOOST_TEST((size(zeros(Size{3})) == Size{3, 3}));
  BOOST_TEST((size(zeros()) == Size{1, 1}));
  BOOST_TEST((size(zeros(2, 3, 4)) == Size{2, 3, 4}));
  BOOST_TEST((size(zeros(2, 3, 1, 1)) == Size{2, 3}));
  BOOST_TEST((size(zeros(0, 3)) == Size{0, 3}));
  checkValues(ones({3, 1}), {1, 1, 1});
  checkValues(ones(2, 2), {1, 1, 1, 1});
  checkValues(ones(), {1});
  BOOST_TEST(dims(zeros(2, 3)) == "");
}

BOOST_AUTO_TEST_CASE(types_of_new_arrays) {
  BOOST_TEST((underlyingType(zeros(2, 3)) == Type::Double));
  BOOST_TEST((underlyingType(zeros(Size{2, 3}, Type::Single)) == Type::Single));
  BOOST_TEST((underlyingType(zeros(2, 3, Type::Single)) == Type::Single));
  BOOST_TEST((underlyingType(ones(2, Type::Logical)) == Type::Logical));
  checkValues(ones(1, 2, Type::Logical), {1, 1});
  checkValues(zeros(1, 2, Type::Logical), {0, 0});
  const DlArray x = single_(someArray({2, 3}, "CB"));
  BOOST_TEST((underlyingType(zeros(size(x), "like", x)) == Type::Single));
  BOOST_TEST(dims(zeros(size(x), "like", x)) == "");
  BOOST_TEST((underlyingType(ones(2, 3, "like", x)) == Type::Single));
  BOOST_TEST((underlyingType(eye(2, "like", x)) == Type::Single));
  const char* sentence =
      "\"same\" is not known behind the sizes of a new array; \"double\", \"single\", \"logical\", or \"like\" and an array";
  checkError([&] { zeros(2, 3, "same", x); }, sentence);
  checkError([&] { zeros(Size{2, 3}, "same", x); }, sentence);
  checkError([] { zeros(2, -1); }, "zeros: dimension 1 has the negative size -1");
  checkError([] { ones(2, 2, Type::ComplexDouble); }, "ones: complex double arrays are not available in this version");
}

BOOST_AUTO_TEST_CASE(eye_has_ones_on_the_diagonal) {
  BOOST_TEST(isequal(eye(3), dlarray({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}})));
  BOOST_TEST(isequal(eye(2, 3), dlarray({{1, 0, 0}, {0, 1, 0}})));
  BOOST_TEST(isequal(eye(Size{3, 2}), transpose(eye(2, 3))));
  checkValues(eye(2, Type::Single), {1, 0, 0, 1});
  checkValues(eye(2, Type::Logical), {1, 0, 0, 1});
  checkValues(eye(), {1});
  BOOST_TEST((size(eye(0)) == Size{0, 0}));
  checkError([] { eye(2, 2, 2); }, "eye: 2 x 2 x 2 is not the size of a matrix");
}

BOOST_AUTO_TEST_CASE(linspace_meets_both_ends) {
  const DlArray x = linspace(0, 1, 5);
  BOOST_TEST((size(x) == Size{1, 5}));
  checkValues(x, {0, 0.25, 0.5, 0.75, 1});
  checkValues(linspace(2, -1, 4), {2, 1, 0, -1});
  BOOST_TEST(numel(linspace(0, 1)) == 100);
  checkValues(linspace(3, 7, 1), {7});
  BOOST_TEST((size(linspace(0, 1, 0)) == Size{1, 0}));
  for (Index n : {2, 3, 7, 10, 49, 1000}) {
    const std::vector<double> v = values(linspace(0.1, 0.7, n));
    BOOST_TEST(v.front() == 0.1);
    BOOST_TEST(v.back() == 0.7);
    for (std::size_t i = 1; i < v.size(); ++i) BOOST_TEST(std::fabs(v[i] - v[i - 1] - 0.6 / static_cast<double>(n - 1)) < 1e-15);
  }
  const double large = std::numeric_limits<double>::max();
  checkValues(linspace(-large, large, 3), {-large, 0, large});
  for (double v : values(linspace(0.1, 0.1, 7))) BOOST_TEST(v == 0.1);
  checkError([] { linspace(0, 1, -1); }, "linspace: -1 is no number of elements");
}

BOOST_AUTO_TEST_CASE(colon_counts_up_and_down) {
  checkValues(colon(0, 2, 7), {0, 2, 4, 6});
  checkValues(colon(0, 3), {0, 1, 2, 3});
  checkValues(colon(5, -2, 0), {5, 3, 1});
  checkValues(colon(0.5, 3), {0.5, 1.5, 2.5});
  checkValues(colon(2, 2), {2});
  for (const DlArray& nothing : {colon(1, 0), colon(0, -1, 1), colon(0, 0, 1)}) BOOST_TEST((size(nothing) == Size{1, 0}));
  BOOST_TEST((size(colon(0, 2, 7)) == Size{1, 4}));
  checkError([] { colon(0, 1e-300, 1); }, "colon: the numbers from 0 to 1 by 1e-300 are too many");
  BOOST_TEST(std::isnan(double(colon(0, std::nan("")))));
}

BOOST_AUTO_TEST_CASE(colon_meets_its_end_in_spite_of_rounding) {
  for (const auto& [step, last, count] : std::vector<std::tuple<double, double, Index>>{
           {0.1, 1, 11}, {0.1, 0.3, 4}, {0.01, 1, 101}, {1.0 / 3, 1, 4}, {0.7, 7, 11}, {0.1, 1e3, 10001}}) {
    const std::vector<double> v = values(colon(0, step, last));
    BOOST_REQUIRE_EQUAL(static_cast<Index>(v.size()), count);
    BOOST_TEST(v.back() <= last);
    BOOST_TEST(last - v.back() <= 1e-15 * last * 2);
    for (std::size_t i = 0; i < v.size(); ++i) BOOST_TEST(std::fabs(v[i] - static_cast<double>(i) * step) <= 4e-16 * last);
  }
  BOOST_TEST(numel(colon(0, 0.1, 0.95)) == 10);
}

BOOST_AUTO_TEST_CASE(new_arrays_are_constants_of_a_trace) {
  const auto f = [](const DlArray& x) { return dlgradient(sum(x % (ones(2, 2) + eye(2)), "all"), x); };
  checkValues(dlfeval(f, zeros(2)), {2, 1, 1, 2});
}

BOOST_AUTO_TEST_CASE(types_are_named_by_word_as_in_matlab) {
  BOOST_TEST(bool(underlyingType(zeros(2, 3, "single")) == Type::Single));
  BOOST_TEST(bool(underlyingType(ones(Size{2, 3}, "logical")) == Type::Logical));
  BOOST_TEST(bool(underlyingType(eye(3, "double")) == Type::Double));
  BOOST_TEST(bool(underlyingType(rand(Size{2, 3}, "single")) == Type::Single));
  BOOST_TEST(bool(underlyingType(randn(2, 3, "single")) == Type::Single));
  BOOST_TEST(bool(underlyingType(randi(6, Size{2, 3}, "single")) == Type::Single));
  BOOST_TEST(bool(underlyingType(cast(ones(2, 3), "single")) == Type::Single));
  checkError([] { cast(ones(2, 3), "half"); }, "cast: \"half\" is no element type; \"double\", \"single\" and \"logical\" are");
}

BOOST_AUTO_TEST_CASE(the_line_of_the_call_is_named) {
  const auto named = [](auto&& call, unsigned line) {
    BOOST_TEST(test::wholeSentenceOf(call).ends_with(fmt::format("(creation_test.cpp:{})", line)), test::wholeSentenceOf(call));
  };
  // clang-format off
  named([] { zeros(2, -1); }, __LINE__);
  named([] { zeros(Size{2, 3}, "complex"); }, __LINE__);
  named([] { rand(Size{2, 3}, "complex"); }, __LINE__);
  named([] { eye(2, 3, 4); }, __LINE__);
  named([] { eye(Size{2, 3, 4}); }, __LINE__);
  named([] { randi(0); }, __LINE__);
  named([] { randi({5, 2}, 3, 3); }, __LINE__);
  named([] { randi({5, 2}, Size{3, 3}); }, __LINE__);
  named([] { randi(6, Size{3, 3}, "complex"); }, __LINE__);
  named([] { eye(Size{2, 2, 2}, "like", 1.0); }, __LINE__);
  named([] { randi({5, 1}, Size{2, 2}, "like", 1.0); }, __LINE__);
  named([] { zeros(Size{2, 2}, "as", 1.0); }, __LINE__);
  // clang-format on
}
