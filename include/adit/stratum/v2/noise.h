// SPDX-License-Identifier: MIT
// The handshake Noise_NX_Secp256k1+EllSwift_ChaChaPoly_SHA256 (spec section 4.5): the client sends
// 64 bytes, the server answers with 234, and both have a key for each direction. The client stays
// anonymous; the server proves its static key and shows its certificate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "adit/base/result.h"
#include "adit/base/time.h"
#include "adit/crypto/ellswift.h"
#include "adit/stratum/v2/certificate.h"
#include "adit/stratum/v2/cipher_state.h"

namespace adit::v2 {

inline constexpr std::size_t kHelloSize = 64;
inline constexpr std::size_t kAnswerSize = 64 + 64 + kAeadTag + kCertificateSize + kAeadTag;
static_assert(kAnswerSize == 234);

/// The server's lasting side of the handshake. Immutable, shared by all threads.
struct StaticIdentity {
  EllSwiftKey key;
  Certificate certificate;
};

/// What an answered handshake gives the server.
struct Answered {
  std::array<std::uint8_t, kAnswerSize> wire;
  CipherPair ciphers;  ///< send: server to client
};

/// The server's side. One object a connection, one call. Any thread; about 0.1 ms of CPU.
class Responder {
 public:
  /// `ephemeral` is fresh: never used for another connection. `identity` outlives the call.
  Responder(const StaticIdentity& identity, EllSwiftKey ephemeral)
      : identity_(identity), ephemeral_(std::move(ephemeral)) {}
  /// Every hello has an answer: there is no invalid key. Whether the peer speaks Noise at all shows
  /// at its first frame.
  Answered answer(std::span<const std::uint8_t, kHelloSize> hello) &&;

 private:
  const StaticIdentity& identity_;
  EllSwiftKey ephemeral_;
};

/// What a finished handshake gives the client.
struct Finished {
  CipherPair ciphers;  ///< send: client to server
  XOnlyKey server_key;
  Certificate certificate;
};

/// The client's side, for miners of our own and tests.
class Initiator {
 public:
  /// Clocks of server and client may differ by this much.
  static constexpr std::uint32_t kClockSkew = 10;

  explicit Initiator(EllSwiftKey ephemeral) : ephemeral_(std::move(ephemeral)) {}
  const std::array<std::uint8_t, kHelloSize>& hello() const { return ephemeral_.encoding.bytes; }
  /// Without an authority the certificate is shown, not judged. Errors say whether the transport or
  /// the certificate is wrong.
  Result<Finished> finish(std::span<const std::uint8_t, kAnswerSize> answer,
                          const std::optional<XOnlyKey>& authority, UnixSeconds now) &&;

 private:
  EllSwiftKey ephemeral_;
};

}  // namespace adit::v2
