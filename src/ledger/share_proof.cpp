// SPDX-License-Identifier: MIT
// Making inclusion proofs from the books.
#include "adit/ledger/share_proof.h"

#include "adit/base/json.h"
#include "ledger/books.h"
#include "ledger/slice_reader.h"

namespace adit {
namespace {

/// A share with what leads from it to the root.
struct Placed {
  ShareRecord share;
  Digest before{};
  std::vector<TreeStep> path;
};

Error not_found(Sequence sequence, std::string_view why) {
  return {ErrorCode::NotFound,
          "share " + std::to_string(sequence.value()) + " " + std::string(why)};
}

Result<SliceRecord> closed_slice_of(LedgerStore& store, Sequence sequence) {
  const auto end = chain_end(store);
  if (!end) return end.error();
  if (sequence.value() == 0 || sequence > end->sequence)
    return not_found(sequence,
                     "does not exist; the last one is " + std::to_string(end->sequence.value()));
  auto slice = slice_holding(store, sequence);
  if (!slice) return slice.error();
  if (*slice) return **std::move(slice);
  const auto newest = newest_slice(store);
  if (!newest) return newest.error();
  const auto from = read_slices_from(store);
  if (!from) return from.error();
  if (!*from || sequence < **from)
    return not_found(sequence, "is of a time before there were slices");
  if (!*newest || sequence > (*newest)->last)
    return Error{ErrorCode::Unavailable,
                 "share " + std::to_string(sequence.value()) +
                     " is in the slice that is still open; it closes a minute after its first "
                     "share, or with a block"};
  return not_found(sequence, "is in a slice that has expired");
}

Result<Placed> place(LedgerStore& store, const SliceRecord& slice, Sequence sequence) {
  const std::uint64_t size = slice.last.value() - slice.first.value() + 1;
  if (size - 1 > ~std::uint32_t{0})
    return Error{ErrorCode::Limit, "the slice has more than 2^32 shares"};
  const auto start = chain_at(store, slice.first);
  if (!start) return start.error();
  if (!*start) return not_found(sequence, "is in a slice whose shares have expired");
  Placed placed;
  std::vector<Digest> leaves;
  Digest before{};
  const auto visit = [&](const ShareRecord& share, const Digest& chain) {
    if (share.sequence == sequence) {
      placed.share = share;
      placed.before = leaves.empty() ? before : leaves.back();
    }
    leaves.push_back(chain);
    return share.sequence < slice.last;
  };
  if (Status s = for_each_link(store, slice.first, before, visit); !s) return s.error();
  ShareTree tree;
  for (const Digest& leaf : leaves) tree.add(leaf);
  if (leaves.size() != size || tree.root() != slice.root)
    return Error{ErrorCode::Corrupt, "slice " + std::to_string(slice.number.value()) +
                                         " has another root than its shares: run \"adit ledger "
                                         "verify\""};
  placed.path = tree_path(leaves, sequence.value() - slice.first.value());
  return placed;
}

Result<std::string> address_of(LedgerStore& store, AccountId account) {
  const auto row = store.get(Family::Accounts, key_u32(account.value()));
  if (!row) return row.error();
  const auto entry = *row ? account_from_json(account.value(), **row)
                          : Error{ErrorCode::Corrupt, "there is no such account"};
  if (!entry)
    return Error{ErrorCode::Corrupt,
                 "account " + std::to_string(account.value()) + ": " + entry.error().text};
  return entry->address;
}

}  // namespace

Result<std::string> make_share_proof(LedgerStore& store, Sequence sequence) {
  const auto slice = closed_slice_of(store, sequence);
  if (!slice) return slice.error();
  const auto placed = place(store, *slice, sequence);
  if (!placed) return placed.error();
  const auto address = address_of(store, placed->share.account);
  if (!address) return address.error();
  std::string path;
  for (const TreeStep& step : placed->path) {
    if (!path.empty()) path += ',';
    path += step.on_left ? 'L' : 'R';
    append_hex(path, step.sibling);
  }
  std::array<std::uint8_t, ShareRecord::kSize> record;
  placed->share.encode(record.data());
  JsonWriter w;
  w.begin_object().key("adit_share_proof").number(1);
  w.key("sequence").number_u64(sequence.value()).key("address").string(*address);
  w.key("record").string(to_hex(record)).key("chain_before").string(to_hex(placed->before));
  w.key("slice").number_u64(slice->number.value());
  w.key("index").number_u64(sequence.value() - slice->first.value());
  w.key("size").number_u64(slice->last.value() - slice->first.value() + 1);
  w.key("path").string(path).key("root").string(to_hex(slice->root));
  w.key("header").string(to_hex(slice->header()));
  w.key("entries_hash").string(to_hex(sha256(slice->slice.packed())));
  w.key("slice_hash").string(to_hex(slice->hash())).end_object();
  return w.take();
}

}  // namespace adit
