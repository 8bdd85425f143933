// SPDX-License-Identifier: MIT
// A V2 session behind its handshake against any sequence of messages, good and bad, with new tips,
// disk answers and time between them. V2Miner holds each answer against the specification.
#define DOCTEST_CONFIG_IMPLEMENT  // the headers of the unit tests want it
#include "fuzz.h"
#include "stratum/v2_miner.h"

namespace adit::fuzz {
namespace {

using namespace adit::test;

class Program {
 public:
  explicit Program(Bytes input) : cursor_(input) {
    pool_.fix_difficulty("1e-10");
    pool_.next_tip();
    link_.emplace(pool_, now_);
    ADIT_CHECK(link_->shaken());
  }
  void run() {
    v2::SetupConnection setup;
    setup.flags = cursor_.byte() % 8;
    miner_.standard_jobs_only = (setup.flags & v2::SetupConnection::kRequiresStandardJobs) != 0;
    setup.vendor = "fuzz";
    if (cursor_.byte() % 16 != 0) send(setup);
    for (int steps = 0; steps < 200 && !cursor_.done() && !link_->closed(); ++steps) step();
  }

 private:
  template <class Message>
  void send(const Message& message) {
    link_->send(message, now_, cursor_.byte() % 32 == 0 ? cursor_.bytes(3) : Bytes());
  }
  std::uint32_t channel_id() {
    const std::uint8_t wish = cursor_.byte();
    if (miner_.channels.empty() || wish % 8 == 0) return wish;
    auto at = miner_.channels.begin();
    std::advance(at, wish % miner_.channels.size());
    return wish % 8 == 1 ? at->second.group : at->first;
  }
  std::uint32_t job_of(std::uint32_t channel) {
    const auto found = miner_.channels.find(channel);
    const std::uint8_t wish = cursor_.byte();
    if (found == miner_.channels.end() || wish % 8 == 0) return wish;
    return wish % 8 == 1 && !found->second.live.empty() ? found->second.live.begin()->first
                                                        : found->second.current;
  }
  Target target() {
    return cursor_.byte() % 4 == 0 ? Difficulty::parse("1e-9")->to_target() : Target::max();
  }
  void open();
  void submit();
  void world(std::uint8_t act);
  void step();
  void hear() {
    for (const Said& said : link_->take()) miner_.hear(said);
    if (miner_.broken.empty()) return;
    std::fprintf(stderr, "v2_session: %s\n", miner_.broken.c_str());
    ADIT_CHECK(miner_.broken.empty());
  }

  Cursor cursor_;
  V2Pool pool_;
  Instant now_ = at(0);
  std::optional<V2Link> link_;
  V2Miner miner_;
  bool blind_ = false;  // the miner no longer knows what it sent
};

void Program::open() {
  const std::uint32_t request = cursor_.byte();
  const std::string_view user = cursor_.byte() % 4 == 0 ? cursor_.text() : kAlice;
  const float rate = static_cast<float>(cursor_.byte()) * 1e9f;
  const Target most = target();
  if (cursor_.byte() % 2 == 0)
    send(v2::OpenStandardMiningChannel{request, user, rate, most});
  else
    send(v2::OpenExtendedMiningChannel{request, user, rate, most,
                                       std::uint16_t(cursor_.byte() % 20)});
}

void Program::submit() {
  const std::uint32_t channel = channel_id(), job = job_of(channel), sequence = cursor_.byte(),
                      nonce = cursor_.byte();
  const auto found = miner_.channels.find(channel);
  const bool known = found != miner_.channels.end() && found->second.live.contains(job);
  std::uint32_t ntime = cursor_.byte() % 8, version = cursor_.byte() % 4 == 0 ? cursor_.byte() : 0;
  if (known)
    ntime += found->second.live.at(job).min_ntime, version ^= found->second.live.at(job).version;
  if (cursor_.byte() % 8 != 0 ? !known || !found->second.extended : cursor_.byte() % 2 == 0)
    return send(v2::SubmitSharesStandard{channel, sequence, job, nonce, ntime, version});
  const std::size_t rolled =
      known && cursor_.byte() % 8 != 0 ? found->second.rolled : cursor_.byte() % 33;
  ByteVec extranonce(rolled, cursor_.byte());
  send(v2::SubmitSharesExtended{channel, sequence, job, nonce, ntime, version, {extranonce}});
}

void Program::world(std::uint8_t act) {
  switch (act) {
    case 0:
      pool_.next_tip();
      return link_->publish(pool_.job, now_);
    case 1:
      pool_.next_job();
      return link_->publish(pool_.job, now_);
    case 2:
      pool_.next_empty_tip();
      return link_->publish(pool_.job, now_);
    case 3:
      return link_->settle(std::min<std::size_t>(link_->unsettled(), cursor_.byte()), std::nullopt,
                           now_);
    case 4:
      return link_->settle(std::min<std::size_t>(link_->unsettled(), 1), RejectReason::StorageFull,
                           now_);
    case 5:
      now_ += std::chrono::seconds(cursor_.byte());
      return link_->expire(now_);
    default:
      return link_->drain(now_);
  }
}

void Program::step() {
  switch (cursor_.byte() % 9) {
    case 0:
    case 1:
      open();
      break;
    case 2:
    case 3:
      submit();
      break;
    case 4:
      send(v2::UpdateChannel{channel_id(), static_cast<float>(cursor_.byte()), target()});
      break;
    case 5: {
      const std::uint32_t id = channel_id();
      send(v2::CloseChannel{id, "fuzz"});
      hear();
      miner_.forget(id);
      break;
    }
    case 6: {  // any frame at all
      const auto extension = cursor_.number<std::uint16_t>();
      const std::uint8_t type = cursor_.byte();
      link_->wire(link_->seal_raw(extension, type, bytes_of(cursor_.text())), now_);
      // It may be a CloseChannel or a broken frame; from here on only survival counts.
      blind_ = true;
      break;
    }
    default:
      world(cursor_.byte() % 7);
  }
  if (blind_)
    for (const Said& said : link_->take()) ADIT_CHECK(said.payload.size() <= 0xffffff);
  else
    hear();
}

}  // namespace

void one(Bytes input) { Program(input).run(); }

std::vector<std::string> seeds() {
  const auto text = [](std::initializer_list<int> bytes) {
    std::string out;
    for (const int byte : bytes) out += static_cast<char>(byte);
    return out;
  };
  // As the steps read them: what, of whom, of which job, ...; the last byte asks for no tail.
  const std::string setup = text({0, 1, 1}), standard = text({0, 1, 1, 9, 1, 0, 1}),
                    extended = text({0, 2, 1, 9, 1, 1, 8, 1}), tip = text({8, 0}),
                    job = text({8, 1});
  const auto share = [&](int nonce) { return text({2, 2, 2, 1, nonce, 0, 1, 1, 1}); };
  const auto extended_share = [&](int nonce) {
    return text({2, 3, 2, 1, nonce, 0, 1, 1, 1, nonce, 1});
  };
  const std::string shares = share(1) + extended_share(1) + share(2) + extended_share(2);
  return {setup + standard + extended + shares + text({8, 3, 5}) + tip + share(3) + job + share(4),
          setup + standard + extended + text({4, 2, 9, 1, 1}) + shares + text({8, 5, 60, 8, 2}) +
              tip + shares + text({5, 2, 1, 8, 4}) + shares + text({8, 6}),
          setup + standard + standard + extended + shares + text({6, 0, 0, 0x1a, 4, 1, 2, 3, 4})};
}

}  // namespace adit::fuzz
