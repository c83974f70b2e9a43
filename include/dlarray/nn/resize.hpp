#pragma once
#include <dlarray/array.hpp>

namespace dl {

/// A number for every spatial dimension, or one for each; none when nothing is said.
class ResizeNumbers {
 public:
  ResizeNumbers() noexcept;
  template <Number T>
  ResizeNumbers(T everywhere) : ResizeNumbers({detail::AnyNumber(everywhere)}) {}
  ResizeNumbers(std::initializer_list<detail::AnyNumber> each);
  ResizeNumbers(const Size& each);
  explicit ResizeNumbers(std::vector<double> each);

  std::size_t count() const noexcept { return numbers_.size(); }
  double operator[](std::size_t dimension) const noexcept { return numbers_[numbers_.size() == 1 ? 0 : dimension]; }
  friend bool operator==(const ResizeNumbers& a, const ResizeNumbers& b) noexcept;

 private:
  std::vector<double> numbers_;
};

struct DlresizeOptions {
  /// How many times as large the spatial dimensions become, rounded down; or else
  ResizeNumbers scale = {};
  /// their sizes.
  ResizeNumbers outputSize = {};
  std::string_view dataFormat = {};
  /// "nearest" or "linear"
  std::string_view method = "nearest";
  /// Where the element i of the result, from 0, lies in x: "half-pixel" (i + 0.5) / scale - 0.5, "asymmetric" i / scale
  std::string_view geometricTransformMode = "half-pixel";
  /// "round", halves up; "floor"; "onnx-10", up when it gets smaller and down when it gets larger
  std::string_view nearestRoundingMode = "round";
};
/// The spatial dimensions made larger or smaller by interpolation along each; beyond its first and last element x goes on as they are. The
/// labels of x. Throws unless either scale or output size is given, for data without spatial dimensions, and for results without
/// elements. (MATLAB: dlresize)
DlArray dlresize(Operand x, const DlresizeOptions& options);

}  // namespace dl
