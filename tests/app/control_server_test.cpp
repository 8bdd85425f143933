// SPDX-License-Identifier: MIT
// The control socket: one answer a request, in order; what is too much is refused, and nobody who
// hangs up, floods or comes late hurts the pool.
#include "app/control_server.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "app/books_requests.h"
#include "app/control_client.h"
#include "uv/system.h"

namespace adit {
namespace {

class Server {
 public:
  explicit Server(Duration idle = ControlServer::kIdle) {
    char pattern[] = "/tmp/adit-control-XXXXXX";
    REQUIRE(mkdtemp(pattern) != nullptr);
    folder = pattern;
    server = std::make_unique<ControlServer>(
        clock_, [this](BooksRequest&& request) { return post(std::move(request)); }, idle);
    REQUIRE(server->start(folder).ok());
  }
  ~Server() {
    server.reset();
    std::filesystem::remove_all(folder);
  }
  bool post(BooksRequest&& request) {
    ++posted;
    if (refuse) return false;
    if (!hold) {
      request.reply(answer_to(request.text));
      return true;
    }
    const std::lock_guard lock(mutex);
    held.push_back(std::move(request));
    return true;
  }
  /// A flat object's fields come back; anything else is quoted.
  static std::string answer_to(const std::string& text) {
    return text.starts_with("{") ? text : "{\"got\":\"" + text + "\"}";
  }
  std::string folder;
  std::atomic<bool> hold = false, refuse = false;
  std::atomic<int> posted = 0;
  std::mutex mutex;
  std::vector<BooksRequest> held;
  std::unique_ptr<ControlServer> server;

 private:
  uv::OsClock clock_;
};

class Client {
 public:
  explicit Client(const Server& server) {
    const auto fd = uv::connect_unix(server.folder, kControlSocket);
    REQUIRE(fd.ok());
    fd_ = *fd;
    const timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t more = ::send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (more <= 0) return;  // hung up on
      sent += static_cast<std::size_t>(more);
    }
  }
  /// Empty: the end.
  std::string line() {
    std::size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
      char more[4096];
      const ssize_t got = recv(fd_, more, sizeof more, 0);
      if (got <= 0) return "";
      buffer_.append(more, static_cast<std::size_t>(got));
    }
    const std::string out = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return out;
  }

 private:
  int fd_ = -1;
  std::string buffer_;
};

std::string got(const std::string& text) { return "{\"got\":\"" + text + "\"}"; }

ErrorCode refused(const std::string& answer) {
  const auto parsed = parse_books_answer(answer);
  REQUIRE_FALSE(parsed.ok());
  return parsed.error().code;
}

}  // namespace

TEST_CASE("control socket: one answer a line, in order, in pieces or many at once") {
  Server server;
  Client client(server);
  client.send("one\ntwo\n\nthr");
  CHECK(client.line() == got("one"));
  CHECK(client.line() == got("two"));
  CHECK(client.line() == got(""));
  client.send("ee\n");
  CHECK(client.line() == got("three"));
  const std::string large(kControlRequestMax, 'x');
  client.send(large + "\nafter\n");
  CHECK(client.line() == got(large));
  CHECK(client.line() == got("after"));
}

TEST_CASE("control socket: too long, too many, too busy") {
  Server server;
  {
    Client client(server);
    client.send(std::string(kControlRequestMax + 200'000, 'x'));
    CHECK(refused(client.line()) == ErrorCode::Limit);
    CHECK(client.line().empty());
  }
  CHECK(server.posted == 0);
  server.refuse = true;
  Client client(server);
  client.send("a\n");
  CHECK(refused(client.line()) == ErrorCode::Unavailable);
  server.refuse = false;
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 1; i < ControlServer::kClients; ++i) {
    clients.push_back(std::make_unique<Client>(server));
    clients.back()->send("b\n");
    CHECK(clients.back()->line() == got("b"));
  }
  Client one_more(server);
  one_more.send("c\n");
  const std::string busy = one_more.line();
  CHECK(refused(busy) == ErrorCode::Unavailable);
  CHECK(busy.find("busy") != std::string::npos);
  CHECK(one_more.line().empty());
  client.send("d\n");
  CHECK(client.line() == got("d"));
}

TEST_CASE("control socket: answers for who hung up, and after the end, go nowhere") {
  Server server;
  server.hold = true;
  for (std::size_t i = 0; i < ControlServer::kClients; ++i) {
    Client client(server);
    client.send("gone\n");
    while (server.posted != static_cast<int>(i) + 1) std::this_thread::yield();
  }
  // They are gone, but their requests are with the books: nobody else is let in until then.
  CHECK(refused(Client(server).line()) == ErrorCode::Unavailable);
  std::vector<BooksRequest> held;
  {
    const std::lock_guard lock(server.mutex);
    held.swap(server.held);
  }
  REQUIRE(held.size() == ControlServer::kClients);
  for (BooksRequest& request : held) request.reply("x");
  server.hold = false;
  std::string answer;
  for (int tries = 0; tries < 2000 && answer != got("now"); ++tries) {
    Client client(server);
    client.send("now\n");
    answer = client.line();
    if (answer != got("now")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(answer == got("now"));
  server.hold = true;
  Client client(server);
  client.send("last\n");
  for (bool there = false; !there; std::this_thread::yield()) {
    const std::lock_guard lock(server.mutex);
    there = !server.held.empty();
  }
  server.server.reset();
  CHECK(client.line().empty());
  server.held[0].reply("too late");
  CHECK_FALSE(std::filesystem::exists(server.folder + "/control"));
}

TEST_CASE("books link: a command may think longer between two requests than the pool waits") {
  Server server(std::chrono::milliseconds(20));
  std::filesystem::create_directory(server.folder + "/ledger");
  std::ofstream(server.folder + "/ledger/CURRENT") << "x";
  const int lock = open((server.folder + "/lock").c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE(flock(lock, LOCK_EX) == 0);  // as a pool
  Config config;
  config.data_dir = server.folder;
  uv::OsClock clock;
  const auto books = BooksLink::open(config, clock);
  REQUIRE(books.ok());
  for (std::int64_t i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const auto answer = (*books)->ask(BooksCall("x").number("id", i));
    INFO((answer ? "" : answer.error().text));
    REQUIRE(answer.ok());
    CHECK(answer->i64("id") == i);
  }
  CHECK(server.posted == 3);
  std::vector<std::unique_ptr<Client>> others;
  server.hold = true;
  for (std::size_t i = 0; i < ControlServer::kClients; ++i) {
    others.push_back(std::make_unique<Client>(server));
    others.back()->send("a\n");
    while (server.posted != static_cast<int>(i) + 4) std::this_thread::yield();
  }
  const auto busy = (*books)->ask(BooksCall("x"));
  REQUIRE_FALSE(busy.ok());
  CHECK(busy.error().text.find("busy") != std::string::npos);
  server.server.reset();
  const auto gone = (*books)->ask(BooksCall("x"));
  REQUIRE_FALSE(gone.ok());
  CHECK(gone.error().code == ErrorCode::Unavailable);
  CHECK(gone.error().text.find("run the command again") != std::string::npos);
  close(lock);
}

}  // namespace adit
