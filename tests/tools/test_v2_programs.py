#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cpu-miner and stratum-load over Stratum V2, against a pool with a simulated node."""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ADIT, MINER, LOAD, SIM_NODE = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:5])
ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
USER = ['--user', f'{ADDRESS}.worker']
START_SECONDS = 60
CONFIG = '''
data_dir = "data"
workers = 1
[pool]
name = "test"
network = "regtest"
payout_address = "{address}"
[[node]]
rpc = "http://127.0.0.1:{rpc_port}"
user = "u"
password = "p"
zmq_hashblock = "tcp://127.0.0.1:{zmq_port}"
[stratum.v1]
listen = []
[stratum.v2]
listen = ["127.0.0.1:{port}"]
authority_secret_file = "authority.key"
[vardiff]
start = 1e-9
minimum = 1e-10
maximum = 1e-9
'''


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=60, check=False)


def wait_until(ready, child, what):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and child.poll() is None:
        if got := ready():
            return got
        time.sleep(0.05)
    raise RuntimeError(f'{what} did not start')


class V2(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        folder = pathlib.Path(temporary.name)
        ready = folder / 'ready'
        node = cls.start(folder / 'node.log', SIM_NODE, '--bits', '1d00ffff', '--tx-count', '5',
                         '--user', 'u', '--password', 'p', '--ready-file', ready,
                         '--exit-with-parent', '--quiet')
        ports = json.loads(wait_until(lambda: ready.exists() and ready.read_text(), node,
                                      'sim-node'))
        made = run(ADIT, 'keygen', '--out', folder / 'authority.key')
        assert made.returncode == 0, made.stderr
        cls.key = (folder / 'authority.key.pub').read_text().strip()
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        (folder / 'adit.toml').write_text(CONFIG.format(
            address=ADDRESS, port=port, rpc_port=ports['rpc_port'], zmq_port=ports['zmq_port']))
        cls.place = f'stratum2+tcp://127.0.0.1:{port}'
        cls.trigger = ['--trigger-rpc', f'http://u:p@127.0.0.1:{ports["rpc_port"]}', 'sim_generate']
        cls.pool = cls.start(folder / 'adit.log', ADIT, 'run', '-c', folder / 'adit.toml')
        wait_until(lambda: run(LOAD, 'connect', '--url', cls.place, *USER, '--connections', 1,
                               '--seconds', 2).returncode == 0, cls.pool, 'adit')

    @classmethod
    def start(cls, log, *command):
        with open(log, 'wb') as out:
            child = subprocess.Popen([str(word) for word in command], stdout=out,
                                     stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        cls.addClassCleanup(lambda: (child.terminate(), child.wait()))
        return child

    def load(self, scenario, channel, *more):
        done = run(LOAD, scenario, '--url', self.place, '--channel', channel, *USER, '--pid',
                   self.pool.pid, '--json', *more)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_miners_of_both_kinds_trust_the_key_of_the_url(self):
        for channel in ('standard', 'extended'):
            with self.subTest(channel):
                done = run(MINER, '--url', f'{self.place}/{self.key}', '--channel', channel, *USER,
                           '--limit-mhs', 0.0005, '--seconds', 2)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertRegex(done.stdout, r'[1-9]\d* shares accepted, 0 rejected')
                self.assertNotIn('cannot use', done.stdout)
                self.assertNotIn('out of order', done.stdout)

    def test_another_key_is_not_trusted(self):
        demo = '9auqWEzQDVyd2oe1JVGFLMLHZtCo2FFqZwtKA5gd9xbuEu7PH72'
        done = run(MINER, '--url', f'{self.place}/{demo}', *USER, '--seconds', 1)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn('certificate', done.stdout)
        self.assertIn('0 shares accepted', done.stdout)

    def test_the_pool_says_why_it_refuses(self):
        done = run(MINER, '--url', self.place, '--user', 'no address', '--seconds', 1)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn('the pool refuses no address: ', done.stdout)

    def test_submit(self):
        for channel in ('standard', 'extended'):
            with self.subTest(channel):
                figures = self.load('submit', channel, '--connections', 5, '--shares', 2000)
                self.assertGreaterEqual(figures['accepted'], 2000)
                self.assertEqual(figures['rejected'] + figures['out_of_order'] +
                                 figures['unanswered'] + figures['lost'], 0)

    def test_fan_out_and_idle(self):
        for channel in ('standard', 'extended'):
            with self.subTest(channel):
                figures = self.load('fan-out', channel, '--connections', 20, '--jobs', 1,
                                    *self.trigger)
                self.assertGreater(figures['spread_us'], 0)
                figures = self.load('idle', channel, '--connections', 20, '--jobs', 1,
                                    *self.trigger)
                self.assertEqual(figures['lost'], 0)

    def test_handshake_and_connect(self):
        for scenario in ('handshake', 'connect'):
            with self.subTest(scenario):
                figures = self.load(scenario, 'standard', '--connections', 50)
                self.assertEqual((figures['connections'], figures['lost']), (50, 0))

    def test_wrong_command_lines(self):
        self.assertEqual(run(MINER, *USER, '--url', f'{self.place}/{self.key}x').returncode, 2)
        self.assertEqual(run(MINER, *USER, '--url', self.place, '--channel', 'x').returncode, 2)
        self.assertEqual(run(LOAD, 'handshake', *USER, '--url', '127.0.0.1:1').returncode, 2)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
