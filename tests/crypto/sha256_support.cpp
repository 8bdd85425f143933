// SPDX-License-Identifier: MIT
// A textbook SHA-256 that shares no line and no constant with the one under test.
#include "sha256_support.h"

#include <cstring>

namespace adit::test {
namespace {

__extension__ typedef unsigned __int128 Wide;

bool is_prime(std::uint32_t n) {
  for (std::uint32_t d = 2; d * d <= n; ++d)
    if (n % d == 0) return false;
  return true;
}

/// The first 32 fractional bits of the square (`power` 2) or cube (3) root of `n`, in integers: the
/// largest r with r^power <= n * 2^(32 * power).
std::uint32_t root_fraction(std::uint32_t n, int power) {
  std::uint64_t root = 0;
  for (int bit = 36; bit >= 0; --bit) {
    const std::uint64_t r = root | (std::uint64_t{1} << bit);
    const Wide reached = power == 2 ? Wide{r} * r : Wide{r} * r * r;
    if (reached <= Wide{n} << (32 * power)) root = r;
  }
  return static_cast<std::uint32_t>(root);
}

struct Constants {
  std::uint32_t initial[8], round[64];
  Constants() {
    std::uint32_t prime = 1;
    for (int i = 0; i < 64; ++i) {
      do ++prime;
      while (!is_prime(prime));
      if (i < 8) initial[i] = root_fraction(prime, 2);
      round[i] = root_fraction(prime, 3);
    }
  }
};

void block(std::uint32_t (&hash)[8], const std::uint8_t* data, const std::uint32_t (&k)[64]) {
  std::uint32_t w[64];
  for (int t = 0; t < 16; ++t) w[t] = load_be32(data + 4 * t);
  for (int t = 16; t < 64; ++t) {
    const std::uint32_t x = w[t - 15], y = w[t - 2];
    w[t] = (std::rotr(y, 17) ^ std::rotr(y, 19) ^ (y >> 10)) + w[t - 7] +
           (std::rotr(x, 7) ^ std::rotr(x, 18) ^ (x >> 3)) + w[t - 16];
  }
  auto [a, b, c, d, e, f, g, h] = hash;
  for (int t = 0; t < 64; ++t) {
    const std::uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                             ((e & f) ^ (~e & g)) + k[t] + w[t];
    const std::uint32_t t2 =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const std::uint32_t add[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i) hash[i] += add[i];
}

}  // namespace

Digest textbook_sha256(Bytes message) {
  static const Constants constants;
  ByteVec padded(message.begin(), message.end());
  padded.push_back(0x80);
  while (padded.size() % 64 != 56) padded.push_back(0);
  padded.resize(padded.size() + 8);
  store_be64(padded.data() + padded.size() - 8, message.size() * 8);

  std::uint32_t hash[8];
  std::memcpy(hash, constants.initial, sizeof hash);
  for (std::size_t at = 0; at < padded.size(); at += 64)
    block(hash, padded.data() + at, constants.round);
  Digest out;
  for (int i = 0; i < 8; ++i) store_be32(out.data() + 4 * i, hash[i]);
  return out;
}

Digest textbook_sha256d(Bytes message) { return textbook_sha256(textbook_sha256(message)); }

}  // namespace adit::test
