#include "ops/random.hpp"

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "cpu/random.hpp"
#include "ops/creation.hpp"

#include <algorithm>
#include <cassert>
#include <mutex>
#include <random>

namespace dl {

namespace {

constinit thread_local RandomState* ownStream = nullptr;

// The generator: its state is all there is to it. A call takes the blocks that it needs and makes its numbers outside the lock.
class Generator {
 public:
  RandomState state() {
    if (ownStream) return *ownStream;
    const std::lock_guard lock(mutex_);
    return state_;
  }
  RandomState exchange(const RandomState& state) {
    if (ownStream) return std::exchange(*ownStream, state);
    const std::lock_guard lock(mutex_);
    return std::exchange(state_, state);
  }
  // The state before `blocks` more blocks were taken.
  RandomState advance(std::uint64_t blocks) {
    if (ownStream) return taken(*ownStream, blocks);
    const std::lock_guard lock(mutex_);
    return taken(state_, blocks);
  }

 private:
  static RandomState taken(RandomState& state, std::uint64_t blocks) {
    const RandomState before = state;
    state.position += blocks;
    return before;
  }

  std::mutex mutex_;
  RandomState state_;
};

Generator& generator() {
  static constinit Generator shared;
  return shared;
}

// An array filled by fill(elements, count, seed, position), which takes `perBlock` elements from a block.
template <class T, class Fill>
DlArray drawn(const Size& size, Index perBlock, Fill fill) {
  DlArray x = Storage::make(newShape(size), typeOf<T>);
  const Index n = numel(x);
  if (n == 0) return x;
  const auto blocks = static_cast<std::uint64_t>((n + perBlock - 1) / perBlock);
  const RandomState at = generator().advance(blocks);
  [[maybe_unused]] const std::uint64_t used = fill(Storage::mutableData<T>(x), n, at.seed, at.position);
  assert(used == blocks);
  return x;
}

// Calls fill with a number of the C++ type of the array that is wanted.
template <class Fill>
DlArray drawnOf(Type type, const char* function, Fill fill) {
  if (type == Type::Double) return fill(double());
  if (type == Type::Single) return fill(float());
  fail({}, "random:type", "{}: random numbers are double or single, not {}", function, name(type));
}

template <class T>
constexpr Index realsPerBlock = sizeof(T) == sizeof(float) ? 4 : 2;
constexpr Index integersPerBlock = 2;

}  // namespace

RandomStream::RandomStream(const RandomState& start) noexcept : state_(start), outer_(std::exchange(ownStream, &state_)) {}
RandomStream::~RandomStream() { ownStream = outer_; }

RandomState takeUniform(Index count, Type type) {
  const Index perBlock = type == Type::Single ? realsPerBlock<float> : realsPerBlock<double>;
  return generator().advance(static_cast<std::uint64_t>((count + perBlock - 1) / perBlock));
}

std::uint64_t drawKey() {
  const RandomState at = generator().advance(1);
  return streamOf(at.seed, at.position).seed;
}

RandomState streamOf(std::uint64_t key, std::uint64_t number) noexcept {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  // The last words set these blocks apart from those of which the generator makes numbers.
  const auto words = cpu::philox({low(number), low(number >> 32), 0x73747265u, 1}, {low(key), low(key >> 32)});
  return {words[0] | std::uint64_t{words[1]} << 32, 0};
}

RandomState rng() { return generator().state(); }
RandomState rng(std::uint64_t seed) { return generator().exchange({seed, 0}); }
RandomState rng(const RandomState& state) { return generator().exchange(state); }

RandomState rng(std::string_view kind, std::source_location where) {
  if (kind == "default") return rng(std::uint64_t{0});
  if (kind != "shuffle") fail(where, "rng:kind", "rng: \"{}\" is neither \"default\" nor \"shuffle\"; a number is a seed", kind);
  std::random_device device;
  return rng((std::uint64_t{device()} << 32) | device());
}

DlArray rand(const Size& size, Type type) {
  return drawnOf(type, "rand", [&](auto zero) {
    using T = decltype(zero);
    return drawn<T>(size, realsPerBlock<T>, cpu::fillUniform<T>);
  });
}
DlArray rand(const Size& size, std::string_view like, const DlArray& x, std::source_location where) {
  return rand(size, detail::typeLike(like, x, where));
}

DlArray randn(const Size& size, Type type) {
  return drawnOf(type, "randn", [&](auto zero) {
    using T = decltype(zero);
    return drawn<T>(size, realsPerBlock<T>, cpu::fillNormal<T>);
  });
}
DlArray randn(const Size& size, std::string_view like, const DlArray& x, std::source_location where) {
  return randn(size, detail::typeLike(like, x, where));
}

DlArray randi(IntegerRange range, const Size& size, Type type, std::source_location where) {
  if (range.low > range.high)
    fail(where, "randi:range", "randi: there are no whole numbers from {} to {}", range.low, range.high);
  const Index exact = Index{1} << (type == Type::Single ? 24 : 53);
  if (range.low < -exact || range.high > exact)
    fail(where, "randi:range", "randi: not all whole numbers from {} to {} are {} numbers", range.low, range.high, name(type));
  return drawnOf(type, "randi", [&](auto zero) {
    using T = decltype(zero);
    return drawn<T>(size, integersPerBlock, [&](T* y, Index n, std::uint64_t seed, std::uint64_t position) {
      return cpu::fillIntegers(y, n, range.low, range.high, seed, position);
    });
  });
}
DlArray randi(IntegerRange range, const Size& size, std::string_view like, const DlArray& x, std::source_location where) {
  return randi(range, size, detail::typeLike(like, x, where), where);
}

DlArray randperm(Index n, std::source_location where) { return randperm(n, n, where); }

DlArray randperm(Index n, Index k, std::source_location where) {
  if (n < 0 || k < 0 || k > n) fail(where, "randperm:count", "randperm: {} of {} positions cannot be drawn", k, n);
  const DlArray whole = drawn<double>(Size{1, n}, integersPerBlock, cpu::permutation<double>);
  if (k == n) return whole;
  return dlarray(Storage::data<double>(whole), Size{1, k});
}

}  // namespace dl
