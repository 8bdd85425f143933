# SPDX-License-Identifier: MIT
"""One port for both protocols: the first bytes tell which a miner speaks, even a V2 key that begins like JSON."""

import json
import os
import time
import unittest

import noise
import secp
from client import Miner
from link import Link, Wire
from sv2_support import AUTHORITY, MINER_ADDRESS, Sv2Test, wait_until
from v1_miner import Miner as V1Miner


def key_that_begins_with(beginning):
    """An ephemeral secret and an encoding of its key that begins with these bytes: u is ours to choose."""
    secret = (0x1234567).to_bytes(32, 'big')
    x = secp.multiply(secp.G, secp.secret_number(secret))[0]
    while True:
        u = beginning + os.urandom(32 - len(beginning))
        for case in range(8):
            t = secp.xswiftec_inverse(x, int.from_bytes(u, 'big') % secp.P, case)
            if t is not None:
                return secret, u + t.to_bytes(32, 'big')


class AutoPort(Sv2Test):
    def setUp(self):
        super().setUp()
        self.start_all(auto=True)
        text = self.pool.wait_log(r'V1 and V2 on (\S+)').group(1)
        self.address = text.rstrip(',;')

    def v2(self, ephemeral=None):
        miner = Miner(self.address, AUTHORITY, ephemeral=ephemeral)
        self.addCleanup(miner.close)
        self.assertEqual(miner.setup().name, 'SetupConnection.Success')
        return miner

    def test_both_speak_here(self):
        with V1Miner(self.address) as old:
            old.hello(MINER_ADDRESS + '.old')
            miner = self.v2()
            channel = miner.open(MINER_ADDRESS + '.new', extended=True)
            for _ in range(3):
                self.assertIs(old.submit(old.find(MINER_ADDRESS + '.old', block=False))['result'], True)
                self.mine(miner, channel)
        self.assertEqual({row['name']: row['shares'] for row in self.pool.lines('workers')}, {'old': 3, 'new': 3})

    def test_keys_that_begin_like_json(self):
        for beginning in (b'{', b'{"', b'{"id', b'{"id":1,', b'{"id": 1, "method"', b'[', b' {', b'\n{', b'{ "', b'\t', b'"'):
            with self.subTest(beginning=beginning):
                miner = self.v2(key_that_begins_with(beginning))
                self.mine(miner, miner.open(MINER_ADDRESS))

    def test_keys_that_begin_like_other_things(self):
        for beginning in (b'GET / HTTP', b'\x16\x03\x01', b'PROXY TCP4 ', b'\r\n\r\n\x00\r\nQUIT\n', bytes(8), b'\xff' * 4):
            with self.subTest(beginning=beginning):
                with Link(self.address, AUTHORITY, ephemeral=key_that_begins_with(beginning)):
                    pass

    def test_v1_in_strange_pieces(self):
        line = json.dumps({'id': 1, 'method': 'mining.subscribe', 'params': ['adit-test']}).encode() + b'\n'
        forms = [[line], [bytes([byte]) for byte in line], [line[:1], line[1:]], [b' ' + line], [b'\r\n' + line],
                 [b'{ "params":[],"id" : 1,"method":"mining.subscribe" }\n'], [line + line]]
        for pieces in forms:
            with self.subTest(first=pieces[0][:20]):
                wire = Wire(self.address)
                self.addCleanup(wire.close)
                for piece in pieces:
                    wire.send_wire(piece)
                answer = b''
                while b'\n' not in answer:
                    answer += wire.read_some(5)
                self.assertEqual(json.loads(answer.split(b'\n')[0])['id'], 1)

    def test_v2_in_strange_pieces(self):
        for ephemeral in (None, key_that_begins_with(b'{"id":1,"method"')):
            secret, encoded = ephemeral or key_that_begins_with(b'')
            wire = Wire(self.address)
            self.addCleanup(wire.close)
            initiator = noise.Initiator(secret, encoded)
            for byte in initiator.message_1():
                wire.send_wire(bytes([byte]))
            initiator.finish(wire.read_exactly(noise.MESSAGE_2_SIZE), AUTHORITY, time.time())

    def test_who_says_nothing(self):
        for data in (b'', b'{', os.urandom(20)):
            wire = Wire(self.address)
            self.addCleanup(wire.close)
            if data:
                wire.send_wire(data)
        self.assertLess(len(wire.wait_closed(15)), 300)
        wait_until(lambda: self.pool.process.alive(), 1)
        self.mine(*(lambda miner: (miner, miner.open(MINER_ADDRESS)))(self.v2()))


if __name__ == '__main__':
    unittest.main(verbosity=2)
