# SPDX-License-Identifier: MIT
"""One set of books for both protocols: miners of one account add up, whatever they speak."""

import unittest

from sv2_support import MINER_ADDRESS, OTHER_ADDRESS, Sv2Test, wait_until
from v1_miner import Miner as V1Miner


class Books(Sv2Test):
    def setUp(self):
        super().setUp()
        self.start_all(workers=2)

    def v1(self, user, count):
        with V1Miner(self.pool.address) as miner:
            miner.hello(user)
            return [self.v1_share(miner, user) for _ in range(count)]

    def v1_share(self, miner, user):
        share = miner.find(user, block=False)
        self.assertIs(miner.submit(share)['result'], True)
        return miner.share_hash(share)

    def v2(self, user, count, extended=False):
        miner = self.connect(self.pool)
        return [share.hash for share in self.mine(miner, miner.open(user, extended), count)]

    def test_both_protocols_add_up(self):
        hashes = (self.v1(MINER_ADDRESS + '.one', 5) + self.v2(MINER_ADDRESS + '.two', 6) +
                  self.v2(MINER_ADDRESS + '.three', 7, extended=True) + self.v2(MINER_ADDRESS + '.one', 3) +
                  self.v1(OTHER_ADDRESS, 2) + self.v2(OTHER_ADDRESS, 2, extended=True))
        booked = self.booked()
        self.assertEqual(list(booked), hashes, 'in the order of their acknowledgements')
        totals = {row['address']: row['shares'] for row in self.pool.lines('accounts')}
        self.assertEqual(totals, {MINER_ADDRESS: 21, OTHER_ADDRESS: 4})
        workers = {(row['account'], row['name']): row['shares'] for row in self.pool.lines('workers')}
        self.assertEqual(workers, {(MINER_ADDRESS, 'one'): 8, (MINER_ADDRESS, 'two'): 6, (MINER_ADDRESS, 'three'): 7,
                                   (OTHER_ADDRESS, ''): 4})
        works = {row['work'] for row in booked.values()}
        self.assertEqual(len(works), 1, 'one difficulty, one credit, in both protocols')
        for row in self.pool.lines('balances'):
            self.assertEqual(int(row['work']), sum(int(share['work']) for share in booked.values()
                                                   if share['account'] == row['address']))
        self.assertIn('25 shares, sequence 1 to 25', self.pool.command('ledger', 'verify').stdout)

    def test_blocks_of_both(self):
        with V1Miner(self.pool.address) as old:
            old.hello(MINER_ADDRESS + '.v1')
            share = old.find(MINER_ADDRESS + '.v1', block=True)
            digest = old.share_hash(share)
            self.assertIs(old.submit(share)['result'], True)
            wait_until(lambda: self.node.rpc('getbestblockhash') == digest, what="V1's block is connected")
            miner = self.connect(self.pool)
            channel = miner.open(MINER_ADDRESS + '.v2', extended=True)
            self.same_tip(miner, channel)
            found, = self.mine(miner, channel, block=True)
            wait_until(lambda: self.node.rpc('getbestblockhash') == found.hash, what="V2's block is connected")
        rows = wait_until(lambda: [r for r in self.pool.lines('blocks') if r['state'] == 'accepted'][1:] and
                          self.pool.lines('blocks'), what='both blocks are booked')
        self.assertEqual({row['hash']: row['worker'] for row in rows}, {digest: 'v1', found.hash: 'v2'})

    def test_acknowledged_means_durable(self):
        """Whatever was acknowledged is there after kill -9, and its proof is not taken again."""
        miner = self.connect(self.pool)
        channel = miner.open(MINER_ADDRESS + '.kill', extended=True)
        keys = {}
        for _ in range(200):
            share = channel.find(block=False)
            keys[miner.submit(share)] = share
        miner.wait(lambda: len(miner.verdicts) > 50, what='some verdicts')
        self.pool.kill()
        acknowledged = {keys[key].hash for key, verdict in miner.verdicts.items() if verdict == 'accepted'}
        self.assertTrue(acknowledged)
        self.pool.start().wait_work()
        booked = self.booked()
        self.assertLessEqual(acknowledged, set(booked))
        again = self.connect(self.pool)
        self.mine(again, again.open(MINER_ADDRESS + '.kill'), 2)
        self.assertEqual(self.pool.terminate(), 0)


if __name__ == '__main__':
    unittest.main(verbosity=2)
