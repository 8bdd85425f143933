// SPDX-License-Identifier: MIT
// What lies in the books and beside them, after a disk or a hand changed it: read whole, or
// refused. What is accepted goes back to the same bytes where a record has one form only.
#include "adit/ledger/ledger.h"
#include "adit/ledger/json_fields.h"
#include "adit/ledger/share_proof.h"
#include "adit/ledger/slice.h"
#include "fuzz.h"
#include "ledger/books.h"
#include "ledger/share_run.h"

namespace adit::fuzz {
namespace {

void share_run(std::string_view value) {
  const auto run = ShareRun::parse(value);
  if (!run.ok()) return;
  ADIT_CHECK(run->count > 0 && run->count <= ShareRun::kMaxRecords);
  for (std::uint32_t i = 0; i < run->count; ++i) {
    const auto share = ShareRecord::decode(run->record(i));
    if (!share.ok()) continue;
    std::array<std::uint8_t, ShareRecord::kSize> again{};
    share->encode(again.data());
    ADIT_CHECK(std::equal(again.begin(), again.end(), run->record(i).begin()));
    ADIT_CHECK(run->hash(i) == share->hash);
  }
}

void slice(Bytes bytes) {
  const auto record = SliceRecord::decode(bytes);
  if (!record.ok()) return;
  const ByteVec again = record->encode();
  ADIT_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

void texts(std::string_view text) {
  if (const auto block = BlockRecord::from_json(text); block.ok()) {
    // Bytes that are no UTF-8 are written as U+FFFD; after that it stays as it is.
    const auto again = BlockRecord::from_json(block->json());
    ADIT_CHECK(again.ok() && again->json() == block->json());
  }
  if (const auto mark = HighWater::parse(text)) ADIT_CHECK(HighWater::parse(mark->text()) == mark);
  if (const auto mark = SliceMark::parse(text)) ADIT_CHECK(SliceMark::parse(mark->text()) == mark);
  (void)account_from_json(1, text);
  (void)worker_from_json(1, text);
  (void)open_sealed_json(text);
  const auto proof = check_share_proof(text, std::nullopt);
  if (proof.ok()) ADIT_CHECK(!proof->words().empty());
}

}  // namespace

void one(Bytes input) {
  Cursor cursor(input);
  const std::uint8_t kind = cursor.byte() % 3;
  const Bytes rest = cursor.rest();
  if (kind == 0) share_run(text_of(rest));
  if (kind == 1) slice(rest);
  if (kind == 2) texts(text_of(rest));
}

std::vector<std::string> seeds() {
  LedgerBatch batch;
  ShareRunWriter writer(batch, Sequence(0), Digest{});
  for (std::uint32_t i = 0; i < 4; ++i) {
    ShareRecord r;
    r.time = UnixMillis(1'700'000'000'000 + i / 2);
    r.account = AccountId(1);
    r.worker = LedgerWorkerId(1 + i % 2);
    r.height = 100;
    r.work = Work(16);
    r.hash.bytes[0] = static_cast<std::uint8_t>(i);
    writer.add(r);
  }
  writer.close();
  SliceRecord slice;
  slice.number = SliceNumber(1);
  slice.first = Sequence(1);
  slice.last = Sequence(4);
  slice.network.work = 1000;
  slice.slice = Slice({{AccountId(1), 5}, {AccountId(300), 7}});
  BlockRecord block;
  block.height = 7;
  block.account = "a";
  block.worker = "b";
  return {'\0' + batch.puts[0].value, '\1' + std::string(text_of(slice.encode())),
          '\2' + block.json(),
          "\2"
          "12 " +
              std::string(64, 'a'),
          '\2' + seal_json(R"({"name":"x","shares":1})")};
}

}  // namespace adit::fuzz
