// SPDX-License-Identifier: MIT
// Worker names: ADDRESS[.worker]. The address decides who is paid; the worker part is the miner's
// own label, of a character set that is harmless in logs, files, pages and queries.
#pragma once

#include <string>
#include <string_view>

#include "adit/base/result.h"
#include "adit/bitcoin/network.h"

namespace adit {

struct WorkerName {
  std::string account;  ///< canonical address
  std::string worker;   ///< [A-Za-z0-9_-]{0,32}
};

/// %XX is decoded first. With a `default_account`, a name of [A-Za-z0-9_-]{1,32} that does not look
/// like an address is a worker of that account. Errors say why, in words fit for the miner.
Result<WorkerName> parse_worker_name(std::string_view text, Network network,
                                     std::string_view default_account);
/// True for what may stand behind the dot: at most 32 of A-Z a-z 0-9 _ - and dot; empty too.
bool is_worker_label(std::string_view text);
/// True if `text` spells this worker in its canonical form: "account.worker" or, without a worker,
/// "account". No allocation.
bool spells(std::string_view text, std::string_view account, std::string_view worker);

}  // namespace adit
