# SPDX-License-Identifier: MIT
"""A pool of one connection that says whatever a test wants: to see that the test client notices."""

import hashlib
import os
import socket
import threading

import frames
import messages
import noise
import secp
from work import sha256d

AUTHORITY = hashlib.sha256(b'adit test authority').digest()
NOW = 1_750_000_000
EASY = b'\xff' * 31 + b'\x7f'  # every second hash


class FakePool:
    """script(pool) runs in its own thread once the hands are shaken."""

    def __init__(self, script, authority=AUTHORITY, certificate=(0, NOW - 10, NOW + 10)):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.address = f'127.0.0.1:{self.listener.getsockname()[1]}'
        self.script, self.authority, self.certificate = script, authority, certificate
        self.error = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            with self.listener:
                self.sock, _ = self.listener.accept()
            self.sock.settimeout(10)
            self.shake_hands()
            self.script(self)
        except (OSError, noise.NoiseError) as error:
            self.error = error
        finally:
            self.sock.close()

    def shake_hands(self):
        ephemeral, static = os.urandom(32), os.urandom(32)
        certificate = noise.Certificate(*self.certificate)
        certificate.sign(secp.public_x(static), self.authority, bytes(32))
        responder = noise.Responder(ephemeral, secp.ellswift_public(ephemeral, os.urandom), static,
                                    secp.ellswift_public(static, os.urandom), certificate)
        message_1 = b''
        while len(message_1) < 64:
            message_1 += self.sock.recv(64 - len(message_1))
        answer, (incoming, self.cipher) = responder.answer(message_1)
        self.reader = frames.FrameReader(incoming)
        self.sock.sendall(answer)

    def read(self):
        while (frame := self.reader.next()) is None:
            data = self.sock.recv(65536)
            if not data:
                raise OSError('end of stream')
            self.reader.feed(data)
        return messages.decode(frame)

    def send(self, name, rest=b'', channel_bit=None, **fields):
        self.sock.sendall(frames.seal_frame(self.cipher, messages.encode(name, rest, channel_bit, **fields)))

    # -- the usual things

    def accept_setup(self):
        self.read()
        self.send('SetupConnection.Success', used_version=2, flags=0)

    def accept_channel(self, channel=1, group=100, prefix=b'\x01' * 8, size=None):
        """Opens what is asked for. size: of the extranonce, default: 16 in all."""
        wanted = self.read()
        common = {'request_id': wanted.request_id, 'channel_id': channel, 'target': EASY, 'group_channel_id': group}
        if wanted.name == 'OpenExtendedMiningChannel':
            size = 16 - len(prefix) if size is None else size
            self.send(wanted.name + '.Success', extranonce_size=size, extranonce_prefix=prefix, **common)
        else:
            self.send(wanted.name + '.Success', extranonce_prefix=prefix, **common)

    def job(self, channel=1, job=1, min_ntime=None, **changes):
        self.send('NewMiningJob', channel_id=channel, job_id=job, min_ntime=min_ntime, version=0x20000000,
                  merkle_root=sha256d(bytes([job & 255])), **changes)

    def extended_job(self, channel=1, job=1, min_ntime=None, path=(), **changes):
        self.send('NewExtendedMiningJob', **{
            'channel_id': channel, 'job_id': job, 'min_ntime': min_ntime, 'version': 0x20000000,
            'version_rolling_allowed': True, 'merkle_path': list(path), 'coinbase_tx_prefix': b'front',
            'coinbase_tx_suffix': b'back', **changes})

    def tip(self, channel=1, job=1, prev=b'\x22' * 32):
        self.send('SetNewPrevHash', channel_id=channel, job_id=job, prev_hash=prev, min_ntime=NOW, nbits=0x207fffff)

    def open_standard(self, **wishes):
        self.accept_setup()
        self.accept_channel(**wishes)
        self.job()
        self.tip()
