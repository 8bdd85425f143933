// SPDX-License-Identifier: MIT
// A channel that moves to another prefix while jobs under the old one are still being searched.
#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "mining/channel_rig.h"

namespace adit {

using test::after;
using test::easy;
using test::hard;
using test::kReceived;
using test::make_test_job;
using test::rejected;
using Rig = test::ChannelRig;

TEST_CASE("a channel that moves: each job keeps the prefix it was issued under") {
  Rig rig;
  const JobPtr work = make_test_job(1, 1, hard());
  const IssuedJobId old = rig.channel.publish(work, kReceived);
  const ExtranoncePrefix before = rig.channel.prefix();
  rig.channel.move_to(*rig.prefixes.allocate(12));
  CHECK(rig.channel.rolled_size(old) == 8);
  CHECK(rig.channel.rolled_size({JobNumber(7), 7}) == 4);
  // Before anything was issued under it, a third one takes the second one's place.
  const ExtranoncePrefix after_move = *rig.prefixes.allocate(11);
  rig.channel.move_to(after_move);
  const IssuedJobId id = rig.channel.reissue(after(1));
  CHECK(rig.channel.rolled_size(id) == 5);

  const ShareVerdict late = rig.submit(rig.good(old));
  CHECK_FALSE(late.reject);
  CHECK(std::equal(before.view().begin(), before.view().end(), late.extranonce.begin()));
  CHECK(rig.submit(rig.share(id)).reject == rejected(RejectReason::BadExtranonceSize));
  rig.rolled.resize(5);
  const ShareVerdict moved = rig.submit(rig.good(id));
  CHECK_FALSE(moved.reject);
  const Bytes view = after_move.view();
  CHECK(std::equal(view.begin(), view.end(), moved.extranonce.begin()));
  CHECK(rig.submit(rig.share(old)).reject == rejected(RejectReason::BadExtranonceSize));

  rig.channel.publish(make_test_job(2, 2, hard()), after(2));
  CHECK(rig.channel.rolled_size(old) == 8);  // stale, and perhaps a block
  rig.channel.publish(make_test_job(3, 3, hard()), after(3));
  CHECK(rig.channel.rolled_size(old) == 5);  // forgotten with its last job
}

TEST_CASE("moved hundreds of times, a channel knows whose prefix is whose") {
  Rig rig;
  std::vector<std::pair<IssuedJobId, ExtranoncePrefix>> issued;
  for (std::uint32_t i = 0; i < 600; ++i) {
    const auto size = static_cast<std::uint8_t>(8 + i % 8);
    rig.channel.move_to(*rig.prefixes.allocate(size));
    const IssuedJobId id = rig.channel.publish(make_test_job(i + 1, 1 + i / 20, hard()), after(1));
    issued.emplace_back(id, rig.channel.prefix());
    for (std::size_t back = 0; back < std::min<std::size_t>(16, issued.size()); ++back) {
      const auto& [old, prefix] = issued[issued.size() - 1 - back];
      if (!rig.channel.find_job(old)) continue;
      rig.rolled.assign(kExtranonceSize - prefix.size, 0);
      const ShareVerdict v = rig.submit(rig.share(old));
      REQUIRE(v.reject != rejected(RejectReason::BadExtranonceSize));
      REQUIRE(std::equal(prefix.bytes.begin(), prefix.bytes.begin() + prefix.size,
                         v.extranonce.begin()));
    }
  }
}

TEST_CASE("a channel whose prefix is the whole extranonce has another root once it moved") {
  Rig rig;
  Channel channel(rig.policy, *rig.prefixes.allocate(16), easy(), kReceived);
  const IssuedJobId first = channel.publish(make_test_job(1, 1, hard()), kReceived);
  channel.move_to(*rig.prefixes.allocate(16));
  const IssuedJobId second = channel.reissue(after(1));
  CHECK(*channel.root_of(first) != *channel.root_of(second));
}

}  // namespace adit
