// Datastores against the arrays they were made of, and what they refuse.
#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <numeric>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;

namespace {

using Numbers = std::vector<double>;
Numbers numbers(const DlArray& x) { return extractdata<Numbers>(x); }

// Observation i is the number i * i.
struct Squares : DatastoreSource {
  explicit Squares(Index n) : n_(n) {}
  Index size() const override { return n_; }
  std::vector<DlArray> read(Index i) const override { return {DlArray(i * i)}; }
  Index n_;
};

Numbers firstNumbers(const Datastore& ds) {
  Numbers found;
  for (const auto& observation : readall(ds)) found.push_back(double(observation.at(0)(0)));
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(slices_of_every_dimension) {
  const DlArray x = reshape(colon(0, 119), Size{2, 3, 4, 5});
  for (Index d = 0; d < 5; ++d) {
    const Datastore ds = arrayDatastore(x, {.iterationDimension = d});
    const Index n = size(x, d);
    BOOST_TEST(ds.size() == n);
    BOOST_TEST(numobservations(ds) == n);
    for (Index i = 0; i < n; ++i) {
      const DlArray expected = d == 0   ? x(i, all, all, all)
                               : d == 1 ? x(all, i, all, all)
                               : d == 2 ? x(all, all, i, all)
                               : d == 3 ? x(all, all, all, i)
                                        : x;
      const std::vector<DlArray> got = ds.read(i);
      BOOST_TEST_REQUIRE(got.size() == 1U);
      BOOST_TEST(isequal(got[0], expected), "dimension " << d << ", observation " << i);
    }
  }
  BOOST_TEST(bool(size(arrayDatastore(x, {.iterationDimension = 3}).read(0)[0]) == Size{2, 3, 4}));
  BOOST_TEST(bool(size(arrayDatastore(x).read(1)[0]) == Size{1, 3, 4, 5}));
}

BOOST_AUTO_TEST_CASE(labels_name_the_dimension_and_are_dropped) {
  const DlArray x = dlarray(reshape(colon(0, 23), Size{4, 6}), "CB");
  const Datastore ds = arrayDatastore(x, {.iterationDimension = "B"});
  BOOST_TEST(ds.size() == 6);
  BOOST_TEST(dims(ds.read(2)[0]) == "");
  BOOST_TEST(bool(numbers(ds.read(2)[0]) == Numbers{8, 9, 10, 11}));
  const auto wrong = mistake([&] { arrayDatastore(x, {.iterationDimension = "T"}); });
  BOOST_TEST(wrong.sentence.starts_with("arrayDatastore"));
}

BOOST_AUTO_TEST_CASE(types_stay) {
  BOOST_TEST(bool(underlyingType(arrayDatastore(ones(3, 1, "single")).read(0)[0]) == Type::Single));
  BOOST_TEST(bool(underlyingType(arrayDatastore(ones(3, 1) > 0).read(0)[0]) == Type::Logical));
}

BOOST_AUTO_TEST_CASE(reading_on) {
  Datastore ds = arrayDatastore(dlarray({{1, 2}, {3, 4}, {5, 6}}));
  BOOST_TEST(bool(numbers(preview(ds)[0]) == Numbers{1, 2}));
  BOOST_TEST(bool(numbers(read(ds)[0]) == Numbers{1, 2}));
  Datastore copy = ds;
  BOOST_TEST(bool(numbers(read(ds)[0]) == Numbers{3, 4}));
  BOOST_TEST(bool(numbers(read(ds)[0]) == Numbers{5, 6}));
  BOOST_TEST(!hasdata(ds));
  BOOST_TEST(hasdata(copy));
  BOOST_TEST(bool(numbers(read(copy)[0]) == Numbers{3, 4}));
  const auto ended = mistake([&] { read(ds); });
  BOOST_TEST(ended.identifier == "dlarray:read:end");
  BOOST_TEST(
      ended.sentence.starts_with("read: all 3 observations were read; reset the datastore to begin again (datastore_test.cpp:"));
  reset(ds);
  BOOST_TEST(bool(numbers(read(ds)[0]) == Numbers{1, 2}));
  BOOST_TEST(readall(ds).size() == 3U);
  BOOST_TEST(ds.position() == 1);
}

BOOST_AUTO_TEST_CASE(several_at_a_time) {
  const DlArray x = reshape(colon(0, 9), Size{5, 2});
  Datastore cells = arrayDatastore(x, {.readSize = 2}), same = arrayDatastore(x, {.readSize = 2, .outputType = "same"});
  BOOST_TEST(read(cells).size() == 2U);
  BOOST_TEST(bool(numbers(read(cells)[1]) == Numbers{3, 8}));
  BOOST_TEST(read(cells).size() == 1U);
  BOOST_TEST(!hasdata(cells));
  const std::vector<DlArray> two = read(same);
  BOOST_TEST_REQUIRE(two.size() == 1U);
  BOOST_TEST(bool(numbers(two[0]) == Numbers{0, 1, 5, 6}));
  BOOST_TEST(bool(size(two[0]) == Size{2, 2}));
  BOOST_TEST(same.size() == 5);
}

BOOST_AUTO_TEST_CASE(combined_and_transformed) {
  const Datastore a = arrayDatastore(colon(0, 3), {.iterationDimension = 1}), b = Squares(4), c = arrayDatastore(eye(4));
  const Datastore all3 = combine(a, b, c);
  BOOST_TEST(all3.size() == 4);
  const std::vector<DlArray> third = all3.read(2);
  BOOST_TEST_REQUIRE(third.size() == 3U);
  BOOST_TEST(double(third[0]) == 2);
  BOOST_TEST(double(third[1]) == 4);
  BOOST_TEST(bool(numbers(third[2]) == Numbers{0, 0, 1, 0}));
  const Datastore doubled = transform(all3, [](std::vector<DlArray> x) { return std::vector<DlArray>{2 * x[0] + x[1]}; });
  BOOST_TEST(bool(firstNumbers(doubled) == Numbers{0, 3, 8, 15}));
  const auto uneven = mistake([&] { combine(a, Squares(5)); });
  BOOST_TEST(uneven.identifier == "dlarray:combine:sizes");
  BOOST_TEST(uneven.sentence.starts_with("combine: datastore 1 has 5 observations, the first has 4"));
}

BOOST_AUTO_TEST_CASE(parts_and_orders) {
  const Datastore ds = Squares(10);
  BOOST_TEST(bool(firstNumbers(subset(ds, {9, 0, 3, 3})) == Numbers{81, 0, 9, 9}));
  BOOST_TEST(bool(firstNumbers(subset(subset(ds, {9, 0, 3}), {2, 0})) == Numbers{9, 81}));
  BOOST_TEST(bool(firstNumbers(subset(ds, colon(0, 9) > 7)) == Numbers{64, 81}));
  BOOST_TEST(bool(firstNumbers(subset(ds, dlarray({1.0, 2.0}))) == Numbers{1, 4}));
  BOOST_TEST(mistake([&] {
               subset(ds, {0, 10});
             }).sentence.starts_with("subset: there is no observation 10 among 10, counted from 0"));
  BOOST_TEST(mistake([&] { subset(ds, dlarray({0.5})); }).identifier == "dlarray:subset:index");
  BOOST_TEST(mistake([&] { subset(ds, dlarray({1.0}) > 0); }).identifier == "dlarray:subset:mask");

  Numbers joined;
  for (Index k = 0; k < 3; ++k)
    for (const double v : firstNumbers(partition(ds, 3, k))) joined.push_back(v);
  BOOST_TEST(bool(joined == firstNumbers(ds)));
  BOOST_TEST(partition(ds, 3, 0).size() == 4);
  BOOST_TEST(partition(ds, 20, 15).size() == 0);
  BOOST_TEST(mistake([&] { partition(ds, 3, 3); }).identifier == "dlarray:partition:index");
}

BOOST_AUTO_TEST_CASE(shuffles_follow_the_seed) {
  const Datastore ds = Squares(50);
  rng(7);
  const Numbers first = firstNumbers(shuffle(ds)), second = firstNumbers(shuffle(ds));
  rng(7);
  BOOST_TEST(bool(firstNumbers(shuffle(ds)) == first));
  BOOST_TEST(bool(first != second));
  rng(7);
  Numbers order = numbers(randperm(50));
  for (double& v : order) v *= v;
  BOOST_TEST(bool(order == first));
  Numbers sorted = second;
  std::ranges::sort(sorted);
  BOOST_TEST(bool(sorted == firstNumbers(ds)));
}

BOOST_AUTO_TEST_CASE(nothing_to_read) {
  Datastore none;
  BOOST_TEST(none.size() == 0);
  BOOST_TEST(!hasdata(none));
  BOOST_TEST(readall(none).empty());
  BOOST_TEST(shuffle(none).size() == 0);
  BOOST_TEST(mistake([&] { preview(none); }).identifier == "dlarray:preview:empty");
  BOOST_TEST(mistake([&] { none.read(0); }).identifier == "dlarray:datastore:observation");
  BOOST_TEST(arrayDatastore(zeros(0, 3)).size() == 0);
}
