# SPDX-License-Identifier: MIT
"""Corpus M2, first part: bytes, frames and greetings (M2-01 to M2-23, M2-54 to M2-59, M2-77). Names are the rows' ids."""

import os
import socket
import threading
import time
import unittest

import frames
import messages
import noise
import secp
from client import Miner
from link import Closed, Wire
from m2_support import Corpus
from sv2_support import AUTHORITY, LONG, MINER_ADDRESS

SERVER_ONLY = [name for name in messages.BY_NAME if name.endswith(('.Success', '.Error')) and messages.BY_NAME[
    name].extension == 0] + ['NewMiningJob', 'NewExtendedMiningJob', 'SetNewPrevHash', 'SetTarget',
                             'SetExtranoncePrefix', 'SetGroupChannel']
SUBSCRIBE = b'{"id":1,"method":"mining.subscribe","params":["cgminer/4.12.1"]}\n'


def wait_for_end(wire, begin, ended):
    """Notes in `ended` how long the connection lived and what came; for a thread."""
    try:
        said = wire.wait_closed(90)
        ended.append((time.monotonic() - begin, said))
    except TimeoutError:
        ended.append((None, b''))


class Bytes(Corpus):
    """Context n: before any key."""

    def wire(self):
        wire = Wire(self.pool.v2_address)
        self.addCleanup(wire.close)
        return wire

    def test_m2_01_02_silence(self):
        lives = []
        for data in (b'', os.urandom(63)):
            wire, ended, begin = self.wire(), [], time.monotonic()
            if data:
                wire.send_wire(data)
            thread = threading.Thread(target=wait_for_end, args=(wire, begin, ended), daemon=True)
            thread.start()
            lives.append((thread, ended))
        for thread, ended in lives:
            thread.join(20)
            self.assertTrue(ended and ended[0][0], 'still open')
            self.assertTrue(4 < ended[0][0] < 15, ended)
            self.assertEqual(ended[0][1], b'')

    def test_m2_03_any_key_is_a_key(self):
        for key in (bytes(64), b'\xff' * 64, os.urandom(64)):
            wire = self.wire()
            wire.send_wire(key)
            self.assertEqual(len(wire.read_exactly(234)), 234)
            wire.send_wire(os.urandom(22))
            self.assertEqual(wire.wait_closed(3), b'')

    def test_m2_04_a_v1_miner(self):
        mark = self.pool.log_mark()
        for _ in range(2):
            wire = self.wire()
            wire.send_wire(SUBSCRIBE)
            self.assertEqual(wire.wait_closed(12), b'')
        self.pool.wait_log('V1 on V2 port', since=mark)

    def test_m2_05_tls_and_http(self):
        hello = bytes.fromhex('16030100f0010000ec0303') + os.urandom(32) + b'\x20' + os.urandom(200)
        get = b'GET /index.html HTTP/1.1\r\nHost: pool\r\nUser-Agent: Mozilla/5.0 (X11; Linux)\r\nAccept: */*\r\n\r\n'
        for data in (hello, get):
            wire = self.wire()
            wire.send_wire(data)
            try:
                answer = wire.wait_closed(12)
            except TimeoutError:
                self.fail(f'still open after {data[:12]}')
            self.assertEqual(answer, b'')


class Greetings(Corpus):
    """Context h: keys, but no SetupConnection yet."""

    def test_m2_06_length_of_16_mib(self):
        miner = self.context_h()
        miner.send_frame(self.frame(0x00, length=0xFFFFFF))
        self.closed(miner)

    def test_m2_09_setup_of_length_0(self):
        miner = self.context_h()
        miner.send_frame(self.frame(0x00))
        self.closed(miner)

    def test_m2_11_open_comes_first(self):
        for extended in (False, True):
            miner = self.context_h()
            miner.ask_open(MINER_ADDRESS, extended)
            self.closed(miner)

    def refused(self, code, flags=0, **fields):
        miner = self.context_h()
        answer = miner.setup(**{'flags': flags, **fields})
        self.assertEqual((answer.name, answer.error_code), ('SetupConnection.Error', code))
        self.closed(miner, 1.5)
        return answer.flags

    def test_m2_12_protocols(self):
        for protocol in (1, 2, 255):
            self.assertEqual(self.refused('unsupported-protocol', protocol=protocol), 0)

    def cpu_seconds(self):
        with open(f'/proc/{self.pool.process.pid}/stat') as stat:
            fields = stat.read().rsplit(') ', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def test_m2_13_frames_after_the_refusal(self):
        before = self.cpu_seconds()
        for _ in range(10):
            miner = self.context_h()
            setup = messages.encode('SetupConnection', **miner.setup_fields(protocol=1))
            again = messages.encode('SetupConnection', **miner.setup_fields())
            miner.send_wire(miner.seal(setup) + b''.join(miner.seal(again) for _ in range(20)))
            begin = time.monotonic()
            self.closed(miner, 2, said=['SetupConnection.Error'])
            self.assertLess(time.monotonic() - begin, 1.5)
        begin = time.monotonic()
        self.context_s()
        self.assertLess(time.monotonic() - begin, 0.5)
        self.assertLess(self.cpu_seconds() - before, 2)

    def test_m2_14_15_versions(self):
        for least, most in ((3, 3), (3, 0xFFFF), (2, 1), (0, 1)):
            self.assertEqual(self.refused('protocol-version-mismatch', min_version=least, max_version=most), 0)
        self.assertEqual(self.context_h().setup(min_version=0, max_version=0xFFFF).used_version, 2)

    def test_m2_16_17_flags(self):
        for flags, unsupported in ((0x80000000, 0x80000000), (2, 2), (3, 2), (0xFFFFFFFF, 0xFFFFFFFA), (8, 8)):
            self.assertEqual(self.refused('unsupported-feature-flags', flags=flags), unsupported)

    def test_m2_19_vendor_beyond_the_end(self):
        miner = self.context_h()
        fields = miner.setup_fields(vendor='v', hardware_version='', firmware='', device_id='')
        payload = messages.payload('SetupConnection', **fields)
        at = payload.rindex(b'\x01v')
        for cut in (payload[:at] + b'\xff' + payload[at + 1:], payload[:-1], payload[:1]):
            miner = self.context_h()
            miner.send_frame(self.frame(0x00, cut))
            self.closed(miner)

    def test_m2_20_strange_names(self):
        miner = self.context_h()
        answer = miner.setup(vendor=b'\xff' * 255, device_id=b'\x1b[2J\ninjected line\x00')
        self.assertEqual(answer.name, 'SetupConnection.Success')
        self.keeps(miner)
        miner.close()
        text = self.pool.log_text()
        self.assertNotIn('\x1b[2J', text)
        self.assertNotIn('\ninjected', text)

    def test_m2_77_everything_in_one_segment(self):
        miner = self.context_h()
        setup = messages.encode('SetupConnection', **miner.setup_fields())
        wanted = messages.encode('OpenStandardMiningChannel', request_id=1, user_identity=MINER_ADDRESS,
                                 nominal_hash_rate=1e3, max_target=b'\xff' * 32)
        miner.waiting[1] = MINER_ADDRESS
        miner.send_wire(miner.seal(setup) + miner.seal(wanted))
        miner.sock.shutdown(socket.SHUT_WR)
        with self.assertRaises(Closed):
            miner.read_for(3)


class Established(Corpus):
    """Context s and c: types and lengths."""

    def test_m2_07_08_submit_of_another_length(self):
        for context, length in (('s', 65536), ('c', 23), ('c', 0)):
            made = getattr(self, 'context_' + context)()
            miner = made[0] if context == 'c' else made
            payload = bytes(length)
            miner.send_frame(self.frame(0x1a, payload, channel=True))
            self.closed(miner)

    def test_m2_10_pieces_of_a_large_message(self):
        """RequestExtensions may be 131,074 bytes long; it is the largest message a miner can send here."""
        for size in (65518, 65519, 65520, 131038, 131039):
            miner = self.context_s()
            count = (size - 4) // 2
            body = messages.payload('RequestExtensions', request_id=9, requested=[2] + [0x4000] * (count - 1))
            body += bytes(size - len(body))
            since = len(miner.log)
            miner.send_frame(self.frame(0x00, body, extension=1))
            answer = miner.wait_for('RequestExtensions.Success', since=since)
            self.assertEqual((answer.request_id, answer.supported), (9, [2]))
            self.keeps(miner)

    def test_m2_18_second_setup(self):
        miner = self.context_s()
        miner.send('SetupConnection', **miner.setup_fields())
        self.closed(miner)

    def test_m2_21_unknown_extension(self):
        for context, channel in (('s', False), ('c', True)):
            made = getattr(self, 'context_' + context)()
            miner = made[0] if context == 'c' else made
            for size in (0, 4, 100):
                for _ in range(10):
                    miner.send_frame(self.frame(0x07, bytes(size), extension=0x4444, channel=channel))
            self.silent(miner)
            self.keeps(miner)

    def test_m2_22_unknown_type(self):
        miner = self.context_s()
        miner.send_frame(self.frame(0xCD, b'what is this'))
        self.silent(miner)
        self.keeps(miner)
        self.strikes(5, lambda m: m.send_frame(self.frame(0xCD, b'what is this')))

    def test_m2_23_messages_of_a_server(self):
        for name in SERVER_ONLY:
            with self.subTest(name=name):
                miner = self.context_s()
                fields = {field: messages.sample(type_) for field, type_ in messages.BY_NAME[name].fields}
                miner.send(name, **fields)
                self.closed(miner)


class Tampering(Corpus):
    """Context c: what an attacker on the path can do. Nothing is executed, and nobody is blamed."""

    def setUp(self):
        self.miner, self.channel, _ = self.context_c()
        self.share = self.channel.find(block=False)
        self.plain = messages.encode('SubmitSharesStandard', **self.share.fields(sequence_number=1))

    def ends_unheard(self):
        self.closed(self.miner)
        self.not_booked(self.share)
        self.keeps(self.context_s())  # the address is not banned

    def flipped(self, at):
        sealed = bytearray(self.miner.seal(self.plain))
        sealed[at] ^= 1
        self.miner.send_wire(bytes(sealed))

    def test_m2_54_bit_of_the_header(self):
        self.flipped(3)
        self.ends_unheard()

    def test_m2_54_bit_of_the_headers_mac(self):
        self.flipped(21)
        self.ends_unheard()

    def test_m2_55_bit_of_the_payload(self):
        self.flipped(30)
        self.ends_unheard()

    def test_m2_55_bit_of_the_mac(self):
        self.flipped(-1)
        self.ends_unheard()

    def test_m2_56_replay(self):
        sealed = self.miner.seal(self.plain)
        self.miner.pending.append((self.channel.id, 1))
        self.miner.send_wire(sealed)
        self.assertEqual(self.miner.verdict((self.channel.id, 1)), 'accepted')
        self.miner.send_wire(sealed)
        self.closed(self.miner)
        rows = [row for row in self.pool.lines('shares') if row['hash'] == self.share.hash]
        self.assertEqual(len(rows), 1)

    def test_m2_57_swapped(self):
        one, two = self.miner.seal(self.plain), self.miner.seal(self.plain)
        self.miner.send_wire(two + one)
        self.ends_unheard()

    def test_m2_58_half_and_the_end(self):
        sealed = self.miner.seal(self.plain)
        self.miner.send_wire(sealed[:40])
        self.miner.sock.shutdown(socket.SHUT_WR)
        self.ends_unheard()

    def test_m2_54_a_thousand_flips_ban_nobody(self):
        for _ in range(25):
            miner = self.context_s()
            sealed = bytearray(miner.seal(self.plain))
            sealed[0] ^= 0x80
            miner.send_wire(bytes(sealed))
            miner.close()
        self.keeps(self.context_s())


@unittest.skipUnless(LONG, 'a minute of waiting: tools/test --long (tests/stratum does it with a clock of its own)')
class Dribble(Corpus):
    def test_m2_59_one_byte_each_second(self):
        miner, channel, _ = self.context_c()
        share = channel.find(block=False)
        sealed = miner.seal(messages.encode('SubmitSharesStandard', **share.fields(sequence_number=1)))
        begin, at = time.monotonic(), 0
        try:
            while time.monotonic() - begin < 80:
                if at < len(sealed) - 1:
                    miner.send_wire(sealed[at:at + 1])
                    at += 1
                miner.read_for(1)
        except Closed:
            self.assertTrue(40 < time.monotonic() - begin < 75, time.monotonic() - begin)
            self.not_booked(share)
            return
        self.fail('still open')


class Delivery(Corpus):
    """Not a row of its own: whole frames in any cut are the same as in one piece (M2-10's neighbours)."""

    def test_cut_at_every_byte(self):
        miner, channel, extended = self.context_c()
        for channel in (channel, extended):
            share = channel.find(block=False)
            key = (channel.id, 77)
            miner.pending.append(key)
            name = 'SubmitSharesExtended' if channel.extended else 'SubmitSharesStandard'
            for byte in miner.seal(messages.encode(name, **share.fields(sequence_number=77))):
                miner.send_wire(bytes([byte]))
            self.assertEqual(miner.verdict(key), 'accepted')

    def test_handshake_byte_by_byte(self):
        wire = Wire(self.pool.v2_address)
        self.addCleanup(wire.close)
        secret = os.urandom(32)
        initiator = noise.Initiator(secret, secp.ellswift_public(secret, os.urandom))
        for byte in initiator.message_1():
            wire.send_wire(bytes([byte]))
        outgoing, incoming = initiator.finish(wire.read_exactly(234), AUTHORITY, time.time())
        wire.send_wire(frames.seal_frame(outgoing, messages.encode('SetupConnection', **Miner.setup_fields())))
        reader = frames.FrameReader(incoming)
        reader.feed(wire.read_exactly(22 + 6 + 16))
        self.assertEqual(messages.decode(reader.next()).name, 'SetupConnection.Success')


if __name__ == '__main__':
    unittest.main(verbosity=2)
