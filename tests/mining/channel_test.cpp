// SPDX-License-Identifier: MIT
#include "adit/mining/channel.h"

#include <doctest/doctest.h>

#include "adit/crypto/sha256.h"
#include "mining/channel_rig.h"

namespace adit {
namespace {

using test::after;
using test::easy;
using test::hard;
using test::kCurtime;
using test::kMintime;
using test::kReceived;
using test::make_test_job;
using test::rejected;
using Rig = test::ChannelRig;

}  // namespace

TEST_CASE("a good share is accepted once, with the work of its job's difficulty") {
  Rig rig;
  const JobPtr job = make_test_job(7, 1, hard());
  const IssuedJobId id = rig.channel.publish(job, kReceived);
  CHECK(id.number == JobNumber(7));
  const ShareSubmission s = rig.good(id);
  const ShareVerdict verdict = rig.submit(s);
  CHECK_FALSE(verdict.reject);
  CHECK_FALSE(verdict.is_block);
  CHECK(verdict.job == job.get());
  CHECK(verdict.difficulty == easy());
  CHECK(verdict.work == Work::of(easy().to_target()));
  CHECK(verdict.hash.bytes == sha256d(verdict.header));
  CHECK(Work::proved_by(verdict.hash) >= verdict.work);
  CHECK(to_hex(verdict.extranonce) == to_hex(rig.channel.prefix().view()) + "0000000000000000");
  CHECK(rig.submit(s).reject == rejected(RejectReason::Duplicate));
  CHECK(rig.seen.contains(verdict.hash));
}

TEST_CASE("unknown jobs: never issued, other issue, other number") {
  Rig rig;
  CHECK(rig.submit(rig.share({JobNumber(1), 1})).reject == rejected(RejectReason::UnknownJob));
  const IssuedJobId id = rig.channel.publish(make_test_job(7, 1, hard()), kReceived);
  ShareSubmission s = rig.good(id);
  s.job.issue = static_cast<std::uint16_t>(id.issue + 1);
  CHECK(rig.submit(s).job == nullptr);
  s.job = {JobNumber(8), id.issue};
  CHECK(rig.submit(s).reject == rejected(RejectReason::UnknownJob));
}

TEST_CASE("a low hash is refused again and again and never stored") {
  Rig rig;
  const IssuedJobId id = rig.channel.publish(make_test_job(1, 1, hard()), kReceived);
  const ShareSubmission s = rig.search(rig.share(id), easy().to_target(), false);
  CHECK(rig.submit(s).reject == rejected(RejectReason::LowDifficulty));
  CHECK(rig.submit(s).reject == rejected(RejectReason::LowDifficulty));
  CHECK_FALSE(rig.seen.contains(rig.submit(s).hash));
}

TEST_CASE("the difficulty of the issue counts, not the current one") {
  Rig rig;
  const IssuedJobId old_id = rig.channel.publish(make_test_job(1, 1, hard()), kReceived);
  rig.channel.vardiff().suggest(Difficulty::from_u64(1000), after(1));
  const IssuedJobId new_id = rig.channel.reissue(after(1));
  CHECK(new_id.number == old_id.number);
  CHECK(new_id.issue != old_id.issue);
  ShareSubmission s = rig.good(old_id);
  const ShareVerdict accepted = rig.submit(s);
  CHECK_FALSE(accepted.reject);
  CHECK(accepted.difficulty == easy());
  s = rig.good(old_id);
  s.job = new_id;
  const ShareVerdict low = rig.submit(s);
  CHECK(low.reject == rejected(RejectReason::LowDifficulty));
  CHECK(low.difficulty == Difficulty::from_u64(1000));
  CHECK(low.work == Work::of(Difficulty::from_u64(1000).to_target()));
}

TEST_CASE("a share of the tip before is stale, of the one before that unknown") {
  Rig rig;
  const IssuedJobId first = rig.channel.publish(make_test_job(1, 1, hard()), kReceived);
  const ShareSubmission s = rig.good(first);
  rig.channel.publish(make_test_job(2, 2, hard()), kReceived);
  const ShareVerdict stale = rig.submit(s);
  CHECK(stale.reject == rejected(RejectReason::StaleJob));
  CHECK_FALSE(rig.seen.contains(stale.hash));
  rig.channel.publish(make_test_job(3, 3, hard()), kReceived);
  CHECK(rig.submit(s).reject == rejected(RejectReason::UnknownJob));
}

TEST_CASE("sixteen jobs of each of two tips are kept") {
  Rig rig;
  std::vector<IssuedJobId> ids;
  const JobPtr first = make_test_job(1, 1, hard());
  const JobPtr second = make_test_job(2, 2, hard());
  for (int i = 0; i < 20; ++i) ids.push_back(rig.channel.publish(first, kReceived));
  for (int i = 0; i < 20; ++i) ids.push_back(rig.channel.publish(second, kReceived));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool kept = (i >= 4 && i < 20) || i >= 24;
    CHECK((rig.channel.find_job(ids[i]) != nullptr) == kept);
  }
  CHECK(rig.channel.newest_job() == second);
}

TEST_CASE("issue numbers go round without meeting, and never are 0") {
  Rig rig;
  const JobPtr job = make_test_job(1, 1, hard());
  for (int i = 0; i < 70'000; ++i) {
    const IssuedJobId id = rig.channel.publish(job, kReceived);
    REQUIRE(id.issue != 0);
    REQUIRE(id.issue == 1 + i % 65'535);
  }
}

TEST_CASE("ntime: from the minimum to curtime, elapsed seconds and 7000") {
  Rig rig;
  const IssuedJobId id = rig.channel.publish(make_test_job(1, 1, hard()), kReceived);
  const auto reject_at = [&](std::uint32_t ntime, std::int64_t seconds) {
    ShareSubmission s = rig.share(id);
    s.ntime = ntime;
    return rig.submit(s, seconds).reject == rejected(RejectReason::NtimeOutOfRange);
  };
  CHECK(reject_at(kMintime - 1, 0));
  CHECK_FALSE(reject_at(kMintime, 0));
  CHECK_FALSE(reject_at(kCurtime + 7000, 0));
  CHECK(reject_at(kCurtime + 7001, 0));
  CHECK_FALSE(reject_at(kCurtime + 7000 + 30, 30));
  CHECK(reject_at(kCurtime + 7001 + 30, 30));
  CHECK(reject_at(0, 0));
  CHECK(reject_at(0xffffffff, 0));
  CHECK(reject_at(kCurtime + 7001, -50));  // a clock before the template's
}

TEST_CASE("version bits by negotiation") {
  Rig rig;
  const JobPtr job = make_test_job(1, 1, hard());
  const IssuedJobId id = rig.channel.publish(job, kReceived);
  const auto verdict = [&](std::optional<std::uint32_t> bits) {
    ShareSubmission s = rig.share(id);
    s.version_bits = bits;
    return rig.submit(s);
  };
  const auto version_in = [](const ShareVerdict& v) {
    return load_le<std::uint32_t>(v.header.data());
  };
  const auto form_ok = [](const ShareVerdict& v) {
    return !v.reject || v.reject == RejectReason::LowDifficulty;
  };
  CHECK(form_ok(verdict(std::nullopt)));
  rig.seen = RecentHashes();
  CHECK(form_ok(verdict(0)));
  CHECK(verdict(0x2000).reject == rejected(RejectReason::VersionNotAllowed));

  rig.channel.set_version_mask(0xffffffff);
  CHECK(rig.channel.version_mask() == test::kPoolMask);
  rig.channel.set_version_mask(0x00ffe000);
  CHECK(verdict(std::nullopt).reject == rejected(RejectReason::VersionMissing));
  CHECK(version_in(verdict(std::nullopt)) == 0x20000000);
  rig.seen = RecentHashes();
  CHECK(form_ok(verdict(0)));
  CHECK(form_ok(verdict(0x00ffe000)));
  CHECK(version_in(verdict(0x00ffe000)) == 0x20ffe000);
  CHECK(verdict(0x01000000).reject == rejected(RejectReason::VersionNotAllowed));
  CHECK(verdict(0xe0000000).reject == rejected(RejectReason::VersionNotAllowed));
  CHECK(version_in(verdict(0xe0000000)) == 0xe0000000);

  rig.channel.set_version_mask(0);
  CHECK(verdict(0x2000).reject == rejected(RejectReason::VersionNotAllowed));
  rig.seen = RecentHashes();
  CHECK(form_ok(verdict(0)));
  rig.seen = RecentHashes();
  CHECK(form_ok(verdict(std::nullopt)));  // nothing may be rolled, so nothing is missing
}

TEST_CASE("a whole version, as V2 sends it, may differ from the job's under the mask only") {
  Rig rig;
  const IssuedJobId id = rig.channel.publish(make_test_job(1, 1, hard()), kReceived);
  rig.channel.set_version_mask(test::kPoolMask);
  ShareSubmission s = rig.share(id);
  for (const std::uint32_t version : {0x20000000u, 0x3fffe000u}) {
    s.version = version;
    const ShareVerdict v = rig.submit(s);
    CHECK(v.reject != rejected(RejectReason::VersionNotAllowed));
    CHECK(load_le<std::uint32_t>(v.header.data()) == version);
  }
  for (const std::uint32_t version : {0u, 0x20000001u, 0x60000000u}) {
    s.version = version;
    const ShareVerdict v = rig.submit(s);
    CHECK(v.reject == rejected(RejectReason::VersionNotAllowed));
    CHECK(load_le<std::uint32_t>(v.header.data()) == version);
  }
}

TEST_CASE("an extranonce of the wrong size is refused, not repaired") {
  Rig rig;
  const IssuedJobId id = rig.channel.publish(make_test_job(1, 1), kReceived);
  for (const std::size_t size : {0, 7, 9, 16, 1500}) {
    rig.rolled.assign(size, 0);
    const ShareVerdict v = rig.submit(rig.share(id));
    CHECK(v.reject == rejected(RejectReason::BadExtranonceSize));
    CHECK_FALSE(v.is_block);
    CHECK(v.hash == BlockHash{});
  }
}

TEST_CASE("every size of prefix leaves the rest to the miner") {
  Rig rig;
  for (std::uint8_t size = 8; size <= 15; ++size) {
    Channel channel(rig.policy, *rig.prefixes.allocate(size), easy(), kReceived);
    const IssuedJobId id = channel.publish(make_test_job(1, 1, hard()), kReceived);
    rig.rolled.assign(16u - size, 0xee);
    const ShareVerdict v = channel.submit(rig.share(id), after(1), rig.seen);
    CHECK(v.reject != rejected(RejectReason::BadExtranonceSize));
    CHECK(v.extranonce[size - 1u] == channel.prefix().bytes[size - 1u]);
    CHECK(v.extranonce[size] == 0xee);
    rig.rolled.push_back(0);
    CHECK(channel.submit(rig.share(id), after(1), rig.seen).reject ==
          rejected(RejectReason::BadExtranonceSize));
  }
}

TEST_CASE("shares for easier issues: fifty at once, then ten a second") {
  Rig rig;
  const IssuedJobId id = rig.channel.publish(make_test_job(1, 1, hard()), kReceived);
  const auto send = [&](std::int64_t seconds) { return rig.submit(rig.good(id), seconds).reject; };
  for (int i = 0; i < 100; ++i) CHECK_FALSE(send(1));
  CHECK_FALSE(rig.channel.is_lenient(after(1)));
  rig.channel.vardiff().suggest(*Difficulty::parse("0.01"), after(1));
  for (int i = 0; i < 50; ++i) CHECK_FALSE(send(1));
  CHECK(send(1) == rejected(RejectReason::TooFast));
  CHECK(rig.channel.is_lenient(after(100)));  // nobody was told yet
  rig.channel.reissue(after(1));
  CHECK(rig.channel.is_lenient(after(10)));
  CHECK_FALSE(rig.channel.is_lenient(after(11)));
  for (int i = 0; i < 10; ++i) CHECK_FALSE(send(2));
  CHECK(send(2) == rejected(RejectReason::TooFast));
  // What is as hard as the miner was told has no pace here.
  rig.channel.vardiff().suggest(easy(), after(3));
  for (int i = 0; i < 100; ++i) CHECK_FALSE(send(3));
}

TEST_CASE("an unauthorised share comes last, and its hash stays payable") {
  Rig rig;
  const IssuedJobId id = rig.channel.publish(make_test_job(1, 1, hard()), kReceived);
  ShareSubmission low = rig.search(rig.share(id), easy().to_target(), false);
  low.authorised = false;
  CHECK(rig.submit(low).reject == rejected(RejectReason::LowDifficulty));
  ShareSubmission s = rig.good(id);
  s.authorised = false;
  const ShareVerdict nobodys = rig.submit(s);
  CHECK(nobodys.reject == rejected(RejectReason::Unauthorised));
  CHECK_FALSE(rig.seen.contains(nobodys.hash));
  s.authorised = true;
  CHECK_FALSE(rig.submit(s).reject);
  s.authorised = false;
  CHECK(rig.submit(s).reject == rejected(RejectReason::Duplicate));
}

TEST_CASE("drafts of two channels and several jobs, hashed together, are judged as alone") {
  Rig rig;
  Channel other(rig.policy, *rig.prefixes.allocate(12), easy(), kReceived);
  std::vector<IssuedJobId> ids;
  for (std::uint32_t number = 1; number <= 3; ++number) {
    const JobPtr job = make_test_job(number, 1, hard());
    ids.push_back(rig.channel.publish(job, kReceived));
    other.publish(job, kReceived);
  }
  const ByteVec four(4, 0x77);
  std::vector<ShareSubmission> shares;
  for (std::uint32_t i = 0; i < 40; ++i) {
    ShareSubmission s = rig.share(ids[i / 11 % 3]);  // runs of 11: longer than is hashed at once
    s.nonce = i % 37;                                // the last three come again
    if (i % 2 != 0) s.rolled = four;
    if (i % 13 == 5) s.job.number = JobNumber(99);
    if (i % 17 == 6) s.rolled = {};
    shares.push_back(s);
  }
  const auto channel_of = [](Channel& even, Channel& odd, std::size_t i) -> Channel& {
    return i % 2 == 0 ? even : odd;
  };
  Channel even = rig.channel, odd = other;
  RecentHashes seen;
  std::vector<ShareDraft> drafts(shares.size());
  for (std::size_t i = 0; i < shares.size(); ++i)
    channel_of(rig.channel, other, i).draft(shares[i], drafts[i]);
  hash_shares(drafts);
  int accepted = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    CAPTURE(i);
    channel_of(rig.channel, other, i).judge(drafts[i], after(1), rig.seen);
    const ShareVerdict alone = channel_of(even, odd, i).submit(shares[i], after(1), seen);
    const ShareVerdict& together = drafts[i].verdict;
    CHECK(together.reject == alone.reject);
    CHECK(together.hash == alone.hash);
    CHECK(together.header == alone.header);
    CHECK(together.extranonce == alone.extranonce);
    CHECK(together.job == alone.job);
    CHECK(together.is_block == alone.is_block);
    CHECK(together.work == alone.work);
    accepted += alone.reject ? 0 : 1;
  }
  CHECK(accepted > 5);
  CHECK(rig.channel.vardiff().hash_rate(after(2)) == even.vardiff().hash_rate(after(2)));
}

TEST_CASE("a hash twice among drafts hashed together is paid once") {
  Rig rig;
  const IssuedJobId id = rig.channel.publish(make_test_job(1, 1, hard()), kReceived);
  const ShareSubmission s = rig.good(id);
  std::array<ShareDraft, 2> drafts;
  for (ShareDraft& draft : drafts) rig.channel.draft(s, draft);
  hash_shares(drafts);
  for (ShareDraft& draft : drafts) rig.channel.judge(draft, after(1), rig.seen);
  CHECK_FALSE(drafts[0].verdict.reject);
  CHECK(drafts[1].verdict.reject == rejected(RejectReason::Duplicate));
}

TEST_CASE("a channel that rolls nothing keeps the root of each job it issued") {
  Rig rig;
  Channel whole(rig.policy, *rig.prefixes.allocate(kExtranonceSize), easy(), kReceived);
  std::vector<IssuedJobId> ids;
  for (std::uint32_t number = 1; number <= 3; ++number)
    ids.push_back(whole.publish(make_test_job(number, 1, hard()), kReceived));
  ids.push_back(whole.reissue(kReceived));
  const IssuedJobId rolling = rig.channel.publish(whole.newest_job(), kReceived);
  CHECK(rig.channel.root_of(rolling) == nullptr);
  CHECK(whole.root_of({JobNumber(9), 1}) == nullptr);
  std::vector<ShareDraft> drafts(40);
  for (std::uint32_t i = 0; i < drafts.size(); ++i) {
    ShareSubmission s = rig.share(i % 5 == 4 ? rolling : ids[i / 11]);
    s.nonce = i;
    if (i % 5 != 4) s.rolled = {};
    (i % 5 == 4 ? rig.channel : whole).draft(s, drafts[i]);
  }
  hash_shares(drafts);
  for (const ShareDraft& draft : drafts) {
    const ShareVerdict& v = draft.verdict;
    CHECK(v.header ==
          share_header(*v.job, v.extranonce, draft.version, draft.share.ntime, draft.share.nonce));
    CHECK(v.hash == BlockHash{sha256d_80(v.header.data())});
  }
  for (const IssuedJobId& id : ids) {
    REQUIRE(whole.root_of(id) != nullptr);
    const JobPtr job = whole.find_job(id);
    const HeaderBytes header = share_header(*job, whole.prefix().bytes, 0, 0, 0);
    CHECK(*whole.root_of(id) == BlockHeader::from_bytes(header).merkle_root);
  }
}

TEST_CASE("recent hashes: known until another takes the place, whatever their bytes") {
  RecentHashes one(1);
  BlockHash a, b;
  CHECK_FALSE(one.contains(a));
  CHECK(one.insert(a));
  CHECK_FALSE(one.insert(a));
  b.bytes[8] = 7;
  CHECK(one.insert(b));
  CHECK_FALSE(one.contains(a));
  CHECK(one.insert(a));
  RecentHashes many;
  b.bytes[8] = 0;
  b.bytes[0] = 1;
  CHECK(many.insert(a));
  CHECK(many.insert(b));
  CHECK(many.contains(a));
}

TEST_CASE("a block is seen whatever else is wrong with the share") {
  Rig rig(Difficulty::from_u64(1));  // the network's ceiling pulls it down to its own
  const JobPtr job = make_test_job(1, 1, {.transactions = 2});
  const IssuedJobId id = rig.channel.publish(job, kReceived);
  CHECK(rig.channel.vardiff().current() <= job->network_difficulty);
  const auto block_with = [&](auto change) {
    ShareSubmission s = rig.share(id);
    change(s);
    return rig.search(s, job->network_target, true);
  };
  const ShareSubmission plain = block_with([](ShareSubmission&) {});
  CHECK(rig.submit(plain).is_block);
  const ShareVerdict again = rig.submit(plain);
  CHECK(again.is_block);
  CHECK(again.reject == rejected(RejectReason::Duplicate));
  const ShareVerdict late = rig.submit(block_with([](ShareSubmission& s) { s.ntime = 1; }));
  CHECK(late.is_block);
  CHECK(late.reject == rejected(RejectReason::NtimeOutOfRange));
  const ShareVerdict bits =
      rig.submit(block_with([](ShareSubmission& s) { s.version_bits = 0x40000001; }));
  CHECK(bits.is_block);
  CHECK(bits.reject == rejected(RejectReason::VersionNotAllowed));
  const ShareVerdict nobody =
      rig.submit(block_with([](ShareSubmission& s) { s.authorised = false; }));
  CHECK(nobody.is_block);
  CHECK(nobody.reject == rejected(RejectReason::Unauthorised));
  const ShareSubmission old = block_with([](ShareSubmission&) {});
  rig.channel.publish(make_test_job(2, 2), kReceived);
  const ShareVerdict stale = rig.submit(old);
  CHECK(stale.is_block);
  CHECK(stale.reject == rejected(RejectReason::StaleJob));
}

TEST_CASE("only accepted shares are evidence for vardiff, and waiting for work is not silence") {
  Rig rig;
  const IssuedJobId id = rig.channel.publish(make_test_job(1, 1, hard()), after(1000));
  CHECK(rig.channel.vardiff().next_check() > after(1010));
  rig.submit(rig.search(rig.share(id), easy().to_target(), false));
  CHECK(rig.channel.vardiff().hash_rate(after(1001)) == 0);
  rig.submit(rig.good(id));
  CHECK(rig.channel.vardiff().hash_rate(after(1001)) > 0);
}

TEST_CASE("a channel is small") {
  CHECK(sizeof(Channel) <= 336);
  CHECK(sizeof(Vardiff) <= 176);
}

TEST_CASE("every reject reason has a name of its own") {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kRejectReasons; ++i) {
    const auto name = reject_reason_name(static_cast<RejectReason>(i));
    CHECK_FALSE(name.empty());
    CHECK(std::find(names.begin(), names.end(), name) == names.end());
    names.push_back(name);
  }
}

}  // namespace adit
