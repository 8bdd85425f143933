// SPDX-License-Identifier: MIT
// What a V1 session costs: memory while idle, allocations per share when warm. Every allocation of
// this executable is counted.
#include <doctest/doctest.h>

#include <malloc.h>

#include <cstdlib>
#include <new>

#include "stratum/v1/session.h"
#include "v1_miner.h"
#include "v1_pool.h"

namespace {
std::size_t allocations = 0;
std::size_t held = 0;
}  // namespace

// GCC inlines one half of the pair and warns of a mismatch with the other; both are ours.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  void* memory = std::malloc(size);
  if (memory == nullptr) return nullptr;
  ++allocations;
  held += malloc_usable_size(memory);
  return memory;
}
void* operator new(std::size_t size) {
  void* memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  if (memory != nullptr) held -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

using namespace adit;
using namespace adit::test;

namespace {

const std::string kUser = std::string(kAlice) + ".rig1";
const std::string kHello =
    R"({"id":0,"method":"mining.configure","params":[["version-rolling"],)"
    R"({"version-rolling.mask":"1fffe000"}]})"
    "\n"
    R"({"id":1,"method":"mining.subscribe","params":["bitaxe/BM1368/v2.4.1"]})"
    "\n"
    R"({"id":2,"method":"mining.authorize","params":[")" +
    kUser + "\",\"x\"]}\n";

std::string flushed(Session& session) {
  std::string said;
  std::array<Bytes, 8> parts;
  while (const std::size_t n = session.outbox().gather(parts)) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < n; ++i) {
      said += text_of(parts[i]);
      size += parts[i].size();
    }
    session.outbox().consume(size);
  }
  return said;
}

TestMiner miner_of(const std::string& said) {
  TestMiner miner;
  std::size_t start = 0;
  for (std::size_t end; (end = said.find('\n', start)) != std::string::npos; start = end + 1)
    miner.hear(said.substr(start, end - start));
  return miner;
}

}  // namespace

TEST_CASE("an idle session after its hello holds less than 1.3 KiB") {
  TestPool pool;
  pool.next_tip();
  std::vector<SessionEvent> events;
  std::vector<std::unique_ptr<Session>> sessions(200);
  const auto hello = [&](std::unique_ptr<Session>& session) {
    session = v1::make_session(pool.context, pool.job, at(0));
    session->receive(bytes_of(kHello), at(0));
    session->take_events(events);
    flushed(*session);
  };
  hello(sessions[0]);  // the thread's own state
  hello(sessions[1]);
  const std::size_t before = held;
  for (std::size_t i = 2; i < sessions.size(); ++i) hello(sessions[i]);
  const std::size_t each = (held - before) / (sessions.size() - 2);
  MESSAGE("idle session: " << each << " bytes, of which the object " << sizeof(v1::MinerSession));
  CHECK(each < 1331);
}

TEST_CASE("a warm session answers a share without allocating") {
  TestPool pool;
  pool.context.policy.vardiff.start = *Difficulty::parse("1e-8");
  pool.next_tip();
  auto session = v1::make_session(pool.context, pool.job, at(0));
  session->receive(bytes_of(kHello), at(0));
  const TestMiner miner = miner_of(flushed(*session));
  std::vector<std::string> lines;
  for (std::uint64_t i = 0; i < 30; ++i)
    lines.push_back(TestMiner::submit(kUser, miner.solve(miner.job(), i)) + "\n");
  std::vector<SessionEvent> events;
  events.reserve(8);
  std::array<Bytes, 4> parts;
  std::size_t warm = 0, accepted = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == 20) warm = allocations;  // the duplicate set grows by doubling, at 16 and 32
    const Instant now = at(4.0 * static_cast<double>(i));
    session->receive(bytes_of(lines[i]), now);
    events.clear();
    session->take_events(events);
    accepted += events.size();
    session->settle({}, now);
    std::size_t size = 0;
    for (std::size_t n = session->outbox().gather(parts); n > 0; --n) size += parts[n - 1].size();
    session->outbox().consume(size);
  }
  CHECK(accepted == lines.size());
  CHECK(allocations - warm == 0);
}

TEST_CASE("a miner that submits and never reads is closed at 64 KiB") {
  TestPool pool;
  pool.context.policy.vardiff.start = *Difficulty::parse("1e-9");
  pool.context.policy.vardiff.maximum = *Difficulty::parse("1e-9");
  pool.next_tip();
  auto session = v1::make_session(pool.context, pool.job, at(0));
  session->receive(bytes_of(kHello), at(0));
  const TestMiner miner = miner_of(flushed(*session));
  std::vector<SessionEvent> events;
  std::size_t shares = 0;
  for (bool closed = false; !closed && shares < 20'000; ++shares) {
    const std::string line = TestMiner::submit(kUser, miner.solve(miner.job(), shares)) + "\n";
    session->receive(bytes_of(line), at(1));
    session->settle({}, at(1));
    session->take_events(events);
    closed = std::holds_alternative<Close>(events.back());
  }
  CHECK(session->outbox().size() <= v1::kOutboxCap);
  CHECK(session->outbox().size() > v1::kOutboxCap - 64);
  CHECK(shares < 2000);
  CHECK(events.size() == shares + 1);  // each share told once
}
