#pragma once
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace dl::io {

/// A picture as files hold it: rows from the top, channels side by side, numbers of 8 bits or of 16, the high byte first.
struct Picture {
  std::uint32_t height = 0, width = 0;
  int channels = 0, depth = 8;
  std::vector<unsigned char> bytes;
  std::size_t rowBytes() const noexcept { return std::size_t{width} * static_cast<std::size_t>(channels * (depth / 8)); }
};

/// More numbers than any real picture has: a damaged header may name any size.
inline constexpr double mostNumbers = 268435456;

/// Each fills or writes the picture, or answers what is wrong; "" when all is well. Nothing is thrown but std::bad_alloc, and the
/// libraries' jumps pass no object that has a destructor.
std::string readPng(std::FILE* file, double fileBytes, Picture& picture);
std::string readJpeg(std::FILE* file, Picture& picture);
std::string writePng(std::FILE* file, const Picture& picture);
std::string writeJpeg(std::FILE* file, const Picture& picture, int quality);

}  // namespace dl::io
