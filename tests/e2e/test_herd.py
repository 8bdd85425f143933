# SPDX-License-Identifier: MIT
"""Many at once: a crowd that comes in while others mine, a new job for all of it, a burst of shares after an outage.

ADIT_HERD is the size of the crowd (2500); 18000 needs as many open files on both sides."""

import json
import os
import subprocess
import threading
import time
import unittest

from blocks import USER, Finder
from faults import LIBRARY, Faults
from support import ADIT, PoolTest, wait_until

LOAD = os.path.join(os.path.dirname(ADIT), 'stratum-load')
HERD = int(os.environ.get('ADIT_HERD', '2500'))


@unittest.skipUnless(os.access(LOAD, os.X_OK), 'stratum-load is not built')
class Herd(PoolTest):
    def setUp(self):
        super().setUp()
        self.node = self.make_node(bits='1d00ffff')

    def load(self, pool, scenario, *arguments, seconds=60):
        done = subprocess.run([LOAD, scenario, '--url', pool.address, '--user', USER, '--seconds', str(seconds), '--json',
                               *map(str, arguments)], capture_output=True, text=True, timeout=seconds + 60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def herd_pool(self, **options):
        return self.make_pool(self.node, v1=f'max_connections = {3 * HERD + 100}\nnewcomers_per_source = 0', **options)

    def test_a_crowd_comes_in_and_nobody_is_lost(self):
        pool = self.herd_pool(workers=2)
        ending, failures, shares = threading.Event(), [], [0]

        def mine():
            with Finder(pool, self.node) as miner:
                while not ending.is_set():
                    reply = miner.submit(miner.find(USER, block=False), 20)
                    shares[0] += 1
                    if reply['result'] is not True:
                        failures.append(reply)
        established = threading.Thread(target=mine, daemon=True)
        established.start()
        try:
            report = self.load(pool, 'connect', '--connections', HERD, '--in-flight', min(HERD, 500))
        finally:
            ending.set()
            established.join(30)
        print(f'{HERD} came in: {report}')
        self.assertEqual((report['connections'], report['lost']), (HERD, 0))
        self.assertLess(report['first_job_max_us'], 30e6)
        self.assertFalse(established.is_alive())
        self.assertEqual(failures, [])
        self.assertGreater(shares[0], 10)

    def test_newcomers_are_let_in_at_the_rate_and_none_is_turned_away(self):
        pool = self.make_pool(self.node, v1='max_connections = 1000\naccepts_per_second = 100', workers=2)
        begin = time.monotonic()
        report = self.load(pool, 'connect', '--connections', 300, '--in-flight', 300)
        # A quarter of a second is given in advance. That it takes no longer is for tests/app/accept_gate_test.cpp.
        self.assertGreaterEqual(time.monotonic() - begin, 2.7)
        self.assertEqual((report['connections'], report['lost']), (300, 0))

    def test_a_new_job_reaches_all(self):
        """More than a worker sends at a time, so that the full job overtakes the empty one: it must be clean for the rest."""
        pool = self.herd_pool(workers=1)
        with open(self.node.cookie) as cookie:
            url = f'http://{cookie.read().strip()}@127.0.0.1:{self.node.port}'
        method = 'sim_generate'
        if not self.node.simulated:
            self.skipTest('stratum-load calls a method without parameters')
        report = self.load(pool, 'fan-out', '--connections', HERD, '--jobs', 3, '--trigger-rpc', url, method)
        print(f'a job for {HERD}: {report}')
        self.assertEqual(report.get('lost', 0), 0)

    @unittest.skipUnless(os.path.exists(LIBRARY), 'the library of faults is not built')
    def test_a_burst_after_an_outage_is_booked_whole(self):
        pool = self.make_pool(self.node, start=False, workers=2)
        faults = Faults(self.folder, pool.data)
        pool.start(env=faults.environment).wait_work()
        faults.sync_delay = 1500

        def mend():
            faults.sync_delay = 0
        timer = threading.Timer(3.5, mend)
        timer.start()
        report = self.load(pool, 'submit', '--connections', 40, '--in-flight', 200, '--shares', 12000)
        timer.join()
        print(f'a burst: {report}')
        accepted = report['accepted']
        self.assertGreaterEqual(accepted, 12000)
        done = pool.command('ledger', 'verify').stdout
        booked = int(done.split(' shares')[0].split()[-1])
        self.assertGreaterEqual(booked, accepted)
        self.assertIn('every chain value', done)
        with Finder(pool, self.node) as miner:
            wait_until(lambda: miner.submit(miner.find(USER, block=False))['result'] is True, 5, 'as before')


if __name__ == '__main__':
    unittest.main(verbosity=2)
