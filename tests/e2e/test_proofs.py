# SPDX-License-Identifier: MIT
"""Inclusion proofs from the command line, checked by `adit` and by thirty lines that share no code with it."""

import hashlib
import json
import os
import subprocess
import unittest
import urllib.error
import urllib.request

from blocks import Finder, wait_state
from support import ADIT, MINER_ADDRESS, OTHER_ADDRESS, PoolTest, wait_until


def adit(*arguments):
    return subprocess.run([ADIT, *arguments], capture_output=True, text=True, timeout=60)


def sha256(data):
    return hashlib.sha256(data).digest()


def leads_to(proof):
    """The root and the slice's hash that a proof leads to, as docs/ledger.md says."""
    record, header = bytes.fromhex(proof['record']), bytes.fromhex(proof['header'])
    node = sha256(bytes.fromhex(proof['chain_before']) + record)
    for step in filter(None, proof['path'].split(',')):
        sibling = bytes.fromhex(step[1:])
        node = sha256(b'\1' + (sibling + node if step[0] == 'L' else node + sibling))
    assert header[144:176] == node
    return node.hex(), sha256(header + bytes.fromhex(proof['entries_hash'])).hex()


class Published(PoolTest):
    """What the HTTP interface says of slices is what the books say, and each names the one before."""

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def test_roots_are_published_and_chained(self):
        node = self.make_node(bits='1f7fffff')
        pool = self.make_pool(node, extra='[api]\nlisten = "127.0.0.1:0"')
        self.url = 'http://' + pool.wait_log(r'api: HTTP on (\S+)').group(1)
        self.assertEqual(self.get('/api/v1/slices'), (200, {'slices': []}))
        with Finder(pool, node, MINER_ADDRESS) as miner:
            for _ in range(3):
                self.assertIs(miner.on_tip().submit(miner.find(MINER_ADDRESS, block=False))['result'], True)
                wait_state(pool, miner.on_tip().find_block(), 'accepted')
        rows = pool.lines('slices')
        self.assertGreaterEqual(len(rows), 3)
        told = wait_until(lambda: (lambda answer: answer if len(answer) == len(rows) else None)(
            self.get('/api/v1/slices')[1]['slices']), 5, 'all slices are published')
        self.assertEqual([(one['number'], one['root'], one['hash'], one.get('block', '')) for one in told],
                         [(row['number'], row['root'], row['hash'], row['block']) for row in rows])
        for before, after in zip(told, told[1:]):
            self.assertEqual(after['previous'], before['hash'])
        proof = json.loads(pool.command('ledger', 'proof', '--share', '1').stdout)
        self.assertEqual(leads_to(proof), (told[0]['root'], told[0]['hash']))
        self.assertEqual(self.get('/api/v1/slices/1'), (200, told[0]))
        self.assertEqual(self.get('/api/v1/slices/99')[0], 404)
        self.assertEqual(pool.terminate(), 0)


class Proofs(PoolTest):
    def setUp(self):
        super().setUp()
        self.node = self.make_node(bits='1f7fffff')
        self.pool = self.make_pool(self.node, workers=2)

    def mine(self, user, count):
        """Shares, then a block, whose slice ends with it."""
        with Finder(self.pool, self.node, user) as miner:
            miner.on_tip()
            for _ in range(count):
                self.assertIs(miner.submit(miner.find(user, block=False))['result'], True)
            block = miner.on_tip().find_block()
        wait_state(self.pool, block, 'accepted')
        return block

    def prove(self, sequence, check=True):
        return self.pool.command('ledger', 'proof', '--share', str(sequence), check=check)

    def check(self, text, *arguments):
        path = os.path.join(self.folder, 'proof.json')
        with open(path, 'w') as file:
            file.write(text)
        return adit('ledger', 'check-proof', path, *arguments)

    def test_a_miner_checks_his_shares(self):
        blocks = [self.mine(MINER_ADDRESS + '.a', 5), self.mine(OTHER_ADDRESS, 2)]
        with Finder(self.pool, self.node, MINER_ADDRESS) as miner:
            miner.on_tip()
            self.assertIs(miner.submit(miner.find(MINER_ADDRESS, block=False))['result'], True)
        slices = self.pool.lines('slices')
        shares = self.pool.lines('shares')
        self.assertEqual([row['number'] for row in slices], list(range(1, len(slices) + 1)))
        self.assertEqual([row['block'] for row in slices if row['block']], blocks)
        for row in slices:
            inside = [share for share in shares if row['first'] <= share['sequence'] <= row['last']]
            self.assertEqual(int(row['work']), sum(int(share['work']) for share in inside))
            self.assertEqual(row['accounts'], len({share['account'] for share in inside}))
            for share in inside:
                text = self.prove(share['sequence']).stdout
                self.assertEqual(text.count('\n'), 1)
                proof = json.loads(text)
                self.assertEqual((proof['sequence'], proof['address'], proof['slice']),
                                 (share['sequence'], share['account'], row['number']))
                self.assertEqual(leads_to(proof), (row['root'], row['hash']))
                for arguments in ([], ['--root', row['root']], ['-c', self.pool.config],
                                  ['--root', row['root'], '-c', self.pool.config]):
                    done = self.check(text, *arguments)
                    self.assertEqual((done.returncode, done.stderr), (0, ''))
                    self.assertIn(row['root'], done.stdout)
                    self.assertIn(share['hash'], done.stdout)
        limited = self.pool.lines('slices', '--from', '2', '--limit', '1')
        self.assertEqual(limited, slices[1:2])
        open_share = slices[-1]['last'] + 1
        self.assertEqual(open_share, len(shares))
        for sequence, why in ((open_share, 'still open'), (open_share + 1, 'does not exist')):
            done = self.prove(sequence, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ''))
            self.assertIn(why, done.stderr)
        verified = self.pool.command('ledger', 'verify').stdout
        self.assertIn(f'slice and balance is right ({len(slices)} slices)', verified)

    def test_what_is_wrong_is_refused(self):
        self.mine(MINER_ADDRESS + '.a', 6)
        text = self.prove(3).stdout
        proof, other = json.loads(text), json.loads(self.prove(4).stdout)

        def refused(done, why):
            self.assertEqual((done.returncode, done.stdout), (1, ''))
            self.assertIn(why, done.stderr)
            self.assertEqual(done.stderr.count('\n'), 1)

        def changed(**fields):
            return json.dumps({**proof, **fields}, separators=(',', ':'))
        self.assertEqual(self.check(changed()).returncode, 0)
        refused(self.check(changed(record=other['record'])), 'of share 4')
        refused(self.check(changed(chain_before=other['chain_before'])), 'leads to root')
        refused(self.check(changed(path=other['path'])), 'path')
        refused(self.check(changed(slice=2)), 'slice')
        refused(self.check(text, '--root', '00' * 32), 'not to ' + '00' * 32)
        refused(self.check(text, '--root', 'zz'), '64 hex digits')
        refused(self.check(''), 'JSON')
        refused(self.check('x' * 100_000), 'longer')
        refused(adit('ledger', 'check-proof', os.path.join(self.folder, 'none')), 'cannot be read')
        # A slice of its own making holds in itself, but not against the books.
        header = bytearray.fromhex(proof['header'])
        header[40] ^= 1  # when it closed
        forged = changed(header=header.hex(), slice_hash=sha256(header + bytes.fromhex(proof['entries_hash'])).hex())
        self.assertEqual(self.check(forged).returncode, 0)
        refused(self.check(forged, '-c', self.pool.config), 'the books have hash')


if __name__ == '__main__':
    unittest.main(verbosity=2)
