// SPDX-License-Identifier: MIT
// The few scripts a pool writes and the sigops it must count.
#pragma once

#include <cstdint>

#include "adit/base/bytes.h"
#include "adit/bitcoin/hash.h"

namespace adit {

using Script = ByteVec;

/// BIP34's height push as Core's CScript << height writes it: OP_0, OP_1..OP_16, else a minimal
/// little-endian push with a sign byte where needed (128, 32768, ...).
Script height_push(std::uint32_t height);
/// The length byte and the data, at most 75 bytes (CHECK); always 1 + size, never OP_1 to OP_16.
void append_push(Script& script, Bytes data);
/// OP_RETURN 0x24 aa21a9ed <commitment> (BIP141).
Script commitment_script(const Hash256& commitment);
/// Core's GetSigOpCount(fAccurate=false): CHECKMULTISIG counts 20. A truncated push ends the count.
unsigned count_sigops(Bytes script);

}  // namespace adit
