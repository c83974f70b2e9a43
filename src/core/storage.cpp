#include "core/storage.hpp"

#include "core/fail.hpp"

#include <algorithm>
#include <utility>

namespace dl {

namespace detail {

Header* retain(Header* h) noexcept {
  if (h->local || singleThreaded())
    ++h->references;
  else
    std::atomic_ref(h->references).fetch_add(1, std::memory_order_relaxed);
  return h;
}

void release(Header* h) noexcept {
  if (h->local || singleThreaded()) {
    if (--h->references == 0) Storage::destroy(h);
    return;
  }
  // The only owner needs no read-modify-write, which would cost more than all else here.
  std::atomic_ref count(h->references);
  if (count.load(std::memory_order_acquire) == 1 || count.fetch_sub(1, std::memory_order_acq_rel) == 1) Storage::destroy(h);
}

Header* makeScalar(double value) {
  Header* h = Storage::scalar(Type::Double);
  std::memcpy(h->tiny, &value, sizeof value);
  return h;
}
Header* makeScalar(float value) {
  Header* h = Storage::scalar(Type::Single);
  std::memcpy(h->tiny, &value, sizeof value);
  return h;
}
Header* makeScalar(bool value) {
  Header* h = Storage::scalar(Type::Logical);
  std::memcpy(h->tiny, &value, sizeof value);
  return h;
}

}  // namespace detail

void Storage::destroy(Header* h) noexcept {
  if (h->next) {
    h->previous->next = h->next;
    h->next->previous = h->previous;
  }
  if (Buffer* b = h->buffer) {
    if (b->references.load(std::memory_order_acquire) == 1 || b->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      deallocate(b, b->bytes);
  }
  const int blockClass = h->blockClass;
  h->~Header();
  detail::deallocateSmall(h, blockClass);
}

const detail::Header& Storage::nothing() noexcept {
  static const Header* header = [] {
    auto* h = new Header;
    h->size = Size{0, 0};
    h->numel = 0;
    h->data = h->tiny;
    return h;
  }();
  return *header;
}

Index countOf(const Size& size, Type type) {
  // Matrices of less than 2^56 elements cannot overflow; whether there is memory for them is the allocation's to say.
  if (size.size() == 2 && (size[0] | size[1]) >> 28 == 0) return size[0] * size[1];
  Index n = 1;
  bool tooMany = false;
  for (Index s : size) tooMany |= __builtin_mul_overflow(n, s, &n);
  Index bytes;
  if (std::find(size.begin(), size.end(), 0) != size.end()) return 0;
  if (tooMany || __builtin_mul_overflow(n, static_cast<Index>(bytesOf(type)), &bytes))
    throw Error("dlarray:memory", fmt::format("an array of size {} has more elements than memory can hold", toString(size)));
  return n;
}

namespace {

void* allocateFor(const Size& size, std::size_t bytes) {
  try {
    return allocate(bytes);
  } catch (const std::bad_alloc&) {
    throw Error("dlarray:memory", fmt::format("no memory for an array of size {}, which takes {:.1f} GiB", toString(size),
                                              static_cast<double>(bytes) / (1U << 30)));
  }
}

}  // namespace

DlArray Storage::make(const Shape& shape, Type type, Device device) {
  const Index n = countOf(shape.size, type);
  const std::size_t bytes = static_cast<std::size_t>(n) * bytesOf(type);
  Header* h = scalar(type, room(bytes));
  DlArray x = adopt(h);  // owns the header should the buffer's allocation fail
  h->device = device;
  h->format = shape.format;
  h->size = shape.size;
  h->numel = n;
  h->plainScalar = n == 1 && shape.size.size() == 2 && !shape.format.labelled();
  if (bytes > Header::insideBytes) provide(h, bytes);
  return x;
}

void Storage::provide(Header* h, std::size_t bytes) {
  const std::size_t block = bytes + sizeof(Buffer);
  h->buffer = new (allocateFor(h->size, block)) Buffer{{1}, block};
  h->data = h->buffer->elements();
}

DlArray Storage::makeVector(Type type, Index count, bool row) {
  const std::size_t bytes = static_cast<std::size_t>(count) * bytesOf(type);
  Header* h = scalar(type, room(bytes));
  DlArray x = adopt(h);
  if (count == 1) return x;
  h->size[row] = count;
  h->numel = count;
  h->plainScalar = false;
  if (bytes > Header::insideBytes) provide(h, bytes);
  return x;
}

DlArray Storage::makeLike(const Header& from, Type type) {
  const std::size_t bytes = static_cast<std::size_t>(from.numel) * bytesOf(type);
  DlArray y = adopt(scalar(type, room(bytes)));
  Header* h = y.header_;
  h->device = from.device;
  h->format = from.format;
  if (from.plainScalar) return y;
  h->size = from.size;
  h->numel = from.numel;
  h->plainScalar = false;
  if (bytes > Header::insideBytes) provide(h, bytes);
  return y;
}

DlArray Storage::reshaped(const DlArray& x, const Shape& shape) {
  const Header& from = of(x);
  const std::size_t bytes = from.buffer ? 0 : static_cast<std::size_t>(from.numel) * bytesOf(from.type);
  Header* h = scalar(from.type, room(bytes));
  h->device = from.device;
  h->origin = from.origin;
  h->format = shape.format;
  h->size = shape.size;
  h->numel = from.numel;
  h->plainScalar = from.numel == 1 && shape.size.size() == 2 && !shape.format.labelled();
  if (from.buffer) {
    from.buffer->references.fetch_add(1, std::memory_order_relaxed);
    h->buffer = from.buffer;
    h->data = from.data;
  } else {
    std::memcpy(h->tiny, from.tiny, bytes);
  }
  return adopt(h);
}

DlArray Storage::recycled(DlArray&& x, const Shape& shape, Type type) {
  Header* h = x.header_;
  if (h->node != 0) {  // the header belongs to its node; only the memory changes hands
    const std::size_t bytes = h->buffer ? 0 : static_cast<std::size_t>(h->numel) * bytesOf(h->type);
    Header* y = scalar(type, room(bytes));
    y->device = h->device;
    y->format = shape.format;
    y->size = shape.size;
    y->numel = numel(shape.size);
    y->plainScalar = y->numel == 1 && shape.size.size() == 2 && !shape.format.labelled();
    if (h->buffer) {
      y->buffer = std::exchange(h->buffer, nullptr);
      y->data = h->data;
    } else {
      std::memcpy(y->tiny, h->tiny, bytes);
    }
    x = DlArray();
    return adopt(y);
  }
  h->type = type;
  h->origin = 0;
  if (!(h->size == shape.size)) h->size = shape.size;
  h->format = shape.format;
  h->numel = numel(shape.size);
  h->plainScalar = h->numel == 1 && shape.size.size() == 2 && !shape.format.labelled();
  return std::move(x);
}

DlArray Storage::copied(const DlArray& x) {
  const Header& h = of(x);
  DlArray y = make({h.size, h.format}, h.type, h.device);
  std::memcpy(y.header_->data, h.data, static_cast<std::size_t>(h.numel) * bytesOf(h.type));
  return y;
}

std::string describe(const DlArray& x) { return toString(Storage::shape(x)); }

}  // namespace dl
