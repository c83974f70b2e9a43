// Pictures written and read, cut and damaged.
#include "harness/mistake.hpp"
#include "io/folder.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;

namespace {

const test::Folder folder;

// Whole numbers 0 to 255, smooth enough for JPEG.
DlArray picture(Index height, Index width, Index channels) {
  DlArray x = zeros(Size{height, width, channels}, "single");
  for (Index c = 0; c < channels; ++c)
    for (Index j = 0; j < width; ++j)
      for (Index i = 0; i < height; ++i) x(i, j, c) = static_cast<float>((5 * i + 3 * j + 40 * c) % 256);
  return x;
}

}  // namespace

BOOST_AUTO_TEST_CASE(png_gives_back_what_was_written) {
  const std::string file = folder.path("x.png");
  for (Index channels = 1; channels <= 4; ++channels) {
    const DlArray x = picture(7, 11, channels);
    imwrite(x, file, {.range = {0, 255}});
    BOOST_TEST(isequal(imread(file), x), channels << " channels");
    imwrite(x / 255, file);
    BOOST_TEST(isequal(imread(file), x));
    imwrite(double_(x), file, {.range = {0, 255}, .bitDepth = 16});
    BOOST_TEST(isequal(imread(file), x));
  }
  const DlArray fine = linspace(0, 1, 1000);
  imwrite(fine, file, {.bitDepth = 16});
  BOOST_TEST(double(max(abs(imread(file) / 255 - fine), {}, "all")) < 1.0 / 65535);
  imwrite(dlarray({{1, 0}, {0, 1}}) > 0, file);
  BOOST_TEST(isequal(imread(file), dlarray({{255, 0}, {0, 255}})));
  imwrite(dlarray({{-1.0, 2.0}, {0.5, NAN}}), file);
  BOOST_TEST(isequal(imread(file), dlarray({{0, 255}, {128, 0}})));
  imwrite(dlarray(picture(4, 5, 3), "SSCB"), file, {.range = {0, 255}});
  BOOST_TEST(isequal(imread(file), picture(4, 5, 3)));
}

BOOST_AUTO_TEST_CASE(jpeg_comes_close) {
  for (const char* name : {"x.jpg", "x.JPEG"}) {
    const std::string file = folder.path(name);
    for (const Index channels : {1, 3}) {
      DlArray x = zeros(Size{33, 47, channels}, "single");
      for (Index c = 0; c < channels; ++c)
        for (Index j = 0; j < 47; ++j)
          for (Index i = 0; i < 33; ++i) x(i, j, c) = static_cast<float>(2 * i + 3 * j + 10 * c);
      imwrite(x, file, {.range = {0, 255}, .quality = 98});
      const DlArray y = imread(file);
      BOOST_TEST(bool(size(y) == size(x)));
      BOOST_TEST(bool(underlyingType(y) == Type::Single));
      BOOST_TEST(double(max(abs(x - y), {}, "all")) <= 6);
    }
  }
  imwrite(picture(64, 64, 3), folder.path("low.jpg"), {.range = {0, 255}, .quality = 5});
  imwrite(picture(64, 64, 3), folder.path("high.jpg"), {.range = {0, 255}, .quality = 95});
  BOOST_TEST(std::filesystem::file_size(folder.path("low.jpg")) < std::filesystem::file_size(folder.path("high.jpg")));
}

BOOST_AUTO_TEST_CASE(every_cut_is_noticed) {
  for (const char* name : {"whole.png", "whole.jpg"}) {
    const std::string whole = folder.path(name), file = folder.path("cut");
    imwrite(picture(16, 24, 3), whole, {.range = {0, 255}});
    const std::string bytes = test::contents(whole);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      test::write(file, bytes.substr(0, n));
      const auto wrong = mistake([&] { imread(file); });
      BOOST_TEST(wrong.identifier.starts_with("dlarray:imread:"), name << " of " << n << " bytes");
      BOOST_TEST(wrong.sentence.find(file) != std::string::npos);
    }
    test::write(file, bytes);
    BOOST_TEST(isequal(imread(file), imread(whole)));
  }
}

BOOST_AUTO_TEST_CASE(damage_is_survived) {
  for (const char* name : {"whole.png", "whole.jpg"}) {
    const std::string whole = folder.path(name), file = folder.path("damaged");
    imwrite(picture(16, 24, 3), whole, {.range = {0, 255}});
    const std::string bytes = test::contents(whole);
    int noticed = 0;
    for (std::size_t at = 8; at < bytes.size(); ++at) {
      std::string wrong = bytes;
      wrong[at] = static_cast<char>(wrong[at] ^ 0x40);
      test::write(file, wrong);
      const auto said = mistake([&] { imread(file); });
      if (said.identifier != "nothing") ++noticed;
    }
    // A PNG file has checksums; a JPEG file with wrong bits is often another picture.
    if (bytes[1] == 'P') BOOST_TEST(noticed >= static_cast<int>(bytes.size()) - 8);
    BOOST_TEST(noticed > 0);
  }
}

BOOST_AUTO_TEST_CASE(mistakes) {
  const std::string file = folder.path("x.png");
  BOOST_TEST(mistake([&] {
               imread(folder.path("missing.png"));
             }).sentence.starts_with("imread: " + folder.path("missing.png") + " cannot be opened: No such file"));
  test::write(folder.path("text.png"), "no picture at all");
  BOOST_TEST(mistake([&] { imread(folder.path("text.png")); }).identifier == "dlarray:imread:foreign");
  BOOST_TEST(mistake([&] { imread(folder.path("")); }).identifier.starts_with("dlarray:imread:"));
  imwrite(ones(2, 2), file);
  const std::string before = test::contents(file);
  BOOST_TEST(mistake([&] {
               imwrite(ones(Size{2, 2, 5}), file);
             }).sentence.starts_with("imwrite: 2 x 2 x 5 is no picture: height x width x 1 to 4 is (image_test.cpp:"));
  BOOST_TEST(mistake([&] { imwrite(zeros(0, 3), file); }).identifier == "dlarray:imwrite:size");
  BOOST_TEST(mistake([&] { imwrite(ones(Size{2, 2, 2}), folder.path("x.jpg")); }).identifier == "dlarray:imwrite:size");
  BOOST_TEST(mistake([&] { imwrite(ones(2, 2), folder.path("x.gif")); }).identifier == "dlarray:imwrite:format");
  BOOST_TEST(mistake([&] { imwrite(ones(2, 2), file, {.range = {1, 1}}); }).identifier == "dlarray:imwrite:range");
  BOOST_TEST(mistake([&] { imwrite(ones(2, 2), file, {.bitDepth = 12}); }).identifier == "dlarray:imwrite:bitDepth");
  BOOST_TEST(mistake([&] { imwrite(ones(2, 2), "/nowhere/x.png"); }).identifier == "dlarray:imwrite:file");
  BOOST_TEST(test::contents(file) == before);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("")))
    BOOST_TEST(entry.path().filename().string().find(".tmp-") == std::string::npos, entry.path() << " was left behind");
}
