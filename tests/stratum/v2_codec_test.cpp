// SPDX-License-Identifier: MIT
// Every message there and back, cut short at every byte, with something behind it; and bytes spelt
// out by hand from the specification's tables.
#include <doctest/doctest.h>

#include "adit/stratum/v2/codec.h"
#include "stratum/v2/tlv.h"
#include "v2_noise_support.h"

using namespace adit;
using namespace adit::v2;

namespace {

using adit::v2::test::SplitMix;

/// Random values, with views into a store that outlives them.
class Filler {
 public:
  explicit Filler(std::uint64_t seed) : random_(seed) {}
  void fill(std::unsigned_integral auto& value) {
    value = static_cast<std::remove_reference_t<decltype(value)>>(random_.next());
  }
  void fill(bool& value) { value = (random_.next() & 1) != 0; }
  void fill(float& value) { value = static_cast<float>(random_.next() >> 40) * 1.5f; }
  void fill(Target& value) { value = Target(U256::from_le(keep(32).data())); }
  template <class Tag>
  void fill(HashOf<Tag>& value) {
    random_.fill(value.bytes);
  }
  void fill(std::string_view& value) { value = text_of(keep(random_.next() % 256)); }
  template <std::size_t Max>
  void fill(Blob<Max>& value) {
    value.bytes = keep(random_.next() % (std::min<std::size_t>(Max, 600) + 1));
  }
  template <class Count, std::size_t Size>
  void fill(Sequence<Count, Size>& value) {
    value.bytes = keep(Size * (random_.next() % 20));
  }
  void fill(std::optional<std::uint32_t>& value) {
    value.reset();
    if ((random_.next() & 1) != 0) fill(value.emplace());
  }

 private:
  Bytes keep(std::size_t size) { return store_.emplace_back(random_.bytes(size)); }
  SplitMix random_;
  std::vector<ByteVec> store_ = [] {
    std::vector<ByteVec> store;
    store.reserve(4096);
    return store;
  }();
};

template <class Message>
void there_and_back() {
  Filler filler(Message::kId.type + 1000u * Message::kId.extension);
  for (int turn = 0; turn < 30; ++turn) {
    Message message;
    std::apply([&](auto&... field) { (filler.fill(field), ...); }, Message::fields(message));
    ByteVec wire, again;
    encode(message, wire);
    Bytes rest;
    const auto back = decode<Message>(wire, &rest);
    REQUIRE(back.has_value());
    CHECK(rest.empty());
    encode(*back, again);
    CHECK(again == wire);
    for (std::size_t cut = 0; cut < wire.size(); ++cut) {
      if (decode<Message>(Bytes(wire).first(cut))) FAIL("decodes though cut at " << cut);
    }
    wire.insert(wire.end(), {0xff, 0, 7});
    REQUIRE(decode<Message>(wire, &rest).has_value());
    CHECK(rest.size() == 3);
  }
}

template <class... Messages>
void all_there_and_back() {
  (there_and_back<Messages>(), ...);
}

template <class Message>
std::string hex_of(const Message& message) {
  ByteVec wire;
  encode(message, wire);
  return to_hex(wire);
}

}  // namespace

TEST_CASE("every message, there and back, and cut at every byte") {
  all_there_and_back<
      SetupConnection, SetupConnectionSuccess, SetupConnectionError, Reconnect,
      OpenStandardMiningChannel, OpenStandardMiningChannelSuccess, OpenMiningChannelError,
      OpenExtendedMiningChannel, OpenExtendedMiningChannelSuccess, UpdateChannel,
      UpdateChannelError, CloseChannel, SetExtranoncePrefix, NewMiningJob, NewExtendedMiningJob,
      SetNewPrevHash, SetTarget, SubmitSharesStandard, SubmitSharesExtended, SubmitSharesSuccess,
      SubmitSharesError, SetCustomMiningJob, SetCustomMiningJobError, RequestExtensions,
      RequestExtensionsSuccess, RequestExtensionsError>();
}

TEST_CASE("bytes by hand") {
  CHECK(hex_of(SetupConnection{0, 2, 2, 5, "h", 3334, "v", "", "f", ""}) ==
        "00"
        "0200"
        "0200"
        "05000000"
        "0168"
        "060d"
        "0176"
        "00"
        "0166"
        "00");
  CHECK(hex_of(SubmitSharesStandard{1, 2, 3, 4, 5, 6}) ==
        "010000000200000003000000040000000500000006000000");
  const std::uint8_t rolled[] = {0xaa, 0xbb};
  CHECK(hex_of(SubmitSharesExtended{1, 2, 3, 4, 5, 6, {rolled}}) ==
        "01000000020000000300000004000000050000000600000002aabb");
  CHECK(hex_of(SubmitSharesSuccess{1, 2, 3, 0x0102030405060708}) ==
        "0100000002000000030000000807060504030201");
  CHECK(hex_of(UpdateChannel{1, 1.0f, Target(U256::from(2))}) ==
        "010000000000803f02" + std::string(62, '0'));
  CHECK(hex_of(NewMiningJob{1, 2, {}, 3, {}}) ==
        "01000000020000000003000000" + std::string(64, '0'));
  CHECK(hex_of(NewMiningJob{1, 2, 9, 3, {}}) ==
        "0100000002000000010900000003000000" + std::string(64, '0'));
  const std::uint8_t two[] = {2, 0};
  CHECK(hex_of(RequestExtensions{0xbeef, {two}}) == "efbe01000200");
}

TEST_CASE("lengths and option bytes out of their range") {
  ByteVec wire;
  encode(SubmitSharesExtended{1, 2, 3, 4, 5, 6, {}}, wire);
  wire.back() = 33;
  wire.resize(wire.size() + 255);
  CHECK(!decode<SubmitSharesExtended>(wire));
  wire[24] = 32;
  CHECK(decode<SubmitSharesExtended>(wire).has_value());
  encode(NewMiningJob{1, 2, 9, 3, {}}, wire);
  for (int option = 2; option < 256; ++option) {
    wire[8] = static_cast<std::uint8_t>(option);
    CHECK(!decode<NewMiningJob>(wire));
  }
}

TEST_CASE("of a BOOL only bit 0 counts") {
  NewExtendedMiningJob job;
  ByteVec wire;
  encode(job, wire);
  for (int byte = 0; byte < 256; ++byte) {
    wire[13] = static_cast<std::uint8_t>(byte);
    REQUIRE(decode<NewExtendedMiningJob>(wire).has_value());
    CHECK(decode<NewExtendedMiningJob>(wire)->version_rolling_allowed == ((byte & 1) != 0));
  }
}

TEST_CASE("TLVs in both byte orders, and bytes that are none") {
  const auto found = [](std::string_view hex) -> std::string {
    Bytes value;
    const ByteVec tail = *from_hex(hex);
    switch (find_tlv(tail, 2, 1, value)) {
      case TlvSearch::Found:
        return std::string(text_of(value));
      case TlvSearch::Absent:
        return "absent";
      case TlvSearch::Malformed:
        break;
    }
    return "malformed";
  };
  CHECK(found("") == "absent");
  CHECK(found("02000102006162") == "ab");
  CHECK(found("00020100026162") == "ab");
  CHECK(found("0200010000") == "");
  CHECK(found("030001010078"
              "02000102006162") == "ab");
  CHECK(found("02000102006162"
              "020001010078") == "ab");
  CHECK(found("030001010078") == "absent");
  CHECK(found("02000103006162") == "malformed");
  CHECK(found("020001") == "malformed");
  CHECK(found("0200020100"
              "78") == "absent");
}
