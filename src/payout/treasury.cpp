// SPDX-License-Identifier: MIT
#include "adit/payout/treasury.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/bitcoin/address.h"
#include "payout/treasury_state.h"

namespace adit {
namespace {

/// Blocks of older plans, and of late news, look this much further back.
constexpr std::uint64_t kDayOfSlices = 1'440;

bool makes_plans(const PayoutTerms& terms) {
  const SchemeKind kind = terms.scheme.kind;
  return terms.way == PayWay::Coinbase && (kind == SchemeKind::Pplns || kind == SchemeKind::Prop);
}

}  // namespace

using State = Treasury::State;

void State::Unripe::add(const BlockHash& block, const std::vector<PlanShare>& shares) {
  Balances& brought = blocks[block];
  for (const PlanShare& share : shares) {
    if (share.entitled <= share.paid) continue;
    brought[share.account] = share.entitled - share.paid;
    sums[share.account] += share.entitled - share.paid;
  }
}

void State::Unripe::remove(const BlockHash& block) {
  const auto at = blocks.find(block);
  if (at == blocks.end()) return;
  for (const auto& [account, amount] : at->second) {
    const auto sum = sums.find(account);
    sum->second -= amount;
    if (sum->second == Satoshi{}) sums.erase(sum);
  }
  blocks.erase(at);
}

State::State(Ledger& books, const TreasuryOptions& wanted, Journal money, TermsHistory past)
    : ledger(&books), options(wanted), journal(std::move(money)), history(std::move(past)) {
  set_pool(wanted.pool_script);
}

Status State::write(LedgerBatch& batch) {
  Status s = ledger->write(batch);
  // What is in memory is ahead of the disk now.
  if (!s) broken = s.error();
  return s;
}

Status State::refusal() const {
  if (!broken) return {};
  return Error{ErrorCode::Io, "the treasury refuses since it failed: " + broken->text};
}

/// What a block's job promised holds for it, whatever the pool promises since.
PayoutTerms State::promised(const BlockRecord& block) const {
  return PayoutTerms::parse(block.terms).value_or(terms);
}

/// After a power loss that took slices of the last moments, a plan may be of slices that are gone:
/// then the block is settled like one without a plan.
bool State::planned(const BlockRecord& block) const {
  return makes_plans(promised(block)) && block.plan_slice != 0 &&
         block.plan_slice <= live.newest().value() && block.plan_entry <= journal.last_entry();
}

bool State::is_pool(AccountId account) const {
  return !pool_address.empty() && ledger->address_of(account) == pool_address;
}

IsPool State::pools_of(const Script& pool_script) const {
  return
      [this, address = address_of(pool_script, options.network).value_or("")](AccountId account) {
        return !address.empty() && ledger->address_of(account) == address;
      };
}

Script State::script_of(AccountId account) {
  const auto [at, added] = script_memory.try_emplace(account);
  if (added) {
    auto address = parse_address(ledger->address_of(account), options.network);
    if (address) at->second = std::move(address->script);
  }
  return at->second;
}

AccountId State::account_of(const Script& script) const {
  const auto address = address_of(script, options.network);
  return address ? ledger->account_of(*address) : AccountId();
}

Claims State::claims_of(const Derived& derived, const IsPool& pools) {
  Claims claims;
  claims.add(derived.weights, pools);
  return claims;
}

Result<State::RecentPlan> State::make_plan() {
  const auto derived = live.at(live.newest());
  if (!derived) return derived.error();
  const IsPool pools = pools_of(options.pool_script);
  const Claims claims = claims_of(*derived, pools);
  Balances balances;
  for (const AccountBalance& row : journal.accounts()) balances[row.account] = row.balance;
  auto plan =
      assemble_plan(terms, live.newest(), journal.last_entry(), claims, balances, scripts(), pools);
  return RecentPlan{std::make_shared<const PayoutPlan>(std::move(plan)), derived->first};
}

const State::RecentPlan* State::recent_plan(SliceNumber slice, std::uint64_t entry) const {
  for (const RecentPlan& recent : recent_plans)
    if (recent.plan->slice == slice.value() && recent.plan->entry == entry) return &recent;
  return nullptr;
}

Treasury::Treasury(std::unique_ptr<State> state) : state_(std::move(state)) {}
Treasury::~Treasury() = default;
Treasury::Treasury(Treasury&&) noexcept = default;

Result<Treasury> Treasury::open(Ledger& ledger, const TreasuryOptions& options, UnixMillis now) {
  auto journal = Journal::open(ledger.store(),
                               [&ledger](AccountId account) { return ledger.address_of(account); });
  if (!journal) return journal.error();
  auto history = TermsHistory::read(ledger.store());
  if (!history) return history.error();
  auto state = std::make_unique<State>(ledger, options, *std::move(journal), *std::move(history));
  if (const Status s = state->open(now); !s) return s.error();
  return Treasury(std::move(state));
}

Status Treasury::slices_closed(std::span<const SliceRecord> slices, UnixMillis now) {
  State& s = *state_;
  if (Status refused = s.refusal(); !refused) return refused;
  for (const SliceRecord& slice : slices) {
    if (slice.number <= s.live.newest()) continue;
    if (Status added = s.live.add(slice); !added) return added;
    if (Status priced = s.price(slice, now); !priced) return priced;
    // At once: the slices after it must not count.
    if (slice.block == BlockHash{}) continue;
    if (Status settled = s.settle_waiting(slice.block, now); !settled) return settled;
  }
  return {};
}

Status Treasury::block_changed(const BlockRecord& block, std::span<const TxOut> outputs,
                               UnixMillis now) {
  if (Status refused = state_->refusal(); !refused) return refused;
  return state_->handle(block, outputs, now);
}

Status Treasury::tick(UnixMillis now) {
  State& s = *state_;
  if (Status refused = s.refusal(); !refused) return refused;
  std::vector<BlockHash> late;
  for (const auto& [hash, entry] : s.waiting)
    if (entry.late(now)) late.push_back(hash);
  for (const BlockHash& hash : late)
    if (Status settled = s.settle_waiting(hash, now); !settled) return settled;
  return {};
}

PlanPtr Treasury::plan() const {
  State& s = *state_;
  if (!makes_plans(s.terms) || s.broken) return nullptr;
  if (!s.plan_stale) {
    const PlanPtr& newest = s.recent_plans.back().plan;
    if (newest->slice == s.live.newest().value() && newest->entry == s.journal.last_entry())
      return newest;
  }
  auto made = s.make_plan();
  if (!made) {
    // Whatever cannot be read now will stop the next settlement, aloud.
    return s.recent_plans.empty() ? nullptr : s.recent_plans.back().plan;
  }
  s.plan_stale = false;
  s.recent_plans.push_back(*std::move(made));
  if (s.recent_plans.size() > State::kRecentPlans) s.recent_plans.pop_front();
  return s.recent_plans.back().plan;
}

const Journal& Treasury::journal() const { return state_->journal; }
Journal& Treasury::journal() { return state_->journal; }
const TreasuryOptions& Treasury::options() const { return state_->options; }

Satoshi Treasury::payable(AccountId account) const {
  const auto unripe = state_->unripe.sums.find(account);
  Satoshi balance = state_->journal.balance(Book::account(account));
  if (unripe != state_->unripe.sums.end()) balance -= unripe->second;
  return std::max(balance, Satoshi{});
}

SliceNumber Treasury::oldest_slice_needed() const {
  const State& s = *state_;
  SliceNumber oldest = std::min(s.live.first(), s.live.newest());
  if (pays_slices(s.terms.scheme.kind))
    oldest = std::min(oldest, SliceNumber(s.priced_through.value() + 1));
  return SliceNumber(oldest.value() > kDayOfSlices ? oldest.value() - kDayOfSlices : 0);
}

}  // namespace adit
