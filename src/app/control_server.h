// SPDX-License-Identifier: MIT
// ControlServer: the pool's own commands reach the books of a running pool through a Unix socket in
// data_dir, for its user alone. One request a line, one answer a line, one at a time per client.
// Whom it has no room for hears so, and is hung up on.
// A thread and a loop of its own; the books are the ledger writer's.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/messages.h"
#include "uv/loop.h"
#include "uv/unix_listener.h"

namespace adit {

inline constexpr const char* kControlSocket = "control";
inline constexpr std::size_t kControlRequestMax = 1 << 20;

class ControlServer {
 public:
  static constexpr std::size_t kClients = 8;
  static constexpr Duration kIdle = std::chrono::seconds(30);
  /// Hands a request to the ledger writer; any thread. False: it takes none now.
  using Post = std::function<bool(BooksRequest&&)>;

  /// `idle`: who asks nothing for so long is hung up on.
  ControlServer(Clock& clock, Post post, Duration idle = kIdle);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Listens in `data_dir`, whose lock the caller holds: a file that a killed pool left goes.
  Status start(const std::string& data_dir);
  void stop();

 private:
  class Client;
  struct Answer {
    std::uint64_t client;
    std::string text;
  };
  /// What a request takes along: it may be answered when the server is gone.
  struct Link {
    std::mutex mutex;
    uv::Async* wake = nullptr;
    std::vector<Answer> answers;
  };
  void accept(uv::StreamPtr stream);
  /// nullopt: on its way; else the answer at once.
  std::optional<std::string> ask(std::uint64_t client, std::string text);
  void woken();
  void drop(std::uint64_t client);
  void watch_idle();
  void drop_idle();

  uv::Loop loop_;
  Post post_;
  Duration idle_limit_;
  std::shared_ptr<Link> link_ = std::make_shared<Link>();
  std::unique_ptr<uv::Async> wake_;
  std::unique_ptr<uv::Timer> idle_;
  std::unique_ptr<uv::UnixListener> listener_;
  std::map<std::uint64_t, std::unique_ptr<Client>> clients_;
  std::uint64_t last_client_ = 0;
  std::size_t asked_ = 0;  ///< requests without an answer yet, also of clients that are gone
  bool stopping_ = false;  ///< under the link's mutex
  std::thread thread_;
};

}  // namespace adit
