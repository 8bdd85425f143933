// SPDX-License-Identifier: MIT
// The block header's 80 bytes.
#include "adit/bitcoin/header.h"

#include <algorithm>

#include "adit/crypto/sha256.h"

namespace adit {

HeaderBytes BlockHeader::bytes() const {
  HeaderBytes out;
  store_le(out.data(), version);
  std::copy(prev.bytes.begin(), prev.bytes.end(), out.begin() + 4);
  std::copy(merkle_root.bytes.begin(), merkle_root.bytes.end(), out.begin() + 36);
  store_le(out.data() + 68, time);
  store_le(out.data() + 72, bits.value());
  store_le(out.data() + 76, nonce);
  return out;
}

BlockHeader BlockHeader::from_bytes(const HeaderBytes& bytes) {
  BlockHeader header;
  header.version = load_le<std::int32_t>(bytes.data());
  std::copy_n(bytes.begin() + 4, 32, header.prev.bytes.begin());
  std::copy_n(bytes.begin() + 36, 32, header.merkle_root.bytes.begin());
  header.time = load_le<std::uint32_t>(bytes.data() + 68);
  header.bits = CompactTarget(load_le<std::uint32_t>(bytes.data() + 72));
  header.nonce = load_le<std::uint32_t>(bytes.data() + 76);
  return header;
}

BlockHash BlockHeader::hash() const { return {sha256d_80(bytes().data())}; }

}  // namespace adit
