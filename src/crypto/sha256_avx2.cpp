// SPDX-License-Identifier: MIT
// SHA-256 of eight messages side by side on AVX2, for CPUs without SHA instructions. A single
// message gains nothing from it and takes the portable way.
#include "crypto/sha256_eight.h"

namespace adit::sha {

constinit const Impl kAvx2 = EightImpl<kPortable, 2>::table("avx2");

}  // namespace adit::sha
