# SPDX-License-Identifier: MIT
"""The consensus rules, in the order in which bitcoind applies them and with the words it refuses by (BIP22)."""
from . import params, script
from .params import MAX_MONEY, MAX_SIGOPS_COST, MAX_WEIGHT
from .wire import NULL_HASH, sha256d

MAX_FUTURE = 2 * 60 * 60


class Reject(Exception):
    """A refusal. `mutated` means that the same header may still belong to a valid block."""

    def __init__(self, reason, mutated=False):
        super().__init__(reason)
        self.reason, self.mutated = reason, mutated


def check_proof(header):
    target = params.target_of(header.bits)
    if target is None or params.hash_value(header.hash) > target:
        raise Reject("high-hash", mutated=True)


def check_merkle_root(block):
    root, mutated = params.merkle_root([tx.txid for tx in block.txs])
    if root != block.header.merkle_root:
        raise Reject("bad-txnmrklroot", mutated=True)
    if mutated:
        raise Reject("bad-txns-duplicate", mutated=True)


def check_transaction(tx):
    if not tx.vin:
        raise Reject("bad-txns-vin-empty")
    if not tx.vout:
        raise Reject("bad-txns-vout-empty")
    if tx.base_size * 4 > MAX_WEIGHT:
        raise Reject("bad-txns-oversize")
    total = 0
    for out in tx.vout:
        if out.value < 0:
            raise Reject("bad-txns-vout-negative")
        if out.value > MAX_MONEY:
            raise Reject("bad-txns-vout-toolarge")
        total += out.value
        if total > MAX_MONEY:
            raise Reject("bad-txns-txouttotal-toolarge")
    if len({i.outpoint for i in tx.vin}) != len(tx.vin):
        raise Reject("bad-txns-inputs-duplicate")
    if tx.is_coinbase():
        if not 2 <= len(tx.vin[0].script) <= 100:
            raise Reject("bad-cb-length")
    elif any(i.is_null() for i in tx.vin):
        raise Reject("bad-txns-prevout-null")


def check_block(block, proof=True):
    """What can be said of a block without its parent."""
    if proof:
        check_proof(block.header)
    check_merkle_root(block)
    if not block.txs or len(block.txs) * 4 > MAX_WEIGHT or block.base_size * 4 > MAX_WEIGHT:
        raise Reject("bad-blk-length")
    if not block.txs[0].is_coinbase():
        raise Reject("bad-cb-missing")
    if any(tx.is_coinbase() for tx in block.txs[1:]):
        raise Reject("bad-cb-multiple")
    for tx in block.txs:
        check_transaction(tx)
    if 4 * sum(script.legacy_sigops(tx) for tx in block.txs) > MAX_SIGOPS_COST:
        raise Reject("bad-blk-sigops")


def check_header_in_context(header, bits, median_time, now):
    if header.bits != bits:
        raise Reject("bad-diffbits")
    if header.time <= median_time:
        raise Reject("time-too-old")
    if header.time > now + MAX_FUTURE:
        raise Reject("time-too-new")
    if header.version < 4:
        raise Reject("bad-version(0x%08x)" % (header.version & 0xFFFFFFFF))


def is_final(tx, height, median_time):
    limit = height if tx.locktime < 500_000_000 else median_time
    return tx.locktime < limit or tx.locktime == 0 or all(i.sequence == 0xFFFFFFFF for i in tx.vin)


def check_witness(block):
    index = params.commitment_index(block.txs[0])
    if index is None:
        if any(tx.has_witness() for tx in block.txs):
            raise Reject("unexpected-witness", mutated=True)
        return
    witness = block.txs[0].vin[0].witness
    if len(witness) != 1 or len(witness[0]) != 32:
        raise Reject("bad-witness-nonce-size", mutated=True)
    expected = sha256d(params.witness_root(block.txs) + witness[0])
    if block.txs[0].vout[index].script[6:38] != expected:
        raise Reject("bad-witness-merkle-match", mutated=True)


def check_block_in_context(block, height, median_time):
    """What can be said of a block that knows its height but not the coins."""
    if not all(is_final(tx, height, median_time) for tx in block.txs):
        raise Reject("bad-txns-nonfinal")
    expected = script.height_script(height)
    if block.txs[0].vin[0].script[:len(expected)] != expected:
        raise Reject("bad-cb-height")
    check_witness(block)
    if block.weight > MAX_WEIGHT:
        raise Reject("bad-blk-weight")


def fill_witness_nonce(block):
    """Gives a coinbase that commits to a witness, and carries none, the nonce of zeros, as bitcoind does."""
    if block.txs and params.commitment_index(block.txs[0]) is not None and not block.txs[0].has_witness():
        if block.txs[0].vin:
            block.txs[0].vin[0].witness = [NULL_HASH]
            block.txs[0].forget()
