#include "core/fail.hpp"
#include "core/storage.hpp"

#include <algorithm>
#include <cmath>

namespace dl {

Dimensions::Dimensions(std::string labels) : kind_(labels == "all" ? Kind::All : Kind::Labels), labels_(std::move(labels)) {}
Dimensions::Dimensions(const char* labels) : Dimensions(std::string(labels)) {}
Dimensions::Dimensions(char label) : kind_(Kind::Labels), labels_(1, label) {}
Dimensions::Dimensions(const std::vector<Index>& dimensions) : kind_(Kind::Numbers) {
  for (const Index d : dimensions) add(d);
}
void Dimensions::add(Index dimension) {
  if (count_ == Size::maxDimensions) throw Error("dlarray:dimensions", "more dimensions named than an array can have");
  numbers_[static_cast<std::size_t>(count_++)] = dimension;
}

double OptionalNumber::value() const {
  if (!has_) fail({}, "number:none", "value: there is no number");
  return number_;
}

std::string_view name(Type type) noexcept {
  switch (type) {
    case Type::Double:
      return "double";
    case Type::Single:
      return "single";
    case Type::Logical:
      return "logical";
    case Type::ComplexDouble:
      return "complex double";
    default:
      return "complex single";
  }
}

bool operator==(Type type, std::string_view text) noexcept { return name(type) == text; }

namespace {

template <class From, class To>
void convert(const void* from, void* to, Index n) {
  const auto* x = static_cast<const From*>(from);
  std::transform(x, x + n, static_cast<To*>(to), [](From v) { return static_cast<To>(v); });
}

template <class To>
void convertTo(const void* from, Type type, void* to, Index n) {
  switch (type) {
    case Type::Single:
      return convert<float, To>(from, to, n);
    case Type::Logical:
      return convert<bool, To>(from, to, n);
    default:
      return convert<double, To>(from, to, n);
  }
}

}  // namespace

namespace detail {

double scalarValue(const DlArray& x, const char* wanted) {
  const Header& h = Storage::of(x);
  if (h.numel != 1)
    throw Error("dlarray:scalar",
                fmt::format("{}: an array of size {} was used where a scalar is needed; take an element, or use sum, all or any",
                            wanted, describe(x)));
  if (wanted == std::string_view("number")) noteExtraction(x);
  double value;
  convertTo<double>(h.data, h.type, &value, 1);
  return value;
}

void copyOut(const DlArray& x, void* to, Type type) {
  const Header& h = Storage::of(x);
  if (h.numel == 0) return;
  if (h.type == type) {
    std::memcpy(to, h.data, static_cast<std::size_t>(h.numel) * bytesOf(type));
    return;
  }
  switch (type) {
    case Type::Single:
      return convertTo<float>(h.data, h.type, to, h.numel);
    case Type::Logical:
      return convertTo<bool>(h.data, h.type, to, h.numel);
    default:
      return convertTo<double>(h.data, h.type, to, h.numel);
  }
}

const void* rawData(const DlArray& x, Type type, const char* function, std::source_location where) {
  const Header& h = Storage::of(x);
  if (h.type != type)
    fail(where, "data:type", "{}: the array is {}, not {}; convert it first, or use extractdata", function, name(h.type),
         name(type));
  return h.data;
}

void failDataCount(Index count, const Size& size, std::source_location where) {
  fail(where, "dlarray:count", "dlarray: {} numbers do not fill an array of size {}, which has {}", count, toString(size),
       numel(size));
}

Rows::Rows() : rows_(new std::vector<std::vector<double>>) {}
Rows::~Rows() { delete rows_; }
void Rows::begin() { rows_->emplace_back(); }
void Rows::add(double number) { rows_->back().push_back(number); }

DlArray fromRows(const Rows& given, Type type, std::string_view format, std::source_location where) {
  const std::vector<std::vector<double>>& rows = *given.rows_;
  const std::size_t m = rows.size(), n = rows.empty() ? 0 : rows[0].size();
  std::vector<double> values(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    if (rows[i].size() != n)
      fail(where, "dlarray:rows", "dlarray: rows differ in length: row 0 has {} numbers, row {} has {}", n, i, rows[i].size());
    for (std::size_t j = 0; j < n; ++j) values[j * m + i] = rows[i][j];
  }
  const Size size{static_cast<Index>(m), static_cast<Index>(n)};
  const DlArray matrix = fromData(values.data(), Type::Double, size, "", where);
  DlArray x = type == Type::Double ? matrix : Storage::make({size, {}}, type);
  if (type != Type::Double) copyOut(matrix, Storage::mutableData<void>(x), type);
  return format.empty() ? x : dlarray(Operand(x, where), format);
}

DlArray fromData(const void* data, Type type, const Size& size, std::string_view format, std::source_location where) {
  Shape shape{size, {}};
  if (shape.size.size() < 2) shape.size.resize(2);
  if (size.empty()) shape.size = Size{0, 0};
  // Labels keep trailing dimensions of size 1, so they are given while these are still there.
  if (format.empty()) dropTrailing(shape);
  DlArray x = Storage::make(shape, type);
  if (const Index n = numel(x); n > 0)
    std::memcpy(Storage::mutableData<void>(x), data, static_cast<std::size_t>(n) * bytesOf(type));
  return format.empty() ? x : dlarray(Operand(x, where), format);
}

}  // namespace detail

DlArray dlarray(std::initializer_list<detail::AnyNumber> row, std::string_view format, std::source_location where) {
  std::vector<double> values;
  for (const detail::AnyNumber& number : row) values.push_back(number.value);
  return dlarray(values.data(), Size{1, static_cast<Index>(values.size())}, format, where);
}
DlArray dlarray(std::initializer_list<std::initializer_list<double>> rows, std::string_view format, std::source_location where) {
  return dlarray<double>(rows, format, where);
}

Size size(const DlArray& x) { return Storage::of(x).size; }

Index size(const DlArray& x, Index dimension, std::source_location where) {
  if (dimension < 0) fail(where, "size:dimension", "size: dimension {} does not exist; dimensions count from 0", dimension);
  const Size& s = Storage::of(x).size;
  return static_cast<std::size_t>(dimension) < s.size() ? s[static_cast<std::size_t>(dimension)] : 1;
}

Index size(const DlArray& x, std::string_view label, std::source_location where) {
  const std::vector<Index> found = finddim(x, label, where);
  if (found.size() == 1) return size(x, found[0]);
  if (found.empty()) fail(where, "size:label", "size: {} has no dimension labelled {}", describe(x), label);
  fail(where, "size:label", "size: {} dimensions of {} are labelled {}; ask for size(x, finddim(x, \"{}\"))", found.size(),
       describe(x), label, label);
}

Size size(const DlArray& x, const std::vector<Index>& dimensions, std::source_location where) {
  Size s;
  for (Index d : dimensions) s.push_back(size(x, d, where));
  return s;
}

Size size(const DlArray& x, std::initializer_list<Index> dimensions, std::source_location where) {
  return size(x, std::vector<Index>(dimensions), where);
}

Index ndims(const DlArray& x) noexcept { return static_cast<Index>(Storage::of(x).size.size()); }
Index numel(const DlArray& x) noexcept { return Storage::of(x).numel; }
Index length(const DlArray& x) noexcept {
  const Size& s = Storage::of(x).size;
  return isempty(x) ? 0 : *std::max_element(s.begin(), s.end());
}
bool isempty(const DlArray& x) noexcept { return numel(x) == 0; }
bool isscalar(const DlArray& x) noexcept { return numel(x) == 1; }

bool ismatrix(const DlArray& x) noexcept {
  const Size& s = Storage::of(x).size;
  return std::all_of(s.begin() + 2, s.end(), [](Index n) { return n == 1; });
}
bool isrow(const DlArray& x) noexcept { return ismatrix(x) && Storage::of(x).size[0] == 1; }
bool iscolumn(const DlArray& x) noexcept { return ismatrix(x) && Storage::of(x).size[1] == 1; }
bool isvector(const DlArray& x) noexcept { return isrow(x) || iscolumn(x); }

std::string dims(const DlArray& x) { return toString(Storage::of(x).format, Storage::of(x).size.size()); }

std::vector<Index> finddim(const DlArray& x, char label) { return finddim(x, std::string_view(&label, 1)); }

std::vector<Index> finddim(const DlArray& x, std::string_view label, std::source_location where) {
  const auto wanted = parseFormat(label, "finddim", where);
  if (wanted.size() != 1) fail(where, "finddim:oneLabel", "finddim: one label is looked for at a time, not \"{}\"", label);
  std::vector<Index> found;
  const auto& h = Storage::of(x);
  if (h.format.labelled())
    for (std::size_t d = 0; d < h.size.size(); ++d)
      if (h.format[d] == wanted[0]) found.push_back(static_cast<Index>(d));
  return found;
}

Type underlyingType(const DlArray& x) noexcept { return Storage::of(x).type; }

namespace {
bool sameValues(const DlArray& a, const DlArray& b, bool nanEqual) {
  if (!(Storage::shape(a) == Storage::shape(b))) return false;
  const auto n = static_cast<std::size_t>(numel(a));
  std::vector<double> x(n), y(n);
  detail::copyOut(a, x.data(), Type::Double);
  detail::copyOut(b, y.data(), Type::Double);
  return std::equal(x.begin(), x.end(), y.begin(),
                    [=](double p, double q) { return p == q || (nanEqual && std::isnan(p) && std::isnan(q)); });
}
}  // namespace

bool isequal(Operand a, Operand b) { return sameValues(a, b, false); }
bool isequaln(Operand a, Operand b) { return sameValues(a, b, true); }

}  // namespace dl
