// SPDX-License-Identifier: MIT
// Making jobs out of templates, and headers and blocks out of jobs.
#include "adit/mining/job.h"

#include <algorithm>

#include "adit/base/check.h"

namespace adit {
namespace {

constexpr std::int64_t kOldest = 3600;  // seconds a template's clock is trusted to run on
constexpr std::uint32_t kAhead = 60;    // seconds
constexpr std::uint64_t kWitnessScale = 4;
constexpr std::uint64_t kWitnessReserveWeight = 2 + 34;  // marker, flag, one item of 32 bytes

/// nBits is what the network judges by; a target that differs would lose blocks, or send duds.
Result<Target> checked_target(const BlockTemplate& block_template) {
  const auto target = Target::from_compact(block_template.bits);
  if (!target || *target != block_template.target) {
    return Error{ErrorCode::Invalid, "template's bits do not give its target"};
  }
  return *target;
}

Status check_sum(const BlockTemplate& block_template, const std::vector<TxOut>& outputs) {
  Satoshi sum;
  for (const TxOut& out : outputs) sum += out.value;
  if (sum == block_template.coinbase_value) return {};
  return Error{ErrorCode::Invalid, "coinbase outputs sum to " + std::to_string(sum.value()) +
                                       " satoshi, the template allows " +
                                       std::to_string(block_template.coinbase_value.value())};
}

Status check_limits(const BlockTemplate& block_template, const CoinbaseHalves& coinbase,
                    const std::vector<TxOut>& outputs) {
  const auto& txs = block_template.transactions;
  const std::size_t coinbase_size =
      coinbase.prefix.size() + kExtranonceSize + coinbase.suffix.size();
  std::uint64_t weight = kWitnessScale * (80 + compact_size_length(txs.size() + 1) + coinbase_size);
  if (block_template.witness_commitment) weight += kWitnessReserveWeight;
  std::uint64_t sigops = 0;
  for (const TxOut& out : outputs) sigops += kWitnessScale * count_sigops(out.script);
  for (const TemplateTransaction& tx : txs) {
    weight += tx.weight;
    sigops += tx.sigops;
  }
  if (weight > block_template.weight_limit) {
    return Error{ErrorCode::Limit, "block weight " + std::to_string(weight) + " is above " +
                                       std::to_string(block_template.weight_limit)};
  }
  if (sigops > block_template.sigop_limit) {
    return Error{ErrorCode::Limit, "block sigops " + std::to_string(sigops) + " are above " +
                                       std::to_string(block_template.sigop_limit)};
  }
  return {};
}

MerkleBranch branch_of(const BlockTemplate& block_template) {
  std::vector<Txid> txids;
  txids.reserve(block_template.transactions.size());
  for (const TemplateTransaction& tx : block_template.transactions) txids.push_back(tx.txid);
  return merkle_branch(txids);
}

Result<std::shared_ptr<const NextWork>> make_next(const Job& job, const JobOptions& options) {
  const std::uint32_t height = job.block_template->height + 1;
  Result<CoinbaseHalves> coinbase =
      build_coinbase({height, options.coinbase_tag, options.next_outputs, std::nullopt});
  if (!coinbase) return coinbase.error();
  auto next = std::make_shared<NextWork>();
  next->height = height;
  next->version = job.version;
  next->coinbase = *std::move(coinbase);
  return std::shared_ptr<const NextWork>(std::move(next));
}

/// Everything in a job that depends on who is paid.
Status set_coinbase(Job& job, const JobOptions& options) {
  const BlockTemplate& t = *job.block_template;
  Result<CoinbaseHalves> coinbase =
      build_coinbase({t.height, options.coinbase_tag, options.outputs, t.witness_commitment});
  if (!coinbase) return coinbase.error();
  if (Status status = check_sum(t, options.outputs); !status) return status.error();
  if (Status status = check_limits(t, *coinbase, options.outputs); !status) return status.error();
  job.coinbase = *std::move(coinbase);
  job.coinbase_hash = Sha256Gap(job.coinbase.prefix, kExtranonceSize, job.coinbase.suffix);
  job.plan_slice = options.plan_slice;
  job.plan_entry = options.plan_entry;
  job.plan_weight = options.plan_weight;
  job.terms = options.terms;
  job.pool_script = options.pool_script;
  job.payee = options.payee;
  job.next.reset();
  if (options.next_outputs.empty()) return {};
  auto next = make_next(job, options);
  if (!next) return next.error();
  job.next = *std::move(next);
  return {};
}

/// V1's alone, which knows no promised block: Job::next stays null.
Status add_smaller(Job& job, const JobOptions& options) {
  CHECK(options.smaller.size() <= kSmallerJobsMax);
  if (options.smaller.empty()) return {};
  JobOptions other = options;
  other.next_outputs.clear();
  other.smaller.clear();
  std::vector<SmallerJob> smaller;
  for (const SmallerCoinbase& coinbase : options.smaller) {
    other.outputs = coinbase.outputs;
    other.plan_weight = coinbase.plan_weight;
    Result<JobPtr> varied = vary_job(job, other);
    if (!varied) return varied.error();
    smaller.push_back({coinbase.weight, *std::move(varied)});
  }
  job.smaller = std::move(smaller);
  return {};
}

}  // namespace

Result<JobPtr> make_job(JobNumber number, TipNumber tip, bool clean, TemplatePtr block_template,
                        const JobOptions& options) {
  CHECK(block_template != nullptr);
  const BlockTemplate& t = *block_template;
  const Result<Target> target = checked_target(t);
  if (!target) return target.error();
  auto job = std::make_shared<Job>();
  job->number = number;
  job->tip = tip;
  job->branch = branch_of(t);
  job->version =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(t.version) & ~options.version_mask);
  job->min_ntime = t.mintime;
  job->ntime = std::max(t.curtime, t.mintime);
  job->network_target = *target;
  job->network_difficulty = Difficulty::of(*target);
  job->clean = clean;
  job->empty = t.transactions.empty();
  job->block_template = std::move(block_template);
  if (Status status = set_coinbase(*job, options); !status) return status.error();
  if (Status status = add_smaller(*job, options); !status) return status.error();
  return JobPtr(std::move(job));
}

Result<JobPtr> vary_job(const Job& job, const JobOptions& options) {
  auto varied = std::make_shared<Job>(job);
  varied->smaller.clear();
  if (Status status = set_coinbase(*varied, options); !status) return status.error();
  return JobPtr(std::move(varied));
}

const JobPtr& job_of_size(const JobPtr& job, std::uint64_t weight) {
  for (const SmallerJob& smaller : job->smaller)
    if (smaller.weight == weight) return smaller.job;
  return job;
}

bool is_promised(const Job& job, const NextWork& next) {
  return job.branch.empty() && job.block_template->height == next.height &&
         job.version == next.version && job.coinbase == next.coinbase;
}

std::uint32_t job_time(const Job& job, Instant now) {
  const auto age =
      std::chrono::duration_cast<std::chrono::seconds>(now - job.block_template->received).count();
  return job.ntime + static_cast<std::uint32_t>(std::clamp<std::int64_t>(age, 0, kOldest));
}

std::uint32_t reissue_time(const Job& job, std::uint32_t last, Instant now) {
  const std::uint32_t clock = job_time(job, now);
  return std::min(std::max(clock, last + 1), clock + kAhead);
}

HeaderBytes share_header(const Job& job, const Extranonce& extranonce, std::uint32_t version,
                         std::uint32_t ntime, std::uint32_t nonce) {
  Txid coinbase;
  job.coinbase_hash.sha256d_many(coinbase.bytes.data(), extranonce.data(), 1);
  const BlockTemplate& t = *job.block_template;
  return BlockHeader{static_cast<std::int32_t>(version),
                     t.prev,
                     merkle_fold(coinbase, job.branch),
                     ntime,
                     t.bits,
                     nonce}
      .bytes();
}

// Straight from the template's bytes: assemble_block would want megabytes copied into one vector
// first, and this runs while the block races others.
ByteVec block_for_submit(const Job& job, const HeaderBytes& header, const Extranonce& extranonce) {
  const BlockTemplate& t = *job.block_template;
  const ByteVec coinbase =
      coinbase_for_block(job.coinbase, extranonce, t.witness_commitment.has_value());
  std::size_t size = header.size() + compact_size_length(t.transactions.size() + 1);
  size += coinbase.size();
  for (const TemplateTransaction& tx : t.transactions) size += tx.data.size();
  ByteVec block;
  block.reserve(size);
  append(block, header);
  append_compact_size(block, t.transactions.size() + 1);
  append(block, coinbase);
  for (const TemplateTransaction& tx : t.transactions) append(block, tx.data);
  return block;
}

ByteVec block_for_proposal(const Job& job) {
  const Extranonce zero{};
  const auto version = static_cast<std::uint32_t>(job.version);
  return block_for_submit(job, share_header(job, zero, version, job.ntime, 0), zero);
}

}  // namespace adit
