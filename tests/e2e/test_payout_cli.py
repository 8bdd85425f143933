# SPDX-License-Identifier: MIT
"""`adit payout` with a wallet that sleeps, errs or is killed: what the commands say, and which coins stay locked."""

import base64
import hashlib
import json
import os
import subprocess
import unittest

from blocks import Finder, wait_state
from money import balances
from payout_support import ALICE, BOB, Killed, PayoutTest
from support import ADIT, POOL_ADDRESS, PoolTest


class CliTest(PayoutTest):
    def setUp(self):
        self.need_sim()
        super().setUp()

    def refused(self, words, *arguments):
        done = self.payout(*arguments, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(words, done.stderr)
        return done

    def locked(self):
        return self.node.rpc('sim_wallet')['locked']

    def fault(self, **what):
        self.node.rpc('sim_fault', what)

    def earn_more(self):
        self.owed = {}
        self.earn()

    def funded_elsewhere(self, **options):
        amounts = [{address: f'{amount // 10**8}.{amount % 10**8:08}'} for address, amount in self.owed.items()]
        return self.node.rpc('walletcreatefundedpsbt', [], amounts, 0, options)


class FewCoins(CliTest):
    """The wallet has the rewards of the pool's blocks and nothing else."""

    def open_wallet(self):
        self.node.rpc('sim_wallet', POOL_ADDRESS)


class OneCoin(Killed, FewCoins):
    def test_killed_while_it_funds(self):
        for _ in range(3):
            self.kill_at('walletcreatefundedpsbt', 'prepare')
            self.assertEqual((self.payment()['state'], self.locked()), ('planned', 0))
        self.kill_at('lockunspent', 'prepare')
        self.kill_at('walletprocesspsbt', 'prepare')
        self.assertEqual((self.payment()['state'], self.locked()), ('planned', 1))
        self.node.rpc('lockunspent', True)  # as after a restart
        self.step('prepare', 'prepared')
        self.assertEqual(self.locked(), 1)
        self.step('broadcast', 'broadcast')
        self.assertEqual(self.locked(), 0)  # spent
        self.settle()
        self.check_paid_once()

    def test_of_several_at_once_none_frees_the_coins_of_the_one_that_won(self):
        several = [self.begin('prepare') for _ in range(4)]
        outputs = [process.communicate(timeout=60)[0] for process in several]
        self.assertIn(0, [process.returncode for process in several], outputs)
        self.step('prepare', 'prepared')
        self.assertEqual(self.locked(), 1)


class TwoCoins(FewCoins):
    def test_void_frees_what_is_left(self):
        self.earn()
        self.step('prepare', 'prepared')
        self.assertEqual(self.locked(), 2)
        self.node.rpc('lockunspent', True)
        rival = self.send({ALICE: 12345})
        self.payout('broadcast', check=False)
        self.assertEqual(self.locked(), 1)  # the other one is spent
        self.node.generate(6)
        self.step('settle', 'void', '--id', '1', '--conflict', rival)
        self.assertEqual(self.locked(), 0)


class Locks(CliTest):
    def test_cancel_frees_what_was_locked_and_no_coin_of_another_payment(self):
        self.node.rpc('sim_wallet', None, True)  # watches only
        psbt = self.path('out.psbt')
        for payment in ('1', '2'):
            self.step('prepare', 'planned', '--psbt-out', psbt)
            self.assertEqual(self.locked(), 1)
            if payment == '2':
                break
            self.refused('somebody may have signed it', 'cancel', '--id', payment)
            self.assertEqual(self.locked(), 1)
            self.step('cancel', 'cancelled', '--id', payment, '--nothing-signed')
            self.assertEqual(self.locked(), 0)
        self.payout('cancel', '--id', '1', '--nothing-signed')
        self.assertEqual(self.locked(), 1)  # the same coin, now of the second

    def test_what_a_node_refused_and_forgot_is_not_spent_by_the_next_payment(self):
        first = dict(self.owed)
        self.step('prepare', 'prepared')
        self.fault(kind='error', method='sendrawtransaction', code=-26, message='min relay fee not met')
        self.refused('refuses it', 'broadcast')
        self.assertEqual(self.locked(), 1)
        self.node.rpc('lockunspent', True)  # as after a restart
        self.earn_more()
        self.step('prepare', 'prepared')
        self.assertEqual(self.locked(), 2)
        self.step('broadcast', 'broadcast')
        self.assertEqual(self.locked(), 0)
        self.node.generate(6)
        self.step('settle', 'final')
        self.assertEqual([p['state'] for p in self.payments()], ['final', 'final'])
        for owed in (first, self.owed):
            for address, amount in owed.items():
                self.assertEqual(len(self.paying(address, amount)), 1)


class Wallets(CliTest):
    def test_a_wallet_asleep(self):
        self.node.rpc('sim_wallet', None, None, None, True)
        for rate in ([], ['--fee-rate', '9']):
            done = self.refused('walletpassphrase, then run the command again', 'prepare', *rate)
            self.assertEqual('--fee-rate does not change it' in done.stdout, bool(rate))
            self.assertEqual((self.payment()['state'], self.locked()), ('planned', 1))
        self.node.rpc('walletpassphrase', 'secret', 60)
        self.step('prepare', 'prepared')

    def test_fee_rates(self):
        self.refused('above fee_rate_max = 100', 'prepare', '--fee-rate', '101')
        self.step('prepare', 'prepared', '--fee-rate', '7')
        size = len(bytes.fromhex(self.prepared_hex()))
        self.assertGreater(self.payment()['fee'], size * 3)
        self.assertLess(self.payment()['fee'], size * 7)
        self.node.rpc('sim_wallet', None, None, 150_500)
        self.earn_more()
        done = self.step('prepare', 'prepared')
        self.assertIn('the node estimates 150 sat a byte; fee_rate_max = 100 holds', done.stdout)

    def prepared_hex(self):
        self.step('broadcast', 'broadcast')
        return self.node.rpc('getrawtransaction', self.payment()['txid'])

    def test_an_absurd_fee(self):
        self.fault(kind='result', method='walletcreatefundedpsbt', value=self.funded_elsewhere(fee_rate=5000))
        self.refused('the wallet asks a fee of', 'prepare')
        self.assertEqual((self.payment()['state'], self.locked()), ('planned', 0))
        self.step('prepare', 'prepared')

    def test_a_transaction_too_large_to_hand_over(self):
        self.fault(kind='result', method='walletcreatefundedpsbt', value=self.large_psbt())
        self.refused('first: adit payout cancel --id 1', 'prepare')
        self.payout('cancel', '--id', '1')

    def large_psbt(self):
        """A good one, with much that only its maker knows."""
        made = self.funded_elsewhere()
        raw = base64.b64decode(made['psbt'])
        field = b'\x02\xfc\x01' + b'\xfe' + (900_000).to_bytes(4, 'little') + bytes(900_000)
        return {**made, 'psbt': base64.b64encode(raw[:5] + field + raw[5:]).decode()}

    def test_a_node_of_another_network(self):
        other = self.make_node(name='other', network='signet')
        with open(self.pool.config) as file:
            text = file.read()
        with open(self.pool.config, 'w') as file:
            file.write(text.replace(self.node.section(), other.section()))
        for step in ('prepare', 'broadcast', 'settle'):
            self.refused('is on another chain than regtest', step)
        self.assertEqual(self.payments(), [])


class Signed(CliTest):
    def test_a_binary_psbt(self):
        self.check(lambda psbt: base64.b64decode(self.sign(psbt)))

    def test_hex(self):
        def done(psbt):
            return (self.node.rpc('finalizepsbt', self.sign(psbt))['hex'] + '\n').encode()
        self.check(done)

    def check(self, signer):
        self.watching_wallet()
        psbt, back = self.path('out.psbt'), self.path('back')
        self.step('prepare', 'planned', '--psbt-out', psbt)
        self.refused('there is no such file', 'prepare', '--signed', back)
        with open(psbt) as file, open(back, 'wb') as out:
            out.write(signer(file.read().strip()))
        for _ in range(2):
            self.step('prepare', 'prepared', '--signed', back)
        self.refused('there is no such file', 'prepare', '--signed', '/nonexistent')
        with open(back, 'w') as out:
            out.write(self.sign(self.funded_elsewhere()['psbt']))
        self.refused('its transaction is another one', 'prepare', '--signed', back)
        self.step('broadcast', 'broadcast')
        self.settle()
        self.check_paid_once()


class Words(CliTest):
    def test_a_plan_says_what_waits_and_what_is_small(self):
        smallest = min(self.owed.values())
        done = self.payout('plan', '--minimum', str(smallest + 1))
        self.assertIn(f'below the minimum: 1 accounts, {smallest} sat', done.stdout)
        self.node.rpc('sim_wallet', None, True)
        self.payout('prepare', '--psbt-out', self.path('x'))
        done = self.payout('plan')
        self.assertIn(f'payment 1 is planned: 2 outputs, {sum(self.owed.values())} sat', done.stdout)
        self.assertIn('0 accounts', done.stdout)
        done = self.payout('plan', '--format', 'json')
        self.assertEqual(done.stdout, '')
        self.assertIn('payment 1 is planned', done.stderr)
        done = self.payout('prepare', '--minimum', '100000', '--max-outputs', '1')
        self.assertIn('payment 1 was planned before', done.stdout)
        self.refused('payment 1 is planned: there is nothing to send', 'broadcast', '--id', '1')
        self.node.rpc('sim_wallet', None, False)
        self.step('prepare', 'prepared')
        self.assertIn('payment 1 is prepared', self.payout('plan').stdout)

    def test_the_largest_first(self):
        done = self.step('prepare', 'prepared', '--max-outputs', '1')
        self.assertNotIn('before', done.stdout)
        (output,) = self.payment()['outputs']
        self.assertEqual(output['amount'], max(self.owed.values()))
        self.step('prepare', 'prepared')
        self.assertEqual([len(p['outputs']) for p in self.payments()], [1, 1])

    def test_nothing_to_do_is_well_and_no_such_payment_is_not(self):
        self.step('prepare', 'prepared')
        done = self.payout('prepare')  # a timer's quiet night
        self.assertIn('nobody is due', done.stdout)
        self.assertEqual(done.stderr, '')
        for step in (['broadcast'], ['settle'], ['cancel', '--nothing-signed'], ['prepare']):
            self.refused('there is no payment 9', *step, '--id', '9')
        self.payout('broadcast', '--id', '1')

    def test_reading_writes_nothing_even_without_a_pool(self):
        self.pool.terminate()
        with open(self.pool.config) as file:
            text = file.read()
        with open(self.pool.config, 'w') as file:
            file.write(text.replace('fee = "1%"', 'fee = "5%"'))
        before = self.everything()
        plan = [json.loads(line) for line in self.payout('plan', '--format', 'json').stdout.splitlines()]
        self.assertEqual({row['address']: row['amount'] for row in plan}, self.owed)
        self.payout('list')
        self.assertEqual(self.everything(), before)
        self.step('prepare', 'prepared')
        self.assertNotEqual(self.everything(), before)

    def everything(self):
        """Each file of the pool's data, by name: what is in it."""
        found = {}
        for folder, _, names in os.walk(self.pool.data):
            for name in names:
                with open(os.path.join(folder, name), 'rb') as file:
                    found[os.path.join(folder, name)] = hashlib.sha256(file.read()).hexdigest()
        return found

    def test_standard_output_is_gone(self):
        self.step('prepare', 'prepared')
        for words in (['plan'], ['list'], ['list', '--format', 'json'], ['prepare'], ['broadcast'], ['settle'],
                      ['export', '--help']):
            with self.subTest(words), open('/dev/full', 'wb') as full:
                done = subprocess.run([ADIT, 'payout', *words, '-c', self.pool.config], stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=60, cwd=self.folder)
                self.assertEqual((done.returncode, done.stderr), (1, 'cannot write to standard output\n'))
        self.assertEqual(self.payment()['state'], 'broadcast')


class NoBooks(PoolTest):
    def test_there_is_no_ledger_yet(self):
        node = self.make_node(bits='1f7fffff')
        pool = self.make_pool(node, start=False)
        for made in (False, True):
            if made:
                os.mkdir(pool.data)
            for step in (['plan'], ['list'], ['prepare'], ['broadcast'], ['settle'], ['cancel', '--id', '1'],
                         ['export', '--out', os.path.join(self.folder, 'x')]):
                done = pool.command('payout', *step, check=False)
                self.assertEqual((done.returncode, done.stdout), (1, ''))
                self.assertIn('there is no ledger yet', done.stderr)


if __name__ == '__main__':
    unittest.main(verbosity=2)
