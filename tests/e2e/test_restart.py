# SPDX-License-Identifier: MIT
"""What a killed pool knows again: blocks on their way, the end of the books, and which work space is used up."""

import itertools
import os
import signal
import unittest

from blocks import (Finder, block_row, states_told, submissions, vault_files, wait_best, wait_kept, wait_state)
from faults import Faults, needs_faults
from support import PoolTest, wait_until
from v1_miner import Closed

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

    def test_a_block_whose_file_is_gone_is_told_and_found_where_a_node_has_it(self):
        self.need_sim()
        pool = self.make_pool(self.node)
        for trouble, state in (('says nothing', 'orphaned'), ('loses its answer', 'accepted')):
            with self.subTest(node=trouble), Finder(pool, self.node) as miner:
                miner.on_tip()
                self.node.rpc(*TROUBLES[trouble])
                digest = miner.find_block()
                MOMENTS['kept, and in the books'](pool, self.node, digest)
                MOMENTS['sent, and perhaps answered'](pool, self.node, digest)
                if state == 'accepted':
                    wait_best(self.node, digest)
                pool.kill()
                self.clear()
                for name in vault_files(pool):
                    os.remove(os.path.join(pool.data, 'blocks', name))
                pool.start().wait_work()
                pool.wait_log(f'error .*{digest}: its file is missing')
                if state == 'orphaned':
                    wait_state(pool, digest, state)
                self.node.generate()
                wait_state(pool, digest, state)
                self.assertIn('every chain value', pool.command('ledger', 'verify').stdout)
                self.node.rpc('sim_stats', True)

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


@needs_faults
class KilledBeforeTheFile(PoolTest):
    """The pool dies while a found block is on its way to the disk: the share is not acknowledged, and whatever is left fits."""

    # The process is killed before this call for the block's file, or after the last.
    CALLS = {1: 'it is made', 2: 'its line is written', 3: 'the block is written', 4: 'it is synced', 5: 'it has its name',
             6: 'it is told of'}

    def kill_on_the_way(self, pool, node, call, delay):
        """Finds a block that kills the pool; returns the share and its hash. Nobody may hear that it is accepted."""
        pool.faults.die_at_block_call, pool.faults.die_delay = call, delay
        pool.start(env=pool.faults.environment).wait_work()
        with Finder(pool, node) as miner:
            params = miner.on_tip().find(miner.user, block=True)
            digest = miner.share_hash(params)
            try:
                answer = miner.submit(params)
            except (Closed, ConnectionError):
                answer = None
        self.assertEqual(pool.process.process.wait(10), -signal.SIGKILL, pool.log_text()[-2000:])
        pool.faults.die_at_block_call = 0
        # A machine so loaded that the disk's 50 ms were over: the block went out first, as it must.
        if not submissions(node, digest):
            self.assertIsNone(answer)
        return params, digest

    def test_a_kill_before_the_file_is_safe(self):
        self.need_sim()
        node = self.make_node(bits='1f7fffff')
        pool = self.make_pool(node, start=False)
        pool.faults = Faults(self.folder, pool.data)
        told, shares = 0, 0
        # At once, and when the books have the share.
        for (call, what), delay in itertools.product(self.CALLS.items(), (0, 25)):
            with self.subTest(killed_before=what, delay=delay):
                params, digest = self.kill_on_the_way(pool, node, call, delay)
                kept = any(digest in name for name in vault_files(pool))
                self.assertEqual(kept, call == 6)
                sent = bool(submissions(node, digest))
                pool.start(env=pool.faults.environment).wait_work()
                self.assertEqual([name for name in os.listdir(os.path.join(pool.data, 'blocks')) if '.tmp' in name], [])
                row = block_row(pool, digest)
                if kept or sent:
                    wait_best(node, digest)
                elif row:
                    told += 1
                    wait_state(pool, digest, 'orphaned')
                    self.assertIn(f'{digest}: its file is missing', pool.log_text())
                with Finder(pool, node) as miner:
                    # Sent again it belongs to no job any more: refused, never paid twice.
                    self.assertEqual(miner.on_tip().submit(params)['error'][0], 21)
                    found = miner.find_block()
                wait_best(node, found)
                wait_state(pool, found, 'accepted')
                if kept:
                    wait_state(pool, digest, 'accepted')
                elif not sent:
                    self.assertEqual(submissions(node, digest), [])
                rows = [row['hash'] for row in pool.lines('shares')]
                self.assertEqual(len(rows), len(set(rows)))
                self.assertIn(found, rows)
                shares += digest in rows
                self.assertIn('every chain value', pool.command('ledger', 'verify').stdout)
                pool.kill()
        self.assertGreater(shares, 2)
        print(f'{2 * len(self.CALLS)} kills: {shares} shares booked that nobody was told of, {told} blocks in the books alone')


if __name__ == '__main__':
    unittest.main(verbosity=2)
