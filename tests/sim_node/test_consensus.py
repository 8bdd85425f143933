# SPDX-License-Identifier: MIT
"""A good block is taken; each single fault is refused with bitcoind's word, as proposal and as submission."""
import argparse
import unittest

from support import block_of, finish, hex_of, recommit
from simnode import params, script
from simnode.node import Node
from simnode.wire import NULL_HASH, Block, Tx, TxIn, TxOut


def make_node(**changes):
    options = dict(network="regtest", bits=params.EASY_BITS, premine=110, seed=3, tx_count=12, start_time=0,
                   mock_time=1_700_000_000, block_interval=0, longpoll_tx_seconds=60)
    return Node(argparse.Namespace(**dict(options, **changes)))


def coinbase_value(more):
    def change(block):
        block.txs[0].vout[0].value += more
    return change


def coinbase_script(data):
    def change(block):
        block.txs[0].vin[0].script = data
    return change


def witness(items):
    def change(block):
        block.txs[0].vin[0].witness = items
    return change


def add_transaction(make):
    def change(block):
        block.txs.append(make(block))
        recommit(block)
    return change


def header(**fields):
    def change(block):
        for name, value in fields.items():
            setattr(block.header, name, value)
    return change


def drop_commitment(block):
    block.txs[0].vout.pop()


def wrong_commitment(block):
    block.txs[0].vout[-1].script = params.COMMITMENT_HEADER + b"\x11" * 32


def missing_input(_block):
    return Tx([TxIn(b"\x42" * 32, 0)], [TxOut(1, script.OP_TRUE)])


def spend_twice(block):
    first = block.txs[1]
    return Tx([TxIn(i.txid, i.index, witness=i.witness) for i in first.vin], [TxOut(1000, script.OP_TRUE)])


def too_much_out(block):
    tx = block.txs.pop()
    tx.vout[0].value += 10 ** 10
    return tx


def negative_out(_block):
    return Tx([TxIn(b"\x42" * 32, 0)], [TxOut(-1, script.OP_TRUE)])


def no_outputs(_block):
    return Tx([TxIn(b"\x42" * 32, 0)], [])


def same_input_twice(_block):
    return Tx([TxIn(b"\x42" * 32, 0), TxIn(b"\x42" * 32, 0)], [TxOut(1, script.OP_TRUE)])


def locked(_block):
    return Tx([TxIn(b"\x42" * 32, 0, sequence=0)], [TxOut(1, script.OP_TRUE)], locktime=5000)


def many_sigops(block):
    block.txs[0].vout.insert(1, TxOut(0, b"\xac" * 20_001))


def heavy(block):
    block.txs[0].vin[0].witness = [NULL_HASH]
    big = Tx([TxIn(b"\x42" * 32, 0, witness=[b"\0" * 4_000_000])], [TxOut(0, script.OP_TRUE)])
    block.txs.append(big)
    recommit(block)


def reversed_order(block):
    block.txs[1:] = reversed(block.txs[1:])
    recommit(block)


def second_coinbase(block):
    block.txs.append(Tx([TxIn(NULL_HASH, 0xFFFFFFFF, b"\x01\x02")], [TxOut(0, b"\x51")]))
    recommit(block)


NOW = 1_700_000_000
# Reason, change before the roots are made (or None), change after (or None).
CASES = [
    ("bad-cb-amount", coinbase_value(1), None),
    ("bad-cb-height", coinbase_script(script.height_script(112) + b"\0\0"), None),
    ("bad-cb-height", coinbase_script(b"\x02\x6f\x00\x00"), None),
    ("bad-cb-length", coinbase_script(b"\x51"), None),
    ("bad-cb-length", coinbase_script(b"\x01\x6f" + b"\0" * 99), None),
    ("bad-witness-nonce-size", witness([b"\0" * 31]), None),
    ("bad-witness-nonce-size", witness([NULL_HASH, NULL_HASH]), None),
    ("bad-witness-merkle-match", witness([b"\1" * 32]), None),
    ("bad-witness-merkle-match", wrong_commitment, None),
    ("unexpected-witness", drop_commitment, None),
    ("bad-txns-inputs-missingorspent", add_transaction(missing_input), None),
    ("bad-txns-inputs-missingorspent", add_transaction(spend_twice), None),
    ("bad-txns-inputs-missingorspent", reversed_order, None),
    ("bad-txns-in-belowout", add_transaction(too_much_out), None),
    ("bad-txns-vout-negative", add_transaction(negative_out), None),
    ("bad-txns-vout-empty", add_transaction(no_outputs), None),
    ("bad-txns-inputs-duplicate", add_transaction(same_input_twice), None),
    ("bad-txns-nonfinal", add_transaction(locked), None),
    ("bad-blk-sigops", many_sigops, None),
    ("bad-blk-weight", heavy, None),
    ("bad-cb-multiple", second_coinbase, None),
    ("bad-txnmrklroot", None, header(merkle_root=b"\5" * 32)),
    ("time-too-old", header(time=1_600_000_000), None),
    ("time-too-new", header(time=NOW + 7201), None),
    ("bad-diffbits", header(bits=0x207FFFFE), None),
    ("bad-version(0x00000003)", header(version=3), None),
    ("bad-version(0x00000001)", header(version=1), None),
]


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = make_node()

    def test_good_block_proposed_each_fault_refused(self):
        template = self.node.block_template()
        self.assertIsNone(self.node.chain.propose(block_of(template)))
        for number, (reason, change, late) in enumerate(CASES):
            with self.subTest(reason=reason, number=number):
                spoiled = block_of(template, change, tag=b"%04d" % number, late=late)
                self.assertEqual(self.node.chain.propose(spoiled), reason)
                tip = self.node.chain.tip
                copy = Block.parse(spoiled.serialize())
                self.assertEqual(self.node.accept(copy, "submit"), reason)
                self.assertIs(self.node.chain.tip, tip)
        self.assertIsNone(self.node.chain.propose(block_of(template)))

    def test_duplicated_transactions(self):
        block = block_of(self.node.block_template())
        for order in ((0, 1, 0, 1), (0, 1, 2, 2)):
            spoiled = Block(block.header, [block.txs[i] for i in order])
            spoiled.header.merkle_root = params.merkle_root([tx.txid for tx in spoiled.txs])[0]
            self.assertEqual(self.node.chain.propose(spoiled), "bad-txns-duplicate")

    def test_high_hash(self):
        block = block_of(self.node.block_template(), tag=b"high")
        while params.hash_value(block.hash) <= params.target_of(block.header.bits):
            block.header.nonce += 1
        self.assertEqual(self.node.accept(block, "submit"), "high-hash")

    def test_unknown_parent(self):
        block = block_of(self.node.block_template(), header(prev=b"\6" * 32))
        self.assertEqual(self.node.chain.propose(block), "inconclusive-not-best-prevblk")
        self.assertEqual(self.node.accept(block, "submit"), "prev-blk-not-found")

    def test_immature_coinbase(self):
        entry = self.node.chain.active[100]
        outpoint = (entry.block.txs[0].txid, 0)
        tx = Tx([TxIn(*outpoint)], [TxOut(1000, script.OP_TRUE)])
        block = block_of(self.node.block_template(), add_transaction(lambda _: tx))
        self.assertEqual(self.node.chain.propose(block), "bad-txns-premature-spend-of-coinbase")

    def test_sigops_of_witness_and_p2sh_count_to_the_last(self):
        """Those of a witness script cost 1 each, those of a P2SH script 4, as those of the bare scripts beside them."""
        checks = b"\x00\x63" + b"\xac" * 5 + b"\x68\x51"  # counted, not run
        program = script.p2wsh(checks)
        p2sh = b"\xa9\x14" + b"\x11" * 20 + b"\x87"  # the node believes the hash
        kinds = {"witness": (program, b"", [checks], 5), "witness in P2SH": (p2sh, script.push(program), [checks], 5),
                 "P2SH": (p2sh, script.push(checks), [], 20)}
        for name, (locked_by, unlock, items, cost) in kinds.items():
            for bare, reason in (((80_000 - cost) // 4, None), ((80_000 - cost) // 4 + 1, "bad-blk-sigops")):
                def change(block, locked_by=locked_by, unlock=unlock, items=items, bare=bare):
                    first = block.txs[1]
                    made = Tx([TxIn(i.txid, i.index, witness=i.witness) for i in first.vin], [TxOut(0, locked_by)])
                    block.txs[1:] = [made, Tx([TxIn(made.txid, 0, unlock, witness=items)], [TxOut(0, script.OP_TRUE)])]
                    block.txs[0].vout[0].value = 0
                    block.txs[0].vout.insert(1, TxOut(0, b"\xac" * bare))
                    recommit(block)
                with self.subTest(kind=name, reason=reason):
                    block = block_of(self.node.block_template(), change)
                    self.assertEqual(self.node.chain.propose(block), reason)


class Acceptance(unittest.TestCase):
    def test_connect_and_duplicate(self):
        node = make_node()
        block = block_of(node.block_template())
        self.assertIsNone(node.accept(Block.parse(block.serialize()), "submit"))
        self.assertEqual(node.chain.tip.hash, block.hash)
        self.assertEqual(node.accept(block, "submit"), "duplicate")

    def test_invalid_block_is_remembered_unless_malleable(self):
        node = make_node()
        bad = block_of(node.block_template(), coinbase_value(1))
        self.assertEqual(node.accept(bad, "submit"), "bad-cb-amount")
        self.assertEqual(node.accept(bad, "submit"), "duplicate-invalid")
        good = block_of(node.block_template(), tag=b"good")
        spoiled = Block.parse(good.serialize())
        spoiled.txs[0].vin[0].witness = [b"\1" * 32]
        self.assertEqual(node.accept(spoiled, "submit"), "bad-witness-merkle-match")
        self.assertIsNone(node.accept(good, "submit"))

    def test_missing_witness_nonce_is_filled_in(self):
        node = make_node()
        block = block_of(node.block_template())
        block.txs[0].vin[0].witness = []
        self.assertIsNone(node.accept(block, "submit"))

    def test_child_of_invalid_block(self):
        node = make_node()
        template = node.block_template()
        bad = block_of(template, coinbase_value(1))
        node.accept(bad, "submit")
        template["previousblockhash"], template["height"] = bad.hash[::-1].hex(), template["height"] + 1
        self.assertEqual(node.accept(block_of(template), "submit"), "bad-prevblk")

    def test_halving(self):
        node = make_node(premine=149, tx_count=0)
        self.assertEqual(node.block_template()["coinbasevalue"], 2_500_000_000)
        self.assertIsNone(node.accept(block_of(node.block_template()), "submit"))

    def test_bits_after_the_premine(self):
        node = make_node(bits=0x1F7FFFFF, premine=2, tx_count=0)
        template = node.block_template()
        self.assertEqual(template["bits"], "1f7fffff")
        self.assertEqual(node.accept(block_of(template, header(bits=params.EASY_BITS)), "submit"), "bad-diffbits")
        self.assertIsNone(node.accept(block_of(template), "submit"))

    def test_low_heights_push_as_opcodes(self):
        node = make_node(premine=0, tx_count=0)
        for _ in range(18):
            self.assertIsNone(node.accept(block_of(node.block_template()), "submit"))

    def test_coins_return_after_a_reorg(self):
        node = make_node(tx_count=50)
        before = {op: coin.value for op, coin in node.chain.coins.items()}
        node.find_block()
        node.find_block()
        node.chain.invalidate(node.chain.active[111])
        self.assertEqual({op: coin.value for op, coin in node.chain.coins.items()}, before)
        self.assertGreaterEqual(len(node.mempool), 50)

    def test_finish_keeps_a_block_valid(self):
        node = make_node()
        block = block_of(node.block_template())
        finish(block)
        self.assertIsNone(node.accept(block, "submit"))


if __name__ == "__main__":
    unittest.main()
