#include "cpu/random.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "cpu/arch.hpp"
#include "cpu/simd/random.hpp"
#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Types = std::tuple<float, double>;

template <class T>
std::vector<T> uniform(Index n, std::uint64_t key, std::uint64_t counter) {
  std::vector<T> y(static_cast<std::size_t>(n));
  fillUniform(y.data(), n, key, counter);
  return y;
}

template <class T>
std::vector<T> normal(Index n, std::uint64_t key, std::uint64_t counter) {
  std::vector<T> y(static_cast<std::size_t>(n));
  fillNormal(y.data(), n, key, counter);
  return y;
}

template <class T>
double moment(const std::vector<T>& x, int power) {
  double sum = 0;
  for (const T v : x) sum += std::pow(static_cast<double>(v), power);
  return sum / static_cast<double>(x.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cpu_random)

BOOST_AUTO_TEST_CASE(philox_gives_the_published_answers) {
  using Words = std::array<std::uint32_t, 4>;
  // The known-answer vectors of Random123 for philox4x32 with 10 rounds.
  BOOST_TEST((philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  BOOST_TEST((philox({ones, ones, ones, ones}, {ones, ones}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  BOOST_TEST((philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

BOOST_AUTO_TEST_CASE(the_kernels_count_with_philox) {
  constexpr std::uint64_t key = 0x0123456789abcdef, counter = 0xfffffffd;  // carries into the second word
  std::vector<std::uint32_t> words(4 * 37);
  DLARRAY_FOR_ARCH(randomKernels)().words(key, counter, 37, words.data());
  for (std::uint64_t b = 0; b < 37; ++b) {
    const auto expected = philox({static_cast<std::uint32_t>(counter + b), static_cast<std::uint32_t>((counter + b) >> 32), 0, 0},
                                 {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
    for (std::size_t w = 0; w < 4; ++w) BOOST_TEST(words[4 * b + w] == expected[w]);
  }
}

BOOST_AUTO_TEST_CASE(counters_used) {
  double d[9];
  float f[9];
  BOOST_TEST(fillUniform(d, 9, 1, 0) == 5u);
  BOOST_TEST(fillUniform(f, 9, 1, 0) == 3u);
  BOOST_TEST(fillNormal(d, 9, 1, 0) == 5u);
  BOOST_TEST(fillNormal(f, 9, 1, 0) == 3u);
  BOOST_TEST(fillIntegers(f, 9, 1, 6, 1, 0) == 5u);
  BOOST_TEST(permutation(d, 9, 1, 0) == 5u);
  BOOST_TEST(fillUniform(d, 0, 1, 0) == 0u);
  BOOST_TEST(fillNormal(f, 0, 1, 0) == 0u);
  BOOST_TEST(permutation(d, 0, 1, 0) == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_element_depends_on_key_and_counter_alone, T, Types) {
  constexpr Index perBlock = 16 / sizeof(T), n = 3001;
  const auto all = uniform<T>(n, 5, 100), normals = normal<T>(n, 5, 100);
  for (const Index block : {1, 17, 300}) {
    const auto from = static_cast<std::size_t>(block * perBlock);
    const auto part = uniform<T>(n - block * perBlock, 5, static_cast<std::uint64_t>(100 + block));
    BOOST_TEST(sameBits(part, std::vector<T>(all.begin() + static_cast<Index>(from), all.end())));
    const auto normalPart = normal<T>(n - block * perBlock, 5, static_cast<std::uint64_t>(100 + block));
    BOOST_TEST(sameBits(normalPart, std::vector<T>(normals.begin() + static_cast<Index>(from), normals.end())));
  }
  BOOST_TEST(!sameBits(all, uniform<T>(n, 6, 100)));
  for (const Index shorter : {1, 2, 3, 5, 1030}) {
    const auto part = normal<T>(shorter, 5, 100);
    BOOST_TEST(sameBits(part, std::vector<T>(normals.begin(), normals.begin() + shorter)));
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(threads_do_not_matter, T, Types) {
  bool same = false;
  sameForThreads([] { return uniform<T>(300001, 9, 3); }, same);
  BOOST_TEST(same);
  sameForThreads([] { return normal<T>(300001, 9, 3); }, same);
  BOOST_TEST(same);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(uniform_numbers, T, Types) {
  const auto x = uniform<T>(1 << 20, 42, 0);
  BOOST_TEST(*std::min_element(x.begin(), x.end()) > T(0));
  BOOST_TEST(*std::max_element(x.begin(), x.end()) < T(1));
  // Within five standard deviations of the mean of 2^20 numbers.
  BOOST_TEST(std::fabs(moment(x, 1) - 1.0 / 2) < 5 * 0.2887 / 1024);
  BOOST_TEST(std::fabs(moment(x, 2) - 1.0 / 3) < 5 * 0.2981 / 1024);
  std::vector<int> counts(64);
  for (const T v : x) ++counts[static_cast<std::size_t>(v * 64)];
  double chi = 0;
  for (const int c : counts) chi += (c - 16384.0) * (c - 16384.0) / 16384.0;
  BOOST_TEST((chi > 20 && chi < 130));  // 63 degrees of freedom
}

BOOST_AUTO_TEST_CASE_TEMPLATE(normal_numbers, T, Types) {
  const auto x = normal<T>(1 << 20, 42, 0);
  BOOST_TEST(std::fabs(moment(x, 1)) < 5.0 / 1024);
  BOOST_TEST(std::fabs(moment(x, 2) - 1) < 5 * 1.4142 / 1024);
  BOOST_TEST(std::fabs(moment(x, 3)) < 5 * 3.873 / 1024);
  BOOST_TEST(std::fabs(moment(x, 4) - 3) < 5 * 9.798 / 1024);
  const auto beyond = [&](double limit) {
    return static_cast<double>(std::count_if(x.begin(), x.end(), [&](T v) { return std::fabs(v) > limit; }));
  };
  for (const double limit : {0.5, 1.0, 2.0, 3.0}) {
    const double expected = std::erfc(limit / std::sqrt(2.0)) * (1 << 20);
    BOOST_TEST(std::fabs(beyond(limit) - expected) < 5 * std::sqrt(expected));
  }
  double product = 0;  // neighbours come from one radius and one angle: they must not be correlated
  for (std::size_t i = 0; i < x.size(); i += 2) product += static_cast<double>(x[i]) * static_cast<double>(x[i + 1]);
  BOOST_TEST(std::fabs(product) < 5 * std::sqrt(static_cast<double>(x.size() / 2)));
}

BOOST_AUTO_TEST_CASE(normal_numbers_follow_the_transform) {
  const auto u = uniform<double>(20000, 3, 11), x = normal<double>(20000, 3, 11);
  for (std::size_t i = 0; i < u.size(); i += 2) {
    const double radius = std::sqrt(-2 * std::log(u[i])), angle = 2 * std::acos(-1.0) * u[i + 1];
    BOOST_REQUIRE_SMALL(x[i] - radius * std::cos(angle), 1e-14);
    BOOST_REQUIRE_SMALL(x[i + 1] - radius * std::sin(angle), 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(the_ends_of_the_bits_give_finite_normal_numbers) {
  const std::vector<std::uint32_t> words{0, 0, 0, 0, ~0u, ~0u, ~0u, ~0u, 0, ~0u, ~0u, 0};
  float f[12];
  double d[6];
  DLARRAY_FOR_ARCH(randomKernels)().normalFloat(words.data(), 3, f);
  DLARRAY_FOR_ARCH(randomKernels)().normalDouble(words.data(), 3, d);
  for (const float v : f) BOOST_TEST(std::fabs(v) < 7.0f);
  for (const double v : d) BOOST_TEST(std::fabs(v) < 9.0);
}

BOOST_AUTO_TEST_CASE(every_level_of_the_processor_gives_the_same_numbers) {
  std::vector<std::uint32_t> words(4 * 1001);
  v2::randomKernels().words(77, 5, 1001, words.data());
  const auto run = [&](const RandomKernels& kernels) {
    std::vector<double> y(8 * 1001 + 4 * 1001);
    std::vector<std::uint32_t> again(words.size());
    kernels.words(77, 5, 1001, again.data());
    BOOST_TEST(sameBits(words, again));
    kernels.uniformDouble(words.data(), 1001, y.data());
    kernels.normalDouble(words.data(), 1001, y.data() + 2 * 1001);
    std::vector<float> f(4 * 1001), g(4 * 1001);
    kernels.uniformFloat(words.data(), 1001, f.data());
    kernels.normalFloat(words.data(), 1001, g.data());
    std::copy(f.begin(), f.end(), y.begin() + 4 * 1001);
    std::copy(g.begin(), g.end(), y.begin() + 8 * 1001);
    return y;
  };
  const std::vector<double> y = run(v2::randomKernels());
  BOOST_TEST((y[0] > 0 && y[0] < 1));
#if DLARRAY_X86
  if (arch() >= Arch::v3) BOOST_TEST(sameBits(y, run(v3::randomKernels())));
  if (arch() >= Arch::v4) BOOST_TEST(sameBits(y, run(v4::randomKernels())));
#endif
}

BOOST_AUTO_TEST_CASE_TEMPLATE(dropping_by_the_uniform_numbers, T, Types) {
  for (const Index n : {0, 1, 3, 1023, 100001}) {
    std::vector<T> u(static_cast<std::size_t>(n)), x(u.size()), y(u.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(i % 17) - T(5);
    fillUniform(u.data(), n, 5, 9);
    dropout(x.data(), n, T(0.25), T(4) / T(3), 5, 9, y.data());
    for (std::size_t i = 0; i < x.size(); ++i) BOOST_REQUIRE(y[i] == (u[i] < T(0.25) ? T(0) : x[i] * (T(4) / T(3))));
    dropout(x.data(), n, T(0.25), T(4) / T(3), 5, 9, x.data());
    BOOST_TEST((x == y));
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(integers, T, Types) {
  std::vector<T> dice(60000);
  fillIntegers(dice.data(), 60000, 1, 6, 1, 0);
  std::vector<int> counts(8);
  for (const T v : dice) {
    BOOST_REQUIRE((v >= 1 && v <= 6 && v == std::floor(v)));
    ++counts[static_cast<std::size_t>(v)];
  }
  for (std::size_t face = 1; face <= 6; ++face) BOOST_TEST(std::abs(counts[face] - 10000) < 460);  // 5 standard deviations
  std::vector<T> few(101);
  fillIntegers(few.data(), 101, -3, -3, 1, 0);
  BOOST_TEST(std::count(few.begin(), few.end(), T(-3)) == 101);
  fillIntegers(few.data(), 101, -(Index{1} << 53), Index{1} << 53, 1, 0);
  BOOST_TEST(std::any_of(few.begin(), few.end(), [](T v) { return v < 0; }));
  BOOST_TEST(std::any_of(few.begin(), few.end(), [](T v) { return v > 0; }));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(permutations, T, Types) {
  for (const Index n : {1, 2, 7, 511, 512, 513, 5000}) {
    std::vector<T> y(static_cast<std::size_t>(n));
    permutation(y.data(), n, 3, 4);
    std::vector<T> sorted = y;
    std::sort(sorted.begin(), sorted.end());
    for (Index i = 0; i < n; ++i) BOOST_REQUIRE(sorted[static_cast<std::size_t>(i)] == T(i));
    if (n > 7) BOOST_TEST((y != sorted));
  }
  std::vector<int> seen(6);
  for (std::uint64_t trial = 0; trial < 6000; ++trial) {
    T y[3];
    permutation(y, 3, 1, trial * 2);
    ++seen[static_cast<std::size_t>(y[0] * 2 + (y[1] > y[2]))];
  }
  for (const int count : seen) BOOST_TEST(std::abs(count - 1000) < 150);
}

BOOST_AUTO_TEST_SUITE_END()
