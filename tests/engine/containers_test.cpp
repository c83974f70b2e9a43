// Arrays inside containers and structs: dlfeval traces them, dlgradient answers in kind.
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>

using namespace dl;
using namespace dl::test;

namespace {

struct Dense {
  DlArray W, b;
  std::string note = "kept";
  DLARRAY_FIELDS(Dense, W, b)
};

struct Model {
  Dense first;
  std::vector<Dense> hidden;
  std::map<std::string, DlArray> extras;
  std::optional<DlArray> gate;
  DlArray frozen = 5;  // not listed: a constant
  DLARRAY_FIELDS(Model, first, hidden, extras, gate)
};

struct Outside {
  std::array<DlArray, 2> both;
  int count = 0;
};
DLARRAY_FIELDS(Outside, both)

Dense dense(double w, double b) { return {DlArray(w), DlArray(b)}; }

}  // namespace

namespace elsewhere {
struct Foreign {
  dl::DlArray x;
};
DLARRAY_FIELDS(Foreign, x)
}  // namespace elsewhere

BOOST_AUTO_TEST_CASE(vectors_arrays_maps_tuples_pairs_and_optionals) {
  const auto gradientOf = [](auto container, auto value) {
    const auto f = [&](const auto& c) { return dlgradient(value(c), c); };
    const auto g = dlfeval(f, container);
    static_assert(std::is_same_v<std::remove_const_t<decltype(g)>, decltype(container)>);
    return g;
  };
  const auto v = gradientOf(std::vector<DlArray>{2, 3}, [](const auto& c) { return c[0] * c[1]; });
  BOOST_TEST(double(v[0]) == 3);
  BOOST_TEST(double(v[1]) == 2);
  const auto a = gradientOf(std::array<DlArray, 2>{2, 3}, [](const auto& c) { return c[0] * c[1]; });
  BOOST_TEST(double(a[0]) == 3);
  const auto m =
      gradientOf(std::map<std::string, DlArray>{{"x", 2}, {"y", 3}}, [](const auto& c) { return c.at("x") * c.at("y"); });
  BOOST_TEST(double(m.at("x")) == 3);
  const auto t = gradientOf(std::tuple<DlArray, int, DlArray>{2, 10, 3},
                            [](const auto& c) { return std::get<0>(c) * std::get<1>(c) * std::get<2>(c); });
  BOOST_TEST(double(std::get<0>(t)) == 30);
  BOOST_TEST(std::get<1>(t) == 10);
  const auto p = gradientOf(std::pair<DlArray, std::vector<DlArray>>{2, {3, 4}},
                            [](const auto& c) { return c.first * c.second[0] * c.second[1]; });
  BOOST_TEST(double(p.first) == 12);
  BOOST_TEST(double(p.second[1]) == 6);
  const auto o = gradientOf(std::optional<DlArray>(3), [](const auto& c) { return *c * *c; });
  BOOST_TEST(double(*o) == 6);
}

BOOST_AUTO_TEST_CASE(an_empty_optional_stays_empty) {
  const auto f = [](const std::optional<DlArray>& bias, const DlArray& x) {
    return dlgradient(bias ? x + *bias : 2 * x, bias, x);
  };
  const auto [bias, x] = dlfeval(f, std::optional<DlArray>(), DlArray(3));
  BOOST_TEST(!bias.has_value());
  BOOST_TEST(double(x) == 2);
}

BOOST_AUTO_TEST_CASE(nested_structs_with_fields_inside) {
  const Model model{dense(2, 1), {dense(3, 0), dense(-1, 4)}, {{"scale", 10}}, DlArray(0.5)};
  const auto f = [](const Model& m, const DlArray& x) {
    DlArray y = m.first.W * x + m.first.b;
    for (const Dense& layer : m.hidden) y = layer.W * y + layer.b;
    y = y * m.extras.at("scale") * *m.gate * m.frozen;
    return std::tuple(y, dlgradient(y, m, x));
  };
  // y = (-(3 (2 x + 1)) + 4) * 10 * 0.5 * 5 at x = 2: -11 * 25
  const auto [y, gradients] = dlfeval(f, model, DlArray(2));
  const auto& [g, gx] = gradients;
  BOOST_TEST(double(y) == -275);
  BOOST_TEST(double(gx) == -6 * 25);
  BOOST_TEST(double(g.first.W) == -3 * 2 * 25);
  BOOST_TEST(double(g.hidden[0].W) == -5 * 25);
  BOOST_TEST(double(g.hidden[1].b) == 25);
  BOOST_TEST(double(g.extras.at("scale")) == -27.5);
  BOOST_TEST(double(*g.gate) == -550);
  BOOST_TEST(double(g.frozen) == 5, "what is not listed is passed on as it is");
  BOOST_TEST(g.first.note == "kept");
  BOOST_TEST(double(model.first.W) == 2);
}

BOOST_AUTO_TEST_CASE(structs_with_fields_outside_and_in_other_namespaces) {
  const auto f = [](const Outside& o, const elsewhere::Foreign& e) { return dlgradient(o.both[0] * o.both[1] * e.x, o, e); };
  const auto [o, e] = dlfeval(f, Outside{{2, 3}, 7}, elsewhere::Foreign{4});
  BOOST_TEST(double(o.both[0]) == 12);
  BOOST_TEST(o.count == 7);
  BOOST_TEST(double(e.x) == 6);
}

BOOST_AUTO_TEST_CASE(a_struct_may_be_local_to_a_function) {
  struct Params {
    DlArray a, b;
    DLARRAY_FIELDS(Params, a, b)
  };
  const auto f = [](const Params& p) { return dlgradient(pow(p.a, 2) * p.b, p); };
  const Params g = dlfeval(f, Params{3, 5});
  BOOST_TEST(double(g.a) == 30);
  BOOST_TEST(double(g.b) == 9);
}

BOOST_AUTO_TEST_CASE(a_struct_of_many_fields) {
  struct Many {
    DlArray a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t;
    DLARRAY_FIELDS(Many, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t)
  };
  Many many;
  BOOST_TEST(arraysOf(many).size() == 20U);
  BOOST_TEST((arraysOf(many).back() == &many.t));
}

BOOST_AUTO_TEST_CASE(second_derivatives_by_containers) {
  using Params = std::vector<DlArray>;
  const auto f = [](const Params& p) {
    const Params g = dlgradient(pow(p[0], 2) * pow(p[1], 3), p, {.enableHigherDerivatives = true});
    return std::tuple(g, dlgradient(g[0] + g[1], p));
  };
  const auto [g, h] = dlfeval(f, Params{2, 3});
  BOOST_TEST(double(g[0]) == 2 * 2 * 27);
  BOOST_TEST(double(g[1]) == 3 * 4 * 9);
  BOOST_TEST(double(h[0]) == 2 * 27 + 6 * 2 * 9);
  BOOST_TEST(double(h[1]) == 6 * 2 * 9 + 6 * 4 * 3);
}

BOOST_AUTO_TEST_CASE(arguments_are_not_changed_and_results_are_not_traced) {
  const std::vector<DlArray> x{1, 2};
  const auto f = [](std::vector<DlArray> c) {
    c[0] += 5;
    c.push_back(c[0] * c[1]);
    return c;
  };
  const auto y = dlfeval(f, x);
  BOOST_TEST(y.size() == 3U);
  BOOST_TEST(double(y[2]) == 12);
  BOOST_TEST(double(x[0]) == 1);
  BOOST_TEST(dlfeval([](const std::vector<DlArray>& c) { return double(c[0]); }, y) == 6);
}

BOOST_AUTO_TEST_CASE(arguments_without_arrays_and_functions_without_results) {
  int calls = 0;
  dlfeval([&](int n, const std::string& word,
              const std::vector<double>& numbers) { calls = n + static_cast<int>(word.size() + numbers.size()); },
          1, std::string("ab"), std::vector<double>{1, 2, 3});
  BOOST_TEST(calls == 6);
  BOOST_TEST(dlfeval([] { return 7; }) == 7);
}

BOOST_AUTO_TEST_CASE(elements_of_arrays_are_arguments_and_results) {
  DlArray x = dlarray({3.0, 4.0});
  const auto f = [](DlArray a, const DlArray& b) {
    a(0) = a(0) * b;
    return a(0);
  };
  static_assert(std::is_same_v<decltype(dlfeval(f, x(0), x(1))), DlArray>);
  BOOST_TEST(double(dlfeval(f, x(0), x(1))) == 12);
  BOOST_TEST(double(x(0)) == 3);
}

BOOST_AUTO_TEST_CASE(functions_may_take_arguments_by_value_reference_and_rvalue) {
  const DlArray x = 3;
  BOOST_TEST(double(dlfeval([](DlArray a) { return dlgradient(a * a, a); }, x)) == 6);
  BOOST_TEST(double(dlfeval([](const DlArray& a) { return dlgradient(a * a, a); }, x)) == 6);
  BOOST_TEST(double(dlfeval([](DlArray& a) { return dlgradient(a * a, a); }, x)) == 6);
  BOOST_TEST(double(dlfeval([](DlArray&& a) { return dlgradient(a * a, a); }, x)) == 6);
}
