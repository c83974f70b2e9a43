#pragma once
#include "engine/apply.hpp"

namespace dl {

/// The data of a deep-learning function: labelled and in stored order, and how its results go back to the caller.
class LabelledData {
 public:
  /// Takes the labels of `x`, or those of `dataFormat` for an array without labels. Throws when there are neither or both.
  LabelledData(const Operand& x, std::string_view dataFormat, const char* function);

  const DlArray& array() const noexcept { return array_; }
  const Shape& shape() const noexcept { return Storage::shape(array_); }
  /// A labelled result as the caller's data is: with its labels, or without any in the order of `dataFormat`. In the latter case labels
  /// that the result lost are left out, and new ones come last.
  DlArray result(DlArray y) const;
  /// The data for the next operation, with the memory of a temporary if it was one. Once only.
  Operand take(const std::source_location& where) noexcept { return Operand(std::move(array_), where); }

 private:
  DlArray array_;
  std::string dataFormat_;  // "" when x brought its labels
};

/// The dimensions that carry one of these labels ("SCU"), as a set of bits.
std::uint32_t dimensionsWith(const Shape& shape, std::string_view labels) noexcept;
/// The product of the sizes of a set of dimensions.
Index sizeOf(const Shape& shape, std::uint32_t dimensions) noexcept;

/// Values for each channel (an offset, a scale, a bias), of any shape that has one element for each channel, or one for all, laid
/// along the C dimension of `shape` so that they expand against it. Labelled values must have them along C. `what` names them in errors.
DlArray alongChannels(const Operand& values, const Shape& shape, const char* function, const char* what);

}  // namespace dl
