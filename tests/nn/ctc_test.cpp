// ctc at extremes and its mistakes; values and derivatives are in rows_ctc_test.cpp.
#include "harness/mistake.hpp"
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using test::Numbers;

namespace {
bool starts(const test::Mistake& m, const char* sentence) { return m.sentence.starts_with(sentence); }
}  // namespace

BOOST_AUTO_TEST_CASE(long_sequences_do_not_underflow) {
  for (const Type type : {Type::Double, Type::Single}) {
    const DlArray y = softmax(cast(dlarray(2 * randn(Size{20, 3, 400}), "CBT"), type)), t = randi({1, 19}, 1, 3, 90);
    const auto [loss, g] = dlfeval(
        [&](const DlArray& at) {
          const DlArray l = ctc(at, t, DlArray(), DlArray());
          return std::tuple(l, dlgradient(l, at));
        },
        y);
    BOOST_TEST(double(loss) > 400);
    BOOST_TEST(double(loss) < 2000);
    // At each step the shares of all states add up to 1: the sum over classes of y times the derivative is -1 / 3.
    const DlArray shares = sum(g % y, "C");
    for (const double s : extractdata<Numbers>(shares)) BOOST_TEST_REQUIRE(std::abs(s + 1.0 / 3) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(the_fused_derivative_is_the_composed_one) {
  for (const Type type : {Type::Double, Type::Single}) {
    const DlArray y = softmax(cast(dlarray(randn(Size{6, 4, 25}), "CBT"), type)), t = randi({1, 5}, 1, 4, 7);
    DlArray yMask = ones(4, 25), tMask = ones(4, 7);
    yMask(1, span(20, 24)) = 0;
    tMask(1, span(3, 6)) = 0;
    tMask(2, all) = 0;
    const auto gradient = [&](bool recorded) {
      return dlfeval(
          [&](const DlArray& at) {
            return dlgradient(ctc(at, t, dlarray(yMask, "BT"), dlarray(tMask, "BT")), at, {.enableHigherDerivatives = recorded});
          },
          y);
    };
    const DlArray fused = gradient(false), composed = gradient(true);
    const double largest = double(max(abs(stripdims(fused)), {}, "all"));
    BOOST_TEST(double(max(abs(stripdims(fused - composed)), {}, "all")) < largest * (type == Type::Single ? 1e-4 : 1e-12));
  }
}

BOOST_AUTO_TEST_CASE(impossible_steps_stay_finite) {
  for (const Type type : {Type::Double, Type::Single}) {
    // The label is impossible at each step.
    const DlArray y = cast(dlarray(reshape(dlarray({1, 0, 1, 0, 1, 0}), 2, 1, 3), "CBT"), type);
    const auto [loss, g] = dlfeval(
        [&](const DlArray& at) {
          const DlArray l = ctc(at, dlarray({{1}}), DlArray(), DlArray());
          return std::tuple(l, dlgradient(l, at));
        },
        y);
    const double most = (type == Type::Single ? 100 : 1000) * std::log(2.0);
    BOOST_TEST(std::abs(double(loss) - most + std::log(3.0)) < 1e-3);
    for (const double v : extractdata<Numbers>(g)) BOOST_TEST(std::isfinite(v));
  }
}

BOOST_AUTO_TEST_CASE(nothing_to_say) {
  const DlArray y = dlarray(ones(Size{2, 1, 3}) / 2, "CBT");
  BOOST_TEST(std::abs(double(ctc(y, ones(1, 1, 4), DlArray(), zeros(1, 1, 4))) - 3 * std::log(2.0)) < 1e-12);  // three blanks
  BOOST_TEST(double(ctc(y, ones(1, 1, 4), zeros(1, 1, 3), zeros(1, 1, 4))) == 0);
}

BOOST_AUTO_TEST_CASE(masks_lie_as_what_they_mask) {
  const DlArray y = softmax(dlarray(randn(Size{5, 2, 6}), "CBT")), labels = dlarray({{1, 2, 3}, {4, 1, 2}});
  const DlArray mask = dlarray({{1, 1, 0}, {1, 0, 0}}), deep = reshape(mask, 1, 2, 3), none;
  const double loss = double(ctc(y, reshape(labels, 1, 2, 3), none, deep));
  BOOST_TEST(double(ctc(y, dlarray(labels, "BT"), none, mask)) == loss);
  BOOST_TEST(double(ctc(y, dlarray(labels, "BT"), none, deep)) == loss);
  BOOST_TEST(double(ctc(y, dlarray(labels, "BT"), none, dlarray(mask, "BT"))) == loss);
  BOOST_TEST(double(ctc(y, reshape(labels, 1, 2, 3), ones(5, 2, 6), deep)) == loss);
}

BOOST_AUTO_TEST_CASE(mistakes) {
  const DlArray y = dlarray(ones(Size{5, 2, 4}) / 5, "CBT"), none;
  BOOST_TEST(starts(test::mistake([&] { ctc(y, ones(1, 3, 2), none, none); }),
                    "ctc: predictions are 5(C) x 2(B) x 4(T) but targets 1 x 3 x 2; they must have the same size along B, with "
                    "the labels along T; are B "
                    "and T of the targets exchanged?"));
  BOOST_TEST(starts(test::mistake([&] { ctc(y, ones(3, 2, 2), none, none); }),
                    "ctc: the targets 3 x 2 x 2 must have one channel: numbers of classes"));
  BOOST_TEST(starts(test::mistake([&] { ctc(y, ones(1, 2, 2), ones(3, 2, 4), none); }),
                    "ctc: predictions are 5(C) x 2(B) x 4(T) but their mask 3 x 2 x 4; it must have one channel, or as many"));
  BOOST_TEST(starts(test::mistake([&] { ctc(y, ones(1, 2, 2), none, ones(5, 2, 2)); }),
                    "ctc: targets are 1 x 2 x 2 but their mask 5 x 2 x 2; they must have the same size"));
  BOOST_TEST(starts(test::mistake([&] { ctc(y, zeros(1, 2, 2), none, none); }),
                    "ctc: label 0 of observation 0 is 0, which is the blank; choose another .blankIndex, or mask it out"));
  BOOST_TEST(starts(test::mistake([&] { ctc(y, 5 * ones(1, 2, 2), none, none); }),
                    "ctc: label 0 of observation 0 is 5; the 5 classes count from 0 to 4"));
  BOOST_TEST(starts(test::mistake([&] { ctc(y, ones(1, 2, 3), none, none); }),
                    "ctc: observation 0 has 4 time steps for 3 labels, which need 5"));
  BOOST_TEST(
      starts(test::mistake([&] { ctc(y, ones(1, 2, 2), ones(1, 2, 3), none); }),
             "ctc: predictions are 5(C) x 2(B) x 4(T) but their mask 1 x 2 x 3; they must have the same sizes along B and T"));
  BOOST_TEST(starts(test::mistake([&] { ctc(y, ones(1, 2, 2), none, ones(1, 2, 3)); }),
                    "ctc: targets are 1 x 2 x 2 but their mask 1 x 2 x 3"));
  BOOST_TEST(starts(test::mistake([&] { ctc(y, ones(1, 2, 2), none, none, {.blankIndex = "middle"}); }),
                    "ctc: .blankIndex = \"middle\" is neither \"first\" nor \"last\" nor a number"));
  BOOST_TEST(starts(test::mistake([&] { ctc(y, ones(1, 2, 2), none, none, {.blankIndex = 5}); }),
                    "ctc: .blankIndex = 5 is not among the 5 classes 0 to 4"));
  BOOST_TEST(starts(test::mistake([&] { ctc(dlarray(ones(5, 2), "CB"), ones(1, 2), none, none); }),
                    "ctc: predictions are 5(C) x 2(B); they need the labels C and T, and may have B besides"));
}
