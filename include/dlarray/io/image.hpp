#pragma once
#include <dlarray/array.hpp>

namespace dl {

/// The picture in a PNG or JPEG file, told apart by its contents: height x width, or height x width x channels (2 grey and
/// opacity, 3 RGB, 4 RGB and opacity), single numbers 0 to 255. Pictures of 16 bits are scaled to that range, palettes become
/// RGB. (MATLAB's is uint8 or uint16.) Throws, naming the file, for files that cannot be read, are damaged, cut off or of another
/// kind, and for more than 2^28 numbers. (MATLAB: imread)
DlArray imread(const std::string& file, std::source_location where = std::source_location::current());

/// Black and white; by default 0 and 1.
struct ImageRange {
  double black = 0, white = 1;
};
struct ImwriteOptions {
  /// The numbers that become black and white; those outside count as the nearer one.
  ImageRange range = {};
  /// Of a PNG file: 8 or 16.
  Index bitDepth = 8;
  /// Of a JPEG file: 0 to 100, the larger the better.
  Index quality = 75;
};
/// Writes height x width (x channels: 1 to 4 in a PNG file, 1 or 3 in a JPEG file) to a file ending in .png, .jpg or .jpeg.
/// Numbers are 0 to 1 by default; what `imread` gave needs `{.range = {0, 255}}`. The file appears when it is complete, or stays
/// as it was. Throws for other sizes and endings and when the file cannot be written. (MATLAB: imwrite)
void imwrite(Operand x, const std::string& file, const ImwriteOptions& options = {});

}  // namespace dl
