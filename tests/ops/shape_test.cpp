#include "differences.hpp"

#include <cstdint>
#include <numeric>

using namespace dl;
using namespace dl::testing;

namespace {

// 0, 1, 2, ... in column-major order: a value tells where an element came from.
DlArray counted(const Size& size, std::string_view format = "") {
  std::vector<double> numbers(static_cast<std::size_t>(numel(size)));
  std::iota(numbers.begin(), numbers.end(), 0.0);
  return dlarray(numbers, size, format);
}

using Positions = std::vector<Index>;

// The array of this size whose element at p is the element of x at source(p), both by their positions in each dimension.
template <class Source>
std::vector<double> naive(const DlArray& x, const Size& result, Source source) {
  const std::vector<double> from = values(x);
  std::vector<double> to;
  for (Index i = 0; i < numel(result); ++i) {
    Positions p(result.size());
    Index rest = i;
    for (std::size_t d = 0; d < result.size(); ++d) {
      p[d] = rest % result[d];
      rest /= result[d];
    }
    const Positions q = source(p);
    Index at = 0, stride = 1;
    for (std::size_t d = 0; d < q.size(); ++d) {
      at += q[d] * stride;
      stride *= size(x, static_cast<Index>(d));
    }
    to.push_back(from[static_cast<std::size_t>(at)]);
  }
  return to;
}

void checkPermute(const Size& of, const Positions& order) {
  const DlArray x = counted(of);
  Size expected;
  for (Index d : order) expected.push_back(size(x, d));
  const std::vector<double> elements = naive(x, expected, [&](const Positions& p) {
    Positions q(order.size());
    for (std::size_t d = 0; d < order.size(); ++d) q[static_cast<std::size_t>(order[d])] = p[d];
    return q;
  });
  const DlArray y = permute(x, order);
  checkValues(y, elements);
  for (std::size_t d = 0; d < order.size(); ++d) BOOST_TEST(size(y, static_cast<Index>(d)) == expected[d]);
  BOOST_TEST(isequal(ipermute(y, order), x));
}

}  // namespace

BOOST_AUTO_TEST_CASE(reshape_keeps_the_order_of_elements_and_drops_labels) {
  const DlArray x = counted({2, 3, 2}, "SSC");
  const DlArray y = reshape(x, 3, 4);
  BOOST_TEST((size(y) == Size{3, 4}));
  BOOST_TEST(dims(y) == "");
  checkValues(y, values(x));
  BOOST_TEST((size(reshape(x, Size{12, 1, 1})) == Size{12, 1}));
  BOOST_TEST((size(reshape(x, {1, 12})) == Size{1, 12}));
  BOOST_TEST((size(reshape(x, 1, 1, 3, 4)) == Size{1, 1, 3, 4}));
  BOOST_TEST(dims(reshape(x, 2, 3, 2)) == "");
}

BOOST_AUTO_TEST_CASE(reshape_works_out_one_size) {
  const DlArray x = counted({4, 6});
  BOOST_TEST((size(reshape(x, -1, 3)) == Size{8, 3}));
  BOOST_TEST((size(reshape(x, {}, 3)) == Size{8, 3}));
  BOOST_TEST((size(reshape(x, 3, {})) == Size{3, 8}));
  BOOST_TEST((size(reshape(x, 2, -1, 3)) == Size{2, 4, 3}));
  BOOST_TEST((size(reshape(zeros(0, 3), -1, 5)) == Size{0, 5}));
  checkError([&] { reshape(x, -1, 5); }, "reshape: the 24 elements of 4 x 6 cannot be divided by the 5 of the sizes given");
  checkError([&] { reshape(x, -1, 4, -1); }, "reshape: only one size can be worked out, dimensions 0 and 2 are open");
  checkError([&] { reshape(x, 5, 5); }, "reshape: the 24 elements of 4 x 6 do not fill 5 x 5, which has 25");
  checkError([&] { reshape(x, -2, 5); }, "reshape: dimension 0 has the negative size -2");
  checkError([&] { reshape(x, Size{24}); }, "reshape: 24 is no size of an array, which has at least two dimensions");
}

BOOST_AUTO_TEST_CASE(permute_moves_elements_as_a_loop_does) {
  checkPermute({3, 4}, {1, 0});
  checkPermute({2, 3, 4}, {2, 0, 1});
  checkPermute({2, 3, 4}, {1, 2, 0});
  checkPermute({2, 3, 4, 5}, {3, 1, 2, 0});
  checkPermute({2, 1, 4}, {1, 0, 2});
  checkPermute({1, 1, 4}, {2, 1, 0});
  checkPermute({3, 4}, {2, 0, 3, 1});
  checkPermute({3, 0, 2}, {2, 1, 0});
  checkPermute({40, 3, 37}, {2, 1, 0});
}

BOOST_AUTO_TEST_CASE(permute_of_other_types) {
  const DlArray x = counted({2, 3, 4});
  checkValues(permute(single_(x), {2, 0, 1}), values(permute(x, {2, 0, 1})));
  const DlArray odd = mod(x, 2) == 1;
  const DlArray y = permute(odd, {2, 0, 1});
  BOOST_TEST((underlyingType(y) == Type::Logical));
  checkValues(y, values(mod(permute(x, {2, 0, 1}), 2)));
}

BOOST_AUTO_TEST_CASE(permute_drops_trailing_ones) {
  BOOST_TEST((size(permute(counted({3, 4, 1, 2}), {3, 0, 1, 2})) == Size{2, 3, 4}));
  BOOST_TEST((size(transpose(counted({1, 5}))) == Size{5, 1}));
}

BOOST_AUTO_TEST_CASE(labelled_dimensions_keep_their_places) {
  const DlArray x = counted({2, 3, 4}, "SSC");
  const DlArray y = permute(x, {1, 0, 2});
  BOOST_TEST(dims(y) == "SSC");
  BOOST_TEST((size(y) == Size{3, 2, 4}));
  BOOST_TEST(dims(permute(counted({3, 2}, "CU"), {0, 2, 1})) == "CUU");
  BOOST_TEST((size(permute(counted({3, 2}, "CU"), {0, 2, 1})) == Size{3, 1, 2}));
  checkError([&] { permute(x, {2, 1, 0}); },
             "permute: dimensions 0 and 2 of 2(S) x 3(S) x 4(C) have different labels, which keep their places; take the labels off with "
             "stripdims first");
  BOOST_TEST(dims(transpose(counted({2, 3}, "SS"))) == "SS");
  BOOST_TEST((size(transpose(counted({2, 3}, "SS"))) == Size{3, 2}));
  checkError([&] { transpose(counted({3, 4}, "CB")); },
             "transpose: dimensions 0 and 1 of 3(C) x 4(B) have different labels, which keep their places; take the labels off with stripdims "
             "first");
}

BOOST_AUTO_TEST_CASE(orders_that_are_none) {
  const DlArray x = counted({2, 3, 4});
  checkError([&] { permute(x, {1, 0}); }, "permute: the order {1, 0} names 2 dimensions, 2 x 3 x 4 has 3");
  checkError([&] { permute(x, {0, 0, 1}); }, "permute: the order {0, 0, 1} must name each of the dimensions 0 to 2 once");
  checkError([&] { ipermute(x, {1, 2, 3}); }, "ipermute: the order {1, 2, 3} must name each of the dimensions 0 to 2 once");
  checkError([&] { permute(x, {0, -1, 1}); }, "permute: the order {0, -1, 1} must name each of the dimensions 0 to 2 once");
  checkError([&] { transpose(x); }, "transpose: 2 x 3 x 4 is not a matrix; permute exchanges any dimensions");
  checkError([&] { ctranspose(x); }, "ctranspose: 2 x 3 x 4 is not a matrix; permute exchanges any dimensions");
}

BOOST_AUTO_TEST_CASE(squeeze_takes_ones_out) {
  BOOST_TEST((size(squeeze(counted({1, 2, 1, 3}))) == Size{2, 3}));
  BOOST_TEST((size(squeeze(counted({1, 1, 5}))) == Size{5, 1}));
  BOOST_TEST((size(squeeze(counted({1, 5}))) == Size{1, 5}));
  const DlArray y = squeeze(counted({1, 3, 1, 2}, "SSCB"));
  BOOST_TEST(dims(y) == "SB");
  BOOST_TEST((size(y) == Size{3, 2}));
  const DlArray column = squeeze(counted({1, 1, 4}, "SSC"));
  BOOST_TEST(dims(column) == "CU");
  BOOST_TEST((size(column) == Size{4, 1}));
  BOOST_TEST(dims(squeeze(counted({1, 1, 1}, "SCB"))) == "");
  BOOST_TEST(dims(squeeze(counted({1, 4}, "CB"))) == "CB");
}

BOOST_AUTO_TEST_CASE(shiftdim_moves_dimensions) {
  const DlArray x = counted({2, 3, 4});
  BOOST_TEST(isequal(shiftdim(x, 1), permute(x, {1, 2, 0})));
  BOOST_TEST(isequal(shiftdim(x, 2), permute(x, {2, 0, 1})));
  BOOST_TEST(isequal(shiftdim(x, 3), x));
  BOOST_TEST((size(shiftdim(x, -2)) == Size{1, 1, 2, 3, 4}));
  BOOST_TEST((size(shiftdim(counted({1, 1, 3, 2}))) == Size{3, 2}));
  BOOST_TEST((size(shiftdim(x)) == Size{2, 3, 4}));
  BOOST_TEST(dims(shiftdim(counted({2, 3}, "SS"), 1)) == "SS");
  checkError([&] { shiftdim(counted({2, 3}, "CB"), -1); },
             "shiftdim: the dimensions of 2(C) x 3(B) keep their places by their labels; take them off with stripdims first");
}

BOOST_AUTO_TEST_CASE(repmat_tiles) {
  const DlArray x = counted({2, 3});
  const auto tiled = [&](const Size& result) { return naive(x, result, [&](const Positions& p) { return Positions{p[0] % 2, p[1] % 3}; }); };
  checkValues(repmat(x, 2, 3), tiled({4, 9}));
  checkValues(repmat(x, 2), tiled({4, 6}));
  checkValues(repmat(x, {1, 1, 3}), tiled({2, 3, 3}));
  checkValues(repmat(x, 1, 2, 3), tiled({2, 6, 3}));
  checkValues(repmat(x, Size{3}), tiled({6, 9}));
  BOOST_TEST((size(repmat(x, 0, 2)) == Size{0, 6}));
  BOOST_TEST((size(repmat(x, 1, 1, 1, 2)) == Size{2, 3, 1, 2}));
  checkValues(repmat(3.0, 2, 2), {3, 3, 3, 3});
  BOOST_TEST((underlyingType(repmat(x > 2, 2, 2)) == Type::Logical));
}

BOOST_AUTO_TEST_CASE(repmat_labels_what_it_appends) {
  BOOST_TEST(dims(repmat(counted({2, 3}, "CB"), 2, 1)) == "CB");
  const DlArray y = repmat(counted({2, 3}, "CB"), 1, 1, 4);
  BOOST_TEST(dims(y) == "CBU");
  BOOST_TEST((size(y) == Size{2, 3, 4}));
}

BOOST_AUTO_TEST_CASE(cat_joins_along_any_dimension) {
  const DlArray a = counted({2, 3}), b = counted({2, 3}) + 100;
  checkValues(cat(0, {a, b}), {0, 1, 100, 101, 2, 3, 102, 103, 4, 5, 104, 105});
  checkValues(horzcat(a, b), {0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 104, 105});
  BOOST_TEST(isequal(horzcat({a, b}), cat(1, {a, b})));
  BOOST_TEST(isequal(vertcat(a, b), cat(0, {a, b})));
  BOOST_TEST(isequal(vertcat({a, b}), cat(0, {a, b})));
  BOOST_TEST((size(cat(2, {a, b})) == Size{2, 3, 2}));
  BOOST_TEST((size(cat(3, {a, b, b})) == Size{2, 3, 1, 3}));
  checkValues(horzcat(1.0, dlarray({2.0, 3.0}), 4), {1, 2, 3, 4});
  const DlArray x = counted({2, 3, 2}), y = counted({2, 1, 2}) + 50;
  checkValues(cat(1, {x, y}), {0, 1, 2, 3, 4, 5, 50, 51, 6, 7, 8, 9, 10, 11, 52, 53});
}

BOOST_AUTO_TEST_CASE(cat_takes_labels) {
  const DlArray a = counted({3, 2}, "CB"), b = counted({3, 4}, "CB");
  const DlArray y = cat("B", {a, b});
  BOOST_TEST(dims(y) == "CB");
  BOOST_TEST((size(y) == Size{3, 6}));
  checkValues(y, {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  BOOST_TEST(dims(cat(1, {a, stripdims(b)})) == "CB");
  BOOST_TEST(dims(cat("B", {stripdims(a), b})) == "CB");
  BOOST_TEST(dims(cat(2, {a, a})) == "CBU");
  BOOST_TEST(dims(cat('C', {counted({1, 1, 2}, "SSC"), counted({1, 1, 5}, "SSC")})) == "SSC");
  checkError([&] { cat("T", {a, b}); }, "cat: 3(C) x 2(B) has no dimension labelled T");
  checkError([&] { cat(0, {a, counted({3, 4}, "CT")}); }, "cat: labels differ: 3(C) x 2(B) and 3(C) x 4(T)");
}

BOOST_AUTO_TEST_CASE(cat_names_sizes_that_differ) {
  checkError([] { cat(0, {counted({2, 3}), counted({2, 4})}); }, "cat: sizes differ outside dimension 0: 2 x 3 and 2 x 4");
  checkError([] { horzcat(counted({2, 3}), counted({3, 3})); }, "horzcat: sizes differ outside dimension 1: 2 x 3 and 3 x 3");
  checkError([] { vertcat(counted({2, 3}), 1.0); }, "vertcat: sizes differ outside dimension 0: 2 x 3 and 1 x 1");
  checkError([] { cat(16, {counted({2, 3}), counted({2, 3})}); }, "cat: dimension 16 does not exist; an array can have at most 16");
}

BOOST_AUTO_TEST_CASE(cat_of_types_and_of_nothing) {
  const DlArray a = counted({1, 2});
  BOOST_TEST((underlyingType(horzcat(a, single_(a))) == Type::Single));
  BOOST_TEST((underlyingType(horzcat(a > 0, a > 1)) == Type::Logical));
  BOOST_TEST((underlyingType(horzcat(a > 0, a)) == Type::Double));
  BOOST_TEST((underlyingType(horzcat(single_(a), a > 0)) == Type::Single));
  BOOST_TEST(isequal(horzcat(DlArray(), a), a));
  BOOST_TEST((size(cat(0, {})) == Size{0, 0}));
  BOOST_TEST((size(cat(0, {DlArray(), DlArray()})) == Size{0, 0}));
  BOOST_TEST(isequal(vertcat(zeros(0, 2), a), a));
  BOOST_TEST((size(cat(0, {zeros(0, 2), zeros(0, 2)})) == Size{0, 2}));
  DlArray joined;
  for (int i = 0; i < 40; ++i) joined = horzcat(joined, i);
  BOOST_TEST(isequal(joined, colon(0, 39)));
}

BOOST_AUTO_TEST_CASE(flip_turns_around) {
  const DlArray x = counted({2, 3, 2}, "SSC");
  checkValues(flip(x, 1), naive(x, {2, 3, 2}, [](const Positions& p) { return Positions{p[0], 2 - p[1], p[2]}; }));
  checkValues(flip(x, "C"), naive(x, {2, 3, 2}, [](const Positions& p) { return Positions{p[0], p[1], 1 - p[2]}; }));
  checkValues(flip(x, "S"), naive(x, {2, 3, 2}, [](const Positions& p) { return Positions{1 - p[0], 2 - p[1], p[2]}; }));
  BOOST_TEST(dims(flip(x, 0)) == "SSC");
  BOOST_TEST(isequal(flip(x, 5), x));
  checkValues(flip(dlarray({1.0, 2.0, 3.0})), {3, 2, 1});
  BOOST_TEST((size(flip(zeros(0, 3), 0)) == Size{0, 3}));
  checkError([&] { flip(x); }, "flip: 2(S) x 3(S) x 2(C) has 3 dimensions longer than 1; say which one, counted from 0, or by label, or \"all\"");
}

BOOST_AUTO_TEST_CASE(circshift_goes_round) {
  const DlArray x = counted({3, 4, 2});
  for (Index shift : {-7, -1, 0, 1, 2, 5}) {
    const auto from = [&](Index p, Index n) { return ((p - shift) % n + n) % n; };
    checkValues(circshift(x, shift, 0), naive(x, {3, 4, 2}, [&](const Positions& p) { return Positions{from(p[0], 3), p[1], p[2]}; }));
    checkValues(circshift(x, shift, 1), naive(x, {3, 4, 2}, [&](const Positions& p) { return Positions{p[0], from(p[1], 4), p[2]}; }));
    checkValues(circshift(x, shift, 2), naive(x, {3, 4, 2}, [&](const Positions& p) { return Positions{p[0], p[1], from(p[2], 2)}; }));
  }
  checkValues(circshift(dlarray({1.0, 2.0, 3.0}), 1), {3, 1, 2});
  BOOST_TEST(isequal(circshift(x, {1, -1}), circshift(circshift(x, 1, 0), -1, 1)));
  BOOST_TEST(isequal(circshift(x, 1, 7), x));
  BOOST_TEST((size(circshift(zeros(0, 3), 1, 0)) == Size{0, 3}));
  BOOST_TEST(dims(circshift(counted({2, 3}, "CB"), 1, "B")) == "CB");
}

BOOST_AUTO_TEST_CASE(diff_of_neighbours) {
  checkValues(diff(dlarray({1.0, 4.0, 9.0, 16.0})), {3, 5, 7});
  checkValues(diff(dlarray({1.0, 4.0, 9.0, 16.0}), 2), {2, 2});
  const DlArray x = counted({3, 2, 2}, "SSC");
  checkValues(diff(x, 1, 1), {3, 3, 3, 3, 3, 3});
  BOOST_TEST((size(diff(x, 1, 1)) == Size{3, 1, 2}));
  BOOST_TEST(dims(diff(x, 1, 1)) == "SSC");
  checkValues(diff(x, 1, "C"), {6, 6, 6, 6, 6, 6});
  BOOST_TEST((size(diff(x, 2, 1)) == Size{3, 0, 2}));
  BOOST_TEST((size(diff(x, 5, 0)) == Size{0, 2, 2}));
  BOOST_TEST(isequal(diff(x, 0, 0), x));
  BOOST_TEST((underlyingType(diff(dlarray({true, false, true}))) == Type::Double));
  checkValues(diff(dlarray({true, false, true})), {-1, 1});
  checkValues(diff(dlarray({1.0F, 4.0F})), {3});
  checkError([] { diff(counted({2, 3})); }, "diff: 2 x 3 has 2 dimensions longer than 1; say which one, counted from 0");
  checkError([] { diff(counted({1, 3}), -1); }, "diff: the order -1 is negative");
}

BOOST_AUTO_TEST_CASE(derivatives_to_second_order) {
  const DlArray x = someArray({2, 3, 2});
  const auto cubed = [](const DlArray& v) { return v % v % v; };
  const std::vector<std::pair<const char*, Function>> functions = {
      {"reshape", [&](const DlArray& v) { return reshape(cubed(v), 4, 3); }},
      {"permute", [&](const DlArray& v) { return cubed(permute(v, {2, 0, 1})); }},
      {"ipermute", [&](const DlArray& v) { return ipermute(cubed(v), {2, 0, 1}); }},
      {"transpose", [&](const DlArray& v) { return cubed(transpose(reshape(v, 3, 4))); }},
      {"squeeze", [&](const DlArray& v) { return cubed(squeeze(reshape(v, 2, 1, 6))); }},
      {"shiftdim", [&](const DlArray& v) { return cubed(shiftdim(v, 1)) + shiftdim(cubed(v), 1); }},
      {"repmat", [&](const DlArray& v) { return cubed(repmat(v, 2, 1, 3)); }},
      {"repmat of all", [&](const DlArray& v) { return cubed(repmat(v, 2, 3, 2, 2)); }},
      {"cat", [&](const DlArray& v) { return cubed(cat(1, {v, 2 * v, ones(2, 2, 2), v(all, 0, all)})); }},
      {"cat behind", [&](const DlArray& v) { return cubed(cat(3, {v, 3 * v})); }},
      {"flip", [&](const DlArray& v) { return flip(cubed(v), {0, 2}) % v; }},
      {"circshift", [&](const DlArray& v) { return circshift(cubed(v), 2, 1) % v; }},
      {"circshift of both", [&](const DlArray& v) { return circshift(v, {1, -1}) % v; }},
      {"diff", [&](const DlArray& v) { return cubed(diff(v, 1, 1)); }},
      {"diff of diff", [&](const DlArray& v) { return cubed(diff(v, 2, 1)); }},
  };
  for (const auto& [name, f] : functions) BOOST_TEST_CONTEXT(name) checkDerivatives(f, x);
}

BOOST_AUTO_TEST_CASE(derivatives_keep_labels) {
  const DlArray x = someArray({2, 3, 2}, "SCB");
  checkDerivatives([](const DlArray& v) { return reshape(v, 4, 3) % reshape(v, 4, 3); }, x);
  checkDerivatives([](const DlArray& v) { return cat("B", {v % v, v}); }, x);
  checkDerivatives([](const DlArray& v) { return cat("C", {v % v, ones(2, 1, 2)}); }, x);
  checkDerivatives([](const DlArray& v) { return squeeze(v(0, all, all)) % squeeze(v(1, all, all)); }, x);
  checkDerivatives([](const DlArray& v) { return repmat(v % v, 1, 2, 1, 2); }, x);
  checkDerivatives([](const DlArray& v) { return diff(v % v, 1, "C"); }, x);
  checkDerivatives([](const DlArray& v) { return flip(v % v, "C") % circshift(v, 1, "B"); }, x);
}

BOOST_AUTO_TEST_CASE(derivatives_in_single_precision) {
  const DlArray x = single_(someArray({3, 4}));
  const auto f = [](const DlArray& v) {
    const DlArray y = cat(0, {transpose(v), ones(2, 3)});
    return dlgradient(sum(y % y, "all"), v);
  };
  const DlArray g = dlfeval(f, x);
  BOOST_TEST((underlyingType(g) == Type::Single));
  checkValues(g, values(2 * double_(x)), 1e-6);
}

BOOST_AUTO_TEST_CASE(derivatives_of_nothing) {
  const auto gradient = [](auto fun, const DlArray& x) { return dlfeval([&](const DlArray& v) { return dlgradient(sum(fun(v), "all"), v); }, x); };
  const DlArray x = someArray({2, 3});
  checkValues(gradient([](const DlArray& v) { return repmat(v, 0, 2); }, x), std::vector<double>(6, 0));
  checkValues(gradient([](const DlArray& v) { return diff(v, 5, 1); }, x), std::vector<double>(6, 0));
  BOOST_TEST((size(gradient([](const DlArray& v) { return permute(v, {1, 0}); }, zeros(0, 3))) == Size{0, 3}));
  BOOST_TEST((size(gradient([](const DlArray& v) { return cat(0, {v, ones(1, 3)}); }, zeros(0, 3))) == Size{0, 3}));
}

BOOST_AUTO_TEST_CASE(arguments_stay_as_they_were) {
  const DlArray x = counted({3, 4}), before = x + 0;
  for (const DlArray& y : {reshape(x, 4, 3), transpose(x), flip(x, 0), circshift(x, 1, 0), horzcat(x, x), squeeze(x)}) {
    DlArray changed = y;
    changed(0) = 77;
    BOOST_TEST(isequal(x, before));
  }
}
