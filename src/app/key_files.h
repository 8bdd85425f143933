// SPDX-License-Identifier: MIT
// The key files of Stratum V2: text, one line each.
//
//   secret       base58check of the 32 bytes, as the reference implementation writes it; mode 0600
//   public       base58check(01 00 || X): what stands in a pool's URL
//   certificate  the authority's public text, a blank, 148 hex digits (SIGNATURE_NOISE_MESSAGE)
//
// An authority key and a static key have the same form.
#pragma once

#include <sys/types.h>

#include <string>

#include "adit/base/result.h"
#include "adit/bitcoin/network.h"
#include "adit/stratum/v2/identity.h"
#include "app/config.h"

namespace adit {

Result<SecretKey> read_secret_key(const std::string& path);
/// The public half, from a file of either half.
Result<XOnlyKey> read_public_key(const std::string& path);
Result<v2::IssuedCertificate> read_certificate(const std::string& path);
/// True when group or others may read the file.
bool is_readable_by_others(const std::string& path);

/// One line, durable when this returns ok. Never replaces a file unless asked to, and then as a
/// whole or not at all.
Status write_key_file(const std::string& path, const std::string& line, mode_t mode, bool replace);

/// Everybody knows the demo key's secret; on the main network it must not vouch for a pool.
Status refuse_demo_key(const XOnlyKey& authority, Network network);

/// The identity that the configuration asks for; errors name the file.
Result<v2::IdentityKeeper> open_identity(const StratumV2Config& config, Network network,
                                         UnixSeconds now, const FillRandom& random);

/// Refused: it ends within a day, so that after a restart miners would soon be turned away.
Status refuse_short_certificate(const StratumV2Config& config, const v2::Certificate& certificate,
                                UnixSeconds now);

}  // namespace adit
