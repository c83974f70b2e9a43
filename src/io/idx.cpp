#include <dlarray/io/idx.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "ops/creation.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

namespace dl {

namespace {

// A file of bytes, compressed or not.
class Bytes {
 public:
  Bytes(const std::string& path, std::source_location where) : path_(path), where_(where) {
    std::error_code unknown;
    length_ = std::filesystem::is_directory(path, unknown) ? 0 : std::filesystem::file_size(path, unknown);
    errno = 0;
    file_.reset(unknown ? nullptr : gzopen(path.c_str(), "rb"));
    if (!file_)
      fail(where, "readIdx:open", "readIdx: {} cannot be opened: {}", path, unknown ? unknown.message() : std::strerror(errno));
    gzbuffer(file_.get(), 1U << 18);
  }

  void read(unsigned char* to, std::size_t n) {
    while (n > 0) {
      const auto wanted = static_cast<unsigned>(std::min<std::size_t>(n, 1U << 30));
      const int got = gzread(file_.get(), to, wanted);
      if (got <= 0) failDamaged(got < 0);
      to += got;
      n -= static_cast<std::size_t>(got);
    }
  }
  // Reads up to the end, where a compressed file has its checksum. Throws when there are more bytes.
  void expectEnd() {
    unsigned char more;
    const int got = gzread(file_.get(), &more, 1);
    if (got > 0) fail(where_, "readIdx:size", "readIdx: {} holds more than its header says", path_);
    int code = Z_OK;
    gzerror(file_.get(), &code);
    if (got < 0 || code != Z_OK) failDamaged(got < 0);
  }
  // The most bytes that a file of this length can hold; gzip cannot make anything 1/1032 of its size.
  double mostBytes() { return static_cast<double>(length_) * (gzdirect(file_.get()) ? 1 : 1032); }

  [[noreturn]] void failDamaged(bool damaged) {
    int code = Z_OK;
    const char* words = gzerror(file_.get(), &code);
    if (damaged && code != Z_BUF_ERROR) fail(where_, "readIdx:damaged", "readIdx: {} is damaged: {}", path_, words);
    fail(where_, "readIdx:cut", "readIdx: {} ends before all numbers that its header names", path_);
  }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose_r(file); }
  };
  const std::string& path_;
  std::source_location where_;
  std::uintmax_t length_ = 0;
  std::unique_ptr<std::remove_pointer_t<gzFile>, Close> file_;
};

template <class T>
T bigEndian(const unsigned char* bytes) {
  using Bits = std::conditional_t<
      sizeof(T) == 1, std::uint8_t,
      std::conditional_t<sizeof(T) == 2, std::uint16_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
  Bits bits = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) bits = static_cast<Bits>(static_cast<std::uint64_t>(bits) << 8 | bytes[i]);
  return std::bit_cast<T>(bits);
}

// One observation of the file, last dimension fastest, in column-major order.
template <class From, class To>
void transposed(const unsigned char* from, To* to, const std::vector<Index>& sizes) {
  const std::size_t rank = sizes.size();
  if (rank == 2) {
    const Index rows = sizes[0], columns = sizes[1];
    for (Index j = 0; j < columns; ++j)
      for (Index i = 0; i < rows; ++i)
        *to++ = static_cast<To>(bigEndian<From>(from + static_cast<std::size_t>(i * columns + j) * sizeof(From)));
    return;
  }
  Index n = 1;
  for (const Index s : sizes) n *= s;
  std::vector<Index> at(rank, 0), step(rank, 1);
  for (std::size_t d = rank; d-- > 1;) step[d - 1] = step[d] * sizes[d];
  Index place = 0;
  for (Index k = 0; k < n; ++k) {
    to[k] = static_cast<To>(bigEndian<From>(from + static_cast<std::size_t>(place) * sizeof(From)));
    for (std::size_t d = 0; d < rank; ++d) {
      place += step[d];
      if (++at[d] < sizes[d]) break;
      place -= step[d] * sizes[d];
      at[d] = 0;
    }
  }
}

// Reads observations one after the other, a few at a time.
template <class From, class To>
DlArray readElements(Bytes& bytes, const Size& size, const std::vector<Index>& each, Index n) {
  DlArray x = Storage::make({size, {}}, typeOf<To>);
  if (numel(size) == 0) {
    bytes.expectEnd();
    return x;
  }
  To* to = Storage::mutableData<To>(x);
  const Index elements = numel(size) / n;
  const Index atOnce = std::max<Index>(1, (Index{1} << 18) / (elements * static_cast<Index>(sizeof(From))));
  std::vector<unsigned char> buffer(static_cast<std::size_t>(std::min(atOnce, n) * elements) * sizeof(From));
  for (Index first = 0; first < n; first += atOnce) {
    const Index count = std::min(atOnce, n - first);
    bytes.read(buffer.data(), static_cast<std::size_t>(count * elements) * sizeof(From));
    for (Index k = 0; k < count; ++k)
      transposed<From>(buffer.data() + static_cast<std::size_t>(k * elements) * sizeof(From), to + (first + k) * elements, each);
  }
  bytes.expectEnd();
  return x;
}

}  // namespace

DlArray readIdx(const std::string& file, std::source_location where) {
  Bytes bytes(file, where);
  unsigned char header[4];
  bytes.read(header, 4);
  constexpr std::string_view sizeOfType("\1\1\0\2\4\4\10", 7);  // of the codes 8 to 14
  const int code = header[2] - 8;
  if (header[0] != 0 || header[1] != 0 || code < 0 || code > 6 || code == 2 || header[3] == 0)
    fail(where, "readIdx:foreign", "readIdx: {} is not an IDX file: it begins with {:02x} {:02x} {:02x} {:02x}", file, header[0],
         header[1], header[2], header[3]);
  const int rank = header[3];
  if (rank > Size::maxDimensions)
    fail(where, "readIdx:dimensions", "readIdx: {} has {} dimensions, an array at most {}", file, rank, Size::maxDimensions);
  std::vector<Index> sizes;
  double total = static_cast<double>(sizeOfType[static_cast<std::size_t>(code)]);
  bool none = false;  // no elements, however long the other dimensions are
  for (int d = 0; d < rank; ++d) {
    unsigned char word[4];
    bytes.read(word, 4);
    sizes.push_back(static_cast<Index>(bigEndian<std::uint32_t>(word)));
    none = none || sizes.back() == 0;
    total *= static_cast<double>(std::max<Index>(sizes.back(), 1));
  }
  // Before memory is asked for: a damaged header may name any size.
  if (none ? total > 0x1p62 : total > bytes.mostBytes())
    fail(where, "readIdx:cut", "readIdx: {} is too short for the {} that its header names", file, toString(Size(sizes)));

  Index n = 1;
  std::vector<Index> each = sizes;
  Size size(sizes);
  if (rank != 2) {
    n = sizes.front();
    each.erase(each.begin());
    size = Size(each);
    size.push_back(n);
    if (rank == 1) size.push_back(1);
  }
  size = newShape(size).size;
  switch (header[2]) {
    case 0x08:
      return readElements<std::uint8_t, float>(bytes, size, each, n);
    case 0x09:
      return readElements<std::int8_t, float>(bytes, size, each, n);
    case 0x0B:
      return readElements<std::int16_t, float>(bytes, size, each, n);
    case 0x0C:
      return readElements<std::int32_t, double>(bytes, size, each, n);
    case 0x0D:
      return readElements<float, float>(bytes, size, each, n);
    default:
      return readElements<double, double>(bytes, size, each, n);
  }
}

}  // namespace dl
