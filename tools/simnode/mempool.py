# SPDX-License-Identifier: MIT
"""Transactions waiting for a block: sent in by RPC, or made here out of the node's own open outputs.

The generator spends outputs that anyone can spend (bare TRUE, P2WSH of TRUE, and a P2WSH that counts one
signature operation), so that templates carry legacy and segwit transactions with fees, parents and children.
"""
import itertools

from . import coins, params, script
from .checks import Reject, check_transaction, is_final
from .wire import Tx, TxIn, TxOut, display

RESERVED_WEIGHT, RESERVED_SIGOPS = 8_000, 400
LEAST_COIN = 200_000
STRANGER = bytes.fromhex("76a914") + bytes(range(20)) + bytes.fromhex("88ac")


class Pooled:
    """A transaction with what a template says of it."""

    def __init__(self, tx, fee, sigops):
        self.tx, self.fee, self.sigops = tx, fee, sigops
        self.txid, self.weight = tx.txid, tx.weight
        self._entry = None

    def template_entry(self, depends):
        if self._entry is None:
            self._entry = {"data": self.tx.serialize().hex(), "txid": display(self.txid),
                           "hash": display(self.tx.wtxid)}
        return dict(self._entry, depends=depends, fee=self.fee, sigops=self.sigops, weight=self.weight)


class Mempool:
    def __init__(self, chain, rng):
        self.chain, self.rng = chain, rng
        self.updates = 0
        self._clear()

    def _clear(self):
        self.pooled, self._spent, self._made, self._open = {}, set(), {}, None

    def __len__(self):
        return len(self.pooled)

    def _coin(self, outpoint):
        return self._made.get(outpoint) or self.chain.coins.get(outpoint)

    def add(self, tx):
        """Checks a transaction as bitcoind's consensus would, takes it in and returns it; Reject otherwise."""
        if tx.txid in self.pooled:
            raise Reject("txn-already-in-mempool")
        check_transaction(tx)
        if tx.is_coinbase():
            raise Reject("coinbase")
        height = self.chain.tip.height + 1
        if not is_final(tx, height, self.chain.tip.median_time()):
            raise Reject("non-final")
        if any(i.outpoint in self._spent for i in tx.vin):
            raise Reject("txn-mempool-conflict")
        view = {i.outpoint: self._coin(i.outpoint) for i in tx.vin}
        fee, sigops = coins.check_inputs(tx, view, height)
        coins.check_scripts(tx, view)
        pooled = Pooled(tx, fee, sigops)
        self.pooled[tx.txid] = pooled
        self._spent.update(view)
        for n, out in enumerate(tx.vout):
            self._made[(tx.txid, n)] = coins.Coin(out.value, out.script, height, False)
            if self._open is not None and self._ours(self._made[(tx.txid, n)]):
                self._open.append((tx.txid, n))
        self.updates += 1
        return pooled

    def trim(self, count):
        """Forgets all but the first `count` transactions."""
        keep = list(self.pooled.values())[:count]
        self.pooled = {p.txid: p for p in keep}
        self.tip_changed()
        self.updates += 1

    def remove(self, txid):
        """Forgets a transaction and what spends it."""
        del self.pooled[txid]
        self.tip_changed()
        self.updates += 1

    def tip_changed(self, disconnected=()):
        """Keeps what the new tip still allows, parents before children."""
        old = [tx for block in disconnected for tx in block.txs[1:]] + [p.tx for p in self.pooled.values()]
        self._clear()
        for tx in old:
            try:
                self.add(tx)
            except Reject:
                continue

    def _ours(self, coin):
        mature = not coin.coinbase or self.chain.tip.height + 1 - coin.height >= params.COINBASE_MATURITY
        return mature and coin.value >= LEAST_COIN and coin.script in script.OWN_SCRIPTS

    def _find_open(self, count):
        """Enough outputs to spend for `count` transactions, the oldest first, then those made here."""
        coins_of_chain = (op for op, coin in self.chain.coins.items()
                          if op not in self._spent and self._ours(coin))
        return list(itertools.islice(coins_of_chain, 1000 + count)) + [
            op for op, coin in self._made.items() if op not in self._spent and self._ours(coin)]

    def _pick(self):
        """An open output, and often a young one, so that chains of parents and children arise."""
        while self._open:
            span = len(self._open)
            at = self.rng.randrange(span) if self.rng.random() < 0.6 else self.rng.randrange(span // 2, span)
            self._open[at], self._open[-1] = self._open[-1], self._open[at]
            outpoint = self._open.pop()
            if outpoint not in self._spent and self._coin(outpoint):
                return outpoint, self._coin(outpoint)
        return None

    def generate(self, count):
        """Makes up to `count` transactions; returns how many."""
        if count and self._open is None:
            self._open = self._find_open(count)
        for made in range(count):
            picked = [self._pick()]
            if self.rng.random() < 0.2 and len(self._open) > 10:
                picked.append(self._pick())
            picked = [p for p in picked if p]
            if not picked:
                return made
            self.add(self._spend(picked))
        return count

    def _spend(self, picked):
        vin = []
        for (txid, index), coin in picked:
            witness = [script.OWN_WITNESS[coin.script]] if coin.script in script.OWN_WITNESS else []
            vin.append(TxIn(txid, index, sequence=0xFFFFFFFD, witness=witness))
        total, count = sum(coin.value for _, coin in picked), self.rng.choice((2, 2, 2, 3))
        fee = self.rng.randrange(300, 20_000)
        shares = [(total - fee) // count] * count
        shares[0] += total - fee - sum(shares)
        vout = [TxOut(value, self.rng.choice(script.OWN_SCRIPTS)) for value in shares]
        if self.rng.random() < 0.2:
            vout.append(TxOut(546, STRANGER))
            vout[0].value -= 546
        return Tx(vin, vout)

    def select(self):
        """What fits into the next block, in order, with each one's parents as 1-based positions."""
        weight, sigops, chosen, position = RESERVED_WEIGHT, RESERVED_SIGOPS, [], {}
        for pooled in self.pooled.values():
            parents = {i.txid for i in pooled.tx.vin if i.txid in self.pooled}
            fits = (weight + pooled.weight <= params.MAX_WEIGHT
                    and sigops + pooled.sigops <= params.MAX_SIGOPS_COST)
            if not fits or any(p not in position for p in parents):
                continue
            weight, sigops = weight + pooled.weight, sigops + pooled.sigops
            position[pooled.txid] = len(chosen) + 1
            chosen.append((pooled, sorted(position[p] for p in parents)))
        return chosen
