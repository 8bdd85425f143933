# SPDX-License-Identifier: MIT
"""The node's own blocks: coinbase, assembly, and a short search for a nonce."""
import hashlib
import struct

from . import params, script
from .wire import NULL_HASH, Block, Header, Tx, TxIn, TxOut

VERSION = 0x20000000
OUTPUTS = 20
SEARCH_LIMIT = 300_000


def make_coinbase(height, value, payout, tag):
    """`payout` is one output script, or None to spread the value over the node's own open outputs."""
    own = script.OWN_SCRIPTS
    if payout is not None:
        vout = [TxOut(value, payout)]
    else:
        count = OUTPUTS if value >= OUTPUTS * 100_000 else 1
        vout = [TxOut(value // count, own[n % len(own)]) for n in range(count)]
        vout[0].value += value - sum(o.value for o in vout)
    script_sig = script.height_script(height) + script.push(tag)
    return Tx([TxIn(NULL_HASH, 0xFFFFFFFF, script_sig, witness=[NULL_HASH])], vout)


def assemble(chain, prev, time, chosen=(), payout=None, tag=b"sim-node"):
    """A block on `prev` that keeps every rule but proof of work. `chosen` holds pooled transactions."""
    height = prev.height + 1
    value = chain.subsidy(height) + sum(p.fee for p in chosen)
    coinbase = make_coinbase(height, value, payout, tag)
    txs = [coinbase] + [p.tx for p in chosen]
    coinbase.vout.append(TxOut(0, params.commitment_script(txs)))
    coinbase.forget()
    root = params.merkle_root([tx.txid for tx in txs])[0]
    return Block(Header(VERSION, prev.hash, root, time, chain.bits_at(height)), txs)


def search(header, limit=SEARCH_LIMIT):
    """Looks for a nonce in place; False when there was none within the limit."""
    target = params.target_of(header.bits)
    raw = header.serialize()
    start, tail = hashlib.sha256(raw[:64]), raw[64:76]
    for nonce in range(limit):
        middle = start.copy()
        middle.update(tail + struct.pack("<I", nonce))
        if int.from_bytes(hashlib.sha256(middle.digest()).digest(), "little") <= target:
            header.nonce = nonce
            return True
    return False
