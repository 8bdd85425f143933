# SPDX-License-Identifier: MIT
"""Every common and mining message of Stratum V2 and of its extensions 1 and 2: one table, encode and decode.

A decoded message keeps what follows its last known field as `rest` (TLVs of extensions)."""

import struct
from collections import namedtuple

import frames


class Malformed(Exception):
    """The payload does not hold what its type says."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise Malformed(f'{size} bytes wanted, {len(self.data) - self.at} left')
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), 'little')


class Number:
    def __init__(self, size):
        self.size = size
        self.sample = int.from_bytes(bytes(range(0x81, 0x81 + size)), 'little')

    def write(self, value):
        return value.to_bytes(self.size, 'little')

    def read(self, reader):
        return reader.number(self.size)


class Bool:
    sample = True

    def write(self, value):
        return bytes([int(value)])

    def read(self, reader):
        return bool(reader.number(1) & 1)


class Float:
    sample = 12.5

    def write(self, value):
        """A number, or four bytes as they are."""
        return value if isinstance(value, bytes) else struct.pack('<f', value)

    def read(self, reader):
        return struct.unpack('<f', reader.take(4))[0]


class Raw:
    """A fixed number of bytes: U256 as it is hashed."""

    def __init__(self, size):
        self.size = size
        self.sample = bytes(range(size))

    def write(self, value):
        if len(value) != self.size:
            raise ValueError(f'{len(value)} bytes for {self.size}')
        return value

    def read(self, reader):
        return reader.take(self.size)


class Bytes:
    """A length of `prefix` bytes, then as many bytes."""

    def __init__(self, prefix, limit=None):
        self.prefix, self.limit = prefix, limit
        self.sample = b'abc'

    def write(self, value):
        value = value.encode() if isinstance(value, str) else value
        return len(value).to_bytes(self.prefix, 'little') + value

    def read(self, reader):
        size = reader.number(self.prefix)
        if self.limit is not None and size > self.limit:
            raise Malformed(f'{size} bytes, at most {self.limit}')
        return reader.take(size)


class Text(Bytes):
    sample = 'abc'

    def __init__(self):
        super().__init__(1)
        self.sample = 'abc'

    def read(self, reader):
        return super().read(reader).decode('utf-8', 'surrogateescape')


class Sequence:
    def __init__(self, prefix, item):
        self.prefix, self.item = prefix, item
        self.sample = [item.sample, item.sample]

    def write(self, value):
        return len(value).to_bytes(self.prefix, 'little') + b''.join(self.item.write(v) for v in value)

    def read(self, reader):
        return [self.item.read(reader) for _ in range(reader.number(self.prefix))]


class Option:
    def __init__(self, item):
        self.item = item
        self.sample = item.sample

    def write(self, value):
        return b'\x00' if value is None else b'\x01' + self.item.write(value)

    def read(self, reader):
        count = reader.number(1)
        if count > 1:
            raise Malformed(f'OPTION of {count}')
        return self.item.read(reader) if count else None


U8, U16, U32, U64, U256 = Number(1), Number(2), Number(4), Number(8), Raw(32)
BOOL, F32, STR, B32, B255, B64K = Bool(), Float(), Text(), Bytes(1, 32), Bytes(1), Bytes(2)
IDS, EXTENSIONS, PATH = Sequence(2, U32), Sequence(2, U16), Sequence(1, U256)

Kind = namedtuple('Kind', 'name extension type channel fields')


def kind(name, extension, type_, channel, **fields):
    return Kind(name, extension, type_, channel, list(fields.items()))


OPEN = {'request_id': U32, 'user_identity': STR, 'nominal_hash_rate': F32, 'max_target': U256}
SUBMIT = {'channel_id': U32, 'sequence_number': U32, 'job_id': U32, 'nonce': U32, 'ntime': U32, 'version': U32}

KINDS = [
    kind('SetupConnection', 0, 0x00, False, protocol=U8, min_version=U16, max_version=U16, flags=U32, endpoint_host=STR,
         endpoint_port=U16, vendor=STR, hardware_version=STR, firmware=STR, device_id=STR),
    kind('SetupConnection.Success', 0, 0x01, False, used_version=U16, flags=U32),
    kind('SetupConnection.Error', 0, 0x02, False, flags=U32, error_code=STR),
    kind('ChannelEndpointChanged', 0, 0x03, True, channel_id=U32),
    kind('Reconnect', 0, 0x04, False, new_host=STR, new_port=U16),
    kind('OpenStandardMiningChannel', 0, 0x10, False, **OPEN),
    kind('OpenStandardMiningChannel.Success', 0, 0x11, False, request_id=U32, channel_id=U32, target=U256,
         extranonce_prefix=B32, group_channel_id=U32),
    kind('OpenMiningChannel.Error', 0, 0x12, False, request_id=U32, error_code=STR),
    kind('OpenExtendedMiningChannel', 0, 0x13, False, **OPEN, min_extranonce_size=U16),
    kind('OpenExtendedMiningChannel.Success', 0, 0x14, False, request_id=U32, channel_id=U32, target=U256,
         extranonce_size=U16, extranonce_prefix=B32, group_channel_id=U32),
    kind('NewMiningJob', 0, 0x15, True, channel_id=U32, job_id=U32, min_ntime=Option(U32), version=U32,
         merkle_root=U256),
    kind('UpdateChannel', 0, 0x16, True, channel_id=U32, nominal_hash_rate=F32, maximum_target=U256),
    kind('UpdateChannel.Error', 0, 0x17, True, channel_id=U32, error_code=STR),
    kind('CloseChannel', 0, 0x18, True, channel_id=U32, reason_code=STR),
    kind('SetExtranoncePrefix', 0, 0x19, True, channel_id=U32, extranonce_prefix=B32),
    kind('SubmitSharesStandard', 0, 0x1a, True, **SUBMIT),
    kind('SubmitSharesExtended', 0, 0x1b, True, **SUBMIT, extranonce=B32),
    kind('SubmitShares.Success', 0, 0x1c, True, channel_id=U32, last_sequence_number=U32,
         new_submits_accepted_count=U32, new_shares_sum=U64),
    kind('SubmitShares.Error', 0, 0x1d, True, channel_id=U32, sequence_number=U32, error_code=STR),
    kind('NewExtendedMiningJob', 0, 0x1f, True, channel_id=U32, job_id=U32, min_ntime=Option(U32), version=U32,
         version_rolling_allowed=BOOL, merkle_path=PATH, coinbase_tx_prefix=B64K, coinbase_tx_suffix=B64K),
    kind('SetNewPrevHash', 0, 0x20, True, channel_id=U32, job_id=U32, prev_hash=U256, min_ntime=U32, nbits=U32),
    kind('SetTarget', 0, 0x21, True, channel_id=U32, maximum_target=U256),
    kind('SetCustomMiningJob', 0, 0x22, True, channel_id=U32, request_id=U32, mining_job_token=B255, version=U32,
         prev_hash=U256, min_ntime=U32, nbits=U32, coinbase_tx_version=U32, coinbase_prefix=B255,
         coinbase_tx_input_nsequence=U32, coinbase_tx_outputs=B64K, coinbase_tx_locktime=U32, merkle_path=PATH),
    kind('SetCustomMiningJob.Success', 0, 0x23, True, channel_id=U32, request_id=U32, job_id=U32),
    kind('SetCustomMiningJob.Error', 0, 0x24, True, channel_id=U32, request_id=U32, error_code=STR),
    kind('SetGroupChannel', 0, 0x25, False, group_channel_id=U32, channel_ids=IDS),
    kind('RequestExtensions', 1, 0x00, False, request_id=U16, requested=EXTENSIONS),
    kind('RequestExtensions.Success', 1, 0x01, False, request_id=U16, supported=EXTENSIONS),
    kind('RequestExtensions.Error', 1, 0x02, False, request_id=U16, unsupported=EXTENSIONS, required=EXTENSIONS),
]
BY_NAME = {kind.name: kind for kind in KINDS}
BY_CODE = {(kind.extension, kind.type): kind for kind in KINDS}


class Message:
    """name, the fields of the table, `rest`, and the channel bit as it came."""

    def __init__(self, name, channel_bit, rest, fields):
        self.name, self.channel_bit, self.rest, self.fields = name, channel_bit, rest, fields
        self.__dict__.update(fields)

    def __repr__(self):
        shown = {k: v.hex() if isinstance(v, bytes) else v for k, v in self.fields.items()}
        return f'{self.name}({", ".join(f"{k}={v}" for k, v in shown.items())})'


def sample(type_):
    return type_.sample


def payload(name, **fields):
    known = BY_NAME[name]
    if set(fields) != {field for field, _ in known.fields}:
        raise ValueError(f'{name} has the fields {[field for field, _ in known.fields]}')
    return b''.join(type_.write(fields[field]) for field, type_ in known.fields)


def encode(name, rest=b'', channel_bit=None, **fields):
    """Header and payload in the clear. rest: TLVs or anything else behind the fields."""
    known, body = BY_NAME[name], payload(name, **fields) + rest
    bit = known.channel if channel_bit is None else channel_bit
    return frames.header(known.extension, known.type, len(body), bit) + body


def decode(frame):
    extension, bit, type_, length = frames.parse_header(frame)
    known = BY_CODE.get((extension, type_))
    if known is None:
        raise Malformed(f'extension {extension:#x} type {type_:#x}')
    if len(frame) != frames.HEADER + length:
        raise Malformed('the header tells another length')
    reader = Reader(frame[frames.HEADER:])
    fields = {field: field_type.read(reader) for field, field_type in known.fields}
    return Message(known.name, bit, reader.data[reader.at:], fields)


def tlv(extension, field, value, big_endian=False):
    order = '>' if big_endian else '<'
    return struct.pack(order + 'HBH', extension, field, len(value)) + value


def worker_tlv(name, big_endian=False):
    """Extension 2: who of those behind an extended channel found the share."""
    return tlv(2, 1, name.encode() if isinstance(name, str) else name, big_endian)
