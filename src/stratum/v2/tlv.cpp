// SPDX-License-Identifier: MIT
#include "stratum/v2/tlv.h"

namespace adit::v2 {
namespace {

constexpr std::size_t kHeader = 5;

TlvSearch scan(Bytes rest, std::uint16_t extension, std::uint8_t field, bool big_endian,
               Bytes& value) {
  const auto word = [&](std::size_t at) {
    return big_endian ? load_be16(rest.data() + at) : load_le<std::uint16_t>(rest.data() + at);
  };
  while (!rest.empty()) {
    if (rest.size() < kHeader) return TlvSearch::Malformed;
    const std::size_t length = word(3);
    if (length > rest.size() - kHeader) return TlvSearch::Malformed;
    if (word(0) == extension && rest[2] == field) {
      value = rest.subspan(kHeader, length);
      return TlvSearch::Found;
    }
    rest = rest.subspan(kHeader + length);
  }
  return TlvSearch::Absent;
}

}  // namespace

TlvSearch find_tlv(Bytes trailing, std::uint16_t extension, std::uint8_t field, Bytes& value) {
  const TlvSearch little = scan(trailing, extension, field, false, value);
  if (little == TlvSearch::Found) return little;
  const TlvSearch big = scan(trailing, extension, field, true, value);
  return big == TlvSearch::Found ? big : little;
}

}  // namespace adit::v2
