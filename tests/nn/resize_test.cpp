// Values worked out by hand, mistakes, types and data without labels of dlresize.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {
DlArray column(const std::vector<double>& values) { return dlarray(values, "S"); }
}  // namespace

BOOST_AUTO_TEST_CASE(by_hand) {
  const DlArray x = column({1, 3, 7, 5});
  BOOST_TEST(difference(dlresize(x, {.scale = 2}), {1, 1, 3, 3, 7, 7, 5, 5}) == "");
  BOOST_TEST(difference(dlresize(x, {.scale = 2, .method = "linear"}), {1, 1.5, 2.5, 4, 6, 6.5, 5.5, 5}) == "");
  BOOST_TEST(difference(dlresize(x, {.scale = 2, .method = "linear", .geometricTransformMode = "asymmetric"}),
                        {1, 2, 3, 5, 7, 6, 5, 5}) == "");
  // Halves go up: the places are 0.5 and 2.5.
  BOOST_TEST(difference(dlresize(x, {.outputSize = 2}), {3, 5}) == "");
  BOOST_TEST(difference(dlresize(x, {.outputSize = 2, .nearestRoundingMode = "floor"}), {1, 7}) == "");
  BOOST_TEST(difference(dlresize(x, {.outputSize = 2, .method = "linear"}), {2, 6}) == "");
  // The places are 0 and 4/3.
  BOOST_TEST(difference(dlresize(x, {.scale = 0.75, .geometricTransformMode = "asymmetric", .nearestRoundingMode = "onnx-10"}),
                        {1, 7, 5}) == "");
}

// 3 / 0.3 is not quite 10, and 0.7 * 10 not quite 7.
BOOST_AUTO_TEST_CASE(last_bits_do_not_decide) {
  const DlArray x = dlarray(reshape(colon(0, 29), 30, 1), "SC");
  for (const double n : {0.1, 0.3, 0.7, 0.9, 1.1}) {
    const DlArray y = dlresize(x, {.scale = n, .geometricTransformMode = "asymmetric", .nearestRoundingMode = "floor"});
    BOOST_TEST(size(y, 0) == std::lround(30 * n));
    for (Index i = 0; i < size(y, 0); ++i) BOOST_TEST(int(y(i)) == std::min<Index>(29, i * 10 / std::lround(10 * n)));
  }
}

BOOST_AUTO_TEST_CASE(infinities_stay_where_they_are) {
  const DlArray y =
      dlresize(column({1, INFINITY, 2}), {.outputSize = 5, .method = "linear", .geometricTransformMode = "asymmetric"});
  BOOST_TEST(difference(y(0), {1}) == "");
  BOOST_TEST(difference(y(4), {2}) == "");
  BOOST_TEST(isequal(dlresize(column({1, INFINITY}), {.scale = 2}), column({1, 1, INFINITY, INFINITY})));
}

BOOST_AUTO_TEST_CASE(types_and_labels) {
  const DlArray x = rand(Size{3, 4, 2});
  BOOST_TEST(
      isequal(dlresize(x, {.scale = 2, .dataFormat = "CSB"}), stripdims(dlresize(dlarray(x, "CSB"), {.scale = 2}), "CSB")));
  BOOST_TEST((underlyingType(dlresize(single_(x), {.scale = 2, .dataFormat = "SSC", .method = "linear"})) == Type::Single));
  BOOST_TEST((underlyingType(dlresize(x > 0.5, {.scale = 2, .dataFormat = "SSC"})) == Type::Double));
  BOOST_TEST((size(dlresize(dlarray(zeros(Size{3, 4, 0}), "SSC"), {.outputSize = Size{5, 6}})) == Size{5, 6, 0}));
  BOOST_TEST(isequal(dlresize(dlarray(x, "SSC"), {.scale = 1}), dlarray(x, "SSC")));
}

BOOST_AUTO_TEST_CASE(mistakes) {
  const DlArray x = dlarray(ones(Size{4, 5, 3}), "SSC");
  const auto says = [](auto&& call, const char* sentence) {
    const std::string said = mistake(call).sentence;
    BOOST_TEST(said.starts_with(sentence), said);
  };
  says([&] { dlresize(ones(4, 5), {.scale = 2}); }, "dlresize: 4 x 5 has no labels");
  says([&] { dlresize(dlarray(ones(4, 5), "CB"), {.scale = 2}); }, "dlresize: 4(C) x 5(B) has no spatial dimension, S");
  says([&] { dlresize(x, {}); },
       "dlresize: neither .scale nor .outputSize is given; either .scale or .outputSize says how large 4(S) x 5(S) x 3(C) "
       "becomes");
  says([&] { dlresize(x, {.scale = 2, .outputSize = 4}); }, "dlresize: both .scale and .outputSize are given");
  says(
      [&] {
        dlresize(x, {.scale = {2, 2, 2}});
      },
      "dlresize: .scale has 3 numbers for 2 spatial dimensions of 4(S) x 5(S) x 3(C); give one number, or one for each");
  says([&] { dlresize(x, {.scale = -1}); }, "dlresize: .scale is -1; it must be a positive number");
  says([&] { dlresize(x, {.outputSize = 2.5}); }, "dlresize: .outputSize is 2.5; it must be a positive whole number");
  says([&] { dlresize(x, {.outputSize = {8, NAN}}); }, "dlresize: .outputSize is nan; it must be a positive whole number");
  says([&] { dlresize(x, {.scale = 0.1}); }, "dlresize: dimension 0 of 4(S) x 5(S) x 3(C) would have 0 elements");
  says([&] { dlresize(x, {.scale = 1e18}); },
       "dlresize: dimension 0 of 4(S) x 5(S) x 3(C) would have 4e+18 elements; 2147483647 is the most");
  says([&] { dlresize(x, {.outputSize = {5, 1e300}}); }, "dlresize: dimension 1 of 4(S) x 5(S) x 3(C) would have 1e+300 elements");
  says([&] { dlresize(x, {.scale = 2, .method = "cubic"}); },
       "dlresize: .method is \"cubic\", neither \"nearest\" nor \"linear\"");
  says([&] { dlresize(x, {.scale = 2, .geometricTransformMode = "corners"}); },
       "dlresize: .geometricTransformMode is \"corners\", neither \"half-pixel\" nor \"asymmetric\"");
  says([&] { dlresize(x, {.scale = 2, .nearestRoundingMode = "ceil"}); },
       "dlresize: .nearestRoundingMode is \"ceil\", not \"round\", \"floor\" or \"onnx-10\"");
}

// Columns too long to be turned in groups, and some of every count of leftovers.
BOOST_AUTO_TEST_CASE(columns_of_every_length_and_number) {
  for (const Index n : {5, 31, 9000})
    for (const Index columns : {1, 3, 16, 33}) {
      const DlArray x = dlarray(randn(Size{n, columns, 1}), "SBC");
      const auto half = [](const DlArray& a) { return dlresize(a, {.scale = 2, .method = "linear"}); };
      const auto [y, g] = dlfeval(
          [&](const DlArray& a) {
            const DlArray b = half(a);
            return std::tuple(b, dlgradient(sum(b % b, "all") / 2, a));
          },
          x);
      const DlArray in = stripdims(x), out = stripdims(y);
      double worst = 0;
      std::vector<double> expected(static_cast<std::size_t>(numel(x)));
      const auto *from = data<double>(in), *to = data<double>(out);
      for (Index c = 0; c < columns; ++c)
        for (Index i = 0; i < 2 * n; ++i) {
          const double place = std::clamp((static_cast<double>(i) + 0.5) / 2 - 0.5, 0.0, static_cast<double>(n - 1));
          const auto a = static_cast<Index>(place), b = std::min(a + 1, n - 1);
          const double weight = place - static_cast<double>(a), value = (1 - weight) * from[a + n * c] + weight * from[b + n * c];
          worst = std::max(worst, std::abs(value - to[i + 2 * n * c]));
          expected[static_cast<std::size_t>(a + n * c)] += (1 - weight) * value;
          expected[static_cast<std::size_t>(b + n * c)] += weight * value;
        }
      const DlArray gradient = stripdims(g);
      for (Index i = 0; i < numel(x); ++i)
        worst = std::max(worst, std::abs(expected[static_cast<std::size_t>(i)] - data<double>(gradient)[i]));
      BOOST_TEST(worst < 1e-12, n << " elements, " << columns << " columns");
    }
}
