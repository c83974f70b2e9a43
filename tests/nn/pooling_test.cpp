// Mistakes, NaN, ties, data without labels and large data of pooling.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

BOOST_AUTO_TEST_CASE(back_to_where_it_came_from) {
  const DlArray x = dlarray(rand(Size{4, 6, 2, 3}), "SSCB");
  const auto [y, positions, inputSize] = maxpool<3>(x, 2, {.stride = 2});
  BOOST_TEST((inputSize == Size{4, 6, 2, 3}));
  BOOST_TEST(dims(positions) == "SSCB");
  BOOST_TEST(isequal(stripdims(x)(reshape(stripdims(positions), -1, 1)), reshape(y, -1, 1)));
  const DlArray z = maxunpool(y, positions, inputSize);
  BOOST_TEST(dims(z) == "SSCB");
  BOOST_TEST(isequal(maxpool(z, 2, {.stride = 2}), y));
  BOOST_TEST(double(sum(z, "all")) == double(sum(y, "all")), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(unlabelled_data_comes_back_as_it_came) {
  const DlArray x = rand(Size{3, 6, 2});  // B, S, C
  const DlArray labelled = dlarray(x, "BSC");
  BOOST_TEST(isequal(maxpool(x, 2, {.dataFormat = "BSC"}), stripdims(maxpool(labelled, 2), "BSC")));
  BOOST_TEST(isequal(avgpool(x, 2, {.dataFormat = "BSC"}), stripdims(avgpool(labelled, 2), "BSC")));
  const auto [y, positions, inputSize] = maxpool<3>(x, 2, {.dataFormat = "BSC", .stride = 2});
  BOOST_TEST((inputSize == size(x)));
  BOOST_TEST((size(positions) == size(y)));
  const DlArray z = maxunpool(y, positions, inputSize, {.dataFormat = "BSC"});
  BOOST_TEST((size(z) == size(x)));
  BOOST_TEST(isequal(z, x % (z != 0)));
  BOOST_TEST(dims(z) == "");
}

BOOST_AUTO_TEST_CASE(not_a_number_is_passed_on) {
  for (const Index n : {6, 40}) {
    DlArray x = dlarray(reshape(linspace(1, 0, n), n, 1), "SC");
    x(3) = NAN;
    const auto [y, positions, s] = maxpool<3>(x, 2, {.stride = 2});
    BOOST_TEST(isequaln(y, maxpool(x, 2, {.stride = 2})));
    for (Index i = 0; i < n / 2; ++i) {
      BOOST_TEST(bool(isnan(y(i))) == (i == 1));
      BOOST_TEST(double(positions(i)) == (i == 1 ? 3 : 2.0 * static_cast<double>(i)));
    }
    BOOST_TEST(bool(isnan(avgpool(x, 2)(2))));
  }
  const DlArray low = dlarray(ones(20, 1) * -INFINITY, "SC");
  BOOST_TEST(isequal(maxpool(low, 3, {.padding = 1}), low));
}

// Of equal elements the first in column-major order takes the derivative.
BOOST_AUTO_TEST_CASE(ties) {
  const DlArray x = dlarray(ones(2, 3), "SS");
  const DlArray g = dlfeval([](const DlArray& v) { return dlgradient(sum(maxpool(v, 2), "all"), v); }, x);
  BOOST_TEST(isequal(stripdims(g), dlarray({{1, 1, 0}, {0, 0, 0}})));
}

BOOST_AUTO_TEST_CASE(single_stays_single_and_logical_counts) {
  const DlArray x = dlarray(single_(rand(5, 3)), "SC");
  BOOST_TEST((underlyingType(maxpool(x, 2)) == Type::Single));
  BOOST_TEST((underlyingType(avgpool(x, 2)) == Type::Single));
  const DlArray bits = dlarray(dlarray({true, false, true}), "CS");
  BOOST_TEST(isequal(stripdims(avgpool(bits, 2)), dlarray(std::vector<double>{0.5, 0.5})));
  BOOST_TEST((size(maxpool(dlarray(zeros(Size{4, 4, 0}), "SSC"), 2)) == Size{3, 3, 0}));
}

BOOST_AUTO_TEST_CASE(whole_dimensions_and_time) {
  const DlArray x = dlarray(rand(Size{4, 5, 3, 6}), "SSCT");
  BOOST_TEST(isequal(maxpool(x, "global", {.stride = 3}), max(x, {}, "S")));
  BOOST_TEST((size(maxpool(x, {2, 3, 4}, {.poolFormat = "SST"})) == Size{3, 3, 3, 3}));
  BOOST_TEST(isequal(maxpool(x, "global", {.poolFormat = "TSS"}), max(max(x, {}, "S"), {}, "T")));
  // Numbers come in the order of the format.
  const auto with = [&](PoolSize pool, const char* format, Padding padding) {
    return maxpool(x, pool, {.poolFormat = format, .stride = pool, .padding = padding});
  };
  const DlArray expected = with({2, 3, 4}, "SST", {{0, 1, 2}, {1, 2, 3}});
  BOOST_TEST(isequal(with({4, 2, 3}, "TSS", {{2, 0, 1}, {3, 1, 2}}), expected));
  BOOST_TEST(isequal(with({2, 4, 3}, "STS", {{0, 2, 1}, {1, 3, 2}}), expected));
}

// Sizes at which the work is divided among threads, and at which rows are cut into tiles.
BOOST_AUTO_TEST_CASE(large) {
  const auto checkThat = [](const DlArray& x, const auto& pool, const auto& naive) {
    BOOST_TEST(isequal(stripdims(pool(x)), naive(stripdims(x))));
    const DlArray w = rand(size(pool(x)));
    const auto gradient = [&](const DlArray& a, bool higher) {
      return dlfeval(
          [&](const DlArray& v) {
            const DlArray y = pool(v);
            return dlgradient(sum(y % y % dlarray(w, dims(y)), "all"), v, {.enableHigherDerivatives = higher});
          },
          a);
    };
    BOOST_TEST(isequal(gradient(x, false), gradient(x, true)));
  };
  checkThat(
      dlarray(rand(Size{64, 62, 8, 5}), "SSCB"), [](const DlArray& x) { return maxpool(x, 2, {.stride = 2}); },
      [](const DlArray& x) {
        const auto part = [&](Index i, Index j) { return x(span(i, 2, 63), span(j, 2, 61), all, all); };
        return max(max(part(0, 0), part(1, 0)), max(part(0, 1), part(1, 1)));
      });
  checkThat(
      dlarray(rand(Size{100, 90, 21}), "CBT"), [](const DlArray& x) { return maxpool(x, 2, {.poolFormat = "T"}); },
      [](const DlArray& x) { return max(x(all, all, span(0, 19)), x(all, all, span(1, 20))); });
}

// The kernels for usual windows and rows of all lengths against each other: values by themselves and by positions, the derivative
// in one pass and in operations.
BOOST_AUTO_TEST_CASE(all_windows) {
  for (const Type type : {Type::Double, Type::Single})
    for (const Index window : {1, 2, 3, 4, 5})
      for (const Index stride : {1, 2, 3})
        for (const Index rows : {6, 9, 20, 33, 40, 70}) {
          const DlArray x = dlarray(cast(rand(Size{rows, 7, 2}), type), "SSC");
          const MaxpoolOptions options{.stride = stride, .padding = "same"};
          const auto gradient = [&](bool higher) {
            return dlfeval(
                [&](const DlArray& v) {
                  const DlArray y = maxpool(v, window, options);
                  return dlgradient(sum(y % y, "all"), v, {.enableHigherDerivatives = higher});
                },
                x);
          };
          const DlArray before = maxpool(x, window, options);
          const double tolerance = type == Type::Double ? 1e-14 : 1e-6;
          BOOST_TEST(isequal(std::get<0>(maxpool<3>(x, window, options)), before));
          BOOST_TEST(difference(gradient(false), plain(gradient(true)).values, tolerance) == "",
                     window << " " << stride << " " << rows);
          BOOST_TEST(isequal(maxpool(x, window, options), before));
        }
}

BOOST_AUTO_TEST_CASE(mistakes) {
  const DlArray x = dlarray(ones(Size{4, 5, 3, 2}), "SSCB"), features = dlarray(ones(3, 2), "CB"), plainX = ones(4, 3);
  const auto says = [](auto&& call, const char* sentence) {
    const std::string said = mistake(call).sentence;
    BOOST_TEST(said.starts_with(sentence), said);
  };
  says([&] { maxpool(plainX, 2); }, "maxpool: 4 x 3 has no labels");
  says([&] { maxpool(features, 2); }, "maxpool: 3(C) x 2(B) has no spatial dimension, S; .poolFormat = \"T\" pools over time");
  says([&] { avgpool(x, 2, {.poolFormat = "T"}); },
       "avgpool: .poolFormat is \"T\" but the data is 4(S) x 5(S) x 3(C) x 2(B); it names the dimensions S and T to pool over");
  says(
      [&] {
        maxpool(x, {2, 2, 2});
      },
      "maxpool: the pool size has 3 numbers for 2 dimensions of 4(S) x 5(S) x 3(C) x 2(B); give one number, or one for each");
  says([&] { maxpool(x, 0); }, "maxpool: the pool size is 0 along dimension 0; it must be 1 at least");
  says([&] { maxpool(x, "all"); }, "maxpool: the pool size is \"all\", neither numbers nor \"global\"");
  says([&] { maxpool(x, "global", {.padding = 1}); }, "maxpool: a global pool takes no padding");
  says([&] { maxpool(x, 2, {.stride = {1, 0}}); }, "maxpool: the stride is 0 along dimension 1; it must be 1 at least");
  says([&] { maxpool(x, 2, {.stride = Index{1} << 62, .padding = "same"}); },
       "maxpool: the stride is 4611686018427387904 along dimension 0; it must be 2147483647 at most");
  says([&] { avgpool(x, Index{1} << 62, {.padding = "same"}); },
       "avgpool: the pool size is 4611686018427387904 along dimension 0; it must be 2147483647 at most");
  says([&] { maxpool(x, 2, {.padding = "causal"}); }, "maxpool: the padding is \"causal\", neither numbers nor \"same\"");
  says([&] { maxpool(x, 2, {.padding = 2}); },
       "maxpool: the padding of 2 is not smaller than the window of 2: windows would hold nothing but padding");
  says([&] { maxpool(x, 2, {.padding = {{1}, {1}, {1}}}); }, "maxpool: the padding has 0 numbers for 2 dimensions");
  says(
      [&] {
        maxpool(x, {5, 2});
      },
      "maxpool: a window of 5 along a dimension of 4 with 0 elements of padding, 4(S) x 5(S) x 3(C) x 2(B); it must fit in");
  says([&] { maxpool(dlarray(zeros(Size{0, 3}), "SC"), 1); }, "maxpool: 0(S) x 3(C) has nothing to pool");
  says(
      [&] {
        maxpool(dlarray(zeros(Size{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4}), "SSSSSSSSSSCBT"), 1, {.poolFormat = "SSSSSSSSSST"});
      },
      "maxpool: more dimensions than a window can have");
  says([&] { avgpool(x, 2, {.paddingValue = 1}); }, "avgpool: .paddingValue is 1, neither 0 nor \"mean\"");
  says([&] { avgpool(x, 2, {.paddingValue = "median"}); }, "avgpool: .paddingValue is \"median\", neither 0 nor \"mean\"");
  says([&] { maxunpool(x, ones(2, 2), Size{4, 5, 3, 2}); }, "maxunpool: 4(S) x 5(S) x 3(C) x 2(B) and positions of 2 x 2");
  says([&] { maxunpool(features, zeros(3, 2), Size{2, 2}); }, "nothing");
  says(
      [&] {
        maxunpool(features, ones(3, 2) * 4, Size{2, 2});
      },
      "maxunpool: the position 4 is not a whole number from 0 to 3, the last of 2(C) x 2(B)");
  says(
      [&] {
        maxunpool(features, zeros(3, 2), Size{0, 2});
      },
      "maxunpool: the position 0 is not a whole number from 0 to -1, the last of 0(C) x 2(B)");
  says(
      [&] {
        maxunpool(features, ones(3, 2), Size{2, 2, 2});
      },
      "maxunpool: the output size 2 x 2 x 2 has 3 dimensions, the data 3(C) x 2(B) has 2");
  says(
      [&] {
        maxunpool(features, ones(3, 2), Size{Index{1} << 40, Index{1} << 40});
      },
      "maxunpool: an array of size 1099511627776 x 1099511627776 has too many elements");
}
