#pragma once
#include <cstdio>
#include <source_location>
#include <string>

namespace dl::io {

/// A file that appears under its name when it is complete: it is written under another name beside it, and removed unless
/// committed.
class OutputFile {
 public:
  /// Throws when it cannot be made; `function` names the caller in errors.
  OutputFile(std::string path, const char* function, std::source_location where);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::FILE* get() const noexcept { return file_; }
  /// Writes everything to the disk and gives the file its name. Throws when anything could not be written.
  void commit();
  /// Throws what the system said last.
  [[noreturn]] void failWriting() const;

 private:
  std::string path_, temporary_;
  const char* function_;
  std::source_location where_;
  std::FILE* file_ = nullptr;
};

}  // namespace dl::io
