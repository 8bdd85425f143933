# SPDX-License-Identifier: MIT
"""Corpus M2, second part: opening, changing and closing channels, custom jobs, extensions asked for (M2-24 to M2-41,
M2-60 to M2-66, M2-72 to M2-76). Names are the rows' ids."""

import struct
import unittest

import messages
from m2_support import EASIEST, Corpus
from sv2_support import LONG, MINER_ADDRESS, NETWORK_TARGET, OTHER_ADDRESS, memory_kib
from work import number

QUIET_NAN, SIGNALLING_NAN = bytes.fromhex('0000c07f'), bytes.fromhex('0100807f')
INFINITE, MINUS_INFINITE = struct.pack('<f', float('inf')), struct.pack('<f', float('-inf'))
RATE = 'invalid-nominal-hashrate'
USER = MINER_ADDRESS + '.open'


class Opening(Corpus):
    def refused(self, code, user=USER, **wishes):
        for extended in (False, True):
            miner = self.context_s()
            self.assertEqual(miner.open(user, extended, **wishes), code, (user, wishes, extended))
            self.keeps(miner)

    def granted(self, **wishes):
        """The targets of both kinds of channel."""
        targets = []
        for extended in (False, True):
            miner = self.context_s()
            channel = miner.open(USER, extended, **wishes)
            self.assertNotIsInstance(channel, str, wishes)
            targets.append(channel.target)
            self.keeps(miner, channel)
        return targets

    def test_m2_24_nan(self):
        self.refused(RATE, rate=QUIET_NAN)
        self.refused(RATE, rate=SIGNALLING_NAN)

    def test_m2_24_strikes(self):
        self.strikes(5, lambda miner: miner.open(USER, rate=QUIET_NAN))

    def test_m2_25_infinite(self):
        self.refused(RATE, rate=INFINITE)
        self.refused(RATE, rate=MINUS_INFINITE)

    def test_m2_26_negative(self):
        self.refused(RATE, rate=-1.0)
        self.refused(RATE, rate=-1e-40)
        self.assertEqual(self.granted(rate=-0.0), self.granted(rate=0.0))

    def test_m2_27_no_rate(self):
        for target in self.granted(rate=0.0):
            self.assertAlmostEqual(target / EASIEST, 1, places=3)

    def test_m2_28_largest_rate(self):
        for target in self.granted(rate=3.4e38):
            self.assertGreaterEqual(target, NETWORK_TARGET * 0.999)
        for target in self.granted(rate=1e-40):
            self.assertAlmostEqual(target / EASIEST, 1, places=3)

    def test_m2_29_no_target(self):
        self.refused('max-target-out-of-range', max_target=bytes(32))

    def test_m2_30_any_target(self):
        for target in self.granted(rate=0.0, max_target=b'\xff' * 32):
            self.assertLessEqual(target, EASIEST * 1.001)

    def test_m2_31_harder_than_our_start(self):
        for wanted in (1 << 250, (1 << 251) - 1, 0x123456789abcdef << 193):
            for target in self.granted(rate=0.0, max_target=wanted.to_bytes(32, 'little')):
                self.assertLessEqual(target, wanted)
                self.assertGreater(target, wanted * 0.999)

    def test_m2_32_another_user(self):
        miner = self.context_s()
        one, two = miner.open(MINER_ADDRESS + '.m32a'), miner.open(OTHER_ADDRESS + '.m32b')
        hashes = {}
        for channel in (one, two, one):
            share = channel.find(block=False)
            self.assertEqual(miner.judge(share), 'accepted')
            hashes[share.hash] = tuple(channel.user.split('.'))
        rows = {row['hash']: (row['account'], row['worker']) for row in self.pool.lines('shares')}
        self.assertEqual({digest: rows.get(digest) for digest in hashes}, hashes)

    def test_m2_33_too_many(self):
        miner = self.context_s(flags=1)
        channels = [miner.open(USER) for _ in range(128)]
        self.assertTrue(all(not isinstance(channel, str) for channel in channels))
        self.assertEqual(miner.open(USER), 'channel-capacity-exhausted')
        self.keeps(miner, channels[127])
        miner.close_channel(channels[0].id)
        self.assertNotIsInstance(miner.open(USER), str, 'a closed channel makes room')

    def test_m2_73_extranonce_too_long(self):
        miner = self.context_s()
        for size in (33, 256, 0x8000, 0xFFFF):
            self.assertEqual(miner.open(USER, extended=True, min_extranonce_size=size), 'min-extranonce-size-too-large')
        self.keeps(miner)
        self.strikes(2, lambda m: m.open(USER, extended=True, min_extranonce_size=33))

    def test_m2_75_users(self):
        for user, code in (('', 'unknown-user'), ('bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq.w', 'unknown-user'),
                           (MINER_ADDRESS[:-1], 'unknown-user'), ('x' * 255, 'unknown-user'),
                           (MINER_ADDRESS.encode() + b'.a\nb', 'invalid-user-identity'),
                           (b'\x1b[2J', 'invalid-user-identity'), (b'\x00', 'invalid-user-identity')):
            self.refused(code, user=user)
        self.assertNotIn('\x1b[2J', self.pool.log_text())

    def test_m2_75_user_cut_short(self):
        miner = self.context_s()
        payload = struct.pack('<I', 1) + b'\xff' + b'bcrt1'
        miner.send_frame(self.frame(0x10, payload))
        self.closed(miner)

    def test_m2_76_open_and_close(self):
        """Everything about a channel goes with it: 2,000 of them, with --long 10,000."""
        miner = self.context_s(flags=1, timeout=30)
        levels = []
        rounds = 100 if LONG else 20
        for cycle in range(rounds):
            requests = [miner.ask_open(USER) for _ in range(100)]
            miner.wait(lambda: all(request in miner.opened for request in requests), 30)
            self.assertEqual({miner.opened[request].name for request in requests}, {'OpenStandardMiningChannel.Success'})
            for identifier in list(miner.channels):
                miner.close_channel(identifier)
            if cycle % (rounds // 5) == rounds // 5 - 1:
                miner.log.clear()
                miner.opened.clear()
                self.node.generate(1)
                miner.read_for(0.3)
                levels.append(memory_kib(self.pool.process.pid))
        self.assertLess(levels[-1] - levels[1], 6000, f'KiB after each fifth: {levels}')
        self.keeps(miner)


class Changing(Corpus):
    """Ids that are not there, rates that are none."""

    def update(self, miner, identifier, rate=1e3, target=b'\xff' * 32):
        return self.answered(miner, 'UpdateChannel.Error', lambda: miner.send(
            'UpdateChannel', channel_id=identifier, nominal_hash_rate=rate, maximum_target=target))

    def test_m2_34_update_of_an_unknown_id(self):
        miner, channel, _ = self.context_c()
        answer = self.update(miner, 0xDEAD)
        self.assertEqual((answer.channel_id, answer.error_code), (0xDEAD, 'invalid-channel-id'))
        self.keeps(miner, channel)
        self.strikes(2, lambda m, *_: self.update(m, 0xDEAD), context='c')

    def test_m2_35_update_with_no_number(self):
        miner, *channels = self.context_c()
        for channel in channels:
            for rate in (QUIET_NAN, SIGNALLING_NAN, INFINITE, MINUS_INFINITE, -1.0):
                answer = self.update(miner, channel.id, rate)
                self.assertEqual((answer.channel_id, answer.error_code), (channel.id, RATE))
        self.keeps(miner, channels[0])

    def test_m2_36_close_of_what_is_closed(self):
        miner, channel, extended = self.context_c()
        for identifier in (0xDEAD, extended.id, extended.id):
            miner.send('CloseChannel', channel_id=identifier, reason_code='bye')
        miner.forget(extended.id)
        self.silent(miner)
        self.keeps(miner, channel)
        self.strikes(5, lambda m, *_: m.send('CloseChannel', channel_id=0xDEAD, reason_code='bye'), context='c')

    def test_m2_36_reason_with_control_characters(self):
        miner, channel, extended = self.context_c()
        miner.close_channel(extended.id, b'\x1b[2J\nno')
        self.silent(miner)
        self.keeps(miner, channel)
        self.assertNotIn('\x1b[2J', self.pool.log_text())

    def test_m2_37_close_of_the_group(self):
        miner, channel, extended = self.context_c()
        late = [one.find(block=False) for one in (channel, extended)]
        for group in {channel.group, extended.group}:
            miner.close_channel(group)
        self.assertEqual([miner.judge(share) for share in late], ['invalid-channel-id'] * 2)
        self.keeps(miner)

    def test_m2_38_submit_after_close(self):
        miner, channel, extended = self.context_c()
        for one in (channel, extended):
            late = one.find(block=False)
            miner.close_channel(one.id)
            self.assertEqual(miner.judge(late), 'invalid-channel-id')
        self.keeps(miner)

    def test_m2_39_submit_of_the_other_kind(self):
        miner, channel, extended = self.context_c()
        for one in (channel, extended):
            share = one.find(block=False)
            fields = share.fields(sequence_number=5)
            if one is channel:
                fields['extranonce'] = b''
            else:
                del fields['extranonce']
            name = 'SubmitSharesExtended' if one is channel else 'SubmitSharesStandard'
            miner.pending.append((one.id, 5))
            miner.send(name, **fields)
            self.assertEqual(miner.verdict((one.id, 5)), 'invalid-channel-id')
            self.not_booked(share)
        self.keeps(miner, channel)

    def test_m2_40_id_of_another_connection(self):
        miner, channel, _ = self.context_c()
        others = {c.id for c in self.observer.channels.values()} | {channel.id + 1000, 0, 0xFFFFFFFF}
        foreign = others - {c.id for c in miner.channels.values()} - {c.group for c in miner.channels.values()}
        self.assertTrue(foreign)
        for identifier in foreign:
            share = channel.find(block=False)
            self.assertEqual(miner.judge(share, channel_id=identifier), 'invalid-channel-id')
            self.not_booked(share)
        self.keeps(miner, channel)

    def test_m2_41_submit_to_the_group(self):
        miner, channel, extended = self.context_c()
        for one in (channel, extended):
            self.assertEqual(miner.judge(one.find(block=False), channel_id=one.group), 'invalid-channel-id')
        self.keeps(miner, channel)


class Custom(Corpus):
    """Without custom jobs every form of one has the same answer."""

    FIELDS = {'request_id': 5, 'mining_job_token': b'\x01' * 8, 'version': 0x20000000, 'prev_hash': bytes(32),
              'min_ntime': 0, 'nbits': 0x1f7fffff, 'coinbase_tx_version': 2, 'coinbase_prefix': b'\x01\x6f',
              'coinbase_tx_input_nsequence': 0xFFFFFFFE, 'coinbase_tx_outputs': b'\x00', 'coinbase_tx_locktime': 0,
              'merkle_path': []}
    FORMS = {
        'm2_60': {}, 'm2_61': {'mining_job_token': b''}, 'm2_62': {'coinbase_tx_outputs': b'\x01' + bytes(8) + b'\x00'},
        'm2_63': {'coinbase_tx_outputs': bytes.fromhex('fd0100')},
        'm2_63b': {'coinbase_tx_outputs': bytes.fromhex('ff0000000001000000')}, 'm2_63c': {'coinbase_tx_outputs': b'\x05'},
        'm2_64': {'coinbase_prefix': bytes(9)}, 'm2_65': {'nbits': 0}, 'm2_66': {'merkle_path': [bytes(32)] * 255},
    }

    def ask(self, miner, channel, changes):
        return self.answered(miner, 'SetCustomMiningJob.Error', lambda: miner.send(
            'SetCustomMiningJob', channel_id=channel.id, **{**self.FIELDS, **changes}))

    def test_m2_60_to_66_custom_jobs_are_off(self):
        miner, channel, extended = self.context_c()
        for row, changes in self.FORMS.items():
            with self.subTest(row=row):
                answer = self.ask(miner, extended, changes)
                self.assertEqual((answer.channel_id, answer.request_id, answer.error_code),
                                 (extended.id, 5, 'jd-not-supported'))
        self.keeps(miner, channel)

    def test_m2_60_strikes(self):
        self.strikes(5, lambda m, _, extended: self.ask(m, extended, {}), context='c')


class Extensions(Corpus):
    def test_m2_72_all_of_them(self):
        miner = self.context_s()
        wanted = [n for n in range(65535 + 1) if n != 2]
        answer = miner.request_extensions(*wanted)
        self.assertEqual(answer.name, 'RequestExtensions.Error')
        self.assertEqual(answer.required, [])
        self.keeps(miner)

    def test_m2_72_cut_short(self):
        for payload in (b'', b'\x01', struct.pack('<HH', 1, 3) + bytes(5), struct.pack('<HH', 1, 0xFFFF)):
            miner = self.context_s()
            miner.send_frame(self.frame(0x00, payload, extension=1))
            self.closed(miner)

    def test_m2_67_booleans(self):
        """No message of a miner has a BOOL; our own reader takes bit 0 alone."""
        for byte, value in ((0xFE, False), (0xFF, True)):
            self.assertIs(messages.BOOL.read(messages.Reader(bytes([byte]))), value)

    def test_m2_68_channel_bit_the_other_way(self):
        miner = self.context_h()
        miner.send('SetupConnection', channel_bit=True, **miner.setup_fields())
        miner.wait_for('SetupConnection.Success', since=0)
        fields = {'user_identity': USER, 'nominal_hash_rate': 1e3, 'max_target': b'\xff' * 32}
        miner.waiting.update({1: USER, 2: USER})
        miner.send('OpenStandardMiningChannel', channel_bit=True, request_id=1, **fields)
        miner.send('OpenExtendedMiningChannel', channel_bit=True, request_id=2, min_extranonce_size=4, **fields)
        miner.wait(lambda: len(miner.channels) == 2 and all(c.job for c in miner.channels.values()))
        for channel in list(miner.channels.values()):
            share = channel.find(block=False)
            self.assertLessEqual(number(share.raw_hash), channel.target)
            key = (channel.id, 1)
            miner.pending.append(key)
            miner.send('SubmitSharesExtended' if channel.extended else 'SubmitSharesStandard', channel_bit=False,
                       **share.fields(sequence_number=1))
            self.assertEqual(miner.verdict(key), 'accepted')
        first, second = miner.channels.values()
        miner.send('UpdateChannel', channel_bit=False, channel_id=first.id, nominal_hash_rate=1e3,
                   maximum_target=b'\xff' * 32)
        miner.send('CloseChannel', channel_bit=False, channel_id=second.id, reason_code='')
        miner.forget(second.id)
        self.silent(miner)
        self.keeps(miner, first)


if __name__ == '__main__':
    unittest.main(verbosity=2)
