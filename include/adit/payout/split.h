// SPDX-License-Identifier: MIT
// Dividing an amount by weights, exactly. The rule, for every scheme and everything else that is
// divided: each part is rounded down, and what remains is handed out one unit each to the largest
// fractions; equal fractions go to the earlier part. The sum is the amount, to the unit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adit/bitcoin/amount.h"
#include "adit/bitcoin/u256.h"

namespace adit {

/// Parts of `amount` by `weights`, in their order. Weights that sum to zero give zeros (and the
/// caller keeps the amount); their sum must fit 128 bits (CHECK). More weight never gives less, and
/// permuting weights permutes parts up to the rule for ties. O(n) and 2n divisions.
std::vector<Uint128> split(Uint128 amount, std::span<const Uint128> weights);
/// The same for money. `amount` >= 0 (CHECK).
std::vector<Satoshi> split(Satoshi amount, std::span<const Uint128> weights);

/// floor(amount * basis_points / 10,000), with 0 <= basis_points <= 10,000 (CHECK).
Satoshi fee_of(Satoshi amount, std::uint32_t basis_points);

/// floor(a * b / c) in 256 bits; c > 0 and the result below 2^128 (CHECK).
Uint128 multiply_divide(Uint128 a, Uint128 b, Uint128 c);

}  // namespace adit
