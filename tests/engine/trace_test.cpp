// What a trace must bear: great length, nesting, other threads, exceptions, arrays that outlive it, endless use.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"
#include "harness/sanitized.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>

#include <unistd.h>

using namespace dl;
using namespace dl::test;

namespace {

DlArray rosenbrock(const DlArray& x) { return 100 * pow(x(1) - pow(x(0), 2), 2) + pow(1 - x(0), 2); }

double residentMegabytes() {
  long total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

bool isTraced(const DlArray& x) {
  return dlfeval([&] { return mistake([&] { dlgradient(sum(x), x); }).identifier; }) != "dlarray:dlgradient:notTraced";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_chain_of_a_million_operations) {
  constexpr int n = 1000000;
  const auto start = std::chrono::steady_clock::now();
  const auto f = [](const DlArray& x) {
    DlArray y = x;
    for (int i = 0; i < n; ++i) y = y + 1e-6 * y;
    return std::tuple(y, dlgradient(y, x));
  };
  const auto [y, g] = dlfeval(f, DlArray(2));
  BOOST_TEST(difference(y, {2 * std::pow(1 + 1e-6, n)}, 1e-9) == "");
  BOOST_TEST(difference(g, {std::pow(1 + 1e-6, n)}, 1e-9) == "");
  BOOST_TEST(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < (sanitized ? 200 : 20));
}

BOOST_AUTO_TEST_CASE(a_chain_of_a_hundred_thousand_operations_differentiated_twice) {
  constexpr int n = 100000;
  const auto f = [](const DlArray& x) {
    DlArray y = x;
    for (int i = 0; i < n; ++i) y = y * (1 + 1e-6 * x);
    const DlArray g = dlgradient(y, x, {.enableHigherDerivatives = true});
    return std::tuple(g, dlgradient(g, x));
  };
  // y = x (1 + e x)^n
  const double e = 1e-6, x = 0.5, p = std::pow(1 + e * x, n);
  const auto [g, h] = dlfeval(f, DlArray(x));
  BOOST_TEST(difference(g, {p + x * n * e * p / (1 + e * x)}, 1e-9) == "");
  BOOST_TEST(difference(h, {2 * n * e * p / (1 + e * x) + x * n * (n - 1.0) * e * e * p / std::pow(1 + e * x, 2)}, 1e-9) == "");
}

BOOST_AUTO_TEST_CASE(values_of_the_outer_trace_are_constants_in_the_inner) {
  const auto outer = [](const DlArray& x) {
    const DlArray u = x * x;
    const auto inner = [&](const DlArray& z) { return dlgradient(u * z * z, z); };
    const DlArray slope = dlfeval(inner, x);  // 2 u z = 2 x^3, a constant of the outer trace
    return std::tuple(slope, dlgradient(slope * x + u, x));
  };
  const auto [slope, g] = dlfeval(outer, DlArray(3));
  BOOST_TEST(double(slope) == 54);
  BOOST_TEST(double(g) == 54 + 6);
}

BOOST_AUTO_TEST_CASE(a_nested_trace_leaves_the_outer_one_as_it_was) {
  const auto outer = [](const DlArray& x) {
    DlArray y = x;
    for (int i = 0; i < 3; ++i) {
      y = y * x;
      dlfeval([&](const DlArray& z) { return dlgradient(exp(z) % y, z); }, y);
    }
    return dlgradient(y, x);
  };
  BOOST_TEST(double(dlfeval(outer, DlArray(2))) == 32);
}

BOOST_AUTO_TEST_CASE(an_outer_value_cannot_be_differentiated_by_an_inner_call) {
  const auto outer = [](const DlArray& x) {
    const DlArray y = x * x;
    return dlfeval([&](const DlArray& z) { return mistake([&] { dlgradient(y, z); }); }, DlArray(1));
  };
  const Mistake m = dlfeval(outer, DlArray(2));
  BOOST_TEST(m.identifier == "dlarray:dlgradient:notTraced");
  BOOST_TEST(m.sentence.find("enclosing dlfeval") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(eight_threads_with_traces_of_their_own_and_shared_inputs) {
  const DlArray shared = dlarray({{1.0, 2.0}, {3.0, 4.0}}), small = dlarray({-1.0, 2.0}),
                large = dlarray(spread(5000, -1, 1), Size{5000, 1});
  std::vector<std::string> wrong(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int turn = 0; turn < 200 && wrong[t].empty(); ++turn) {
        wrong[t] = difference(dlfeval([](const DlArray& x) { return dlgradient(rosenbrock(x), x); }, small), {396, 200}, 0);
        const auto f = [&](const DlArray& x) {
          return dlgradient(sum(x % x % shared, "all") + sum(large % large) * sum(x, "all"), x);
        };
        const DlArray g = dlfeval(f, shared);
        const double s = double(sum(large % large));
        if (wrong[t].empty()) wrong[t] = difference(g, {2 + s, 18 + s, 8 + s, 32 + s});
        const DlArray copy = shared;
        DlArray changed = copy;
        changed(0) = static_cast<double>(t);
        if (double(changed(0)) != static_cast<double>(t)) wrong[t] = "an element was written by another thread";
      }
    });
  for (std::thread& t : threads) t.join();
  for (const std::string& w : wrong) BOOST_TEST(w == "");
  BOOST_TEST(difference(shared, {1, 3, 2, 4}) == "");
}

BOOST_AUTO_TEST_CASE(results_of_one_thread_are_used_by_others) {
  std::vector<DlArray> results(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      results[t] = dlfeval([](const DlArray& x) { return dlgradient(sum(exp(x), "all"), x); }, DlArray(static_cast<double>(t)));
    });
  for (std::thread& t : threads) t.join();
  for (std::size_t t = 0; t < 4; ++t) BOOST_TEST(difference(results[t], {std::exp(static_cast<double>(t))}) == "");
}

BOOST_AUTO_TEST_CASE(a_traced_array_is_refused_by_other_threads) {
  const auto f = [](const DlArray& x) {
    Mistake m;
    std::thread([&] { m = mistake([&] { dlfeval([&](const DlArray& z) { return x * z; }, DlArray(1)); }); }).join();
    return m;
  };
  const Mistake m = dlfeval(f, DlArray(2));
  BOOST_TEST(m.identifier == "dlarray:trace:otherThread");
}

BOOST_AUTO_TEST_CASE(exceptions_leave_the_library_usable) {
  const DlArray x = dlarray({-1.0, 2.0});
  for (int turn = 0; turn < 100; ++turn) {
    BOOST_CHECK_THROW(dlfeval(
                          [](const DlArray& z) -> DlArray {
                            const DlArray y = rosenbrock(z);
                            if (y > 0) throw std::logic_error("the user's own");
                            return y;
                          },
                          x),
                      std::logic_error);
    BOOST_CHECK_THROW(dlfeval([](const DlArray& z) { return z + dlarray(Numbers(5)); }, dlarray(Numbers(3))), Error);
    // One from a nested call, caught in the outer.
    const auto outer = [](const DlArray& z) {
      const DlArray y = rosenbrock(z);
      mistake([&] { dlfeval([](const DlArray& w) { return dlgradient(w, w); }, z); });
      return dlgradient(y, z);
    };
    BOOST_TEST(difference(dlfeval(outer, x), {396, 200}, 0) == "");
  }
  BOOST_TEST(mistake([&] { dlgradient(x(0), x); }).identifier == "dlarray:dlgradient:outsideDlfeval");
}

BOOST_AUTO_TEST_CASE(a_failed_gradient_leaves_the_trace_usable) {
  const auto f = [](const DlArray& x) {
    const DlArray y = sum(x % x), first = dlgradient(y, x);
    const DlArray z = sum(exp(x));
    BOOST_TEST(mistake([&] { dlgradient(y, x, z); }).identifier == "dlarray:dlgradient:dataReleased");
    const DlArray w = z * z, once = dlgradient(w, x, {.retainData = true});
    return std::tuple(once, dlgradient(w, x));
  };
  const auto [once, again] = dlfeval(f, dlarray({1.0, 2.0}));
  const double total = std::exp(1) + std::exp(2);
  BOOST_TEST(difference(once, {2 * total * std::exp(1), 2 * total * std::exp(2)}) == "");
  BOOST_TEST(difference(again, {2 * total * std::exp(1), 2 * total * std::exp(2)}) == "");
}

BOOST_AUTO_TEST_CASE(a_backward_that_throws_leaves_the_trace_usable) {
  const auto broken =
      customFunction([](const DlArray& x) { return x % x; },
                     [](const DlArray&, const DlArray&, const DlArray&) -> DlArray { throw std::logic_error("backward"); });
  const auto f = [&](const DlArray& x) {
    const DlArray y = 3 * x;
    BOOST_CHECK_THROW(dlgradient(sum(y + broken(y)), x, {.retainData = true}), std::logic_error);
    return dlgradient(sum(y % y), x);
  };
  BOOST_TEST(difference(dlfeval(f, dlarray({1.0, 2.0})), {18, 36}) == "");
}

BOOST_AUTO_TEST_CASE(a_walk_that_the_users_exception_ends_has_given_up_nothing) {
  bool fails = true;
  const auto square = customFunction([](const DlArray& x) { return x % x; },
                                     [&](const DlArray& g, const DlArray&, const DlArray& x) -> DlArray {
                                       if (fails) throw std::logic_error("backward");
                                       return 2 * x % g;
                                     });
  const auto f = [&](const DlArray& x) {
    const DlArray y = sum(exp(square(pow(x, 3)) / 10));  // exp and / keep data, and are passed before the exception
    BOOST_CHECK_THROW(dlgradient(y, x), std::logic_error);
    fails = false;
    const DlArray g = dlgradient(y, x);
    BOOST_TEST(mistake([&] { dlgradient(y, x); }).identifier == "dlarray:dlgradient:dataReleased");
    return g;
  };
  const auto slope = [](double x) { return std::exp(std::pow(x, 6) / 10) * 6 * std::pow(x, 5) / 10; };
  BOOST_TEST(difference(dlfeval(f, dlarray({1.0, 0.5})), {slope(1), slope(0.5)}) == "");
}

// Numbers travel without arrays: what rules for arrays then ask for must be there all the same, for every order.
BOOST_AUTO_TEST_CASE(numbers_kept_as_numbers_serve_every_walk) {
  const auto f = [](const DlArray& x) {
    const DlArray y = exp(x) * sin(x) / (2 + x * x), first = dlgradient(y, x, {.enableHigherDerivatives = true});
    const DlArray second = dlgradient(first, x, {.enableHigherDerivatives = true});
    const DlArray g = dlgradient(y, x, {.retainData = true}), again = dlgradient(y, x, {.retainData = true});
    return std::tuple(g, again, first, second, dlgradient(second, x));
  };
  const double x = 0.7, h = 1e-3;
  const auto value = [](double t) { return std::exp(t) * std::sin(t) / (2 + t * t); };
  const auto slope = [&](double t) { return (8 * (value(t + h) - value(t - h)) - value(t + 2 * h) + value(t - 2 * h)) / (12 * h); };
  const auto bend = [&](double t) { return (8 * (slope(t + h) - slope(t - h)) - slope(t + 2 * h) + slope(t - 2 * h)) / (12 * h); };
  const auto [g, again, first, second, third] = dlfeval(f, DlArray(x));
  BOOST_TEST(difference(g, {slope(x)}, 1e-9) == "");
  BOOST_TEST(double(again) == double(g));
  BOOST_TEST(difference(first, {slope(x)}, 1e-9) == "");
  BOOST_TEST(difference(second, {bend(x)}, 1e-7) == "");
  BOOST_TEST(difference(third, {(bend(x + h) - bend(x - h)) / (2 * h)}, 1e-4) == "");
}

// A temporary that gives its place to the result must not be one that somebody still reads.
BOOST_AUTO_TEST_CASE(results_take_the_place_of_temporaries_alone) {
  const auto f = [](const DlArray& x) {
    const DlArray a = x + 1, b = a;
    DlArray c = a;
    c += 1;
    const DlArray y = (a * a) * (b + c) + DlArray(a) * 2;
    return std::tuple(y, a, b, c, dlgradient(y, x));
  };
  const auto [y, a, b, c, g] = dlfeval(f, DlArray(2.0));
  BOOST_TEST(double(a) == 3);
  BOOST_TEST(double(b) == 3);
  BOOST_TEST(double(c) == 4);
  BOOST_TEST(double(y) == 9 * 7 + 6);
  BOOST_TEST(double(g) == 2 * 3 * 7 + 9 * 2 + 2);
}

// The derivative of a square under a sum uses the memory of what was squared, unless somebody still needs it.
BOOST_AUTO_TEST_CASE(squares_under_sums_leave_what_others_hold) {
  const auto f = [](const DlArray& x, bool retain) {
    const DlArray u = x + 1, y = sum(pow(u, 2)) + sum(pow(x - 1, 2));
    const DlArray g = dlgradient(y, x, {.retainData = retain});
    BOOST_TEST(difference(u, {2, 3, 4}) == "");
    return retain ? dlgradient(y, x) : g;
  };
  for (const bool retain : {false, true}) {
    BOOST_TEST(difference(dlfeval(f, dlarray({1.0, 2.0, 3.0}), retain), {4, 8, 12}) == "");
    BOOST_TEST(difference(dlfeval(f, single_(dlarray({1.0, 2.0, 3.0})), retain), {4, 8, 12}) == "");
  }
}

BOOST_AUTO_TEST_CASE(arrays_that_escape_are_ordinary_ones) {
  DlArray byCapture, viaLoop;
  const DlArray result = dlfeval(
      [&](const DlArray& x) {
        byCapture = x % x;
        for (int i = 0; i < 3; ++i) viaLoop = byCapture + i;
        return byCapture + 1;
      },
      dlarray({1.0, 2.0}));
  for (const DlArray& x : {byCapture, viaLoop, DlArray(result)}) BOOST_TEST(!isTraced(x));
  BOOST_TEST(difference(byCapture, {1, 4}) == "");
  BOOST_TEST(difference(viaLoop, {3, 6}) == "");
  // They take part in another trace as constants.
  const DlArray g = dlfeval([&](const DlArray& x) { return dlgradient(sum(x % byCapture), x); }, dlarray({5.0, 5.0}));
  BOOST_TEST(difference(g, {1, 4}) == "");
  std::thread([&] { byCapture(0) = 7; }).join();
  BOOST_TEST(double(byCapture(0)) == 7);
}

BOOST_AUTO_TEST_CASE(nothing_is_recorded_outside_dlfeval) {
  BOOST_TEST(mistake([] {
               const DlArray x = 2;
               dlgradient(x * x, x);
             }).identifier == "dlarray:dlgradient:outsideDlfeval");
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_evaluations_leave_memory_flat, *boost::unit_test::enable_if<!sanitized>()) {
  const DlArray small = dlarray({-1.0, 2.0}), middle = dlarray(spread(300, -1, 1), Size{300, 1});
  const auto once = [&](int turn) {
    dlfeval([](const DlArray& x) { return dlgradient(rosenbrock(x), x); }, small);
    if (turn % 10 == 0) dlfeval([](const DlArray& x) { return dlhessian(rosenbrock(x), x); }, small);
    if (turn % 10 == 0) dlfeval([](const DlArray& x) { return dlgradient(sum(tanh(x) % exp(x)), x); }, middle);
    if (turn % 100 == 0) mistake([&] { dlfeval([](const DlArray& x) { return x + dlarray(Numbers(3)); }, small); });
  };
  for (int turn = 0; turn < 5000; ++turn) once(turn);
  const double before = residentMegabytes();
  for (int turn = 0; turn < 100000; ++turn) once(turn);
  BOOST_TEST(residentMegabytes() - before < 2.0);
}

BOOST_AUTO_TEST_CASE(a_long_trace_gives_its_memory_back, *boost::unit_test::enable_if<!sanitized>()) {
  const auto longTrace = [] {
    dlfeval(
        [](const DlArray& x) {
          DlArray y = x;
          for (int i = 0; i < 300000; ++i) y = y + 1;
          return y;
        },
        DlArray(1));
  };
  longTrace();
  const double before = residentMegabytes();
  for (int turn = 0; turn < 5; ++turn) longTrace();
  BOOST_TEST(residentMegabytes() - before < 20);
}
