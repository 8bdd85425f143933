// SPDX-License-Identifier: MIT
// Checking inclusion proofs; believes nothing that can be computed again.
#include "adit/ledger/json_fields.h"
#include "adit/ledger/share_proof.h"
#include "ledger/proof.h"

namespace adit {
namespace {

Error wrong(std::string text) { return {ErrorCode::Invalid, std::move(text)}; }
Error missing(std::string_view field) {
  return wrong("\"" + std::string(field) + "\" is missing, or is not what it should be");
}

std::optional<Digest> digest_field(const JsonFields& fields, std::string_view key) {
  Digest digest{};
  if (!from_hex(fields.string(key).value_or(""), digest)) return std::nullopt;
  return digest;
}

/// "L<hex>,R<hex>,...": siblings from the leaf upwards, each with its side.
std::optional<std::vector<TreeStep>> parse_path(std::string_view text) {
  constexpr std::size_t kStep = 1 + 2 * sizeof(Digest);
  std::vector<TreeStep> path;
  while (!text.empty()) {
    TreeStep step;
    if (path.size() == kMaxTreeSteps || text.size() < kStep) return std::nullopt;
    if ((text[0] != 'L' && text[0] != 'R') || !from_hex(text.substr(1, kStep - 1), step.sibling))
      return std::nullopt;
    step.on_left = text[0] == 'L';
    path.push_back(step);
    text.remove_prefix(kStep);
    if (text.empty()) break;
    if (text[0] != ',' || text.size() == 1) return std::nullopt;
    text.remove_prefix(1);
  }
  return path;
}

class Check {
 public:
  explicit Check(const JsonFields& fields) : fields_(fields) {}

  Status run() {
    if (fields_.u64("adit_share_proof") != 1)
      return wrong("this is no share proof of format 1 (\"adit_share_proof\")");
    const auto address = fields_.string("address");
    if (!address) return missing("address");
    out.address = *address;
    for (const auto step : {&Check::share, &Check::slice, &Check::place, &Check::way})
      if (Status s = (this->*step)(); !s) return s;
    return {};
  }

  CheckedProof out;

 private:
  Status share() {
    const auto bytes = from_hex(fields_.string("record").value_or(""));
    const auto before = digest_field(fields_, "chain_before");
    if (!bytes) return missing("record");
    if (!before) return missing("chain_before");
    const auto record = ShareRecord::decode(*bytes);
    if (!record) return wrong(record.error().text);
    out.share = *record;
    if (fields_.u64("sequence") != out.share.sequence.value())
      return wrong("the record is of share " + std::to_string(out.share.sequence.value()) +
                   ", not of the \"sequence\" beside it");
    if (!proves(out.share.hash, out.share.work))
      return wrong("the share is credited more than its hash proves");
    leaf_ = chain_next(*before, *bytes);
    return {};
  }

  Status slice() {
    const auto bytes = from_hex(fields_.string("header").value_or(""));
    const auto entries_hash = digest_field(fields_, "entries_hash");
    if (!bytes || bytes->size() != SliceRecord::kHeaderSize) return missing("header");
    if (!entries_hash) return missing("entries_hash");
    if (const auto entries = SliceRecord::decode_header(*bytes, out.slice); !entries)
      return wrong(entries.error().text);
    if (fields_.u64("slice") != out.slice.number.value())
      return wrong("the header is of slice " + std::to_string(out.slice.number.value()) +
                   ", not of the \"slice\" beside it");
    out.slice_hash = slice_hash(*bytes, *entries_hash);
    if (digest_field(fields_, "slice_hash") != out.slice_hash)
      return wrong("\"slice_hash\" is not the hash of header and entries: that is " +
                   to_hex(out.slice_hash));
    return {};
  }

  Status place() {
    if (out.share.sequence < out.slice.first || out.share.sequence > out.slice.last)
      return wrong("the slice holds shares " + std::to_string(out.slice.first.value()) + " to " +
                   std::to_string(out.slice.last.value()) + ", not this one");
    out.index = out.share.sequence.value() - out.slice.first.value();
    out.size = out.slice.last.value() - out.slice.first.value() + 1;
    if (out.size - 1 > ~std::uint32_t{0}) return wrong("the slice has more than 2^32 shares");
    if (fields_.u64("index") != out.index) return missing("index");
    if (fields_.u64("size") != out.size) return missing("size");
    const bool is_last = out.index + 1 == out.size;
    if (is_last && out.slice.chain != leaf_)
      return wrong("the slice ends with another chain value than its last share");
    if (is_last && out.slice.block != BlockHash{} &&
        (out.slice.block != out.share.hash || !out.share.is_block))
      return wrong("the slice names a block that its last share did not make");
    return {};
  }

  Status way() {
    const auto text = fields_.string("path");
    const auto path = text ? parse_path(*text) : std::nullopt;
    const auto root = digest_field(fields_, "root");
    if (!path)
      return wrong("\"path\" is not a list of at most 32 hashes, each after L or R for its side");
    if (!root) return missing("root");
    const std::vector<bool> sides = tree_sides(out.index, out.size);
    bool fits = sides.size() == path->size();
    for (std::size_t i = 0; fits && i < sides.size(); ++i) fits = (*path)[i].on_left == sides[i];
    if (!fits)
      return wrong("the path is not that of share " + std::to_string(out.index + 1) + " of " +
                   std::to_string(out.size));
    const Digest reached = tree_root(leaf_, *path);
    if (reached != out.slice.root)
      return wrong("the path leads to root " + to_hex(reached) + ", the slice's is " +
                   to_hex(out.slice.root));
    if (*root != out.slice.root) return wrong("\"root\" is not the one in the slice's header");
    out.steps = path->size();
    return {};
  }

  const JsonFields& fields_;
  Digest leaf_{};
};

}  // namespace

std::string CheckedProof::words() const {
  const auto number = [](auto n) { return std::to_string(n); };
  std::string text = "share " + number(share.sequence.value()) + " of account " +
                     number(share.account.value()) + " (" + address + ", says the pool), worker " +
                     number(share.worker.value()) + ": work " + share.work.decimal() +
                     ", booked at " + number(share.time.value()) + " ms, header hash " +
                     share.hash.hex() + (share.is_block ? ", a block\n" : "\n");
  text += "is number " + number(index + 1) + " of " + number(size) + " in slice " +
          number(slice.number.value()) + " (" + number(steps) + " hashes)\n";
  text += "root       " + to_hex(slice.root) + "\n";
  text += "slice hash " + to_hex(slice_hash) + "\n";
  return text;
}

Result<CheckedProof> check_share_proof(std::string_view text, const std::optional<Digest>& root) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() > kMaxProofBytes) return wrong("longer than a proof can be");
  const auto fields = JsonFields::parse(text);
  if (!fields) return wrong("not one flat JSON object without blanks");
  Check check(*fields);
  if (Status s = check.run(); !s) return s.error();
  if (root && *root != check.out.slice.root)
    return wrong("the proof leads to root " + to_hex(check.out.slice.root) + ", not to " +
                 to_hex(*root));
  return std::move(check.out);
}

}  // namespace adit
