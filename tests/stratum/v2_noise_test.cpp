// SPDX-License-Identifier: MIT
// The handshake from both ends: they agree on the keys, and nothing forged or stale gets through.
#include "adit/stratum/v2/noise.h"

#include <set>

#include "adit/stratum/v2/ephemeral_keys.h"
#include "v2_noise_support.h"

using namespace adit;
using namespace adit::v2;
using namespace adit::v2::test;

namespace {

struct Server {
  explicit Server(SplitMix& random)
      : keeper(IdentityKeeper::self_issued(SecretKey::generate(random.source()), 7, kNow,
                                           random.source())) {}
  Answered answer(std::span<const std::uint8_t, kHelloSize> hello, SplitMix& random) {
    return Responder(*keeper.identity(), EllSwiftKey::generate(random.source())).answer(hello);
  }
  IdentityKeeper keeper;
};

std::string refusal(const Server& server, const std::array<std::uint8_t, kAnswerSize>& answer,
                    Initiator initiator, UnixSeconds now = kNow) {
  const auto finished = std::move(initiator).finish(answer, server.keeper.authority(), now);
  return finished ? "good" : finished.error().text;
}

Initiator initiator_of(std::uint64_t seed) {
  SplitMix random(seed);
  return Initiator(EllSwiftKey::generate(random.source()));
}

}  // namespace

TEST_CASE("both sides get the same two keys and hash, crossed") {
  SplitMix random(1);
  Server server(random);
  for (std::uint64_t i = 0; i < 20; ++i) {
    Initiator initiator = initiator_of(i);
    const Answered answered = server.answer(initiator.hello(), random);
    const auto finished =
        std::move(initiator).finish(answered.wire, server.keeper.authority(), kNow);
    REQUIRE(finished.ok());
    const CipherPair& client = finished->ciphers;
    CHECK(client.send.key().bytes() == answered.ciphers.receive.key().bytes());
    CHECK(client.receive.key().bytes() == answered.ciphers.send.key().bytes());
    CHECK(client.send.key().bytes() != client.receive.key().bytes());
    CHECK(client.handshake_hash == answered.ciphers.handshake_hash);
    CHECK(client.send.next_nonce() == 0);
    CHECK(finished->server_key == public_key_of(server.keeper.identity()->key.secret));
    CHECK(finished->certificate == server.keeper.identity()->certificate);
  }
}

TEST_CASE("one changed bit anywhere in the answer ends the handshake") {
  SplitMix random(2);
  Server server(random);
  const Answered answered = server.answer(initiator_of(5).hello(), random);
  CHECK(refusal(server, answered.wire, initiator_of(5)) == "good");
  for (std::size_t at = 0; at < kAnswerSize; ++at) {
    auto changed = answered.wire;
    changed[at] ^= static_cast<std::uint8_t>(1u << (at % 8));
    const std::string text = refusal(server, changed, initiator_of(5));
    CHECK(text == (at < 144 ? "the server's key cannot be decrypted"
                            : "the server's certificate cannot be decrypted"));
  }
}

TEST_CASE("an answer to another hello, or for other ears, is of no use") {
  SplitMix random(3);
  Server server(random);
  const Answered answered = server.answer(initiator_of(6).hello(), random);
  CHECK(refusal(server, answered.wire, initiator_of(7)) == "the server's key cannot be decrypted");
  std::array<std::uint8_t, kAnswerSize> noise;
  random.fill(noise);
  CHECK(refusal(server, noise, initiator_of(6)) == "the server's key cannot be decrypted");
}

TEST_CASE("the client judges the certificate, with ten seconds for the clocks") {
  SplitMix random(4);
  Server server(random);
  const Answered answered = server.answer(initiator_of(8).hello(), random);
  const Certificate& certificate = server.keeper.identity()->certificate;
  const auto at = [&](UnixSeconds base, int offset) {
    const auto now = UnixSeconds(static_cast<std::uint32_t>(base.value() + offset));
    return refusal(server, answered.wire, initiator_of(8), now);
  };
  const std::string refused = "the server's certificate is refused: ";
  CHECK(at(certificate.valid_from, -10) == "good");
  CHECK(at(certificate.valid_from, -11) == refused + "it is not valid yet");
  CHECK(at(certificate.not_valid_after, 10) == "good");
  CHECK(at(certificate.not_valid_after, 11) == refused + "it has expired");
  Server other(random);
  CHECK(refusal(other, answered.wire, initiator_of(8)) ==
        refused + "its signature is not the authority's");
  CHECK(initiator_of(8).finish(answered.wire, std::nullopt, UnixSeconds(0)).ok());
}

TEST_CASE("a stolen certificate does not help without the static secret") {
  SplitMix random(5);
  Server server(random);
  const StaticIdentity thief{EllSwiftKey::generate(random.source()),
                             server.keeper.identity()->certificate};
  const Answered answered =
      Responder(thief, EllSwiftKey::generate(random.source())).answer(initiator_of(9).hello());
  CHECK(refusal(server, answered.wire, initiator_of(9)) ==
        "the server's certificate is refused: its signature is not the authority's");
  // With the true encoding shown but another secret, the second shared key is a different one.
  const StaticIdentity liar{{thief.key.secret.clone(), server.keeper.identity()->key.encoding},
                            server.keeper.identity()->certificate};
  const Answered lie =
      Responder(liar, EllSwiftKey::generate(random.source())).answer(initiator_of(9).hello());
  CHECK(refusal(server, lie.wire, initiator_of(9)) ==
        "the server's certificate cannot be decrypted");
}

TEST_CASE("any 64 bytes are answered") {
  SplitMix random(6);
  Server server(random);
  for (const unsigned value : {0x00u, 0xffu, 0x7bu}) {
    std::array<std::uint8_t, kHelloSize> hello;
    hello.fill(static_cast<std::uint8_t>(value));
    const Answered answered = server.answer(hello, random);
    CHECK(answered.wire.size() == 234);
  }
}

TEST_CASE("nonces count successes only, and the last one is never used") {
  const auto key = hex_array<32>(std::string(64, '7'));
  CipherState send{AeadKey(key)}, receive{AeadKey(key)};
  const ByteVec plain(10, 1);
  ByteVec wire(26), out(10);
  for (std::uint64_t n = 0; n < 300; ++n) {
    CHECK(send.next_nonce() == n);
    REQUIRE(send.seal({}, plain, wire));
    ByteVec bad = wire;
    bad[3] ^= 1;
    CHECK_FALSE(receive.open({}, bad, out));
    CHECK(receive.next_nonce() == n);
    CHECK(receive.open({}, wire, out));
    CHECK_FALSE(receive.open({}, wire, out));  // a replay
  }
  const std::uint64_t last = ~std::uint64_t{0};
  CipherState end{AeadKey(key), last - 1}, end2{AeadKey(key), last - 1};
  REQUIRE(end.seal({}, plain, wire));
  CHECK(end2.open({}, wire, out));
  CHECK_FALSE(end.seal({}, plain, wire));
  CHECK_FALSE(end2.open({}, wire, out));
  CHECK(end.next_nonce() == last);
}

TEST_CASE("ephemeral keys come from a bounded stock, each once") {
  SplitMix random(7);
  EphemeralKeys keys(5);
  CHECK(keys.refill(random.source(), 3) == 3);
  CHECK(keys.refill(random.source(), 10) == 2);
  CHECK(keys.full());
  CHECK(keys.refill(random.source(), 1) == 0);
  std::set<std::array<std::uint8_t, 32>> seen;
  for (int i = 0; i < 8; ++i) {
    const EllSwiftKey key = keys.take(random.source());
    CHECK(ellswift_decode(key.encoding) == public_key_of(key.secret));
    seen.insert(key.secret.bytes());
  }
  CHECK(seen.size() == 8);
  CHECK(keys.size() == 0);
}
