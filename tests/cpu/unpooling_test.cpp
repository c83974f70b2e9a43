// Elements put back by position, and the way back: few and many, in order, out of order and several at one position.
#include "cpu/unpooling.hpp"

#include "harness/threads.hpp"

#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace dl::cpu;
using dl::test::withThreads;

namespace {

template <class T>
void check(const std::vector<double>& at, Unpooling how) {
  how.n = static_cast<Index>(at.size());
  std::vector<T> x(at.size()), y(static_cast<std::size_t>(how.count), 7), g(y.size()), dx(at.size(), 7), expected(y.size()),
      expectedDx(at.size());
  std::vector<std::size_t> owner(y.size(), at.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = T(1) + static_cast<T>(i);
    const auto place = static_cast<std::size_t>(at[i]);
    expected[place] = x[i];
    owner[place] = i;
  }
  for (std::size_t p = 0; p < g.size(); ++p) {
    g[p] = T(3) - static_cast<T>(p);
    if (owner[p] < x.size()) expectedDx[owner[p]] = g[p];
  }
  for (const int threads : {1, 2, 3}) {
    std::fill(y.begin(), y.end(), T(7));
    std::fill(dx.begin(), dx.end(), T(7));
    BOOST_TEST(withThreads(threads, [&] {
      unpoolAdjoint(how, g.data(), at.data(), dx.data());
      return unpool(how, x.data(), at.data(), y.data());
    }));
    BOOST_TEST((y == expected));
    BOOST_TEST((dx == expectedDx));
  }
}
void check(const std::vector<double>& at, Index count, Index pages = 1) { check<double>(at, {.count = count, .pages = pages}); }

// The position of an element of each window of two by two.
std::vector<double> placesInWindows(const PoolPairs& p, Index pages) {
  std::mt19937 random(2);
  std::vector<double> at;
  for (Index page = 0; page < pages; ++page)
    for (Index c = 0; c < p.columnsOut; ++c)
      for (Index i = 0; i < p.out; ++i) {
        const auto row = static_cast<Index>(random() % 2), column = static_cast<Index>(random() % 2);
        at.push_back(static_cast<double>((page * p.columnsIn + 2 * c + column) * p.in + 2 * i + row));
      }
  return at;
}

template <class T>
void checkPairs() {
  for (Index in = 2; in <= 70; in += in < 36 ? 1 : 7)
    for (const Index columns : {2, 3, 8}) {
      const PoolPairs pairs{in, in / 2, columns, columns / 2};
      const Index pages = in == 36 ? 500 : 3, count = in * columns * pages;
      std::vector<double> at = placesInWindows(pairs, pages);
      const Unpooling how{0, count, pages, pairs};
      check<T>(at, how);
      std::swap(at.front(), at.back());  // in other pages
      check<T>(at, how);
      at.front() = at.back();  // and two in one place
      check<T>(at, how);
      at = placesInWindows(pairs, pages);
      const std::vector<T> x(at.size());
      std::vector<T> y(static_cast<std::size_t>(count));
      for (const double wrong : {at.back() + 1e-9 * at.back(), -1.0, static_cast<double>(NAN), static_cast<double>(count)}) {
        at.back() = wrong;
        BOOST_TEST(!unpool({static_cast<Index>(at.size()), count, pages, pairs}, x.data(), at.data(), y.data()));
      }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(windows_of_two_by_two) {
  checkPairs<float>();
  checkPairs<double>();
}

BOOST_AUTO_TEST_CASE(every_order) {
  std::mt19937 random(1);
  for (const Index n : {1, 10, 40000, 200000})
    for (const Index pages : {1, 10, 100}) {
      if (n % pages != 0) continue;
      std::vector<double> rising(static_cast<std::size_t>(n)), falling = rising, any = rising;
      for (Index i = 0; i < n; ++i) {
        const auto k = static_cast<std::size_t>(i);
        rising[k] = static_cast<double>(4 * i + random() % 4);
        falling[k] = static_cast<double>(4 * (n - i) - 1);
        any[k] = static_cast<double>(random() % static_cast<unsigned>(n));
      }
      check(rising, 4 * n, pages);
      check(falling, 4 * n, pages);
      check(any, 4 * n, pages);
    }
  check({}, 5);
}

BOOST_AUTO_TEST_CASE(several_at_one_position_beside_others_in_order) {
  std::vector<double> at(100000);
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<double>(2 * i);
  at[5] = at[6] = at[4];  // inside a page
  check(at, 200000, 20);
  at[5000] = at[4999];  // in two pages
  check(at, 200000, 20);
}

BOOST_AUTO_TEST_CASE(what_is_no_position) {
  for (const double wrong : {-1.0, 5.0, 0.5, 1e300, -1e300, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    std::vector<double> at(1000, 4.0), x(1000), y(5);
    at[777] = wrong;
    BOOST_TEST(!isPosition(wrong, 5));
    BOOST_TEST(!unpool({1000, 5}, x.data(), at.data(), y.data()));
  }
  BOOST_TEST(isPosition(4, 5));
}
