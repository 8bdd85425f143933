# SPDX-License-Identifier: MIT
"""The set of unspent outputs, and how a block changes it and is taken back."""
from . import params, script
from .checks import Reject
from .params import COINBASE_MATURITY, MAX_MONEY, MAX_SIGOPS_COST


class Coin:
    __slots__ = ("value", "script", "height", "coinbase")

    def __init__(self, value, output_script, height, coinbase):
        self.value, self.script, self.height, self.coinbase = value, output_script, height, coinbase


def unspendable(output_script):
    return output_script[:1] == b"\x6a" or len(output_script) > 10_000


def check_inputs(tx, coins, height):
    """The fee and the signature operation cost of a transaction whose inputs are all in `coins`."""
    spent = [coins.get(i.outpoint) for i in tx.vin]
    if any(coin is None for coin in spent):
        raise Reject("bad-txns-inputs-missingorspent")
    total = 0
    for coin in spent:
        if coin.coinbase and height - coin.height < COINBASE_MATURITY:
            raise Reject("bad-txns-premature-spend-of-coinbase")
        total += coin.value
        if not 0 <= total <= MAX_MONEY:
            raise Reject("bad-txns-inputvalues-outofrange")
    fee = total - sum(o.value for o in tx.vout)
    if fee < 0:
        raise Reject("bad-txns-in-belowout")
    return fee, script.sigop_cost(tx, [coin.script for coin in spent])


def check_scripts(tx, coins):
    for txin in tx.vin:
        error = script.spend_error(coins[txin.outpoint].script, txin)
        if error:
            raise Reject("mandatory-script-verify-flag-failed (%s)" % error)


class CoinSet(dict):
    """Outpoint (txid, index) to Coin, at the tip of the active chain."""

    def connect(self, block, height, halving):
        """Applies a block and returns what takes it back. On Reject the set is as it was."""
        undo = ([], [])
        try:
            self._apply(block, height, halving, undo)
        except Reject:
            self.disconnect(undo)
            raise
        return undo

    def _apply(self, block, height, halving, undo):
        fees, sigops = 0, 0
        for tx in block.txs:
            if any((tx.txid, i) in self for i in range(len(tx.vout))):
                raise Reject("bad-txns-BIP30")
        for tx in block.txs:
            if tx.is_coinbase():
                sigops += script.sigop_cost(tx, [])
            else:
                fee, cost = check_inputs(tx, self, height)
                fees, sigops = fees + fee, sigops + cost
            if sigops > MAX_SIGOPS_COST:
                raise Reject("bad-blk-sigops")
            if not tx.is_coinbase():
                check_scripts(tx, self)
            self._move(tx, height, undo)
        paid = sum(o.value for o in block.txs[0].vout)
        if paid > params.subsidy(height, halving) + fees:
            raise Reject("bad-cb-amount")

    def _move(self, tx, height, undo):
        spent, made = undo
        coinbase = tx.is_coinbase()
        if not coinbase:
            spent += [(i.outpoint, self.pop(i.outpoint)) for i in tx.vin]
        for n, out in enumerate(tx.vout):
            if not unspendable(out.script):
                self[(tx.txid, n)] = Coin(out.value, out.script, height, coinbase)
                made.append((tx.txid, n))

    def disconnect(self, undo):
        spent, made = undo
        self.update(spent)
        for outpoint in made:
            self.pop(outpoint, None)
