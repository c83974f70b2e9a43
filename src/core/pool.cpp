#include "core/pool.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace dl {

namespace {

using detail::smallBlocks;
using detail::smallClass;

constexpr std::size_t alignment = 64;
constexpr std::size_t hugePage = std::size_t{2} << 20;
constexpr std::size_t hugeFrom = std::size_t{4} << 20;
constexpr std::size_t keptAlways = std::size_t{256} << 20;

struct ThreadEnd {
  ~ThreadEnd() {
    smallBlocks.ended = true;
    smallBlocks.watched = false;
    for (int c = 0; c < detail::SmallBlocks::classes; ++c) {
      smallBlocks.room[c] = 0;
      smallBlocks.cut[c] = false;
    }
    for (detail::FreeBlock*& block : smallBlocks.first)
      while (block) std::free(std::exchange(block, block->next));
  }
};

constexpr std::uint32_t blocksOf(std::size_t bytes, int c) { return static_cast<std::uint32_t>(bytes >> 6 >> c); }

void watchThreadEnd() {
  thread_local ThreadEnd end;
  (void)end;
  smallBlocks.watched = true;
  for (int c = 0; c < detail::SmallBlocks::classes; ++c)
    smallBlocks.room[c] = smallBlocks.kept[c] = blocksOf(detail::keptPerClass, c);
}

// Counts a list that may have become too long, half as long again as what is kept at most; of one that has, frees what is beyond
// half of that.
void trim(int c) noexcept {
  const std::uint32_t kept = smallBlocks.kept[c];
  std::uint32_t length = 0;
  detail::FreeBlock **last = &smallBlocks.first[c], **middle = last;
  for (; *last && length < kept; ++length) {
    last = &(*last)->next;
    if (length < kept / 2) middle = last;
  }
  smallBlocks.room[c] = std::max(kept - length, kept / 2);  // or a list that is almost full would be counted again and again
  if (length < kept) return;
  smallBlocks.cut[c] = true;
  while (*middle) std::free(std::exchange(*middle, (*middle)->next));
}

// A list that was cut and then ran out was too short: a program that takes and gives back as much again and again needs no system.
void keepMore(int c) noexcept {
  if (!smallBlocks.cut[c]) return;
  smallBlocks.cut[c] = false;
  const std::uint32_t more = std::min(smallBlocks.kept[c], blocksOf(detail::mostKeptPerClass, c) - smallBlocks.kept[c]);
  smallBlocks.kept[c] += more;
  smallBlocks.room[c] += more;
}

std::atomic<std::size_t> taken{0};

void* fromSystem(std::size_t bytes) {
  taken.fetch_add(bytes, std::memory_order_relaxed);
  const std::size_t align = bytes >= hugeFrom ? hugePage : alignment;
  void* block = std::aligned_alloc(align, (bytes + align - 1) / align * align);
  if (!block) throw std::bad_alloc();
#ifdef __linux__
  if (bytes >= hugeFrom) madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
}

// Eight classes an octave waste at most an eighth.
std::size_t largeClass(std::size_t bytes) {
  if (!detail::pooling) return bytes;
  const std::size_t step = std::bit_floor(bytes) / 8;
  return (bytes + step - 1) / step * step;
}

class LargeBlocks {
 public:
  void* take(std::size_t bytes) {
    {
      std::lock_guard lock(mutex_);
      SizeClass& own = free_[bytes];
      own.used = ++clock_;
      if (!own.blocks.empty()) {
        void* block = own.blocks.back();
        own.blocks.pop_back();
        use_.cached -= bytes;
        count(bytes);
        return block;
      }
    }
    void* block = freshOrFreed(bytes);
    std::lock_guard lock(mutex_);
    count(bytes);
    return block;
  }
  void give(void* block, std::size_t bytes) noexcept {
    {
      std::lock_guard lock(mutex_);
      use_.inUse -= bytes;
      const std::size_t limit = std::max(keptAlways, use_.peak);
      if (detail::pooling && bytes <= limit) {
        while (use_.cached + bytes > limit) freeOldest();
        use_.cached += bytes;
        free_[bytes].blocks.push_back(block);
        return;
      }
    }
    std::free(block);
  }
  void clear() noexcept {
    std::lock_guard lock(mutex_);
    for (auto& [bytes, own] : free_)
      for (void* block : own.blocks) std::free(block);
    free_.clear();
    use_.cached = 0;
    use_.peak = use_.inUse;
  }
  MemoryUse use() noexcept {
    std::lock_guard lock(mutex_);
    use_.taken = taken.load(std::memory_order_relaxed);
    return use_;
  }

 private:
  void count(std::size_t bytes) noexcept {
    use_.inUse += bytes;
    use_.peak = std::max(use_.peak, use_.inUse);
  }
  // When the system has no more, what is kept for later is given back first.
  void* freshOrFreed(std::size_t bytes) {
    try {
      return fromSystem(bytes);
    } catch (const std::bad_alloc&) {
      clear();
      return fromSystem(bytes);
    }
  }

  // A program goes on to other sizes: what nobody has asked for the longest makes room.
  void freeOldest() noexcept {
    std::pair<const std::size_t, SizeClass>* oldest = nullptr;
    for (auto& entry : free_)
      if (!entry.second.blocks.empty() && (!oldest || entry.second.used < oldest->second.used)) oldest = &entry;
    std::free(oldest->second.blocks.back());
    oldest->second.blocks.pop_back();
    use_.cached -= oldest->first;
  }

  struct SizeClass {
    std::vector<void*> blocks;
    std::uint64_t used = 0;
  };
  std::mutex mutex_;
  std::map<std::size_t, SizeClass> free_;
  std::uint64_t clock_ = 0;
  MemoryUse use_{};
};

// Never destroyed: arrays with static storage may be freed after it would be.
LargeBlocks& largeBlocks() {
  static auto* blocks = new LargeBlocks;
  return *blocks;
}

}  // namespace

namespace detail {

constinit thread_local SmallBlocks smallBlocks{};

void* allocateSlowly(std::size_t bytes) {
  if (bytes > smallLimit) return largeBlocks().take(largeClass(bytes));
  if (!pooling) return fromSystem(bytes);
  keepMore(smallClass(bytes));
  return fromSystem(std::size_t{64} << smallClass(bytes));
}

void deallocateSlowly(void* block, std::size_t bytes) noexcept {
  if (bytes > smallLimit) return largeBlocks().give(block, largeClass(bytes));
  if (pooling && !smallBlocks.watched && !smallBlocks.ended) {
    watchThreadEnd();
    return deallocate(block, bytes);
  }
  const int c = smallClass(bytes);
  if (!pooling || !smallBlocks.watched) return std::free(block);
  trim(c);
  deallocateSmall(block, c);
}

}  // namespace detail

MemoryUse memoryUse() noexcept { return largeBlocks().use(); }
void releaseMemory() noexcept { largeBlocks().clear(); }

}  // namespace dl
