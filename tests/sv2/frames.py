# SPDX-License-Identifier: MIT
"""Stratum V2 frames: the 6-byte header, and how header and payload are encrypted.

Header and each piece of at most 65519 bytes take one nonce; an empty payload is nothing at all on the wire."""

import struct

MAC = 16
HEADER = 6
SEALED_HEADER = HEADER + MAC
MAX_PIECE = 65535 - MAC
CHANNEL_BIT = 0x8000


def header(extension, message_type, length, channel=False):
    return struct.pack('<HB', extension | (CHANNEL_BIT if channel else 0), message_type) + length.to_bytes(3, 'little')


def parse_header(data):
    """(extension, channel bit, message type, payload length)."""
    extension, message_type = struct.unpack('<HB', data[:3])
    return extension & 0x7FFF, bool(extension & CHANNEL_BIT), message_type, int.from_bytes(data[3:6], 'little')


def sealed_length(length):
    """Bytes on the wire of a payload of that length."""
    return length + MAC * -(-length // MAX_PIECE)


def seal_frame(cipher, plain):
    """plain is header and payload."""
    payload = plain[HEADER:]
    pieces = [cipher.seal(plain[:HEADER])]
    for at in range(0, len(payload), MAX_PIECE):
        pieces.append(cipher.seal(payload[at:at + MAX_PIECE]))
    return b''.join(pieces)


class FrameReader:
    """Takes bytes as they come, gives whole frames (header and payload in the clear)."""

    def __init__(self, cipher):
        self.cipher = cipher
        self.buffer = b''
        self.head = None

    def feed(self, data):
        self.buffer += data

    def next(self):
        """The next frame, or None if it is not there yet."""
        if self.head is None:
            if len(self.buffer) < SEALED_HEADER:
                return None
            self.head = self.cipher.open(self.buffer[:SEALED_HEADER])
            self.buffer = self.buffer[SEALED_HEADER:]
        wanted = sealed_length(parse_header(self.head)[3])
        if len(self.buffer) < wanted:
            return None
        sealed, self.buffer = self.buffer[:wanted], self.buffer[wanted:]
        pieces = [self.cipher.open(sealed[at:at + MAX_PIECE + MAC]) for at in range(0, wanted, MAX_PIECE + MAC)]
        frame, self.head = self.head + b''.join(pieces), None
        return frame
