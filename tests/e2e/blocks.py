# SPDX-License-Identifier: MIT
"""What the tests of found blocks share: a miner on the newest tip, and what the pool and the node say of a block."""

import os
import re

from support import MINER_ADDRESS, wait_until
from v1_miner import Miner, swap_words

USER = MINER_ADDRESS + '.finder'


def tip_of(job):
    return swap_words(job.prevhash)[::-1].hex()


class Finder(Miner):
    """Finds a block whenever it is asked to. The bits of its node leave that to a few hundred hashes."""

    def __init__(self, pool, node, user=USER, agent='adit-test/1', address=None):
        super().__init__(address or pool.address)
        self.pool, self.node, self.user = pool, node, user
        self.hello(user, agent=agent)

    def on_tip(self, seconds=10):
        """Waits until the job in hand builds on the node's tip."""
        wanted = self.node.rpc('getbestblockhash')
        while tip_of(self.job) != wanted:
            self.wait_job(seconds, after=self.jobs)
        return self

    def on_full_work(self, seconds=10):
        """Waits until the job in hand has transactions, too."""
        self.on_tip(seconds)
        while not self.job.branch:
            self.wait_job(seconds, after=self.jobs)
        return self

    def refused_block(self, seconds=5):
        """A block that the node was told to refuse. That revokes full work; returns when there is some again."""
        jobs = self.on_full_work().jobs
        digest = self.find_block()
        wait_state(self.pool, digest, 'refused')
        self.wait_job(seconds, after=jobs, clean=True)
        self.on_full_work()
        return digest

    def find_block(self, reply=True):
        """Submits a block; returns its hash, once the pool has said `reply`."""
        params = self.find(self.user, block=True)
        digest = self.share_hash(params)  # the next job may come with the reply
        answer = self.submit(params)
        if answer['result'] is not reply:
            raise AssertionError(f'a block was answered {answer}')
        return digest


def block_row(pool, digest):
    rows = [row for row in pool.lines('blocks') if row['hash'] == digest]
    if len(rows) > 1:
        raise AssertionError(f'one block, several rows: {rows}')
    return rows[0] if rows else None


def wait_state(pool, digest, state, seconds=15):
    def reached():
        row = block_row(pool, digest)
        return row if row and row['state'] == state else None
    try:
        return wait_until(reached, seconds, f'block {state}', every=0.1)
    except AssertionError as error:
        raise AssertionError(f'{error}; it is {block_row(pool, digest)}; log:\n{pool.log_text()[-3000:]}') from None


def states_told(pool, digest):
    """The states of a block in the order of the pool's log since its start."""
    return re.findall(rf'block: height \d+ {digest}: (\w+)', pool.log_text())


def vault_files(pool, done=False):
    folder = os.path.join(pool.data, 'blocks', 'done' if done else '')
    return [name for name in os.listdir(folder) if name.endswith('.blk')] if os.path.isdir(folder) else []


def wait_kept(pool, digest, seconds=10):
    wait_until(lambda: any(digest in name for name in vault_files(pool)), seconds, 'the block is in the vault')


def submissions(node, digest):
    """How often the node was sent a block, as far as it tells."""
    if not node.simulated:
        return []
    return [entry for entry in node.rpc('sim_stats')['submitted'] if entry['hash'] == digest]


def wait_best(node, digest, seconds=15):
    wait_until(lambda: node.rpc('getbestblockhash') == digest, seconds, 'the node connects the block')
