// SPDX-License-Identifier: MIT
// How long and how large: the bounds of every question to a node, in one place.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "adit/base/time.h"

namespace adit {

/// A block of 4,000,000 weight is at most 8,000,000 digits of hex, and then has few transactions.
inline constexpr std::size_t kMaxTemplateAnswer = 8u << 20;
inline constexpr std::size_t kMaxSmallAnswer = 1u << 20;

inline constexpr Duration kCallTimeout = std::chrono::seconds(4);
inline constexpr Duration kTemplateTimeout = std::chrono::seconds(60);
inline constexpr Duration kProposalTimeout = std::chrono::seconds(20);
/// bitcoind does not notice that a long-polling client left: each one given up keeps one of its few
/// RPC threads until the next block. So it is hardly ever given up.
inline constexpr Duration kLongPollTimeout = std::chrono::hours(1);
inline constexpr Duration kSubmitTimeout = std::chrono::seconds(30);

/// Between two requests for templates on one lane of one node: at most two a second, whatever
/// comes.
inline constexpr Duration kTemplateGap = std::chrono::milliseconds(500);
/// Between two questions for the best hash; a flood of hints is bounded by it.
inline constexpr Duration kHintGap = std::chrono::milliseconds(20);
/// A long poll usually answers a new tip by itself; only after this the template is asked for too.
inline constexpr Duration kLongPollGrace = std::chrono::milliseconds(250);
inline constexpr Duration kDownRetry = std::chrono::milliseconds(500);
inline constexpr Duration kNotReadyRetry = std::chrono::seconds(1);
inline constexpr Duration kWrongChainRetry = std::chrono::seconds(10);
inline constexpr Duration kRecheck = std::chrono::seconds(30);

inline constexpr Duration kMissingAlarm = std::chrono::seconds(5);
inline constexpr Duration kMissingDrain = std::chrono::seconds(120);
/// Longer without a block is one in 8,000; far likelier is a node that hears of none.
inline constexpr Duration kStaleTip = std::chrono::minutes(90);

/// Where a node's work queue is full: 50 ms doubling to 400 ms, spread by the token.
Duration busy_backoff(unsigned failures, std::uint64_t token);

}  // namespace adit
