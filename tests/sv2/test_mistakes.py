# SPDX-License-Identifier: MIT
"""Fifteen mistakes that Stratum V2 servers have made, each tried on this one as far as the wire shows it. The first
eight; test_mistakes_rest.py has the others. The numbers are those of the project's survey of other implementations."""

import os
import unittest

import frames
import make_vectors
import messages
import secp
from client import Miner
from link import Link
from sv2_support import AUTHORITY, DIFFICULTY_ONE, MINER_ADDRESS, Sv2Test, wait_until
from work import number, sha256d


class Handshake(Sv2Test):
    def test_mistake_01_order_and_bytes_of_the_key_agreement(self):
        """The initiator's 64 bytes come first, and they are hashed as they crossed the wire."""
        self.start_all()
        secret = bytes(31) + b'\x07'
        encodings = [make_vectors.encode_beyond_the_prime(secret)]
        encodings += [make_vectors.encode_in_case(secret, case) for case in range(8)]
        encodings += [secp.ellswift_public(secret, os.urandom) for _ in range(10)]
        for encoded in encodings:
            with Link(self.pool.v2_address, AUTHORITY, ephemeral=(secret, encoded)) as link:
                link.send_frame(messages.encode('SetupConnection', **Miner.setup_fields()))
                self.assertEqual(messages.decode(link.read_frame()).name, 'SetupConnection.Success')
        for _ in range(10):
            self.connect(self.pool).close()


class Work(Sv2Test):
    def test_mistake_02_witness_bytes(self):
        """None in a job, all in a block: the node takes it, and its txid is the one the miner computed."""
        self.start_all()
        miner = self.connect(self.pool)
        for extended in (True, False):
            channel = miner.open(MINER_ADDRESS, extended=extended)
            self.same_tip(miner, channel)
            if extended:
                miner.wait(lambda: channel.job.message.merkle_path, what='a job with transactions')
                message = channel.job.message
                self.assertEqual(message.coinbase_tx_prefix[4], 1, 'one input follows the version')
                self.assertNotEqual(message.coinbase_tx_suffix[-38:-4], b'\x01\x20' + bytes(32), 'a witness at the end')
            else:
                miner.read_for(0.5)
            job, share = channel.job, channel.find(block=True)
            self.assertEqual(miner.judge(share), 'accepted')
            wait_until(lambda: self.node.rpc('getbestblockhash') == share.hash, what='the block is connected')
            block = self.node.rpc('getblock', share.hash, 1)
            if extended:
                self.assertEqual(block['tx'][0], sha256d(job.coinbase(share.extranonce))[::-1].hex())
                self.assertGreater(len(block['tx']), 1)
            raw = bytes.fromhex(self.node.rpc('getblock', share.hash, 0))
            self.assertEqual(raw[81:87], b'\x02\x00\x00\x00\x00\x01', 'the coinbase of the block has its witness')

    def test_mistake_03_credit_for_no_work(self):
        self.start_all()
        miner = self.connect(self.pool)
        easiest = DIFFICULTY_ONE * 10**9
        for rate in (0.0, -0.0, 1e-45, float('nan'), float('inf'), float('-inf'), -5.0):
            for extended in (False, True):
                channel = miner.open(MINER_ADDRESS, extended=extended, rate=rate, max_target=b'\xff' * 32)
                if isinstance(channel, str):
                    self.assertEqual(channel, 'invalid-nominal-hashrate')
                    continue
                self.assertLessEqual(channel.target, easiest * 1.001)
                self.assertEqual(miner.judge(channel.find(meets=False)), 'difficulty-too-low')
                share, = self.mine(miner, channel)
                credit = int(self.booked()[share.hash]['work'])
                self.assertLessEqual(credit, 2**256 // (number(share.raw_hash) + 1), 'credit beyond the proof')
                self.assertLessEqual(abs(credit - 2**256 // (channel.target + 1)), 1)

    def test_mistake_04_a_target_and_the_jobs_before_it(self):
        self.start_all(vardiff='start = 1e-9\nminimum = 1e-9\nmaximum = 1e-7\n')
        miner = self.connect(self.pool)
        for extended in (False, True):
            channel = miner.open(MINER_ADDRESS, extended=extended, rate=0.0)
            old = channel.job
            harder = old.target // 8
            miner.send('UpdateChannel', channel_id=channel.id, nominal_hash_rate=0.0,
                       maximum_target=harder.to_bytes(32, 'little'))
            miner.wait(lambda: channel.job.id != old.id and channel.job.target <= harder, what='a job under the target')
            share = channel.find(job=old, block=False)
            while number(share.raw_hash) <= harder:
                share = channel.find(job=old, block=False)
            self.assertEqual(miner.judge(share), 'accepted', 'an old job keeps its target')
            self.assertLessEqual(int(self.booked()[share.hash]['work']), 2**256 // (old.target + 1) + 1)
            self.assertEqual(miner.judge(channel.find(meets=False)), 'difficulty-too-low')
            # A future job is worth what the channel's target is when its time comes.
            self.node.generate(1)
            self.same_tip(miner, channel)
            self.assertLessEqual(channel.job.target, harder)
            share, = self.mine(miner, channel)
            self.assertLessEqual(abs(int(self.booked()[share.hash]['work']) - 2**256 // (channel.job.target + 1)), 1)

    def test_mistake_05_job_ids(self):
        """The client objects when an id is taken or a tip names what was not sent; here is cause enough for both."""
        self.start_all(vardiff='start = 1e-10\nminimum = 1e-10\nmaximum = 1e-7\nshares_per_minute = 60\n')
        for flags in (0, 1):
            miner = self.connect(self.pool, flags=flags)
            channels = [miner.open(f'{MINER_ADDRESS}.j{n}', extended=not flags and n % 2 == 1, rate=0.0) for n in range(3)]
            for turn in range(12):
                if turn % 3 == 0:
                    self.node.generate(1)
                else:
                    self.node.rpc('sim_add_transactions', 1)
                for channel in channels:
                    for _ in range(4):
                        self.assertIn(miner.judge(channel.find(block=False)), ('accepted', 'stale-share'))
                if turn == 6:
                    channels.append(miner.open(f'{MINER_ADDRESS}.late', extended=not flags))
            self.same_tip(miner, *channels)
            for channel in channels:
                self.mine(miner, channel)

    def test_mistake_06_one_proof_twice(self):
        self.start_all()
        miner, other = self.connect(self.pool), self.connect(self.pool)
        prefixes = []
        for extended in (False, True):
            channel = miner.open(MINER_ADDRESS, extended=extended)
            prefixes.append(channel.extranonce_prefix)
            shares = self.mine(miner, channel, 3)
            again = miner.open(MINER_ADDRESS, extended=extended)
            foreign = other.open(MINER_ADDRESS, extended=extended)
            miner.close_channel(channel.id)
            reopened = miner.open(MINER_ADDRESS, extended=extended)
            third = self.connect(self.pool)
            reconnected = third.open(MINER_ADDRESS, extended=extended)
            prefixes += [c.extranonce_prefix for c in (again, foreign, reopened, reconnected)]
            for share in shares:
                for connection, place in ((miner, again), (other, foreign), (miner, reopened), (third, reconnected)):
                    share.channel = place
                    verdict = connection.judge(share, job_id=place.job.id)
                    # Under another prefix it is another header, which may meet the target by luck; never the same one.
                    self.assertIn(verdict, ('accepted', 'difficulty-too-low', 'duplicate-share'))
            rows = self.booked()
            self.assertTrue(all(share.hash in rows for share in shares))
        self.assertEqual(len(set(prefixes)), len(prefixes), 'a prefix is not used again under the same tip')

    def test_mistake_06_the_block_twice(self):
        self.start_all()
        miner = self.connect(self.pool)
        channel = miner.open(MINER_ADDRESS, extended=True)
        self.same_tip(miner, channel)
        share = channel.find(block=True)
        self.assertEqual(miner.judge(share), 'accepted')
        for _ in range(3):
            self.assertIn(miner.judge(share), ('duplicate-share', 'stale-share'))
        self.assertEqual([row['hash'] for row in self.pool.lines('shares')].count(share.hash), 1)

    def test_mistake_07_pieces_and_nonces(self):
        """Longer than one AEAD message, exactly one, empty: each direction counts on by itself."""
        self.start_all()
        miner = self.connect(self.pool)
        for size in (65519, 4, 65520, 131039, 5, 131038, 65518, 0):
            if size < 4:
                miner.send_frame(frames.header(0x4444, 9, size))
                continue
            body = messages.payload('RequestExtensions', request_id=size & 0xFFFF, requested=[2] * ((size - 4) // 2))
            body += bytes(size - len(body))
            mark = len(miner.log)
            miner.send_frame(frames.header(1, 0, size) + body)
            answer = miner.wait(lambda: next((m for m in miner.log[mark:] if m.name.startswith('RequestExt')), None))
            self.assertEqual(answer.request_id, size & 0xFFFF)
        self.mine(miner, miner.open(MINER_ADDRESS))

    def test_mistake_08_sizes_in_one_group(self):
        """One broadcast job gives a valid root to all, however much of the extranonce each of them rolls."""
        self.node = self.make_node(bits='207fffff', longpoll_tx_seconds=1)
        self.pool = self.make_sv2(self.node, zmq=False)
        miner = self.connect(self.pool)
        channels = [miner.open(MINER_ADDRESS, extended=True, min_extranonce_size=2),
                    miner.open(MINER_ADDRESS, extended=True, min_extranonce_size=8), miner.open(MINER_ADDRESS)]
        larger = miner.open(MINER_ADDRESS, extended=True, min_extranonce_size=14)
        if larger != 'min-extranonce-size-too-large':  # to refuse is allowed
            channels.append(larger)
        self.node.rpc('sim_add_transactions', 2)
        before = channels[0].job.id
        miner.wait(lambda: channels[0].job.id != before, 60, 'a broadcast job')
        for channel in channels:
            self.same_tip(miner, channel)
            job = channel.job
            full = len(job.prefix) + channel.extranonce_size
            if job.extended:
                script_length = job.message.coinbase_tx_prefix[41]
                self.assertEqual(script_length, len(job.message.coinbase_tx_prefix) - 42 + full)
            share = channel.find(block=True)
            self.assertEqual(miner.judge(share), 'accepted')
            wait_until(lambda: self.node.rpc('getbestblockhash') == share.hash, what='the block is connected')


if __name__ == '__main__':
    unittest.main(verbosity=2)
