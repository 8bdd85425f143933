# SPDX-License-Identifier: MIT
"""The ZMQ publisher, heard by a subscriber written here and, where it is installed, by libzmq."""
import socket
import struct
import time
import unittest

from support import NodeProcess

try:
    import zmq
except ImportError:
    zmq = None

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + bytes(32)
READY = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"


class PlainSubscriber:
    """ZMTP 3.0 by hand."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 3)
        self.socket.sendall(GREETING)
        self.greeting = self.take(64)
        self.socket.sendall(READY)
        self.ready = self.frame()

    def take(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def frame(self):
        flags = self.take(1)[0]
        size = struct.unpack(">Q", self.take(8))[0] if flags & 2 else self.take(1)[0]
        return flags, self.take(size)

    def message(self):
        parts, more = [], True
        while more:
            flags, body = self.frame()
            parts.append(body)
            more = flags & 1
        return parts


class Publisher(unittest.TestCase):
    def setUp(self):
        self.node = NodeProcess("--tx-count", "0", "--premine", "0")
        self.addCleanup(self.node.close)

    def subscribe(self, frame):
        plain = PlainSubscriber(self.node.zmq_port)
        self.addCleanup(plain.socket.close)
        plain.socket.sendall(frame)
        while not self.node.sim_stats()["zmq"]["topics"]:
            time.sleep(0.01)
        return plain

    def test_handshake_and_message_subscription(self):
        plain = self.subscribe(b"\x00\x0a\x01hashblock")
        self.assertEqual(plain.greeting[:16], b"\xff" + bytes(8) + b"\x7f\x03\x01NULL")
        self.assertEqual(plain.ready, (4, b"\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB"))
        for sequence in range(3):
            digest = self.node.generate(1)[0]
            self.assertEqual(plain.message(), [b"hashblock", bytes.fromhex(digest), struct.pack("<I", sequence)])

    def test_command_subscription_and_ping(self):
        plain = self.subscribe(b"\x04\x0e\x09SUBSCRIBEhash")
        plain.socket.sendall(b"\x04\x09\x04PING\x00\x0aab")
        self.assertEqual(plain.frame(), (4, b"\x04PONGab"))
        digest = self.node.generate(1)[0]
        self.assertEqual(plain.message()[1].hex(), digest)
        plain.socket.sendall(b"\x04\x0b\x06CANCELhash")
        while self.node.sim_stats()["zmq"]["topics"]:
            time.sleep(0.01)

    def test_modes(self):
        plain = self.subscribe(b"\x00\x0a\x01hashblock")
        self.node.sim_zmq("off")
        self.node.generate(2)
        self.node.sim_zmq("on")
        digest = self.node.generate(1)[0]
        self.assertEqual(plain.message(), [b"hashblock", bytes.fromhex(digest), struct.pack("<I", 2)])
        self.node.sim_zmq({"mode": "lie", "value": "cd" * 32})
        self.assertEqual(plain.message()[1], b"\xcd" * 32)
        self.node.sim_zmq("wrong_topic")
        self.assertEqual(plain.message()[0], b"hashblockx")
        self.node.sim_zmq("short")
        self.assertEqual(len(plain.message()[1]), 31)
        self.node.sim_zmq("gap", 10)
        self.node.sim_zmq("flood", 1200)
        numbers = [struct.unpack("<I", plain.message()[2])[0] for _ in range(1200)]
        self.assertEqual(numbers, list(range(15, 1215)))
        self.node.sim_zmq("drop")
        with self.assertRaises(EOFError):
            plain.message()

    def test_raw_block(self):
        plain = self.subscribe(b"\x00\x09\x01rawblock")
        digest = self.node.generate(1)[0]
        self.assertEqual(plain.message()[1].hex(), self.node.getblock(digest, 0))

    @unittest.skipIf(zmq is None, "python3-zmq is not installed")
    def test_libzmq(self):
        context = zmq.Context()
        subscriber = context.socket(zmq.SUB)
        subscriber.setsockopt(zmq.RCVTIMEO, 3000)
        subscriber.setsockopt(zmq.LINGER, 0)
        subscriber.subscribe(b"hashblock")
        subscriber.connect("tcp://127.0.0.1:%d" % self.node.zmq_port)
        self.addCleanup(context.term)
        self.addCleanup(subscriber.close)
        while not self.node.sim_stats()["zmq"]["topics"]:
            time.sleep(0.01)
        for sequence in range(2):
            digest = self.node.generate(1)[0]
            self.assertEqual(subscriber.recv_multipart(),
                             [b"hashblock", bytes.fromhex(digest), struct.pack("<I", sequence)])


if __name__ == "__main__":
    unittest.main()
