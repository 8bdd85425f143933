# SPDX-License-Identifier: MIT
"""The test client's own parts against the official vectors, and the stored handshakes against both roles."""

import csv
import hashlib
import json
import os
import random
import unittest

import frames
import messages
import noise
import secp

VECTORS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'vectors')


def rows(name):
    with open(os.path.join(VECTORS, name), newline='') as file:
        return list(csv.DictReader(file))


class Curve(unittest.TestCase):
    def test_bip340(self):
        table = rows('bip340_test_vectors.csv')
        self.assertEqual(len(table), 19)
        for row in table:
            with self.subTest(index=row['index']):
                public, message, signature = (bytes.fromhex(row[name]) for name in ('public key', 'message', 'signature'))
                self.assertEqual(secp.verify(public, message, signature), row['verification result'] == 'TRUE')
                if row['secret key']:
                    secret = bytes.fromhex(row['secret key'])
                    self.assertEqual(secp.public_x(secret), public)
                    self.assertEqual(secp.sign(secret, message, bytes.fromhex(row['aux_rand'])), signature)

    def test_ellswift_decode(self):
        table = rows('bip324_ellswift_decode_test_vectors.csv')
        self.assertEqual(len(table), 76)
        for row in table:
            x = secp.ellswift_decode(bytes.fromhex(row['ellswift']))
            self.assertEqual(x.to_bytes(32, 'big').hex(), row['x'], row)

    def test_xswiftec_inverse(self):
        table = rows('bip324_xswiftec_inv_test_vectors.csv')
        self.assertEqual(len(table), 32)
        for row in table:
            u, x = int(row['u'], 16), int(row['x'], 16)
            for case in range(8):
                t = secp.xswiftec_inverse(x, u, case)
                wanted = row[f'case{case}_t']
                self.assertEqual('' if t is None else t.to_bytes(32, 'big').hex(), wanted, (row['u'], case))
                if t is not None:
                    self.assertEqual(secp.xswiftec(u, t), x)

    def test_shared_secrets(self):
        table = rows('bip324_packet_encoding_test_vectors.csv')
        self.assertEqual(len(table), 7)
        for row in table:
            secret = bytes.fromhex(row['in_priv_ours'])
            ours, theirs = bytes.fromhex(row['in_ellswift_ours']), bytes.fromhex(row['in_ellswift_theirs'])
            self.assertEqual(secp.public_x(secret).hex(), row['mid_x_ours'])
            self.assertEqual(f'{secp.ellswift_decode(theirs):064x}', row['mid_x_theirs'])
            self.assertEqual(secp.ecdh_x(secret, theirs).hex(), row['mid_x_shared'])
            shared = secp.shared_secret(secret, ours, theirs, row['in_initiating'] == '1')
            self.assertEqual(shared.hex(), row['mid_shared_secret'])

    def test_random_encodings_come_back(self):
        chance = random.Random(7)
        for _ in range(20):
            secret = chance.randrange(1, secp.N).to_bytes(32, 'big')
            encoded = secp.ellswift_public(secret, chance.randbytes)
            self.assertEqual(secp.ellswift_decode(encoded).to_bytes(32, 'big'), secp.public_x(secret))

    def test_secrets_out_of_range(self):
        for secret in (0, secp.N, secp.N + 1):
            with self.assertRaises(secp.BadKey):
                secp.public_x(secret.to_bytes(32, 'big'))


class Noise(unittest.TestCase):
    def test_first_hashes(self):
        state = noise.Symmetric()
        self.assertEqual(state.chaining_key.hex(), '2eb47881208e9eee1f669f67c66ee70ea9ea88090d503fe830dc4bc83e29bf10')
        self.assertEqual(state.hash.hex(), '922fa32e4f487c0d59caa3bed7899ce3d98db7e13dbd3b7cf2d23dd433dc6104')

    def test_authority_text(self):
        """The spec's vector, 4.7.1."""
        raw = bytes([118, 99, 112, 0, 151, 156, 28, 17, 175, 12, 48, 11, 205, 140, 127, 228, 134, 16, 252, 233, 185,
                     193, 30, 61, 174, 227, 90, 224, 176, 138, 116, 85])
        text = '9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh'
        self.assertEqual(noise.authority_text(raw), text)
        self.assertEqual(noise.authority_from_text(text), raw)
        with self.assertRaises(ValueError):
            noise.authority_from_text(text[:-1] + 'g')

    def test_hkdf(self):
        """RFC 5869, test case 3: empty salt and info; its 42 bytes begin with our two outputs' first 42."""
        one, two = noise.hkdf2(bytes(32), bytes([0x0b]) * 22)
        self.assertEqual((one + two)[:42].hex(), '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d'
                                                 '9d201395faa4b61a96c8')

    def handshake(self, chance, version=0, valid=(1000, 2000)):
        keys = [chance.randrange(1, secp.N).to_bytes(32, 'big') for _ in range(4)]
        client, ephemeral, static, authority = keys
        certificate = noise.Certificate(version, *valid).sign(secp.public_x(static), authority, chance.randbytes(32))
        responder = noise.Responder(ephemeral, secp.ellswift_public(ephemeral, chance.randbytes), static,
                                    secp.ellswift_public(static, chance.randbytes), certificate)
        return noise.Initiator(client, secp.ellswift_public(client, chance.randbytes)), responder, authority

    def test_both_roles_agree(self):
        initiator, responder, authority = self.handshake(random.Random(1))
        message_2, theirs = responder.answer(initiator.message_1())
        self.assertEqual(len(message_2), 234)
        ours = initiator.finish(message_2, secp.public_x(authority), 1500)
        self.assertEqual([c.key for c in ours], [c.key for c in theirs])
        self.assertEqual(initiator.state.hash, responder.state.hash)

    def test_bad_proofs_are_refused(self):
        chance = random.Random(2)
        for changes, now in (({'version': 1}, 1500), ({}, 985), ({}, 2015)):
            initiator, responder, authority = self.handshake(chance, **changes)
            message_2, _ = responder.answer(initiator.message_1())
            with self.assertRaises(noise.NoiseError):
                initiator.finish(message_2, secp.public_x(authority), now)
        initiator, responder, authority = self.handshake(chance)
        message_2, _ = responder.answer(initiator.message_1())
        with self.assertRaises(noise.NoiseError):
            initiator.finish(message_2, secp.public_x(bytes(31) + b'\x05'), 1500)
        for at in (3, 70, 150, 233):
            initiator, responder, authority = self.handshake(chance)
            message_2 = bytearray(responder.answer(initiator.message_1())[0])
            message_2[at] ^= 1
            with self.assertRaises(noise.NoiseError):
                initiator.finish(bytes(message_2), secp.public_x(authority), 1500)


class Frames(unittest.TestCase):
    LENGTHS = {0: 0, 1: 17, 65518: 65534, 65519: 65535, 65520: 65552, 131038: 131070, 131039: 131087,
               2**24 - 1: 16781327}

    def test_lengths(self):
        for plain, sealed in self.LENGTHS.items():
            self.assertEqual(frames.sealed_length(plain), sealed)

    def test_round_trips(self):
        key = bytes(range(32))
        for length in list(self.LENGTHS)[:-1]:
            plain = frames.header(0, 0x1b, length, True) + bytes(i * 7 + 3 & 255 for i in range(length))
            sealed = frames.seal_frame(noise.Cipher(key), plain)
            self.assertEqual(len(sealed), 22 + frames.sealed_length(length))
            reader = frames.FrameReader(noise.Cipher(key))
            cut = len(sealed) // 2
            reader.feed(sealed[:cut])
            self.assertIsNone(reader.next())
            reader.feed(sealed[cut:])
            self.assertEqual(reader.next(), plain)
            self.assertIsNone(reader.next())

    def test_byte_by_byte(self):
        key, sender = bytes(32), noise.Cipher(bytes(32))
        plain = [frames.header(1, n, n) + bytes(n) for n in range(4)]
        wire = b''.join(frames.seal_frame(sender, p) for p in plain)
        reader, got = frames.FrameReader(noise.Cipher(key)), []
        for byte in wire:
            reader.feed(bytes([byte]))
            while (frame := reader.next()) is not None:
                got.append(frame)
        self.assertEqual(got, plain)

    def test_header(self):
        self.assertEqual(frames.header(0, 0x1a, 24, True).hex(), '00801a180000')
        self.assertEqual(frames.header(1, 0, 0x030201).hex(), '010000010203')
        self.assertEqual(frames.parse_header(bytes.fromhex('00801a180000')), (0, True, 0x1a, 24))


class Transcripts(unittest.TestCase):
    """tests/vectors/noise_handshakes.json holds what this code makes of its secrets, whichever role reads it."""

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(VECTORS, 'noise_handshakes.json')) as file:
            cls.stored = json.load(file)

    def each(self):
        for entry in self.stored:
            yield entry, {k: bytes.fromhex(v) for k, v in entry.items() if isinstance(v, str) and k != 'name'}

    def test_initiator(self):
        for entry, raw in self.each():
            initiator = noise.Initiator(raw['initiator_ephemeral_secret'], raw['initiator_ephemeral_ellswift'])
            self.assertEqual(initiator.message_1(), raw['message_1'])
            ciphers = initiator.finish(raw['message_2'], raw['authority_x'], entry['valid_from'])
            self.assertEqual([c.key for c in ciphers], [raw['k_client_to_server'], raw['k_server_to_client']])
            self.assertEqual(initiator.state.hash, raw['handshake_hash'])
            self.check_frames(entry, dict(zip(('client_to_server', 'server_to_client'), ciphers)))

    def test_responder(self):
        for entry, raw in self.each():
            certificate = noise.Certificate(0, entry['valid_from'], entry['not_valid_after'])
            certificate.sign(secp.public_x(raw['responder_static_secret']), raw['authority_secret'], raw['signature_aux'])
            responder = noise.Responder(raw['responder_ephemeral_secret'], raw['responder_ephemeral_ellswift'],
                                        raw['responder_static_secret'], raw['responder_static_ellswift'], certificate)
            message_2, ciphers = responder.answer(raw['message_1'])
            self.assertEqual(message_2, raw['message_2'])
            self.assertEqual([c.key for c in ciphers], [raw['k_client_to_server'], raw['k_server_to_client']])

    def check_frames(self, entry, ciphers):
        for frame in entry['frames']:
            if 'plaintext' in frame:
                plain = bytes.fromhex(frame['plaintext'])
                self.assertEqual(frames.seal_frame(ciphers[frame['direction']], plain).hex(), frame['wire'])
                continue
            payload = bytes(i * 7 + 3 & 255 for i in range(frame['payload_size']))
            self.assertEqual(hashlib.sha256(payload).hexdigest(), frame['payload_sha256'])
            wire = frames.seal_frame(ciphers[frame['direction']], bytes.fromhex(frame['header']) + payload)
            self.assertEqual(hashlib.sha256(wire).hexdigest(), frame['wire_sha256'])


class Messages(unittest.TestCase):
    def test_every_message_comes_back(self):
        for kind in messages.KINDS:
            with self.subTest(name=kind.name):
                fields = {name: messages.sample(type_) for name, type_ in kind.fields}
                frame = messages.encode(kind.name, **fields)
                message = messages.decode(frame)
                self.assertEqual((message.name, message.channel_bit), (kind.name, kind.channel))
                self.assertEqual({name: getattr(message, name) for name in fields}, fields)
                self.assertEqual(message.rest, b'')

    def test_known_bytes(self):
        frame = messages.encode('SubmitSharesStandard', channel_id=1, sequence_number=2, job_id=3, nonce=0x04030201,
                                ntime=5, version=0x20000000)
        self.assertEqual(frame.hex(), '00801a180000' '01000000' '02000000' '03000000' '01020304' '05000000' '00000020')
        frame = messages.encode('RequestExtensions', request_id=7, requested=[1, 2])
        self.assertEqual(frame.hex(), '010000080000' '0700' '0200' '01000200')
        frame = messages.encode('NewMiningJob', channel_id=1, job_id=2, min_ntime=None, version=3, merkle_root=bytes(32))
        self.assertEqual(frame.hex(), '0080152d0000' '01000000' '02000000' '00' '03000000' + '00' * 32)

    def test_tlv_both_ways(self):
        self.assertEqual(messages.worker_tlv('Worker_001').hex(), '020001' '0a00' + b'Worker_001'.hex())
        self.assertEqual(messages.worker_tlv('Worker_001', big_endian=True).hex(), '000201' '000a' + b'Worker_001'.hex())

    def test_cut_messages_are_refused(self):
        for kind in messages.KINDS:
            frame = messages.encode(kind.name, **{name: messages.sample(type_) for name, type_ in kind.fields})
            with self.assertRaises(messages.Malformed, msg=kind.name):
                messages.decode(frame[:-1])


if __name__ == '__main__':
    unittest.main(verbosity=2)
