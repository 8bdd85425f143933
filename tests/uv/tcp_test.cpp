// SPDX-License-Identifier: MIT
// Listeners and streams against plain sockets: echo, ends, back-pressure, addresses, ports.
#include <algorithm>
#include <memory>
#include <vector>

#include "uv_support.h"

namespace adit::uv {

using namespace std::chrono_literals;
namespace {

/// Sends back what it gets; reads on only when it could.
class Echo final : public StreamHandler {
 public:
  explicit Echo(StreamPtr stream) : stream_(std::move(stream)) { stream_->start_read(this); }
  void on_read(Bytes bytes) override {
    read += bytes.size();
    if (close_on_read) return stream_.reset();
    const Bytes all[] = {bytes};
    const std::size_t sent = stream_->try_write(all);
    if (sent == bytes.size()) return;
    const Bytes rest[] = {bytes.subspan(sent)};
    stream_->stop_read();
    stream_->write_later(rest);
  }
  void on_end(std::string_view reason) override {
    ++ends;
    end = reason;
  }
  void on_drained() override {
    ++drained;
    stream_->resume_read();
  }
  TcpStream* stream() { return stream_.get(); }
  void close() { stream_.reset(); }
  void reset() { stream_.release()->reset(); }

  std::size_t read = 0;
  int ends = 0, drained = 0;
  std::string end;
  bool close_on_read = false;

 private:
  StreamPtr stream_;
};

struct Server {
  explicit Server(TestLoop& test, const ListenAddress& at = loopback()) {
    auto made = TcpListener::listen(test.loop(), at, [this](StreamPtr stream) {
      connections.push_back(std::make_unique<Echo>(std::move(stream)));
    });
    REQUIRE(made.ok());
    listener = std::move(*made);
  }
  ListenAddress address() const { return listener->address(); }
  std::unique_ptr<TcpListener> listener;
  std::vector<std::unique_ptr<Echo>> connections;
};

}  // namespace

static_assert(sizeof(TcpStream) <= 400, "ten thousand of them are open");

TEST_CASE("two hundred connections echo") {
  TestLoop test;
  Server server(test);
  std::vector<Peer> peers;
  std::vector<std::string> sent(200), got(200);
  for (std::size_t i = 0; i < 200; ++i) {
    peers.emplace_back(server.address());
    sent[i] = std::string(1 + i * 37, static_cast<char>('a' + i % 26)) + std::to_string(i);
    peers[i].send(sent[i]);
  }
  CHECK(test.run_until([&] {
    for (std::size_t i = 0; i < 200; ++i) peers[i].receive(got[i]);
    return got == sent;
  }));
  CHECK(server.connections.size() == 200);
  CHECK(server.connections[0]->stream()->peer().host() == "127.0.0.1");
}

TEST_CASE("half-close: all bytes, then the end, and the answer still arrives") {
  TestLoop test;
  Server server(test);
  Peer peer(server.address());
  peer.send("last words");
  peer.half_close();
  REQUIRE(
      test.run_until([&] { return !server.connections.empty() && server.connections[0]->ends; }));
  CHECK(server.connections[0]->end == "peer closed");
  CHECK(server.connections[0]->read == 10);
  server.connections[0]->close();
  std::string got;
  CHECK(test.run_until([&] { return peer.receive(got) == -1; }));
  CHECK(got == "last words");
  CHECK(server.connections[0]->ends == 1);
}

TEST_CASE("a reset by the peer is an end; a reset by us reaches the peer") {
  TestLoop test;
  Server server(test);
  Peer one(server.address()), two(server.address());
  REQUIRE(test.run_until([&] { return server.connections.size() == 2; }));
  one.reset();
  REQUIRE(test.run_until([&] { return server.connections[0]->ends == 1; }));
  CHECK(server.connections[0]->end == "connection reset by peer");
  server.connections[1]->reset();
  std::string got;
  CHECK(test.run_until([&] { return two.receive(got) == -ECONNRESET; }));
}

TEST_CASE("writing to a peer that is gone ends the stream once, without a signal") {
  TestLoop test;
  Server server(test);
  Peer peer(server.address());
  REQUIRE(test.run_until([&] { return server.connections.size() == 1; }));
  Echo& echo = *server.connections[0];
  echo.stream()->stop_read();
  peer.reset();
  test.run_for(5ms);
  const Bytes hello[] = {bytes_of("hello")};
  CHECK(echo.stream()->try_write(hello) == 0);
  if (!echo.stream()->pending()) echo.stream()->write_later(hello);
  CHECK(test.run_until([&] { return echo.ends == 1; }));
  echo.stream()->resume_read();
  test.run_for(5ms);
  CHECK(echo.ends == 1);
  CHECK(echo.drained == 0);
}

TEST_CASE("closing within a read, and with a write pending: no call afterwards") {
  TestLoop test;
  Server server(test);
  Peer one(server.address()), two(server.address());
  REQUIRE(test.run_until([&] { return server.connections.size() == 2; }));
  server.connections[0]->close_on_read = true;
  one.send("x");
  std::string got;
  CHECK(test.run_until([&] { return one.receive(got) == -1; }));
  Echo& echo = *server.connections[1];
  const std::string much(16 << 20, 'm');
  const Bytes segment[] = {bytes_of(much)};
  const std::size_t taken = echo.stream()->try_write(segment);
  REQUIRE(taken < much.size());
  const Bytes rest[] = {bytes_of(much).subspan(taken)};
  echo.stream()->write_later(rest);
  echo.close();
  two.reset();
  test.run_for(10ms);
  CHECK(server.connections[0]->ends + echo.ends + echo.drained == 0);
}

TEST_CASE("a slow reader holds the writer back, and gets every byte in order") {
  TestLoop test;
  Server server(test);
  Peer peer(server.address());
  REQUIRE(test.run_until([&] { return server.connections.size() == 1; }));
  Echo& echo = *server.connections[0];
  std::string all(8 << 20, '\0');
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>((i * 2654435761U) >> 24);
  std::size_t at = 0;
  const auto push = [&] {
    while (at < all.size() && !echo.stream()->pending()) {
      const Bytes rest = bytes_of(all).subspan(at);
      // Three uneven segments, as an outbox has them.
      const std::size_t third = std::min<std::size_t>(rest.size() / 3, 20'000);
      const Bytes segments[] = {
          rest.first(third), rest.subspan(third, third),
          rest.subspan(2 * third, std::min<std::size_t>(rest.size() - 2 * third, 30'000))};
      const std::size_t offered = 2 * third + segments[2].size();
      const std::size_t sent = echo.stream()->try_write(segments);
      at += sent;
      if (sent == offered) continue;
      const Bytes later[] = {rest.subspan(sent, std::min<std::size_t>(65'536, rest.size() - sent))};
      at += later[0].size();
      echo.stream()->write_later(later);
    }
  };
  push();
  REQUIRE(echo.stream()->pending());
  test.run_for(30ms);
  CHECK(echo.stream()->pending());
  CHECK(echo.drained == 0);
  std::string got;
  CHECK(test.run_until([&] {
    peer.receive(got, 200'000);
    push();
    return got.size() >= all.size();
  }));
  CHECK((got == all));
  CHECK(echo.drained >= 1);
}

TEST_CASE("a listener may go while connections wait, and its port is free then") {
  TestLoop test;
  auto server = std::make_unique<Server>(test);
  const ListenAddress at = server->address();
  REQUIRE(at.port() != 0);
  Peer one(at), two(at);
  REQUIRE(test.run_until([&] { return server->connections.size() == 2; }));
  CHECK(!check_port_free(at).ok());
  server.reset();
  test.run_for(5ms);
  CHECK(check_port_free(at).ok());
}

TEST_CASE("a callback may destroy its listener") {
  TestLoop test;
  std::unique_ptr<TcpListener> listener;
  int count = 0;
  auto made = TcpListener::listen(test.loop(), loopback(), [&](StreamPtr) {
    ++count;
    listener.reset();
  });
  listener = std::move(made).value();
  Peer one(listener->address()), two(listener->address());
  test.run_for(10ms);
  CHECK(count == 1);
}

TEST_CASE(
    "behind a shut gate who connects waits in the kernel's queue, and the loop does not spin") {
  TestLoop test;
  std::vector<StreamPtr> in;
  std::size_t room = 3;
  int asked = 0, turns = 0;
  auto made = TcpListener::listen(
      test.loop(), loopback(), [&](StreamPtr stream) { in.push_back(std::move(stream)); },
      [&]() -> std::optional<Instant> {
        ++asked;
        if (in.size() < room) return std::nullopt;
        return test.loop().now().mono + 100ms;
      });
  REQUIRE(made.ok());
  std::vector<Peer> peers;
  for (int i = 0; i < 10; ++i) peers.emplace_back((*made)->address());
  test.loop().set_turn_end([&] { ++turns; });
  test.run_for(350ms);
  CHECK(in.size() == 3);
  CHECK(asked <= 8);    // three that came in, and one look each 100 ms
  CHECK(turns <= 350);  // the test's own timer makes one every 2 ms or so
  room = 10;
  CHECK(test.run_until([&] { return in.size() == 10; }));
  in.clear();
  std::string got;
  for (Peer& peer : peers) CHECK(test.run_until([&] { return peer.receive(got) == -1; }));
}

TEST_CASE("listeners share a port, but a second pool is told") {
  TestLoop test;
  Server first(test);
  Server second(test, first.address());  // as a second worker has it
  CHECK(second.address().port() == first.address().port());
  std::vector<Peer> peers;
  for (int i = 0; i < 64; ++i) peers.emplace_back(first.address());
  CHECK(test.run_until([&] { return first.connections.size() + second.connections.size() == 64; }));
  CHECK(!first.connections.empty());
  CHECK(!second.connections.empty());
  const Status taken = check_port_free(first.address());
  REQUIRE(!taken.ok());
  CHECK(taken.error().code == ErrorCode::Conflict);
  CHECK(taken.error().text == "port " + std::to_string(first.address().port()) +
                                  " on 127.0.0.1 is in use by another program");
  CHECK(check_port_free(loopback(0)).ok());
}

TEST_CASE("a port held without sharing is a conflict for listen as well") {
  TestLoop test;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ListenAddress at = loopback();
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&at.address), sizeof(sockaddr_in)) == 0);
  REQUIRE(listen(fd, 1) == 0);
  socklen_t length = sizeof at.address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&at.address), &length);
  const auto made = TcpListener::listen(test.loop(), at, [](StreamPtr) {});
  REQUIRE(!made.ok());
  CHECK(made.error().code == ErrorCode::Conflict);
  CHECK(made.error().text.find("in use by another program") != std::string::npos);
  ::close(fd);
  const auto foreign = parse_listen_address("192.0.2.1:3333").value();
  const Status none = check_port_free(foreign);
  REQUIRE(!none.ok());
  CHECK(none.error().text.starts_with("cannot listen on 192.0.2.1:3333: bind: "));
}

TEST_CASE("IPv6") {
  TestLoop test;
  const auto at = parse_listen_address("[::1]:0").value();
  auto probe = TcpListener::listen(test.loop(), at, [](StreamPtr) {});
  if (!probe.ok()) {
    MESSAGE("no IPv6 on this machine: " << probe.error().text);
    return;
  }
  Server server(test, at);
  Peer peer(server.address());
  peer.send("six");
  std::string got;
  CHECK(test.run_until([&] {
    peer.receive(got);
    return got == "six";
  }));
  CHECK(server.connections[0]->stream()->peer().text().starts_with("[::1]:"));
}

TEST_CASE("listening addresses") {
  CHECK(parse_listen_address("127.0.0.1:3333").value().text() == "127.0.0.1:3333");
  CHECK(parse_listen_address("*:3333").value().text() == "0.0.0.0:3333");
  CHECK(parse_listen_address("localhost:0").value().text() == "127.0.0.1:0");
  CHECK(parse_listen_address("[::]:65535").value().text() == "[::]:65535");
  CHECK(parse_listen_address("[2001:db8::1]:80").value().host() == "2001:db8::1");
  for (const char* bad : {"", ":", ":3333", "3333", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536",
                          "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4:1 ", "1.2.3:1", "01.2.3.4:1",
                          "::1:3333", "[::1]3333", "[]:1", "[::g]:1", "pool.example:3333"})
    CHECK_MESSAGE(!parse_listen_address(bad).ok(), std::string(bad));
}

}  // namespace adit::uv
