// IDX files written here, damaged ones, and Fashion-MNIST.
#include "harness/mistake.hpp"
#include "io/folder.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <zlib.h>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;

namespace {

const test::Folder folder;

std::string header(char code, const std::vector<unsigned>& sizes) {
  std::string bytes{'\0', '\0', code, static_cast<char>(sizes.size())};
  for (const unsigned s : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(s >> shift & 255U);
  return bytes;
}

std::string counting(std::size_t n) {
  std::string bytes;
  for (std::size_t i = 0; i < n; ++i) bytes += static_cast<char>(i);
  return bytes;
}

std::string compressed(const std::string& bytes) {
  const std::string path = folder.path("packed.gz");
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return test::contents(path);
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows_and_columns_of_pictures) {
  const std::string file = folder.path("pictures");
  for (const bool packed : {false, true}) {
    const std::string bytes = header(8, {4, 2, 3}) + counting(24);
    test::write(file, packed ? compressed(bytes) : bytes);
    const DlArray x = readIdx(file);
    BOOST_TEST(bool(size(x) == Size{2, 3, 4}));
    BOOST_TEST(bool(underlyingType(x) == Type::Single));
    for (int k = 0; k < 4; ++k)
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j) BOOST_TEST(double(x(i, j, k)) == (k * 2 + i) * 3 + j);
  }
}

BOOST_AUTO_TEST_CASE(other_dimensions) {
  const std::string file = folder.path("other");
  test::write(file, header(8, {5}) + counting(5));
  BOOST_TEST(isequal(readIdx(file), transpose(colon(0, 4))));
  test::write(file, header(8, {2, 3}) + counting(6));
  BOOST_TEST(isequal(readIdx(file), dlarray({{0, 1, 2}, {3, 4, 5}})));
  test::write(file, header(8, {2, 3, 4, 5}) + counting(120));
  const DlArray x = readIdx(file);
  BOOST_TEST(bool(size(x) == Size{3, 4, 5, 2}));
  for (int n = 0; n < 2; ++n)
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 4; ++j)
        for (int c = 0; c < 5; ++c) BOOST_TEST(double(x(i, j, c, n)) == ((n * 3 + i) * 4 + j) * 5 + c);
  test::write(file, header(8, {0, 3, 4}));
  BOOST_TEST(bool(size(readIdx(file)) == Size{3, 4, 0}));
}

BOOST_AUTO_TEST_CASE(other_types) {
  const std::string file = folder.path("types");
  test::write(file, header(9, {2}) + "\xFF\x02");
  BOOST_TEST(isequal(readIdx(file), dlarray({{-1}, {2}})));
  test::write(file, header(0xB, {2}) + std::string("\xFF\xFE\x01\x00", 4));
  BOOST_TEST(isequal(readIdx(file), dlarray({{-2}, {256}})));
  test::write(file, header(0xC, {1}) + std::string("\x7F\xFF\xFF\xFF", 4));
  BOOST_TEST(double(readIdx(file)) == 2147483647.0);
  test::write(file, header(0xD, {1}) + std::string("\xBF\xC0\x00\x00", 4));
  BOOST_TEST(double(readIdx(file)) == -1.5);
  test::write(file, header(0xE, {1}) + std::string("\xBF\xF8\x00\x00\x00\x00\x00\x00", 8));
  BOOST_TEST(double(readIdx(file)) == -1.5);
}

BOOST_AUTO_TEST_CASE(every_cut_is_noticed) {
  const std::string file = folder.path("cut");
  const std::string plain = header(8, {3, 4, 5}) + counting(60), packed = compressed(plain);
  for (const std::string& bytes : {plain, packed}) {
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      test::write(file, bytes.substr(0, n));
      const auto wrong = mistake([&] { readIdx(file); });
      BOOST_TEST(wrong.identifier.starts_with("dlarray:readIdx:"), n << " bytes: " << wrong.identifier);
      BOOST_TEST(wrong.sentence.find(file) != std::string::npos);
    }
    test::write(file, bytes);
    BOOST_TEST(numel(readIdx(file)) == 60);
  }
  test::write(file, plain + "x");
  BOOST_TEST(mistake([&] { readIdx(file); }).identifier == "dlarray:readIdx:size");
}

BOOST_AUTO_TEST_CASE(damage_is_noticed) {
  const std::string file = folder.path("damaged");
  const std::string plain = header(8, {3, 4, 50}) + counting(600), packed = compressed(plain);
  // The checksum tells. What it lets pass are bits that say nothing: in gzip's header of ten bytes, and to fill up the last byte
  // of the data.
  test::write(file, plain);
  const DlArray whole = readIdx(file);
  int passed = 0;
  for (std::size_t at = 10; at < packed.size(); ++at) {
    std::string bytes = packed;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    test::write(file, bytes);
    const auto wrong = mistake([&] {
      BOOST_TEST(isequal(readIdx(file), whole));
      ++passed;
    });
    BOOST_TEST((wrong.identifier == "nothing" || wrong.identifier.starts_with("dlarray:readIdx:")), "byte " << at);
  }
  BOOST_TEST(passed <= 1);
  test::write(file, header(8, {4000000000U, 4000000000U, 4000000000U}) + counting(9));
  BOOST_TEST(mistake([&] { readIdx(file); }).identifier == "dlarray:readIdx:cut");
  test::write(file, "PNG, or something else");
  BOOST_TEST(mistake([&] {
               readIdx(file);
             }).sentence.starts_with("readIdx: " + file + " is not an IDX file: it begins with 50 4e 47 2c (idx_test.cpp:"));
  BOOST_TEST(mistake([&] { readIdx(folder.path("missing")); }).identifier == "dlarray:readIdx:open");
  BOOST_TEST(mistake([&] { readIdx(folder.path("")); }).identifier.starts_with("dlarray:readIdx:"));
}

BOOST_AUTO_TEST_CASE(fashion_mnist) {
  const std::string place = "/usr/share/datasets/fashion-mnist/";
  if (!std::filesystem::exists(place + "train-images-idx3-ubyte.gz")) {
    BOOST_TEST_MESSAGE("Fashion-MNIST is not installed");
    return;
  }
  const auto begin = std::chrono::steady_clock::now();
  const DlArray X = readIdx(place + "train-images-idx3-ubyte.gz");
  BOOST_TEST_MESSAGE("60000 pictures in " << std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()
                                          << " s");
  BOOST_TEST(bool(size(X) == Size{28, 28, 60000}));
  BOOST_TEST(double(max(X, {}, "all")) == 255);
  // The published mean of the training pictures is 0.2860 of full white.
  BOOST_TEST(double(mean(X, "all")) / 255 == 0.2860, boost::test_tools::tolerance(1e-3));
  const DlArray T = readIdx(place + "train-labels-idx1-ubyte.gz");
  BOOST_TEST(bool(size(T) == Size{60000, 1}));
  for (int c = 0; c < 10; ++c) BOOST_TEST(double(sum(T == c, 0)) == 6000);
  BOOST_TEST(double(T(0)) == 9);  // an ankle boot: its sole is at the bottom, so the last rows are not empty but the first are
  BOOST_TEST(double(sum(X(span(0, 2), all, 0), "all")) == 0);
  BOOST_TEST(double(sum(X(span(19, 25), all, 0), "all")) > 20000);
}

BOOST_AUTO_TEST_CASE(no_elements_of_any_size) {
  const test::Folder empty;
  // Sizes whose product would not fit into any integer, were it not for a 0.
  const std::string huge("\0\0\x08\x04\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 20);
  test::write(empty.path("huge"), huge);
  BOOST_TEST(test::mistake([&] { readIdx(empty.path("huge")); }).identifier == "dlarray:readIdx:cut");
  test::write(empty.path("none"), std::string("\0\0\x08\x03\0\0\0\0\0\0\0\2\0\0\0\3", 16));
  BOOST_TEST(numel(readIdx(empty.path("none"))) == 0);
}
