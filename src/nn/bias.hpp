#pragma once
#include "nn/data_format.hpp"

namespace dl {

/// A bias laid along the channels of a result; an array without a header for the number 0, which means none.
DlArray biasAlong(const Operand& bias, const Shape& result, const char* function);
/// y + bias, in the memory of y.
DlArray withBias(DlArray y, const DlArray& bias, const std::source_location& where);

}  // namespace dl
