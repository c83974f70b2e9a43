#include "differences.hpp"

using namespace dl;
using namespace dl::testing;

namespace {

std::vector<double> naive(const DlArray& x, std::size_t dimension, bool product) {
  const Size s = size(x);
  std::vector<double> y = values(x);
  std::size_t stride = 1;
  for (std::size_t d = 0; d < dimension && d < s.size(); ++d) stride *= static_cast<std::size_t>(s[d]);
  const auto count = static_cast<std::size_t>(dimension < s.size() ? s[dimension] : 1);
  for (std::size_t i = 0; i < y.size(); ++i)
    if (i / stride % count != 0) y[i] = product ? y[i] * y[i - stride] : y[i] + y[i - stride];
  return y;
}

}  // namespace

BOOST_AUTO_TEST_CASE(running_sums_and_products) {
  for (const Size& s : {Size{1, 1}, Size{6, 1}, Size{1, 5}, Size{3, 4}, Size{2, 3, 4}})
    for (std::size_t d = 0; d < 4; ++d)
      for (const Type type : {Type::Double, Type::Single}) {
        const DlArray x = cast(someArray(s), type);
        const double tolerance = type == Type::Single ? 1e-5 : 1e-14;
        const DlArray sums = cumsum(x, d), products = cumprod(x, d);
        BOOST_TEST((size(sums) == s && size(products) == s));
        BOOST_TEST((underlyingType(sums) == type && underlyingType(products) == type));
        checkValues(sums, naive(x, d, false), tolerance);
        checkValues(products, naive(x, d, true), tolerance);
      }
  const DlArray longOne = someArray({200000, 1});
  checkValues(cumsum(longOne), naive(longOne, 0, false), 1e-11);
}

BOOST_AUTO_TEST_CASE(temporaries_give_the_same) {
  const DlArray x = someArray({3, 4});
  checkValues(cumsum(x + 0.5, 1), values(cumsum(DlArray(x + 0.5), 1)));
  const DlArray y = x + 0.5;
  checkValues(cumsum(x + 0.5, 1), values(cumsum(y, 1)));
  checkValues(cumprod(x + 0.5, 0), values(cumprod(y, 0)));
  checkValues(y, values(x + 0.5));
}

BOOST_AUTO_TEST_CASE(labels_and_dimensions) {
  const DlArray x = someArray({2, 3, 4}, "SCB");
  BOOST_TEST(dims(cumsum(x, "C")) == "SCB");
  BOOST_TEST(isequal(stripdims(cumsum(x, "C")), cumsum(stripdims(x), 1)));
  BOOST_TEST(isequal(stripdims(cumprod(x, "B")), cumprod(stripdims(x), 2)));
  checkValues(cumsum(dlarray({1.0, 2.0, 3.0})), {1, 3, 6});
  checkValues(cumprod(dlarray(std::vector<double>{1, 2, 3})), {1, 2, 6});
  checkValues(cumsum(dlarray({1, 0, 1}) != 0), {1, 1, 2});
  BOOST_TEST((underlyingType(cumprod(dlarray({1, 0, 1}) != 0)) == Type::Double));
  checkError([&] { cumsum(stripdims(x)); }, "cumsum: 2 x 3 x 4 has 3 dimensions longer than 1; say which one, counted from 0");
  checkError([&] { cumprod(x); }, "cumprod: 2(S) x 3(C) x 4(B) has 3 dimensions longer than 1; say which one, counted from 0, or by label");
  checkError([&] { cumsum(x, "SC"); }, "cumsum: one dimension is needed, 2 of 2(S) x 3(C) x 4(B) were named");
  checkError([&] { cumsum(x, "T"); }, "cumsum: 2(S) x 3(C) x 4(B) has no dimension labelled T");
  checkError([&] { cumsum(x, -1); }, "cumsum: dimension -1 does not exist; dimensions count from 0");
}

BOOST_AUTO_TEST_CASE(empty_arrays) {
  BOOST_TEST((size(cumsum(DlArray())) == Size{0, 0}));
  BOOST_TEST((size(cumprod(DlArray())) == Size{0, 0}));
  BOOST_TEST((size(cumsum(someArray({0, 3}), 0)) == Size{0, 3}));
  BOOST_TEST((size(cumprod(someArray({3, 0}), 0)) == Size{3, 0}));
}

BOOST_AUTO_TEST_CASE(derivatives) {
  for (const Size& s : {Size{4, 1}, Size{1, 3}, Size{3, 2}, Size{2, 3, 2}})
    for (int d = 0; d < 3; ++d) {
      checkDerivatives([&](const DlArray& x) { return sin(cumsum(x % x, d)); }, someArray(s), 2, 1e-6);
      checkDerivatives([&](const DlArray& x) { return cumprod(x, d); }, someArray(s), 3, 1e-6);
      checkDerivatives([&](const DlArray& x) { return sin(cumprod(x, d)); }, someArray(s), 2, 1e-6);
    }
  checkDerivatives([](const DlArray& x) { return cumprod(x, "T"); }, someArray({2, 2, 3}, "CBT"), 2, 1e-6);
}

BOOST_AUTO_TEST_CASE(derivatives_of_products_with_zeros) {
  for (const std::vector<int>& zeros : {std::vector<int>{0}, {2}, {4}, {1, 3}, {0, 4}, {0, 1, 2, 3, 4}}) {
    DlArray x = someArray({5, 1});
    for (int i : zeros) x(i) = 0;
    checkDerivatives([](const DlArray& v) { return cumprod(v); }, x, 5, 1e-6);
    checkDerivatives([](const DlArray& v) { return cumprod(v % v + v); }, x, 3, 1e-5);
  }
  const DlArray g = dlfeval([](const DlArray& v) { return dlgradient(sum(cumprod(v)), v); }, dlarray({2.0, 0.0, 3.0, 5.0}));
  checkValues(g, {1, 38, 0, 0});  // 2 + 2 * 3 + 2 * 3 * 5
}

BOOST_AUTO_TEST_CASE(derivatives_in_single) {
  const auto gradient = [](const DlArray& v) { return dlgradient(sum(cumprod(cumsum(v, 0), 1), "all"), v); };
  const DlArray x = single_(someArray({3, 4})), g = dlfeval(gradient, x);
  BOOST_TEST((underlyingType(g) == Type::Single));
  checkValues(g, values(dlfeval(gradient, double_(x))), 1e-5);
}
