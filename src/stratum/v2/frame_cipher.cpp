// SPDX-License-Identifier: MIT
#include "adit/stratum/v2/frame_cipher.h"

#include <algorithm>
#include <cstring>

#include "adit/base/check.h"

namespace adit::v2 {

bool seal_frame(CipherState& cipher, std::uint16_t extension_type, std::uint8_t msg_type,
                Bytes payload, ByteVec& out) {
  CHECK(payload.size() <= kMaxPayload);
  const std::size_t begin = out.size();
  out.resize(begin + sealed_frame_size(payload.size()));
  MutableBytes rest = MutableBytes(out).subspan(begin);
  std::array<std::uint8_t, kFrameHeaderSize> header;
  write_frame_header({extension_type, msg_type, static_cast<std::uint32_t>(payload.size())},
                     header.data());
  bool sealed = cipher.seal({}, header, rest.first(kSealedHeaderSize));
  rest = rest.subspan(kSealedHeaderSize);
  while (sealed && !payload.empty()) {
    const std::size_t piece = std::min(payload.size(), kMaxPiece);
    sealed = cipher.seal({}, payload.first(piece), rest.first(piece + kAeadTag));
    payload = payload.subspan(piece);
    rest = rest.subspan(piece + kAeadTag);
  }
  if (!sealed) out.resize(begin);
  return sealed;
}

FrameReader::Step FrameReader::next(Bytes& wire) {
  switch (state_) {
    case State::Done:
      forget_payload();
      state_ = State::Header;
      [[fallthrough]];
    case State::Header:
      return read_header(wire);
    case State::Payload:
      return read_payload(wire);
    case State::Failed:
      return Step::Failed;
  }
  UNREACHABLE();
}

FrameReader::Step FrameReader::read_header(Bytes& wire) {
  const std::size_t count = std::min(wire.size(), kSealedHeaderSize - header_filled_);
  std::copy_n(wire.begin(), count, sealed_header_.begin() + header_filled_);
  wire = wire.subspan(count);
  header_filled_ = static_cast<std::uint8_t>(header_filled_ + count);
  if (header_filled_ < kSealedHeaderSize) return Step::NeedMore;
  header_filled_ = 0;
  if (!cipher_.open({}, sealed_header_, MutableBytes(sealed_header_).first(kFrameHeaderSize)))
    return fail();
  header_ = read_frame_header(sealed_header_.data());
  state_ = State::Payload;
  return Step::Header;
}

FrameReader::Step FrameReader::read_payload(Bytes& wire) {
  while (plain_ < header_.length) {
    const std::size_t piece = std::min(header_.length - plain_, kMaxPiece);
    const std::size_t filled = buffer_.size() - plain_;
    const Bytes more = wire.first(std::min(wire.size(), piece + kAeadTag - filled));
    append(buffer_, more);
    wire = wire.subspan(more.size());
    const MutableBytes sealed = MutableBytes(buffer_).subspan(plain_);
    if (sealed.size() < piece + kAeadTag) return Step::NeedMore;
    if (!cipher_.open({}, sealed, sealed.first(piece))) return fail();
    plain_ += piece;
    buffer_.resize(plain_);
  }
  state_ = State::Done;
  return Step::Frame;
}

FrameReader::Step FrameReader::fail() {
  state_ = State::Failed;
  plain_ = 0;
  ByteVec().swap(buffer_);
  return Step::Failed;
}

void FrameReader::forget_payload() {
  plain_ = 0;
  buffer_.clear();
  if (buffer_.capacity() > kKeptBuffer) ByteVec().swap(buffer_);
}

}  // namespace adit::v2
