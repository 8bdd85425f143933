# SPDX-License-Identifier: MIT
"""Extension 0x0001 (which others may be used) and 0x0002 (a worker's name on each share of an extended channel)."""

import unittest

import messages
from sv2_support import MINER_ADDRESS, OTHER_ADDRESS, Sv2Test


class Negotiation(Sv2Test):
    def setUp(self):
        super().setUp()
        self.start_all()
        self.miner = self.connect(self.pool)

    def test_what_is_supported(self):
        for wanted in ([2], [2, 3], [3, 2, 0x4000], [2, 2]):
            miner = self.connect(self.pool)
            answer = miner.request_extensions(*wanted, request_id=0xBEEF)
            self.assertEqual((answer.name, answer.request_id, set(answer.supported)),
                             ('RequestExtensions.Success', 0xBEEF, {2}))

    def test_nothing_of_it_is_supported(self):
        answer = self.miner.request_extensions(3, 0x4001)
        self.assertEqual((answer.name, answer.required), ('RequestExtensions.Error', []))
        self.assertEqual(set(answer.unsupported), {3, 0x4001})
        again = self.miner.request_extensions(2, request_id=2)
        self.assertEqual((again.request_id, again.supported), (2, [2]), 'a second try is allowed')
        self.mine(self.miner, self.miner.open(MINER_ADDRESS))

    def test_nobody_waits_for_it(self):
        self.mine(self.miner, self.miner.open(MINER_ADDRESS, extended=True))


class WorkerNames(Sv2Test):
    def setUp(self):
        super().setUp()
        self.start_all()
        self.miner = self.connect(self.pool)
        self.miner.request_extensions(2)
        self.channel = self.miner.open(MINER_ADDRESS + '.proxy', extended=True)

    def booked_as(self, rest):
        share = self.channel.find(block=False)
        self.assertEqual(self.miner.judge(share, rest=rest), 'accepted')
        row = self.booked()[share.hash]
        return row['account'], row['worker']

    def test_both_byte_orders(self):
        """The spec's example is big-endian, its rule and its reference implementation are little-endian."""
        for big in (False, True):
            self.assertEqual(self.booked_as(messages.worker_tlv('Worker_001', big)), (MINER_ADDRESS, 'Worker_001'))

    def test_among_others(self):
        name = messages.worker_tlv('rig7')
        unknown = messages.tlv(0x4321, 1, b'whatever')
        self.assertEqual(self.booked_as(unknown + name), (MINER_ADDRESS, 'rig7'))
        self.assertEqual(self.booked_as(name + unknown), (MINER_ADDRESS, 'rig7'))
        self.assertEqual(self.booked_as(name + messages.worker_tlv('second')), (MINER_ADDRESS, 'rig7'), 'the first counts')

    def test_full_identity(self):
        """A proxy may forward what its devices are called: the account stays the channel's."""
        self.assertEqual(self.booked_as(b''), (MINER_ADDRESS, 'proxy'))
        self.assertEqual(self.booked_as(messages.worker_tlv('')), (MINER_ADDRESS, 'proxy'))
        account, _ = self.booked_as(messages.worker_tlv(OTHER_ADDRESS[:32]))
        self.assertEqual(account, MINER_ADDRESS)
        self.assertEqual(self.booked_as(messages.worker_tlv('Förderband #7')), (MINER_ADDRESS, 'proxy'))

    def test_each_worker_adds_up(self):
        for n in range(9):
            self.booked_as(messages.worker_tlv(f'rig{n % 3}', n % 2 == 1))
        rows = {row['name']: row['shares'] for row in self.pool.lines('workers')}
        self.assertEqual({name: rows.get(name) for name in ('rig0', 'rig1', 'rig2')}, {'rig0': 3, 'rig1': 3, 'rig2': 3})
        self.assertEqual([row['shares'] for row in self.pool.lines('accounts')], [9])

    def test_names_that_are_none(self):
        """What no worker may be called is not booked under that name, and the log stays readable."""
        for name in (b'\x1b[2J', b'a\nb', b'\xff\xfe', b'\x00'):
            share = self.channel.find(block=False)
            verdict = self.miner.judge(share, rest=messages.worker_tlv(name))
            if verdict == 'accepted':
                self.assertNotEqual(self.booked()[share.hash]['worker'], name.decode('latin-1'))
            else:
                self.assertEqual(verdict, 'invalid-share')
                self.assertNotIn(share.hash, self.booked())
        self.assertNotIn('\x1b[2J', self.pool.log_text())

    def test_many_names_on_one_channel(self):
        """The number of workers of a channel is bounded; a share is never lost for it."""
        hashes = []
        for n in range(120):
            share = self.channel.find(block=False)
            key = self.miner.submit(share, rest=messages.worker_tlv(f'w{n}'))
            hashes.append((key, share.hash))
        self.assertEqual({self.miner.verdict(key) for key, _ in hashes}, {'accepted'})
        self.assertLessEqual({digest for _, digest in hashes}, set(self.booked()))


if __name__ == '__main__':
    unittest.main(verbosity=2)
