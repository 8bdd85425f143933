// SPDX-License-Identifier: MIT
// The networks' constants and the subsidy.
#include "adit/bitcoin/network.h"

#include <doctest/doctest.h>

#include "adit/bitcoin/header.h"

using namespace adit;

TEST_CASE("network: names") {
  for (const Network n : {Network::Main, Network::Testnet4, Network::Signet, Network::Regtest}) {
    CHECK(network_from_name(network_name(n)) == n);
    CHECK(network_name(n) == network_chain_name(n));
  }
  CHECK_FALSE(network_from_name("mainnet"));
  CHECK_FALSE(network_from_name("Main"));
  CHECK_FALSE(network_from_name(""));
}

TEST_CASE("network: genesis hashes, two of them from their headers") {
  BlockHeader header;
  header.version = 1;
  header.merkle_root =
      *MerkleRoot::from_hex("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b");
  header.time = 1231006505;
  header.bits = CompactTarget(0x1d00ffff);
  header.nonce = 2083236893;
  CHECK(header.hash() == genesis_hash(Network::Main));
  header.time = 1296688602;
  header.bits = CompactTarget(0x207fffff);
  header.nonce = 2;
  CHECK(header.hash() == genesis_hash(Network::Regtest));
  header.time = 1598918400;
  header.bits = CompactTarget(0x1e0377ae);
  header.nonce = 52613770;
  CHECK(header.hash() == genesis_hash(Network::Signet));
  CHECK(genesis_hash(Network::Testnet4).hex() ==
        "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043");
}

TEST_CASE("network: subsidy and halvings") {
  const auto main = [](std::uint32_t height) {
    return block_subsidy(Network::Main, height).value();
  };
  CHECK(main(0) == 50 * kCoin);
  CHECK(main(209'999) == 50 * kCoin);
  CHECK(main(210'000) == 25 * kCoin);
  CHECK(main(840'000) == 312'500'000);
  CHECK(main(6'719'999) == 2);
  CHECK(main(6'720'000) == 1);
  CHECK(main(6'929'999) == 1);
  CHECK(main(6'930'000) == 0);
  CHECK(main(64 * 210'000) == 0);
  CHECK(main(0xffffffff) == 0);
  CHECK(block_subsidy(Network::Regtest, 149).value() == 50 * kCoin);
  CHECK(block_subsidy(Network::Regtest, 150).value() == 25 * kCoin);
  CHECK(block_subsidy(Network::Testnet4, 210'000).value() == 25 * kCoin);
  std::int64_t all = 0;
  for (std::uint32_t h = 0; h < 34; ++h) all += main(h * 210'000) * 210'000;
  CHECK(all == 2'099'999'997'690'000);
}

TEST_CASE("network: retargets") {
  CHECK(retarget_interval(Network::Main) == 2016);
  CHECK(retarget_interval(Network::Testnet4) == 2016);
  CHECK(retarget_interval(Network::Signet) == 2016);
  CHECK(retarget_interval(Network::Regtest) == 0);
  CHECK(allows_minimum_difficulty_blocks(Network::Testnet4));
  CHECK_FALSE(allows_minimum_difficulty_blocks(Network::Main));
}

TEST_CASE("Satoshi: arithmetic") {
  Satoshi sum(3);
  sum += Satoshi(4);
  sum -= Satoshi(8);
  CHECK(sum.value() == -1);
  CHECK(Satoshi(1) + kMaxMoney > kMaxMoney);
}
