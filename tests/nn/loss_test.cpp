// Losses at extremes, with wrong sizes and labels, masks over NaN, and numbers known from elsewhere.
#include "harness/mistake.hpp"
#include "harness/row.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using test::Numbers;

namespace {

Numbers numbers(const DlArray& x) { return extractdata<Numbers>(x); }
bool starts(const test::Mistake& m, const char* sentence) { return m.sentence.starts_with(sentence); }

}  // namespace

BOOST_AUTO_TEST_CASE(the_value_of_the_page_of_indexcrossentropy) {
  // MATLAB's page: the probabilities of the target classes of seven observations, and their loss.
  const DlArray p = dlarray({{.1837, .2777, .2571, .2612, .1963, .1677, .1582}});
  const DlArray y = dlarray(vertcat(p, 1 - p), "CB");
  BOOST_TEST(std::abs(double(indexcrossentropy(y, zeros(1, 7))) - 1.5620) < 5e-5);
}

BOOST_AUTO_TEST_CASE(class_numbers_and_one_hot_agree) {
  const DlArray y = softmax(dlarray(randn(5, 7), "CB")), classes = dlarray({4, 3, 1, 4, 0, 2, 1});
  const DlArray hot = double_(dlarray(colon(0, 4), "UC") == dlarray(classes, "UB"));
  for (const char* word : {"batch-size", "all-elements", "none"})
    BOOST_TEST(std::abs(double(crossentropy(y, stripdims(hot, "CB"), {.normalizationFactor = word}) -
                               indexcrossentropy(y, classes, {.normalizationFactor = word}))) < 1e-14);
}

BOOST_AUTO_TEST_CASE(extreme_logits_have_finite_losses_and_right_derivatives) {
  for (const Type type : {Type::Double, Type::Single})
    for (const double large : {20.0, 100.0, 1000.0, 1e30}) {
      // The network is sure, once right and once wrong.
      const DlArray x = cast(dlarray({{large, large}, {0, 0}, {-large, -large}}, "CB"), type);
      const DlArray t = dlarray({{1, 0}, {0, 0}, {0, 1}});
      const auto [loss, g] = dlfeval(
          [&](const DlArray& at) {
            const DlArray l = crossentropy(softmax(at), t);
            return std::tuple(l, dlgradient(l, at));
          },
          x);
      BOOST_TEST(std::isfinite(double(loss)));
      BOOST_TEST(double(loss) > 9.9);
      const Numbers d = numbers(g), want = {0, 0, 0, 0.5, 0, -0.5};  // (softmax(x) - t) / 2
      for (std::size_t k = 0; k < 6; ++k)
        BOOST_TEST(std::abs(d[k] - want[k]) < 1e-5, large << ": " << d[k] << " instead of " << want[k]);
    }
}

BOOST_AUTO_TEST_CASE(impossible_and_certain_probabilities) {
  for (const Type type : {Type::Double, Type::Single}) {
    const DlArray y = cast(dlarray({{0, 1}, {1, 0}}, "CB"), type), t = dlarray({{1, 1}, {0, 0}});
    const double most = type == Type::Single ? 100 * std::log(2.0) : 1000 * std::log(2.0),
                 last = (type == Type::Single ? 24 : 53) * std::log(2.0);
    BOOST_TEST(std::abs(double(crossentropy(y, t, {.normalizationFactor = "none"})) - most) < 1e-4);
    BOOST_TEST(std::abs(double(crossentropy(y, t, {.classificationMode = "multilabel", .normalizationFactor = "none"})) - most -
                        last) < 1e-4);
    for (const char* mode : {"single-label", "multilabel"}) {
      const auto gradient = [&](const DlArray& at) { return dlgradient(crossentropy(at, t, {.classificationMode = mode}), at); };
      for (const double g : numbers(dlfeval(gradient, y))) BOOST_TEST(std::isfinite(g));
    }
  }
}

BOOST_AUTO_TEST_CASE(infinite_probabilities) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const Type type : {Type::Double, Type::Single}) {
    const DlArray y = cast(dlarray({{inf, 0.5}}, "CB"), type), in = dlarray({{1, 0}}), out = dlarray({{0, 1}});
    BOOST_TEST(double(crossentropy(y, in)) == -inf);
    BOOST_TEST(std::isnan(double(crossentropy(y, out))));
    for (const DlArray& t : {in, out}) BOOST_TEST(std::isnan(double(crossentropy(y, t, {.classificationMode = "multilabel"}))));
  }
}

BOOST_AUTO_TEST_CASE(what_is_masked_takes_no_part) {
  const DlArray y = dlarray({{0.2, 0.5, NAN}, {0.8, 0.5, 0.0}}, "CB"), t = dlarray({{1.0, 0.0, 0.0}, {0.0, 1.0, NAN}});
  const DlArray mask = dlarray({true, true, false});
  const auto check = [&](const auto& f) {
    const auto [loss, gy, gt] = dlfeval(
        [&](const DlArray& a, const DlArray& b) {
          const DlArray l = f(a, b);
          return std::tuple_cat(std::tuple(l), dlgradient(l, a, b));
        },
        y, t);
    BOOST_TEST(std::isfinite(double(loss)));
    for (const DlArray& g : {gy, gt})
      for (std::size_t k = 0; k < 6; ++k) BOOST_TEST((k < 4 ? std::isfinite(numbers(g)[k]) : numbers(g)[k] == 0));
  };
  check([&](const DlArray& a, const DlArray& b) { return crossentropy(a, b, {.mask = mask}); });
  check(
      [&](const DlArray& a, const DlArray& b) { return crossentropy(a, b, {.classificationMode = "multilabel", .mask = mask}); });
  check([&](const DlArray& a, const DlArray& b) { return l1loss(a, b, {.mask = mask}); });
  check([&](const DlArray& a, const DlArray& b) { return l2loss(a, b, {.mask = mask}); });
  check([&](const DlArray& a, const DlArray& b) { return huber(a, b, {.mask = mask}); });
  BOOST_TEST(std::abs(double(crossentropy(y, t, {.mask = mask})) + (std::log(0.2) + std::log(0.5)) / 3) < 1e-15);
  BOOST_TEST(std::abs(double(crossentropy(y, t, {.mask = mask, .normalizationFactor = "mask-included"})) +
                      (std::log(0.2) + std::log(0.5)) / 4) < 1e-15);
  BOOST_TEST(double(l2loss(y, t, {.mask = dlarray({false, false, false}), .normalizationFactor = "mask-included"})) == 0);
}

BOOST_AUTO_TEST_CASE(types) {
  const DlArray y = dlarray(rand(3, 4, Type::Single), "CB");
  const DlArray t = rand(3, 4);
  BOOST_TEST((underlyingType(mse(y, t)) == Type::Single));
  BOOST_TEST((underlyingType(crossentropy(y, t > 0.5)) == Type::Single));
  BOOST_TEST((underlyingType(crossentropy(y, t, {.mask = t > 0.5})) == Type::Single));
  BOOST_TEST((underlyingType(mse(double_(y), t)) == Type::Double));
  BOOST_TEST((underlyingType(mse(y > 0.5F, t > 0.5)) == Type::Double));
  BOOST_TEST((underlyingType(indexcrossentropy(y, zeros(1, 4), 2)) == Type::Single));
  BOOST_TEST(dims(mse(y, t)).empty());
  BOOST_TEST(dims(crossentropy(y, t, {.mask = t > 0.5})).empty());
}

BOOST_AUTO_TEST_CASE(sums_do_not_depend_on_their_length) {
  const DlArray y = dlarray(single_(rand(1000, 3000)), "CB"), t = dlarray(single_(rand(1000, 3000)), "CB");
  const double fused = double(l2loss(y, t)), composed = double(sum(stripdims(pow(double_(y) - double_(t), 2)), "all")) / 3000;
  BOOST_TEST(std::abs(fused / composed - 1) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_fused_sum_is_the_composed_one) {
  const DlArray y = dlarray(rand(7, 9), "CB"), t = dlarray(rand(7, 9), "CB");
  const auto gradients = [&](const auto& f) {
    return dlfeval([&](const DlArray& a, const DlArray& b) { return dlgradient(f(a, b), a, b); }, y, t);
  };
  const auto [a1, b1] = gradients([](const DlArray& a, const DlArray& b) { return huber(a, b, {.transitionPoint = 0.3}); });
  const auto [a2, b2] = gradients([](const DlArray& a, const DlArray& b) {
    return sum(stripdims(huber(a, b, {.transitionPoint = 0.3, .reduction = "none"})), "all") / 9;
  });
  BOOST_TEST(double(max(abs(stripdims(a1 - a2)), {}, "all")) < 1e-15);
  BOOST_TEST(double(max(abs(stripdims(b1 - b2)), {}, "all")) < 1e-15);
}

BOOST_AUTO_TEST_CASE(unlabelled_targets) {
  const DlArray y = dlarray(rand(3, 4), "BC"), t = rand(4, 3);
  BOOST_TEST(double(mse(y, t)) == double(mse(y, dlarray(t, "CB"))));
  const DlArray u = rand(3, 4), v = rand(3, 4);
  BOOST_TEST(std::abs(double(mse(u, v, {.dataFormat = "BC"}) - mse(dlarray(u, "BC"), dlarray(v, "BC")))) < 1e-15);
  BOOST_TEST(std::abs(double(mse(u, dlarray(v, "BC"), {.dataFormat = "BC"}) - mse(dlarray(u, "BC"), dlarray(v, "BC")))) < 1e-15);
}

BOOST_AUTO_TEST_CASE(wrong_sizes_and_labels) {
  const DlArray y = dlarray(rand(10, 128), "CB");
  BOOST_TEST(starts(test::mistake([&] { crossentropy(y, rand(128, 10)); }),
                    "crossentropy: predictions are 10(C) x 128(B) but targets 128 x 10; they must have the same size and labels; "
                    "transpose(targets) would "
                    "fit"));
  BOOST_TEST(starts(test::mistake([&] { mse(y, dlarray(rand(128, 10), "CB")); }),
                    "mse: predictions are 10(C) x 128(B) but targets 128(C) x 10(B); they must have the same size and labels; "
                    "the targets look transposed, "
                    "were they labelled in the order that their dimensions have?"));
  BOOST_TEST(starts(test::mistake([&] { l1loss(y, dlarray(rand(10, 128), "CT")); }),
                    "l1loss: predictions are 10(C) x 128(B) but targets 10(C) x 128(T); they must have the same size and labels; "
                    "the labels differ"));
  BOOST_TEST(starts(test::mistake([&] { l2loss(y, rand(10, 1)); }),
                    "l2loss: predictions are 10(C) x 128(B) but targets 10 x 1; they must have the same size and labels"));
  BOOST_TEST(starts(test::mistake([&] { huber(y, 0.0); }), "huber: predictions are 10(C) x 128(B) but targets 1 x 1"));
  BOOST_TEST(starts(test::mistake([&] {
                      mse(dlarray(rand(Size{2, 3, 4}), "SCB"), rand(Size{4, 3, 2}));
                    }),
                    "mse: predictions are 2(S) x 3(C) x 4(B) but targets 4 x 3 x 2; they must have the same size and labels; "
                    "permute the targets"));
  BOOST_TEST(starts(test::mistake([&] { mse(rand(3, 4), rand(3, 4)); }), "mse: 3 x 4 has no labels"));
  BOOST_TEST(starts(
      test::mistake([&] { mse(rand(3, 4), rand(4, 3), {.dataFormat = "CB"}); }),
      "mse: predictions are 3 x 4 but targets 4 x 3; they must have the same size and labels; transpose(targets) would fit"));
  BOOST_TEST(starts(test::mistake([&] { indexcrossentropy(y, zeros(1, 10)); }),
                    "indexcrossentropy: predictions are 10(C) x 128(B) but targets 1 x 10; they must have the size and labels of "
                    "the predictions, without "
                    "C or with a C of size 1"));
  BOOST_TEST(
      starts(test::mistake([&] { indexcrossentropy(y, dlarray(zeros(1, 128), "CT")); }), "indexcrossentropy: predictions are"));
}

BOOST_AUTO_TEST_CASE(wrong_weights_masks_classes_and_words) {
  const DlArray y = dlarray(rand(3, 4), "CB"), t = rand(3, 4);
  BOOST_TEST(starts(test::mistake([&] { crossentropy(y, t, ones(3, 1)); }),
                    "crossentropy: the weights 3 x 1 are not as large as the predictions 3(C) x 4(B); say what they run along, "
                    ".weightsFormat = \"C\""));
  BOOST_TEST(starts(test::mistake([&] { crossentropy(y, t, ones(4, 1), {.weightsFormat = "C"}); }),
                    "crossentropy: sizes of label C differ: 3(C) x 4(B) and 4(C) x 1(U)"));
  BOOST_TEST(starts(test::mistake([&] { crossentropy(y, t, dlarray(ones(3, 5), "CT")); }),
                    "crossentropy: the weights 3(C) x 5(T) would expand the predictions 3(C) x 4(B)"));
  BOOST_TEST(starts(test::mistake([&] { crossentropy(y, t, dlarray(ones(3, 1), "C"), {.weightsFormat = "C"}); }),
                    "crossentropy: the weights 3(C) x 1(U) have labels already; leave .weightsFormat = \"C\" out"));
  BOOST_TEST(starts(test::mistake([&] { l1loss(y, t, {.mask = dlarray(ones(4, 2), "BT")}); }),
                    "l1loss: the mask 4(B) x 2(T) would expand the predictions 3(C) x 4(B)"));
  BOOST_TEST(starts(test::mistake([&] { l1loss(y, t, {.mask = ones(3, 4, 2)}); }),
                    "l1loss: the mask 3 x 4 x 2 has more dimensions than \"CB\" has labels"));
  BOOST_TEST(starts(test::mistake([&] { indexcrossentropy(y, zeros(1, 4), {.mask = ones(3, 4)}); }),
                    "indexcrossentropy: the mask 3 x 4 would expand the targets 1(C) x 4(B)"));
  BOOST_TEST(starts(test::mistake([&] {
                      indexcrossentropy(y, dlarray({0, 1, 2, 3}));
                    }),
                    "indexcrossentropy: target 3 is 3; the 3 classes count from 0 to 2"));
  BOOST_TEST(starts(test::mistake([&] {
                      indexcrossentropy(y, dlarray({0.0, 0.5, 2.0, 1.0}));
                    }),
                    "indexcrossentropy: target 1 is 0.5; the 3 classes"));
  BOOST_TEST(starts(test::mistake([&] { indexcrossentropy(dlarray(rand(3, 4), "SB"), zeros(1, 4)); }),
                    "indexcrossentropy: 3(S) x 4(B) has no dimension labelled C for its classes"));
  BOOST_TEST(starts(test::mistake([&] { crossentropy(y, t, {.classificationMode = "exclusive"}); }),
                    "crossentropy: .classificationMode = \"exclusive\" is neither \"single-label\" nor \"multilabel\""));
  BOOST_TEST(starts(test::mistake([&] { l1loss(y, t, {.reduction = "mean"}); }),
                    "l1loss: .reduction = \"mean\" is neither \"sum\" nor \"none\""));
  BOOST_TEST(starts(
      test::mistake([&] { l1loss(y, t, {.normalizationFactor = "batch"}); }),
      "l1loss: .normalizationFactor = \"batch\" is none of \"batch-size\", \"all-elements\", \"mask-included\" and \"none\""));
  BOOST_TEST(starts(test::mistake([&] { huber(y, t, {.transitionPoint = 0}); }),
                    "huber: .transitionPoint = 0 is not a positive number"));
}
