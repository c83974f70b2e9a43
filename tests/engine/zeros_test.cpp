// Where no derivative exists: a documented choice, never NaN - in the gradient and in the gradient of the gradient.
#include "harness/plain.hpp"

#include "engine/elementwise.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace dl;
using namespace dl::test;

namespace {

using Function = std::function<DlArray(const DlArray&)>;

struct Derivatives {
  DlArray value, gradient, unrecorded, second;
};

Derivatives derivativesOf(const Function& f, const DlArray& x) {
  const auto differentiate = [&](const DlArray& at) {
    const DlArray y = f(at), s = sum(y, "all");
    const DlArray g = dlgradient(s, at, {.enableHigherDerivatives = true});
    const DlArray plainG = dlgradient(s, at, {.retainData = true});
    return std::tuple(y, g, plainG, dlgradient(sum(g % g + g, "all"), at));
  };
  const auto [y, g, plainG, h] = dlfeval(differentiate, x);
  return {y, g, plainG, h};
}

bool finite(const DlArray& x) {
  for (double v : extractdata<Numbers>(x))
    if (!std::isfinite(v)) return false;
  return true;
}

struct Case {
  const char* name;
  Function f;
  DlArray x;
  Numbers gradient;
};

const DlArray zero = 0, zeros3 = dlarray(Numbers(3)), mixed = dlarray({0.0, 3.0, -4.0, 0.0});

}  // namespace

BOOST_AUTO_TEST_CASE(the_documented_derivatives_at_zero) {
  const Case cases[] = {
      {"abs", [](const DlArray& x) { return abs(x); }, mixed, {0, 1, -1, 0}},
      {"sign", [](const DlArray& x) { return sign(x); }, mixed, {0, 0, 0, 0}},
      {"sqrt", [](const DlArray& x) { return sqrt(x); }, dlarray({0.0, 4.0}), {0, 0.25}},
      {"sqrt of the sum of squares", [](const DlArray& x) { return sqrt(sum(pow(x, 2), "all")); }, zeros3, {0, 0, 0}},
      {"sqrt of the sum of products", [](const DlArray& x) { return sqrt(sum(x % x, "all")); }, zeros3, {0, 0, 0}},
      {"norm", [](const DlArray& x) { return norm(x); }, zeros3, {0, 0, 0}},
      {"norm 1", [](const DlArray& x) { return norm(x, 1); }, zeros3, {0, 0, 0}},
      {"norm 3", [](const DlArray& x) { return norm(x, 3); }, zeros3, {0, 0, 0}},
      {"norm 1.5", [](const DlArray& x) { return norm(x, 1.5); }, zeros3, {0, 0, 0}},
      {"norm Inf", [](const DlArray& x) { return norm(x, "inf"); }, zeros3, {0, 0, 0}},
      {"norm fro", [](const DlArray& x) { return norm(x, "fro"); }, zeros3, {0, 0, 0}},
      {"vecnorm", [](const DlArray& x) { return vecnorm(x, 2, 0); }, dlarray({{0, 3}, {0, 4}}), {0, 0, 0.6, 0.8}},
      {"hypot", [](const DlArray& x) { return hypot(x, x); }, zero, {0}},
      {"hypot with a number", [](const DlArray& x) { return hypot(x, 0); }, mixed, {0, 1, -1, 0}},
      {"atan2", [](const DlArray& x) { return atan2(x, x); }, zero, {0}},
      {"atan2 with a number", [](const DlArray& x) { return atan2(x, 0); }, zero, {0}},
      {"x^0.5", [](const DlArray& x) { return pow(x, 0.5); }, dlarray({0.0, 4.0}), {0, 0.25}},
      {"x^1", [](const DlArray& x) { return pow(x, 1); }, mixed, {1, 1, 1, 1}},
      {"x^0", [](const DlArray& x) { return pow(x, 0); }, mixed, {0, 0, 0, 0}},
      {"x^1.5", [](const DlArray& x) { return pow(x, 1.5); }, dlarray({0.0, 4.0}), {0, 3}},
      {"x^2", [](const DlArray& x) { return pow(x, 2); }, mixed, {0, 6, -8, 0}},
      {"x^x", [](const DlArray& x) { return pow(1 + abs(x), x); }, zero, {0}},
      {"exponent at base 0", [](const DlArray& x) { return pow(zeros3, x); }, dlarray({1.0, 2.0, 0.0}), {0, 0, 0}},
      {"max with 0", [](const DlArray& x) { return max(x, 0); }, mixed, {1, 1, 0, 1}},
      {"min with 0", [](const DlArray& x) { return min(x, 0); }, mixed, {1, 0, 1, 1}},
      {"largest of equals", [](const DlArray& x) { return max(x, Empty(), "all"); }, zeros3, {1, 0, 0}},
      {"prod", [](const DlArray& x) { return prod(x); }, dlarray({0.0, 3.0, 2.0}), {6, 0, 0}},
      {"prod with two zeros", [](const DlArray& x) { return prod(x); }, mixed, {0, 0, 0, 0}},
      {"cumprod", [](const DlArray& x) { return cumprod(x); }, dlarray({2.0, 0.0, 3.0}), {1, 8, 0}},
      {"stddev of equals", [](const DlArray& x) { return stddev(x); }, zeros3, {0, 0, 0}},
      {"where positive", [](const DlArray& x) { return sum(sqrt(x(x > 0))); }, dlarray({0.0, 4.0, -4.0, 0.0}), {0, 0.25, 0, 0}},
      {"nothing positive", [](const DlArray& x) { return sum(sqrt(x(x > 0))); }, dlarray({0.0, -1.0, -4.0}), {0, 0, 0}},
      {"masked quotient",
       [](const DlArray& x) {
         DlArray y = x;
         y(y == 0) = 1;
         return x / y;
       },
       mixed,
       {1, 0, 0, 1}},
  };
  for (const Case& c : cases) {
    const Derivatives d = derivativesOf(c.f, c.x);
    BOOST_TEST(difference(d.gradient, c.gradient) == "", c.name << ": " << difference(d.gradient, c.gradient));
    BOOST_TEST(difference(d.unrecorded, c.gradient) == "", c.name << " unrecorded: " << difference(d.unrecorded, c.gradient));
    BOOST_TEST(finite(d.value), c.name << ": value");
    BOOST_TEST(finite(d.second), c.name << ": second gradient");
  }
}

BOOST_AUTO_TEST_CASE(the_same_in_single) {
  const std::pair<const char*, Function> functions[] = {{"abs", [](const DlArray& x) { return abs(x); }},
                                                        {"norm", [](const DlArray& x) { return norm(x); }},
                                                        {"root", [](const DlArray& x) { return sqrt(sum(x % x)); }},
                                                        {"hypot", [](const DlArray& x) { return hypot(x, 0); }},
                                                        {"atan2", [](const DlArray& x) { return atan2(x, x); }},
                                                        {"power", [](const DlArray& x) { return pow(x, 0.5); }}};
  for (const auto& [name, f] : functions) {
    const Derivatives d = derivativesOf(f, single_(zeros3));
    BOOST_TEST((underlyingType(d.gradient) == Type::Single), name);
    BOOST_TEST(difference(d.gradient, Numbers(3)) == "", name);
    BOOST_TEST(difference(d.unrecorded, Numbers(3)) == "", name);
    BOOST_TEST(finite(d.second), name);
  }
}

BOOST_AUTO_TEST_CASE(the_distance_to_oneself) {
  const auto f = [](const DlArray& x) {
    const DlArray d = x - transpose(x), r = sqrt(d % d);
    return dlgradient(sum(r, "all"), x);
  };
  BOOST_TEST(difference(dlfeval(f, dlarray({{1}, {2}, {4}})), {-4, 0, 4}) == "");
}

BOOST_AUTO_TEST_CASE(infinite_slopes_follow_the_arithmetic) {
  const auto slope = [](const Function& f) {
    return double(dlfeval([&](const DlArray& x) { return dlgradient(f(x), x); }, zero));
  };
  BOOST_TEST(slope([](const DlArray& x) { return log(x); }) == INFINITY);
  BOOST_TEST(slope([](const DlArray& x) { return 1 / x; }) == -INFINITY);
}

BOOST_AUTO_TEST_CASE(a_choice_between_numbers_by_an_empty_condition_is_empty) {
  const DlArray nothing = logical_(dlarray(Numbers(), Size{0, 3}, "CB"));
  BOOST_TEST(text(engine::select(nothing, 1.0, 2.0)) == "0(C) x 3(B)");
  BOOST_TEST(text(engine::select(nothing, dlarray({1.0, 2.0, 3.0}), 2.0)) == "0(C) x 3(B)");
}

BOOST_AUTO_TEST_CASE(empty_arrays_have_empty_gradients_of_every_order) {
  const DlArray nothing = dlarray(Numbers(), Size{0, 3}, "CB");
  const std::pair<const char*, Function> functions[] = {
      {"sqrt", [](const DlArray& x) { return sqrt(x); }},
      {"abs", [](const DlArray& x) { return abs(x); }},
      {"max", [](const DlArray& x) { return max(x, 0); }},
      {"power", [](const DlArray& x) { return pow(x, 0.5); }},
      {"mod", [](const DlArray& x) { return mod(x, 2); }},
      {"hypot", [](const DlArray& x) { return hypot(x, 1); }},
      {"sum", [](const DlArray& x) { return sum(x, 0); }},
      {"mean", [](const DlArray& x) { return sum(exp(x), "all") + 0 * sum(x, "all"); }},
      {"index", [](const DlArray& x) { return x(all, 0) % 2; }},
  };
  for (const auto& [name, f] : functions) {
    const Derivatives d = derivativesOf(f, nothing);
    BOOST_TEST(text(d.gradient) == "0(C) x 3(B)", name);
    BOOST_TEST(text(d.second) == "0(C) x 3(B)", name);
  }
}
