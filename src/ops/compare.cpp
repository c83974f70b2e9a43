#include "engine/elementwise.hpp"
#include "formulas/binary.hpp"
#include "formulas/unary.hpp"

#include <dlarray/ops/compare.hpp>

namespace dl {

using engine::predicate;
using engine::relation;

DlArray operator==(Operand a, Operand b) { return relation<formula::Equal>(a, b); }
DlArray operator!=(Operand a, Operand b) { return relation<formula::NotEqual>(a, b); }
DlArray operator<(Operand a, Operand b) { return relation<formula::Less>(a, b); }
DlArray operator<=(Operand a, Operand b) { return relation<formula::LessEqual>(a, b); }
DlArray operator>(Operand a, Operand b) { return relation<formula::Greater>(a, b); }
DlArray operator>=(Operand a, Operand b) { return relation<formula::GreaterEqual>(a, b); }

DlArray eq(Operand a, Operand b) { return relation<formula::Equal>(a, b); }
DlArray ne(Operand a, Operand b) { return relation<formula::NotEqual>(a, b); }
DlArray lt(Operand a, Operand b) { return relation<formula::Less>(a, b); }
DlArray le(Operand a, Operand b) { return relation<formula::LessEqual>(a, b); }
DlArray gt(Operand a, Operand b) { return relation<formula::Greater>(a, b); }
DlArray ge(Operand a, Operand b) { return relation<formula::GreaterEqual>(a, b); }
DlArray and_(Operand a, Operand b) { return relation<formula::And>(a, b); }
DlArray or_(Operand a, Operand b) { return relation<formula::Or>(a, b); }
DlArray not_(Operand x) { return predicate<formula::IsZero>(x); }
DlArray xor_(Operand a, Operand b) { return relation<formula::Xor>(a, b); }
DlArray isnan(Operand x) { return predicate<formula::IsNan>(x); }
DlArray isinf(Operand x) { return predicate<formula::IsInf>(x); }
DlArray isfinite(Operand x) { return predicate<formula::IsFinite>(x); }

}  // namespace dl
