# SPDX-License-Identifier: MIT
"""A real bitcoind in the place of sim-node, when ADIT_TEST_BITCOIND names its executable. It listens on 127.0.0.1 only and
looks for no peers."""

import os
import socket

from support import POOL_ADDRESS, Process, Rpc, RpcError, wait_until

FOLDERS = {'main': '', 'test': 'testnet3'}


def free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


class RealBitcoind:
    """What SimNode can do without a sim_ method. Options of SimNode that a real node cannot have are ignored."""
    simulated = False

    def __init__(self, folder, binary, name='node', network='regtest', blocks=101, wallet=False, **_):
        self.folder, self.binary, self.name, self.network = folder, binary, name, network
        self.blocks, self.wallet, self.reorgs = blocks, wallet, 0
        self.data = os.path.join(folder, name)
        self.cookie = os.path.join(self.data, FOLDERS.get(network, network), '.cookie')
        self.port, self.zmq_port, self.peer_port = free_port(), free_port(), free_port()
        self.process = None

    def start(self):
        os.makedirs(self.data, exist_ok=True)
        self.process = Process([self.binary, f'-chain={self.network}', f'-datadir={self.data}', '-server',
                                f'-rpcport={self.port}', '-rpcbind=127.0.0.1', '-rpcallowip=127.0.0.1', '-listen=1',
                                f'-bind=127.0.0.1:{self.peer_port}', '-listenonion=0', '-connect=0', '-dnsseed=0',
                                '-fixedseeds=0', '-discover=0', '-fallbackfee=0.0001', '-dbcache=8',
                                f'-disablewallet={int(not self.wallet)}', '-printtoconsole=0',
                                f'-zmqpubhashblock=tcp://127.0.0.1:{self.zmq_port}'],
                               os.path.join(self.folder, self.name + '.log'))
        wait_until(self.answers, 60, 'bitcoind answers', every=0.1)
        if self.wallet:
            self.open_wallet()
        if self.network == 'regtest' and self.rpc('getblockcount') == 0:
            self.generate(self.blocks)
        return self

    def answers(self):
        if not self.process.alive():
            raise AssertionError('bitcoind ended:\n' + self.process.text())
        try:
            with open(self.cookie) as cookie:
                self.rpc = Rpc(f'http://127.0.0.1:{self.port}', cookie.read().strip())
            return self.rpc('getblockcount') is not None
        except (OSError, RpcError):
            return False

    def open_wallet(self):
        if not self.rpc('listwallets'):
            known = [wallet['name'] for wallet in self.rpc('listwalletdir')['wallets']]
            self.rpc('loadwallet' if 'e2e' in known else 'createwallet', 'e2e')

    def section(self, zmq=True):
        text = f'[[node]]\nrpc = "http://127.0.0.1:{self.port}"\ncookie_file = "{self.cookie}"\n'
        return text + (f'zmq_hashblock = "tcp://127.0.0.1:{self.zmq_port}"\n' if zmq else '')

    def generate(self, count=1):
        return self.rpc('generatetoaddress', count, POOL_ADDRESS) if count else []

    def reorg(self, depth=1, extra=1):
        """Replaces the last `depth` blocks by `depth + extra` others; returns those."""
        first = self.rpc('getblockhash', self.rpc('getblockcount') - depth + 1)
        self.rpc('invalidateblock', first)
        self.reorgs += 1  # another script each time, or they might be the same blocks as before
        made = self.rpc('generatetodescriptor', depth + extra, f'raw(6a04{self.reorgs:08x})')
        self.rpc('reconsiderblock', first)
        return made

    def connect(self, other):
        """As peers, until one of the two ends."""
        self.rpc('addnode', f'127.0.0.1:{other.peer_port}', 'onetry')
        wait_until(lambda: self.rpc('getconnectioncount') and other.rpc('getconnectioncount'), 20, 'the nodes are connected')

    def stop(self):
        if self.process:
            self.process.terminate(30)
            self.process = None
