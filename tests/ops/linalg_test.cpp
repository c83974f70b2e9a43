#include "differences.hpp"

#include <limits>

using namespace dl;
using namespace dl::testing;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using List = std::vector<double>;

// The product of matrices by its definition, page by page: page p of the result is a page of each.
List naiveProduct(const DlArray& a, const DlArray& b) {
  const Index m = size(a, 0), k = size(a, 1), n = size(b, 1);
  const List x = values(a), y = values(b);
  List z;
  for (Index j = 0; j < n; ++j)
    for (Index i = 0; i < m; ++i) {
      double sum = 0;
      for (Index l = 0; l < k; ++l) sum += x[static_cast<std::size_t>(i + l * m)] * y[static_cast<std::size_t>(l + j * k)];
      z.push_back(sum);
    }
  return z;
}

double naiveNorm(const List& x, double p) {
  double result = p == -infinity ? infinity : 0;
  for (double v : x) {
    if (p == infinity)
      result = std::max(result, std::fabs(v));
    else if (p == -infinity)
      result = std::min(result, std::fabs(v));
    else
      result += std::pow(std::fabs(v), p);
  }
  return std::isinf(p) ? result : std::pow(result, 1 / p);
}

DlArray gradientOf(const Function& fun, const DlArray& x) {
  return dlfeval([&](const DlArray& v) { return dlgradient(sum(fun(v), "all"), v); }, x);
}

}  // namespace

BOOST_AUTO_TEST_CASE(mtimes_is_the_sum_of_products) {
  for (const auto& [m, k, n] : std::vector<std::array<Index, 3>>{
           {2, 2, 2}, {2, 2, 1}, {1, 3, 1}, {3, 1, 4}, {1, 5, 7}, {4, 3, 1}, {17, 9, 33}, {64, 64, 64}, {100, 3, 70}, {5, 200, 6}}) {
    const DlArray a = someArray({m, k}), b = someArray({k, n}, "", 2);
    const DlArray c = mtimes(a, b);
    BOOST_TEST((size(c) == Size{m, n}));
    checkValues(c, naiveProduct(a, b), 1e-13);
    BOOST_TEST(isequal(a * b, c));
    const DlArray single = single_(a) * single_(b);
    BOOST_TEST((underlyingType(single) == Type::Single));
    checkValues(single, naiveProduct(a, b), 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(mtimes_of_types) {
  const DlArray a = someArray({2, 3}), b = someArray({3, 2});
  BOOST_TEST((underlyingType(single_(a) * b) == Type::Single));
  BOOST_TEST((underlyingType(a * single_(b)) == Type::Single));
  BOOST_TEST((underlyingType((a > 0) * (b > 0)) == Type::Double));
  checkValues((a > 0) * (b > 0), naiveProduct(double_(a > 0), double_(b > 0)));
  BOOST_TEST((underlyingType((a > 0) * single_(b)) == Type::Single));
}

BOOST_AUTO_TEST_CASE(mtimes_of_nothing) {
  BOOST_TEST((size(zeros(0, 3) * zeros(3, 2)) == Size{0, 2}));
  BOOST_TEST(isequal(zeros(2, 0) * zeros(0, 3), zeros(2, 3)));
  BOOST_TEST(isequal(zeros(1, 0) * zeros(0, 1), zeros(1, 1)));
  BOOST_TEST((size(2 * zeros(0, 3)) == Size{0, 3}));
  BOOST_TEST(isequal(gradientOf([](const DlArray& v) { return v * zeros(0, 3); }, zeros(2, 0)), zeros(2, 0)));
}

BOOST_AUTO_TEST_CASE(a_scalar_scales) {
  const DlArray x = someArray({2, 3}, "CB");
  for (const DlArray& y : {2 * x, x * 2, mtimes(2.0, x), x * dlarray({2.0})}) {
    BOOST_TEST(dims(y) == "CB");
    checkValues(y, values(x % 2.0));
  }
  const DlArray total = sum(x, "all");
  BOOST_TEST(dims(total) == "CB");
  BOOST_TEST(dims(total * 3) == "CB");
  BOOST_TEST((size(2 * someArray({2, 3, 4})) == Size{2, 3, 4}));
  DlArray y = x;
  y *= 3;
  BOOST_TEST(isequal(y, 3 * x));
  DlArray m = someArray({2, 2});
  const DlArray before = m;
  m *= m;
  BOOST_TEST(isequal(m, before * before));
}

BOOST_AUTO_TEST_CASE(products_that_do_not_exist) {
  checkError([] { someArray({3, 4}) * someArray({5, 6}); }, "mtimes: inner sizes differ: 3 x 4 times 5 x 6");
  checkError([] { mtimes(someArray({3, 4}, "CB"), someArray({5, 6})); }, "mtimes: inner sizes differ: 3(C) x 4(B) times 5 x 6");
  checkError([] { mtimes(someArray({3, 4}, "CB"), someArray({4, 6})); },
             "mtimes: 3(C) x 4(B) times 4 x 6: a labelled matrix takes no part in a matrix product; take the labels off with stripdims first");
  checkError([] { someArray({3, 4}) * someArray({4, 6}, "SS"); },
             "mtimes: 3 x 4 times 4(S) x 6(S): a labelled matrix takes no part in a matrix product; take the labels off with stripdims first");
  checkError([] { someArray({3, 4, 2}) * someArray({4, 6}); },
             "mtimes: 3 x 4 x 2 times 4 x 6: a matrix product takes matrices; pagemtimes multiplies page by page");
  DlArray x = someArray({2, 3});
  const DlArray before = x;
  checkError([&] { x *= x; }, "mtimes: inner sizes differ: 2 x 3 times 2 x 3");
  BOOST_TEST(isequal(x, before));
}

BOOST_AUTO_TEST_CASE(the_line_of_the_call_is_named) {
  try {
    someArray({3, 4}) * someArray({5, 6});
    BOOST_ERROR("nothing was thrown");
  } catch (const Error& error) {
    BOOST_TEST(std::string(error.what()).find("(linalg_test.cpp:") != std::string::npos);
    BOOST_TEST(std::string(error.identifier()) == "dlarray:mtimes:innerSizes");
  }
}

BOOST_AUTO_TEST_CASE(pagemtimes_multiplies_each_page) {
  struct Case {
    Size a, b, result;
  };
  for (const Case& c : std::vector<Case>{{{3, 4, 5}, {4, 2, 5}, {3, 2, 5}},
                                         {{3, 4}, {4, 2, 5}, {3, 2, 5}},
                                         {{3, 4, 5}, {4, 2}, {3, 2, 5}},
                                         {{3, 4, 8, 2}, {4, 5, 8, 2}, {3, 5, 8, 2}},
                                         {{3, 4, 1, 2}, {4, 5, 3}, {3, 5, 3, 2}},
                                         {{3, 4, 3, 1, 2}, {4, 5, 1, 2}, {3, 5, 3, 2, 2}},
                                         {{15, 20, 3, 12}, {20, 15}, {15, 15, 3, 12}}}) {
    const DlArray a = someArray(c.a), b = someArray(c.b, "", 2), y = pagemtimes(a, b);
    BOOST_TEST((size(y) == c.result));
    const auto at = [](const DlArray& x, Index p, Index q, Index r) {
      const auto inside = [&](Index i, Index d) { return size(x, d) == 1 ? 0 : i; };
      return x(all, all, inside(p, 2), inside(q, 3), inside(r, 4));
    };
    for (Index p = 0; p < size(y, 2); ++p)
      for (Index q = 0; q < size(y, 3); ++q)
        for (Index r = 0; r < size(y, 4); ++r) checkValues(at(y, p, q, r), naiveProduct(at(a, p, q, r), at(b, p, q, r)), 1e-13);
    std::vector<Index> order(static_cast<std::size_t>(std::max<Index>(ndims(a), ndims(b))), 0);
    for (std::size_t d = 0; d < order.size(); ++d) order[d] = static_cast<Index>(d < 2 ? 1 - d : d);
    const DlArray ta = permute(a, order), tb = permute(b, order);
    for (const DlArray& other :
         {pagemtimes(ta, "transpose", b, "none"), pagemtimes(a, "none", tb, "ctranspose"), pagemtimes(ta, "transpose", tb, "transpose")})
      checkValues(other, values(y), 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(pagemtimes_of_a_magic_square) {
  const DlArray a = dlarray({{8, 1, 6}, {3, 5, 7}, {4, 9, 2}}), b = dlarray({{9, 10, 3}, {10, 7, 6}, {2, 1, 10}});
  BOOST_TEST(isequal(pagemtimes(a, b), dlarray({{94, 93, 90}, {91, 72, 109}, {130, 105, 86}})));
}

BOOST_AUTO_TEST_CASE(pagemtimes_corner_cases) {
  const DlArray a = someArray({3, 4, 2});
  checkValues(pagemtimes(a, dlarray(2.0)), values(2 * a));
  checkValues(pagemtimes(2.0, "none", permute(a, {1, 0, 2}), "transpose"), values(2 * a));
  BOOST_TEST(isequal(pagemtimes(zeros(2, 0, 3), zeros(0, 4, 3)), zeros(2, 4, 3)));
  BOOST_TEST(isequal(pagemtimes(zeros(2, 0), zeros(0, 4, 3)), zeros(2, 4, 3)));
  BOOST_TEST((size(pagemtimes(zeros(2, 3, 0), zeros(3, 4))) == Size{2, 4, 0}));
  BOOST_TEST((underlyingType(pagemtimes(single_(a), someArray({4, 2}))) == Type::Single));
  BOOST_TEST(dims(pagemtimes(someArray({3, 4, 2}, "SCB"), 2.0)) == "SCB");
  checkError([&] { pagemtimes(a, a); }, "pagemtimes: inner sizes differ: 3 x 4 x 2 times 3 x 4 x 2");
  checkError([&] { pagemtimes(a, someArray({4, 2, 3})); },
             "pagemtimes: pages do not expand: 3 x 4 x 2 times 4 x 2 x 3; from the third dimension on sizes must be equal or one of them 1");
  checkError([&] { pagemtimes(a, "transposed", a, "none"); },
             "pagemtimes: \"transposed\" is neither \"none\", \"transpose\" nor \"ctranspose\"");
  checkError([&] { pagemtimes(someArray({3, 4, 2}, "SCB"), someArray({4, 2})); },
             "pagemtimes: 3(S) x 4(C) x 2(B) times 4 x 2: a labelled matrix takes no part in a matrix product; take the labels off with "
             "stripdims first");
}

BOOST_AUTO_TEST_CASE(kron_places_copies) {
  const DlArray a = dlarray({{1, 2}, {3, 4}}), b = dlarray({{0, 5}, {6, 7}});
  BOOST_TEST(isequal(kron(a, b), dlarray({{0, 5, 0, 10}, {6, 7, 12, 14}, {0, 15, 0, 20}, {18, 21, 24, 28}})));
  BOOST_TEST((size(kron(zeros(2, 3), zeros(4, 1))) == Size{8, 3}));
}

BOOST_AUTO_TEST_CASE(dot_of_vectors_in_any_direction) {
  const DlArray row = dlarray({1.0, 2.0, 3.0}), column = transpose(dlarray({4.0, -5.0, 6.0}));
  for (const DlArray& a : {row, transpose(row)})
    for (const DlArray& b : {column, transpose(column)}) {
      const DlArray y = dot(a, b);
      BOOST_TEST((size(y) == Size{1, 1}));
      BOOST_TEST(double(y) == 12);
    }
  BOOST_TEST(double(dot(2.0, 3.0)) == 6);
  BOOST_TEST(double(dot(zeros(1, 0), zeros(0, 1))) == 0);
  BOOST_TEST((underlyingType(dot(single_(row), row)) == Type::Single));
  checkError([&] { dot(row, dlarray({1.0, 2.0})); }, "dot: sizes differ: 1 x 3 and 1 x 2");
}

BOOST_AUTO_TEST_CASE(dot_along_a_dimension) {
  const DlArray a = someArray({3, 4}, "CB"), b = someArray({3, 4}, "CB", 2);
  const DlArray y = dot(a, b, "C");
  BOOST_TEST(dims(y) == "CB");
  BOOST_TEST((size(y) == Size{1, 4}));
  checkValues(y, values(sum(a % b, 0)));
  checkValues(dot(stripdims(a), stripdims(b), 1), values(sum(stripdims(a % b), 1)));
  BOOST_TEST(dims(dot(someArray({3}, "C"), someArray({3}, "C"))) == "CU");
  checkError([&] { dot(stripdims(a), stripdims(b)); }, "dot: 3 x 4 has 2 dimensions longer than 1; say which one, counted from 0, or \"all\"");
}

BOOST_AUTO_TEST_CASE(cross_is_perpendicular) {
  const DlArray x = dlarray({1.0, 0.0, 0.0}), y = dlarray({0.0, 1.0, 0.0});
  checkValues(cross(x, y), {0, 0, 1});
  checkValues(cross(y, x), {0, 0, -1});
  BOOST_TEST((size(cross(x, transpose(y))) == Size{3, 1}));
  const DlArray a = someArray({2, 3, 4}, "SCB"), b = someArray({2, 3, 4}, "SCB", 2), c = cross(a, b, "C");
  BOOST_TEST(dims(c) == "SCB");
  checkValues(dot(a, c, "C"), List(8, 0), 1e-13);
  checkValues(dot(b, c, "C"), List(8, 0), 1e-13);
  checkError([] { cross(someArray({1, 4}), someArray({1, 4})); }, "cross: the vectors along dimension 1 of 1 x 4 have 4 elements, not 3");
  checkError([] { cross(someArray({1, 3}), someArray({1, 4})); }, "cross: sizes differ: 1 x 3 and 1 x 4");
}

BOOST_AUTO_TEST_CASE(norm_of_a_vector) {
  const DlArray x = dlarray({3.0, -4.0, 12.0});
  BOOST_TEST(double(norm(x)) == 13);
  for (double p : {1.0, 1.5, 2.0, 3.0, 0.5, infinity, -infinity}) {
    checkValues(norm(x, p), {naiveNorm(values(x), p)}, 1e-14);
    checkValues(norm(transpose(single_(x)), p), {naiveNorm(values(x), p)}, 1e-6);
  }
  BOOST_TEST(double(norm(x, "inf")) == 12);
  BOOST_TEST(double(norm(x, "-inf")) == 3);
  BOOST_TEST(double(norm(-7.0)) == 7);
  BOOST_TEST(double(norm(zeros(1, 3))) == 0);
  BOOST_TEST(double(norm(DlArray())) == 0);
  BOOST_TEST(double(norm(x > 0)) == std::sqrt(2.0));
  BOOST_TEST(std::isnan(double(norm(dlarray({1.0, std::nan("")})))));
  BOOST_TEST(double(norm(dlarray({1.0, -infinity}))) == infinity);
  BOOST_TEST(dims(norm(someArray({3}, "C"))) == "CU");
  checkError([&] { norm(x, 0); }, "norm: p is 0; it must be positive, Inf or -Inf");
  checkError([&] { norm(x, "max"); }, "norm: \"max\" is neither \"fro\", \"inf\" nor \"-inf\"");
}

BOOST_AUTO_TEST_CASE(norm_of_a_matrix) {
  const DlArray x = dlarray({{1, -2}, {-3, 4}});
  BOOST_TEST(double(norm(x, 1)) == 6);
  BOOST_TEST(double(norm(x, infinity)) == 7);
  checkValues(norm(x, "fro"), {std::sqrt(30.0)}, 1e-15);
  checkValues(norm(someArray({2, 3, 4}), "fro"), {naiveNorm(values(someArray({2, 3, 4})), 2)}, 1e-14);
  checkError([&] { norm(x); },
             "norm: of a matrix, here 2 x 2, the norms 1, Inf and \"fro\" are known, not 2; vecnorm gives the norms of rows or columns");
  checkError([&] { norm(someArray({2, 3, 4})); },
             "norm: 2 x 3 x 4 is neither a vector nor a matrix; norm(x, \"fro\") takes all elements, vecnorm one dimension");
}

BOOST_AUTO_TEST_CASE(norms_neither_overflow_nor_vanish) {
  for (double scale : {1e200, 1e-200, 1e300, 1e-300}) {
    const DlArray x = dlarray({3 * scale, -4 * scale});
    checkValues(norm(x) / scale, {5}, 1e-14);
    checkValues(norm(x, 3) / scale, {std::cbrt(91.0)}, 1e-14);
    checkValues(gradientOf([](const DlArray& v) { return norm(v); }, x), {0.6, -0.8}, 1e-14);
    checkValues(gradientOf([](const DlArray& v) { return norm(v, 3); }, x), {9 / std::pow(91.0, 2.0 / 3), -16 / std::pow(91.0, 2.0 / 3)}, 1e-13);
  }
  checkValues(norm(dlarray({3e30F, 4e30F})), {5e30}, 1e-6);
  checkValues(vecnorm(dlarray({{3e200, 3, 0}, {4e200, 4, 0}}), 2, 0), {5e200, 5, 0}, 1e-14);
}

BOOST_AUTO_TEST_CASE(vecnorm_along_a_dimension) {
  const DlArray x = someArray({3, 4}, "CB");
  for (double p : {1.0, 2.0, 3.0, infinity}) {
    List expected;
    for (Index j = 0; j < 4; ++j) expected.push_back(naiveNorm(values(x(all, j)), p));
    const DlArray y = vecnorm(x, p, "C");
    checkValues(y, expected, 1e-14);
    BOOST_TEST(dims(y) == "CB");
    BOOST_TEST((size(y) == Size{1, 4}));
    checkValues(vecnorm(x, p, 0), expected, 1e-14);
  }
  checkValues(vecnorm(dlarray({3.0, 4.0})), {5});
  checkValues(vecnorm(stripdims(x), 2, 2), values(abs(x)), 1e-15);
  checkError([&] { vecnorm(x); },
             "vecnorm: 3(C) x 4(B) has 2 dimensions longer than 1; say which one, counted from 0, or by label, or \"all\"");
  checkError([&] { vecnorm(x, -1, 0); }, "vecnorm: p is -1; it must be positive, Inf or -Inf");
}

BOOST_AUTO_TEST_CASE(derivatives_of_products) {
  const DlArray x = someArray({3, 4}), b = someArray({4, 2}, "", 2), pages = someArray({4, 2, 3}, "", 3);
  const auto square = [](const DlArray& v) { return reshape(v, 3, 4)(all, span(0, 2)); };
  const std::vector<std::pair<const char*, Function>> functions = {
      {"left", [&](const DlArray& v) { return (v % v) * b; }},
      {"right", [&](const DlArray& v) { return transpose(b) * transpose(v % v); }},
      {"both", [&](const DlArray& v) { return transpose(v) * v; }},
      {"chain", [&](const DlArray& v) { return square(v) * square(v) * v; }},
      {"quadratic form", [&](const DlArray& v) { return transpose(v(all, 0)) * square(v) * v(all, 1); }},
      {"scaling", [&](const DlArray& v) { return v(1, 2) * v * v(0, 0); }},
      {"pages", [&](const DlArray& v) { return pagemtimes(v % v, pages); }},
      {"pages on the left", [&](const DlArray& v) { return pagemtimes(reshape(v, 2, 2, 3), v(span(0, 1), span(0, 1))); }},
      {"both paged", [&](const DlArray& v) { return pagemtimes(reshape(v, 2, 2, 3), reshape(v, 2, 2, 3)); }},
      {"expanded pages", [&](const DlArray& v) { return pagemtimes(reshape(v, 2, 2, 3), reshape(v % v, 2, 2, 1, 3)); }},
      {"transposed left", [&](const DlArray& v) { return pagemtimes(reshape(v, 2, 1, 6), "transpose", reshape(v, 2, 1, 6), "none"); }},
      {"transposed right", [&](const DlArray& v) { return pagemtimes(reshape(v, 2, 2, 3), "none", reshape(v, 2, 2, 3), "transpose"); }},
      {"both transposed", [&](const DlArray& v) { return pagemtimes(reshape(v, 2, 2, 3), "transpose", reshape(v, 2, 2, 3), "transpose"); }},
      {"kron", [&](const DlArray& v) { return kron(v(span(0, 1), 0), v); }},
      {"dot", [&](const DlArray& v) { return dot(v(all, 0), transpose(v(all, 1))) * dot(v(0, all), v(1, all)); }},
      {"dot along", [&](const DlArray& v) { return dot(v, v % v, 0); }},
      {"cross", [&](const DlArray& v) { return cross(v, 2 - v % v, 0); }},
  };
  for (const auto& [name, f] : functions) BOOST_TEST_CONTEXT(name) checkDerivatives(f, x, 2, 1e-6);
}

BOOST_AUTO_TEST_CASE(third_derivatives_of_a_product) {
  checkDerivatives([](const DlArray& v) { return v * v * v; }, someArray({2, 2}), 3, 1e-6);
}

BOOST_AUTO_TEST_CASE(derivatives_of_norms) {
  const DlArray x = someArray({1, 5});
  for (double p : {1.0, 1.5, 2.0, 3.0, infinity, -infinity})
    BOOST_TEST_CONTEXT("p = " << p) {
      checkDerivatives([p](const DlArray& v) { return norm(v, p); }, x, 2, 1e-6);
      checkDerivatives([p](const DlArray& v) { return vecnorm(reshape(v(span(0, 3)), 2, 2), p, 1); }, x, 2, 1e-6);
    }
  checkDerivatives([](const DlArray& v) { return norm(v % v, "fro"); }, someArray({2, 3}, "CB"), 2, 1e-6);
  checkDerivatives([](const DlArray& v) { return norm(v, 1) + norm(v, infinity); }, someArray({2, 3}), 1);
}

BOOST_AUTO_TEST_CASE(norms_at_zero_have_slope_zero) {
  for (double p : {1.0, 1.5, 2.0, 3.0, 0.5, infinity}) {
    const auto gradient = [p](const DlArray& x) { return gradientOf([p](const DlArray& v) { return norm(v, p); }, x); };
    BOOST_TEST_CONTEXT("p = " << p) {
      checkValues(gradient(zeros(1, 3)), {0, 0, 0});
      checkValues(gradient(dlarray({2.0, 0.0})), {1, 0}, 1e-14);
      const auto second = [p](const DlArray& v) {
        return dlgradient(sum(dlgradient(norm(v, p), v, {.enableHigherDerivatives = true}), "all"), v);
      };
      for (double g : values(dlfeval(second, zeros(1, 3)))) BOOST_TEST(!std::isnan(g));
    }
  }
  const DlArray columns = dlarray({{0, 3}, {0, 4}});
  checkValues(gradientOf([](const DlArray& v) { return vecnorm(v, 2, 0); }, columns), {0, 0, 0.6, 0.8}, 1e-15);
}

BOOST_AUTO_TEST_CASE(derivatives_of_mixed_precision) {
  const DlArray a = someArray({2, 3}), b = single_(someArray({3, 2}));
  const auto both = [](const DlArray& u, const DlArray& v) { return dlgradient(sum(u * v, "all"), u, v); };
  const auto [ga, gb] = dlfeval(both, a, b);
  BOOST_TEST((underlyingType(ga) == Type::Double));
  BOOST_TEST((underlyingType(gb) == Type::Single));
  checkValues(ga, values(ones(2, 2) * transpose(double_(b))), 1e-6);
  checkValues(gb, values(transpose(a) * ones(2, 2)), 1e-6);
}

BOOST_AUTO_TEST_CASE(temporaries_in_a_trace) {
  const DlArray x = someArray({3, 1});
  checkDerivatives([](const DlArray& v) { return norm(v % v); }, x, 2, 1e-6);
  checkDerivatives([](const DlArray& v) { return dot(v % v, v + 1); }, x, 2, 1e-6);
  checkDerivatives([](const DlArray& v) { return (v % v) * transpose(v + 1); }, x, 2, 1e-6);
  checkDerivatives([](const DlArray& v) { return cross(v % v, v + 1); }, x, 2, 1e-6);
}
