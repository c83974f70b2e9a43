#pragma once
#include <dlarray/array.hpp>

// Questions about each element; the answers are logical arrays with the labels of the inputs, expanded as by arithmetic.
namespace dl {

DlArray operator==(Operand a, Operand b);
DlArray operator!=(Operand a, Operand b);
DlArray operator<(Operand a, Operand b);
DlArray operator<=(Operand a, Operand b);
DlArray operator>(Operand a, Operand b);
DlArray operator>=(Operand a, Operand b);
/// Element-wise and; both sides are evaluated. (MATLAB: &)
DlArray operator&&(Operand a, Operand b);
/// Element-wise or; both sides are evaluated. (MATLAB: |)
DlArray operator||(Operand a, Operand b);
DlArray operator!(Operand x);

DlArray eq(Operand a, Operand b);
DlArray ne(Operand a, Operand b);
DlArray lt(Operand a, Operand b);
DlArray le(Operand a, Operand b);
DlArray gt(Operand a, Operand b);
DlArray ge(Operand a, Operand b);
DlArray xor_(Operand a, Operand b);
DlArray isnan(Operand x);
DlArray isinf(Operand x);
DlArray isfinite(Operand x);

}  // namespace dl
