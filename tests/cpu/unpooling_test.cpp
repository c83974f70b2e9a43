// Elements put back by position, and the way back: few and many, in order, out of order and several at one position.
#include "cpu/unpooling.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <vector>

using namespace dl::cpu;

namespace {

void check(const std::vector<double>& at, Index count) {
  const auto n = static_cast<Index>(at.size());
  BOOST_TEST(arePositions(at.data(), n, count));
  std::vector<double> x(at.size()), y(static_cast<std::size_t>(count), 7), g(y.size()), dx(at.size(), 7), expected(y.size()),
      expectedDx(at.size());
  std::vector<std::size_t> owner(y.size(), at.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = 1 + static_cast<double>(i);
    const auto place = static_cast<std::size_t>(at[i]);
    expected[place] = x[i];
    owner[place] = i;
  }
  for (std::size_t p = 0; p < g.size(); ++p) {
    g[p] = 3 - static_cast<double>(p);
    if (owner[p] < x.size()) expectedDx[owner[p]] = g[p];
  }
  unpool(x.data(), at.data(), n, y.data(), count);
  unpoolAdjoint(g.data(), count, at.data(), n, dx.data());
  BOOST_TEST((y == expected));
  BOOST_TEST((dx == expectedDx));
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_order) {
  std::mt19937 random(1);
  for (const Index n : {1, 10, 40000, 200000}) {
    std::vector<double> rising(static_cast<std::size_t>(n)), falling = rising, any = rising;
    for (Index i = 0; i < n; ++i) {
      const auto k = static_cast<std::size_t>(i);
      rising[k] = static_cast<double>(4 * i + random() % 4);
      falling[k] = static_cast<double>(4 * (n - i) - 1);
      any[k] = static_cast<double>(random() % static_cast<unsigned>(n));
    }
    check(rising, 4 * n);
    check(falling, 4 * n);
    check(any, 4 * n);
  }
  check({}, 5);
}

BOOST_AUTO_TEST_CASE(several_at_one_position_beside_others_in_order) {
  std::vector<double> at(100000);
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<double>(2 * i);
  at[5] = at[6] = at[4];  // inside a part
  check(at, 200000);
  at[32768] = at[32767];  // on either side of the border between two
  check(at, 200000);
}

BOOST_AUTO_TEST_CASE(what_is_no_position) {
  for (const double wrong : {-1.0, 5.0, 0.5, 1e300, -1e300, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    std::vector<double> at(100000, 4.0);
    at[77777] = wrong;
    BOOST_TEST(!arePositions(at.data(), 100000, 5));
  }
}
