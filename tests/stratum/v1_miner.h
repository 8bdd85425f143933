// SPDX-License-Identifier: MIT
// TestMiner: a V1 miner that knows only what the pool wrote on the wire, and hashes for real. It
// builds the coinbase and the header from the texts itself, so that it is a twin of the pool's own
// encoding.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "adit/base/bytes.h"
#include "adit/bitcoin/header.h"
#include "adit/crypto/sha256.h"

namespace adit::test {

struct MinerJob {
  std::string id, prevhash, coinbase1, coinbase2, version, bits, ntime;
  std::vector<std::string> branch;
  bool clean = false;
  Difficulty difficulty;
  std::string extranonce1;  ///< as the pool had said it last before this job
  std::size_t extranonce2_size = 0;
};

struct Solution {
  std::string job, extranonce2, ntime, nonce, bits;  ///< `bits` is empty without version rolling
  BlockHash hash;
};

class TestMiner {
 public:
  std::string extranonce1;
  std::size_t extranonce2_size = 0;
  std::uint32_t mask = 0;
  bool rolling = false;
  Difficulty difficulty;
  std::vector<MinerJob> jobs;

  void hear(const std::string& line) {
    simdjson::dom::parser parser;
    const simdjson::dom::element root = parser.parse(line);
    std::string_view method;
    if (root["method"].get(method) == simdjson::SUCCESS) return hear_notification(root, method);
    hear_result(root);
  }

  /// Tries nonces until the hash meets (or, `below`, misses) the job's difficulty.
  Solution solve(const MinerJob& job, std::uint64_t roll, std::uint32_t bits = 0,
                 bool below = false) const {
    Solution found{job.id, hex_of(job, roll), job.ntime, "", rolling ? hex32(bits) : "", {}};
    HeaderBytes header = header_of(job, found.extranonce2, *hex_u32(job.ntime), bits);
    const Target target = job.difficulty.to_target();
    for (std::uint32_t nonce = 0;; ++nonce) {
      store_le(header.data() + 76, nonce);
      found.hash = {sha256d_80(header.data())};
      if (meets(found.hash, target) == below) continue;
      found.nonce = hex32(nonce);
      return found;
    }
  }
  const MinerJob& job() const { return jobs.back(); }

  static std::string submit(std::string_view user, const Solution& s, std::string_view id = "4") {
    std::string line = "{\"id\":" + std::string(id) +
                       ",\"method\":\"mining.submit\",\"params\":[\"" + std::string(user) +
                       "\",\"" + s.job + "\",\"" + s.extranonce2 + "\",\"" + s.ntime + "\",\"" +
                       s.nonce + "\"";
    if (!s.bits.empty()) line += ",\"" + s.bits + "\"";
    return line + "]}";
  }
  static std::string hex32(std::uint32_t value) {
    std::uint8_t bytes[4];
    store_be32(bytes, value);
    return to_hex(bytes);
  }
  static std::string hex_of(const MinerJob& job, std::uint64_t roll) {
    std::uint8_t bytes[8];
    store_be64(bytes, roll);
    return to_hex(Bytes(bytes).last(job.extranonce2_size));
  }

  HeaderBytes header_of(const MinerJob& job, const std::string& extranonce2, std::uint32_t ntime,
                        std::uint32_t bits) const {
    ByteVec coinbase = *from_hex(job.coinbase1 + job.extranonce1 + extranonce2 + job.coinbase2);
    Digest root = sha256d(coinbase);
    for (const std::string& text : job.branch) {
      ByteVec pair(root.begin(), root.end());
      append(pair, *from_hex(text));
      root = sha256d(pair);
    }
    HeaderBytes header{};
    store_le(header.data(), (*hex_u32(job.version) & ~mask) | bits);
    for (std::size_t word = 0; word < 8; ++word)
      store_le(header.data() + 4 + 4 * word,
               *hex_u32(std::string_view(job.prevhash).substr(8 * word, 8)));
    std::copy(root.begin(), root.end(), header.begin() + 36);
    store_le(header.data() + 68, ntime);
    store_le(header.data() + 72, *hex_u32(job.bits));
    return header;
  }

 private:
  static std::string text(simdjson::dom::element value) {
    return std::string(std::string_view(value));
  }
  void hear_notification(const simdjson::dom::element& root, std::string_view method) {
    const simdjson::dom::array params = root["params"];
    if (method == "mining.set_difficulty") {
      difficulty = *Difficulty::parse(simdjson::minify(params.at(0)));
    }
    if (method == "mining.set_extranonce") {
      extranonce1 = text(params.at(0));
      extranonce2_size = std::uint64_t(params.at(1));
    }
    if (method != "mining.notify") return;
    MinerJob job;
    std::string* const places[] = {&job.id, &job.prevhash, &job.coinbase1, &job.coinbase2};
    for (std::size_t i = 0; i < 4; ++i) *places[i] = text(params.at(i));
    for (const auto hash : simdjson::dom::array(params.at(4))) job.branch.push_back(text(hash));
    job.version = text(params.at(5));
    job.bits = text(params.at(6));
    job.ntime = text(params.at(7));
    job.clean = params.at(8);
    job.difficulty = difficulty;
    job.extranonce1 = extranonce1;
    job.extranonce2_size = extranonce2_size;
    jobs.push_back(job);
  }
  void hear_result(const simdjson::dom::element& root) {
    simdjson::dom::array subscription;
    if (root["result"].get(subscription) == simdjson::SUCCESS && subscription.size() == 3) {
      extranonce1 = text(subscription.at(1));
      extranonce2_size = std::uint64_t(subscription.at(2));
    }
    simdjson::dom::object configured;
    std::string_view mask_text;
    if (root["result"].get(configured) == simdjson::SUCCESS &&
        configured["version-rolling.mask"].get(mask_text) == simdjson::SUCCESS) {
      mask = *hex_u32(mask_text);
      rolling = true;
    }
  }
};

}  // namespace adit::test
