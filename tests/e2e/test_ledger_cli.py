# SPDX-License-Identifier: MIT
"""`adit ledger`: every view in both formats beside a running pool, and `verify` on damaged books."""

import csv
import io
import os
import random
import shutil
import unittest

from blocks import Finder, wait_state
from support import ADIT, MINER_ADDRESS, OTHER_ADDRESS, PoolTest

VIEWS = ['shares', 'accounts', 'workers', 'blocks', 'balances']


class Books(PoolTest):
    def setUp(self):
        super().setUp()
        self.node = self.make_node(bits='1f7fffff')
        self.pool = self.make_pool(self.node, workers=2)

    def mine(self, user, count):
        with Finder(self.pool, self.node, user) as miner:
            miner.on_tip()
            for _ in range(count):
                self.assertIs(miner.submit(miner.find(user, block=False))['result'], True)

    def rows(self, view, *arguments):
        """The view's rows, the same from JSON and CSV."""
        as_json = self.pool.lines(view, *arguments)
        text = self.pool.command('ledger', view, '--format', 'csv', *arguments).stdout
        as_csv = list(csv.DictReader(io.StringIO(text)))

        def plain(value):
            return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
        self.assertEqual(as_csv, [{key: plain(value) for key, value in row.items()} for row in as_json])
        return as_json

    def test_views_while_the_pool_runs(self):
        for view in VIEWS:
            self.assertEqual(self.rows(view), [])
        self.mine(MINER_ADDRESS + '.a', 3)
        self.mine(MINER_ADDRESS + '.b', 4)
        self.mine(OTHER_ADDRESS, 2)
        with Finder(self.pool, self.node) as miner:
            block = miner.on_tip().find_block()
        wait_state(self.pool, block, 'accepted')
        shares = self.rows('shares')
        self.assertEqual([row['sequence'] for row in shares], list(range(1, 11)))
        self.assertEqual([row['hash'] for row in shares if row['block']], [block])
        self.assertTrue(all(int(row['work']) >= 1 and row['time_ms'] > 1_600_000_000_000 for row in shares))
        self.assertEqual({row['address']: row['shares'] for row in self.rows('accounts')},
                         {MINER_ADDRESS: 8, OTHER_ADDRESS: 2})
        self.assertEqual(sorted((row['account'], row['name'], row['shares']) for row in self.rows('workers')),
                         sorted([(MINER_ADDRESS, 'a', 3), (MINER_ADDRESS, 'b', 4), (OTHER_ADDRESS, '', 2),
                                 (MINER_ADDRESS, 'finder', 1)]))
        for row in self.rows('balances'):
            booked = sum(int(share['work']) for share in shares if share['account'] == row['address'])
            self.assertEqual(int(row['work']), booked)
        (found,) = self.rows('blocks')
        self.assertEqual((found['hash'], found['state'], found['account'], found['worker']),
                         (block, 'accepted', MINER_ADDRESS, 'finder'))
        self.assertEqual([row['sequence'] for row in self.rows('shares', '--from', '4', '--limit', '3')], [4, 5, 6])
        kinds = [row['kind'] for row in self.pool.lines('export')]
        self.assertEqual({kind: kinds.count(kind) for kind in kinds}, {'share': 10, 'worker': 4, 'block': 1, 'balance': 2, 'account': 2})
        self.assertIn('10 shares, sequence 1 to 10', self.pool.command('ledger', 'verify').stdout)

    def test_verify_finds_a_flipped_byte(self):
        self.mine(MINER_ADDRESS + '.a', 40)
        self.assertEqual(self.pool.terminate(), 0)
        books, copy = os.path.join(self.pool.data, 'ledger'), os.path.join(self.folder, 'copy')
        shutil.copytree(books, copy)
        chance, found, tried = random.Random(3), 0, 0
        files = [n for n in os.listdir(copy) if n.endswith(('.log', '.sst')) and os.path.getsize(os.path.join(copy, n))]
        self.assertTrue(files)
        for _ in range(12):
            name = chance.choice(files)
            shutil.rmtree(books)
            shutil.copytree(copy, books)
            with open(os.path.join(books, name), 'r+b') as file:
                at = chance.randrange(os.path.getsize(os.path.join(copy, name)))
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1 << chance.randrange(8)]))
            with self.subTest(file=name, at=at):
                done = self.pool.command('ledger', 'verify', check=False)
                self.assertIn(done.returncode, (0, 1), done.stderr)
                tried += 1
                if done.returncode == 0:  # a byte that nothing was made of: everything is there all the same
                    self.assertIn('40 shares, sequence 1 to 40: every chain value', done.stdout)
                    continue
                found += 1
                self.assertNotEqual(done.stderr, '')
        self.assertGreater(found, tried // 2)

    def test_a_pool_refuses_lost_or_foreign_books(self):
        self.mine(MINER_ADDRESS + '.a', 3)
        old = os.path.join(self.folder, 'old')
        self.pool.terminate()
        shutil.copytree(os.path.join(self.pool.data, 'ledger'), old)
        self.pool.start().wait_work()
        self.mine(MINER_ADDRESS + '.a', 3)
        self.assertEqual(self.pool.terminate(), 0)
        shutil.rmtree(os.path.join(self.pool.data, 'ledger'))
        shutil.copytree(old, os.path.join(self.pool.data, 'ledger'))
        done = self.pool.command('run', check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout + done.stderr, 'the ledger ends at share 3, but share 6 was acknowledged')
        with open(self.pool.config) as file:
            text = file.read()
        with open(self.pool.config, 'w') as file:
            file.write(text.replace('[pool]\n', '[pool]\ninstance = 3\n'))
        shutil.rmtree(os.path.join(self.pool.data, 'ledger'))
        self.assertEqual(self.pool.command('run', check=False).returncode, 1)

    def test_no_ledger_yet(self):
        pool = self.make_pool(self.node, start=False, name='none')
        for view in [*VIEWS, 'verify', 'export']:
            done = pool.command('ledger', view, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count('\n')), (1, '', 1), (ADIT, done.stderr))


if __name__ == '__main__':
    unittest.main(verbosity=2)
