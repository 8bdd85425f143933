# SPDX-License-Identifier: MIT
"""A pool whose nodes fail: down, slow, wrong, on another chain. Miners keep their work; false work never reaches them."""

import os
import signal
import time
import unittest

from blocks import USER, Finder, submissions, wait_best, wait_state
from support import PAYOUTS, PoolTest, wait_until
from v1_miner import Miner

BITS = '1f7fffff'
# Faults of the wire; each spoils the answers to a new tip.
WIRE = ['503', '401', 'close', 'reset', 'cut', 'truncated', 'length_long', 'length_short', 'garbage', 'empty',
        'chunked_garbage', 'oversized']


class NodeFault(PoolTest):
    def assert_mines(self, pool, node):
        """A miner that comes now gets work on the node's tip and finds a block that the node connects."""
        with Finder(pool, node) as miner:
            wait_best(node, miner.on_tip().find_block())


class Links(NodeFault):
    def test_node_down_at_the_start_then_there(self):
        node = self.make_node(bits=BITS)
        node.stop()
        pool = self.make_pool(node, start=False).start()
        with Miner(pool.address) as miner:
            self.assertIs(miner.hello('not an address', wait_job=False)['result'], False)
        with Miner(pool.address) as miner:
            self.assertIs(miner.hello(USER, wait_job=False)['result'], True)
            pool.wait_log('Connection refused|Could not connect|refused')
            node.start()  # with another cookie
            begin = time.monotonic()
            miner.wait_job(5)
            self.assertLess(time.monotonic() - begin, 3)
        self.assert_mines(pool, node)

    def test_node_dies_and_comes_back_with_another_cookie(self):
        node = self.make_node(bits=BITS)
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            miner.on_tip()
            mark = pool.log_mark()
            node.stop()
            share = miner.find(miner.user, block=False)
            self.assertIs(miner.submit(share)['result'], True)  # the last job stands
            pool.wait_log('no node has given a template for 5 s', mark)
            share = miner.find(miner.user, block=False)
            self.assertIs(miner.submit(share)['result'], True)
            node.start()
            pool.wait_log('templates are back', mark)
            wait_best(node, miner.on_tip().find_block())

    def test_wire_faults_leave_the_last_job_and_pass(self):
        self.need_sim()
        node = self.make_node(bits=BITS)
        pool = self.make_pool(node, workers=2)
        with Finder(pool, node) as miner:
            for kind in WIRE:
                with self.subTest(kind=kind):
                    for method in ('getblocktemplate', 'getblockheader'):
                        node.rpc('sim_fault', kind, method, 1)
                    node.generate()
                    share = miner.find(miner.user, block=False)
                    self.assertIn((miner.submit(share)['error'] or [0])[0], (0, 21))
                    miner.on_tip(15)
        self.assert_mines(pool, node)

    def test_a_slow_node_blocks_nobody(self):
        self.need_sim()
        node = self.make_node(bits=BITS)
        node.rpc('sim_template', {}, ['longpollid'])
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            miner.on_tip()
            node.rpc('sim_fault', 'delay', 'getblocktemplate', 0, None, 30)
            node.generate()
            # The empty job needs no template, and shares need no node.
            job = miner.on_tip(3).job
            self.assertEqual(job.branch, [])
            for _ in range(20):
                begin = time.monotonic()
                self.assertIs(miner.submit(miner.find(miner.user, block=False))['result'], True)
                self.assertLess(time.monotonic() - begin, 1)
            wait_best(node, miner.find_block())

    def test_a_stopped_node_is_noticed_and_forgiven(self):
        node = self.make_node(bits=BITS)
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            miner.on_tip()
            mark = pool.log_mark()
            os.kill(node.process.pid, signal.SIGSTOP)
            try:
                pool.wait_log('timed out|Timeout|Operation too slow', mark)
                self.assertIs(miner.submit(miner.find(miner.user, block=False))['result'], True)
            finally:
                os.kill(node.process.pid, signal.SIGCONT)
            wait_best(node, miner.on_tip().find_block())

    def test_warm_up_download_and_another_chain(self):
        self.need_sim()
        node = self.make_node(bits=BITS)
        node.rpc('sim_warmup', True)
        pool = self.make_pool(node, start=False).start()
        pool.wait_log('error -28')
        node.rpc('sim_network', 'main')
        node.rpc('sim_warmup', False)
        pool.wait_log('chain is main')
        with Miner(pool.address) as miner:
            miner.hello(USER, wait_job=False)
            with self.assertRaises(TimeoutError):
                miner.wait_job(1)
            node.rpc('sim_network', 'regtest')
            miner.wait_job(15)
        self.assert_mines(pool, node)


    def test_initial_block_download_gives_no_work_outside_regtest(self):
        self.need_sim()
        for network in ('main', 'testnet4', 'signet'):
            with self.subTest(network=network):
                node = self.make_node(name=network, network=network, bits='207fffff', premine=20)
                node.rpc('sim_ibd', True)
                pool = self.make_pool(node, start=False, name=network + '-pool', network=network)
                done = pool.command('check', check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn('not ready: initial block download, at height 20', done.stderr)
                pool.start().wait_log('warning node: .*not ready: initial block download, at height 20')
                with Miner(pool.address) as miner:
                    miner.hello(PAYOUTS[network], wait_job=False)
                    with self.assertRaises(TimeoutError):
                        miner.wait_job(1.5)
                    node.rpc('sim_ibd', False)
                    miner.wait_job(5)
                    params = miner.find(PAYOUTS[network], block=True)
                    digest = miner.share_hash(params)
                    self.assertIs(miner.submit(params)['result'], True)
                    wait_best(node, digest)
                pool.terminate()


class Tips(NodeFault):
    def lag(self, node, miner):
        begin = time.monotonic()
        node.generate()
        miner.on_tip(5)
        return time.monotonic() - begin

    def test_new_tips_are_seen_with_and_without_zmq(self):
        node = self.make_node(bits=BITS)
        for zmq, lag in ((True, 0.3), (False, 0.5)):
            with self.subTest(zmq=zmq):
                pool = self.make_pool(node, name=f'zmq-{zmq}', zmq=zmq)
                with Finder(pool, node) as miner:
                    miner.on_tip()
                    self.assertLess(min(self.lag(node, miner) for _ in range(3)), lag)
                pool.terminate()

    def test_new_tips_are_seen_by_each_way_alone(self):
        self.need_sim()
        node = self.make_node(bits=BITS)
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            self.assertLess(min(self.lag(node, miner) for _ in range(3)), 0.3)  # ZMQ; no long poll in the first minute
            node.rpc('sim_zmq', 'off')
            self.assertLess(min(self.lag(node, miner) for _ in range(3)), 1.5)  # a question a second
        pool.terminate()
        pool = self.make_pool(node, name='longpoll', zmq=False)
        with Finder(pool, node) as miner:
            self.assertLess(min(self.lag(node, miner) for _ in range(3)), 0.5)
        pool.terminate()
        pool = self.make_pool(node, name='poll', zmq=False)
        node.rpc('sim_template', {}, ['longpollid'])
        with Finder(pool, node) as miner:
            self.assertLess(min(self.lag(node, miner) for _ in range(3)), 1.5)  # a question a second

    def test_zmq_that_lies_or_floods_costs_nothing(self):
        self.need_sim()
        node = self.make_node(bits=BITS)
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            for mode in ('lie', 'wrong_topic', 'short', 'gap', 'flood', 'drop'):
                with self.subTest(mode=mode):
                    node.rpc('sim_stats', True)
                    node.rpc('sim_zmq', mode, 2000)
                    self.assertLess(self.lag(node, miner), 1.5)
                    self.assertIs(miner.submit(miner.find(miner.user, block=False))['result'], True)
                    calls = node.rpc('sim_stats')['calls']
                    self.assertLess(calls.get('getbestblockhash', 0), 200)
                    node.rpc('sim_zmq', 'on')
        self.assert_mines(pool, node)

    def test_the_empty_job_comes_first(self):
        self.need_sim()
        node = self.make_node(bits=BITS)
        node.rpc('sim_template', {}, ['longpollid'])
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            seen = miner.jobs
            node.rpc('sim_fault', 'delay', 'getblocktemplate', 1, None, 0.7)
            node.generate()
            empty = miner.wait_job(5, after=seen)
            self.assertEqual((empty.clean, empty.branch), (True, []))
            full = miner.wait_job(5, after=seen + 1)
            self.assertEqual((full.clean, full.prevhash), (False, empty.prevhash))
            self.assertNotEqual(full.branch, [])

    def test_reorgs_are_followed(self):
        node = self.make_node(bits=BITS)
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            node.generate(6)
            for depth in (1, 6):
                node.reorg(depth)
                miner.on_tip(5)
                wait_state(pool, miner.find_block(), 'accepted')
                miner.on_tip(5)


class TwoNodes(NodeFault):
    def setUp(self):
        super().setUp()
        same = {'bits': BITS, 'seed': 1, 'start_time': int(time.time()) - 60}  # one chain before the test
        self.one = self.make_node(name='one', **same)
        self.two = self.make_node(name='two', blocks=0, **same)
        self.two.connect(self.one)
        wait_best(self.two, self.one.rpc('getbestblockhash'), 30)

    def test_both_get_the_block(self):
        pool = self.make_pool([self.one, self.two])
        with Finder(pool, self.one) as miner:
            digest = miner.on_tip().find_block()
            for node in (self.one, self.two):
                wait_best(node, digest, 3)
                if node.simulated:
                    wait_until(lambda: submissions(node, digest), what='submitted to each')

    def test_failover_and_return(self):
        pool = self.make_pool([self.one, self.two])
        with Finder(pool, self.two) as miner:
            miner.on_tip()
            self.one.stop()
            self.two.generate(2)
            miner.on_tip(5)
            self.assertIs(miner.submit(miner.find(miner.user, block=False))['result'], True)
            digest = miner.find_block()
            wait_best(self.two, digest)
            # The first comes back behind, learns the chain, and gets the block that it missed.
            self.one.start()
            self.two.connect(self.one)
            wait_best(self.one, digest)
            miner.node = self.one
            wait_best(self.one, miner.on_tip().find_block())


if __name__ == '__main__':
    unittest.main(verbosity=2)
