#include "cpu/region.hpp"

#include <functional>
#include <numeric>

#include <boost/test/unit_test.hpp>

#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Sizes = std::vector<Index>;
using Part = std::vector<Selection>;

Index product(const Sizes& sizes) { return std::accumulate(sizes.begin(), sizes.end(), Index{1}, std::multiplies<>()); }

// The position in the whole array of each element of the part, in order.
std::vector<std::size_t> positionsOf(const Sizes& sizes, const Part& part) {
  std::vector<std::size_t> result;
  for (Index i = 0; i < numelOf(part); ++i) {
    Index rest = i, position = 0, stride = 1;
    for (std::size_t d = 0; d < sizes.size(); ++d) {
      const Index at = rest % part[d].count;
      position += stride * (part[d].list ? part[d].list[at] : part[d].start + at * part[d].step);
      rest /= part[d].count;
      stride *= sizes[d];
    }
    result.push_back(static_cast<std::size_t>(position));
  }
  return result;
}

template <class T>
void checkRead(const Sizes& sizes, const Part& part) {
  const auto x = numbers<T>(product(sizes));
  bool same = false;
  const std::vector<T> y = sameForThreads(
      [&] {
        std::vector<T> result(static_cast<std::size_t>(numelOf(part)));
        gather(x.data(), sizeof(T), sizes, part, result.data());
        return result;
      },
      same);
  BOOST_TEST(same);
  const auto from = positionsOf(sizes, part);
  for (std::size_t i = 0; i < y.size(); ++i) BOOST_REQUIRE(y[i] == x[from[i]]);
}

template <class T>
void checkWrite(const Sizes& sizes, const Part& part) {
  const auto before = numbers<T>(product(sizes), 2);
  const auto values = numbers<T>(numelOf(part), 3);
  const auto to = positionsOf(sizes, part);
  const auto run = [&](const std::function<void(T*)>& write) {
    bool same = false;
    auto result = sameForThreads(
        [&] {
          std::vector<T> y = before;
          write(y.data());
          return y;
        },
        same);
    BOOST_TEST(same);
    return result;
  };
  std::vector<T> assigned = before, added = before, filled = before;
  for (std::size_t i = 0; i < to.size(); ++i) {
    assigned[to[i]] = values[i];
    added[to[i]] += values[i];
    filled[to[i]] = T(7);
  }
  const T seven = 7;
  BOOST_TEST(sameBits(run([&](T* y) { scatter(y, sizeof(T), sizes, part, values.data()); }), assigned));
  BOOST_TEST(sameBits(run([&](T* y) { scatterAdd(y, sizes, part, values.data()); }), added));
  BOOST_TEST(sameBits(run([&](T* y) { scatterValue(y, sizeof(T), sizes, part, &seven); }), filled));
}

template <class T>
void check(const Sizes& sizes, const Part& part) {
  checkRead<T>(sizes, part);
  checkWrite<T>(sizes, part);
}

void check(const Sizes& sizes, const Part& part) {
  check<float>(sizes, part);
  check<double>(sizes, part);
}

Selection list(const std::vector<Index>& positions) { return {0, 1, static_cast<Index>(positions.size()), positions.data()}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_region)

BOOST_AUTO_TEST_CASE(ranges) {
  check({7}, {{2, 1, 4}});
  check({7}, {{6, -1, 7}});
  check({7}, {{6, -2, 3}});
  check({7, 5}, {{0, 1, 7}, {1, 1, 3}});
  check({7, 5}, {{3, 1, 1}, {0, 1, 5}});
  check({7, 5}, {{1, 2, 3}, {4, -2, 3}});
  check({7, 5}, {{6, -1, 7}, {4, -1, 5}});
  check({4, 3, 2, 5}, {{0, 1, 4}, {0, 1, 3}, {1, 1, 1}, {0, 2, 3}});
  check({4, 3, 2, 5}, {{1, 1, 2}, {0, 1, 3}, {0, 1, 2}, {4, -1, 5}});
  check({1}, {{0, 1, 1}});
  check({}, {});
}

BOOST_AUTO_TEST_CASE(nothing_selected) {
  check({7}, {{0, 1, 0}});
  check({7, 5}, {{0, 1, 7}, {0, 1, 0}});
  check({0, 5}, {{0, 1, 0}, {0, 1, 5}});
  check({7, 5}, {list({}), {0, 1, 5}});
}

BOOST_AUTO_TEST_CASE(lists_with_and_without_repeats) {
  const std::vector<Index> some{4, 0, 2}, repeated{1, 1, 0, 1}, range{1, 2, 3}, one{3}, falling{6, 4, 1};
  check({7}, {list(some)});
  check({7}, {list(repeated)});
  check({7}, {list(range)});
  check({7, 5}, {list(some), {0, 1, 5}});
  check({7, 5}, {{0, 1, 7}, list(repeated)});
  check({7, 5}, {list(falling), list(repeated)});
  check({7, 5, 4}, {list(one), list(some), {3, -1, 4}});
  check({7, 5, 4}, {{0, 0, 3}, list(some), {3, -1, 4}});
  check({1, 7}, {{0, 1, 1}, list(some)});
}

BOOST_AUTO_TEST_CASE(big_parts_use_threads) {
  std::vector<Index> shuffled(1000), repeated(1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    shuffled[i] = static_cast<Index>(i * 389 % 1000);
    repeated[i] = static_cast<Index>(i * i % 97);
  }
  check({300000}, {{5, 1, 250001}});
  check({300000}, {{299999, -1, 300000}});
  check({301, 1000}, {{1, 1, 299}, {0, 1, 1000}});
  check({301, 1000}, {{0, 3, 100}, {999, -1, 1000}});
  check({301, 1000}, {{0, 1, 301}, list(shuffled)});
  check({301, 1000}, {{0, 1, 301}, list(repeated)});
  check({301, 1000}, {{2, 1, 255}, list(repeated)});
  std::vector<Index> often(1000, 7);
  often[3] = 999;
  often[998] = 0;
  check({301, 1000}, {{0, 1, 301}, list(often)});
  check({1000, 301}, {list(repeated), {0, 1, 301}});
  check({1000, 1000}, {list(repeated), list(shuffled)});
  std::vector<Index> linear(200000);
  for (std::size_t i = 0; i < linear.size(); ++i) linear[i] = static_cast<Index>(i * 7919 % 5003);
  check({5003}, {list(linear)});
  std::iota(linear.begin(), linear.end(), Index{3});
  linear[7] = 9;
  check({200003}, {list(linear)});
}

BOOST_AUTO_TEST_CASE(elements_of_any_size) {
  struct Odd {
    unsigned char bytes[5];
  };
  const std::vector<Index> some{2, 0, 2};
  std::vector<Odd> x(12), y(6), z(12);
  for (std::size_t i = 0; i < x.size(); ++i) std::fill(x[i].bytes, x[i].bytes + 5, static_cast<unsigned char>(i));
  const Sizes sizes{4, 3};
  const Part part{{3, -2, 2}, list(some)};
  gather(x.data(), sizeof(Odd), sizes, part, y.data());
  scatter(z.data(), sizeof(Odd), sizes, part, y.data());
  const auto at = positionsOf(sizes, part);
  for (std::size_t i = 0; i < y.size(); ++i) {
    BOOST_TEST(y[i].bytes[4] == static_cast<unsigned char>(at[i]));
    BOOST_TEST(z[at[i]].bytes[0] == static_cast<unsigned char>(at[i]));
  }
}

BOOST_AUTO_TEST_CASE(tiles_repeat_each_dimension) {
  const auto run = [](const Sizes& sizes, const Sizes& repeats) {
    const auto x = numbers<float>(product(sizes));
    bool same = false;
    const auto y = sameForThreads(
        [&] {
          std::vector<float> result(static_cast<std::size_t>(product(sizes) * product(repeats)));
          tile(x.data(), sizeof(float), sizes, repeats, result.data());
          return result;
        },
        same);
    BOOST_TEST(same);
    for (std::size_t i = 0; i < y.size(); ++i) {
      Index rest = static_cast<Index>(i), from = 0, stride = 1;
      for (std::size_t d = 0; d < sizes.size(); ++d) {
        from += rest % (sizes[d] * repeats[d]) % sizes[d] * stride;
        rest /= sizes[d] * repeats[d];
        stride *= sizes[d];
      }
      BOOST_REQUIRE(y[i] == x[static_cast<std::size_t>(from)]);
    }
  };
  run({2, 3}, {2, 1});
  run({2, 3}, {1, 4});
  run({2, 3}, {3, 2});
  run({1, 3, 1}, {4, 1, 5});
  run({1, 1}, {300, 500});
  run({3, 1}, {1, 100000});
  run({3, 5, 2}, {100, 1, 50});
  run({400, 1}, {1, 400});
  run({2, 3}, {0, 1});
  run({0, 3}, {2, 2});
}

BOOST_AUTO_TEST_CASE(blocks_of_bytes) {
  const auto check = [](Index blockBytes, Index blocks, Index xGap, Index yGap) {
    std::vector<unsigned char> x(static_cast<std::size_t>((blockBytes + xGap) * blocks)),
        y(static_cast<std::size_t>((blockBytes + yGap) * blocks), 255);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<unsigned char>(i % 251);
    copyBlocks(x.data(), blockBytes + xGap, y.data(), blockBytes + yGap, blockBytes, blocks);
    for (Index b = 0; b < blocks; ++b)
      for (Index i = 0; i < blockBytes + yGap; ++i) {
        const unsigned char value = y[static_cast<std::size_t>(b * (blockBytes + yGap) + i)];
        BOOST_REQUIRE(value == (i < blockBytes ? x[static_cast<std::size_t>(b * (blockBytes + xGap) + i)] : 255));
      }
  };
  check(24, 5, 0, 16);
  check(24, 5, 8, 0);
  check(4, 50, 4, 12);
  check(4, 50, 3, 1);
  check(1, 200000, 0, 2);
  check(3000, 200, 0, 1000);
  check(500000, 1, 0, 0);
  check(0, 5, 4, 4);
  check(8, 0, 0, 0);
}

BOOST_AUTO_TEST_SUITE_END()
