// SPDX-License-Identifier: MIT
// Paying accounts in the coinbase itself. Not everybody fits, and not every amount is worth an
// output: who is left out keeps a credit, and who is paid takes the difference as a debit, each up
// to the threshold; the pool takes the rest. (A miner may leave with a debit: it must be small.)
// What the pool owes for that, or for a block that paid it alone, comes out of its part of the next
// ones; until then the largest credits wait, and nobody else is paid less (plan.h: left_to_wallet).
// Carries are signed and sum to zero, so everyone is paid exactly over time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adit/bitcoin/amount.h"
#include "adit/bitcoin/script.h"
#include "adit/ledger/records.h"

namespace adit {

struct CoinbaseClaim {
  AccountId account;
  Satoshi entitled;  ///< of this block, >= 0
  Satoshi carry;     ///< from earlier ones: credit above zero, debit below
  Script script;     ///< empty: no output can pay it
};
struct CoinbaseRules {
  Satoshi threshold;  ///< no output for less that is due, no debit above it; 546 at least
  std::uint64_t weight = 8'000;  ///< for the accounts' outputs
};
struct CoinbaseSplit {
  std::vector<Satoshi> paid;   ///< by claim; zero: no output
  std::vector<Satoshi> carry;  ///< by claim, afterwards
  Satoshi pool_paid;           ///< the pool's own output; may be zero
  Satoshi pool_carry;
};

/// Divides `value` = sum of entitlements + pool's. Largest due first, equal ones by script bytes.
/// The sums of `paid` and `pool_paid` are `value`; the sum of all carries is what it was before.
/// Nobody's carry is below -threshold afterwards, unless it was before and he is paid nothing.
/// CHECKs that carries sum to zero with the pool's and that the entitlements sum to `value`.
CoinbaseSplit split_coinbase(Satoshi value, const std::vector<CoinbaseClaim>& claims,
                             Satoshi pool_entitled, Satoshi pool_carry, const CoinbaseRules& rules);
/// The same for each of `weights`, whatever the rules' is: the claims are ranked once.
std::vector<CoinbaseSplit> split_coinbases(Satoshi value, const std::vector<CoinbaseClaim>& claims,
                                           Satoshi pool_entitled, Satoshi pool_carry,
                                           const CoinbaseRules& rules,
                                           std::span<const std::uint64_t> weights);

/// 4 * (8 bytes of value, the script's length, the script).
std::uint64_t output_weight(const Script& script);

}  // namespace adit
