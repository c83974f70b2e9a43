#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dl {

/// Counts, sizes and positions; positions are 0-based everywhere.
using Index = std::int64_t;

/// The element type of an array, known at run time as in MATLAB.
enum class Type : std::uint8_t { Double, Single, Logical, ComplexDouble, ComplexSingle };

/// Where an array's elements live.
enum class Device : std::uint8_t { Cpu, Gpu };

/// A number, or none, as std::optional<double>, whose header every program would pay for: made from a number or an optional one, `if (x)` asks
/// whether there is one, `*x` is it, `x = {}` takes it away.
class OptionalNumber {
 public:
  constexpr OptionalNumber() noexcept = default;
  constexpr OptionalNumber(double number) noexcept : number_(number), has_(true) {}
  template <class T>
    requires requires(const T& x) { x.has_value() ? static_cast<double>(*x) : 0.0; }
  constexpr OptionalNumber(const T& number) : number_(number.has_value() ? static_cast<double>(*number) : 0), has_(number.has_value()) {}
  constexpr bool has_value() const noexcept { return has_; }
  constexpr explicit operator bool() const noexcept { return has_; }
  constexpr double operator*() const noexcept { return number_; }
  /// Throws where there is none.
  double value() const;
  constexpr double value_or(double other) const noexcept { return has_ ? number_ : other; }
  constexpr void reset() noexcept { *this = {}; }
  friend constexpr bool operator==(const OptionalNumber& a, const OptionalNumber& b) noexcept {
    return a.has_ == b.has_ && (!a.has_ || a.number_ == b.number_);
  }

 private:
  double number_ = 0;
  bool has_ = false;
};

/// MATLAB's word for a type: "double", "single", "logical".
std::string_view name(Type type) noexcept;

namespace detail {
template <class T> struct TypeOf;  // has no value for element types that no array can hold
template <> struct TypeOf<double> { static constexpr Type value = Type::Double; };
template <> struct TypeOf<float> { static constexpr Type value = Type::Single; };
template <> struct TypeOf<bool> { static constexpr Type value = Type::Logical; };
}  // namespace detail

/// The C++ types that an array stores: `double`, `float`, `bool`.
template <class T>
concept Element = requires { detail::TypeOf<T>::value; };

/// The array type that stores the C++ type `T`.
template <Element T> inline constexpr Type typeOf = detail::TypeOf<T>::value;

}  // namespace dl
