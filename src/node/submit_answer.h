// SPDX-License-Identifier: MIT
// What an answer of submitblock means, as a table (Bitcoin Core 28 rpc/mining.cpp, BIP22).
#pragma once

#include <string>

#include "adit/node/node_link.h"

namespace adit {

enum class SubmitMeaning : std::uint8_t {
  Accepted,       ///< null, "duplicate"
  Side,           ///< stored, not on the best chain or not checked to the end; may still win
  Refused,        ///< a consensus refusal; final
  ParentUnknown,  ///< that node is behind: again when its tip moves
  NoAnswer,       ///< nothing was decided: again, soon
  Unknown,        ///< a word that is not known: look the hash up in the chain
};

struct SubmitAnswer {
  SubmitMeaning meaning = SubmitMeaning::NoAnswer;
  std::string text;  ///< verbatim, escaped: "null", "bad-cb-amount", "error -28: ...", "timed out"
};

SubmitAnswer read_submit_answer(const RpcResult& result);

}  // namespace adit
