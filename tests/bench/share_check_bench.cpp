// SPDX-License-Identifier: MIT
// What judging a share costs beside the SHA-256 blocks it cannot do without, for a coinbase of 300
// bytes under 12 merkle levels, each share another extranonce: alone by Channel::submit, and eight
// hashed together as the shares of one read are.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "adit/crypto/sha256.h"
#include "adit/mining/channel.h"

namespace adit {
namespace {

constexpr std::size_t kLevels = 12;
constexpr std::size_t kCoinbaseSize = 300;
constexpr int kShares = 200'000;
constexpr int kRounds = 5;

JobPtr bench_job() {
  auto t = std::make_shared<BlockTemplate>();
  t->height = 850'000;
  t->bits = CompactTarget(0x1b0404cb);
  t->target = Target::from_compact(t->bits).value();
  t->version = 0x20000000;
  t->curtime = 1'700'000'000;
  t->mintime = 1'699'990'000;
  t->coinbase_value = Satoshi(312'500'000);
  t->witness_commitment = Hash256{};
  for (std::size_t i = 1; i < (std::size_t{1} << kLevels); ++i) {
    TemplateTransaction tx;
    store_le(tx.txid.bytes.data(), static_cast<std::uint64_t>(i));
    t->transactions.push_back(tx);
  }
  JobOptions options{.coinbase_tag = "/bench/", .outputs = {{t->coinbase_value, ByteVec(22)}}};
  const auto size = [&] {
    const CoinbaseHalves h =
        build_coinbase({t->height, options.coinbase_tag, options.outputs, t->witness_commitment})
            .value();
    return h.prefix.size() + kExtranonceSize + h.suffix.size();
  };
  while (size() + 9 < kCoinbaseSize) {
    const std::size_t room = kCoinbaseSize - size() - 9;
    options.outputs.push_back({Satoshi(0), ByteVec(std::min<std::size_t>(room, 34))});
  }
  return make_job(JobNumber(1), TipNumber(1), true, std::move(t), options).value();
}

/// SHA-256 blocks in one share: the coinbase from its midstate on, twice hashed; two and one for
/// each merkle level and for the header.
std::size_t blocks_of(const Job& job) {
  const std::size_t front = job.coinbase.prefix.size() / 64;
  const std::size_t all = job.coinbase.prefix.size() + kExtranonceSize + job.coinbase.suffix.size();
  return (all + 9 + 63) / 64 - front + 1 + 3 * job.branch.size() + 3;
}

template <class Work>
double best_nanoseconds(int count, Work work) {
  double best = 1e300;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) work(round * count + i);
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    best = std::min(best, spent.count() / count);
  }
  return best;
}

/// `difficulty` decides what is measured: the lowest accepts every share, a high one refuses all.
double share_cost(const JobPtr& job, const char* difficulty) {
  ChannelPolicy policy;
  policy.vardiff.minimum = *Difficulty::parse("1e-20");
  ExtranonceAllocator prefixes({});
  RecentHashes seen;
  Channel channel(policy, *prefixes.allocate(8), *Difficulty::parse(difficulty), Instant{}, true);
  const IssuedJobId id = channel.publish(job, Instant{});
  ByteVec rolled(8);
  int accepted = 0;
  const double cost = best_nanoseconds(kShares, [&](int i) {
    store_le(rolled.data(), static_cast<std::uint64_t>(i));
    const ShareSubmission share{.job = id, .rolled = rolled, .ntime = 1'700'000'000, .nonce = 7};
    accepted += channel.submit(share, Instant{} + std::chrono::seconds(1), seen).reject ? 0 : 1;
  });
  std::printf("%-28s %8.1f ns/share  (%d of %d accepted)\n", difficulty, cost, accepted,
              kShares * kRounds);
  return cost;
}

double together_cost(const JobPtr& job) {
  constexpr int kTogether = 8;
  ChannelPolicy policy;
  policy.vardiff.minimum = *Difficulty::parse("1e-20");
  ExtranonceAllocator prefixes({});
  RecentHashes seen;
  Channel channel(policy, *prefixes.allocate(8), *Difficulty::parse("1e-18"), Instant{}, true);
  const IssuedJobId id = channel.publish(job, Instant{});
  ByteVec rolled(8);
  std::array<ShareDraft, kTogether> drafts;
  const double cost = best_nanoseconds(kShares / kTogether, [&](int i) {
    for (int k = 0; k < kTogether; ++k) {
      store_le(rolled.data(), static_cast<std::uint64_t>(i * kTogether + k));
      channel.draft({.job = id, .rolled = rolled, .ntime = 1'700'000'000, .nonce = 7}, drafts[k]);
    }
    hash_shares(drafts);
    for (ShareDraft& draft : drafts)
      channel.judge(draft, Instant{} + std::chrono::seconds(1), seen);
  });
  std::printf("%-28s %8.1f ns/share\n", "eight together", cost / kTogether);
  return cost / kTogether;
}

int run() {
  const JobPtr job = bench_job();
  const std::size_t blocks = blocks_of(*job);
  std::printf("coinbase %zu bytes, %zu levels, %zu SHA-256 blocks a share, %s\n",
              job->coinbase.prefix.size() + kExtranonceSize + job->coinbase.suffix.size(),
              job->branch.size(), blocks, std::string(sha256_selected()).c_str());
  ByteVec message(64 * (blocks - 1) + 10);  // as many blocks, as one message
  const double bare = best_nanoseconds(kShares, [&](int i) {
    message[0] = static_cast<std::uint8_t>(i);
    message[1] = sha256(message)[0];
  });
  std::printf("%-28s %8.1f ns\n", "bare blocks", bare);
  const double refused = share_cost(job, "1e6");
  const double accepted = share_cost(job, "1e-18");
  const double together = together_cost(job);
  std::printf("over the bare blocks: refused %.2fx, accepted %.2fx, together %.2fx\n",
              refused / bare, accepted / bare, together / bare);
  return 0;
}

}  // namespace
}  // namespace adit

int main() { return adit::run(); }
