// SPDX-License-Identifier: MIT
// A session for a port that serves both protocols: the first bytes tell which one it becomes.
#pragma once

#include <memory>

#include "adit/stratum/session.h"

namespace adit {

/// `context` with its `v2` set outlives the session. Says nothing before it knows; a peer that
/// stays silent for 10 s, or sends less than a line or 64 bytes, is closed.
std::unique_ptr<Session> make_auto_session(SessionContext& context, const JobPtr& newest,
                                           Instant now);

}  // namespace adit
