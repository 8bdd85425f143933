// SPDX-License-Identifier: MIT
// A slice's bytes: there and back, and nothing else is taken for one.
#include <random>

#include "fixture.h"

using namespace adit;

namespace {

constexpr Uint128 kMost = ~Uint128{0};

Digest digest_of(std::uint8_t byte) {
  Digest d;
  d.fill(byte);
  return d;
}

SliceRecord sample() {
  SliceRecord r;
  r.number = SliceNumber(7);
  r.first = Sequence(100), r.last = Sequence(400);
  r.opened = UnixMillis(1'700'000'000'000), r.closed = UnixMillis(1'700'000'060'001);
  r.network = adit::test::kSampleNetwork;
  r.block.bytes = digest_of(1);
  r.chain = digest_of(2), r.root = digest_of(3), r.previous = digest_of(4);
  r.slice = Slice({{AccountId(1), 5}, {AccountId(3), 300}, {AccountId(~0u), kMost - 305}});
  return r;
}

Result<Slice> parsed(const ByteVec& bytes, std::uint32_t count) {
  return Slice::parse(bytes, count);
}

}  // namespace

TEST_CASE("slice: entries there and back, over the whole range of numbers") {
  std::mt19937_64 chance(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<AccountWork> entries;
    std::uint32_t account = 0;
    const std::uint64_t step_bits = 1 + chance() % 24, work_bits = 1 + chance() % 120;
    for (std::uint64_t n = chance() % 40; n > 0; --n) {
      account += 1 + static_cast<std::uint32_t>(chance() >> (64 - step_bits));
      const Uint128 any = Uint128{chance()} << 64 | chance();
      entries.push_back({AccountId(account), (any >> (128 - work_bits)) | 1});
    }
    const Slice slice(entries);
    Uint128 total = 0;
    for (const AccountWork& e : entries) total += e.work;
    REQUIRE(slice.entries() == entries);
    REQUIRE(slice.total() == total);
    REQUIRE(slice.count() == entries.size());
    const auto again = Slice::parse(slice.packed(), slice.count());
    REQUIRE(again.ok());
    REQUIRE(*again == slice);
    REQUIRE_FALSE(Slice::parse(slice.packed(), slice.count() + 1).ok());
    if (slice.count() > 0) REQUIRE_FALSE(Slice::parse(slice.packed(), slice.count() - 1).ok());
  }
  CHECK(Slice({{AccountId(~0u), kMost}}).entries()[0] == AccountWork{AccountId(~0u), kMost});
}

TEST_CASE("slice: longer spellings, zeros and numbers too large are refused") {
  CHECK(parsed({}, 0).ok());
  CHECK(parsed({1, 1}, 1).ok());
  CHECK_FALSE(parsed({0, 1}, 1).ok());           // account 0
  CHECK_FALSE(parsed({1, 0}, 1).ok());           // no work
  CHECK_FALSE(parsed({1, 1, 0, 1}, 2).ok());     // an account twice
  CHECK_FALSE(parsed({0x81, 0x00, 1}, 1).ok());  // 1 in two bytes
  CHECK_FALSE(parsed({1, 0x80, 0x00}, 1).ok());
  CHECK_FALSE(parsed({1, 0x80}, 1).ok());  // ends too early
  CHECK_FALSE(parsed({1}, 1).ok());
  CHECK_FALSE(parsed({1, 1, 1}, 1).ok());
  // 2^32 - 1 is an account, 2^32 is none, nor is what comes after the last.
  CHECK(parsed({0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1}, 1).ok());
  CHECK_FALSE(parsed({0x80, 0x80, 0x80, 0x80, 0x10, 1}, 1).ok());
  CHECK_FALSE(parsed({0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 1, 1}, 2).ok());
  // 2^128 - 1 is the most work; one bit more, one byte more, one unit more is refused.
  ByteVec most(1, 1);
  most.insert(most.end(), 18, 0xFF);
  most.push_back(3);
  CHECK(parsed(most, 1)->total() == kMost);
  most.back() = 7;
  CHECK_FALSE(parsed(most, 1).ok());
  most.back() = 0x83;
  most.push_back(0);
  CHECK_FALSE(parsed(most, 1).ok());
  most.back() = 1;
  CHECK_FALSE(parsed(most, 1).ok());
  most.pop_back();
  most.back() = 3;
  most.insert(most.end(), {1, 1});
  CHECK_FALSE(parsed(most, 2).ok());
}

TEST_CASE("slice: parse is total, and what it takes is spelled as it came") {
  std::mt19937_64 chance(2);
  std::size_t taken = 0;
  for (int round = 0; round < 200'000; ++round) {
    ByteVec bytes(chance() % 9);
    for (auto& b : bytes)
      b = static_cast<std::uint8_t>(chance() % 3 == 0 ? chance() : chance() % 4);
    const auto count = static_cast<std::uint32_t>(chance() % 4);
    const auto slice = parsed(bytes, count);
    if (!slice) continue;
    ++taken;
    const auto entries = slice->entries();
    REQUIRE(entries.size() == count);
    const Slice again(entries);
    REQUIRE(again == *slice);
    REQUIRE(ByteVec(again.packed().begin(), again.packed().end()) == bytes);
  }
  CHECK(taken > 1000);
}

TEST_CASE("slice record: there and back") {
  const SliceRecord r = sample();
  const ByteVec bytes = r.encode();
  CHECK(bytes.size() == SliceRecord::kHeaderSize + r.slice.bytes() + 32);
  const auto back = SliceRecord::decode(bytes);
  REQUIRE(back.ok());
  CHECK(*back == r);
  CHECK(back->encode() == bytes);
  CHECK(back->hash() == r.hash());
  CHECK(std::equal(bytes.end() - 32, bytes.end(), r.hash().begin()));
  SliceRecord header;
  CHECK(SliceRecord::decode_header(r.header(), header).value() == 3);
  CHECK(header.slice == Slice());
  header.slice = r.slice;
  CHECK(header == r);
}

TEST_CASE("slice record: every changed byte is refused, and changes what the hash covers") {
  const SliceRecord r = sample();
  const ByteVec bytes = r.encode();
  const std::size_t packed = r.slice.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (unsigned value = 0; value < 256; ++value) {
      ByteVec changed = bytes;
      if (changed[i] == value) continue;
      changed[i] = static_cast<std::uint8_t>(value);
      REQUIRE_FALSE(SliceRecord::decode(changed).ok());
      const Bytes all = changed;
      const Digest hash = slice_hash(all.first(SliceRecord::kHeaderSize),
                                     sha256(all.subspan(SliceRecord::kHeaderSize, packed)));
      if (i < bytes.size() - 32) REQUIRE(hash != r.hash());
    }
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(SliceRecord::decode(Bytes(bytes).first(size)).ok());
  ByteVec longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(SliceRecord::decode(longer).ok());
}

TEST_CASE("slice record: what makes no sense is refused although its hash fits") {
  CHECK(SliceRecord::decode(sample().encode()).ok());
  const auto refused = [](const std::function<void(SliceRecord&)>& change) {
    SliceRecord r = sample();
    change(r);
    return !SliceRecord::decode(r.encode()).ok();
  };
  CHECK(refused([](SliceRecord& r) { r.number = SliceNumber(0); }));
  CHECK(refused([](SliceRecord& r) { r.first = Sequence(0); }));
  CHECK(refused([](SliceRecord& r) { r.last = Sequence(99); }));
  CHECK(refused([](SliceRecord& r) { r.last = Sequence(101); }));  // 2 shares of 3 accounts
  CHECK_FALSE(refused([](SliceRecord& r) { r.last = Sequence(102); }));
  CHECK(refused([](SliceRecord& r) { r.network.work = 0; }));
  CHECK(refused([](SliceRecord& r) { r.network.subsidy = Satoshi(-1); }));
  CHECK(refused([](SliceRecord& r) { r.network.mean_fees = Satoshi(-1); }));
  CHECK(refused([](SliceRecord& r) { r.network.mean_fees = kMaxMoney + Satoshi(1); }));
  CHECK(refused([](SliceRecord& r) { r.slice = Slice(); }));
}
