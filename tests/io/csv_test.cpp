// Text files of numbers, read and written.
#include "harness/mistake.hpp"
#include "io/folder.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;

namespace {

const test::Folder folder;
const double notANumber = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

DlArray read(const std::string& text, const ReadmatrixOptions& options = {}) {
  const std::string file = folder.path("text.csv");
  test::write(file, text);
  return readmatrix(file, options);
}

}  // namespace

BOOST_AUTO_TEST_CASE(numbers_and_headers) {
  const DlArray expected = dlarray({{1, 2.5, -3e4}, {4, 5, 6}});
  BOOST_TEST(isequal(read("1,2.5,-3e4\n4,5,6\n"), expected));
  BOOST_TEST(isequal(read("1,2.5,-3e4\r\n4,5,6"), expected));
  BOOST_TEST(isequal(read("a,b,c\n1,2.5,-3e4\n4,5,6\n"), expected));
  BOOST_TEST(isequal(read("some words\n\nx;y;z\n 1 ; 2.5;-3e4\n4;5;+6\n\n\n"), expected));
  BOOST_TEST(isequal(read("1\t2.5\t-3e4\n4\t5\t6\n"), expected));
  BOOST_TEST(isequal(read("  1   2.5 -3e4\n4 5     6  \n"), expected));
  BOOST_TEST(isequal(read("\xEF\xBB\xBF\"a\",\"b, c\",d\n\"1\",2.5,-3e4\n4,5,6"), expected));
  BOOST_TEST(isequal(read("1|2.5|-3e4\n4|5|6\n", {.delimiter = "|"}), expected));
  BOOST_TEST(isequal(read("7,8,9\n1,2.5,-3e4\n4,5,6\n", {.numHeaderLines = 1}), expected));
  BOOST_TEST(isequal(read("a,b\n1,2\n", {.numHeaderLines = 0})(1, all), dlarray({1, 2})));
  BOOST_TEST(isequal(read("3\n4\n"), dlarray({{3}, {4}})));
  BOOST_TEST(bool(underlyingType(read("1,2", {.outputType = "single"})) == Type::Single));
  BOOST_TEST(bool(size(read("")) == Size{0, 0}));
  BOOST_TEST(bool(size(read("only,words\n")) == Size{0, 0}));
}

BOOST_AUTO_TEST_CASE(what_is_no_number) {
  BOOST_TEST(
      isequaln(read("1,,3\n,5,\nred,8,9\n"), dlarray({{1, notANumber, 3}, {notANumber, 5, notANumber}, {notANumber, 8, 9}})));
  BOOST_TEST(
      isequaln(read("NaN,Inf,-inf\n1,1e999,-1e999\n"), dlarray({{notANumber, infinity, -infinity}, {1, infinity, -infinity}})));
  BOOST_TEST(isequaln(read("1,2x,0x10\n"), dlarray({1, notANumber, notANumber})));
}

BOOST_AUTO_TEST_CASE(mistakes_name_the_line) {
  const std::string file = folder.path("text.csv");
  const auto ragged = mistake([&] { read("a,b\n1,2\n\n3,4,5\n"); });
  BOOST_TEST(ragged.identifier == "dlarray:readmatrix:ragged");
  BOOST_TEST(ragged.sentence.starts_with("readmatrix: " + file + ", line 4: 3 cells, line 2 has 2"));
  BOOST_TEST(mistake([&] { read("1,2\n3\n"); }).sentence.find("line 2: 1 cells") != std::string::npos);
  BOOST_TEST(mistake([&] { readmatrix(folder.path("missing.csv")); }).identifier == "dlarray:readmatrix:open");
  BOOST_TEST(mistake([&] { readmatrix(folder.path("")); }).identifier == "dlarray:readmatrix:open");
  BOOST_TEST(mistake([&] { read("1", {.delimiter = ",,"}); }).identifier == "dlarray:readmatrix:delimiter");
  BOOST_TEST(mistake([&] { read("1", {.outputType = "int8"}); }).identifier == "dlarray:readmatrix:outputType");
}

BOOST_AUTO_TEST_CASE(written_numbers_are_read_back) {
  const std::string file = folder.path("written.csv");
  rng(1);
  const DlArray x = randn(20, 5);
  writematrix(x, file);
  BOOST_TEST(isequal(readmatrix(file), x));
  writematrix(single_(x), file, {.delimiter = ';'});
  BOOST_TEST(isequal(readmatrix(file, {.outputType = "single"}), single_(x)));
  writematrix(dlarray({{1, notANumber, infinity}, {-infinity, 0.1, 1e300}}), file);
  BOOST_TEST(test::contents(file).starts_with("1,NaN,Inf\n-Inf,0.1,"));
  BOOST_TEST(isequaln(readmatrix(file), dlarray({{1, notANumber, infinity}, {-infinity, 0.1, 1e300}})));
  writematrix(dlarray({{1, 0}, {0, 1}}) > 0, file);
  BOOST_TEST(test::contents(file) == "1,0\n0,1\n");
  writematrix(reshape(colon(0, 7), Size{2, 2, 2}), file);
  BOOST_TEST(test::contents(file) == "0,2,4,6\n1,3,5,7\n");
  const auto wrong = mistake([&] { writematrix(x, "/nowhere/at/all.csv"); });
  BOOST_TEST(wrong.sentence.starts_with("writematrix: /nowhere/at/all.csv: cannot be written: No such file or directory"));
}
