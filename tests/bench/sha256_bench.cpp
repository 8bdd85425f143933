// SPDX-License-Identifier: MIT
// How long the SHA-256 shapes of a pool take, under each implementation this CPU has, beside
// OpenSSL. The best of several rounds is shown: on a busy machine the rest measures the neighbours.
#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>

#include "adit/crypto/sha256.h"

using namespace adit;

namespace {

constexpr std::size_t kSteps = 4096;

/// Nanoseconds per unit of `body`, which does `units` of them.
template <class Body>
double measure(std::size_t units, const Body& body) {
  using Clock = std::chrono::steady_clock;
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < 25; ++round) {
    const auto start = Clock::now();
    body();
    const std::chrono::duration<double, std::nano> spent = Clock::now() - start;
    best = std::min(best, spent.count() / static_cast<double>(units));
  }
  return best;
}

void print(std::string_view name, double d80, double d64, double step, double scan) {
  std::printf("%-10.*s %10.1f %10.1f %12.1f %12.2f\n", static_cast<int>(name.size()), name.data(),
              d80, d64, step, scan > 0 ? 1000 / scan : 0.0);
}

/// Each hash changes the next input, as latency counts when one share is checked.
void bench_adit(std::string_view name) {
  if (!sha256_select(name)) return;
  ByteVec bytes(64 * kSteps, 0x11), out(32 * kSteps);
  const double d80 = measure(kSteps, [&] {
    for (std::size_t i = 0; i < kSteps; ++i) bytes[36] = sha256d_80(bytes.data())[0];
  });
  const double d64 = measure(kSteps, [&] {
    for (std::size_t i = 0; i < kSteps; ++i) bytes[36] = sha256d_64(bytes.data())[0];
  });
  const double step = measure(kSteps, [&] { sha256d_64_many(out.data(), bytes.data(), kSteps); });
  constexpr std::uint32_t kNonces = 32768;
  const double scan = measure(
      kNonces, [&] { bytes[0] ^= scan_nonces(Bytes(bytes).first(80), 0, kNonces, 0).empty(); });
  print(name, d80, d64, step, scan);
}

void bench_openssl() {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const EVP_MD* sha256_md = EVP_sha256();
  std::uint8_t bytes[80] = {}, hash[32];
  const auto twice = [&](std::size_t size) {
    EVP_DigestInit_ex(context, sha256_md, nullptr);
    EVP_DigestUpdate(context, bytes, size);
    EVP_DigestFinal_ex(context, hash, nullptr);
    EVP_DigestInit_ex(context, sha256_md, nullptr);
    EVP_DigestUpdate(context, hash, sizeof hash);
    EVP_DigestFinal_ex(context, hash, nullptr);
    bytes[36] = hash[0];
  };
  const auto each = [&](std::size_t size) {
    return measure(kSteps, [&] {
      for (std::size_t i = 0; i < kSteps; ++i) twice(size);
    });
  };
  const double d80 = each(80), d64 = each(64);
  print("OpenSSL", d80, d64, d64, d80);
  EVP_MD_CTX_free(context);
}

}  // namespace

int main() {
  std::puts("           sha256d_80 sha256d_64  merkle step   nonce scan");
  std::puts("                   ns         ns           ns         MH/s");
  for (const std::string_view name : sha256_implementations()) bench_adit(name);
  bench_openssl();
}
