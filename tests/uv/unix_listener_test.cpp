// SPDX-License-Identifier: MIT
// The Unix socket: who may connect, what happens to the file a killed program left, long folders.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "uv/unix_listener.h"
#include "uv_support.h"

namespace adit::uv {
namespace {

struct TemporaryFolder {
  TemporaryFolder() {
    char pattern[] = "/tmp/adit-unix-XXXXXX";
    REQUIRE(mkdtemp(pattern) != nullptr);
    path = pattern;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string path;
};

/// Answers each piece by itself.
class Mirror final : public StreamHandler {
 public:
  explicit Mirror(StreamPtr stream) : stream_(std::move(stream)) { stream_->start_read(this); }
  void on_read(Bytes bytes) override {
    const Bytes all[] = {bytes};
    CHECK(stream_->try_write(all) == bytes.size());
  }
  void on_end(std::string_view) override { ended = true; }
  void on_drained() override {}
  bool ended = false;

 private:
  StreamPtr stream_;
};

struct Server {
  explicit Server(TestLoop& test, const std::string& folder) {
    auto made = UnixListener::listen(test.loop(), folder, "sock", [this](StreamPtr stream) {
      connections.push_back(std::make_unique<Mirror>(std::move(stream)));
    });
    INFO((made ? "" : made.error().text));
    REQUIRE(made.ok());
    listener = std::move(*made);
  }
  std::unique_ptr<UnixListener> listener;
  std::vector<std::unique_ptr<Mirror>> connections;
};

std::string echoed(TestLoop& test, int fd, std::string_view text) {
  REQUIRE(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  std::string got(text.size(), '\0');
  std::size_t have = 0;
  test.run_until([&] {
    const ssize_t more = recv(fd, got.data() + have, got.size() - have, MSG_DONTWAIT);
    if (more > 0) have += static_cast<std::size_t>(more);
    return have == got.size();
  });
  return got.substr(0, have);
}

}  // namespace

TEST_CASE("unix socket: for its user alone, and gone with its listener") {
  TemporaryFolder folder;
  TestLoop test;
  {
    Server server(test, folder.path);
    struct stat info {};
    REQUIRE(stat((folder.path + "/sock").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    const auto fd = connect_unix(folder.path, "sock");
    REQUIRE(fd.ok());
    CHECK(echoed(test, *fd, "hello") == "hello");
    ::close(*fd);
    CHECK(test.run_until([&] { return server.connections[0]->ended; }));
    server.connections.clear();
  }
  CHECK_FALSE(std::filesystem::exists(folder.path + "/sock"));
  const auto nobody = connect_unix(folder.path, "sock");
  REQUIRE_FALSE(nobody.ok());
  CHECK(nobody.error().code == ErrorCode::NotFound);
}

TEST_CASE("unix socket: the file of a killed program is replaced") {
  TemporaryFolder folder;
  TestLoop test;
  const std::string path = folder.path + "/sock";
  {
    Server server(test, folder.path);
    std::filesystem::rename(path, path + ".kept");
  }
  std::filesystem::rename(path + ".kept", path);
  const auto dead = connect_unix(folder.path, "sock");
  REQUIRE_FALSE(dead.ok());
  CHECK(dead.error().code == ErrorCode::NotFound);
  Server server(test, folder.path);
  const auto fd = connect_unix(folder.path, "sock");
  REQUIRE(fd.ok());
  CHECK(echoed(test, *fd, "again") == "again");
  ::close(*fd);
  server.connections.clear();
}

TEST_CASE("unix socket: a folder whose path is longer than a socket's name may be") {
  TemporaryFolder folder;
  TestLoop test;
  const std::string deep = folder.path + "/" + std::string(120, 'd') + "/" + std::string(90, 'e');
  std::filesystem::create_directories(deep);
  {
    Server server(test, deep);
    const auto fd = connect_unix(deep, "sock");
    REQUIRE(fd.ok());
    CHECK(echoed(test, *fd, "far down") == "far down");
    ::close(*fd);
    server.connections.clear();
  }
  CHECK_FALSE(UnixListener::listen(test.loop(), folder.path + "/none", "sock", {}).ok());
}

}  // namespace adit::uv
