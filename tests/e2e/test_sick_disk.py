# SPDX-License-Identifier: MIT
"""A disk that fails a call, takes seconds, or loses power: what was acknowledged is in the books, whatever else happens.

ADIT_FAULT_POINTS sets how many calls fail, one a pool (24); ADIT_POWER_LOSSES how many moments are tried (60)."""

import os
import random
import shutil
import subprocess
import time
import unittest

from blocks import USER, Finder, vault_files, wait_best, wait_state
from faults import Faults, Records, needs_faults, power_loss
from support import ADIT, PoolTest, wait_until
from v1_miner import Closed, Miner

POINTS = int(os.environ.get('ADIT_FAULT_POINTS', '24'))
LOSSES = int(os.environ.get('ADIT_POWER_LOSSES', '60'))
LEDGER_FAILED = 74
EIO, SHORT = 5, 0


@needs_faults
class SickDisk(PoolTest):
    BITS = '1d00ffff'  # no hash of these tests is a block

    def setUp(self):
        super().setUp()
        self.node = self.make_node(bits=self.BITS)

    def sick_pool(self, log=False, **options):
        pool = self.make_pool(self.node, start=False, **options)
        pool.faults = Faults(self.folder, pool.data, log)
        return pool

    def mine(self, pool, count, acknowledged):
        """Submits until the pool ends, at most `count` shares; True if it stayed."""
        try:
            with Miner(pool.address) as miner:
                miner.hello(USER)
                for _ in range(count):
                    params = miner.find(USER, block=False)
                    digest = miner.share_hash(params)
                    if miner.submit(params)['result'] is True:
                        acknowledged.add(digest)
        except (Closed, ConnectionError):
            return False
        return True

    def assert_booked(self, pool, acknowledged):
        rows = pool.lines('shares')
        self.assertEqual([row['sequence'] for row in rows], list(range(1, len(rows) + 1)))
        self.assertEqual(acknowledged - {row['hash'] for row in rows}, set(), 'acknowledged shares are lost')
        self.assertIn('every chain value', pool.command('ledger', 'verify').stdout)


class FailedCalls(SickDisk):
    def test_each_failed_call_loses_nothing(self):
        """The n-th write, sync, rename or creation fails once: the pool ends with its own status or goes on, and the next
        start has every acknowledged share."""
        pool = self.sick_pool()
        acknowledged, ended = set(), 0
        pool.start(env=pool.faults.environment).wait_work()
        for point in range(POINTS):
            if not pool.process.alive():
                pool.start(env=pool.faults.environment).wait_work()
            pool.faults.fail_next(1 + point * 7 % 60, (EIO, SHORT)[point % 2])
            stayed = self.mine(pool, 40, acknowledged)
            if not stayed:
                self.assertEqual(pool.process.process.wait(10), LEDGER_FAILED, pool.log_text()[-2000:])
                self.assertIn('the books are closed and the pool ends', pool.log_text())
                ended += 1
            self.assert_booked(pool, acknowledged)
        self.assertGreater(ended, POINTS // 3)
        print(f'{POINTS} failed calls: {ended} ended the pool, {len(acknowledged)} shares acknowledged')

    def test_a_start_on_a_sick_disk_ends_or_works(self):
        for number in range(1, 60, 6):
            with self.subTest(call=number):
                pool = self.sick_pool(name=f'start{number}')
                pool.faults.fail_next(number)
                pool.start(wait=False, env=pool.faults.environment)
                wait_until(lambda: 'V1 on ' in pool.log_text() or not pool.process.alive(), 20, 'it listens or ends')
                if pool.process.alive():
                    pool.kill()
                else:
                    self.assertIn(pool.process.process.wait(5), (1, LEDGER_FAILED), pool.log_text())
                    self.assertRegex(pool.log_text(), 'error .*(IO error|Input/output|cannot)')
                pool.start().wait_work()
                self.assertTrue(self.mine(pool, 3, set()))
                pool.kill()


class FailedBooks(SickDisk):
    BITS = '1f7fffff'

    def test_a_block_under_way_goes_out_before_the_end(self):
        self.need_sim()
        pool = self.sick_pool()
        pool.start(env=pool.faults.environment).wait_work()
        with Finder(pool, self.node) as miner:
            miner.on_tip()
            self.node.rpc('sim_fault', '503', 'submitblock', 0)
            digest = miner.find_block()
            for _ in range(50):
                pool.faults.fail_next()
                miner.send('mining.submit', miner.find(USER, block=False))
                time.sleep(0.1)
                if 'the books are closed' in pool.log_text():
                    break
            time.sleep(1)
            self.assertTrue(pool.process.alive())
            self.node.rpc('sim_fault', 'clear')
            self.assertEqual(pool.process.process.wait(10), LEDGER_FAILED, pool.log_text()[-2000:])
        self.assertEqual(self.node.rpc('getbestblockhash'), digest)
        pool.start().wait_work()
        wait_state(pool, digest, 'accepted')


class SlowDisk(SickDisk):
    BITS = '1f7fffff'

    @staticmethod
    def resources(pool):
        with open(f'/proc/{pool.process.pid}/status') as file:
            fields = dict(line.split(':', 1) for line in file)
        return int(fields['VmRSS'].split()[0]) // 1024, int(fields['Threads'])

    def test_a_sync_of_seconds_delays_answers_and_nothing_else(self):
        pool = self.sick_pool()
        pool.start(env=pool.faults.environment).wait_work()
        acknowledged = set()
        with Finder(pool, self.node) as miner, Finder(pool, self.node) as other:
            miner.on_tip()
            other.on_tip()
            memory, threads = self.resources(pool)
            pool.faults.sync_delay = 2500
            begin = time.monotonic()
            shares = [other.find(USER, block=False) for _ in range(200)]
            waiting = [(other.send('mining.submit', share), other.share_hash(share)) for share in shares]
            # A block does not wait for the disk longer than 50 ms, nor a refusal at all.
            params = miner.find(USER, block=True)
            digest = miner.share_hash(params)
            won = miner.send('mining.submit', params)
            wait_best(self.node, digest, 2)
            self.assertLess(time.monotonic() - begin, 2)
            miner.wait_job(5, after=miner.jobs)
            refused = miner.send('mining.submit', [USER, 'ffff', *params[2:]])
            for request, share in waiting:
                self.assertIs(other.wait_reply(request, 15)['result'], True)
                acknowledged.add(share)
            self.assertGreater(time.monotonic() - begin, 2.4, 'acknowledged before it was safe')
            self.assertIs(miner.wait_reply(won, 15)['result'], True)
            self.assertEqual(miner.wait_reply(refused)['error'][0], 21)
            more_memory, more_threads = self.resources(pool)
            self.assertLess(more_memory - memory, 64)
            self.assertLessEqual(more_threads - threads, 4)
            pool.wait_log('the disk is slow', seconds=8)
            pool.faults.sync_delay = 0
            wait_state(pool, digest, 'accepted')
            other.on_tip()
            begin = time.monotonic()
            self.assertIs(other.submit(other.find(USER, block=False))['result'], True)
            self.assertLess(time.monotonic() - begin, 3)
        self.assert_booked(pool, acknowledged | {digest})
        self.assertEqual(pool.terminate(), 0)


class PowerLoss(SickDisk):
    BITS = '1f7fffff'

    def test_a_key_that_was_shown_is_there_after_a_loss(self):
        keys = os.path.join(self.folder, 'keys')
        os.mkdir(keys)
        for words in ([], ['--force']):  # made, and replaced
            faults = Faults(self.folder, keys, log=True)
            done = subprocess.run([ADIT, 'keygen', '--out', os.path.join(keys, 'authority.key'), *words],
                                  env=faults.environment, capture_output=True, text=True, check=True)
            records = Records(faults.log_path)
            image = os.path.join(self.folder, f'image{len(words)}')
            power_loss(records, len(records.all), image, random.Random(5))
            with open(os.path.join(image, 'authority.key.pub')) as file:
                self.assertIn(file.read().strip(), done.stdout)
            with open(os.path.join(image, 'authority.key')) as left, open(os.path.join(keys, 'authority.key')) as made:
                self.assertEqual(left.read(), made.read())
            os.remove(faults.log_path)

    def test_the_folder_of_the_books_is_safe_before_they_are(self):
        """Each folder that is made for data_dir has its name on the disk before a file comes into it."""
        pool = self.make_pool(self.node, start=False)
        pool.data = os.path.join(self.folder, 'one', 'two')
        with open(pool.config) as file:
            text = file.read()
        with open(pool.config, 'w') as file:
            file.write(text.replace(f'{pool.name}-data', 'one/two'))
        pool.faults = Faults(self.folder, self.folder, log=True)
        pool.start(env=pool.faults.environment).wait_work()
        pool.kill()
        calls = [(kind, name) for _, kind, name, *_ in Records(pool.faults.log_path).all]
        for made, parent in (('one', '.'), ('one/two', 'one')):
            after = calls[calls.index(('d', made)):]
            self.assertIn(('s', parent), after)
            first_file = next(n for n, (kind, name) in enumerate(after) if kind == 'c' and name.startswith('one/two/ledger/'))
            self.assertLess(after.index(('s', parent)), first_file)

    def mine_and_kill(self, pool, turns=60):
        """Two miners; returns what was acknowledged, each with the size of the log when the answer was there."""
        pool.start(env=pool.faults.environment).wait_work()
        told, blocks = [], []
        with Finder(pool, self.node) as miner, Finder(pool, self.node) as other:
            for turn in range(turns):
                for one in (miner, other):
                    params = one.find(USER, block=False)
                    digest = one.share_hash(params)
                    if one.submit(params)['result'] is True:
                        told.append((pool.faults.log_size, digest))
                if turn % 12 == 5:
                    digest = miner.on_tip().find_block()
                    blocks.append((pool.faults.log_size, digest))
                    told.append(blocks[-1])
                    wait_best(self.node, digest)
                    miner.on_tip()
                    other.on_tip()
        pool.kill()
        self.assertGreater(len(told), turns)
        return told, blocks

    def losses(self, pool, told, times):
        """What the disk has after `times` losses: makes it so, and yields how much of the log is in it."""
        records, chance = Records(pool.faults.log_path), random.Random(11)
        first = next(n for n, end in enumerate(records.ends) if end >= told[0][0])
        for loss in range(times):
            count = chance.randrange(first + 1, len(records.all) + 1)
            shutil.rmtree(pool.data)
            power_loss(records, count, pool.data, chance)
            yield loss, records.ends[count - 1]

    def test_the_books_after_a_loss_at_any_moment_hold_every_acknowledged_share(self):
        pool = self.sick_pool(log=True)
        told, blocks = self.mine_and_kill(pool)
        # Those that a loaded machine's disk kept waiting went to the node before their file was safe, and the log says so.
        log = pool.log_text()
        blocks = [(size, digest) for size, digest in blocks if f'{digest}: the disk takes longer' not in log and
                  f'{digest} is acknowledged before its file is safe' not in log]
        begin = time.monotonic()
        for loss, end in self.losses(pool, told, LOSSES):
            with self.subTest(loss=loss):
                self.assert_booked(pool, {digest for size, digest in told if size <= end})
                files = ' '.join(vault_files(pool))
                self.assertEqual([digest for size, digest in blocks if size <= end and digest not in files], [],
                                 'a block of an acknowledged share is not kept')
        print(f'{LOSSES} power losses in {time.monotonic() - begin:.0f} s, {len(told)} shares and {len(blocks)} blocks')
        # And the pool goes on from such a disk.
        pool.start().wait_work()
        with Finder(pool, self.node) as miner:
            wait_best(self.node, miner.on_tip().find_block())

    def test_relaxed_books_lose_the_end_only(self):
        """It also shows that these power losses do lose what is not synced."""
        pool = self.sick_pool(log=True, extra='[ledger]\ndurability = "relaxed"')
        told, _ = self.mine_and_kill(pool, 30)
        lost = 0
        for _, end in self.losses(pool, told, LOSSES // 4):
            before = [digest for size, digest in told if size <= end]
            booked = {row['hash'] for row in pool.lines('shares')}
            kept = [digest in booked for digest in before]
            self.assertEqual(kept, sorted(kept, reverse=True), 'a hole in the books')
            lost += kept.count(False)
            self.assertIn('every chain value', pool.command('ledger', 'verify').stdout)
        self.assertGreater(lost, 0)


if __name__ == '__main__':
    unittest.main(verbosity=2)
