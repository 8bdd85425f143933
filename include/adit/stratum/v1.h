// SPDX-License-Identifier: MIT
// The Stratum V1 session as the app makes it.
#pragma once

#include <memory>

#include "adit/stratum/session.h"

namespace adit::v1 {

/// One a job and worker: the encoded mining.notify, shared by all sessions. `context` outlives the
/// session. `newest` may be null: the first job follows by publish().
std::unique_ptr<Session> make_session(SessionContext& context, const JobPtr& newest, Instant now);

}  // namespace adit::v1
