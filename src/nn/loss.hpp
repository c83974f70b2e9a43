#pragma once
#include "cpu/loss.hpp"
#include "nn/data_format.hpp"

// What losses share: their options, checked, and weights and masks that are laid over the data without being expanded.
namespace dl::losses {

struct Common {
  const DlArray& mask;
  std::string_view reduction, normalizationFactor, dataFormat, weightsFormat;

  template <class Options>
  static Common of(const Options& o) {
    return {o.mask, o.reduction, o.normalizationFactor, o.dataFormat, o.weightsFormat};
  }
  bool masked() const noexcept { return Storage::get(mask) != nullptr; }
  bool summed() const noexcept { return reduction == "sum"; }
};
void checkWords(const Common& o, const char* function, const std::source_location& where);

/// The sizes that are not 1.
std::vector<Index> longSizes(const Size& size);
Size withoutTrailingOnes(Size size);

/// Weights and the mask, as a logical array: with the dimensions of `shape`, of the same size or 1. Throw where they would expand
/// it.
DlArray fittedWeights(const Operand& weights, const Operand& y, const Shape& shape, const Common& o, const char* function);
DlArray fittedMask(const Operand& y, const Shape& shape, const Common& o, const char* function);

/// What the sum of the losses is divided by; `mask` is fitted to the `count` elements that may take part.
double divisor(const Common& o, const Shape& shape, const DlArray& mask, Index count);

/// How a fitted array lies over one of a size.
cpu::Overlay overlayOf(const Size& small, const Size& size);
/// How many elements of the small array neighbours along a dimension lie apart; 0 where it repeats.
Index strideOf(const Size& small, std::size_t dimension);

/// What every derivative of losses is multiplied by: one factor for all and, where they are not summed, one for each.
template <class T>
struct Factors {
  double all;
  const T* each = nullptr;

  Factors(engine::Backward& b, double factor, bool summed) : all(factor) {
    if (b.isNumber())
      all *= b.number();
    else if (summed)
      all *= double(b.gradient());
    else
      each = Storage::data<T>(b.gradient());
  }
};

/// What the operations have in common: the losses times a number, or their sum. Inputs are predictions, targets, weights where
/// there are some, and a mask where there is one.
struct Terms {
  double factor;
  bool summed, weighted, masked;

  int maskAt() const { return weighted ? 3 : 2; }
  /// Those among inputs, which at(i) gives; an empty array where there are none.
  template <class At>
  DlArray weights(At&& at) const {
    return weighted ? at(2) : DlArray();
  }
  template <class At>
  DlArray mask(At&& at) const {
    return masked ? at(maskAt()) : DlArray();
  }
};
inline auto inputsOf(const engine::Inputs& in) {
  return [&](int i) -> const DlArray& { return in[i]; };
}
inline auto inputsOf(engine::Backward& b) {
  return [&](int i) -> const DlArray& { return b.input(i); };
}

/// Runs an operation on predictions, targets and, where they are there, weights and mask.
template <class Op>
DlArray applyTo(const Op& op, const DlArray& y, const DlArray& t, const DlArray& weights, const DlArray& mask,
                const std::source_location& where) {
  const Operand operands[] = {Operand(y, where), Operand(t, where), Operand(weights, where), Operand(mask, where)};
  const Operand* list[4] = {&operands[0], &operands[1]};
  int count = 2;
  if (op.weighted) list[count++] = &operands[2];
  if (op.masked) list[count++] = &operands[3];
  return engine::apply(op, engine::Inputs(list, count));
}

}  // namespace dl::losses
