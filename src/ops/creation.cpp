#include "ops/creation.hpp"

#include "core/fail.hpp"
#include "engine/fit.hpp"

#include <dlarray/ops/creation.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace dl {

namespace {

constexpr std::source_location noPlace() { return {}; }

void checkType(Type type, const char* function) {
  if (type == Type::ComplexDouble || type == Type::ComplexSingle)
    fail(noPlace(), "creation:type", "{}: {} arrays are not available in this version", function, name(type));
}

DlArray filledWith(const Size& size, Type type, double value, const char* function) {
  checkType(type, function);
  return engine::filled(newShape(size), type, value);
}

template <class T>
void setDiagonal(DlArray& x) {
  const Size& s = Storage::of(x).size;
  T* values = Storage::mutableData<T>(x);
  for (Index i = 0; i < std::min(s[0], s[1]); ++i) values[i * s[0] + i] = T(1);
}

DlArray row(Index n) { return Storage::make({Size::matrix(1, n), {}}, Type::Double); }

// How many steps lead from first to last; a step that misses last by rounding errors alone still counts.
double stepCount(double first, double step, double last) {
  const double tolerance = 2 * std::numeric_limits<double>::epsilon() * std::max(std::abs(first), std::abs(last));
  const double steps = std::round((last - first) / step);
  const double over = (first + steps * step - last) * (step > 0 ? 1 : -1);
  return over > tolerance ? steps - 1 : steps;
}

}  // namespace

Shape newShape(const Size& size) {
  Shape shape{size, {}};
  if (size.empty()) shape.size = Size::matrix(1, 1);
  if (size.size() == 1) shape.size = Size::matrix(size[0], size[0]);
  dropTrailing(shape);
  return shape;
}

namespace detail {

void Wanted::take(std::string_view word) {
  if (word == "like") return;
  for (const Type known : {Type::Double, Type::Single, Type::Logical})
    if (word == name(known)) return take(known);
  fail(where, "creation:word",
       "\"{}\" is not known behind the sizes of a new array; \"double\", \"single\", \"logical\", or \"like\" and an array",
       word);
}

void Wanted::take(const DlArray& x) { type = underlyingType(x); }

Type typeNamed(std::string_view word, const std::source_location& where) {
  Wanted wanted;
  wanted.where = where;
  wanted.take(word);
  return wanted.type;
}

Type typeLike(std::string_view word, const DlArray& x, const std::source_location& where) {
  Wanted wanted;
  wanted.where = where;
  wanted.take(word);
  return underlyingType(x);
}

void finish(Wanted& wanted, const char* function) {
  if (wanted.size.size() == 1) wanted.size.push_back(wanted.size[0]);
  for (std::size_t d = 0; d < wanted.size.size(); ++d)
    if (wanted.size[d] < 0)
      fail(wanted.where, "creation:negative", "{}: dimension {} has the negative size {}", function, d, wanted.size[d]);
}

}  // namespace detail

DlArray zeros(const Size& size, Type type) { return filledWith(size, type, 0, "zeros"); }
DlArray zeros(const Size& size, std::string_view like, const DlArray& x, std::source_location where) {
  return zeros(size, detail::typeLike(like, x, where));
}
DlArray ones(const Size& size, Type type) { return filledWith(size, type, 1, "ones"); }
DlArray ones(const Size& size, std::string_view like, const DlArray& x, std::source_location where) {
  return ones(size, detail::typeLike(like, x, where));
}

DlArray eye(const Size& size, Type type, std::source_location where) {
  DlArray x = filledWith(size, type, 0, "eye");
  if (ndims(x) > 2) fail(where, "eye:matrix", "eye: {} is not the size of a matrix", toString(size));
  switch (type) {
    case Type::Single:
      setDiagonal<float>(x);
      break;
    case Type::Logical:
      setDiagonal<bool>(x);
      break;
    default:
      setDiagonal<double>(x);
  }
  return x;
}
DlArray eye(const Size& size, std::string_view like, const DlArray& x, std::source_location where) {
  return eye(size, detail::typeLike(like, x, where), where);
}

DlArray linspace(double from, double to, Index n, std::source_location where) {
  if (n < 0) fail(where, "linspace:count", "linspace: {} is no number of elements", n);
  DlArray x = row(n);
  auto* values = Storage::mutableData<double>(x);
  const auto last = static_cast<double>(n - 1);
  const double distance = to - from, largest = std::numeric_limits<double>::max() / std::max(last, 1.0);
  for (Index i = 0; i < n; ++i) {
    const auto at = static_cast<double>(i);
    // Multiplied before it is divided: whole numbers stay whole. Where that would overflow, each end counts with its share.
    values[i] = std::abs(distance) <= largest ? from + at * distance / last : (1 - at / last) * from + at / last * to;
  }
  if (n > 0) values[n - 1] = to;
  return x;
}

DlArray colon(double first, double last, std::source_location where) { return colon(first, 1, last, where); }

DlArray colon(double first, double step, double last, std::source_location where) {
  if (std::isnan(first) || std::isnan(step) || std::isnan(last)) return std::numeric_limits<double>::quiet_NaN();
  if (step == 0 || (step > 0 ? first > last : first < last)) return row(0);
  const double steps = stepCount(first, step, last);
  if (!(steps < 9e15)) fail(where, "colon:count", "colon: the numbers from {} to {} by {} are too many", first, last, step);
  const auto n = static_cast<Index>(steps);
  // Both halves are counted from their own end, so that the row is symmetric and rounding errors do not pile up.
  const double reached = first + steps * step, final = (step > 0 ? reached > last : reached < last) ? last : reached;
  DlArray x = row(n + 1);
  auto* values = Storage::mutableData<double>(x);
  for (Index i = 0; i <= n; ++i)
    values[i] = i <= n / 2 ? first + static_cast<double>(i) * step : final - static_cast<double>(n - i) * step;
  return x;
}

}  // namespace dl
