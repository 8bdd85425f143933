// SPDX-License-Identifier: MIT
// The HTTP client against a server that does everything wrong, one path at a time.
#include "uv/http_client.h"

#include <cstdlib>
#include <memory>

#include "http_test_server.h"

namespace adit::uv {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  HttpRequest request(const std::string& path, std::string body = "{}") {
    HttpRequest out;
    out.url = path.starts_with('/') ? server.url(path) : path;
    out.body = std::move(body);
    out.timeout = 3s;
    return out;
  }
  HttpAnswer ask(HttpRequest what) {
    int calls = 0;
    HttpAnswer answer;
    client->post(std::move(what), [&](HttpAnswer got) {
      ++calls;
      answer = std::move(got);
    });
    CHECK(calls == 0);  // never from within post()
    REQUIRE(test.run_until([&] { return calls > 0; }, 10s));
    CHECK(calls == 1);
    CHECK(client->open_requests() == 0);
    return answer;
  }
  HttpAnswer ask(const std::string& path) { return ask(request(path)); }
  std::string failure(const std::string& path) {
    const HttpAnswer answer = ask(path);
    CHECK(answer.body.empty());
    return answer.transport_error.value_or("(none)");
  }

  TestLoop test;
  HttpTestServer server;
  std::unique_ptr<HttpClient> client = std::make_unique<HttpClient>(test.loop());
};

}  // namespace

TEST_CASE("an answer comes whole, and the connection is kept") {
  Fixture fixture;
  for (int i = 0; i < 5; ++i) {
    const HttpAnswer answer = fixture.ask(fixture.request("/echo", "body " + std::to_string(i)));
    CHECK(!answer.transport_error);
    CHECK(answer.status == 200);
    CHECK(answer.body == "body " + std::to_string(i));
  }
  CHECK(fixture.server.connections() == 1);
  const HttpAnswer slow = fixture.ask(fixture.request("/trickle", "drop by drop"));
  CHECK(slow.body == "drop by drop");
  CHECK(fixture.ask(fixture.request("/echo", "")).body.empty());
  CHECK(fixture.server.connections() == 1);
}

TEST_CASE("what goes out") {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  Fixture fixture;
  HttpRequest request = fixture.request("/echo", std::string(3 << 20, 'b'));
  request.user_password = "__cookie__:a:b";
  request.max_answer = 4 << 20;
  const HttpAnswer answer = fixture.ask(request);
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
  CHECK(!answer.transport_error);
  CHECK((answer.body == request.body));  // in brackets: do not print megabytes
  const std::string head = fixture.server.last_head();
  CHECK(head.starts_with("POST /echo HTTP/1.1\r\n"));
  CHECK(head.find("\r\nContent-Type: application/json\r\n") != head.npos);
  CHECK(head.find("\r\nAuthorization: Basic X19jb29raWVfXzphOmI=\r\n") != head.npos);
  CHECK(head.find("Expect:") == head.npos);
  CHECK(head.find("Accept-Encoding") == head.npos);
  // A login is not carried over to the next request of a reused handle.
  fixture.ask("/echo");
  CHECK(fixture.server.last_head().find("Authorization") == head.npos);
}

TEST_CASE("a status is an answer, not a failure; redirects are not followed") {
  Fixture fixture;
  const HttpAnswer busy = fixture.ask("/503");
  CHECK(!busy.transport_error);
  CHECK(busy.status == 503);
  CHECK(busy.body == "busy");
  CHECK(fixture.ask("/500").body == "{\"error\":1}");
  CHECK(fixture.ask("/redirect").status == 302);
  CHECK(fixture.ask("/until-close").body == "until the end");
  CHECK(fixture.ask("/too-long").body == "0123456789");
}

TEST_CASE("broken answers are told apart") {
  Fixture fixture;
  CHECK(fixture.failure("/cut") == "connection closed in the middle of the answer");
  CHECK(fixture.failure("/cut-chunk") == "connection closed in the middle of the answer");
  CHECK(fixture.failure("/cut-head") == "connection closed in the middle of the answer");
  CHECK(fixture.failure("/nothing") == "connection closed without an answer");
  CHECK(fixture.failure("/reset") == "connection closed without an answer");
  CHECK(fixture.failure("/garbage") == "the answer is not HTTP");
  CHECK(fixture.failure("/bad-length") != "(none)");
  CHECK(fixture.failure("/headers") == "answer's header larger than 65536 bytes");
  CHECK(fixture.failure("/100") == "answer's header larger than 65536 bytes");
}

TEST_CASE("answers are bounded, whether announced or not") {
  Fixture fixture;
  CHECK(fixture.failure("/huge") == "answer larger than 1048576 bytes");
  CHECK(fixture.failure("/endless") == "answer larger than 1048576 bytes");
  HttpRequest request = fixture.request("/echo", "0123456789");
  request.max_answer = 10;
  CHECK(fixture.ask(request).body == "0123456789");
  request.max_answer = 9;
  CHECK(fixture.ask(request).transport_error == "answer larger than 9 bytes");
  request.max_answer = 0;
  CHECK(fixture.ask(request).transport_error == "answer larger than 0 bytes");
}

TEST_CASE("no connection, no such host, no such protocol") {
  Fixture fixture;
  ListenAddress closed;
  {
    auto probe = TcpListener::listen(fixture.test.loop(), loopback(), [](StreamPtr) {});
    closed = (*probe)->address();
  }
  CHECK(fixture.failure("http://" + closed.text()) == "connection refused");
  CHECK(fixture.failure("http://" + closed.text() + "/wallet/x") == "connection refused");
  CHECK(fixture.failure("ftp://127.0.0.1/") == "\"ftp://127.0.0.1/\" is neither http nor https");
  CHECK(fixture.failure("file:///etc/passwd").find("neither http nor https") != std::string::npos);
  CHECK(fixture.failure("http://127.0.0.1:99999").find("is no URL") != std::string::npos);
  CHECK(fixture.failure("").find("is no URL") != std::string::npos);
}

TEST_CASE("a name that does not resolve") {
  Fixture fixture;
  HttpRequest request = fixture.request("http://no-such-node.invalid:8332/");
  request.timeout = 2s;
  const std::string text = fixture.ask(request).transport_error.value_or("(none)");
  // Without a network the resolver itself may hang; then it is the time that ends.
  CHECK((text == "could not resolve host no-such-node.invalid" || text == "timed out after 2 s"));
}

TEST_CASE("time-outs, and one slow answer does not hold up others") {
  Fixture fixture;
  HttpRequest request = fixture.request("/silent");
  request.timeout = 150ms;
  const Instant start = fixture.test.real_now();
  CHECK(fixture.ask(request).transport_error == "timed out after 150 ms");
  const Duration took = fixture.test.real_now() - start;
  CHECK(took >= 150ms);
  CHECK(took < 1500ms);
  request.timeout = 1s;
  std::string silent;
  fixture.client->post(request, [&](HttpAnswer a) { silent = a.transport_error.value_or(""); });
  for (int i = 0; i < 3; ++i)
    fixture.client->post(fixture.request("/echo"), [](HttpAnswer a) { CHECK(a.status == 200); });
  CHECK(fixture.test.run_until([&] { return fixture.client->open_requests() == 1; }));
  CHECK(silent.empty());
  CHECK(fixture.test.run_until([&] { return !silent.empty(); }));
  CHECK(silent == "timed out after 1 s");
}

TEST_CASE("a connection that the node closed while idle is replaced unnoticed") {
  Fixture fixture;
  for (int i = 0; i < 5; ++i) {
    const HttpAnswer answer = fixture.ask(fixture.request("/close-after", "again"));
    CHECK(!answer.transport_error);
    CHECK(answer.body == "again");
  }
  CHECK(fixture.server.connections() >= 5);
}

TEST_CASE("a kept connection that is reset in the middle of a request is replaced, once") {
  Fixture fixture;
  for (int i = 0; i < 3; ++i) {
    CHECK(fixture.ask("/echo").status == 200);
    HttpRequest request = fixture.request("/reset-kept", std::string(8 << 20, 'b'));
    request.max_answer = 9 << 20;
    const HttpAnswer answer = fixture.ask(request);
    CHECK(answer.transport_error.value_or("") == "");
    CHECK((answer.body == request.body));  // in brackets: do not print megabytes
  }
  CHECK(fixture.server.connections() == 4);
}

TEST_CASE("many at a time; callbacks post again") {
  Fixture fixture;
  int answers = 0;
  std::function<void(HttpAnswer)> again;
  int posts = 0;
  again = [&](HttpAnswer answer) {
    ++answers;
    CHECK(answer.status == 200);
    if (posts++ < 100) fixture.client->post(fixture.request("/echo"), again);
  };
  const Instant start = fixture.test.real_now();
  for (int i = 0; i < 20; ++i) fixture.client->post(fixture.request("/slow"), again);
  CHECK(fixture.client->open_requests() == 20);
  CHECK(fixture.test.run_until([&] { return answers == 120; }));
  // Side by side: each of them took 100 ms.
  CHECK(fixture.test.real_now() - start < 1500ms);
  CHECK(fixture.client->open_requests() == 0);
  CHECK(fixture.server.connections() <= 21);
}

TEST_CASE("a client that goes drops what is open, also from within a callback") {
  Fixture fixture;
  int calls = 0;
  for (int i = 0; i < 3; ++i)
    fixture.client->post(fixture.request("/silent"), [&](HttpAnswer) { ++calls; });
  fixture.test.run_for(20ms);
  fixture.client.reset();
  fixture.test.run_for(20ms);
  CHECK(calls == 0);
  fixture.client = std::make_unique<HttpClient>(fixture.test.loop());
  fixture.client->post(fixture.request("/silent"), [&](HttpAnswer) { calls += 100; });
  fixture.client->post(fixture.request("/echo"), [&](HttpAnswer) {
    ++calls;
    fixture.client.reset();
  });
  CHECK(fixture.test.run_until([&] { return calls > 0; }));
  fixture.test.run_for(20ms);
  CHECK(calls == 1);
}

}  // namespace adit::uv
