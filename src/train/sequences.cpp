#include "core/fail.hpp"
#include "core/storage.hpp"
#include "ops/creation.hpp"
#include "ops/dimensions.hpp"
#include "train/gather.hpp"

#include <dlarray/train/minibatchqueue.hpp>

#include <dlarray/ops/creation.hpp>

#include <algorithm>

namespace dl::detail {

namespace {

Index lengthAlong(const DlArray& x, Index dimension) { return size(stripdims(x), dimension); }

Index wantedLength(const std::vector<DlArray>& sequences, Index dimension, const PadsequencesOptions::Length& length,
                   const std::source_location& where) {
  if (length.word().empty()) {
    if (length.number() < 1)
      fail(where, "padsequences:length", "padsequences: length is {}, must be at least 1", length.number());
    return length.number();
  }
  if (length.word() != "longest" && length.word() != "shortest")
    fail(where, "padsequences:length", "padsequences: length \"{}\" is neither \"longest\" nor \"shortest\" nor a number",
         length.word());
  const auto shorter = [&](const DlArray& a, const DlArray& b) { return lengthAlong(a, dimension) < lengthAlong(b, dimension); };
  const auto found =
      length.word() == "longest" ? std::ranges::max_element(sequences, shorter) : std::ranges::min_element(sequences, shorter);
  return lengthAlong(*found, dimension);
}

// A sequence's sizes with another length, one entry for each of `rank` dimensions.
Size sizeWith(const DlArray& x, std::size_t rank, std::size_t dimension, Index length) {
  Size size = Storage::shape(x).size;
  size.resize(std::max(rank, size.size()));
  size[dimension] = length;
  return size;
}

// How much of the difference between two lengths is on the left.
Index leftPart(Index difference, const std::string& direction) {
  if (direction == "right") return 0;
  return direction == "left" ? difference : difference / 2;
}

// Copies the elements of x, or ones where there is no x, to where a sequence of this length has them, cut at its ends if longer.
template <class T>
void place(const DlArray* x, T* to, const Lanes& from, Index length, const std::string& direction) {
  const Index kept = std::min(length, from.count);
  const Index skip = leftPart(from.count - kept, direction), start = leftPart(length - kept, direction);
  for (Index o = 0; o < from.outer; ++o) {
    T* target = to + (o * length + start) * from.inner;
    if (x)
      std::copy_n(Storage::data<T>(*x) + (o * from.count + skip) * from.inner, kept * from.inner, target);
    else
      std::fill_n(target, kept * from.inner, T(1));
  }
}

}  // namespace

template <std::size_t N>
std::tuple<DlArray, DlArray> padsequences(const std::vector<DlArray>& sequences, Index dimension,
                                          const PadsequencesOptions& options, const std::source_location& where) {
  constexpr bool mask = N == 2;
  if (sequences.empty()) fail(where, "padsequences:empty", "padsequences: there are no sequences");
  if (dimension < 0 || dimension >= Size::maxDimensions - 1)
    fail(where, "padsequences:dimension", "padsequences: there is no dimension {}", dimension);
  if (options.direction != "right" && options.direction != "left" && options.direction != "both")
    fail(where, "padsequences:direction", "padsequences: direction \"{}\" is none of \"right\", \"left\", \"both\"",
         options.direction);
  const Index length = wantedLength(sequences, dimension, options.length, where);
  const auto along = static_cast<std::size_t>(dimension);
  std::size_t rank = along + 1;
  for (const DlArray& x : sequences) rank = std::max(rank, Storage::shape(x).size.size());
  const Size first = sizeWith(sequences.front(), rank, along, length);
  const Type type = underlyingType(sequences.front());
  for (std::size_t k = 0; k < sequences.size(); ++k)
    if (!(sizeWith(sequences[k], rank, along, length) == first) || underlyingType(sequences[k]) != type)
      fail(where, "padsequences:sizes",
           "padsequences: sequence {} is {} {}, the first is {} {}; they may differ in dimension {} alone", k,
           describe(sequences[k]), name(underlyingType(sequences[k])), describe(sequences.front()), name(type), dimension);

  Size whole = first;
  whole.push_back(static_cast<Index>(sequences.size()));
  whole = newShape(whole).size;
  DlArray padded = Storage::make({whole, {}}, type), present = mask ? zeros(whole, Type::Logical) : DlArray();
  const auto fill = [&](auto zero) {
    using T = decltype(zero);
    T* to = Storage::mutableData<T>(padded);
    std::fill_n(to, numel(padded), static_cast<T>(options.paddingValue));
    bool* marks = mask ? Storage::mutableData<bool>(present) : nullptr;
    for (std::size_t k = 0; k < sequences.size(); ++k) {
      const Lanes from = lanes(sizeWith(sequences[k], rank, along, lengthAlong(sequences[k], dimension)), along);
      const Index at = static_cast<Index>(k) * numel(first);
      place<T>(&sequences[k], to + at, from, length, options.direction);
      if (mask) place<bool>(nullptr, marks + at, from, length, options.direction);
    }
  };
  if (type == Type::Double)
    fill(double());
  else if (type == Type::Single)
    fill(float());
  else
    fill(bool());
  return {padded, present};
}
template std::tuple<DlArray, DlArray> padsequences<1>(const std::vector<DlArray>& sequences, Index dimension,
                                                      const PadsequencesOptions& options, const std::source_location& where);
template std::tuple<DlArray, DlArray> padsequences<2>(const std::vector<DlArray>& sequences, Index dimension,
                                                      const PadsequencesOptions& options, const std::source_location& where);

}  // namespace dl::detail
