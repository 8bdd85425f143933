# SPDX-License-Identifier: MIT
"""Templates that lie: each is refused with its reason and the last good one stays, or it is proven harmless. A block that
the node would refuse is revoked before anybody finds it."""

import time
import unittest

from blocks import Finder, wait_best, wait_state
from support import PoolTest, wait_until

# sim_template's arguments (merge, remove, set, named), and what the pool says of such a template.
LIES = [
    *[({'remove': [key]}, key) for key in ('version', 'previousblockhash', 'transactions', 'coinbasevalue', 'target',
                                           'mintime', 'curtime', 'bits', 'height')],
    *[({'merge': {key: value}}, key) for key, value in (
        ('version', 'x'), ('previousblockhash', 5), ('transactions', {}), ('coinbasevalue', '5'), ('target', 7),
        ('mintime', -1), ('curtime', '1'), ('bits', 12), ('height', 1.5))],
    ({'merge': {'coinbasevalue': -1}}, 'coinbasevalue'),
    ({'merge': {'coinbasevalue': 0}}, 'coinbasevalue'),
    ({'merge': {'coinbasevalue': 2_100_000_000_000_001}}, 'coinbasevalue'),
    ({'set': {'/transactions/0/txid': 'ab'}}, 'transaction'),
    ({'set': {'/transactions/0/data': 'zz'}}, 'transaction'),
    ({'named': 'short_prevhash'}, 'previousblockhash'),
    ({'named': 'nonhex_prevhash'}, 'previousblockhash'),
    ({'named': 'bits_not_target'}, 'target'),
    ({'named': 'mintime_future'}, 'mintime'),
    ({'named': 'unknown_rule'}, 'rule'),
    ({'named': 'child_before_parent'}, ''),
    ({'named': 'duplicate_txid'}, ''),
    ({'named': 'txid_mismatch'}, 'txid'),
    ({'named': 'wtxid_mismatch'}, 'hash'),
    ({'named': 'fees_mismatch'}, 'coinbasevalue'),
    ({'named': 'sigops_sum'}, 'sig'),
    ({'named': 'weight_sum'}, 'weight'),
    ({'named': 'bad_commitment'}, 'commitment'),
    ({'named': 'no_witness_commitment'}, 'commitment'),
    ({'named': 'tx_64_bytes'}, '64'),
]


class Templates(PoolTest):
    def setUp(self):
        super().setUp()
        self.need_sim()
        self.node = self.make_node(bits='1f7ffffe', tx_count=40, longpoll_tx_seconds=1)

    def lie(self, merge=None, remove=None, set=None, named=None):
        self.node.rpc('sim_template', merge or {}, remove or [], set or {}, named)

    def test_each_lie_is_refused_with_its_reason(self):
        pool = self.make_pool(self.node, start=False)
        self.assertIn('valid', pool.command('check').stdout)
        for order, reason in LIES:
            with self.subTest(order=order):
                self.lie(**order)
                done = pool.command('check', check=False)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertRegex(done.stderr, 'template: .*' + reason)

    def test_the_last_good_one_stays_until_there_is_a_better(self):
        pool = self.make_pool(self.node, zmq=False)  # it hears of a transaction by long poll, at once
        with Finder(pool, self.node) as miner:
            miner.on_tip()
            for named in ('height_falls', 'other_bits', 'fees_mismatch'):
                mark = pool.log_mark()
                self.lie(named=named)
                self.node.rpc('sim_add_transactions', 1)
                pool.wait_log('template refused', mark, 32)
                self.assertIs(miner.submit(miner.find(miner.user, block=False))['result'], True)
                self.node.rpc('sim_template')
                mark = pool.log_mark()
                self.node.generate()
                miner.on_tip(12)
            wait_best(self.node, miner.on_tip().find_block())

    def test_odd_but_true_templates_are_taken(self):
        for name in ('upper_prevhash', 'same_longpollid'):
            with self.subTest(name=name):
                self.lie(named=name)
                pool = self.make_pool(self.node, start=False, name=name).start()
                with Finder(pool, self.node) as miner:
                    wait_best(self.node, miner.on_tip().find_block())
                calls = self.node.rpc('sim_stats', True)['calls']['getblocktemplate']
                self.assertLess(calls, 30, 'a busy loop')
                pool.terminate()

    def test_a_failed_proposal_revokes_within_two_seconds(self):
        pool = self.make_pool(self.node)
        with Finder(pool, self.node) as miner:
            for lie in (lambda: self.lie(named='invalid_transaction'),
                        lambda: self.node.rpc('sim_proposal_answer', 'bad-blk-sigops', 1)):
                miner.on_full_work()
                mark, begin = pool.log_mark(), time.monotonic()
                lie()
                self.node.generate()
                full = miner.on_full_work().jobs  # nothing is known of it yet
                self.assertEqual(miner.wait_job(5, after=full, clean=True).branch, [])
                self.assertLess(time.monotonic() - begin, 2.5)
                pool.wait_log('work is revoked', mark)
                wait_best(self.node, miner.find_block())  # coinbase only, and good
                self.node.rpc('sim_template')

    def jobs_for(self, miner, seconds):
        """The jobs that come meanwhile."""
        jobs, end = [], time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                jobs.append(miner.wait_job(left, after=miner.jobs))
            except TimeoutError:
                break
        return jobs

    def test_without_a_proof_no_work_with_transactions(self):
        pool = self.make_pool(self.node)
        with Finder(pool, self.node) as miner:
            miner.on_tip()
            self.node.rpc('sim_proposal_answer', 'bad-cb-amount', 10000)
            unproven = clean = 0
            for _ in range(3):
                self.node.generate()
                jobs = self.jobs_for(miner, 3)
                unproven += sum(job.branch != [] for job in jobs)
                clean += sum(job.clean for job in jobs)
            self.assertEqual(unproven, 1, 'the first, of which nothing was known')
            self.assertLessEqual(clean, 4)
            wait_best(self.node, miner.find_block())  # coinbase only, and good
            self.node.rpc('sim_proposal_answer', None, 0)
            self.node.generate()
            miner.on_tip()
            while not miner.job.branch:
                miner.wait_job(10, after=miner.jobs)

    def test_a_refused_block_ends_its_kind_of_work_until_one_is_proven(self):
        pool = self.make_pool(self.node)
        with Finder(pool, self.node) as miner:
            miner.on_tip()
            while not miner.job.branch:
                miner.wait_job(5, after=miner.jobs)
            self.node.rpc('sim_submit_answer', 'bad-txns-inputs-missingorspent')
            self.node.rpc('sim_proposal_answer', 'bad-txns-inputs-missingorspent', 10000)
            jobs = miner.jobs
            wait_state(pool, miner.find_block(), 'refused')
            bare = miner.wait_job(3, after=jobs)
            self.assertEqual((bare.clean, bare.branch), (True, []))
            self.assertEqual([job.branch for job in self.jobs_for(miner, 3)], [])
            self.node.rpc('sim_proposal_answer', None, 0)
            while not miner.job.branch:
                miner.wait_job(10, after=miner.jobs)
            self.assertFalse(miner.job.clean)  # what was found meanwhile is as good
            wait_state(pool, miner.find_block(), 'accepted')

    def test_a_signet_that_must_be_signed_gives_no_work(self):
        node = self.make_node(name='signet', network='signet', bits='207fffff')
        pool = self.make_pool(node, start=False, network='signet')
        self.assertIn('valid', pool.command('check').stdout)
        node.rpc('sim_template', {'signet_challenge': '512103ad5e51ae'}, [])
        done = pool.command('check', check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, 'signet_challenge: blocks of this signet must be signed')

    def test_the_other_node_is_asked(self):
        other = self.make_node(name='other', bits='1f7ffffe', tx_count=40,
                               start_time=self.node.rpc('getblockheader', self.node.rpc('getbestblockhash'))['time'])
        self.assertEqual(other.rpc('getbestblockhash'), self.node.rpc('getbestblockhash'))
        self.lie(named='fees_mismatch')
        pool = self.make_pool([self.node, other])
        pool.wait_log('template refused')
        with Finder(pool, other) as miner:
            wait_best(other, miner.on_tip().find_block())
            wait_until(lambda: self.node.rpc('getbestblockhash') == other.rpc('getbestblockhash'), what='both have it')


if __name__ == '__main__':
    unittest.main(verbosity=2)
