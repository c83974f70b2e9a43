// Gradients of ordinary programs: of any order, by inputs and by what was computed from them, through branches, loops and
// indexing.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace dl;
using namespace dl::test;

namespace {

DlArray rosenbrockOf(const DlArray& x1, const DlArray& x2) { return 100 * pow(x2 - pow(x1, 2), 2) + pow(1 - x1, 2); }

std::tuple<DlArray, DlArray> rosenbrock(DlArray x) {
  const DlArray f = rosenbrockOf(x(0), x(1));
  return {f, dlgradient(f, x)};
}

// The derivative of order `order` of f at `at`, each taken from the one before.
double nth(const std::function<DlArray(const DlArray&)>& f, double at, int order) {
  const auto differentiate = [&](const DlArray& x) {
    DlArray y = f(x);
    for (int i = 0; i < order; ++i) y = dlgradient(y, x, {.enableHigherDerivatives = true});
    return y;
  };
  return double(dlfeval(differentiate, DlArray(at)));
}

}  // namespace

BOOST_AUTO_TEST_CASE(rosenbrock_in_the_form_of_one_array) {
  const auto [f, g] = dlfeval(rosenbrock, dlarray({-1.0, 2.0}));
  BOOST_TEST(double(f) == 104);
  BOOST_TEST(difference(g, {396, 200}, 0) == "");
  BOOST_TEST(text(g) == "1 x 2");
}

BOOST_AUTO_TEST_CASE(rosenbrock_in_the_form_of_two_scalars) {
  const auto both = [](const DlArray& x1, const DlArray& x2) {
    const DlArray f = rosenbrockOf(x1, x2);
    const auto [g1, g2] = dlgradient(f, x1, x2);
    return std::tuple(f, g1, g2);
  };
  const auto [f, g1, g2] = dlfeval(both, DlArray(-1), DlArray(2));
  BOOST_TEST(double(f) == 104);
  BOOST_TEST(double(g1) == 396);
  BOOST_TEST(double(g2) == 200);
}

// A change of sign is carried along, not carried out: whatever stands behind one must come to what it does behind a product by
// -1.
BOOST_AUTO_TEST_CASE(signs_that_are_carried_along) {
  using Negative = std::function<DlArray(const DlArray&)>;
  using Program = std::function<DlArray(const DlArray&, const Negative&)>;
  const DlArray w = dlarray({0.3, -0.7, 1.1, 0.4, -0.2, 0.9}), row = transpose(dlarray({2.0, -1.0, 0.5}));
  const auto cube = customFunction([](const DlArray& x) { return x % x % x; },
                                   [](const DlArray& g, const DlArray&, const DlArray& x) { return 3 * g % x % x; });
  const Program programs[] = {
      [&](const DlArray& x, const Negative& n) { return sum(w % n(x)); },
      [&](const DlArray& x, const Negative& n) { return sum(exp(n(x)) % n(sin(x)) + w % x); },
      [&](const DlArray& x, const Negative& n) { return n(sum(x)) * sum(w % n(x)); },
      [&](const DlArray& x, const Negative& n) { return n(x)(0) * x(1) + n(x(2)) * n(n(x))(3); },
      [&](const DlArray& x, const Negative& n) { return sum(n(x)(span(1, 3)) % x(span(2, 4))) + sum(n(x(span(0, 2)))); },
      [&](const DlArray& x, const Negative& n) { return sum(cube(n(cube(x)))) + x(5); },
      [&](const DlArray& x, const Negative& n) { return sum(n(x + row), "all") + sum(n(row) % n(x % x), "all"); },
      [&](const DlArray& x, const Negative& n) { return sum(cast(n(cast(x, "single") % w), "double")); },
      [&](const DlArray& x, const Negative& n) {
        DlArray y = n(x);
        y(span(1, 2)) = n(x(0));
        return sum(y % w);
      },
      [&](const DlArray& x, const Negative& n) {
        const DlArray u = n(x), y = sum(u % u % x);
        return sum(w % dlgradient(y, u, {.enableHigherDerivatives = true})) + y;
      },
      [&](const DlArray& x, const Negative& n) { return sum(cumsum(n(x)) % w) + max(n(x)) + mean(n(x % x)) + n(norm(x)); },
  };
  const auto gradients = [&](const Program& program, const Negative& negative) {
    return dlfeval(
        [&](const DlArray& x) {
          const DlArray y = program(x, negative);
          const DlArray g = dlgradient(y, x, {.enableHigherDerivatives = true}), h = dlgradient(sum(w % g), x);
          return std::tuple(g, h);
        },
        dlarray({1.0, -0.5, 2.0, 0.25, -1.5, 0.75}));
  };
  const auto plain = [&](const Program& program, const Negative& negative) {
    return dlfeval([&](const DlArray& x) { return dlgradient(program(x, negative), x); },
                   dlarray({1.0, -0.5, 2.0, 0.25, -1.5, 0.75}));
  };
  for (std::size_t i = 0; i < std::size(programs); ++i) {
    const auto [g, h] = gradients(programs[i], [](const DlArray& x) { return -1 * x; });
    for (const Negative& n : {Negative([](const DlArray& x) { return -x; }), Negative([](const DlArray& x) { return 0 - x; })}) {
      BOOST_TEST_CONTEXT("program " << i) {
        const auto [g1, h1] = gradients(programs[i], n);
        BOOST_TEST(isequal(g1, g));
        BOOST_TEST(isequal(h1, h));
        BOOST_TEST(isequal(plain(programs[i], n), g));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(signs_in_several_walks_and_from_several_outputs) {
  const DlArray at = dlarray({1.0, -0.5, 2.0}), w = dlarray({0.3, -0.7, 1.1});
  const auto twice = [&](const DlArray& x) {
    const DlArray u = -x, y = sum(u % u % w - exp(u)) + (3 - u(1)) * u(1);
    const DlArray first = dlgradient(y, x, {.retainData = true}), by = dlgradient(y, u, {.retainData = true});
    const auto [both, same] = dlgradient(y, x, x);
    return std::tuple(first, by, both, same);
  };
  const auto [first, by, both, same] = dlfeval(twice, at);
  for (Index i = 0; i < 3; ++i) {
    const double x = double(at(i)), expected = 2 * x * double(w(i)) + std::exp(-x) + (i == 1 ? -3 - 2 * x : 0);
    BOOST_TEST(double(first(i)) == expected, boost::test_tools::tolerance(1e-14));
  }
  BOOST_TEST(isequal(by, -first));
  BOOST_TEST(isequal(both, first));
  BOOST_TEST(isequal(same, first));

  // Two readings share the gradient that comes to a sum; one of them is added to element by element.
  const auto shared = [&](const DlArray& x) {
    const DlArray u = x * 2, s = u - x, y = sum((s + u) % w) - s(0) + s(2) * u(1);
    return dlgradient(y, x);
  };
  BOOST_TEST(difference(dlfeval(shared, at), {3 * 0.3 - 1, 3 * -0.7 + 2 * 2, 3 * 1.1 + 2 * -0.5}, 1e-14) == "");
}

BOOST_AUTO_TEST_CASE(two_variables_and_a_point_of_the_literature) {
  // x1 exp(-(x1^2 + x2^2) / 2) at (2, 1/2)
  const auto [f, g] = dlfeval(
      [](const DlArray& x) {
        const DlArray y = x(0) * exp(-(pow(x(0), 2) + pow(x(1), 2)) / 2);
        return std::tuple(y, dlgradient(y, x));
      },
      dlarray({2.0, 0.5}));
  BOOST_TEST(difference(f, {0.2388659365}, 1e-10) == "");
  BOOST_TEST(difference(g, {-0.3582989048, -0.1194329683}, 1e-10) == "");
}

BOOST_AUTO_TEST_CASE(more_variables_than_the_short_forms) {
  const auto f = [](const DlArray& a, const DlArray& b, const DlArray& c, const DlArray& d, const DlArray& e, const DlArray& g) {
    const DlArray y = a * b + c * d + e * g;
    const auto three = dlgradient(y, a, b, c, {.retainData = true});
    const auto four = dlgradient(y, a, b, c, d, {.retainData = true});
    const auto five = dlgradient(y, a, b, c, d, e, GradientOptions{.retainData = true});
    return std::tuple(three, four, five, dlgradient(y, a, b, c, d, e, g));
  };
  const auto [three, four, five, six] = dlfeval(f, DlArray(1), DlArray(2), DlArray(3), DlArray(4), DlArray(5), DlArray(6));
  BOOST_TEST(double(std::get<2>(three)) == 4);
  BOOST_TEST(double(std::get<3>(four)) == 3);
  BOOST_TEST(double(std::get<4>(five)) == 6);
  BOOST_TEST(std::tuple_size_v<decltype(six)> == 6U);
  BOOST_TEST(double(std::get<0>(six)) == 2);
  BOOST_TEST(double(std::get<5>(six)) == 5);
}

BOOST_AUTO_TEST_CASE(second_derivatives_of_a_sum_of_cubes) {
  const auto twice = [](const DlArray& x) {
    const DlArray g = dlgradient(sum(pow(x, 3), "all"), x, {.enableHigherDerivatives = true});
    return std::tuple(g, dlgradient(sum(g, "all"), x));
  };
  const auto [g, h] = dlfeval(twice, dlarray({{1, 2}, {3, 4}}));
  BOOST_TEST(difference(g, {3, 27, 12, 48}) == "");
  BOOST_TEST(difference(h, {6, 18, 12, 24}) == "");
}

BOOST_AUTO_TEST_CASE(derivatives_up_to_the_fourth) {
  const double x = 0.7;
  const double powers[] = {std::pow(x, 5), 5 * std::pow(x, 4), 20 * std::pow(x, 3), 60 * x * x, 120 * x};
  for (int k = 0; k <= 4; ++k) {
    BOOST_TEST(difference(Numbers{nth([](const DlArray& v) { return pow(v, 5); }, x, k)}, {powers[k]}) == "", "order " << k);
    BOOST_TEST(difference(Numbers{nth([](const DlArray& v) { return v * v * v * v * v; }, x, k)}, {powers[k]}) == "",
               "order " << k);
    BOOST_TEST(
        difference(Numbers{nth([](const DlArray& v) { return exp(2 * v); }, x, k)}, {std::pow(2, k) * std::exp(2 * x)}) == "",
        "order " << k);
    BOOST_TEST(difference(Numbers{nth([](const DlArray& v) { return sin(v); }, x, k)}, {std::sin(x + k * std::acos(0.0))}) == "",
               "order " << k);
  }
  const double t = std::tanh(x), s = 1 - t * t;
  const double tanhs[] = {t, s, -2 * t * s, s * (6 * t * t - 2), s * t * (16 - 24 * t * t)};
  for (int k = 0; k <= 4; ++k)
    BOOST_TEST(difference(Numbers{nth([](const DlArray& v) { return tanh(v); }, x, k)}, {tanhs[k]}) == "", "order " << k);
  // sin(x^2): a chain.
  const double q = x * x, fourth = (16 * q * q - 12) * std::sin(q) - 48 * q * std::cos(q);
  BOOST_TEST(difference(Numbers{nth([](const DlArray& v) { return sin(pow(v, 2)); }, x, 4)}, {fourth}) == "");
}

BOOST_AUTO_TEST_CASE(the_fifth_derivative_of_a_fourth_power_is_zero) {
  BOOST_TEST(nth([](const DlArray& v) { return v * v * v * v; }, 3, 4) == 24);
  BOOST_TEST(nth([](const DlArray& v) { return v * v * v * v; }, 3, 5) == 0);
  BOOST_TEST(nth([](const DlArray& v) { return 2 * v + 1; }, 3, 3) == 0);
}

BOOST_AUTO_TEST_CASE(retained_data_serve_again) {
  const auto f = [](const DlArray& x) {
    const DlArray y = sum(exp(x) % sin(x), "all");
    const DlArray first = dlgradient(y, x, {.retainData = true});
    return std::tuple(first, dlgradient(y, x));
  };
  const auto [first, second] = dlfeval(f, dlarray({0.1, 0.2, 0.3}));
  BOOST_TEST(isequal(first, second));
}

BOOST_AUTO_TEST_CASE(gradients_by_what_was_computed_from_the_inputs) {
  const auto f = [](const DlArray& x) {
    const DlArray u = 3 * x, v = u % u, y = sum(v + u, "all");
    return std::tuple(dlgradient(y, u, v, x), dlgradient(sum(v, "all"), y, {.retainData = true}));
  };
  const auto attempt = [&] { dlfeval(f, dlarray({1.0, 2.0})); };
  BOOST_TEST(mistake(attempt).identifier == "nothing");  // v does not depend on y: nothing released is needed
  const auto [g, none] = dlfeval(f, dlarray({1.0, 2.0}));
  BOOST_TEST(difference(std::get<0>(g), {7, 13}) == "");
  BOOST_TEST(difference(std::get<1>(g), {1, 1}) == "");
  BOOST_TEST(difference(std::get<2>(g), {21, 39}) == "");
  BOOST_TEST(difference(none, {0}) == "");
}

BOOST_AUTO_TEST_CASE(what_a_value_does_not_depend_on_has_a_gradient_of_zeros) {
  const auto f = [](const DlArray& x, const DlArray& unused) {
    const DlArray y = sum(floor(x) + x, "all");
    const auto [a, b] = dlgradient(y, x, unused, {.retainData = true});
    return std::tuple(a, b, dlgradient(y, unused), dlgradient(sum(sign(x), "all"), x));
  };
  const auto [a, b, c, flat] = dlfeval(f, dlarray({1.5, 2.5}), dlarray(Numbers(6), Size{2, 3}, "CB"));
  BOOST_TEST(difference(a, {1, 1}) == "");
  BOOST_TEST(difference(b, Numbers(6)) == "");
  BOOST_TEST(text(b) == "2(C) x 3(B)");
  BOOST_TEST(text(c) == "2(C) x 3(B)");
  BOOST_TEST(difference(flat, {0, 0}) == "");
}

BOOST_AUTO_TEST_CASE(branches_and_loops_are_those_that_ran) {
  const auto f = [](const DlArray& x) {
    DlArray y = x;
    int turns = 0;
    while (y < 100) {
      y = y * y + 1;
      ++turns;
    }
    if (y > 500)
      y = -y;
    else
      y = 2 * y;
    return std::tuple(turns, y, dlgradient(y, x));
  };
  // 2 -> 5 -> 26 -> 677, then the sign changes.
  const auto [turns, y, g] = dlfeval(f, DlArray(2));
  BOOST_TEST(turns == 3);
  BOOST_TEST(double(y) == -677);
  BOOST_TEST(double(g) == -2.0 * 26 * 2 * 5 * 2 * 2);
}

BOOST_AUTO_TEST_CASE(newton_by_hand_converges_to_the_minimum) {
  const auto step = [](const DlArray& x) {
    const DlArray y = rosenbrockOf(x(0), x(1));
    return std::tuple(dlgradient(y, x, {.enableHigherDerivatives = true}), dlhessian(y, x));
  };
  DlArray x = dlarray({-1.2, 1.0});
  for (int i = 0; i < 20; ++i) {
    const auto [g, h] = dlfeval(step, x);
    const double a(h(0, 0)), b(h(0, 1)), d(h(1, 1)), det = a * d - b * b;
    x(0) -= (d * g(0) - b * g(1)) / det;
    x(1) -= (a * g(1) - b * g(0)) / det;
  }
  BOOST_TEST(difference(x, {1, 1}) == "");
}

BOOST_AUTO_TEST_CASE(reading_the_same_element_twice_counts_twice) {
  const auto f = [](const DlArray& x) { return dlgradient(sum(x({0, 0, 2})), x); };
  BOOST_TEST(difference(dlfeval(f, dlarray({{1}, {2}, {3}})), {2, 0, 1}) == "");
  const auto g = [](const DlArray& x) { return dlgradient(sum(pow(x(dlarray({{1, 1}, {0, 1}})), 2), "all"), x); };
  BOOST_TEST(difference(dlfeval(g, dlarray({3.0, 5.0})), {6, 30}) == "");
}

BOOST_AUTO_TEST_CASE(written_elements_take_their_gradient_from_the_value) {
  const auto f = [](DlArray x, const DlArray& v) {
    const DlArray before = x;
    x(1) = 3 * v;
    x(span(2, 3)) = x(span(0, 1)) % x(span(0, 1));
    const DlArray y = sum(x % dlarray({1.0, 10.0, 100.0, 1000.0}), "all");
    return std::tuple(x, dlgradient(y, before, v));
  };
  const auto [x, g] = dlfeval(f, dlarray({2.0, 7.0, 7.0, 7.0}), DlArray(5));
  BOOST_TEST(difference(x, {2, 15, 4, 225}) == "");
  BOOST_TEST(difference(std::get<0>(g), {1 + 100 * 4, 0, 0, 0}) == "");
  BOOST_TEST(difference(std::get<1>(g), {30 + 1000 * 2 * 15 * 3}) == "");
}

BOOST_AUTO_TEST_CASE(of_repeated_positions_the_last_written_counts) {
  const auto f = [](const DlArray& v) {
    DlArray x = dlarray(Numbers(4), Size{1, 4});
    x({1, 1, 3}) = v;
    return std::tuple(x, dlgradient(sum(x % x, "all"), v));
  };
  const auto [x, g] = dlfeval(f, dlarray({1.0, 2.0, 3.0}));
  BOOST_TEST(difference(x, {0, 2, 0, 3}) == "");
  BOOST_TEST(difference(g, {0, 4, 6}) == "");
}

BOOST_AUTO_TEST_CASE(writing_in_a_loop_builds_a_vector) {
  const auto g = [](const DlArray& x) {
    DlArray y = dlarray(Numbers(50), Size{50, 1});
    y(0) = x;
    for (int i = 1; i < 50; ++i) y(i) = y(i - 1) * x;
    const DlArray first = dlgradient(y(49), x, {.enableHigherDerivatives = true});
    return std::tuple(first, dlgradient(first, x));
  };
  const auto [first, second] = dlfeval(g, DlArray(1.01));
  BOOST_TEST(difference(first, {50 * std::pow(1.01, 49)}) == "");
  BOOST_TEST(difference(second, {50 * 49 * std::pow(1.01, 48)}) == "");
}

BOOST_AUTO_TEST_CASE(masks_choose_what_is_differentiated) {
  const auto f = [](DlArray x) {
    const DlArray before = x;
    x(x < 0) = 0;
    return std::tuple(x, dlgradient(sum(pow(before(before > 0), 3)) + sum(x % x), before));
  };
  const auto [x, g] = dlfeval(f, dlarray({-1.0, 2.0, -3.0, 4.0}));
  BOOST_TEST(difference(x, {0, 2, 0, 4}) == "");
  BOOST_TEST(difference(g, {0, 12 + 4, 0, 48 + 8}) == "");
}

BOOST_AUTO_TEST_CASE(expansion_is_undone_in_gradients) {
  const auto f = [](const DlArray& a, const DlArray& b) {
    const DlArray y = sum(a % b, "all");
    const auto [ga, gb] = dlgradient(y, a, b);
    return std::tuple(y, ga, gb);
  };
  const auto [y, ga, gb] = dlfeval(f, dlarray(Numbers(12, 1), Size{2, 3, 2}, "SCB"), dlarray({1, 2, 3}, "C"));
  BOOST_TEST(double(y) == 24);
  BOOST_TEST(text(gb) == "3(C) x 1(U)");
  BOOST_TEST(difference(gb, {4, 4, 4}) == "");
  BOOST_TEST(text(ga) == "2(S) x 3(C) x 2(B)");
  BOOST_TEST(difference(ga, {1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3}) == "");
}

BOOST_AUTO_TEST_CASE(an_operation_of_many_inputs) {
  // 50 parts, of which every third is a constant.
  const auto f = [](const DlArray& x) {
    std::vector<DlArray> parts;
    for (int i = 0; i < 50; ++i) parts.push_back(i % 3 ? i * x : DlArray(i));
    const DlArray y = horzcat(parts), g = dlgradient(sum(pow(y, 3)), x, {.enableHigherDerivatives = true});
    return std::tuple(g, dlgradient(g, x));
  };
  double cubes = 0;
  for (int i = 0; i < 50; ++i) cubes += i % 3 ? i * i * i : 0;
  const auto [g, h] = dlfeval(f, DlArray(0.5));
  BOOST_TEST(difference(g, {3 * cubes * 0.25}) == "");
  BOOST_TEST(difference(h, {6 * cubes * 0.5}) == "");
}

BOOST_AUTO_TEST_CASE(extracted_values_are_constants) {
  const auto f = [](const DlArray& x) { return dlgradient(x + atan(DlArray(extractdata<double>(x))), x); };
  BOOST_TEST(double(dlfeval(f, DlArray(2.5))) == 1);
  const auto whole = [](const DlArray& x) { return dlgradient(x + atan(x), x); };
  BOOST_TEST(difference(dlfeval(whole, DlArray(2.5)), {1.1379310345}, 1e-10) == "");
}

BOOST_AUTO_TEST_CASE(logical_and_single_inputs) {
  const auto f = [](const DlArray& x) { return dlgradient(sum(x % x, "all"), x); };
  const DlArray single = dlfeval(f, single_(dlarray({1.0, 2.0})));
  BOOST_TEST((underlyingType(single) == Type::Single));
  BOOST_TEST(difference(single, {2, 4}) == "");
  const DlArray truth = dlfeval(f, dlarray({true, false}));
  BOOST_TEST((underlyingType(truth) == Type::Double));
  BOOST_TEST(difference(truth, {2, 0}) == "");
  const auto mixed = [](const DlArray& s, const DlArray& d) { return dlgradient(sum(s % d, "all"), s, d); };
  const auto [gs, gd] = dlfeval(mixed, single_(dlarray({1.0, 2.0})), dlarray({3.0, 4.0}));
  BOOST_TEST((underlyingType(gs) == Type::Single));
  BOOST_TEST((underlyingType(gd) == Type::Double));
  BOOST_TEST(difference(gs, {3, 4}) == "");
  BOOST_TEST(difference(gd, {1, 2}) == "");
}
