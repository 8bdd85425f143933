// SPDX-License-Identifier: MIT
// The V2 session: greetings, opening and closing channels, quotas, names, deadlines, memory.
#include <doctest/doctest.h>

#include <cmath>

#include "stratum/v2/session.h"
#include "v2_miner.h"

using namespace adit;
using namespace adit::test;
using namespace adit::v2;

namespace {

using Flags = std::uint32_t;
constexpr Flags kAllFlags = 7;

/// The answer to a SetupConnection: "" for Success, else the code; flags of either.
std::pair<std::string, Flags> greet(V2Pool& pool, const SetupConnection& setup) {
  V2Link link(pool);
  link.send(setup);
  const auto said = link.take();
  REQUIRE(said.size() == 1);
  if (said[0].is<SetupConnectionSuccess>()) {
    CHECK(said[0].as<SetupConnectionSuccess>().used_version == 2);
    CHECK(!link.closed());
    return {"", said[0].as<SetupConnectionSuccess>().flags};
  }
  CHECK(link.closed());
  CHECK(link.close()->flush);
  link.send(setup);
  CHECK(link.take().empty());
  const auto error = said[0].as<SetupConnectionError>();
  return {std::string(error.error_code), error.flags};
}

std::string open_error(V2Rig& rig, std::string_view user, float rate, const Target& most,
                       std::uint16_t size = 0, bool extended = true) {
  if (extended)
    rig.send(OpenExtendedMiningChannel{7, user, rate, most, size});
  else
    rig.send(OpenStandardMiningChannel{7, user, rate, most});
  REQUIRE(!rig.said.empty());
  if (!rig.said[0].is<OpenMiningChannelError>()) return "";
  CHECK(rig.said[0].as<OpenMiningChannelError>().request_id == 7);
  return std::string(rig.said[0].as<OpenMiningChannelError>().error_code);
}

std::string worker_of(V2Pool& pool, const V2Rig& rig) {
  return pool.workers.at(rig.link.last<ShareAccepted>().worker).name;
}

ByteVec tlv(std::uint16_t extension, std::string_view value, bool big = false) {
  ByteVec out(5);
  if (big) {
    store_be16(out.data(), extension);
    store_be16(out.data() + 3, static_cast<std::uint16_t>(value.size()));
  } else {
    store_le(out.data(), extension);
    store_le(out.data() + 3, static_cast<std::uint16_t>(value.size()));
  }
  out[2] = 1;
  append(out, bytes_of(value));
  return out;
}

}  // namespace

TEST_CASE("SetupConnection: versions, protocols and flags") {
  V2Pool pool;
  using Answer = std::pair<std::string, Flags>;
  CHECK(greet(pool, {}) == Answer("", 0));
  CHECK(greet(pool, {.min_version = 0, .max_version = 0xffff}) == Answer("", 0));
  CHECK(greet(pool, {.flags = 5}) == Answer("", 0));
  CHECK(greet(pool, {.protocol = 1}) == Answer("unsupported-protocol", 0));
  CHECK(greet(pool, {.min_version = 3, .max_version = 9}) ==
        Answer("protocol-version-mismatch", 0));
  CHECK(greet(pool, {.min_version = 2, .max_version = 1}) ==
        Answer("protocol-version-mismatch", 0));
  CHECK(greet(pool, {.flags = kAllFlags}) == Answer("unsupported-feature-flags", 2));
  CHECK(greet(pool, {.flags = 0xffffffff}) == Answer("unsupported-feature-flags", 0xfffffffa));
}

TEST_CASE("a pool whose version mask is 0 says so") {
  V2Pool pool(0);
  using Answer = std::pair<std::string, Flags>;
  CHECK(greet(pool, {}) == Answer("", SetupConnectionSuccess::kRequiresFixedVersion));
  CHECK(greet(pool, {.flags = 4}) == Answer("unsupported-feature-flags", 4));
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(true);
  CHECK(!channel.job().rolling);
  CHECK(rig.judge(rig.miner.solve(channel, {.version_flip = 1 << 13})) ==
        "version-rolling-not-allowed");
  CHECK(rig.judge(rig.miner.solve(channel)) == "accepted");
}

TEST_CASE("what comes before SetupConnection, or a second one, ends the connection") {
  V2Pool pool;
  pool.next_tip();
  V2Link early(pool);
  early.send(OpenStandardMiningChannel{1, kAlice, 1, Target::max()});
  CHECK(early.closed());
  CHECK(early.take().empty());
  V2Rig twice(pool);
  twice.send(SetupConnection{});
  CHECK(twice.link.closed());
  V2Rig server(pool);
  server.send(SetTarget{1, Target::max()});
  CHECK(server.link.closed());
}

TEST_CASE("strange names in SetupConnection are escaped and short") {
  V2Pool pool;
  V2Link link(pool);
  const std::string vendor(255, '\xff');
  link.send(SetupConnection{.vendor = vendor, .firmware = "\x1b[2J\n"});
  CHECK(link.take()[0].is<SetupConnectionSuccess>());
  CHECK(link.session().agent().size() <= 64);
  for (const char c : link.session().agent()) CHECK((c >= ' ' && c <= '~'));
}

TEST_CASE("an opened channel gets a future job and its SetNewPrevHash, then the promise") {
  for (const bool extended : {false, true}) {
    V2Pool pool;
    pool.next_tip();
    V2Rig rig(pool);
    V2Channel& channel = rig.open(extended);
    CHECK(rig.types() == (extended ? "14 1f 20 1f" : "11 15 20 15"));
    CHECK(channel.history == "fpf");
    CHECK(channel.prefix.size() == (extended ? 8 : 16));
    CHECK(channel.rolled == (extended ? 8 : 0));
    CHECK(channel.group != 0);
    CHECK(channel.nbits == pool.bits.value());
    CHECK(rig.judge(rig.miner.solve(channel)) == "accepted");
    CHECK(rig.link.last<ShareAccepted>().tip == pool.job->block_template->prev);
  }
}

TEST_CASE("a channel opened before there is work gets it with the first job") {
  V2Pool pool;
  V2Rig rig(pool);
  V2Channel& one = rig.open(false);
  rig.open(true);
  CHECK(one.history.empty());
  rig.publish(pool.next_tip());
  for (auto& [id, channel] : rig.miner.channels) {
    CHECK(channel.history == "fp");
    CHECK(rig.judge(rig.miner.solve(channel)) == "accepted");
  }
}

TEST_CASE("openings that are refused") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool);
  const Target any = Target::max();
  const float inf = INFINITY;
  for (const bool extended : {false, true}) {
    CHECK(open_error(rig, "", 1, any, 0, extended) == "unknown-user");
    CHECK(open_error(rig, "nobody", 1, any, 0, extended) == "unknown-user");
    CHECK(open_error(rig, std::string(kAlice) + ".a\nb", 1, any, 0, extended) ==
          "invalid-user-identity");
  }
  V2Rig rates(pool);
  for (const float rate : {std::nanf(""), inf, -inf, -1.0f, -1e-40f})
    CHECK(open_error(rates, kAlice, rate, any) == "invalid-nominal-hashrate");
  CHECK(open_error(rates, kAlice, 1, Target()) == "max-target-out-of-range");
  CHECK(open_error(rates, kAlice, 1, any, 9) == "min-extranonce-size-too-large");
  CHECK(open_error(rates, kAlice, 1, any, 0xffff) == "min-extranonce-size-too-large");
  CHECK(open_error(rates, kAlice, -0.0f, any, 8) == "");
  V2Rig plain(pool, SetupConnection::kRequiresStandardJobs);
  CHECK(open_error(plain, kAlice, 1, any) == "extended-channels-not-supported-for-standard-jobs");
  CHECK(open_error(plain, kAlice, 1, any, 0, false) == "");
  CHECK(pool.prefixes.live() == 2);
}

TEST_CASE("a target is never easier than the miner or the operator wants") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool);
  const Target easiest = pool.v2.policy.vardiff.minimum.to_target();
  CHECK(rig.open(false).target <= easiest);
  CHECK(rig.open(false, kAlice, 1e-30f).target <= easiest);
  const Target wanted = Difficulty::parse("12345.678")->to_target();
  CHECK(rig.open(true, kAlice, 0, wanted).target == wanted);
  // A device of 1e38 h/s: the network's target is the limit.
  CHECK(rig.open(true, kAlice, 1e38f).target >= pool.job->network_target);
}

TEST_CASE("a channel of which nothing is known starts by what its device calls itself") {
  V2Pool pool;
  pool.context.agents = {{"bitaxe bm1370", *Difficulty::parse("0.002")}};
  pool.next_tip();
  V2Link link(pool);
  SetupConnection setup;
  setup.vendor = "Bitaxe";
  setup.hardware_version = "BM1370";
  setup.firmware = "v2.9";
  link.send(setup);
  V2Miner miner;
  const auto target = [&](std::string_view user, float rate) {
    link.send(OpenExtendedMiningChannel{1, user, rate, Target::max(), 0});
    miner.hear(link.take());
    return miner.channels.rbegin()->second.target;
  };
  CHECK(target(kAlice, 0) == Difficulty::parse("0.002")->to_target());
  const VardiffOptions& options = pool.v2.policy.vardiff;
  CHECK(target(kAlice, 1e6f) == difficulty_for_rate(options, 1e6).to_target());
  pool.workers.remember_rate(pool.workers.acquire(kAlice, "a", {}), 2e6);
  CHECK(target(std::string(kAlice) + ".a", 0) == difficulty_for_rate(options, 2e6).to_target());
}

TEST_CASE("channels have a quota, and a closed one makes room") {
  V2Pool pool;
  pool.v2.channel_limit = 3;
  pool.next_tip();
  V2Rig rig(pool);
  for (int i = 0; i < 3; ++i) rig.open(false);
  CHECK(open_error(rig, kAlice, 1, Target::max()) == "channel-capacity-exhausted");
  const std::uint32_t first = rig.miner.channels.begin()->first;
  rig.miner.forget(first);
  rig.send(CloseChannel{first, "bye"});
  CHECK(rig.said.empty());
  CHECK(open_error(rig, kAlice, 1, Target::max()) == "");
  CHECK(pool.prefixes.live() == 3);
}

TEST_CASE("CloseChannel closes one channel, or by the group's id all of them") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool), other(pool);
  V2Channel& bystander = other.open(true);
  rig.open(false);
  rig.open(true);
  rig.open(true);
  auto ids = rig.miner.channels;
  const std::uint32_t first = ids.begin()->first, group = ids.begin()->second.group;
  for (auto& [id, channel] : ids) CHECK(channel.group == group);
  const V2Share late = rig.miner.solve(rig.miner.channels.at(first));
  std::vector<V2Share> others;
  for (auto& [id, channel] : rig.miner.channels)
    if (id != first) others.push_back(rig.miner.solve(channel));
  rig.miner.forget(first);
  rig.send(CloseChannel{first, "bye"});
  CHECK(rig.judge(late) == "invalid-channel-id");
  CHECK(rig.judge(others[0]) == "accepted");
  rig.miner.forget(group);
  rig.send(CloseChannel{group, "bye"});
  CHECK(rig.judge(others[1]) == "invalid-channel-id");
  CHECK(rig.publish(pool.next_tip()).empty());
  other.publish(pool.job);
  CHECK(other.judge(other.miner.solve(bystander)) == "accepted");
  CHECK(pool.prefixes.live() == 1);
  // What is left of the connection opens channels again, under ids never used before.
  CHECK(rig.open(true).history.starts_with("fp"));
}

TEST_CASE("ids that are not there") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(false);
  rig.send(UpdateChannel{999, 1, Target::max()});
  REQUIRE(rig.types() == "17");
  CHECK(rig.said[0].as<UpdateChannelError>().error_code == "invalid-channel-id");
  rig.send(UpdateChannel{channel.id, std::nanf(""), Target::max()});
  CHECK(rig.said[0].as<UpdateChannelError>().error_code == "invalid-nominal-hashrate");
  V2Share share = rig.miner.solve(channel);
  share.channel_id = channel.group;
  CHECK(rig.judge(share) == "invalid-channel-id");
  share.channel_id = channel.id;
  share.extended = true;  // of the other kind
  CHECK(rig.judge(share) == "invalid-channel-id");
  rig.send(CloseChannel{999, ""});
  CHECK(rig.said.empty());
  rig.send(SetCustomMiningJob{channel.id, 4});
  CHECK(rig.said[0].as<SetCustomMiningJobError>().error_code == "jd-not-supported");
  CHECK(!rig.link.closed());
}

TEST_CASE("drain asks for a reconnect to the same host") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool);
  rig.open(true);
  rig.link.take();
  rig.link.drain();
  const auto said = rig.link.take();
  REQUIRE(said.size() == 1);
  REQUIRE(said[0].is<Reconnect>());
  CHECK(said[0].as<Reconnect>().new_host.empty());
  CHECK(said[0].as<Reconnect>().new_port == 0);
}

TEST_CASE("unknown extensions and types are passed over, with a limit") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool);
  for (int i = 0; i < 100; ++i) rig.link.wire(rig.link.seal_raw(0x4444, 9, {}), at(0));
  rig.link.wire(rig.link.seal_raw(0xc444, 9, ByteVec(100)), at(1.5));
  CHECK(rig.hear().empty());
  V2Channel& channel = rig.open(true);
  CHECK(rig.judge(rig.miner.solve(channel)) == "accepted");
  for (int i = 0; i < 20 && !rig.link.closed(); ++i)
    rig.link.wire(rig.link.seal_raw(0, 0xcd, ByteVec(3)), at(2));
  CHECK(rig.link.closed());
}

TEST_CASE("a header that claims more than its message can need ends the connection") {
  V2Pool pool;
  pool.next_tip();
  const auto closes = [&](V2Link& link, std::uint16_t extension, std::uint8_t type,
                          std::size_t size) {
    link.wire(link.seal_raw(extension, type, ByteVec(size)));
    return link.closed();
  };
  V2Link setup(pool);
  CHECK(closes(setup, 0, 0, 1301));
  V2Rig submit(pool);
  CHECK(closes(submit.link, 0x8000, SubmitSharesStandard::kId.type, 1025));
  V2Rig cut(pool);
  CHECK(closes(cut.link, 0x8000, SubmitSharesStandard::kId.type, 23));
  V2Rig custom(pool);
  CHECK(!closes(custom.link, 0x8000, SetCustomMiningJob::kId.type, 80 * 1024));
}

TEST_CASE("RequestExtensions: 0x0002 is known, a long list has a short answer") {
  V2Pool pool;
  V2Rig rig(pool);
  const std::uint8_t some[] = {3, 0, 2, 0, 2, 0};
  rig.send(RequestExtensions{77, {some}});
  REQUIRE(rig.said.size() == 1);
  const auto success = rig.said[0].as<RequestExtensionsSuccess>();
  CHECK(success.request_id == 77);
  CHECK(to_hex(success.supported.bytes) == "0200");
  ByteVec none(2 * 65535, 0x44);
  rig.send(RequestExtensions{78, {none}});
  const auto error = rig.said[0].as<RequestExtensionsError>();
  CHECK(error.request_id == 78);
  CHECK(error.unsupported.size() == 64);
  CHECK(error.required.size() == 0);
  V2Rig cut(pool);
  cut.link.wire(cut.link.seal_raw(1, 0, ByteVec{1, 0, 3, 0, 9}));
  CHECK(cut.link.closed());
}

TEST_CASE("a share is booked under the name that it brings, once that is negotiated") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(true, std::string(kAlice) + ".farm");
  const auto booked = [&](Bytes tail) {
    const std::string verdict = rig.judge(rig.miner.solve(channel), 1, at(0), tail);
    return verdict == "accepted" ? worker_of(pool, rig) : verdict;
  };
  CHECK(booked(tlv(2, "rig7")) == "farm");  // not negotiated: passed over
  const std::uint8_t two[] = {2, 0};
  rig.send(RequestExtensions{1, {two}});
  CHECK(booked({}) == "farm");
  CHECK(booked(tlv(2, "rig7")) == "rig7");
  CHECK(booked(tlv(2, "rig8", true)) == "rig8");
  CHECK(booked(tlv(2, "")) == "farm");
  CHECK(booked(tlv(2, "", true)) == "farm");
  ByteVec both = tlv(0x4321, "other");
  append(both, tlv(2, "rig9"));
  append(both, tlv(2, "second"));
  CHECK(booked(both) == "rig9");
  CHECK(booked(tlv(2, std::string(32, 'w'))) == std::string(32, 'w'));
  CHECK(booked(tlv(2, std::string(33, 'w'))) == "invalid-share");
  CHECK(booked(tlv(2, "\x1b[2J")) == "invalid-share");
  ByteVec beyond = tlv(2, "rig7");
  beyond[3] = 5;
  CHECK(booked(beyond) == "invalid-share");
  for (int i = 0; i < 100; ++i) CHECK(booked(tlv(2, "w" + std::to_string(i))).starts_with("w"));
  CHECK(pool.workers.at(rig.link.last<ShareAccepted>().worker).account == kAlice);
}

TEST_CASE("every phase has its deadline") {
  V2Pool pool;
  pool.next_tip();
  const auto session = make_session(pool.context, pool.job, at(0));
  std::vector<SessionEvent> events;
  session->receive(ByteVec(63), at(1));
  session->expire(at(9.9));
  session->take_events(events);
  CHECK(events.empty());
  CHECK(session->deadline() == at(10));
  session->expire(at(10));
  session->take_events(events);
  REQUIRE(events.size() == 1);

  V2Link setup(pool);
  setup.expire(at(10));
  CHECK(setup.closed());
  V2Rig mute(pool);
  mute.link.expire(at(29));
  CHECK(!mute.link.closed());
  mute.link.expire(at(30));
  CHECK(mute.link.closed());

  V2Rig rig(pool);
  V2Channel& channel = rig.open(false);
  const ByteVec sealed = rig.seal(rig.miner.solve(channel), 1);
  for (std::size_t i = 0; i < 50; ++i)
    rig.link.wire(Bytes(sealed).subspan(i, 1), at(1.0 + static_cast<double>(i)));
  CHECK(!rig.link.closed());
  rig.link.expire(at(60.9));
  CHECK(!rig.link.closed());
  rig.link.expire(at(61));
  CHECK(rig.link.closed());
  CHECK(rig.link.count<ShareAccepted>() == 0);
}

TEST_CASE("once the certificate has ended no newcomer is let in, and who mines goes on") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(true);
  pool.v2.certified = false;
  V2Link late(pool);
  CHECK(!late.shaken());
  REQUIRE(late.closed());
  CHECK(late.close()->reason == "the certificate has ended");
  rig.submit(rig.miner.solve(channel));
  CHECK(rig.link.count<ShareAccepted>() == 1);
  pool.v2.certified = true;  // the clock is right again
  CHECK(V2Link(pool).shaken());
}

TEST_CASE("a miner whose channels hear of no work for a minute is let go") {
  for (const bool comes : {false, true}) {
    V2Pool pool;  // no job
    V2Rig rig(pool);
    rig.open(true, kAlice, 0, Target::max(), at(5));
    rig.open(false, kAlice, 0, Target::max(), at(20));
    CHECK(rig.link.session().deadline() == at(65));
    rig.link.expire(at(64));
    CHECK(!rig.link.closed());
    if (comes) rig.publish(pool.next_tip(), at(64));
    rig.link.expire(at(65));
    CHECK(rig.link.closed() != comes);
  }
}

TEST_CASE("a reload reaches the channels that are there") {
  V2Pool pool;
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& one = rig.open(true);
  V2Channel& two = rig.open(false);
  pool.context.policy.vardiff.minimum = *Difficulty::parse("0.001");
  pool.use_policy(pool.v2.policy.version_mask);
  rig.link.session().policy_changed(at(1));
  rig.link.expire(at(1));
  rig.hear();
  CHECK(rig.count<SetTarget>() == 2);
  for (const V2Channel* channel : {&rig.miner.channels.at(one.id), &rig.miner.channels.at(two.id)})
    CHECK(channel->target == Difficulty::parse("0.001")->to_target());
}

TEST_CASE("a miner that never reads is closed, and no share is forgotten") {
  V2Pool pool;
  pool.fix_difficulty("1e-9");
  pool.next_tip();
  V2Rig rig(pool);
  V2Channel& channel = rig.open(false);
  Session& session = rig.link.session();
  std::vector<SessionEvent> events;
  std::size_t sent = 0;
  bool closed = false;
  while (!closed && sent < 20'000) {
    V2Share share = rig.miner.solve(channel);
    share.job_id += 1000;
    session.receive(rig.seal(share, static_cast<std::uint32_t>(++sent)), at(0.01));
    session.take_events(events);
    closed = std::holds_alternative<Close>(events.back());
  }
  CHECK(closed);
  CHECK(session.outbox().size() <= kOutboxCap);
  CHECK(sent <= 101);  // by strikes, long before the outbox is full
}
