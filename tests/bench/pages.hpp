#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace bench {

/// Memory as the library gives it to its arrays: large ones on huge pages.
template <class T>
struct Pages {
  using value_type = T;
  static T* allocate(std::size_t n) {
    constexpr std::size_t page = std::size_t{2} << 20;
    const std::size_t bytes = (n * sizeof(T) + page - 1) / page * page;
    void* memory = std::aligned_alloc(page, bytes);
    if (!memory) throw std::bad_alloc();
    if (bytes >= 2 * page) madvise(memory, bytes, MADV_HUGEPAGE);
    return static_cast<T*>(memory);
  }
  static void deallocate(T* memory, std::size_t) { std::free(memory); }
  friend bool operator==(Pages, Pages) { return true; }
};
template <class T>
using Numbers = std::vector<T, Pages<T>>;

}  // namespace bench
