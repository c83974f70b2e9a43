#include "core/format.hpp"

#include "core/fail.hpp"

#include <algorithm>

namespace dl {

Format Format::of(std::initializer_list<Label> labels) noexcept {
  Format format;
  std::size_t d = 0;
  for (Label label : labels) format.set(d++, label);
  return format;
}

std::string toString(Format format, std::size_t count) {
  std::string text;
  if (format.labelled())
    for (std::size_t d = 0; d < count; ++d) text += Format::letter(format[d]);
  return text;
}

std::vector<Format::Label> parseFormat(std::string_view text, const char* function, const std::source_location& where) {
  std::vector<Format::Label> labels;
  for (char letter : text) {
    const Format::Label label = Format::label(letter);
    if (label == Format::None)
      fail(where, "format:letter",
           "{}: \"{}\" is not a data format; it is made of the letters S (spatial), C (channel), B (batch), T (time), U "
           "(unspecified)",
           function, text);
    if ((label == Format::C || label == Format::B || label == Format::T) &&
        std::find(labels.begin(), labels.end(), label) != labels.end())
      fail(where, "format:twice", "{}: label {} stands twice in \"{}\"; only S and U may be repeated", function, letter, text);
    labels.push_back(label);
  }
  if (labels.size() > Size::maxDimensions)
    fail(where, "format:tooMany", "{}: \"{}\" has {} labels; an array can have at most {} dimensions", function, text,
         labels.size(), Size::maxDimensions);
  return labels;
}

std::string toString(const Shape& shape) {
  if (!shape.format.labelled()) return toString(shape.size);
  std::string text;
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    text += fmt::format("{}{}({})", d ? " x " : "", shape.size[d], Format::letter(shape.format[d]));
  return text;
}

void dropTrailing(Shape& shape) {
  std::size_t n = shape.size.size();
  while (n > 2 && shape.size[n - 1] == 1 && (!shape.format.labelled() || shape.format[n - 1] == Format::U)) --n;
  if (n == shape.size.size()) return;
  shape.size.resize(n);
  shape.format.resize(n);
}

namespace {

struct Cursor {
  const Shape& shape;
  std::size_t at = 0;
  // The size of the next dimension with this label; 1 where the shape has none.
  Index next(Format::Label label) {
    if (at < shape.size.size() && shape.format[at] == label) return shape.size[at++];
    return 1;
  }
  bool has(Format::Label label) const { return at < shape.size.size() && shape.format[at] == label; }
};

void append(Expansion& e, Index a, Index b, Format::Label label) {
  const std::size_t d = e.result.size.size();
  e.a.push_back(a);
  e.b.push_back(b);
  e.result.size.push_back(a == b ? a : a == 1 ? b : a);
  if (label != Format::None) e.result.format.set(d, label);
}

[[noreturn]] void failExpansion(const Expansion& e, const Shape& a, const Shape& b, const char* function,
                                const std::source_location& where) {
  std::size_t d = 0;
  while (e.a[d] == e.b[d] || e.a[d] == 1 || e.b[d] == 1) ++d;
  if (a.format.labelled() && b.format.labelled())
    fail(where, "sizes:labels", "{}: sizes of label {} differ: {} and {}", function, Format::letter(e.result.format[d]),
         toString(a), toString(b));
  fail(where, "sizes:expand", "{}: sizes do not expand: {} and {}; in each dimension they must be equal or one of them 1",
       function, toString(a), toString(b));
}

}  // namespace

Expansion mergeFormats(const Shape& a, const Shape& b, const char* function, const std::source_location& where) {
  Expansion e;
  if (a.format.labelled() && b.format.labelled()) {
    Cursor ca{a}, cb{b};
    for (Format::Label label : {Format::S, Format::C, Format::B, Format::T, Format::U})
      while (ca.has(label) || cb.has(label)) {
        const Index sizeA = ca.next(label);
        append(e, sizeA, cb.next(label), label);
      }
  } else {
    const std::size_t n = std::max(a.size.size(), b.size.size());
    const Shape* labelled = a.format.labelled() ? &a : b.format.labelled() ? &b : nullptr;
    for (std::size_t d = 0; d < n; ++d) {
      const Format::Label label = !labelled ? Format::None : d < labelled->size.size() ? labelled->format[d] : Format::U;
      append(e, d < a.size.size() ? a.size[d] : 1, d < b.size.size() ? b.size[d] : 1, label);
    }
  }
  for (std::size_t d = 0; d < e.a.size(); ++d)
    if (e.a[d] != e.b[d] && e.a[d] != 1 && e.b[d] != 1) failExpansion(e, a, b, function, where);
  dropTrailing(e.result);
  return e;
}

}  // namespace dl
