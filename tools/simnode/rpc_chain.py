# SPDX-License-Identifier: MIT
"""Methods that look at the chain, the mempool and the node, and those that steer the choice of tip."""
import time

from . import wire
from .checks import Reject
from .dispatch import RpcError, expect, rpc
from .params import COIN, difficulty_of

VERSION, SUBVERSION = 280000, "/Satoshi:28.0.0(sim-node)/"


def entry_of(node, text):
    try:
        digest = wire.parse_hash(expect(text, str))
    except ValueError as error:
        raise RpcError(-8, "blockhash " + str(error))
    entry = node.chain.entries.get(digest)
    if entry is None:
        raise RpcError(-5, "Block not found")
    return entry


def shown_hash(node, entry):
    """The entry's hash; at height 0 that of the network that the node claims to be on."""
    return wire.display(entry.hash if entry.height else node.genesis_shown().hash)


def header_view(node, entry):
    chain, h = node.chain, entry.header
    active = chain.is_active(entry)
    view = {"hash": shown_hash(node, entry),
            "confirmations": chain.tip.height - entry.height + 1 if active else -1,
            "height": entry.height, "version": h.version, "versionHex": "%08x" % (h.version & 0xFFFFFFFF),
            "merkleroot": wire.display(h.merkle_root), "time": h.time, "mediantime": entry.median_time(),
            "nonce": h.nonce, "bits": "%08x" % h.bits, "difficulty": difficulty_of(h.bits),
            "chainwork": "%064x" % entry.work, "nTx": len(entry.block.txs) if entry.block else 0}
    if entry.prev:
        view["previousblockhash"] = shown_hash(node, entry.prev)
    if active and entry is not chain.tip:
        view["nextblockhash"] = wire.display(chain.active[entry.height + 1].hash)
    return view


@rpc
def getblockchaininfo(node):
    tip = node.chain.tip
    return {"chain": node.network_name, "blocks": tip.height, "headers": node.chain.best_header.height,
            "bestblockhash": shown_hash(node, tip), "difficulty": difficulty_of(tip.header.bits),
            "time": tip.header.time, "mediantime": tip.median_time(), "verificationprogress": 0.5 if node.ibd else 1,
            "initialblockdownload": node.ibd, "chainwork": "%064x" % tip.work, "size_on_disk": 0, "pruned": False,
            "warnings": []}


@rpc
def getbestblockhash(node):
    return shown_hash(node, node.chain.tip)


@rpc
def getblockcount(node):
    return node.chain.tip.height


@rpc
def getblockhash(node, height):
    if not 0 <= expect(height, int) <= node.chain.tip.height:
        raise RpcError(-8, "Block height out of range")
    return shown_hash(node, node.chain.active[height])


@rpc
def getblockheader(node, blockhash, verbose=True):
    entry = entry_of(node, blockhash)
    return header_view(node, entry) if verbose else entry.header.serialize().hex()


@rpc
def getblock(node, blockhash, verbosity=1):
    entry = entry_of(node, blockhash)
    if entry.block is None:
        raise RpcError(-1, "Block not available (not fully downloaded)")
    if not verbosity:
        return entry.block.serialize().hex()
    view, block = header_view(node, entry), entry.block
    view.update(strippedsize=block.base_size, size=block.total_size, weight=block.weight)
    view["tx"] = [wire.display(tx.txid) for tx in block.txs]
    return view


@rpc
def getblockstats(node, hash_or_height, stats=None):
    """A part of bitcoind's statistics; amounts in satoshi."""
    if isinstance(hash_or_height, int) and not isinstance(hash_or_height, bool):
        if hash_or_height < 0:
            raise RpcError(-8, "Target block height %d is negative" % hash_or_height)
        if hash_or_height > node.chain.tip.height:
            raise RpcError(-8, "Target block height %d after current tip %d" % (hash_or_height, node.chain.tip.height))
        entry = node.chain.active[hash_or_height]
    else:
        entry = entry_of(node, hash_or_height)
    if entry.undo is None:
        raise RpcError(-1, "Block not available (not fully downloaded)")
    spent = sum(coin.value for _, coin in entry.undo[0])
    paid = sum(out.value for tx in entry.block.txs if not tx.is_coinbase() for out in tx.vout)
    view = {"blockhash": shown_hash(node, entry), "height": entry.height, "mediantime": entry.median_time(),
            "subsidy": node.chain.subsidy(entry.height), "time": entry.header.time, "totalfee": spent - paid,
            "txs": len(entry.block.txs)}
    for name in expect([] if stats is None else stats, list):
        if name not in view:
            raise RpcError(-8, "Invalid selected statistic '%s'" % name)
    return {name: view[name] for name in stats or view}


@rpc
def getchaintips(node):
    tips = []
    for entry, status in node.chain.tips():
        branch, e = 0, entry
        while not node.chain.is_active(e):
            branch, e = branch + 1, e.prev
        tips.append({"height": entry.height, "hash": shown_hash(node, entry), "branchlen": branch, "status": status})
    return tips


@rpc
def preciousblock(node, blockhash):
    node.chain.precious(entry_of(node, blockhash))


@rpc
def invalidateblock(node, blockhash):
    entry = entry_of(node, blockhash)
    if entry.prev is None:
        raise RpcError(-8, "Can't invalidate the genesis block")
    node.chain.invalidate(entry)


@rpc
def reconsiderblock(node, blockhash):
    node.chain.reconsider(entry_of(node, blockhash))


@rpc
def getrawmempool(node, verbose=False):
    return [wire.display(txid) for txid in node.mempool.pooled]


@rpc
def getmempoolentry(node, txid):
    try:
        pooled = node.mempool.pooled.get(wire.parse_hash(expect(txid, str)))
    except ValueError as error:
        raise RpcError(-8, "txid " + str(error))
    if pooled is None:
        raise RpcError(-5, "Transaction not in mempool")
    return {"vsize": (pooled.weight + 3) // 4, "weight": pooled.weight, "fees": {"base": pooled.fee / COIN}}


@rpc
def getmempoolinfo(node):
    pooled = node.mempool.pooled.values()
    return {"loaded": True, "size": len(pooled), "bytes": sum((p.weight + 3) // 4 for p in pooled),
            "total_fee": sum(p.fee for p in pooled) / COIN, "mempoolminfee": 0.00001, "minrelaytxfee": 0.00001}


@rpc
def sendrawtransaction(node, hexstring, maxfeerate=None, maxburnamount=None):
    """Signatures are taken on trust (see script.py); inputs, amounts and maturity are not."""
    try:
        tx = wire.Tx.parse(bytes.fromhex(expect(hexstring, str)))
    except (wire.DecodeError, ValueError):
        raise RpcError(-22, "TX decode failed. Make sure the tx has at least one input.")
    if (tx.txid, 0) in node.chain.coins:
        raise RpcError(-27, "Transaction outputs already in utxo set")
    if tx.txid not in node.mempool.pooled:
        try:
            node.mempool.add(tx)
        except Reject as refusal:
            missing = refusal.reason == "bad-txns-inputs-missingorspent"
            raise RpcError(-25 if missing else -26, refusal.reason)
    node.wallet.note(tx)
    return wire.display(tx.txid)


@rpc
def getrawtransaction(node, txid, verbosity=0, blockhash=None):
    try:
        wanted = wire.parse_hash(expect(txid, str))
    except ValueError as error:
        raise RpcError(-8, "parameter 1 " + str(error))
    if wanted in node.mempool.pooled and blockhash is None:
        tx, entry = node.mempool.pooled[wanted].tx, None
    else:
        looked_in = list(reversed(node.chain.active)) if node.txindex else []
        if blockhash is not None:
            looked_in = [entry for entry in [entry_of(node, blockhash)] if node.chain.is_active(entry)]
        found = [(t, e) for e in looked_in for t in e.block.txs if t.txid == wanted]
        if not found:
            raise RpcError(-5, "No such mempool or blockchain transaction. Use gettransaction for wallet transactions.")
        tx, entry = found[0]
    if not verbosity:
        return tx.serialize().hex()
    view = {"txid": wire.display(tx.txid), "hash": wire.display(tx.wtxid), "weight": tx.weight,
            "hex": tx.serialize().hex()}
    if entry:
        view.update(blockhash=wire.display(entry.hash), confirmations=node.chain.tip.height - entry.height + 1)
    return view


@rpc
def gettxout(node, txid, n, include_mempool=True):
    coin = node.chain.coins.get((wire.parse_hash(txid), n))
    if coin is None:
        return None
    return {"bestblock": getbestblockhash(node), "confirmations": node.chain.tip.height - coin.height + 1,
            "value": coin.value / COIN, "scriptPubKey": {"hex": coin.script.hex()}, "coinbase": coin.coinbase}


@rpc
def getnetworkinfo(node):
    return {"version": VERSION, "subversion": SUBVERSION, "protocolversion": 70016, "localservices": "0" * 16,
            "localservicesnames": [], "localrelay": True, "timeoffset": 0, "connections": node.connections,
            "connections_in": 0, "connections_out": node.connections, "networkactive": True, "networks": [],
            "relayfee": 0.00001, "incrementalfee": 0.00001, "localaddresses": [], "warnings": []}


@rpc
def getconnectioncount(node):
    return node.connections


@rpc
def getzmqnotifications(node):
    if not node.publisher:
        return []
    address = "tcp://127.0.0.1:%d" % node.publisher.port
    return [{"type": kind, "address": address, "hwm": 1000} for kind in ("pubhashblock", "pubrawblock")]


@rpc
def setmocktime(node, timestamp):
    node.chain.mock_time = expect(timestamp, int)


@rpc
def uptime(node):
    return int(time.time() - node.started)


@rpc
def stop(node):
    node.stopping.set()
    node.notify()
    return "Bitcoin Core stopping"
