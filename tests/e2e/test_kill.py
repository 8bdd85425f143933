# SPDX-License-Identifier: MIT
"""SIGKILL at any moment under load: no acknowledged share is lost, none is paid twice, no work space is given twice.

The oracle keeps its own memory of every submit and every reply; the books are compared with it after each kill.
ADIT_KILLS sets the number of kills (60)."""

import os
import random
import threading
import time
import unittest

from support import MINER_ADDRESS, OTHER_ADDRESS, PoolTest
from v1_miner import Closed, Miner

KILLS = int(os.environ.get('ADIT_KILLS', '60'))
MINERS = 4
PIPELINE = 12


class Oracle:
    """What miners know: each header hash they sent, and what they were told about it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = {}  # hash: account
        self.acknowledged = set()
        self.refused = set()
        self.spaces = set()
        self.old = []  # parameters of acknowledged submits, to be sent again
        self.failures = []
        self.replays = 0


class Load(threading.Thread):
    """A miner that keeps PIPELINE submits under way until the pool goes away."""

    def __init__(self, oracle, address, number, seed):
        super().__init__(daemon=True)
        self.oracle, self.address, self.number = oracle, address, number
        self.account = MINER_ADDRESS if number % 2 else OTHER_ADDRESS
        self.random = random.Random(seed)
        self.waiting = {}
        self.working = threading.Event()

    def run(self):
        try:
            with Miner(self.address) as self.miner:
                self.mine()
        except (Closed, ConnectionError, TimeoutError):
            pass
        except Exception as error:  # noqa: BLE001 (whatever it is, the test must hear of it)
            self.oracle.failures.append(repr(error))

    def mine(self):
        user = f'{self.account}.w{self.number}'
        self.miner.hello(user)
        with self.oracle.lock:
            if self.miner.extranonce1 in self.oracle.spaces:
                self.oracle.failures.append(f'extranonce1 {self.miner.extranonce1} was given twice')
            self.oracle.spaces.add(self.miner.extranonce1)
            old = self.random.sample(self.oracle.old, min(10, len(self.oracle.old)))
        for params in old:
            self.replay([user, *params[1:]])
        self.working.set()
        while True:
            while len(self.waiting) < PIPELINE:
                self.send(user)
            self.take_reply()

    def replay(self, params):
        reply = self.miner.submit(params)
        code = reply['error'][0] if reply['error'] else None
        self.oracle.replays += 1
        if code not in (21, 22):
            self.oracle.failures.append(f'an old share again was answered {reply}')

    def send(self, user):
        params = self.miner.find(user, block=False)
        digest = self.miner.share_hash(params)
        with self.oracle.lock:
            self.oracle.sent[digest] = self.account
        self.waiting[self.miner.send('mining.submit', params)] = (digest, params)

    def take_reply(self):
        message = self.miner.read_message()
        if message.get('id') not in self.waiting:
            return
        digest, params = self.waiting.pop(message['id'])
        with self.oracle.lock:
            if message['result'] is True:
                self.oracle.acknowledged.add(digest)
                self.oracle.old.append(params)
            else:
                self.oracle.refused.add(digest)


class Kill(PoolTest):
    def test_no_acknowledged_share_is_lost_or_doubled(self):
        # No hash of this test meets these bits, so the tip stays and each hash counts as a share.
        node = self.make_node(bits='1d00ffff')
        pool = self.make_pool(node, start=False, workers=2)
        oracle, chance, booked = Oracle(), random.Random(7), []
        begin, under_load = time.monotonic(), 0.0
        for kill in range(KILLS):
            pool.start()
            loads = [Load(oracle, pool.address, n, f'{kill}/{n}') for n in range(MINERS)]
            for load in loads:
                load.start()
            for load in loads:
                load.working.wait(10)
            pause = chance.uniform(0.02, 0.8)
            under_load += pause
            time.sleep(pause)
            self.assertTrue(pool.process.alive(), pool.log_text())
            pool.kill()
            for load in loads:
                load.join(20)
            self.check_books(pool, oracle, booked, whole=kill in (KILLS // 2, KILLS - 1))
        self.assertGreater(len(oracle.acknowledged), 200 * under_load)
        print(f'{KILLS} kills in {time.monotonic() - begin:.0f} s: {len(oracle.acknowledged)} shares acknowledged in '
              f'{under_load:.0f} s, {len(booked)} booked, {oracle.replays} replayed, {len(oracle.spaces)} sessions')

    def check_books(self, pool, oracle, booked, whole):
        """`booked` grows: what was read after earlier kills must stay, in its order."""
        rows = pool.lines('shares', '--from', str(len(booked) + 1))
        self.assertEqual([row['sequence'] for row in rows], list(range(len(booked) + 1, len(booked) + 1 + len(rows))))
        booked += [row['hash'] for row in rows]
        paid = set(booked)
        self.assertEqual(len(booked), len(paid), 'a hash is booked twice')
        self.assertEqual(oracle.acknowledged - paid, set(), 'acknowledged shares are lost')
        self.assertEqual(oracle.refused & paid, set(), 'refused shares are booked')
        self.assertEqual({h for h in paid if h not in oracle.sent}, set(), 'nobody sent these shares')
        for row in rows:
            self.assertEqual(row['account'], oracle.sent[row['hash']])
        self.assertEqual(oracle.failures, [])
        self.assertIn('every chain value, proof, total, slice and balance is right', pool.command('ledger', 'verify').stdout)
        if whole:
            self.assertEqual([row['hash'] for row in pool.lines('shares')], booked)
            self.assertEqual(sum(row['shares'] for row in pool.lines('accounts')), len(booked))


if __name__ == '__main__':
    unittest.main(verbosity=2)
