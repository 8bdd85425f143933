// SPDX-License-Identifier: MIT
// The parts of the configuration that say who is paid what, and how.
#pragma once

#include "app/config.h"
#include "app/toml_reader.h"

namespace adit {

/// [pool] scheme and fee.
void read_scheme(TomlTable& table, PoolConfig& pool);
/// [payout] and [[payout.agent]]; [pool] has been read.
void read_payout(TomlTable table, Config& config);

}  // namespace adit
