// Labels by enumeration: all pairs of formats through one expanding function, all functions through all formats.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/dlarray.hpp>

using namespace dl;
using namespace dl::test;

namespace {

// Every format of 2 to `most` dimensions in stored order, none included; a label has the same size wherever it stands.
std::vector<Plain> formats(std::size_t most) {
  std::vector<Plain> all{parse("2 x 3"), parse("2 x 3 x 4"), parse("1 x 1"), parse("2 x 3 x 4 x 5")};
  for (std::size_t s = 0; s <= 3; ++s)
    for (std::size_t u = 0; u <= 2; ++u)
      for (unsigned others = 0; others < 8; ++others) {
        Plain x;
        const auto add = [&](char label, Index size) {
          x.labels += label;
          x.size.push_back(size);
        };
        for (std::size_t i = 0; i < s; ++i) add('S', static_cast<Index>(i) + 2);
        if (others & 1U) add('C', 3);
        if (others & 2U) add('B', 4);
        if (others & 4U) add('T', 2);
        for (std::size_t i = 0; i < u; ++i) add('U', static_cast<Index>(i) + 3);
        if (x.labels.size() >= 2 && x.labels.size() <= most) all.push_back(x);
      }
  return all;
}

// The same with some of the sizes 1: all choices for up to three dimensions, one dimension and all but one for more.
std::vector<Plain> withOnes(const std::vector<Plain>& shapes) {
  std::vector<Plain> all;
  for (const Plain& x : shapes) {
    const auto n = static_cast<unsigned>(x.size.size());
    for (unsigned mask = 0; mask < 1U << n; ++mask) {
      if (n > 3 && mask != 0 && (mask & (mask - 1)) != 0 && mask != (1U << n) - 2) continue;
      Plain y = x;
      for (unsigned d = 0; d < n; ++d)
        if (mask >> d & 1U) y.size[d] = 1;
      if (text(withoutTrailing(y)) == text(y)) all.push_back(y);
    }
  }
  return all;
}

DlArray filled(Plain x) {
  for (Index k = 0; k < numel(x.size); ++k) x.values.push_back(0.25 + static_cast<double>(k % 7) / 16);
  return array(x);
}

// Size and labels of a result, or the identifier of the mistake.
template <class F>
std::string outcome(F&& f) {
  std::string result;
  const Mistake m = mistake([&] { result = text(f()); });
  return m.identifier == "nothing" ? result : m.identifier;
}

}  // namespace

BOOST_AUTO_TEST_CASE(sums_have_the_same_size_and_labels_in_both_orders) {
  const std::vector<Plain> shapes = withOnes(formats(5));
  std::vector<DlArray> arrays;
  for (const Plain& x : shapes) arrays.push_back(filled(x));
  std::size_t pairs = 0, wrong = 0;
  for (std::size_t i = 0; i < arrays.size(); ++i)
    for (std::size_t j = i; j < arrays.size(); ++j) {
      const std::string ab = outcome([&] { return arrays[i] + arrays[j]; }), ba = outcome([&] { return arrays[j] + arrays[i]; });
      const auto shape = expandedShape(shapes[i], shapes[j]);
      const bool labelled = !shapes[i].labels.empty() && !shapes[j].labels.empty();
      const std::string want = shape ? text(*shape) : labelled ? "dlarray:sizes:labels" : "dlarray:sizes:expand";
      ++pairs;
      if (ab == want && ba == want) continue;
      if (++wrong < 10)
        BOOST_ERROR(text(shapes[i]) << " + " << text(shapes[j]) << ": " << ab << ", the other way " << ba << ", not " << want);
    }
  BOOST_TEST(wrong == 0U);
  BOOST_TEST(pairs > 50000U);
}

namespace {

// What a function does to a format: the shape of the result as text, or "refuses".
using Rule = std::function<std::string(const Plain&)>;
struct Function {
  std::string name;
  std::function<DlArray(const DlArray&)> call;
  Rule rule;
};

std::string same(const Plain& x) { return text(x); }
std::string unlabelled(const Plain& x) { return text(withoutTrailing({x.size, "", {}})); }
Rule sized(std::size_t dimension, const std::function<Index(Index)>& change) {
  return [=](const Plain& x) {
    Plain y = x;
    y.size[dimension] = change(y.size[dimension]);
    return text(withoutTrailing(y));
  };
}
Rule reduced(const std::string& labels) {
  return [=](const Plain& x) {
    Plain y = x;
    for (char label : labels) {
      if (x.labels.find(label) == std::string::npos) return std::string("refuses");
      for (std::size_t d = 0; d < y.size.size(); ++d)
        if (x.labels[d] == label) y.size[d] = 1;
    }
    return text(withoutTrailing(y));
  };
}
std::string allReduced(const Plain& x) {
  Plain y = x;
  for (std::size_t d = 0; d < y.size.size(); ++d) y.size[d] = 1;
  return text(withoutTrailing(y));
}
// Functions along one dimension that keep its size: refused where no dimension, or more than one, has the label.
Rule keptAlong(char label) {
  return [=](const Plain& x) { return std::count(x.labels.begin(), x.labels.end(), label) == 1 ? text(x) : "refuses"; };
}
// Further dimensions of size 1 do not count against a matrix.
std::string swapped(const Plain& x) {
  if (!std::all_of(x.size.begin() + 2, x.size.end(), [](Index n) { return n == 1; }) ||
      (!x.labels.empty() && x.labels[0] != x.labels[1]))
    return "refuses";
  Plain y = x;
  std::swap(y.size[0], y.size[1]);
  return text(y);
}
std::string turned(const Plain& x) {
  Plain y{{}, std::string(x.labels.rbegin(), x.labels.rend()), {}};
  for (std::size_t d = x.size.size(); d-- > 0;) y.size.push_back(x.size[d]);
  return y.labels == x.labels ? text(withoutTrailing(y)) : "refuses";
}
std::string squeezed(const Plain& x) {
  if (x.size.size() == 2) return text(x);
  Plain y;
  for (std::size_t d = 0; d < x.size.size(); ++d)
    if (x.size[d] != 1) {
      y.size.push_back(x.size[d]);
      if (!x.labels.empty()) y.labels += x.labels[d];
    }
  while (y.size.size() < 2) {
    y.size.push_back(1);
    if (!y.labels.empty()) y.labels += 'U';
  }
  return text(y);
}
std::string twiceAlongANewDimension(const Plain& x) {
  Plain y = x;
  y.size.push_back(2);
  if (!y.labels.empty()) y.labels += 'U';
  return text(y);
}
std::string onlyUnlabelled(const Plain& x) {
  return x.labels.empty() && x.size.size() == 2 ? text(Plain{Size{x.size[0], x.size[0]}, "", {}}) : "refuses";
}

std::vector<Function> elementwise() {
  const std::pair<const char*, DlArray (*)(Operand)> list[] = {{"abs", dl::abs},
                                                               {"sign", dl::sign},
                                                               {"sqrt", dl::sqrt},
                                                               {"exp", dl::exp},
                                                               {"expm1", dl::expm1},
                                                               {"log", dl::log},
                                                               {"log1p", dl::log1p},
                                                               {"log2", dl::log2},
                                                               {"log10", dl::log10},
                                                               {"sin", dl::sin},
                                                               {"cos", dl::cos},
                                                               {"tan", dl::tan},
                                                               {"asin", dl::asin},
                                                               {"acos", dl::acos},
                                                               {"atan", dl::atan},
                                                               {"sinh", dl::sinh},
                                                               {"cosh", dl::cosh},
                                                               {"tanh", dl::tanh},
                                                               {"asinh", dl::asinh},
                                                               {"acosh", dl::acosh},
                                                               {"atanh", dl::atanh},
                                                               {"sec", sec},
                                                               {"csc", csc},
                                                               {"cot", cot},
                                                               {"erf", dl::erf},
                                                               {"erfc", dl::erfc},
                                                               {"erfinv", erfinv},
                                                               {"gamma", dl::gamma},
                                                               {"gammaln", gammaln},
                                                               {"psi", psi},
                                                               {"floor", dl::floor},
                                                               {"ceil", dl::ceil},
                                                               {"round", dl::round},
                                                               {"fix", fix},
                                                               {"real", dl::real},
                                                               {"imag", dl::imag},
                                                               {"conj", dl::conj},
                                                               {"angle", angle},
                                                               {"uminus", uminus},
                                                               {"uplus", uplus},
                                                               {"isnan", dl::isnan},
                                                               {"isinf", dl::isinf},
                                                               {"isfinite", dl::isfinite},
                                                               {"not_", not_},
                                                               {"single_", single_},
                                                               {"double_", double_},
                                                               {"logical_", logical_}};
  std::vector<Function> functions;
  for (const auto& [name, f] : list) functions.push_back({name, f, same});
  for (auto f : {plus, minus, times, rdivide, ldivide, power, dl::atan2, dl::hypot, dl::mod, dl::rem, eq, lt, and_, xor_}) {
    functions.push_back({"two of a kind", [f](const DlArray& x) { return f(x, x); }, same});
    functions.push_back({"array and number", [f](const DlArray& x) { return f(f(2, x), 3); }, same});
  }
  functions.push_back({"max", [](const DlArray& x) { return max(x, 0.5); }, same});
  functions.push_back({"min", [](const DlArray& x) { return min(x, x); }, same});
  return functions;
}

template <class F>
void addReduction(std::vector<Function>& functions, const std::string& name, F f) {
  functions.push_back({name, [f](const DlArray& x) { return f(x, "all"); }, allReduced});
  functions.push_back({name, [f](const DlArray& x) { return f(x, 0); }, sized(0, [](Index) { return 1; })});
  functions.push_back({name, [f](const DlArray& x) { return f(x, 1); }, sized(1, [](Index) { return 1; })});
  functions.push_back({name, [f](const DlArray& x) { return f(x, 7); }, same});
  for (const char* labels : {"S", "C", "B", "T", "U", "SB", "CT"})
    functions.push_back({name, [=](const DlArray& x) { return f(x, labels); }, reduced(labels)});
}
template <class F>
void addAlong(std::vector<Function>& functions, const std::string& name, F f) {
  functions.push_back({name, [f](const DlArray& x) { return f(x, 0); }, same});
  functions.push_back({name, [f](const DlArray& x) { return f(x, 1); }, same});
  for (char label : std::string("SCBTU"))
    functions.push_back({name, [=](const DlArray& x) { return f(x, label); }, keptAlong(label)});
}

std::vector<Function> alongDimensions() {
  std::vector<Function> f;
  addReduction(f, "sum", [](const DlArray& x, const Dimensions& d) { return sum(x, d); });
  addReduction(f, "mean", [](const DlArray& x, const Dimensions& d) { return mean(x, d); });
  addReduction(f, "prod", [](const DlArray& x, const Dimensions& d) { return prod(x, d); });
  addReduction(f, "var", [](const DlArray& x, const Dimensions& d) { return var(x, 0, d); });
  addReduction(f, "stddev", [](const DlArray& x, const Dimensions& d) { return stddev(x, 0, d); });
  addReduction(f, "median", [](const DlArray& x, const Dimensions& d) { return median(x, d); });
  addReduction(f, "max", [](const DlArray& x, const Dimensions& d) { return max(x, {}, d); });
  addReduction(f, "min", [](const DlArray& x, const Dimensions& d) { return min(x, {}, d); });
  addReduction(f, "any", [](const DlArray& x, const Dimensions& d) { return any(x, d); });
  addReduction(f, "all", [](const DlArray& x, const Dimensions& d) { return all(x, d); });
  addAlong(f, "cumsum", [](const DlArray& x, const Dimensions& d) { return cumsum(x, d); });
  addAlong(f, "cumprod", [](const DlArray& x, const Dimensions& d) { return cumprod(x, d); });
  addAlong(f, "sort", [](const DlArray& x, const Dimensions& d) { return sort(x, d); });
  addAlong(f, "circshift", [](const DlArray& x, const Dimensions& d) { return circshift(x, 1, d); });
  const auto one = [](Index) { return Index{1}; };
  f.push_back({"topk", [](const DlArray& x) { return topk(x, 1, 0); }, sized(0, one)});
  f.push_back({"vecnorm", [](const DlArray& x) { return vecnorm(x, 2, 1); }, sized(1, one)});
  f.push_back({"dot", [](const DlArray& x) { return dot(x, x, 0); }, sized(0, one)});
  f.push_back({"norm", [](const DlArray& x) { return norm(x, "fro"); }, allReduced});
  f.push_back({"flip", [](const DlArray& x) { return flip(x, 0); }, same});
  f.push_back({"flip", [](const DlArray& x) { return flip(x, {0, 1}); }, same});
  f.push_back(
      {"diff", [](const DlArray& x) { return diff(x, 1, 1); }, sized(1, [](Index n) { return std::max<Index>(n - 1, 0); })});
  return f;
}

std::vector<Function> shapes() {
  const auto doubled = [](Index n) { return 2 * n; };
  return {
      {"reshape", [](const DlArray& x) { return reshape(x, size(x)); }, unlabelled},
      {"stripdims", [](const DlArray& x) { return stripdims(x); }, unlabelled},
      {"dlarray", [](const DlArray& x) { return dlarray(x); }, same},
      {"dlarray", [](const DlArray& x) { return dims(x).empty() ? x : dlarray(stripdims(x), dims(x)); }, same},
      {"transpose", transpose, swapped},
      {"ctranspose", ctranspose, swapped},
      {"permute",
       [](const DlArray& x) {
         std::vector<Index> order;
         for (Index d = ndims(x); d-- > 0;) order.push_back(d);
         return permute(x, order);
       },
       turned},
      {"ipermute",
       [](const DlArray& x) {
         std::vector<Index> order;
         for (Index d = 0; d < ndims(x); ++d) order.push_back(d);
         return ipermute(x, order);
       },
       same},
      {"squeeze", squeeze, squeezed},
      {"repmat", [](const DlArray& x) { return repmat(x, 2, 1); }, sized(0, doubled)},
      {"repmat",
       [](const DlArray& x) {
         Size s;
         s.resize(static_cast<std::size_t>(ndims(x)));
         s.push_back(2);
         return repmat(x, s);
       },
       twiceAlongANewDimension},
      {"cat",
       [](const DlArray& x) {
         return cat(1, {x, x});
       },
       sized(1, doubled)},
      {"cat",
       [](const DlArray& x) {
         return cat(1, {x, stripdims(x)});
       },
       sized(1, doubled)},
      {"cat",
       [](const DlArray& x) {
         return cat(static_cast<int>(ndims(x)), {x, x});
       },
       twiceAlongANewDimension},
      {"horzcat", [](const DlArray& x) { return horzcat(x, x); }, sized(1, doubled)},
      {"vertcat", [](const DlArray& x) { return vertcat(x, x); }, sized(0, doubled)},
      {"index", [](const DlArray& x) { return x(0); }, [](const Plain&) { return std::string("1 x 1"); }},
      {"index", [](const DlArray& x) { return x(all); }, [](const Plain& x) { return std::to_string(numel(x.size)) + " x 1"; }},
      {"mtimes", [](const DlArray& x) { return x * 2; }, same},
      {"mtimes", [](const DlArray& x) { return DlArray(2) * x; }, same},
  };
}

bool namesItself(const Function& f, const Mistake& m) { return m.sentence.starts_with(f.name + ": "); }

void meet(const std::vector<Function>& functions, const std::vector<Plain>& shapes) {
  std::size_t wrong = 0;
  for (const Plain& shape : shapes) {
    const DlArray x = filled(shape);
    for (const Function& f : functions) {
      std::string got;
      const Mistake m = mistake([&] { got = text(f.call(x)); });
      const std::string want = f.rule(shape);
      const bool refused = m.identifier != "nothing";
      if (want == "refuses" ? refused && namesItself(f, m) : !refused && got == want) continue;
      if (++wrong < 20) BOOST_ERROR(f.name << " of " << text(shape) << ": " << (refused ? m.sentence : got) << ", not " << want);
    }
  }
  BOOST_TEST(wrong == 0U);
}

}  // namespace

BOOST_AUTO_TEST_CASE(element_wise_functions_meet_every_format) { meet(elementwise(), withOnes(formats(3))); }
BOOST_AUTO_TEST_CASE(functions_along_dimensions_meet_every_format) { meet(alongDimensions(), withOnes(formats(4))); }
BOOST_AUTO_TEST_CASE(functions_of_shape_meet_every_format) { meet(shapes(), withOnes(formats(4))); }

BOOST_AUTO_TEST_CASE(matrix_products_refuse_labels) {
  for (const Plain& shape : formats(4)) {
    const DlArray x = filled(shape);
    if (isscalar(x)) continue;
    const DlArray other = shape.size.size() == 2 ? ones(size(x, 1), size(x, 0)) : ones(3, 3);
    for (const auto& [name, f] :
         {std::pair("mtimes", &mtimes), {"pagemtimes", static_cast<DlArray (*)(Operand, Operand)>(&pagemtimes)}}) {
      std::string got;
      const Mistake m = mistake([&] { got = text((*f)(x, other)); });
      if (shape.labels.empty() && shape.size.size() == 2)
        BOOST_TEST(got == onlyUnlabelled(shape));
      else if (!shape.labels.empty())
        BOOST_TEST(m.sentence.starts_with(std::string(name) + ": "), text(shape) << ": " << got << m.sentence);
    }
  }
}

BOOST_AUTO_TEST_CASE(indexing_keeps_labels_with_as_many_subscripts_as_dimensions) {
  for (const Plain& shape : formats(4)) {
    const DlArray x = filled(shape);
    Plain want = shape;
    want.size[0] = 1;
    DlArray y;
    switch (ndims(x)) {
      case 2:
        y = x(0, all);
        break;
      case 3:
        y = x(0, all, all);
        break;
      default:
        y = x(0, all, all, all);
    }
    BOOST_TEST(text(y) == text(want));
    DlArray written = x;
    written(0, all) = 1;
    BOOST_TEST(text(written) == text(shape));
  }
}
