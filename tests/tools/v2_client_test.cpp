// SPDX-License-Identifier: MIT
// The miner's half of Stratum V2 against the pool's own session, without sockets: what one side
// says the other one understands, and every share is hashed by both.
#include <doctest/doctest.h>

#include <algorithm>

#include "adit/crypto/sha256.h"
#include "adit/stratum/v2/key_text.h"
#include "client/open_shares.h"
#include "client/pool_target.h"
#include "v2_pool.h"

using namespace adit;
using namespace adit::client;
using namespace adit::test;

namespace {

V2Options kind(bool extended) {
  V2Options options;
  options.extended = extended;
  return options;
}

/// A nonce whose header meets the work's target; or, with `wrong`, does not.
std::uint32_t find_nonce(const MinerWork& work, Bytes extranonce2, std::uint32_t version_bits,
                         std::uint32_t first = 0, bool wrong = false) {
  HeaderBytes header = header_of(work, merkle_root_of(work, extranonce2), version_bits);
  for (std::uint32_t nonce = first;; ++nonce) {
    store_le(header.data() + 76, nonce);
    if (meets(BlockHash{sha256d_80(header.data())}, work.target) != wrong) return nonce;
  }
}

template <class What>
std::vector<What> events_of(const V2Wire& wire) {
  std::vector<What> out;
  for (const SessionEvent& event : wire.events)
    if (const auto* one = std::get_if<What>(&event)) out.push_back(*one);
  return out;
}

}  // namespace

TEST_CASE("shares of both kinds of channel are hashed alike on both sides") {
  for (const bool extended : {false, true}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}}) {
      CAPTURE(extended);
      CAPTURE(piece);
      V2Pool pool;
      pool.new_tip();
      pool.refresh();
      const Login login = V2Wire::login();
      V2Wire wire(pool, login, kind(extended), piece);
      REQUIRE(wire.talk.ready());
      CHECK(wire.count(Heard::Secured) == 1);
      CHECK(wire.count(Heard::Authorised) == 1);
      CHECK(wire.count(Heard::Malformed) == 0);
      const WorkPtr work = wire.talk.work();
      CHECK(work->job.clean);
      CHECK(work->job.prev == pool.job->block_template->prev);
      CHECK(work->job.bits == pool.job->block_template->bits);
      CHECK(work->job.ntime == pool.job->ntime);
      CHECK(work->extranonce2_size == (extended ? 8 : 0));
      CHECK(work->root.has_value() == !extended);
      const ByteVec extranonce2 = extranonce2_of(0x0102030405060708, work->extranonce2_size);
      const std::uint32_t bits = 0x00246000;
      const std::uint32_t nonce = find_nonce(*work, extranonce2, bits);
      wire.submit(*work, extranonce2, nonce, bits);
      HeaderBytes header = header_of(*work, merkle_root_of(*work, extranonce2), bits);
      store_le(header.data() + 76, nonce);
      REQUIRE(events_of<ShareAccepted>(wire).size() == 1);
      CHECK(events_of<ShareAccepted>(wire)[0].hash == BlockHash{sha256d_80(header.data())});
    }
  }
}

TEST_CASE("the server must be signed by the authority of the URL") {
  V2Pool pool;
  pool.new_tip();
  const Login login = V2Wire::login();
  V2Options options = kind(true);
  options.authority = pool.keeper.authority();
  V2Wire good(pool, login, options);
  CHECK(good.talk.ready());
  REQUIRE(good.talk.certificate().has_value());
  CHECK(good.talk.certificate()->version == 0);
  options.authority->bytes[5] ^= 1;
  V2Wire bad(pool, login, options);
  CHECK_FALSE(bad.talk.authorised());
  REQUIRE(bad.count(Heard::Broken) == 1);
  CHECK(bad.count(Heard::Secured) == 0);
}

TEST_CASE("a wrong byte ends the connection, and nothing is heard after it") {
  V2Pool pool;
  pool.new_tip();
  const Login login = V2Wire::login();
  V2Wire wire(pool, login, kind(false));
  wire.take();
  const ByteVec noise(64, 7);
  Bytes rest(noise);
  std::string out;
  const auto event = wire.talk.hear(rest, kCertified, out);
  REQUIRE(event.has_value());
  CHECK(event->what == Heard::Broken);
  CHECK_FALSE(wire.talk.hear(rest, kCertified, out).has_value());
  CHECK(rest.empty());
  CHECK(out.empty());
}

TEST_CASE("many shares are accepted by one answer, a bad one by its own") {
  V2Pool pool;
  pool.new_tip();
  const Login login = V2Wire::login();
  V2Wire wire(pool, login, kind(false));
  const WorkPtr work = wire.talk.work();
  OpenShares<int> open(true);
  std::uint32_t nonce = 0;
  for (int i = 0; i < 5; ++i) {
    nonce = find_nonce(*work, {}, 0, nonce);
    open.push(wire.submit(*work, {}, nonce++), i);
  }
  wire.take();
  wire.settle_all();
  auto heard = wire.take();
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].what == Heard::Accepted);
  CHECK(heard[0].count == 5);
  std::vector<int> gone;
  CHECK(open.settle(heard[0], [&](const auto& sent) { gone.push_back(sent.at); }));
  CHECK(gone == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(open.empty());

  open.push(wire.submit(*work, {}, find_nonce(*work, {}, 0, 0, true)), 5);
  heard = wire.take();
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].what == Heard::Rejected);
  CHECK(heard[0].text == "difficulty-too-low");
  CHECK(open.settle(heard[0], [](const auto&) {}));
  CHECK(open.empty());
  wire.submit(*work, {}, nonce - 1);  // the last good one again
  CHECK(wire.take()[0].text == "duplicate-share");
  const MinedChannel::Account& account = wire.talk.channels()[0].account;
  CHECK(account.accepted == 5);
  CHECK(account.rejected == 2);
}

TEST_CASE("an answer that counts wrong is seen") {
  OpenShares<int> open(true);
  for (std::uint64_t id = 1; id <= 4; ++id) open.push(id, 0);
  const auto nothing = [](const auto&) {};
  CHECK(open.settle({.what = Heard::Rejected, .id = 2}, nothing));
  CHECK(open.settle({.what = Heard::Accepted, .id = 3, .count = 2}, nothing));
  CHECK_FALSE(open.settle({.what = Heard::Accepted, .id = 4, .count = 2}, nothing));
  CHECK_FALSE(open.settle({.what = Heard::Accepted, .id = 9, .count = 0}, nothing));
  CHECK_FALSE(open.settle({.what = Heard::Rejected, .id = 9}, nothing));
  OpenShares<int> one_by_one(false);
  for (std::uint64_t id = 1; id <= 2; ++id) one_by_one.push(id, 0);
  CHECK_FALSE(one_by_one.settle({.what = Heard::Accepted, .id = 2}, nothing));
  CHECK(one_by_one.settle({.what = Heard::Accepted, .id = 1}, nothing));
}

TEST_CASE("on a new tip the job held ahead goes on, and old work is stale") {
  for (const bool extended : {false, true}) {
    CAPTURE(extended);
    V2Pool pool;
    pool.new_tip();
    const Login login = V2Wire::login();
    V2Wire wire(pool, login, kind(extended));
    const WorkPtr before = wire.talk.work();
    wire.publish(pool.refresh());
    const WorkPtr full = wire.talk.work();
    CHECK(full != before);
    CHECK_FALSE(full->job.clean);
    wire.take();
    wire.publish(pool.new_tip());
    // One message: the empty block was promised before.
    REQUIRE(wire.take().size() == 1);
    const WorkPtr after = wire.talk.work();
    CHECK(after->job.clean);
    CHECK(after->job.prev == pool.job->block_template->prev);
    const ByteVec extranonce2(after->extranonce2_size);
    wire.submit(*after, extranonce2, find_nonce(*after, extranonce2, 0));
    CHECK(events_of<ShareAccepted>(wire).size() == 1);
    wire.submit(*full, extranonce2, find_nonce(*full, extranonce2, 0));
    CHECK(wire.count(Heard::Rejected) == 1);
    CHECK(wire.take().back().text == "stale-share");
  }
}

TEST_CASE("a new target holds for later jobs only") {
  V2Pool pool("1e-4");
  pool.new_tip();
  const Login login = V2Wire::login();
  V2Wire wire(pool, login, kind(true));
  const WorkPtr hard = wire.talk.work();
  CHECK(hard->difficulty == *Difficulty::parse("1e-4"));
  // Silence makes the pool look for an easier target.
  wire.expire(Instant{} + std::chrono::seconds(60));
  const WorkPtr easy = wire.talk.work();
  REQUIRE(easy != hard);
  CHECK(easy->target > hard->target);
  CHECK(hard->difficulty == *Difficulty::parse("1e-4"));
  CHECK(easy->job_number != hard->job_number);
  const ByteVec extranonce2(8);
  // The old job takes nothing easier than it said.
  HeaderBytes header = header_of(*hard, merkle_root_of(*hard, extranonce2), 0);
  std::uint32_t nonce = 0;
  for (BlockHash hash;; ++nonce) {
    store_le(header.data() + 76, nonce);
    hash = BlockHash{sha256d_80(header.data())};
    if (meets(hash, easy->target) && !meets(hash, hard->target)) break;
  }
  wire.take();
  wire.submit(*hard, extranonce2, nonce);
  CHECK(wire.take()[0].text == "difficulty-too-low");
  wire.submit(*easy, extranonce2, find_nonce(*easy, extranonce2, 0));
  CHECK(wire.count(Heard::Rejected) == 0);
}

TEST_CASE("several channels of one connection share jobs and keep their own extranonces") {
  for (const bool extended : {false, true}) {
    CAPTURE(extended);
    V2Pool pool;
    pool.new_tip();
    const Login login = V2Wire::login();
    V2Options options = kind(extended);
    options.channels = 3;
    options.header_only = false;
    V2Wire wire(pool, login, options);
    REQUIRE(wire.talk.ready());
    wire.publish(pool.refresh());
    wire.publish(pool.new_tip());
    wire.publish(pool.refresh());
    CHECK(wire.count(Heard::Malformed) == 0);
    const auto& channels = wire.talk.channels();
    REQUIRE(channels.size() == 3);
    for (const MinedChannel& channel : channels) {
      const WorkPtr work = channel.work();
      REQUIRE(work != nullptr);
      CHECK(work->job_number == channels[0].work()->job_number);
      const ByteVec extranonce2(work->extranonce2_size);
      wire.submit(*work, extranonce2, find_nonce(*work, extranonce2, 0));
    }
    CHECK(events_of<ShareAccepted>(wire).size() == 3);
    wire.take();
    wire.settle_all();
    CHECK(wire.count(Heard::Accepted) == 3);
    for (const MinedChannel& channel : channels) CHECK(channel.account.accepted == 1);
  }
}

TEST_CASE("the pool's refusals carry its reasons") {
  V2Pool pool;
  pool.new_tip();
  Login nobody = V2Wire::login();
  nobody.user = "nobody";
  V2Wire unknown(pool, nobody, kind(false));
  REQUIRE(unknown.count(Heard::Refused) == 1);
  CHECK(unknown.take().back().text == "unknown-user");
  const Login login = V2Wire::login();
  V2Options greedy = kind(true);
  greedy.min_extranonce_size = 15;
  V2Wire wire(pool, login, greedy);
  REQUIRE(wire.count(Heard::Refused) == 1);
  CHECK(wire.take().back().text == "min-extranonce-size-too-large");
}

TEST_CASE("a pool without work yet lets the miner wait") {
  V2Pool pool;
  const Login login = V2Wire::login();
  V2Wire wire(pool, login, kind(false));
  CHECK(wire.talk.authorised());
  CHECK_FALSE(wire.talk.ready());
  wire.publish(pool.new_tip());
  CHECK(wire.talk.ready());
}

TEST_CASE("who dozes hears of new tips and of nothing else") {
  V2Pool pool;
  pool.new_tip();
  const Login login = V2Wire::login();
  V2Wire wire(pool, login, kind(false));
  wire.talk.doze();
  const WorkPtr before = wire.talk.work();
  wire.take();
  wire.publish(pool.refresh());
  CHECK(wire.count(Heard::NewTip) == 0);
  wire.publish(pool.new_tip());
  CHECK(wire.count(Heard::NewTip) == 1);
  CHECK(wire.talk.work() == before);
}

TEST_CASE("jobs that cannot be mined are said to be so") {
  v2::OpenStandardMiningChannelSuccess opened;
  opened.channel_id = 5;
  opened.group_channel_id = 4;
  MinedChannel channel(opened, true);
  CHECK(channel.is_meant_by(5));
  CHECK(channel.is_meant_by(4));
  CHECK_FALSE(channel.is_meant_by(3));
  v2::NewMiningJob now{.channel_id = 5, .job_id = 1, .min_ntime = 7, .version = 0x20000000};
  CHECK(channel.add(now) == MinedChannel::Took::Unusable);
  CHECK_FALSE(channel.start({.channel_id = 5, .job_id = 1}));
  v2::NewMiningJob later = now;
  later.min_ntime.reset();
  for (std::uint32_t id = 10; id < 10 + MinedChannel::kFutureJobs + 1; ++id) {
    later.job_id = id;
    CHECK(channel.add(later) == MinedChannel::Took::Held);
  }
  CHECK_FALSE(channel.start({.channel_id = 5, .job_id = 10}));  // made room
  CHECK(channel.start({.channel_id = 5, .job_id = 11, .min_ntime = 9}));
  CHECK(channel.work()->job.ntime == 9);
  CHECK_FALSE(channel.work()->version_mask.has_value());
  CHECK_FALSE(channel.start({.channel_id = 5, .job_id = 12}));  // forgotten with the tip
  CHECK(channel.add(now) == MinedChannel::Took::Active);
  CHECK(channel.work()->job.ntime == 7);
}

TEST_CASE("a pool's URL says the protocol and the key") {
  PoolTarget target;
  REQUIRE(parse_pool_url("pool.example:3333", true, target));
  CHECK(target.protocol == Protocol::V1);
  REQUIRE(parse_pool_url("stratum+tcp://pool.example:3333/", false, target));
  CHECK(target.protocol == Protocol::V1);
  const std::string key = "9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh";
  REQUIRE(parse_pool_url("stratum2+tcp://[::1]:3334/" + key, false, target));
  CHECK(target.protocol == Protocol::V2Standard);
  CHECK(target.endpoint.host == "::1");
  CHECK(target.endpoint.port == 3334);
  REQUIRE(target.authority.has_value());
  CHECK(v2::authority_key_text(*target.authority) == key);
  REQUIRE(parse_pool_url("stratum2+tcp://pool.example:3334", true, target));
  CHECK(target.protocol == Protocol::V2Extended);
  CHECK_FALSE(target.authority.has_value());
  CHECK_FALSE(parse_pool_url("stratum2+tcp://pool.example:3334/" + key + "x", true, target));
  CHECK_FALSE(parse_pool_url("stratum2+tcp:///" + key, true, target));
}
