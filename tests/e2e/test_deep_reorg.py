# SPDX-License-Identifier: MIT
"""A reorg of more than 100 blocks reaches the books, by proof, and so does the way back, also after a restart."""

import unittest

from blocks import Finder, block_row, states_told, wait_state
from support import PoolTest, wait_until


class DeepReorg(PoolTest):
    def setUp(self):
        super().setUp()
        self.node = self.make_node(bits='1f7fffff')
        self.pool = self.make_pool(self.node)
        miner = Finder(self.pool, self.node)
        self.digest = miner.on_tip().find_block()
        miner.close()
        wait_state(self.pool, self.digest, 'accepted')

    def restart(self):
        self.assertEqual(self.pool.terminate(), 0)
        self.pool.start().wait_work()

    def balance(self):
        return sum(row['balance_sat'] for row in self.pool.lines('balances'))

    def wait_balance(self, wanted):
        wait_until(lambda: self.balance() == wanted, what=f'a balance of {wanted}')

    def test_a_ripe_block_is_lost_and_comes_back(self):
        self.node.generate(100)
        value = wait_state(self.pool, self.digest, 'mature')['value']
        self.wait_balance(value)
        rival = self.node.reorg(101)[0]
        self.assertIn(rival, wait_state(self.pool, self.digest, 'orphaned')['detail'])
        self.pool.wait_log(f'[Ee]rror.* {self.digest}: orphaned: matured and was then lost in a reorg of more than 100 blocks')
        self.wait_balance(0)
        self.node.rpc('invalidateblock', rival)
        self.assertEqual(wait_state(self.pool, self.digest, 'mature')['confirmations'], 101)
        self.assertEqual(states_told(self.pool, self.digest), ['accepted', 'mature', 'orphaned', 'accepted', 'mature'])
        self.wait_balance(value)

        # Lost while nobody looks, and back after another restart.
        self.assertEqual(self.pool.terminate(), 0)
        self.node.rpc('reconsiderblock', rival)
        self.assertEqual(self.node.rpc('getblockheader', self.digest)['confirmations'], -1)
        self.pool.start().wait_work()
        wait_state(self.pool, self.digest, 'orphaned')
        self.wait_balance(0)
        self.restart()
        self.assertEqual(block_row(self.pool, self.digest)['state'], 'orphaned')
        self.node.rpc('invalidateblock', rival)
        wait_state(self.pool, self.digest, 'mature')
        self.assertEqual(states_told(self.pool, self.digest), ['accepted', 'mature'])
        self.wait_balance(value)
        self.assertEqual(self.pool.command('ledger', 'verify').returncode, 0)

    def test_an_orphan_comes_back_and_ripens(self):
        self.node.generate(5)
        rival = self.node.reorg(6, 2)[0]
        wait_state(self.pool, self.digest, 'orphaned')
        self.node.rpc('invalidateblock', rival)
        wait_state(self.pool, self.digest, 'accepted')
        self.restart()
        self.node.generate(94)
        self.assertEqual(wait_state(self.pool, self.digest, 'mature')['confirmations'], 100)


if __name__ == '__main__':
    unittest.main(verbosity=2)
