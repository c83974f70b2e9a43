// Corners that once went wrong.
#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

#include <chrono>
#include <cmath>
#include <string>
#include <thread>
#include <unordered_map>

using namespace dl;

BOOST_AUTO_TEST_CASE(a_value_read_with_auto_is_one_variable) {
  const DlArray g = dlfeval(
      [](DlArray x) {
        auto w = x(0);
        DlArray y = w * w;
        return dlgradient(y, w);
      },
      dlarray({3., 2.}));
  BOOST_TEST(double(g) == 6);
}

BOOST_AUTO_TEST_CASE(conversion_to_logical_has_no_slope) {
  const DlArray g = dlfeval([](DlArray x) { return dlgradient(sum(logical_(x) % x), x); }, dlarray({3., 2.}));
  BOOST_TEST(isequal(g, dlarray({1., 1.})));
}

BOOST_AUTO_TEST_CASE(two_losses_that_share_only_the_variable_need_no_retained_data) {
  const auto [a, b] = dlfeval(
      [](DlArray x) {
        DlArray w = x % x, first = sum(w * 2), second = sum(sin(w));
        return std::make_tuple(dlgradient(first, w), dlgradient(second, w));
      },
      dlarray({1., 2.}));
  BOOST_TEST(isequal(a, dlarray({2., 2.})));
  BOOST_TEST(double(b(1)) == std::cos(4.0), boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(a_recurrence_in_place_copies_nothing) {
  // Compared with itself at a tenth of the length: a copy a step would make it a hundred times as long.
  const auto seconds = [](int n) {
    const auto start = std::chrono::steady_clock::now();
    DlArray x = zeros(1, n);
    for (int i = 1; i < n; ++i) x(i) = x(i - 1) + 1.0;
    BOOST_TEST(double(x(n - 1)) == n - 1);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  seconds(2000);
  BOOST_TEST(seconds(100'000) < 60 * seconds(10'000));
}

BOOST_AUTO_TEST_CASE(atan2_has_a_slope_where_squares_underflow) {
  const DlArray g = dlfeval([](DlArray x) { return dlgradient(atan2(x, 1e-170), x); }, DlArray(1e-170));
  BOOST_TEST(double(g) == 5e169, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(every_map_is_a_container) {
  const std::unordered_map<std::string, DlArray> p{{"a", DlArray(2.0)}};
  const auto g = dlfeval([](const std::unordered_map<std::string, DlArray>& q) { return dlgradient(pow(q.at("a"), 3), q); }, p);
  BOOST_TEST(double(g.at("a")) == 12);
}

BOOST_AUTO_TEST_CASE(a_gradient_that_is_not_a_number_fails_the_check) {
  const auto wrong = customFunction([](const DlArray& x) { return sum(x); },
                                    [](const DlArray&, const DlArray&, const DlArray& x) {
                                      DlArray g = ones(size(x));
                                      g(0) = std::nan("");
                                      return g;
                                    });
  BOOST_TEST(!checkGradients([&](const DlArray& x) { return wrong(x); }, dlarray({1., 2.}), {.display = false}));
}

BOOST_AUTO_TEST_CASE(a_gradient_of_the_wrong_size_is_an_error_of_the_check) {
  const auto fun = [](const DlArray& x) { return std::make_tuple(sum(x), DlArray(1.0)); };
  BOOST_CHECK_EXCEPTION(checkGradients(fun, ones(3, 1)), Error, [](const Error& e) {
    return std::string(e.what()) == "checkGradients: the gradient by array 0 is of size 1 x 1, the array of size 3 x 1";
  });
}

BOOST_AUTO_TEST_CASE(sizes_beyond_memory_are_errors) {
  BOOST_CHECK_THROW(reshape(zeros(0, 3), Size{Index{1} << 32, Index{1} << 32}), Error);
  BOOST_CHECK_THROW(repmat(ones(4, 1), Size{Index{1} << 62, 1}), Error);
}

BOOST_AUTO_TEST_CASE(another_thread_that_computes_with_a_traced_array_is_told) {
  bool told = false;
  dlfeval(
      [&](const DlArray& x) {
        std::thread([&] {
          try {
            const DlArray y = sin(x);
          } catch (const Error&) {
            told = true;
          }
        }).join();
      },
      DlArray(1.0));
  BOOST_TEST(told);
}

// ---- gradients that are one number everywhere ------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_uniform_gradient_adds_up_over_what_expansion_stretched) {
  const DlArray X = ones(2, 3), b = linspace(1, 3, 3), s = 5;
  dlfeval(
      [](const DlArray& x, const DlArray& row, const DlArray& number) {
        const auto [gx, gb, gs] = dlgradient(sum(3 * (x - row) + number, "all"), x, row, number);
        BOOST_TEST(isequal(gx, 3 * ones(2, 3)));
        BOOST_TEST(isequal(gb, -6 * ones(1, 3)));
        BOOST_TEST(double(gs) == 6);
      },
      X, b, s);
}

BOOST_AUTO_TEST_CASE(a_uniform_gradient_meets_others_in_either_order) {
  const DlArray x = dlarray({1.0, 2.0, 3.0}), expected = dlarray({3.0, 5.0, 7.0});
  dlfeval(
      [&](const DlArray& v) {
        BOOST_TEST(isequal(dlgradient(sum(v) + sum(v % v), v), expected));
        BOOST_TEST(isequal(dlgradient(sum(v % v) + sum(v), v), expected));
        BOOST_TEST(isequal(dlgradient(sum(v) + sum(2 * v), v), 3 * ones(1, 3)));
        BOOST_TEST(isequal(dlgradient(sum(v) - sum(v), v), zeros(1, 3)));
      },
      x);
}

BOOST_AUTO_TEST_CASE(a_uniform_gradient_has_the_type_and_labels_of_its_variable) {
  const DlArray x = dlarray(single_(ones(2, 3)), "CB"), none = zeros(0, 3), mask = x > 0;
  dlfeval(
      [](const DlArray& v, const DlArray& empty, const DlArray& truth) {
        const DlArray g = dlgradient(sum(sum(v, 0) / 2, "all"), v);
        BOOST_TEST(bool(underlyingType(g) == Type::Single));
        BOOST_TEST(dims(g) == "CB");
        BOOST_TEST(isequal(stripdims(g), single_(0.5 * ones(2, 3))));
        BOOST_TEST((size(dlgradient(sum(empty, "all"), empty)) == Size{0, 3}));
        BOOST_TEST(isequal(stripdims(dlgradient(sum(truth, "all"), truth)), ones(2, 3)));
        BOOST_TEST(isequal(stripdims(dlgradient(mean(2 * v, "all"), v)), single_(ones(2, 3)) / 3));
      },
      x, none, mask);
}

// ---- results in the place of temporaries -----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(only_temporaries_give_up_their_place) {
  const DlArray x = dlarray({1.0, 2.0, 3.0});
  dlfeval(
      [](const DlArray& v) {
        const DlArray named = v + 1, same = named;
        const DlArray y = sum((named - 1) % 3 + same);
        BOOST_TEST(isequal(named, dlarray({2.0, 3.0, 4.0})));
        const auto [gv, gn] = dlgradient(y, v, named, {.retainData = true});
        BOOST_TEST(isequal(gv, 4 * ones(1, 3)));
        BOOST_TEST(isequal(gn, 4 * ones(1, 3)));
        DlArray given = v + 1;  // moved from: its memory may go, its derivative may not
        const DlArray z = sum(exp(std::move(given) - 1) % v);
        BOOST_TEST(isequal(dlgradient(z, v), exp(v) % v + exp(v)));
      },
      x);
}

BOOST_AUTO_TEST_CASE(walks_by_other_variables_and_through_new_nodes_find_their_own_way) {
  const DlArray x = dlarray({1.0, 2.0, 3.0});
  dlfeval(
      [](const DlArray& v) {
        const GradientOptions keep{.retainData = true};
        const DlArray z = v % v, y = sum(z % v);
        for (int repeat = 0; repeat < 3; ++repeat) {
          BOOST_TEST(isequal(dlgradient(y, v, keep), 3 * v % v));
          BOOST_TEST(isequal(dlgradient(y, z, keep), v));
          BOOST_TEST(isequal(dlgradient(y, v, keep), 3 * v % v));
        }
        const DlArray w = sum(y * z);
        BOOST_TEST(isequal(dlgradient(w, v, keep), sum(v % v) * (3 * v % v) + 2 * y * v));
        BOOST_TEST(isequal(dlgradient(y, z, keep), v));
        BOOST_TEST(isequal(dlgradient(y, v), 3 * v % v));
      },
      x);
}
