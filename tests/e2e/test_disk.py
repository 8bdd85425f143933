# SPDX-License-Identifier: MIT
"""A full disk: shares are refused, none is acknowledged that is not booked, and the pool goes on by itself when there is room.
Blocks are kept all the same, several in a row.

Needs the right to mount a tmpfs; skips with the reason otherwise."""

import os
import re
import signal
import subprocess
import unittest

from blocks import USER, Finder, block_row, submissions, vault_files, wait_best
from support import PoolTest, wait_until

SIZE = 96     # MiB
RESERVES = 3  # of 4 MiB: an eighth of it


class FullDisk(PoolTest):
    def setUp(self):
        super().setUp()
        self.disk = os.path.join(self.folder, 'disk')
        os.mkdir(self.disk)
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SIZE}m', 'adit-test', self.disk],
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest('cannot mount a tmpfs: ' + done.stderr.strip())
        self.addCleanup(subprocess.run, ['umount', '-l', self.disk])
        self.node = self.make_node(bits='1f7fffff')

    def fill(self):
        with open(os.path.join(self.disk, 'filler'), 'ab', buffering=0) as filler:
            piece = bytes(1 << 16)
            try:
                while True:
                    filler.write(piece)
            except OSError:
                pass

    def free(self):
        os.remove(os.path.join(self.disk, 'filler'))

    def share(self, miner):
        """One share; its hash if it was acknowledged, None if it was refused with error 20."""
        params = miner.find(USER, block=False)
        digest = miner.share_hash(params)
        reply = miner.submit(params)
        if reply['result'] is True:
            return digest
        self.assertEqual(reply['error'][0], 20, reply)
        return None

    def pool_on_disk(self):
        pool = self.make_pool(self.node, start=False)
        pool.data = os.path.join(self.disk, 'data')
        with open(pool.config) as file:
            text = file.read()
        with open(pool.config, 'w') as file:
            file.write(text.replace(f'{pool.name}-data', 'disk/data'))
        return pool.start().wait_work()

    def test_refused_while_full_and_resumed_by_itself(self):
        pool = self.pool_on_disk()
        acknowledged = []
        with Finder(pool, self.node) as miner:
            for _ in range(3):
                for _ in range(50):
                    digest = self.share(miner)
                    self.assertIsNotNone(digest)
                    acknowledged.append(digest)
                self.fill()

                def refused():
                    digest = self.share(miner)
                    acknowledged.extend([digest] if digest else [])
                    return digest is None
                wait_until(refused, 5, 'shares are refused')
                for _ in range(20):
                    self.assertIsNone(self.share(miner))
                # A block needs no room: it goes to the node all the same.
                params = miner.find(USER, block=True)
                digest = miner.share_hash(params)
                miner.submit(params)
                wait_best(self.node, digest, 5)
                self.free()
                miner.on_tip()

                def booked():
                    digest = self.share(miner)
                    acknowledged.extend([digest] if digest else [])
                    return digest
                wait_until(booked, 10, 'shares are booked again')
        rows = [row['hash'] for row in pool.lines('shares')]
        self.assertEqual(len(rows), len(set(rows)))
        self.assertEqual(set(acknowledged) - set(rows), set())
        self.assertIn('every chain value', pool.command('ledger', 'verify').stdout)
        self.assertEqual(pool.terminate(), 0)

    def reserves(self, pool):
        return len([name for name in os.listdir(os.path.join(pool.data, 'blocks')) if name.startswith('.reserve-')])

    def test_blocks_in_a_row_are_kept_on_a_full_disk(self):
        """As many as there are reserves; they go to the node after a restart, and the reserves come back."""
        pool = self.pool_on_disk()
        self.assertEqual(self.reserves(pool), RESERVES)
        digests = []
        with Finder(pool, self.node) as miner:
            miner.on_tip()
            os.kill(self.node.process.pid, signal.SIGSTOP)  # blocks have nowhere to go
            try:
                # Now and then the pool frees a page, and a block needs no reserve: some more than there are.
                for _ in range(4 * RESERVES):
                    self.fill()  # also what the reserve before did not need
                    params = miner.find(USER, block=True)
                    digests.append(miner.share_hash(params))
                    self.fill()
                    miner.submit(params)
                    lost = f'{digests[-1]}: not kept on disk: .*no reserve is left'
                    wait_until(lambda: any(digests[-1] in name for name in vault_files(pool))
                               or re.search(lost, pool.log_text()), what='the block is kept or told as not kept')
                    if re.search(lost, pool.log_text()):
                        break
                else:
                    self.fail('the disk was never full')
                self.assertGreater(len(digests), RESERVES)
                self.assertEqual(self.reserves(pool), 0)
                self.assertEqual(pool.log_text().count('using a reserve'), RESERVES + 1)
                self.assertFalse([name for name in vault_files(pool) if digests[-1] in name])
                self.free()
                wait_until(lambda: self.reserves(pool) == RESERVES, 30, 'the reserves are made again')
                pool.wait_log(f'{RESERVES} found blocks would fit onto a full disk again')
                pool.kill()
            finally:
                os.kill(self.node.process.pid, signal.SIGCONT)
        pool.start().wait_work()
        for digest in digests[:-1]:
            wait_until(lambda: block_row(pool, digest) and block_row(pool, digest)['state'] in ('accepted', 'side'),
                       what='each kept block is submitted')
        if self.node.simulated:
            for digest in digests[:-1]:
                self.assertTrue(submissions(self.node, digest))
        self.assertIn('every chain value', pool.command('ledger', 'verify').stdout)


if __name__ == '__main__':
    unittest.main(verbosity=2)
