# SPDX-License-Identifier: MIT
"""The wallet's methods, with bitcoind 28's words, and what a test may order of it."""
from decimal import Decimal, InvalidOperation

from . import wire
from .addresses import script_of
from .dispatch import RpcError, expect, rpc
from .params import COIN, MAX_MONEY
from .psbt import Psbt
from .wallet import DEFAULT_RATE, Poor

LAST_SEQUENCE = 0xFFFFFFFE  # from here on a transaction does not say that it may be replaced (BIP125)


def satoshi_of(value):
    try:
        amount = Decimal(str(value)) * COIN
    except InvalidOperation:
        raise RpcError(-3, "Invalid amount")
    if amount != int(amount):
        raise RpcError(-3, "Invalid amount")
    if not 0 <= amount <= MAX_MONEY:
        raise RpcError(-3, "Amount out of range")
    return int(amount)


def outputs_of(node, outputs):
    vout, seen = [], set()
    for entry in expect(outputs, list):
        for address, value in expect(entry, dict).items():
            try:
                script = script_of(address, node.options.network)
            except ValueError:
                raise RpcError(-5, "Invalid Bitcoin address: " + address)
            if script in seen:
                raise RpcError(-8, "Invalid parameter, duplicated address: " + address)
            seen.add(script)
            vout.append(wire.TxOut(satoshi_of(value), script))
    return vout


def txid_of(text):
    try:
        return wire.parse_hash(expect(text, str))
    except ValueError as error:
        raise RpcError(-8, "txid " + str(error))


def psbt_of(text):
    try:
        return Psbt.parse(expect(text, str))
    except (ValueError, KeyError):
        raise RpcError(-22, "TX decode failed invalid base64")


@rpc
def walletcreatefundedpsbt(node, inputs, outputs, locktime=0, options=None, bip32derivs=True):
    options = options or {}
    if inputs:
        raise RpcError(-8, "this wallet chooses its inputs")
    rate = DEFAULT_RATE
    if "fee_rate" in options:
        rate = int(Decimal(str(options["fee_rate"])) * 1000)
    elif node.wallet.estimate:
        rate = node.wallet.estimate
    try:
        made, fee = node.wallet.fund(outputs_of(node, outputs), rate)
    except Poor:
        raise RpcError(-4, "Insufficient funds")
    if not options.get("lockUnspents"):
        node.wallet.locked -= {i.outpoint for i in made.tx.vin}
    if options.get("replaceable") is False:
        for txin in made.tx.vin:
            txin.sequence = LAST_SEQUENCE
        made.tx.forget()
    return {"psbt": made.text(), "fee": fee / COIN, "changepos": -1}


@rpc
def walletprocesspsbt(node, psbt, sign=True, sighashtype="DEFAULT", bip32derivs=True, finalize=True):
    made = psbt_of(psbt)
    if sign and node.wallet.asleep:
        raise RpcError(-13, "Error: Please enter the wallet passphrase with walletpassphrase first.")
    if sign and not node.wallet.watch_only:
        node.wallet.sign(made)
    return {"psbt": made.text(), "complete": made.complete()}


@rpc
def finalizepsbt(node, psbt, extract=True):
    made = psbt_of(psbt)
    if not made.complete():
        return {"psbt": made.text(), "complete": False}
    return {"hex": made.transaction().serialize().hex(), "complete": True}


@rpc
def lockunspent(node, unlock, transactions=None, persistent=False):
    if transactions is None:
        node.wallet.locked.clear()
        return True
    points = {(txid_of(t["txid"]), t["vout"]) for t in transactions}
    if any(map(node.wallet.is_spent, points)):
        raise RpcError(-8, "Invalid parameter, expected unspent output")
    wrong = points & node.wallet.locked if not unlock else points - node.wallet.locked
    if wrong:
        raise RpcError(-8, "Invalid parameter, " + ("expected locked output" if unlock else "output already locked"))
    node.wallet.locked = node.wallet.locked - points if unlock else node.wallet.locked | points
    return True


@rpc
def walletpassphrase(node, passphrase, timeout):
    node.wallet.asleep = False


@rpc
def estimatesmartfee(node, conf_target, estimate_mode="economical"):
    if not node.wallet.estimate:
        return {"errors": ["Insufficient data or no feerate found"], "blocks": conf_target}
    return {"feerate": node.wallet.estimate / COIN, "blocks": conf_target}


@rpc
def gettransaction(node, txid, include_watchonly=True, verbose=False):
    found = node.wallet.look(txid_of(txid))
    if found is None:
        raise RpcError(-5, "Invalid or non-wallet transaction id")
    tx, entry, confirmations, rivals = found
    view = {"txid": wire.display(tx.txid), "confirmations": confirmations, "hex": tx.serialize().hex(),
            "walletconflicts": [wire.display(r) for r in rivals], "details": []}
    if tx.txid in node.wallet.fees:
        view["fee"] = -node.wallet.fees[tx.txid] / COIN
    if entry:
        view.update(blockhash=wire.display(entry.hash), blockheight=entry.height)
    return view


@rpc
def bumpfee(node, txid, options=None):
    tx = node.wallet.known.get(txid_of(txid))
    if tx is None or tx.txid not in node.mempool.pooled:
        raise RpcError(-5, "Invalid or non-wallet transaction id")
    if all(i.sequence >= LAST_SEQUENCE for i in tx.vin):
        raise RpcError(-4, "Transaction is not BIP 125 replaceable")
    return {"txid": sim_bump(node, txid), "errors": []}


@rpc
def sim_wallet(node, address=None, watch_only=None, fee_rate=None, asleep=None):
    """Gives the wallet an address; lets it sign or not; sets the node's fee estimate (satoshi per 1,000 vbytes);
    takes its passphrase away."""
    if address:
        node.wallet.scripts.add(script_of(address, node.options.network))
    if watch_only is not None:
        node.wallet.watch_only = bool(watch_only)
    if fee_rate is not None:
        node.wallet.estimate = fee_rate
    if asleep is not None:
        node.wallet.asleep = bool(asleep)
    return node.wallet.view()


@rpc
def sim_sign(node, psbt):
    """What an offline signer does, whether or not the wallet itself may sign."""
    made = psbt_of(psbt)
    node.wallet.sign(made)
    return made.text()


@rpc
def sim_conflict(node, txid, index=0):
    """Mines a block in which another transaction spends an input of this one; returns that other."""
    tx = node.wallet.known.get(txid_of(txid))
    if tx is None or not 0 <= index < len(tx.vin) or tx.vin[index].outpoint not in node.chain.coins:
        raise RpcError(-5, "no such transaction, or its input is spent")
    return node.wallet.spend_elsewhere(tx, index)


@rpc
def sim_bump(node, txid, more=5_000):
    """Replaces a transaction in the mempool by one with so much less change, whatever its sequence numbers say."""
    tx = node.wallet.known.get(txid_of(txid))
    if tx is None or tx.txid not in node.mempool.pooled:
        raise RpcError(-5, "no such transaction in the mempool")
    return wire.display(node.wallet.bump(tx, more).txid)
