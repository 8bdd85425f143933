# SPDX-License-Identifier: MIT
"""The Noise NX handshake of Stratum V2 (spec chapter 4), both roles, and the server's certificate.

Message 1 is the initiator's ephemeral key (64 bytes), message 2 the answer (64 + 80 + 90 bytes)."""

import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

import secp

PROTOCOL_NAME = b'Noise_NX_Secp256k1+EllSwift_ChaChaPoly_SHA256'
MESSAGE_1_SIZE = 64
MESSAGE_2_SIZE = 64 + 80 + 90
CLOCK_SKEW = 10
BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'


class NoiseError(Exception):
    """The peer failed to prove what it says; the connection is over."""


def sha256(data):
    return hashlib.sha256(data).digest()


def hkdf2(chaining_key, material):
    first_key = hmac.digest(chaining_key, material, 'sha256')
    one = hmac.digest(first_key, b'\x01', 'sha256')
    return one, hmac.digest(first_key, one + b'\x02', 'sha256')


class Cipher:
    """One direction: a key and a counter that goes up with each success."""

    def __init__(self, key):
        self.key = key
        self.aead = ChaCha20Poly1305(key)
        self.nonce = 0

    def _nonce(self):
        return bytes(4) + struct.pack('<Q', self.nonce)

    def seal(self, plain, data=b''):
        sealed = self.aead.encrypt(self._nonce(), bytes(plain), data)
        self.nonce += 1
        return sealed

    def open(self, sealed, data=b''):
        try:
            plain = self.aead.decrypt(self._nonce(), bytes(sealed), data)
        except InvalidTag:
            raise NoiseError('authentication failed') from None
        self.nonce += 1
        return plain


class Symmetric:
    """Noise's symmetric state: chaining key, handshake hash, and a key once there is one."""

    def __init__(self):
        self.chaining_key = sha256(PROTOCOL_NAME)
        self.hash = sha256(self.chaining_key)
        self.cipher = None

    def mix_hash(self, data):
        self.hash = sha256(self.hash + data)

    def mix_key(self, material):
        self.chaining_key, key = hkdf2(self.chaining_key, material)
        self.cipher = Cipher(key)

    def encrypt_and_hash(self, plain):
        sealed = self.cipher.seal(plain, self.hash) if self.cipher else plain
        self.mix_hash(sealed)
        return sealed

    def decrypt_and_hash(self, sealed):
        plain = self.cipher.open(sealed, self.hash) if self.cipher else sealed
        self.mix_hash(sealed)
        return plain

    def split(self):
        """(client to server, server to client)."""
        return tuple(Cipher(key) for key in hkdf2(self.chaining_key, b''))


class Certificate:
    """Version, times and the authority's signature over the server's static key: 74 bytes on the wire."""

    def __init__(self, version, valid_from, not_valid_after, signature=bytes(64)):
        self.version, self.valid_from, self.not_valid_after = version, valid_from, not_valid_after
        self.signature = signature

    def _front(self):
        return struct.pack('<HII', self.version, self.valid_from, self.not_valid_after)

    def digest(self, static_x):
        return sha256(self._front() + static_x)

    def sign(self, static_x, authority_secret, aux):
        self.signature = secp.sign(authority_secret, self.digest(static_x), aux)
        return self

    def encode(self):
        return self._front() + self.signature

    @classmethod
    def decode(cls, data):
        if len(data) != 74:
            raise NoiseError('certificate of a wrong size')
        return cls(*struct.unpack('<HII', data[:10]), data[10:])

    def check(self, static_x, authority_x, now):
        if self.version != 0:
            raise NoiseError(f'certificate version {self.version}')
        if not self.valid_from - CLOCK_SKEW <= now <= self.not_valid_after + CLOCK_SKEW:
            raise NoiseError('certificate is not valid now')
        if not secp.verify(authority_x, self.digest(static_x), self.signature):
            raise NoiseError('the authority did not sign this key')


class Initiator:
    """The miner's side."""

    def __init__(self, ephemeral_secret, ephemeral_ellswift):
        self.secret, self.ellswift = ephemeral_secret, ephemeral_ellswift
        self.state = Symmetric()
        self.certificate = None
        self.static_x = None

    def message_1(self):
        self.state.mix_hash(self.ellswift)
        return self.ellswift + self.state.encrypt_and_hash(b'')

    def finish(self, message_2, authority_x=None, now=None):
        """Reads message 2; returns the two ciphers. Checks the certificate where an authority is given."""
        if len(message_2) != MESSAGE_2_SIZE:
            raise NoiseError(f'message 2 of {len(message_2)} bytes')
        theirs = message_2[:64]
        self.state.mix_hash(theirs)
        self.state.mix_key(secp.shared_secret(self.secret, self.ellswift, theirs, True))
        static = self.state.decrypt_and_hash(message_2[64:144])
        self.static_x = secp.ellswift_decode(static).to_bytes(32, 'big')
        self.state.mix_key(secp.shared_secret(self.secret, self.ellswift, static, True))
        self.certificate = Certificate.decode(self.state.decrypt_and_hash(message_2[144:]))
        if authority_x is not None:
            self.certificate.check(self.static_x, authority_x, now)
        return self.state.split()


class Responder:
    """The server's side."""

    def __init__(self, ephemeral_secret, ephemeral_ellswift, static_secret, static_ellswift, certificate):
        self.ephemeral = (ephemeral_secret, ephemeral_ellswift)
        self.static = (static_secret, static_ellswift)
        self.certificate = certificate
        self.state = Symmetric()

    def answer(self, message_1):
        """Reads message 1; returns message 2 and the two ciphers."""
        if len(message_1) != MESSAGE_1_SIZE:
            raise NoiseError(f'message 1 of {len(message_1)} bytes')
        self.state.mix_hash(message_1)
        self.state.decrypt_and_hash(b'')
        secret, ellswift = self.ephemeral
        self.state.mix_hash(ellswift)
        self.state.mix_key(secp.shared_secret(secret, ellswift, message_1, False))
        message_2 = ellswift + self.state.encrypt_and_hash(self.static[1])
        self.state.mix_key(secp.shared_secret(*self.static, message_1, False))
        message_2 += self.state.encrypt_and_hash(self.certificate.encode())
        return message_2, self.state.split()


# -- keys as text

def base58check_encode(payload):
    data = payload + sha256(sha256(payload))[:4]
    number, text = int.from_bytes(data, 'big'), ''
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return '1' * (len(data) - len(data.lstrip(b'\x00'))) + text


def base58check_decode(text):
    number = 0
    for letter in text:
        number = number * 58 + BASE58.index(letter)
    data = number.to_bytes((number.bit_length() + 7) // 8, 'big')
    data = bytes(len(text) - len(text.lstrip('1'))) + data
    if len(data) < 4 or sha256(sha256(data[:-4]))[:4] != data[-4:]:
        raise ValueError('base58 checksum')
    return data[:-4]


def authority_text(authority_x):
    return base58check_encode(b'\x01\x00' + authority_x)


def authority_from_text(text):
    data = base58check_decode(text)
    if len(data) != 34 or data[:2] != b'\x01\x00':
        raise ValueError('not an authority public key')
    return data[2:]
