# SPDX-License-Identifier: MIT
"""What a killed pool knows again: blocks on their way, the end of the books, and which work space is used up."""

import itertools
import os
import signal
import unittest

from blocks import (Finder, block_row, states_told, submissions, vault_files, wait_best, wait_kept, wait_state)
from support import PoolTest, wait_until

# How the node treats submitblock while the pool is killed, by the control method that orders it.
TROUBLES = {
    'says nothing': ('sim_fault', 'hang', 'submitblock', 0, None, 60),
    'closes': ('sim_fault', 'close', 'submitblock', 0),
    'loses its answer': ('sim_fault', 'reset', 'submitblock', 0),
    'is too busy': ('sim_fault', '503', 'submitblock', 0),
    'knows no login': ('sim_fault', '401', 'submitblock', 0),
    'is warming up': ('sim_submit_answer', None, {'code': -28, 'message': 'Loading'}, 500),
    'has a parent to learn': ('sim_submit_answer', 'prev-blk-not-found', None, 500),
    'is not sure': ('sim_submit_answer', 'inconclusive', None, 500),
    'has an odd word': ('sim_submit_answer', 'what-is-this', None, 500),
}
# How far a block was when the pool was killed.
MOMENTS = {
    'acknowledged': lambda pool, node, digest: None,
    'kept, and in the books': lambda pool, node, digest: (
        wait_kept(pool, digest), wait_until(lambda: block_row(pool, digest), what='the block is in the books')),
    'sent, and perhaps answered': lambda pool, node, digest: wait_until(
        lambda: node.rpc('sim_stats')['calls'].get('submitblock'), what='the node is asked'),
}


class Restart(PoolTest):
    def setUp(self):
        super().setUp()
        self.node = self.make_node(bits='1f7fffff')

    def restart(self, pool):
        pool.kill()
        pool.start().wait_work()

    def clear(self):
        self.node.rpc('sim_fault', 'clear')
        self.node.rpc('sim_submit_answer', None, None, 0)

    def test_an_unsettled_block_goes_to_the_node_after_the_restart(self):
        self.need_sim()
        pool = self.make_pool(self.node)
        for name, moment in itertools.product(TROUBLES, MOMENTS):
            with self.subTest(node=name, moment=moment), Finder(pool, self.node) as miner:
                miner.on_tip()
                self.node.rpc(*TROUBLES[name])
                self.node.rpc('sim_stats', True)
                digest = miner.find_block()
                MOMENTS[moment](pool, self.node, digest)
                pool.kill()
                self.clear()
                pool.start().wait_work()
                wait_best(self.node, digest)
                self.assertIn(f'{digest}: ', pool.log_text())
                wait_state(pool, digest, 'accepted')

    def test_an_acknowledged_block_survives_a_kill_at_once(self):
        """The file is safe before the winning share is acknowledged: nothing else can bring the block back."""
        self.need_sim()
        pool = self.make_pool(self.node)
        for _ in range(6):
            with Finder(pool, self.node) as miner:
                miner.on_tip()
                self.node.rpc('sim_fault', 'hang', 'submitblock', 0, None, 60)
                digest = miner.find_block()
                pool.kill()
            self.clear()
            pool.start().wait_work()
            wait_best(self.node, digest)

    def test_two_blocks_found_while_the_node_is_stopped(self):
        pool = self.make_pool(self.node, workers=2)
        with Finder(pool, self.node) as one, Finder(pool, self.node) as two:
            one.on_tip()
            two.on_tip()
            os.kill(self.node.process.pid, signal.SIGSTOP)
            try:
                digests = [one.find_block(), two.find_block(), one.find_block()]
                for digest in digests:
                    wait_kept(pool, digest)
                pool.kill()
            finally:
                os.kill(self.node.process.pid, signal.SIGCONT)
        pool.start().wait_work()
        for digest in digests:
            if self.node.simulated:
                wait_until(lambda: submissions(self.node, digest), what='each block is submitted')
        states = wait_until(lambda: [s for s in [block_row(pool, d)['state'] for d in digests]
                                     if s in ('accepted', 'side')], what='states')
        wait_until(lambda: sorted(block_row(pool, d)['state'] for d in digests) == ['accepted', 'side', 'side'],
                   what=f'one wins, two stay beside the chain (now {states})')

    def test_settled_blocks_stay_settled(self):
        self.need_sim()
        pool = self.make_pool(self.node)
        with Finder(pool, self.node) as miner:
            miner.on_tip()
            self.node.rpc('sim_submit_answer', 'bad-cb-amount')
            refused = miner.refused_block()
            wait_until(lambda: not vault_files(pool), what='the refused block is put away')
            accepted = miner.find_block()
            wait_state(pool, accepted, 'accepted')
        for _ in range(2):
            self.restart(pool)
            wait_until(lambda: len(states_told(pool, accepted)) >= 1, what='the accepted block is followed again')
        self.assertEqual(block_row(pool, refused)['state'], 'refused')
        self.assertEqual(block_row(pool, accepted)['state'], 'accepted')
        self.assertEqual(len(submissions(self.node, refused)), 1)
        self.assertEqual({entry['result'] for entry in submissions(self.node, accepted)[1:]}, {'duplicate'})

    def test_a_damaged_file_of_a_block_is_set_aside(self):
        self.need_sim()
        pool = self.make_pool(self.node)
        self.node.rpc('sim_fault', 'hang', 'submitblock', 0, None, 60)
        with Finder(pool, self.node) as miner:
            digests = [miner.on_tip().find_block(), miner.find_block()]
            for digest in digests:
                wait_kept(pool, digest)
        pool.kill()
        self.clear()
        folder = os.path.join(pool.data, 'blocks')
        name = next(name for name in os.listdir(folder) if digests[0] in name)
        with open(os.path.join(folder, name), 'r+b') as kept:
            kept.seek(-20, os.SEEK_END)
            byte = kept.read(1)
            kept.seek(-20, os.SEEK_END)
            kept.write(bytes([byte[0] ^ 1]))
        open(os.path.join(folder, '999-half.blk.tmp'), 'w').close()
        pool.start().wait_work()
        wait_best(self.node, digests[1])
        self.assertTrue(any(digests[0] in n and n.endswith('.bad') for n in os.listdir(folder)), os.listdir(folder))
        self.assertIn(name, pool.log_text())

    def test_books_and_work_space_go_on(self):
        pool = self.make_pool(self.node, workers=2)
        spaces, sequence, old = set(), 0, []
        for _ in range(4):
            with Finder(pool, self.node) as one, Finder(pool, self.node) as two:
                for miner in (one, two):
                    self.assertNotIn(miner.extranonce1, spaces)
                    spaces.add(miner.extranonce1)
                    for params in old:  # also those of the other connection
                        reply = miner.submit(params)
                        self.assertTrue(reply['error'] and reply['error'][0] in (21, 22), reply)
                    share = miner.find(miner.user, block=False)
                    self.assertIs(miner.submit(share)['result'], True)
                    self.assertEqual(miner.submit(share)['error'][0], 22)
                    old.append(share)
            rows = pool.lines('shares')
            self.assertEqual([row['sequence'] for row in rows], list(range(1, sequence + 3)))
            sequence += 2
            self.restart(pool)
        self.assertEqual(len(spaces), 8)


if __name__ == '__main__':
    unittest.main(verbosity=2)
