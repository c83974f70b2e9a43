#include <dlarray/io/image.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "io/picture.hpp"
#include "io/whole_file.hpp"
#include "ops/creation.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>

namespace dl {

namespace {

using io::Picture;

std::string endingOf(const std::string& file) {
  std::string ending = std::filesystem::path(file).extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return ending;
}

DlArray arrayOf(const Picture& p) {
  const Index height = p.height, width = p.width, channels = p.channels;
  DlArray x = Storage::make(newShape(Size{height, width, channels}), Type::Single);
  auto* to = Storage::mutableData<float>(x);
  for (Index i = 0; i < height; ++i) {
    const unsigned char* from = p.bytes.data() + static_cast<std::size_t>(i) * p.rowBytes();
    for (Index j = 0; j < width; ++j)
      for (Index c = 0; c < channels; ++c) {
        float& place = to[(c * width + j) * height + i];
        if (p.depth == 16) {
          place = static_cast<float>(from[0] * 256 + from[1]) / 257.0F;
          from += 2;
        } else {
          place = *from++;
        }
      }
  }
  return x;
}

template <class T>
void fillBytes(const DlArray& x, const ImageRange& range, Picture& p) {
  const Index height = p.height, width = p.width, channels = p.channels;
  const T* from = Storage::data<T>(x);
  const double most = p.depth == 16 ? 65535 : 255;
  unsigned char* to = p.bytes.data();
  for (Index i = 0; i < height; ++i)
    for (Index j = 0; j < width; ++j)
      for (Index c = 0; c < channels; ++c) {
        const double share =
            (static_cast<double>(from[(c * width + j) * height + i]) - range.black) / (range.white - range.black);
        // Written so that NaN becomes black.
        const auto level = static_cast<unsigned>(std::lround(share > 0 ? std::min(share, 1.0) * most : 0.0));
        if (p.depth == 16) *to++ = static_cast<unsigned char>(level >> 8);
        *to++ = static_cast<unsigned char>(level & 255U);
      }
}

Picture pictureOf(const DlArray& x, const ImwriteOptions& options, bool png, const std::source_location& where) {
  Size size = Storage::shape(x).size;
  while (size.size() > 3 && size[size.size() - 1] == 1) size.resize(size.size() - 1);
  size.resize(std::max<std::size_t>(size.size(), 3));
  const Index channels = size[2];
  if (size.size() > 3 || numel(x) == 0 || channels < 1 || channels > 4 || (!png && channels != 1 && channels != 3))
    fail(where, "imwrite:size", "imwrite: {} is no picture: height x width x {} is", describe(x), png ? "1 to 4" : "1 or 3");
  if (size[0] > 65500 || size[1] > 65500) fail(where, "imwrite:size", "imwrite: {} is larger than 65500 x 65500", describe(x));
  Picture p;
  p.height = static_cast<std::uint32_t>(size[0]);
  p.width = static_cast<std::uint32_t>(size[1]);
  p.channels = static_cast<int>(channels);
  p.depth = static_cast<int>(options.bitDepth);
  p.bytes.resize(p.rowBytes() * p.height);
  switch (underlyingType(x)) {
    case Type::Double:
      fillBytes<double>(x, options.range, p);
      break;
    case Type::Single:
      fillBytes<float>(x, options.range, p);
      break;
    case Type::Logical:
      fillBytes<bool>(x, options.range, p);
      break;
    default:
      fail(where, "imwrite:type", "imwrite: {} arrays are no pictures", name(underlyingType(x)));
  }
  return p;
}

}  // namespace

DlArray imread(const std::string& file, std::source_location where) {
  std::error_code unknown;
  const double bytes =
      std::filesystem::is_directory(file, unknown) ? 0 : static_cast<double>(std::filesystem::file_size(file, unknown));
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> input(unknown ? nullptr : std::fopen(file.c_str(), "rb"), std::fclose);
  if (!input)
    fail(where, "imread:open", "imread: {} cannot be opened: {}", file,
         unknown ? unknown.message() : std::string(std::strerror(errno)));
  unsigned char head[8] = {};
  const std::size_t got = std::fread(head, 1, sizeof head, input.get());
  std::rewind(input.get());
  const bool png = got == 8 && std::memcmp(head, "\x89PNG\r\n\x1a\n", 8) == 0,
             jpeg = got >= 3 && std::memcmp(head, "\xFF\xD8\xFF", 3) == 0;
  if (!png && !jpeg) fail(where, "imread:foreign", "imread: {} is neither a PNG nor a JPEG file", file);
  Picture picture;
  const std::string mistake = png ? io::readPng(input.get(), bytes, picture) : io::readJpeg(input.get(), picture);
  if (!mistake.empty()) fail(where, "imread:damaged", "imread: {} cannot be read: {}", file, mistake);
  return arrayOf(picture);
}

void imwrite(Operand x, const std::string& file, const ImwriteOptions& options) {
  const std::source_location& where = x.where();
  const std::string ending = endingOf(file);
  const bool png = ending == ".png";
  if (!png && ending != ".jpg" && ending != ".jpeg")
    fail(where, "imwrite:format", "imwrite: {} ends in none of .png, .jpg, .jpeg", file);
  if (!(options.range.white - options.range.black != 0))
    fail(where, "imwrite:range", "imwrite: range from {} to {} is empty", options.range.black, options.range.white);
  if (options.bitDepth != 8 && !(png && options.bitDepth == 16))
    fail(where, "imwrite:bitDepth", "imwrite: {} bits; PNG has 8 or 16, JPEG 8", options.bitDepth);
  if (options.quality < 0 || options.quality > 100)
    fail(where, "imwrite:quality", "imwrite: quality is {}, must be 0 to 100", options.quality);
  const Picture picture = pictureOf(x, options, png, where);
  const io::Task task{"imwrite", file, where};
  io::FileWriter output(task);
  const std::string mistake =
      png ? io::writePng(output.stream(), picture) : io::writeJpeg(output.stream(), picture, static_cast<int>(options.quality));
  if (!mistake.empty()) task.fail("file", "cannot be written: {}", mistake);
  output.commit();
}

}  // namespace dl
