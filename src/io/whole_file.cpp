#include "io/whole_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dl::io {

namespace {

// A link is followed: the file that it leads to is replaced, not the link.
std::string resolved(const std::string& file) {
  struct stat info;
  if (::lstat(file.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) return file;
  char* path = ::realpath(file.c_str(), nullptr);
  if (!path) return file;
  std::string result = path;
  std::free(path);
  return result;
}

std::string folderOf(const std::string& file) {
  const std::size_t slash = file.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
}

// One of a kind among all that write now: the process and who writes. The ending stays, because programs that draw go by it.
std::string temporaryName(const std::string& file, const void* owner) {
  const std::size_t slash = file.find_last_of('/');
  const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
  return fmt::format("{}.{}.{}.tmp-{}", file.substr(0, start), ::getpid(), owner, file.substr(start));
}

std::string reason() { return std::strerror(errno); }

}  // namespace

FileWriter::FileWriter(const Task& task) : task_(task), target_(resolved(task.file)) {
  struct stat info;
  const bool exists = ::stat(target_.c_str(), &info) == 0;
  if (target_.empty() || target_.back() == '/' || (exists && !S_ISREG(info.st_mode)))
    task_.fail("file", "this is not the name of a file that could be written");
  temporary_ = temporaryName(target_, this);
  // A name left behind by a killed process that had our number.
  ::unlink(temporary_.c_str());
  stream_ = std::fopen(temporary_.c_str(), "wbxe");
  if (!stream_) task_.fail("file", "cannot be written: {}", reason());
  // Whoever may read and write the old file may do so with the new one.
  if (exists && ::fchmod(::fileno(stream_), info.st_mode & 07777) != 0) errno = 0;
}

FileWriter::~FileWriter() {
  if (stream_) std::fclose(stream_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void FileWriter::write(const void* bytes, std::size_t count) {
  if (count > 0 && std::fwrite(bytes, 1, count, stream_) != count) task_.fail("file", "cannot be written: {}", reason());
}

void FileWriter::commit() {
  if (std::fflush(stream_) != 0 || std::ferror(stream_) || ::fsync(::fileno(stream_)) != 0) task_.fail("file", "cannot be written: {}", reason());
  const int closed = std::fclose(std::exchange(stream_, nullptr));
  if (closed != 0 || std::rename(temporary_.c_str(), target_.c_str()) != 0) task_.fail("file", "cannot be written: {}", reason());
  temporary_.clear();
  // The name lies in the folder, which reaches the disk by itself; some file systems refuse, and the file is whole either way.
  const int folder = ::open(folderOf(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  if (::fsync(folder) != 0) errno = 0;
  ::close(folder);
}

FileReader::FileReader(const Task& task) : task_(task) {
  struct stat info;
  if (::stat(task.file.c_str(), &info) != 0) task_.fail("file", "cannot be read: {}", reason());
  // Asked before opening: opening a pipe would wait for somebody to write into it.
  if (!S_ISREG(info.st_mode)) task_.fail("file", "cannot be read: it is not a file");
  stream_ = std::fopen(task.file.c_str(), "rbe");
  if (!stream_ || ::fstat(::fileno(stream_), &info) != 0) {
    const std::string why = reason();
    if (stream_) std::fclose(std::exchange(stream_, nullptr));
    task_.fail("file", "cannot be read: {}", why);
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
}

FileReader::~FileReader() {
  if (stream_) std::fclose(stream_);
}

void FileReader::read(std::uint64_t from, void* bytes, std::size_t count) {
  if (count == 0) return;
  if (::fseeko(stream_, static_cast<off_t>(from), SEEK_SET) != 0 || std::fread(bytes, 1, count, stream_) != count)
    task_.fail("file", "cannot be read to its end: {}", std::feof(stream_) ? "it became shorter meanwhile" : reason());
}

}  // namespace dl::io
