// Arrays from and to Armadillo's matrices, by copy and by view.
#include <dlarray/armadillo.hpp>
#include <dlarray/dlarray.hpp>

#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <numeric>

using namespace dl;
using dl::test::mistake;

namespace {

DlArray counted(const Size& size, std::string_view format = "") {
  std::vector<double> values(static_cast<std::size_t>(numel(size)));
  std::iota(values.begin(), values.end(), 1.0);
  return dlarray(values, size, format);
}

template <class M>
bool same(const M& a, const M& b) {
  return arma::size(a) == arma::size(b) && std::equal(a.begin(), a.end(), b.begin());
}

template <class M>
concept Viewable = requires(const DlArray& x) {
  view<M>(x);
};
template <class M>
concept MatrixOfTemporary = requires(const DlArray& x) {
  view<M>(x).get();
};

}  // namespace

// A reference into a temporary view would dangle; a view of another element type would need a copy.
static_assert(Viewable<arma::mat> && Viewable<arma::fmat> && Viewable<arma::vec> && Viewable<arma::rowvec> &&
              Viewable<arma::fcube>);
static_assert(!Viewable<arma::umat> && !Viewable<arma::cx_mat> && !Viewable<int>);
static_assert(!MatrixOfTemporary<arma::mat>);
static_assert(std::is_convertible_v<const View<arma::mat>&, const arma::mat&> &&
              !std::is_convertible_v<View<arma::mat>&&, const arma::mat&>);
static_assert(!std::is_copy_assignable_v<View<arma::mat>> && std::is_copy_constructible_v<View<arma::mat>>);

BOOST_AUTO_TEST_CASE(matrices_become_arrays) {
  const arma::mat A = {{1, 2, 3}, {4, 5, 6}};
  const DlArray X = dlarray(A);
  BOOST_TEST(isequal(X, dlarray({{1, 2, 3}, {4, 5, 6}})));
  BOOST_TEST(data<double>(X) != A.memptr());
  const DlArray labelled = dlarray(A, "CB");
  BOOST_TEST(dims(labelled) == "CB");
  BOOST_TEST(size(labelled, "B") == 3);
  BOOST_TEST((size(dlarray(arma::mat(0, 3))) == Size{0, 3}));
}

BOOST_AUTO_TEST_CASE(vectors_keep_their_direction) {
  BOOST_TEST((size(dlarray(arma::vec{1, 2, 3})) == Size{3, 1}));
  BOOST_TEST((size(dlarray(arma::rowvec{1, 2, 3})) == Size{1, 3}));
  const DlArray c = dlarray(arma::rowvec{1, 2, 3}, "C");
  BOOST_TEST((size(c) == Size{3, 1}));
  BOOST_TEST(dims(c) == "CU");
}

BOOST_AUTO_TEST_CASE(cubes_have_three_dimensions) {
  BOOST_TEST((size(dlarray(arma::cube(2, 3, 4, arma::fill::ones))) == Size{2, 3, 4}));
  arma::fcube F(2, 1, 2);
  F(0, 0, 0) = 1, F(1, 0, 0) = 2, F(0, 0, 1) = 3, F(1, 0, 1) = 4;
  const DlArray X = dlarray(F, "SCB");
  BOOST_TEST((underlyingType(X) == Type::Single));
  BOOST_TEST((extractdata<std::vector<float>>(X) == std::vector<float>{1, 2, 3, 4}));
  BOOST_TEST(dims(dlarray(arma::cube(2, 3, 1), "SCB")) == "SCB");
}

BOOST_AUTO_TEST_CASE(expressions_are_evaluated) {
  const arma::mat A = {{1, 2}, {3, 4}};
  const arma::vec v = {1, -1};
  BOOST_TEST(isequal(dlarray(A * A), dlarray({{7, 10}, {15, 22}})));
  BOOST_TEST(isequal(dlarray(A.t()), dlarray({{1, 3}, {2, 4}})));
  BOOST_TEST(isequal(dlarray(2 * A % A + 1), dlarray({{3, 9}, {19, 33}})));
  BOOST_TEST(isequal(dlarray(A * v), dlarray({{-1}, {-1}})));
  BOOST_TEST(isequal(dlarray(A.row(1)), dlarray({3, 4})));
  BOOST_TEST(isequal(dlarray(A.col(0), "C"), dlarray(std::vector<double>{1, 3}, "C")));
  BOOST_TEST(isequal(dlarray(arma::eye(2, 2)), dlarray({{1, 0}, {0, 1}})));
  BOOST_TEST(isequal(dlarray(A.submat(0, 1, 1, 1)), dlarray({{2}, {4}})));
  const arma::cube Q(2, 2, 2, arma::fill::value(3));
  BOOST_TEST(isequal(dlarray(Q * 2), dlarray(std::vector<double>(8, 6), Size{2, 2, 2})));
  const arma::mat::fixed<2, 2> fixed = {{1, 2}, {3, 4}};
  BOOST_TEST(isequal(dlarray(fixed), dlarray(A)));
}

BOOST_AUTO_TEST_CASE(comparisons_become_logical) {
  const arma::mat A = {{1, 2}, {3, 4}};
  const DlArray mask = dlarray(A > 2);
  BOOST_TEST((underlyingType(mask) == Type::Logical));
  BOOST_TEST((extractdata<std::vector<bool>>(mask) == std::vector<bool>{false, true, false, true}));
  // Positions are unsigned too, but no answers.
  const auto [id, sentence] = mistake([&] { dlarray(arma::uvec{0, 1, 7}); });
  BOOST_TEST(id == "dlarray:dlarray:unsigned");
  BOOST_TEST(
      sentence.starts_with("dlarray: a matrix of Armadillo's unsigned numbers becomes logical, but its element 2 is 7; convert "
                           "it to arma::mat first (armadillo_test.cpp:"));
}

BOOST_AUTO_TEST_CASE(arrays_become_matrices) {
  const DlArray X = dlarray({{1, 2, 3}, {4, 5, 6}});
  const arma::mat A = extractdata<arma::mat>(X);
  BOOST_TEST(same(A, arma::mat{{1, 2, 3}, {4, 5, 6}}));
  BOOST_TEST(A.memptr() != data<double>(X));
  BOOST_TEST(same(extractdata<arma::fmat>(X), arma::fmat{{1, 2, 3}, {4, 5, 6}}));
  BOOST_TEST(same(extractdata<arma::mat>(dlarray({1.0F, 2.0F})), arma::mat{{1, 2}}));
  BOOST_TEST(arma::size(extractdata<arma::mat>(DlArray(5.0))) == arma::size(1, 1));
  BOOST_TEST(arma::size(extractdata<arma::mat>(dlarray(std::vector<double>(), Size{0, 3}))) == arma::size(0, 3));
  // Labels given in another order are stored as S, C, B, T, U.
  BOOST_TEST(arma::size(extractdata<arma::mat>(counted(Size{2, 3, 1, 1}, "SSCB"))) == arma::size(2, 3));
}

BOOST_AUTO_TEST_CASE(vectors_of_either_direction_become_either_vector) {
  BOOST_TEST(same(extractdata<arma::vec>(dlarray({1, 2, 3})), arma::vec{1, 2, 3}));
  BOOST_TEST(same(extractdata<arma::vec>(dlarray(std::vector<double>{1, 2, 3})), arma::vec{1, 2, 3}));
  BOOST_TEST(same(extractdata<arma::rowvec>(dlarray(std::vector<double>{1, 2, 3}, "C")), arma::rowvec{1, 2, 3}));
  BOOST_TEST(same(extractdata<arma::fvec>(dlarray({1, 2, 3})), arma::fvec{1, 2, 3}));
  BOOST_TEST(extractdata<arma::vec>(DlArray()).is_empty());
  BOOST_TEST(same(extractdata<arma::vec>(DlArray(2.0)), arma::vec{2}));
}

BOOST_AUTO_TEST_CASE(cubes_come_out) {
  const arma::cube Q = extractdata<arma::cube>(counted(Size{2, 3, 4}, "SCB"));
  BOOST_TEST(arma::size(Q) == arma::size(2, 3, 4));
  BOOST_TEST(Q(1, 2, 3) == 24);
  BOOST_TEST(Q(0, 1, 0) == 3);
  BOOST_TEST(arma::size(extractdata<arma::cube>(dlarray({{1, 2}, {3, 4}}))) == arma::size(2, 2, 1));
  BOOST_TEST(arma::size(extractdata<arma::fcube>(counted(Size{2, 3, 4, 1}, "SSCB"))) == arma::size(2, 3, 4));
}

BOOST_AUTO_TEST_CASE(logical_arrays_and_positions_come_out_unsigned) {
  BOOST_TEST(same(extractdata<arma::umat>(dlarray({{true, false}, {true, true}})), arma::umat("1 0; 1 1")));
  BOOST_TEST(same(extractdata<arma::uvec>(dlarray({2, 0, 1})), arma::uvec{2, 0, 1}));
  const auto [id, sentence] = mistake([] { extractdata<arma::uvec>(dlarray({1.0, -1.0})); });
  BOOST_TEST(id == "dlarray:extractdata:unsigned");
  BOOST_TEST(
      sentence.starts_with("extractdata: Armadillo's unsigned numbers cannot hold element 1, which is -1 (armadillo_test.cpp:"));
  BOOST_TEST(mistake([] { extractdata<arma::uvec>(DlArray(0.5)); }).identifier == "dlarray:extractdata:unsigned");
  BOOST_TEST(mistake([] { extractdata<arma::uvec>(DlArray(1.0) / 0.0); }).identifier == "dlarray:extractdata:unsigned");
}

BOOST_AUTO_TEST_CASE(an_array_with_too_many_dimensions_is_an_error) {
  const auto [id, sentence] = mistake([] { extractdata<arma::mat>(counted(Size{2, 3, 4})); });
  BOOST_TEST(id == "dlarray:extractdata:shape");
  BOOST_TEST(sentence.starts_with(
      "extractdata: an array of size 2 x 3 x 4 is no arma::Mat, which has two dimensions (armadillo_test.cpp:"));
  BOOST_TEST(mistake([] {
               extractdata<arma::vec>(counted(Size{2, 3}, "CB"));
             }).sentence.starts_with("extractdata: an array of size 2(C) x 3(B) is no arma::Col, which has one dimension"));
  BOOST_TEST(mistake([] {
               extractdata<arma::rowvec>(counted(Size{1, 1, 3}));
             }).sentence.find("is no arma::Row, which has one dimension") != std::string::npos);
  BOOST_TEST(mistake([] {
               extractdata<arma::cube>(counted(Size{2, 3, 4, 2}));
             }).sentence.starts_with("extractdata: an array of size 2 x 3 x 4 x 2 is no arma::Cube, which has three dimensions"));
  BOOST_TEST(mistake([] { view<arma::mat>(counted(Size{2, 3, 4})); }).identifier == "dlarray:view:shape");
}

BOOST_AUTO_TEST_CASE(a_view_copies_nothing) {
  const DlArray X = counted(Size{40, 25}, "CB");
  const auto A = view<arma::mat>(X);
  BOOST_TEST(A->memptr() == data<double>(X));
  BOOST_TEST(arma::size(*A) == arma::size(40, 25));
  BOOST_TEST(arma::accu(*A) == 1000 * 1001 / 2);
  const arma::mat& reference = A;
  BOOST_TEST(reference(39, 24) == 1000);
  const DlArray v = dlarray({1.0F, 2.0F, 3.0F});
  BOOST_TEST(view<arma::frowvec>(v)->n_elem == 3U);
  const auto Q = view<arma::cube>(counted(Size{2, 3, 4}));
  BOOST_TEST((*Q)(1, 2, 3) == 24);
}

BOOST_AUTO_TEST_CASE(a_view_keeps_the_elements_alive_and_as_they_are) {
  auto X = std::make_unique<DlArray>(counted(Size{100, 10}));
  const auto A = view<arma::mat>(*X);
  (*X)(0, 0) = -5;
  BOOST_TEST(double((*X)(0, 0)) == -5);
  BOOST_TEST((*A)(0, 0) == 1);
  X.reset();
  BOOST_TEST((*A)(99, 9) == 1000);
  // Small arrays hold their elements in themselves.
  const auto small = view<arma::mat>(dlarray({1.5, 2.5}));
  BOOST_TEST((*small)(0, 1) == 2.5);
}

BOOST_AUTO_TEST_CASE(views_may_be_copied_and_returned) {
  const auto make = [] {
    const DlArray X = counted(Size{30, 30});
    const auto A = view<arma::mat>(X);
    return A;
  };
  auto A = std::make_unique<View<arma::mat>>(make());
  const View<arma::mat> B = *A;
  BOOST_TEST(B->memptr() == (*A)->memptr());
  const View<arma::mat> C = std::move(*A);
  A.reset();
  BOOST_TEST(C->memptr() == B->memptr());
  BOOST_TEST(C->memptr() == data<double>(C.array()));
  BOOST_TEST(arma::accu(*C) == 900 * 901 / 2);
  // A matrix made from a view has memory of its own.
  arma::mat copy = *C;
  copy(0, 0) = 7;
  BOOST_TEST((*C)(0, 0) == 1);
}

BOOST_AUTO_TEST_CASE(a_view_of_another_element_type_is_an_error) {
  const DlArray X = dlarray({1.0F, 2.0F});
  const auto [id, sentence] = mistake([&] { view<arma::mat>(X); });
  BOOST_TEST(id == "dlarray:data:type");
  BOOST_TEST(
      sentence.starts_with("view: the array is single, not double; convert it first, or use extractdata (armadillo_test.cpp:"));
  BOOST_TEST(mistake([] { view<arma::fmat>(DlArray(true)); }).sentence.starts_with("view: the array is logical, not single"));
}

BOOST_AUTO_TEST_CASE(a_linear_system_goes_through_armadillo) {
  const DlArray A = dlarray({{4, 1}, {1, 3}}), b = dlarray({{1}, {2}});
  const auto a = view<arma::mat>(A);
  const auto rhs = view<arma::vec>(b);
  const DlArray x = dlarray(arma::solve(*a, *rhs));
  BOOST_TEST(double(x(0)) == 1.0 / 11, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(double(x(1)) == 7.0 / 11, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(taking_values_out_ends_the_trace) {
  const auto f = [](const DlArray& x) {
    const auto v = view<arma::rowvec>(x);
    return dlgradient(sum(x % dlarray(*v)), x);  // the second factor is a constant
  };
  BOOST_TEST(isequal(dlfeval(f, dlarray({2.0, 3.0})), dlarray({2.0, 3.0})));
}
