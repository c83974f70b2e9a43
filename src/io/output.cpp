#include "io/output.hpp"

#include "core/fail.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace dl::io {

OutputFile::OutputFile(std::string path, const char* function, std::source_location where)
    : path_(std::move(path)), function_(function), where_(where) {
  static constinit std::atomic<unsigned> made = 0;
  temporary_ = fmt::format("{}.{}-{}.tmp", path_, getpid(), made++);
  file_ = std::fopen(temporary_.c_str(), "wbx");
  if (!file_) failWriting();
}

OutputFile::~OutputFile() {
  if (file_) std::fclose(file_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void OutputFile::commit() {
  const bool written = std::fflush(file_) == 0 && !std::ferror(file_) && fsync(fileno(file_)) == 0;
  if (!written) failWriting();
  std::FILE* file = std::exchange(file_, nullptr);
  if (std::fclose(file) != 0 || std::rename(temporary_.c_str(), path_.c_str()) != 0) failWriting();
  temporary_.clear();
}

void OutputFile::failWriting() const {
  fail(where_, "io:write", "{}: {} cannot be written: {}", function_, path_, std::strerror(errno));
}

}  // namespace dl::io
