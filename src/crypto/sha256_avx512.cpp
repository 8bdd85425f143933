// SPDX-License-Identifier: MIT
// SHA-256 of eight messages side by side with AVX-512VL's rotations and three-way logic in AVX2's
// registers (Intel Ice Lake; AMD Zen 4 and later). One message, or a few, take the SHA
// instructions: those wait for one another, so that six messages are where eight lanes begin to
// win.
#include "crypto/sha256_eight.h"

namespace adit::sha {

constinit const Impl kAvx512 = EightImpl<kShaNi, 6>::table("avx512");

}  // namespace adit::sha
