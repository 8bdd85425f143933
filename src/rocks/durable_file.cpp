// SPDX-License-Identifier: MIT
// POSIX files with every step checked.
#include "rocks/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace adit {
namespace {

class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0640)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool ok() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

Status fill(const File& file, const std::string& path, std::initializer_list<Bytes> parts) {
  for (const Bytes part : parts)
    if (!write_all(file.fd(), part)) return file_error(path, "write", errno);
  if (::fdatasync(file.fd()) != 0) return file_error(path, "sync", errno);
  return {};
}

}  // namespace

Error file_error(const std::string& path, const char* what, int number) {
  ErrorCode code = ErrorCode::Io;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::Limit;
  if (number == ENOENT) code = ErrorCode::NotFound;
  return {code, path + ": cannot " + what + ": " + std::generic_category().message(number)};
}

Status write_durably(const std::string& path, std::initializer_list<Bytes> parts) {
  const std::string beside = path + ".tmp";
  Status done;
  {
    const File file(beside, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.ok()) return file_error(beside, "create", errno);
    done = fill(file, beside, parts);
  }
  if (done) return move_durably(beside, path);
  ::unlink(beside.c_str());
  return done;
}

Status write_into_reserve(const std::string& path, const std::string& reserve,
                          std::initializer_list<Bytes> parts) {
  std::size_t size = 0;
  for (const Bytes part : parts) size += part.size();
  {
    const File file(reserve, O_WRONLY);
    if (!file.ok()) return file_error(reserve, "open", errno);
    struct stat s {};
    if (::fstat(file.fd(), &s) != 0) return file_error(reserve, "look at", errno);
    if (s.st_size < static_cast<off_t>(size))
      return Error{ErrorCode::Limit,
                   reserve + ": too small for " + std::to_string(size) + " bytes"};
    if (Status filled = fill(file, reserve, parts); !filled) return filled;
    if (::ftruncate(file.fd(), static_cast<off_t>(size)) != 0 || ::fsync(file.fd()) != 0)
      return file_error(reserve, "cut", errno);
  }
  return move_durably(reserve, path);
}

Status make_reserve(const std::string& path, std::size_t size) {
  const File file(path, O_WRONLY | O_CREAT);
  if (!file.ok()) return file_error(path, "create", errno);
  struct stat s {};
  if (::fstat(file.fd(), &s) == 0 && s.st_size == static_cast<off_t>(size)) return {};
  if (const int error = ::posix_fallocate(file.fd(), 0, static_cast<off_t>(size)); error != 0) {
    ::unlink(path.c_str());
    return file_error(path, "reserve space", error);
  }
  if (::fsync(file.fd()) != 0) return file_error(path, "sync", errno);
  return sync_folder(folder_of(path));
}

Status move_durably(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return file_error(from, "rename", errno);
  if (Status s = sync_folder(folder_of(to)); !s) return s;
  return folder_of(from) == folder_of(to) ? Status() : sync_folder(folder_of(from));
}

Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0750) == 0) return sync_folder(folder_of(path));
  if (errno == EEXIST) {
    struct stat s {};
    if (::stat(path.c_str(), &s) == 0 && S_ISDIR(s.st_mode)) return {};
    return file_error(path, "use as a folder", ENOTDIR);
  }
  if (errno != ENOENT) return file_error(path, "make folder", errno);
  const std::string parent = folder_of(path);
  if (parent == path || parent == ".") return file_error(path, "make folder", ENOENT);
  if (Status s = make_folder(parent); !s) return s;
  if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST)
    return file_error(path, "make folder", errno);
  return sync_folder(parent);
}

Status sync_folder(const std::string& path) {
  const File folder(path, O_RDONLY | O_DIRECTORY);
  if (!folder.ok()) return file_error(path, "open folder", errno);
  if (::fsync(folder.fd()) != 0) return file_error(path, "sync folder", errno);
  return {};
}

Result<std::optional<ByteVec>> read_file(const std::string& path, std::size_t max) {
  const File file(path, O_RDONLY);
  if (!file.ok()) {
    if (errno == ENOENT) return std::optional<ByteVec>();
    return file_error(path, "open", errno);
  }
  struct stat s {};
  if (::fstat(file.fd(), &s) != 0) return file_error(path, "look at", errno);
  if (s.st_size > static_cast<off_t>(max))
    return Error{ErrorCode::Limit, path + ": larger than " + std::to_string(max) + " bytes"};
  ByteVec out(static_cast<std::size_t>(s.st_size));
  std::size_t got = 0;
  while (got < out.size()) {
    const ssize_t n = ::read(file.fd(), out.data() + got, out.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error(path, "read", errno);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  out.resize(got);
  return std::optional<ByteVec>(std::move(out));
}

}  // namespace adit
