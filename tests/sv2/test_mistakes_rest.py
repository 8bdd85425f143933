# SPDX-License-Identifier: MIT
"""Fifteen mistakes, the rest: 9 to 15. See test_mistakes.py."""

import os
import socket
import time
import unittest

import frames
import messages
from client import Closed, Miner
from link import Wire
from sv2_support import AUTHORITY, MINER_ADDRESS, Sv2Test, descriptors, memory_kib, wait_until


class Bytes(Sv2Test):
    def test_mistake_09_order_of_bytes(self):
        """Every shape of merkle tree; the header from the messages is the block's."""
        self.start_all()
        miner = self.connect(self.pool)
        kinds = [miner.open(MINER_ADDRESS), miner.open(MINER_ADDRESS, extended=True)]
        for transactions in (0, 1, 2, 3, 4, 6, 7, 12):
            self.node.rpc('sim_tx_count', transactions)
            self.node.generate(1)
            for channel in kinds:
                self.same_tip(miner, *kinds)
                miner.read_for(0.4)
                share = channel.find(block=True)
                self.assertEqual(miner.judge(share), 'accepted')
                wait_until(lambda: self.node.rpc('getbestblockhash') == share.hash, what='the block is connected')
                header = bytes.fromhex(self.node.rpc('getblock', share.hash, 0))[:80]
                self.assertEqual(header[:4], share.version.to_bytes(4, 'little'))
                self.assertEqual(header[76:], share.nonce.to_bytes(4, 'little'))

    def test_mistake_10_version_bits(self):
        self.start_all()
        for flags in (0, 4):
            miner = self.connect(self.pool, flags=flags)
            for channel in (miner.open(MINER_ADDRESS), miner.open(MINER_ADDRESS, extended=True)):
                for bit in range(32):
                    share = channel.find(version=channel.job.version ^ 1 << bit, block=False)
                    wanted = 'accepted' if 5 <= bit <= 28 else 'invalid-non-rollable-version-bit'
                    self.assertEqual(miner.judge(share), wanted, bit)

    def test_mistake_10_a_block_with_rolled_bits(self):
        self.start_all()
        miner = self.connect(self.pool)
        for extended in (False, True):
            channel = miner.open(MINER_ADDRESS, extended=extended)
            self.same_tip(miner, channel)
            share = channel.find(version=channel.job.version ^ 0x1234567 << 5 & 0x1fffffe0, block=True)
            self.assertEqual(miner.judge(share), 'accepted')
            wait_until(lambda: self.node.rpc('getbestblockhash') == share.hash, what='the block is connected')

    def test_mistake_11_lengths_are_not_believed(self):
        self.start_all()
        before = memory_kib(self.pool.process.pid)
        held = []
        for _ in range(40):
            miner = self.connect(self.pool, setup=False)
            miner.send_frame(frames.header(0, 0, 0xFFFFFF))
            held.append(miner)
        for miner in held:
            with self.assertRaises(Closed):
                miner.read_for(5)
        self.assertLess(memory_kib(self.pool.process.pid) - before, 4096)
        miner = self.connect(self.pool)
        channel = miner.open(MINER_ADDRESS, extended=True)
        body = messages.payload('SubmitSharesExtended', **channel.find(block=False).fields(sequence_number=1))
        for lie in (33, 128, 255):
            broken = self.connect(self.pool)
            at = len(body) - channel.extranonce_size - 1
            payload = body[:at] + bytes([lie]) + body[at + 1:]
            broken.send_frame(frames.header(0, 0x1b, len(payload), True) + payload)
            with self.assertRaises(Closed):
                broken.read_for(5)
        self.mine(miner, channel)

    def test_mistake_12_not_stricter_than_peers_are(self):
        self.start_all()
        miner = self.connect(self.pool, setup=False)
        miner.send('SetupConnection', rest=b'of a later version', channel_bit=True, **miner.setup_fields())
        miner.wait_for('SetupConnection.Success', since=0)
        miner.waiting.update({1: 'user'})
        miner.send('OpenExtendedMiningChannel', rest=b'\x01\x02\x03', channel_bit=True, request_id=1,
                   user_identity=MINER_ADDRESS, nominal_hash_rate=1.0, max_target=b'\xff' * 32, min_extranonce_size=0)
        channel = miner.wait(lambda: next(iter(miner.channels.values()), None))
        miner.wait(lambda: channel.job)
        for extension, type_, bit in ((0, 0xEE, False), (0, 0x1e, True), (3, 0, False), (0x7fff, 0xff, True)):
            miner.send_frame(frames.header(extension, type_, 8, bit) + channel.id.to_bytes(4, 'little') + bytes(4))
        miner.send('UpdateChannel', rest=b'??', channel_bit=False, channel_id=channel.id, nominal_hash_rate=1.0,
                   maximum_target=b'\xff' * 32)
        self.assertEqual(miner.judge(channel.find(block=False), rest=bytes(9)), 'accepted')

    def test_mistake_13_acknowledgements(self):
        """Three good, one bad, two good: counts by batch, the bad one at once, the last number an accepted one."""
        self.start_all()
        miner = self.connect(self.pool)
        for extended in (False, True):
            channel = miner.open(MINER_ADDRESS, extended=extended)
            mark, begin = len(miner.log), time.monotonic()
            keys = [miner.submit(channel.find(block=False)) for _ in range(3)]
            bad = miner.submit(channel.find(meets=False))
            keys += [miner.submit(channel.find(block=False)) for _ in range(2)]
            self.assertEqual(miner.verdict(bad), 'difficulty-too-low')
            rejected_after = time.monotonic() - begin
            self.assertEqual([miner.verdict(key) for key in keys], ['accepted'] * 5)
            self.assertLess(rejected_after, 1)
            self.assertLess(time.monotonic() - begin, 6)
            acks = [m for m in miner.log[mark:] if m.name == 'SubmitShares.Success']
            self.assertEqual(sum(ack.new_submits_accepted_count for ack in acks), 5)
            for ack in acks:
                self.assertNotEqual(ack.last_sequence_number, bad[1])
            # A second batch starts at nothing.
            acks_before = len(miner.acks)
            self.mine(miner, channel, 1)
            self.assertEqual([ack.new_submits_accepted_count for _, ack in miner.acks[acks_before:]], [1])


class Heights(Sv2Test):
    def test_mistake_14_work_right_after_a_tip(self):
        """Through heights whose encoding or subsidy changes: what is mined on the first job of a tip is a valid block."""
        self.node = self.make_node(premine=1, bits='207fffff', tx_count=3)
        self.pool = self.make_sv2(self.node)
        miner = self.connect(self.pool)
        alone = self.connect(self.pool, flags=1)
        kinds = [(miner, miner.open(MINER_ADDRESS, extended=True)), (miner, miner.open(MINER_ADDRESS)),
                 (alone, alone.open(MINER_ADDRESS))]
        for last in (18, 130, 152):
            height = self.node.rpc('getblockcount')
            if height < last - 6 and last > 18:
                self.node.generate(last - 6 - height)
            while (height := self.node.rpc('getblockcount')) < last:
                finder, channel = kinds[height % 3]
                self.same_tip(finder, channel)
                share = channel.find(block=True)
                self.assertEqual(finder.judge(share), 'accepted')
                wait_until(lambda: self.node.rpc('getbestblockhash') == share.hash,
                           what=f'block {height + 1} is connected')
        for channel in (kinds[0][1], kinds[1][1], kinds[2][1]):
            # Not once was a job of the new tip there before its SetNewPrevHash (the client objects), and each tip came.
            self.assertGreater(channel.tips, 25)
        refused = [row for row in self.pool.lines('blocks') if row['state'] not in ('accepted', 'buried', 'confirmed', 'mature')]
        self.assertEqual(refused, [])


class Pressure(Sv2Test):
    def test_mistake_15_silent_and_stormy_connections(self):
        self.start_all()
        pid = self.pool.process.pid
        miner = self.connect(self.pool)
        channel = miner.open(MINER_ADDRESS)
        self.mine(miner, channel)
        for _ in range(20):  # what the first of a kind allocates is not growth
            Miner(self.pool.v2_address, AUTHORITY).close()
        before, open_before = memory_kib(pid), descriptors(pid)
        silent = [Wire(self.pool.v2_address) for _ in range(300)]
        half = [Wire(self.pool.v2_address) for _ in range(100)]
        for wire in half:
            wire.send_wire(os.urandom(40))
        for _ in range(60):
            quick = Miner(self.pool.v2_address, AUTHORITY)
            quick.setup()
            quick.ask_open(MINER_ADDRESS)
            quick.reset()
        self.mine(miner, channel)
        self.assertLess(memory_kib(pid) - before, 16384)
        for wire in silent + half:
            wire.close()
        wait_until(lambda: descriptors(pid) <= open_before + 2, 15, 'all descriptors are back')
        self.mine(miner, channel)
        self.assertLess(memory_kib(pid) - before, 8192)

    def test_mistake_15_a_reader_that_stopped(self):
        """Many jobs for one who does not read: bounded memory, and the others go on."""
        self.start_all()
        pid = self.pool.process.pid
        deaf = self.connect(self.pool, flags=1, receive_buffer=2048)
        deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        for n in range(40):
            deaf.ask_open(f'{MINER_ADDRESS}.d{n}')
        miner = self.connect(self.pool)
        channel = miner.open(MINER_ADDRESS)
        before = memory_kib(pid)
        for _ in range(150):
            self.node.generate(1)
            miner.read_for(0.02)
        self.same_tip(miner, channel)
        self.mine(miner, channel)
        self.assertLess(memory_kib(pid) - before, 16384)


if __name__ == '__main__':
    unittest.main(verbosity=2)
