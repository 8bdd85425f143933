// SPDX-License-Identifier: MIT
// Who a job's coinbase pays: the pool alone, or the accounts of a payout plan.
#pragma once

#include "adit/mining/job.h"
#include "adit/payout/plan.h"
#include "app/config.h"

namespace adit {

/// Without a plan all goes to the pool. With one, its accounts are paid as far as the template
/// leaves room for their outputs; who finds none keeps the amount as a carry. So too in each
/// smaller size that miners may come for.
JobOptions job_options(const Config& config, const BlockTemplate& block_template,
                       const PlanPtr& plan);

/// Weight units that accounts' outputs may take beside the template's transactions.
std::uint64_t output_room(const BlockTemplate& block_template);

}  // namespace adit
