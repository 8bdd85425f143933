# SPDX-License-Identifier: MIT
"""A miner that comes back starts where it was, whichever thread it lands on."""

import time
import unittest

from support import MINER_ADDRESS, PoolTest
from v1_miner import Miner

START = 1e-6


class RateMemory(PoolTest):
    def test_every_thread_knows_the_rate_of_a_miner_that_left(self):
        self.need_sim()
        node = self.make_node(bits='1e7fffff')
        pool = self.make_pool(node, workers=4, vardiff=f'start = {START:.9f}\nminimum = 1e-9\nmaximum = 1e12')
        user = MINER_ADDRESS + '.fast'
        with Miner(pool.address) as miner:
            miner.hello(user)
            until = time.monotonic() + 20
            while miner.difficulty <= 4 * START and time.monotonic() < until:
                miner.submit(miner.find(user, block=False))
            self.assertGreater(miner.difficulty, 4 * START)
        time.sleep(0.5)
        begun = []
        for _ in range(12):
            with Miner(pool.address) as miner:
                miner.hello(user)
                begun.append(miner.difficulty)
        self.assertGreater(min(begun), 2 * START, begun)
        self.assertEqual(pool.terminate(), 0)


if __name__ == '__main__':
    unittest.main(verbosity=2)
