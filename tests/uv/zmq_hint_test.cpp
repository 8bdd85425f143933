// SPDX-License-Identifier: MIT
// The hint against libzmq's own publisher: bursts, reconnection, foreign topics, huge messages.
#include "uv/zmq_hint.h"

#include <zmq.h>

#include <memory>

#include "uv_support.h"

namespace adit::uv {
namespace {

using namespace std::chrono_literals;

class Publisher {
 public:
  explicit Publisher(const std::string& endpoint = "tcp://127.0.0.1:*")
      : context_(zmq_ctx_new()), socket_(zmq_socket(context_, ZMQ_PUB)) {
    const int none = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket_, ZMQ_SNDHWM, &none, sizeof none);
    REQUIRE(zmq_bind(socket_, endpoint.c_str()) == 0);
    char text[64] = "";
    std::size_t length = sizeof text;
    REQUIRE(zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, text, &length) == 0);
    endpoint_ = text;
  }
  ~Publisher() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  /// As bitcoind: topic, body, a little-endian counter.
  void publish(const std::string& topic = "hashblock", std::size_t body = 32) {
    const std::string hash(body, 'h');
    zmq_send(socket_, topic.data(), topic.size(), ZMQ_SNDMORE);
    zmq_send(socket_, hash.data(), hash.size(), ZMQ_SNDMORE);
    zmq_send(socket_, "\1\0\0\0", 4, 0);
  }
  const std::string& endpoint() const { return endpoint_; }

 private:
  void* context_;
  void* socket_;
  std::string endpoint_;
};

struct Fixture {
  explicit Fixture(const std::string& endpoint) {
    auto made = ZmqHint::subscribe(test.loop(), endpoint, [this] { ++hints; });
    REQUIRE(made.ok());
    hint = std::move(*made);
  }
  /// A publisher drops what comes before the subscription has reached it.
  bool wait_connected(Publisher& publisher) {
    const int before = hints;
    return test.run_until([&] {
      publisher.publish();
      return hints > before;
    });
  }
  bool hint_after_publish(Publisher& publisher) {
    test.run_for(15ms);
    const int before = hints;
    publisher.publish();
    return test.run_until([&] { return hints > before; }, 2s);
  }
  TestLoop test;
  int hints = 0;
  std::unique_ptr<ZmqHint> hint;
};

}  // namespace

TEST_CASE("each message is a hint, and a burst of 20,000 does not stall it") {
  Publisher publisher;
  Fixture fixture(publisher.endpoint());
  REQUIRE(fixture.wait_connected(publisher));
  for (int i = 0; i < 10; ++i) CHECK(fixture.hint_after_publish(publisher));
  const int before = fixture.hints;
  for (int i = 0; i < 20'000; ++i) publisher.publish();
  CHECK(fixture.test.run_until([&] { return fixture.hints > before; }));
  fixture.test.run_for(200ms);
  // One call for many messages, and alive afterwards.
  CHECK(fixture.hints - before < 20'000);
  for (int i = 0; i < 10; ++i) CHECK(fixture.hint_after_publish(publisher));
}

TEST_CASE("messages while the loop was busy are one hint") {
  Publisher publisher;
  Fixture fixture(publisher.endpoint());
  REQUIRE(fixture.wait_connected(publisher));
  fixture.test.run_for(30ms);
  const int before = fixture.hints;
  for (int i = 0; i < 50; ++i) publisher.publish();
  usleep(50'000);
  fixture.test.run_for(30ms);
  CHECK(fixture.hints > before);
  CHECK(fixture.hints <= before + 2);
}

TEST_CASE("other topics are no hint") {
  Publisher publisher;
  Fixture fixture(publisher.endpoint());
  REQUIRE(fixture.wait_connected(publisher));
  fixture.test.run_for(30ms);
  const int before = fixture.hints;
  for (const char* topic : {"hashtx", "rawblock", "sequence", "hash"}) publisher.publish(topic);
  fixture.test.run_for(50ms);
  CHECK(fixture.hints == before);
  CHECK(fixture.hint_after_publish(publisher));
}

TEST_CASE("it comes back when the node does, and may start before it") {
  auto publisher = std::make_unique<Publisher>();
  const std::string endpoint = publisher->endpoint();
  publisher.reset();
  Fixture fixture(endpoint);
  fixture.test.run_for(50ms);
  CHECK(fixture.hints == 0);
  for (int round = 0; round < 2; ++round) {
    publisher = std::make_unique<Publisher>(endpoint);
    CHECK(fixture.wait_connected(*publisher));
    publisher.reset();
    fixture.test.run_for(50ms);
  }
}

TEST_CASE("a message beyond the bound costs the connection, not us") {
  Publisher publisher;
  Fixture fixture(publisher.endpoint());
  REQUIRE(fixture.wait_connected(publisher));
  publisher.publish("hashblock", 8 << 20);
  CHECK(fixture.wait_connected(publisher));
}

TEST_CASE("two subscriptions, one gone") {
  Publisher publisher;
  Fixture one(publisher.endpoint());
  REQUIRE(one.wait_connected(publisher));
  {
    Fixture two(publisher.endpoint());
    REQUIRE(two.wait_connected(publisher));
  }
  CHECK(one.hint_after_publish(publisher));
}

TEST_CASE("a wrong endpoint is told") {
  TestLoop test;
  for (const char* bad : {"", "127.0.0.1:28332", "tcp://", "tcp://127.0.0.1", "carrier://x"}) {
    const auto made = ZmqHint::subscribe(test.loop(), bad, [] {});
    REQUIRE_MESSAGE(!made.ok(), std::string(bad));
    CHECK(made.error().text.find("cannot subscribe to \"" + std::string(bad)) == 0);
  }
}

}  // namespace adit::uv
