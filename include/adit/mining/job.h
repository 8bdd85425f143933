// SPDX-License-Identifier: MIT
// Job: one immutable piece of work for everybody, {template, coinbase halves, merkle branch}.
// Shared between threads by pointer; nothing in it ever changes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "adit/bitcoin/header.h"
#include "adit/bitcoin/merkle.h"
#include "adit/crypto/sha256_many.h"
#include "adit/mining/block_template.h"
#include "adit/mining/coinbase.h"

namespace adit {

/// Counts the jobs of this process, from 1.
using JobNumber = Strong<std::uint32_t, struct JobNumberTag>;
/// Counts the tips this process has seen; a job of a lower one is stale.
using TipNumber = Strong<std::uint32_t, struct TipNumberTag>;

/// The empty block after the one being mined, as far as it can be known before its parent exists:
/// V2 miners hold it ahead, so that a new tip needs no new coinbase.
struct NextWork {
  std::uint32_t height = 0;
  std::int32_t version = 0;  ///< as Job::version
  CoinbaseHalves coinbase;
};

struct Job;
using JobPtr = std::shared_ptr<const Job>;

/// Sizes that a job has beside its own.
inline constexpr std::size_t kSmallerJobsMax = 8;
/// The same work (number, tip, template) with fewer outputs, for firmware that works badly with
/// many.
struct SmallerJob {
  std::uint64_t weight = 0;  ///< what the accounts' outputs may take: the size's name
  JobPtr job;
};

struct Job {
  JobNumber number;
  TipNumber tip;
  TemplatePtr block_template;
  CoinbaseHalves coinbase;
  Sha256Gap coinbase_hash;  ///< of the halves around an extranonce
  MerkleBranch branch;
  std::int32_t version = 0;  ///< the template's with the pool's version-rolling mask cleared
  std::uint32_t ntime = 0;
  std::uint32_t min_ntime = 0;
  Target network_target;
  Difficulty network_difficulty;         ///< of network_target, rounded down
  bool clean = false;                    ///< the first job of its tip: older work is worthless
  bool empty = false;                    ///< coinbase only, sent at once on a new tip
  std::shared_ptr<const NextWork> next;  ///< null: not prepared
  /// What the books call the plan behind the coinbase's outputs; zero: none. And the terms in
  /// force, as text, and the pool's own script (JobOptions).
  std::uint64_t plan_slice = 0, plan_entry = 0, plan_weight = 0;
  std::string terms;
  Script pool_script;
  std::string payee;  ///< the account that this coinbase was made for; empty: it is everybody's
  /// At most kSmallerJobsMax. A size is left out whose coinbase would be this one.
  std::vector<SmallerJob> smaller;
};

/// The coinbase of a SmallerJob; what is not said is as in its JobOptions.
struct SmallerCoinbase {
  std::uint64_t weight = 0;
  std::vector<TxOut> outputs;  ///< must sum to the template's coinbase value
  std::uint64_t plan_weight = 0;
};

struct JobOptions {
  std::uint32_t version_mask = 0x1fffe000;  ///< pool's mask, cleared in the advertised version
  std::string coinbase_tag;
  std::vector<TxOut> outputs;  ///< must sum to the template's coinbase value
  /// Of the empty block after this one, summing to its subsidy; none: Job::next stays null.
  std::vector<TxOut> next_outputs = {};
  std::uint64_t plan_slice = 0, plan_entry = 0, plan_weight = 0;
  std::string terms = {};
  Script pool_script = {};
  std::string payee = {};
  std::vector<SmallerCoinbase> smaller = {};  ///< at most kSmallerJobsMax (CHECK)
};

/// Errors (Invalid): outputs that do not sum to the coinbase value, nBits that are not the
/// target's, what build_coinbase refuses. (Limit): block weight or sigops above the template's with
/// our coinbase added. So too for each smaller coinbase: all are good or there is no job.
Result<JobPtr> make_job(JobNumber number, TipNumber tip, bool clean, TemplatePtr block_template,
                        const JobOptions& options);

/// The same work with another coinbase: for pools where each account mines its own. `options` is as
/// for make_job(), but for the version mask, which stays, and smaller ones, of which it has none.
Result<JobPtr> vary_job(const Job& job, const JobOptions& options);
/// `job` in the size of this weight; where it has none of exactly that, as it is.
const JobPtr& job_of_size(const JobPtr& job, std::uint64_t weight);

/// Makes them, for pools where each account mines for itself. Thread: its worker's.
class OwnJobs {
 public:
  virtual ~OwnJobs() = default;
  /// `job` with a coinbase for `account`; the same object for the same pair while the job is new.
  virtual JobPtr job_for(const JobPtr& job, std::string_view account) = 0;
};

/// True when `job` is what `next` promised: the same bytes but for the previous block.
bool is_promised(const Job& job, const NextWork& next);

/// The job's ntime, grown older with its template (by an hour at most).
std::uint32_t job_time(const Job& job, Instant now);
/// For the same work issued again, after `last`: another ntime, so that firmware which begins anew
/// with each job does not search what it has searched already. At most 60 s ahead of job_time().
std::uint32_t reissue_time(const Job& job, std::uint32_t last, Instant now);

/// The header of a share: version as rolled, root folded from the coinbase with this extranonce. No
/// allocation. For many shares: hash_shares().
HeaderBytes share_header(const Job& job, const Extranonce& extranonce, std::uint32_t version,
                         std::uint32_t ntime, std::uint32_t nonce);

/// The whole block for submitblock.
ByteVec block_for_submit(const Job& job, const HeaderBytes& header, const Extranonce& extranonce);
/// A block with the job's coinbase skeleton (zero extranonce, zero nonce) for getblocktemplate's
/// proposal mode.
ByteVec block_for_proposal(const Job& job);

}  // namespace adit
