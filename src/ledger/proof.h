// SPDX-License-Identifier: MIT
// The door's first question: does this hash prove the work it is credited with?
#pragma once

#include "adit/bitcoin/target.h"

namespace adit {

/// Exactly `work >= 1 && Work::proved_by(hash) >= work`, without a division.
bool proves(const BlockHash& hash, Work work);

}  // namespace adit
