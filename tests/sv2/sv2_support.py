# SPDX-License-Identifier: MIT
"""Starts the real pool with a Stratum V2 port and a known authority, for the end-to-end tests of this folder."""

import hashlib
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'e2e'))

import noise  # noqa: E402
import secp  # noqa: E402
from client import Miner  # noqa: E402
from support import MINER_ADDRESS, OTHER_ADDRESS, Pool, PoolTest, SimNode, wait_until  # noqa: E402

__all__ = ['AUTHORITY', 'BITS', 'DIFFICULTY_ONE', 'LONG', 'MINER_ADDRESS', 'NETWORK_TARGET', 'OTHER_ADDRESS', 'SimNode', 'Sv2Pool',
           'Sv2Test', 'VARDIFF', 'descriptors', 'memory_kib', 'wait_until']

LONG = bool(os.environ.get('ADIT_LONG'))  # tools/test --long
AUTHORITY_SECRET = hashlib.sha256(b'adit e2e authority').digest()
AUTHORITY = secp.public_x(AUTHORITY_SECRET)
# The pools of other suites keep their heap in huge pages, which count whole when a byte of them is used: nothing to measure by.
SMALL_PAGES = 'thp:default,dirty_decay_ms:10000'
BITS = '1f7fffff'                   # a block in 512 hashes
NETWORK_TARGET = 0x7fffff << 224
DIFFICULTY_ONE = 0xFFFF << 208
# One hash in four or so is a share, so that one can fail, too; it never changes by itself.
VARDIFF = 'start = 1e-9\nminimum = 1e-9\nmaximum = 1e-9\n'


class Sv2Pool(Pool):
    """A pool with V2 beside V1. v2: lines for its section; auto: that for one port of both."""

    def __init__(self, folder, nodes, v2='', auto=False, vardiff=VARDIFF, extra='', listen='127.0.0.1:0', **options):
        key = os.path.join(folder, 'authority.key')
        if not os.path.exists(key):
            with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), 'w') as file:
                file.write(noise.base58check_encode(AUTHORITY_SECRET) + '\n')
        self.auto = auto
        section = f'[stratum.v2]\nlisten = ["{listen}"]\nauthority_secret_file = "{key}"\n{v2}\n'
        if auto:
            section += '[stratum.auto]\nlisten = ["127.0.0.1:0"]\n'
        super().__init__(folder, nodes, vardiff=vardiff, extra=section + extra, **options)

    def start(self, wait=True, **kwargs):
        kwargs.setdefault('env', {**os.environ, 'MALLOC_CONF': SMALL_PAGES})
        super().start(wait, **kwargs)
        if wait:
            self.v2_address = self.wait_log(r'V2 on (\S+)').group(1).rstrip(',;')
        return self

    def miner(self, authority=AUTHORITY, setup=True, flags=0, **options):
        """A connection, set up."""
        miner = Miner(self.v2_address, authority, **options)
        if setup:
            answer = miner.setup(flags)
            if answer.name != 'SetupConnection.Success':
                raise AssertionError(f'the pool answers {answer}')
        return miner


def memory_kib(pid):
    """Resident memory of a process; 0 under a sanitizer, which keeps what was freed."""
    if os.environ.get('ADIT_SANITIZED'):
        return 0
    with open(f'/proc/{pid}/status') as status:
        return int(re.search(r'VmRSS:\s+(\d+)', status.read()).group(1))


def descriptors(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


class Sv2Test(PoolTest):
    def make_sv2(self, node, start=True, **options):
        pool = Sv2Pool(self.folder, node if isinstance(node, list) else [node], **options)
        self.addCleanup(lambda: pool.process and pool.process.alive() and pool.kill())
        if start:
            pool.start().wait_work()
        return pool

    def connect(self, pool, **options):
        miner = pool.miner(**options)
        self.addCleanup(miner.close)
        return miner

    def start_all(self, **options):
        """Node, pool: the usual beginning. Without the ZMQ hint the pool asks by long poll from the start, and hears of
        new transactions at once."""
        self.node = self.make_node(bits=BITS, longpoll_tx_seconds=1)
        self.pool = self.make_sv2(self.node, zmq=False, **options)
        return self.pool

    def same_tip(self, miner, *channels, seconds=10):
        """Waits until every channel mines on the node's tip."""
        wanted = bytes.fromhex(self.node.rpc('getbestblockhash'))[::-1]
        for channel in channels:
            miner.wait(lambda: channel.prev_hash == wanted, seconds, "work on the node's tip")

    def mine(self, miner, channel, count=1, block=False):
        """Accepted shares; returns them."""
        shares = []
        for _ in range(count):
            shares.append(channel.find(block=block))
            self.assertEqual(miner.judge(shares[-1]), 'accepted')
        return shares

    def booked(self, pool=None):
        """Hash -> row of every share in the books."""
        rows = (pool or self.pool).lines('shares')
        found = {row['hash']: row for row in rows}
        self.assertEqual(len(found), len(rows), 'no hash twice')
        return found
