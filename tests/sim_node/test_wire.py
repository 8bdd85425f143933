# SPDX-License-Identifier: MIT
"""Serialisation, roots, numbers and genesis blocks against published values."""
import unittest

from support import vector
from simnode import params, script
from simnode.wire import Block, DecodeError, Reader, Tx, compact_size, display

GENESIS = {
    "main": "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    "test": "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    "testnet4": "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    "signet": "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    "regtest": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
}


class MainnetBlock(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.raw = vector("block413567.raw").read_bytes()
        cls.block = Block.parse(cls.raw)

    def test_round_trip(self):
        self.assertEqual(self.block.serialize(), self.raw)
        self.assertEqual(len(self.block.txs), 1557)
        self.assertEqual(self.block.total_size, len(self.raw))
        self.assertEqual(self.block.weight, 4 * len(self.raw))

    def test_hash_and_root(self):
        self.assertEqual(display(self.block.hash),
                         "0000000000000000025aff8be8a55df8f89c77296db6198f272d6577325d4069")
        root, mutated = params.merkle_root([tx.txid for tx in self.block.txs])
        self.assertEqual((root, mutated), (self.block.header.merkle_root, False))
        self.assertLessEqual(params.hash_value(self.block.hash), params.target_of(self.block.header.bits))

    def test_coinbase_begins_with_its_height(self):
        expected = script.height_script(413567)
        self.assertEqual(self.block.txs[0].vin[0].script[:len(expected)], expected)

    def test_sigops_within_the_limit(self):
        count = sum(script.legacy_sigops(tx) for tx in self.block.txs)
        self.assertGreater(count, 1557)
        self.assertLessEqual(count, 20_000)


class Numbers(unittest.TestCase):
    def test_genesis_blocks(self):
        for name, expected in GENESIS.items():
            self.assertEqual(display(params.NETWORKS[name].genesis.hash), expected)

    def test_height_pushes(self):
        cases = {0: "00", 1: "51", 16: "60", 17: "0111", 127: "017f", 128: "028000", 255: "02ff00",
                 256: "020001", 32767: "02ff7f", 32768: "03008000", 840000: "0340d10c",
                 8388608: "0400008000"}
        for height, expected in cases.items():
            self.assertEqual(script.height_script(height).hex(), expected)

    def test_subsidy(self):
        self.assertEqual([params.subsidy(h, 150) for h in (1, 149, 150, 300)],
                         [5_000_000_000, 5_000_000_000, 2_500_000_000, 1_250_000_000])
        self.assertEqual(params.subsidy(840_000, 210_000), 312_500_000)
        self.assertEqual(params.subsidy(150 * 64, 150), 0)

    def test_bits(self):
        self.assertEqual(params.target_of(0x1D00FFFF), 0xFFFF << 208)
        self.assertEqual(params.work_of(0x1D00FFFF), 0x100010001)
        self.assertEqual(params.difficulty_of(0x1B0404CB), 16307.420938523983)
        self.assertIsNone(params.target_of(0x1D800001))
        self.assertIsNone(params.target_of(0x23000001 + 0x0000FF00))

    def test_sigops(self):
        self.assertEqual(script.count_sigops(bytes.fromhex("5163ac67ad68")), 2)
        self.assertEqual(script.count_sigops(b"\x52\xae"), 20)
        self.assertEqual(script.count_sigops(b"\x52\xae", accurate=True), 2)
        self.assertEqual(script.count_sigops(b"\xac\x4c"), 1)
        self.assertEqual(script.count_sigops(b"\x02\xac\xac\xac"), 1)


class Decoding(unittest.TestCase):
    def test_compact_sizes(self):
        for n in (0, 252, 253, 65535, 65536, 0x02000000):
            self.assertEqual(Reader(compact_size(n)).compact(), n)
        for bad in ("fdfc00", "feffff0000", "fe01000002", "fd01"):
            with self.assertRaises(DecodeError):
                Reader(bytes.fromhex(bad)).compact()

    def test_superfluous_witness(self):
        tx = "02000000" "0001" "01" + "11" * 32 + "00000000" "00" "ffffffff" "00" "00" "00000000"
        with self.assertRaises(DecodeError):
            Tx.parse(bytes.fromhex(tx))

    def test_bip143_transaction(self):
        """The signed native P2WPKH example of BIP143."""
        raw = bytes.fromhex(
            "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830"
            "450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f928"
            "1a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e81"
            "5b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f6"
            "6f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988"
            "ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c"
            "4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7aca"
            "fcdb3566bb0ad253f62fc70f07aeee635711000000")
        tx = Tx.parse(raw)
        self.assertEqual(tx.serialize(), raw)
        self.assertNotEqual(tx.txid, tx.wtxid)
        self.assertEqual(tx.weight, 3 * tx.base_size + len(raw))


if __name__ == "__main__":
    unittest.main()
