# SPDX-License-Identifier: MIT
"""The test client itself: it mines what it is told, and it objects to what the specification forbids."""

import unittest

import noise
import secp
from client import Miner, RuleBroken
from fake_pool import AUTHORITY, NOW, FakePool
from work import number, sha256d

PINNED = secp.public_x(AUTHORITY)


class ClientTest(unittest.TestCase):
    def connect(self, script, **pool):
        self.pool = FakePool(script, **pool)
        miner = Miner(self.pool.address, PINNED, timeout=5, now=NOW)
        self.addCleanup(miner.close)
        return miner

    def refuses(self, script, extended=False, flags=0):
        """The client breaks off somewhere between its setup and a second of listening."""
        miner = self.connect(script)
        with self.assertRaises(RuleBroken) as caught:
            miner.setup(flags)
            miner.open('user', extended)
            miner.read_for(1)
        return str(caught.exception)


class Identity(ClientTest):
    def test_pins_the_authority(self):
        pool = FakePool(lambda pool: None, authority=bytes(31) + b'\x01')
        with self.assertRaisesRegex(noise.NoiseError, 'did not sign'):
            Miner(pool.address, PINNED, timeout=5, now=NOW)

    def test_looks_at_version_and_times(self):
        for certificate, word in (((1, NOW - 10, NOW + 10), 'version'), ((0, NOW + 60, NOW + 90), 'valid'),
                                  ((0, NOW - 90, NOW - 60), 'valid')):
            pool = FakePool(lambda pool: None, certificate=certificate)
            with self.assertRaisesRegex(noise.NoiseError, word):
                Miner(pool.address, PINNED, timeout=5, now=NOW)


class Mining(ClientTest):
    def test_standard_share_and_batches(self):
        got = []

        def script(pool):
            pool.open_standard()
            got.extend(pool.read() for _ in range(3))
            pool.send('SubmitShares.Error', channel_id=1, sequence_number=2, error_code='stale-share')
            pool.send('SubmitShares.Success', channel_id=1, last_sequence_number=3, new_submits_accepted_count=2,
                      new_shares_sum=0)

        miner = self.connect(script)
        miner.setup()
        channel = miner.open('user')
        self.assertEqual(channel.history, ['job, future', 'tip'])
        shares = [channel.find() for _ in range(3)]
        keys = [miner.submit(share) for share in shares]
        self.assertEqual([miner.verdict(key) for key in keys], ['accepted', 'stale-share', 'accepted'])
        for share, message in zip(shares, got):
            header = channel.job.header(message.nonce, message.ntime, message.version)
            self.assertEqual(len(header), 80)
            self.assertEqual(sha256d(header), share.raw_hash)
            self.assertLessEqual(number(share.raw_hash), channel.target)
        self.assertEqual(len({share.raw_hash for share in shares}), 3)

    def test_extended_root(self):
        path = [b'\x07' * 32, b'\x08' * 32]

        def script(pool):
            pool.accept_setup()
            pool.accept_channel(prefix=b'\x09' * 6)
            pool.extended_job(channel=100, path=path)
            pool.tip(channel=100)

        miner = self.connect(script)
        miner.setup()
        channel = miner.open('user', extended=True)
        root = sha256d(b'front' + b'\x09' * 6 + b'0123456789' + b'back')
        for sibling in path:
            root = sha256d(root + sibling)
        self.assertEqual(channel.job.merkle_root(b'0123456789'), root)
        self.assertEqual(len(channel.find().extranonce), 10)

    def test_target_of_a_job_stays(self):
        harder = b'\xff' * 31 + b'\x00'

        def script(pool):
            pool.open_standard()
            pool.send('SetTarget', channel_id=1, maximum_target=harder)
            pool.job(job=2, min_ntime=NOW)

        miner = self.connect(script)
        miner.setup()
        channel = miner.open('user')
        old = channel.job
        miner.wait(lambda: channel.job.id == 2)
        self.assertGreater(old.target, channel.job.target)
        self.assertEqual(channel.job.target, number(harder))
        self.assertIn(old.id, channel.jobs)


class Objections(ClientTest):
    def test_job_id_in_use(self):
        def script(pool):
            pool.open_standard()
            pool.job(job=1, min_ntime=NOW)
        self.assertIn('in use', self.refuses(script))

    def test_tip_of_an_unknown_or_present_job(self):
        def unknown(pool):
            pool.accept_setup()
            pool.accept_channel()
            pool.tip(job=9)

        def present(pool):
            pool.open_standard()
            pool.job(job=2, min_ntime=NOW)
            pool.tip(job=2)

        for script in (unknown, present):
            self.assertIn('not sent as a future job', self.refuses(script))

    def test_work_before_the_tip(self):
        def script(pool):
            pool.accept_setup()
            pool.accept_channel()
            pool.job(min_ntime=NOW)
        self.assertIn('before any SetNewPrevHash', self.refuses(script))

    def test_kinds_of_jobs_and_channels(self):
        def standard_on_extended(pool):
            pool.accept_setup()
            pool.accept_channel()
            pool.job()

        def extended_on_standard(pool):
            pool.accept_setup()
            pool.accept_channel()
            pool.extended_job()

        def standard_to_group(pool):
            pool.accept_setup()
            pool.accept_channel()
            pool.job(channel=100)

        self.assertIn('standard job on an extended', self.refuses(standard_on_extended, extended=True))
        self.assertIn('extended job on a standard', self.refuses(extended_on_standard))
        self.assertIn('goes to a standard channel', self.refuses(standard_to_group))
        self.assertIn('cannot read an extended job', self.refuses(
            lambda pool: (pool.accept_setup(), pool.accept_channel(), pool.extended_job(channel=100)), flags=1))

    def test_ids_and_sizes_of_a_group(self):
        def group_is_channel(pool):
            pool.accept_setup()
            pool.accept_channel(channel=5, group=5)
        self.assertIn('group', self.refuses(group_is_channel))

        def second_has_another_size(pool):
            pool.accept_setup()
            pool.accept_channel(prefix=b'\x01' * 8)
            pool.job()
            pool.tip()
            pool.accept_channel(channel=2, prefix=b'\x02' * 9)

        def second_overlaps(pool):
            pool.accept_setup()
            pool.accept_channel(prefix=b'\x01' * 8)
            pool.job()
            pool.tip()
            pool.accept_channel(channel=2, group=101, prefix=b'\x01' * 6)

        for script, word in ((second_has_another_size, 'sizes'), (second_overlaps, 'overlap')):
            miner = self.connect(script)
            miner.setup()
            miner.open('user')
            with self.assertRaisesRegex(RuleBroken, word):
                miner.open('user', extended=True)

    def test_wrong_counts(self):
        for count, last in ((1, 2), (3, 2), (0, 1)):
            def script(pool, count=count, last=last):
                pool.open_standard()
                pool.read(), pool.read()
                pool.send('SubmitShares.Success', channel_id=1, last_sequence_number=last,
                          new_submits_accepted_count=count, new_shares_sum=0)
            miner = self.connect(script)
            miner.setup()
            channel = miner.open('user')
            keys = [miner.submit(channel.find()) for _ in range(2)]
            with self.assertRaises(RuleBroken, msg=(count, last)):
                miner.verdict(keys[0])

    def test_form(self):
        def wrong_bit(pool):
            pool.open_standard()
            pool.send('SetTarget', channel_bit=False, channel_id=1, maximum_target=bytes(32))

        def more_bytes(pool):
            pool.open_standard()
            pool.send('SetTarget', rest=b'\x00', channel_id=1, maximum_target=bytes(32))

        def client_message(pool):
            pool.open_standard()
            pool.send('UpdateChannel', channel_id=1, nominal_hash_rate=0.0, maximum_target=bytes(32))

        for script, word in ((wrong_bit, 'channel bit'), (more_bytes, 'bytes more'), (client_message, 'does not send')):
            self.assertIn(word, self.refuses(script))


if __name__ == '__main__':
    unittest.main(verbosity=2)
