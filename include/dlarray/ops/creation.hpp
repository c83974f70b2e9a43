#pragma once
#include <dlarray/array.hpp>

// New arrays. Sizes are given as a Size, `zeros(Size{2, 3})`, or one by one, `zeros(2, 3)`; a single number n means n x n, none a scalar.
// Behind the sizes may stand the element type, `zeros(2, 3, "single")` or Type::Single, or "like" and an array whose type (not whose labels)
// is taken.
// All throw for negative sizes and are unlabelled constants.
namespace dl {

namespace detail {

/// The first of several sizes. It carries the line of the call, for which a list of any length has no room behind it.
struct FirstSize {
  template <Integer I>
  FirstSize(I n, std::source_location place = std::source_location::current()) noexcept : size(static_cast<Index>(n)), where(place) {}
  Index size;
  std::source_location where;
};

/// The size and type that the arguments of a creation function ask for.
struct Wanted {
  Size size;
  Type type = Type::Double;
  std::source_location where;

  void take(Index n) { size.push_back(n); }
  void take(Type wanted) { type = wanted; }
  void take(std::string_view word);
  void take(const DlArray& x);
};
void finish(Wanted& wanted, const char* function);
Type typeLike(std::string_view word, const DlArray& x, const std::source_location& where);
Type typeNamed(std::string_view word, const std::source_location& where);

template <class T>
concept SizeOrType = Integer<T> || std::same_as<T, Type> || std::same_as<T, DlArray> || std::same_as<T, Reference> ||
                     (std::convertible_to<const T&, std::string_view> && !std::same_as<T, std::nullptr_t>);

template <class... A>
Wanted wanted(const char* function, const FirstSize& first, const A&... arguments) {
  Wanted result;
  result.where = first.where;
  result.take(first.size);
  (result.take(arguments), ...);
  finish(result, function);
  return result;
}

}  // namespace detail

/// Zeros, false for Type::Logical. (MATLAB: zeros)
DlArray zeros(const Size& size, Type type = Type::Double);
DlArray zeros(const Size& size, std::string_view like, const DlArray& x,
            std::source_location where = std::source_location::current());
inline DlArray zeros(const Size& size, std::string_view type, std::source_location where = std::source_location::current()) {
  return zeros(size, detail::typeNamed(type, where));
}
template <detail::SizeOrType... More>
DlArray zeros(detail::FirstSize first, const More&... more) {
  const detail::Wanted w = detail::wanted("zeros", first, more...);
  return zeros(w.size, w.type);
}
inline DlArray zeros() { return 0.0; }

/// Ones, true for Type::Logical. (MATLAB: ones)
DlArray ones(const Size& size, Type type = Type::Double);
DlArray ones(const Size& size, std::string_view like, const DlArray& x,
            std::source_location where = std::source_location::current());
inline DlArray ones(const Size& size, std::string_view type, std::source_location where = std::source_location::current()) {
  return ones(size, detail::typeNamed(type, where));
}
template <detail::SizeOrType... More>
DlArray ones(detail::FirstSize first, const More&... more) {
  const detail::Wanted w = detail::wanted("ones", first, more...);
  return ones(w.size, w.type);
}
inline DlArray ones() { return 1.0; }

/// The identity matrix: ones where row and column agree, zeros elsewhere. Throws for more than two dimensions. (MATLAB: eye)
DlArray eye(const Size& size, Type type = Type::Double, std::source_location where = std::source_location::current());
DlArray eye(const Size& size, std::string_view like, const DlArray& x,
            std::source_location where = std::source_location::current());
inline DlArray eye(const Size& size, std::string_view type, std::source_location where = std::source_location::current()) {
  return eye(size, detail::typeNamed(type, where), where);
}
template <detail::SizeOrType... More>
DlArray eye(detail::FirstSize first, const More&... more) {
  const detail::Wanted w = detail::wanted("eye", first, more...);
  return eye(w.size, w.type, w.where);
}
inline DlArray eye() { return 1.0; }

/// A row of n numbers at equal distances; the first is `from`, the last `to`, both exactly. One number is `to`. (MATLAB: linspace)
DlArray linspace(double from, double to, Index n = 100, std::source_location where = std::source_location::current());
/// The row first, first + 1, ... up to last, which is met in spite of rounding errors; empty when last < first. (MATLAB: first:last)
DlArray colon(double first, double last, std::source_location where = std::source_location::current());
/// The row first, first + step, ... up to last, or down to it when the step is negative. (MATLAB: first:step:last)
DlArray colon(double first, double step, double last, std::source_location where = std::source_location::current());

}  // namespace dl
