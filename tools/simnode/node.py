# SPDX-License-Identifier: MIT
"""The node: chain, mempool, own miner, and what the servers around them need to know of a change."""
import asyncio
import random
import time

from . import miner, params, template
from .chain import Chain
from .entry import fork_of
from .faults import FaultPlan
from .mempool import Mempool
from .mutations import TemplatePlan
from .stats import Stats
from .wallet import Wallet
from .wire import display


class Node:
    def __init__(self, options, report=lambda event: None):
        self.options, self.report = options, report
        self.rng = random.Random(options.seed)
        self.started = time.time()
        self.chain = Chain(options.network, options.bits, options.premine)
        self.chain.mock_time = options.mock_time
        self.mempool = Mempool(self.chain, self.rng)
        self.faults, self.templates, self.stats = FaultPlan(), TemplatePlan(), Stats()
        self.wallet = Wallet(self)
        self.network_name = options.network
        self.txindex = True
        self.submit_answers, self.proposal_answers = [], []
        self.ibd, self.warmup, self.connections = False, None, 8
        self.publisher, self.peers = None, None
        self.stopping = asyncio.Event()
        self._changed, self._wake, self._serial = asyncio.Event(), 0, 0
        self._source, self._template = "own", (None, None)
        self._premine()
        self.chain.listeners.append(self._tip_moved)

    def _premine(self):
        end = self.options.start_time or self.chain.now() - 60
        count = self.options.premine
        for n in range(count):
            entry_time = max(end - 600 * (count - 1 - n), self.chain.tip.header.time + 1)
            block = self._assemble(self.chain.tip, entry_time)
            proven = miner.search(block.header)
            refused = self.chain.submit(block, proven)
            if refused:
                raise RuntimeError("own block refused: " + refused)
        self.mempool.tip_changed()
        self.refill()

    def refill(self):
        self.mempool.generate(max(0, self.options.tx_count - len(self.mempool)))

    def _assemble(self, prev, when, chosen=(), payout=None):
        self._serial += 1
        tag = b"sim %d/%d" % (self.options.seed, self._serial)
        return miner.assemble(self.chain, prev, when, chosen, payout, tag)

    def find_block(self, prev=None, payout=None, chosen=None):
        """Finds a block, by default on the tip and out of the mempool; returns it and the chain's answer.

        Where the bits are too hard for the short search, the own block goes in without proof of work.
        """
        tip = self.chain.tip
        if chosen is None:
            chosen = [pooled for pooled, _ in self.mempool.select()] if prev in (None, tip) else []
        prev = prev or tip
        block = self._assemble(prev, max(self.chain.now(), prev.median_time() + 1), chosen, payout)
        proven = miner.search(block.header)
        return block, self.accept(block, "own", proof=proven)

    def accept(self, block, source, proof=True):
        """Hands a block to the chain and reports the outcome."""
        self._source = source
        answer = self.chain.submit(block, proof)
        if answer is not None:
            kind = {"inconclusive": "side", "duplicate": "duplicate"}.get(answer, "refused")
            self.report({"event": kind, "hash": display(block.hash), "reason": answer, "from": source})
        return answer

    def reorg(self, depth, extra=1):
        """Builds a branch `depth` blocks below the tip that is `extra` longer than the active chain."""
        depth = min(depth, self.chain.tip.height)
        prev, hashes = self.chain.active[self.chain.tip.height - depth], []
        for _ in range(depth + extra):
            block, _answer = self.find_block(prev)
            prev = self.chain.entries[block.hash]
            hashes.append(display(block.hash))
        return hashes

    def _tip_moved(self, before, after):
        fork, gone, new = fork_of(before, after), [], []
        entry = before
        while entry is not fork:
            gone.append(entry)
            entry = entry.prev
        entry = after
        while entry is not fork:
            new.append(entry)
            entry = entry.prev
        self.mempool.tip_changed([e.block for e in reversed(gone)])
        self.refill()
        if gone:
            self.report({"event": "reorg", "depth": len(gone), "fork": display(fork.hash), "height": fork.height})
        for e in reversed(new):
            self.report({"event": "connected", "hash": display(e.hash), "height": e.height,
                         "tx": len(e.block.txs), "from": self._source})
        if self.publisher:
            self.publisher.block(after.block)
        if self.peers:
            self.peers.announce(after)
        self.notify()

    def notify(self, wake=False):
        """Lets long polls look again; with `wake`, also those that only wait for transactions."""
        self._wake += wake
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_template(self, watched, updates):
        """Returns when the tip is not `watched`, or there are newer transactions and it is time to look."""
        look_at, wake = time.monotonic() + self.options.longpoll_tx_seconds, self._wake
        while not self.stopping.is_set():
            if display(self.chain.tip.hash) != watched:
                return
            fresh = self.mempool.updates != updates
            if fresh and (self._wake != wake or time.monotonic() >= look_at):
                return
            changed = self._changed
            wait = max(0.01, look_at - time.monotonic()) if look_at > time.monotonic() else 10
            try:
                await asyncio.wait_for(changed.wait(), wait)
            except asyncio.TimeoutError:
                pass

    def block_template(self):
        key = (self.chain.tip.hash, self.mempool.updates)
        if self._template[0] != key:
            self._template = (key, template.build(self.chain, self.mempool))
        answer = dict(self._template[1])
        answer["curtime"] = max(self.chain.now(), answer["mintime"])
        return self.templates.apply(answer)

    def genesis_shown(self):
        """The genesis block of the network that the node claims to be on."""
        return params.NETWORKS[self.network_name].genesis
