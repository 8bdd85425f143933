// SPDX-License-Identifier: MIT
// Addresses: base58check (P2PKH, P2SH), bech32 (BIP173), bech32m (BIP350) on all four networks.
#pragma once

#include <string>
#include <string_view>

#include "adit/base/result.h"
#include "adit/bitcoin/network.h"
#include "adit/bitcoin/script.h"

namespace adit {

struct Address {
  std::string text;  ///< canonical: bech32 in lower case, base58 as given
  Script script;
  /// A witness version or length without rules today: anyone could spend what is paid to it.
  bool future_witness = false;
  bool operator==(const Address&) const = default;
};

/// Errors say why: checksum, "wrong network" (a valid address of another one), version, length,
/// mixed case. At most 90 characters.
Result<Address> parse_address(std::string_view text, Network network);
/// The address of a script, or nullopt for scripts that have none.
std::optional<std::string> address_of(Bytes script, Network network);

}  // namespace adit
