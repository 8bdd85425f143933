// SPDX-License-Identifier: MIT
// Names of families and the order-preserving spelling of numbers as keys.
#include "adit/ledger/store.h"

#include "adit/base/check.h"

namespace adit {

std::string_view family_name(Family family) {
  switch (family) {
    case Family::Meta:
      return "meta";
    case Family::Shares:
      return "shares";
    case Family::Slices:
      return "slices";
    case Family::Accounts:
      return "accounts";
    case Family::Workers:
      return "workers";
    case Family::Blocks:
      return "blocks";
    case Family::Credits:
      return "credits";
    case Family::Payments:
      return "payments";
    case Family::Stats:
      return "stats";
  }
  UNREACHABLE();
}

std::string key_u64(std::uint64_t value) {
  std::string key(8, '\0');
  store_be64(reinterpret_cast<std::uint8_t*>(key.data()), value);
  return key;
}

std::string key_u32(std::uint32_t value) {
  std::string key(4, '\0');
  store_be32(reinterpret_cast<std::uint8_t*>(key.data()), value);
  return key;
}

std::optional<std::uint64_t> u64_of_key(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  return load_be64(bytes_of(key).data());
}

std::optional<std::uint32_t> u32_of_key(std::string_view key) {
  if (key.size() != 4) return std::nullopt;
  return load_be32(bytes_of(key).data());
}

}  // namespace adit
