# SPDX-License-Identifier: MIT
"""Each scripted fault reaches the wire as described, and passes by when it is used up."""
import gzip
import http.client
import json
import pathlib
import socket
import time
import unittest

from support import RULES, NodeProcess, RpcFailure, block_of, hex_of
from simnode.faults import KINDS
from simnode.mutations import NAMED
from simnode.wire import display

CALL = {"method": "getblockcount", "id": 7}


SHARED = []


def setUpModule():
    SHARED.append(NodeProcess("--tx-count", "30"))


def tearDownModule():
    SHARED.pop().close()


class WithNode(unittest.TestCase):
    """Tests on one node, whose tip they leave alone."""

    def setUp(self):
        self.node = SHARED[0]
        self.node.sim_fault("clear")

    def tearDown(self):
        self.node.sim_fault("clear")
        self.node.sim_template()

    def hit(self, kind, **more):
        """The answer to getblockcount under one fault: (status, body) or the exception's name."""
        self.node.sim_fault(dict(more, kind=kind, method="getblockcount"))
        link = self.node.connect(2)
        try:
            response, text = self.node.post(CALL, link)
            return response.status, text, response
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__, getattr(error, "partial", b""), None
        finally:
            link.close()
            self.assertEqual(self.node.getblockcount(), 110)


class Wire(WithNode):
    def test_whole_answers(self):
        self.assertEqual(self.hit("503")[:2], (503, b"Work queue depth exceeded"))
        self.assertEqual(self.hit("401")[0], 401)
        self.assertEqual(self.hit("404")[0], 404)
        self.assertEqual(self.hit("status", status=502)[0], 502)
        self.assertEqual(self.hit("empty")[:2], (200, b""))
        self.assertEqual(json.loads(self.hit("null")[1]), None)
        self.assertIn(b"<html>", self.hit("html")[1])
        self.assertEqual(len(self.hit("garbage", size=777)[1]), 777)
        self.assertEqual(len(self.hit("oversized", size=3_000_000)[1]), 3_000_000)
        status, text, response = self.hit("gzip")
        self.assertEqual(response.getheader("Content-Encoding"), "gzip")
        self.assertEqual(json.loads(gzip.decompress(text))["result"], 110)
        self.assertEqual(json.loads(self.hit("chunked")[1])["result"], 110)
        with self.assertRaises(ValueError):
            json.loads(self.hit("truncated")[1])

    def test_broken_transfers(self):
        self.assertEqual(self.hit("close")[0], "RemoteDisconnected")
        self.assertEqual(self.hit("cut")[0], "IncompleteRead")
        self.assertEqual(self.hit("length_long")[0], "IncompleteRead")
        self.assertIn(self.hit("reset")[0], ("ConnectionResetError", "IncompleteRead"))
        self.assertEqual(self.hit("not_http")[0], "BadStatusLine")
        self.assertIn(self.hit("chunked_garbage")[0], ("IncompleteRead", "ValueError"))
        with self.assertRaises(ValueError):
            json.loads(self.hit("length_short")[1])
        self.assertEqual(self.hit("hang", seconds=0.1)[0], "RemoteDisconnected")

    def test_slow_answers(self):
        for kind, seconds, size in (("delay", 0.3, None), ("stall", 0.3, None), ("trickle", 0.03, 10)):
            started = time.monotonic()
            self.assertEqual(json.loads(self.hit(kind, seconds=seconds, size=size)[1])["result"], 110)
            self.assertGreater(time.monotonic() - started, 0.28)

    def test_content(self):
        self.assertEqual(json.loads(self.hit("error", code=-28, message="Loading")[1])["error"],
                         {"code": -28, "message": "Loading"})
        self.assertEqual(json.loads(self.hit("id", value="7")[1])["id"], "7")
        self.assertEqual(json.loads(self.hit("result", value=[1])[1])["result"], [1])
        self.assertNotIn("error", json.loads(self.hit("shape", value="2.0")[1]))
        self.node.sim_fault("batch_reverse")
        _, text = self.node.post([dict(CALL, id=1), dict(CALL, id=2)])
        self.assertEqual([r["id"] for r in json.loads(text)], [2, 1])

    def test_filter_count_and_clear(self):
        self.node.sim_fault("error", "getblockhash", 2)
        self.assertEqual(self.node.getblockcount(), 110)
        for _ in range(2):
            with self.assertRaises(RpcFailure):
                self.node.getblockhash(1)
        self.node.getblockhash(1)
        self.node.sim_fault("503", None, 0)
        for _ in range(3):
            with self.assertRaises(ValueError):
                self.node.getblockcount()
        self.assertEqual(self.node.sim_fault("clear"), [])
        self.assertEqual(self.node.getblockcount(), 110)
        with self.assertRaises(RpcFailure):
            self.node.sim_fault("unheard of")

    def test_every_kind_is_tried_here(self):
        source = pathlib.Path(__file__).read_text(encoding="utf-8")
        self.assertEqual([kind for kind in KINDS if '"%s"' % kind not in source], [])


class Blocks(unittest.TestCase):
    def test_answer_lost_but_block_connected(self):
        with NodeProcess() as node:
            block = block_of(node.getblocktemplate(RULES))
            node.sim_fault("close", "submitblock")
            with self.assertRaises((OSError, http.client.HTTPException)):
                node.submitblock(hex_of(block))
            self.assertEqual(node.submitblock(hex_of(block)), "duplicate")
            block = block_of(node.getblocktemplate(RULES))
            node.sim_fault({"kind": "close", "method": "submitblock", "execute": False})
            with self.assertRaises((OSError, http.client.HTTPException)):
                node.submitblock(hex_of(block))
            self.assertIsNone(node.submitblock(hex_of(block)))

    def test_forced_answers(self):
        with NodeProcess() as node:
            block = block_of(node.getblocktemplate(RULES))
            node.sim_submit_answer("inconclusive")
            node.sim_submit_answer()
            node.sim_submit_answer({"error": {"code": -28, "message": "x"}})
            node.sim_submit_answer({"answer": "rejected", "connect": True})
            self.assertEqual(node.submitblock(hex_of(block)), "inconclusive")
            self.assertIsNone(node.submitblock(hex_of(block)))
            with self.assertRaises(RpcFailure):
                node.submitblock(hex_of(block))
            self.assertEqual(node.getblockcount(), 110)
            self.assertEqual(node.submitblock(hex_of(block)), "rejected")
            self.assertEqual(node.getbestblockhash(), display(block.hash))
            seen = [(s["result"], s["actual"]) for s in node.sim_stats()["submitted"]]
            self.assertEqual(seen, [("inconclusive", "not-tried"), (None, "not-tried"), ("error -28", "not-tried"),
                                    ("rejected", None)])
            node.sim_proposal_answer("bad-txns-nonfinal")
            offer = dict(RULES, mode="proposal", data=hex_of(block))
            self.assertEqual(node.getblocktemplate(offer), "bad-txns-nonfinal")


class States(WithNode):
    def fails(self, code, method, *parameters):
        with self.assertRaises(RpcFailure) as caught:
            self.node.call(method, *parameters)
        self.assertEqual(caught.exception.code, code)

    def test_not_ready(self):
        self.node.sim_ibd(True)
        self.assertTrue(self.node.getblockchaininfo()["initialblockdownload"])
        self.fails(-10, "getblocktemplate", RULES)
        self.node.sim_ibd(False)
        self.node.sim_warmup(True)
        self.fails(-28, "getblockcount")
        self.node.sim_warmup(False)

    def test_other_network(self):
        self.node.sim_network("main")
        self.assertEqual(self.node.getblockchaininfo()["chain"], "main")
        self.assertEqual(self.node.getblockhash(0)[-6:], "8ce26f")
        self.node.sim_connections(0)
        self.fails(-9, "getblocktemplate", RULES)
        self.node.sim_connections(8)
        self.node.sim_network("regtest")
        self.fails(-8, "sim_network", "moon")


class Templates(WithNode):
    def test_merge_remove_set_count(self):
        plain = self.node.getblocktemplate(RULES)
        self.node.sim_template({"merge": {"height": "7", "coinbaseaux": {"flags": "00"}}, "remove": ["bits"],
                                "set": {"/transactions/0/fee": -1}, "count": 2})
        for _ in range(2):
            t = self.node.getblocktemplate(RULES)
            self.assertEqual((t["height"], t["coinbaseaux"], t["transactions"][0]["fee"]), ("7", {"flags": "00"}, -1))
            self.assertNotIn("bits", t)
        t = self.node.getblocktemplate(RULES)
        self.assertEqual(dict(t, curtime=0), dict(plain, curtime=0))

    def test_each_named_lie_changes_the_answer(self):
        plain = self.node.getblocktemplate(RULES)
        for name in NAMED:
            with self.subTest(name=name):
                self.node.sim_template({"named": {name: 900} if name == "many_transactions" else name})
                told = self.node.getblocktemplate(RULES)
                self.assertNotEqual(dict(told, curtime=0 if name != "curtime_far" else told["curtime"]),
                                    dict(plain, curtime=0))
        self.assertEqual(self.node.sim_template()[0], sorted(NAMED)[0])

    def test_invalid_transaction_fails_the_proposal(self):
        self.node.sim_template({"named": "invalid_transaction"})
        block = block_of(self.node.getblocktemplate(RULES))
        self.assertEqual(self.node.getblocktemplate(dict(RULES, mode="proposal", data=hex_of(block))),
                         "bad-txns-inputs-missingorspent")


class Stray(WithNode):
    def test_rubbish_on_the_socket(self):
        for rubbish in (b"\x16\x03\x01" + b"\0" * 200 + b"\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -4\r\n\r\n",
                        b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.node.port), 5) as raw:
                raw.sendall(rubbish)
                self.assertRegex(raw.recv(1000), b"HTTP/1.1 4")
        self.assertEqual(self.node.getblockcount(), 110)


if __name__ == "__main__":
    unittest.main()
