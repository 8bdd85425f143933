# SPDX-License-Identifier: MIT
"""The main job against btcd, a full node that nobody here wrote: it gives the templates and judges the blocks."""

import os
import time
import unittest

from btcd import Btcd, build
from support import MINER_ADDRESS, OTHER_ADDRESS, PoolTest, wait_until
from v1_miner import Miner

PROGRAM = build(os.environ.get('ADIT_INTEROP_BUILD', '/tmp/adit-interop'))

# Pay to the hash of OP_TRUE: anybody may spend it.
OP_TRUE_ADDRESS = '2ND8PB9RrfCaAcjfjP1Y6nAgFd9zWHYX4DN'


def spend(coinbase):
    """A transaction that spends a coinbase's first output, as hex."""
    return ('01000000' + '01' + bytes.fromhex(coinbase)[::-1].hex() + '00000000' + '020151' + 'ffffffff' + '01' +
            (4_999_990_000).to_bytes(8, 'little').hex() + '17a914da1745e9b549bd0bfa1a569971c77eba30cd5a4b87' + '00000000')


@unittest.skipUnless(PROGRAM, 'btcd cannot be built here')
class WithBtcd(PoolTest):
    def make_btcd(self):
        node = Btcd(PROGRAM, self.folder, OTHER_ADDRESS).start()
        self.addCleanup(node.stop)
        return node

    def mine_block(self, node, pool, miner, user):
        """Submits a block, waits until btcd has it as its tip, and returns its hash."""
        jobs = miner.jobs
        share = miner.find(user, block=True)
        wanted = miner.share_hash(share)
        self.assertIs(miner.submit(share)['result'], True)
        wait_until(lambda: node.rpc('getbestblockhash') == wanted, 10, 'btcd connects our block')
        miner.wait_job(after=jobs, clean=True)
        # A btcd that was stopped may come back without its last block: until the pool has brought it again there is other work.
        while miner.job.header('', '', miner.job.ntime, 0, 0)[4:36] != bytes.fromhex(wanted)[::-1]:
            miner.wait_job(after=miner.jobs)
        return wanted

    def test_blocks_in_a_row(self):
        node = self.make_btcd()
        pool = self.make_pool(node)
        user = MINER_ADDRESS + '.interop'
        with Miner(pool.address) as miner:
            self.assertIs(miner.hello(user, mask='1fffe000')['result'], True)
            found = [self.mine_block(node, pool, miner, user) for _ in range(20)]
        self.assertEqual(node.rpc('getblockcount'), 20)
        self.assertEqual([node.rpc('getblockhash', n + 1) for n in range(20)], found)
        wait_until(lambda: [row['state'] for row in pool.lines('blocks')] == ['accepted'] * 20, 15, 'all are accepted')
        self.assertEqual(len(pool.lines('shares')), 20)
        self.assertNotIn('would refuse', pool.log_text())
        self.assertEqual(pool.terminate(), 0)

    def test_two_nodes_and_transactions(self):
        one = Btcd(PROGRAM, self.folder, OP_TRUE_ADDRESS, 'one').start()
        self.addCleanup(one.stop)
        coins = [one.rpc('getblock', digest, 1)['tx'][0] for digest in one.generate(104)[:4]]
        two = Btcd(PROGRAM, self.folder, OTHER_ADDRESS, 'two', [one]).start()
        self.addCleanup(two.stop)
        wait_until(lambda: two.rpc('getblockcount') == 104, 20, 'the second follows')
        for coin in coins[:3]:
            one.rpc('sendrawtransaction', spend(coin))
        wait_until(lambda: len(two.rpc('getrawmempool')) == 3, 10, 'transactions reach the second')
        pool = self.make_pool([one, two])
        user = MINER_ADDRESS + '.interop'
        with Miner(pool.address, timeout=30) as miner:
            miner.hello(user)
            self.assertNotEqual(miner.job.branch, [])
            for node in (one, two):
                digest = self.mine_block(node, pool, miner, user)
                wait_until(lambda: (one if node is two else two).rpc('getbestblockhash') == digest, 10, 'both have it')
                if node is one:
                    self.assertEqual(len(one.rpc('getblock', digest, 1)['tx']), 4)
                    two.rpc('sendrawtransaction', spend(coins[3]))
                    wait_until(lambda: len(one.rpc('getrawmempool')) == 1, 10, 'the last transaction is known')
            one.stop()
            self.mine_block(two, pool, miner, user)
        for word in ('would refuse', 'no node says', 'work is revoked', 'template refused'):
            self.assertNotIn(word, pool.log_text())

    def test_new_tip_is_noticed(self):
        node = self.make_btcd()
        pool = self.make_pool(node)
        with Miner(pool.address) as miner:
            miner.hello(MINER_ADDRESS)
            jobs = miner.jobs
            tip = node.generate(1)[0]
            start = time.monotonic()
            miner.wait_job(after=jobs, clean=True)
            self.assertLess(time.monotonic() - start, 3)
            self.assertEqual(miner.job.header('', '', miner.job.ntime, 0, 0)[4:36], bytes.fromhex(tip)[::-1])

    def test_node_restart(self):
        node = self.make_btcd()
        pool = self.make_pool(node)
        user = MINER_ADDRESS + '.interop'
        with Miner(pool.address, timeout=30) as miner:
            miner.hello(user)
            self.mine_block(node, pool, miner, user)
            node.stop()
            node.start()
            self.mine_block(node, pool, miner, user)
        self.assertEqual(node.rpc('getblockcount'), 2)


if __name__ == '__main__':
    unittest.main()
