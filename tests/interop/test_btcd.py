# SPDX-License-Identifier: MIT
"""The main job against btcd, a full node that nobody here wrote: it gives the templates and judges the blocks."""

import os
import time
import unittest

from btcd import Btcd, build
from support import MINER_ADDRESS, OTHER_ADDRESS, PoolTest, wait_until
from v1_miner import Miner

PROGRAM = build(os.environ.get('ADIT_INTEROP_BUILD', '/tmp/adit-interop'))


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
        job = miner.job
        self.assertEqual(job.header('', '', job.ntime, 0, 0)[4:36], bytes.fromhex(wanted)[::-1])
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
