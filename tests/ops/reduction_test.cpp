#include "differences.hpp"

#include <limits>
#include <map>
#include <numeric>

using namespace dl;
using namespace dl::testing;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

using List = std::vector<double>;

// The elements that fall together when the dimensions of a set are reduced, each group in column-major order.
std::vector<List> groups(const DlArray& x, unsigned set) {
  const Size s = size(x);
  const List all = values(x);
  Index results = 1;
  for (std::size_t d = 0; d < s.size(); ++d) results *= (set >> d & 1U) ? 1 : s[d];
  std::vector<List> lists(static_cast<std::size_t>(results));
  for (std::size_t i = 0; i < all.size(); ++i) {
    Index rest = static_cast<Index>(i), at = 0, stride = 1;
    for (std::size_t d = 0; d < s.size(); ++d) {
      if (!(set >> d & 1U)) {
        at += rest % s[d] * stride;
        stride *= s[d];
      }
      rest /= s[d];
    }
    lists[static_cast<std::size_t>(at)].push_back(all[i]);
  }
  return lists;
}

double meanOf(const List& v) { return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size()); }
double varianceOf(const List& v, int weight) {
  const double m = meanOf(v);
  double squares = 0;
  for (double e : v) squares += (e - m) * (e - m);
  return squares / (static_cast<double>(v.size()) - (weight == 0 && v.size() > 1 ? 1 : 0));
}
double medianOf(List v) {
  for (double e : v)
    if (std::isnan(e)) return missing;
  std::sort(v.begin(), v.end());
  return (v[(v.size() - 1) / 2] + v[v.size() / 2]) / 2;
}

struct Row {
  const char* name;
  std::function<DlArray(const DlArray&, const Dimensions&)> ours;
  std::function<double(const List&)> naive;
};

const std::vector<Row> rows = {
    {"sum", [](auto& x, auto& d) { return sum(x, d); }, [](const List& v) { return std::accumulate(v.begin(), v.end(), 0.0); }},
    {"mean", [](auto& x, auto& d) { return mean(x, d); }, meanOf},
    {"prod", [](auto& x, auto& d) { return prod(x, d); }, [](const List& v) { return std::accumulate(v.begin(), v.end(), 1.0, std::multiplies<>()); }},
    {"var", [](auto& x, auto& d) { return var(x, 0, d); }, [](const List& v) { return varianceOf(v, 0); }},
    {"var by n", [](auto& x, auto& d) { return var(x, 1, d); }, [](const List& v) { return varianceOf(v, 1); }},
    {"stddev", [](auto& x, auto& d) { return stddev(x, 0, d); }, [](const List& v) { return std::sqrt(varianceOf(v, 0)); }},
    {"median", [](auto& x, auto& d) { return median(x, d); }, medianOf},
    {"max", [](auto& x, auto& d) { return max(x, {}, d); }, [](const List& v) { return *std::max_element(v.begin(), v.end()); }},
    {"min", [](auto& x, auto& d) { return min(x, {}, d); }, [](const List& v) { return *std::min_element(v.begin(), v.end()); }},
    {"any", [](auto& x, auto& d) { return any(x, d); }, [](const List& v) { return std::count(v.begin(), v.end(), 0.0) < std::ssize(v); }},
    {"all", [](auto& x, auto& d) { return dl::all(x, d); }, [](const List& v) { return std::count(v.begin(), v.end(), 0.0) == 0; }},
};

Dimensions numbered(unsigned set) {
  std::vector<Index> list;
  for (Index d = 0; d < 32; ++d)
    if (set >> d & 1U) list.push_back(d);
  return Dimensions(list);
}

Size reduced(Size s, unsigned set) {
  for (std::size_t d = 0; d < s.size(); ++d)
    if (set >> d & 1U) s[d] = 1;
  while (s.size() > 2 && s[s.size() - 1] == 1) s.resize(s.size() - 1);
  return s;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_reduction_over_every_set_of_dimensions) {
  for (const Size& s : {Size{1, 1}, Size{5, 1}, Size{1, 6}, Size{3, 4}, Size{3, 2, 4}, Size{2, 3, 2, 3}, Size{2, 1, 3, 1, 2}}) {
    DlArray x = someArray(s);
    x(0) = 0;
    for (unsigned set = 0; set < 1U << s.size(); ++set)
      for (const Row& row : rows)
        for (const Type type : {Type::Double, Type::Single}) {
          const DlArray typed = cast(x, type);
          List expected;
          for (const List& group : groups(typed, set)) expected.push_back(row.naive(group));
          const DlArray y = row.ours(typed, numbered(set));
          const bool question = row.name == std::string("any") || row.name == std::string("all");
          BOOST_TEST_CONTEXT(row.name << " of " << toString(s) << " over set " << set) {
            BOOST_TEST((size(y) == reduced(s, set)));
            BOOST_TEST((underlyingType(y) == (question ? Type::Logical : type)));
            checkValues(y, expected, type == Type::Single ? 1e-5 : 1e-13);
          }
        }
  }
}

BOOST_AUTO_TEST_CASE(long_arrays) {
  const DlArray x = someArray({300, 70, 5});
  for (unsigned set : {1U, 2U, 4U, 3U, 5U, 6U, 7U})
    for (const Row& row : rows) {
      if (row.name == std::string("prod")) continue;
      List expected;
      for (const List& group : groups(x, set)) expected.push_back(row.naive(group));
      BOOST_TEST_CONTEXT(row.name << " over set " << set) checkValues(row.ours(x, numbered(set)), expected, 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(labels_name_dimensions_and_stay) {
  const DlArray x = someArray({3, 4, 2, 5}, "SSCB");
  for (const Row& row : rows) {
    const auto check = [&](const char* labels, unsigned set, const Size& expected) {
      const DlArray y = row.ours(x, labels);
      BOOST_TEST_CONTEXT(row.name << " along " << labels) {
        BOOST_TEST((size(y) == expected));
        BOOST_TEST(dims(y) == "SSCB");
        BOOST_TEST(isequal(stripdims(y), row.ours(stripdims(x), numbered(set))));
      }
    };
    check("S", 3, {1, 1, 2, 5});
    check("C", 4, {3, 4, 1, 5});
    check("B", 8, {3, 4, 2, 1});
    check("SB", 11, {1, 1, 2, 1});
    check("CBS", 15, {1, 1, 1, 1});
    check("all", 15, {1, 1, 1, 1});
  }
  const DlArray u = sum(someArray({3, 4, 2}, "SCU"), "U");
  BOOST_TEST(dims(u) == "SC");
  BOOST_TEST((size(sum(someArray({3, 7}, "CB"), "all")) == Size{1, 1}));
}

BOOST_AUTO_TEST_CASE(without_a_dimension_only_vectors) {
  for (const Row& row : rows) {
    const DlArray column = someArray({5, 1}), line = someArray({1, 1, 5}), labelled = someArray({1, 5}, "CB");
    BOOST_TEST((size(row.ours(column, {})) == Size{1, 1}));
    BOOST_TEST((size(row.ours(line, {})) == Size{1, 1}));
    BOOST_TEST(dims(row.ours(labelled, {})) == "CB");
    BOOST_TEST((size(row.ours(DlArray(3.0), {})) == Size{1, 1}));
    const std::string name = std::string(row.name).substr(0, std::string(row.name).find(' '));
    checkError([&] { row.ours(someArray({3, 4}), {}); },
               name + ": 3 x 4 has 2 dimensions longer than 1; say which one, counted from 0, or \"all\"");
    checkError([&] { row.ours(someArray({3, 7}, "CB"), {}); },
               name + ": 3(C) x 7(B) has 2 dimensions longer than 1; say which one, counted from 0, or by label, or \"all\"");
    checkError([&] { row.ours(someArray({0, 3}), {}); },
               name + ": 0 x 3 has 2 dimensions of a size other than 1; say which one, counted from 0, or \"all\"");
    checkError([&] { row.ours(someArray({3, 7}, "CB"), "T"); }, name + ": 3(C) x 7(B) has no dimension labelled T");
    checkError([&] { row.ours(someArray({3, 7}), "C"); }, name + ": 3 x 7 has no dimension labelled C; it is unlabelled");
    checkError([&] { row.ours(someArray({3, 7}), -1); }, name + ": dimension -1 does not exist; dimensions count from 0");
    BOOST_CHECK_THROW(row.ours(someArray({3, 7}, "CB"), "row"), Error);
  }
  checkError([&] { var(someArray({3, 1}), 2); }, "var: the weight is 2; it is 0 to divide by n - 1, or 1 to divide by n");
  checkError([&] { stddev(someArray({3, 1}), -1); }, "stddev: the weight is -1; it is 0 to divide by n - 1, or 1 to divide by n");
}

BOOST_AUTO_TEST_CASE(the_line_of_the_call_is_told) {
  try {
    sum(someArray({3, 4}));
    BOOST_ERROR("nothing was thrown");
  } catch (const Error& error) {
    BOOST_TEST(std::string(error.what()).find("(reduction_test.cpp:") != std::string::npos);
    BOOST_TEST(error.identifier() == "dlarray:dimensions:missing");
  }
}

BOOST_AUTO_TEST_CASE(empty_arrays_as_in_matlab) {
  const DlArray nothing, tall = someArray({0, 3}), wide = someArray({3, 0});
  const std::map<std::string, double> ofNothing = {{"sum", 0},  {"prod", 1}, {"mean", missing}, {"var", missing}, {"var by n", missing},
                                                   {"stddev", missing}, {"median", missing}, {"any", 0}, {"all", 1}};
  for (const Row& row : rows) {
    const bool extreme = !ofNothing.contains(row.name);
    BOOST_TEST_CONTEXT(row.name) {
      if (extreme) {
        BOOST_TEST((size(row.ours(nothing, {})) == Size{0, 0}));
        BOOST_TEST((size(row.ours(tall, 0)) == Size{0, 3}));
        BOOST_TEST((size(row.ours(tall, 1)) == Size{0, 1}));
        continue;
      }
      const double v = ofNothing.at(row.name);
      checkValues(row.ours(nothing, {}), {v});
      checkValues(row.ours(tall, 0), {v, v, v});
      BOOST_TEST((size(row.ours(tall, 0)) == Size{1, 3}));
      BOOST_TEST((size(row.ours(tall, 1)) == Size{0, 1}));
      BOOST_TEST((size(row.ours(wide, 1)) == Size{3, 1}));
      checkValues(row.ours(wide, "all"), {v});
    }
  }
  const auto [m, i] = max<2>(nothing);
  BOOST_TEST((size(m) == Size{0, 0} && size(i) == Size{0, 0}));
}

BOOST_AUTO_TEST_CASE(logical_arrays) {
  const DlArray x = someArray({4, 3}) > 0.3;
  for (const Row& row : rows) {
    const std::string name = row.name;
    const bool logical = name == "any" || name == "all" || name == "max" || name == "min";
    const DlArray y = row.ours(x, 0);
    List expected;
    for (const List& group : groups(x, 1)) expected.push_back(row.naive(group));
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST((underlyingType(y) == (logical ? Type::Logical : Type::Double)));
      checkValues(y, expected, 1e-14);
    }
  }
  const auto [m, i] = max<2>(dlarray({{false, true}, {true, true}}) != 0, {}, 0);
  BOOST_TEST((underlyingType(m) == Type::Logical && underlyingType(i) == Type::Double));
  checkValues(i, {1, 0});
}

BOOST_AUTO_TEST_CASE(nan_and_infinity) {
  const DlArray x = dlarray({{missing, 2, missing}, {1, missing, missing}, {infinity, -infinity, missing}});
  checkValues(max(x, {}, 0), {infinity, 2, missing});
  checkValues(min(x, {}, 0), {1, -infinity, missing});
  checkValues(max(x, {}, "all"), {infinity});
  checkValues(sum(x, 0), {missing, missing, missing});
  checkValues(median(x, 0), {missing, missing, missing});
  checkValues(median(dlarray({infinity, infinity, 1.0, infinity})), {infinity});
  checkValues(any(dlarray({{missing, 0, missing}, {0, 0, 1}}), 0), {0, 0, 1});
  checkValues(dl::all(dlarray({{missing, 0, missing}, {1, 0, 1}}), 0), {1, 0, 1});
  const auto [m, i] = max<2>(x, {}, 0);
  checkValues(m, {infinity, 2, missing});
  checkValues(i, {2, 0, 0});
}

BOOST_AUTO_TEST_CASE(positions_of_extremes) {
  const DlArray x = dlarray({{3, 1, 4}, {1, 5, 4}});
  {
    const auto [m, i] = max<2>(x, {}, 0);
    checkValues(m, {3, 5, 4});
    checkValues(i, {0, 1, 0});
    BOOST_TEST((size(i) == Size{1, 3}));
  }
  {
    const auto [m, i] = min<2>(x, {}, 1);
    checkValues(m, {1, 1});
    checkValues(i, {1, 0});
  }
  {
    const auto [m, i] = max<2>(x, {}, "all");
    checkValues(m, {5});
    checkValues(i, {3});
    BOOST_TEST(double(x(static_cast<Index>(double(i)))) == 5);
  }
  {
    const auto [m, i] = max<2>(dlarray({2.0, 7.0, 7.0}));
    checkValues(i, {1});
  }
  const DlArray y = someArray({3, 4, 2, 5}, "SSCB");
  for (const Dimensions& d : {Dimensions("S"), Dimensions("SB"), Dimensions("SC"), Dimensions({0, 2}), Dimensions({1, 3}), Dimensions("all")}) {
    const auto [m, i] = min<2>(y, {}, d);
    BOOST_TEST(isequal(m, min(y, {}, d)));
    BOOST_TEST(dims(i) == "SSCB");
    checkValues(m, values(y(i)));
  }
  for (int d = 0; d < 5; ++d) {
    const auto [m, i] = max<2>(single_(y), {}, d);
    BOOST_TEST(isequal(m, max(single_(y), {}, d)));
    BOOST_TEST((underlyingType(i) == Type::Double));
  }
}

BOOST_AUTO_TEST_CASE(two_arrays_stay_elementwise) {
  const DlArray a = dlarray({1.0, 5.0, 3.0}), b = dlarray({4.0, 2.0, 3.0});
  checkValues(max(a, b), {4, 5, 3});
  checkValues(max(a, 2.0), {2, 5, 3});
  checkValues(max(a, 2), {2, 5, 3});
  checkValues(min(2.0, a), {1, 2, 2});
  checkValues(max(a), {5});
  checkValues(min(a, {}, 1), {1});
  checkValues(max(a, {}, 0), {1, 5, 3});
  checkValues(max(a(0), b(0)), {4});
  const DlArray constant = a;
  checkValues(max(constant(all, span(0, 1)), {}, "all"), {5});
}

BOOST_AUTO_TEST_CASE(derivatives_of_all_reductions) {
  for (const Row& row : rows) {
    const std::string name = row.name;
    if (name == "any" || name == "all") continue;
    const int orders = name == "prod" ? 3 : 2;
    for (const Dimensions& d : {Dimensions(0), Dimensions(1), Dimensions("all"), Dimensions({0, 2}), Dimensions(7)})
      for (const Size& s : {Size{3, 2}, Size{2, 2, 3}})
        BOOST_TEST_CONTEXT(name << " of " << toString(s)) checkDerivatives([&](const DlArray& x) { return exp(row.ours(x, d)); }, someArray(s), orders, 1e-6);
    BOOST_TEST_CONTEXT(name << " with labels")
      checkDerivatives([&](const DlArray& x) { return row.ours(x % x, "SB"); }, someArray({2, 3, 2}, "SCB"), 2, 1e-6);
    BOOST_TEST_CONTEXT(name << " of a vector") checkDerivatives([&](const DlArray& x) { return row.ours(sin(x), {}); }, someArray({4, 1}), orders, 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(derivatives_of_products_with_zeros) {
  for (const int zeros : {1, 2, 3, 4}) {
    DlArray x = someArray({4, 2});
    for (int i = 0; i < zeros; ++i) x(i, 0) = 0;
    checkDerivatives([](const DlArray& v) { return prod(v, 0); }, x, 4, 1e-6);
    checkDerivatives([](const DlArray& v) { return prod(v, "all"); }, x, 4, 1e-6);
  }
  const DlArray g = dlfeval([](const DlArray& v) { return dlgradient(prod(v), v); }, dlarray({2.0, 0.0, 3.0}));
  checkValues(g, {0, 6, 0});
}

BOOST_AUTO_TEST_CASE(derivatives_at_special_points) {
  const auto gradient = [](auto fun, const DlArray& x) { return dlfeval([&](const DlArray& v) { return dlgradient(sum(fun(v), "all"), v); }, x); };
  // Of equal elements the first counts.
  const DlArray ties = dlarray({{2, 1}, {2, 1}, {0, 1}});
  checkValues(gradient([](const DlArray& v) { return max(v, {}, 0); }, ties), {1, 0, 0, 1, 0, 0});
  checkValues(gradient([](const DlArray& v) { return min(v, {}, 0); }, ties), {0, 0, 1, 1, 0, 0});
  checkValues(gradient([](const DlArray& v) { return max(v, {}, "all"); }, ties), {1, 0, 0, 0, 0, 0});
  checkValues(gradient([](const DlArray& v) { return median(v); }, dlarray({1.0, 4.0, 2.0, 3.0})), {0, 0, 0.5, 0.5});
  checkValues(gradient([](const DlArray& v) { return median(v); }, dlarray({5.0, 4.0, 9.0})), {1, 0, 0});
  // Equal elements have no spread: the derivative is taken as 0.
  checkValues(gradient([](const DlArray& v) { return stddev(v); }, dlarray({3.0, 3.0, 3.0})), {0, 0, 0});
  checkValues(gradient([](const DlArray& v) { return var(v); }, DlArray(4.0)), {0});
  checkValues(gradient([](const DlArray& v) { return median(v, "all") + sum(v, "all"); }, DlArray()), {});
  checkValues(gradient([](const DlArray& v) { return std::get<0>(max<2>(v, {}, 0)) % 2; }, ties), {2, 0, 0, 2, 0, 0});
  // Questions and positions are constants.
  checkValues(gradient([](const DlArray& v) { return v % any(v > 1, "all") + std::get<1>(max<2>(v, {}, 0)); }, ties), {1, 1, 1, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(derivatives_in_single) {
  const DlArray x = single_(someArray({3, 4}));
  for (const Row& row : rows) {
    const std::string name = row.name;
    if (name == "any" || name == "all") continue;
    const auto gradient = [&](const DlArray& v) { return dlgradient(sum(row.ours(v, 0), "all"), v); };
    const DlArray g = dlfeval(gradient, x), wide = dlfeval(gradient, double_(x));
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST((underlyingType(g) == Type::Single));
      checkValues(g, values(wide), 2e-6);
    }
  }
}

BOOST_AUTO_TEST_CASE(variance_does_not_cancel) {
  const DlArray x = dlarray({1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16});
  checkValues(var(x), {30}, 1e-12);
  checkValues(stddev(x, 1), {std::sqrt(22.5)}, 1e-12);
}
