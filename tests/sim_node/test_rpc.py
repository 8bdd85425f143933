# SPDX-License-Identifier: MIT
"""The RPC surface: shapes of answers, error codes, templates, long polls, submissions."""
import json
import socket
import threading
import time
import unittest

from support import RULES, NodeProcess, RpcFailure, block_of, hex_of
from simnode.wire import Tx, display

TEMPLATE_KEYS = [
    "capabilities", "version", "rules", "vbavailable", "vbrequired", "previousblockhash", "transactions",
    "coinbaseaux", "coinbasevalue", "longpollid", "target", "mintime", "mutable", "noncerange", "sigoplimit",
    "sizelimit", "weightlimit", "curtime", "bits", "height", "default_witness_commitment"]


class WithNode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = NodeProcess("--tx-count", "40", "--seed", "5")

    @classmethod
    def tearDownClass(cls):
        cls.node.close()

    def fails(self, code, method, *parameters):
        with self.assertRaises(RpcFailure) as caught:
            self.node.call(method, *parameters)
        self.assertEqual(caught.exception.code, code)
        return caught.exception


class Shapes(WithNode):
    def test_version_1(self):
        response, text = self.node.post({"method": "getblockcount", "id": "x"})
        self.assertEqual(response.status, 200)
        self.assertEqual(response.getheader("Content-Type"), "application/json")
        self.assertEqual(list(json.loads(text)), ["result", "error", "id"])

    def test_version_2(self):
        call = {"jsonrpc": "2.0", "method": "getblockcount", "id": 1}
        _, text = self.node.post(call)
        self.assertEqual(list(json.loads(text)), ["jsonrpc", "result", "id"])
        response, text = self.node.post(dict(call, method="nothing"))
        self.assertEqual((response.status, list(json.loads(text))), (200, ["jsonrpc", "error", "id"]))
        call.pop("id")
        response, text = self.node.post(call)
        self.assertEqual((response.status, text), (204, b""))

    def test_batch_keeps_order(self):
        response, text = self.node.post([{"method": "getblockhash", "params": [h], "id": h} for h in (3, 1, 2)])
        self.assertEqual((response.status, [r["id"] for r in json.loads(text)]), (200, [3, 1, 2]))

    def test_errors(self):
        self.assertEqual(self.fails(-32601, "nothing").status, 404)
        self.assertEqual(self.fails(-8, "getblockhash", 999).status, 500)
        self.fails(-5, "getblockheader", "ab" * 32)
        self.fails(-8, "getblockheader", "ab")
        self.fails(-22, "submitblock", "00")
        self.fails(-22, "submitblock", "xyz")
        self.fails(-3, "submitblock", 5)
        self.fails(-1, "submitblock")
        self.fails(-8, "getblocktemplate", {"rules": []})
        self.fails(-8, "getblocktemplate", {"rules": ["segwit"], "mode": "other"})
        response, text = self.node.post(b"{nonsense")
        self.assertEqual((response.status, json.loads(text)["error"]["code"]), (500, -32700))

    def test_http(self):
        response, text = self.node.post({"method": "uptime"}, auth="u:wrong")
        self.assertEqual((response.status, text), (401, b""))
        self.assertEqual(response.getheader("WWW-Authenticate"), 'Basic realm="jsonrpc"')
        self.assertEqual(self.node.post({}, path="/elsewhere")[0].status, 404)
        link = self.node.connect()
        link.request("GET", "/")
        self.assertEqual(link.getresponse().status, 405)
        link.close()

    def test_keep_alive_and_expectation(self):
        link = self.node.connect()
        for _ in range(3):
            self.assertEqual(self.node.post({"method": "uptime"}, link)[0].status, 200)
        local = link.sock.getsockname()
        self.assertEqual(self.node.post({"method": "uptime"}, link)[0].status, 200)
        self.assertEqual(link.sock.getsockname(), local)
        link.close()
        with socket.create_connection(("127.0.0.1", self.node.port), 5) as raw:
            raw.sendall(b"POST / HTTP/1.1\r\nAuthorization: Basic dTpw\r\nExpect: 100-continue\r\n"
                        b"Content-Length: 19\r\nConnection: close\r\n\r\n")
            self.assertTrue(raw.recv(100).startswith(b"HTTP/1.1 100 Continue"))
            raw.sendall(b'{"method":"uptime"}')
            self.assertTrue(raw.recv(1000).startswith(b"HTTP/1.1 200 OK"))


class Chain(WithNode):
    def test_views_agree(self):
        info, tips = self.node.getblockchaininfo(), self.node.getchaintips()
        self.assertEqual(info["chain"], "regtest")
        self.assertEqual(info["blocks"], self.node.getblockcount())
        self.assertEqual(info["bestblockhash"], self.node.getbestblockhash())
        self.assertEqual(tips[0]["hash"], info["bestblockhash"])
        self.assertEqual(self.node.getblockhash(0),
                         "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")
        header = self.node.getblockheader(self.node.getblockhash(5))
        self.assertEqual((header["height"], header["confirmations"]), (5, info["blocks"] - 4))
        self.assertEqual(header["nextblockhash"], self.node.getblockhash(6))
        self.assertEqual(len(self.node.getblockheader(header["hash"], False)), 160)
        block = self.node.getblock(header["hash"])
        self.assertEqual(block["size"] * 2, len(self.node.getblock(header["hash"], 0)))
        self.assertEqual(self.node.getnetworkinfo()["version"], 280000)
        self.assertEqual(self.node.getmininginfo()["blocks"], info["blocks"])

    def test_statistics_of_a_block(self):
        t = self.node.getblocktemplate(RULES)
        block = block_of(t, tag=b"statistics")
        self.assertIsNone(self.node.submitblock(hex_of(block)))
        fees = sum(e["fee"] for e in t["transactions"])
        self.assertGreater(fees, 0)
        self.assertEqual(self.node.getblockstats(t["height"], ["totalfee", "height"]),
                         {"totalfee": fees, "height": t["height"]})
        whole = self.node.getblockstats(display(block.hash))
        self.assertEqual((whole["totalfee"], whole["txs"]), (fees, len(t["transactions"]) + 1))
        self.assertEqual(self.node.getblockstats(1, ["totalfee"]), {"totalfee": 0})
        self.fails(-8, "getblockstats", t["height"] + 1)
        self.fails(-8, "getblockstats", -1)
        self.fails(-8, "getblockstats", 1, ["nothing"])
        self.fails(-5, "getblockstats", "ab" * 32)
        self.fails(-3, "getblockstats", 1, "totalfee")

    def test_headers_first(self):
        block = block_of(self.node.getblocktemplate(RULES), tag=b"header")
        self.assertIsNone(self.node.submitheader(block.header.serialize().hex()))
        self.assertEqual(self.node.getchaintips()[0]["status"], "headers-only")
        self.assertEqual(self.node.getblockheader(display(block.hash))["confirmations"], -1)
        self.assertEqual(self.node.getblockchaininfo()["headers"], self.node.getblockcount() + 1)
        self.assertIsNone(self.node.submitblock(hex_of(block)))
        self.assertEqual(self.node.getbestblockhash(), display(block.hash))

    def test_transactions_can_be_sent(self):
        child = self.node.getblocktemplate(RULES)["transactions"][-1]
        other = NodeProcess("--tx-count", "0", "--seed", "5", "--premine", "0")
        with other:
            with self.assertRaises(RpcFailure) as caught:
                other.sendrawtransaction(child["data"])
            self.assertEqual(caught.exception.code, -25)
        self.assertEqual(self.node.sendrawtransaction(child["data"]), child["txid"])
        self.assertEqual(self.node.getrawtransaction(child["txid"]), child["data"])


class Templates(WithNode):
    def test_fields(self):
        t = self.node.getblocktemplate(RULES)
        self.assertEqual(list(t), TEMPLATE_KEYS)
        self.assertEqual(len(t["transactions"]), 40)
        self.assertEqual(t["coinbasevalue"], 5_000_000_000 + sum(e["fee"] for e in t["transactions"]))
        self.assertEqual(t["previousblockhash"], self.node.getbestblockhash())
        self.assertLessEqual(t["mintime"], t["curtime"])
        kinds = {e["txid"] == e["hash"] for e in t["transactions"]}
        self.assertEqual(kinds, {True, False})
        self.assertTrue(any(e["depends"] for e in t["transactions"]))
        self.assertTrue(any(e["sigops"] for e in t["transactions"]))
        position = {e["txid"]: n for n, e in enumerate(t["transactions"], 1)}
        for number, entry in enumerate(t["transactions"], 1):
            tx = Tx.parse(bytes.fromhex(entry["data"]))
            self.assertEqual((display(tx.txid), display(tx.wtxid), tx.weight),
                             (entry["txid"], entry["hash"], entry["weight"]))
            self.assertGreaterEqual(tx.base_size, 65)
            parents = {position[display(i.txid)] for i in tx.vin if display(i.txid) in position}
            self.assertEqual(sorted(parents), entry["depends"])
            self.assertTrue(all(p < number for p in parents))

    def test_proposal_and_submission(self):
        block = block_of(self.node.getblocktemplate(RULES), tag=b"offer")
        request = {"rules": ["segwit"], "mode": "proposal", "data": hex_of(block)}
        self.assertIsNone(self.node.getblocktemplate(request))
        self.assertIsNone(self.node.submitblock(hex_of(block)))
        self.assertEqual(self.node.submitblock(hex_of(block)), "duplicate")
        self.assertEqual(self.node.getblocktemplate(request), "duplicate")
        rival = block_of(dict(self.node.getblocktemplate(RULES), previousblockhash=self.node.getblockhash(50)))
        request["data"] = hex_of(rival)
        self.assertEqual(self.node.getblocktemplate(request), "inconclusive-not-best-prevblk")
        stats = self.node.sim_stats()
        self.assertEqual([s["result"] for s in stats["submitted"]], [None, "duplicate"])
        self.assertEqual(stats["proposals"][0], dict(stats["proposals"][0], hash=display(block.hash), result=None))

    def test_same_seed_same_chain(self):
        options = ("--seed", "9", "--mock-time", "1700000000", "--tx-count", "5")
        with NodeProcess(*options) as a, NodeProcess(*options) as b:
            self.assertEqual(a.ready["tip"], b.ready["tip"])
            self.assertEqual(a.getblocktemplate(RULES), b.getblocktemplate(RULES))


class LongPoll(WithNode):
    def poll(self, poll_id):
        """Starts a long poll; the list receives (template, seconds)."""
        got, started = [], time.monotonic()

        def wait():
            body = {"method": "getblocktemplate", "params": [dict(RULES, longpollid=poll_id)], "id": 1}
            _, text = self.node.post(body)
            got.append((json.loads(text)["result"], time.monotonic() - started))

        thread = threading.Thread(target=wait)
        thread.start()
        return thread, got

    def test_waits_for_a_tip(self):
        first = self.node.getblocktemplate(RULES)
        thread, got = self.poll(first["longpollid"])
        time.sleep(0.3)
        self.assertFalse(got)
        self.node.generate(1)
        thread.join(5)
        self.assertEqual(got[0][0]["height"], first["height"] + 1)

    def test_waits_for_transactions(self):
        first = self.node.getblocktemplate(RULES)
        thread, got = self.poll(first["longpollid"])
        time.sleep(0.1)
        self.assertEqual(self.node.sim_add_transactions(3, False), 3)
        time.sleep(0.2)
        self.assertFalse(got)
        self.node.sim_add_transactions(2)
        thread.join(5)
        self.assertEqual(got[0][0]["previousblockhash"], first["previousblockhash"])
        self.assertNotEqual(got[0][0]["longpollid"], first["longpollid"])

    def test_old_id_returns_at_once(self):
        thread, got = self.poll("00" * 32 + "1")
        thread.join(5)
        self.assertLess(got[0][1], 1)
        self.fails(-8, "getblocktemplate", dict(RULES, longpollid="short"))


if __name__ == "__main__":
    unittest.main()
