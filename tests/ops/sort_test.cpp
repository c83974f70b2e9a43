#include "differences.hpp"

#include <limits>
#include <numeric>

using namespace dl;
using namespace dl::testing;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

struct Sorted {
  std::vector<double> values, positions;
};

// The first k elements of each lane of a stably sorted array.
Sorted naive(const DlArray& x, std::size_t dimension, bool descending, std::size_t k) {
  const Size s = size(x);
  const std::vector<double> from = values(x);
  std::size_t inner = 1, outer = 1;
  const auto n = static_cast<std::size_t>(dimension < s.size() ? s[dimension] : 1);
  for (std::size_t d = 0; d < s.size(); ++d)
    if (d != dimension) (d < dimension ? inner : outer) *= static_cast<std::size_t>(s[d]);
  Sorted result{std::vector<double>(inner * k * outer), std::vector<double>(inner * k * outer)};
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t i = 0; i < inner; ++i) {
      std::vector<std::size_t> order(n);
      std::iota(order.begin(), order.end(), 0);
      const auto at = [&](std::size_t p) { return from[i + inner * (p + n * o)]; };
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return descending ? at(a) > at(b) : at(a) < at(b); });
      for (std::size_t p = 0; p < k; ++p) {
        result.values[i + inner * (p + k * o)] = at(order[p]);
        result.positions[i + inner * (p + k * o)] = static_cast<double>(order[p]);
      }
    }
  return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(sorting_along_every_dimension) {
  for (const Size& s : {Size{1, 1}, Size{7, 1}, Size{1, 7}, Size{5, 3}, Size{3, 4, 2}, Size{700, 3}})
    for (std::size_t d = 0; d < 4; ++d)
      for (const Type type : {Type::Double, Type::Single})
        for (const bool descending : {false, true}) {
          const DlArray x = cast(round(someArray(s) % 3), type);  // with ties
          const char* direction = descending ? "descend" : "ascend";
          const Sorted expected = naive(x, d, descending, static_cast<std::size_t>(d < s.size() ? s[d] : 1));
          const auto [y, i] = sort<2>(x, d, direction);
          checkValues(y, expected.values);
          checkValues(i, expected.positions);
          BOOST_TEST((size(y) == s && size(i) == s));
          BOOST_TEST((underlyingType(y) == type && underlyingType(i) == Type::Double));
          BOOST_TEST(isequal(sort(x, d, direction), y));
        }
}

BOOST_AUTO_TEST_CASE(largest_elements_along_every_dimension) {
  for (const Size& s : {Size{7, 1}, Size{1, 7}, Size{5, 3}, Size{3, 4, 5}, Size{100, 2}})
    for (std::size_t d = 0; d < s.size(); ++d)
      for (Index k = 0; k <= s[d]; k += 2) {
        const DlArray x = round(someArray(s) % 3);
        const Sorted expected = naive(x, d, true, static_cast<std::size_t>(k));
        const auto [y, i] = topk<2>(x, k, d);
        Size wanted = s;
        wanted[d] = k;
        BOOST_TEST((size(y) == wanted && size(i) == wanted));
        checkValues(y, expected.values);
        checkValues(i, expected.positions);
        BOOST_TEST(isequal(topk(x, k, d), y));
      }
  BOOST_TEST((size(topk(someArray({2, 3, 4}), 1, 2)) == Size{2, 3}));
  BOOST_TEST((size(topk(someArray({2, 3}), 1, 3)) == Size{2, 3}));
  BOOST_TEST((size(topk(someArray({2, 3}), 0, 2)) == Size{2, 3, 0}));
}

BOOST_AUTO_TEST_CASE(nan_stands_at_one_end) {
  const DlArray x = dlarray({2.0, missing, 3.0, missing, 1.0});
  checkValues(sort(x), {1, 2, 3, missing, missing});
  checkValues(sort(x, 1, "descend"), {missing, missing, 3, 2, 1});
  checkValues(std::get<1>(sort<2>(x, 1, "descend")), {1, 3, 2, 0, 4});
  checkValues(topk(x, 4), {3, 2, 1, missing});
}

BOOST_AUTO_TEST_CASE(labels_types_and_the_direction_alone) {
  const DlArray x = someArray({2, 3, 4}, "SCB");
  BOOST_TEST(dims(sort(x, "C")) == "SCB");
  BOOST_TEST(isequal(stripdims(sort(x, "B", "descend")), sort(stripdims(x), 2, "descend")));
  BOOST_TEST(dims(topk(x, 2, "B")) == "SCB");
  BOOST_TEST((size(topk(x, 1, "B")) == Size{2, 3, 1}));
  checkValues(sort(dlarray({2.0, 3.0, 1.0}), "descend"), {3, 2, 1});
  const DlArray flags = sort(dlarray({1, 0, 1, 0}) != 0);
  BOOST_TEST((underlyingType(flags) == Type::Logical));
  checkValues(flags, {0, 0, 1, 1});
  checkValues(std::get<1>(sort<2>(dlarray({1, 0, 1, 0}) != 0)), {1, 3, 0, 2});
}

BOOST_AUTO_TEST_CASE(mistakes) {
  const DlArray x = someArray({2, 3}, "CB");
  checkError([&] { sort(x); }, "sort: 2(C) x 3(B) has 2 dimensions longer than 1; say which one, counted from 0, or by label");
  checkError([&] { sort(x, "B", "down"); }, "sort: \"down\" is not a direction; it is \"ascend\" or \"descend\"");
  checkError([&] { sort(x, "CB"); }, "sort: one dimension is needed, 2 of 2(C) x 3(B) were named");
  checkError([&] { topk(x, 4, "B"); }, "topk: 4 elements were asked for, dimension 1 of 2(C) x 3(B) has 3");
  checkError([&] { topk(x, -1, 0); }, "topk: -1 elements were asked for; the number cannot be negative");
}

BOOST_AUTO_TEST_CASE(empty_arrays) {
  BOOST_TEST((size(sort(DlArray())) == Size{0, 0}));
  BOOST_TEST((size(sort(someArray({0, 3}), 0)) == Size{0, 3}));
  BOOST_TEST((size(sort(someArray({3, 0}), 0)) == Size{3, 0}));
  BOOST_TEST((size(topk(someArray({0, 3}), 0, 0)) == Size{0, 3}));
  BOOST_TEST((size(topk(someArray({0, 3}), 2, 1)) == Size{0, 2}));
}

BOOST_AUTO_TEST_CASE(derivatives) {
  for (int d = 0; d < 3; ++d) {
    checkDerivatives([&](const DlArray& x) { return sin(sort(x % x, d)); }, someArray({3, 2, 2}), 2, 1e-6);
    checkDerivatives([&](const DlArray& x) { return exp(sort(x, d, "descend")); }, someArray({3, 2, 2}), 3, 1e-6);
    checkDerivatives([&](const DlArray& x) { return exp(topk(x, 2, d)); }, someArray({3, 2, 2}), 3, 1e-6);
  }
  checkDerivatives([](const DlArray& x) { return exp(topk(x, 2, "C")); }, someArray({3, 2}, "CB"), 2, 1e-6);
  // Positions are constants.
  const DlArray g = dlfeval(
      [](const DlArray& v) {
        const auto [y, i] = sort<2>(v);
        return dlgradient(sum(y % i), v);
      },
      dlarray({3.0, 1.0, 2.0}));
  checkValues(g, {0, 1, 2});
  // Equal elements keep their order, and so do their derivatives.
  const DlArray ties = dlfeval([](const DlArray& v) { return dlgradient(sum(sort(v) % dlarray({1.0, 10.0, 100.0})), v); }, dlarray({2.0, 2.0, 1.0}));
  checkValues(ties, {10, 100, 1});
}

BOOST_AUTO_TEST_CASE(derivatives_in_single) {
  const auto gradient = [](const DlArray& v) { return dlgradient(sum(exp(sort(v, 0)), "all") + sum(topk(v, 2, 1) % 3, "all"), v); };
  const DlArray x = single_(someArray({3, 4})), g = dlfeval(gradient, x);
  BOOST_TEST((underlyingType(g) == Type::Single));
  checkValues(g, values(dlfeval(gradient, double_(x))), 1e-5);
}
