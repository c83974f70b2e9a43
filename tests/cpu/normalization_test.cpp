#include "cpu/normalization.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

using Types = std::tuple<float, double>;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// The largest difference, relative to the largest value.
template <class T>
double difference(const T* a, const std::vector<double>& b) {
  double most = 0, size = 0.1;
  for (std::size_t i = 0; i < b.size(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(a[i]) - b[i]));
    size = std::max(size, std::abs(b[i]));
  }
  return most / size;
}

// The definition, in double.
struct Reference {
  std::vector<double> mean, variance, y, dx, dOffset, dScale;

  template <class T>
  Reference(const Normalization& how, const std::vector<T>& x, const std::vector<T>& g, const std::vector<T>& offset,
            const std::vector<T>& scale)
      : mean(at(how.kept)),
        variance(at(how.kept)),
        y(x.size()),
        dx(x.size()),
        dOffset(at(how.channels)),
        dScale(at(how.channels)) {
    const double n = static_cast<double>(how.inner * how.outer);
    for (Index k = 0; k < how.kept; ++k) {
      const auto each = [&](auto body) {
        for (Index o = 0; o < how.outer; ++o)
          for (Index i = 0; i < how.inner; ++i)
            body(at((o * how.kept + k) * how.inner + i), at((k * (how.inner / how.run) + i / how.run) % how.channels));
      };
      long double m = 0, v = 0, sum = 0, product = 0;
      each([&](std::size_t e, std::size_t) { m += static_cast<long double>(x[e]) / n; });
      each([&](std::size_t e, std::size_t) { v += (x[e] - m) * (x[e] - m) / n; });
      mean[at(k)] = static_cast<double>(m);
      variance[at(k)] = static_cast<double>(v);
      const double factor = 1 / std::sqrt(variance[at(k)] + how.epsilon);
      each([&](std::size_t e, std::size_t c) {
        const double value = static_cast<double>(x[e] - m) * factor, gradient = static_cast<double>(g[e]);
        y[e] = value * static_cast<double>(scale[c]) + static_cast<double>(offset[c]);
        dOffset[c] += gradient;
        dScale[c] += gradient * value;
        sum += gradient * static_cast<double>(scale[c]) / n;
        product += gradient * static_cast<double>(scale[c]) * value / n;
      });
      each([&](std::size_t e, std::size_t c) {
        const double value = static_cast<double>(x[e] - m) * factor;
        dx[e] = factor * static_cast<double>(g[e] * static_cast<long double>(scale[c]) - sum - value * product);
      });
    }
  }
};

template <class T>
void check(const Normalization& how, T shift = 0) {
  const Index n = how.inner * how.kept * how.outer;
  auto x = numbers<T>(n), g = numbers<T>(n, 2), offset = numbers<T>(how.channels, 3), scale = numbers<T>(how.channels, 4);
  for (T& value : x) value += shift;
  for (T& value : scale) value += T(1.5);
  const Reference expected(how, x, g, offset, scale);
  const Index parts[] = {n, how.kept, how.kept, n, how.channels, how.channels};
  bool same = false;
  const auto results = sameForThreads(
      [&] {
        std::vector<T> all(at(2 * (n + how.kept + how.channels)));
        T* of[6] = {all.data()};
        for (int i = 1; i < 6; ++i) of[i] = of[i - 1] + parts[i - 1];
        normalize(how, x.data(), offset.data(), scale.data(), of[1], of[2], of[0]);
        normalizeGradient(how, g.data(), x.data(), scale.data(), of[1], of[2], of[3], of[4], of[5]);
        return all;
      },
      same);
  BOOST_TEST(same);
  const double tolerance = (sizeof(T) == 4 ? 4e-6 : 5e-14) * (1 + std::abs(static_cast<double>(shift)));
  const T* from = results.data();
  const std::vector<double>* of[] = {&expected.y,  &expected.mean,    &expected.variance,
                                     &expected.dx, &expected.dOffset, &expected.dScale};
  for (int i = 0; i < 6; from += parts[i++]) {
    BOOST_TEST_CONTEXT("result " << i) {
      // Sums of many terms of either sign are small beside them.
      BOOST_TEST(difference(from, *of[i]) < (i == 1 || i > 3 ? 20 : 1) * tolerance);
    }
  }
  // Without dx the sums are the same.
  std::vector<T> sums(at(2 * how.channels));
  normalizeGradient(how, g.data(), x.data(), scale.data(), results.data() + n, results.data() + n + how.kept,
                    static_cast<T*>(nullptr), sums.data(), sums.data() + how.channels);
  BOOST_TEST(sameBits(sums, std::vector<T>(results.end() - 2 * how.channels, results.end())));
}

template <class T>
void checkAll(const std::vector<Normalization>& all) {
  for (const Normalization& how : all)
    BOOST_TEST_CONTEXT(how.inner << " x " << how.kept << " x " << how.outer << ", runs of " << how.run << ", " << how.channels
                                 << " channels") {
      check<T>(how);
    }
}

Normalization channels(Index inner, Index kept, Index outer, Index repeated = 1) {
  return {inner, kept * repeated, outer, inner, kept, 0.01};
}
Normalization along(Index length, Index kept, Index outer, Index groups = 1, Index run = 1) {
  return {length, kept, outer, run, length * groups / run, 0.01};
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(each_channel, T, Types) {
  checkAll<T>({channels(1, 3, 7), channels(1, 512, 100), channels(1, 512, 9), channels(1, 700, 1000), channels(2, 33, 65),
               channels(7, 100, 130), channels(15, 40, 3), channels(16, 5, 33), channels(49, 512, 5), channels(49, 130, 16),
               channels(64, 64, 40), channels(256, 32, 20), channels(1024, 16, 9), channels(1000, 3, 40), channels(12544, 3, 2),
               channels(40000, 2, 3)});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_channel_of_each_observation, T, Types) {
  checkAll<T>({channels(1, 40, 128, 16), channels(1, 256, 30, 16), channels(1, 1024, 16, 4), channels(3, 50, 7, 4),
               channels(100, 8, 1, 30), channels(3136, 5, 1, 4), channels(5000, 3, 1, 2), channels(9000, 3, 2, 2)});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(rows_that_are_normalised_each_for_itself, T, Types) {
  checkAll<T>({along(3, 70, 1), along(15, 66, 1), along(16, 7, 1), along(17, 9, 1), along(40, 130, 1), along(256, 201, 1),
               along(260, 67, 1), along(768, 33, 1), along(1024, 66, 1), along(1500, 10, 1), along(4099, 6, 1), along(8192, 5, 1),
               along(8200, 5, 1), along(20000, 3, 1), along(64, 99, 1, 3), along(24, 70, 1, 2, 3), along(9000, 6, 1, 2),
               along(60, 40, 1, 1, 15)});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(columns_over_all_rows, T, Types) {
  checkAll<T>({along(2, 5, 9), along(15, 8, 30), along(16, 4, 50), along(256, 16, 20), along(100, 30, 11), along(256, 3, 200),
               along(300, 150, 3), along(8200, 2, 3), along(64, 12, 20, 3), along(24, 14, 10, 2, 3), along(5, 200, 40)});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(groups_of_channels, T, Types) {
  checkAll<T>({{16 * 4, 6, 1, 16, 8, 0.01},
               {3136 * 2, 8, 1, 3136, 4, 0.01},
               {100 * 3, 10, 5, 100, 6, 0.01},
               {20 * 8, 9, 4, 20, 8, 0.01}});
}

// Where the first elements say nothing about the mean, its guess is found to be wrong.
BOOST_AUTO_TEST_CASE_TEMPLATE(far_from_zero_with_strange_beginnings, T, Types) {
  for (const Normalization& how : {channels(1, 20, 600), channels(49, 20, 40), channels(300, 7, 20), channels(3136, 3, 1),
                                   along(256, 33, 1), along(37, 9, 1), along(9000, 3, 1), along(256, 6, 30)}) {
    const Index n = how.inner * how.kept * how.outer;
    auto x = numbers<T>(n);
    for (T& value : x) value += T(100);
    for (Index k = 0; k < how.kept; ++k) std::fill_n(x.begin() + k * how.inner, std::min<Index>(how.inner, 1), T(-3000));
    const std::vector<T> zeros(at(how.channels)), ones(at(how.channels), T(1));
    const Reference expected(how, x, x, zeros, ones);
    std::vector<T> mean(at(how.kept)), variance(at(how.kept)), y(at(n));
    normalize(how, x.data(), zeros.data(), ones.data(), mean.data(), variance.data(), y.data());
    const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
    BOOST_TEST(difference(y.data(), expected.y) < tolerance);
    BOOST_TEST(difference(variance.data(), expected.variance) < tolerance);
    check<T>(how, T(100));
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(with_given_numbers, T, Types) {
  const std::tuple<Index, Index, Index> sizes[] = {{1, 500, 300}, {1, 7, 9},     {5, 40, 60},  {16, 9, 3},
                                                   {49, 100, 30}, {1024, 16, 9}, {40000, 3, 2}};
  for (const auto& [inner, kept, outer] : sizes) BOOST_TEST_CONTEXT(inner << " x " << kept << " x " << outer) {
      const Index n = inner * kept * outer;
      const auto x = numbers<T>(n), g = numbers<T>(n, 2), mean = numbers<T>(kept, 3), factor = numbers<T>(kept, 4),
                 offset = numbers<T>(kept, 5);
      bool same = false;
      const auto results = sameForThreads(
          [&] {
            std::vector<T> all(at(2 * n + 2 * kept));
            T *y = all.data(), *dx = y + n, *sums = dx + n;
            scaleChannels(inner, kept, outer, x.data(), mean.data(), factor.data(), offset.data(), y);
            scaleChannelsGradient(inner, kept, outer, g.data(), x.data(), mean.data(), factor.data(), dx, sums, sums + kept);
            return all;
          },
          same);
      BOOST_TEST(same);
      std::vector<double> y(at(n)), dx(at(n)), sums(at(kept)), products(at(kept));
      for (Index i = 0; i < n; ++i) {
        const std::size_t k = at(i / inner % kept), e = at(i);
        const double d = static_cast<double>(x[e]) - static_cast<double>(mean[k]), gradient = static_cast<double>(g[e]);
        y[e] = d * static_cast<double>(factor[k]) + static_cast<double>(offset[k]);
        dx[e] = gradient * static_cast<double>(factor[k]);
        sums[k] += gradient;
        products[k] += gradient * d;
      }
      const double tolerance = sizeof(T) == 4 ? 1e-6 : 1e-15;
      BOOST_TEST(difference(results.data(), y) < tolerance);
      BOOST_TEST(difference(results.data() + n, dx) < tolerance);
      BOOST_TEST(difference(results.data() + 2 * n, sums) < 20 * tolerance);
      BOOST_TEST(difference(results.data() + 2 * n + kept, products) < 20 * tolerance);
      std::vector<T> without(at(2 * kept));
      scaleChannelsGradient(inner, kept, outer, g.data(), x.data(), mean.data(), factor.data(), static_cast<T*>(nullptr),
                            without.data(), without.data() + kept);
      BOOST_TEST(sameBits(without, std::vector<T>(results.end() - 2 * kept, results.end())));
      auto there = x;
      scaleChannels(inner, kept, outer, there.data(), mean.data(), factor.data(), offset.data(), there.data());
      BOOST_TEST(sameBits(there, std::vector<T>(results.begin(), results.begin() + n)));
    }
}
