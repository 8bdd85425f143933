# SPDX-License-Identifier: MIT
"""Clocks: a wall clock that jumps or stands changes nothing that is mined or booked, and what happens after minutes or hours
happens when the steady clock says so."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

from blocks import USER, Finder, wait_best
from faults import SECOND, Faults, needs_faults
from support import ADIT, PAYOUTS, PoolTest, wait_until
from v1_miner import Closed, Miner

HOUR, YEAR = 3600 * SECOND, 365 * 86400 * SECOND


@needs_faults
class Clock(PoolTest):
    def clocked_pool(self, node, start=True, **options):
        pool = self.make_pool(node, start=False, **options)
        pool.faults = Faults(self.folder)
        pool.environment = pool.faults.environment
        if start:
            pool.start(env=pool.environment).wait_work()
        return pool

    @staticmethod
    def pass_time(pool, seconds, step=9):
        """Steps, so that nobody's deadline is skipped: between two of them the pool is awake."""
        left = seconds
        while left > 0:
            pool.faults.steady_offset += min(step, left) * SECOND
            left -= step
            time.sleep(0.12)


class Wall(Clock):
    def test_jumps_change_nothing_that_is_mined_or_booked(self):
        node = self.make_node(bits='1f7fffff')
        pool = self.clocked_pool(node)
        booked = []
        with Finder(pool, node) as miner:
            for offset, frozen in ((0, 0), (HOUR, 0), (-HOUR, 0), (10 * YEAR, 0), (-10 * YEAR, 0), (0, 1_700_000_000 * SECOND),
                                   (0, 0)):
                with self.subTest(offset=offset, frozen=frozen):
                    pool.faults.wall_offset, pool.faults.wall_frozen = offset, frozen
                    for _ in range(3):
                        share = miner.on_tip().find(USER, block=False)
                        booked.append(miner.share_hash(share))
                        self.assertIs(miner.submit(share)['result'], True)
                    # A block's time comes from the node, so the node takes it.
                    booked.append(miner.on_tip().find_block())
                    wait_best(node, booked[-1])
                    begin = time.monotonic()
                    node.generate()
                    miner.on_tip(5)
                    self.assertLess(time.monotonic() - begin, 2)
                    with Miner(pool.address) as late:
                        self.assertIs(late.hello(USER)['result'], True)
        rows = pool.lines('shares')
        self.assertEqual([row['hash'] for row in rows], booked)
        self.assertEqual([row['sequence'] for row in rows], list(range(1, len(rows) + 1)))
        self.assertIn('every chain value', pool.command('ledger', 'verify').stdout)
        self.assertEqual(pool.terminate(), 0)
        pool.start().wait_work()  # with the right time again

    def test_a_start_in_the_wrong_year_forgets_no_share(self):
        """Old shares leave the books by the clock; one that is ten years fast must not make all of them old."""
        node = self.make_node(bits='1f7fffff')
        pool = self.clocked_pool(node, extra='[ledger]\nshare_retention_days = 1')
        with Finder(pool, node) as miner:
            for _ in range(3):
                self.assertIs(miner.submit(miner.on_tip().find(USER, block=False))['result'], True)
                node.generate()
        self.assertEqual(pool.terminate(), 0)
        pool.faults.wall_offset = 10 * YEAR
        pool.start(env=pool.environment).wait_work()
        with Finder(pool, node) as miner:
            self.assertIs(miner.submit(miner.on_tip().find(USER, block=False))['result'], True)
        pool.wait_log('the clock', seconds=5)
        self.assertEqual(len(pool.lines('shares')), 4)


class Steady(Clock):
    def test_without_a_node_work_goes_on_two_minutes_then_miners_leave_one_by_one(self):
        node = self.make_node(bits='1f7fffff')
        pool = self.clocked_pool(node, workers=2)
        miners = [Finder(pool, node) for _ in range(6)]
        for miner in miners:
            self.addCleanup(miner.close)
        mark = pool.log_mark()
        node.stop()
        pool.wait_log('no node has given a template for 5 s', mark, 8)
        self.pass_time(pool, 105)
        for miner in miners:
            self.assertIs(miner.submit(miner.find(miner.user, block=False))['result'], True)
        self.assertNotIn('for 120 s', pool.log_text())
        self.pass_time(pool, 12, 3)
        pool.wait_log('no node has given a template for 120 s', mark, 3)
        pool.wait_log('sent to their next pool', mark)
        gone = []
        for miner in miners:
            with self.assertRaises(Closed):
                while True:
                    miner.read_message(5)
            self.assertNotIn('client.reconnect', [message['method'] for message in miner.messages])
            gone.append(time.monotonic())
        # Whoever comes is held, and has work as soon as there is some.
        with Miner(pool.address) as late:
            self.assertIs(late.hello(USER, wait_job=False)['result'], True)
            node.start()
            late.wait_job(10)
            pool.wait_log('templates are back', mark)
        with Finder(pool, node) as miner:
            wait_best(node, miner.on_tip().find_block())
        self.assertEqual(pool.terminate(), 0)

    def test_no_block_for_ninety_minutes_is_an_alarm_and_no_more(self):
        self.need_sim()
        node = self.make_node(network='signet', bits='207fffff')
        pool = self.clocked_pool(node, network='signet')
        with Miner(pool.address) as miner:
            miner.hello(PAYOUTS['signet'])
            self.pass_time(pool, 91 * 60, 300)
            told = pool.wait_log('no new block for 9. minutes; mining goes on .*')
            self.assertIn('at height 110', told.group(0))
            jobs = miner.jobs
            node.generate()
            pool.wait_log('there is a new block at last')
            miner.wait_job(5, after=jobs)
            node.rpc('sim_connections', 0)
            self.pass_time(pool, 40, 10)
            pool.wait_log('has no peers|not connected')

    def minute(self, pool):
        self.pass_time(pool, 61, 30)
        os.kill(pool.process.pid, signal.SIGHUP)  # wakes the thread that looks each minute

    @unittest.skipUnless(shutil.which('openssl'), 'needs the openssl program to make a certificate')
    def test_a_certificate_that_ends_is_told_and_sessions_stay(self):
        path = os.path.join(self.folder, 'tls')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                        '-days', '20', '-subj', '/CN=127.0.0.1', '-keyout', path + '.key', '-out', path + '.pem'],
                       check=True, capture_output=True)
        node = self.make_node(bits='1f7fffff')
        pool = self.clocked_pool(node, v1='tls_listen = ["127.0.0.1:0"]\ntls_certificate = "tls.pem"\ntls_key = "tls.key"')
        self.assertNotIn('certificate', pool.log_text())
        with Finder(pool, node) as miner:
            pool.faults.wall_offset = 15 * 24 * HOUR
            self.minute(pool)
            pool.wait_log('the TLS certificate expires in 4 days and 23 hours')
            pool.faults.wall_offset = 21 * 24 * HOUR
            self.minute(pool)
            pool.wait_log('error .*the TLS certificate expired 24 hours ago')
            self.assertIs(miner.on_tip().submit(miner.find(USER, block=False))['result'], True)

    @staticmethod
    def answer_to_hello(pool):
        """What the first message of a Noise handshake is answered with; any 64 bytes are a key."""
        address = re.search(r'stratum2\+tcp://127\.0\.0\.1:(\d+)/', pool.log_text())
        with socket.create_connection(('127.0.0.1', int(address.group(1))), 5) as miner:
            miner.settimeout(5)
            miner.sendall(b'~' * 64)
            answer = b''
            while len(answer) < 234 and (more := miner.recv(4096)):
                answer += more
            return answer

    def test_a_v2_certificate_that_ends_is_told_three_times_and_refused_on_its_last_day(self):
        def keygen(*arguments):
            subprocess.run([ADIT, 'keygen', *arguments], check=True, capture_output=True, cwd=self.folder)
        keygen('--out', 'authority.key')
        keygen('--out', 'static.key')
        keygen('--issue', '--authority', 'authority.key', '--static', 'static.key', '--out', 'static.cert', '--days', '20')
        node = self.make_node(bits='1f7fffff')
        pool = self.clocked_pool(node, extra='[stratum.v2]\nlisten = ["127.0.0.1:0"]\ncertificate_file = "static.cert"\n'
                                             'static_secret_file = "static.key"')
        self.assertNotIn('certificate', pool.log_text())
        self.assertEqual(len(self.answer_to_hello(pool)), 234)
        told = r'the Stratum V2 certificate ex.*'
        for day, times, words in ((7, 1, 'expires in 12 days and 23 hours'), (9, 1, ''), (15, 2, 'expires in 4 days'),
                                  (16, 2, ''), (19.5, 3, 'expires in 0 days and 11 hours'), (19.9, 3, ''),
                                  (21, 4, 'expired 24 hours ago: newcomers are turned away')):
            with self.subTest(day=day):
                pool.faults.wall_offset = int(day * 24 * HOUR)
                self.minute(pool)
                self.minute(pool)
                # A pool that was stopped for a moment looks a minute later.
                wait_until(lambda: len(re.findall(told, pool.log_text())) >= times or self.minute(pool), what='told')
                self.assertEqual(len(re.findall(told, pool.log_text())), times, pool.log_text())
                self.assertIn(words, re.findall(told, pool.log_text())[-1])
        self.assertNotIn('issued offline', pool.log_text())
        self.pass_time(pool, 11 * 60, 60)  # workers look every ten minutes
        node.generate()
        wait_until(lambda: self.answer_to_hello(pool) == b'', what='newcomers are turned away')
        pool.terminate()
        pool.faults.wall_offset = int(19.5 * 24 * HOUR)
        pool.start(wait=False, env=pool.environment)
        self.assertEqual(pool.process.process.wait(20), 1)
        self.assertRegex(pool.log_text(), 'static.cert: the certificate ends in 11 hours and 5. minutes: issue a new one')
        self.assertIn('adit run --short-certificate', pool.log_text())
        pool.start(arguments=['--short-certificate'], env=pool.environment).wait_work()
        pool.wait_log('the Stratum V2 certificate expires in 0 days and 11 hours')
        self.assertEqual(pool.terminate(), 0)


if __name__ == '__main__':
    unittest.main(verbosity=2)
