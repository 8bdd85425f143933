# SPDX-License-Identifier: MIT
"""Channels of both kinds and their groups: opening, first work, shares, blocks, tips, targets, closing."""

import time
import unittest

import noise
from client import REQUIRES_STANDARD_JOBS, REQUIRES_VERSION_ROLLING
from sv2_support import DIFFICULTY_ONE, MINER_ADDRESS, NETWORK_TARGET, OTHER_ADDRESS, Sv2Test, wait_until

ACK_SECONDS = 6  # an accepted share is told of within this, however few there are


class Opening(Sv2Test):
    def setUp(self):
        super().setUp()
        self.start_all()

    def test_setup_names_version_and_flags(self):
        for flags in (0, REQUIRES_STANDARD_JOBS, REQUIRES_VERSION_ROLLING, 5):
            miner = self.connect(self.pool, setup=False)
            answer = miner.setup(flags)
            self.assertEqual((answer.name, answer.used_version), ('SetupConnection.Success', 2))
            self.assertEqual(answer.flags & 1 if flags & REQUIRES_VERSION_ROLLING else 0, 0, 'REQUIRES_FIXED_VERSION')

    def test_standard(self):
        for flags in (REQUIRES_STANDARD_JOBS, 0):
            miner = self.connect(self.pool, flags=flags)
            channel = miner.open(MINER_ADDRESS + '.std')
            self.assertEqual(channel.history[:2], ['job, future', 'tip'])
            self.assertAlmostEqual(channel.target / (DIFFICULTY_ONE * 1e9), 1, places=3)
            self.assertTrue(1 <= len(channel.extranonce_prefix) <= 32)
            share, = self.mine(miner, channel)
            row = wait_until(lambda: self.booked().get(share.hash), what='the share is in the books')
            self.assertEqual((row['account'], row['worker'], row['block']), (MINER_ADDRESS, 'std', False))

    def test_extended(self):
        miner = self.connect(self.pool)
        channel = miner.open(MINER_ADDRESS + '.ext', extended=True, min_extranonce_size=4)
        self.assertEqual(channel.history[:2], ['job, future', 'tip'])
        self.assertGreaterEqual(channel.extranonce_size, 4)
        job = miner.wait(lambda: channel.job if channel.job.message.merkle_path else None, what='a full job')
        self.assertTrue(job.rolling)
        self.assertNotEqual(job.message.coinbase_tx_prefix[4:6], b'\x00\x01', 'witness marker in a coinbase prefix')
        self.assertEqual(len(job.message.merkle_path), 3, 'six transactions and a coinbase')
        share, = self.mine(miner, channel)
        self.assertEqual(self.booked()[share.hash]['worker'], 'ext')

    def test_granted_sizes(self):
        miner = self.connect(self.pool)
        for wanted in (0, 1, 2, 8):
            channel = miner.open(MINER_ADDRESS, extended=True, min_extranonce_size=wanted)
            self.assertGreaterEqual(channel.extranonce_size, wanted)
        self.assertEqual(miner.open(MINER_ADDRESS, extended=True, min_extranonce_size=33),
                         'min-extranonce-size-too-large')

    def test_extended_channel_is_nothing_for_standard_jobs(self):
        miner = self.connect(self.pool, flags=REQUIRES_STANDARD_JOBS)
        self.assertEqual(miner.open(MINER_ADDRESS, extended=True), 'extended-channels-not-supported-for-standard-jobs')
        self.assertIsNotNone(miner.open(MINER_ADDRESS).job)

    def test_request_ids_are_echoed(self):
        miner = self.connect(self.pool)
        for request in (0, 0xFFFFFFFF, 7):
            miner.open(MINER_ADDRESS, request_id=request)
        self.assertEqual(len(miner.channels), 3)

    def test_wrong_authority_is_noticed(self):
        with self.assertRaises(noise.NoiseError):
            self.pool.miner(authority=bytes(31) + b'\x01')


class Several(Sv2Test):
    def setUp(self):
        super().setUp()
        self.start_all(workers=2)

    def open_four(self, flags=0):
        miner = self.connect(self.pool, flags=flags)
        kinds = [False, False] if flags & REQUIRES_STANDARD_JOBS else [False, True, False, True]
        channels = [miner.open(f'{MINER_ADDRESS}.c{n}', extended=extended, min_extranonce_size=2 if extended else 0)
                    for n, extended in enumerate(kinds)]
        return miner, channels

    def test_each_has_work_of_its_own(self):
        miner, channels = self.open_four()
        self.assertEqual(len({channel.id for channel in channels}), 4)
        hashes = [share.hash for channel in channels for share in self.mine(miner, channel, 3)]
        booked = self.booked()
        self.assertEqual([booked[digest]['worker'] for digest in hashes], [f'c{n}' for n in range(4) for _ in range(3)])

    def test_new_transactions_reach_everyone_at_once(self):
        miner, channels = self.open_four()
        before = [channel.job.id for channel in channels]
        tips, mark = [channel.tips for channel in channels], len(miner.log)
        self.node.rpc('sim_add_transactions', 3)
        miner.wait(lambda: all(c.job.id != old for c, old in zip(channels, before)), 60, 'a job with more transactions')
        self.assertEqual([channel.tips for channel in channels], tips, 'no new tip, no SetNewPrevHash')
        jobs = [m for m in miner.log[mark:] if m.name in ('NewMiningJob', 'NewExtendedMiningJob')]
        groups = {channel.group for channel in channels}
        self.assertEqual(len([job for job in jobs if job.min_ntime is not None]), len(groups), 'one job for the group')
        for channel in channels:
            self.mine(miner, channel)

    def test_a_new_tip_costs_one_message(self):
        for flags in (0, REQUIRES_STANDARD_JOBS):
            miner, channels = self.open_four(flags)
            miner.read_for(0.3)
            for _ in range(3):
                mark, tips = len(miner.log), [channel.tips for channel in channels]
                self.node.generate(1)
                self.same_tip(miner, *channels)
                miner.read_for(0.7)
                self.assertEqual([channel.tips for channel in channels], [n + 1 for n in tips])
                sent = [m.channel_id for m in miner.log[mark:] if m.name == 'SetNewPrevHash']
                wanted = {c.id for c in channels} if flags else {c.group for c in channels}
                self.assertEqual(len(sent), len(wanted))
            for channel in channels:
                self.mine(miner, channel)

    def test_full_work_follows_the_tip(self):
        miner, channels = self.open_four()
        self.node.generate(1)
        self.same_tip(miner, *channels)
        extended = channels[1]
        miner.wait(lambda: extended.job.message.merkle_path, 10, 'a job with transactions')
        self.mine(miner, extended)

    def test_close_one_and_the_group(self):
        miner, channels = self.open_four()
        late = channels[0].find(block=False)
        miner.close_channel(channels[0].id)
        self.assertEqual(miner.judge(late), 'invalid-channel-id')
        for channel in channels[1:]:
            self.mine(miner, channel)
        late = [channel.find(block=False) for channel in channels[1:]]
        groups = {channel.group for channel in channels}
        for group in groups:
            miner.close_channel(group)
        for share in late:
            self.assertEqual(miner.judge(share), 'invalid-channel-id')
        mark = len(miner.log)
        self.node.generate(1)
        self.assertEqual(miner.read_for(1.5), [], 'nothing is said to closed channels')
        self.assertIsNotNone(miner.open(MINER_ADDRESS).job, miner.log[mark:])


class Blocks(Sv2Test):
    def test_found_through_each_kind(self):
        self.start_all()
        miner = self.connect(self.pool)
        alone = self.connect(self.pool, flags=REQUIRES_STANDARD_JOBS)
        kinds = [(miner, miner.open(MINER_ADDRESS + '.std')), (miner, miner.open(MINER_ADDRESS + '.ext', extended=True)),
                 (alone, alone.open(OTHER_ADDRESS + '.alone'))]
        for number, (finder, channel) in enumerate(kinds):
            self.same_tip(finder, channel)
            height = self.node.rpc('getblockcount')
            share = channel.find(block=True)
            self.assertEqual(finder.judge(share), 'accepted')
            wait_until(lambda: self.node.rpc('getbestblockhash') == share.hash, what=f'block {number} is connected')
            self.assertEqual(self.node.rpc('getblockcount'), height + 1)
            self.same_tip(finder, channel)
            row = wait_until(lambda: next((r for r in self.pool.lines('blocks') if r['hash'] == share.hash and
                                           r['state'] == 'accepted'), None), what='the block is booked')
            self.assertEqual((row['account'], row['worker']), tuple(channel.user.split('.')))
        self.assertEqual(self.pool.command('ledger', 'verify').returncode, 0)
        self.assertEqual(self.pool.terminate(), 0)

    def test_a_block_is_acknowledged_at_once(self):
        self.start_all()
        miner = self.connect(self.pool)
        channel = miner.open(MINER_ADDRESS, extended=True)
        self.same_tip(miner, channel)
        share = channel.find(block=True)
        begin = time.monotonic()
        self.assertEqual(miner.judge(share), 'accepted')
        self.assertLess(time.monotonic() - begin, 1.5)


class Acknowledgements(Sv2Test):
    def setUp(self):
        super().setUp()
        self.start_all()
        self.miner = self.connect(self.pool)

    def test_batches_count_what_was_sent(self):
        """Counts belong to a batch; the client holds every batch against what waited."""
        for extended in (False, True):
            channel = self.miner.open(MINER_ADDRESS, extended=extended)
            self.miner.acks.clear()
            keys = [self.miner.submit(channel.find(block=False)) for _ in range(40)]
            for key in keys:
                self.assertEqual(self.miner.verdict(key), 'accepted')
            acks = [ack for _, ack in self.miner.acks]
            self.assertEqual(sum(ack.new_submits_accepted_count for ack in acks), 40)
            self.assertEqual(acks[-1].last_sequence_number, keys[-1][1])
            self.assertLess(len(acks), 40, 'one acknowledgement for several shares')
            self.assertEqual(sum(ack.new_shares_sum for ack in acks), 0, '40 shares of difficulty 1e-9')

    def test_a_single_share_is_acknowledged_in_time(self):
        channel = self.miner.open(MINER_ADDRESS)
        for _ in range(2):
            begin = time.monotonic()
            self.mine(self.miner, channel)
            self.assertLess(time.monotonic() - begin, ACK_SECONDS)

    def test_two_channels_are_acknowledged_apart(self):
        one, two = self.miner.open(MINER_ADDRESS), self.miner.open(MINER_ADDRESS, extended=True)
        keys = [self.miner.submit(channel.find(block=False)) for _ in range(5) for channel in (one, two)]
        self.assertEqual({self.miner.verdict(key) for key in keys}, {'accepted'})


class Targets(Sv2Test):
    def test_a_target_comes_directly_before_its_job(self):
        self.start_all(vardiff='start = 1e-10\nminimum = 1e-10\nmaximum = 1e-7\nshares_per_minute = 60\n')
        miner = self.connect(self.pool)
        channels = [miner.open(MINER_ADDRESS, rate=0.0), miner.open(MINER_ADDRESS, extended=True, rate=0.0)]
        for channel in channels:
            first, begin = channel.job, time.monotonic()
            while channel.target == first.target and time.monotonic() - begin < 30:
                self.assertEqual(miner.judge(channel.find(block=False)), 'accepted')
                time.sleep(0.002)
            self.assertLess(channel.target, first.target, 'vardiff has raised the difficulty')
            self.assertGreaterEqual(channel.target, NETWORK_TARGET * 0.99)
            miner.read_for(0.3)
            for name, following in zip(channel.history, channel.history[1:] + ['nothing']):
                if name == 'target':
                    self.assertIn(following, ('job', 'job, future'))
            # What was issued before keeps its target; the new job asks for more.
            easy = self.easy_share(channel, first)
            self.assertEqual(miner.judge(easy), 'accepted')
            self.assertEqual(miner.judge(channel.find(meets=False)), 'difficulty-too-low')
            self.mine(miner, channel)

    def easy_share(self, channel, job):
        """Meets the job's own target and misses the channel's new one."""
        while True:
            share = channel.find(job=job, block=False)
            if int.from_bytes(share.raw_hash, 'little') > channel.target:
                return share

    def test_a_device_of_unknown_rate_starts_where_its_kind_does(self):
        self.start_all(vardiff='start = 1e-9\nminimum = 5e-10\nmaximum = 1e-7\n[[vardiff.agent]]\nmatch = "ACME gamma"\n'
                               'start = 2e-8\n')
        for device, rate, expected in (({'vendor': 'Acme', 'hardware_version': 'Gamma'}, 0.0, 2e-8), ({}, 0.0, 1e-9),
                                       ({'vendor': 'Acme', 'hardware_version': 'Gamma'}, 1e-3, 5e-10)):
            miner = self.connect(self.pool, setup=False)
            self.assertEqual(miner.setup(**device).name, 'SetupConnection.Success')
            channel = miner.open(MINER_ADDRESS, extended=True, rate=rate)
            self.assertAlmostEqual(channel.target / (DIFFICULTY_ONE / expected), 1, places=2)

    def test_update_channel(self):
        self.start_all(vardiff='start = 1e-9\nminimum = 1e-10\nmaximum = 1e-7\n')
        miner = self.connect(self.pool)
        for extended in (False, True):
            channel = miner.open(MINER_ADDRESS, extended=extended, rate=0.0)
            wanted = channel.target // 3
            miner.send('UpdateChannel', channel_id=channel.id, nominal_hash_rate=0.0,
                       maximum_target=wanted.to_bytes(32, 'little'))
            miner.wait(lambda: channel.target <= wanted, what='a target as low as asked for')
            self.assertGreater(channel.target, wanted * 0.99)
            miner.wait(lambda: channel.job.target == channel.target, what='a job under that target')
            self.mine(miner, channel)
            self.assertEqual(miner.judge(channel.find(meets=False)), 'difficulty-too-low')
            # A rate of one share a minute or less would be harder than a block: the network's target is the limit.
            miner.send('UpdateChannel', channel_id=channel.id, nominal_hash_rate=1e12, maximum_target=b'\xff' * 32)
            miner.read_for(1)
            self.assertGreaterEqual(channel.target, NETWORK_TARGET * 0.99)
            self.mine(miner, channel)


if __name__ == '__main__':
    unittest.main(verbosity=2)
