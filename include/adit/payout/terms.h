// SPDX-License-Identifier: MIT
// PayoutTerms: what the pool promises its miners, as one value. Each settlement keeps the terms it
// was made under as text, so that an audit years later needs no old configuration file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adit/payout/scheme.h"

namespace adit {

enum class PayWay : std::uint8_t {
  Wallet,    ///< the coinbase pays the pool; accounts are paid by transactions of its wallet
  Coinbase,  ///< the coinbase pays the accounts
  Export,    ///< as Wallet, but somebody else's tool makes the payments
};
std::string_view pay_way_name(PayWay way);
std::optional<PayWay> pay_way_from(std::string_view name);
std::string_view scheme_name(SchemeKind kind);
std::optional<SchemeKind> scheme_from(std::string_view name);

struct PayoutTerms {
  SchemeOptions scheme;
  PayWay way = PayWay::Wallet;
  Satoshi threshold{546};                 ///< no output, and no payment, below it
  std::uint64_t coinbase_weight = 8'000;  ///< of the accounts' outputs in a coinbase

  /// "pplns factor=8 fee=150 way=coinbase threshold=1048576 weight=8000"; fee in basis points,
  /// factor with pplns only. Equal terms have equal texts, and the other way round.
  std::string text() const;
  /// Exactly what text() gives. factor 1 to 1,000, fee to 10,000, weight to 4,000,000.
  static std::optional<PayoutTerms> parse(std::string_view text);
};

}  // namespace adit
