# SPDX-License-Identifier: MIT
"""A Noise connection to a pool: TCP, handshake, encrypted frames. Also the raw side, for those who break the rules."""

import os
import socket
import struct
import time

import frames
import noise
import secp


class Closed(Exception):
    """The pool closed the connection."""


class Wire:
    """A TCP connection with time-outs, nothing on it yet."""

    def __init__(self, address, timeout=10.0, receive_buffer=None):
        host, port = address.rsplit(':', 1)
        self.timeout = timeout
        self.sock = socket.socket(socket.AF_INET6 if '[' in host else socket.AF_INET)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect((host.strip('[]'), int(port)))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends with RST, not FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send_wire(self, data):
        self.sock.settimeout(self.timeout)
        try:
            self.sock.sendall(data)
        except socket.timeout:
            raise TimeoutError('the pool does not read') from None
        except OSError as error:
            raise Closed(str(error)) from None

    def read_some(self, seconds):
        """What is there; raises TimeoutError or Closed."""
        if seconds <= 0:
            raise TimeoutError('nothing from the pool')
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(65536)
        except socket.timeout:
            raise TimeoutError('nothing from the pool') from None
        except OSError as error:
            raise Closed(str(error)) from None
        if not data:
            raise Closed('end of stream')
        return data

    def read_exactly(self, size, seconds=None):
        deadline = time.monotonic() + (self.timeout if seconds is None else seconds)
        data = b''
        while len(data) < size:
            self.sock.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                more = self.sock.recv(size - len(data))
            except socket.timeout:
                raise TimeoutError(f'{len(data)} of {size} bytes') from None
            except OSError as error:
                raise Closed(str(error)) from None
            if not more:
                raise Closed('end of stream')
            data += more
        return data

    def wait_closed(self, seconds):
        """All bytes until the end of the stream; raises TimeoutError if it does not end."""
        deadline, data = time.monotonic() + seconds, b''
        while True:
            try:
                data += self.read_some(deadline - time.monotonic())
            except Closed:
                return data


class Link(Wire):
    """Wire plus handshake. `authority` is the pinned 32-byte key; None trusts anybody."""

    def __init__(self, address, authority=None, timeout=10.0, ephemeral=None, now=None, receive_buffer=None):
        super().__init__(address, timeout, receive_buffer)
        try:
            self.shake_hands(authority, ephemeral, now)
        except BaseException:
            self.close()
            raise

    def shake_hands(self, authority, ephemeral, now):
        """ephemeral: (secret, encoding) of the miner's key for this connection."""
        if ephemeral is None:
            secret = os.urandom(32)
            ephemeral = (secret, secp.ellswift_public(secret, os.urandom))
        self.initiator = noise.Initiator(*ephemeral)
        self.send_wire(self.initiator.message_1())
        answer = self.read_exactly(noise.MESSAGE_2_SIZE)
        self.cipher, incoming = self.initiator.finish(answer, authority, time.time() if now is None else now)
        self.reader = frames.FrameReader(incoming)

    def seal(self, plain):
        """Header and payload -> bytes for the wire; uses up the nonces."""
        return frames.seal_frame(self.cipher, plain)

    def send_frame(self, plain):
        self.send_wire(self.seal(plain))

    def read_frame(self, seconds=None):
        deadline = time.monotonic() + (self.timeout if seconds is None else seconds)
        while (frame := self.reader.next()) is None:
            self.reader.feed(self.read_some(deadline - time.monotonic()))
        return frame
