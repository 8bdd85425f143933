# SPDX-License-Identifier: MIT
"""PSBTs of version 0 (BIP174), as far as a wallet that signs every input at once needs them."""
import base64
import struct

from .wire import DecodeError, Reader, Tx, compact_size

MAGIC = b"psbt\xff"
UNSIGNED_TX, WITNESS_UTXO, FINAL_SCRIPT, FINAL_WITNESS = b"\x00", b"\x01", b"\x07", b"\x08"


def _blob(data):
    return compact_size(len(data)) + data


def _read_map(reader):
    entries = {}
    while True:
        key = reader.blob()
        if not key:
            return entries
        entries[key] = reader.blob()


class Psbt:
    def __init__(self, tx, inputs=None):
        self.tx = tx
        self.inputs = inputs if inputs is not None else [{} for _ in tx.vin]

    @classmethod
    def parse(cls, text):
        """ValueError (DecodeError is one) for anything else."""
        data = base64.b64decode(text, validate=True)
        if data[:5] != MAGIC:
            raise DecodeError("no PSBT")
        reader = Reader(data[5:])
        tx = Tx.parse(_read_map(reader)[UNSIGNED_TX])
        return cls(tx, [_read_map(reader) for _ in tx.vin])

    def text(self):
        parts = [MAGIC, _blob(UNSIGNED_TX), _blob(self.tx.serialize(witness=False)), b"\0"]
        for entries in self.inputs:
            parts += [_blob(part) for entry in sorted(entries.items()) for part in entry] + [b"\0"]
        return base64.b64encode(b"".join(parts) + b"\0" * len(self.tx.vout)).decode()

    def show_coin(self, index, coin):
        self.inputs[index][WITNESS_UTXO] = struct.pack("<q", coin.value) + _blob(coin.script)

    def complete(self):
        return all(FINAL_SCRIPT in entries or FINAL_WITNESS in entries for entries in self.inputs)

    def transaction(self):
        """The signed one."""
        tx = Tx.parse(self.tx.serialize())
        for txin, entries in zip(tx.vin, self.inputs):
            txin.script = entries.get(FINAL_SCRIPT, b"")
            if FINAL_WITNESS in entries:
                reader = Reader(entries[FINAL_WITNESS])
                txin.witness = [reader.blob() for _ in range(reader.compact())]
        tx.forget()
        return tx
