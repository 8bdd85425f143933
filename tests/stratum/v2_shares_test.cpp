// SPDX-License-Identifier: MIT
// Acknowledgements, duplicates across channels and protocols, delivery in any pieces, cost.
#include <doctest/doctest.h>

#include "stratum/v2/session.h"
#include "v1_miner.h"
#include "v2_miner.h"

using namespace adit;
using namespace adit::test;
using namespace adit::v2;

namespace {

std::vector<SubmitSharesSuccess> acks_of(const V2Rig& rig) {
  std::vector<SubmitSharesSuccess> acks;
  for (const Said& one : rig.said)
    if (one.is<SubmitSharesSuccess>()) acks.push_back(one.as<SubmitSharesSuccess>());
  return acks;
}

void commit(V2Rig& rig, std::size_t count, std::optional<RejectReason> refused = std::nullopt) {
  rig.link.settle(count, refused);
  rig.hear();
}

}  // namespace

TEST_CASE("accepted shares are acknowledged together, when their commit is reported") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& one = rig.open(false);
  const std::uint32_t first = one.id;
  V2Channel& two = rig.open(true);
  for (std::uint32_t n = 10; n < 15; ++n)
    rig.submit(rig.miner.solve(rig.miner.channels.at(first)), n);
  rig.submit(rig.miner.solve(two), 99);
  CHECK(acks_of(rig).empty());  // not durable yet
  commit(rig, 3);
  REQUIRE(acks_of(rig).size() == 1);
  CHECK(acks_of(rig)[0].channel_id == first);
  CHECK(acks_of(rig)[0].last_sequence_number == 12);
  CHECK(acks_of(rig)[0].new_submits_accepted_count == 3);
  commit(rig, 3);
  REQUIRE(acks_of(rig).size() == 2);
  CHECK(acks_of(rig)[0].last_sequence_number == 14);
  CHECK(acks_of(rig)[0].new_submits_accepted_count == 2);  // of this batch alone
  CHECK(acks_of(rig)[1].channel_id == two.id);
  CHECK(acks_of(rig)[1].last_sequence_number == 99);
  commit(rig, 0);
  CHECK(rig.said.empty());
}

TEST_CASE("an error is told at once, after the acknowledgement of what is durable") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(true);
  const V2Share good = rig.miner.solve(channel);
  rig.submit(good, 1);
  rig.submit(rig.miner.solve(channel), 2);
  rig.submit(good, 3);
  REQUIRE(rig.types() == "1d");
  CHECK(rig.said[0].as<SubmitSharesError>().sequence_number == 3);
  CHECK(rig.said[0].as<SubmitSharesError>().error_code == "duplicate-share");
  // What the ledger refuses is told as an error, too.
  rig.link.settle(1, std::nullopt);
  rig.hear();
  CHECK(rig.types() == "1c");
  commit(rig, 1, RejectReason::Duplicate);
  REQUIRE(rig.types() == "1d");
  CHECK(rig.said[0].as<SubmitSharesError>().sequence_number == 2);
  rig.submit(rig.miner.solve(channel), 4);
  commit(rig, 1, RejectReason::StorageFull);
  CHECK(rig.said[0].as<SubmitSharesError>().error_code == "storage-full");
}

TEST_CASE("shares whose channel is closed before their commit are not spoken of") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(true);
  rig.submit(rig.miner.solve(channel), 1);
  rig.send(CloseChannel{channel.id, ""});
  commit(rig, 1);
  CHECK(rig.said.empty());
  CHECK(rig.link.count<ShareAccepted>() == 1);
}

TEST_CASE("a block behind what closes the session is reported, and nothing else is") {
  V2Pool pool;
  pool.bits = CompactTarget(0x207fffff);
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(true);
  const V2Share block = rig.miner.solve(channel);
  V2Share unknown = block;
  unknown.job_id += 1000;
  for (std::uint32_t i = 0; i < 99; ++i) rig.submit(unknown, i);
  REQUIRE(!rig.link.closed());
  ByteVec bytes;
  for (std::uint32_t i = 0; i < 20; ++i) append(bytes, rig.seal(unknown, 100 + i));
  append(bytes, rig.link.seal_raw(0, 0x7f, {}));
  append(bytes, rig.seal(block, 200));
  rig.link.wire(bytes);
  CHECK(rig.link.closed());
  CHECK(rig.link.count<BlockFound>() == 1);
  CHECK(rig.link.last<BlockFound>().hash == block.hash);
  CHECK(rig.link.count<ShareAccepted>() == 0);
}

TEST_CASE("a target that was raised: fifty shares of the easier jobs at once, then ten a second") {
  V2Pool pool;
  pool.bits = CompactTarget(0x1b0404cb);
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(true);
  const V2Channel easy = channel;
  rig.send(UpdateChannel{channel.id, 1e9f, Target::max()});
  CHECK(channel.target < easy.target);
  V2Channel late = easy;
  const auto flood = [&](double time) {
    int accepted = 0;
    for (std::uint32_t i = 0; i < 200; ++i) {
      const std::string verdict = rig.judge(rig.miner.solve(late), i, at(time));
      accepted += verdict == "accepted" ? 1 : 0;
      if (verdict != "accepted") CHECK((verdict == "too-fast" || verdict == "closed"));
    }
    return accepted;
  };
  CHECK(flood(1) == 50);
  CHECK(flood(2) == 10);
  CHECK(!rig.link.closed());
  CHECK(flood(20) == 50);
  CHECK(rig.link.closed());  // what was on its way has long come
}

TEST_CASE("UpdateChannel again and again does not keep a channel easy") {
  V2Pool pool;
  pool.bits = CompactTarget(0x1b0404cb);
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(true);
  const Target harder = Difficulty::parse("3e-8")->to_target();
  for (std::uint32_t i = 0; i < 1000 && channel.target > harder; ++i) {
    if (i % 20 == 0)
      rig.send(UpdateChannel{channel.id, i % 40 == 0 ? 2.f : 20.f, Target::max()}, at(1));
    rig.judge(rig.miner.solve(channel), i, at(1));
    commit(rig, rig.link.unsettled());
  }
  CHECK(channel.target <= harder);
  CHECK(rig.link.count<ShareAccepted>() < 300);
}

TEST_CASE("new_shares_sum is the batch's difficulty; fractions go to the next") {
  const Work share = Work::of(Difficulty::parse("2.5")->to_target());
  Work waiting;
  std::uint64_t total = 0;
  for (int i = 0; i < 1000; ++i) {
    waiting += share;
    const std::uint64_t said = take_difficulty(waiting);
    CHECK((said == 2 || said == 3));
    total += said;
  }
  const Uint128 one = Work::of(Target::difficulty_one()).value();
  CHECK(Uint128{total} == 1000 * share.value() / one);
  CHECK((total == 2499 || total == 2500));
  for (int i = 0; i < 100; ++i) waiting += Work::of(Difficulty::parse("1e12")->to_target());
  CHECK(take_difficulty(waiting) / 1'000'000 == 100'000'000);
}

TEST_CASE("the sum of real shares at a high difficulty") {
  V2Pool pool;
  pool.fix_difficulty("0.0004");  // 1.7 million hashes a share
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(false);
  rig.submit(rig.miner.solve(channel), 1);
  commit(rig, 1);
  REQUIRE(acks_of(rig).size() == 1);
  CHECK(acks_of(rig)[0].new_shares_sum == 0);
  CHECK(rig.link.last<ShareAccepted>().work == Work::of(channel.target));
}

TEST_CASE("one proof is credited once: in one channel, in another one, after closing, in V1") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  V2Rig rig(pool), other(pool);
  V2Channel& channel = rig.open(true);
  const V2Share share = rig.miner.solve(channel, {.ntime_offset = 100});
  CHECK(rig.judge(share, 1) == "accepted");
  CHECK(rig.judge(share, 2) == "duplicate-share");
  // Under a new job of the same template the header is the same.
  rig.send(UpdateChannel{channel.id, 0, Target::max()});
  V2Share again = share;
  again.job_id = channel.current;
  CHECK(rig.judge(again, 3) == "duplicate-share");
  // Every other stream of work has another prefix, so the same words are another header there.
  std::set<ByteVec> prefixes{channel.prefix};
  CHECK(prefixes.insert(other.open(true).prefix).second);
  rig.miner.forget(channel.id);
  rig.send(CloseChannel{share.channel_id, ""});
  CHECK(prefixes.insert(rig.open(true).prefix).second);
  Connection v1(pool);
  v1.send(
      "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n"
      "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"" +
      std::string(kAlice) + "\",\"x\"]}\n");
  TestMiner old;
  for (const std::string& line : v1.take()) old.hear(line);
  CHECK(prefixes.insert(*from_hex(old.extranonce1)).second);
  // Both protocols look into one memory of hashes: a V1 proof that V2 had first is a duplicate.
  const Solution solution = old.solve(old.job(), 1);
  CHECK(pool.seen.insert(solution.hash));
  v1.take();
  CHECK(v1.ask(TestMiner::submit(kAlice, solution)).find("[22,") != std::string::npos);
  CHECK(!pool.seen.insert(share.hash));
}

TEST_CASE("a whole conversation, byte by byte and in any two pieces, has the same answers") {
  const auto fresh = [] {
    auto pool = std::make_unique<V2Pool>();
    pool->fix_difficulty("1e-9");
    pool->next_tip();
    return pool;
  };
  ByteVec sent, heard;
  std::size_t accepted = 0;
  {
    const auto pool = fresh();
    V2Rig rig(*pool);
    const std::uint8_t two[] = {2, 0};
    rig.send(RequestExtensions{1, {two}});
    const std::uint32_t standard = rig.open(false).id;
    V2Channel& extended = rig.open(true);
    const V2Share share = rig.miner.solve(extended);
    rig.submit(share, 1);
    rig.submit(share, 2);
    rig.submit(rig.miner.solve(rig.miner.channels.at(standard)), 3);
    rig.send(UpdateChannel{standard, 1e3f, Target::max()});
    rig.submit(rig.miner.solve(rig.miner.channels.at(standard)), 4);
    rig.submit(rig.miner.solve(extended), 5, at(0), *from_hex("02000102006162"));
    rig.link.wire(rig.link.seal_raw(0x4444, 1, {}));
    rig.send(CloseChannel{standard, "bye"});
    rig.submit(rig.miner.solve(rig.miner.channels.at(standard)), 6);
    sent = rig.link.sent();
    heard = rig.link.heard();
    accepted = rig.link.count<ShareAccepted>();
  }
  REQUIRE(accepted == 4);
  const auto replay = [&](const std::vector<std::size_t>& cuts) {
    const auto pool = fresh();
    // The client's key was drawn from the pool's source; the server's answer goes on behind it.
    (void)EllSwiftKey::generate(pool->random.source());
    const auto session = make_session(pool->context, pool->job, at(0));
    std::vector<SessionEvent> events;
    std::size_t from = 0;
    for (const std::size_t to : cuts) {
      session->receive(Bytes(sent).subspan(from, to - from), at(0));
      session->finish_turn(at(0));
      session->take_events(events);
      from = to;
    }
    ByteVec said;
    std::array<Bytes, 4> parts;
    while (const std::size_t n = session->outbox().gather(parts)) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < n; ++i) {
        append(said, parts[i]);
        size += parts[i].size();
      }
      session->outbox().consume(size);
    }
    const auto shares = std::ranges::count_if(events, [](const SessionEvent& event) {
      return std::holds_alternative<ShareAccepted>(event);
    });
    if (said != heard || static_cast<std::size_t>(shares) != accepted)
      FAIL("differs when cut at " << cuts[0]);
  };
  std::vector<std::size_t> each;
  for (std::size_t cut = 1; cut <= sent.size(); ++cut) each.push_back(cut);
  replay(each);
  replay({sent.size()});
  for (std::size_t cut = 1; cut < sent.size(); ++cut) replay({cut, sent.size()});
}

TEST_CASE("a flipped bit, a replay, a swap: the connection ends and nothing is executed") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  const auto broken = [&](auto change) {
    V2Rig rig(pool);
    V2Channel& channel = rig.open(false);
    const ByteVec first = rig.seal(rig.miner.solve(channel), 1);
    const ByteVec second = rig.seal(rig.miner.solve(channel), 2);
    rig.link.wire(change(first, second));
    CHECK(rig.link.closed());
    CHECK(rig.link.take().empty());
    return rig.link.count<ShareAccepted>();
  };
  const auto joined = [](ByteVec a, const ByteVec& b) {
    append(a, b);
    return a;
  };
  for (const std::size_t at_byte : {0u, 5u, 21u, 22u, 40u, 61u}) {
    CHECK(broken([&](ByteVec a, const ByteVec&) {
            a[at_byte] ^= 1;
            return a;
          }) == 0);
  }
  CHECK(broken([&](const ByteVec& a, const ByteVec& b) {
          ByteVec changed = b;
          changed[30] ^= 1;
          return joined(a, changed);
        }) == 1);  // what came whole before it counts
  CHECK(broken([&](const ByteVec& a, const ByteVec& b) { return joined(b, a); }) == 0);
  CHECK(broken([&](const ByteVec& a, const ByteVec&) { return joined(a, a); }) == 1);
}

TEST_CASE("many shares in one segment are judged as one by one") {
  for (const bool extended : {false, true}) {
    std::vector<std::string> verdicts[2];
    for (const bool together : {false, true}) {
      V2Pool pool;
      pool.fix_difficulty("1e-9");
      pool.next_tip();
      V2Rig rig(pool);
      const std::uint32_t first = rig.open(extended).id, second = rig.open(false).id;
      ByteVec segment;
      const auto add = [&](const V2Share& share, std::uint32_t sequence) {
        const ByteVec sealed = rig.seal(share, sequence);
        if (together)
          append(segment, sealed);
        else
          rig.link.wire(sealed);
      };
      for (std::uint32_t n = 0; n < 21; ++n) {
        V2Channel& channel = rig.miner.channels.at(n % 3 == 2 ? second : first);
        V2Share share = rig.miner.solve(channel);
        if (n % 7 == 3) share.job_id = 999;
        if (n % 7 == 5) share.channel_id = 999;
        if (n % 7 == 6) share.version ^= 1;
        add(share, n);
        if (n % 5 == 4) add(share, 100 + n);  // twice
      }
      if (together) rig.link.wire(segment);
      for (const Said& one : rig.link.take())
        if (one.is<SubmitSharesError>()) {
          const auto m = one.as<SubmitSharesError>();
          verdicts[together].push_back(std::to_string(m.sequence_number) + " " +
                                       std::string(m.error_code));
        }
      verdicts[together].push_back(std::to_string(rig.link.count<ShareAccepted>()));
      rig.link.settle_all();
      rig.hear();
      for (const SubmitSharesSuccess& ack : acks_of(rig))
        verdicts[together].push_back(std::to_string(ack.channel_id) + " " +
                                     std::to_string(ack.last_sequence_number) + " " +
                                     std::to_string(ack.new_submits_accepted_count));
    }
    CHECK(verdicts[0] == verdicts[1]);
    CHECK(verdicts[0].size() > 10);
  }
}

TEST_CASE("a flood in one segment ends in one new target behind the shares it was judged by") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(false);
  const Target before = channel.target;
  ByteVec segment;
  for (std::uint32_t n = 0; n < 40; ++n) append(segment, rig.seal(rig.miner.solve(channel), n));
  rig.link.wire(segment, at(1));
  rig.hear();
  CHECK(rig.link.count<ShareAccepted>() == 40);
  CHECK(rig.link.last<ShareAccepted>().work == Work::of(before));
  CHECK(rig.types().ends_with("21 15"));
  CHECK(channel.target < before);
}
