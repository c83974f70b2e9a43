// How the functions of deep learning take their data and give it back.
#include "nn/data_format.hpp"

#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

using namespace dl;

BOOST_AUTO_TEST_CASE(unlabelled_data_comes_back_in_the_order_of_the_caller) {
  const DlArray x = reshape(linspace(1, 6, 6), 2, 3);
  const LabelledData data(x, "BC", "test");
  BOOST_TEST(dims(data.array()) == "CB");
  BOOST_TEST((size(data.array()) == Size{3, 2}));
  BOOST_TEST(isequal(data.result(data.array()), x));
}

BOOST_AUTO_TEST_CASE(results_may_lose_and_gain_labels) {
  const DlArray x = ones(2, 3);
  const LabelledData data(x, "TB", "test");
  BOOST_TEST((size(data.result(dlarray(ones(Size{4, 3, 2}), "CBT"))) == Size{2, 3, 4}));
  BOOST_TEST((size(data.result(dlarray(ones(Size{4, 3}), "CB"))) == Size{3, 4}));
}

BOOST_AUTO_TEST_CASE(labelled_data_stays_labelled) {
  const DlArray x = dlarray(ones(2, 3), "CB");
  BOOST_TEST(dims(LabelledData(x, "", "test").result(x)) == "CB");
}

BOOST_AUTO_TEST_CASE(values_lie_along_the_channels) {
  const Shape shape = Storage::shape(dlarray(ones(Size{2, 2, 3, 4}), "SSCB"));
  BOOST_TEST((size(alongChannels(linspace(1, 3, 3), shape, "test", "bias")) == Size{1, 1, 3, 1}));
  BOOST_TEST(dims(alongChannels(dlarray(std::vector<double>{1, 2, 3}, "C"), shape, "test", "bias")) == "SSCB");
  BOOST_TEST(isscalar(alongChannels(5, shape, "test", "bias")));
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  const DlArray plain = ones(2, 3), labelled = dlarray(plain, "CB");
  BOOST_TEST(test::mistake([&] { LabelledData(plain, "", "softmax"); }).sentence.starts_with(
      "softmax: 2 x 3 has no labels to tell channels from observations; label it, dlarray(X, \"CB\"), or say .dataFormat = \"CB\""));
  BOOST_TEST(test::mistake([&] { LabelledData(labelled, "CB", "softmax"); }).sentence.starts_with(
      "softmax: 2(C) x 3(B) has labels already; leave .dataFormat = \"CB\" out"));
  BOOST_TEST(test::mistake([&] { alongChannels(ones(3, 1), Storage::shape(labelled), "batchnorm", "the offset"); }).sentence.starts_with(
      "batchnorm: the offset is 3 x 1 but the data has 2 channels: 2(C) x 3(B)"));
  BOOST_TEST(test::mistake([&] { alongChannels(dlarray(ones(1, 2), "CB"), Storage::shape(labelled), "batchnorm", "the offset"); })
                 .sentence.starts_with("batchnorm: the offset is 1(C) x 2(B); its elements must lie along C"));
}
