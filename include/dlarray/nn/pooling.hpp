#pragma once
#include <dlarray/nn/window.hpp>
#include <tuple>

// Pooling: one number for each place of a window that moves over the spatial dimensions, or over those of `.poolFormat` ("T", "ST"). Pool size,
// stride and padding are a number for all of these dimensions or a list with one for each, in the order of the format; the pool size "global"
// takes them whole.
// Windows that stick out behind the padded end are left out. They throw for data without such a dimension, for lists of another
// length, for windows larger than the padded data, and for padding as large as the window.
namespace dl {

struct MaxpoolOptions {
  std::string_view dataFormat = {};
  std::string_view poolFormat = {};
  WindowSizes stride = 1;
  Padding padding = 0;
};
/// The largest element in each window, NaN where there is one; padding never wins. Of equal ones the first in column-major order counts
/// in derivatives. The labels of x; `maxpool<3>` gives two more results. (MATLAB: maxpool)
DlArray maxpool(Operand x, const PoolSize& poolSize, const MaxpoolOptions& options = {});

namespace detail {
template <int n>
std::tuple<DlArray, DlArray, Size> maxpoolWithPositions(const Operand& x, const PoolSize& poolSize, const MaxpoolOptions& options);
}
/// Also where the largest elements are, as 0-based column-major positions in x (with its dimensions in stored order S C B T U), constants
/// to derivatives; and the size of x. (MATLAB: maxpool)
template <int n>
  requires(n == 3)
auto maxpool(Operand x, const PoolSize& poolSize, const MaxpoolOptions& options = {}) {
  return detail::maxpoolWithPositions<n>(x, poolSize, options);
}

/// What padding counts as in a mean: 0, or "mean" for the mean of the data in the window, which then is divided by the number of its data
/// alone.
class PoolPaddingValue {
 public:
  template <Number T>
  PoolPaddingValue(T number) : number_(static_cast<double>(number)) {}
  PoolPaddingValue(const char* word);
  PoolPaddingValue(std::string word);

  /// "" when a number was given; avgpool accepts "mean" and 0.
  const std::string& word() const noexcept { return word_; }
  double number() const noexcept { return number_; }
  friend bool operator==(const PoolPaddingValue& a, const PoolPaddingValue& b) noexcept;

 private:
  double number_ = 0;
  std::string word_;
};

struct AvgpoolOptions {
  std::string_view dataFormat = {};
  std::string_view poolFormat = {};
  WindowSizes stride = 1;
  Padding padding = 0;
  PoolPaddingValue paddingValue = 0;
};
/// The mean of each window, padding counted as zeros unless `.paddingValue` is "mean"; the labels of x. (MATLAB: avgpool)
DlArray avgpool(Operand x, const PoolSize& poolSize, const AvgpoolOptions& options = {});

struct MaxunpoolOptions {
  std::string_view dataFormat = {};
};
/// Zeros of a size, the one that `maxpool<3>` gives, with the elements of x at the positions that it gives; of elements for the same position
/// the last counts. Throws when positions and x differ in size, or a position is not a whole number inside the result. (MATLAB:
/// maxunpool)
DlArray maxunpool(Operand x, Operand positions, const Size& outputSize, const MaxunpoolOptions& options = {});

}  // namespace dl
