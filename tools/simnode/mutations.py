# SPDX-License-Identifier: MIT
"""Ways to falsify a getblocktemplate answer: a merge, removed keys, single values, or a named lie.

Each named lie takes the template and a number (its own default when none is given) and changes it in place.
"""
import copy

from . import params
from .wire import Tx, TxIn, TxOut, display


def _entry_of(tx):
    return {"data": tx.serialize().hex(), "txid": display(tx.txid), "hash": display(tx.wtxid), "depends": [],
            "fee": 0, "sigops": 0, "weight": tx.weight}


def child_before_parent(t, _):
    for at, entry in enumerate(t["transactions"]):
        if entry["depends"]:
            parent = entry["depends"][0] - 1
            txs = t["transactions"]
            txs[at], txs[parent] = txs[parent], txs[at]
            return


def duplicate_txid(t, _):
    t["transactions"].append(copy.deepcopy(t["transactions"][-1]))


def txid_mismatch(t, at):
    entry = t["transactions"][at or 0]
    entry["txid"] = "00" + entry["txid"][2:]


def wtxid_mismatch(t, at):
    entry = t["transactions"][at or 0]
    entry["hash"] = "00" + entry["hash"][2:]


def fees_mismatch(t, n):
    t["coinbasevalue"] += n or 1


def sigops_sum(t, n):
    """Declared signature operations that leave no room for any in the coinbase (default: exactly full)."""
    others = sum(e["sigops"] for e in t["transactions"][1:])
    t["transactions"][0]["sigops"] = (n or params.MAX_SIGOPS_COST) - others


def weight_sum(t, n):
    others = sum(e["weight"] for e in t["transactions"][1:])
    t["transactions"][0]["weight"] = (n or params.MAX_WEIGHT) - others


def bad_commitment(t, _):
    t["default_witness_commitment"] = params.COMMITMENT_HEADER.hex() + "11" * 32


def tx_64_bytes(t, _):
    tx = Tx([TxIn(b"\x07" * 32, 0)], [TxOut(0, b"\x51" * 4)])
    assert tx.base_size == 64
    t["transactions"].append(_entry_of(tx))


def many_transactions(t, n):
    """Fills the template up to `n` (default 20,000) small, well-formed transactions with spent inputs."""
    for i in range(len(t["transactions"]), n or 20_000):
        t["transactions"].append(_entry_of(Tx([TxIn(i.to_bytes(32, "little"), 0)], [TxOut(0, b"\x51" * 8)])))


def invalid_transaction(t, _):
    """A true-looking transaction that spends nothing: well-formed, but the block would be refused."""
    t["transactions"].append(_entry_of(Tx([TxIn(b"\x09" * 32, 0)], [TxOut(1000, b"\x51" * 8)])))
    leaves = [bytes(32)] + [bytes.fromhex(e["hash"])[::-1] for e in t["transactions"]]
    root = params.merkle_root(leaves)[0]
    t["default_witness_commitment"] = (params.COMMITMENT_HEADER + params.sha256d(root + bytes(32))).hex()


def bits_not_target(t, _):
    t["target"] = "%064x" % (int(t["target"], 16) >> 8)


def other_bits(t, n):
    """Consistent bits and target that the chain will not accept."""
    t["bits"] = "%08x" % (n or 0x1F7FFFFF)
    t["target"] = "%064x" % params.target_of(int(t["bits"], 16))


def height_falls(t, n):
    t["height"] = max(0, t["height"] - (n or 100))


def mintime_future(t, n):
    t["mintime"] = t["curtime"] + (n or 3600)


def curtime_far(t, n):
    t["curtime"] += n or 5 * 365 * 86400


def unknown_rule(t, _):
    t["rules"] = t["rules"] + ["!unheard"]


def short_prevhash(t, n):
    t["previousblockhash"] = (t["previousblockhash"] * 2)[:n or 63]


def upper_prevhash(t, _):
    t["previousblockhash"] = t["previousblockhash"].upper()


def nonhex_prevhash(t, _):
    t["previousblockhash"] = "zz" + t["previousblockhash"][2:]


def unknown_prevhash(t, _):
    t["previousblockhash"] = "00" * 4 + "ab" * 28


def same_longpollid(t, _):
    t["longpollid"] = "00" * 32 + "1"


def no_witness_commitment(t, _):
    t.pop("default_witness_commitment", None)


NAMED = {f.__name__: f for f in (
    child_before_parent, duplicate_txid, txid_mismatch, wtxid_mismatch, fees_mismatch, sigops_sum, weight_sum,
    bad_commitment, tx_64_bytes, many_transactions, invalid_transaction, bits_not_target, other_bits, height_falls,
    mintime_future, curtime_far, unknown_rule, short_prevhash, upper_prevhash, nonhex_prevhash, unknown_prevhash,
    same_longpollid, no_witness_commitment)}


def merge(target, patch):
    """RFC 7396: objects merge, null removes, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merge(target.get(key), value)
    return target


def set_path(target, path, value):
    """Sets one value by its JSON pointer, e.g. /transactions/0/fee."""
    *way, last = [part for part in path.split("/") if part]
    for part in way:
        target = target[int(part) if isinstance(target, list) else part]
    target[int(last) if isinstance(target, list) else last] = value


class TemplatePlan:
    """The falsification in force, for a number of answers or (count 0) until it is cleared."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.patch, self.removed, self.values, self.names, self.left = {}, [], {}, {}, 0
        self.limited = False

    def set(self, patch, removed, values, names, count):
        unknown = [name for name in names if name not in NAMED]
        if unknown:
            raise ValueError("unknown mutation %s; known: %s" % (unknown[0], ", ".join(sorted(NAMED))))
        self.patch, self.removed, self.values, self.names = patch, removed, values, names
        self.left, self.limited = count, count > 0

    def apply(self, answer):
        if not (self.patch or self.removed or self.values or self.names):
            return answer
        if self.limited:
            self.left -= 1
            if self.left < 0:
                self.clear()
                return answer
        answer = copy.deepcopy(answer)
        for name, number in self.names.items():
            NAMED[name](answer, number)
        answer = merge(answer, self.patch)
        for path, value in self.values.items():
            set_path(answer, path, value)
        for key in self.removed:
            answer.pop(key, None)
        return answer
