#pragma once
// Files that are there whole or not at all, read and written in one place.
#include "core/fail.hpp"

#include <cstdint>
#include <cstdio>
#include <string>

namespace dl::io {

/// Who works on which file: the first words of every complaint about it.
struct Task {
  const char* function;
  std::string file;
  std::source_location where;

  /// "loadNetwork: net.dlnet: "
  std::string start() const { return std::string(function) + ": " + file + ": "; }
  /// Throws "loadNetwork: net.dlnet: what is wrong".
  template <class... Arguments>
  [[noreturn]] void fail(std::string_view what, fmt::format_string<Arguments...> sentence, Arguments&&... arguments) const {
    throwError(where, std::string(function) + ":" + std::string(what),
               start() + fmt::format(sentence, std::forward<Arguments>(arguments)...));
  }
};

/// A file being written: under a temporary name in the same folder until `commit` puts it in the place of the file, whole.
/// Without `commit` nothing is left behind. A process that is killed leaves the old file as it was, and perhaps the temporary
/// one.
class FileWriter {
 public:
  explicit FileWriter(const Task& task);
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  ~FileWriter();

  void write(const void* bytes, std::size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// The file for libraries that write by themselves; `commit` notices what they could not write.
  std::FILE* stream() const noexcept { return stream_; }
  /// The name of the temporary file, for a program that writes it in our place.
  const std::string& temporary() const noexcept { return temporary_; }
  /// Brings everything onto the disk, then gives the file its name.
  void commit();

 private:
  const Task& task_;
  std::string target_, temporary_;
  std::FILE* stream_ = nullptr;
};

/// A file being read, whose size is known.
class FileReader {
 public:
  /// Throws for files that are not there, not readable, or no files, such as folders.
  explicit FileReader(const Task& task);
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  ~FileReader();

  std::uint64_t size() const noexcept { return size_; }
  /// Reads `count` bytes from a position; throws when the file has become shorter than it was.
  void read(std::uint64_t from, void* bytes, std::size_t count);

 private:
  const Task& task_;
  std::FILE* stream_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace dl::io
