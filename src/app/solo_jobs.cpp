// SPDX-License-Identifier: MIT
#include "app/solo_jobs.h"

#include "adit/base/log.h"
#include "adit/payout/plan.h"

namespace adit {

JobPtr SoloJobs::job_for(const JobPtr& job, std::string_view account) {
  if (account == terms_.pool.text) return job;
  Made* made = nullptr;
  for (Made& candidate : made_)
    if (candidate.from == job) made = &candidate;
  if (made == nullptr) {
    newest_ = (newest_ + 1) % made_.size();
    made = &made_[newest_];
    made->from = job;
    made->jobs.clear();
    made->sweep_at = kSweepAt;
  }
  if (made->jobs.size() >= made->sweep_at) {
    std::erase_if(made->jobs, [](const auto& entry) { return entry.second.use_count() == 1; });
    made->sweep_at = std::max(kSweepAt, 2 * made->jobs.size());
  }
  JobPtr& mine = made->jobs[std::string(account)];
  if (!mine) mine = make(*job, std::string(account));
  return mine;
}

JobPtr SoloJobs::make(const Job& job, const std::string& account) const {
  const BlockTemplate& block_template = *job.block_template;
  const auto address = parse_address(account, block_template.network);
  CHECK(address.ok());  // a session never authorises anything else
  JobOptions options;
  options.coinbase_tag = terms_.coinbase_tag;
  options.payee = account;
  options.terms = job.terms;
  options.pool_script = job.pool_script;
  options.outputs = solo_outputs(block_template.coinbase_value, terms_.fee_basis_points,
                                 address->script, terms_.pool.script);
  if (terms_.with_next)
    options.next_outputs =
        solo_outputs(block_subsidy(block_template.network, block_template.height + 1),
                     terms_.fee_basis_points, address->script, terms_.pool.script);
  auto made = vary_job(job, options);
  // The template leaves thousands of weight units for a coinbase; two outputs always fit.
  CHECK(made.ok());
  return *std::move(made);
}

std::optional<SoloTerms> solo_terms(const Config& config) {
  if (config.pool.scheme != SchemeKind::Solo || config.payout.way != PayWay::Coinbase)
    return std::nullopt;
  return SoloTerms{config.pool.fee_basis_points, config.pool.payout, config.pool.coinbase_tag,
                   serves_v2(config)};
}

}  // namespace adit
