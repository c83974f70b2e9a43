#include "io/picture.hpp"

#include <csetjmp>
#include <cstring>
#include <png.h>

namespace dl::io {

namespace {

// Everything that outlives a jump. Functions that set a jump have no other objects.
struct Work {
  png_structp png = nullptr;
  png_infop info = nullptr;
  bool reading = true;
  std::string mistake;
  std::vector<png_bytep> rows;

  ~Work() {
    if (reading)
      png_destroy_read_struct(&png, &info, nullptr);
    else
      png_destroy_write_struct(&png, &info);
  }
};

[[noreturn]] void onError(png_structp png, png_const_charp words) {
  static_cast<Work*>(png_get_error_ptr(png))->mistake = words;
  png_longjmp(png, 1);
}
void onWarning(png_structp, png_const_charp) {}

bool readHeader(Work& work, std::FILE* file, Picture& picture) {
  if (setjmp(png_jmpbuf(work.png)) != 0) return false;
  png_init_io(work.png, file);
  png_set_user_limits(work.png, 1U << 20, 1U << 20);
  png_read_info(work.png, work.info);
  const int color = png_get_color_type(work.png, work.info);
  const bool transparent = png_get_valid(work.png, work.info, PNG_INFO_tRNS) != 0;
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(work.png);
  if (color == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(work.png, work.info) < 8) png_set_expand_gray_1_2_4_to_8(work.png);
  if (transparent) png_set_tRNS_to_alpha(work.png);
  png_set_interlace_handling(work.png);
  png_read_update_info(work.png, work.info);
  picture.height = png_get_image_height(work.png, work.info);
  picture.width = png_get_image_width(work.png, work.info);
  picture.channels = png_get_channels(work.png, work.info);
  picture.depth = png_get_bit_depth(work.png, work.info);
  return true;
}

bool readRows(Work& work) {
  if (setjmp(png_jmpbuf(work.png)) != 0) return false;
  png_read_image(work.png, work.rows.data());
  png_read_end(work.png, nullptr);
  return true;
}

bool writeAll(Work& work, std::FILE* file, const Picture& picture) {
  constexpr int colors[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  if (setjmp(png_jmpbuf(work.png)) != 0) return false;
  png_init_io(work.png, file);
  png_set_user_limits(work.png, 1U << 20, 1U << 20);
  png_set_IHDR(work.png, work.info, picture.width, picture.height, picture.depth, colors[picture.channels - 1],
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(work.png, work.info);
  png_write_image(work.png, work.rows.data());
  png_write_end(work.png, work.info);
  return true;
}

void findRows(Work& work, const Picture& picture) {
  auto* first = const_cast<png_bytep>(picture.bytes.data());
  for (std::uint32_t i = 0; i < picture.height; ++i) work.rows.push_back(first + i * picture.rowBytes());
}

}  // namespace

std::string readPng(std::FILE* file, double fileBytes, Picture& picture) {
  Work work;
  work.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &work, onError, onWarning);
  work.info = work.png ? png_create_info_struct(work.png) : nullptr;
  if (!work.info) return "no memory";
  if (!readHeader(work, file, picture)) return work.mistake;
  const double bytes = static_cast<double>(picture.rowBytes()) * picture.height;
  if (bytes > mostNumbers * (picture.depth / 8)) return "it has more than 2^28 numbers";
  // Compression cannot make anything 1/1032 of its size, and a palette of one bit becomes four bytes.
  if (bytes > fileBytes * 1032 * 32) return "the file is too short for the size in its header";
  picture.bytes.resize(static_cast<std::size_t>(bytes));
  findRows(work, picture);
  return readRows(work) ? "" : work.mistake;
}

std::string writePng(std::FILE* file, const Picture& picture) {
  Work work;
  work.reading = false;
  work.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &work, onError, onWarning);
  work.info = work.png ? png_create_info_struct(work.png) : nullptr;
  if (!work.info) return "no memory";
  findRows(work, picture);
  return writeAll(work, file, picture) ? "" : work.mistake;
}

}  // namespace dl::io
