#pragma once
// Arrays from and to Armadillo's matrices: opt-in, before or after <dlarray/dlarray.hpp>; programs link dlarray::armadillo.
#include <armadillo>
#include <dlarray/array.hpp>
#include <tuple>

namespace dl {

namespace detail {

/// Armadillo's element types that have a counterpart; its unsigned numbers, the answers of its comparisons, are our logical.
template <class T>
concept ArmadilloElement = std::same_as<T, double> || std::same_as<T, float> || std::same_as<T, arma::uword>;

[[noreturn]] void failArmadilloShape(const DlArray& x, const char* function, const char* wanted, std::source_location where);
[[noreturn]] void failArmadilloLogical(Index position, double value, std::source_location where);
[[noreturn]] void failArmadilloUnsigned(Index position, double value, std::source_location where);

template <ArmadilloElement T>
DlArray fromArmadillo(const T* elements, const Size& size, std::string_view format, std::source_location where) {
  if constexpr (Element<T>) {
    return fromData(elements, typeOf<T>, size, format, where);
  } else {
    std::vector<char> bytes(static_cast<std::size_t>(numel(size)));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (elements[i] > 1) failArmadilloLogical(static_cast<Index>(i), static_cast<double>(elements[i]), where);
      bytes[i] = static_cast<char>(elements[i]);
    }
    return fromData(bytes.data(), Type::Logical, size, format, where);
  }
}

inline arma::uword lengthOf(const DlArray& x, Index dimension) { return static_cast<arma::uword>(size(x, dimension)); }

/// Which arrays an Armadillo class can hold, and the sizes its constructors then take.
template <class M>
struct ArmadilloClass;
template <class T>
struct ArmadilloClass<arma::Mat<T>> {
  static constexpr const char* name = "arma::Mat, which has two dimensions";
  static bool fits(const DlArray& x) { return ismatrix(x); }
  static auto sizes(const DlArray& x) { return std::tuple(lengthOf(x, 0), lengthOf(x, 1)); }
};
template <class T>
struct ArmadilloClass<arma::Col<T>> {
  static constexpr const char* name = "arma::Col, which has one dimension";
  static bool fits(const DlArray& x) { return isvector(x) || size(x) == Size{0, 0}; }
  static auto sizes(const DlArray& x) { return std::tuple(static_cast<arma::uword>(numel(x))); }
};
template <class T>
struct ArmadilloClass<arma::Row<T>> : ArmadilloClass<arma::Col<T>> {
  static constexpr const char* name = "arma::Row, which has one dimension";
};
template <class T>
struct ArmadilloClass<arma::Cube<T>> {
  static constexpr const char* name = "arma::Cube, which has three dimensions";
  static bool fits(const DlArray& x) {
    for (Index d = 3; d < ndims(x); ++d)
      if (size(x, d) != 1) return false;
    return true;
  }
  static auto sizes(const DlArray& x) { return std::tuple(lengthOf(x, 0), lengthOf(x, 1), lengthOf(x, 2)); }
};

/// Mat, Col, Row and Cube of the element types above.
template <class M>
concept Armadillo = requires {
  ArmadilloClass<M>::name;
}
&&ArmadilloElement<typename M::elem_type>;

template <Armadillo M>
auto sizesFor(const DlArray& x, const char* function, std::source_location where) {
  if (!ArmadilloClass<M>::fits(x)) failArmadilloShape(x, function, ArmadilloClass<M>::name, where);
  return ArmadilloClass<M>::sizes(x);
}

template <Armadillo M>
struct Extract<M> {
  static M from(const DlArray& x, std::source_location where) {
    using T = typename M::elem_type;
    M result = std::apply([](auto... n) { return M(n..., arma::fill::none); }, sizesFor<M>(x, "extractdata", where));
    if constexpr (Element<T>) {
      copyOut(x, result.memptr(), typeOf<T>);
    } else {
      std::vector<double> values(static_cast<std::size_t>(numel(x)));
      copyOut(x, values.data(), Type::Double);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double v = values[i];
        const bool exact = v >= 0 && v <= 0x1p53 && v == static_cast<double>(static_cast<T>(v));
        if (!exact) failArmadilloUnsigned(static_cast<Index>(i), v, where);
        result[static_cast<arma::uword>(i)] = static_cast<T>(v);
      }
    }
    return result;
  }
};

}  // namespace detail

/// An array of the elements of a matrix, a vector or an expression of Armadillo's such as `A * B + C`, copied once. Of `double`,
/// `float` or, as logical, the 0s and 1s of Armadillo's comparisons; throws for other unsigned numbers. `format` labels the
/// dimensions.
template <detail::ArmadilloElement T, class Expression>
DlArray dlarray(const arma::Base<T, Expression>& x, std::string_view format = "",
                std::source_location where = std::source_location::current()) {
  if constexpr (std::derived_from<Expression, arma::Mat<T>>) {
    const arma::Mat<T>& m = x.get_ref();
    return detail::fromArmadillo(m.memptr(), Size{static_cast<Index>(m.n_rows), static_cast<Index>(m.n_cols)}, format, where);
  } else {
    return dlarray(arma::Mat<T>(x.get_ref()), format, where);
  }
}
/// The same of a cube or an expression of cubes.
template <detail::ArmadilloElement T, class Expression>
DlArray dlarray(const arma::BaseCube<T, Expression>& x, std::string_view format = "",
                std::source_location where = std::source_location::current()) {
  if constexpr (std::derived_from<Expression, arma::Cube<T>>) {
    const arma::Cube<T>& m = x.get_ref();
    const Size size{static_cast<Index>(m.n_rows), static_cast<Index>(m.n_cols), static_cast<Index>(m.n_slices)};
    return detail::fromArmadillo(m.memptr(), size, format, where);
  } else {
    return dlarray(arma::Cube<T>(x.get_ref()), format, where);
  }
}

/// An array's elements as a constant matrix of Armadillo's, without a copy; see `view`. Copies of it look at the same elements.
template <detail::Armadillo M>
requires Element<typename M::elem_type>
class View {
 public:
  explicit View(const DlArray& x, std::source_location where = std::source_location::current())
      : array_(x), matrix_(on(array_, where)) {}
  // A copied or moved arma::Mat forgets whose memory it has: every View builds its own.
  View(const View& other) : View(other.array_) {}
  View& operator=(const View&) = delete;

  const M& get() const& noexcept { return matrix_; }
  const M& operator*() const& noexcept { return matrix_; }
  const M* operator->() const noexcept { return &matrix_; }
  operator const M&() const& noexcept { return matrix_; }
  // The matrix of a temporary would be gone at the end of the line: give the view a name first.
  const M& get() const&& = delete;
  const M& operator*() const&& = delete;
  operator const M&() const&& = delete;

  /// The array whose elements these are.
  const DlArray& array() const noexcept { return array_; }

 private:
  using T = typename M::elem_type;
  static M on(const DlArray& x, std::source_location where) {
    const auto sizes = detail::sizesFor<M>(x, "view", where);
    // Armadillo has no matrix on constant memory; the matrix is constant instead.
    T* elements = static_cast<T*>(const_cast<void*>(detail::rawData(x, typeOf<T>, "view", where)));
    return std::apply([&](auto... n) { return M(elements, n..., false, true); }, sizes);
  }

  DlArray array_;
  const M matrix_;
};

/// The elements of an array as a constant `arma::mat`, `fmat`, `vec`, `rowvec`, `cube`, ... without a copy and without trace:
/// `const auto A = view<arma::mat>(X); arma::solve(*A, b)`. The view keeps the elements alive and as they are, whatever becomes
/// of X. Throws when the element type is another or the class has too few dimensions.
template <detail::Armadillo M>
requires Element<typename M::elem_type> View<M> view(const DlArray& x,
                                                     std::source_location where = std::source_location::current()) {
  detail::noteExtraction(x);
  return View<M>(x, where);
}

}  // namespace dl
