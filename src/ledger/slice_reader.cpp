// SPDX-License-Identifier: MIT
// Reading slices, and the shares they hold, without owning the books.
#include "ledger/slice_reader.h"
#include "adit/ledger/reader.h"
#include "ledger/share_run.h"

namespace adit {
namespace {

Error row_error(Family family, std::string_view key, const std::string& text) {
  return {ErrorCode::Corrupt,
          std::string(family_name(family)) + " " + to_hex(bytes_of(key)) + ": " + text};
}

Result<SliceRecord> slice_of(std::string_view key, std::string_view value) {
  auto slice = SliceRecord::decode(bytes_of(value));
  if (!slice) return row_error(Family::Slices, key, slice.error().text);
  if (u64_of_key(key) != slice->number.value())
    return row_error(Family::Slices, key, "stands under another slice's key");
  return slice;
}

using Scan = std::function<Status(
    const std::function<bool(std::string_view key, std::string_view value)>& visit)>;

Result<std::optional<SliceRecord>> first_of(const Scan& scan) {
  std::optional<SliceRecord> found;
  Status verdict;
  const Status scanned = scan([&](std::string_view key, std::string_view value) {
    auto slice = slice_of(key, value);
    if (slice)
      found = *std::move(slice);
    else
      verdict = slice.error();
    return false;
  });
  if (!scanned) return scanned.error();
  if (!verdict) return verdict.error();
  return found;
}

/// The key of the run that holds `sequence`, or of the first one after it.
Result<std::string> run_key_for(LedgerStore& store, std::uint64_t sequence) {
  const std::uint64_t from =
      sequence > ShareRun::kMaxRecords ? sequence - ShareRun::kMaxRecords : 0;
  std::string best = key_u64(sequence);
  const Status s =
      store.scan(Family::Shares, key_u64(from), [&](std::string_view key, std::string_view) {
        if (key > key_u64(sequence)) return false;
        best = key;
        return true;
      });
  if (!s) return s.error();
  return best;
}

}  // namespace

Status for_each_slice(LedgerStore& store, SliceNumber first,
                      const std::function<bool(const SliceRecord&)>& visit) {
  std::optional<SliceNumber> last;
  Digest previous{};
  Status verdict;
  const Status scanned = store.scan(
      Family::Slices, key_u64(first.value()), [&](std::string_view key, std::string_view value) {
        const auto slice = slice_of(key, value);
        if (!slice)
          verdict = slice.error();
        else if (last && slice->number.value() != last->value() + 1)
          verdict = row_error(Family::Slices, key, "slices before this one are missing");
        else if ((last || slice->number == SliceNumber(1)) && slice->previous != previous)
          verdict = row_error(Family::Slices, key, "does not continue the chain of slices");
        if (!verdict) return false;
        last = slice->number;
        previous = slice->hash();
        return visit(*slice);
      });
  return scanned ? verdict : scanned;
}

Result<std::optional<SliceRecord>> read_slice(LedgerStore& store, SliceNumber number) {
  const std::string key = key_u64(number.value());
  const auto value = store.get(Family::Slices, key);
  if (!value) return value.error();
  if (!*value) return std::optional<SliceRecord>();
  auto slice = slice_of(key, **value);
  if (!slice) return slice.error();
  return std::optional<SliceRecord>(*std::move(slice));
}

Result<std::optional<SliceRecord>> newest_slice(LedgerStore& store) {
  return first_of([&](const auto& visit) { return store.scan_back(Family::Slices, visit); });
}

Result<std::optional<SliceRecord>> oldest_slice(LedgerStore& store) {
  return first_of([&](const auto& visit) { return store.scan(Family::Slices, "", visit); });
}

Result<std::optional<SliceRecord>> slice_holding(LedgerStore& store, Sequence sequence) {
  const auto oldest = oldest_slice(store);
  if (!oldest) return oldest.error();
  auto newest = newest_slice(store);
  if (!newest) return newest.error();
  if (!*oldest || sequence < (*oldest)->first || sequence > (*newest)->last)
    return std::optional<SliceRecord>();
  std::uint64_t low = (*oldest)->number.value(), high = (*newest)->number.value();
  while (low <= high) {
    const std::uint64_t middle = low + (high - low) / 2;
    auto slice = read_slice(store, SliceNumber(middle));
    if (!slice) return slice.error();
    if (!*slice)
      return Error{ErrorCode::Corrupt, "slice " + std::to_string(middle) + " is missing"};
    if (sequence < (*slice)->first)
      high = middle - 1;
    else if (sequence > (*slice)->last)
      low = middle + 1;
    else
      return slice;
  }
  return Error{ErrorCode::Corrupt,
               "no slice holds share " + std::to_string(sequence.value()) + " between others"};
}

Result<std::optional<Sequence>> read_slices_from(LedgerStore& store) {
  const auto text = store.get(Family::Meta, "slices_from");
  if (!text) return text.error();
  if (!*text) return std::optional<Sequence>();
  const auto number = Work::from_decimal(**text);
  if (!number || number->value() == 0 || number->value() >> 64 != 0)
    return Error{ErrorCode::Corrupt, "meta slices_from: not a sequence: " + **text};
  return std::optional<Sequence>(Sequence(static_cast<std::uint64_t>(number->value())));
}

Status for_each_link(LedgerStore& store, Sequence first, Digest& before,
                     const std::function<bool(const ShareRecord&, const Digest& chain)>& visit) {
  before = Digest{};
  // The run before tells the chain value even where no share follows.
  const auto start = run_key_for(store, first.value() > 1 ? first.value() - 1 : 1);
  if (!start) return start.error();
  Status verdict;
  std::optional<std::uint64_t> next;
  const auto visit_run = [&](std::string_view key, std::string_view value) {
    const auto run = ShareRun::parse(value);
    const auto at = u64_of_key(key);
    if (!run || !at || (next && *at != *next) || (!next && *at > first.value())) {
      verdict = row_error(Family::Shares, key,
                          !run ? run.error().text : "shares before this run are missing");
      return false;
    }
    next = *at + run->count;
    Digest chain = run->before;
    for (std::uint32_t i = 0; i < run->count; ++i) {
      if (*at + i <= first.value()) before = chain;
      chain = chain_next(chain, run->record(i));
      if (*at + i < first.value()) continue;
      const auto share = ShareRecord::decode(run->record(i));
      if (!share || share->sequence.value() != *at + i) {
        verdict = row_error(Family::Shares, key,
                            share ? "a record of another sequence" : share.error().text);
        return false;
      }
      if (!visit(*share, chain)) return false;
    }
    if (*next <= first.value()) before = chain;
    return true;
  };
  const Status scanned = store.scan(Family::Shares, *start, visit_run);
  return scanned ? verdict : scanned;
}

}  // namespace adit
