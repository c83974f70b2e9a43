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
