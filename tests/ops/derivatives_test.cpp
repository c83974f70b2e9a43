// Hessians, products with them, products with Jacobians, checking, functions with derivatives of the user's own.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <iostream>
#include <sstream>

using namespace dl;
using namespace dl::test;

namespace {

DlArray rosenbrock(const DlArray& x) { return 100 * pow(x(1) - pow(x(0), 2), 2) + pow(1 - x(0), 2); }

// u = (x0 x1, sin x0, x1^3), a column, and its Jacobian at (2, 3).
DlArray threeOfTwo(const DlArray& x) { return vertcat(x(0) * x(1), sin(x(0)), pow(x(1), 3)); }
const double jacobian[3][2] = {{3, 2}, {std::cos(2.0), 0}, {0, 27}};

struct Params {
  DlArray a, b;
  DLARRAY_FIELDS(Params, a, b)
};

// What is printed to std::cout during a call.
template <class F>
std::string printedBy(F&& f) {
  std::ostringstream text;
  std::streambuf* const before = std::cout.rdbuf(text.rdbuf());
  f();
  std::cout.rdbuf(before);
  return text.str();
}

}  // namespace

BOOST_AUTO_TEST_CASE(hessian_of_rosenbrock) {
  const auto f = [](const DlArray& x) { return dlhessian(rosenbrock(x), x); };
  const DlArray h = dlfeval(f, dlarray({-1.0, 2.0}));
  BOOST_TEST(text(h) == "2 x 2");
  BOOST_TEST(difference(h, {402, 400, 400, 200}) == "");
}

BOOST_AUTO_TEST_CASE(hessian_by_a_labelled_matrix_counts_column_major) {
  // y = sum of x(i) x(j) a(i, j): the Hessian is a + a'.
  const DlArray a = dlarray(spread(36, -1, 1), Size{6, 6});
  const auto f = [&](const DlArray& x) {
    const DlArray v = reshape(x, 6, 1);
    return dlhessian(sum(v % (a * v)), x);
  };
  const DlArray h = dlfeval(f, dlarray(spread(6, -1, 1), Size{2, 3}, "CB"));
  BOOST_TEST(text(h) == "6 x 6");
  BOOST_TEST(difference(h - (a + transpose(a)), Numbers(36)) == "");
}

BOOST_AUTO_TEST_CASE(hessian_of_a_linear_function_is_zero) {
  const auto f = [](const DlArray& x) { return dlhessian(sum(3 * x), x); };
  BOOST_TEST(difference(dlfeval(f, dlarray({1.0, 2.0})), Numbers(4)) == "");
}

BOOST_AUTO_TEST_CASE(a_hessian_can_be_differentiated) {
  // The trace of the Hessian of sum x^4 is 12 sum x^2.
  const auto f = [](const DlArray& x) {
    const DlArray h = dlhessian(sum(pow(x, 4)), x, {.enableHigherDerivatives = true});
    return dlgradient(h(0, 0) + h(1, 1), x);
  };
  BOOST_TEST(difference(dlfeval(f, dlarray({2.0, 3.0})), {48, 72}) == "");
}

BOOST_AUTO_TEST_CASE(hessian_in_single) {
  const auto f = [](const DlArray& x) { return dlhessian(rosenbrock(x), x); };
  const DlArray h = dlfeval(f, single_(dlarray({-1.0, 2.0})));
  BOOST_TEST((underlyingType(h) == Type::Single));
  BOOST_TEST(difference(h, {402, 400, 400, 200}, 1e-5) == "");
}

BOOST_AUTO_TEST_CASE(hessian_times_vector) {
  const auto f = [](const DlArray& x) { return dlhvp(rosenbrock(x), x, dlarray({1.0, 1.0})); };
  BOOST_TEST(difference(dlfeval(f, dlarray({-1.0, 2.0})), {802, 600}) == "");
}

BOOST_AUTO_TEST_CASE(hessian_times_vector_of_containers) {
  // y = a^2 b: the Hessian is [2 b, 2 a; 2 a, 0].
  const auto f = [](const Params& p) { return dlhvp(p.a * p.a * p.b, p, Params{10, 100}); };
  const Params h = dlfeval(f, Params{2, 3});
  BOOST_TEST(double(h.a) == 6 * 10 + 4 * 100);
  BOOST_TEST(double(h.b) == 4 * 10);
}

BOOST_AUTO_TEST_CASE(products_with_jacobians) {
  const auto backward = [](const DlArray& x) { return dlvjp(threeOfTwo(x), x, dlarray({{1}, {10}, {100}})); };
  const DlArray v = dlfeval(backward, dlarray({2.0, 3.0}));
  BOOST_TEST(text(v) == "1 x 2");
  BOOST_TEST(difference(v, {3 + 10 * std::cos(2.0), 2 + 2700}) == "");
  const auto forward = [](const DlArray& x) { return dljvp(threeOfTwo(x), x, dlarray({1.0, 10.0})); };
  const DlArray u = dlfeval(forward, dlarray({2.0, 3.0}));
  BOOST_TEST(text(u) == "3 x 1");
  for (int i = 0; i < 3; ++i) BOOST_TEST(difference(u(i), {jacobian[i][0] + 10 * jacobian[i][1]}) == "");
}

BOOST_AUTO_TEST_CASE(products_with_jacobians_of_containers) {
  const auto backward = [](const Params& p) { return dlvjp(p.a % p.b, p, dlarray({1.0, 10.0})); };
  const Params point{dlarray({2.0, 3.0}), dlarray({4.0, 5.0})};
  const Params g = dlfeval(backward, point);
  BOOST_TEST(difference(g.a, {4, 50}) == "");
  BOOST_TEST(difference(g.b, {2, 30}) == "");
  const auto forward = [](const Params& p) { return dljvp(p.a % p.b, p, Params{dlarray({1.0, 1.0}), dlarray({0.0, 100.0})}); };
  BOOST_TEST(difference(dlfeval(forward, point), {4, 5 + 300}) == "");
}

BOOST_AUTO_TEST_CASE(products_with_jacobians_can_be_differentiated) {
  const auto f = [](const DlArray& x) {
    const DlArray v = dlvjp(pow(x, 3), x, dlarray({1.0, 2.0}), {.enableHigherDerivatives = true});
    const DlArray u = dljvp(pow(x, 3), x, dlarray({1.0, 2.0}), {.enableHigherDerivatives = true});
    return std::tuple(dlgradient(sum(v), x, {.retainData = true}), dlgradient(sum(u), x));
  };
  const auto [v, u] = dlfeval(f, dlarray({2.0, 3.0}));
  BOOST_TEST(difference(v, {12, 36}) == "");
  BOOST_TEST(difference(u, {12, 36}) == "");
}

BOOST_AUTO_TEST_CASE(products_by_what_the_values_do_not_depend_on_are_zero) {
  const auto f = [](const DlArray& x, const DlArray& other) {
    const DlArray u = 2 * x;
    return std::tuple(dlvjp(u, other, x, {.retainData = true}), dljvp(u, other, other, {.retainData = true}),
                      dlhvp(sum(u), x, x));
  };
  const auto [v, w, h] = dlfeval(f, dlarray({1.0, 2.0}), dlarray({1.0, 2.0, 3.0}));
  BOOST_TEST(difference(v, Numbers(3)) == "");
  BOOST_TEST(difference(w, Numbers(2)) == "");
  BOOST_TEST(difference(h, Numbers(2)) == "");
}

BOOST_AUTO_TEST_CASE(right_gradients_pass_the_check) {
  const auto f = [](const DlArray& x) { return sum(exp(x) % sin(x)) + prod(x); };
  GradientCheck result;
  const std::string printed = printedBy([&] { result = checkGradients(f, dlarray({0.3, -1.2, 2.0})); });
  BOOST_TEST(bool(result));
  BOOST_TEST(result.error < 1e-8);
  BOOST_TEST(printed.starts_with("checkGradients: passed; worst entry "));
  BOOST_TEST(printed.ends_with("\n"));
  BOOST_TEST(printedBy([&] { checkGradients(f, dlarray({0.3, -1.2, 2.0}), {.display = false}); }) == "");
}

BOOST_AUTO_TEST_CASE(gradients_by_containers_are_checked) {
  const auto f = [](const Params& p) { return sum(p.a * p.b, "all"); };
  BOOST_TEST(bool(checkGradients(f, Params{dlarray(spread(6, -1, 1), Size{2, 3}), dlarray(spread(12, -1, 1), Size{3, 4})},
                                 {.display = false})));
}

BOOST_AUTO_TEST_CASE(a_wrong_gradient_is_reported_with_its_place) {
  const auto f = [](const DlArray& x) {
    DlArray g = 2 * x;
    g(1) = g(1) + 0.5;
    return std::tuple(DlArray(sum(x % x)), g);
  };
  GradientCheck result;
  const std::string printed = printedBy([&] { result = checkGradients(f, dlarray({1.0, 2.0, 3.0})); });
  BOOST_TEST(!result);
  BOOST_TEST(result.position == 1);
  BOOST_TEST(difference(Numbers{result.gradient, result.difference}, {4.5, 4}, 1e-8) == "");
  BOOST_TEST(printed.starts_with("checkGradients: FAILED; worst entry 1 of array 0: gradient 4.5, central difference 4"));
  const auto nothing = [](const DlArray& x) { return std::tuple(DlArray(sum(x)), DlArray(x / 0)); };
  BOOST_TEST(!checkGradients(nothing, dlarray({1.0, 2.0}), {.display = false}));
}

BOOST_AUTO_TEST_CASE(a_check_needs_double_precision) {
  const auto f = [](const DlArray& x) { return sum(x); };
  BOOST_TEST(mistake([&] {
               checkGradients(f, single_(dlarray({1.0, 2.0})));
             }).sentence == "checkGradients: the point is single; differences need double precision");
}

BOOST_AUTO_TEST_CASE(a_function_with_a_derivative_of_its_own) {
  int calls = 0;
  const auto cube = customFunction(
      [&](const DlArray& x) {
        ++calls;
        return DlArray(x % x % x);
      },
      [](const DlArray& g, const DlArray&, const DlArray& x) { return 3 * g % x % x; });
  const auto f = [&](const DlArray& x) {
    const DlArray y = cube(2 * x), g = dlgradient(sum(y), x, {.enableHigherDerivatives = true});
    return std::tuple(y, g, dlgradient(sum(g), x));
  };
  const auto [y, g, h] = dlfeval(f, dlarray({1.0, 2.0}));
  BOOST_TEST(difference(y, {8, 64}) == "");
  BOOST_TEST(difference(g, {24, 96}) == "");
  BOOST_TEST(difference(h, {48, 96}) == "");
  BOOST_TEST(calls == 1);
  BOOST_TEST(difference(cube(dlarray({2.0})), {8}) == "", "outside a trace");
}

BOOST_AUTO_TEST_CASE(a_function_of_its_own_need_not_be_made_of_ours) {
  const auto bessel =
      customFunction([](const DlArray& x) { return DlArray(std::cyl_bessel_j(0, double(x))); },
                     [](const DlArray& g, const DlArray&, const DlArray& x) { return g * -std::cyl_bessel_j(1, double(x)); });
  const auto f = [&](const DlArray& x) { return dlgradient(pow(bessel(x), 2), x); };
  BOOST_TEST(difference(dlfeval(f, DlArray(1.5)), {-2 * std::cyl_bessel_j(0, 1.5) * std::cyl_bessel_j(1, 1.5)}) == "");
}

BOOST_AUTO_TEST_CASE(a_function_of_its_own_with_two_inputs) {
  const auto scaled = customFunction(
      [](const DlArray& a, const DlArray& b) { return a * b; },
      [](const DlArray& g, const DlArray&, const DlArray& a, const DlArray& b) { return std::tuple(g * b, sum(g % a)); });
  const auto f = [&](const DlArray& a, const DlArray& b) { return dlgradient(sum(scaled(a, b)), a, b); };
  const auto [ga, gb] = dlfeval(f, dlarray({1.0, 2.0}), DlArray(3));
  BOOST_TEST(difference(ga, {3, 3}) == "");
  BOOST_TEST(difference(gb, {3}) == "");
}

BOOST_AUTO_TEST_CASE(a_function_of_its_own_may_return_its_input) {
  const auto same =
      customFunction([](const DlArray& x) { return x; }, [](const DlArray& g, const DlArray&, const DlArray&) { return 5 * g; });
  const auto f = [&](const DlArray& x) { return std::tuple(dlgradient(sum(same(x)), x), dlgradient(sum(x), x)); };
  const auto [through, past] = dlfeval(f, dlarray({1.0, 2.0}));
  BOOST_TEST(difference(through, {5, 5}) == "");
  BOOST_TEST(difference(past, {1, 1}) == "");
}

BOOST_AUTO_TEST_CASE(a_backward_may_open_a_trace_of_its_own) {
  // The derivative of a forward made of our functions, by a nested dlfeval.
  const auto f = [](const DlArray& x) { return exp(x) % x; };
  const auto own = customFunction(f, [&](const DlArray& g, const DlArray&, const DlArray& x) {
    return dlfeval([&](const DlArray& z) { return dlgradient(sum(f(z) % g), z); }, x);
  });
  const auto gradient = [&](const DlArray& x) { return dlgradient(sum(own(x)), x); };
  BOOST_TEST(difference(dlfeval(gradient, dlarray({0.5, 1.0})), {1.5 * std::exp(0.5), 2 * std::exp(1)}) == "");
}

BOOST_AUTO_TEST_CASE(wrong_gradients_of_a_function_of_its_own) {
  const auto wrongSize = customFunction([](const DlArray& x) { return 2 * x; },
                                        [](const DlArray& g, const DlArray&, const DlArray&) { return sum(g); });
  const auto wrongCount = customFunction([](const DlArray& a, const DlArray& b) { return a + b; },
                                         [](const DlArray& g, const DlArray&, const DlArray&, const DlArray&) { return g; });
  const DlArray x = dlarray({1.0, 2.0}, "CB");
  Mistake m = mistake([&] { dlfeval([&](const DlArray& z) { return dlgradient(sum(wrongSize(z), "all"), z); }, x); });
  BOOST_TEST(m.sentence.starts_with("customFunction: backward returned a gradient of size 1(C) x 1(B) for input 0 of size 1(C) x 2(B) (derivatives_test.cpp:"));
  m = mistake([&] { dlfeval([&](const DlArray& z) { return dlgradient(sum(wrongCount(z, z), "all"), z); }, x); });
  BOOST_TEST(m.sentence.starts_with("customFunction: backward returned 1 gradients for 2 inputs (derivatives_test.cpp:"));
}
