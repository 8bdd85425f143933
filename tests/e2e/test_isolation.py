# SPDX-License-Identifier: MIT
"""Whatever one connection sends, its neighbour's shares go on: hostile bytes, half lines, resets, readers that do not read.

The lines of corpus M1 with their exact answers are played by tests/corpus; here the classes go through real sockets. The
numbers are those of tests/corpus/m1.txt."""

import os
import random
import socket
import struct
import threading
import time
import unittest

from blocks import USER, Finder
from support import PoolTest, wait_until
from v1_miner import Closed, Miner

SUBSCRIBE = b'{"id":1,"method":"mining.subscribe","params":[]}\n'
CLIENT_HELLO = bytes.fromhex('16030100f8010000f40303') + bytes(range(32)) + bytes(210)
# Bytes that close the connection (M1-01, 10-12, 16, 18, 19, 90, 92-95, 97).
CLOSING = {
    'a line without end': b'a' * 4097,
    'a word': b'hello pool\n',
    'half an object': SUBSCRIBE[:-2] + b'\n',
    'depth': b'[' * 4000 + b'\n',
    'bad UTF-8': b'{"id":1,"method":"mining.subscribe","params":["\xc3\x28"]}\n',
    'a lone surrogate': b'{"id":1,"method":"mining.subscribe","params":["\\ud800"]}\n',
    'something after the object': SUBSCRIBE[:-1] + b'xyz\n',
    'PROXY v1': b'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n' + SUBSCRIBE,
    'PROXY v2': b'\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff' + bytes(64),
    'HTTP': b'GET / HTTP/1.1\r\nHost: pool\r\n\r\n',
    'TLS': CLIENT_HELLO + b'\n',
    'zeros': bytes(4096) + b'\n',
    'an endless object': b'{"id":' + b'9' * 5000,
}
# Lines that cost points but not the connection (M1-07, 08, 13-15, 20-22, 43, 78-86).
KEPT = [b'{}', b'[' + SUBSCRIBE[:-1] + b']', b'7', b'{"id":1e400,"method":"mining.subscribe","params":[]}',
        b'{"id":1,"method":"mining.subscribe","method":"mining.submit","params":[]}',
        b'{"id":1,"method":"mining.foo","params":[]}', b'{"id":1,"method":5,"params":[]}',
        b'{"id":1,"method":"' + b'm' * 3900 + b'","params":[]}',
        b'{"id":1,"method":"mining.submit","params":["a","b","c","d","e"]}',
        b'{"id":1,"method":"mining.authorize","params":["../../etc/passwd","x"]}',
        b'{"id":1,"method":"mining.authorize","params":["' + USER.encode()[:-6] + b"' OR 1=1--" + b'","x"]}',
        b'{"id":1,"method":"mining.authorize","params":["a\\u001b[31m\\u202e","x"]}']


class Neighbour(threading.Thread):
    """A healthy miner: it counts what went wrong and the longest wait for a reply."""

    def __init__(self, pool, node):
        super().__init__(daemon=True)
        self.miner = Finder(pool, node, USER + 'n')
        self.on_simulated = node.simulated
        self.ending = threading.Event()
        self.shares, self.slowest, self.trouble = 0, 0.0, None

    def run(self):
        try:
            while not self.ending.is_set():
                params = self.miner.find(self.miner.user, block=False)
                begin = time.monotonic()
                reply = self.miner.submit(params)
                self.slowest = max(self.slowest, time.monotonic() - begin)
                if reply['result'] is True:
                    self.shares += 1
                elif self.on_simulated or reply['error'][0] != 21:  # on a real node a block may end the job in between
                    raise AssertionError(reply)
        except Exception as error:  # noqa: BLE001 (told by the test)
            self.trouble = repr(error)

    def finish(self, test):
        wait_until(lambda: self.trouble or self.shares > 20, what='the neighbour mines')
        self.ending.set()
        self.join(15)
        self.miner.close()
        test.assertIsNone(self.trouble)
        test.assertLess(self.slowest, 2.0)


class Isolation(PoolTest):
    def setUp(self):
        super().setUp()
        self.node = self.make_node(bits='1d00ffff')  # no hash of this test is a block
        self.pool = self.make_pool(self.node, workers=1)
        host, port = self.pool.address.rsplit(':', 1)
        self.where = (host, int(port))
        self.neighbour = Neighbour(self.pool, self.node)
        self.neighbour.start()

    def tearDown(self):
        self.neighbour.finish(self)
        self.assertEqual(self.pool.terminate(), 0)
        self.assertIn('every chain value', self.pool.command('ledger', 'verify').stdout)

    def connect(self, size=None):
        sock = socket.socket()
        self.addCleanup(sock.close)
        if size:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        sock.settimeout(12)
        sock.connect(self.where)
        return sock

    def closed(self, sock):
        """Reads until the pool closes; returns what it said."""
        said = b''
        try:
            while True:
                more = sock.recv(65536)
                if not more:
                    return said
                said += more
        except ConnectionError:
            return said

    def test_hostile_bytes_close_their_own_connection(self):
        for name, data in CLOSING.items():
            with self.subTest(name):
                sock = self.connect()
                sock.sendall(data)
                said = self.closed(sock)
                self.assertLess(len(said), 1000)
                self.assertNotIn(b'"result":[[', said)

    def test_wrong_lines_are_answered_until_there_are_too_many(self):
        for line in KEPT:
            with self.subTest(line=line[:40]):
                sock = self.connect()
                sock.sendall(line + b'\n')
                self.assertTrue(sock.recv(65536))
                sock.sendall(SUBSCRIBE)
                self.assertIn(b'"result":[[', sock.recv(65536))
        sock = self.connect()
        sock.sendall(b'{"id":1,"method":"mining.foo","params":[]}\n' * 1000)
        self.assertLessEqual(self.closed(sock).count(b'\n'), 101)

    def test_noise_and_silence_end_within_the_deadline(self):
        quiet, noise = self.connect(), self.connect()
        noise.sendall(bytes(random.Random(5).choice(range(128, 256)) for _ in range(64)))
        begin = time.monotonic()
        self.closed(noise)
        self.closed(quiet)
        self.assertLess(time.monotonic() - begin, 11.5)

    def test_a_reset_in_the_middle_of_a_line(self):
        chance = random.Random(11)
        before = len(self.pool.lines('shares'))
        for number in range(200):
            with Miner(self.pool.address) as miner:
                if number % 4 == 0:
                    miner.hello(USER + 'r')
                    params = miner.find(USER + 'r', block=False)
                    line = b'{"id":9,"method":"mining.submit","params":["' + '","'.join(params).encode() + b'"]}'
                    miner.send_raw(line[:chance.randrange(1, len(line))])
                else:
                    miner.send_raw(SUBSCRIBE[:chance.randrange(1, len(SUBSCRIBE))])
                if number % 2:
                    miner.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        rows = self.pool.lines('shares', '--from', str(before + 1))
        self.assertEqual({row['worker'] for row in rows} - {'findern'}, set())

    def test_a_miner_that_never_reads(self):
        miner = Finder(self.pool, self.node, USER + 's')
        self.addCleanup(miner.close)
        miner.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        miner.sock.settimeout(5)
        sent = set()
        try:
            for _ in range(200):
                lines = []
                for _ in range(100):
                    params = miner.find(miner.user)
                    sent.add(miner.share_hash(params))
                    lines.append('{"id":1,"method":"mining.submit","params":["' + '","'.join(params) + '"]}\n')
                miner.send_raw(''.join(lines).encode())
        except (Closed, TimeoutError):
            pass
        booked = [row['hash'] for row in self.pool.lines('shares') if row['worker'] == 'finders']
        self.assertEqual(len(booked), len(set(booked)))
        self.assertEqual(set(booked) - sent, set())

    def test_random_bytes_for_a_while(self):
        chance = random.Random(int(os.environ.get('ADIT_SEED', '1')))
        pieces = [SUBSCRIBE, *CLOSING.values(), *[line + b'\n' for line in KEPT]]
        for _ in range(300):
            data = bytearray(b''.join(chance.choice(pieces)[:chance.randrange(1, 300)] for _ in range(3)))
            for _ in range(chance.randrange(6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            sock = self.connect()
            try:
                sock.sendall(data)
            except OSError:
                pass
            sock.close()
        self.assertTrue(self.pool.process.alive())


class OneSource(PoolTest):
    """A crowd behind one address that does not mine leaves the others their places; one that mines is let in."""

    def come(self, pool, source):
        """A connection from `source`; None where the pool closes it at once."""
        host, port = pool.address.rsplit(':', 1)
        sock = socket.create_connection((host, int(port)), timeout=5, source_address=(source, 0))
        sock.settimeout(5)
        sock.sendall(SUBSCRIBE)
        try:
            if sock.recv(4096):
                self.addCleanup(sock.close)
                return sock
        except OSError:
            pass
        sock.close()
        return None

    def test_places_of_one_source(self):
        node = self.make_node(bits='1f7fffff')
        pool = self.make_pool(node, workers=2, v1='max_connections = 60\nnewcomers_per_source = 20')
        crowd = [self.come(pool, '127.0.0.2') for _ in range(30)]
        self.assertEqual([sock is not None for sock in crowd], [True] * 20 + [False] * 10)
        self.assertEqual(pool.log_text().count('127.0.0.2: more connections than stratum.v1.newcomers_per_source'), 1)
        with Finder(pool, node) as miner:
            others = [self.come(pool, '127.0.0.1') for _ in range(19)]
            self.assertNotIn(None, others)
            self.assertIsNone(self.come(pool, '127.0.0.1'))
            self.assertIs(miner.submit(miner.find(USER, block=False))['result'], True)
            others += [self.come(pool, '127.0.0.1') for _ in range(20)]
            self.assertNotIn(None, others)
            self.assertIsNone(self.come(pool, '127.0.0.1'), 'the pool is full')
        crowd[0].close()
        wait_until(lambda: self.come(pool, '127.0.0.2'), 5, 'a place that was left is taken again')


if __name__ == '__main__':
    unittest.main(verbosity=2)
