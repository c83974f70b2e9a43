#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>

namespace dl {

namespace detail {

struct FreeBlock {
  FreeBlock* next;
};

/// The free lists of a thread, by powers of two from 64 bytes to 32 KiB.
struct SmallBlocks {
  static constexpr int classes = 10;
  FreeBlock* first[classes];
  // How many more blocks may be given back before the list's length is looked at; none until the thread's end is being waited for.
  // Taking blocks need not keep it up: it is what is certainly left.
  std::uint32_t room[classes];
  std::uint32_t kept[classes];  // how many blocks the list may hold: twice as many each time it was cut too short
  bool cut[classes];            // blocks of the list went back to the system
  bool watched;  // the thread's end is being waited for
  bool ended;
};
__attribute__((tls_model("initial-exec"))) extern constinit thread_local SmallBlocks smallBlocks;

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool pooling = false;  // a recycled block would hide a use after free, one of a class' size a step past the end
#else
inline constexpr bool pooling = true;
#endif

inline constexpr std::size_t smallLimit = std::size_t{32} << 10;
constexpr int smallClass(std::size_t bytes) { return bytes <= 64 ? 0 : static_cast<int>(std::bit_width(bytes - 1)) - 6; }
void* allocateSlowly(std::size_t bytes);
void deallocateSlowly(void* block, std::size_t bytes) noexcept;
// Bytes of one small size that a thread keeps: at first, and when it turned out to need more.
inline constexpr std::size_t keptPerClass = std::size_t{512} << 10, mostKeptPerClass = std::size_t{16} << 20;

inline void* allocateSmall(int c) {
  if (pooling) {
    if (FreeBlock* block = smallBlocks.first[c]) {
      smallBlocks.first[c] = block->next;
      return block;
    }
  }
  return allocateSlowly(std::size_t{64} << c);
}
inline void deallocateSmall(void* block, int c) noexcept {
  if (pooling && smallBlocks.room[c] > 0) {
    --smallBlocks.room[c];
    auto* freed = static_cast<FreeBlock*>(block);
    freed->next = smallBlocks.first[c];
    smallBlocks.first[c] = freed;
    return;
  }
  deallocateSlowly(block, std::size_t{64} << c);
}

}  // namespace detail

/// Memory that is kept when freed: small blocks in free lists of each thread, large ones in size classes shared by all.
/// Fresh pages from the system cost several times the work done on them. Blocks are 64-byte aligned.
inline void* allocate(std::size_t bytes) {
  if (!detail::pooling) return detail::allocateSlowly(bytes);
  return bytes <= detail::smallLimit ? detail::allocateSmall(detail::smallClass(bytes)) : detail::allocateSlowly(bytes);
}
/// Gives back a block that was allocated with this many bytes.
inline void deallocate(void* block, std::size_t bytes) noexcept {
  if (!detail::pooling)
    detail::deallocateSlowly(block, bytes);
  else if (bytes <= detail::smallLimit)
    detail::deallocateSmall(block, detail::smallClass(bytes));
  else
    detail::deallocateSlowly(block, bytes);
}

/// What large blocks hold at the moment, and what was ever taken from the system for blocks of any size, in bytes.
struct MemoryUse {
  std::size_t inUse;
  std::size_t peak;
  std::size_t cached;
  std::size_t taken;
};
MemoryUse memoryUse() noexcept;
/// Returns all cached large blocks to the system, and counts the peak from here.
void releaseMemory() noexcept;

}  // namespace dl
