# SPDX-License-Identifier: MIT
"""Corpus M2, third part: shares (M2-42 to M2-53), TLVs behind them (M2-69 to M2-71), shares by the thousand (M2-78).
Names are the rows' ids."""

import os
import re
import struct
import time
import unittest

import messages
from client import Closed
from m2_support import Corpus
from sv2_support import MINER_ADDRESS, memory_kib, wait_until


class Shares(Corpus):
    def setUp(self):
        self.miner, self.standard, self.extended = self.context_c()

    def both(self):
        for channel in (self.standard, self.extended):
            with self.subTest(extended=channel.extended):
                yield channel
        self.keeps(self.miner, self.standard)

    def judged(self, share, code, **changes):
        self.assertEqual(self.miner.judge(share, **changes), code)

    def test_m2_42_old_tip(self):
        late = [channel.find(block=False) for channel in (self.standard, self.extended) for _ in range(2)]
        self.node.generate(1)
        self.wait_tip(self.miner, self.standard, self.extended)
        for share in late:
            self.judged(share, 'stale-share')
        self.keeps(self.miner, self.standard)

    def test_m2_42_a_late_block_is_submitted_all_the_same(self):
        share = self.standard.find(block=True)
        self.node.generate(1)
        self.wait_tip(self.miner, self.standard)
        self.judged(share, 'stale-share')
        wait_until(lambda: any(entry['hash'] == share.hash for entry in self.node.rpc('sim_stats')['submitted']),
                   what='the node has seen the late block')

    def test_m2_43_unknown_jobs(self):
        for channel in self.both():
            for job_id in (0, 0xFFFFFFFF, channel.job.id + 1000):
                self.judged(channel.find(block=False), 'invalid-job-id', job_id=job_id)
            for job in [job for job in channel.jobs.values() if job.future]:
                share = channel.find(block=False)
                self.judged(share, 'invalid-job-id', job_id=job.id)
                self.not_booked(share)

    def test_m2_44_sequence_numbers(self):
        self.miner.strict = False
        for channel in self.both():
            for sequence in (7, 7, 3, 0xFFFFFFFF, 0, 1):
                share = channel.find(block=False)
                self.judged(share, 'accepted', sequence=sequence)
                self.judged(share, 'duplicate-share', sequence=sequence)
                self.assertEqual(self.miner.log[-1].sequence_number, sequence)

    def test_m2_45_ntime_too_low(self):
        for channel in self.both():
            self.judged(channel.find(ntime=channel.job.min_ntime - 1), 'invalid-share')
            self.judged(channel.find(ntime=0), 'invalid-share')
            self.judged(channel.find(ntime=channel.job.min_ntime, block=False), 'accepted')

    def test_m2_46_ntime_too_high(self):
        for channel in self.both():
            for ntime in (int(time.time()) + 7300, 0xFFFFFFFF):
                self.judged(channel.find(ntime=ntime), 'invalid-share')
            self.judged(channel.find(ntime=int(time.time()) + 6800, block=False), 'accepted')

    def test_m2_47_bits_that_do_not_roll(self):
        for channel in self.both():
            for bit in (0, 1, 2, 3, 4, 29, 30, 31):
                share = channel.find(version=channel.job.version ^ 1 << bit, block=False)
                self.judged(share, 'invalid-non-rollable-version-bit')
                self.not_booked(share)

    def test_m2_47_bits_that_roll(self):
        for channel in self.both():
            for bits in (1 << 5, 1 << 12, 1 << 13, 1 << 28, 0x1fffffe0, 0x1fffe000):
                self.judged(channel.find(version=channel.job.version ^ bits, block=False), 'accepted')

    def test_m2_49_extranonce_sizes(self):
        channel = self.extended
        for size in (channel.extranonce_size - 1, channel.extranonce_size + 1, 0, 32):
            share = channel.find(block=False)
            self.judged(share, 'bad-extranonce-size', extranonce=bytes(size))
        self.keeps(self.miner, self.standard)

    def test_m2_49_extranonce_of_33(self):
        for size in (33, 255):
            miner, _, channel = self.context_c()
            share = channel.find(block=False)
            miner.send('SubmitSharesExtended', **share.fields(sequence_number=1, extranonce=bytes(size)))
            self.closed(miner)

    def test_m2_50_too_little_work(self):
        for channel in self.both():
            share = channel.find(meets=False)
            for _ in range(2):
                self.judged(share, 'difficulty-too-low')

    def test_m2_51_twice(self):
        for channel in self.both():
            share = channel.find(block=False)
            key = self.miner.submit(share)
            self.assertEqual(self.miner.verdict(key), 'accepted')
            self.judged(share, 'duplicate-share')
            self.miner.strict = False
            self.judged(share, 'duplicate-share', sequence=key[1])
            self.miner.strict = True
            rows = [row for row in self.pool.lines('shares') if row['hash'] == share.hash]
            self.assertEqual(len(rows), 1)

    def test_m2_51_twice_in_one_segment(self):
        for channel in self.both():
            share = channel.find(block=False)
            name = 'SubmitSharesExtended' if channel.extended else 'SubmitSharesStandard'
            keys = [(channel.id, 501), (channel.id, 502)]
            self.miner.pending += keys
            self.miner.send_wire(b''.join(self.miner.seal(messages.encode(name, **share.fields(sequence_number=n)))
                                          for _, n in keys))
            self.assertEqual([self.miner.verdict(key) for key in keys], ['accepted', 'duplicate-share'])

    def test_m2_52_the_block_a_thousand_times(self):
        channel = self.standard
        self.wait_tip(self.miner, channel)
        share, height = channel.find(block=True), self.node.rpc('getblockcount')
        keys = [(channel.id, n) for n in range(1, 1001)]
        self.miner.pending += keys
        wire = b''.join(self.miner.seal(messages.encode('SubmitSharesStandard', **share.fields(sequence_number=n)))
                        for _, n in keys)
        self.miner.send_wire(wire)
        verdicts = [self.miner.verdict(key, 20) for key in keys]
        self.assertEqual(verdicts[0], 'accepted')
        # Once the block is the tip, its job is one of an older tip.
        self.assertLessEqual(set(verdicts[1:]), {'duplicate-share', 'stale-share'})
        self.assertIn('duplicate-share', verdicts)
        wait_until(lambda: self.node.rpc('getbestblockhash') == share.hash, what='the block is connected')
        self.assertEqual(self.node.rpc('getblockcount'), height + 1)
        self.assertEqual([row['hash'] for row in self.pool.lines('blocks')].count(share.hash), 1)
        self.assertEqual([row['hash'] for row in self.pool.lines('shares')].count(share.hash), 1)
        entries = [e for e in self.node.rpc('sim_stats')['submitted'] if e['hash'] == share.hash]
        self.assertLessEqual(len(entries), 2)
        miner = self.context_s()
        self.keeps(miner)

    def test_m2_53_same_header_under_another_job(self):
        for channel in self.both():
            target = channel.target * 9 // 10
            ntime = channel.job.min_ntime + 100  # the other job may begin later
            share = channel.find(ntime=ntime, block=False)
            while int.from_bytes(share.raw_hash, 'little') > target * 0.9:
                share = channel.find(ntime=ntime, block=False)
            old = channel.job
            self.judged(share, 'accepted')
            self.miner.send('UpdateChannel', channel_id=channel.id, nominal_hash_rate=1e3,
                            maximum_target=target.to_bytes(32, 'little'))
            self.miner.wait(lambda: channel.job.id != old.id, what='a job under the new target')
            if channel.job.merkle_root(share.extranonce) != old.merkle_root(share.extranonce):
                continue  # a new template came in between
            self.judged(share, 'duplicate-share', job_id=channel.job.id)


class NoRolling(Corpus):
    POOL = {'v2': 'version_mask = "00000000"'}

    def test_m2_48_the_job_forbids_rolling(self):
        miner, standard, extended = self.context_c()
        self.assertFalse(extended.job.rolling)
        for channel in (standard, extended):
            for bit in (5, 13, 28):
                share = channel.find(version=channel.job.version ^ 1 << bit, block=False)
                self.assertEqual(miner.judge(share), 'version-rolling-not-allowed')
        self.keeps(miner, standard)


class Tails(Corpus):
    """What stands behind the fields of a share."""

    def extended_miner(self, negotiate):
        miner = self.context_s()
        if negotiate:
            self.assertEqual(miner.request_extensions(2).supported, [2])
        return miner, miner.open(MINER_ADDRESS + '.channel', extended=True)

    def row_of(self, share):
        return next(row for row in self.pool.lines('shares') if row['hash'] == share.hash)

    def test_m2_69_not_negotiated(self):
        miner, channel = self.extended_miner(False)
        for rest in (messages.worker_tlv('Worker_001'), messages.worker_tlv('Worker_001', True), b'\x00', b'\xff' * 50,
                     messages.tlv(0x4444, 1, b'')):
            share = channel.find(block=False)
            self.assertEqual(miner.judge(share, rest=rest), 'accepted')
            self.assertEqual(self.row_of(share)['worker'], 'channel')
        standard = miner.open(MINER_ADDRESS + '.std')
        self.assertEqual(miner.judge(standard.find(block=False), rest=b'more'), 'accepted')

    def test_m2_70_beyond_the_end(self):
        miner, channel = self.extended_miner(True)
        for rest in (struct.pack('<HBH', 2, 1, 11) + b'Worker_001', struct.pack('<HBH', 2, 1, 0xFFFF),
                     struct.pack('>HBH', 2, 1, 11) + b'Worker_001'):
            share = channel.find(block=False)
            self.assertEqual(miner.judge(share, rest=rest), 'invalid-share')
            self.not_booked(share)
        self.assertEqual(miner.judge(channel.find(block=False), rest=messages.worker_tlv('w')), 'accepted')

    def test_m2_71_too_long_or_absent(self):
        miner, channel = self.extended_miner(True)
        share = channel.find(block=False)
        self.assertEqual(miner.judge(share, rest=messages.worker_tlv('w' * 33)), 'invalid-share')
        self.not_booked(share)
        share = channel.find(block=False)
        self.assertEqual(miner.judge(share, rest=messages.worker_tlv('w' * 32)), 'accepted')
        self.assertEqual(self.row_of(share)['worker'], 'w' * 32)
        share = channel.find(block=False)
        self.assertEqual(miner.judge(share), 'accepted')
        self.assertEqual(self.row_of(share)['worker'], 'channel')


class Thousands(Corpus):
    def test_m2_78_submits_unread(self):
        miner = self.context_s(receive_buffer=4096)
        channel = miner.open(MINER_ADDRESS + '.m78')
        memory = memory_kib(self.pool.process.pid)
        keys, wire, hashes = [], [], {}
        for n in range(1, 10001):
            share = channel.find(block=False)
            keys.append((channel.id, n))
            hashes[share.hash] = keys[-1]
            wire.append(miner.seal(messages.encode('SubmitSharesStandard', **share.fields(sequence_number=n))))
        miner.pending += keys
        closed = False
        try:
            miner.send_wire(b''.join(wire))
            time.sleep(3)
            self.assertLess(memory_kib(self.pool.process.pid) - memory, 8192)
            miner.wait(lambda: not miner.pending, 30, 'a verdict on everything')
        except Closed:
            closed = True
        accepted = {key for key, verdict in miner.verdicts.items() if verdict == 'accepted'}
        rows = [row['hash'] for row in self.pool.lines('shares') if row['worker'] == 'm78']
        self.assertEqual(len(rows), len(set(rows)))
        booked = {hashes[digest] for digest in rows}
        self.assertLessEqual(accepted, booked, 'acknowledged means durable')
        if not closed:
            self.assertEqual(booked, accepted)
            self.assertEqual(set(miner.verdicts.values()) - {'accepted'}, set())


class Complete(unittest.TestCase):
    """Every row of the corpus has its test."""

    ELSEWHERE = {61: 60, 62: 60, 63: 60, 64: 60, 65: 60, 66: 60}  # forms of one test
    NOT_HERE = {74: 'this pool always takes standard channels'}

    def test_every_row(self):
        found, folder = set(), os.path.dirname(os.path.abspath(__file__))
        for name in os.listdir(folder):
            if name.startswith('test_corpus_m2'):
                with open(os.path.join(folder, name)) as file:
                    for rows in re.findall(r'def test_m2_(\d\d(?:_\d\d)*)', file.read()):
                        found.update(int(row) for row in rows.split('_'))
        missing = set(range(1, 79)) - found - set(self.NOT_HERE) - set(self.ELSEWHERE)
        self.assertEqual(missing, set())


if __name__ == '__main__':
    unittest.main(verbosity=2)
