// The decisions of docs/semantics.md, in its order.
#include <dlarray/dlarray.hpp>

#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <thread>

using namespace dl;
using dl::test::mistake;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), missing = std::numeric_limits<double>::quiet_NaN();
using List = std::vector<double>;

List values(const DlArray& x) { return extractdata<List>(x); }

// The gradient of sum(f(x)) at x.
template <class F>
List slopes(F f, const DlArray& x) {
  return values(dlfeval([&](const DlArray& v) { return dlgradient(sum(f(v), "all"), v); }, x));
}
// The derivatives of a function of two numbers.
template <class F>
List slopes2(F f, double a, double b) {
  const auto [da, db] =
      dlfeval([&](const DlArray& x, const DlArray& y) { return dlgradient(f(x, y), x, y); }, DlArray(a), DlArray(b));
  return {double(da), double(db)};
}

DlArray labelled(const Size& size, std::string_view format) { return ones(size) + dlarray(zeros(size), format); }

std::string shape(const DlArray& x) { return dims(x) + " " + toString(size(x)); }

}  // namespace

#define SAME(...) BOOST_TEST((__VA_ARGS__))

BOOST_AUTO_TEST_CASE(results_are_real) {
  const DlArray two = 2.0;
  for (const DlArray& y :
       {sqrt(-two), log(-two), log2(-two), log10(-two), log1p(-two), asin(two), acos(two), acosh(-two), atanh(two), erfinv(two)})
    BOOST_TEST(std::isnan(double(y)));
  BOOST_TEST(std::isnan(double(pow(DlArray(-8.0), 1.0 / 3))));
  BOOST_TEST(double(pow(DlArray(-2.0), 3)) == -8);
  BOOST_TEST(double(mod(DlArray(-5.0), 0)) == -5);
  BOOST_TEST(std::isnan(double(rem(DlArray(-5.0), 0))));
  SAME(values(round(dlarray({-2.5, -0.5, 0.5, 2.5}))) == List{-3, -1, 1, 3});
  BOOST_TEST(std::isnan(double(sign(DlArray(missing)))));
  BOOST_TEST(double(gamma(DlArray(-1.0))) == inf);
  SAME(values(psi(dlarray({0.0, -3.0}))) == List{-inf, -inf});
}

BOOST_AUTO_TEST_CASE(types_are_promoted_as_in_matlab) {
  const DlArray d = 2.0, s = 2.0F, l = true;
  SAME(underlyingType(d + s) == Type::Single);
  SAME(underlyingType(s * 2.0) == Type::Single);
  SAME(underlyingType(d % l) == Type::Double);
  SAME(underlyingType(s / l) == Type::Single);
  SAME(underlyingType(l + l) == Type::Double);
  SAME(underlyingType(sum(dlarray({true, true}))) == Type::Double);
  SAME(underlyingType(d < s) == Type::Logical);
  BOOST_TEST(bool(logical_(DlArray(missing))));
}

BOOST_AUTO_TEST_CASE(nan_in_each_kind_of_function) {
  const DlArray x = dlarray({2.0, missing, 1.0});
  BOOST_TEST(double(max(x)) == 2);
  BOOST_TEST(double(min(x)) == 1);
  BOOST_TEST(double(max(DlArray(missing), 3)) == 3);
  BOOST_TEST(double(min(DlArray(3.0), missing)) == 3);
  BOOST_TEST(std::isnan(double(max(DlArray(missing), missing))));
  BOOST_TEST(std::isnan(double(max(dlarray({missing, missing})))));
  for (const DlArray& y :
       std::vector<DlArray>{sum(x), prod(x), mean(x), var(x), stddev(x), norm(x), median(x), cumsum(x)(2), cumprod(x)(2)})
    BOOST_TEST(std::isnan(double(y)));
  BOOST_TEST(std::isnan(double(sort(x)(2))));
  BOOST_TEST(std::isnan(double(sort(x, {}, "descend")(0))));
  SAME(values(topk(x, 2)) == List{2, 1});
  BOOST_TEST(!bool(DlArray(missing) == missing));
  BOOST_TEST(!bool(DlArray(missing) < missing));
  BOOST_TEST(bool(DlArray(missing) != missing));
  BOOST_TEST(!bool(any(DlArray(missing))));
  BOOST_TEST(bool(all(x)));
  BOOST_TEST(!isequal(x, x));
  BOOST_TEST(isequaln(x, x));
}

BOOST_AUTO_TEST_CASE(no_elements) {
  const DlArray none = zeros(0, 3);
  SAME(values(sum(none, 0)) == List{0, 0, 0});
  SAME(values(prod(none, 0)) == List{1, 1, 1});
  BOOST_TEST(!bool(any(any(none, 0), 1)));
  BOOST_TEST(bool(all(all(none, 0), 1)));
  SAME(size(max(none, {}, 0)) == Size{0, 3});
  SAME(size(min(none, {}, 0)) == Size{0, 3});
  for (const DlArray& y : {mean(none, 0), median(none, 0)}) {
    SAME(size(y) == Size{1, 3});
    BOOST_TEST(std::isnan(double(y(0))));
  }
  BOOST_TEST(shape(sum(labelled(Size{0, 3}, "CB"), "B")) == "CB 0 x 1");
}

BOOST_AUTO_TEST_CASE(slopes_at_kinks_of_one_element) {
  const DlArray zero = 0.0;
  SAME(slopes([](const DlArray& x) { return abs(x); }, zero) == List{0});
  SAME(slopes([](const DlArray& x) { return sqrt(x); }, zero) == List{0});
  SAME(slopes([](const DlArray& x) { return sqrt(sum(pow(x, 2))); }, zeros(1, 3)) == List{0, 0, 0});
  SAME(slopes([](const DlArray& x) { return pow(x, 0.5); }, zero) == List{0});
  SAME(slopes([](const DlArray& x) { return pow(x, 0); }, zero) == List{0});
  SAME(slopes([](const DlArray& x) { return pow(x, 1); }, zero) == List{1});
  SAME(slopes2([](const DlArray& a, const DlArray& b) { return pow(a, b); }, 0, 0.5) == List{0, 0});
  SAME(slopes2([](const DlArray& a, const DlArray& b) { return hypot(a, b); }, 0, 0) == List{0, 0});
  SAME(slopes2([](const DlArray& a, const DlArray& b) { return atan2(a, b); }, 0, 0) == List{0, 0});
  SAME(slopes([](const DlArray& x) { return norm(x); }, zeros(3, 1)) == List{0, 0, 0});
  SAME(slopes([](const DlArray& x) { return vecnorm(x, 2, 0); }, zeros(2, 2)) == List{0, 0, 0, 0});
  SAME(slopes([](const DlArray& x) { return stddev(x); }, ones(1, 3)) == List{0, 0, 0});
  for (const auto& flat : {sign, floor, ceil, dl::round, fix})
    SAME(slopes([&](const DlArray& x) { return flat(x) + 0 * x; }, dlarray({0.0, 0.4})) == List{0, 0});
  SAME(slopes([](const DlArray& x) { return x % (x > 0); }, dlarray({-1.0, 2.0})) == List{0, 1});
  SAME(slopes([](const DlArray& x) { return log(x); }, zero) == List{inf});
  SAME(slopes2([](const DlArray& a, const DlArray& b) { return mod(a, b); }, 7, 3) == List{1, -2});
  SAME(slopes2([](const DlArray& a, const DlArray& b) { return rem(a, b); }, -7, 3) == List{1, 2});
  SAME(slopes2([](const DlArray& a, const DlArray& b) { return mod(a, b); }, 7, 0) == List{1, 0});
}

BOOST_AUTO_TEST_CASE(slopes_where_elements_tie) {
  SAME(slopes2([](const DlArray& a, const DlArray& b) { return max(a, b); }, 2, 2) == List{1, 0});
  SAME(slopes2([](const DlArray& a, const DlArray& b) { return min(a, b); }, 2, 2) == List{1, 0});
  SAME(slopes([](const DlArray& x) { return max(x, 0); }, DlArray(0.0)) == List{1});
  SAME(slopes([](const DlArray& x) { return max(0, x); }, DlArray(0.0)) == List{0});
  SAME(slopes([](const DlArray& x) { return max(x); }, dlarray({1, 3, 3})) == List{0, 1, 0});
  SAME(slopes([](const DlArray& x) { return min(x); }, dlarray({3, 1, 1})) == List{0, 1, 0});
  SAME(slopes([](const DlArray& x) { return median(x); }, dlarray({5, 1, 3})) == List{0, 0, 1});
  SAME(slopes([](const DlArray& x) { return median(x); }, dlarray({5, 1, 3, 9})) == List{0.5, 0, 0.5, 0});
  SAME(slopes([](const DlArray& x) { return sort(x) % dlarray({1, 2, 3}); }, dlarray({4, 4, 2})) == List{2, 3, 1});
  SAME(slopes([](const DlArray& x) { return topk(x, 2) % dlarray({1, 2}); }, dlarray({4, 4, 2})) == List{1, 2, 0});
}

BOOST_AUTO_TEST_CASE(products_with_zeros_have_their_true_slopes) {
  SAME(slopes([](const DlArray& x) { return prod(x); }, dlarray({2, 0, 3})) == List{0, 6, 0});
  SAME(slopes([](const DlArray& x) { return prod(x); }, dlarray({0, 0, 3})) == List{0, 0, 0});
  SAME(slopes([](const DlArray& x) { return cumprod(x); }, dlarray({2, 0, 3})) == List{1, 8, 0});
}

BOOST_AUTO_TEST_CASE(what_a_mask_leaves_out_takes_no_part) {
  SAME(slopes([](const DlArray& x) { return log(x(x > 0)); }, dlarray({0.0, 2.0, -1.0})) == List{0, 0.5, 0});
  BOOST_TEST(std::isnan(slopes([](const DlArray& x) { return log(x) % (x > 0); }, DlArray(0.0))[0]));
}

BOOST_AUTO_TEST_CASE(labels_are_put_in_order) {
  BOOST_TEST(shape(dlarray(zeros(3, 4), "TS")) == "ST 4 x 3");
  BOOST_TEST(shape(dlarray(zeros(Size{5, 4, 3, 2}), "TSSU")) == "SSTU 4 x 3 x 5 x 2");
  BOOST_TEST(shape(dlarray(zeros(2, 3), "SSCB")) == "SSCB 2 x 3 x 1 x 1");
  BOOST_TEST(shape(dlarray(zeros(1, 3), "C")) == "CU 3 x 1");
  BOOST_TEST(shape(dlarray(zeros(Size{2, 3, 1}), "SSU")) == "SS 2 x 3");
  BOOST_TEST(shape(dlarray(dlarray(zeros(2, 3), "CB"), "SS")) == "SS 2 x 3");
  BOOST_TEST(mistake([] { dlarray(zeros(2, 3), "cb"); }).identifier == "dlarray:format:letter");
  BOOST_TEST(mistake([] { dlarray(zeros(2, 3), "S"); }).identifier == "dlarray:dlarray:labels");
}

BOOST_AUTO_TEST_CASE(arrays_meet_by_label) {
  const DlArray scb = labelled(Size{2, 3, 2}, "SCB");
  BOOST_TEST(shape(scb + dlarray({1, 2, 3}, "C")) == "SCB 2 x 3 x 2");
  BOOST_TEST(shape(dlarray({1, 2, 3, 4}, "S") + dlarray({1, 2, 3}, "C")) == "SC 4 x 3");
  BOOST_TEST(shape(scb + labelled(Size{2, 5, 3, 4}, "SSCT")) == "SSCBT 2 x 5 x 3 x 2 x 4");
  BOOST_TEST(mistake([] { labelled(Size{3, 5}, "CB") + labelled(Size{3, 4}, "CB"); }).identifier == "dlarray:sizes:labels");
  BOOST_TEST(shape(scb + ones(2, 1)) == "SCB 2 x 3 x 2");
  BOOST_TEST(shape(ones(2, 3, 2, 5) + scb) == "SCBU 2 x 3 x 2 x 5");
  BOOST_TEST(shape(scb * 2) == "SCB 2 x 3 x 2");
}

BOOST_AUTO_TEST_CASE(what_functions_do_to_labels) {
  const DlArray x = labelled(Size{2, 3, 4}, "SCB"), m = labelled(Size{2, 3}, "CB"), s = labelled(Size{2, 3}, "SS");
  for (const DlArray& y : {exp(x), cumsum(x, 1), cumprod(x, "C"), sort(x, 0), flip(x, 1), circshift(x, 1, "B"), x > 0})
    BOOST_TEST(shape(y) == "SCB 2 x 3 x 4");
  BOOST_TEST(shape(topk(x, 2, "C")) == "SCB 2 x 2 x 4");
  BOOST_TEST(shape(diff(x, 1, "B")) == "SCB 2 x 3 x 3");
  BOOST_TEST(shape(sum(x, "SB")) == "SCB 1 x 3 x 1");
  BOOST_TEST(shape(reshape(x, 6, 4)) == " 6 x 4");
  BOOST_TEST(shape(permute(s, {1, 0})) == "SS 3 x 2");
  BOOST_TEST(shape(transpose(s)) == "SS 3 x 2");
  BOOST_TEST(mistake([&] { permute(m, {1, 0}); }).identifier != "nothing");
  BOOST_TEST(mistake([&] { transpose(m); }).identifier != "nothing");
  BOOST_TEST(shape(repmat(m, Size{1, 2, 3})) == "CBU 2 x 6 x 3");
  BOOST_TEST(shape(cat("B", {m, m})) == "CB 2 x 6");
  BOOST_TEST(shape(cat(1, {m, ones(2, 1)})) == "CB 2 x 4");
  BOOST_TEST(mistake([&] { cat(0, {m, s}); }).identifier != "nothing");
  BOOST_TEST(shape(squeeze(labelled(Size{2, 1, 4}, "SCB"))) == "SB 2 x 4");
  BOOST_TEST(shape(x(0, all, 1)) == "SCB 1 x 3 x 1");
  BOOST_TEST(shape(x(all)) == " 24 x 1");
  BOOST_TEST(shape(x(0, all)) == " 1 x 12");
  DlArray y = m;
  y(all, 0) = dlarray({7, 8}, "S");
  BOOST_TEST(shape(y) == "CB 2 x 3");
  BOOST_TEST(mistake([&] { m* ones(3, 2); }).identifier != "nothing");
  BOOST_TEST(shape(stripdims(m, "BC") * stripdims(m)) == " 3 x 3");
}

BOOST_AUTO_TEST_CASE(a_reduction_never_guesses) {
  BOOST_TEST(double(sum(ones(1, 3))) == 3);
  BOOST_TEST(mistake([] { sum(ones(2, 3)); }).identifier != "nothing");
  SAME(size(sum(ones(2, 3), 5)) == Size{2, 3});
  BOOST_TEST(shape(sum(labelled(Size{2, 3, 4}, "SSC"), "S")) == "SSC 1 x 1 x 4");
}

BOOST_AUTO_TEST_CASE(positions_count_from_0_and_are_constants) {
  const auto [largest, at] = max<2>(dlarray({1, 5, 3}));
  BOOST_TEST(double(at) == 1);
  const auto [sorted, order] = sort<2>(dlarray({3, 1, 2}));
  SAME(values(order) == List{1, 2, 0});
  SAME(values(sort(randperm(5))) == List{0, 1, 2, 3, 4});
  SAME(slopes([](const DlArray& x) { return x({0, 0, 2}); }, dlarray({1, 2, 3})) == List{2, 0, 1});
  DlArray x = zeros(1, 3);
  x({1, 1}) = dlarray({4, 5});
  SAME(values(x) == List{0, 5, 0});
  const auto written = [](const DlArray& v) {
    DlArray y = zeros(1, 3);
    y({1, 1}) = v;
    return dlgradient(sum(y), v);
  };
  SAME(values(dlfeval(written, dlarray({4, 5}))) == List{0, 1});
  BOOST_TEST(mistake([&] { x(3) = 1; }).identifier == "dlarray:index:range");
  auto before = x(1);
  x(1) = -1;
  BOOST_TEST(double(before) == 5);
}

BOOST_AUTO_TEST_CASE(what_is_traced) {
  BOOST_TEST(mistake([] { dlfeval([](double x) { return dlgradient(DlArray(x), DlArray(x)); }, 2.0); }).identifier ==
             "dlarray:dlgradient:notTraced");
  BOOST_TEST(double(dlfeval([](const DlArray& x) { return dlgradient(x % x, x); }, DlArray(2.0))) == 4);
  const auto unrelated = [](const DlArray& x, const DlArray& y) { return dlgradient(2 * x, y); };
  const DlArray y = dlarray({1.0F, 2.0F}, "C");
  const DlArray g = dlfeval(unrelated, DlArray(1.0), y);
  BOOST_TEST(shape(g) == "CU 2 x 1");
  SAME(underlyingType(g) == Type::Single);
  SAME(values(g) == List{0, 0});
  const DlArray constant = 3.0;
  BOOST_TEST(mistake([&] {
               dlfeval([&](const DlArray& x) { return dlgradient(x * constant, constant); }, DlArray(1.0));
             }).identifier == "dlarray:dlgradient:variableNotTraced");
  const auto between = [](const DlArray& x) {
    const DlArray middle = x % x;
    return dlgradient(exp(middle), middle);
  };
  BOOST_TEST(double(dlfeval(between, DlArray(0.0))) == 1);
}

BOOST_AUTO_TEST_CASE(taking_labels_off_keeps_the_variable) {
  const auto f = [](const DlArray& x) {
    const DlArray y = sum(x % x, "all");
    return dlgradient(y, stripdims(x));
  };
  const DlArray g = dlfeval(f, labelled(Size{2, 3}, "CB"));
  BOOST_TEST(shape(g) == " 2 x 3");
  SAME(values(g) == List(6, 2.0));
}

BOOST_AUTO_TEST_CASE(data_is_released_unless_asked_for) {
  const auto twice = [](const DlArray& x) {
    const DlArray y = exp(x);
    return dlgradient(y, x) + dlgradient(y, x);
  };
  BOOST_TEST(mistake([&] { dlfeval(twice, DlArray(0.0)); }).identifier == "dlarray:dlgradient:dataReleased");
  const auto kept = [](const DlArray& x) {
    const DlArray y = exp(x);
    const DlArray first = dlgradient(y, x, {.retainData = true});
    return first + dlgradient(y, x);
  };
  BOOST_TEST(double(dlfeval(kept, DlArray(0.0))) == 2);
}

BOOST_AUTO_TEST_CASE(values_taken_out_are_constants) {
  const auto f = [](const DlArray& x) { return dlgradient(x + std::atan(extractdata<double>(x)), x); };
  BOOST_TEST(double(dlfeval(f, DlArray(2.5))) == 1);
}

BOOST_AUTO_TEST_CASE(a_nested_trace_stands_alone) {
  const auto outer = [](const DlArray& x) {
    const auto inner = [&](const DlArray& v) { return dlgradient(v % v % x, v); };  // x is a constant here
    const DlArray slope = dlfeval(inner, DlArray(3.0));
    return std::tuple(slope, dlgradient(x % slope, x));  // slope is a constant there
  };
  const auto [slope, g] = dlfeval(outer, DlArray(5.0));
  BOOST_TEST(double(slope) == 30);
  BOOST_TEST(double(g) == 30);
}

BOOST_AUTO_TEST_CASE(a_trace_belongs_to_its_thread) {
  std::string identifier;
  const auto f = [&](const DlArray& x) {
    std::thread([&] {
      identifier = mistake([&] { dlfeval([&](const DlArray& v) { return v + x; }, DlArray(1.0)); }).identifier;
    }).join();
    return x;
  };
  dlfeval(f, DlArray(1.0));
  BOOST_TEST(identifier == "dlarray:trace:otherThread");
}

BOOST_AUTO_TEST_CASE(random_numbers_follow_from_the_seed) {
  rng(7);
  const DlArray a = rand(1, 1000);
  rng(7);
  BOOST_TEST(isequal(a, rand(1, 1000)));
  BOOST_TEST(double(min(a)) > 0);
  BOOST_TEST(double(max(a)) < 1);
}
