// SPDX-License-Identifier: MIT
#include "adit/mining/job.h"

#include <doctest/doctest.h>

#include "adit/bitcoin/block.h"
#include "mining/fixtures.h"

namespace adit {
namespace {

using test::make_template;
using test::TemplateOptions;

Result<JobPtr> job_of(BlockTemplate t, const JobOptions& options) {
  return make_job(JobNumber(1), TipNumber(1), true, std::make_shared<BlockTemplate>(std::move(t)),
                  options);
}

Extranonce sample_extranonce() {
  Extranonce e{};
  for (std::size_t i = 0; i < e.size(); ++i) e[i] = static_cast<std::uint8_t>(i * 17);
  return e;
}

}  // namespace

TEST_CASE("a job takes over the template and clears the rolling bits of its version") {
  const BlockTemplate t =
      make_template({.transactions = 5, .version = static_cast<std::int32_t>(0x3fffffff)});
  const JobPtr job = job_of(t, test::job_options(t)).value();
  CHECK(static_cast<std::uint32_t>(job->version) == (0x3fffffffu & ~test::kPoolMask));
  CHECK(job->ntime == test::kCurtime);
  CHECK(job->min_ntime == test::kMintime);
  CHECK(job->network_target == t.target);
  CHECK(job->network_difficulty == Difficulty::of(t.target));
  CHECK(job->branch.size() == 3);
  CHECK(job->clean);
  CHECK_FALSE(job->empty);
  CHECK(test::make_test_job(1, 1)->empty);
}

TEST_CASE("a job's first ntime is never below the minimum") {
  BlockTemplate t = make_template();
  t.mintime = t.curtime + 5;
  CHECK(job_of(t, test::job_options(t)).value()->ntime == t.mintime);
}

TEST_CASE("the empty block after a job is promised, and recognised when it comes") {
  const BlockTemplate t = make_template({.height = 209'999, .transactions = 3});
  JobOptions options = test::job_options(t);
  CHECK(job_of(t, options).value()->next == nullptr);
  options.next_outputs = {{block_subsidy(t.network, 210'000), ByteVec(22, 0x14)}};
  const JobPtr job = job_of(t, options).value();
  REQUIRE(job->next != nullptr);
  CHECK(job->next->height == 210'000);
  CHECK_FALSE(is_promised(*job, *job->next));

  BlockTemplate after = make_template({.height = 210'000, .witness = false, .prev = 7});
  after.coinbase_value = block_subsidy(t.network, 210'000);
  CHECK(is_promised(*job_of(after, test::job_options(after)).value(), *job->next));
  after.version ^= 1;
  CHECK_FALSE(is_promised(*job_of(after, test::job_options(after)).value(), *job->next));
  after.version ^= 1;
  after.height += 1;
  after.coinbase_value = block_subsidy(t.network, after.height);
  CHECK_FALSE(is_promised(*job_of(after, test::job_options(after)).value(), *job->next));
}

TEST_CASE("work issued again has another time, near the clock") {
  const JobPtr job = test::make_test_job(1, 1);
  CHECK(job_time(*job, test::kReceived) == job->ntime);
  CHECK(job_time(*job, test::after(-5)) == job->ntime);
  CHECK(job_time(*job, test::after(30)) == job->ntime + 30);
  CHECK(job_time(*job, test::after(100'000)) == job->ntime + 3600);
  CHECK(reissue_time(*job, job->ntime, test::kReceived) == job->ntime + 1);
  CHECK(reissue_time(*job, job->ntime, test::after(30)) == job->ntime + 30);
  CHECK(reissue_time(*job, job->ntime + 500, test::after(30)) == job->ntime + 90);
}

TEST_CASE("outputs must sum to the coinbase value, to the satoshi") {
  const BlockTemplate t = make_template();
  for (const std::int64_t off : {-1, 1}) {
    JobOptions options = test::job_options(t);
    options.outputs[0].value += Satoshi(off);
    const auto job = job_of(t, options);
    REQUIRE_FALSE(job.ok());
    CHECK(job.error().code == ErrorCode::Invalid);
  }
  JobOptions split = test::job_options(t);
  split.outputs[0].value -= Satoshi(7);
  split.outputs.push_back({Satoshi(7), {0x51}});
  CHECK(job_of(t, split).ok());
}

TEST_CASE("bits that are not the target's are refused") {
  BlockTemplate t = make_template();
  const JobOptions options = test::job_options(t);
  t.bits = CompactTarget(0x1d00ffff);
  CHECK_FALSE(job_of(t, options).ok());
  t.bits = CompactTarget(0);
  CHECK_FALSE(job_of(t, options).ok());
}

TEST_CASE("weight and sigops are counted with our coinbase in it") {
  BlockTemplate t = make_template({.transactions = 3});
  const JobOptions options = test::job_options(t);
  const ByteVec block = block_for_proposal(*job_of(t, options).value());
  t.weight_limit = Block::parse(block).value().weight();
  CHECK(job_of(t, options).ok());
  t.weight_limit -= 1;
  REQUIRE_FALSE(job_of(t, options).ok());
  CHECK(job_of(t, options).error().code == ErrorCode::Limit);

  BlockTemplate s = make_template({.transactions = 1});
  s.transactions[0].sigops = 79'996;
  JobOptions sigop = test::job_options(s);
  sigop.outputs[0].script = {0xac};  // OP_CHECKSIG: four in witness scale
  CHECK(job_of(s, sigop).ok());
  s.transactions[0].sigops = 79'997;
  CHECK_FALSE(job_of(s, sigop).ok());
}

TEST_CASE("the header of a share is the one of the whole block, whatever the size") {
  for (const std::size_t transactions : {0, 1, 2, 3, 7, 300}) {
    for (const std::size_t outputs : {1, 3, 400}) {
      for (const bool witness : {false, true}) {
        CAPTURE(transactions);
        CAPTURE(outputs);
        const BlockTemplate t = make_template({.transactions = transactions, .witness = witness});
        JobOptions options = test::job_options(t);
        for (std::size_t i = 1; i < outputs; ++i) {
          options.outputs[0].value -= Satoshi(1000);
          options.outputs.push_back({Satoshi(1000), ByteVec(34, 0x20)});
        }
        const JobPtr job = job_of(t, options).value();
        const HeaderBytes header =
            share_header(*job, sample_extranonce(), 0x2000e000, test::kCurtime + 3, 0x01020304);
        const ByteVec bytes = block_for_submit(*job, header, sample_extranonce());
        const Status checked = check_block(bytes, t.height);
        CHECK_MESSAGE(checked.ok(), (checked.ok() ? "" : checked.error().text));
        const Block block = Block::parse(bytes).value();
        CHECK(block.header.version == 0x2000e000);
        CHECK(block.header.prev == t.prev);
        CHECK(block.header.bits == t.bits);
        CHECK(block.header.time == test::kCurtime + 3);
        CHECK(block.header.nonce == 0x01020304);
        CHECK(block.header.merkle_root == block.compute_merkle_root());
        CHECK(block.transactions.size() == transactions + 1);
        CHECK(block.transactions[0].txid() == coinbase_txid(job->coinbase, sample_extranonce()));
        CHECK(block.serialize() == bytes);
      }
    }
  }
}

TEST_CASE("a proposal is a valid block but for its work") {
  const BlockTemplate t = make_template({.height = 16, .transactions = 9});
  const JobPtr job = job_of(t, test::job_options(t)).value();
  const ByteVec bytes = block_for_proposal(*job);
  CHECK(check_block(bytes, 16).ok());
  const Block block = Block::parse(bytes).value();
  CHECK(block.header.version == job->version);
  CHECK(block.header.time == job->ntime);
  CHECK(block.header.nonce == 0);
}

TEST_CASE("a job comes in smaller sizes: the same work, another coinbase") {
  const BlockTemplate t = make_template({.height = 16, .transactions = 9});
  JobOptions options = test::job_options(t);
  const TxOut one{Satoshi(1'000), ByteVec(22, 0x15)};
  options.outputs[0].value -= one.value;
  options.outputs.push_back(one);
  options.next_outputs = {{block_subsidy(t.network, 17), ByteVec(22, 0x14)}};
  options.plan_weight = 8'000;
  options.terms = "terms";
  options.smaller = {{204, {{t.coinbase_value, ByteVec(22, 0x14)}}, 204},
                     {400, {{t.coinbase_value, ByteVec(22, 0x15)}}, 300}};
  const JobPtr job = job_of(t, options).value();
  REQUIRE(job->smaller.size() == 2);
  CHECK(job_of_size(job, 204) == job->smaller[0].job);
  CHECK(job_of_size(job, 400) == job->smaller[1].job);
  for (const std::uint64_t weight : {0ull, 203ull, 300ull, 8'000ull, ~0ull})
    CHECK(job_of_size(job, weight) == job);
  CHECK(job->smaller[1].job->plan_weight == 300);
  for (const SmallerJob& smaller : job->smaller) {
    const Job& other = *smaller.job;
    CHECK(other.number == job->number);
    CHECK(other.tip == job->tip);
    CHECK(other.clean == job->clean);
    CHECK(other.ntime == job->ntime);
    CHECK(other.block_template == job->block_template);
    CHECK(other.terms == job->terms);
    CHECK(other.smaller.empty());
    CHECK(other.next == nullptr);  // V2's
    CHECK(check_block(block_for_proposal(other), 16).ok());
    CHECK(coinbase_txid(other.coinbase, {}) != coinbase_txid(job->coinbase, {}));
  }
  // An account's own job has no sizes.
  CHECK(vary_job(*job, test::job_options(t)).value()->smaller.empty());
  // One that pays too much spoils the job.
  options.smaller[1].outputs[0].value += Satoshi(1);
  CHECK(job_of(t, options).error().text ==
        "coinbase outputs sum to 312500001 satoshi, the template allows 312500000");
}

}  // namespace adit
