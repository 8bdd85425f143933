# SPDX-License-Identifier: MIT
"""getblocktemplate, submitblock and their kin."""
from . import checks
from .dispatch import RpcError, expect, rpc
from .params import NETWORKS, difficulty_of
from .script import OP_TRUE
from .wire import Block, DecodeError, Header, Reader, display, parse_hash


def decode_block(text):
    try:
        return Block.parse(bytes.fromhex(expect(text, str)))
    except (DecodeError, ValueError):
        raise RpcError(-22, "Block decode failed")


@rpc
async def getblocktemplate(node, template_request=None):
    request = expect(template_request, dict) if template_request is not None else {}
    mode = request.get("mode", "template")
    if mode == "proposal":
        return propose(node, request)
    if mode != "template":
        raise RpcError(-8, "Invalid mode")
    rules = expect(request.get("rules", []), list)
    if node.connections == 0 and node.network_name != "regtest":
        raise RpcError(-9, "Bitcoin Core is not connected!")
    if node.ibd:
        raise RpcError(-10, "Bitcoin Core is in initial sync and waiting for blocks...")
    if request.get("longpollid") is not None:
        await long_poll(node, request["longpollid"])
    if node.chain.network.name == "signet" and "signet" not in rules:
        raise RpcError(-8, "getblocktemplate must be called with the signet rule set (call with "
                           "{\"rules\": [\"segwit\", \"signet\"]})")
    if "segwit" not in rules:
        raise RpcError(-8, "getblocktemplate must be called with the segwit rule set (call with "
                           "{\"rules\": [\"segwit\"]})")
    return node.block_template()


async def long_poll(node, poll_id):
    tip, updates = display(node.chain.tip.hash), node.mempool.updates
    if isinstance(poll_id, str):
        try:
            tip = display(parse_hash(poll_id[:64]))
        except ValueError as error:
            raise RpcError(-8, "longpollid " + str(error))
        updates = int(poll_id[64:]) if poll_id[64:].isdigit() else 0
    await node.wait_for_template(tip, updates)
    if node.stopping.is_set():
        raise RpcError(-9, "Shutting down")


def propose(node, request):
    if not isinstance(request.get("data"), str):
        raise RpcError(-3, "Missing data String key for proposal")
    block = decode_block(request["data"])
    if node.proposal_answers:
        answer = node.proposal_answers.pop(0)
    else:
        answer = node.chain.propose(block)
    node.stats.proposal(display(block.hash), answer)
    return answer


@rpc
def submitblock(node, hexdata, dummy=None):
    block = decode_block(hexdata)
    if not block.txs or not block.txs[0].is_coinbase():
        raise RpcError(-22, "Block does not start with a coinbase")
    scripted = node.submit_answers.pop(0) if node.submit_answers else None
    actual = "not-tried"
    if scripted is None or scripted["connect"]:
        actual = node.accept(block, "submit")
    answer = actual if scripted is None else scripted["answer"]
    error = scripted and scripted.get("error")
    prev = node.chain.entries.get(block.header.prev)
    told = answer if not error else "error %d" % error["code"]
    node.stats.block(display(block.hash), prev.height + 1 if prev else None, len(hexdata) // 2, told, actual)
    if error:
        raise RpcError(error["code"], error.get("message", "scripted error"))
    return answer


@rpc
def submitheader(node, hexdata):
    try:
        header = Header.read(Reader(bytes.fromhex(expect(hexdata, str))))
    except (DecodeError, ValueError):
        raise RpcError(-22, "Block header decode failed")
    if header.prev not in node.chain.entries:
        raise RpcError(-25, "Must submit previous header (%s) first" % display(header.prev))
    try:
        node.chain.accept_header(header)
    except checks.Reject as refusal:
        raise RpcError(-25, refusal.reason)


@rpc
def getmininginfo(node):
    tip = node.chain.tip
    return {"blocks": tip.height, "difficulty": difficulty_of(tip.header.bits), "networkhashps": 0,
            "pooledtx": len(node.mempool), "chain": node.network_name, "warnings": []}


@rpc
def generate(node, nblocks, script_hex=None):
    """Finds blocks at once; they pay `script_hex`, or the node's own open outputs."""
    payout = bytes.fromhex(script_hex) if script_hex else None
    return [display(node.find_block(payout=payout)[0].hash) for _ in range(expect(nblocks, int))]


@rpc
def generatetoaddress(node, nblocks, address, maxtries=None):
    """As `generate`; the address is a scriptPubKey in hex, and any other text pays to TRUE."""
    try:
        payout = bytes.fromhex(address)
    except ValueError:
        payout = OP_TRUE
    return [display(node.find_block(payout=payout)[0].hash) for _ in range(expect(nblocks, int))]


def known_network(name):
    if name not in NETWORKS:
        raise RpcError(-8, "unknown network; known: " + ", ".join(NETWORKS))
    return name
