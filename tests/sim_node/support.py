# SPDX-License-Identifier: MIT
"""Shared by the tests: a node process, an RPC caller, and a builder of blocks from templates."""
import base64
import http.client
import json
import os
import pathlib
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(TREE / "tools"))

from simnode import miner, params, script  # noqa: E402
from simnode.wire import NULL_HASH, Block, Header, Tx, TxIn, TxOut  # noqa: E402

RULES = {"rules": ["segwit"]}


class RpcFailure(Exception):
    def __init__(self, error, status):
        super().__init__("%s (HTTP %d)" % (error, status))
        self.code, self.message, self.status = error["code"], error["message"], status


class NodeProcess:
    """A running sim-node; `with` ends it. Any attribute is an RPC method."""

    def __init__(self, *options):
        command = [sys.executable, str(TREE / "tools/sim-node"), "--user", "u", "--password", "p",
                   "--exit-with-parent", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.port, self.zmq_port = self.ready["rpc_port"], self.ready.get("zmq_port")
        self.url = "http://u:p@127.0.0.1:%d" % self.port
        self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._connection:
            self._connection.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(5)
        self.process.stdout.close()

    def connect(self, timeout=10):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def post(self, body, connection=None, auth="u:p", path="/", headers=None):
        """One exchange on `connection` (a fresh one if none): the response and its body."""
        link = connection or self.connect()
        login = "Basic " + base64.b64encode(auth.encode()).decode()
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        link.request("POST", path, data, {"Authorization": login, **(headers or {})})
        response = link.getresponse()
        text = response.read()
        if connection is None:
            link.close()
        return response, text

    def call(self, method, *parameters):
        self._connection = self._connection or self.connect(30)
        try:
            body = {"method": method, "params": parameters, "id": 7}
            response, text = self.post(body, self._connection)
        except Exception:
            self._connection.close()
            self._connection = None
            raise
        reply = json.loads(text)
        if reply["error"]:
            raise RpcFailure(reply["error"], response.status)
        return reply["result"]

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *parameters: self.call(name, *parameters)


def block_of(template, change=None, tag=b"\0\0\0\0", late=None, time=None):
    """A valid block for a template. `change(block)` may spoil its parts before roots are made,
    `late(block)` after them; then the nonce is found."""
    txs = [Tx.parse(bytes.fromhex(t["data"])) for t in template["transactions"]]
    script_sig = script.height_script(template["height"]) + script.push(tag)
    coinbase = Tx([TxIn(NULL_HASH, 0xFFFFFFFF, script_sig, witness=[NULL_HASH])],
                  [TxOut(template["coinbasevalue"], script.OP_TRUE),
                   TxOut(0, bytes.fromhex(template["default_witness_commitment"]))])
    header = Header(template["version"], bytes.fromhex(template["previousblockhash"])[::-1], NULL_HASH,
                    time or template["curtime"], int(template["bits"], 16))
    block = Block(header, [coinbase] + txs)
    if change:
        change(block)
    finish(block)
    if late:
        late(block)
        miner.search(block.header)
    return block


def finish(block):
    for tx in block.txs:
        tx.forget()
    block.header.merkle_root = params.merkle_root([tx.txid for tx in block.txs])[0]
    miner.search(block.header)


def recommit(block):
    """Makes the witness commitment right again after a change of the transactions."""
    for tx in block.txs:
        tx.forget()
    block.txs[0].vout[-1].script = params.commitment_script(block.txs)


def hex_of(block):
    return block.serialize().hex()


def vector(name):
    return pathlib.Path(os.environ.get("ADIT_TEST_DATA", TREE / "tests")) / "vectors" / name
