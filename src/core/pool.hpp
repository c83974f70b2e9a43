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
  // Blocks given back since the list's length was last looked at: an upper bound that taking blocks need not keep up.
  std::uint32_t given[classes];
  bool watched;  // the thread's end is being waited for
  bool ended;
};
__attribute__((tls_model("initial-exec"))) extern constinit thread_local SmallBlocks smallBlocks;

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool pooling = false;  // a recycled block would hide a use after free
#else
inline constexpr bool pooling = true;
#endif

inline constexpr std::size_t smallLimit = std::size_t{32} << 10;
constexpr int smallClass(std::size_t bytes) { return bytes <= 64 ? 0 : static_cast<int>(std::bit_width(bytes - 1)) - 6; }
void* allocateSlowly(std::size_t bytes);
void deallocateSlowly(void* block, std::size_t bytes) noexcept;
inline constexpr std::size_t keptPerClass = std::size_t{512} << 10;  // bytes of one small size that a thread keeps

}  // namespace detail

/// Memory that is kept when freed: small blocks in free lists of each thread, large ones in size classes shared by all.
/// Fresh pages from the system cost several times the work done on them. Blocks are 64-byte aligned.
inline void* allocate(std::size_t bytes) {
  if (bytes <= detail::smallLimit && detail::pooling) {
    const int c = detail::smallClass(bytes);
    if (detail::FreeBlock* block = detail::smallBlocks.first[c]) {
      detail::smallBlocks.first[c] = block->next;
      return block;
    }
  }
  return detail::allocateSlowly(bytes);
}
/// Gives back a block that was allocated with this many bytes.
inline void deallocate(void* block, std::size_t bytes) noexcept {
  if (bytes <= detail::smallLimit && detail::pooling && detail::smallBlocks.watched) {
    const int c = detail::smallClass(bytes);
    if (detail::smallBlocks.given[c]++ < (detail::keptPerClass >> 6 >> c)) {
      auto* freed = static_cast<detail::FreeBlock*>(block);
      freed->next = detail::smallBlocks.first[c];
      detail::smallBlocks.first[c] = freed;
      return;
    }
  }
  detail::deallocateSlowly(block, bytes);
}

/// What large blocks hold at the moment, in bytes.
struct MemoryUse {
  std::size_t inUse;
  std::size_t peak;
  std::size_t cached;
};
MemoryUse memoryUse() noexcept;
/// Returns all cached large blocks to the system.
void releaseMemory() noexcept;

}  // namespace dl
