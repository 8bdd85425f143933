// SPDX-License-Identifier: MIT
// Inclusion proofs: every share of the books has one, no changed one holds, none is too long.
#include "adit/ledger/share_proof.h"

#include <random>

#include "adit/ledger/json_fields.h"
#include "fixture.h"

using namespace adit;
using adit::test::Pool;

namespace {

/// Slices of 1 to 30 shares, one with a block, and an open one.
void mine(Pool& pool) {
  for (const std::size_t size : {1u, 2u, 3u, 8u, 30u, 21u, 4u}) {
    auto shares = pool.batch(size);
    if (size == 21) shares.back().is_block = true;
    pool.now = UnixMillis(pool.now.value() + 60'000);
    REQUIRE(pool.append(shares).ok());
  }
}

std::string proof_of(Pool& pool, std::uint64_t sequence) {
  auto proof = make_share_proof(pool.store, Sequence(sequence));
  INFO((proof ? "" : proof.error().text));
  REQUIRE(proof.ok());
  return *proof;
}

ErrorCode refusal(Pool& pool, std::uint64_t sequence) {
  const auto proof = make_share_proof(pool.store, Sequence(sequence));
  REQUIRE_FALSE(proof.ok());
  CHECK_FALSE(proof.error().text.empty());
  return proof.error().code;
}

/// Replaces a field's value, with its quotes if it has them.
std::string with(const std::string& proof, const std::string& field, const std::string& value) {
  const std::size_t at = proof.find("\"" + field + "\":") + field.size() + 3;
  std::size_t end = proof[at] == '"' ? proof.find('"', at + 1) + 1 : proof.find_first_of(",}", at);
  return proof.substr(0, at) + value + proof.substr(end);
}

std::string why(const std::string& proof) {
  const auto checked = check_share_proof(proof, std::nullopt);
  return checked ? "" : checked.error().text;
}

}  // namespace

TEST_CASE("proofs: of every share in a closed slice, and they hold") {
  Pool pool;
  mine(pool);
  const auto shares = adit::test::shares_of(pool.store);
  for (std::uint64_t n = 1; n <= 65; ++n) {
    const auto slice = slice_holding(pool.store, Sequence(n)).value();
    REQUIRE(slice);
    const std::string proof = proof_of(pool, n);
    const auto checked = check_share_proof(proof, slice->root);
    INFO((checked ? "" : checked.error().text));
    REQUIRE(checked.ok());
    CHECK(checked->share == shares[n - 1]);
    CHECK(checked->address == pool.ledger->address_of(shares[n - 1].account));
    CHECK(checked->slice_hash == slice->hash());
    CHECK(checked->steps <= 5);
    CHECK(checked->index == n - slice->first.value());
    CHECK(checked->words().find("share " + std::to_string(n) + " of account") == 0);
    CHECK(checked->words().find(to_hex(slice->root)) != std::string::npos);
    CHECK(check_share_proof(proof + "\n", std::nullopt).ok());
    Digest other = slice->root;
    other[0] ^= 1;
    CHECK_FALSE(check_share_proof(proof, other).ok());
  }
}

TEST_CASE("proofs: what cannot be proved, and why") {
  Pool pool;
  CHECK(refusal(pool, 0) == ErrorCode::NotFound);
  CHECK(refusal(pool, 1) == ErrorCode::NotFound);
  mine(pool);
  CHECK(refusal(pool, 66) == ErrorCode::Unavailable);
  CHECK(refusal(pool, 69) == ErrorCode::Unavailable);
  CHECK(refusal(pool, 70) == ErrorCode::NotFound);
  CHECK(refusal(pool, ~0ull) == ErrorCode::NotFound);
  pool.store.rows(Family::Meta)["slices_from"] = "2";
  pool.store.rows(Family::Slices).erase(key_u64(1));
  CHECK(refusal(pool, 1) == ErrorCode::NotFound);
  pool.store.rows(Family::Meta)["slices_from"] = "1";
  CHECK(refusal(pool, 1) == ErrorCode::NotFound);
  auto& runs = pool.store.rows(Family::Shares);
  runs.erase(runs.begin(), runs.find(key_u64(7)));
  CHECK(refusal(pool, 3) == ErrorCode::NotFound);  // its slice is there, its shares are not
  CHECK(make_share_proof(pool.store, Sequence(7)).ok());
  SliceRecord broken = *read_slice(pool.store, SliceNumber(5)).value();
  broken.root[0] ^= 1;
  const ByteVec bytes = broken.encode();
  pool.store.rows(Family::Slices)[key_u64(5)] = std::string(text_of(bytes));
  CHECK(refusal(pool, 20) == ErrorCode::Corrupt);
  pool.store.rows(Family::Accounts).clear();
  CHECK(refusal(pool, 7) == ErrorCode::Corrupt);
  for (int n = 1; n < 12; ++n) {
    pool.store.fail_read_at = pool.store.reads + n;
    CHECK_FALSE(make_share_proof(pool.store, Sequence(7)).ok());
  }
}

TEST_CASE("proofs: each thing that may be wrong has its words") {
  Pool pool;
  mine(pool);
  const std::string good = proof_of(pool, 20);  // of the slice of 30
  CHECK(why(good).empty());
  const auto path = std::string(JsonFields::parse(good)->string("path").value());
  CHECK(why(with(good, "adit_share_proof", "2")).find("format 1") != std::string::npos);
  CHECK(why(with(good, "sequence", "21")).find("of share 20") != std::string::npos);
  CHECK(why(with(good, "address", "7")).find("\"address\"") != std::string::npos);
  CHECK(why(with(good, "record", "\"00\"")).find("share record of 1 bytes") != std::string::npos);
  CHECK(why(with(good, "chain_before", "\"" + std::string(64, '0') + "\"")).find("leads to root") !=
        std::string::npos);
  CHECK(why(with(good, "slice", "4")).find("of slice 5") != std::string::npos);
  CHECK(why(with(good, "index", "4")).find("\"index\"") != std::string::npos);
  CHECK(why(with(good, "size", "31")).find("\"size\"") != std::string::npos);
  CHECK(why(with(good, "entries_hash", "\"" + std::string(64, '0') + "\"")).find("slice_hash") !=
        std::string::npos);
  CHECK(why(with(good, "root", "\"" + std::string(64, '0') + "\"")).find("\"root\"") == 0);
  CHECK(why(with(good, "path", "\"\"")).find("not that of share 6 of 30") != std::string::npos);
  CHECK(why(with(good, "path", "\"" + path.substr(66) + "\"")).find("not that of") !=
        std::string::npos);
  for (const std::string& bad : {path + ",", path.substr(1), path + "," + path.substr(0, 30),
                                 "X" + path.substr(1), path + " ", path + path})
    CHECK(why(with(good, "path", "\"" + bad + "\"")).find("list of at most 32") !=
          std::string::npos);
  std::string longest = path.substr(0, 65);
  for (int i = 1; i < 33; ++i) longest += "," + path.substr(0, 65);
  CHECK(why(with(good, "path", "\"" + longest + "\"")).find("at most 32") != std::string::npos);
  // Work that the hash does not prove.
  ShareRecord share = check_share_proof(good, std::nullopt)->share;
  share.work = Work(Work::proved_by(share.hash).value() + 1);
  std::array<std::uint8_t, ShareRecord::kSize> record;
  share.encode(record.data());
  CHECK(why(with(good, "record", "\"" + to_hex(record) + "\"")).find("more than its hash") !=
        std::string::npos);
  // Another slice's header.
  const auto other = read_slice(pool.store, SliceNumber(4)).value();
  std::string foreign = with(good, "header", "\"" + to_hex(other->header()) + "\"");
  foreign = with(foreign, "slice", "4");
  foreign = with(foreign, "entries_hash", "\"" + to_hex(sha256(other->slice.packed())) + "\"");
  foreign = with(foreign, "slice_hash", "\"" + to_hex(other->hash()) + "\"");
  CHECK(why(foreign).find("the slice holds shares 7 to 14") != std::string::npos);
  for (const std::string& bad : {std::string(), std::string("{}"), std::string("[]"),
                                 std::string(20'000, ' '), good + "\n\n", good + good})
    CHECK_FALSE(why(bad).empty());
}

TEST_CASE("proofs: no changed, cut or stretched byte is taken") {
  Pool pool;
  mine(pool);
  std::mt19937 chance(5);
  for (const std::uint64_t n : {1u, 7u, 44u, 65u}) {
    const std::string good = proof_of(pool, n);
    const std::size_t from = good.find("\"address\""), to = good.find("\"record\"");
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (int round = 0; round < 4; ++round) {
        std::string bad = good;
        bad[i] = static_cast<char>(round < 2 ? "0123456789abcdefLR,\"}{"[chance() % 22] : chance());
        if (bad[i] == good[i]) continue;
        // Hex digits of either case are the same number; the address is bound by nothing.
        const bool same = std::tolower(static_cast<unsigned char>(bad[i])) == good[i];
        if (i > from && i < to) continue;
        const bool held = check_share_proof(bad, std::nullopt).ok();
        if (held && !same) FAIL_CHECK("share " << n << " byte " << i << ": " << bad);
      }
      CHECK_FALSE(check_share_proof(good.substr(0, i), std::nullopt).ok());
    }
  }
}

TEST_CASE("proofs: of a large slice stay short") {
  Pool pool;
  for (int i = 0; i < 25; ++i) REQUIRE(pool.append(pool.batch(4000)).ok());
  REQUIRE(pool.ledger->close_due_slice(UnixMillis(pool.now.value() + 60'000)).ok());
  for (const std::uint64_t n : {1u, 4096u, 4097u, 99'999u, 100'000u}) {
    const std::string proof = proof_of(pool, n);
    CHECK(proof.size() < 2'500);
    const auto checked = check_share_proof(proof, std::nullopt);
    REQUIRE(checked.ok());
    CHECK(checked->steps <= 17);
    CHECK(checked->size == 100'000);
  }
}
