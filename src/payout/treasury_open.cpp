// SPDX-License-Identifier: MIT
// Opening, and shares that are paid slice by slice.
#include <algorithm>

#include "adit/base/check.h"
#include "adit/bitcoin/address.h"
#include "adit/ledger/reader.h"
#include "payout/priced_batch.h"
#include "payout/treasury_state.h"

namespace adit {
namespace {

/// So many slices are priced in one batch: an hour's, where one closes a minute.
constexpr std::uint64_t kPricedSlices = 60;

MicroSatoshi sum_of(MicroSatoshi a, MicroSatoshi b) {
  return MicroSatoshi(std::min(a.value(), kMaxPrice.value() - b.value()) + b.value());
}

}  // namespace

using State = Treasury::State;

Status State::open(UnixMillis now) {
  const auto through = read_priced_through(ledger->store());
  if (!through) return through.error();
  priced_through = *through;
  // What a crash left is finished by the terms, and for the pool's address, it was begun under.
  const Script wanted = options.pool_script;
  const TermsInForce* before = history.newest();
  if (before == nullptr) return change_terms(wanted, now);
  const bool same = before->terms.text() == options.terms.text() && before->pool_script == wanted;
  set_pool(before->pool_script);
  if (!same)
    if (Status s = ledger->close_open_slice(now); !s) return s;
  if (Status s = start(before->terms, now); !s || same) return s;
  return change_terms(wanted, now);
}

void State::set_pool(const Script& script) {
  options.pool_script = script;
  pool_address = address_of(script, options.network).value_or("");
}

Status State::start(const PayoutTerms& in_force, UnixMillis now) {
  terms = in_force;
  recent_plans.clear();
  plan_stale = true;
  if (Status s = live.open(ledger->store(), terms, history, ledger->last_slice()); !s) return s;
  // Terms that are about to change need their window only where a block waits.
  if (terms.text() == options.terms.text())
    if (Status s = live.load(); !s) return s;
  if (Status s = price_backlog(now); !s) return s;
  return reconcile(now);
}

Status State::change_terms(const Script& pool_script, UnixMillis now) {
  if (history.newest() != nullptr) {
    if (Status s = pay_priced(live.newest(), now); !s) return s;
  }
  LedgerBatch batch;
  const SliceNumber last = ledger->last_slice();
  set_pool(pool_script);
  history.add(batch, {SliceNumber(last.value() + 1), options.terms, pool_script});
  if (pays_slices(options.terms.scheme.kind)) {
    priced_through = last;
    put_priced_through(batch, last);
  }
  if (Status s = write(batch); !s) return s;
  return start(options.terms, now);
}

Status State::reconcile(UnixMillis now) {
  const auto blocks = all_blocks(ledger->store());
  if (!blocks) return blocks.error();
  for (const BlockRecord& block : *blocks)
    if (Status s = handle(block, {}, now); !s) return s;
  return {};
}

Status State::price_backlog(UnixMillis now) {
  priced.clear();
  if (!pays_slices(terms.scheme.kind)) return {};
  Status verdict;
  const Status scanned = for_each_slice(ledger->store(), SliceNumber(priced_through.value() + 1),
                                        [&](const SliceRecord& slice) {
                                          verdict = price(slice, now);
                                          return verdict.ok();
                                        });
  return scanned ? verdict : scanned;
}

Status State::price(const SliceRecord& slice, UnixMillis now) {
  if (!pays_slices(terms.scheme.kind)) return {};
  for (const PricedWork& part : price_slice(terms.scheme, slice.slice, slice.network))
    if (!is_pool(part.account)) priced[part.account] = sum_of(priced[part.account], part.amount);
  return slice.number.value() % kPricedSlices == 0 ? pay_priced(slice.number, now) : Status();
}

Status State::pay_priced(SliceNumber last, UnixMillis now) {
  if (!pays_slices(terms.scheme.kind) || last <= priced_through) return {};
  LedgerBatch batch;
  PricedBatch row{SliceNumber(priced_through.value() + 1), last, {}};
  const std::string ref = row.ref();
  for (const auto& [account, amount] : priced) {
    const Satoshi whole = journal.take_whole(account, amount);
    row.left.emplace_back(account, journal.account(account).fraction);
    if (whole > Satoshi{})
      journal.move(batch, {BookKind::Pool, 0}, Book::account(account), whole, "shares", ref, now);
  }
  priced.clear();
  priced_through = last;
  put_priced_through(batch, last);
  put_priced_batch(batch, row);
  journal.finish(batch);
  return write(batch);
}

}  // namespace adit
