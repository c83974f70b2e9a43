// Embeddings and one-hot vectors: words, types, mistakes.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using test::Numbers;
using Words = std::vector<std::string>;

namespace {
bool starts(const test::Mistake& m, const char* sentence) { return m.sentence.starts_with(sentence); }
}  // namespace

BOOST_AUTO_TEST_CASE(the_derivative_adds_up_in_the_columns) {
  const DlArray tokens = dlarray({1, 1, 0, 9}, "UB");
  const DlArray g = dlfeval([&](const DlArray& w) { return dlgradient(sum(embed(tokens, w), "all"), w); }, ones(2, 4));
  BOOST_TEST(test::difference(g, {1, 1, 2, 2, 0, 0, 1, 1}) == "");
}

BOOST_AUTO_TEST_CASE(labels_of_embeddings) {
  const DlArray w = rand(4, 6);
  BOOST_TEST(isequal(embed(dlarray({1, 5, 0}), w, {.dataFormat = "CB"}), w(all, {1, 5, 0})));
  BOOST_TEST((size(embed(zeros(2, 3), w, {.dataFormat = "TB"})) == Size{2, 3, 4}));
  BOOST_TEST(dims(embed(dlarray(zeros(2, 3), "TB"), dlarray(w, "CU"))) == "CBT");
  BOOST_TEST((underlyingType(embed(dlarray(zeros(2, 3), "TB"), single_(w))) == Type::Single));
  BOOST_TEST((underlyingType(embed(dlarray(zeros(2, 3), "TB"), w > 0)) == Type::Double));
}

BOOST_AUTO_TEST_CASE(words) {
  const Words animals{"dog", "cat", "dog", "bird"};
  const DlArray b = onehotencode(animals, 0);
  BOOST_TEST((size(b) == Size{3, 4}));
  BOOST_TEST(test::difference(b, {0, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0}) == "");
  BOOST_TEST(isequal(onehotencode(animals, 1), transpose(b)));
  BOOST_TEST((onehotdecode(b, Words{"bird", "cat", "dog"}, 0) == animals));
  BOOST_TEST((onehotdecode(dlarray(b, "CB"), {"bird", "cat", "dog"}, "C") == animals));
  const DlArray named = onehotencode(animals, 0, {.classNames = {"dog", "cat"}});
  BOOST_TEST(test::difference(named, {1, 0, 0, 1, 1, 0, NAN, NAN}) == "");
  BOOST_TEST((onehotdecode(named, {"dog", "cat"}, 0) == Words{"dog", "cat", "dog", "<undefined>"}));
}

BOOST_AUTO_TEST_CASE(types) {
  BOOST_TEST((underlyingType(onehotencode(Words{"a", "b"}, 0)) == Type::Double));
  BOOST_TEST((underlyingType(onehotencode(Words{"a", "b"}, 0, Type::Single)) == Type::Single));
  BOOST_TEST((underlyingType(onehotencode(dlarray({1.0F, 2.0F}), 0, {.classNames = {1, 2}})) == Type::Single));
  // 0.1 in single is no 0.1 in double, but it is what the class becomes beside single numbers.
  BOOST_TEST(isequal(onehotencode(dlarray({0.1F, 0.3F}), 0, {.classNames = {0.1, 0.3}}), single_(eye(2))));
  BOOST_TEST((underlyingType(onehotencode(dlarray({1, 2}), 0, {.classNames = colon(1, 2)})) == Type::Double));
  BOOST_TEST((underlyingType(onehotencode(dlarray({1, 2}), 0, Type::Logical, {.classNames = std::vector<double>{1, 2}})) ==
              Type::Logical));
  BOOST_TEST((underlyingType(onehotencode(dlarray({true, false}), 0, {.classNames = {0, 1}})) == Type::Double));
}

BOOST_AUTO_TEST_CASE(there_and_back) {
  const DlArray classes = colon(0, 9), a = randi({0, 9}, 1, 50);
  BOOST_TEST(isequal(onehotdecode(onehotencode(a, 0, {.classNames = classes}), classes, 0), a));
}

BOOST_AUTO_TEST_CASE(mistakes) {
  const DlArray w = rand(4, 6);
  BOOST_TEST(starts(test::mistake([&] { embed(dlarray({0.5, 1.0}, "UB"), w); }), "embed: token 0.5 is not a whole number"));
  BOOST_TEST(starts(test::mistake([&] { embed(dlarray(zeros(2, 3), "CB"), w); }),
                    "embed: tokens are 2(C) x 3(B); they take the place of channels, so C is left out or has size 1"));
  BOOST_TEST(starts(test::mistake([&] { embed(dlarray(zeros(1, 3), "CB"), rand(2, 3, 4)); }),
                    "embed: the weights are 2 x 3 x 4; they must be a matrix with a column for each token"));
  BOOST_TEST(starts(test::mistake([&] { embed(zeros(1, 3), w); }), "embed: 1 x 3 has no labels"));
  BOOST_TEST(starts(test::mistake([&] {
                      onehotencode(dlarray({1, 2}), 0, {});
                    }),
                    "onehotencode: numbers need their classes, {.classNames = {0, 1, 2}} or colon(0, 9)"));
  BOOST_TEST(starts(test::mistake([&] {
                      onehotencode(dlarray({1, 2}), 1, {.classNames = {1, 2}});
                    }),
                    "onehotencode: dimension 1 of 1 x 2 has size 2; vectors need one of size 1"));
  BOOST_TEST(starts(test::mistake([] {
                      onehotencode(dlarray({1, 2}), 0, {.classNames = {1.0, double(NAN), double(NAN)}});
                    }),
                    "onehotencode: NaN is no class"));
  BOOST_TEST(starts(test::mistake([&] {
                      onehotencode(dlarray({1, 2}), 0, {.classNames = {1, 2, 1}});
                    }),
                    "onehotencode: class \"1\" is named twice"));
  BOOST_TEST(starts(test::mistake([&] {
                      onehotencode(dlarray({1, 3}), 0, Type::Logical, {.classNames = {1, 2}});
                    }),
                    "onehotencode: element 1 is no class, for which a logical result has no NaN"));
  BOOST_TEST(starts(test::mistake([&] { onehotencode(Words{"a"}, 2); }),
                    "onehotencode: words are encoded along dimension 0 or 1, not 2"));
  BOOST_TEST(starts(test::mistake([&] {
                      onehotencode(Words{"a"}, 0, {.classNames = {1, 2}});
                    }),
                    "onehotencode: the classes of words are words, not numbers"));
  BOOST_TEST(starts(test::mistake([&] {
                      onehotdecode(rand(3, 4), dlarray({1, 2}), 0);
                    }),
                    "onehotdecode: there are 2 classes for dimension 0 of 3 x 4"));
}
