// SPDX-License-Identifier: MIT
// The HTTP server against raw sockets: what it answers and what it refuses.
#include "uv/http_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>

using namespace adit;
using namespace adit::uv;

namespace {

class Served {
 public:
  Served() {
    auto made = HttpServer::listen(*parse_listen_address("127.0.0.1:0"),
                                   [this](const HttpQuestion& question) {
                                     ++asked;
                                     std::string body = question.path;
                                     for (const auto& [key, value] : question.query)
                                       body += " " + key + "=" + value;
                                     return HttpResponse{200, "text/plain", body};
                                   });
    REQUIRE(made.ok());
    server_ = *std::move(made);
  }
  /// What comes back until the server closes or a second has passed.
  std::string say(const std::string& text) const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const timeval bound{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server_->address().port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    std::string all;
    std::array<char, 4096> some{};
    for (ssize_t got = 0; (got = read(fd, some.data(), some.size())) > 0;)
      all.append(some.data(), static_cast<std::size_t>(got));
    close(fd);
    return all;
  }
  std::string get(const std::string& target, const std::string& more = "Host: localhost\r\n",
                  const std::string& method = "GET") const {
    return say(method + " " + target + " HTTP/1.1\r\n" + more + "Connection: close\r\n\r\n");
  }
  ListenAddress address() const { return server_->address(); }
  std::atomic<int> asked = 0;

 private:
  std::unique_ptr<HttpServer> server_;
};

bool has_status(const std::string& reply, int status) {
  return reply.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

}  // namespace

TEST_CASE("a question has a path and a query, decoded") {
  const Served server;
  const std::string reply = server.get("/a%20b/c?from=7&x=%26y&flag");
  CHECK(has_status(reply, 200));
  CHECK(reply.ends_with("\r\n\r\n/a b/c from=7 x=&y flag="));
  CHECK(reply.find("Content-Security-Policy: default-src 'none'\r\n") != reply.npos);
  const std::string head = server.get("/x", "Host: localhost\r\n", "HEAD");
  CHECK(has_status(head, 200));
  CHECK(head.ends_with("\r\n\r\n"));
}

TEST_CASE("nothing but GET and HEAD, and no body") {
  const Served server;
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
    CHECK_MESSAGE(has_status(server.get("/", "Host: localhost\r\n", method), 405), method);
  CHECK(has_status(server.say("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                              "Connection: close\r\n\r\nabc"),
                   400));
  CHECK(server.asked == 0);
}

TEST_CASE("on loopback only questions for this host are answered") {
  const Served server;
  for (const char* host : {"localhost", "localhost:80", "127.0.0.1", "127.1.2.3:9", "[::1]:80"})
    CHECK_MESSAGE(has_status(server.get("/", std::string("Host: ") + host + "\r\n"), 200), host);
  for (const char* host : {"pool.example", "127.0.0.1.example", "localhost.example", "1.2.3.4", ""})
    CHECK_MESSAGE(has_status(server.get("/", std::string("Host: ") + host + "\r\n"), 403), host);
}

TEST_CASE("what is too large is refused, and the next question is answered") {
  const Served server;
  CHECK_FALSE(has_status(server.get("/" + std::string(2'000, 'a')), 200));
  CHECK_FALSE(has_status(server.get("/" + std::string(100'000, 'a')), 200));
  std::string many = "/?a=1";
  for (int i = 0; i < 100; ++i) many += "&a=1";
  CHECK(has_status(server.get(many), 400));
  CHECK_FALSE(has_status(server.say("nonsense\r\n\r\n"), 200));
  CHECK(has_status(server.get("/"), 200));
}

TEST_CASE("a port in use is an error") {
  const Served server;
  CHECK_FALSE(HttpServer::listen(server.address(), [](const HttpQuestion&) {
                return HttpResponse{};
              }).ok());
}
