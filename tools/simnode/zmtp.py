# SPDX-License-Identifier: MIT
"""A ZMQ PUB socket: ZMTP 3.1 with the NULL mechanism, enough for every libzmq subscriber.

Notifications are bitcoind's: topic, body (a hash in displayed order, or a raw block), 4-byte sequence.
"""
import asyncio
import os
import struct

GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
MORE, LONG, COMMAND = 1, 2, 4
MAX_FRAME, MAX_QUEUED = 1 << 16, 8 << 20
MODES = ("on", "off", "flood", "lie", "wrong_topic", "short", "gap", "drop")


def frame(body, flags=0):
    if len(body) > 255:
        return struct.pack(">BQ", flags | LONG, len(body)) + body
    return bytes([flags, len(body)]) + body


def command(name, data=b""):
    return frame(bytes([len(name)]) + name + data, COMMAND)


def ready(socket_type):
    return command(b"READY", b"\x0bSocket-Type" + struct.pack(">I", len(socket_type)) + socket_type)


async def read_frame(reader):
    flags = (await reader.readexactly(1))[0]
    size = struct.unpack(">Q", await reader.readexactly(8))[0] if flags & LONG else (await reader.readexactly(1))[0]
    if size > MAX_FRAME:
        raise ValueError("frame too long")
    return flags, await reader.readexactly(size)


class Subscriber:
    def __init__(self, writer):
        self.writer, self.topics = writer, []

    def wants(self, topic):
        return any(topic.startswith(t) for t in self.topics)

    def heed(self, flags, body):
        """One frame from the subscriber: a message 01/00 and topic (3.0), or a command (3.1)."""
        if flags & COMMAND:
            name, data = body[1:1 + body[0]], body[1 + body[0]:]
            if name == b"SUBSCRIBE":
                self.topics.append(data)
            elif name == b"CANCEL" and data in self.topics:
                self.topics.remove(data)
            elif name == b"PING":
                self.writer.write(command(b"PONG", data[2:]))
        elif body[:1] == b"\x01":
            self.topics.append(body[1:])
        elif body[:1] == b"\x00" and body[1:] in self.topics:
            self.topics.remove(body[1:])


class Publisher:
    def __init__(self):
        self.port, self.silent, self.sent, self.dropped = None, False, 0, 0
        self._server, self._subscribers, self._sequences = None, set(), {}

    async def start(self, port):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self):
        self._server.close()
        self._drop()

    def _drop(self):
        for subscriber in list(self._subscribers):
            subscriber.writer.close()

    async def _serve(self, reader, writer):
        subscriber = Subscriber(writer)
        try:
            writer.write(GREETING)
            greeting = await reader.readexactly(64)
            if greeting[0] != 0xFF or greeting[10] < 3 or greeting[12:16] != b"NULL":
                return
            writer.write(ready(b"PUB"))
            self._subscribers.add(subscriber)
            while True:
                subscriber.heed(*await read_frame(reader))
        except (OSError, ValueError, IndexError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._subscribers.discard(subscriber)
            writer.close()

    def publish(self, topic, body):
        sequence = self._sequences.get(topic, 0)
        self._sequences[topic] = (sequence + 1) & 0xFFFFFFFF
        if self.silent:
            return
        message = frame(topic, MORE) + frame(body, MORE) + frame(struct.pack("<I", sequence))
        for subscriber in list(self._subscribers):
            if not subscriber.wants(topic):
                continue
            if subscriber.writer.transport.get_write_buffer_size() > MAX_QUEUED:
                self.dropped += 1
                continue
            subscriber.writer.write(message)
            self.sent += 1

    def block(self, block):
        self.publish(b"hashblock", block.hash[::-1])
        if any(s.wants(b"rawblock") for s in self._subscribers):
            self.publish(b"rawblock", block.serialize())

    async def mode(self, name, count=1000, value=None):
        """Switches the publisher, or sends something false at once."""
        if name not in MODES:
            raise ValueError("unknown mode %s; known: %s" % (name, ", ".join(MODES)))
        if name in ("on", "off"):
            self.silent = name == "off"
        elif name == "flood":
            for at in range(count):
                self.publish(b"hashblock", value or os.urandom(32))
                if at % 500 == 499:
                    await asyncio.sleep(0)
        elif name == "lie":
            self.publish(b"hashblock", value or os.urandom(32))
        elif name == "wrong_topic":
            self.publish(b"hashblockx", value or os.urandom(32))
        elif name == "short":
            self.publish(b"hashblock", (value or os.urandom(32))[:31])
        elif name == "gap":
            self._sequences[b"hashblock"] = self._sequences.get(b"hashblock", 0) + count
        elif name == "drop":
            self._drop()

    def view(self):
        return {"port": self.port, "subscribers": len(self._subscribers), "silent": self.silent, "sent": self.sent,
                "dropped": self.dropped, "topics": sorted({t.decode("latin-1") for s in self._subscribers
                                                           for t in s.topics})}
