// SPDX-License-Identifier: MIT
// Encrypted frames: every length at which pieces begin and end, cut everywhere, and broken.
#include <algorithm>

#include "adit/stratum/v2/frame_cipher.h"
#include "v2_noise_support.h"

using namespace adit;
using namespace adit::v2;
using namespace adit::v2::test;

namespace {

using Step = FrameReader::Step;

struct Frame {
  FrameHeader header;
  ByteVec payload;
  bool operator==(const Frame&) const = default;
};

Frame frame_of(std::uint16_t extension, std::uint8_t type, ByteVec payload) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  return {{extension, type, length}, std::move(payload)};
}

ByteVec seal(CipherState& cipher, const Frame& frame) {
  ByteVec out;
  REQUIRE(
      seal_frame(cipher, frame.header.extension_type, frame.header.msg_type, frame.payload, out));
  CHECK(out.size() == sealed_frame_size(frame.payload.size()));
  return out;
}

/// Feeds `wire` and appends what comes out; false when the reader failed.
bool feed(FrameReader& reader, Bytes wire, std::vector<Frame>& frames) {
  while (true) switch (reader.next(wire)) {
      case Step::NeedMore:
        CHECK(wire.empty());
        return true;
      case Step::Header:
        break;
      case Step::Frame:
        frames.push_back(
            {reader.header(), ByteVec(reader.payload().begin(), reader.payload().end())});
        break;
      case Step::Failed:
        return false;
    }
}

}  // namespace

TEST_CASE("the header's six bytes") {
  std::array<std::uint8_t, 6> bytes;
  write_frame_header({0x8000, 0x1a, 0x030201}, bytes.data());
  CHECK(to_hex(bytes) == "00801a010203");
  const FrameHeader header = read_frame_header(bytes.data());
  CHECK(header == FrameHeader{0x8000, 0x1a, 0x030201});
  CHECK(header.channel_message());
  CHECK(header.extension() == 0);
  write_frame_header({0x0001, 0xff, kMaxPayload}, bytes.data());
  CHECK(to_hex(bytes) == "0100ffffffff");
  CHECK(read_frame_header(bytes.data()).length == kMaxPayload);
  CHECK_FALSE(read_frame_header(bytes.data()).channel_message());
}

TEST_CASE("sizes on the wire are the protocol's") {
  const std::size_t points[][2] = {{0, 0},
                                   {1, 17},
                                   {65'518, 65'534},
                                   {65'519, 65'535},
                                   {65'520, 65'552},
                                   {131'038, 131'070},
                                   {131'039, 131'087},
                                   {16'777'215, 16'781'327}};
  for (const auto& [plain, sealed] : points) CHECK(sealed_frame_size(plain) == 22 + sealed);
  static_assert(sealed_frame_size(24) == 62);  // SubmitSharesStandard
}

TEST_CASE("every length at which a piece begins or ends makes the round trip") {
  SplitMix random(1);
  Link link = connect(random);
  FrameReader reader(std::move(link.server.receive));
  std::vector<Frame> sent, got;
  for (const std::size_t size : {0u, 1u, 65'518u, 65'519u, 65'520u, 131'038u, 131'039u, 0u, 5u}) {
    sent.push_back(frame_of(0x8000, static_cast<std::uint8_t>(size), random.bytes(size)));
    CHECK(feed(reader, seal(link.client.send, sent.back()), got));
  }
  CHECK(got == sent);
}

TEST_CASE("the largest frame makes the round trip, and its memory is given back") {
  SplitMix random(2);
  Link link = connect(random);
  FrameReader reader(std::move(link.client.receive));
  ByteVec payload = random.bytes(4096);
  payload.resize(kMaxPayload);
  const Frame largest = frame_of(1, 2, std::move(payload)), small = frame_of(3, 4, {5});
  std::vector<Frame> got;
  CHECK(feed(reader, seal(link.server.send, largest), got));
  REQUIRE(got.size() == 1);
  CHECK(got[0] == largest);
  CHECK(feed(reader, seal(link.server.send, small), got));
  CHECK(got[1] == small);
  CHECK(reader.capacity() <= FrameReader::kKeptBuffer);
}

TEST_CASE("a stream may arrive byte by byte, or cut in any two") {
  SplitMix random(3);
  const Frame frames[] = {frame_of(0, 1, {}), frame_of(0x8000, 2, {9}),
                          frame_of(1, 3, random.bytes(40)), frame_of(0, 4, {})};
  ByteVec wire;
  {
    SplitMix again(4);
    Link link = connect(again);
    for (const Frame& frame : frames) append(wire, seal(link.client.send, frame));
  }
  const std::vector<Frame> sent(std::begin(frames), std::end(frames));
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    SplitMix again(4);
    FrameReader reader(connect(again).server.receive.clone());
    std::vector<Frame> got;
    CHECK(feed(reader, Bytes(wire).first(cut), got));
    CHECK(feed(reader, Bytes(wire).subspan(cut), got));
    CHECK(got == sent);
  }
  SplitMix again(4);
  FrameReader reader(connect(again).server.receive.clone());
  std::vector<Frame> got;
  for (const std::uint8_t& byte : wire) CHECK(feed(reader, {&byte, 1}, got));
  CHECK(got == sent);
}

TEST_CASE("large frames may be cut near the ends of their pieces") {
  SplitMix random(5);
  Link link = connect(random);
  FrameReader reader(std::move(link.server.receive));
  std::vector<Frame> got;
  const Frame sent = frame_of(0, 7, random.bytes(3 * kMaxPiece + 1));
  for (const std::size_t step : {1u, 22u, 65'535u, 65'534u, 65'536u, 1'460u}) {
    const ByteVec wire = seal(link.client.send, sent);
    got.clear();
    if (step == 1) {  // byte by byte around each boundary, in one go between
      std::size_t at = 0;
      for (const std::size_t end : {30u, 22u + 65'530u, 22u + 131'065u}) {
        CHECK(feed(reader, Bytes(wire).subspan(at, end - at), got));
        for (at = end; at < end + 12; ++at) CHECK(feed(reader, {&wire[at], 1}, got));
      }
      CHECK(feed(reader, Bytes(wire).subspan(at), got));
    } else {
      for (std::size_t at = 0; at < wire.size(); at += step)
        CHECK(feed(reader, Bytes(wire).subspan(at, std::min(step, wire.size() - at)), got));
    }
    REQUIRE(got.size() == 1);
    CHECK(got[0] == sent);
  }
}

TEST_CASE("a length is known before any memory is taken for it") {
  SplitMix random(6);
  Link link = connect(random);
  FrameReader reader(std::move(link.server.receive));
  std::array<std::uint8_t, 6> header;
  write_frame_header({0, 1, kMaxPayload}, header.data());
  ByteVec wire(22);
  REQUIRE(link.client.send.seal({}, header, wire));
  Bytes rest = wire;
  CHECK(reader.next(rest) == Step::Header);
  CHECK(reader.header().length == kMaxPayload);
  CHECK(reader.capacity() == 0);
  CHECK(reader.next(rest) == Step::NeedMore);
  CHECK(reader.capacity() == 0);
  const ByteVec some(1000, 0);
  rest = some;
  CHECK(reader.next(rest) == Step::NeedMore);
  CHECK(reader.capacity() < 3000);
}

TEST_CASE("one wrong bit is the end, for good") {
  SplitMix random(7);
  const Frame sent = frame_of(0, 1, random.bytes(20));
  for (std::size_t at = 0; at < sealed_frame_size(20); ++at) {
    Link link = connect(random);
    FrameReader reader(std::move(link.server.receive));
    ByteVec wire = seal(link.client.send, sent);
    wire[at] ^= static_cast<std::uint8_t>(1u << (at % 8));
    std::vector<Frame> got;
    CHECK_FALSE(feed(reader, wire, got));
    CHECK(got.empty());
    CHECK(reader.payload().empty());
    CHECK_FALSE(feed(reader, seal(link.client.send, sent), got));
  }
}

TEST_CASE("frames that are lost, repeated or swapped are noticed") {
  SplitMix random(8);
  Link link = connect(random);
  const ByteVec first = seal(link.client.send, frame_of(0, 1, {1}));
  const ByteVec second = seal(link.client.send, frame_of(0, 2, {2}));
  std::vector<Frame> got;
  FrameReader lost(link.server.receive.clone());
  CHECK_FALSE(feed(lost, second, got));
  FrameReader repeated(link.server.receive.clone());
  CHECK(feed(repeated, first, got));
  CHECK_FALSE(feed(repeated, first, got));
  FrameReader reflected(link.client.receive.clone());
  CHECK_FALSE(feed(reflected, first, got));
}

TEST_CASE("small frames need no new memory once the buffers are warm") {
  SplitMix random(9);
  Link link = connect(random);
  FrameReader reader(std::move(link.server.receive));
  ByteVec wire;
  const ByteVec payload = random.bytes(57);
  const std::uint8_t* place = nullptr;
  for (int i = 0; i < 100; ++i) {
    wire.clear();
    REQUIRE(seal_frame(link.client.send, 0, 0x1a, payload, wire));
    Bytes rest = wire;
    REQUIRE(reader.next(rest) == Step::Header);
    REQUIRE(reader.next(rest) == Step::Frame);
    if (place == nullptr) place = reader.payload().data();
    CHECK(reader.payload().data() == place);
    CHECK(std::equal(payload.begin(), payload.end(), reader.payload().begin()));
  }
}

TEST_CASE("used-up nonces seal nothing") {
  ByteVec out(3, 7);
  CipherState nearly{AeadKey(hex_array<32>(std::string(64, '1'))), ~std::uint64_t{0} - 1};
  CHECK_FALSE(seal_frame(nearly, 0, 1, ByteVec(5), out));  // the header took the last one
  CHECK(out == ByteVec(3, 7));
}
