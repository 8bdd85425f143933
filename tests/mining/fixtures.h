// SPDX-License-Identifier: MIT
// Templates, jobs and small things that the tests of this room share.
#pragma once

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "adit/bitcoin/merkle.h"
#include "adit/mining/job.h"

namespace adit::test {

inline constexpr std::uint32_t kRegtestBits = 0x207fffff;
inline constexpr std::uint32_t kCurtime = 1'700'000'000;
inline constexpr std::uint32_t kMintime = kCurtime - 600;
inline constexpr std::uint32_t kPoolMask = 0x1fffe000;
inline const Instant kReceived = Instant{} + std::chrono::hours(5);

inline Instant after(std::int64_t seconds) { return kReceived + std::chrono::seconds(seconds); }

inline Transaction sample_transaction(std::uint32_t seed, bool witness) {
  Transaction tx;
  TxIn in;
  in.previous.txid.bytes.fill(static_cast<std::uint8_t>(seed + 1));
  in.previous.index = seed;
  in.script_sig.assign(seed % 40, 0x51);
  if (witness) in.witness = {ByteVec(72, 0x30), ByteVec(33, 0x02)};
  tx.inputs.push_back(std::move(in));
  tx.outputs.push_back({Satoshi(1000 + seed), ByteVec(22, 0x14)});
  tx.lock_time = seed;
  return tx;
}

struct TemplateOptions {
  std::uint32_t height = 850'000;
  std::size_t transactions = 0;
  bool witness = true;
  std::uint32_t bits = kRegtestBits;
  std::int32_t version = 0x20000000;
  std::uint8_t prev = 1;
};

inline BlockTemplate make_template(const TemplateOptions& options = {}) {
  BlockTemplate t;
  t.network = Network::Regtest;
  t.height = options.height;
  t.prev.bytes.fill(options.prev);
  t.version = options.version;
  t.bits = CompactTarget(options.bits);
  t.target = Target::from_compact(t.bits).value();
  t.curtime = kCurtime;
  t.mintime = kMintime;
  t.coinbase_value = Satoshi(312'500'000);
  t.received = kReceived;
  std::vector<Wtxid> wtxids;
  for (std::uint32_t i = 0; i < options.transactions; ++i) {
    const Transaction tx = sample_transaction(i, options.witness && i % 2 == 0);
    TemplateTransaction entry;
    entry.data = tx.serialize();
    entry.txid = tx.txid();
    entry.wtxid = tx.wtxid();
    entry.fee = Satoshi(500);
    entry.weight = static_cast<std::uint32_t>(tx.weight());
    wtxids.push_back(entry.wtxid);
    t.transactions.push_back(std::move(entry));
  }
  if (options.witness) t.witness_commitment = witness_commitment(wtxids, {});
  return t;
}

inline JobOptions job_options(const BlockTemplate& t) {
  return {kPoolMask, "/adit/", {{t.coinbase_value, ByteVec(22, 0x14)}}};
}

inline JobPtr make_test_job(std::uint32_t number, std::uint32_t tip,
                            const TemplateOptions& options = {}) {
  auto t = std::make_shared<BlockTemplate>(make_template(options));
  const JobOptions o = job_options(*t);
  return make_job(JobNumber(number), TipNumber(tip), true, std::move(t), o).value();
}

}  // namespace adit::test
