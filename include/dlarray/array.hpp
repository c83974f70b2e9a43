#pragma once
#include <array>
#include <concepts>
#include <initializer_list>
#include <iosfwd>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <dlarray/error.hpp>
#include <dlarray/function.hpp>
#include <dlarray/size.hpp>
#include <dlarray/types.hpp>

namespace dl {

class DlArray;
class Reference;
class Subscript;
struct Span;

namespace detail {
struct FirstSubscript;
struct Header;
void release(Header* header) noexcept;
Header* retain(Header* header) noexcept;
Header* makeScalar(double value);
Header* makeScalar(float value);
Header* makeScalar(bool value);
double scalarValue(const DlArray& x, const char* wanted);
}  // namespace detail

/// Numbers that become scalars of an array: all C++ arithmetic types; `float` gives single, `bool` logical, the rest double.
template <class T>
concept Number = std::is_arithmetic_v<T>;

/// Whole numbers that name positions and dimensions.
template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

/// A dense, column-major array with a size, an element type, a device and, if given, a label for each dimension.
/// A value: copies share their elements until one of them is written to. The empty array `DlArray()` is 0 x 0 double.
class DlArray {
 public:
  DlArray() noexcept = default;
  /// A 1 x 1 array; numbers convert wherever an array is expected.
  template <Number T>
  DlArray(T value) : header_(detail::makeScalar(scalarOf(value))) {}
  DlArray(const DlArray& other) noexcept : header_(other.header_ ? detail::retain(other.header_) : nullptr) {}
  DlArray(DlArray&& other) noexcept : header_(detail::taken(other.header_)) {}
  DlArray& operator=(const DlArray& other) noexcept { return *this = DlArray(other); }
  DlArray& operator=(DlArray&& other) noexcept {
    detail::Header* const old = header_;
    header_ = detail::taken(other.header_);
    if (old) detail::release(old);
    return *this;
  }
  ~DlArray() {
    if (header_) detail::release(header_);
  }

  /// The value of an array with one element; throws for any other size.
  template <Number T>
  explicit operator T() const {
    if constexpr (std::same_as<T, bool>)
      return detail::scalarValue(*this, "condition") != 0;
    else
      return static_cast<T>(detail::scalarValue(*this, "number"));
  }

  /// Reads elements: numbers, `span(a, b)`, `all`, `end`, index lists in braces, index or mask arrays.
  /// As many subscripts as dimensions keep the labels, fewer give an unlabelled result; one subscript counts column-major.
  template <Integer I>
  DlArray operator()(I i, std::source_location where = std::source_location::current()) const;
  template <Integer I, Integer J>
  DlArray operator()(I i, J j, std::source_location where = std::source_location::current()) const;
  DlArray operator()(const Subscript& i, std::source_location where = std::source_location::current()) const;
  template <std::same_as<Span> S>
  DlArray operator()(const S& range, std::source_location where = std::source_location::current()) const;
  DlArray operator()(const Subscript& i, const Subscript& j, std::source_location where = std::source_location::current()) const;
  DlArray operator()(const Subscript& i, const Subscript& j, const Subscript& k,
                     std::source_location where = std::source_location::current()) const;
  DlArray operator()(const Subscript& i, const Subscript& j, const Subscript& k, const Subscript& l,
                     std::source_location where = std::source_location::current()) const;
  DlArray operator()(const Subscript& i, const Subscript& j, const Subscript& k, const Subscript& l, const Subscript& m,
                     std::source_location where = std::source_location::current()) const;
  template <class... More>
    requires(sizeof...(More) > 0 && (std::convertible_to<More, Subscript> && ...))
  DlArray operator()(const detail::FirstSubscript& i, const Subscript& j, const Subscript& k, const Subscript& l, const Subscript& m,
                     const More&... more) const;

  /// The same for a variable array: reads where a value is wanted, writes when assigned to.
  template <Integer I>
  Reference operator()(I i, std::source_location where = std::source_location::current());
  template <Integer I, Integer J>
  Reference operator()(I i, J j, std::source_location where = std::source_location::current());
  Reference operator()(const Subscript& i, std::source_location where = std::source_location::current());
  template <std::same_as<Span> S>
  Reference operator()(const S& range, std::source_location where = std::source_location::current());
  Reference operator()(const Subscript& i, const Subscript& j, std::source_location where = std::source_location::current());
  Reference operator()(const Subscript& i, const Subscript& j, const Subscript& k,
                       std::source_location where = std::source_location::current());
  Reference operator()(const Subscript& i, const Subscript& j, const Subscript& k, const Subscript& l,
                       std::source_location where = std::source_location::current());
  Reference operator()(const Subscript& i, const Subscript& j, const Subscript& k, const Subscript& l, const Subscript& m,
                       std::source_location where = std::source_location::current());
  template <class... More>
    requires(sizeof...(More) > 0 && (std::convertible_to<More, Subscript> && ...))
  Reference operator()(const detail::FirstSubscript& i, const Subscript& j, const Subscript& k, const Subscript& l, const Subscript& m,
                       const More&... more);

 private:
  friend class Storage;  // the library's own way to the header, src/core/storage.hpp
  explicit DlArray(detail::Header* header) noexcept : header_(header) {}

  template <class T>
  static auto scalarOf(T value) {
    if constexpr (std::same_as<T, float> || std::same_as<T, bool>)
      return value;
    else
      return static_cast<double>(value);
  }

  detail::Header* header_ = nullptr;
};

/// What a function on arrays takes: an array, a number or `X(...)`. Remembers the line of the call for error sentences
/// and whether the array is a temporary, whose memory the result may then use.
class Operand {
 public:
  Operand(const DlArray& array, std::source_location where = std::source_location::current()) noexcept
      : array_(&array), where_(where) {}
  Operand(DlArray&& array, std::source_location where = std::source_location::current()) noexcept
      : array_(&array), dying_(&array), where_(where) {}
  template <Number T>
  Operand(T value, std::source_location where = std::source_location::current())
      : number_(static_cast<double>(value)), where_(where) {
    if constexpr (std::same_as<T, float> || std::same_as<T, bool>)
      hold(value);
    else
      isNumber_ = true;
  }
  Operand(const Reference& reference, std::source_location where = std::source_location::current());
  /// Passing an operand on names the same array; only the first holder may use up its memory.
  Operand(const Operand& other) noexcept : array_(other.array_), number_(other.number_), isNumber_(other.isNumber_), where_(other.where_) {}
  Operand& operator=(const Operand&) = delete;

  const DlArray& get() const {
    if (!array_) hold(number_);
    return *array_;
  }
  const DlArray* operator->() const { return &get(); }
  operator const DlArray&() const { return get(); }
  /// The array when it is a temporary that nobody else can see afterwards, else null.
  DlArray* dying() const noexcept { return dying_; }
  /// True when a C++ number of double precision was given: `number()` then saves making an array of it.
  bool isNumber() const noexcept { return isNumber_; }
  double number() const noexcept { return number_; }
  const std::source_location& where() const noexcept { return where_; }

 private:
  void hold(DlArray value) const {
    own_ = std::move(value);
    array_ = dying_ = &own_;
  }

  mutable DlArray own_;
  mutable const DlArray* array_ = nullptr;
  mutable DlArray* dying_ = nullptr;
  double number_ = 0;
  bool isNumber_ = false;
  std::source_location where_;
};

/// The dimensions that a function works along: numbers from 0, labels ("S", "CB"), `"all"`, or none given.
class Dimensions {
 public:
  Dimensions() noexcept = default;
  template <Integer I>
  Dimensions(I dimension) : kind_(Kind::Numbers) {
    add(static_cast<Index>(dimension));
  }
  Dimensions(std::initializer_list<int> dimensions) : kind_(Kind::Numbers) {
    for (int d : dimensions) add(d);
  }
  Dimensions(const std::vector<Index>& dimensions);
  Dimensions(char label);
  Dimensions(const char* labels);
  Dimensions(std::string labels);

  enum class Kind : std::uint8_t { None, All, Numbers, Labels };
  Kind kind() const noexcept { return kind_; }
  /// How many numbers were given.
  int count() const noexcept { return count_; }
  Index number(int i) const noexcept { return numbers_[static_cast<std::size_t>(i)]; }
  const std::string& labels() const noexcept { return labels_; }

 private:
  void add(Index dimension);

  Kind kind_ = Kind::None;
  int count_ = 0;
  std::array<Index, Size::maxDimensions> numbers_;
  std::string labels_;
};

/// MATLAB's `[]` in argument lists such as `max(X, {}, 0)`.
struct Empty {};

// ---- making arrays ---------------------------------------------------------------------------------------------------

namespace detail {
DlArray fromData(const void* data, Type type, const Size& size, std::string_view format, std::source_location where);
/// Numbers that are gathered outside of the headers, row by row.
class Rows {
 public:
  Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows();
  void begin();
  void add(double number);

 private:
  friend DlArray fromRows(const Rows& rows, Type type, std::string_view format, std::source_location where);
  std::vector<std::vector<double>>* rows_;
};
DlArray fromRows(const Rows& rows, Type type, std::string_view format, std::source_location where);

/// A number of any type as one of a list. Being a class, it loses against lists of lists: `{{1.0}, {2.0}}` is a column.
struct AnyNumber {
  double value;
  template <Number T>
  constexpr AnyNumber(T number) : value(static_cast<double>(number)) {}
};

template <Number T>
inline constexpr Type arrayType = [] {
  if constexpr (Element<T>)
    return typeOf<T>;
  else
    return Type::Double;
}();

/// Room for numbers. (A vector named in a template is compiled by every program.)
template <class T>
struct Numbers {
  explicit Numbers(Index count) : data(new T[static_cast<std::size_t>(count)]) {}
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;
  ~Numbers() { delete[] data; }
  T* const data;
};

template <Number T>
DlArray fromNumbers(const T* data, const Size& size, std::string_view format, std::source_location where) {
  if constexpr (Element<T>) {
    return fromData(data, typeOf<T>, size, format, where);
  } else {
    const Index count = numel(size);
    Numbers<double> values(count);
    for (Index i = 0; i < count; ++i) values.data[i] = static_cast<double>(data[i]);
    return fromData(values.data, Type::Double, size, format, where);
  }
}
}  // namespace detail

/// An array as it is, or its relabelled copy: the labels of `format` ("SSCB") name the dimensions in order, then
/// the dimensions are put into the order S, C, B, T, U. A vector with one label becomes a column n(C) x 1(U).
/// Throws for letters other than SCBTU, a C, B or T given twice, and fewer labels than dimensions. (MATLAB: dlarray)
DlArray dlarray(Operand x);
DlArray dlarray(Operand x, std::string_view format);

/// A row as written: `dlarray({-1.0, 2.0})` is MATLAB's `dlarray([-1 2])`.
template <Number T>
DlArray dlarray(std::initializer_list<T> row, std::string_view format = "", std::source_location where = std::source_location::current()) {
  return detail::fromNumbers(row.begin(), Size{1, static_cast<Index>(row.size())}, format, where);
}
/// The same for numbers of different types, `dlarray({1, 2.5})`.
DlArray dlarray(std::initializer_list<detail::AnyNumber> row, std::string_view format = "",
                std::source_location where = std::source_location::current());

/// A matrix, rows as written: `dlarray({{1, 2}, {3, 4}})`; throws when the rows differ in length.
template <Number T>
DlArray dlarray(std::initializer_list<std::initializer_list<T>> rows, std::string_view format = "",
                std::source_location where = std::source_location::current()) {
  detail::Rows copy;
  for (const auto& row : rows) {
    copy.begin();
    for (const T number : row) copy.add(static_cast<double>(number));
  }
  return detail::fromRows(copy, detail::arrayType<T>, format, where);
}
DlArray dlarray(std::initializer_list<std::initializer_list<double>> rows, std::string_view format = "",
                std::source_location where = std::source_location::current());

/// A copy of `numel(size)` numbers that lie in column-major order.
template <Number T>
DlArray dlarray(const T* data, const Size& size, std::string_view format = "", std::source_location where = std::source_location::current()) {
  return detail::fromNumbers(data, size, format, where);
}

namespace detail {
[[noreturn]] void failDataCount(Index count, const Size& size, std::source_location where);
}

/// A copy of the numbers of a vector in column-major order; without a size, a column. Throws when the count does not fit the size.
template <Number T>
DlArray dlarray(const std::vector<T>& data, const Size& size, std::string_view format = "",
                std::source_location where = std::source_location::current()) {
  if (static_cast<Index>(data.size()) != numel(size)) detail::failDataCount(static_cast<Index>(data.size()), size, where);
  if constexpr (std::same_as<T, bool>) {
    detail::Numbers<bool> copy(numel(size));
    for (Index i = 0; i < numel(size); ++i) copy.data[i] = data[static_cast<std::size_t>(i)];
    return detail::fromData(copy.data, Type::Logical, size, format, where);
  } else {
    return detail::fromNumbers(data.data(), size, format, where);
  }
}
template <Number T>
DlArray dlarray(const std::vector<T>& data, std::string_view format = "", std::source_location where = std::source_location::current()) {
  return dlarray(data, Size{static_cast<Index>(data.size()), 1}, format, where);
}
// ---- asking ----------------------------------------------------------------------------------------------------------

/// The sizes of all dimensions: at least two, trailing labelled dimensions of size 1 included. (MATLAB: size)
Size size(const DlArray& x);
/// The size of one dimension, counted from 0; dimensions past the last have size 1.
Index size(const DlArray& x, Index dimension, std::source_location where = std::source_location::current());
/// The size of the dimension with this label; throws when there is none or when several dimensions carry it.
Index size(const DlArray& x, std::string_view label, std::source_location where = std::source_location::current());
/// The sizes of several dimensions, in the order asked for.
Size size(const DlArray& x, const std::vector<Index>& dimensions, std::source_location where = std::source_location::current());
Size size(const DlArray& x, std::initializer_list<Index> dimensions, std::source_location where = std::source_location::current());
/// The number of dimensions, at least 2. (MATLAB: ndims)
Index ndims(const DlArray& x) noexcept;
/// The number of elements. (MATLAB: numel)
Index numel(const DlArray& x) noexcept;
/// The largest size, 0 for an empty array. (MATLAB: length)
Index length(const DlArray& x) noexcept;
bool isempty(const DlArray& x) noexcept;
bool isscalar(const DlArray& x) noexcept;
/// 1 x n or n x 1, trailing dimensions of size 1 ignored. (MATLAB: isvector)
bool isvector(const DlArray& x) noexcept;
bool isrow(const DlArray& x) noexcept;
bool iscolumn(const DlArray& x) noexcept;
bool ismatrix(const DlArray& x) noexcept;
/// True for a DlArray, false for everything else. (MATLAB: isdlarray)
template <class T>
constexpr bool isdlarray(const T&) noexcept {
  return std::same_as<T, DlArray> || std::same_as<T, Reference>;
}
/// The labels in stored order, "SSCB"; "" when unlabelled. (MATLAB: dims)
std::string dims(const DlArray& x);
/// The dimensions, from 0, that carry a label; empty when there is none. (MATLAB: finddim)
std::vector<Index> finddim(const DlArray& x, char label);
std::vector<Index> finddim(const DlArray& x, std::string_view label, std::source_location where = std::source_location::current());
/// The element type. (MATLAB: underlyingType)
Type underlyingType(const DlArray& x) noexcept;
bool operator==(Type type, std::string_view name) noexcept;
/// True when size, labels and all values agree; NaN differs from NaN. (MATLAB: isequal)
bool isequal(Operand a, Operand b);
/// The same with NaN equal to NaN. (MATLAB: isequaln)
bool isequaln(Operand a, Operand b);

// ---- taking data out -------------------------------------------------------------------------------------------------

namespace detail {
const void* rawData(const DlArray& x, Type type, const char* function, std::source_location where);
void copyOut(const DlArray& x, void* to, Type type);
void noteExtraction(const DlArray& x);
template <class T> struct Extract;  // how extractdata<T> makes a T; armadillo.hpp adds Armadillo's types
template <Number T>
struct Extract<T> {
  static T from(const DlArray& x, std::source_location) { return static_cast<T>(x); }
};
template <Element T>
struct Extract<std::vector<T>> {
  static std::vector<T> from(const DlArray& x, std::source_location) {
    std::vector<T> values(static_cast<std::size_t>(numel(x)));
    if constexpr (std::same_as<T, bool>) {
      const Numbers<bool> copy(numel(x));
      copyOut(x, copy.data, Type::Logical);
      values.assign(copy.data, copy.data + numel(x));
    } else {
      copyOut(x, values.data(), typeOf<T>);
    }
    return values;
  }
};
}  // namespace detail

/// The values as plain data, in stored order and without trace: `std::vector<double>`, a number, or with
/// `<dlarray/armadillo.hpp>` any of arma's matrices. Values are converted to the type asked for. (MATLAB: extractdata)
template <class T>
T extractdata(const DlArray& x, std::source_location where = std::source_location::current()) {
  detail::noteExtraction(x);
  return detail::Extract<T>::from(x, where);
}

/// The elements in column-major order; valid while `x` lives unchanged. Throws when `T` is not the element type.
template <Element T>
const T* data(const DlArray& x, std::source_location where = std::source_location::current()) {
  return static_cast<const T*>(detail::rawData(x, typeOf<T>, "data", where));
}

/// Prints size, labels, type and values as MATLAB's `format short` displays them: a common power of ten, whole numbers without
/// decimals, blocks of columns 80 characters wide. Columns and pages count from 0, "(all, all, 0) ="; a million elements at most.
std::ostream& operator<<(std::ostream& out, const DlArray& x);

// ---- changing type and labels ----------------------------------------------------------------------------------------

/// The same values with another element type; differentiable. (MATLAB: cast)
DlArray cast(Operand x, Type type);
/// The same by the type's name, "double", "single" or "logical"; throws for other words.
DlArray cast(Operand x, std::string_view type);
DlArray double_(Operand x);
DlArray single_(Operand x);
DlArray logical_(Operand x);
/// The same values in the same order without labels; differentiable. (MATLAB: stripdims)
DlArray stripdims(Operand x);
/// The same values without labels, in the order of `format`, which must hold all labels of `x`; more labels become
/// dimensions of size 1. An unlabelled `x` is returned as it is. (MATLAB: stripdims)
DlArray stripdims(Operand x, std::string_view format);

}  // namespace dl

#include <dlarray/subscript.hpp>
