#pragma once
#include "core/format.hpp"
#include "core/pool.hpp"

#include <atomic>
#include <cstring>
#include <new>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace dl {

namespace engine {
class Trace;
}

/// Elements too many for the header: the first bytes of a pooled block, the elements behind them. Shared by arrays that differ in
/// shape only.
struct alignas(64) Buffer {
  std::atomic<std::uint32_t> references;
  std::size_t bytes;  // of the whole block
  void* elements() noexcept { return this + 1; }
};

namespace detail {

/// Links the headers of a trace's arrays, so that closing the trace finds all that outlive it.
struct Link {
  Link* previous = nullptr;
  Link* next = nullptr;
};

/// What a DlArray points to: sizes, labels, type, and the elements or where they lie.
struct alignas(64) Header : Link, Shape {
  static constexpr std::size_t tinyBytes = 128;    // always there
  static constexpr std::size_t insideBytes = 896;  // elements up to this many bytes lie behind the header, in the same block

  std::uint32_t references = 1;
  // An array in a trace belongs to one thread: its count needs no atomic operations.
  bool local = false;
  Type type = Type::Double;
  Device device = Device::Cpu;
  std::uint8_t blockClass = 0;  // size class of the block that the header lies in
  bool plainScalar = false;  // 1 x 1 without labels on the CPU: the shortcut of element-wise operations
  std::uint32_t node = 0;    // the trace's node that made this value; 0 outside a trace
  std::uint8_t origin = 0;   // Origin flags: why a value that looks traced is not
  engine::Trace* trace = nullptr;
  Index numel = 1;
  void* data = nullptr;
  Buffer* buffer = nullptr;
  alignas(64) std::byte tiny[tinyBytes];
};

}  // namespace detail

/// True while the process has had one thread only: counts then need no atomic operations.
inline bool singleThreaded() noexcept {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded;
#else
  return false;
#endif
}

/// Marks kept for error sentences.
enum Origin : std::uint8_t {
  fromGradient = 1,  // made by dlgradient without enableHigherDerivatives, or computed from such a value
};

/// The number of elements of an array of this size and type; throws when memory cannot hold as many.
Index countOf(const Size& size, Type type);

/// Bytes of one element.
constexpr std::size_t bytesOf(Type type) noexcept {
  switch (type) {
    case Type::Single:
      return 4;
    case Type::Logical:
      return 1;
    case Type::ComplexDouble:
      return 16;
    default:
      return 8;
  }
}

/// Calls `body` with a zero of the C++ type of a floating array's elements.
template <class Body>
decltype(auto) withElementType(Type type, Body&& body) {
  return type == Type::Single ? body(float()) : body(double());
}

/// The library's way into an array.
class Storage {
 public:
  using Header = detail::Header;

  /// The header; that of the 0 x 0 array when there is none.
  static const Header& of(const DlArray& x) noexcept { return x.header_ ? *x.header_ : nothing(); }
  static Header* get(const DlArray& x) noexcept { return x.header_; }
  /// Gives an array the ownership of one reference.
  static DlArray adopt(Header* header) noexcept { return DlArray(header); }

  /// A header with one reference and plain 1 x 1 shape; its elements are in `tiny`.
  static Header* scalar(Type type, std::size_t room = sizeof(Header)) {
    const int c = detail::smallClass(room);
    auto* h = new (detail::allocateSmall(c)) Header;
    h->blockClass = static_cast<std::uint8_t>(c);
    h->type = type;
    h->data = h->tiny;
    h->plainScalar = true;
    h->size = Size::matrix(1, 1);
    return h;
  }
  /// A new array with uninitialised elements.
  static DlArray make(const Shape& shape, Type type, Device device = Device::Cpu);
  /// A new row or column without labels, of uninitialised elements.
  static DlArray makeVector(Type type, Index count, bool row);
  /// A new array of the shape of `x` with uninitialised elements.
  static DlArray makeLike(const DlArray& x, Type type) { return makeLike(of(x), type); }
  static DlArray makeLike(const Header& from) { return makeLike(from, from.type); }
  static DlArray makeLike(const Header& from, Type type);
  /// The same elements under another shape of equally many elements; shares what it can.
  static DlArray reshaped(const DlArray& x, const Shape& shape);
  /// An array of another shape and type that takes over the memory of `x`, of at least as many bytes, which nobody else uses.
  static DlArray recycled(DlArray&& x, const Shape& shape, Type type);
  /// A new array with the same elements that shares nothing.
  static DlArray copied(const DlArray& x);
  /// True when nobody else sees the elements, so that they may be overwritten.
  static bool unique(const DlArray& x) noexcept {
    const Header* h = x.header_;
    return h && count(*h) == 1 && (!h->buffer || h->buffer->references.load(std::memory_order_acquire) == 1);
  }
  static const Shape& shape(const DlArray& x) noexcept { return of(x); }
  template <class T>
  static const T* data(const DlArray& x) noexcept {
    return static_cast<const T*>(of(x).data);
  }
  /// For elements of an array that was just made.
  template <class T>
  static T* mutableData(const DlArray& x) noexcept {
    return static_cast<T*>(x.header_->data);
  }
  static bool traced(const DlArray& x) noexcept { return x.header_ && x.header_->node != 0; }
  static bool plainScalar(const DlArray& x) noexcept { return x.header_ && x.header_->plainScalar; }

  static std::uint32_t count(const Header& h) noexcept {
    return h.local ? h.references : std::atomic_ref(const_cast<std::uint32_t&>(h.references)).load(std::memory_order_acquire);
  }
  static void destroy(Header* h) noexcept;
  /// Gives the elements of a header a block of their own.
  static void provide(Header* h, std::size_t bytes);
  /// The bytes of a header with this many bytes of elements behind it, if they are few.
  static constexpr std::size_t room(std::size_t bytes) noexcept {
    return bytes <= Header::tinyBytes || bytes > Header::insideBytes ? sizeof(Header)
                                                                     : sizeof(Header) - Header::tinyBytes + bytes;
  }
  static const Header& nothing() noexcept;

 private:
};

/// "3(C) x 7(B)" or "3 x 7".
std::string describe(const DlArray& x);

}  // namespace dl
