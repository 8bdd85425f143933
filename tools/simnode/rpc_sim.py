# SPDX-License-Identifier: MIT
"""The control plane: methods that only a test would call. Parameters may be positional or one object."""
import asyncio

from . import faults, mutations
from .dispatch import RpcError, rpc
from .rpc_mining import decode_block, known_network
from .wire import display


@rpc
def sim_fault(node, kind, method=None, count=1, execute=None, seconds=1.0, code=-1, message="scripted fault",
              status=500, size=None, value=None):
    """Sets a fault for the next `count` calls (0: until cleared) of `method` (none: of any); "clear" ends all."""
    if kind == "clear":
        node.faults.clear()
        return []
    if kind != "list":
        try:
            node.faults.add(faults.Fault(kind, method, count, execute, seconds, code, message, status, size, value))
        except ValueError as error:
            raise RpcError(-8, str(error))
    return [fault.view() for fault in node.faults.pending]


@rpc
def sim_template(node, merge=None, remove=None, set=None, named=None, count=0):
    """Falsifies templates from now on; without arguments, stops."""
    named = named if isinstance(named, dict) else {n: None for n in ([named] if isinstance(named, str) else named or [])}
    try:
        node.templates.set(merge or {}, remove or [], set or {}, named, count)
    except ValueError as error:
        raise RpcError(-8, str(error))
    node.notify(wake=True)
    return sorted(mutations.NAMED)


@rpc
def sim_submit_answer(node, answer=None, error=None, count=1, connect=False):
    """Forces the next `count` answers of submitblock; the block is connected all the same with `connect`."""
    node.submit_answers += [{"answer": answer, "error": error, "connect": connect}] * count
    if count == 0:
        node.submit_answers.clear()
    return len(node.submit_answers)


@rpc
def sim_proposal_answer(node, answer=None, count=1):
    """Forces the next `count` answers to proposals; count 0 forgets those still pending."""
    node.proposal_answers += [answer] * count
    if count == 0:
        node.proposal_answers.clear()
    return len(node.proposal_answers)


@rpc
def sim_reorg(node, depth=1, extra=1):
    """Replaces the last `depth` blocks by `depth + extra` others; extra 0 makes a tie, which does not win."""
    return node.reorg(depth, extra)


@rpc
def sim_generate(node, n=1, script=None):
    return [display(node.find_block(payout=bytes.fromhex(script) if script else None)[0].hash) for _ in range(n)]


@rpc
def sim_add_transactions(node, n=1, wake=True):
    """Adds transactions; long polls see them at once unless `wake` is false."""
    made = node.mempool.generate(n)
    node.notify(wake=wake)
    return made


@rpc
def sim_tx_count(node, n):
    """How many transactions the mempool is filled up to after each block."""
    node.options.tx_count = n
    node.mempool.trim(n)
    node.refill()
    node.notify(wake=True)
    return len(node.mempool)


@rpc
def sim_txindex(node, on=True):
    """While off, getrawtransaction finds what is in the chain only by its block."""
    node.txindex = bool(on)
    return node.txindex


@rpc
async def sim_zmq(node, mode="on", count=1000, value=None):
    """on, off, flood, lie, wrong_topic, short, gap, drop."""
    if node.publisher is None:
        raise RpcError(-8, "the node was started without ZMQ")
    try:
        await node.publisher.mode(mode, count, bytes.fromhex(value) if value else None)
    except ValueError as error:
        raise RpcError(-8, str(error))
    return node.publisher.view()


@rpc
def sim_ibd(node, on=True):
    node.ibd = bool(on)
    return node.ibd


@rpc
def sim_warmup(node, on=True, message="Loading block index…"):
    """While on, every other method answers error -28."""
    node.warmup = message if on else None
    return bool(node.warmup)


@rpc
def sim_connections(node, n):
    """The peer count to report; on a network other than regtest, 0 makes getblocktemplate answer -9."""
    node.connections = n
    return n


@rpc
def sim_network(node, name):
    """Claims to be on another network (chain name and genesis hash); the chain itself stays."""
    node.network_name = known_network(name)
    return node.network_name


@rpc
def sim_block_interval(node, seconds):
    """The node finds a block every so many seconds; 0 stops it."""
    node.options.block_interval = float(seconds)
    node.notify()
    return node.options.block_interval


@rpc
async def sim_peer(node, url, on=True):
    """Starts (after fetching what the peer has) or stops sending new blocks to http://user:password@host:port."""
    try:
        await (node.peers.add(url) if on else asyncio.sleep(0, node.peers.remove(url)))
    except (OSError, ValueError) as error:
        raise RpcError(-1, "peer: %s" % error)
    return node.peers.urls()


@rpc
def sim_peer_block(node, hexdata):
    """What a peer sends; answers as submitblock, outside faults, forced answers and counts."""
    return node.accept(decode_block(hexdata), "peer")


@rpc
def sim_stats(node, reset=False):
    view = node.stats.view()
    view["tip"] = {"height": node.chain.tip.height, "hash": display(node.chain.tip.hash)}
    if node.publisher:
        view["zmq"] = node.publisher.view()
    if reset:
        node.stats.reset()
    return view
