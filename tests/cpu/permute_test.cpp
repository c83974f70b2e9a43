#include "cpu/permute.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include <boost/test/unit_test.hpp>

#include "cpu/arch.hpp"
#include "cpu/simd/transpose.hpp"
#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Bytes = std::vector<unsigned char>;

Index product(const std::vector<Index>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), Index{1}, std::multiplies<>());
}

Bytes bytes(Index n) {
  Bytes x(static_cast<std::size_t>(n));
  unsigned state = 7;
  for (unsigned char& b : x) b = static_cast<unsigned char>((state = state * 1664525u + 1013904223u) >> 24);
  return x;
}

Bytes naive(const Bytes& x, std::size_t elementSize, const std::vector<Index>& sizes, const std::vector<int>& order) {
  Bytes y(x.size());
  std::vector<Index> at(sizes.size(), 0);
  for (Index out = 0; out < product(sizes); ++out) {
    Index rest = out, in = 0;
    for (const int d : order) {
      at[static_cast<std::size_t>(d)] = rest % sizes[static_cast<std::size_t>(d)];
      rest /= sizes[static_cast<std::size_t>(d)];
    }
    for (std::size_t d = sizes.size(); d-- > 0;) in = in * sizes[d] + at[d];
    std::copy_n(x.begin() + in * static_cast<Index>(elementSize), elementSize, y.begin() + out * static_cast<Index>(elementSize));
  }
  return y;
}

void check(std::size_t elementSize, const std::vector<Index>& sizes, const std::vector<int>& order) {
  const Bytes x = bytes(product(sizes) * static_cast<Index>(elementSize));
  bool same = false;
  const Bytes y = sameForThreads(
      [&] {
        Bytes result(x.size());
        permute(x.data(), elementSize, sizes, order, result.data());
        return result;
      },
      same);
  BOOST_TEST(same);
  BOOST_TEST((y == naive(x, elementSize, sizes, order)));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_permute)

BOOST_AUTO_TEST_CASE(every_order_of_small_arrays) {
  const std::vector<std::vector<Index>> shapes{{1},       {5},          {3, 4},        {1, 7},         {2, 3, 4},
                                               {4, 1, 5}, {2, 3, 4, 5}, {16, 2, 1, 3}, {3, 2, 2, 2, 3}};
  for (const std::size_t elementSize : {1, 2, 4, 8, 16, 3, 24})
    for (const std::vector<Index>& sizes : shapes) {
      std::vector<int> order(sizes.size());
      std::iota(order.begin(), order.end(), 0);
      do check(elementSize, sizes, order);
      while (std::next_permutation(order.begin(), order.end()));
    }
}

BOOST_AUTO_TEST_CASE(transposes_of_odd_sizes) {
  for (const std::size_t elementSize : {1, 2, 4, 8, 16})
    for (const auto& [m, n] : {std::pair<Index, Index>{17, 33}, {64, 64}, {65, 130}, {1, 300}, {3, 1000}, {1000, 3}, {127, 129}})
      check(elementSize, {m, n}, {1, 0});
}

BOOST_AUTO_TEST_CASE(big_arrays_use_threads) {
  check(4, {513, 301}, {1, 0});
  check(8, {3, 50001}, {1, 0});
  check(1, {401, 503}, {1, 0});
  check(4, {28, 27, 13, 19}, {2, 0, 1, 3});
  check(4, {200, 30, 40}, {0, 2, 1});
  check(4, {6, 200, 150}, {0, 2, 1});
  check(4, {2, 200, 350}, {0, 2, 1});
  check(8, {400, 500}, {0, 1});
}

BOOST_AUTO_TEST_CASE(empty_arrays_and_scalars) {
  check(8, {0, 3}, {1, 0});
  check(4, {3, 0, 2}, {2, 1, 0});
  check(4, {}, {});
  check(4, {1, 1, 1}, {2, 0, 1});
}

BOOST_AUTO_TEST_CASE(transpose_is_the_order_1_0) {
  const std::vector<double> x{1, 2, 3, 4, 5, 6};
  std::vector<double> y(6);
  transpose(x.data(), sizeof(double), 2, 3, y.data());
  BOOST_TEST(y == (std::vector<double>{1, 3, 5, 2, 4, 6}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_level_of_the_processor_transposes_alike) {
  const auto x = numbers<double>(40 * 50);
  const auto run = [&](const TransposeKernels& kernels) {
    std::vector<double> y(x.size());
    kernels.bytes8(x.data(), 50, y.data(), 40, 40, 50);
    return y;
  };
  const std::vector<double> y = run(v2::transposeKernels());
  for (std::size_t i = 0; i < 40; ++i)
    for (std::size_t j = 0; j < 50; ++j) BOOST_REQUIRE(y[i + j * 40] == x[i * 50 + j]);
#if DLARRAY_X86
  if (arch() >= Arch::v3) BOOST_TEST(sameBits(y, run(v3::transposeKernels())));
  if (arch() >= Arch::v4) BOOST_TEST(sameBits(y, run(v4::transposeKernels())));
#endif
}

BOOST_AUTO_TEST_SUITE_END()
