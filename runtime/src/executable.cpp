// Loading an artifact.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "executable.h"

#include "body_selection.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ndl {
namespace {

/// A file descriptor that closes itself.
class File {
public:
  explicit File(const std::string &path)
      : descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor >= 0)
      ::close(descriptor);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  int get() const { return descriptor; }

private:
  int descriptor;
};

Status cannotRead(int error) {
  return {error == ENOENT ? NDL_NOT_FOUND : NDL_IO_ERROR,
          std::string("cannot read: ") + std::strerror(error)};
}

/// Reads up to `size` bytes; fewer if the file ends. Returns 0 or an errno.
int readAll(int file, uint8_t *data, size_t &size) {
  size_t done = 0;
  while (done < size) {
    ssize_t count = ::read(file, data + done, size - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return errno;
    if (count == 0)
      break;
    done += static_cast<size_t>(count);
  }
  size = done;
  return 0;
}

Status outOfMemory(size_t size) {
  return {NDL_OUT_OF_MEMORY,
          "no memory for the artifact's " + std::to_string(size) + " bytes"};
}

} // namespace

Status ArtifactBytes::readFile(const std::string &path, ArtifactBytes &bytes) {
  File file(path);
  struct stat info;
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0)
    return cannotRead(errno);
  if (!S_ISREG(info.st_mode))
    return {NDL_IO_ERROR, "cannot read: not a regular file"};
  size_t size = static_cast<size_t>(info.st_size);
  bytes.owned = allocateAligned(size);
  if (!bytes.owned)
    return outOfMemory(size);
  if (int error = readAll(file.get(), bytes.owned.get(), size))
    return cannotRead(error);
  bytes.data = bytes.owned.get();
  bytes.size = size;
  return {};
}

Status ArtifactBytes::copy(const void *data, size_t size,
                           ArtifactBytes &bytes) {
  bytes.owned = allocateAligned(size);
  if (!bytes.owned)
    return outOfMemory(size);
  if (size > 0)
    std::memcpy(bytes.owned.get(), data, size);
  bytes.data = bytes.owned.get();
  bytes.size = size;
  return {};
}

Status ArtifactBytes::borrow(const void *data, size_t size,
                             ArtifactBytes &bytes) {
  if (reinterpret_cast<uintptr_t>(data) % NDL_ABI_ALIGNMENT != 0)
    return {NDL_INVALID_ARGUMENT, "borrowed memory is not aligned to " +
                                      std::to_string(NDL_ABI_ALIGNMENT) +
                                      " bytes"};
  bytes.data = static_cast<const uint8_t *>(data);
  bytes.size = size;
  return {};
}

Status Executable::load(ArtifactBytes bytes, const Target &target,
                        const Cpu &cpu, std::shared_ptr<ThreadPool> pool,
                        std::unique_ptr<Executable> &executable) {
  std::unique_ptr<Executable> loaded(new Executable);
  loaded->bytes = std::move(bytes);
  loaded->pool = std::move(pool);
  Status status =
      ArtifactView::parse(loaded->bytes.data, loaded->bytes.size, loaded->view);
  if (status.ok())
    status = selectBody(loaded->view, cpu, target.request, target.requestedBy,
                        loaded->body);
  if (status.ok())
    status =
        loaded->code.map(loaded->view.code(loaded->view.bodies[loaded->body]));
  if (!status.ok())
    return status;
  loaded->info.emplace(loaded->view, cpu, loaded->body);
  for (const std::vector<NdlStepInfo> &steps : loaded->info->steps)
    loaded->counters.push_back(std::make_unique<StepCounters>(steps.size()));
  executable = std::move(loaded);
  return {};
}

Status Executable::inspect(ArtifactBytes bytes, const Cpu &cpu,
                           std::unique_ptr<Executable> &executable) {
  std::unique_ptr<Executable> read(new Executable);
  read->bytes = std::move(bytes);
  Status status =
      ArtifactView::parse(read->bytes.data, read->bytes.size, read->view);
  if (!status.ok())
    return status;
  read->body = read->view.bodies.size;
  read->info.emplace(read->view, cpu, read->body);
  executable = std::move(read);
  return {};
}

NdlTask Executable::findKernel(std::string_view name) const {
  for (size_t i = 0; i < view.kernels.size; ++i)
    if (name == view.string(view.kernels[i].name))
      return code.function<NdlTask>(view.kernelOffset(body, i));
  return nullptr;
}

Status Executable::checkBody() const {
  if (canRun())
    return {};
  return {NDL_UNSUPPORTED_CPU,
          "the artifact was read to be described: none of its code is loaded"};
}

Status Executable::checkEntry(size_t index) const {
  if (Status status = checkBody(); !status.ok())
    return status;
  if (index < info->entries.size())
    return {};
  return {NDL_NOT_FOUND, "there is no entry " + std::to_string(index) +
                             "; the artifact has " +
                             std::to_string(info->entries.size())};
}

} // namespace ndl
