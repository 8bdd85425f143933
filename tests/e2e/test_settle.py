# SPDX-License-Identifier: MIT
"""What becomes of payments that were sent: replaced, conflicted, paid elsewhere, seen by several nodes. On sim-node, which
plays what no wallet may."""

import unittest

from blocks import Finder, wait_state
from money import balances
from payout_support import ALICE, BOB, PayoutTest
from support import RpcError, wait_until


class SettleTest(PayoutTest):
    def setUp(self):
        self.need_sim()
        super().setUp()

    def send_payment(self):
        self.step('prepare', 'prepared')
        self.step('broadcast', 'broadcast')
        return self.payment()['txid']

    def fault(self, **what):
        self.node.rpc('sim_fault', what)

    def states(self):
        return [p['state'] for p in self.payments()]

    def lock_coinbases(self):
        """From now on the wallet spends only change."""
        rpc = self.node.rpc
        for height in range(1, rpc('getblockcount') + 1):
            coinbase = rpc('getblock', rpc('getblockhash', height), 1)['tx'][0]
            try:
                rpc('lockunspent', False, [{'txid': coinbase, 'vout': 0}])
            except RpcError:
                pass  # locked already

    def owed_again(self):
        """A second block, whose accounts are due next; what is in the mempool confirms."""
        self.owed = {}
        self.earn()


class Replaced(SettleTest):
    def test_a_bump_pays_and_nobody_is_paid_again(self):
        sent = self.send_payment()
        with self.assertRaises(RpcError) as refused:
            self.node.rpc('bumpfee', sent)
        self.assertIn('not BIP 125 replaceable', str(refused.exception))
        fee = self.payment()['fee']
        bump = self.node.rpc('sim_bump', sent, 5_000)
        self.node.generate(2)
        done = self.step('settle', 'seen')
        self.assertIn(f'{bump} replaced {sent} and pays the same', done.stdout)
        self.node.generate(4)
        self.step('settle', 'final')
        self.assertIn('nobody is due', self.payout('prepare').stdout)
        payment = self.payment()
        self.assertEqual((payment['txid'], payment['paid_by'], payment['fee']), (sent, bump, fee + 5_000))
        for address, amount in self.owed.items():
            self.assertEqual(self.paying(address, amount), [bump])
        self.assertEqual({a: row['paid_sat'] for a, row in balances(self.pool).items()}, self.owed)
        self.assertEqual(self.payout('settle').stdout, 'nothing changed\n')
        done = self.payout('settle', '--id', '1', '--conflict', bump)
        self.assertEqual(self.states(), ['final'])

    def test_a_reorg_brings_its_own_back(self):
        sent = self.send_payment()
        text = self.node.rpc('getrawtransaction', sent)
        self.node.rpc('sim_bump', sent)
        self.node.generate(2)
        self.step('settle', 'seen')
        self.node.rpc('sim_tx_count', 0)
        self.node.reorg(2, 1)
        self.node.rpc('sim_tx_count', 0)
        self.node.rpc('sendrawtransaction', text)
        self.step('settle', 'broadcast')
        self.settle()
        self.assertEqual(self.payment()['paid_by'], '')
        self.check_paid_once()


class Conflicted(SettleTest):
    def test_one_that_was_seen_is_not_any_more(self):
        sent = self.send_payment()
        self.node.generate(3)
        self.step('settle', 'seen')
        self.node.reorg(3, 1)
        self.node.rpc('sim_tx_count', 0)
        rival = self.node.rpc('sim_conflict', sent)
        done = self.step('settle', 'broadcast')
        self.assertIn(f'{rival} spends its input, 1 deep; it is void at 6', done.stdout)
        self.assertEqual(self.payment()['confirmations'], 0)

    def test_children_of_a_void_payment(self):
        """The second spends the first's change, as wallets do."""
        self.step('prepare', 'prepared', '--max-outputs', '1')
        self.step('broadcast', 'broadcast')
        sent, rpc = self.payment()['txid'], self.node.rpc
        self.lock_coinbases()
        self.step('prepare', 'prepared', '--max-outputs', '1')
        self.step('broadcast', 'broadcast')
        rpc('sim_conflict', sent)
        self.node.generate(4)
        done = self.payout('settle')
        self.assertEqual(self.states(), ['broadcast', 'broadcast'])
        self.assertIn(f'payment 2: its input is of {sent}: ', done.stdout)
        self.node.generate(1)
        done = self.payout('settle')
        self.assertEqual(self.states(), ['void', 'void'])
        self.assertIn('payment 2: void: its input is of payment 1, which is void', done.stdout)
        self.assertEqual({a: row['balance_sat'] for a, row in balances(self.pool).items()}, self.owed)

    def test_children_of_a_stranger(self):
        """The parent is no payment: the wallet sent it by another hand."""
        rpc = self.node.rpc
        parent = self.send({BOB: 12_345})
        self.lock_coinbases()
        self.step('prepare', 'prepared', '--max-outputs', '1')
        self.step('broadcast', 'broadcast')
        rival = rpc('sim_conflict', parent)
        self.node.generate(5)
        done = self.step('settle', 'void')
        self.assertIn(f'its input is of {parent}: {rival} spends its input, 6 deep', done.stdout)


class Outside(SettleTest):
    def export(self):
        self.step('export', 'exported', '--out', self.path('payment.json'))
        return str(self.payment()['id'])

    def test_a_conflict_ends_one_and_stops_no_other(self):
        first = self.export()
        paid = self.send(self.owed)
        self.step('settle', 'seen', '--id', first, '--txid', paid)
        self.node.rpc('sim_conflict', paid)
        self.node.generate(4)
        done = self.step('settle', 'seen')
        self.assertIn('5 deep; it is void at 6', done.stdout)
        self.owed_again()
        self.send_payment()
        self.node.generate(6)
        self.fault(kind='error', method='gettransaction', code=-1, message='out of order')
        done = self.payout('settle', check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn('payment 1: ', done.stderr)
        self.assertIn('1 of 2 payments failed', done.stderr)
        self.assertEqual(self.states(), ['seen', 'final'])
        self.assertIn('the other tool must not pay its key any more', self.payout('settle').stdout)
        self.assertEqual(self.states(), ['void', 'final'])

    def test_a_word_that_was_wrong(self):
        number, wrong = self.export(), 'ab' * 32
        self.step('settle', 'final', '--id', number, '--txid', wrong, '--unchecked')
        self.assertEqual(self.payout('settle').stdout, 'nothing changed\n')
        right = self.send(self.owed)
        self.step('settle', 'seen', '--id', number, '--txid', right)
        self.assertIn('pays it', self.payout('settle', '--id', number, '--not-paid', check=False).stderr)
        self.node.generate(6)
        self.step('settle', 'final')
        self.check_paid_once()

    def test_a_word_that_is_taken_back(self):
        number = self.export()
        self.step('settle', 'final', '--id', number, '--txid', 'ab' * 32, '--unchecked')
        self.step('settle', 'exported', '--id', number, '--not-paid')
        self.step('cancel', 'cancelled', '--id', number, '--nothing-signed')
        self.assertEqual({a: (r['balance_sat'], r['paid_sat']) for a, r in balances(self.pool).items()},
                         {address: (amount, 0) for address, amount in self.owed.items()})

    def test_the_block_is_kept(self):
        """A foreign wallet's transaction, and a node without an index."""
        number = self.export()
        paid = self.send(self.owed)
        self.fault(kind='error', method='gettransaction', code=-5, count=0)
        self.node.rpc('sim_txindex', False)
        (block,) = self.node.generate(1)
        done = self.payout('settle', '--id', number, '--txid', paid, check=False)
        self.assertIn('name its block', done.stderr)
        self.step('settle', 'seen', '--id', number, '--txid', paid, '--block', block)
        self.node.generate(5)
        self.step('settle', 'final')
        self.assertEqual(self.payment()['block'], block)


class SameAmounts(SettleTest):
    def earn(self):
        """Two blocks of Alice's alone, of which the first is ripe."""
        self.digests = []
        for _ in range(2):
            with Finder(self.pool, self.node, ALICE) as miner:
                self.digests.append(miner.on_tip().find_block())
            wait_state(self.pool, self.digests[-1], 'accepted')
        self.node.generate(98)
        self.ripen(0)

    def ripen(self, number):
        wait_state(self.pool, self.digests[number], 'mature', 30)
        wait_until(lambda: balances(self.pool)[ALICE]['balance_sat'] > 0, 20, 'booked')
        self.owed = {ALICE: balances(self.pool)[ALICE]['balance_sat']}

    def test_one_transaction_pays_one_payment(self):
        self.step('export', 'exported', '--out', self.path('first'))
        paid, before = self.send(self.owed), self.owed
        self.node.generate(1)
        self.step('settle', 'seen', '--id', '1', '--txid', paid)
        self.ripen(1)
        self.assertEqual(self.owed, before)
        self.step('export', 'exported', '--out', self.path('second'))
        for more in ([], ['--unchecked']):
            done = self.payout('settle', '--id', '2', '--txid', paid, *more, check=False)
            self.assertEqual((done.returncode, self.payment()['state']), (1, 'exported'))
            self.assertIn(f'{paid} does not pay {ALICE}', done.stderr)


class Words(SettleTest):
    def test_what_settle_says(self):
        self.step('prepare', 'prepared')
        self.assertIn('prepared, not sent yet: adit payout broadcast', self.payout('settle').stdout)
        self.step('broadcast', 'broadcast')
        self.assertEqual(self.payout('settle').stdout, 'nothing changed\n')
        self.node.rpc('sim_tx_count', 0)
        self.assertIn('sent again', self.payout('settle').stdout)
        self.node.generate(6)
        self.assertIn('final, 6 confirmations', self.payout('settle').stdout)
        self.node.generate(1)
        self.assertEqual(self.payout('settle').stdout, 'nothing changed\n')

    def test_a_wallet_that_is_not_loaded(self):
        self.step('prepare', 'prepared')
        self.fault(kind='error', method='gettransaction', code=-18, message='Requested wallet does not exist', count=0)
        done = self.payout('settle', check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn('loadwallet', done.stderr)

    def test_options_that_say_nothing_together(self):
        txid = 'ab' * 32
        for arguments in (['--unchecked'], ['--txid', txid, '--conflict', txid], ['--not-paid', '--txid', txid],
                          ['--txid', 'zz'], ['--conflict', 'zz']):
            done = self.payout('settle', '--id', '1', *arguments, check=False)
            self.assertNotEqual(done.returncode, 0, arguments)
        for arguments in (['--txid', txid], ['--block', txid], ['--not-paid']):
            self.assertIn('name it by --id', self.payout('settle', *arguments, check=False).stderr)


class SeveralNodes(SettleTest):
    def also(self, section):
        """Another [[node]], for the commands; the pool goes on with the first."""
        with open(self.pool.config, 'a') as config:
            config.write('\n' + section)

    def second(self):
        other = self.make_node(name='other', bits='1f7fffff', tx_count=0)
        other.rpc('sim_peer', self.node.peer_url())
        self.assertEqual(other.rpc('getbestblockhash'), self.node.rpc('getbestblockhash'))
        other.rpc('sim_peer', self.node.peer_url(), False)
        self.also(other.section())
        return other

    def test_one_is_down(self):
        self.also('[[node]]\nrpc = "http://127.0.0.1:1"\nuser = "a"\npassword = "b"\n')
        self.step('prepare', 'prepared')
        done = self.step('broadcast', 'broadcast')
        self.assertIn('127.0.0.1:1', done.stderr)
        self.settle()
        self.check_paid_once()

    def test_both_are_told_and_both_must_agree_that_it_is_final(self):
        other = self.second()
        sent = self.send_payment()
        self.assertEqual(other.rpc('getrawmempool'), [sent])
        self.fault(kind='error', method='sendrawtransaction', code=-26, message='mempool full')
        done = self.payout('broadcast')
        self.assertIn('mempool full', done.stderr)
        self.node.generate(6)
        other.rpc('sim_tx_count', 0)
        other.generate(2)
        done = self.step('settle', 'seen')
        self.assertIn('does not know block', done.stdout)
        self.assertEqual(self.payment()['confirmations'], 5)
        other.rpc('sim_peer', self.node.peer_url())
        self.step('settle', 'final')

    def test_both_must_agree_that_it_is_void(self):
        other = self.second()
        sent = self.send_payment()
        other.rpc('sim_tx_count', 0)
        self.node.rpc('sim_conflict', sent)
        self.node.generate(5)
        other.generate(2)
        done = self.step('settle', 'broadcast')
        self.assertIn('does not know block', done.stdout)
        other.rpc('sim_peer', self.node.peer_url())
        self.step('settle', 'void')


if __name__ == '__main__':
    unittest.main()
