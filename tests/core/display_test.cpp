// How arrays are printed: sizes, labels and type in the first line, the values as MATLAB's `format short` writes them.
#include <dlarray/dlarray.hpp>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <sstream>

using namespace dl;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), missing = std::numeric_limits<double>::quiet_NaN();

std::string text(const DlArray& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

// 1, 2, 3, ... in column-major order.
DlArray counted(const Size& size, std::string_view format = "") {
  std::vector<double> values(static_cast<std::size_t>(numel(size)));
  std::iota(values.begin(), values.end(), 1.0);
  return dlarray(values, size, format);
}

std::string titleOf(const DlArray& x) {
  const std::string all = text(x);
  return all.substr(0, all.find('\n'));
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_title_names_sizes_labels_and_type) {
  BOOST_TEST(titleOf(dlarray({396.0, 200.0})) == "  1x2 dlarray");
  BOOST_TEST(titleOf(DlArray(1)) == "  1x1 dlarray");
  BOOST_TEST(titleOf(counted(Size{3, 2, 1, 2})) == "  3x2x1x2 dlarray");
  BOOST_TEST(titleOf(dlarray(std::vector<float>(21), Size{3, 7}, "CB")) == "  3(C) x 7(B) single dlarray");
  BOOST_TEST(titleOf(counted(Size{3, 7}, "CB")) == "  3(C) x 7(B) dlarray");
  BOOST_TEST(titleOf(dlarray(std::vector<bool>(12), Size{4, 3}, "SS")) == "  4(S) x 3(S) logical dlarray");
  BOOST_TEST(titleOf(counted(Size{2, 3}, "SSCB")) == "  2(S) x 3(S) x 1(C) x 1(B) dlarray");
  BOOST_TEST(titleOf(dlarray({1, 2, 3}, "C")) == "  3(C) x 1(U) dlarray");
}

BOOST_AUTO_TEST_CASE(whole_numbers_have_no_decimals) {
  BOOST_TEST(text(dlarray({396.0, 200.0})) == "  1x2 dlarray\n\n   396   200\n");
  BOOST_TEST(text(dlarray({{1, -2}, {30, 0}})) == "  2x2 dlarray\n\n     1    -2\n    30     0\n");
  BOOST_TEST(text(dlarray({1000.0, -0.0})) == "  1x2 dlarray\n\n        1000           0\n");
  BOOST_TEST(text(DlArray(104.0F)) == "  1x1 single dlarray\n\n   104\n");
  BOOST_TEST(text(DlArray(999999999.0)) == "  1x1 dlarray\n\n   999999999\n");
}

BOOST_AUTO_TEST_CASE(other_numbers_have_four) {
  BOOST_TEST(text(DlArray(0.25)) == "  1x1 dlarray\n\n    0.2500\n");
  BOOST_TEST(text(dlarray({0.0, -0.5, 100.25})) == "  1x3 dlarray\n\n         0   -0.5000  100.2500\n");
  BOOST_TEST(text(dlarray({{0.5, 1.0}, {0.0625, 2.0}})) == "  2x2 dlarray\n\n    0.5000    1.0000\n    0.0625    2.0000\n");
  BOOST_TEST(text(dlarray({0.1F, 0.2F})) == "  1x2 single dlarray\n\n    0.1000    0.2000\n");
}

BOOST_AUTO_TEST_CASE(large_and_small_numbers_share_a_power_of_ten) {
  BOOST_TEST(text(dlarray({1000.5, 2.0})) == "  1x2 dlarray\n\n   1.0e+03 *\n\n    1.0005    0.0020\n");
  BOOST_TEST(text(dlarray({0.0001, -0.00025})) == "  1x2 dlarray\n\n   1.0e-04 *\n\n    1.0000   -2.5000\n");
  BOOST_TEST(text(dlarray({1e9, 1.0})) == "  1x2 dlarray\n\n   1.0e+09 *\n\n    1.0000    0.0000\n");
  BOOST_TEST(text(dlarray({1e300, 0.0})) == "  1x2 dlarray\n\n   1.0e+300 *\n\n    1.0000         0\n");
  BOOST_TEST(text(dlarray({5e-324, 0.0})) == "  1x2 dlarray\n\n   1.0e-324 *\n\n    4.9407         0\n");
}

BOOST_AUTO_TEST_CASE(a_single_number_has_its_own_power_of_ten) {
  BOOST_TEST(text(DlArray(1000.5)) == "  1x1 dlarray\n\n   1.0005e+03\n");
  BOOST_TEST(text(DlArray(-0.00125)) == "  1x1 dlarray\n\n  -1.2500e-03\n");
  BOOST_TEST(text(DlArray(1e9)) == "  1x1 dlarray\n\n   1.0000e+09\n");
  BOOST_TEST(text(DlArray(0.01)) == "  1x1 dlarray\n\n    0.0100\n");
}

BOOST_AUTO_TEST_CASE(nan_and_infinity_fit_the_columns) {
  BOOST_TEST(text(dlarray({1.0, missing, inf, -inf})) == "  1x4 dlarray\n\n     1   NaN   Inf  -Inf\n");
  BOOST_TEST(text(dlarray({0.5, missing, -inf})) == "  1x3 dlarray\n\n    0.5000       NaN      -Inf\n");
  BOOST_TEST(text(DlArray(missing)) == "  1x1 dlarray\n\n   NaN\n");
}

BOOST_AUTO_TEST_CASE(logical_values_are_0_and_1) {
  BOOST_TEST(text(dlarray({{true, false}, {false, true}})) == "  2x2 logical dlarray\n\n   1   0\n   0   1\n");
}

BOOST_AUTO_TEST_CASE(wide_matrices_come_in_blocks_of_columns) {
  std::string expected = "  1x14 dlarray\n\n  Columns 0 through 12\n\n";
  for (int i = 1; i <= 13; ++i) expected += (i < 10 ? "     " : "    ") + std::to_string(i);
  expected += "\n\n  Column 13\n\n    14\n";
  BOOST_TEST(text(counted(Size{1, 14})) == expected);

  const std::string halves = text(dlarray(std::vector<double>(20, 0.5), Size{2, 10}));
  BOOST_TEST(halves.find("\n\n  Columns 0 through 7\n\n    0.5000") != std::string::npos);
  BOOST_TEST(halves.find("\n\n  Columns 8 through 9\n\n    0.5000    0.5000\n    0.5000    0.5000\n") != std::string::npos);
  for (std::size_t begin = 0; begin < halves.size();) {
    const std::size_t end = halves.find('\n', begin);
    BOOST_TEST(end - begin <= 80U);
    begin = end + 1;
  }
}

BOOST_AUTO_TEST_CASE(further_dimensions_come_as_pages) {
  BOOST_TEST(text(counted(Size{1, 2, 2}, "SSB")) ==
             "  1(S) x 2(S) x 2(B) dlarray\n\n(all, all, 0) =\n\n     1     2\n\n(all, all, 1) =\n\n     3     4\n");
  const std::string four = text(counted(Size{1, 1, 2, 3}));
  BOOST_TEST(four.find("(all, all, 1, 2) =\n\n     6\n") != std::string::npos);
  // A page title for a single page would say nothing.
  BOOST_TEST(text(counted(Size{1, 2}, "SSCB")) == "  1(S) x 2(S) x 1(C) x 1(B) dlarray\n\n     1     2\n");
}

BOOST_AUTO_TEST_CASE(each_page_has_its_own_notation) {
  BOOST_TEST(text(dlarray(std::vector{0.5, 7.0}, Size{1, 1, 2})) ==
             "  1x1x2 dlarray\n\n(all, all, 0) =\n\n    0.5000\n\n(all, all, 1) =\n\n     7\n");
}

BOOST_AUTO_TEST_CASE(empty_arrays_have_a_title_only) {
  BOOST_TEST(text(DlArray()) == "  0x0 empty dlarray\n");
  BOOST_TEST(text(dlarray(std::vector<float>(), Size{0, 3}, "CB")) == "  0(C) x 3(B) empty single dlarray\n");
  BOOST_TEST(text(dlarray(std::vector<double>(), Size{2, 0, 3})) == "  2x0x3 empty dlarray\n");
}

BOOST_AUTO_TEST_CASE(huge_arrays_end_with_an_ellipsis) {
  const std::string all = text(dlarray(std::vector<bool>(1000 * 1000), Size{1000 * 1000, 1}));
  BOOST_TEST(all.ends_with("   0\n   0\n"));
  const std::string cut = text(dlarray(std::vector<bool>(1000 * 1000 + 1), Size{1000 * 1000 + 1, 1}));
  BOOST_TEST(cut.ends_with("   0\n   0\n\n  ... 1000000 of 1000001 elements shown\n"));
  BOOST_TEST(cut.size() < all.size() + 60);
  const std::string pages = text(dlarray(std::vector<bool>(3 * 1000 * 1000), Size{1, 1000 * 1000, 3}));
  BOOST_TEST(pages.find("(all, all, 1) =") == std::string::npos);
  BOOST_TEST(pages.ends_with("\n\n  ... 1000000 of 3000000 elements shown\n"));
}

BOOST_AUTO_TEST_CASE(the_settings_of_the_stream_change_nothing) {
  std::ostringstream out;
  out.width(40);
  out.precision(1);
  out << std::hex << dlarray({0.125, 16.0});
  BOOST_TEST(out.str() == "  1x2 dlarray\n\n    0.1250   16.0000\n");
}

BOOST_AUTO_TEST_CASE(a_part_of_an_array_prints_like_an_array) {
  DlArray x = dlarray({1, 2, 3});
  std::ostringstream out;
  out << x(1);
  BOOST_TEST(out.str() == "  1x1 dlarray\n\n     2\n");
}
