// SPDX-License-Identifier: MIT
// Bytes of a share record, the chain, proof without division, JSON of blocks, flat JSON, keys.
#include "adit/ledger/records.h"

#include <doctest/doctest.h>

#include "adit/ledger/json_fields.h"
#include "ledger/proof.h"
#include "ledger/share_run.h"
#include "support/ledger_samples.h"

using namespace adit;
using adit::test::ShareMaker;

namespace {

ShareRecord sample() {
  ShareRecord r;
  r.sequence = Sequence(0x1122334455667788);
  r.time = UnixMillis(1'700'000'000'123);
  r.account = AccountId(7);
  r.worker = LedgerWorkerId(9);
  r.height = 840'000;
  r.is_block = true;
  for (std::uint8_t i = 0; i < 32; ++i)
    r.hash.bytes[i] = i, r.tip.bytes[i] = static_cast<std::uint8_t>(100 + i);
  r.work = Work((Uint128{5} << 64) | 6);
  return r;
}

}  // namespace

TEST_CASE("share record: bytes stand where the contract says") {
  std::array<std::uint8_t, ShareRecord::kSize> b{};
  const ShareRecord r = sample();
  r.encode(b.data());
  CHECK(to_hex(Bytes(b).first(32)) ==
        "0101000040d10c0088776655443322117b68e5cf8b0100000700000009000000");
  CHECK(b[32] == 0);
  CHECK(b[63] == 31);
  CHECK(b[64] == 100);
  CHECK(load_le<std::uint64_t>(b.data() + 96) == 6);
  CHECK(load_le<std::uint64_t>(b.data() + 104) == 5);
  const auto back = ShareRecord::decode(b);
  REQUIRE(back.ok());
  CHECK(*back == r);
}

TEST_CASE("share record: unknown version, flags, reserved bytes and sizes are corrupt") {
  std::array<std::uint8_t, ShareRecord::kSize + 1> b{};
  sample().encode(b.data());
  const Bytes whole = Bytes(b).first(ShareRecord::kSize);
  CHECK(ShareRecord::decode(Bytes(b)).error().code == ErrorCode::Corrupt);
  CHECK_FALSE(ShareRecord::decode(whole.first(111)).ok());
  CHECK_FALSE(ShareRecord::decode({}).ok());
  for (const std::size_t at : {0u, 1u, 2u, 3u}) {
    b[at] ^= 2;
    CHECK_FALSE(ShareRecord::decode(whole).ok());
    b[at] ^= 2;
  }
  CHECK(ShareRecord::decode(whole).ok());
}

TEST_CASE("chain: SHA-256 of the value before and the record") {
  ByteVec text(32, 0);
  std::array<std::uint8_t, ShareRecord::kSize> b{};
  sample().encode(b.data());
  append(text, b);
  const Digest one = chain_next(Digest{}, b);
  CHECK(one == sha256(text));
  CHECK(chain_next(one, b) != one);
  CHECK(chain_next(Digest{}, Bytes(b).first(5)) == sha256(Bytes(text).first(37)));
}

TEST_CASE("proof: agrees with division on edges and on random numbers") {
  ShareMaker maker(5);
  const auto check = [](const U256& h, Uint128 w) {
    BlockHash hash;
    hash.bytes = h.to_le();
    const bool expected = w >= 1 && Work::proved_by(hash) >= Work(w);
    CHECK(proves(hash, Work(w)) == expected);
  };
  const Uint128 most = ~Uint128{0};
  for (const U256& h :
       {U256(), U256::from(1), U256::from(2), U256::max(), U256::max() >> 1, U256::max() >> 127,
        U256::max() >> 128, U256::max() >> 129, U256::from(1) << 128, U256::from(1) << 255})
    for (const Uint128 w :
         {Uint128{0}, Uint128{1}, Uint128{2}, Uint128{3}, most >> 1, most - 1, most})
      check(h, w);
  for (int i = 0; i < 20'000; ++i) {
    U256 h{{maker.number(), maker.number(), maker.number(), maker.number()}};
    h = h >> static_cast<unsigned>(maker.below(256));
    BlockHash hash;
    hash.bytes = h.to_le();
    const Uint128 exact = Work::proved_by(hash).value();
    check(h, exact);
    if (exact < most) check(h, exact + 1);
    check(h, (Uint128{maker.number()} << 64 | maker.number()) >> maker.below(128));
  }
}

TEST_CASE("block states: exactly these arrows") {
  using enum BlockState;
  constexpr BlockState all[] = {Found, Submitted, Side, Accepted, Refused, Orphaned, Mature};
  const std::pair<BlockState, BlockState> arrows[] = {
      {Found, Submitted},    {Found, Side},        {Found, Accepted},     {Found, Refused},
      {Found, Orphaned},     {Submitted, Side},    {Submitted, Accepted}, {Submitted, Refused},
      {Submitted, Orphaned}, {Side, Accepted},     {Side, Refused},       {Side, Orphaned},
      {Accepted, Side},      {Accepted, Refused},  {Accepted, Orphaned},  {Accepted, Mature},
      {Refused, Accepted},   {Orphaned, Accepted}, {Mature, Orphaned}};
  for (const BlockState from : all)
    for (const BlockState to : all) {
      const bool arrow =
          std::find(std::begin(arrows), std::end(arrows), std::pair(from, to)) != std::end(arrows);
      INFO(block_state_name(from), " -> ", block_state_name(to));
      CHECK(block_may_move(from, to) == arrow);
    }
  for (const BlockState s : all) CHECK(block_state_from(block_state_name(s)) == s);
  CHECK_FALSE(block_state_from("Found"));
  CHECK_FALSE(block_state_from(""));
}

TEST_CASE("block record: JSON there and back, with names from strangers") {
  BlockRecord b;
  b.hash = ShareMaker::tip(5), b.prev = ShareMaker::tip(4);
  b.height = 5, b.found = UnixMillis(-1), b.value = Satoshi(312'500'000);
  b.account = "bc1q\"\\\n", b.worker = "\x01\u00e9\U0001F600";
  b.after = Sequence(~0ull), b.state = BlockState::Side;
  b.detail = "inconclusive", b.confirmations = 3;
  b.plan_slice = 5, b.plan_entry = ~0ull, b.plan_weight = 600, b.terms = "any";
  b.pool_script = {0x00, 0xff};
  const auto back = BlockRecord::from_json(b.json());
  REQUIRE(back.ok());
  CHECK(*back == b);
  CHECK_FALSE(BlockRecord::from_json("{}").ok());
  CHECK_FALSE(BlockRecord::from_json("").ok());
  std::string other = b.json();
  other.replace(other.find("\"side\""), 6, "\"gone\"");
  CHECK(BlockRecord::from_json(other).error().text.find("state") != std::string::npos);
}

TEST_CASE("flat JSON: strict") {
  const auto f = JsonFields::parse(
      R"({"a":"x\u00e9\ud83d\ude00\n","n":18446744073709551615,"i":-5,"t":true})");
  REQUIRE(f);
  CHECK(f->string("a") == "x\u00e9\U0001F600\n");
  CHECK(f->u64("n") == ~0ull);
  CHECK(f->i64("i") == -5);
  CHECK_FALSE(f->u64("i"));
  CHECK_FALSE(f->u32("n"));
  CHECK_FALSE(f->string("n"));
  CHECK_FALSE(f->u64("a"));
  CHECK_FALSE(f->u64("t"));
  CHECK_FALSE(f->u64("missing"));
  CHECK(JsonFields::parse("{}"));
  for (const char* bad : {"",
                          "{",
                          "{}x",
                          "{ }",
                          "[]",
                          R"({"a":1,})",
                          R"({"a":1,"a":2})",
                          R"({"a":{}})",
                          R"({"a":[1]})",
                          R"({"a":1.5})",
                          R"({"a":01})",
                          R"({"a":-})",
                          R"({"a":})",
                          R"({"a":"\x"})",
                          R"({"a":"\ud800"})",
                          R"({"a":"\ude00"})",
                          R"({"a":"\u12"})",
                          R"({"a":"x)",
                          R"({"a" :1})",
                          R"({a:1})",
                          "{\"a\":\"\n\"}",
                          R"({"a":nul})",
                          R"({"a":null})",
                          R"({"a":tru})"})
    CHECK_MESSAGE(!JsonFields::parse(bad), bad);
}

TEST_CASE("seal: any change of any byte breaks it") {
  const std::string sealed = seal_json(R"({"address":"bc1qxyz","shares":12})");
  REQUIRE(open_sealed_json(sealed));
  CHECK(open_sealed_json(sealed)->u64("shares") == 12);
  for (std::size_t i = 0; i < sealed.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = sealed;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      CHECK_FALSE(open_sealed_json(flipped));
    }
  for (std::size_t cut = 0; cut < sealed.size(); ++cut)
    CHECK_FALSE(open_sealed_json(std::string_view(sealed).substr(0, cut)));
}

TEST_CASE("keys: sort as numbers do") {
  CHECK(key_u64(1) < key_u64(256));
  CHECK(key_u64(0xFFFFFFFF) < key_u64(0x100000000));
  CHECK(u64_of_key(key_u64(77)) == 77);
  CHECK(u32_of_key(key_u32(77)) == 77);
  CHECK_FALSE(u64_of_key("1234567"));
  CHECK_FALSE(u32_of_key("12345"));
  for (std::size_t i = 0; i < kFamilies; ++i)
    CHECK_FALSE(family_name(static_cast<Family>(i)).empty());
}

TEST_CASE("share runs: split at the maximum, parse strictly") {
  LedgerBatch batch;
  ShareRunWriter writer(batch, Sequence(10), Digest{});
  writer.expect(ShareRun::kMaxRecords + 3);
  ShareMaker maker;
  for (std::uint32_t i = 0; i < ShareRun::kMaxRecords + 3; ++i) {
    ShareRecord r = sample();
    r.height = i;
    writer.add(r);
    CHECK(r.sequence.value() == 11 + i);
  }
  writer.close();
  writer.close();
  REQUIRE(batch.puts.size() == 2);
  CHECK(u64_of_key(batch.puts[0].key) == 11);
  CHECK(u64_of_key(batch.puts[1].key) == 11 + ShareRun::kMaxRecords);
  const auto a = ShareRun::parse(batch.puts[0].value), b = ShareRun::parse(batch.puts[1].value);
  REQUIRE((a.ok() && b.ok()));
  CHECK(a->count == ShareRun::kMaxRecords);
  CHECK(b->count == 3);
  CHECK(a->before == Digest{});
  CHECK(a->after == b->before);
  CHECK(b->after == writer.head());
  std::string value = batch.puts[1].value;
  CHECK_FALSE(ShareRun::parse(value + "x").ok());
  CHECK_FALSE(ShareRun::parse(std::string_view(value).substr(1)).ok());
  CHECK_FALSE(ShareRun::parse("").ok());
  for (const std::size_t at : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u}) {
    std::string flipped = value;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
    CHECK_FALSE(ShareRun::parse(flipped).ok());
  }
}

TEST_CASE("share runs: records come back whole, whatever they have in common") {
  std::vector<ShareRecord> written;
  for (int i = 0; i < 200; ++i) {
    ShareRecord r = written.empty() ? sample() : written.back();
    r.hash.bytes[5] = static_cast<std::uint8_t>(i);
    r.is_block = i % 7 == 3;
    if (i % 2 == 1) r.worker = LedgerWorkerId(r.worker.value() + 1);
    if (i % 3 == 1) r.work = Work(r.work.value() * 3 + 1);
    if (i % 5 == 1) r.time = UnixMillis(r.time.value() + 4);
    if (i % 11 == 1) r.tip.bytes[1] = static_cast<std::uint8_t>(i);
    if (i % 13 == 1) r.height += 1;
    if (i % 17 == 1) r.account = AccountId(r.account.value() + 1);
    written.push_back(r);
  }
  LedgerBatch batch;
  ShareRunWriter writer(batch, Sequence(41), Digest{});
  writer.expect(written.size());
  for (ShareRecord& r : written) writer.add(r);
  writer.close();
  REQUIRE(batch.puts.size() == 1);
  const auto run = ShareRun::parse(batch.puts[0].value);
  REQUIRE(run.ok());
  const ShareRun copy = *run;  // must not look into the first one's records
  Digest chain{};
  for (std::uint32_t i = 0; i < copy.count; ++i) {
    CHECK(*ShareRecord::decode(copy.record(i)) == written[i]);
    CHECK(copy.hash(i) == written[i].hash);
    chain = chain_next(chain, copy.record(i));
  }
  CHECK(written.back().sequence == Sequence(241));
  CHECK(chain == copy.after);
}

TEST_CASE("share runs: what is no run of entries is refused") {
  LedgerBatch batch;
  ShareRunWriter writer(batch, Sequence(0), Digest{});
  for (int i = 0; i < 3; ++i) {
    ShareRecord r = sample();
    writer.add(r);
  }
  writer.close();
  const std::string value = batch.puts[0].value;
  REQUIRE(ShareRun::parse(value).ok());
  // A bit of the first entry's flags that nobody knows, and each that must be there.
  for (const int bit : {1, 2, 3, 4, 5, 6, 7}) {
    std::string bad = value;
    bad[ShareRun::kEntriesAt] = static_cast<char>(bad[ShareRun::kEntriesAt] ^ (1 << bit));
    CHECK_FALSE(ShareRun::parse(bad).ok());
  }
  // A later entry that claims more than there is, and every cut.
  std::string bad = value;
  bad[bad.size() - 32 - ShareEntry::kLeast] |= ShareEntry::kWork;
  CHECK_FALSE(ShareRun::parse(bad).ok());
  for (std::size_t size = 0; size < value.size(); ++size)
    CHECK_FALSE(ShareRun::parse(std::string_view(value).substr(0, size)).ok());
}

TEST_CASE("share runs: a share of a busy pool takes 41 bytes") {
  LedgerBatch batch;
  ShareRunWriter writer(batch, Sequence(0), Digest{});
  constexpr std::size_t kShares = 1000;
  writer.expect(kShares);
  for (std::size_t i = 0; i < kShares; ++i) {
    ShareRecord r = sample();
    r.worker = LedgerWorkerId(static_cast<std::uint32_t>(i % 2 + 1));
    writer.add(r);
  }
  writer.close();
  CHECK(batch.puts[0].value.size() <= ShareRun::kOverhead + ShareEntry::kMost + kShares * 41);
}

TEST_CASE("share runs: version 1, of whole records, is still read") {
  ShareRecord r = sample();
  std::string value(40, '\0');
  value[0] = 1;
  value[4] = 2;
  Digest chain{};
  for (int i = 0; i < 2; ++i) {
    r.sequence = Sequence(static_cast<std::uint64_t>(i) + 7);
    std::array<std::uint8_t, ShareRecord::kSize> bytes{};
    r.encode(bytes.data());
    chain = chain_next(chain, bytes);
    value += text_of(bytes);
  }
  value += text_of(chain);
  const auto run = ShareRun::parse(value);
  REQUIRE(run.ok());
  CHECK(run->count == 2);
  CHECK(ShareRecord::decode(run->record(1))->sequence == Sequence(8));
  CHECK(run->after == chain);
  CHECK_FALSE(ShareRun::parse(value + "x").ok());
  CHECK_FALSE(ShareRun::parse(std::string_view(value).substr(0, value.size() - 1)).ok());
}
