# SPDX-License-Identifier: MIT
"""A wallet without keys: it owns what is paid to the scripts it is told of, and its signatures are only of the right
size (the chain takes spends of foreign scripts on trust, see script.py)."""
import hashlib

from . import params, psbt, script
from .mempool import Pooled
from .wire import Tx, TxIn, TxOut, compact_size, display

DUST = 294
DEFAULT_RATE = 5_000  # satoshi per 1,000 virtual bytes


class Poor(Exception):
    """The coins do not reach."""


class Wallet:
    def __init__(self, node):
        self.node = node
        self.scripts, self.locked, self.known, self.fees = set(), set(), {}, {}
        self.watch_only, self.estimate, self._changes = False, None, 0
        self.asleep = False  # encrypted, and nobody gave the passphrase

    def _mature(self, coin):
        return not coin.coinbase or self.node.chain.tip.height + 1 - coin.height >= params.COINBASE_MATURITY

    def coins(self):
        """(outpoint, coin) of all that may be spent now, the oldest first."""
        pool = self.node.mempool
        mine = [(op, coin) for view in (self.node.chain.coins, pool._made) for op, coin in view.items()
                if coin.script in self.scripts and op not in self.locked and op not in pool._spent
                and self._mature(coin)]
        return sorted(mine, key=lambda pair: (pair[1].height, pair[0]))

    def is_spent(self, outpoint):
        """Spent already, or never made."""
        pool = self.node.mempool
        return outpoint in pool._spent or not (outpoint in self.node.chain.coins or outpoint in pool._made)

    def _change_script(self):
        self._changes += 1
        made = b"\x00\x14" + hashlib.sha256(b"change %d" % self._changes).digest()[:20]
        self.scripts.add(made)
        return made

    def fund(self, vout, rate):
        """A PSBT that pays `vout`, and its fee; the inputs are locked."""
        target, picked, total = sum(o.value for o in vout), [], 0
        for outpoint, coin in self.coins():
            picked.append((outpoint, coin))
            total += coin.value
            fee = -(-rate * (11 + 68 * len(picked) + 43 * (len(vout) + 1)) // 1000)
            if total >= target + fee:
                break
        else:
            raise Poor()
        vout, rest = list(vout), total - target - fee
        if rest >= DUST:
            vout.insert(self._changes % (len(vout) + 1), TxOut(rest, self._change_script()))
        else:
            fee += rest
        made = psbt.Psbt(Tx([TxIn(*op, sequence=0xFFFFFFFD) for op, _ in picked], vout))
        for index, (outpoint, coin) in enumerate(picked):
            made.show_coin(index, coin)
            self.locked.add(outpoint)
        return made, fee

    def sign(self, made):
        for index, (txin, entries) in enumerate(zip(made.tx.vin, made.inputs)):
            coin = self.node.mempool._coin(txin.outpoint)
            if coin is None or coin.script not in self.scripts:
                continue
            seed = hashlib.sha256(made.tx.txid + bytes([index])).digest()
            items = [b"\x30" + (seed * 3)[:70], b"\x02" + seed]
            if script.witness_program(coin.script):
                entries[psbt.FINAL_WITNESS] = compact_size(2) + b"".join(compact_size(len(i)) + i for i in items)
            else:
                entries[psbt.FINAL_SCRIPT] = b"".join(script.push(i) for i in items)

    def note(self, tx):
        """Remembers a transaction that was sent here, whatever becomes of it; its coins need no lock any more."""
        self.known[tx.txid] = tx
        if tx.txid in self.node.mempool.pooled:
            self.fees[tx.txid] = self.node.mempool.pooled[tx.txid].fee
        self.locked -= {i.outpoint for i in tx.vin}

    def _in_chain(self):
        for entry in reversed(self.node.chain.active):
            for tx in entry.block.txs[1:]:
                yield tx, entry

    def look(self, txid):
        """(transaction, entry, confirmations, conflicting txids), or None for one that is not the wallet's."""
        tx, entry = self.known.get(txid), None
        for other, at in self._in_chain():
            if other.txid == txid:
                tx, entry = other, at
        if tx is None:  # a coinbase of its own whose block left the chain
            tx = next((e.block.txs[0] for e in self.node.chain.entries.values()
                       if e.block and e.block.txs[0].txid == txid), None)
            entry = next((e for e in self.node.chain.active if tx and e.block.txs[0].txid == txid), None)
        if tx is None or not (txid in self.known or any(o.script in self.scripts for o in tx.vout)):
            return None
        inputs, height = {i.outpoint for i in tx.vin}, self.node.chain.tip.height
        rivals = {other.txid: at for other, at in self._in_chain()
                  if other.txid != txid and any(i.outpoint in inputs for i in other.vin)}
        if entry:
            return tx, entry, height - entry.height + 1, list(rivals)
        depth = max((height - at.height + 1 for at in rivals.values()), default=0)
        return tx, None, -depth, list(rivals)

    def bump(self, tx, more):
        """In the mempool, in the place of `tx` and what spends it: the same with less change."""
        made = Tx([TxIn(*i.outpoint, sequence=i.sequence, witness=i.witness) for i in tx.vin],
                  [TxOut(o.value, o.script) for o in tx.vout])
        change = next(o for o in made.vout if o.script in self.scripts)
        change.value -= more
        self.node.mempool.remove(tx.txid)
        self.node.mempool.add(made)
        self.note(made)
        return made

    def spend_elsewhere(self, tx, index):
        """A block in which an input of `tx` is spent by another transaction."""
        coin = self.node.chain.coins[tx.vin[index].outpoint]
        rival = Tx([TxIn(*tx.vin[index].outpoint, witness=[b"\x30" * 71, b"\x02" * 33])],
                   [TxOut(coin.value - 1_000, script.OP_TRUE)])
        self.node.find_block(chosen=[Pooled(rival, 1_000, 1)])
        return display(rival.txid)

    def view(self):
        return {"scripts": sorted(s.hex() for s in self.scripts), "locked": len(self.locked),
                "balance": sum(coin.value for _, coin in self.coins()), "watch_only": self.watch_only,
                "sent": [display(txid) for txid in self.known]}
