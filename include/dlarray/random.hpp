#pragma once
#include <dlarray/ops/creation.hpp>

// Random numbers from one generator, shared by all threads: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, 2011), which makes number i of the
// stream from the seed and i alone. The same seed gives the same numbers on every machine and for every number of threads that a call
// may use. Sizes and types are given as to `zeros`; results are unlabelled constants.
namespace dl {

/// Where the generator stands: what `rng()` answers and `rng(state)` goes back to.
struct RandomState {
  std::uint64_t seed = 0;
  /// How many blocks of 128 bits were taken since the seed was set. Each call takes whole blocks: 2 double numbers a block, 4 single ones
  /// of rand and randn, 2 whole numbers of randi and randperm. `rand(1, 6)` so begins with the numbers of `rand(1, 4)`.
  std::uint64_t position = 0;
  friend bool operator==(const RandomState&, const RandomState&) = default;
};

/// The present state of the generator. (MATLAB: rng)
RandomState rng();
/// Sets the seed and starts its stream at the beginning; gives back the state before. The seed of a program's start is 0. (MATLAB: rng)
RandomState rng(std::uint64_t seed);
template <Integer I>
RandomState rng(I seed) {
  return rng(static_cast<std::uint64_t>(seed));
}
/// "default" is the start of the program, "shuffle" a seed that differs each time. (MATLAB: rng)
RandomState rng(std::string_view kind, std::source_location where = std::source_location::current());
/// Goes back to a state that an earlier call answered.
RandomState rng(const RandomState& state);

/// Numbers spread evenly over the open interval (0, 1). Without arguments C has a function of this name too: write `dl::rand()`.
/// (MATLAB: rand)
DlArray rand(const Size& size, Type type = Type::Double);
DlArray rand(const Size& size, std::string_view like, const DlArray& x,
            std::source_location where = std::source_location::current());
inline DlArray rand(const Size& size, std::string_view type, std::source_location where = std::source_location::current()) {
  return rand(size, detail::typeNamed(type, where));
}
template <detail::SizeOrType... More>
DlArray rand(detail::FirstSize first, const More&... more) {
  const detail::Wanted w = detail::wanted("rand", first, more...);
  return rand(w.size, w.type);
}
inline DlArray rand() { return rand(Size{1, 1}); }

/// Normally distributed numbers of mean 0 and variance 1. (MATLAB: randn)
DlArray randn(const Size& size, Type type = Type::Double);
DlArray randn(const Size& size, std::string_view like, const DlArray& x,
            std::source_location where = std::source_location::current());
inline DlArray randn(const Size& size, std::string_view type, std::source_location where = std::source_location::current()) {
  return randn(size, detail::typeNamed(type, where));
}
template <detail::SizeOrType... More>
DlArray randn(detail::FirstSize first, const More&... more) {
  const detail::Wanted w = detail::wanted("randn", first, more...);
  return randn(w.size, w.type);
}
inline DlArray randn() { return randn(Size{1, 1}); }

/// The whole numbers that randi draws from: `6` means 1 to 6, `{lo, hi}` means lo to hi, both included.
struct IntegerRange {
  template <Integer I>
  IntegerRange(I last) : low(1), high(static_cast<Index>(last)) {}
  template <Integer I, Integer J>
  IntegerRange(I first, J last) : low(static_cast<Index>(first)), high(static_cast<Index>(last)) {}
  Index low, high;
};

/// Whole numbers, each of the range equally often. Throws for an empty range and for numbers that the type cannot hold. (MATLAB: randi)
DlArray randi(IntegerRange range, const Size& size, Type type = Type::Double,
              std::source_location where = std::source_location::current());
DlArray randi(IntegerRange range, const Size& size, std::string_view like, const DlArray& x,
              std::source_location where = std::source_location::current());
inline DlArray randi(IntegerRange range, const Size& size, std::string_view type,
                     std::source_location where = std::source_location::current()) {
  return randi(range, size, detail::typeNamed(type, where), where);
}
template <detail::SizeOrType... More>
DlArray randi(IntegerRange range, detail::FirstSize first, const More&... more) {
  const detail::Wanted w = detail::wanted("randi", first, more...);
  return randi(range, w.size, w.type, w.where);
}
inline DlArray randi(IntegerRange range, std::source_location where = std::source_location::current()) {
  return randi(range, Size{1, 1}, Type::Double, where);
}

/// A row of the positions 0 to n - 1 in random order, of which MATLAB's are one larger. (MATLAB: randperm)
DlArray randperm(Index n, std::source_location where = std::source_location::current());
/// The first k of them: k different positions. (MATLAB: randperm)
DlArray randperm(Index n, Index k, std::source_location where = std::source_location::current());

}  // namespace dl
