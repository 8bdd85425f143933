# SPDX-License-Identifier: MIT
"""Networks, their genesis blocks, and the arithmetic of subsidy, target, work and difficulty."""
from .script import push, script_number
from .wire import NULL_HASH, Block, Header, Tx, TxIn, TxOut, sha256d

COIN = 100_000_000
MAX_MONEY = 21_000_000 * COIN
MAX_WEIGHT = 4_000_000
MAX_SIGOPS_COST = 80_000
COINBASE_MATURITY = 100
EASY_BITS = 0x207FFFFF
COMMITMENT_HEADER = bytes.fromhex("6a24aa21a9ed")

_TIMES = "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks"
_KEY = ("04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb"
        "649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f")
_TESTNET4 = "03/May/2024 000000000000000000001ebd58c244970b3aa9d783bb001011fbe8ea8e98e00e"


class Network:
    def __init__(self, name, time, nonce, bits, halving=210_000, text=_TIMES, key=_KEY):
        self.name, self.halving = name, halving
        self.genesis = _genesis(time, nonce, bits, text, bytes.fromhex(key))


def _genesis(time, nonce, bits, text, key):
    script = push(script_number(486604799)) + b"\x01\x04" + push(text.encode())
    coinbase = Tx([TxIn(NULL_HASH, 0xFFFFFFFF, script)], [TxOut(50 * COIN, push(key) + b"\xac")], version=1)
    return Block(Header(1, NULL_HASH, coinbase.txid, time, bits, nonce), [coinbase])


NETWORKS = {n.name: n for n in (
    Network("main", 1231006505, 2083236893, 0x1D00FFFF),
    Network("test", 1296688602, 414098458, 0x1D00FFFF),
    Network("testnet4", 1714777860, 393743547, 0x1D00FFFF, text=_TESTNET4, key="00" * 33),
    Network("signet", 1598918400, 52613770, 0x1E0377AE),
    Network("regtest", 1296688602, 2, EASY_BITS, halving=150),
)}


def subsidy(height, halving):
    turns = height // halving
    return 0 if turns >= 64 else (50 * COIN) >> turns


def target_of(bits):
    """The target of compact bits, or None when they are negative, zero or overflow."""
    size, word = bits >> 24, bits & 0x007FFFFF
    target = word >> 8 * (3 - size) if size <= 3 else word << 8 * (size - 3)
    if target == 0 or bits & 0x00800000 or target >> 256:
        return None
    return target


def work_of(bits):
    target = target_of(bits)
    return (1 << 256) // (target + 1) if target else 0


def difficulty_of(bits):
    shift, difficulty = bits >> 24, 0x0000FFFF / (bits & 0x00FFFFFF)
    return difficulty * 256.0 ** (29 - shift)


def hash_value(digest):
    return int.from_bytes(digest, "little")


def merkle_root(leaves):
    """The root, and whether two equal neighbours make the tree ambiguous (CVE-2012-2459)."""
    level, mutated = list(leaves), False
    if not level:
        return NULL_HASH, False
    while len(level) > 1:
        mutated |= any(level[i] == level[i + 1] for i in range(0, len(level) - 1, 2))
        if len(level) % 2:
            level.append(level[-1])
        level = [sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    return level[0], mutated


def witness_root(txs):
    return merkle_root([NULL_HASH] + [tx.wtxid for tx in txs[1:]])[0]


def commitment_script(txs, nonce=NULL_HASH):
    return COMMITMENT_HEADER + sha256d(witness_root(txs) + nonce)


def commitment_index(coinbase):
    """The last output that looks like a witness commitment, or None."""
    found = None
    for i, out in enumerate(coinbase.vout):
        if len(out.script) >= 38 and out.script[:6] == COMMITMENT_HEADER:
            found = i
    return found
