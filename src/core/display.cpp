#include "core/fail.hpp"
#include "core/storage.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <ostream>
#include <utility>

// MATLAB's display in its `format short`, with positions counted from 0 as everywhere in the library.
namespace dl {

namespace {

constexpr Index lineWidth = 80;
constexpr Index mostElements = 1000 * 1000;  // more would not be read by anybody

using Header = detail::Header;

double valueAt(const Header& h, Index i) {
  switch (h.type) {
    case Type::Single:
      return static_cast<double>(static_cast<const float*>(h.data)[i]);
    case Type::Logical:
      return static_cast<const bool*>(h.data)[i] ? 1.0 : 0.0;
    default:
      return static_cast<const double*>(h.data)[i];
  }
}

std::string title(const Header& h) {
  const Shape shape{h.size, h.format};
  std::string text;
  if (h.format.labelled()) {
    text = toString(shape);
  } else {
    for (Index n : h.size) text += fmt::format("{}{}", text.empty() ? "" : "x", n);
  }
  const bool plain = h.type == Type::Double;
  return fmt::format("  {}{}{}{} dlarray\n", text, h.numel == 0 ? " empty" : "", plain ? "" : " ", plain ? "" : name(h.type));
}

// How the elements of one page are written: a common power of ten, and columns of one width.
struct Notation {
  enum class Kind { Whole, Fixed, Scientific };
  Kind kind;
  int width;
  int exponent = 0;

  void write(std::string& text, double value) const {
    auto to = std::back_inserter(text);
    if (std::isnan(value))
      fmt::format_to(to, "{:>{}}", "NaN", width);
    else if (std::isinf(value))
      fmt::format_to(to, "{:>{}}", value > 0 ? "Inf" : "-Inf", width);
    else if (value == 0)
      fmt::format_to(to, "{:>{}}", 0, width);
    else if (kind == Kind::Whole)
      fmt::format_to(to, "{:>{}.0f}", value, width);
    else if (kind == Kind::Scientific)
      fmt::format_to(to, "{:>{}.4e}", value, width);
    else
      fmt::format_to(to, "{:>{}.4f}", exponent == 0 ? value : scaled(value), width);
  }

 private:
  // In more than double precision, where the power of ten of the smallest numbers still exists.
  double scaled(double value) const { return static_cast<double>(value / std::pow(10.0L, exponent)); }
};

Notation notationFor(const Header& h, Index first, Index count) {
  if (h.type == Type::Logical) return {Notation::Kind::Whole, 4};
  double largest = 0;
  bool whole = true;
  for (Index i = first; i < first + count; ++i) {
    const double value = valueAt(h, i);
    if (!std::isfinite(value)) continue;
    largest = std::max(largest, std::abs(value));
    whole = whole && value == std::trunc(value);
  }
  if (whole && largest < 1e3) return {Notation::Kind::Whole, 6};
  if (whole && largest < 1e9) return {Notation::Kind::Whole, 12};
  if (largest >= 0.01 && largest < 1e3) return {Notation::Kind::Fixed, 10};
  if (count == 1) return {Notation::Kind::Scientific, 13};
  return {Notation::Kind::Fixed, 10, static_cast<int>(std::floor(std::log10(largest)))};
}

class Printer {
 public:
  explicit Printer(const Header& h) : h_(h), text_(title(h)), rows_(h.size[0]), columns_(h.size[1]) {
    const Index pages = h.numel == 0 ? 0 : h.numel / (rows_ * columns_);
    for (Index page = 0; page < pages && left_ > 0; ++page) {
      if (pages > 1) addPageTitle(page);
      addPage(page * rows_ * columns_);
    }
    if (h.numel > mostElements) add("\n  ... {} of {} elements shown\n", mostElements, h.numel);
  }
  const std::string& text() const { return text_; }

 private:
  template <class... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }

  void addPageTitle(Index page) {
    text_ += "\n(all, all";
    for (std::size_t d = 2; d < h_.size.size(); ++d) {
      add(", {}", page % h_.size[d]);
      page /= h_.size[d];
    }
    text_ += ") =\n";
  }

  void addColumnsTitle(Index begin, Index end) {
    if (end - begin == 1)
      add("\n  Column {}\n", begin);
    else
      add("\n  Columns {} through {}\n", begin, end - 1);
  }

  void addPage(Index first) {
    const Notation notation = notationFor(h_, first, rows_ * columns_);
    if (notation.exponent != 0) add("\n   1.0e{:+03d} *\n", notation.exponent);
    const Index perLine = lineWidth / notation.width;
    for (Index begin = 0; begin < columns_ && left_ > 0; begin += perLine) {
      const Index end = std::min(columns_, begin + perLine);
      if (columns_ > perLine) addColumnsTitle(begin, end);
      text_ += '\n';
      for (Index row = 0; row < rows_ && left_ > 0; ++row) {
        for (Index column = begin; column < end && left_ > 0; ++column, --left_)
          notation.write(text_, valueAt(h_, first + column * rows_ + row));
        text_ += '\n';
      }
    }
  }

  const Header& h_;
  std::string text_;
  Index rows_, columns_;
  Index left_ = mostElements;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const DlArray& x) {
  const Printer printer(Storage::of(x));
  return out.write(printer.text().data(), static_cast<std::streamsize>(printer.text().size()));
}

}  // namespace dl
