# SPDX-License-Identifier: MIT
"""Signals and limits of the process: drain, second signal, reload, second instance, busy port, few files, a pause."""

import os
import re
import resource
import signal
import socket
import time
import unittest

from blocks import USER, Finder
from support import PoolTest, wait_until
from v1_miner import Closed, Miner


class Signals(PoolTest):
    def setUp(self):
        super().setUp()
        self.node = self.make_node(bits='1f7fffff')

    def send(self, pool, number):
        os.kill(pool.process.pid, number)

    def test_sigterm_drains(self):
        pool = self.make_pool(self.node, workers=2)
        miners = [Finder(pool, self.node) for _ in range(8)]
        for miner in miners:
            self.addCleanup(miner.close)
        requests = [[miner.send('mining.submit', miner.find(miner.user, block=False)) for _ in range(5)]
                    for miner in miners]
        self.send(pool, signal.SIGTERM)
        accepted = 0
        for miner, asked in zip(miners, requests):
            with self.assertRaises(Closed):
                while True:
                    miner.read_message(10)
            self.assertIn('client.reconnect', [message['method'] for message in miner.messages])
            accepted += sum(miner.replies[request]['result'] is True for request in asked if request in miner.replies)
        self.assertEqual(pool.process.process.wait(20), 0)
        self.assertGreater(accepted, 0)
        self.assertEqual(len(pool.lines('shares')), accepted, 'every share in the books was answered')
        self.assertIn('ended', pool.log_text())
        self.assertEqual(pool.command('ledger', 'verify').returncode, 0)

    def test_a_second_signal_ends_at_once_and_safely(self):
        pool = self.make_pool(self.node)
        miners = [Finder(pool, self.node) for _ in range(4)]
        for miner in miners:
            self.addCleanup(miner.close)
        share = miners[0].find(USER, block=False)
        digest = miners[0].share_hash(share)
        self.assertIs(miners[0].submit(share)['result'], True)
        self.send(pool, signal.SIGINT)
        pool.wait_log('draining')
        begin = time.monotonic()
        self.send(pool, signal.SIGTERM)
        self.assertIn(pool.process.process.wait(20), (0, -signal.SIGTERM))
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual([row['hash'] for row in pool.lines('shares')], [digest])
        pool.start().wait_work()

    def test_sighup_reloads_whole_or_not_at_all(self):
        pool = self.make_pool(self.node)
        with open(pool.config) as file:
            good = file.read()
        line = good[:good.index('minimum =')].count('\n') + 1
        told = pool.reload(good.replace('minimum = 1e-10', 'minimum = "x"'), 'not reloaded: .*')
        self.assertIn(f'{pool.config}:{line}: vardiff.minimum: ', told)
        with Miner(pool.address) as miner:
            miner.hello(USER)
            self.assertAlmostEqual(miner.difficulty / 1e-10, 1, 3)
            jobs = miner.jobs
            pool.reload(good.replace('1e-10', '2e-10'), 'config: reloaded\n')
            miner.wait_job(after=jobs)
            self.assertAlmostEqual(miner.difficulty / 2e-10, 1, 3)
        with Miner(pool.address) as miner:
            miner.hello(USER + '2')
            self.assertAlmostEqual(miner.difficulty / 2e-10, 1, 3)
        told = pool.reload(good.replace('name = "test"', 'name = "other"'), 'config: reloaded, but .*')
        self.assertIn('[pool] takes effect at the next start', told)
        told = pool.reload(good + '[payout]\nfactor = 3\n[stratum.v2]\nchannels_per_connection = 9\n',
                           'config: reloaded, but .*')
        self.assertIn('[stratum.v2], [payout] takes effect at the next start', told)
        self.assertEqual(pool.terminate(), 0)

    def test_another_extranonce2_size_moves_who_subscribed_to_extranonces(self):
        pool = self.make_pool(self.node)
        with open(pool.config) as file:
            good = file.read()
        self.assertIn('[stratum.v1]\n', good)

        def reload(size):
            pool.reload(good.replace('[stratum.v1]\n', f'[stratum.v1]\nextranonce2_size = {size}\n'), 'config: reloaded\n')

        with Miner(pool.address) as follower, Miner(pool.address) as other:
            follower.hello(USER)
            other.hello(USER)
            self.assertIs(follower.call('mining.extranonce.subscribe', [])['result'], True)
            first, jobs, others = follower.job, follower.jobs, other.jobs
            reload(5)
            moved = follower.wait_job(after=jobs)
            self.assertTrue(moved.clean)
            self.assertEqual((moved.extranonce2_size, len(moved.extranonce1)), (5, 22))
            self.assertNotEqual(moved.extranonce1[:16], first.extranonce1)
            for job in (moved, first):  # what was found for the old job under the old extranonce1 counts
                self.assertIs(follower.submit(follower.find(USER, block=False, job=job))['result'], True)
            self.assertEqual(other.call('mining.ping', [])['result'], 'pong')
            self.assertEqual((other.jobs, other.job.extranonce2_size), (others, 8))
            self.assertIs(other.submit(other.find(USER, block=False))['result'], True)
            block = follower.find(USER, block=True, job=moved)
            digest = follower.share_hash(block, moved)
            self.assertIs(follower.submit(block)['result'], True)
            wait_until(lambda: self.node.rpc('getbestblockhash') == digest, 10, 'the block of a moved miner is connected')
            with Miner(pool.address) as late:
                late.hello(USER + '2')
                self.assertEqual(late.extranonce2_size, 5)
        self.assertEqual(pool.terminate(), 0)

    def test_sighup_while_draining_changes_nothing(self):
        pool = self.make_pool(self.node)
        miners = [Finder(pool, self.node) for _ in range(3)]
        for miner in miners:
            self.addCleanup(miner.close)
        self.send(pool, signal.SIGTERM)
        pool.wait_log('draining')
        for _ in range(20):
            self.send(pool, signal.SIGHUP)
            time.sleep(0.01)
        self.assertEqual(pool.process.process.wait(20), 0)

    def test_a_second_instance_and_a_busy_port_end_at_once(self):
        pool = self.make_pool(self.node)
        begin = time.monotonic()
        done = pool.command('run', check=False)
        self.assertLess(time.monotonic() - begin, 2)
        self.assertEqual(done.returncode, 1)
        self.assertIn('is in use by another adit', done.stdout + done.stderr)
        other = self.make_pool(self.node, start=False, name='other')
        with open(other.config) as file:
            text = file.read().replace('127.0.0.1:0', pool.address)
        with open(other.config, 'w') as file:
            file.write(text)
        begin = time.monotonic()
        done = other.command('run', check=False)
        self.assertLess(time.monotonic() - begin, 2)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f'port {pool.address.split(":")[1]} on 127.0.0.1 is in use', done.stdout + done.stderr)
        with Finder(pool, self.node) as miner:
            self.assertIs(miner.submit(miner.find(USER, block=False))['result'], True)

    def test_the_table_of_open_files_is_there_before_miners_are(self):
        # Else it grows while they wait: see grow_fd_table.
        pool = self.make_pool(self.node)
        with open(f'/proc/{pool.process.pid}/status') as file:
            size = int(re.search(r'FDSize:\s+(\d+)', file.read()).group(1))
        with open(f'/proc/{pool.process.pid}/limits') as file:
            limit = int(re.search(r'Max open files\s+(\d+)', file.read()).group(1))
        self.assertGreaterEqual(size, min(10_000, limit))

    def test_few_files_healthy_miners_go_on(self):
        pool = self.make_pool(self.node, start=False)
        pool.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))).wait_work()
        host, port = pool.address.rsplit(':', 1)
        with Finder(pool, self.node) as miner:
            crowd = []
            for _ in range(300):
                try:
                    crowd.append(socket.create_connection((host, int(port)), timeout=1))
                except OSError:
                    break
            self.assertGreater(len(crowd), 60)
            self.assertIn('only 128 files may be open', pool.log_text())
            for _ in range(10):
                self.assertIs(miner.submit(miner.find(USER, block=False))['result'], True)
            # What miners may not take: files for found blocks and for the books' next log.
            tip = self.node.rpc('getbestblockhash')
            for _ in range(3):
                self.assertIs(miner.submit(miner.find(USER, block=True))['result'], True)
                wait_until(lambda: self.node.rpc('getbestblockhash') != tip, 10, 'the block is connected')
                tip = self.node.rpc('getbestblockhash')
                miner.on_tip()
            self.assertNotIn('not kept on disk', pool.log_text())
            for sock in crowd:
                sock.close()

            def comes_in():
                try:
                    with Miner(pool.address, timeout=1) as late:
                        return late.hello(USER)['result'] is True
                except (OSError, Closed):
                    return False
            wait_until(comes_in, 5, 'a miner comes in again')
            self.assertIs(miner.submit(miner.find(USER, block=False))['result'], True)
        self.assertEqual(pool.terminate(), 0)

    def test_a_paused_pool_goes_on(self):
        pool = self.make_pool(self.node)
        with Finder(pool, self.node) as miner:
            miner.on_tip()
            self.send(pool, signal.SIGSTOP)
            self.node.generate(2)
            request = miner.send('mining.submit', miner.find(USER, block=False))
            time.sleep(2)
            self.send(pool, signal.SIGCONT)
            reply = miner.wait_reply(request)
            self.assertIn((reply['error'] or [0])[0], (0, 21))
            miner.on_tip()
            self.assertIs(miner.submit(miner.find(USER, block=False))['result'], True)


if __name__ == '__main__':
    unittest.main(verbosity=2)
