// SPDX-License-Identifier: MIT
// Whole handshakes and their frames, byte for byte, as an independent implementation made them
// (tests/sv2/make_vectors.py): both of our roles replay each with the same fixed keys.
#include <simdjson.h>

#include <cstdlib>
#include <string>

#include "adit/crypto/sha256.h"
#include "adit/stratum/v2/frame_cipher.h"
#include "v2_noise_support.h"

using namespace adit;
using namespace adit::v2;
using namespace adit::v2::test;

namespace {

using Json = simdjson::dom::element;

std::string_view text(Json entry, const char* key) { return entry[key].get_string().value(); }

EllSwiftKey key_of(Json entry, const std::string& name) {
  return {secret_of(text(entry, (name + "_secret").c_str())),
          {hex_array<64>(text(entry, (name + "_ellswift").c_str()))}};
}

UnixSeconds time_of(Json entry, const char* key) {
  return UnixSeconds(static_cast<std::uint32_t>(entry[key].get_uint64().value()));
}

/// The payload of a frame whose bytes are too many to be stored.
ByteVec pattern(std::size_t size) {
  ByteVec out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + 3);
  return out;
}

/// Header and payload in the clear.
ByteVec plain_of(Json frame) {
  if (frame["plaintext"].error() == simdjson::SUCCESS) return *from_hex(text(frame, "plaintext"));
  ByteVec out = *from_hex(text(frame, "header"));
  const ByteVec payload = pattern(frame["payload_size"].get_uint64().value());
  CHECK(to_hex(sha256(payload)) == text(frame, "payload_sha256"));
  append(out, payload);
  return out;
}

void check_wire(Json frame, Bytes wire) {
  if (frame["wire"].error() == simdjson::SUCCESS) {
    CHECK(to_hex(wire) == text(frame, "wire"));
  } else {
    CHECK(to_hex(sha256(wire)) == text(frame, "wire_sha256"));
  }
}

void replay_frames(Json entry, CipherPair& client, CipherPair& server) {
  FrameReader at_server(std::move(server.receive)), at_client(std::move(client.receive));
  for (const Json frame : entry["frames"].get_array()) {
    const bool to_server = text(frame, "direction") == "client_to_server";
    const ByteVec plain = plain_of(frame);
    const FrameHeader header = read_frame_header(plain.data());
    const Bytes payload = Bytes(plain).subspan(kFrameHeaderSize);
    ByteVec wire;
    REQUIRE(seal_frame(to_server ? client.send : server.send, header.extension_type,
                       header.msg_type, payload, wire));
    check_wire(frame, wire);
    FrameReader& reader = to_server ? at_server : at_client;
    Bytes rest = wire;
    REQUIRE(reader.next(rest) == FrameReader::Step::Header);
    CHECK(reader.header() == header);
    REQUIRE(reader.next(rest) == FrameReader::Step::Frame);
    CHECK(std::equal(payload.begin(), payload.end(), reader.payload().begin(),
                     reader.payload().end()));
    CHECK(rest.empty());
  }
}

void replay(Json entry) {
  const SecretKey authority = secret_of(text(entry, "authority_secret"));
  const XOnlyKey authority_x{hex_array<32>(text(entry, "authority_x"))};
  CHECK(public_key_of(authority) == authority_x);
  EllSwiftKey server_key = key_of(entry, "responder_static");
  const UnixSeconds from = time_of(entry, "valid_from"), until = time_of(entry, "not_valid_after");
  const Certificate certificate =
      issue_certificate(authority, public_key_of(server_key.secret), from, until,
                        hex_array<32>(text(entry, "signature_aux")));
  const StaticIdentity identity{std::move(server_key), certificate};

  Initiator initiator(key_of(entry, "initiator_ephemeral"));
  CHECK(to_hex(initiator.hello()) == text(entry, "message_1"));
  Answered answered = Responder(identity, key_of(entry, "responder_ephemeral"))
                          .answer(hex_array<kHelloSize>(text(entry, "message_1")));
  CHECK(to_hex(answered.wire) == text(entry, "message_2"));
  CHECK(to_hex(answered.ciphers.receive.key().bytes()) == text(entry, "k_client_to_server"));
  CHECK(to_hex(answered.ciphers.send.key().bytes()) == text(entry, "k_server_to_client"));
  CHECK(to_hex(answered.ciphers.handshake_hash) == text(entry, "handshake_hash"));

  auto finished = std::move(initiator).finish(hex_array<kAnswerSize>(text(entry, "message_2")),
                                              authority_x, from);
  REQUIRE(finished.ok());
  CHECK(to_hex(finished->ciphers.send.key().bytes()) == text(entry, "k_client_to_server"));
  CHECK(to_hex(finished->ciphers.receive.key().bytes()) == text(entry, "k_server_to_client"));
  CHECK(to_hex(finished->ciphers.handshake_hash) == text(entry, "handshake_hash"));
  replay_frames(entry, finished->ciphers, answered.ciphers);
}

}  // namespace

TEST_CASE("transcripts of an independent implementation") {
  simdjson::dom::parser parser;
  Json file;
  const std::string path =
      std::string(std::getenv("ADIT_TEST_DATA")) + "/vectors/noise_handshakes.json";
  REQUIRE(parser.load(path).get(file) == simdjson::SUCCESS);
  std::size_t entries = 0;
  for (const Json entry : file.get_array()) {
    CAPTURE(std::string(text(entry, "name")));
    replay(entry);
    ++entries;
  }
  CHECK(entries >= 15);
}
