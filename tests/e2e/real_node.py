# SPDX-License-Identifier: MIT
"""A real bitcoind on regtest in the place of sim-node, when ADIT_TEST_BITCOIND names its executable."""

import os
import socket

from support import POOL_ADDRESS, Process, Rpc, RpcError, wait_until


def free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


class RealBitcoind:
    """The part of SimNode that needs no sim_ method."""
    simulated = False

    def __init__(self, folder, binary, name='node'):
        self.folder, self.binary, self.name = folder, binary, name
        self.data = os.path.join(folder, name)
        self.cookie = os.path.join(self.data, 'regtest', '.cookie')
        self.port, self.zmq_port = free_port(), free_port()
        self.process = None

    def start(self):
        os.makedirs(self.data, exist_ok=True)
        self.process = Process([self.binary, '-regtest', f'-datadir={self.data}', '-server', f'-rpcport={self.port}',
                                '-rpcbind=127.0.0.1', '-rpcallowip=127.0.0.1', '-listen=0', '-connect=0', '-dnsseed=0',
                                '-disablewallet', '-printtoconsole=0', f'-zmqpubhashblock=tcp://127.0.0.1:{self.zmq_port}'],
                               os.path.join(self.folder, self.name + '.log'))

        def answers():
            if not self.process.alive():
                raise AssertionError('bitcoind ended:\n' + self.process.text())
            try:
                with open(self.cookie) as cookie:
                    self.rpc = Rpc(f'http://127.0.0.1:{self.port}', cookie.read().strip())
                return self.rpc('getblockcount') is not None
            except (OSError, RpcError):
                return False
        wait_until(answers, 60, 'bitcoind answers', every=0.1)
        if self.rpc('getblockcount') == 0:
            self.generate(101)
        return self

    def section(self, zmq=True):
        text = f'[[node]]\nrpc = "http://127.0.0.1:{self.port}"\ncookie_file = "{self.cookie}"\n'
        return text + (f'zmq_hashblock = "tcp://127.0.0.1:{self.zmq_port}"\n' if zmq else '')

    def generate(self, count=1):
        return self.rpc('generatetoaddress', count, POOL_ADDRESS)

    def stop(self):
        if self.process:
            self.process.terminate(30)
            self.process = None
