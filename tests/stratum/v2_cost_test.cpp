// SPDX-License-Identifier: MIT
// What a V2 session costs: memory while idle, allocations per share when warm.
#include <doctest/doctest.h>

#include <malloc.h>

#include "stratum/v2/session.h"
#include "v2_miner.h"

using namespace adit;
using namespace adit::test;
using namespace adit::v2;

namespace {

std::size_t heap_in_use() { return mallinfo2().uordblks; }

}  // namespace

TEST_CASE("an idle session with one channel holds less than 2.5 KiB") {
  for (const bool extended : {false, true}) {
    V2Pool pool;
    pool.next_tip();
    constexpr std::size_t kSessions = 200;
    std::vector<std::unique_ptr<Session>> sessions;
    sessions.reserve(kSessions);
    std::vector<SessionEvent> events;
    std::size_t before = 0;
    for (std::size_t i = 0; i < kSessions + 2; ++i) {
      if (i == 2) before = heap_in_use();
      auto session = make_session(pool.context, pool.job, at(0));
      Initiator initiator(EllSwiftKey::generate(pool.random.source()));
      session->receive(initiator.hello(), at(0));
      std::array<std::uint8_t, kAnswerSize> answer;
      std::array<Bytes, 1> part;
      REQUIRE(session->outbox().gather(part) == 1);
      std::copy(part[0].begin(), part[0].end(), answer.begin());
      session->outbox().consume(answer.size());
      auto done = std::move(initiator).finish(answer, pool.authority, v2::test::kNow);
      REQUIRE(done.ok());
      ByteVec payload, wire;
      encode(SetupConnection{.vendor = "bitaxe", .firmware = "v2.4.1"}, payload);
      REQUIRE(seal_frame(done->ciphers.send, 0, SetupConnection::kId.type, payload, wire));
      encode(OpenExtendedMiningChannel{1, kAlice, 1e12f, Target::max(), 4}, payload);
      if (!extended) encode(OpenStandardMiningChannel{1, kAlice, 1e12f, Target::max()}, payload);
      const auto type = extended ? OpenExtendedMiningChannel::kId : OpenStandardMiningChannel::kId;
      REQUIRE(seal_frame(done->ciphers.send, 0, type.type, payload, wire));
      session->receive(wire, at(0));
      session->finish_turn(at(0));
      session->take_events(events);
      while (session->outbox().gather(part) == 1) session->outbox().consume(part[0].size());
      if (i >= 2) sessions.push_back(std::move(session));
    }
    const std::size_t each = (heap_in_use() - before) / kSessions;
    MESSAGE((extended ? "extended: " : "standard: ")
            << each << " bytes, of which the object " << sizeof(v2::MinerSession) << ", a channel "
            << sizeof(MiningChannel));
    CHECK(each < 2560);
    CHECK(events.empty());
  }
}
