// How convolutions take labels and windows, and what they say about mistakes.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

DlArray numbersOf(const Size& size, std::string_view format = "") {
  const DlArray x = dlarray(spread(static_cast<std::size_t>(numel(size)), -1, 1), size);
  return format.empty() ? x : dlarray(x, format);
}

std::string sentence(const std::function<DlArray()>& call) {
  const std::string text = mistake(call).sentence;
  return text.substr(0, text.rfind(" (convolution_test.cpp"));
}

}  // namespace

BOOST_AUTO_TEST_CASE(filters_are_not_turned_around) {
  const DlArray x = dlarray({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, "SSC"), w = dlarray({{1, 2}, {3, 4}});
  const DlArray y = dlconv(x, w, 0);
  BOOST_TEST(text(y) == "2(S) x 2(S) x 1(C)");
  BOOST_TEST(difference(y, {1 + 4 + 12 + 20, 4 + 10 + 21 + 32, 2 + 6 + 15 + 24, 5 + 12 + 24 + 36}) == "");
  BOOST_TEST(difference(dltranspconv(dlarray({{1, 2}}, "SSC"), w, 0.5), {1.5, 3.5, 4.5, 10.5, 4.5, 8.5}) == "");
}

BOOST_AUTO_TEST_CASE(labelled_weights_come_in_any_order) {
  const DlArray x = numbersOf({6, 5, 4, 2}, "SSCB"), w = numbersOf({3, 2, 4, 3});
  const DlArray y = dlconv(x, w, 0);
  BOOST_TEST(isequal(dlconv(x, dlarray(w, "SSCU"), 0), y));
  BOOST_TEST(isequal(dlconv(x, permute(w, {3, 2, 0, 1}), 0, {.weightsFormat = "UCSS"}), y));
  BOOST_TEST(isequal(dlconv(x, permute(w, {0, 3, 2, 1}), 0, {.weightsFormat = "SUCS"}), y));
  const DlArray grouped = numbersOf({3, 2, 2, 3, 2});
  BOOST_TEST(isequal(dlconv(x, dlarray(grouped, "SSCUU"), 0), dlconv(x, grouped, 0)));
}

BOOST_AUTO_TEST_CASE(transposed_weights_have_filters_before_channels) {
  const DlArray x = numbersOf({6, 5, 4, 2}, "SSCB"), w = numbersOf({3, 2, 3, 4});
  const DlArray y = dltranspconv(x, w, 0);
  BOOST_TEST((size(y) == Size{8, 6, 3, 2}));
  BOOST_TEST(isequal(dltranspconv(x, dlarray(w, "SSUC"), 0), y));
  BOOST_TEST(isequal(dltranspconv(x, w, 0, {.weightsFormat = "SSUC"}), y));
  BOOST_TEST(isequal(dltranspconv(x, permute(w, {0, 1, 3, 2}), 0, {.weightsFormat = "SSCU"}), y));
  const DlArray grouped = numbersOf({3, 2, 3, 2, 2});
  BOOST_TEST(isequal(dltranspconv(x, dlarray(grouped, "SSUCU"), 0), dltranspconv(x, grouped, 0)));
}

BOOST_AUTO_TEST_CASE(time_counts_as_a_dimension_where_the_weights_have_it) {
  const DlArray x = numbersOf({4, 3, 9}, "CBT"), w = numbersOf({3, 4, 5}), b = numbersOf({5, 1});
  const DlArray y = dlconv(x, w, b, {.weightsFormat = "TCU", .stride = 2, .padding = "causal"});
  BOOST_TEST(dims(y) == "CBT");
  const DlArray space = dlconv(dlarray(stripdims(x), "CBS"), w, b, {.stride = 2, .padding = "causal"});
  BOOST_TEST(isequal(stripdims(y), stripdims(space, "CBS")));
  BOOST_TEST(isequal(dlconv(x, dlarray(w, "TCU"), b, {.stride = 2, .padding = "causal"}), y));
  const DlArray back = dltranspconv(x, permute(w, {0, 2, 1}), b, {.weightsFormat = "TUC", .stride = 3});
  BOOST_TEST(isequal(stripdims(back),
                     stripdims(dltranspconv(dlarray(stripdims(x), "CBS"), permute(w, {0, 2, 1}), b, {.stride = 3}), "CBS")));

  const DlArray film = numbersOf({6, 5, 2, 3, 4}, "SSCBT"), cube = numbersOf({3, 2, 2, 2, 4});
  const DlArray z = dlconv(film, cube, 0, {.weightsFormat = "SSTCU", .padding = 1});
  BOOST_TEST(text(z) == "6(S) x 6(S) x 4(C) x 3(B) x 5(T)");
  BOOST_TEST(isequal(stripdims(z), stripdims(dlconv(dlarray(stripdims(film), "SSCBS"), cube, 0, {.padding = 1}), "SSCBS")));
  // One sequence without B, one step.
  BOOST_TEST(text(dlconv(numbersOf({4, 9}, "CT"), w, b, {.weightsFormat = "TCU"})) == "5(C) x 7(T)");
  BOOST_TEST(text(dlconv(numbersOf({4, 3, 3}, "CBT"), w, b, {.weightsFormat = "TCU"})) == "5(C) x 3(B) x 1(T)");
}

BOOST_AUTO_TEST_CASE(unlabelled_data_keeps_the_order_of_the_caller) {
  const DlArray x = numbersOf({2, 6, 4, 5}), w = numbersOf({3, 2, 4, 3});
  const DlArray y = dlconv(x, w, 0, {.dataFormat = "BSCS"});
  BOOST_TEST(dims(y) == "");
  BOOST_TEST((size(y) == Size{2, 4, 3, 4}));
  BOOST_TEST(isequal(y, stripdims(dlconv(dlarray(x, "BSCS"), w, 0), "BSCS")));
}

BOOST_AUTO_TEST_CASE(mirrors_may_be_shorter_than_the_padding) {
  const DlArray x = dlarray({1, 2, 3}, "SC"), w = dlarray({1}), one = dlarray({7}, "SC");
  const auto padded = [&](const DlArray& of, const char* word) {
    return dlconv(of, w, 0, {.padding = {{4}, {4}}, .paddingValue = word});
  };
  const DlArray column = dlarray(transpose(dlarray({1, 2, 3})), "SC");
  BOOST_TEST(difference(padded(column, "symmetric-include-edge"), {3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1}) == "");
  BOOST_TEST(difference(padded(column, "symmetric-exclude-edge"), {1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3}) == "");
  BOOST_TEST(difference(padded(column, "replicate"), {1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3}) == "");
  BOOST_TEST(difference(padded(one, "symmetric-exclude-edge"), Numbers(9, 7)) == "");
}

BOOST_AUTO_TEST_CASE(types_meet_as_in_arithmetic) {
  const DlArray x = numbersOf({5, 2, 1}, "SCB"), w = numbersOf({3, 2, 2});
  BOOST_TEST((underlyingType(dlconv(single_(x), w, 0)) == Type::Single));
  BOOST_TEST((underlyingType(dlconv(x, single_(w), 0)) == Type::Single));
  BOOST_TEST((underlyingType(dlconv(logical_(x), logical_(w), 0)) == Type::Double));
  BOOST_TEST((underlyingType(dlconv(x, w, single_(ones(2, 1)))) == Type::Single));
}

BOOST_AUTO_TEST_CASE(nothing_in_nothing_out) {
  BOOST_TEST(text(dlconv(dlarray(ones(Size{5, 2, 0}), "SCB"), ones(Size{3, 2, 4}), 1)) == "3(S) x 4(C) x 0(B)");
  BOOST_TEST(difference(dlconv(dlarray(ones(Size{3, 0, 1}), "SCB"), ones(Size{3, 0, 2}), 1), {1, 1}) == "");
  const auto gradient = [](const DlArray& w) {
    return dlgradient(sum(dlconv(dlarray(ones(Size{5, 2, 0}), "SCB"), w, 1), "all"), w);
  };
  BOOST_TEST(isequal(dlfeval(gradient, ones(Size{3, 2, 4})), zeros(Size{3, 2, 4})));
}

BOOST_AUTO_TEST_CASE(mistakes_of_data_and_weights) {
  const DlArray x = numbersOf({6, 5, 4, 2}, "SSCB"), w = numbersOf({3, 3, 4, 7});
  const auto conv = [](const DlArray& data, const DlArray& weights, const DlArray& bias, const DlconvOptions& o = {}) {
    return sentence([&] { return dlconv(data, weights, bias, o); });
  };
  BOOST_TEST(conv(x, numbersOf({3, 3, 5, 7}), 0.0) ==
             "dlconv: the weights 3 x 3 x 5 x 7 are for 5 channels but the data has 4: 6(S) x 5(S) x 4(C) x 2(B)");
  BOOST_TEST(
      conv(x, numbersOf({3, 3, 3, 7, 2}), 0.0) ==
      "dlconv: the weights 3 x 3 x 3 x 7 x 2 are for 6 channels (2 groups of 3) but the data has 4: 6(S) x 5(S) x 4(C) x 2(B)");
  BOOST_TEST(conv(x, w, numbersOf({6, 1})) == "dlconv: the bias is 6 x 1 but the data has 7 channels: 4(S) x 3(S) x 7(C) x 2(B)");
  BOOST_TEST(conv(x, w, numbersOf({7, 1}, "BU")) == "dlconv: the bias is 7(B) x 1(U); its elements must lie along C");
  BOOST_TEST(conv(stripdims(x), w, 0.0).starts_with("dlconv: 6 x 5 x 4 x 2 has no labels to tell channels from observations"));
  BOOST_TEST(conv(x, w, 0.0, {.dataFormat = "SSCB"}).starts_with("dlconv: 6(S) x 5(S) x 4(C) x 2(B) has labels already"));
  BOOST_TEST(conv(x, dlarray(w, "SSCU"), 0.0, {.weightsFormat = "SSCU"}) ==
             "dlconv: the weights 3(S) x 3(S) x 4(C) x 7(U) have labels already; leave .weightsFormat = \"SSCU\" out");
  BOOST_TEST(conv(x, w, 0.0, {.weightsFormat = "SCU"}) ==
             "dlconv: the weights are 3 x 3 x 4 x 7, which is more dimensions than the 3 of .weightsFormat = \"SCU\"");
  BOOST_TEST(conv(x, w, 0.0, {.weightsFormat = "SSUU"}) ==
             "dlconv: the weights 3 x 3 x 4 x 7 are taken as SSUU; they need S or T for the filter, C for the channels, U for "
             "filters and groups");
  BOOST_TEST(conv(x, w, 0.0, {.weightsFormat = "SCUU"}) ==
             "dlconv: the weights 3 x 3 x 4 x 7 have 1 spatial dimension but the data has 2: 6(S) x 5(S) x 4(C) x 2(B)");
  BOOST_TEST(conv(x, w, 0.0, {.weightsFormat = "STCU"}) ==
             "dlconv: the weights 3 x 3 x 4 x 7 move along T, which the data, 6(S) x 5(S) x 4(C) x 2(B), does not have");
  BOOST_TEST(conv(numbersOf({4, 2, 9}, "CBT"), numbersOf({4, 5}), 0.0) ==
             "dlconv: 4(C) x 2(B) x 9(T) has no spatial dimension to move along; to move along T, label the weights or say "
             ".weightsFormat = \"TCU\"");
  BOOST_TEST(conv(numbersOf({6, 5, 2}, "SSB"), w, 0.0) ==
             "dlconv: the data is 6(S) x 5(S) x 2(B); it must have C for its channels, and none but S, C, B and T");
  BOOST_TEST(conv(x, numbersOf({3, 3, 4, 7, 1, 2}), 0.0) ==
             "dlconv: the weights are 3 x 3 x 4 x 7 x 1 x 2, which is more dimensions than the 5 of filter sizes, channels, "
             "filters and groups");
  BOOST_TEST(conv(numbersOf({2, 2, 2, 2, 3, 1}, "SSSSCB"), numbersOf({2, 2, 2, 2, 3, 1}), 0.0) ==
             "dlconv: filters move along at most three dimensions; the data is 2(S) x 2(S) x 2(S) x 2(S) x 3(C) x 1(B)");
  BOOST_TEST(sentence([&] { return dltranspconv(x, w, 0); }) ==
             "dltranspconv: the weights 3 x 3 x 4 x 7 are for 7 channels but the data has 4: 6(S) x 5(S) x 4(C) x 2(B); filters "
             "come before "
             "channels here");
  BOOST_TEST(mistake([&] { dltranspconv(x, w, 0); }).identifier == "dlarray:dltranspconv:channels");
}

BOOST_AUTO_TEST_CASE(mistakes_of_windows) {
  const DlArray x = numbersOf({6, 5, 4, 2}, "SSCB"), w = numbersOf({3, 3, 4, 7}), v = numbersOf({3, 3, 7, 4});
  const auto conv = [&](const DlconvOptions& o) { return sentence([&] { return dlconv(x, w, 0, o); }); };
  const auto back = [&](const DltranspconvOptions& o) { return sentence([&] { return dltranspconv(x, v, 0, o); }); };
  BOOST_TEST(conv({.stride = 0}) == "dlconv: the stride is 0; it must be at least 1");
  BOOST_TEST(conv({.stride = {1, 2, 3}}) ==
             "dlconv: the stride has 3 numbers; the filter moves along 2 dimensions, so it takes 1 or 2");
  BOOST_TEST(conv({.dilationFactor = -1}) == "dlconv: the dilation factor is -1; it must be at least 1");
  BOOST_TEST(conv({.padding = -1}) == "dlconv: the padding is -1; it must be at least 0");
  BOOST_TEST(conv({.padding = {{1, 1}, {1, 1}, {1, 1}}}) ==
             "dlconv: the padding has 0 numbers; the filter moves along 2 dimensions, so it takes 1 or 2");
  BOOST_TEST(conv({.padding = "valid"}) == "dlconv: the padding is \"valid\", neither \"same\", \"causal\" nor numbers");
  BOOST_TEST(conv({.padding = "causal"}) == "dlconv: \"causal\" padding is for one dimension; the filter moves along 2");
  BOOST_TEST(conv({.padding = 1, .paddingValue = "mirror"}) ==
             "dlconv: the padding value is \"mirror\", neither \"symmetric-include-edge\", \"symmetric-exclude-edge\", "
             "\"replicate\" nor a number");
  BOOST_TEST(conv({.dilationFactor = 3}) ==
             "dlconv: along dimension 0 of 6(S) x 5(S) x 4(C) x 2(B) the filter spans 7 elements but data and padding have 6");
  BOOST_TEST(back({.stride = {1, 2, 3}}) ==
             "dltranspconv: the stride has 3 numbers; the filter moves along 2 dimensions, so it takes 1 or 2");
  BOOST_TEST(back({.cropping = "causal"}) == "dltranspconv: the cropping is \"causal\", neither \"same\" nor numbers");
  BOOST_TEST(back({.cropping = 4}) ==
             "dltranspconv: along dimension 0 of 6(S) x 5(S) x 4(C) x 2(B) nothing is left of 8 elements after cropping");
  // Numbers for which sums of positions would overflow.
  const Index huge = Index{1} << 62;
  BOOST_TEST(conv({.stride = huge, .padding = "same"}) ==
             "dlconv: the stride is 4611686018427387904; it must be at most 2147483647");
  BOOST_TEST(conv({.dilationFactor = huge}) ==
             "dlconv: the dilation factor is 4611686018427387904; it must be at most 2147483647");
  BOOST_TEST(sentence([&] {
               return dlconv(x, numbersOf({5, 5, 4, 7}), 0, {.dilationFactor = huge});
             }) == "dlconv: the dilation factor is 4611686018427387904; it must be at most 2147483647");
  BOOST_TEST(conv({.padding = {huge, 1}}) == "dlconv: the padding is 4611686018427387904; it must be at most 2147483647");
  BOOST_TEST(back({.stride = huge}) == "dltranspconv: the stride is 4611686018427387904; it must be at most 2147483647");
  BOOST_TEST(sentence([&] {
               return dlconv(numbersOf({6, 0, 4, 2}, "SSCB"), w, 0, {.padding = 3});
             }) == "dlconv: 6(S) x 0(S) x 4(C) x 2(B) has no elements along dimension 1, which the filter moves along");
  BOOST_TEST(mistake([&] { dlconv(x, w, 0, {.stride = 0}); }).identifier == "dlarray:dlconv:window");
}
