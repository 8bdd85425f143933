// SPDX-License-Identifier: MIT
// Both ends of the handshake, on the state that they share.
#include "adit/stratum/v2/noise.h"

#include <algorithm>

#include "adit/base/check.h"
#include "stratum/v2/noise_state.h"

namespace adit::v2 {
namespace {

// Where things stand in the server's answer.
constexpr std::size_t kSealedKey = 64 + kAeadTag;
constexpr std::size_t kSealedCertificate = kCertificateSize + kAeadTag;

EllSwift encoding_of(std::span<const std::uint8_t, 64> bytes) {
  EllSwift out;
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
  return out;
}

}  // namespace

Answered Responder::answer(std::span<const std::uint8_t, kHelloSize> hello) && {
  const EllSwiftKey ephemeral = std::move(ephemeral_);
  const EllSwift theirs = encoding_of(hello);
  const XOnlyKey their_x = ellswift_decode(theirs);
  NoiseState state;
  state.mix_hash(hello);
  state.mix_hash({});  // the first message's empty payload

  std::array<std::uint8_t, kAnswerSize> wire;
  const MutableBytes out(wire);
  std::copy(ephemeral.encoding.bytes.begin(), ephemeral.encoding.bytes.end(), wire.begin());
  state.mix_hash(ephemeral.encoding.bytes);
  state.mix_key(ellswift_ecdh(ephemeral.secret, their_x, theirs, ephemeral.encoding));
  const EllSwiftKey& key = identity_.key;
  state.seal(key.encoding.bytes, out.subspan(64, kSealedKey));
  state.mix_key(ellswift_ecdh(key.secret, their_x, theirs, key.encoding));
  state.seal(identity_.certificate.encode(), out.subspan(64 + kSealedKey));

  auto [to_server, to_client] = state.split();
  return {wire, {std::move(to_client), std::move(to_server), state.hash()}};
}

Result<Finished> Initiator::finish(std::span<const std::uint8_t, kAnswerSize> answer,
                                   const std::optional<XOnlyKey>& authority, UnixSeconds now) && {
  const EllSwiftKey ephemeral = std::move(ephemeral_);
  const EllSwift ours = ephemeral.encoding;
  NoiseState state;
  state.mix_hash(ours.bytes);
  state.mix_hash({});

  const EllSwift theirs = encoding_of(answer.first<64>());
  state.mix_hash(theirs.bytes);
  state.mix_key(ellswift_ecdh(ephemeral.secret, ellswift_decode(theirs), ours, theirs));
  EllSwift server;
  if (!state.open(answer.subspan<64, kSealedKey>(), server.bytes))
    return Error{ErrorCode::Corrupt, "the server's key cannot be decrypted"};
  const XOnlyKey server_key = ellswift_decode(server);
  state.mix_key(ellswift_ecdh(ephemeral.secret, server_key, ours, server));
  std::array<std::uint8_t, kCertificateSize> plain;
  if (!state.open(answer.subspan<64 + kSealedKey, kSealedCertificate>(), plain))
    return Error{ErrorCode::Corrupt, "the server's certificate cannot be decrypted"};
  const Certificate certificate = Certificate::decode(plain);
  if (authority) {
    const auto verdict = check_certificate(certificate, server_key, *authority, now, kClockSkew);
    if (verdict != CertificateVerdict::Good)
      return Error{ErrorCode::Refused, "the server's certificate is refused: " +
                                           std::string(certificate_verdict_text(verdict))};
  }
  auto [to_server, to_client] = state.split();
  return Finished{
      {std::move(to_server), std::move(to_client), state.hash()}, server_key, certificate};
}

}  // namespace adit::v2
