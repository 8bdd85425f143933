# SPDX-License-Identifier: MIT
"""Configuration and command line: each error is one line that names file, line and key; usage errors end with status 2."""

import os
import subprocess
import unittest

from support import ADIT, MINER_ADDRESS, POOL_ADDRESS, PoolTest

GOOD = f'''data_dir = "data"
workers = 1
[pool]
network = "regtest"
payout_address = "{POOL_ADDRESS}"
[[node]]
rpc = "http://127.0.0.1:1"
user = "u"
password = "p"
[stratum.v1]
listen = ["127.0.0.1:0"]
[vardiff]
start = 1.0
[ledger]
durability = "sync"
'''

# What is replaced in GOOD, by what, and "line: key: " of the message.
ERRORS = [
    ('workers = 1', 'workers = -1', '2: workers: '),
    ('workers = 1', 'workers = "2"', '2: workers: '),
    ('workers = 1', 'wokers = 1', '2: wokers: unknown key'),
    ('data_dir = "data"', 'data_dir = 5', '1: data_dir: '),
    ('network = "regtest"', 'network = "moon"', '4: pool.network: '),
    ('network = "regtest"', 'network = "main"', '5: pool.payout_address: '),
    (POOL_ADDRESS, 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081', '5: pool.payout_address: '),
    (f'payout_address = "{POOL_ADDRESS}"\n', '', '3: pool.payout_address: '),
    ('[[node]]', 'fee = "2"\n[[node]]', '6: pool.fee: '),
    ('[[node]]', 'fee = "101%"\n[[node]]', '6: pool.fee: '),
    ('[[node]]', 'scheme = "best"\n[[node]]', '6: pool.scheme: '),
    ('[[node]]', 'instance = 256\n[[node]]', '6: pool.instance: '),
    ('[[node]]', 'accept_names = 1\n[[node]]', '6: pool.accept_names: '),
    ('[[node]]', 'coinbase_tag = "' + 61 * 'x' + '"\n[[node]]', '6: pool.coinbase_tag: '),
    ('[[node]]', 'coinbase_tag = "\\u00e9"\n[[node]]', '6: pool.coinbase_tag: '),
    ('rpc = "http://127.0.0.1:1"', 'rpc = "127.0.0.1:1"', '7: node.rpc: '),
    ('rpc = "http://127.0.0.1:1"\n', '', '6: node.rpc: '),
    ('user = "u"\n', '', '6: node.cookie_file: '),
    ('password = "p"', 'password_file = "none"', '9: node.password_file: '),
    ('user = "u"', 'user = "u"\ncookie_file = "c"', ': node.cookie_file: '),
    ('["127.0.0.1:0"]', '"127.0.0.1:0"', '11: stratum.v1.listen: '),
    ('["127.0.0.1:0"]', '[3333]', '11: stratum.v1.listen: '),
    ('[vardiff]', 'extranonce2_size = 9\n[vardiff]', '12: stratum.v1.extranonce2_size: '),
    ('[vardiff]', 'version_mask = "xyz"\n[vardiff]', '12: stratum.v1.version_mask: '),
    ('[vardiff]', 'tls_listen = ["127.0.0.1:0"]\n[vardiff]', '12: stratum.v1.tls_listen: '),
    ('[vardiff]', 'max_connections = 0\n[vardiff]', '12: stratum.v1.max_connections: '),
    ('[vardiff]', 'no_such = 1\n[vardiff]', '12: stratum.v1.no_such: unknown key'),
    ('[vardiff]', '[[stratum.v1.port]]\nlisten = ["127.0.0.1:0"]\n[vardiff]', '12: stratum.v1.port.name: '),
    ('[vardiff]', '[[stratum.v1.port]]\nname = "a"\nlisten = ["127.0.0.1:0"]\nminimun = 1\n[vardiff]',
     '15: stratum.v1.port.minimun: unknown key'),
    ('[ledger]', '[[vardiff.agent]]\nmatch = "x"\n[ledger]', '14: vardiff.agent.start: '),
    ('start = 1.0', 'start = "1"', '13: vardiff.start: '),
    ('start = 1.0', 'start = -1.0', '13: vardiff.start: '),
    ('start = 1.0', 'start = nan', '13: vardiff.start: '),
    ('start = 1.0', 'minimum = 2\nmaximum = 1', '13: vardiff.minimum: '),
    ('start = 1.0', 'shares_per_minute = 0', '13: vardiff.shares_per_minute: '),
    ('"sync"', '"never"', '15: ledger.durability: '),
    ('"sync"', '"sync"\nshare_retention_days = -1', '16: ledger.share_retention_days: '),
    ('"sync"', '"sync"\n[bogus]\nx = 1', '16: bogus: unknown key'),
    ('"sync"', '"sync', '15: '),
    ('[pool]', '[pool', '3: '),
    ('workers = 1', 'workers = 1\nworkers = 2', '3: '),
]


class Configuration(PoolTest):
    def run_adit(self, *arguments):
        return subprocess.run([ADIT, *arguments], capture_output=True, text=True, timeout=20, cwd=self.folder)

    def write(self, text):
        with open(os.path.join(self.folder, 'adit.toml'), 'w') as config:
            config.write(text)

    def test_each_error_is_one_line_that_says_where(self):
        for old, new, where in ERRORS:
            with self.subTest(new=new):
                self.assertIn(old, GOOD)
                self.write(GOOD.replace(old, new, 1))
                for command in (['check'], ['run'], ['ledger', 'verify']):
                    done = self.run_adit(*command, '-c', 'adit.toml')
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertRegex(done.stderr, r'^adit\.toml:\d+: ')
                    self.assertIn(where, done.stderr)
                    self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
                self.assertFalse(os.path.exists(os.path.join(self.folder, 'data')), 'something was made all the same')

    def test_no_node_no_file_no_text(self):
        self.write(GOOD[:GOOD.index('[[node]]')] + GOOD[GOOD.index('[stratum'):])
        self.assertIn('node: at least one [[node]] is required', self.run_adit('check', '-c', 'adit.toml').stderr)
        for text in ('', '\0', '\xff\xfe', '[' * 10_000, 'a = ' + '[' * 10_000):
            self.write(text)
            done = self.run_adit('run', '-c', 'adit.toml')
            self.assertEqual((done.returncode, done.stderr.count('\n')), (1, 1), done.stderr[:300])
        done = self.run_adit('run', '-c', 'missing.toml')
        self.assertEqual((done.returncode, done.stderr), (1, 'missing.toml: cannot be read\n'))

    def test_check_tells_what_is_wrong_with_a_good_file(self):
        self.write(GOOD)
        done = self.run_adit('check', '-c', 'adit.toml')
        self.assertEqual(done.returncode, 1)
        self.assertIn('adit.toml: good', done.stdout)
        self.assertIn('http://127.0.0.1:1: ', done.stderr)

    def test_run_ends_on_what_it_cannot_have(self):
        blocked = os.path.join(self.folder, 'file')
        open(blocked, 'w').close()
        for old, new, text in [('["127.0.0.1:0"]', '["nonsense"]', 'stratum.v1.listen'),
                               ('["127.0.0.1:0"]', '["192.0.2.1:3333"]', '192.0.2.1:3333'),
                               ('"data"', '"file/data"', 'data_dir: cannot make'),
                               ('[vardiff]', 'proxy_from = ["1.2.3.4/99"]\n[vardiff]', 'stratum.v1.proxy_from')]:
            with self.subTest(new=new):
                self.write(GOOD.replace(old, new, 1))
                done = self.run_adit('run', '-c', 'adit.toml')
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(text, done.stderr + done.stdout)

    def test_command_line(self):
        self.assertRegex(self.run_adit('--version').stdout, r'^adit \d+\.\d+\.\d+')
        self.write(GOOD)
        views = ['verify', 'shares', 'accounts', 'workers', 'blocks', 'balances', 'export']
        for command in [[], ['run'], ['check'], ['demo'], ['ledger'], *[['ledger', view] for view in views]]:
            done = self.run_adit(*command, '--help')
            self.assertEqual((done.returncode, done.stderr), (0, ''), command)
            self.assertIn('Usage', done.stdout)
        for wrong in [[], ['--nonsense'], ['run'], ['run', '-c'], ['walk'], ['ledger', '-c', 'adit.toml'], ['ledger', 'eat'],
                      ['ledger', 'shares', '-c', 'adit.toml', '--format', 'xml'], ['demo', '--miners', '65'],
                      ['ledger', 'shares', '-c', 'adit.toml', '--from', '-1'], ['check', 'adit.toml']]:
            with self.subTest(wrong=wrong):
                done = self.run_adit(*wrong)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertNotEqual(done.stderr, '')

    def test_names_that_are_no_address(self):
        from v1_miner import Miner
        node = self.make_node(bits='1f7fffff')
        pool = self.make_pool(node)
        with Miner(pool.address) as miner:
            for user in ('nobody', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', MINER_ADDRESS[:-1] + 'x'):
                reply = miner.hello(user, wait_job=False)
                self.assertEqual((reply['result'], reply['error'][0]), (False, 24))

    def test_names_that_are_no_address_may_mine_for_the_pool(self):
        from v1_miner import Miner
        pool = self.make_pool(self.make_node(bits='1f7fffff'), start=False)
        with open(pool.config) as file:
            text = file.read()
        self.assertIn('accept_names = false\n', text)
        with open(pool.config, 'w') as file:
            file.write(text.replace('accept_names = false\n', ''))  # it is the default
        pool.start().wait_work()
        with Miner(pool.address) as miner:
            self.assertIs(miner.hello('rig-7')['result'], True)
            self.assertIs(miner.submit(miner.find('rig-7', block=False))['result'], True)
            reply = miner.hello(MINER_ADDRESS[:-1] + 'x', wait_job=False)  # an address with a slip of the hand
            self.assertEqual((reply['result'], reply['error'][0]), (False, 24))
        self.assertEqual([(row['account'], row['worker']) for row in pool.lines('shares')], [(POOL_ADDRESS, 'rig-7')])


if __name__ == '__main__':
    unittest.main(verbosity=2)
