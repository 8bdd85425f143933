// SPDX-License-Identifier: MIT
// Encrypted frames (spec section 4.6): the header alone in 22 bytes, then the payload in pieces of
// at most 65,519 bytes, each with its tag. A payload of zero bytes has no piece and no tag.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "adit/base/bytes.h"
#include "adit/stratum/v2/cipher_state.h"
#include "adit/stratum/v2/frame.h"

namespace adit::v2 {

inline constexpr std::size_t kSealedHeaderSize = kFrameHeaderSize + kAeadTag;
inline constexpr std::size_t kMaxPiece = 65'535 - kAeadTag;

/// Bytes on the wire of a frame with this payload, header included.
constexpr std::size_t sealed_frame_size(std::size_t payload) {
  return kSealedHeaderSize + payload + kAeadTag * ((payload + kMaxPiece - 1) / kMaxPiece);
}

/// Appends one encrypted frame to `out`, which must not hold `payload`. At most kMaxPayload bytes
/// (CHECK). False when the cipher's nonces are used up: close the connection. No allocation once
/// `out` has the capacity.
[[nodiscard]] bool seal_frame(CipherState& cipher, std::uint16_t extension_type,
                              std::uint8_t msg_type, Bytes payload, ByteVec& out);

/// Turns a byte stream, cut anywhere, into frames:
///
///   while (true) switch (reader.next(wire)) {
///     case FrameReader::Step::NeedMore: return;             // wire is consumed
///     case FrameReader::Step::Header:   if (reader.header().length > limit) return close(); break;
///     case FrameReader::Step::Frame:    handle(reader.header(), reader.payload()); break;
///     case FrameReader::Step::Failed:   return close();
///   }
///
/// Memory grows with the bytes that have arrived, never with the length that a header claims, and
/// falls back to kKeptBuffer after a large frame.
class FrameReader {
 public:
  enum class Step : std::uint8_t {
    NeedMore,  ///< all of `wire` is taken, no event yet
    Header,    ///< header() is valid; calling next() again accepts its length
    Frame,     ///< header() and payload() are valid until the next call
    Failed,    ///< a tag was wrong; so is every later call
  };
  static constexpr std::size_t kKeptBuffer = 4096;

  explicit FrameReader(CipherState cipher) : cipher_(std::move(cipher)) {}

  /// Takes bytes from the front of `wire` up to the next event.
  Step next(Bytes& wire);
  const FrameHeader& header() const { return header_; }
  /// True while a frame has begun and not ended.
  bool partial() const { return header_filled_ != 0 || state_ == State::Payload; }
  Bytes payload() const { return {buffer_.data(), plain_}; }
  /// Heap bytes held, for the accounts of memory.
  std::size_t capacity() const { return buffer_.capacity(); }

 private:
  enum class State : std::uint8_t { Header, Payload, Done, Failed };
  Step read_header(Bytes& wire);
  Step read_payload(Bytes& wire);
  Step fail();
  void forget_payload();

  CipherState cipher_;
  FrameHeader header_;
  State state_ = State::Header;
  std::uint8_t header_filled_ = 0;
  std::array<std::uint8_t, kSealedHeaderSize> sealed_header_{};
  std::size_t plain_ = 0;  // decrypted bytes at the front of buffer_; behind them, the open piece
  ByteVec buffer_;
};

}  // namespace adit::v2
