// SPDX-License-Identifier: MIT
// What a Stratum V2 connection costs the server's thread: the handshake with and without ephemeral
// keys made ahead, its parts, and sealing a small frame.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "adit/stratum/v2/ephemeral_keys.h"
#include "adit/stratum/v2/frame_cipher.h"
#include "adit/stratum/v2/identity.h"

namespace adit::v2 {
namespace {

constexpr int kRounds = 5;
constexpr int kHandshakes = 1'000;
constexpr int kFrames = 200'000;

/// SplitMix64: the cost of the kernel's random bytes is not the subject.
void fill(MutableBytes out) {
  static std::uint64_t state = 1;
  for (std::uint8_t& byte : out) {
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    byte = static_cast<std::uint8_t>(z >> 32);
  }
}

/// CPU time, for a machine that does other things, too. `prepare` is not counted.
template <class Prepare, class Work>
double best_microseconds(int count, Prepare prepare, Work work) {
  double best = 1e300;
  for (int round = 0; round < kRounds; ++round) {
    prepare();
    const std::clock_t begin = std::clock();
    for (int i = 0; i < count; ++i) work();
    const auto time = static_cast<double>(std::clock() - begin) * 1e6 / CLOCKS_PER_SEC;
    best = std::min(best, time / count);
  }
  return best;
}

template <class Work>
double best_microseconds(int count, Work work) {
  return best_microseconds(
      count, [] {}, work);
}

void print(const char* what, double microseconds) {
  std::printf("%-44s %9.2f us %12.0f /s\n", what, microseconds, 1e6 / microseconds);
}

int bench() {
  const FillRandom random = fill;
  const auto keeper = IdentityKeeper::self_issued(SecretKey::generate(random), 7,
                                                  UnixSeconds(1'800'000'000), random);
  const StaticIdentity& identity = *keeper.identity();
  const Initiator client(EllSwiftKey::generate(random));
  EphemeralKeys stock(kHandshakes);
  unsigned sum = 0;
  const auto answer = [&] {
    sum += Responder(identity, stock.take(random)).answer(client.hello()).wire[0];
  };
  print("handshake, ephemeral key made ahead",
        best_microseconds(
            kHandshakes, [&] { stock.refill(random, kHandshakes); }, answer));
  print("handshake, ephemeral key made on the spot", best_microseconds(kHandshakes, answer));
  print("  ephemeral key", best_microseconds(kHandshakes, [&] {
          sum += EllSwiftKey::generate(random).encoding.bytes[0];
        }));
  const EllSwift encoding{client.hello()};
  print("  decode the peer's key",
        best_microseconds(kHandshakes, [&] { sum += ellswift_decode(encoding).bytes[0]; }));
  const XOnlyKey peer = ellswift_decode(encoding);
  print("  one shared secret", best_microseconds(kHandshakes, [&] {
          sum += ellswift_ecdh(identity.key.secret, peer, encoding, encoding).bytes()[0];
        }));
  print("both sides, keys and certificate check", best_microseconds(kHandshakes / 4, [&] {
          Initiator one(EllSwiftKey::generate(random));
          const auto wire = Responder(identity, EllSwiftKey::generate(random)).answer(one.hello());
          sum +=
              std::move(one).finish(wire.wire, keeper.authority(), UnixSeconds(1'800'000'000)).ok();
        }));

  CipherState send{AeadKey()};
  const ByteVec payload(40);
  ByteVec wire;
  const auto seal = [&] {
    wire.clear();
    sum += seal_frame(send, 0, 0x1a, payload, wire);
  };
  print("seal a frame of 40 bytes", best_microseconds(kFrames, seal));
  FrameReader reader(send.clone());
  const double round_trip = best_microseconds(kFrames, [&] {
    seal();
    Bytes rest = wire;
    sum += reader.next(rest) == FrameReader::Step::Header;
    sum += reader.next(rest) == FrameReader::Step::Frame;
  });
  print("seal and open it", round_trip);
  return sum == 0;
}

}  // namespace
}  // namespace adit::v2

int main() { return adit::v2::bench(); }
