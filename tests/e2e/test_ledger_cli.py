# SPDX-License-Identifier: MIT
"""`adit ledger`: every view in both formats beside a running pool, and `verify` on damaged books."""

import csv
import io
import os
import random
import shutil
import subprocess
import time
import unittest

from blocks import Finder, wait_state
from support import ADIT, MINER_ADDRESS, OTHER_ADDRESS, PoolTest, wait_until

VIEWS = ['shares', 'accounts', 'workers', 'blocks', 'balances', 'journal', 'settlements', 'payments']


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
        self.assertEqual({kind: kinds.count(kind) for kind in kinds}, {'share': 10, 'worker': 4, 'block': 1, 'settlement': 1, 'balance': 2, 'account': 2})
        self.assertIn('10 shares, sequence 1 to 10', self.pool.command('ledger', 'verify').stdout)

    def test_the_journal_says_why_a_balance_is_what_it_is(self):
        self.mine(MINER_ADDRESS, 4)
        self.mine(OTHER_ADDRESS, 2)
        with Finder(self.pool, self.node) as miner:
            block = miner.on_tip().find_block()
        wait_state(self.pool, block, 'accepted')
        self.node.generate(99)
        wait_until(lambda: any(row['balance_sat'] for row in self.pool.lines('balances')), 30, 'booked')
        self.pool.command('payout', 'export', '--minimum', '1000', '--out', os.path.join(self.folder, 'payment.json'))
        entries = self.rows('journal')
        self.assertEqual([row['number'] for row in entries], list(range(1, len(entries) + 1)))
        self.assertEqual([row['number'] for row in self.rows('journal', '--from', '2', '--limit', '2')], [2, 3])
        self.assertEqual(self.rows('journal', '--from', '0'), entries)
        (settlement,) = self.rows('settlements')
        self.assertEqual((settlement['block'], settlement['state'], settlement['accounts']), (block, 'booked', 2))
        (payment,) = self.rows('payments')
        self.assertEqual((payment['id'], payment['state'], payment['outputs']), (1, 'exported', 2))
        earned = 0
        for account in self.rows('accounts'):
            own = self.rows('journal', '--account', account['address'])
            self.assertEqual(own, [row for row in entries if row['account'] == account['address']])
            self.assertEqual([(row['reason'], row['ref']) for row in own], [('block', block), ('payment', 'payment:1')])
            name = f'account:{account["id"]}'
            sums = [row['amount_sat'] * ((row['to'] == name) - (row['from'] == name)) for row in own]
            (balance,) = [row for row in self.rows('balances') if row['address'] == account['address']]
            self.assertEqual((balance['balance_sat'], balance['earned_sat']), (sum(sums), sums[0]))
            earned += sums[0]
        self.assertEqual(earned, payment['sum_sat'])
        self.assertEqual(self.rows('journal', '--account', 'nobody'), [])
        exported = self.pool.lines('export')
        for kind, view in (('entry', 'journal'), ('settlement', 'settlements'), ('payment', 'payments')):
            self.assertEqual([{k: v for k, v in row.items() if k != 'kind'} for row in exported if row['kind'] == kind],
                             self.rows(view))

    def test_a_torn_log_is_read_to_its_end(self):
        with Finder(self.pool, self.node) as miner:
            block = miner.on_tip().find_block()
        wait_state(self.pool, block, 'accepted')
        self.pool.kill()
        books = os.path.join(self.pool.data, 'ledger')
        newest = max(name for name in os.listdir(books) if name.endswith('.log'))
        with open(os.path.join(books, newest), 'ab') as file:
            # What a power loss leaves of a write that nobody was told of: its length, type and half of its bytes.
            file.write(bytes(4) + (300).to_bytes(2, 'little') + b'\x01' + bytes(150) + b'x' * 150)
        for words in (['ledger', 'verify'], ['ledger', 'blocks'], ['audit', '--block', block], ['payout', 'list'],
                      ['payout', 'plan']):
            with self.subTest(words):
                done = self.pool.command(*words)
                self.assertIn('the log ends there, as after a power loss', done.stderr)

    def test_standard_output_is_gone(self):
        self.mine(MINER_ADDRESS + '.a', 200)
        with Finder(self.pool, self.node) as miner:
            block = miner.on_tip().find_block()
        wait_state(self.pool, block, 'accepted')
        configured = ['-c', self.pool.config]
        commands = [['ledger', view, *configured] for view in ('shares', 'verify', 'accounts', 'export')]
        commands += [['audit', '--block', block, *configured], ['check', *configured], ['--help'], ['--version']]
        for words in commands:
            with self.subTest(words), open('/dev/full', 'wb') as full:
                done = subprocess.run([ADIT, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(done.returncode, 1)
                self.assertIn('cannot write to standard output\n', done.stderr)
        for words in (['ledger', 'shares', *configured], ['--help']):
            with self.subTest(words):
                process = subprocess.Popen([ADIT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                process.stdout.close()  # as `head` does when it has enough
                _, errors = process.communicate(timeout=60)
                self.assertEqual((process.returncode, errors), (1, ''))

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

    def test_an_accepted_loss_is_told_and_accepted_once(self):
        """An older copy of the books beside a newer mark."""
        books, old = os.path.join(self.pool.data, 'ledger'), os.path.join(self.folder, 'old')
        mark = os.path.join(self.pool.data, 'high_water')
        self.mine(MINER_ADDRESS + '.a', 3)
        self.assertEqual(self.pool.terminate(), 0)
        shutil.copytree(books, old)
        self.pool.start().wait_work()
        self.mine(MINER_ADDRESS + '.a', 5)
        self.assertEqual(self.pool.terminate(), 0)
        shutil.rmtree(books)
        shutil.copytree(old, books)
        with open(mark) as file:
            newer = file.read()
        self.assertRegex(newer, '^8 ')
        for words in (['run'], ['payout', 'prepare']):
            done = self.pool.command(*words, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn('the ledger ends at share 3, but share 8 was acknowledged: an old backup, or lost files. '
                          'Restore the newest copy, or accept the loss with `adit run --accept-loss`',
                          done.stdout + done.stderr)
            with open(mark) as file:
                self.assertEqual(file.read(), newer)
        self.pool.start(arguments=['--accept-loss']).wait_work()
        self.pool.wait_log(r'the loss is accepted: 5 shares, 0 slices and 0 writes of credits and payments are missing\. '
                           r'The books go on at share 4')
        with open(mark) as file:
            self.assertRegex(file.read(), '^3 ')
        self.mine(MINER_ADDRESS + '.a', 2)
        self.pool.kill()
        self.pool.start().wait_work()
        self.assertNotIn('accept', self.pool.log_text().split('V1 on')[0])
        self.assertIn('5 shares, sequence 1 to 5: every chain value', self.pool.command('ledger', 'verify').stdout)
        self.assertEqual(self.pool.terminate(), 0)
        self.pool.start(arguments=['--accept-loss']).wait_work()
        self.pool.wait_log('--accept-loss: nothing is missing; start without it from now on')

    def test_no_payment_step_is_answered_before_its_mark_is_written(self):
        self.mine(MINER_ADDRESS, 4)
        with Finder(self.pool, self.node) as miner:
            block = miner.on_tip().find_block()
        wait_state(self.pool, block, 'accepted')
        self.node.generate(99)
        wait_until(lambda: any(row['balance_sat'] for row in self.pool.lines('balances')), 30, 'booked')
        out, in_the_way = (os.path.join(self.folder, 'payment.json'), os.path.join(self.pool.data, 'high_water.tmp'))
        time.sleep(2)  # until the mark knows what was booked
        os.mkdir(in_the_way)
        step = ['payout', 'export', '--minimum', '1000', '--out', out]
        again = [*step[:2], '--id', '1', *step[2:]]
        for words in (step, again):
            done = self.pool.command(*words, check=False)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn('the high-water mark could not be written', done.stderr)
            self.assertFalse(os.path.exists(out))
        os.rmdir(in_the_way)
        self.pool.wait_log('the high-water mark can be written again')
        self.pool.command('payout', 'export', '--id', '1', '--out', out)
        self.assertTrue(os.path.exists(out))
        with open(os.path.join(self.pool.data, 'high_water')) as file:
            self.assertGreater(int(file.read().splitlines()[2]), 0)

    def test_a_missing_mark_is_told_and_written_anew(self):
        mark = os.path.join(self.pool.data, 'high_water')
        self.assertNotIn('mark is missing', self.pool.log_text())
        self.assertTrue(os.path.exists(mark))  # beside new books, too
        self.mine(MINER_ADDRESS + '.a', 3)
        self.pool.kill()
        os.remove(mark)
        words = 'the high-water mark is missing beside books that end at share 3 and batch '
        done = self.pool.command('ledger', 'verify')
        self.assertIn('warning: ' + words, done.stderr)
        self.assertIn('every chain value', done.stdout)
        self.pool.start().wait_work()
        self.pool.wait_log(words + r'\d+ of credits and payments: whether they are an old copy, or have lost their end, '
                                   r'cannot be checked; a new mark is written')
        with open(mark) as file:
            self.assertRegex(file.read(), '^3 ')
        self.pool.kill()
        self.pool.start().wait_work()
        self.assertNotIn('mark is missing', self.pool.log_text())
        self.assertEqual(self.pool.command('ledger', 'verify').stderr, '')
        self.pool.kill()
        os.remove(mark)
        done = self.pool.command('payout', 'prepare', check=False)  # nobody is due
        self.assertIn('warning: ' + words, done.stderr)
        self.assertTrue(os.path.exists(mark))

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
