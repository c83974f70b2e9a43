#pragma once
#include <dlarray/array.hpp>
#include <dlarray/random.hpp>

namespace dl {

/// While it lives, the random numbers that this thread asks for come from a stream of their own; the generator that all threads
/// share stands still. Streams may be nested.
class RandomStream {
 public:
  explicit RandomStream(const RandomState& start) noexcept;
  ~RandomStream();
  RandomStream(const RandomStream&) = delete;
  RandomStream& operator=(const RandomStream&) = delete;

 private:
  RandomState state_;
  RandomState* outer_;
};

/// The state from which `rand` would make so many numbers of a type; the generator goes on behind them.
RandomState takeUniform(Index count, Type type);

/// A number to derive streams from; takes one block of the generator.
std::uint64_t drawKey();
/// The beginning of stream `number` of a key: other numbers and keys give independent streams.
RandomState streamOf(std::uint64_t key, std::uint64_t number) noexcept;

}  // namespace dl
