#include "io/picture.hpp"

#include <csetjmp>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>

namespace dl::io {

namespace {

// The library's way to complain, with a place to jump back to.
struct Complaint {
  jpeg_error_mgr manager;
  std::jmp_buf back;
  char words[JMSG_LENGTH_MAX];
};

Complaint& complaintOf(j_common_ptr info) { return *reinterpret_cast<Complaint*>(info->err); }

[[noreturn]] void onError(j_common_ptr info) {
  info->err->format_message(info, complaintOf(info).words);
  std::longjmp(complaintOf(info).back, 1);
}
// The library goes on behind damage with grey pixels; superfluous bytes alone do no harm.
void onMessage(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code != JWRN_EXTRANEOUS_DATA) onError(info);
}

void prepare(Complaint& complaint) {
  jpeg_std_error(&complaint.manager);
  complaint.manager.error_exit = onError;
  complaint.manager.emit_message = onMessage;
}

// Everything that outlives a jump. Functions that set a jump have no other objects.
struct Reader {
  Complaint complaint;
  jpeg_decompress_struct info{};
  ~Reader() { jpeg_destroy_decompress(&info); }
};
struct Writer {
  Complaint complaint;
  jpeg_compress_struct info{};
  ~Writer() { jpeg_destroy_compress(&info); }
};

bool readHeader(Reader& r, std::FILE* file) {
  if (setjmp(r.complaint.back) != 0) return false;
  jpeg_create_decompress(&r.info);
  jpeg_stdio_src(&r.info, file);
  jpeg_read_header(&r.info, TRUE);
  if (r.info.num_components != 1 && r.info.jpeg_color_space != JCS_CMYK && r.info.jpeg_color_space != JCS_YCCK)
    r.info.out_color_space = JCS_RGB;
  jpeg_calc_output_dimensions(&r.info);
  return true;
}

bool readRows(Reader& r, Picture& picture) {
  if (setjmp(r.complaint.back) != 0) return false;
  jpeg_start_decompress(&r.info);
  while (r.info.output_scanline < r.info.output_height) {
    JSAMPROW row = picture.bytes.data() + r.info.output_scanline * picture.rowBytes();
    jpeg_read_scanlines(&r.info, &row, 1);
  }
  jpeg_finish_decompress(&r.info);
  return true;
}

bool writeAll(Writer& w, std::FILE* file, const Picture& picture, int quality) {
  if (setjmp(w.complaint.back) != 0) return false;
  jpeg_create_compress(&w.info);
  jpeg_stdio_dest(&w.info, file);
  w.info.image_width = picture.width;
  w.info.image_height = picture.height;
  w.info.input_components = picture.channels;
  w.info.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&w.info);
  jpeg_set_quality(&w.info, quality, TRUE);
  jpeg_start_compress(&w.info, TRUE);
  while (w.info.next_scanline < w.info.image_height) {
    auto* row = const_cast<JSAMPROW>(picture.bytes.data() + w.info.next_scanline * picture.rowBytes());
    jpeg_write_scanlines(&w.info, &row, 1);
  }
  jpeg_finish_compress(&w.info);
  return true;
}

}  // namespace

std::string readJpeg(std::FILE* file, Picture& picture) {
  Reader r;
  prepare(r.complaint);
  r.info.err = &r.complaint.manager;
  if (!readHeader(r, file)) return r.complaint.words;
  picture.height = r.info.output_height;
  picture.width = r.info.output_width;
  picture.channels = r.info.out_color_components;
  picture.depth = 8;
  if (picture.channels != 1 && picture.channels != 3) return "its colours are CMYK, which are not read";
  if (static_cast<double>(picture.rowBytes()) * picture.height > mostNumbers) return "it has more than 2^28 numbers";
  picture.bytes.resize(picture.rowBytes() * picture.height);
  return readRows(r, picture) ? "" : r.complaint.words;
}

std::string writeJpeg(std::FILE* file, const Picture& picture, int quality) {
  Writer w;
  prepare(w.complaint);
  w.info.err = &w.complaint.manager;
  return writeAll(w, file, picture, quality) ? "" : w.complaint.words;
}

}  // namespace dl::io
