// SPDX-License-Identifier: MIT
// How keys are written for people: base58check, as in a pool's URL (spec section 4.7) and in the
// files that the reference implementation uses.
#pragma once

#include <string>
#include <string_view>

#include "adit/base/result.h"
#include "adit/crypto/secp256k1.h"

namespace adit::v2 {

/// base58check(01 00 || X): what follows the slash of a pool's URL.
std::string authority_key_text(const XOnlyKey& key);
/// Errors say what is wrong: checksum, version, length, not on the curve.
Result<XOnlyKey> parse_authority_key(std::string_view text);

/// base58check of the bare 32 bytes. The text is as secret as the key: wipe it.
std::string secret_key_text(const SecretKey& key);
/// Errors never repeat the text.
Result<SecretKey> parse_secret_key(std::string_view text);

/// stratum2+tcp://host:port/key. `host_and_port` as in [::1]:3334.
std::string pool_url(std::string_view host_and_port, const XOnlyKey& authority);

/// The pair printed in the reference implementation's examples: everybody knows its secret.
bool is_demo_key(const XOnlyKey& key);

}  // namespace adit::v2
