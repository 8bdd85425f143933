# SPDX-License-Identifier: MIT
"""The pool against the Stratum V2 reference implementation's crates: handshake, messages and channel state are SRI's,
and its verdict on every share must be the pool's. What it mined must be in the books and in the node's chain."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
import unittest

from sri import build_client
from support import ADIT, MINER_ADDRESS, Pool, SimNode, wait_until

CLIENT = build_client()
# A block in 512 hashes, a share in four or so; it gets harder for a miner that is quick, up to what a client may ask for.
BITS = '1f7fffff'
VARDIFF = 'start = 1e-9\nminimum = 1e-9\nmaximum = 2e-8\nshares_per_minute = 600\n'
MODE_SECONDS = 150


def keygen(*arguments):
    return subprocess.run([ADIT, 'keygen', *arguments], capture_output=True, text=True, check=True, timeout=30)


class SriTest(unittest.TestCase):
    """A node, a pool, and the client's modes; after each, what it said is compared with the books."""

    @classmethod
    def key_lines(cls, folder):
        """The pool's keys: an authority whose public key miners are told."""
        keygen('--out', folder + '/authority.key')
        return f'authority_secret_file = "{folder}/authority.key"\n'

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='adit-sri-')
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        keys = cls.key_lines(cls.folder)
        with open(cls.folder + '/authority.key.pub') as public:
            cls.authority = public.read().strip()
        cls.node = SimNode(cls.folder, bits=BITS).start()
        cls.addClassCleanup(cls.node.stop)
        cls.pool = Pool(cls.folder, [cls.node], vardiff=VARDIFF, extra=f'[stratum.v2]\nlisten = ["127.0.0.1:0"]\n{keys}')
        cls.addClassCleanup(lambda: cls.pool.process and cls.pool.kill())
        cls.pool.start().wait_work()
        cls.address = cls.pool.wait_log(r'V2 on ([^\s,;]+)').group(1)

    def obey(self, what):
        if what == 'tip':
            self.node.generate(1)
        elif what == 'transactions':
            self.node.rpc('sim_add_transactions', 3)
        else:
            self.fail(f'the client asks for {what}')

    def talk(self, client):
        """The client's lines, its wishes fulfilled."""
        said = []
        for line in client.stdout:
            said.append(json.loads(line))
            if said[-1]['event'] == 'please':
                self.obey(said[-1]['what'])
                client.stdin.write('done\n')
                client.stdin.flush()
        return said

    def run_mode(self, mode):
        arguments = [CLIENT, self.address, self.authority, MINER_ADDRESS, mode]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
            watch = threading.Timer(MODE_SECONDS, client.kill)
            watch.start()
            try:
                said = self.talk(client)
            finally:
                watch.cancel()
            status = client.wait(10)
        log = self.pool.log_text()[-1500:]
        self.assertEqual((status, said[-1]['event']), (0, 'passed'), f'{said[-3:]}\nthe pool says: {log}')
        self.assertTrue(self.pool.process.alive(), log)
        self.check_books(said)
        return said

    def check_books(self, said):
        """Every accepted share is booked, none that was refused."""
        rows = {row['hash']: row for row in self.pool.lines('shares')}
        accepted = {line['hash']: line for line in said if line['event'] == 'share' and line['verdict'] == 'accepted'}
        refused = {line['hash'] for line in said if line['event'] == 'share'} - set(accepted)
        self.assertEqual(set(accepted) - set(rows), set(), 'accepted, but not in the books')
        self.assertEqual(refused & set(rows), set(), 'refused, but in the books')
        for share_hash, line in accepted.items():
            row = rows[share_hash]
            self.assertEqual(row['account'], MINER_ADDRESS)
            self.assertEqual(row['block'], line.get('sri') == 'block')
            if 'worker' in line:
                self.assertEqual(row['worker'], line['worker'])
        for line in said:
            if line['event'] == 'block':
                self.check_block(line['hash'])

    def check_block(self, block_hash):
        self.assertEqual(self.node.rpc('getblock', block_hash)['confirmations'] > 0, True)
        wait_until(lambda: {'accepted'} & {row['state'] for row in self.pool.lines('blocks') if row['hash'] == block_hash},
                   15, f'block {block_hash} is accepted')


@unittest.skipUnless(CLIENT, 'no cargo that builds the reference implementation')
class Modes(SriTest):
    """Every mode of the client against one pool."""


def modes():
    lines = subprocess.run([CLIENT, 'modes'], capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()
    return [json.loads(line)['mode'] for line in lines]


def test_of(mode):
    def test(self):
        self.run_mode(mode)
    return test


for name in modes() if CLIENT else []:
    setattr(Modes, 'test_' + name.replace('-', '_'), test_of(name))


@unittest.skipUnless(CLIENT, 'no cargo that builds the reference implementation')
class SignedElsewhere(SriTest):
    """The authority's secret is not on the pool: it has a static key and a certificate."""

    @classmethod
    def key_lines(cls, folder):
        keygen('--out', folder + '/authority.key')
        keygen('--out', folder + '/static.key')
        keygen('--issue', '--authority', folder + '/authority.key', '--static', folder + '/static.key.pub', '--network',
               'regtest', '--out', folder + '/static.cert')
        os.remove(folder + '/authority.key')
        return f'certificate_file = "{folder}/static.cert"\nstatic_secret_file = "{folder}/static.key"\n'

    def test_certificate(self):
        self.run_mode('extended')
        self.run_mode('wrong-key')


if __name__ == '__main__':
    unittest.main()
