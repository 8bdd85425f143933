# SPDX-License-Identifier: MIT
"""Forks: first seen wins a tie, more work wins, the operator's overrules, two nodes that exchange blocks."""
import time
import unittest

from support import RULES, NodeProcess, block_of, hex_of
from simnode.wire import display


def eventually(test, condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    test.assertTrue(condition())


class Forks(unittest.TestCase):
    def setUp(self):
        self.node = NodeProcess("--tx-count", "20", "--longpoll-tx-seconds", "1")
        self.addCleanup(self.node.close)

    def status(self, digest):
        return {t["hash"]: t["status"] for t in self.node.getchaintips()}.get(digest)

    def test_tie_then_overtaking(self):
        template = self.node.getblocktemplate(RULES)
        a, b = block_of(template, tag=b"first"), block_of(template, tag=b"second")
        self.assertIsNone(self.node.submitblock(hex_of(a)))
        self.assertEqual(self.node.submitblock(hex_of(b)), "inconclusive")
        self.assertEqual(self.node.submitblock(hex_of(b)), "duplicate")
        self.assertEqual(self.node.getbestblockhash(), display(a.hash))
        self.assertEqual(self.status(display(b.hash)), "valid-headers")
        self.assertEqual(self.node.getblockheader(display(b.hash))["confirmations"], -1)
        self.node.preciousblock(display(b.hash))
        self.assertEqual(self.node.getbestblockhash(), display(b.hash))
        self.assertEqual(self.status(display(a.hash)), "valid-fork")
        on_b = block_of(self.node.getblocktemplate(RULES))
        self.assertIsNone(self.node.submitblock(hex_of(on_b)))
        self.assertEqual(self.node.getblockheader(display(b.hash))["confirmations"], 2)

    def test_scripted_reorg(self):
        self.node.generate(5)
        lost, pooled = self.node.getbestblockhash(), len(self.node.getrawmempool())
        new = self.node.sim_reorg(3)
        self.assertEqual(len(new), 4)
        self.assertEqual((self.node.getblockcount(), self.node.getbestblockhash()), (116, new[-1]))
        self.assertEqual(self.node.getblockheader(lost)["confirmations"], -1)
        self.assertGreater(len(self.node.getrawmempool()), pooled)
        self.assertIsNone(self.node.submitblock(hex_of(block_of(self.node.getblocktemplate(RULES)))))
        tie = self.node.sim_reorg(2, 0)
        self.assertNotEqual(self.node.getbestblockhash(), tie[-1])

    def test_invalidate_and_reconsider(self):
        tip = self.node.getbestblockhash()
        self.node.generate(2)
        top = self.node.getbestblockhash()
        self.node.invalidateblock(self.node.getblockhash(111))
        self.assertEqual(self.node.getbestblockhash(), tip)
        self.assertEqual(self.status(top), "invalid")
        self.node.reconsiderblock(top)
        self.assertEqual(self.node.getbestblockhash(), top)

    def test_side_branch_that_proves_invalid(self):
        template = self.node.getblocktemplate(RULES)

        def greedy(block):
            block.txs[0].vout[0].value += 1

        self.assertIsNone(self.node.submitblock(hex_of(block_of(template, tag=b"good"))))
        bad = block_of(template, greedy, tag=b"bad")
        self.assertEqual(self.node.submitblock(hex_of(bad)), "inconclusive")
        tip = self.node.getbestblockhash()
        empty = dict(template, transactions=[], coinbasevalue=5_000_000_000, height=template["height"] + 1,
                     previousblockhash=display(bad.hash),
                     default_witness_commitment="6a24aa21a9ed" + "e2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9")
        child = block_of(empty)
        self.assertEqual(self.node.submitblock(hex_of(child)), "inconclusive")
        self.assertEqual(self.node.getbestblockhash(), tip)
        self.assertEqual(self.node.submitblock(hex_of(bad)), "duplicate-invalid")

    def test_own_blocks_by_the_clock(self):
        self.node.sim_block_interval(0.1)
        eventually(self, lambda: self.node.getblockcount() >= 113)
        self.node.sim_block_interval(0)


class Pair(unittest.TestCase):
    def test_blocks_travel(self):
        with NodeProcess("--premine", "3") as a, NodeProcess("--premine", "6", "--peer", a.url) as b:
            self.assertEqual(b.getblockcount(), 6)
            a.sim_peer(b.url)
            self.assertEqual(a.getblockcount(), 6)
            mined = b.sim_generate(1)[0]
            eventually(self, lambda: a.getbestblockhash() == mined)
            mined = a.sim_generate(2)[1]
            eventually(self, lambda: b.getbestblockhash() == mined)
            a.sim_peer(b.url, False)
            a.sim_generate(1)
            b.sim_generate(2)
            a.sim_peer(b.url)
            eventually(self, lambda: a.getbestblockhash() == b.getbestblockhash())
            self.assertEqual(a.sim_stats()["submitted"], [])


if __name__ == "__main__":
    unittest.main()
