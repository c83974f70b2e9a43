#pragma once
#include <dlarray/array.hpp>

namespace dl {

/// The labels of an array's dimensions, packed in one integer: three bits a dimension, zero when unlabelled.
class Format {
 public:
  /// In stored order: an array's labels never decrease from one dimension to the next.
  enum Label : std::uint8_t { None, S, C, B, T, U };

  constexpr Format() noexcept = default;
  static Format of(std::initializer_list<Label> labels) noexcept;

  bool labelled() const noexcept { return bits_ != 0; }
  Label operator[](std::size_t dimension) const noexcept { return static_cast<Label>((bits_ >> (3 * dimension)) & 7U); }
  void set(std::size_t dimension, Label label) noexcept {
    bits_ = (bits_ & ~(std::uint64_t{7} << (3 * dimension))) | (std::uint64_t{label} << (3 * dimension));
  }
  /// Drops the labels from `count` on.
  void resize(std::size_t count) noexcept { bits_ &= (std::uint64_t{1} << (3 * count)) - 1; }
  friend bool operator==(Format a, Format b) noexcept { return a.bits_ == b.bits_; }

  static constexpr char letter(Label label) noexcept { return "-SCBTU"[label]; }
  /// The label a letter stands for, None for any other letter.
  static constexpr Label label(char letter) noexcept {
    switch (letter) {
      case 'S':
        return S;
      case 'C':
        return C;
      case 'B':
        return B;
      case 'T':
        return T;
      case 'U':
        return U;
      default:
        return None;
    }
  }

 private:
  std::uint64_t bits_ = 0;
};

/// The letters of the first `count` labels.
std::string toString(Format format, std::size_t count);

/// The labels as written, checked: letters SCBTU, C, B and T at most once. `function` names the caller in the error.
std::vector<Format::Label> parseFormat(std::string_view text, const char* function, const std::source_location& where);

/// Size and labels of an array of any type: everything that a size rule of an operation looks at.
struct Shape {
  Size size;
  Format format;
  friend bool operator==(const Shape& a, const Shape& b) noexcept { return a.format == b.format && a.size == b.size; }
};

/// "3(C) x 7(B)" or "3 x 7".
std::string toString(const Shape& shape);

/// Drops trailing dimensions of size 1 past the second that carry no label or U.
void dropTrailing(Shape& shape);

/// Two shapes brought to the same number of dimensions by inserting dimensions of size 1, and what expansion makes of them.
struct Expansion {
  Shape result;
  Size a, b;  // sizes as aligned with the result's dimensions before trailing ones are dropped
};

/// MATLAB's implicit expansion: labels are united with multiplicity, the k-th S of one shape meets the k-th S of the other,
/// an unlabelled shape meets a labelled one by position. Throws when two sizes differ and neither is 1.
Expansion mergeFormats(const Shape& a, const Shape& b, const char* function, const std::source_location& where);

}  // namespace dl
