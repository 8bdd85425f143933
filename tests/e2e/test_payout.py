# SPDX-License-Identifier: MIT
"""`adit payout` with the real binary: each payment has one transaction, whoever is killed at whatever step; with
ADIT_TEST_BITCOIND against a real wallet."""

import csv
import json
import os
import random
import shutil
import signal
import stat
import time
import unittest

from blocks import Finder, wait_state
from money import SCRIPTS, balances
from payout_support import ALICE, BOB, Killed, PayoutTest
from support import POOL_ADDRESS, PoolTest, wait_until

WALLET_CALLS = ('walletcreatefundedpsbt', 'walletprocesspsbt', 'finalizepsbt')


class Pays(PayoutTest):
    def test_from_plan_to_final(self):
        info = os.stat(os.path.join(self.pool.data, 'control'))
        self.assertTrue(stat.S_ISSOCK(info.st_mode))
        self.assertEqual(stat.S_IMODE(info.st_mode), 0o600)
        plan = [json.loads(line) for line in self.payout('plan', '--format', 'json').stdout.splitlines()]
        self.assertEqual({row['address']: row['amount'] for row in plan}, self.owed)
        rows = list(csv.DictReader(self.payout('plan', '--format', 'csv').stdout.splitlines()))
        self.assertEqual({row['address']: int(row['amount_sat']) for row in rows}, self.owed)
        self.assertEqual(self.payments(), [])
        self.step('prepare', 'prepared')
        self.assertEqual({address: row['balance_sat'] for address, row in balances(self.pool).items()}, {ALICE: 0, BOB: 0})
        self.assertEqual(self.node.rpc('getrawmempool'), [])  # kept first, sent later
        again = self.step('prepare', 'prepared')
        self.assertIn('payment 1 is prepared', again.stdout)
        self.step('broadcast', 'broadcast')
        payment = self.payment()
        self.assertEqual(self.node.rpc('getrawmempool'), [payment['txid']])
        self.assertEqual({out['address']: out['amount'] for out in payment['outputs']}, self.owed)
        self.step('broadcast', 'broadcast')
        self.step('settle', 'broadcast')
        self.node.generate(1)
        self.step('settle', 'seen')
        self.node.generate(4)
        self.step('settle', 'seen')
        self.assertEqual(self.payment()['confirmations'], 5)
        self.node.generate(1)
        self.step('settle', 'final')
        self.check_paid_once()
        self.assertIn('nobody is due', self.payout('prepare').stdout)
        self.assertGreater(self.payment()['fee'], 100)
        for step in ('plan: planned', 'prepare: prepared', 'broadcast: broadcast', 'seen: final'):
            self.assertIn('payment 1: ' + step, self.pool.log_text())
        # Without the pool, the books say the same.
        listed = self.payments()
        self.assertEqual(self.pool.terminate(), 0)
        self.assertFalse(os.path.exists(os.path.join(self.pool.data, 'control')))
        self.assertEqual(self.payments(), listed)
        self.step('settle', 'final')

    def test_without_a_pool(self):
        self.pool.kill()  # its socket stays, and nobody listens there
        self.step('prepare', 'prepared')
        self.step('broadcast', 'broadcast')
        self.pool.start().wait_work()
        self.settle()
        self.check_paid_once()

    def test_old_books_that_lack_a_step_are_refused(self):
        """No share and no entry came between: only what they say of the payment."""
        self.assertEqual(self.pool.terminate(), 0)
        self.step('prepare', 'prepared')
        books, old = os.path.join(self.pool.data, 'ledger'), self.path('old')
        shutil.copytree(books, old)
        self.step('broadcast', 'broadcast')
        shutil.rmtree(books)
        shutil.copytree(old, books)
        for command in (('payout', 'plan'), ('payout', 'broadcast'), ('ledger', 'verify')):
            done = self.pool.command(*command, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn('of credits and payments, but batch', done.stderr)

    def test_signed_elsewhere(self):
        wallet = self.watching_wallet()
        psbt, back = self.path('out.psbt'), self.path('signed.psbt')
        for _ in range(2):
            done = self.step('prepare', 'planned', '--psbt-out', psbt, *wallet)
            self.assertIn('--signed FILE', done.stdout)
        refused = self.payout('prepare', '--signed', psbt, *wallet, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn('signatures are missing', refused.stderr)
        refused = self.payout('cancel', '--id', '1', check=False)
        self.assertIn('somebody may have signed it', refused.stderr)
        with open(psbt) as file, open(back, 'w') as out:
            out.write(self.sign(file.read().strip()) + '\n')
        self.step('prepare', 'prepared', '--signed', back, *wallet)
        self.step('broadcast', 'broadcast', *wallet)
        self.settle(*wallet)
        self.check_paid_once()

    def test_another_tool_pays(self):
        out = self.path('payment.csv')
        self.step('export', 'exported', '--format', 'csv', '--out', out)
        with open(out) as file:
            rows = list(csv.DictReader(file))
        self.assertEqual({row['address']: int(row['amount_sat']) for row in rows}, self.owed)
        (key,) = {row['idempotency_key'] for row in rows}
        self.assertEqual(self.payment()['key'], key)
        self.step('export', 'exported', '--id', '1', '--format', 'json', '--out', out)
        with open(out) as file:
            again = json.load(file)
        self.assertEqual((again['idempotency_key'], again['network']), (key, 'regtest'))
        self.assertIn('nobody is due', self.payout('prepare').stdout)
        self.assertIn('another tool may pay it', self.payout('cancel', '--id', '1', check=False).stderr)
        wrong = self.send({ALICE: self.owed[ALICE] - 1, BOB: self.owed[BOB]})
        refused = self.payout('settle', '--id', '1', '--txid', wrong, check=False)
        self.assertIn('does not pay', refused.stderr)
        self.assertIn('does not know', self.payout('settle', '--id', '1', '--txid', 'ab' * 32, check=False).stderr)
        right = self.send(self.owed)
        self.step('settle', 'seen', '--id', '1', '--txid', right)
        self.node.generate(6)
        self.step('settle', 'final')
        self.assertEqual(self.payment()['txid'], right)

    def test_cancel_gives_back(self):
        self.pool.terminate()
        self.step('export', 'exported', '--out', self.path('x'))
        self.step('cancel', 'cancelled', '--id', '1', '--nothing-signed')
        self.assertEqual({address: row['balance_sat'] for address, row in balances(self.pool).items()}, self.owed)
        self.step('prepare', 'prepared')
        self.assertEqual(self.payment()['id'], 2)
        self.assertEqual(self.payout('cancel', '--id', '2', '--nothing-signed', check=False).returncode, 1)


class Chain(PayoutTest):
    def test_a_reorg_takes_it_out_and_it_comes_back(self):
        self.step('prepare', 'prepared')
        self.step('broadcast', 'broadcast')
        self.node.generate(3)
        self.step('settle', 'seen')
        self.node.reorg(3, 1)
        self.payout('settle')
        if self.node.simulated:  # a real node mines it again at once
            self.assertEqual(self.payment()['state'], 'broadcast')
        self.settle()
        self.check_paid_once()

    def test_void_only_by_proof(self):
        self.step('prepare', 'prepared')
        self.step('broadcast', 'broadcast')
        sent = self.payment()['txid']
        rival = self.spend_elsewhere(sent)
        self.node.generate(4)
        done = self.step('settle', 'broadcast')
        self.assertIn(f'{rival} spends its input, 5 deep', done.stdout)
        self.node.generate(1)
        self.step('settle', 'void')
        self.assertIn(rival, self.payment()['detail'])
        self.assertEqual({address: row['balance_sat'] for address, row in balances(self.pool).items()}, self.owed)
        self.step('prepare', 'prepared')
        self.step('broadcast', 'broadcast')
        self.settle()
        self.check_paid_once()
        self.assertEqual([p['state'] for p in self.payments()], ['void', 'final'])

    def test_a_reorg_deeper_than_the_coins_it_paid_with(self):
        """Block and payment both leave the chain for good: nobody owes anything."""
        self.step('prepare', 'prepared')
        self.step('broadcast', 'broadcast')
        self.settle()
        self.check_paid_once()
        self.node.reorg(self.node.rpc('getblockcount'), 7)  # whatever the wallet paid with
        wait_until(lambda: all(row['earned_sat'] == 0 for row in balances(self.pool).values()), 60, 'reversed')
        self.assertEqual({address: row['balance_sat'] for address, row in balances(self.pool).items()},
                         {address: -amount for address, amount in self.owed.items()})
        done = self.step('settle', 'void')
        self.assertIn('left the chain', done.stdout)
        self.assertEqual([(row['balance_sat'], row['paid_sat']) for row in balances(self.pool).values()], [(0, 0)] * 2)
        self.step('settle', 'void')
        self.assertEqual(self.payout('plan', '--format', 'json').stdout, '')

    def test_void_when_an_operator_names_what_spent_its_coins(self):
        """The node forgot its locks, and the wallet never saw the payment."""
        self.need_sim()
        self.step('prepare', 'prepared')
        self.node.rpc('lockunspent', True)
        rival = self.send({ALICE: 12345})
        done = self.payout('broadcast', check=False)
        self.assertIn('txn-mempool-conflict', done.stderr)
        for depth, state in ((5, 'broadcast'), (1, 'void')):
            self.node.generate(depth)
            self.step('settle', 'broadcast')
            other = self.send({BOB: 23456 + depth})  # spends other coins: proves nothing
            self.step('settle', 'broadcast', '--id', '1', '--conflict', other)
            self.step('settle', state, '--id', '1', '--conflict', rival)
        self.assertEqual({address: row['balance_sat'] for address, row in balances(self.pool).items()}, self.owed)

    def spend_elsewhere(self, txid):
        """A block in which another transaction spends an input of this one."""
        rpc = self.node.rpc
        if self.node.simulated:
            return rpc('sim_conflict', txid)
        spent = rpc('decoderawtransaction', rpc('getrawtransaction', txid))['vin'][0]
        coin = rpc('gettxout', spent['txid'], spent['vout'], False)
        raw = rpc('createrawtransaction', [{'txid': spent['txid'], 'vout': spent['vout']}],
                  [{POOL_ADDRESS: f'{float(coin["value"]) - 0.01:.8f}'}])
        rival = rpc('sendrawtransaction', rpc('signrawtransactionwithwallet', raw)['hex'])
        self.node.generate(1)
        return rival


class AtAnyMoment(Killed):
    def test_the_command_at_each_call_twice(self):
        self.need_sim()
        for method in WALLET_CALLS:
            for _ in range(2):
                self.kill_at(method, 'prepare')
                self.assertEqual([p['state'] for p in self.payments()], ['planned'])
        self.step('prepare', 'prepared')
        for _ in range(2):
            self.kill_at('sendrawtransaction', 'broadcast')
            self.assertEqual(self.payment()['state'], 'broadcast')
        self.step('broadcast', 'broadcast')
        for _ in range(2):
            self.node.generate(1)
            self.kill_at('gettransaction', 'settle')
        self.settle()
        self.check_paid_once()

    def test_the_pool_at_each_call_twice(self):
        self.need_sim()
        for method, name in [(m, 'prepare') for m in WALLET_CALLS] + [('sendrawtransaction', 'broadcast'),
                                                                        ('gettransaction', 'settle')]:
            if name != 'prepare' and self.payment()['state'] == 'planned':
                self.step('prepare', 'prepared')
            if name == 'settle':
                self.node.generate(1)
            for _ in range(2):
                before = self.calls(method)
                self.node.rpc('sim_fault', {'kind': 'delay', 'method': method, 'seconds': 0.5})
                process = self.begin(name)
                wait_until(lambda: self.calls(method) > before or process.poll() is not None, 20, method)
                self.pool.kill()
                output, _ = process.communicate(timeout=90)
                if process.returncode != 0:
                    self.assertIn('run the command again', output)
                self.node.rpc('sim_fault', 'clear')
                self.pool.start().wait_work()
        self.settle()
        self.check_paid_once()

    def test_commands_side_by_side(self):
        for name in ('prepare', 'broadcast'):
            several = [self.begin(name) for _ in range(4)]
            outputs = [process.communicate(timeout=90)[0] for process in several]
            self.assertIn(0, [process.returncode for process in several], outputs)
        self.assertEqual([p['state'] for p in self.payments()], ['broadcast'])
        self.settle()
        self.check_paid_once()

    def test_both_at_random_moments(self):
        chance = random.Random(4)
        for name in ('prepare', 'broadcast') * 6:
            process = self.begin(name)
            time.sleep(chance.random() * 0.25)
            if chance.random() < 0.5:
                process.send_signal(signal.SIGKILL)
            if chance.random() < 0.5:
                self.pool.kill()
                process.communicate(timeout=90)
                self.pool.start()
            else:
                process.communicate(timeout=90)
        self.payout('prepare', check=False)
        self.payout('broadcast', check=False)
        self.settle()
        self.check_paid_once()


class Faults(PayoutTest):
    def test_no_answer_and_no(self):
        self.need_sim()
        fault = lambda **what: self.node.rpc('sim_fault', what)
        fault(kind='error', method='walletcreatefundedpsbt', code=-4, message='Insufficient funds')
        done = self.payout('prepare', check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn('Insufficient funds', done.stderr)
        fault(kind='result', method='walletcreatefundedpsbt', value={'psbt': 'AAAA', 'fee': 0.0001})
        self.assertEqual(self.payout('prepare', check=False).returncode, 1)
        self.node.rpc('sim_wallet', None, None, 99_000_000)  # a fee estimate out of this world
        self.step('prepare', 'prepared')
        self.assertLess(self.payment()['fee'], 100 * 1000)  # fee_rate_max is 100 satoshi a byte
        for kind in ('close', 'cut', '503'):  # sent, but who knows
            # A kept connection that dies is tried once more, with the same bytes.
            fault(kind=kind, method='sendrawtransaction', execute=True, count=2 if kind == 'close' else 1)
            done = self.payout('broadcast', check=False)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn('sent or not', done.stderr)
            self.assertEqual(self.payment()['state'], 'broadcast')
        fault(kind='error', method='sendrawtransaction', code=-26, message='min relay fee not met')
        self.assertIn('refuses it: min relay fee', self.payout('broadcast', check=False).stderr)
        self.node.generate(1)
        self.step('broadcast', 'broadcast')  # is in the chain already
        fault(kind='hang', method='gettransaction', seconds=0.1, count=2)
        self.assertEqual(self.payout('settle', check=False).returncode, 1)
        self.assertEqual(self.payment()['state'], 'broadcast')
        self.settle()
        self.check_paid_once()

    def test_a_wallet_that_pays_wrongly_is_refused(self):
        self.need_sim()
        outputs = [{ALICE: '0.1'}]
        other = self.node.rpc('walletcreatefundedpsbt', [], outputs, 0, {})
        self.node.rpc('sim_fault', {'kind': 'result', 'method': 'walletcreatefundedpsbt', 'value': other})
        done = self.payout('prepare', check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, 'would (be paid|not be paid)')
        self.assertEqual(self.payment()['state'], 'planned')
        psbt = self.node.rpc('walletprocesspsbt', other['psbt'])
        self.node.rpc('sim_fault', {'kind': 'result', 'method': 'walletprocesspsbt', 'value': psbt})
        done = self.payout('prepare', check=False)
        self.assertEqual((done.returncode, self.payment()['state']), (1, 'planned'))
        self.step('prepare', 'prepared')
        self.assertIn(SCRIPTS[BOB], self.prepared_hex())

    def prepared_hex(self):
        self.step('broadcast', 'broadcast')
        return self.node.rpc('getrawtransaction', self.payment()['txid'])


class ByTheCoinbase(PoolTest):
    def test_what_blocks_will_pay_is_never_paid_by_the_wallet(self):
        node = self.make_node(bits='1f7fffff', tx_count=0)
        pool = self.make_pool(node, extra='[payout]\nway = "coinbase"\nminimum = 546\n')
        with Finder(pool, node, ALICE) as miner:
            digest = miner.on_tip().find_block()
            wait_state(pool, digest, 'accepted')
        wait_until(lambda: balances(pool)[ALICE]['balance_sat'] > 0, 20, 'a credit')
        done = pool.command('payout', 'plan', '--format', 'json')
        self.assertEqual(done.stdout, '')
        self.assertIn('paid in the blocks themselves', done.stderr)
        self.assertIn('nobody is due', pool.command('payout', 'prepare').stdout)
        # The pool's output took that block, before there was a plan; now it is ripe, and no block can pay it at once.
        node.generate(99)
        wait_state(pool, digest, 'mature')

        def due():
            return [json.loads(line) for line in pool.command('payout', 'plan', '--format', 'json').stdout.splitlines()]
        wait_until(due, 20, 'a payment')
        owed = balances(pool)[ALICE]['balance_sat']
        [row] = due()
        self.assertEqual(row['address'], ALICE)
        self.assertGreater(row['amount'], owed * 9 // 10)
        self.assertLessEqual(row['amount'], owed)


if __name__ == '__main__':
    unittest.main()
