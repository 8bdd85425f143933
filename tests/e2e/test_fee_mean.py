# SPDX-License-Identifier: MIT
"""With scheme fpps the pool knows the mean fees of the last 144 blocks; with another it does not ask."""

import re
import unittest

from blocks import Finder
from support import PoolTest, wait_until


class FeeMean(PoolTest):
    def mean(self):
        height = self.node.rpc('getblockcount')
        fees = [self.node.rpc('getblockstats', at, ['totalfee'])['totalfee'] for at in range(max(1, height - 143), height + 1)]
        return sum(fees) // len(fees)

    def start(self, scheme, **options):
        self.node = self.make_node(tx_count=30, **options)
        self.node.generate(60)
        self.pool = self.make_pool(self.node, pool=f'scheme = "{scheme}"')

    def test_the_mean_is_that_of_the_chain(self):
        self.need_sim()  # nobody sends anything on a real regtest
        self.start('fpps')
        for blocks in (0, 1, 150):
            mark = self.pool.log_mark() if blocks else 0
            self.node.generate(blocks)
            wanted = self.mean()
            self.assertGreater(wanted, 0)
            self.pool.wait_log(f'the last 144 blocks brought {wanted} sat of fees each\n', mark)

    def test_the_books_price_by_it_after_a_restart_too(self):
        self.need_sim()
        self.start('fpps', bits='1f7fffff')
        wanted = self.mean()
        self.pool.wait_log(f'brought {wanted} sat')
        self.find_block()
        self.node.rpc('sim_fault', 'error', 'getblockstats', 0, None, 0, -28, 'Loading block index')
        self.assertEqual(self.pool.terminate(), 0)
        self.pool.start().wait_work()
        self.find_block()
        self.assertEqual([row['mean_fees'] for row in self.pool.lines('slices')], [wanted, wanted])

    def find_block(self):
        miner = Finder(self.pool, self.node)
        digest = miner.on_tip().find_block()
        miner.close()
        wait_until(lambda: digest in [row['block'] for row in self.pool.lines('slices')], what='the slice is closed')

    def test_a_node_that_has_no_statistics(self):
        self.need_sim()
        self.node = self.make_node(tx_count=30)
        self.node.rpc('sim_fault', 'error', 'getblockstats', 0, None, 0, -32601, 'Method not found')
        self.pool = self.make_pool(self.node, pool='scheme = "fpps"')
        self.node.generate(3)
        self.pool.wait_log('new tip')
        self.assertNotIn('sat of fees each', self.pool.log_text())

    def test_other_schemes_do_not_ask(self):
        self.start('pps')
        self.node.generate(1)
        self.pool.wait_log('new tip')
        self.assertEqual(self.pool.terminate(), 0)
        if self.node.simulated:
            self.assertNotIn('getblockstats', str(self.node.rpc('sim_stats')['calls']))
        self.assertIsNone(re.search('sat of fees', self.pool.log_text()))


if __name__ == '__main__':
    unittest.main(verbosity=2)
