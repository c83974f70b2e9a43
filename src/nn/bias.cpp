#include "nn/bias.hpp"

#include "engine/elementwise.hpp"
#include "formulas/binary.hpp"

namespace dl {

DlArray biasAlong(const Operand& bias, const Shape& result, const char* function) {
  if (bias.isNumber() && bias.number() == 0) return {};
  return alongChannels(bias, result, function, "the bias");
}

DlArray withBias(DlArray y, const DlArray& bias, const std::source_location& where) {
  if (!Storage::get(bias)) return y;
  return engine::binary<formula::Plus>(Operand(std::move(y), where), Operand(bias, where));
}

}  // namespace dl
