// SPDX-License-Identifier: MIT
// Strangers on the ports that tell the protocols apart, and on V2's: any bytes, in pieces. A
// handshake is answered once at most, and nobody without a key of ours hears more.
#define DOCTEST_CONFIG_IMPLEMENT  // the headers of the unit tests want it
#include "fuzz.h"
#include "stratum/v2_pool.h"

namespace adit::fuzz {
namespace {

using namespace adit::test;

/// How many bytes the pool said.
std::size_t tell(Bytes input, bool both, std::size_t piece) {
  V2Pool pool;
  pool.next_tip();
  const auto session = both ? make_auto_session(pool.context, pool.job, at(0))
                            : v2::make_session(pool.context, pool.job, at(0));
  std::size_t heard = 0;
  bool closed = false;
  std::vector<SessionEvent> events;
  while (!input.empty() && !closed) {
    const Bytes now = input.first(std::min(piece, input.size()));
    input = input.subspan(now.size());
    session->receive(now, at(0));
    session->finish_turn(at(0));
    session->take_events(events);
    for (const SessionEvent& event : events) closed |= std::holds_alternative<Close>(event);
    std::array<Bytes, 8> parts;
    while (const std::size_t n = session->outbox().gather(parts)) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < n; ++i) size += parts[i].size();
      heard += size;
      session->outbox().consume(size);
    }
  }
  return heard;
}

}  // namespace

void one(Bytes input) {
  Cursor cursor(input);
  const bool both = cursor.byte() % 2 == 1;
  const Bytes said = cursor.rest();
  for (const std::size_t piece : {said.size() + 1, std::size_t{1}, std::size_t{63}}) {
    const std::size_t heard = tell(said, both, piece);
    ADIT_CHECK(both || heard <= v2::kAnswerSize);
  }
}

std::vector<std::string> seeds() {
  const std::string json = R"({"id":1,"method":"mining.subscribe","params":["test/1.0"]})"
                           "\n";
  return {'\1' + json, '\0' + std::string(64, 'k'), '\1' + std::string(200, '\x5a'),
          "\1GET / HTTP/1.1\r\n\r\n", std::string("\0\x16\x03\x01", 4) + std::string(100, '\7')};
}

}  // namespace adit::fuzz
