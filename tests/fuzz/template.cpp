// SPDX-License-Identifier: MIT
// What a node, or whoever sits in its place, may answer to getblocktemplate: a template that makes
// a job, or an error. And the wallet's answers beside it.
#include "adit/bitcoin/block.h"
#include "adit/mining/job.h"
#include "adit/node/wallet.h"
#include "fuzz.h"
#include "node/fixture.h"

namespace adit::fuzz {

void one(Bytes input) {
  const std::string_view text = text_of(input);
  NodeOptions options;
  options.network = Network::Regtest;
  const auto parsed = parse_template(text, options, Instant{} + std::chrono::seconds(9));
  if (parsed.ok()) {
    JobOptions job;
    job.outputs = {{(*parsed)->coinbase_value, Script(ByteVec(22, 0x14))}};
    const auto made = make_job(JobNumber(1), TipNumber(1), true, *parsed, job);
    ADIT_CHECK(made.ok() || !made.error().text.empty());
  } else {
    ADIT_CHECK(!parsed.error().text.empty());
  }
  for (const Network network : {Network::Main, Network::Regtest})
    (void)chain_objection(text, network);
  (void)parse_funded(text);
  (void)parse_processed(text);
  (void)parse_finalized(text);
  (void)parse_known_transaction(text);
  (void)parse_block_coinbase(text);
}

std::vector<std::string> seeds() {
  test::TemplateText full = test::bare_template(102, test::hash_number(101), 3'000);
  const Transaction parent = test::make_transaction(Txid{test::hash_number(5).bytes}, 0, true);
  full.add(parent, 1'000);
  full.add(test::make_transaction(parent.txid(), 1, false), 2'000, {1});
  full.commit();
  return {test::bare_template().text(),
          full.text(),
          R"({"chain":"regtest","blocks":101,"headers":101,"initialblockdownload":false})",
          R"({"psbt":"cHNidP8BAFICAAAAAQ==","fee":0.00000141,"changepos":-1})",
          R"({"hex":"0200","complete":true})",
          R"({"confirmations":3,"blockhash":"00","hex":"02"})"};
}

}  // namespace adit::fuzz
