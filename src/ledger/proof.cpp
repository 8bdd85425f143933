// SPDX-License-Identifier: MIT
// floor(2^256 / (h + 1)) >= w  <=>  w * (h + 1) <= 2^256  <=>  w * h <= 2^256 - w, for whole w
// >= 1.
#include "ledger/proof.h"

namespace adit {

bool proves(const BlockHash& hash, Work work) {
  const Uint128 w = work.value();
  if (w == 0) return false;
  const U256 h = U256::from_le(hash.bytes.data());
  const std::uint64_t factor[2] = {static_cast<std::uint64_t>(w),
                                   static_cast<std::uint64_t>(w >> 64)};
  std::uint64_t product[6] = {};
  for (int i = 0; i < 2; ++i) {
    std::uint64_t carry = 0;
    for (int j = 0; j < 4; ++j) {
      const Uint128 t = static_cast<Uint128>(factor[i]) * h.limb[j] + product[i + j] + carry;
      product[i + j] = static_cast<std::uint64_t>(t);
      carry = static_cast<std::uint64_t>(t >> 64);
    }
    product[i + 4] = carry;
  }
  if ((product[4] | product[5]) != 0) return false;
  // Since w >= 1, the high half of 2^256 - w is all ones and its low half is 2^128 - w.
  const Uint128 low = (static_cast<Uint128>(product[1]) << 64) | product[0];
  const Uint128 high = (static_cast<Uint128>(product[3]) << 64) | product[2];
  return high != ~static_cast<Uint128>(0) || low <= ~w + 1;
}

}  // namespace adit
