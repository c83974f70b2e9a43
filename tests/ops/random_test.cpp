#include "../cpu/kernel_test.hpp"
#include "differences.hpp"

#include <set>
#include <thread>

using namespace dl;
using namespace dl::testing;

namespace {

double meanOf(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x;
  return sum / static_cast<double>(v.size());
}
double momentOf(const std::vector<double>& v, int power) {
  const double mean = meanOf(v);
  double sum = 0;
  for (double x : v) sum += std::pow(x - mean, power);
  return sum / static_cast<double>(v.size());
}

// What a draw gives after the seed was set.
template <class Draw>
std::vector<double> after(std::uint64_t seed, Draw draw) {
  rng(seed);
  return values(draw());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_seed_brings_its_numbers_back) {
  const auto draws = [] { return horzcat(rand(1, 7), randn(1, 5), randi(6, 1, 9), randperm(8)); };
  const std::vector<double> first = after(42, draws);
  BOOST_TEST(after(42, draws) == first);
  BOOST_TEST(after(43, draws) != first);
  BOOST_TEST(after(42, [] { return horzcat(rand(1, 3), rand(1, 3)); }) != after(42, [] { return horzcat(rand(1, 3), rand(1, 2), dl::rand()); }));
}

BOOST_AUTO_TEST_CASE(the_state_can_be_kept) {
  rng(5);
  BOOST_TEST((rng() == RandomState{5, 0}));
  rand(1, 5);
  BOOST_TEST((rng() == RandomState{5, 3}));
  const RandomState kept = rng();
  const DlArray first = randn(3, 3);
  BOOST_TEST((rng(kept) == RandomState{5, 8}));
  BOOST_TEST(isequal(randn(3, 3), first));
  rng("default");
  BOOST_TEST((rng() == RandomState{}));
  rng("shuffle");
  const RandomState shuffled = rng();
  rng("shuffle");
  BOOST_TEST(!(rng() == shuffled));
  checkError([] { rng("twister"); }, "rng: \"twister\" is neither \"default\" nor \"shuffle\"; a number is a seed");
}

BOOST_AUTO_TEST_CASE(longer_draws_begin_like_shorter_ones) {
  const std::vector<double> few = after(1, [] { return rand(1, 4); }), many = after(1, [] { return rand(1, 100000); });
  BOOST_TEST(std::equal(few.begin(), few.end(), many.begin()));
  BOOST_TEST(after(1, [] { return rand(2, 3); }) == after(1, [] { return rand(1, 6); }));
}

BOOST_AUTO_TEST_CASE(the_number_of_threads_does_not_matter) {
  const Size size{317, 1003};
  const auto same = [&](auto draw) {
    bool equal = false;
    cpu::sameForThreads([&] { return after(9, [&] { return draw(size); }); }, equal);
    return equal;
  };
  BOOST_TEST(same([](const Size& s) { return rand(s); }));
  BOOST_TEST(same([](const Size& s) { return randn(s); }));
  BOOST_TEST(same([](const Size& s) { return rand(s, Type::Single); }));
  BOOST_TEST(same([](const Size& s) { return randn(s, Type::Single); }));
  BOOST_TEST(same([](const Size& s) { return randi(100, s); }));
  BOOST_TEST(same([](const Size&) { return randperm(200000); }));
}

BOOST_AUTO_TEST_CASE(threads_share_one_stream_without_repeating_it) {
  rng(11);
  std::vector<std::vector<double>> drawn(4);
  std::vector<std::thread> threads;
  for (auto& mine : drawn)
    threads.emplace_back([&mine] {
      for (int i = 0; i < 500; ++i) mine.push_back(double(dl::rand()));
    });
  for (auto& thread : threads) thread.join();
  std::set<double> all;
  for (const auto& mine : drawn) all.insert(mine.begin(), mine.end());
  BOOST_TEST(all.size() == 2000U);
  BOOST_TEST((rng() == RandomState{11, 2000}));
}

BOOST_AUTO_TEST_CASE(rand_is_even) {
  for (Type type : {Type::Double, Type::Single}) {
    rng(3);
    const DlArray x = rand(Size{1000, 200}, type);
    BOOST_TEST((underlyingType(x) == type));
    const std::vector<double> v = values(x);
    BOOST_TEST(*std::min_element(v.begin(), v.end()) > 0);
    BOOST_TEST(*std::max_element(v.begin(), v.end()) < 1);
    // Five standard deviations of each estimate.
    BOOST_TEST(std::fabs(meanOf(v) - 0.5) < 5 * std::sqrt(1.0 / 12 / 2e5));
    BOOST_TEST(std::fabs(momentOf(v, 2) - 1.0 / 12) < 5 * std::sqrt(1.0 / 180 / 2e5));
  }
}

BOOST_AUTO_TEST_CASE(randn_is_normal) {
  for (Type type : {Type::Double, Type::Single}) {
    rng(4);
    const std::vector<double> v = values(randn(Size{1000, 200}, type));
    BOOST_TEST(std::fabs(meanOf(v)) < 5 * std::sqrt(1 / 2e5));
    BOOST_TEST(std::fabs(momentOf(v, 2) - 1) < 5 * std::sqrt(2 / 2e5));
    BOOST_TEST(std::fabs(momentOf(v, 3)) < 5 * std::sqrt(15 / 2e5));
    BOOST_TEST(std::fabs(momentOf(v, 4) - 3) < 5 * std::sqrt(96 / 2e5));
  }
}

BOOST_AUTO_TEST_CASE(randi_throws_dice) {
  rng(6);
  const DlArray x = randi(6, Size{200, 300});
  std::vector<double> counts(7);
  for (double v : values(x)) {
    BOOST_REQUIRE((v >= 1 && v <= 6 && v == std::floor(v)));
    ++counts[static_cast<std::size_t>(v)];
  }
  for (int i = 1; i <= 6; ++i) BOOST_TEST(std::fabs(counts[static_cast<std::size_t>(i)] - 1e4) < 5 * std::sqrt(6e4 / 6 * 5 / 6));
  for (double v : values(randi({-2, 1}, {5, 40}))) BOOST_TEST((v >= -2 && v <= 1 && v == std::floor(v)));
  checkValues(randi({7, 7}, 1, 2), {7, 7});
  checkValues(randi(1), {1});
  BOOST_TEST((size(randi(6, 3)) == Size{3, 3}));
  BOOST_TEST((underlyingType(randi(6, 2, 2, Type::Single)) == Type::Single));
  checkError([] { randi(0, 2, 2); }, "randi: there are no whole numbers from 1 to 0");
  checkError([] { randi(1 << 30, Size{2, 2}, Type::Single); }, "randi: not all whole numbers from 1 to 1073741824 are single numbers");
}

BOOST_AUTO_TEST_CASE(randperm_mixes_positions) {
  rng(8);
  const DlArray x = randperm(100);
  BOOST_TEST((size(x) == Size{1, 100}));
  std::vector<double> v = values(x);
  BOOST_TEST(v != values(colon(0, 99)));
  std::sort(v.begin(), v.end());
  BOOST_TEST(v == values(colon(0, 99)));
  std::vector<double> few = values(randperm(1000, 10));
  BOOST_TEST(few.size() == 10U);
  BOOST_TEST(std::set<double>(few.begin(), few.end()).size() == 10U);
  BOOST_TEST((size(randperm(0)) == Size{1, 0}));
  checkValues(randperm(1), {0});
  const DlArray data = someArray({1, 6});
  BOOST_TEST(isequal(sort(data(randperm(6))), sort(data)));
  checkError([] { randperm(3, 4); }, "randperm: 4 of 3 positions cannot be drawn");
}

BOOST_AUTO_TEST_CASE(sizes_and_types_as_for_zeros) {
  BOOST_TEST((size(rand(2, 3)) == Size{2, 3}));
  BOOST_TEST((size(rand(3)) == Size{3, 3}));
  BOOST_TEST((size(dl::rand()) == Size{1, 1}));
  BOOST_TEST((size(randn({2, 3, 4})) == Size{2, 3, 4}));
  BOOST_TEST((size(rand(0, 3)) == Size{0, 3}));
  const DlArray x = single_(someArray({2, 3}, "CB"));
  BOOST_TEST((underlyingType(rand(size(x), "like", x)) == Type::Single));
  BOOST_TEST((underlyingType(randn(2, 3, "like", x)) == Type::Single));
  BOOST_TEST(dims(randn(size(x), "like", x)) == "");
  checkError([] { rand(2, 2, Type::Logical); }, "rand: random numbers are double or single, not logical");
  checkError([] { randn(-1, 2); }, "randn: dimension 0 has the negative size -1");
}
