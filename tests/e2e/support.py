# SPDX-License-Identifier: MIT
"""Starts the real binaries for end-to-end tests: a node, pools, and what they leave on disk.

Every process is ended by its id, every wait is bounded, everything listens on 127.0.0.1."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ADIT = os.path.abspath(os.environ.get('ADIT_BINARY', os.path.join(ROOT, 'build', 'adit')))
REAL_NODE = os.environ.get('ADIT_TEST_BITCOIND', '')
SIM_NODE = os.path.join(ROOT, 'tools', 'sim-node')

POOL_ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
PAYOUTS = {'regtest': POOL_ADDRESS, 'main': 'bc1qvyq0cc6rahyvsazfdje0twl7ez82ndmuac2lhv',
           'signet': 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', 'testnet4': 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx'}
MINER_ADDRESS = 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry'
OTHER_ADDRESS = 'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn'


def wait_until(condition, seconds=15.0, what='condition', every=0.02):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f'{what}: not within {seconds} s')


class Process:
    def __init__(self, arguments, log_path, **kwargs):
        self.log_path = log_path
        with open(log_path, 'ab') as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **kwargs)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def text(self):
        with open(self.log_path, 'r', errors='replace') as log:
            return log.read()

    def kill(self):
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def terminate(self, seconds=20):
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f'did not end within {seconds} s of SIGTERM') from None
        return status


class RpcError(Exception):
    def __init__(self, code, message):
        super().__init__(f'{code}: {message}')
        self.code = code


class Rpc:
    """JSON-RPC to any node."""

    def __init__(self, url, user_password):
        self.url = url
        self.auth = 'Basic ' + base64.b64encode(user_password.encode()).decode()

    def __call__(self, method, *params, timeout=30):
        body = json.dumps({'jsonrpc': '1.0', 'id': 1, 'method': method, 'params': list(params)}).encode()
        request = urllib.request.Request(self.url, body, {'Authorization': self.auth, 'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                reply = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                reply = json.loads(text)
            except ValueError:
                raise RpcError(error.code, text.decode(errors='replace')) from None
        if reply.get('error'):
            raise RpcError(reply['error']['code'], reply['error']['message'])
        return reply['result']


class SimNode:
    """tools/sim-node; its sim_ methods order faults."""
    simulated = True

    def __init__(self, folder, name='node', **options):
        self.folder = folder
        self.ready = os.path.join(folder, name + '.ready')
        self.cookie = os.path.join(folder, name + '.cookie')
        self.name = name
        self.options = {'seed': 1, 'tx-count': 6, **{k.replace('_', '-'): v for k, v in options.items()}}
        for only_real in ('blocks', 'wallet'):
            self.options.pop(only_real, None)
        self.port = self.options.pop('port', 0)
        self.process = None

    def start(self):
        if os.path.exists(self.ready):
            os.remove(self.ready)
        arguments = [SIM_NODE, '--port', str(self.port), '--cookie', self.cookie, '--ready-file', self.ready,
                     '--exit-with-parent']
        for key, value in self.options.items():
            arguments += ['--' + key, str(value)]
        self.process = Process(arguments, os.path.join(self.folder, self.name + '.log'))
        wait_until(lambda: os.path.exists(self.ready) or not self.process.alive(), 30, 'sim-node ready')
        with open(self.ready) as ready:
            line = json.load(ready)
        self.port = line['rpc_port']
        self.zmq_port = line['zmq_port']
        with open(self.cookie) as cookie:
            self.rpc = Rpc(f'http://127.0.0.1:{self.port}', cookie.read().strip())
        return self

    def section(self, zmq=True):
        text = f'[[node]]\nrpc = "http://127.0.0.1:{self.port}"\ncookie_file = "{self.cookie}"\n'
        if zmq:
            text += f'zmq_hashblock = "tcp://127.0.0.1:{self.zmq_port}"\n'
        return text

    def generate(self, count=1):
        return self.rpc('sim_generate', count)

    def reorg(self, depth=1, extra=1):
        return self.rpc('sim_reorg', depth, extra)

    def peer_url(self):
        with open(self.cookie) as cookie:
            return f'http://{cookie.read().strip()}@127.0.0.1:{self.port}'

    def connect(self, other):
        """As peers, each telling the other; known again after a restart of `other`, but not of this one."""
        self.rpc('sim_peer', other.peer_url())
        other.rpc('sim_peer', self.peer_url())

    def stop(self):
        if self.process:
            self.process.kill()
            self.process = None


class Pool:
    def __init__(self, folder, nodes, name='pool', vardiff=None, extra='', v1='', pool='', zmq=True, workers=1,
                 network='regtest'):
        self.folder = folder
        self.name = name
        self.data = os.path.join(folder, name + '-data')
        self.config = os.path.join(folder, name + '.toml')
        vardiff = vardiff or 'start = 1e-10\nminimum = 1e-10\nmaximum = 1e-10\n'
        with open(self.config, 'w') as config:
            config.write(f'data_dir = "{self.data}"\nworkers = {workers}\n[pool]\nname = "test"\n'
                         f'network = "{network}"\npayout_address = "{PAYOUTS[network]}"\naccept_names = false\n{pool}\n' +
                         ''.join(node.section(zmq) for node in nodes) +
                         f'[stratum.v1]\nlisten = ["127.0.0.1:0"]\n{v1}\n[vardiff]\n{vardiff}\n{extra}\n')
        self.process = None
        self.starts = 0

    def start(self, wait=True, arguments=(), **kwargs):
        self.starts += 1
        log = os.path.join(self.folder, f'{self.name}-{self.starts}.log')
        self.process = Process([ADIT, 'run', '-v', '-c', self.config, *arguments], log, **kwargs)
        if wait:
            wait_until(lambda: 'V1 on ' in self.process.text() or not self.process.alive(), 20, 'pool listens')
            if not self.process.alive():
                raise AssertionError('pool ended at start:\n' + self.process.text())
            self.address = re.search(r'V1 on (\S+)', self.process.text()).group(1)
        return self

    def wait_work(self, seconds=20):
        try:
            wait_until(lambda: re.search(r'job: height \d+: \d+ transactions', self.process.text()), seconds, 'first job')
        except AssertionError as error:
            raise AssertionError(f'{error}; the pool says:\n{self.process.text()[-3000:]}') from None
        return self

    def log_text(self):
        return self.process.text()

    def log_mark(self):
        return len(self.process.text())

    def wait_log(self, pattern, since=0, seconds=15):
        """Waits for a pattern in what the pool has logged after the mark; returns the match."""
        return wait_until(lambda: re.search(pattern, self.process.text()[since:]), seconds, f'log says {pattern}')

    def reload(self, text, answer):
        """Reads a new configuration; what the log says of it."""
        with open(self.config, 'w') as file:
            file.write(text)
        mark = self.log_mark()
        os.kill(self.process.pid, signal.SIGHUP)
        return self.wait_log(answer, mark).group(0)

    def kill(self):
        self.process.kill()

    def terminate(self, seconds=30):
        return self.process.terminate(seconds)

    def command(self, *arguments, check=True):
        done = subprocess.run([ADIT, *arguments, '-c', self.config], capture_output=True, text=True, timeout=60,
                              cwd=self.folder)  # some commands leave a file where they run
        if check and done.returncode != 0:
            raise AssertionError(f'adit {arguments}: {done.returncode}: {done.stderr}')
        return done

    def lines(self, what, *arguments):
        done = self.command('ledger', what, *arguments)
        return [json.loads(line) for line in done.stdout.splitlines()]


class PoolTest(unittest.TestCase):
    """A test with a folder of its own that is shown when it fails and removed when it passes."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='adit-e2e-')
        self.addCleanup(self.clean_folder)

    def clean_folder(self):
        failed = any(error for _, error in getattr(self._outcome, 'errors', [])) or getattr(
            getattr(self._outcome, 'result', None), '_mirrorOutput', False)
        if failed and os.environ.get('ADIT_KEEP'):
            print(f'kept: {self.folder}', file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def need_sim(self):
        """For tests that order a node to fail, or to have bits or a time that a real one has not."""
        if REAL_NODE:
            self.skipTest('this test needs a simulated node')

    def make_node(self, **options):
        if REAL_NODE:
            from real_node import RealBitcoind
            node = RealBitcoind(self.folder, REAL_NODE, **options).start()
        else:
            node = SimNode(self.folder, **options).start()
        self.addCleanup(node.stop)
        return node

    def make_pool(self, nodes, start=True, **options):
        pool = Pool(self.folder, nodes if isinstance(nodes, list) else [nodes], **options)
        self.addCleanup(lambda: pool.process and pool.process.alive() and pool.kill())
        if start:
            pool.start().wait_work()
        return pool
