# SPDX-License-Identifier: MIT
"""Writes tests/vectors/noise_handshakes.json: fixed secrets, so the same file each time.

There is no official transcript of Stratum V2's handshake; these come from the test client's own reading of it.

    python3 make_vectors.py > ../vectors/noise_handshakes.json"""

import hashlib
import json
import sys

import frames
import noise
import secp

STORED_LIMIT = 1000  # payloads above are kept as hashes


class Stream:
    """Bytes that follow from a seed alone."""

    def __init__(self, seed):
        self.seed, self.count, self.buffer = seed.encode(), 0, b''

    def __call__(self, size):
        while len(self.buffer) < size:
            self.buffer += hashlib.sha256(self.seed + self.count.to_bytes(8, 'little')).digest()
            self.count += 1
        piece, self.buffer = self.buffer[:size], self.buffer[size:]
        return piece


def secret_of_parity(stream, odd):
    """A secret whose public y is odd, even, or (None) either."""
    while True:
        secret = stream(32)
        if 1 <= int.from_bytes(secret, 'big') < secp.N:
            if odd is None or secp.multiply(secp.G, int.from_bytes(secret, 'big'))[1] % 2 == odd:
                return secret


def encode_beyond_the_prime(secret):
    """An encoding of the secret's key whose first half is no reduced number: read modulo p, hashed as it is."""
    x = secp.multiply(secp.G, secp.secret_number(secret))[0]
    for u in range(1, 1000):
        for case in range(8):
            t = secp.xswiftec_inverse(x, u, case)
            if t is not None:
                return (u + secp.P).to_bytes(32, 'big') + t.to_bytes(32, 'big')
    raise AssertionError('about one in four succeeds')


def encode_in_case(secret, wanted):
    """An encoding made by one of the eight cases of the inverse."""
    x, u = secp.multiply(secp.G, secp.secret_number(secret))[0], 1 << 200
    while (t := secp.xswiftec_inverse(x, u, wanted)) is None:
        u += 1
    return u.to_bytes(32, 'big') + t.to_bytes(32, 'big')


def make_frame(cipher, direction, extension, message_type, payload, channel=False):
    plain = frames.header(extension, message_type, len(payload), channel) + payload
    wire = frames.seal_frame(cipher, plain)
    if len(payload) <= STORED_LIMIT:
        return {'direction': direction, 'plaintext': plain.hex(), 'wire': wire.hex()}
    return {'direction': direction, 'header': plain[:frames.HEADER].hex(), 'payload_size': len(payload),
            'payload_sha256': hashlib.sha256(payload).hexdigest(), 'wire_sha256': hashlib.sha256(wire).hexdigest()}


def pattern(size):
    return bytes(i * 7 + 3 & 255 for i in range(size))


def transcript(name, sizes, odd=(None, None, None, None), valid=(1_700_000_000, 1_800_000_000), encoder=None):
    """odd: parity of the initiator's, responder's, static and authority key. encoder: for both ephemeral keys."""
    stream = Stream('adit noise vectors: ' + name)
    client, server, static, authority = (secret_of_parity(stream, parity) for parity in odd)
    encoder = encoder or (lambda secret: secp.ellswift_public(secret, stream))
    client_key, server_key = encoder(client), encoder(server)
    static_key = secp.ellswift_public(static, stream)
    aux = stream(32)
    certificate = noise.Certificate(0, *valid).sign(secp.public_x(static), authority, aux)
    initiator = noise.Initiator(client, client_key)
    message_1 = initiator.message_1()
    responder = noise.Responder(server, server_key, static, static_key, certificate)
    message_2, ciphers = responder.answer(message_1)
    keys = [cipher.key for cipher in ciphers]
    if [cipher.key for cipher in initiator.finish(message_2, secp.public_x(authority), valid[0])] != keys:
        raise AssertionError('the two roles do not agree')
    directions = dict(zip(('client_to_server', 'server_to_client'), ciphers))
    made = []
    for number, size in enumerate(sizes):
        for direction, cipher in directions.items():
            made.append(make_frame(cipher, direction, number % 3, 0x10 + number % 16, pattern(size), number % 2 == 1))
    return {
        'name': name,
        'initiator_ephemeral_secret': client.hex(), 'initiator_ephemeral_ellswift': client_key.hex(),
        'responder_ephemeral_secret': server.hex(), 'responder_ephemeral_ellswift': server_key.hex(),
        'responder_static_secret': static.hex(), 'responder_static_ellswift': static_key.hex(),
        'authority_secret': authority.hex(), 'authority_x': secp.public_x(authority).hex(),
        'valid_from': valid[0], 'not_valid_after': valid[1], 'signature_aux': aux.hex(),
        'message_1': message_1.hex(), 'message_2': message_2.hex(),
        'k_client_to_server': keys[0].hex(), 'k_server_to_client': keys[1].hex(),
        'handshake_hash': initiator.state.hash.hex(), 'frames': made,
    }


def main():
    edges = [0, 1, 65519, 65520]
    entries = [
        transcript('plain', [0, 1, 24, 255, 65519, 65520, 2]),
        transcript('all y even', edges, (0, 0, 0, 0)),
        transcript('all y odd', edges, (1, 1, 1, 1)),
        transcript('certificate for all times', edges, (0, 1, 0, 1), (0, 0xFFFFFFFF)),
        transcript('ephemeral halves above the prime', edges, encoder=encode_beyond_the_prime),
        transcript('pieces', [65518, 131038, 131039, 0, 196557, 1]),
        transcript('nonces beyond one byte', [n % 5 for n in range(140)]),
    ]
    for case in range(8):
        entries.append(transcript(f'ephemeral encoded in case {case}', edges,
                                  encoder=lambda secret, case=case: encode_in_case(secret, case)))
    json.dump(entries, sys.stdout, indent=1)
    sys.stdout.write('\n')


if __name__ == '__main__':
    main()
