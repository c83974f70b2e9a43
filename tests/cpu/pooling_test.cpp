// Pooling with kernels of its own, windows of two by two, whole blocks and windows that overlap or stick out, against plain
// loops: every size of a row, odd ones, equal elements, NaN and infinities.
#include "cpu/pooling.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernel_test.hpp"

using namespace dl::cpu;

namespace {

// The window of every result, as places in the array, in the order in which the first of equal elements counts.
std::vector<std::vector<std::size_t>> windows(const Pooling& how) {
  const PoolAxis &a = how.axes[0], &b = how.axes[1];
  std::vector<std::vector<std::size_t>> all;
  for (Index page = 0; page < how.outer; ++page)
    for (Index j = 0; j < b.out; ++j)
      for (Index i = 0; i < a.out; ++i) {
        std::vector<std::size_t>& here = all.emplace_back();
        const Index first = j * b.stride - b.before, start = i * a.stride - a.before;
        for (Index q = std::max<Index>(first, 0); q < std::min(first + b.window, b.in); ++q)
          for (Index p = std::max<Index>(start, 0); p < std::min(start + a.window, a.in); ++p)
            here.push_back(static_cast<std::size_t>(p + a.in * (q + b.in * page)));
      }
  return all;
}

// Few different numbers, so that equal ones meet; some of them special.
template <class T>
std::vector<T> numbers(Index n, int special) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::vector<T> x(static_cast<std::size_t>(n));
  for (T& v : x) v = static_cast<T>(random() % 5) - T(2);
  constexpr T infinity = std::numeric_limits<T>::infinity();
  for (int s = 0; s < special; ++s)
    x[random() % x.size()] = s % 3 == 0 ? std::numeric_limits<T>::quiet_NaN() : s % 3 == 1 ? infinity : -infinity;
  return x;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(a[i] == b[i] || (a[i] != a[i] && b[i] != b[i]))) return false;
  return a.size() == b.size();
}

template <class T>
void checkMax(const Pooling& how, int special) {
  const std::vector<T> x = numbers<T>(how.axes[0].in * how.axes[1].in * how.outer, special);
  const auto all = windows(how);
  std::vector<T> y(all.size()), g(all.size()), expected(all.size()), dx(x.size(), T(7)), expectedDx(x.size());
  std::vector<double> positions(all.size()), expectedPositions(all.size());
  for (std::size_t r = 0; r < all.size(); ++r) {
    g[r] = static_cast<T>(r % 11) - T(5);
    std::size_t best = all[r][0];
    for (const std::size_t at : all[r])
      if (x[best] == x[best] && (x[at] > x[best] || x[at] != x[at])) best = at;
    expected[r] = x[best];
    expectedPositions[r] = static_cast<double>(best);
    expectedDx[best] += g[r];
  }
  maxPool(how, x.data(), y.data());
  maxPoolGradient(how, x.data(), g.data(), dx.data());
  maxPoolPositions(how, x.data(), positions.data());
  std::vector<double> again(all.size());
  std::vector<T> beside(all.size(), T(7));
  maxPoolPositions(how, x.data(), again.data(), beside.data());
  const std::string what = std::to_string(how.axes[0].in) + " x " + std::to_string(how.axes[1].in) + " x " +
                           std::to_string(how.outer) + ", window " + std::to_string(how.axes[0].window) + " x " +
                           std::to_string(how.axes[1].window) + ", special " + std::to_string(special);
  BOOST_TEST(same(y, expected), "largest elements of " << what);
  BOOST_TEST(same(dx, expectedDx), "their gradient, " << what);
  BOOST_TEST(same(positions, expectedPositions), "their positions, " << what);
  BOOST_TEST((same(again, expectedPositions) && same(beside, expected)), "both, " << what);
}

template <class T>
void checkMean(const Pooling& how) {
  const std::vector<T> x = numbers<T>(how.axes[0].in * how.axes[1].in * how.outer, 0);
  const auto all = windows(how);
  std::vector<T> y(all.size()), g(all.size()), dx(x.size(), T(7));
  std::vector<double> expectedDx(x.size());
  double error = 0;
  for (std::size_t r = 0; r < all.size(); ++r) g[r] = static_cast<T>(r % 11) - T(5);
  meanPool(how, x.data(), y.data());
  meanPoolAdjoint(how, g.data(), dx.data());
  for (std::size_t r = 0; r < all.size(); ++r) {
    double sum = 0;
    const auto n =
        static_cast<double>(how.countsPadding ? how.axes[0].window * how.axes[1].window : static_cast<Index>(all[r].size()));
    for (const std::size_t at : all[r]) {
      sum += static_cast<double>(x[at]);
      expectedDx[at] += static_cast<double>(g[r]) / n;
    }
    error = std::max(error, std::abs(static_cast<double>(y[r]) - sum / n));
  }
  for (std::size_t i = 0; i < dx.size(); ++i) error = std::max(error, std::abs(static_cast<double>(dx[i]) - expectedDx[i]));
  BOOST_TEST(error < (sizeof(T) == 4 ? 2e-6 : 1e-14));
}

template <class T>
void checkPairs() {
  for (Index in = 2; in <= 70; in += in < 36 ? 1 : 7)
    for (const Index columns : {2, 3, 8})
      for (const int special : {0, 5}) {
        Pooling how;
        how.axes[0] = {in, in / 2, 2, 2, 0};
        how.axes[1] = {columns, columns / 2, 2, 2, 0};
        how.count = 2;
        how.outer = in == 36 ? 500 : 3;
        checkMax<T>(how, special);
        if (special == 0) checkMean<T>(how);
      }
}

template <class T>
void checkBlocks() {
  for (Index in = 1; in <= 12; ++in)
    for (const Index columns : {1, 5, 9})
      for (const Index outer : {1, 15, 33, 2000}) {
        Pooling how;
        how.axes[0] = {in, 1, in, in, 0};
        how.axes[1] = {columns, 1, columns, columns, 0};
        how.count = 2;
        how.outer = outer;
        checkMax<T>(how, 0);
        checkMax<T>(how, 7);
        checkMean<T>(how);
        how.axes[0].window = in + 1;  // beyond the end
        checkMean<T>(how);
        how.countsPadding = false;
        checkMean<T>(how);
      }
}

// The axis of so many elements under a window with padding on both sides.
PoolAxis axisOf(Index in, Index window, Index stride, Index before) {
  return {in, (in + 2 * before - window) / stride + 1, window, stride, before};
}

template <class T>
void checkMoving() {
  for (Index in = 3; in <= 37; in += in < 20 ? 1 : 5)
    for (const Index columns : {3, 4, 9})
      for (const Index window : {1, 2, 3, 4})
        for (const Index stride : {1, 2, 3})
          for (const Index across : {Index{1}, Index{2}, Index{3},
                                     Index{columns}})  // as far as all columns: fewer rows of windows than columns over them
            for (const int special : {0, 6}) {
              const Index before = std::min(window - 1, in % 2);
              if (window > in + 2 * before || (window == 1 && stride > 1)) continue;
              Pooling how;
              how.axes[0] = axisOf(in, window, stride, before);
              how.axes[1] = axisOf(columns, across, stride == 3 ? 1 : stride, std::min(across - 1, columns % 2));
              how.count = 2;
              how.outer = 2;
              checkMax<T>(how, special);
              how.countsPadding = in % 3 == 0;
              if (special == 0) checkMean<T>(how);
            }
}

// Windows of three by three around every element, or every second one.
template <class T>
void checkAround(Index stride) {
  for (Index in = 2; in <= 70; in += in < 36 ? 1 : stride == 1 ? 7 : 2)
    for (const Index columns : {1, 2, 3, 8})
      for (const int special : {0, 4}) {
        Pooling how;
        how.axes[0] = axisOf(in, 3, stride, 1);
        how.axes[1] = axisOf(columns, 3, stride, 1);
        how.count = 2;
        how.outer = in == 36 ? 300 : 3;
        checkMax<T>(how, special);
        how.countsPadding = in % 2 == 0;
        if (special == 0) checkMean<T>(how);
      }
}

// A first dimension that no window moves along, short and so long that it is cut into parts.
template <class T>
void checkBeside() {
  for (const Index in : {1, 5, 17, 1023, 1025, 2100})
    for (const Index window : {2, 3, 5, 13})
      for (const Index stride : {1, 2, 4})
        for (const int special : {0, 40}) {
          Pooling how;
          how.axes[0] = {in, in, 1, 1, 0};
          how.axes[1] = axisOf(11, window, stride, 1);
          how.count = 2;
          how.outer = 2;
          checkMax<T>(how, special);
          if (special == 0) checkMean<T>(how);
        }
}

// Where all elements of a window are as small as can be, the first of them is the largest, not one of the padding.
template <class T>
void checkSmallest() {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  Pooling how;
  how.axes[0] = axisOf(20, 3, 1, 1);
  how.axes[1] = axisOf(5, 3, 1, 1);
  how.count = 2;
  std::vector<T> x(100, -infinity), g(100, T(1)), dx(100, T(7)), y(100);
  maxPool(how, x.data(), y.data());
  maxPoolGradient(how, x.data(), g.data(), dx.data());
  T sum = 0;
  for (const T v : dx) sum += v;
  BOOST_TEST(sum == T(100));
  BOOST_TEST(dx[0] == T(4));  // of the windows at 0 and 1, in columns 0 and 1
  BOOST_TEST((y == x));
}

// Images that kernels leave to the general way share a group with others, which must not depend on the threads.
template <class T>
void checkThreads(Index stride) {
  Pooling how;
  how.axes[0] = how.axes[1] = {28, stride == 1 ? 28 : 14, 3, stride, 1};
  how.count = 2;
  how.outer = 200;
  for (const T special : {std::numeric_limits<T>::quiet_NaN(), -std::numeric_limits<T>::infinity()}) {
    auto x = dl::cpu::numbers<T>(28 * 28 * how.outer);
    x[28 * 28 * 84 + 300] = special;
    const auto g = dl::cpu::numbers<T>(how.axes[0].out * how.axes[1].out * how.outer, 2);
    bool sameGradient = false;
    sameForThreads(
        [&] {
          std::vector<T> dx(x.size());
          maxPoolGradient(how, x.data(), g.data(), dx.data());
          return dx;
        },
        sameGradient);
    BOOST_TEST(sameGradient, "stride " << stride << ", beside " << special);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(windows_around_elements) {
  for (const Index stride : {1, 2}) {
    checkAround<float>(stride);
    checkAround<double>(stride);
  }
}

BOOST_AUTO_TEST_CASE(windows_that_overlap_or_stick_out) {
  checkMoving<float>();
  checkMoving<double>();
  checkSmallest<float>();
  checkSmallest<double>();
}

BOOST_AUTO_TEST_CASE(windows_along_the_second_dimension_alone) {
  checkBeside<float>();
  checkBeside<double>();
}

BOOST_AUTO_TEST_CASE(two_by_two) {
  checkPairs<float>();
  checkPairs<double>();
}

BOOST_AUTO_TEST_CASE(whole_blocks) {
  checkBlocks<float>();
  checkBlocks<double>();
}

BOOST_AUTO_TEST_CASE(gradients_are_the_same_for_every_number_of_threads) {
  for (const Index stride : {1, 2}) {
    checkThreads<float>(stride);
    checkThreads<double>(stride);
  }
}
