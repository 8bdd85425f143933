# SPDX-License-Identifier: MIT
"""Found blocks: each answer of submitblock ends in its state, whatever the share was worth, and reorgs are told by proof."""

import os
import signal
import time
import unittest

from blocks import Finder, block_row, states_told, submissions, vault_files, wait_best, wait_state
from support import PoolTest, wait_until

# What submitblock says once; what the pool's log then says of the block, in order; what its row must tell.
WORDS = [
    ({'answer': None, 'connect': True}, ['accepted'], ''),
    ({'answer': 'duplicate', 'connect': True}, ['accepted'], ''),
    ({'answer': 'inconclusive', 'connect': True}, ['side', 'accepted'], ''),
    ({'answer': 'inconclusive'}, ['side', 'accepted'], ''),
    ({'answer': 'duplicate-inconclusive'}, ['side', 'accepted'], ''),
    ({'answer': 'some-new-word', 'connect': True}, ['submitted', 'accepted'], ''),
    ({'answer': 'duplicate-invalid'}, ['refused'], 'duplicate-invalid'),
    ({'answer': 'high-hash'}, ['refused'], 'high-hash'),
    ({'answer': 'bad-txnmrklroot'}, ['refused'], 'bad-txnmrklroot'),
    ({'answer': 'bad-cb-amount'}, ['refused'], 'bad-cb-amount'),
    ({'answer': 'time-too-new'}, ['refused'], 'time-too-new'),
    ({'answer': 'unexpected-witness'}, ['refused'], 'unexpected-witness'),
    ({'error': {'code': -22, 'message': 'Block decode failed'}}, ['refused'], 'error -22'),
    ({'error': {'code': -28, 'message': 'Loading block index'}, 'count': 3}, ['accepted'], ''),
    ({'error': {'code': -9, 'message': 'not connected'}, 'count': 3}, ['accepted'], ''),
    ({'error': {'code': -10, 'message': 'initial sync'}, 'count': 3}, ['accepted'], ''),
]
# Answers that are none: the pool asks again until there is one.
SILENCES = ['503', '401', 'close', 'reset', 'cut', 'truncated', 'length_long', 'garbage', 'html', 'empty', 'null',
            'chunked_garbage', 'not_http', '404']


class OneMiner(PoolTest):
    def setUp(self):
        super().setUp()
        self.node = self.make_node(bits='1f7fffff')
        self.pool = self.make_pool(self.node)
        self.miner = Finder(self.pool, self.node)
        self.addCleanup(self.miner.close)


class Answers(OneMiner):
    def setUp(self):
        self.need_sim()
        super().setUp()

    def ends(self, digest, states, detail=''):
        row = wait_state(self.pool, digest, states[-1])
        self.assertIn(detail, row['detail'])
        self.assertEqual(states_told(self.pool, digest), states)

    def test_each_word_of_submitblock_ends_in_its_state(self):
        for order, states, detail in WORDS:
            with self.subTest(order=order):
                self.miner.on_tip()
                self.node.rpc('sim_submit_answer', 0, None, 0)
                self.node.rpc('sim_submit_answer', order.get('answer'), order.get('error'), order.get('count', 1),
                              order.get('connect', False))
                refused = states[-1] == 'refused'
                digest = self.miner.refused_block() if refused else self.miner.find_block()
                self.ends(digest, states, detail)
        # A refused block is put away and not sent again.
        refused = [row['hash'] for row in self.pool.lines('blocks') if row['state'] == 'refused']
        wait_until(lambda: not any(h in name for h in refused for name in vault_files(self.pool)), what='vault')
        self.assertEqual([len(submissions(self.node, h)) for h in refused], [1] * len(refused))

    def test_silence_is_never_a_refusal(self):
        for kind in SILENCES:
            with self.subTest(kind=kind):
                self.miner.on_tip()
                self.node.rpc('sim_fault', 'clear')
                self.node.rpc('sim_fault', kind, 'submitblock', 3)
                self.ends(self.miner.find_block(), ['accepted'])

    def test_a_word_that_may_change_is_asked_again_when_the_node_moves(self):
        for word in ('prev-blk-not-found', 'some-new-word'):
            self.miner.on_tip()
            self.node.rpc('sim_submit_answer', word)
            digest = self.miner.find_block()
            self.assertIn(word, wait_state(self.pool, digest, 'submitted')['detail'])
            self.assertEqual(len(submissions(self.node, digest)), 1)
            mark = self.pool.log_mark()
            self.node.rpc('sim_warmup', True)
            self.pool.wait_log('error -28', mark)
            self.node.rpc('sim_warmup', False)
            wait_state(self.pool, digest, 'accepted')

    def test_a_slow_submission_holds_up_no_other(self):
        self.miner.on_tip()
        self.node.rpc('sim_fault', 'hang', 'submitblock', 1, None, 20)
        slow, quick = self.miner.find_block(), self.miner.find_block()
        wait_best(self.node, quick, 3)
        wait_state(self.pool, quick, 'accepted')
        self.assertIn(block_row(self.pool, slow)['state'], ('found', 'submitted', 'side'))


class Chain(OneMiner):
    def test_a_block_is_a_block_whatever_the_share_is_worth(self):
        self.miner.on_tip()
        params, job = self.miner.find(self.miner.user, block=True), self.miner.job
        self.node.generate()
        self.miner.on_tip()
        self.assertEqual(self.miner.submit(params)['error'][0], 21)
        stale = self.miner.share_hash(params, job)
        wait_state(self.pool, stale, 'side')
        self.assertNotIn(stale, [row['hash'] for row in self.pool.lines('shares')])

    def test_a_thousand_copies_are_one_block(self):
        self.miner.on_tip()
        params = self.miner.find(self.miner.user, block=True)
        digest = self.miner.share_hash(params)
        requests = [self.miner.send('mining.submit', params) for _ in range(1000)]
        replies = [self.miner.wait_reply(request) for request in requests]
        self.assertIs(replies[0]['result'], True)
        self.assertEqual({reply['error'][0] for reply in replies[1:]} - {21, 22}, set())
        wait_state(self.pool, digest, 'accepted')
        self.assertLessEqual(len(submissions(self.node, digest)), 1)
        self.assertEqual([row['hash'] for row in self.pool.lines('shares')], [digest])
        self.assertEqual(len(vault_files(self.pool)), 1)

    def test_reorgs_orphan_by_proof_and_may_bring_back(self):
        self.miner.on_tip()
        digest = self.miner.find_block()
        wait_state(self.pool, digest, 'accepted')
        rival = self.node.reorg(1)[0]
        wait_state(self.pool, digest, 'side')
        self.node.generate(4)  # the rival is six deep: not yet a proof
        self.node.rpc('invalidateblock', rival)
        wait_state(self.pool, digest, 'accepted')
        self.node.generate(5)
        self.node.reorg(6)
        wait_state(self.pool, digest, 'orphaned')
        self.assertEqual(states_told(self.pool, digest), ['accepted', 'side', 'accepted', 'side', 'orphaned'])

    def test_a_block_matures_and_its_file_is_put_away(self):
        self.miner.on_tip()
        digest = self.miner.find_block()
        wait_state(self.pool, digest, 'accepted')
        self.node.generate(100)
        self.assertGreaterEqual(wait_state(self.pool, digest, 'mature')['confirmations'], 100)
        wait_until(lambda: any(digest in name for name in vault_files(self.pool, done=True)), what='the file is put away')
        self.assertEqual(vault_files(self.pool), [])


class Looks(OneMiner):
    """Blocks whose way on the chain nobody could see."""

    def setUp(self):
        self.need_sim()
        super().setUp()

    def side_and_blind(self):
        """A block of which the node says that it stands beside the chain, and no more."""
        self.miner.on_tip()
        self.node.rpc('sim_submit_answer', 'inconclusive', None, 1, True)
        for method in ('getchaintips', 'getblockheader', 'getblockhash'):
            self.node.rpc('sim_fault', 'error', method, 0, None, 1.0, -28, 'busy')
        digest = self.miner.find_block()
        wait_best(self.node, digest)
        wait_state(self.pool, digest, 'side')
        return digest

    def test_ripe_in_one_look(self):
        digest = self.side_and_blind()
        self.node.generate(105)
        self.node.rpc('sim_fault', 'clear')
        wait_state(self.pool, digest, 'mature')
        self.assertEqual(states_told(self.pool, digest), ['side', 'accepted', 'mature'])
        self.assertNotIn('does not follow', self.pool.log_text())

    def test_a_row_without_a_file_is_followed_all_the_same(self):
        digest = self.side_and_blind()
        self.pool.kill()
        name = vault_files(self.pool)[0]
        folder = os.path.join(self.pool.data, 'blocks')
        os.rename(os.path.join(folder, name), os.path.join(folder, 'done', name))
        self.node.rpc('sim_fault', 'clear')
        self.pool.start().wait_work()
        self.node.generate()
        wait_state(self.pool, digest, 'accepted')
        self.node.generate(100)
        wait_state(self.pool, digest, 'mature')


class NoDisk(OneMiner):
    def test_a_block_that_cannot_be_kept_goes_to_the_node(self):
        folder = os.path.join(self.pool.data, 'blocks')
        os.rename(folder, folder + '-away')
        digest = self.miner.on_tip().find_block()
        wait_best(self.node, digest, 3)
        wait_state(self.pool, digest, 'accepted')
        self.assertRegex(self.pool.log_text(), f'error +block: {digest}: not kept on disk')
        os.rename(folder + '-away', folder)
        self.pool.kill()
        self.pool.start().wait_work()
        self.node.generate(100)
        wait_state(self.pool, digest, 'mature')


class TwoNodes(PoolTest):
    def setUp(self):
        super().setUp()
        self.need_sim()
        same = {'bits': '1f7fffff', 'seed': 1, 'start_time': int(time.time()) - 60}
        self.one = self.make_node(name='one', **same)
        self.two = self.make_node(name='two', **same)
        self.two.connect(self.one)
        wait_best(self.two, self.one.rpc('getbestblockhash'), 30)
        self.pool = self.make_pool([self.one, self.two])
        self.miner = Finder(self.pool, self.one)
        self.addCleanup(self.miner.close)
        self.miner.on_tip()

    def test_refused_by_the_quick_node_taken_by_the_slow_one(self):
        self.one.rpc('sim_submit_answer', 'duplicate-invalid')
        self.two.rpc('sim_fault', 'delay', 'submitblock', 1, None, 0.5)
        digest = self.miner.find_block()
        wait_best(self.two, digest)
        wait_best(self.one, digest)
        wait_state(self.pool, digest, 'accepted')
        self.assertEqual(states_told(self.pool, digest), ['submitted', 'accepted'])
        self.assertRegex(self.pool.log_text(), f'error +block: height .* {digest}: submitted: node 0: duplicate-invalid')
        self.two.generate(101)
        wait_state(self.pool, digest, 'mature')
        wait_until(lambda: vault_files(self.pool) == [], what='the file is put away')

    def test_a_refusal_after_the_block_was_taken_reaches_the_operator(self):
        self.two.rpc('sim_submit_answer', 'bad-cb-amount')
        self.two.rpc('sim_fault', 'delay', 'submitblock', 1, None, 0.5)
        digest = self.miner.find_block()
        wait_state(self.pool, digest, 'accepted')
        self.pool.wait_log(f'error +block: height .* {digest}: accepted: node 1: bad-cb-amount')

    def test_all_refuse(self):
        for node in (self.one, self.two):
            node.rpc('sim_submit_answer', 'bad-txnmrklroot')
        digest = self.miner.find_block()
        row = wait_state(self.pool, digest, 'refused')
        self.assertEqual(row['detail'], 'node 0: bad-txnmrklroot; node 1: bad-txnmrklroot')


class Stop(OneMiner):
    """A block that no node has yet holds up the end of the pool, for ten seconds at most."""

    def stop_with_a_block_under_way(self):
        self.need_sim()
        self.miner.on_tip()
        self.node.rpc('sim_fault', '503', 'submitblock', 0)
        digest = self.miner.find_block()
        os.kill(self.pool.process.pid, signal.SIGTERM)
        self.miner.close()
        return digest

    def test_the_node_comes_to_itself(self):
        digest = self.stop_with_a_block_under_way()
        time.sleep(1)
        self.assertTrue(self.pool.process.alive())
        self.node.rpc('sim_fault', 'clear')
        self.assertEqual(self.pool.process.process.wait(5), 0)
        self.assertEqual(self.node.rpc('getbestblockhash'), digest)
        self.assertEqual(block_row(self.pool, digest)['state'], 'accepted')

    def test_the_node_does_not(self):
        digest = self.stop_with_a_block_under_way()
        self.assertEqual(self.pool.process.process.wait(15), 0)
        name = vault_files(self.pool)[0]
        self.assertRegex(self.pool.log_text(), f'warning block: no node has answered to {digest}; .*/blocks/{name}')


if __name__ == '__main__':
    unittest.main(verbosity=2)
