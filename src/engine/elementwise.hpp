#pragma once
#include "engine/apply.hpp"

namespace dl::engine {

// The element-wise functions of arrays that the formulas define; F is a struct of formulas/unary.hpp or formulas/binary.hpp.

/// F of every element; logical arrays count as double.
template <class F>
DlArray unary(const Operand& x);
/// The logical array of answers of F.
template <class F>
DlArray predicate(const Operand& x);
/// F of two arrays with implicit expansion, merged labels and MATLAB's type promotion.
template <class F>
DlArray binary(const Operand& a, const Operand& b);
/// The logical array of answers of F about two arrays, expanded as by `binary`.
template <class F>
DlArray relation(const Operand& a, const Operand& b);

/// The elements of `a` where the condition holds, else those of `b`; all three expand to a common size.
DlArray select(const Operand& condition, const Operand& a, const Operand& b);
/// The same values with another element type.
DlArray castTo(const Operand& x, Type type);

/// The type that an operation on two arrays computes in: single wins over double, both win over logical.
Type promote(Type a, Type b) noexcept;
/// The type that numbers of a type are computed in: logical ones count as double.
constexpr Type numberType(Type type) noexcept { return type == Type::Logical ? Type::Double : type; }
/// An array as it is, a logical one as an array of doubles.
DlArray numbers(const Operand& x);

}  // namespace dl::engine
