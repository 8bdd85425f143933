// SPDX-License-Identifier: MIT
#include "uv/unix_listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace adit::uv {
namespace {

constexpr int kBacklog = 16;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

Error io_error(const std::string& path, const char* what, int error) {
  const bool nobody = error == ENOENT || error == ECONNREFUSED;
  return {nobody ? ErrorCode::NotFound : ErrorCode::Io,
          fmt::format("{}: {}: {}", path, what, std::strerror(error))};
}

/// The folder, opened, so that the socket's name fits into the 107 bytes there are for it.
class Folder {
 public:
  explicit Folder(const std::string& path)
      : fd_(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
  ~Folder() {
    if (fd_ >= 0) close(fd_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  bool ok() const { return fd_ >= 0; }
  sockaddr_un address(const std::string& name) const {
    sockaddr_un out{};
    out.sun_family = AF_UNIX;
    const std::string path = fmt::format("/proc/self/fd/{}/{}", fd_, name);
    CHECK(path.size() < sizeof out.sun_path);
    std::memcpy(out.sun_path, path.c_str(), path.size());
    return out;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::unique_ptr<UnixListener>> UnixListener::listen(Loop& loop, const std::string& folder,
                                                           const std::string& name,
                                                           OnConnection on_connection) {
  const std::string path = folder + "/" + name;
  const Folder in(folder);
  if (!in.ok()) return io_error(folder, "open", errno);
  if (unlinkat(in.fd(), name.c_str(), 0) != 0 && errno != ENOENT)
    return io_error(path, "remove", errno);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return io_error(path, "socket", errno);
  const sockaddr_un address = in.address(name);
  const char* what = "bind";
  int result = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (result == 0) {
    what = "chmod";
    result = fchmodat(in.fd(), name.c_str(), 0600, 0);
  }
  if (result == 0) {  // until now nobody could connect
    what = "listen";
    result = ::listen(fd, kBacklog);
  }
  if (result == 0)
    return std::unique_ptr<UnixListener>(
        new UnixListener(loop, fd, path, std::move(on_connection)));
  const int error = errno;
  close(fd);
  return io_error(path, what, error);
}

UnixListener::UnixListener(Loop& loop, int fd, std::string path, OnConnection on_connection)
    : loop_(&loop),
      fd_(fd),
      path_(std::move(path)),
      on_connection_(std::move(on_connection)),
      retry_(loop, [this] { watch(); }),
      poll_(new_box<uv_poll_t>(this)) {
  CHECK(uv_poll_init(loop.raw(), &poll_->handle, fd) == 0);
  watch();
}

void UnixListener::watch() {
  uv_poll_start(&poll_->handle, UV_READABLE, [](uv_poll_t* poll, int, int) {
    if (auto* self = owner_of<UnixListener>(poll)) self->accept_waiting();
  });
}

UnixListener::~UnixListener() {
  close_box(poll_);
  unlink(path_.c_str());
  close(fd_);
}

void UnixListener::accept_waiting() {
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
    uv_poll_stop(&poll_->handle);
    return retry_.set(loop_->now().mono + kAcceptPause);
  }
  if (fd < 0) return;
  if (StreamPtr stream{TcpStream::adopt(*loop_, fd)}) on_connection_(std::move(stream));
}

Result<int> connect_unix(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  const Folder in(folder);
  if (!in.ok()) return io_error(folder, "open", errno);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return io_error(path, "socket", errno);
  const sockaddr_un address = in.address(name);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  close(fd);
  return io_error(path, "connect", error);
}

}  // namespace adit::uv
