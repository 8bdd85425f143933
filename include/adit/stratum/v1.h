// SPDX-License-Identifier: MIT
// The Stratum V1 session as the app makes it.
#pragma once

#include <memory>

#include "adit/stratum/session.h"

namespace adit::v1 {

/// One a job and worker: the encoded mining.notify, shared by all sessions. `context` outlives the
/// session. `newest` may be null: the first job follows by publish(). `port`: the policy of the
/// port that the miner came by, where it has its own; outlives the session.
std::unique_ptr<Session> make_session(SessionContext& context, const JobPtr& newest, Instant now,
                                      const ChannelPolicy* port = nullptr);

}  // namespace adit::v1
