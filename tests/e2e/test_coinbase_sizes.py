# SPDX-License-Identifier: MIT
"""Coinbases of several sizes in one pool: firmware with a rule gets fewer outputs, a port may have one size for everybody,
blocks of all sizes are good, and the books settle each by its own size."""

import hashlib
import re
import unittest

from blocks import Finder, wait_best, wait_state
from money import Reader, balances, coinbase_outputs
from support import POOL_ADDRESS, PoolTest
from v1_miner import Closed, Miner

BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
BITAXE = 'bitaxe/BM1366/v2.9.0'
PORTS = '''
[[stratum.v1.port]]
name = "list"
listen = ["127.0.0.1:0"]
small_coinbases = false

[[stratum.v1.port]]
name = "nano"
listen = ["127.0.0.1:0"]
coinbase_weight = 420
'''
# P2PKH outputs have 136 units: two, three, all.
PAYOUT = '''[payout]
way = "coinbase"
minimum = 546
factor = 1000
[[payout.agent]]
match = "bitaxe"
coinbase_weight = 300
'''
SIZES = {'bitaxe': 300, 'nano': 420, 'all': 8000}


def address_of(number):
    """(address, script) of a key hash that nobody has the key of."""
    payload = b'\x6f' + number.to_bytes(20, 'big')
    value = int.from_bytes(payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4], 'big')
    text = ''
    while value:
        value, digit = divmod(value, 58)
        text = BASE58[digit] + text
    return text, '76a914' + payload[1:].hex() + '88ac'


ACCOUNTS = [address_of(1000 + n) for n in range(6)]


def outputs_of(miner):
    """[(satoshi, script in hex)] of the work in hand, the commitment left out."""
    job = miner.job
    reader = Reader(bytes.fromhex(job.coinb1 + miner.extranonce1 + '00' * miner.extranonce2_size + job.coinb2))
    reader.take(5 + 36)
    reader.take(reader.compact() + 4)
    outputs = [(reader.number(8), reader.take(reader.compact()).hex()) for _ in range(reader.compact())]
    reader.take(4)
    assert reader.at == len(reader.data)
    return [(value, script) for value, script in outputs if not script.startswith('6a')]


def accounts_in(outputs):
    scripts = {script for _, script in outputs}
    return [n for n, (_, script) in enumerate(ACCOUNTS) if script in scripts]


class Sizes(PoolTest):
    def begin(self):
        self.node = self.make_node(bits='1f7fffff')
        self.pool = self.make_pool(self.node, pool='fee = "1%"\n', v1=PORTS, extra=PAYOUT)
        self.ports = dict((name, address) for address, name in
                          re.findall(r'V1 on (\S+)(?: \(TLS\))? \(port "(\w+)"\)', self.pool.log_text()))

    def finder(self, account, **options):
        miner = Finder(self.pool, self.node, ACCOUNTS[account][0] + '.rig', **options)
        self.addCleanup(miner.close)
        return miner

    def work_of_everybody(self):
        """Shares of all accounts, the first with most, and a plan that counts them."""
        for account in range(len(ACCOUNTS)):
            with Finder(self.pool, self.node, ACCOUNTS[account][0] + '.rig') as miner:
                for _ in range(20 - 3 * account):
                    self.assertIs(miner.submit(miner.find(miner.user, block=False))['result'], True)
        first = self.finder(0)
        digest = first.on_tip().find_block()  # closes the slice; pays the pool, since there was no plan
        wait_state(self.pool, digest, 'accepted')
        for _ in range(30):
            if len(accounts_in(outputs_of(first))) == len(ACCOUNTS):
                break
            seen = first.jobs
            self.node.generate(1)
            first.wait_job(15, after=seen)
        self.assertEqual(accounts_in(outputs_of(first)), list(range(len(ACCOUNTS))))
        return first

    def check_size(self, outputs, accounts, weight):
        self.assertEqual(len(accounts_in(outputs)), accounts)
        self.assertLessEqual(sum(4 * (9 + len(script) // 2) for _, script in outputs if accounts_in([(0, script)])), weight)

    def pool_balance(self):
        rows = self.pool.lines('journal')
        return (sum(row['amount_sat'] for row in rows if row['to'] == 'pool') -
                sum(row['amount_sat'] for row in rows if row['from'] == 'pool'))

    def test_blocks_of_every_size_are_good_and_everybody_is_owed_or_paid(self):
        self.begin()
        miners = {'all': self.work_of_everybody(), 'bitaxe': self.finder(1, agent=BITAXE),
                  'nano': self.finder(2, address=self.ports['nano'])}
        accounts = {'all': 6, 'nano': 3, 'bitaxe': 2}
        for size in ('bitaxe', 'all', 'nano', 'bitaxe') * 2:
            miner = miners[size]
            for name, other in miners.items():
                other.on_tip()  # the empty work, which comes at once
                self.check_size(outputs_of(other), accounts[name], SIZES[name])
                if self.node.simulated:
                    other.on_full_work()
                self.check_size(outputs_of(other), accounts[name], SIZES[name])
            lengths = {name: len(other.job.coinb1 + other.job.coinb2) for name, other in miners.items()}
            self.assertLess(lengths['bitaxe'], lengths['nano'])
            self.assertLess(lengths['nano'], lengths['all'])
            mine = outputs_of(miner)
            digest = miner.find_block()
            wait_state(self.pool, digest, 'accepted')
            self.assertEqual(coinbase_outputs(self.node, digest), mine)
            done = self.pool.command('audit', '--block', digest, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn('everything agrees', done.stdout)
            rows = balances(self.pool)
            self.assertEqual(sum(row['balance_sat'] for row in rows.values()) + self.pool_balance(), 0)
        self.pool.command('ledger', 'verify')
        rows = balances(self.pool)
        for address, _ in ACCOUNTS:
            self.assertEqual(rows[address]['earned_sat'] - rows[address]['paid_sat'], rows[address]['balance_sat'])
        self.assertGreater(max(row['balance_sat'] for row in rows.values()), 100_000_000)  # the small ones had no place
        told = self.pool.command('check').stdout
        for line in ('all ports: up to 8000 weight units\n', 'port "list": up to 8000 weight units, for everybody\n',
                     'port "nano": up to 420 weight units\n', 'agents with "bitaxe": up to 300 weight units\n'):
            self.assertIn('outputs     ' + line, told)
        self.assertEqual(self.pool.terminate(), 0)

    def test_a_port_with_one_size_refuses_at_subscribe(self):
        self.begin()
        self.work_of_everybody()
        with Miner(self.ports['list']) as miner:
            reply = miner.call('mining.subscribe', [BITAXE])
            self.assertEqual(reply['result'], None)
            self.assertEqual(reply['error'], [
                20, "this port's coinbases have 8000 weight units of outputs, this firmware is to get at most 300: "
                    'use another port of this pool', None])
            with self.assertRaises(Closed):
                miner.read_line(5)
            self.assertEqual((miner.jobs, miner.messages), (0, []))
        with Miner(self.ports['list']) as miner:
            miner.hello(POOL_ADDRESS + '.x', agent='cgminer/4.11.1')
            self.assertEqual(len(accounts_in(outputs_of(miner))), len(ACCOUNTS))
        with Miner(self.pool.address) as miner:
            miner.hello(POOL_ADDRESS + '.x', agent=BITAXE)
            self.assertEqual(len(accounts_in(outputs_of(miner))), 2)
        self.assertEqual(self.pool.terminate(), 0)

    def test_revoked_work_takes_its_sizes_along(self):
        self.need_sim()
        self.begin()
        self.work_of_everybody()
        miner = self.finder(1, agent=BITAXE)
        miner.on_full_work()
        self.node.rpc('sim_proposal_answer', 'bad-blk-sigops', 1)
        self.node.generate()
        full = miner.on_full_work().jobs  # nothing is known of it yet
        late = miner.find(miner.user, block=False)
        self.assertEqual(miner.wait_job(5, after=full, clean=True).branch, [])
        self.check_size(outputs_of(miner), 2, SIZES['bitaxe'])
        self.assertEqual(miner.submit(late)['error'][:2], [21, 'stale'])
        wait_best(self.node, miner.find_block())

    def test_a_reload_says_that_sizes_wait(self):
        self.begin()
        with open(self.pool.config) as file:
            good = file.read()
        told = self.pool.reload(good.replace('coinbase_weight = 300', 'coinbase_weight = 500'), 'config: reloaded, but .*')
        self.assertIn('[payout] takes effect at the next start', told)
        told = self.pool.reload(good.replace('small_coinbases = false', 'small_coinbases = true'), 'config: reloaded, but .*')
        self.assertIn('[[stratum.v1.port]] takes effect at the next start', told)
        self.assertEqual(self.pool.terminate(), 0)


if __name__ == '__main__':
    unittest.main(verbosity=2)
