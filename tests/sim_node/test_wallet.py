# SPDX-License-Identifier: MIT
"""The wallet without keys: PSBTs that pay exactly, coins that mature, conflicts that can be proved."""
import unittest

from support import NodeProcess, RpcFailure
from simnode import addresses
from simnode.psbt import Psbt
from simnode.wire import Tx, display

HOME = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
HOME_SCRIPT = "0014751e76e8199196d454941c45d1b3a323f1433bd6"
PAYEES = {"bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry": "0.12345678",
          "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn": "0.00000547"}


class Addresses(unittest.TestCase):
    def test_published_vectors(self):
        for text, network, script in (
                ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "main", HOME_SCRIPT),
                (HOME, "regtest", HOME_SCRIPT),
                ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "signet",
                 "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"),
                ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "main",
                 "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
                ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "regtest",
                 "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac")):
            self.assertEqual(addresses.script_of(text, network).hex(), script)
        for text in ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", HOME, "1", "", "bc1", "z" * 90,
                     "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd"):
            with self.assertRaises(ValueError):
                addresses.script_of(text, "main")


class Wallet(unittest.TestCase):
    def setUp(self):
        self.node = NodeProcess("--tx-count", "0")
        self.addCleanup(self.node.close)
        self.node.sim_wallet(HOME)
        self.node.sim_generate(2, HOME_SCRIPT)
        self.node.sim_generate(100)

    def fails(self, code, method, *parameters):
        with self.assertRaises(RpcFailure) as caught:
            self.node.call(method, *parameters)
        self.assertEqual(caught.exception.code, code)

    def funded(self, rate="2.000"):
        outputs = [{address: amount} for address, amount in PAYEES.items()]
        return self.node.walletcreatefundedpsbt([], outputs, 0, {"lockUnspents": True, "fee_rate": rate}, True)

    def signed(self):
        made = self.node.walletprocesspsbt(self.funded()["psbt"])
        self.assertTrue(made["complete"])
        return self.node.finalizepsbt(made["psbt"])["hex"]

    def test_pays_exactly_and_confirms(self):
        made = self.funded()
        tx = Psbt.parse(made["psbt"]).tx
        paid = {o.script.hex(): o.value for o in tx.vout}
        for address, amount in PAYEES.items():
            self.assertEqual(paid.pop(addresses.script_of(address, "regtest").hex()), round(float(amount) * 1e8))
        (change,) = paid.values()
        self.assertEqual(change, 5_000_000_000 - 12_345_678 - 547 - round(made["fee"] * 1e8))
        self.assertEqual(self.node.sim_wallet()["locked"], 1)
        sent = self.node.sendrawtransaction(self.node.finalizepsbt(
            self.node.walletprocesspsbt(made["psbt"])["psbt"])["hex"])
        self.assertEqual(self.node.gettransaction(sent)["confirmations"], 0)
        self.assertEqual(self.node.sim_wallet()["balance"], 5_000_000_000 + change)
        self.node.sim_generate(3)
        self.assertEqual(self.node.gettransaction(sent, True)["confirmations"], 3)
        self.node.sim_reorg(3)
        self.assertEqual(self.node.gettransaction(sent)["confirmations"], 0)
        self.node.sim_generate(1)
        self.assertEqual(self.node.gettransaction(sent)["confirmations"], 1)
        self.fails(-27, "sendrawtransaction", self.node.gettransaction(sent)["hex"])

    def test_refusals(self):
        self.funded()
        self.funded()
        self.fails(-4, "walletcreatefundedpsbt", [], [{HOME: "0.1"}])
        self.assertTrue(self.node.lockunspent(True))
        self.fails(-4, "walletcreatefundedpsbt", [], [{HOME: "100.1"}])
        self.fails(-5, "walletcreatefundedpsbt", [], [{"nobody": "0.1"}])
        self.fails(-3, "walletcreatefundedpsbt", [], [{HOME: "0.123456789"}])
        self.fails(-5, "gettransaction", "00" * 32)
        self.fails(-22, "walletprocesspsbt", "AAAA")
        self.assertEqual(self.node.estimatesmartfee(6)["blocks"], 6)

    def test_locks_are_of_unspent_coins(self):
        spent = Psbt.parse(self.funded()["psbt"]).tx.vin[0].outpoint
        coin = [{"txid": display(spent[0]), "vout": spent[1]}]
        self.fails(-8, "lockunspent", False, coin)
        self.node.lockunspent(True, coin)
        self.fails(-8, "lockunspent", True, coin)
        sent = self.signed()
        self.assertEqual(self.node.sim_wallet()["locked"], 1)
        self.node.sendrawtransaction(sent)
        self.assertEqual(self.node.sim_wallet()["locked"], 0)
        self.fails(-8, "lockunspent", False, coin)
        self.fails(-8, "lockunspent", False, [{"txid": "00" * 32, "vout": 0}])

    def test_a_sleeping_wallet_does_not_sign(self):
        psbt = self.funded()["psbt"]
        self.node.sim_wallet(None, None, None, True)
        self.fails(-13, "walletprocesspsbt", psbt)
        self.assertFalse(self.node.walletprocesspsbt(psbt, False)["complete"])
        self.node.walletpassphrase("secret", 60)
        self.assertTrue(self.node.walletprocesspsbt(psbt)["complete"])

    def test_young_coins_are_not_spent(self):
        with NodeProcess("--tx-count", "0") as node:
            node.sim_wallet(HOME)
            node.sim_generate(1, HOME_SCRIPT)
            node.sim_generate(98)
            self.assertEqual(node.sim_wallet()["balance"], 0)
            node.sim_generate(1)
            self.assertEqual(node.sim_wallet()["balance"], 5_000_000_000)

    def test_signed_elsewhere(self):
        self.node.sim_wallet(None, True)
        made = self.node.walletprocesspsbt(self.funded()["psbt"])
        self.assertFalse(made["complete"])
        self.assertFalse(self.node.finalizepsbt(made["psbt"])["complete"])
        self.assertTrue(self.node.finalizepsbt(self.node.sim_sign(made["psbt"]))["complete"])

    def test_a_conflict_can_be_proved(self):
        sent = self.node.sendrawtransaction(self.signed())
        rival = self.node.sim_conflict(sent)
        self.assertNotIn(sent, self.node.getrawmempool())
        self.node.sim_generate(5)
        view = self.node.gettransaction(sent)
        self.assertEqual((view["confirmations"], view["walletconflicts"]), (-6, [rival]))
        inputs = [[i.outpoint for i in Tx.parse(bytes.fromhex(text)).vin]
                  for text in (view["hex"], self.node.getrawtransaction(rival))]
        self.assertEqual(inputs[0][:1], inputs[1])
        self.fails(-25, "sendrawtransaction", view["hex"])

    def test_a_replacement(self):
        for replaceable in (True, False):
            options = {"lockUnspents": True, "replaceable": replaceable, "fee_rate": "2.000"}
            made = self.node.walletcreatefundedpsbt([], [{HOME: "0.5"}], 0, options)
            sent = self.node.sendrawtransaction(
                self.node.finalizepsbt(self.node.walletprocesspsbt(made["psbt"])["psbt"])["hex"])
            self.node.getmempoolentry(sent)
            if not replaceable:
                self.fails(-4, "bumpfee", sent)
            bump = self.node.sim_bump(sent, 700) if not replaceable else self.node.bumpfee(sent)["txid"]
            self.fails(-5, "getmempoolentry", sent)
            self.assertEqual(self.node.getrawmempool(), [bump])
            self.node.sim_generate(2)
            self.assertEqual(self.node.gettransaction(sent)["walletconflicts"], [bump])
            self.assertEqual(self.node.gettransaction(sent)["confirmations"], -2)
            self.assertAlmostEqual(self.node.gettransaction(bump)["fee"],
                                   -made["fee"] - (0.00005 if replaceable else 0.000007), 8)

    def test_what_is_no_txid(self):
        for method in ("gettransaction", "getmempoolentry", "bumpfee", "getrawtransaction"):
            self.fails(-8, method, "zz")

    def test_without_an_index(self):
        sent = self.node.sendrawtransaction(self.signed())
        (block,), (other,) = self.node.sim_generate(1), self.node.sim_generate(1)
        self.node.sim_txindex(False)
        self.fails(-5, "getrawtransaction", sent)
        self.fails(-5, "getrawtransaction", sent, 1, other)
        self.assertEqual(self.node.getrawtransaction(sent, 1, block)["confirmations"], 2)


if __name__ == "__main__":
    unittest.main()
