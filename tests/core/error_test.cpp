// The sentences that a user reads: word by word, with the line of the call, and nothing changed by the call that failed.
#include "harness/mistake.hpp"
#include "harness/plain.hpp"

#include <boost/test/unit_test.hpp>

using namespace dl;
using namespace dl::test;

namespace {

struct Case {
  int line;  // 0 where the standard library cannot tell it
  std::function<void()> call;
  std::string identifier, sentence;
};

// A line of the library itself would tell the user nothing.
bool namesOtherLine(const std::string& sentence) {
  for (std::size_t at = sentence.find("pp:"); at != std::string::npos; at = sentence.find("pp:", at + 1))
    if (!sentence.substr(0, at).ends_with(" (error_test.c")) return true;
  return false;
}

void check(const Case& c) {
  const Mistake m = mistake(c.call);
  const std::string line = c.line ? " (error_test.cpp:" + std::to_string(c.line) + ")" : "";
  BOOST_TEST(m.sentence == c.sentence + line);
  BOOST_TEST(m.identifier == c.identifier);
  BOOST_TEST(!namesOtherLine(m.sentence), m.sentence);
}

// Arrays for the mistakes; `check` looks afterwards whether they are as they were.
struct Arrays {
  DlArray x34 = counted("3 x 4"), x56 = counted("5 x 6"), row = counted("1 x 3"), CB = counted("3(C) x 7(B)"),
          other = counted("3(C) x 4(B)"), SCB = counted("2(S) x 3(C) x 4(B)"), single = single_(counted("2 x 2"));

  static DlArray counted(const char* shape) {
    Plain p = parse(shape);
    for (Index k = 0; k < numel(p.size); ++k) p.values.push_back(static_cast<double>(k));
    return array(p);
  }
  void check(const std::vector<Case>& cases) const {
    for (const Case& c : cases) ::check(c);
    const DlArray* const now[] = {&x34, &x56, &row, &CB, &other, &SCB, &single};
    const Arrays fresh;
    const DlArray* const before[] = {&fresh.x34, &fresh.x56, &fresh.row, &fresh.CB, &fresh.other, &fresh.SCB, &fresh.single};
    for (std::size_t i = 0; i < std::size(now); ++i) {
      BOOST_TEST(isequal(*now[i], *before[i]), "array " << i);
      BOOST_TEST((underlyingType(*now[i]) == underlyingType(*before[i])), "array " << i);
    }
  }
};

template <class F, class... X>
std::function<void()> in(F f, X... x) {
  return [=] { dlfeval(f, x...); };
}

const std::string notScalarWays =
    "; differentiate sum(y, \"all\"), or use dlvjp(y, x, w) for a weighted sum and dljacobian(y, x, dim) for all derivatives";

}  // namespace

// Each call stands in the line of its __LINE__.
// clang-format off

BOOST_AUTO_TEST_CASE(gradients) {
  const Arrays a;
  const std::string notTraced = "the value does not depend on any traced input; ", way = "; call it inside the function that dlfeval evaluates";
  const std::string constants = notTraced + "traced are the arrays among the arguments of dlfeval, plain numbers and captured arrays are constants";
  const std::string cutOff = notTraced + "extractdata and conversion to numbers take values out of the trace";
  a.check({
      {__LINE__, in([](const DlArray& x) { return dlgradient(2 * x, x); }, a.CB), "dlarray:dlgradient:notScalar",
       "dlgradient: the value to differentiate must be a scalar, it is 3(C) x 7(B)" + notScalarWays},
      {__LINE__, in([](const DlArray& x) { return dlhessian(2 * x, x); }, a.row), "dlarray:dlgradient:notScalar",
       "dlhessian: the value to differentiate must be a scalar, it is 1 x 3" + notScalarWays},
      {__LINE__, [&] { dlgradient(sum(a.row), a.row); }, "dlarray:dlgradient:outsideDlfeval", "dlgradient: no trace is open" + way},
      {__LINE__, [&] { dlhessian(sum(a.row), a.row); }, "dlarray:dlgradient:outsideDlfeval", "dlhessian: no trace is open" + way},
      {__LINE__, [&] { dlhvp(sum(a.row), a.row, a.row); }, "dlarray:dlgradient:outsideDlfeval", "dlhvp: no trace is open" + way},
      {__LINE__, [&] { dlvjp(a.row, a.row, a.row); }, "dlarray:dlgradient:outsideDlfeval", "dlvjp: no trace is open" + way},
      {__LINE__, [&] { dljvp(a.row, a.row, a.row); }, "dlarray:dlgradient:outsideDlfeval", "dljvp: no trace is open" + way},
      {__LINE__, in([&](const DlArray& x) { return dlgradient(sum(x), a.row); }, a.row), "dlarray:dlgradient:variableNotTraced",
       "dlgradient: an array of size 1 x 3 by which to differentiate is not traced; pass it to the function as an argument of dlfeval, or "
       "differentiate by an array that the function computed from its arguments"},
      {__LINE__, in([&](const DlArray& x) { return dlgradient(sum(a.row), x); }, a.row), "dlarray:dlgradient:notTraced", "dlgradient: " + constants},
      {__LINE__, in([](const DlArray& x) { return dlgradient(pow(DlArray(extractdata<double>(sum(x))), 2), x); }, a.row),
       "dlarray:dlgradient:notTraced", "dlgradient: " + cutOff},
      {__LINE__, in([](const DlArray& x) { return dlgradient(DlArray(double(sum(x))), x); }, a.row), "dlarray:dlgradient:notTraced",
       "dlgradient: " + cutOff},
      {__LINE__, in([](const DlArray& x) { return dlgradient(sum(dlgradient(sum(x % x), x) % 2), x); }, a.row),
       "dlarray:dlgradient:noHigherDerivatives",
       "dlgradient: the value was computed from a gradient that is not traced; give that dlgradient call {.enableHigherDerivatives = true}"},
      {__LINE__, in([](const DlArray& x) { const DlArray y = sum(x % x), g = dlgradient(y, x); return g + dlgradient(y, x); }, a.row),
       "dlarray:dlgradient:dataReleased",
       "dlgradient: the trace's data was released by an earlier dlgradient of the same values; give that call {.retainData = true}"},
      {__LINE__, in([](const DlArray& x) { return dlfeval([&](const DlArray& z) { return dlgradient(x, z); }, x); }, DlArray(1)),
       "dlarray:dlgradient:notTraced", "dlgradient: the value belongs to the trace of an enclosing dlfeval, not to the innermost one"},
      {__LINE__, in([&](const DlArray& x) { return dlhvp(sum(x), x, a.single); }, a.row), "dlarray:derivatives:size",
       "dlhvp: a factor of size 2 x 2 was given for a variable of size 1 x 3"},
      {__LINE__, in([&](const DlArray& x) { return dljvp(x, x, a.single); }, a.row), "dlarray:derivatives:size",
       "dljvp: a factor of size 2 x 2 was given for a variable of size 1 x 3"},
      {__LINE__, in([&](const DlArray& x) { return dlvjp(x, x, a.single); }, a.row), "dlarray:derivatives:size",
       "dlvjp: a factor of size 2 x 2 was given for a value of size 1 x 3"},
  });
}

BOOST_AUTO_TEST_CASE(sizes_and_labels) {
  const Arrays a;
  const std::string rule = "; in each dimension they must be equal or one of them 1";
  DlArray x = a.x34;
  a.check({
      {__LINE__, [&] { a.x34 + a.x56; }, "dlarray:sizes:expand", "plus: sizes do not expand: 3 x 4 and 5 x 6" + rule},
      {__LINE__, [&] { hypot(a.x34, a.x56); }, "dlarray:sizes:expand", "hypot: sizes do not expand: 3 x 4 and 5 x 6" + rule},
      {__LINE__, [&] { a.x34 <= a.x56; }, "dlarray:sizes:expand", "le: sizes do not expand: 3 x 4 and 5 x 6" + rule},
      {0, [&] { a.x34 && a.x56; }, "dlarray:sizes:expand", "and: sizes do not expand: 3 x 4 and 5 x 6" + rule},
      {__LINE__, [&] { max(a.x34, a.x56); }, "dlarray:sizes:expand", "max: sizes do not expand: 3 x 4 and 5 x 6" + rule},
      {__LINE__, [&] { x -= a.x56; }, "dlarray:sizes:expand", "minus: sizes do not expand: 3 x 4 and 5 x 6" + rule},
      {__LINE__, [&] { x(all, 0) += a.row; x(0, all) += a.row; }, "dlarray:assign:size",
       "assign: 3 elements of 3 x 4 are of size 3 x 1, the values are of size 3 x 3"},
      {__LINE__, [&] { a.CB + a.x34; }, "dlarray:sizes:expand", "plus: sizes do not expand: 3(C) x 7(B) and 3 x 4" + rule},
      {__LINE__, [&] { a.CB % a.other; }, "dlarray:sizes:labels", "times: sizes of label B differ: 3(C) x 7(B) and 3(C) x 4(B)"},
      {__LINE__, [&] { dlarray({1.0, 2.0}, "C") / a.SCB; }, "dlarray:sizes:labels", "rdivide: sizes of label C differ: 2(C) x 1(U) and 2(S) x 3(C) x 4(B)"},
      {__LINE__, [&] { cat("B", {a.CB, a.SCB}); }, "dlarray:cat:labels", "cat: labels differ: 3(C) x 7(B) and 2(S) x 3(C) x 4(B)"},
      {__LINE__, [&] { permute(a.CB, {1, 0}); }, "dlarray:permute:labels",
       "permute: dimensions 0 and 1 of 3(C) x 7(B) have different labels, which keep their places; take the labels off with stripdims first"},
  });
  BOOST_TEST(isequal(x, a.x34));
}

BOOST_AUTO_TEST_CASE(label_strings) {
  const Arrays a;
  const std::string letters = "; it is made of the letters S (spatial), C (channel), B (batch), T (time), U (unspecified)";
  const std::vector<double> five(5);
  a.check({
      {__LINE__, [&] { dlarray(a.x34, "XB"); }, "dlarray:format:letter", "dlarray: \"XB\" is not a data format" + letters},
      {__LINE__, [&] { dlarray(a.x34, "cb"); }, "dlarray:format:letter", "dlarray: \"cb\" is not a data format" + letters},
      {__LINE__, [&] { dlarray(five, "all"); }, "dlarray:format:letter", "dlarray: \"all\" is not a data format" + letters},
      {__LINE__, [&] { dlarray(a.x34, "CC"); }, "dlarray:format:twice", "dlarray: label C stands twice in \"CC\"; only S and U may be repeated"},
      {__LINE__, [&] { dlarray({1.0, 2.0}, "TST"); }, "dlarray:format:twice", "dlarray: label T stands twice in \"TST\"; only S and U may be repeated"},
      {__LINE__, [&] { dlarray(stripdims(a.SCB), "CB"); }, "dlarray:dlarray:labels",
       "dlarray: \"CB\" labels 2 of the 3 dimensions of 2 x 3 x 4; every dimension needs a label"},
      {__LINE__, [&] { dlarray(a.x34, "C"); }, "dlarray:dlarray:labels", "dlarray: \"C\" labels 1 of the 2 dimensions of 3 x 4; every dimension needs a label"},
      {__LINE__, [&] { dlarray(five, Size{2, 3}, "CB"); }, "dlarray:dlarray:count", "dlarray: 5 numbers do not fill an array of size 2 x 3, which has 6"},
      {__LINE__, [&] { dlarray({{1, 2}, {3}}); }, "dlarray:dlarray:rows", "dlarray: rows differ in length: row 0 has 2 numbers, row 1 has 1"},
      {__LINE__, [&] { sum(a.CB, "S"); }, "dlarray:dimensions:label", "sum: 3(C) x 7(B) has no dimension labelled S"},
      {__LINE__, [&] { sum(a.x34, "S"); }, "dlarray:dimensions:label", "sum: 3 x 4 has no dimension labelled S; it is unlabelled"},
      {__LINE__, [&] { sum(a.CB, "Q"); }, "dlarray:format:letter", "sum: \"Q\" is not a data format" + letters},
      {__LINE__, [&] { size(a.CB, "S"); }, "dlarray:size:label", "size: 3(C) x 7(B) has no dimension labelled S"},
      {__LINE__, [&] { finddim(a.CB, "SC"); }, "dlarray:finddim:oneLabel", "finddim: one label is looked for at a time, not \"SC\""},
      {__LINE__, [&] { stripdims(a.CB, "C"); }, "dlarray:stripdims:labels",
       "stripdims: \"C\" lacks label B of 3(C) x 7(B); all labels of the array must be named"},
  });
}

BOOST_AUTO_TEST_CASE(products) {
  const Arrays a;
  DlArray x = a.x34;
  const DlArray square = Arrays::counted("7 x 2");
  a.check({
      {__LINE__, [&] { a.x34 * a.x56; }, "dlarray:mtimes:innerSizes", "mtimes: inner sizes differ: 3 x 4 times 5 x 6"},
      {__LINE__, [&] { mtimes(a.other, a.x56); }, "dlarray:mtimes:innerSizes", "mtimes: inner sizes differ: 3(C) x 4(B) times 5 x 6"},
      {__LINE__, [&] { x *= a.x56; }, "dlarray:mtimes:innerSizes", "mtimes: inner sizes differ: 3 x 4 times 5 x 6"},
      {__LINE__, [&] { a.CB * square; }, "dlarray:mtimes:labels",
       "mtimes: 3(C) x 7(B) times 7 x 2: a labelled matrix takes no part in a matrix product; take the labels off with stripdims first"},
      {__LINE__, [&] { stripdims(a.SCB) * a.x34; }, "dlarray:mtimes:pages",
       "mtimes: 2 x 3 x 4 times 3 x 4: a matrix product takes matrices; pagemtimes multiplies page by page"},
  });
  BOOST_TEST(isequal(x, a.x34));
}

BOOST_AUTO_TEST_CASE(indexing) {
  const Arrays a;
  DlArray x = a.x34, labelled = a.SCB;
  const std::string stored = "; its dimensions are stored in the order SCB";
  a.check({
      {__LINE__, [&] { a.x34(12); }, "dlarray:index:range", "index: position 12 is out of range, 3 x 4 has 12 elements, counted from 0"},
      {__LINE__, [&] { a.x34(3, 0); }, "dlarray:index:range", "index: position 3 is out of range in dimension 0 of 3 x 4, which has size 3, counted from 0"},
      {__LINE__, [&] { a.x34(0, span(1, 4)); }, "dlarray:index:range", "index: position 4 is out of range in dimension 1 of 3 x 4, which has size 4, counted from 0"},
      {__LINE__, [&] { a.x34(end - 12); }, "dlarray:index:range", "index: position -1 is out of range, 3 x 4 has 12 elements, counted from 0"},
      {__LINE__, [&] { a.SCB(0, 5, 0); }, "dlarray:index:range",
       "index: position 5 is out of range in dimension 1 (C) of 2(S) x 3(C) x 4(B), which has size 3, counted from 0" + stored},
      {__LINE__, [&] { a.SCB({1, 30}); }, "dlarray:index:range", "index: position 30 is out of range, 2(S) x 3(C) x 4(B) has 24 elements, counted from 0" + stored},
      {__LINE__, [&] { DlArray(x(3, 1)); }, "dlarray:index:range", "index: position 3 is out of range in dimension 0 of 3 x 4, which has size 3, counted from 0"},
      {__LINE__, [&] { x(12) = 5; }, "dlarray:index:range", "index: position 12 is out of range, 3 x 4 has 12 elements, counted from 0"},
      {__LINE__, [&] { labelled(2, all, all) = 5; }, "dlarray:index:range",
       "index: position 2 is out of range in dimension 0 (S) of 2(S) x 3(C) x 4(B), which has size 2, counted from 0" + stored},
      {__LINE__, [&] { a.x34(dlarray({1.5})); }, "dlarray:index:whole", "index: position 1.5 is not a whole number"},
      {__LINE__, [&] { a.x34(a.row > 0, a.row > 0, a.row > 0, a.x56 > 0); }, "dlarray:index:mask", "index: a mask of size 1 x 3 does not fit 3 x 4"},
      {__LINE__, [&] { a.x34(a.x56 > 0); }, "dlarray:index:mask", "index: a mask of size 5 x 6 does not fit 3 x 4"},
      {__LINE__, [&] { a.x34(span(0, 0, 3)); }, "dlarray:index:step", "index: a span's step must not be 0"},
      {__LINE__, [&] { x(all, 0) = a.x34; }, "dlarray:assign:size", "assign: 3 elements of 3 x 4 are of size 3 x 1, the values are of size 3 x 4"},
      {__LINE__, [&] { x(span(0, 1), all) = dlarray(a.x34(all, span(0, 1)), "CB"); }, "dlarray:assign:size",
       "assign: 8 elements of 3 x 4 are of size 2 x 4, the values are of size 3(C) x 2(B)"},
      {__LINE__, [&] { x(x > 3) = a.row; }, "dlarray:assign:size", "assign: 8 elements of 3 x 4 are of size 8 x 1, the values are of size 1 x 3"},
      {__LINE__, [&] { labelled(0, all, all) = a.row; }, "dlarray:assign:size",
       "assign: 12 elements of 2(S) x 3(C) x 4(B) are of size 1 x 3 x 4, the values are of size 1 x 3"},
  });
  BOOST_TEST(isequal(x, a.x34));
  BOOST_TEST(isequal(labelled, a.SCB));
}

BOOST_AUTO_TEST_CASE(dimensions_and_numbers) {
  const Arrays a;
  a.check({
      {__LINE__, [&] { sum(a.x34); }, "dlarray:dimensions:missing", "sum: 3 x 4 has 2 dimensions longer than 1; say which one, counted from 0, or \"all\""},
      {__LINE__, [&] { mean(a.CB); }, "dlarray:dimensions:missing",
       "mean: 3(C) x 7(B) has 2 dimensions longer than 1; say which one, counted from 0, or by label, or \"all\""},
      {__LINE__, [&] { cumsum(a.x34); }, "dlarray:dimensions:missing", "cumsum: 3 x 4 has 2 dimensions longer than 1; say which one, counted from 0"},
      {__LINE__, [&] { sum(a.x34, -1); }, "dlarray:dimensions:negative", "sum: dimension -1 does not exist; dimensions count from 0"},
      {__LINE__, [&] { size(a.x34, -1); }, "dlarray:size:dimension", "size: dimension -1 does not exist; dimensions count from 0"},
      {__LINE__, [&] { reshape(a.x34, 5, 2); }, "dlarray:reshape:count", "reshape: the 12 elements of 3 x 4 do not fill 5 x 2, which has 10"},
      {__LINE__, [&] { data<float>(a.x34); }, "dlarray:data:type", "data: the array is double, not single; convert it first, or use extractdata"},
      {__LINE__, [&] { data<double>(a.single); }, "dlarray:data:type", "data: the array is single, not double; convert it first, or use extractdata"},
      {__LINE__, [&] { gpuArray(a.x34); }, "dlarray:gpuArray:unavailable",
       "gpuArray: no GPU can be used; this version of the library has no GPU plug-in, test canUseGPU() first"},
      {__LINE__, [&] { cast(a.x34, Type::ComplexDouble); }, "dlarray:cast:complex", "cast: complex arrays are not available in this version"},
      {__LINE__, [&] { zeros(2, -1); }, "dlarray:creation:negative", "zeros: dimension 1 has the negative size -1"},
      {__LINE__, [&] { rand(-3, 2, "single"); }, "dlarray:creation:negative", "rand: dimension 0 has the negative size -3"},
      {__LINE__, [&] { a.x34(3, 0, 0, 0, 0, 0); }, "dlarray:index:range",
       "index: position 3 is out of range in dimension 0 of 3 x 4, which has size 3, counted from 0"},
      {__LINE__, [&] { DlArray x = a.x34; x(all, 4, 0, 0, 0, 0, 0) = 1; }, "dlarray:index:range",
       "index: position 4 is out of range in dimension 1 of 3 x 4, which has size 4, counted from 0"},
      {0, [&] { return double(a.x34); }, "dlarray:scalar",
       "number: an array of size 3 x 4 was used where a scalar is needed; take an element, or use sum, all or any"},
      {0, [&] { return a.CB > 0 ? 1 : 0; }, "dlarray:scalar",
       "condition: an array of size 3(C) x 7(B) was used where a scalar is needed; take an element, or use sum, all or any"},
      {0, [&] { Size{2, -1}; }, "dlarray:size:negative", "size: dimension 1 has the negative size -1"},
  });
}

// A pointer of one precision to elements of the other does not compile.
template <class Pointer, class T>
concept PointerFrom = requires(const DlArray& x, Pointer p) { p = data<T>(x); };
static_assert(PointerFrom<const double*, double> && !PointerFrom<const double*, float> && !PointerFrom<const float*, double>);

BOOST_AUTO_TEST_CASE(the_line_is_that_of_the_user_also_through_several_calls_of_the_library) {
  DlArray x = dlarray({1.0, 2.0, 3.0});
  const auto lineOf = [](const std::string& sentence) {
    const auto at = sentence.rfind(" (error_test.cpp:");
    return at == std::string::npos ? 0 : std::stoi(sentence.substr(at + 17));
  };
  BOOST_TEST(lineOf(mistake([&] { x(0)(1) = 3; x({0, 1})(4); }).sentence) == 0, "X(...)(...) has no line, not the library's");
  BOOST_TEST(lineOf(mistake([&] { horzcat(x, dlarray({{1}, {2}})); }).sentence) == __LINE__);
  BOOST_TEST(lineOf(mistake([&] { vecnorm(dlarray({{1, 2}, {3, 4}})); }).sentence) == __LINE__);
  BOOST_TEST(lineOf(mistake([&] { stddev(dlarray({{1, 2}, {3, 4}})); }).sentence) == __LINE__);
  BOOST_TEST(lineOf(mistake([&] { dot(x, dlarray({1.0, 2.0})); }).sentence) == __LINE__);
  BOOST_TEST(!namesOtherLine(mistake([&] { checkGradients([](const DlArray& z) { return 2 * z; }, x, {.display = false}); }).sentence));
}

BOOST_AUTO_TEST_CASE(errors_are_runtime_errors_with_an_identifier) {
  try {
    dlarray({1.0, 2.0}) + dlarray({1.0, 2.0, 3.0});
    BOOST_FAIL("nothing was thrown");
  } catch (const std::runtime_error& e) {
    const auto* ours = dynamic_cast<const Error*>(&e);
    BOOST_TEST_REQUIRE(ours);
    BOOST_TEST(ours->identifier() == "dlarray:sizes:expand");
  }
}
