# SPDX-License-Identifier: MIT
"""Pools that owe money, a wallet that has some, and what of it reached the chain."""

import copy
import json
import os
import signal
import struct
import subprocess
import time

from blocks import Finder, wait_state
from money import SCRIPTS, balances
from support import ADIT, MINER_ADDRESS, OTHER_ADDRESS, POOL_ADDRESS, PoolTest, wait_until

ALICE, BOB = MINER_ADDRESS, OTHER_ADDRESS
# The key of POOL_ADDRESS is the number one, as in BIP173's examples.
POOL_KEY = 'cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA'
POOL_PUBLIC_KEY = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'


def output_bytes(address, amount):
    script = bytes.fromhex(SCRIPTS[address])
    return (struct.pack('<q', amount) + bytes([len(script)]) + script).hex()


class PayoutTest(PoolTest):
    """Alice and Bob are owed a block's reward, and the wallet has the coins of several."""

    def setUp(self):
        super().setUp()
        self.node = self.make_node(bits='1f7fffff', tx_count=0, wallet=True)
        self.open_wallet()
        self.pool = self.make_pool(self.node, pool='fee = "1%"', extra='[payout]\nminimum = 1000\n')
        self.first_height = self.node.rpc('getblockcount') + 1
        self.owed = {}
        self.earn()

    def open_wallet(self):
        """The node's wallet owns the pool's address, and coins of ten blocks."""
        rpc = self.node.rpc
        if self.node.simulated:
            rpc('sim_wallet', POOL_ADDRESS)
            rpc('sim_generate', 10, SCRIPTS[POOL_ADDRESS])
            rpc('sim_generate', 100)
            return
        text = f'wpkh({POOL_KEY})'
        text += '#' + rpc('getdescriptorinfo', text)['checksum']
        (done,) = rpc('importdescriptors', [{'desc': text, 'timestamp': 0}])
        self.assertTrue(done['success'], done)
        self.node.generate(10)

    def earn(self):
        """A block in which both had work, and its ripening."""
        for user, count in ((ALICE + '.a', 6), (BOB, 3)):
            with Finder(self.pool, self.node, user) as miner:
                miner.on_tip()
                for _ in range(count):
                    self.assertIs(miner.submit(miner.find(user, block=False))['result'], True)
        with Finder(self.pool, self.node, BOB) as miner:
            digest = miner.on_tip().find_block()
        wait_state(self.pool, digest, 'accepted')
        self.node.generate(99)
        wait_state(self.pool, digest, 'mature', 30)
        before = sum(self.owed.values())
        wait_until(lambda: sum(row['balance_sat'] for row in balances(self.pool).values()) > before, 20, 'booked')
        self.owed = {address: row['balance_sat'] for address, row in balances(self.pool).items()}
        self.assertEqual(set(self.owed), {ALICE, BOB})
        self.assertTrue(all(amount > 1000 for amount in self.owed.values()))

    # -- the command line

    def payout(self, *arguments, check=True):
        return self.pool.command('payout', *arguments, check=check)

    def begin(self, *arguments):
        """The command, running; it may be killed."""
        process = subprocess.Popen([ADIT, 'payout', *arguments, '-c', self.pool.config], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, cwd=self.folder)

        def tidy():
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
        self.addCleanup(tidy)
        return process

    def payments(self):
        return [json.loads(line) for line in self.payout('list', '--format', 'json').stdout.splitlines()]

    def payment(self):
        """The newest."""
        return self.payments()[-1]

    def step(self, name, state, *arguments):
        done = self.payout(name, *arguments)
        self.assertEqual(self.payment()['state'], state, done.stdout + done.stderr)
        return done

    # -- the chain

    def transactions(self):
        """txid -> hex of all that is no coinbase, in the chain since the start, and in the mempool."""
        rpc, found = self.node.rpc, {}
        for height in range(self.first_height, rpc('getblockcount') + 1):
            block = rpc('getblockhash', height)
            for txid in rpc('getblock', block, 1)['tx'][1:]:
                found[txid] = rpc('getrawtransaction', txid, 0, block)
        for txid in rpc('getrawmempool'):
            found[txid] = rpc('getrawtransaction', txid)
        return found

    def paying(self, address, amount):
        """The transactions that pay an address exactly that."""
        wanted = output_bytes(address, amount)
        return [txid for txid, text in self.transactions().items() if wanted in text]

    def check_paid_once(self, owed=None):
        """Each output is in one transaction, the same for all; final in the books."""
        payment = self.payment()
        for address, amount in (owed or self.owed).items():
            self.assertEqual(self.paying(address, amount), [payment['txid']])
        self.assertEqual(payment['state'], 'final')
        rows = balances(self.pool)
        for address, amount in (owed or self.owed).items():
            self.assertEqual((rows[address]['balance_sat'], rows[address]['paid_sat']), (0, amount))
        finals = [p for p in self.payments() if p['state'] == 'final']
        self.assertEqual(len(finals), 1)

    def settle(self, *wallet):
        self.node.generate(6)
        self.payout('broadcast', *wallet, check=False)
        self.step('settle', 'final', *wallet)

    def send(self, amounts):
        """As another tool would, by the wallet's own hand."""
        rpc = self.node.rpc
        outputs = [{address: f'{amount // 10**8}.{amount % 10**8:08}'} for address, amount in amounts.items()]
        psbt = rpc('walletcreatefundedpsbt', [], outputs, 0, {'lockUnspents': True})['psbt']
        return rpc('sendrawtransaction', rpc('finalizepsbt', rpc('walletprocesspsbt', psbt)['psbt'])['hex'])

    # -- keys that are elsewhere

    def watching_wallet(self):
        """A wallet that knows the coins but not the keys; options that name it."""
        rpc = self.node.rpc
        if self.node.simulated:
            rpc('sim_wallet', None, True)
            return []
        change = next(d['desc'] for d in rpc('listdescriptors')['descriptors'] if d.get('internal') and d['desc'].startswith('wpkh('))
        rpc('createwallet', 'watch', True, True)
        watch, rpc.url = copy.copy(rpc), rpc.url + '/wallet/e2e'
        watch.url += '/wallet/watch'
        own = watch('getdescriptorinfo', f'wpkh({POOL_PUBLIC_KEY})')['descriptor']
        for done in watch('importdescriptors', [{'desc': own, 'timestamp': 0},
                                                {'desc': change, 'timestamp': 'now', 'active': True, 'internal': True}]):
            self.assertTrue(done['success'], done)
        return ['--wallet', 'watch']

    def sign(self, psbt):
        if self.node.simulated:
            return self.node.rpc('sim_sign', psbt)
        return self.node.rpc('walletprocesspsbt', psbt)['psbt']

    def calls(self, method):
        return self.node.rpc('sim_stats')['calls'].get(method, 0)

    def path(self, name):
        return os.path.join(self.folder, name)


class Killed(PayoutTest):
    def kill_at(self, method, *arguments):
        """The command is killed while the node thinks about that call."""
        before = self.calls(method)
        self.node.rpc('sim_fault', {'kind': 'delay', 'method': method, 'seconds': 1.0})
        process = self.begin(*arguments)
        wait_until(lambda: self.calls(method) > before or process.poll() is not None, 20, method)
        self.assertIsNone(process.poll(), f'{method} was not asked for')
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        self.node.rpc('sim_fault', 'clear')
        time.sleep(1.2)  # the node does what it was asked, though nobody hears of it
