# SPDX-License-Identifier: MIT
"""The block tree, the active chain in it, and the coins at its tip.

Bits are a rule of this chain alone: the genesis block has the network's, blocks below `premine` the easiest
(207fffff), every later one `bits`. There is no retarget.
"""
import time

from . import checks, params
from .checks import Reject
from .coins import CoinSet
from .entry import Entry, fork_of


class Chain:
    def __init__(self, network="regtest", bits=params.EASY_BITS, premine=0):
        self.network, self.bits, self.premine = params.NETWORKS[network], bits, premine
        self.coins, self.mock_time = CoinSet(), 0
        self.listeners = []
        self._sequence, self._precious = 0, 0
        self._verdicts = {}
        root = Entry(self.network.genesis.header, None)
        root.block, root.undo, root.valid, root.linked = self.network.genesis, ([], []), True, True
        self.entries, self.active, self._candidates = {root.hash: root}, [root], {root}

    @property
    def tip(self):
        return self.active[-1]

    @property
    def best_header(self):
        return max((e for e in self.entries.values() if not e.failed), key=lambda e: e.work)

    def now(self):
        return self.mock_time or int(time.time())

    def bits_at(self, height):
        return params.EASY_BITS if height < self.premine else self.bits

    def is_active(self, entry):
        return entry.height < len(self.active) and self.active[entry.height] is entry

    def subsidy(self, height):
        return params.subsidy(height, self.network.halving)

    def accept_header(self, header, proof=True):
        """The entry of a header that keeps the rules; Reject otherwise."""
        entry = self.entries.get(header.hash)
        if entry:
            if entry.failed:
                raise Reject("duplicate-invalid")
            return entry
        if proof:
            checks.check_proof(header)
        prev = self.entries.get(header.prev)
        if prev is None:
            raise Reject("prev-blk-not-found")
        if prev.failed:
            raise Reject("bad-prevblk")
        checks.check_header_in_context(header, self.bits_at(prev.height + 1), prev.median_time(), self.now())
        entry = Entry(header, prev)
        self.entries[entry.hash] = entry
        return entry

    def submit(self, block, proof=True):
        """Takes a block in; returns None when it became part of the active chain, else the BIP22 word."""
        known = self.entries.get(block.hash)
        if known and known.valid:
            return "duplicate"
        if known and known.failed:
            return "duplicate-invalid"
        if block.header.prev in self.entries:
            checks.fill_witness_nonce(block)
        try:
            checks.check_block(block, proof)
            entry = self.accept_header(block.header, proof)
        except Reject as refusal:
            return refusal.reason
        if entry.block is not None:
            return "duplicate"
        try:
            checks.check_block_in_context(block, entry.height, entry.prev.median_time())
        except Reject as refusal:
            if not refusal.mutated:
                self._fail(entry)
            return refusal.reason
        self._store(entry, block)
        self._verdicts = {}
        self.activate()
        return self._verdicts.get(entry.hash, "inconclusive")

    def propose(self, block):
        """The answer to a template proposal."""
        known = self.entries.get(block.hash)
        if known:
            return "duplicate" if known.valid else "duplicate-invalid" if known.failed else "duplicate-inconclusive"
        if block.header.prev != self.tip.hash:
            return "inconclusive-not-best-prevblk"
        height, median = self.tip.height + 1, self.tip.median_time()
        try:
            checks.check_header_in_context(block.header, self.bits_at(height), median, self.now())
            checks.check_block(block, proof=False)
            checks.check_block_in_context(block, height, median)
            self.coins.disconnect(self.coins.connect(block, height, self.network.halving))
        except Reject as refusal:
            return refusal.reason
        return None

    def _store(self, entry, block):
        entry.block = block
        if not entry.prev.linked:
            return
        for e in entry.subtree():
            if e.block is not None and e.prev.linked:
                self._sequence += 1
                e.linked, e.sequence = True, self._sequence
                self._candidates.add(e)

    def _fail(self, entry):
        for e in entry.subtree():
            e.failed = True
        self._candidates = {e for e in self._candidates if not e.failed}

    def activate(self):
        """Moves to the best tip; a branch that proves invalid on the way is marked and left."""
        before = self.tip
        while True:
            best = max(self._candidates, key=lambda e: e.rank)
            if best is self.tip or best.rank <= self.tip.rank and self.tip in self._candidates:
                break
            self._move_to(best)
        self._candidates = {e for e in self._candidates if e.work >= self.tip.work}
        if self.tip is not before:
            for listener in self.listeners:
                listener(before, self.tip)

    def _move_to(self, target):
        fork = fork_of(self.tip, target)
        while self.tip is not fork:
            self.coins.disconnect(self.active.pop().undo)
        path = []
        while target is not fork:
            path.append(target)
            target = target.prev
        for entry in reversed(path):
            try:
                entry.undo = self.coins.connect(entry.block, entry.height, self.network.halving)
            except Reject as refusal:
                self._verdicts[entry.hash] = refusal.reason
                self._fail(entry)
                self._candidates |= {e for e in self.entries.values() if e.linked and not e.failed}
                return
            entry.valid = True
            self._verdicts[entry.hash] = None
            self.active.append(entry)

    def _rescan(self):
        self._candidates = {e for e in self.entries.values() if e.linked and not e.failed}
        self.activate()

    def invalidate(self, entry):
        before = self.tip
        self._fail(entry)
        while self.tip.failed:
            self.coins.disconnect(self.active.pop().undo)
        listeners, self.listeners = self.listeners, []
        self._rescan()
        self.listeners = listeners
        if self.tip is not before:
            for listener in self.listeners:
                listener(before, self.tip)

    def reconsider(self, entry):
        for e in self.entries.values():
            if e.descends_from(entry) or entry.descends_from(e):
                e.failed = False
        self._rescan()

    def precious(self, entry):
        """Treats the block as if it had been seen before all others of its work."""
        if entry.work >= self.tip.work and entry.linked and not entry.failed:
            self._precious -= 1
            entry.sequence = self._precious
            self._candidates.add(entry)
            self.activate()

    def tips(self):
        """(entry, status) of every end of a branch, highest first."""
        ends = {e for e in self.entries.values() if not e.children} | {self.tip}
        for e in sorted(ends, key=lambda e: -e.height):
            if e is self.tip:
                status = "active"
            elif e.failed:
                status = "invalid"
            elif not e.linked:
                status = "headers-only"
            else:
                status = "valid-fork" if e.valid else "valid-headers"
            yield e, status
