// Arrays in safetensors files: round trips, and every way in which a file can be wrong.
#include "harness/mistake.hpp"
#include "io/folder.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <limits>
#include <sys/resource.h>
#include <csignal>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::Folder;
using dl::test::mistake;
using dl::test::safetensors;
using dl::test::textOf;
using dl::test::write;

namespace {

template <class T>
bool sameBytes(const DlArray& a, const DlArray& b) {
  return std::memcmp(data<T>(a), data<T>(b), static_cast<std::size_t>(numel(a)) * sizeof(T)) == 0;
}

bool same(const DlArray& a, const DlArray& b) {
  if (!(size(a) == size(b)) || dims(a) != dims(b) || underlyingType(a) != underlyingType(b)) return false;
  if (numel(a) == 0) return true;
  switch (underlyingType(a)) {
    case Type::Single:
      return sameBytes<float>(a, b);
    case Type::Logical:
      return sameBytes<bool>(a, b);
    default:
      return sameBytes<double>(a, b);
  }
}

std::vector<NamedArray> everything() {
  rng(7);
  DlArray odd = randn(3, 2);
  odd(0) = std::numeric_limits<double>::quiet_NaN();
  odd(1) = -std::numeric_limits<double>::infinity();
  odd(2) = std::numeric_limits<double>::denorm_min();
  odd(3) = -0.0;
  return {{"logical", dlarray({{1, 0, 1}, {0, 0, 1}}) > 0},
          {"single images", dlarray(single_(rand(5, 4, 3, 2)), "SSCB")},
          {"double", odd},
          {"scalar", 3.5},
          {"empty", DlArray()},
          {"no columns", zeros(Size{3, 0}, Type::Single)},
          {"column", dlarray(single_(rand(7, 1)), "C")},
          {"deep", rand(Size{2, 1, 3, 1, 2, 2})},
          {"trailing", dlarray(rand(4, 3, 1), "SSC")},
          {"sequence", dlarray(rand(2, 3, 4), "CBT")},
          {"\u00e9 \"quoted\"\n", 1.0f}};
}

// The sentence for a file of these bytes, without the function's and the file's names.
std::string complaint(const std::string& bytes) {
  const Folder folder;
  const std::string file = folder / "x.safetensors";
  write(file, bytes);
  const std::string sentence = mistake([&] { loadSafetensors(file); }).sentence, start = "loadSafetensors: " + file + ": ";
  return sentence.starts_with(start) ? sentence.substr(start.size(), sentence.rfind(" (") - start.size()) : sentence;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

std::string withLabels(const std::string& labels) {
  return safetensors("{\"__metadata__\":{\"dlarray.labels\":\"" + labels + "\"}," + entry("x", "F32", "[1,2]", "[0,8]") + "}",
                     std::string(8, '\0'));
}

}  // namespace

BOOST_AUTO_TEST_CASE(arrays_come_back_bit_for_bit) {
  const Folder folder;
  const std::string file = folder / "all.safetensors";
  const std::vector<NamedArray> tensors = everything();
  saveSafetensors(file, tensors, {{"zeta", "last"}, {"alpha", "first \u00fc"}});
  const Safetensors back = loadSafetensors(file);
  BOOST_REQUIRE(back.tensors.size() == tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    BOOST_TEST(back.tensors[i].name == tensors[i].name);
    BOOST_TEST(same(back.tensors[i].value, tensors[i].value), tensors[i].name);
  }
  BOOST_TEST((back.metadata == std::vector<std::pair<std::string, std::string>>{{"alpha", "first \u00fc"}, {"zeta", "last"}}));
  BOOST_TEST(same(back["scalar"], 3.5));
  BOOST_TEST(mistake([&] { back["nothing"]; }).sentence == "safetensors: there is no array \"nothing\" among the 11 of the file");
  BOOST_TEST((folder.names() == std::vector<std::string>{"all.safetensors"}));

  saveSafetensors(folder / "none", {});
  BOOST_TEST(loadSafetensors(folder / "none").tensors.empty());
}

BOOST_AUTO_TEST_CASE(another_reader_finds_the_same) {
  if (std::system("python3 -c 'import json' 2>/dev/null") != 0) {
    BOOST_TEST_MESSAGE("there is no python3");
    return;
  }
  const Folder folder;
  DlArray x = dlarray({{1, 2, 3}, {4, 5, 6}});
  saveSafetensors(folder / "x", {{"mask", x > 3}, {"x", dlarray(x, "CB")}, {"half", single_(x / 2)}}, {{"who", "me"}});
  const std::string command =
      "python3 " DLARRAY_SOURCE_DIR "/tests/io/read_safetensors.py " + (folder / "x") + " >" + (folder / "out");
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  BOOST_TEST(textOf(folder / "out") ==
             "meta dlarray.labels {\"x\":\"CB\"}\n"
             "meta dlarray.version 1\n"
             "meta who me\n"
             "tensor mask BOOL [3, 2] 0x0.0p+0 0x1.0000000000000p+0 0x0.0p+0 0x1.0000000000000p+0 0x0.0p+0 0x1.0000000000000p+0\n"
             "tensor x F64 [3, 2] 0x1.0000000000000p+0 0x1.0000000000000p+2 0x1.0000000000000p+1 0x1.4000000000000p+2 "
             "0x1.8000000000000p+1 0x1.8000000000000p+2\n"
             "tensor half F32 [3, 2] 0x1.0000000000000p-1 0x1.0000000000000p+1 0x1.0000000000000p+0 0x1.4000000000000p+1 "
             "0x1.8000000000000p+0 0x1.8000000000000p+1\n");
}

BOOST_AUTO_TEST_CASE(files_of_others_are_read) {
  const Folder folder;
  const float numbers[] = {1, 2, 3, 4, 5, 6, 7};
  std::string bytes(sizeof numbers, '\0');
  std::memcpy(bytes.data(), numbers, sizeof numbers);
  // Out of order in the header, one-dimensional, without dimensions, with a key that nobody knows.
  write(folder / "x", safetensors("{" + entry("b", "F32", "[3]", "[16,28]") + "," + entry("a", "F32", "[]", "[0,4]") +
                                      ",\"c\":{\"note\":[1,{}],\"dtype\":\"F32\",\"shape\":[3,1],\"data_offsets\":[4,16]}}   ",
                                  bytes));
  const Safetensors back = loadSafetensors(folder / "x");
  BOOST_TEST(back.tensors[0].name == "b");
  BOOST_TEST(same(back["a"], 1.0f));
  BOOST_TEST(same(back["b"], single_(dlarray({{5}, {6}, {7}}))));
  BOOST_TEST(same(back["c"], single_(dlarray({2, 3, 4}))));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_saved_is_refused) {
  const Folder folder;
  const std::string file = folder / "x", start = "saveSafetensors: " + file + ": ";
  const auto refused = [&](const std::vector<NamedArray>& tensors,
                           const std::vector<std::pair<std::string, std::string>>& metadata) {
    const std::string sentence = mistake([&] { saveSafetensors(file, tensors, metadata); }).sentence;
    BOOST_TEST(folder.names().empty());
    return sentence.substr(0, sentence.rfind(" (")).substr(std::min(start.size(), sentence.size()));
  };
  BOOST_TEST(refused({{"a", 1.0}, {"a", 2.0}}, {}) == "two arrays have the name \"a\"");
  BOOST_TEST(refused({{"__metadata__", 1.0}}, {}) == "an array may not have the name \"__metadata__\"");
  BOOST_TEST(refused({}, {{"k", "1"}, {"k", "2"}}) == "two metadata have the key \"k\"");
  BOOST_TEST(refused({}, {{"dlarray.labels", "{}"}}) == "the metadata \"dlarray.labels\" is the library's own");
  BOOST_TEST(refused({{"\xff\xfe", 1.0}}, {}) == "a name or text is not UTF-8, which the format needs");
  BOOST_TEST(refused({}, {{"key", "\x80"}}) == "a name or text is not UTF-8, which the format needs");
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_opened_say_why) {
  const Folder folder;
  const std::string gone = folder / "no/such/folder/x", here = folder / "";
  BOOST_TEST(mistake([&] {
               loadSafetensors(gone);
             }).sentence.starts_with("loadSafetensors: " + gone + ": cannot be read: No such file or directory"));
  BOOST_TEST(mistake([&] {
               saveSafetensors(gone, {});
             }).sentence.starts_with("saveSafetensors: " + gone + ": cannot be written: No such file or directory"));
  BOOST_TEST(mistake([&] {
               loadSafetensors(here);
             }).sentence.starts_with("loadSafetensors: " + here + ": cannot be read: it is not a file"));
  BOOST_TEST(
      mistake([&] { saveSafetensors(here, {}); }).sentence.starts_with("saveSafetensors: " + here + ": this is not the name"));
  BOOST_TEST(mistake([&] { saveSafetensors("", {}); }).identifier == "dlarray:saveSafetensors:file");
  BOOST_TEST(mistake([&] { saveSafetensors("/dev/null", {}); }).identifier == "dlarray:saveSafetensors:file");
}

BOOST_AUTO_TEST_CASE(an_old_file_survives_a_failure_and_links_are_followed) {
  const Folder folder;
  saveSafetensors(folder / "real", {{"x", 1.0}});
  std::filesystem::create_symlink("real", folder / "link");
  std::filesystem::permissions(folder / "real", std::filesystem::perms(0640));
  saveSafetensors(folder / "link", {{"x", 2.0}});
  BOOST_TEST(std::filesystem::is_symlink(folder / "link"));
  BOOST_TEST(same(loadSafetensors(folder / "real")["x"], 2.0));
  BOOST_TEST((std::filesystem::status(folder / "real").permissions() == std::filesystem::perms(0640)));

  // A disk that is full half-way: no file of this process may grow past 4 KiB.
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string sentence = mistake([&] { saveSafetensors(folder / "real", {{"x", rand(100, 100)}}); }).sentence;
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  BOOST_TEST(sentence.find(": cannot be written: File too large") != std::string::npos);
  BOOST_TEST(same(loadSafetensors(folder / "real")["x"], 2.0));
  BOOST_TEST(folder.names().size() == 2U);
}

BOOST_AUTO_TEST_CASE(damage_has_a_name) {
  BOOST_TEST(complaint("") == "not a safetensors file: it has 0 bytes, and the length of the header alone takes 8");
  BOOST_TEST(complaint("\x89PNG\r\n\x1a\n and so on") == "not a safetensors file: no header begins at its byte 8");
  BOOST_TEST(complaint(std::string("\x10\0\0\0\0\0\0\0{\"a\":1}", 15)) ==
             "not a safetensors file, or cut off: its header would have 16 bytes, and 7 follow");
  BOOST_TEST(complaint(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{\"a\":1}", 15)) ==
             "not a safetensors file, or cut off: its header would have 18446744073709551615 bytes, and 7 follow");
  BOOST_TEST(complaint(safetensors("{\"a\":}")) == "its header is no JSON: it goes wrong at byte 6 of 6");
  BOOST_TEST(complaint(safetensors("{\"a\":1e999}")) ==
             "its header is no JSON: it holds a number that no computer number can be");
  BOOST_TEST(complaint(safetensors("{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}")) ==
             "its header nests deeper than 100 levels");
  BOOST_TEST(complaint(safetensors("{" + entry("x", "F32", "[0]", "[0,0]") + "," + entry("x", "F32", "[0]", "[0,0]") + "}")) ==
             "its header has the key \"x\" twice");
  BOOST_TEST(complaint(safetensors("{\"__metadata__\":{\"a\":3}}")) == "its metadata \"a\" is no text");
  BOOST_TEST(complaint(safetensors("{\"__metadata__\":[]}")) == "its metadata are no texts by key");
  BOOST_TEST(complaint(safetensors("{\"__metadata__\":{\"dlarray.version\":\"2\"}}")) ==
             "it has version 2 of the format, and this library reads 1; read it with a newer library");
  BOOST_TEST(complaint(safetensors("{\"__metadata__\":{\"dlarray.version\":\"one\"}}")) == "its version, \"one\", is none");
}

BOOST_AUTO_TEST_CASE(damage_of_a_tensor_has_a_name) {
  const auto said = [](const std::string& entries, std::size_t bytes = 0) {
    return complaint(safetensors("{" + entries + "}", std::string(bytes, '\0')));
  };
  BOOST_TEST(said("\"x\":3") == "tensor \"x\" is not described");
  BOOST_TEST(said("\"x\":{}") == "tensor \"x\" has no dtype");
  BOOST_TEST(said(entry("x", "BF16", "[1]", "[0,2]"), 2) == "tensor \"x\" is of type BF16; arrays are made of F64, F32 and BOOL");
  BOOST_TEST(said("\"x\":{\"dtype\":\"F32\",\"shape\":7}") == "tensor \"x\" has no shape");
  BOOST_TEST(said(entry("x", "F32", "[2,-1]", "[0,0]")) == "the sizes of tensor \"x\" are damaged: -1 is no count");
  BOOST_TEST(said(entry("x", "F32", "[2.0]", "[0,0]")) == "the sizes of tensor \"x\" are damaged: 2.0 is no count");
  BOOST_TEST(said(entry("x", "F32", "[18446744073709551615]", "[0,0]")) ==
             "the sizes of tensor \"x\" are damaged: 18446744073709551615 is no count");
  BOOST_TEST(said(entry("x", "F32", "[4294967296,4294967296]", "[0,0]")) ==
             "tensor \"x\" of shape [4294967296,4294967296] has more elements than memory could");
  BOOST_TEST(said(entry("x", "F32", "[0,4294967296,4294967296]", "[0,0]")) ==
             "tensor \"x\" of shape [0,4294967296,4294967296] has more elements than memory could");
  BOOST_TEST(said(entry("x", "F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]"), 4) ==
             "tensor \"x\" has 17 dimensions; arrays have 16 at most");
  BOOST_TEST(said(entry("x", "F32", "[1]", "[0]"), 4) == "tensor \"x\" has no two data_offsets");
  BOOST_TEST(said(entry("x", "F32", "[1]", "[4,0]"), 4) == "tensor \"x\" begins at byte 4 and ends at byte 0");
  BOOST_TEST(said(entry("x", "F32", "[2]", "[0,8]"), 7) ==
             "cut off: tensor \"x\" ends at byte 8 of the elements, and the file holds 7 of them");
  BOOST_TEST(said(entry("x", "F32", "[3]", "[0,8]"), 8) == "tensor \"x\" of shape [3] takes 12 bytes, and has 8");
  BOOST_TEST(said(entry("x", "F32", "[1]", "[0,4]") + "," + entry("y", "F32", "[1]", "[2,6]"), 6) ==
             "tensor \"y\" begins at byte 2, inside of the one before it");
  BOOST_TEST(said(entry("x", "F32", "[1]", "[4,8]"), 8) == "4 bytes before tensor \"x\" belong to none");
  BOOST_TEST(said(entry("x", "F32", "[1]", "[0,4]"), 9) == "5 bytes at its end belong to no tensor");
  BOOST_TEST(complaint(safetensors("{" + entry("x", "BOOL", "[2]", "[0,2]") + "}", "\x01\x02")) ==
             "tensor \"x\" of type BOOL holds a byte 2");
  BOOST_TEST(complaint(withLabels("{\\\"x\\\":\\\"BC\\\"}")) ==
             "the labels of tensor \"x\", \"BC\", do not fit an array of size 2 x 1");
  BOOST_TEST(complaint(withLabels("{\\\"x\\\":\\\"CBT\\\"}")) ==
             "the labels of tensor \"x\", \"CBT\", do not fit an array of size 2 x 1");
  BOOST_TEST(complaint(withLabels("{\\\"x\\\":3}")) == "the labels of tensor \"x\", 3, do not fit an array of size 2 x 1");
  BOOST_TEST(complaint(withLabels("[]")) == "its list of labels is none");
  BOOST_TEST(complaint(withLabels("{")) == "the list of labels is no JSON: it goes wrong at byte 2 of 1");
  BOOST_TEST(complaint(withLabels("{\\\"x\\\":\\\"CB\\\"}")) == "nothing");
}

BOOST_AUTO_TEST_CASE(a_file_cut_off_anywhere_is_an_error) {
  const Folder folder;
  saveSafetensors(folder / "x", everything(), {{"a", "b"}});
  const std::string whole = textOf(folder / "x"), file = folder / "cut";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write(file, whole.substr(0, length));
    const std::string sentence = mistake([&] { loadSafetensors(file); }).sentence;
    BOOST_REQUIRE_MESSAGE(sentence.starts_with("loadSafetensors: " + file + ": "), length << " bytes: " << sentence);
  }
  write(file, whole + "x");
  BOOST_TEST(mistake([&] { loadSafetensors(file); }).sentence.find("1 bytes at its end belong to no tensor") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_flipped_bit_of_the_header_does_harm) {
  const Folder folder;
  saveSafetensors(folder / "x", {{"a", dlarray(rand(3, 2), "CB")}, {"b", single_(rand(2, 2))}}, {{"k", "v"}});
  const std::string whole = textOf(folder / "x"), file = folder / "flipped";
  const std::size_t header = whole.size() - 6 * 8 - 4 * 4;
  std::size_t refused = 0, read = 0;
  for (std::size_t at = 0; at < header; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      write(file, damaged);
      // Throws an Error or reads something, which then is whole; any other exception ends the test.
      const std::string sentence = mistake([&] {
                                     for (const NamedArray& tensor : loadSafetensors(file).tensors)
                                       double(sum(tensor.value, "all"));
                                   }).sentence;
      (sentence == "nothing" ? read : refused)++;
    }
  BOOST_TEST(refused > 5 * read);
  BOOST_TEST(read > 0U);  // in names and texts
}
