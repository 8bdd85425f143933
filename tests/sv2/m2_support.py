# SPDX-License-Identifier: MIT
"""What the malformed-input corpus of V2 (rows M2-01 to M2-78) shares: a pool for all rows of a class, and a miner beside
them that must notice nothing of any row.

Contexts of the rows: n TCP open; h hands shaken; s SetupConnection done; c standard channel C and extended channel E."""

import math
import shutil
import tempfile
import unittest

import frames
from client import Closed, Miner
from sv2_support import AUTHORITY, BITS, MINER_ADDRESS, VARDIFF, SimNode, Sv2Pool, wait_until

WORK = ('NewMiningJob', 'NewExtendedMiningJob', 'SetNewPrevHash', 'SetTarget')
EASIEST = (0xFFFF << 208) * 10**9
STRIKES = 100


class Corpus(unittest.TestCase):
    POOL = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='adit-m2-')
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.node = SimNode(cls.folder, bits=BITS).start()
        cls.addClassCleanup(cls.node.stop)
        cls.pool = Sv2Pool(cls.folder, [cls.node], vardiff=VARDIFF, **cls.POOL).start().wait_work()
        cls.addClassCleanup(cls.pool.kill)
        cls.observer = cls.pool.miner()
        cls.addClassCleanup(cls.observer.close)
        cls.watched = cls.observer.open(MINER_ADDRESS + '.observer')

    def tearDown(self):
        """The connection beside it notices nothing."""
        self.assertTrue(self.pool.process.alive(), self.pool.log_text()[-2000:])
        self.observer.read_for(0.02)
        for _ in range(3):  # a new tip may come in between
            verdict = self.observer.judge(self.watched.find(block=False))
            if verdict != 'stale-share':
                break
        self.assertEqual(verdict, 'accepted')

    # -- contexts

    def context_h(self, **options):
        miner = Miner(self.pool.v2_address, AUTHORITY, **options)
        self.addCleanup(miner.close)
        return miner

    def context_s(self, flags=0, **options):
        miner = self.context_h(**options)
        self.assertEqual(miner.setup(flags).name, 'SetupConnection.Success')
        return miner

    def context_c(self, flags=0, **options):
        miner = self.context_s(flags, **options)
        return miner, miner.open(MINER_ADDRESS + '.c'), miner.open(MINER_ADDRESS + '.e', extended=True)

    # -- answers

    def closed(self, miner, seconds=3.0, said=()):
        """The pool closes within the time; what it said before, jobs aside, was that."""
        since = len(miner.log)
        try:
            miner.read_for(seconds)
        except Closed:
            names = [message.name for message in miner.log[since:] if message.name not in WORK]
            self.assertEqual(names, list(said))
            return
        self.fail(f'open after {seconds} s; it said {miner.log[since:]}')

    def silent(self, miner, seconds=0.3):
        """The pool says nothing but jobs."""
        self.assertEqual([m for m in miner.read_for(seconds) if m.name not in WORK], [])

    def keeps(self, miner, channel=None):
        """The connection lives: a share goes through."""
        if channel is None:
            channel = miner.open(MINER_ADDRESS + '.keeps')
            self.assertNotIsInstance(channel, str)
        miner.read_for(0.02)
        self.assertEqual(miner.judge(channel.find(block=False)), 'accepted')

    def answered(self, miner, name, send):
        """send() is answered by that message; returns it."""
        since = len(miner.log)
        send()
        return miner.wait_for(name, since=since)

    def strikes(self, points, send, context='s'):
        """send(miner, ...) again and again: the connection lives below 100 points and not beyond."""
        made = getattr(self, 'context_' + context)()
        miner, others = (made[0], made[1:]) if isinstance(made, tuple) else (made, ())
        most = math.ceil(STRIKES / points)
        for _ in range(most - 1):
            send(miner, *others)
        self.keeps(miner, *others[:1])
        miner.strict = False
        try:
            for _ in range(2):  # rounding aside
                send(miner, *others)
            miner.read_for(2)
        except Closed:
            return
        self.fail(f'{most + 1} times {points} points and still open')

    def not_booked(self, share):
        self.assertNotIn(share.hash, {row['hash'] for row in self.pool.lines('shares')})

    def frame(self, message_type, payload=b'', extension=0, channel=False, length=None):
        """A frame that no table knows."""
        return frames.header(extension, message_type, len(payload) if length is None else length, channel) + payload

    def wait_tip(self, miner, *channels):
        wanted = bytes.fromhex(self.node.rpc('getbestblockhash'))[::-1]
        for channel in channels:
            miner.wait(lambda: channel.prev_hash == wanted, what='work on the new tip')

    wait_until = staticmethod(wait_until)
