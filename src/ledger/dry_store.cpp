// SPDX-License-Identifier: MIT
#include "adit/ledger/dry_store.h"

namespace adit {
namespace {

using Visit = std::function<bool(std::string_view key, std::string_view value)>;

/// The rows of `under` (which calls back for each) with those from `at` on laid over them.
/// `before`: in the order of the scan.
template <class At, class Before, class Under>
Status merged(At at, At end, Before before, const Visit& visit, Under under) {
  bool more = true;
  const auto show = [&](const auto& row) { more = !row.second || visit(row.first, *row.second); };
  const Status s = under([&](std::string_view key, std::string_view value) {
    for (; more && at != end && before(at->first, key); ++at) show(*at);
    if (!more) return false;
    if (at != end && at->first == key)
      show(*at++);
    else
      more = visit(key, value);
    return more;
  });
  if (!s) return s;
  for (; more && at != end; ++at) show(*at);
  return {};
}

}  // namespace

Status DryStore::commit(const LedgerBatch& batch, bool) {
  for (const LedgerBatch::Range& range : batch.deletes) {
    std::vector<std::string> gone;
    const Status s = scan(range.family, range.first, [&](std::string_view key, std::string_view) {
      if (key < range.last) gone.emplace_back(key);
      return key < range.last;
    });
    if (!s) return s;
    for (std::string& key : gone) over(range.family)[std::move(key)] = std::nullopt;
  }
  for (const LedgerBatch::Put& put : batch.puts) over(put.family)[put.key] = put.value;
  return {};
}

Result<std::optional<std::string>> DryStore::get(Family family, std::string_view key) {
  const auto at = over(family).find(key);
  return at == over(family).end() ? under_->get(family, key)
                                  : Result<std::optional<std::string>>(at->second);
}

Status DryStore::scan(Family family, std::string_view first, const Visit& visit) {
  const Rows& rows = over(family);
  return merged(rows.lower_bound(first), rows.end(), std::less<std::string_view>(), visit,
                [&](const Visit& each) { return under_->scan(family, first, each); });
}

Status DryStore::scan_back(Family family, const Visit& visit) {
  const Rows& rows = over(family);
  return merged(rows.rbegin(), rows.rend(), std::greater<std::string_view>(), visit,
                [&](const Visit& each) { return under_->scan_back(family, each); });
}

}  // namespace adit
