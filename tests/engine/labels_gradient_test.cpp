// Labels and gradients: relabelling passes gradients through, a stripped array is the same variable.
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>

using namespace dl;
using namespace dl::test;

BOOST_AUTO_TEST_CASE(a_stripped_array_counts_as_the_variable_itself) {
  const auto f = [](const DlArray& x) {
    const DlArray y = sum(x % x, "all");
    return dlgradient(stripdims(y), stripdims(x));
  };
  const DlArray g = dlfeval(f, dlarray({{1, 2}, {3, 4}}, "CB"));
  BOOST_TEST(text(g) == "2 x 2");
  BOOST_TEST(difference(g, {2, 6, 4, 8}) == "");
}

BOOST_AUTO_TEST_CASE(a_gradient_by_the_variable_includes_what_its_stripped_copy_did) {
  const auto f = [](const DlArray& x) {
    const DlArray plainX = stripdims(x), y = sum(plainX % plainX, "all") + sum(x, "all");
    const auto [g, gPlain] = dlgradient(y, x, plainX);
    return std::tuple(g, gPlain);
  };
  const auto [g, gPlain] = dlfeval(f, dlarray({1.0, 2.0, 3.0}, "C"));
  BOOST_TEST(text(g) == "3(C) x 1(U)");
  BOOST_TEST(difference(g, {3, 5, 7}) == "");
  BOOST_TEST(text(gPlain) == "3 x 1");
  BOOST_TEST(difference(gPlain, {3, 5, 7}) == "");
}

BOOST_AUTO_TEST_CASE(stripping_twice_and_labelling_again_is_still_the_variable) {
  const auto f = [](const DlArray& x) {
    const DlArray again = dlarray(stripdims(dlarray(x, "CB")), "SS");
    return dlgradient(sum(x % x, "all"), again);
  };
  const DlArray g = dlfeval(f, dlarray({{1, 2}, {3, 4}}));
  BOOST_TEST(text(g) == "2(S) x 2(S)");
  BOOST_TEST(difference(g, {2, 6, 4, 8}) == "");
}

// Labels say along which dimension an array was expanded, also where its unlabelled original does not: A is 2(S) x 3(C).
BOOST_AUTO_TEST_CASE(an_array_labelled_inside_the_function_is_expanded_by_its_labels) {
  const auto f = [](const DlArray& x) {
    const DlArray a = dlarray({{1, 2, 3}, {4, 5, 6}}, "SC");
    return dlgradient(sum(a % dlarray(x, "C"), "all"), x);
  };
  const DlArray g = dlfeval(f, dlarray({{1}, {1}, {1}}));
  BOOST_TEST(text(g) == "3 x 1");
  BOOST_TEST(difference(g, {5, 7, 9}) == "");
}

BOOST_AUTO_TEST_CASE(equal_sizes_do_not_hide_along_which_label_an_array_was_expanded) {
  const DlArray a = dlarray({{1, 2}, {10, 20}}, "SC");
  const auto byC = [&](const DlArray& x) { return dlgradient(sum(a % dlarray(x, "C"), "all"), x); };
  const auto byS = [&](const DlArray& x) { return dlgradient(sum(a % dlarray(x, "S"), "all"), x); };
  BOOST_TEST(difference(dlfeval(byC, dlarray({{1}, {1}})), {11, 22}) == "");
  BOOST_TEST(difference(dlfeval(byS, dlarray({{1}, {1}})), {3, 30}) == "");
}

BOOST_AUTO_TEST_CASE(a_stripped_array_is_expanded_by_place) {
  const DlArray a = dlarray({{1, 2}, {10, 20}}, "SC");
  const auto f = [&](const DlArray& x) { return dlgradient(sum(a % stripdims(x), "all"), x); };
  const DlArray g = dlfeval(f, dlarray({{1}, {1}}, "C"));
  BOOST_TEST(text(g) == "2(C) x 1(U)");
  BOOST_TEST(difference(g, {3, 30}) == "");
}

BOOST_AUTO_TEST_CASE(second_derivatives_through_labels) {
  const DlArray a = dlarray({{1, 2}, {10, 20}}, "SC");
  const auto f = [&](const DlArray& x) {
    const DlArray g = dlgradient(sum(a % pow(dlarray(x, "C"), 3), "all"), x, {.enableHigherDerivatives = true});
    return dlgradient(sum(g % g, "all"), x);
  };
  // g = 3 c x^2 with c = 11, 22; the derivative of g^2 is 36 c^2 x^3.
  BOOST_TEST(difference(dlfeval(f, dlarray({{2}, {3}})), {36.0 * 121 * 8, 36.0 * 484 * 27}) == "");
}

BOOST_AUTO_TEST_CASE(permuting_labels_pass_the_gradient_back_to_their_places) {
  const auto f = [](const DlArray& x) {
    const DlArray y = dlarray(x, "BC");  // stored 3(C) x 2(B)
    return std::tuple(dims(y), dlgradient(sum(y % dlarray({{1, 2}, {3, 4}, {5, 6}}, "CB"), "all"), x));
  };
  const auto [labels, g] = dlfeval(f, dlarray({{0, 0, 0}, {0, 0, 0}}));
  BOOST_TEST(labels == "CB");
  BOOST_TEST(text(g) == "2 x 3");
  BOOST_TEST(difference(g, {1, 2, 3, 4, 5, 6}) == "");
}

BOOST_AUTO_TEST_CASE(a_labelled_scalar_may_be_differentiated_and_has_a_labelled_gradient) {
  const auto f = [](const DlArray& x) {
    const DlArray y = sum(x % x, "all");
    return std::tuple(text(y), dlgradient(y, x));
  };
  const auto [shape, g] = dlfeval(f, dlarray({{3, 4}}, "CB"));
  BOOST_TEST(shape == "1(C) x 1(B)");
  BOOST_TEST(text(g) == "1(C) x 2(B)");
  BOOST_TEST(difference(g, {6, 8}) == "");
}

BOOST_AUTO_TEST_CASE(an_array_that_is_used_with_and_without_labels_collects_both_gradients) {
  const auto f = [](const DlArray& x) {
    const DlArray a = dlarray({{1, 2, 3}, {4, 5, 6}}, "SC"), column = dlarray({{1, 2}, {3, 4}, {5, 6}});
    return dlgradient(sum(a % dlarray(x, "C"), "all") + sum(column % x, "all"), x);
  };
  BOOST_TEST(difference(dlfeval(f, dlarray({{1}, {1}, {1}})), {5 + 3, 7 + 7, 9 + 11}) == "");
}
