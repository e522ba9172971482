// Writing files whole or not at all.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-rt/atomic_file.h"

#include <atomic>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ndl {
namespace {

/// Writes all bytes; 0 or an errno.
int writeAll(int file, const void *data, size_t size) {
  const char *next = static_cast<const char *>(data);
  while (size > 0) {
    ssize_t written = ::write(file, next, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return errno;
    next += written;
    size -= static_cast<size_t>(written);
  }
  return 0;
}

/// Creates a new file beside `path`; its name goes to `name`. -1 and errno on
/// failure. The process's umask decides on the permissions, as for any file.
int createTemporary(const std::string &path, std::string &name) {
  static std::atomic<unsigned> counter{0};
  for (;;) {
    name = path + "." + std::to_string(::getpid()) + "." +
           std::to_string(counter.fetch_add(1)) + ".tmp";
    int file =
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0 || errno != EEXIST)
      return file;
  }
}

/// Fills and closes a new temporary file; 0 or an errno.
int fillTemporary(int file, const void *data, size_t size) {
  int error = writeAll(file, data, size);
  if (!error && ::fsync(file) != 0)
    error = errno;
  if (::close(file) != 0 && !error)
    error = errno;
  return error;
}

/// Makes the rename itself durable. A file system that cannot do this (some
/// network ones) is no error: the file is complete either way.
void syncDirectory(const std::string &directory) {
  int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0)
    return;
  (void)::fsync(file);
  ::close(file);
}

} // namespace

AtomicFile::AtomicFile(AtomicFile &&other) noexcept
    : path(std::move(other.path)), temporary(std::move(other.temporary)) {
  other.temporary.clear();
}

AtomicFile::~AtomicFile() {
  if (!temporary.empty())
    ::unlink(temporary.c_str());
}

std::string AtomicFile::failure(int error) const {
  return "cannot write '" + path + "': " + std::strerror(error);
}

std::string AtomicFile::write(const void *data, size_t size) {
  // rename would replace a device or a pipe by a regular file.
  struct stat existing;
  if (::stat(path.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode))
    return "cannot write '" + path + "': it exists and is not a regular file";
  std::string name;
  int file = createTemporary(path, name);
  if (file < 0)
    return failure(errno);
  temporary = name;
  int error = fillTemporary(file, data, size);
  return error ? failure(error) : "";
}

std::string AtomicFile::commit() {
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return failure(errno);
  temporary.clear();
  size_t slash = path.rfind('/');
  syncDirectory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
  return "";
}

std::string writeFileAtomically(const std::string &path, const void *data,
                                size_t size) {
  AtomicFile file(path);
  std::string error = file.write(data, size);
  return error.empty() ? file.commit() : error;
}

} // namespace ndl
