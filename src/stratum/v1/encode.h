// SPDX-License-Identifier: MIT
// What the pool writes to a V1 miner. Every reply has "id", "result" and "error" (null or a
// triple), as NiceHash demands. Each function appends one line with its LF.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adit/mining/job.h"
#include "adit/mining/share.h"

namespace adit::v1 {

/// The error codes of Stratum V1.
enum class Code : int {
  Other = 20,
  JobNotFound = 21,
  Duplicate = 22,
  LowDifficulty = 23,
  Unauthorised = 24,
  NotSubscribed = 25,
  UnknownMethod = -3,
};

/// Why a request is refused, and how many strike points that costs.
struct Refusal {
  Code code = Code::Other;
  std::string_view text;
  std::uint32_t points = 0;
};
/// A fault in the words of a submission. Of several faults the one whose rank comes first in
/// RejectReason is told.
struct FormFault {
  Refusal refusal;
  RejectReason rank{};
};
/// For a share. The text of LowDifficulty lacks the measured difficulty: see low_difficulty_text().
Refusal refusal_of(RejectReason reason);
/// "low difficulty share 0.0123 of 1024".
std::string low_difficulty_text(const BlockHash& hash, const Difficulty& wanted);

/// `result` is JSON.
void append_result(std::string& out, std::string_view id, std::string_view result);
/// `result` is "null", or "false" where the method is a question (authorize).
void append_error(std::string& out, std::string_view id, Code code, std::string_view text,
                  std::string_view result = "null");

void append_set_difficulty(std::string& out, const Difficulty& difficulty);
void append_reconnect(std::string& out);
/// mining.set_extranonce, of the extranonce subscription: counts from the next mining.notify on.
void append_set_extranonce(std::string& out, Bytes extranonce1, std::size_t extranonce2_size);

/// A job id as V1 miners see it: 16 hex digits, boot epoch (4), job number (8), issue (4). `issue`
/// carries a salt of the connection, so that another connection's id means nothing here.
struct WireJobId {
  std::uint16_t epoch = 0;
  IssuedJobId job;
};
std::optional<WireJobId> parse_job_id(std::string_view text);

/// mining.notify in two parts: up to and with the job id; and the rest, which is the same for
/// everybody who gets this job.
void append_notify_front(std::string& out, const WireJobId& id);
std::string notify_rest(const Job& job, bool clean);
/// Appends `rest`, which notify_rest() made with this `clean`, with another ntime in it.
void append_notify_rest(std::string& out, std::string_view rest, bool clean, std::uint32_t ntime);

}  // namespace adit::v1
