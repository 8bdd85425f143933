// SPDX-License-Identifier: MIT
// What the steps of payments say, and the books they move between.
#pragma once

#include <string>

#include "adit/payout/payments.h"

namespace adit {

inline std::string name_of(std::uint64_t id) { return "payment " + std::to_string(id); }
inline std::string ref_of(std::uint64_t id) { return "payment:" + std::to_string(id); }
inline Book book_of(const Payment& payment) { return {BookKind::Payment, payment.id}; }

inline Error conflict(const Payment& payment, std::string_view what) {
  return {ErrorCode::Conflict, name_of(payment.id) + " is " +
                                   std::string(payment_state_name(payment.state)) + ": " +
                                   std::string(what)};
}

}  // namespace adit
