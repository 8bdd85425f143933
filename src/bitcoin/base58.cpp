// SPDX-License-Identifier: MIT
// Base conversion digit by digit; the inputs are short.
#include "adit/bitcoin/base58.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/crypto/sha256.h"

namespace adit {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::size_t kMaxBytes = 256;
constexpr std::size_t kMaxText = 384;
constexpr std::size_t kChecksum = 4;

/// number = number * factor + add, over digits of `base`, least significant first.
void multiply_add(ByteVec& number, unsigned base, unsigned factor, unsigned add) {
  unsigned carry = add;
  for (std::uint8_t& digit : number) {
    carry += digit * factor;
    digit = static_cast<std::uint8_t>(carry % base);
    carry /= base;
  }
  for (; carry != 0; carry /= base) number.push_back(static_cast<std::uint8_t>(carry % base));
}

}  // namespace

std::string base58_encode(Bytes bytes) {
  CHECK(bytes.size() <= kMaxBytes);
  ByteVec digits;
  for (const std::uint8_t byte : bytes) multiply_add(digits, 58, 256, byte);
  const auto first = std::find_if(bytes.begin(), bytes.end(), [](auto b) { return b != 0; });
  std::string out(static_cast<std::size_t>(first - bytes.begin()), kAlphabet[0]);
  for (auto it = digits.rbegin(); it != digits.rend(); ++it) out += kAlphabet[*it];
  return out;
}

std::optional<ByteVec> base58_decode(std::string_view text) {
  if (text.size() > kMaxText) return std::nullopt;
  ByteVec number;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    multiply_add(number, 256, 58, static_cast<unsigned>(digit));
  }
  const std::size_t zeros = std::min(text.find_first_not_of(kAlphabet[0]), text.size());
  ByteVec out(zeros, 0);
  out.insert(out.end(), number.rbegin(), number.rend());
  return out;
}

std::string base58check_encode(Bytes payload) {
  ByteVec all(payload.begin(), payload.end());
  append(all, Bytes(sha256d(payload)).first(kChecksum));
  return base58_encode(all);
}

std::optional<ByteVec> base58check_decode(std::string_view text) {
  auto all = base58_decode(text);
  if (!all || all->size() < kChecksum) return std::nullopt;
  const Bytes payload = Bytes(*all).first(all->size() - kChecksum);
  const Digest digest = sha256d(payload);
  if (!std::equal(digest.begin(), digest.begin() + kChecksum, all->end() - kChecksum)) {
    return std::nullopt;
  }
  all->resize(payload.size());
  return all;
}

}  // namespace adit
