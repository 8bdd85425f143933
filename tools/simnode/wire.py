# SPDX-License-Identifier: MIT
"""Bytes to blocks and back: headers, transactions (with and without witness), compact sizes.

Hashes are kept in the order in which they are hashed; `display` turns one into the order people read.
"""
import hashlib
import struct

NULL_HASH = bytes(32)


class DecodeError(ValueError):
    """The bytes are not a canonical serialisation."""


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def display(digest):
    return digest[::-1].hex()


def parse_hash(text):
    """The 32 bytes of a displayed hash; ValueError when it is not exactly 64 hex digits."""
    if len(text) != 64:
        raise ValueError("must be of length 64 (not %d, for '%s')" % (len(text), text))
    return bytes.fromhex(text)[::-1]


def compact_size(n):
    if n < 0xFD:
        return bytes([n])
    if n <= 0xFFFF:
        return b"\xfd" + struct.pack("<H", n)
    if n <= 0xFFFFFFFF:
        return b"\xfe" + struct.pack("<I", n)
    return b"\xff" + struct.pack("<Q", n)


class Reader:
    """Reads forward through bytes and never past the end."""

    def __init__(self, data):
        self.data = data
        self.pos = 0

    def take(self, n):
        end = self.pos + n
        if end > len(self.data):
            raise DecodeError("end of data")
        piece = self.data[self.pos:end]
        self.pos = end
        return piece

    def unpack(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def compact(self):
        first = self.take(1)[0]
        if first < 0xFD:
            return first
        form, least = {0xFD: ("<H", 0xFD), 0xFE: ("<I", 0x10000), 0xFF: ("<Q", 0x100000000)}[first]
        n = self.unpack(form)
        if n < least:
            raise DecodeError("non-canonical compact size")
        if n > 0x02000000:
            raise DecodeError("compact size too large")
        return n

    def blob(self):
        return self.take(self.compact())


class TxIn:
    __slots__ = ("txid", "index", "script", "sequence", "witness")

    def __init__(self, txid, index, script=b"", sequence=0xFFFFFFFF, witness=()):
        self.txid, self.index, self.script, self.sequence = txid, index, script, sequence
        self.witness = list(witness)

    @property
    def outpoint(self):
        return (self.txid, self.index)

    def is_null(self):
        return self.txid == NULL_HASH and self.index == 0xFFFFFFFF


class TxOut:
    __slots__ = ("value", "script")

    def __init__(self, value, script):
        self.value, self.script = value, script


class Tx:
    """A transaction. Ids and sizes are computed once: change one only before the first use of them."""

    def __init__(self, vin, vout, version=2, locktime=0):
        self.version, self.vin, self.vout, self.locktime = version, vin, vout, locktime
        self._cache = {}

    @classmethod
    def read(cls, r):
        version = r.unpack("<i")
        vin, flags, vout = cls._read_inputs(r), 0, []
        if not vin:
            flags = r.take(1)[0]
            if flags:
                vin = cls._read_inputs(r)
                vout = cls._read_outputs(r)
        else:
            vout = cls._read_outputs(r)
        if flags & 1:
            flags ^= 1
            for txin in vin:
                txin.witness = [r.blob() for _ in range(r.compact())]
            if not any(txin.witness for txin in vin):
                raise DecodeError("Superfluous witness record")
        if flags:
            raise DecodeError("Unknown transaction optional data")
        return cls(vin, vout, version, r.unpack("<I"))

    @classmethod
    def parse(cls, data):
        r = Reader(data)
        tx = cls.read(r)
        if r.pos != len(data):
            raise DecodeError("bytes after the transaction")
        return tx

    @staticmethod
    def _read_inputs(r):
        return [TxIn(r.take(32), r.unpack("<I"), r.blob(), r.unpack("<I")) for _ in range(r.compact())]

    @staticmethod
    def _read_outputs(r):
        return [TxOut(r.unpack("<q"), r.blob()) for _ in range(r.compact())]

    def has_witness(self):
        return any(txin.witness for txin in self.vin)

    def serialize(self, witness=True):
        witness = witness and self.has_witness()
        parts = [struct.pack("<i", self.version)]
        if witness:
            parts.append(b"\x00\x01")
        parts.append(compact_size(len(self.vin)))
        for i in self.vin:
            parts += [i.txid, struct.pack("<I", i.index), compact_size(len(i.script)), i.script,
                      struct.pack("<I", i.sequence)]
        parts.append(compact_size(len(self.vout)))
        for o in self.vout:
            parts += [struct.pack("<q", o.value), compact_size(len(o.script)), o.script]
        if witness:
            for i in self.vin:
                parts.append(compact_size(len(i.witness)))
                for item in i.witness:
                    parts += [compact_size(len(item)), item]
        parts.append(struct.pack("<I", self.locktime))
        return b"".join(parts)

    def _once(self, key, make):
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def _measure(self, witness):
        data = self.serialize(witness)
        return sha256d(data), len(data)

    @property
    def txid(self):
        return self._once("base", lambda: self._measure(False))[0]

    @property
    def wtxid(self):
        return self._once("full", lambda: self._measure(True))[0]

    @property
    def base_size(self):
        return self._once("base", lambda: self._measure(False))[1]

    @property
    def total_size(self):
        return self._once("full", lambda: self._measure(True))[1]

    @property
    def weight(self):
        return self.base_size * 3 + self.total_size

    def is_coinbase(self):
        return len(self.vin) == 1 and self.vin[0].is_null()

    def forget(self):
        """Drops the cached ids after a change."""
        self._cache = {}


class Header:
    __slots__ = ("version", "prev", "merkle_root", "time", "bits", "nonce")

    def __init__(self, version, prev, merkle_root, time, bits, nonce=0):
        self.version, self.prev, self.merkle_root = version, prev, merkle_root
        self.time, self.bits, self.nonce = time, bits, nonce

    @classmethod
    def read(cls, r):
        return cls(r.unpack("<i"), r.take(32), r.take(32), r.unpack("<I"), r.unpack("<I"), r.unpack("<I"))

    def serialize(self):
        return struct.pack("<i32s32sIII", self.version, self.prev, self.merkle_root, self.time, self.bits,
                           self.nonce)

    @property
    def hash(self):
        return sha256d(self.serialize())


class Block:
    def __init__(self, header, txs):
        self.header, self.txs = header, txs

    @classmethod
    def parse(cls, data):
        """Reads one block. Bytes after it are ignored, as bitcoind's decoder does."""
        r = Reader(data)
        header = Header.read(r)
        return cls(header, [Tx.read(r) for _ in range(r.compact())])

    def serialize(self, witness=True):
        return b"".join([self.header.serialize(), compact_size(len(self.txs))]
                        + [tx.serialize(witness) for tx in self.txs])

    @property
    def hash(self):
        return self.header.hash

    @property
    def base_size(self):
        return 80 + len(compact_size(len(self.txs))) + sum(tx.base_size for tx in self.txs)

    @property
    def total_size(self):
        return 80 + len(compact_size(len(self.txs))) + sum(tx.total_size for tx in self.txs)

    @property
    def weight(self):
        return self.base_size * 3 + self.total_size
