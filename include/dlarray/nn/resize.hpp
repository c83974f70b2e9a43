#pragma once
#include <dlarray/array.hpp>

namespace dl {

/// A number for every spatial dimension, or one for each; none when nothing is said.
class ResizeNumbers {
 public:
  ResizeNumbers() noexcept = default;
  template <Number T>
  ResizeNumbers(T everywhere) : numbers_{static_cast<double>(everywhere)} {}
  ResizeNumbers(std::initializer_list<detail::AnyNumber> each) {
    for (const detail::AnyNumber n : each) numbers_.push_back(n.value);
  }
  ResizeNumbers(const Size& each) : numbers_(each.begin(), each.end()) {}
  explicit ResizeNumbers(std::vector<double> each) : numbers_(std::move(each)) {}

  std::size_t count() const noexcept { return numbers_.size(); }
  double operator[](std::size_t dimension) const noexcept { return numbers_[numbers_.size() == 1 ? 0 : dimension]; }
  friend bool operator==(const ResizeNumbers&, const ResizeNumbers&) noexcept = default;

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
