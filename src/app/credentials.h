// SPDX-License-Identifier: MIT
// How to log in to a node. Read at each need: bitcoind writes a new cookie whenever it starts.
#pragma once

#include <string>

#include "adit/base/result.h"
#include "app/config.h"

namespace adit {

/// The first line of a small file, without its end.
Result<std::string> first_line_of(const std::string& path);
/// "user:password" from the cookie file or the configuration.
Result<std::string> node_login(const NodeConfig& node);

}  // namespace adit
