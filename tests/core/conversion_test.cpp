// Plain C++ data into arrays and out of them.
#include <dlarray/dlarray.hpp>

#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

using namespace dl;
using dl::test::mistake;

namespace {

template <class T>
concept DataOf = requires(const DlArray& x) {
  data<T>(x);
};
template <class Pointer, class T>
concept PointerFrom = requires(const DlArray& x, Pointer p) {
  p = data<T>(x);
};
template <class T>
concept Extractable = requires(const DlArray& x) {
  extractdata<T>(x);
};

}  // namespace

// A pointer of one element type never reads elements of another: these lines do not compile.
static_assert(DataOf<double> && DataOf<float> && DataOf<bool>);
static_assert(!DataOf<int> && !DataOf<long double> && !DataOf<char> && !DataOf<const double>);
static_assert(PointerFrom<const double*, double> && PointerFrom<const float*, float> && PointerFrom<const bool*, bool>);
static_assert(!PointerFrom<const double*, float> && !PointerFrom<const float*, double> && !PointerFrom<const double*, bool>);
static_assert(!PointerFrom<double*, double>, "the elements of a shared array are read-only");
static_assert(Extractable<std::vector<double>> && Extractable<std::vector<float>> && Extractable<std::vector<bool>>);
static_assert(std::is_same_v<decltype(data<float>(std::declval<const DlArray&>())), const float*>);
static_assert(!std::is_convertible_v<DlArray, double> && !std::is_convertible_v<DlArray, bool>,
              "a scalar is taken out on purpose only");
static_assert(std::is_convertible_v<double, DlArray> && std::is_convertible_v<float, DlArray> &&
              std::is_convertible_v<bool, DlArray>);

BOOST_AUTO_TEST_CASE(the_element_type_follows_the_type_in_cpp) {
  BOOST_TEST((underlyingType(DlArray(1.0)) == Type::Double));
  BOOST_TEST((underlyingType(DlArray(1.0F)) == Type::Single));
  BOOST_TEST((underlyingType(DlArray(true)) == Type::Logical));
  BOOST_TEST((underlyingType(DlArray(1)) == Type::Double));
  BOOST_TEST((underlyingType(dlarray(std::vector{1.0})) == Type::Double));
  BOOST_TEST((underlyingType(dlarray(std::vector{1.0F})) == Type::Single));
  BOOST_TEST((underlyingType(dlarray(std::vector{true})) == Type::Logical));
  BOOST_TEST((underlyingType(dlarray(std::vector{1, 2})) == Type::Double));
  BOOST_TEST((underlyingType(dlarray({1.0F, 2.0F})) == Type::Single));
  BOOST_TEST((underlyingType(dlarray({{true, false}})) == Type::Logical));
  BOOST_TEST((underlyingType(dlarray({{1, 2}, {3, 4}})) == Type::Double));
  BOOST_TEST((underlyingType(DlArray(1.0F)) == "single"));
}

BOOST_AUTO_TEST_CASE(vectors_fill_arrays_column_by_column) {
  const DlArray x = dlarray(std::vector<double>{1, 2, 3, 4, 5, 6}, Size{2, 3});
  BOOST_TEST((size(x) == Size{2, 3}));
  BOOST_TEST(double(x(1, 0)) == 2);
  BOOST_TEST(double(x(0, 2)) == 5);
  BOOST_TEST(isequal(x, dlarray({{1, 3, 5}, {2, 4, 6}})));
}

BOOST_AUTO_TEST_CASE(a_vector_without_a_size_is_a_column) {
  BOOST_TEST((size(dlarray(std::vector<float>{1, 2, 3})) == Size{3, 1}));
  const DlArray c = dlarray(std::vector<double>{1, 2, 3}, "C");
  BOOST_TEST((size(c) == Size{3, 1}));
  BOOST_TEST(dims(c) == "CU");
  BOOST_TEST((size(dlarray(std::vector<double>{})) == Size{0, 1}));
}

BOOST_AUTO_TEST_CASE(braces_are_rows_as_written) {
  BOOST_TEST((size(dlarray({-1.0, 2.0})) == Size{1, 2}));
  BOOST_TEST((size(dlarray({{1, 2, 3}, {4, 5, 6}})) == Size{2, 3}));
  BOOST_TEST((extractdata<std::vector<double>>(dlarray({{1, 2, 3}, {4, 5, 6}})) == std::vector<double>{1, 4, 2, 5, 3, 6}));
  BOOST_TEST(dims(dlarray({{1, 2, 3}, {4, 5, 6}}, "CB")) == "CB");
}

BOOST_AUTO_TEST_CASE(pointers_are_copied) {
  float values[] = {1, 2, 3, 4};
  const DlArray x = dlarray(values, Size{2, 2}, "SS");
  values[0] = 9;
  BOOST_TEST(float(x(0, 0)) == 1.0F);
  const int whole[] = {7, 8};
  BOOST_TEST((extractdata<std::vector<double>>(dlarray(whole, Size{1, 2})) == std::vector<double>{7, 8}));
  const bool answers[] = {true, false, true};
  BOOST_TEST((extractdata<std::vector<bool>>(dlarray(answers, Size{3, 1})) == std::vector<bool>{true, false, true}));
}

BOOST_AUTO_TEST_CASE(sizes_have_two_dimensions_at_least_and_no_trailing_ones) {
  const std::vector<double> six(6, 1.0);
  BOOST_TEST((size(dlarray(six, Size{6})) == Size{6, 1}));
  BOOST_TEST((size(dlarray(six, Size{2, 3, 1, 1})) == Size{2, 3}));
  BOOST_TEST((size(dlarray(six, Size{1, 1, 6})) == Size{1, 1, 6}));
  BOOST_TEST((size(dlarray(six, Size{2, 3, 1, 1}, "SSCB")) == Size{2, 3, 1, 1}));
  BOOST_TEST((size(dlarray(std::vector<double>{}, Size{0, 4})) == Size{0, 4}));
}

BOOST_AUTO_TEST_CASE(values_come_out_in_stored_order_and_any_type) {
  const DlArray x = dlarray({{0.0, 1.5}, {-2.0, 3.0}});
  BOOST_TEST((extractdata<std::vector<double>>(x) == std::vector<double>{0, -2, 1.5, 3}));
  BOOST_TEST((extractdata<std::vector<float>>(x) == std::vector<float>{0, -2, 1.5, 3}));
  BOOST_TEST((extractdata<std::vector<bool>>(x) == std::vector<bool>{false, true, true, true}));
  BOOST_TEST((extractdata<std::vector<double>>(dlarray(std::vector{true, false})) == std::vector<double>{1, 0}));
  BOOST_TEST(extractdata<std::vector<double>>(DlArray()).empty());
  // Labels written in another order are stored as S, C, B, T, U.
  BOOST_TEST((extractdata<std::vector<double>>(dlarray({{1, 2, 3}, {4, 5, 6}}, "BC")) == std::vector<double>{1, 2, 3, 4, 5, 6}));
}

BOOST_AUTO_TEST_CASE(scalars_come_out_as_numbers) {
  BOOST_TEST(extractdata<double>(DlArray(2.5)) == 2.5);
  BOOST_TEST(extractdata<float>(DlArray(2.5)) == 2.5F);
  BOOST_TEST(extractdata<int>(DlArray(-7.0)) == -7);
  BOOST_TEST(extractdata<bool>(DlArray(0.5)));
  BOOST_TEST(double(DlArray(2.5F)) == 2.5);
  BOOST_TEST(static_cast<int>(DlArray(true)) == 1);
  BOOST_TEST(std::isnan(double(DlArray(std::numeric_limits<double>::quiet_NaN()))));
  if (DlArray(0.0)) BOOST_ERROR("0 counts as true");
  const auto [id, sentence] = mistake([] { return double(dlarray({1, 2})); });
  BOOST_TEST(id == "dlarray:scalar");
  BOOST_TEST(sentence.starts_with("number: an array of size 1 x 2 was used where a scalar is needed"));
  BOOST_TEST(mistake([] {
               return bool(dlarray(std::vector<double>(6), Size{2, 3}, "CB"));
             }).sentence.starts_with("condition: an array of size 2(C) x 3(B) was used where a scalar is needed"));
}

BOOST_AUTO_TEST_CASE(data_points_to_the_elements_themselves) {
  const DlArray x = dlarray(std::vector<double>(100, 3.0), Size{10, 10});
  const DlArray y = x;
  BOOST_TEST(data<double>(x) == data<double>(y));
  BOOST_TEST(data<double>(x)[99] == 3.0);
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(data<double>(x)) % 64 == 0U);
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(data<float>(DlArray(1.0F))) % 64 == 0U);
}

BOOST_AUTO_TEST_CASE(data_of_another_type_is_an_error) {
  const DlArray x = DlArray(1.0F);
  const auto [id, sentence] = mistake([&] { return data<double>(x); });
  BOOST_TEST(id == "dlarray:data:type");
  BOOST_TEST(sentence.starts_with("data: the array is single, not double; convert it first, or use extractdata"));
  BOOST_TEST(sentence.find("conversion_test.cpp:") != std::string::npos);
  BOOST_TEST(mistake([] { return data<float>(DlArray(true)); }).sentence.starts_with("data: the array is logical, not single"));
}

BOOST_AUTO_TEST_CASE(numbers_that_do_not_fill_the_size_are_an_error) {
  const auto [id, sentence] = mistake([] { dlarray(std::vector<double>(5), Size{2, 3}); });
  BOOST_TEST(id == "dlarray:dlarray:count");
  BOOST_TEST(sentence.starts_with("dlarray: 5 numbers do not fill an array of size 2 x 3, which has 6"));
  BOOST_TEST(mistake([] {
               dlarray({{1, 2}, {3}});
             }).sentence.starts_with("dlarray: rows differ in length: row 0 has 2 numbers, row 1 has 1"));
  BOOST_TEST(mistake([] { dlarray(std::vector<double>(6), Size{-2, -3}); }).identifier != "nothing");
  BOOST_TEST(mistake([] {
               dlarray(std::vector<double>(6), Size{1, 2, 3}, "SC");
             }).sentence.starts_with("dlarray: \"SC\" labels 2 of the 3 dimensions of 1 x 2 x 3"));
}
