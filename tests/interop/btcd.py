# SPDX-License-Identifier: MIT
"""btcd as a node: built by the Go toolchain from its module, run on regtest, ended by its id."""

import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))

from go_tool import find_go  # noqa: E402
from support import Process, Rpc, RpcError, wait_until  # noqa: E402

MODULE = 'github.com/btcsuite/btcd'
VERSION = 'v0.26.2'


def build(folder):
    """The path of btcd's program, built once per folder; None with a printed reason where there is no Go."""
    program = os.path.join(folder, 'btcd')
    if os.path.exists(program):
        return program
    os.makedirs(folder, exist_ok=True)
    go = find_go(os.path.abspath(folder))
    if go is None:
        print('SKIP: no `go` on this machine; tools/setup --interop installs it')
        return None
    env = {**os.environ, 'GOBIN': os.path.abspath(folder), 'GOTOOLCHAIN': 'local'}
    env.pop('GOROOT', None)  # of another Go
    done = subprocess.run([go, 'install', f'{MODULE}@{VERSION}'], env=env, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError('go install btcd: ' + done.stderr[-2000:])
    return program


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Btcd:
    simulated = False

    def __init__(self, program, folder, payout, name='btcd', peers=()):
        self.program, self.folder, self.payout, self.name = program, folder, payout, name
        self.peers = peers
        self.port, self.listens = free_port(), free_port()
        self.process = None

    def start(self):
        data = os.path.join(self.folder, self.name)
        os.makedirs(data, exist_ok=True)
        config = os.path.join(data, 'btcd.conf')
        with open(config, 'w') as empty:
            empty.write('[Application Options]\n')
        self.process = Process(
            [self.program, '--regtest', '--notls', '--rpcuser=adit', '--rpcpass=interop', f'--configfile={config}',
             f'--rpclisten=127.0.0.1:{self.port}', f'--listen=127.0.0.1:{self.listens}', f'--datadir={data}/data',
             f'--logdir={data}/log', f'--miningaddr={self.payout}', '--nodnsseed', '--trickleinterval=100ms',
             *[f'--addpeer=127.0.0.1:{peer.listens}' for peer in self.peers]],
            os.path.join(self.folder, self.name + '.log'))
        self.rpc = Rpc(f'http://127.0.0.1:{self.port}', 'adit:interop')
        wait_until(self.answers, 30, 'btcd answers')
        return self

    def answers(self):
        if not self.process.alive():
            raise AssertionError('btcd ended: ' + self.process.text())
        try:
            return self.rpc('getblockcount') is not None
        except (OSError, RpcError):
            time.sleep(0.1)
            return False

    def section(self, zmq=True):
        del zmq  # btcd has none: long poll and the 1 s poll must do
        return f'[[node]]\nrpc = "http://127.0.0.1:{self.port}"\nuser = "adit"\npassword = "interop"\n'

    def generate(self, count=1):
        return self.rpc('generate', count, timeout=60)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process = None
