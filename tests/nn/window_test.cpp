// The words and numbers of windows, as a user writes them.
#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>
#include <dlarray/nn/window.hpp>

using namespace dl;

namespace {

struct Options {
  WindowSizes stride = 1;
  PoolSize pool = 2;
  Padding padding = 0;
  GroupCount groups = 1;
};

}  // namespace

BOOST_AUTO_TEST_CASE(one_number_counts_for_every_dimension) {
  const Options o{.stride = 3};
  BOOST_TEST(o.stride.count() == 1U);
  BOOST_TEST(o.stride[0] == 3);
  BOOST_TEST(o.stride[2] == 3);
}

BOOST_AUTO_TEST_CASE(a_number_for_each_dimension) {
  const Index n = 4;
  const Options o{.stride = {2, n}, .pool = {3, 5}};
  BOOST_TEST(o.stride.count() == 2U);
  BOOST_TEST(o.stride[1] == 4);
  BOOST_TEST(o.pool[1] == 5);
  BOOST_TEST(o.pool.word().empty());
}

BOOST_AUTO_TEST_CASE(padding_takes_numbers_lists_sides_and_words) {
  const auto sides = [](const Options& o) {
    return std::vector<Index>{o.padding.starts()[0], o.padding.starts()[1], o.padding.ends()[0], o.padding.ends()[1]};
  };
  BOOST_TEST(sides({.padding = 2}) == (std::vector<Index>{2, 2, 2, 2}));
  BOOST_TEST(sides({.padding = {1, 2}}) == (std::vector<Index>{1, 2, 1, 2}));
  BOOST_TEST(sides({.padding = {{1}, {2}}}) == (std::vector<Index>{1, 1, 2, 2}));
  BOOST_TEST(sides({.padding = {{1, 2}, {3, 4}}}) == (std::vector<Index>{1, 2, 3, 4}));
  BOOST_TEST(Options{.padding = "same"}.padding.word() == "same");
}

BOOST_AUTO_TEST_CASE(words_for_pools_and_groups) {
  BOOST_TEST(Options{.pool = "global"}.pool.word() == "global");
  BOOST_TEST(Options{.groups = "channel-wise"}.groups.word() == "channel-wise");
  BOOST_TEST(Options{.groups = 4}.groups.count() == 4);
}
