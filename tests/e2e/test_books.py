# SPDX-License-Identifier: MIT
"""From shares to money, with the real binary: each way of paying a block, reorgs of 1, 6 and 101 blocks, kill and restart."""

import os
import unittest

from blocks import Finder, block_row, wait_kept, wait_state
from faults import Faults, needs_faults
from money import SUBSIDY, balances, coinbase_outputs, paid_by, wait_balance
from support import MINER_ADDRESS, OTHER_ADDRESS, POOL_ADDRESS, PoolTest, wait_until

ALICE, BOB = MINER_ADDRESS, OTHER_ADDRESS


class BooksTest(PoolTest):
    def begin(self, pool, extra='', name='pool', **options):
        self.node = self.make_node(bits='1f7fffff', name=f'{name}-node')
        self.pool = self.make_pool(self.node, pool=pool, extra=extra, name=name, **options)

    def finder(self, user):
        miner = Finder(self.pool, self.node, user)
        self.addCleanup(miner.close)
        return miner

    def shares(self, user, count):
        with Finder(self.pool, self.node, user) as miner:
            miner.on_tip()
            for _ in range(count):
                self.assertIs(miner.submit(miner.find(user, block=False))['result'], True)

    def block(self, user):
        """A block that the node has connected; its hash, and what its coinbase was worth."""
        with Finder(self.pool, self.node, user) as miner:
            digest = miner.on_tip().find_block()
        wait_state(self.pool, digest, 'accepted')
        return digest, sum(value for value, _ in coinbase_outputs(self.node, digest))

    def audit(self, digest):
        done = self.pool.command('audit', '--block', digest, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('everything agrees', done.stdout)

    def audited(self, *digests):
        for digest in digests:
            self.audit(digest)
        self.pool.command('ledger', 'verify')

    def wait_plan(self, address, tries=30):
        """Until the pool's jobs pay an account in the coinbase."""
        script = {ALICE: '1863143c14c5166804bd', BOB: '243f1394f44554f4ce3f'}[address]
        with Finder(self.pool, self.node, ALICE + '.watch') as miner:
            for _ in range(tries):
                if script in miner.job.coinb2:
                    return
                seen = miner.jobs
                self.node.generate(1)
                miner.wait_job(15, after=seen)
        raise AssertionError(f'no job pays {address}')


class Solo(BooksTest):
    def test_the_finder_is_paid_in_the_block(self):
        self.begin('scheme = "solo"\nfee = "2%"')
        alice, bob = self.finder(ALICE + '.a'), self.finder(BOB)
        for finder, address in ((alice, ALICE), (bob, BOB)):
            digest = finder.on_tip().find_block()
            wait_state(self.pool, digest, 'accepted')
            value = sum(v for v, _ in coinbase_outputs(self.node, digest))
            self.assertEqual(paid_by(self.node, digest), {address: value - value * 2 // 100, POOL_ADDRESS: value * 2 // 100})
            self.assertEqual(block_row(self.pool, digest)['account'], address)
            wait_balance(self.pool, address, value - value * 2 // 100, 'paid_sat')
            self.assertEqual(balances(self.pool)[address]['balance_sat'], 0)
            self.audited(digest)
        # A second address on one connection would mine for the first: it is turned away.
        refused = alice.call('mining.authorize', [BOB, 'x'])
        self.assertEqual(refused['error'][:2], [24, 'this connection mines for another address'])

    def test_by_the_wallet_the_finder_waits_for_the_block_to_ripen(self):
        self.begin('scheme = "solo"', extra='[payout]\nway = "wallet"\n')
        digest, value = self.block(ALICE)
        self.assertEqual(paid_by(self.node, digest), {POOL_ADDRESS: value})
        self.assertEqual(balances(self.pool)[ALICE]['balance_sat'], 0)
        self.node.generate(99)
        wait_state(self.pool, digest, 'mature')
        wait_balance(self.pool, ALICE, value)
        self.audited(digest)


class Pplns(BooksTest):
    def test_the_coinbase_pays_everybody_in_the_window(self):
        self.begin('fee = "1%"', extra='[payout]\nway = "coinbase"\nminimum = 546\nfactor = 1000\n')
        self.shares(ALICE + '.a', 30)
        self.shares(BOB + '.b', 10)
        first, value = self.block(ALICE + '.a')
        # Nothing was in the books when its job was made: all went to the pool, and is owed.
        self.assertEqual(paid_by(self.node, first), {POOL_ADDRESS: value})
        self.wait_plan(BOB)
        second, value = self.block(BOB + '.b')
        paid = paid_by(self.node, second)
        self.assertEqual(set(paid), {ALICE, BOB, POOL_ADDRESS} if POOL_ADDRESS in paid else {ALICE, BOB})
        self.assertEqual(sum(paid.values()), value)
        self.assertGreater(paid[ALICE], paid[BOB])
        wait_balance(self.pool, ALICE, paid[ALICE], 'paid_sat')
        self.audited(first, second)

    @needs_faults
    def test_killed_between_the_vault_and_the_books(self):
        self.begin('fee = "1%"', extra='[payout]\nway = "coinbase"\nminimum = 546\nfactor = 1000\n', start=False)
        faults = Faults(self.folder, os.path.join(self.pool.data, 'ledger'))
        self.pool.start(env=faults.environment).wait_work()
        self.shares(ALICE + '.a', 30)
        self.shares(BOB + '.b', 10)
        self.block(ALICE + '.a')
        self.wait_plan(BOB)
        with Finder(self.pool, self.node, BOB + '.b') as miner:
            params = miner.on_tip().find(BOB + '.b', block=True)
            digest = miner.share_hash(params)
            faults.sync_delay = 5_000
            miner.send('mining.submit', params)
            wait_kept(self.pool, digest)
            self.pool.kill()
        # Other terms since: the block's are those of its job.
        with open(self.pool.config) as config:
            text = config.read()
        with open(self.pool.config, 'w') as config:
            config.write(text.replace('fee = "1%"', 'fee = "5%"'))
        self.pool.start().wait_work()
        wait_state(self.pool, digest, 'accepted')
        paid = paid_by(self.node, digest)
        wait_balance(self.pool, ALICE, paid[ALICE], 'paid_sat')
        wait_balance(self.pool, BOB, paid[BOB], 'paid_sat')
        self.assertIn('fee=100 way=coinbase', self.pool.command('audit', '--block', digest).stdout)
        self.audited(digest)

    def test_by_the_wallet_balances_come_at_100_confirmations(self):
        self.begin('fee = "1%"', extra='[payout]\nfactor = 1000\n')
        self.shares(ALICE + '.a', 30)
        self.shares(BOB, 10)
        digest, value = self.block(BOB)
        self.assertEqual(paid_by(self.node, digest), {POOL_ADDRESS: value})
        self.node.generate(98)
        wait_until(lambda: (block_row(self.pool, digest) or {}).get('confirmations') == 99, 20, '99 deep')
        self.assertEqual([row['balance_sat'] for row in balances(self.pool).values()], [0, 0])
        self.node.generate(1)
        wait_state(self.pool, digest, 'mature')
        net = value - value // 100
        wait_until(lambda: sum(row['balance_sat'] for row in balances(self.pool).values()) == net, 20, 'booked')
        rows = balances(self.pool)
        self.assertIn(rows[ALICE]['balance_sat'] - net * 30 // 41, (0, 1))
        self.audited(digest)
        # The books are the same after a kill.
        self.pool.kill()
        self.pool.start().wait_work()
        self.assertEqual(balances(self.pool), rows)
        self.audited(digest)


class Priced(BooksTest):
    def test_pps_pays_for_shares_whatever_becomes_of_blocks(self):
        self.begin('scheme = "pps"\nfee = "4%"')
        finder = self.finder(ALICE)
        for _ in range(60):  # each closes a slice; sixty are paid together
            finder.on_tip().find_block()
        wait_until(lambda: balances(self.pool)[ALICE]['balance_sat'] > 0, 20, 'shares are paid')
        slices = self.pool.lines('slices')
        self.assertGreaterEqual(len(slices), 60)
        exact = sum(int(row['work']) * row['subsidy'] * 960_000 // int(row['network_work']) for row in slices[:60])
        wait_balance(self.pool, ALICE, exact // 1_000_000)
        self.pool.kill()
        self.pool.start().wait_work()
        self.assertEqual(balances(self.pool)[ALICE]['balance_sat'], exact // 1_000_000)
        audit = self.pool.command('audit', '--slices', '1-60')
        self.assertIn('looked at   60 slices', audit.stdout)
        self.assertIn('everything agrees', audit.stdout)
        self.assertEqual(self.pool.command('audit', '--slices', '5-4', check=False).returncode, 2)
        self.pool.command('ledger', 'verify')


class Reorgs(BooksTest):
    def test_a_block_lost_early_leaves_nothing_behind(self):
        for depth in (1, 6):
            with self.subTest(depth=depth):
                self.begin('', extra='[payout]\nway = "coinbase"\nminimum = 546\n', name=f'pool{depth}')
                digest, value = self.block(ALICE)
                wait_balance(self.pool, ALICE, value)  # owed: its job was older than its share
                if depth > 1:
                    self.node.generate(depth - 1)
                self.node.reorg(depth, 7)
                wait_state(self.pool, digest, 'orphaned', 30)
                wait_balance(self.pool, ALICE, 0)
                self.audited(digest)
                self.pool.terminate()

    def test_101_deep_is_a_debt_and_comes_back(self):
        self.begin('')
        digest, value = self.block(ALICE)
        before = self.node.rpc('getbestblockhash')
        self.node.generate(100)
        wait_state(self.pool, digest, 'mature')
        wait_balance(self.pool, ALICE, value)
        self.assertNotEqual(before, self.node.rpc('getbestblockhash'))
        self.node.reorg(101, 7)
        wait_state(self.pool, digest, 'orphaned', 60)
        wait_balance(self.pool, ALICE, 0)
        self.assertEqual(balances(self.pool)[ALICE]['earned_sat'], 0)
        self.audited(digest)


if __name__ == '__main__':
    unittest.main()
