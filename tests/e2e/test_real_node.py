# SPDX-License-Identifier: MIT
"""What only a real bitcoind can judge: that it takes our blocks, at every height where the rules turn and with real
transactions. Runs when ADIT_TEST_BITCOIND names one; the other files then use it, too."""

import time
import unittest

from blocks import USER, Finder, wait_best, wait_state
from support import POOL_ADDRESS, REAL_NODE, PoolTest
from v1_miner import Miner

COIN = 100_000_000
HALVING = 150
HEIGHTS = 200


@unittest.skipUnless(REAL_NODE, 'ADIT_TEST_BITCOIND names no bitcoind')
class RealNode(PoolTest):
    def assert_no_quarrel(self, pool):
        for text in ('would refuse', 'template refused', 'our own check', 'makes no job', ' refused'):
            self.assertNotIn(text, pool.log_text())


class Blocks(RealNode):
    def test_every_height_from_the_first_to_past_the_halving(self):
        """BIP34's short and long heights (16/17, 127/128), the subsidy at 149/150, and a node that calls itself syncing."""
        node = self.make_node(blocks=0)
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            for height in range(1, HEIGHTS + 1):
                digest = miner.on_tip().find_block()
                wait_best(node, digest)
                if height in (1, 16, 17, 127, 128, HALVING - 1, HALVING, HALVING + 1, HEIGHTS):
                    self.check_coinbase(node, digest, height)
        self.assertEqual(node.rpc('getblockcount'), HEIGHTS)
        # All were followed: the first are a hundred deep.
        wait_state(pool, node.rpc('getblockhash', HEIGHTS), 'accepted')
        wait_state(pool, node.rpc('getblockhash', 1), 'mature', 30)
        states = {row['state'] for row in pool.lines('blocks')}
        self.assertLessEqual(states, {'accepted', 'mature'})
        self.assertEqual(len(pool.lines('shares')), HEIGHTS)
        self.assert_no_quarrel(pool)
        self.assertEqual(pool.terminate(), 0)

    def check_coinbase(self, node, digest, height):
        coinbase = node.rpc('getblock', digest, 2)['tx'][0]
        value = sum(round(out['value'] * COIN) for out in coinbase['vout'])
        self.assertEqual(value, 50 * COIN >> height // HALVING)
        self.assertEqual(coinbase['vout'][0]['scriptPubKey']['address'], POOL_ADDRESS)
        script = coinbase['vin'][0]['coinbase']
        number = height.to_bytes(2, 'little').rstrip(b'\0')
        number += b'\0' if number[-1] & 0x80 else b''
        self.assertTrue(script.startswith(f'{0x50 + height:02x}' if height <= 16 else f'{len(number):02x}{number.hex()}'))

    def test_a_block_with_transactions_of_each_kind(self):
        node = self.make_node(wallet=True, blocks=1)
        node.rpc('generatetoaddress', 120, node.rpc('getnewaddress', '', 'bech32m'))
        kinds, sent = ('legacy', 'p2sh-segwit', 'bech32', 'bech32m'), []
        for turn in range(40):  # they spend coins of all kinds, and each other's change
            sent.append(node.rpc('sendtoaddress', node.rpc('getnewaddress', '', kinds[turn % 4]), 7 + turn / 100))
            if turn == 15:
                node.rpc('generatetoaddress', 1, node.rpc('getnewaddress', '', 'bech32'))
                sent.clear()
        self.assertEqual(pool_check(self, node).count('a proposal: valid'), 1)
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            digest = miner.on_tip().find_block()
            wait_best(node, digest)
            block = node.rpc('getblock', digest, 2)
            self.assertEqual({tx['txid'] for tx in block['tx'][1:]}, set(sent))
            self.assertTrue(any('txinwitness' in i for tx in block['tx'][1:] for i in tx['vin']))
            value = sum(round(out['value'] * COIN) for out in block['tx'][0]['vout'])
            self.assertEqual(value, 50 * COIN + sum(round(tx['fee'] * COIN) for tx in block['tx'][1:]))
            self.assertEqual(wait_state(pool, digest, 'accepted')['value'], value)
            # A new transaction is in the work within a refresh; a proposal of it is valid, too.
            node.rpc('sendtoaddress', node.rpc('getnewaddress'), 1)
            miner.on_tip()
            while not miner.job.branch:
                miner.wait_job(40, after=miner.jobs)
            digest = miner.find_block()
            wait_best(node, digest)
            self.assertEqual(node.rpc('getblock', digest)['nTx'], 2)
        self.assert_no_quarrel(pool)


def pool_check(test, node, **options):
    done = test.make_pool(node, start=False, name='check', **options).command('check', check=False)
    return done.stdout + done.stderr


class NotReady(RealNode):
    def assert_no_work(self, pool):
        with Miner(pool.address) as miner:
            miner.hello(POOL_ADDRESS, wait_job=False)
            with self.assertRaises(TimeoutError):
                miner.wait_job(2)

    def test_initial_block_download_gives_no_work_outside_regtest(self):
        for network in ('main', 'testnet4', 'signet'):
            with self.subTest(network=network):
                try:
                    node = self.make_node(name=network, network=network)
                except AssertionError as error:
                    if 'unsupported for this client' not in str(error):
                        raise
                    print(f'SKIP {network}: this bitcoind does not know it')
                    continue
                self.assertTrue(node.rpc('getblockchaininfo')['initialblockdownload'])
                pool = self.make_pool(node, start=False, name=network + '-pool', network=network).start()
                pool.wait_log('warning node: .*not ready: initial block download, at height 0')
                self.assert_no_work(pool)
                self.assertIn('initial block download', pool_check(self, node, network=network))
                pool.terminate()
                node.stop()

    def test_another_network_is_never_mined_on(self):
        node = self.make_node(network='signet')
        pool = self.make_pool(node, start=False).start()
        pool.wait_log('warning node: .*chain is signet')
        self.assert_no_work(pool)
        self.assertIn('is on another chain than regtest', pool_check(self, node))

    def test_regtest_at_genesis_is_ready(self):
        node = self.make_node(blocks=0)
        self.assertTrue(node.rpc('getblockchaininfo')['initialblockdownload'])
        self.assertIn('valid', pool_check(self, node))


class Restarts(RealNode):
    def test_many_restarts_leave_the_node_room_to_answer(self):
        """bitcoind 28 has four RPC threads, and a long poll whose client was killed keeps one until the next block."""
        node = self.make_node()
        pool = self.make_pool(node)
        for _ in range(8):
            pool.kill()
            begin = time.monotonic()
            pool.start().wait_work()
            self.assertLess(time.monotonic() - begin, 3)

    def test_a_node_restarts_under_the_pool(self):
        node = self.make_node()
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            for _ in range(2):
                digest = miner.on_tip().find_block()
                wait_best(node, digest)
                miner.on_tip()
                node.stop()
                self.assertIs(miner.submit(miner.find(USER, block=False))['result'], True)
                node.start()
                wait_best(node, miner.on_tip(30).find_block())
                wait_state(pool, digest, 'accepted')

    def test_a_block_found_while_the_node_is_down_gets_there(self):
        node = self.make_node()
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            miner.on_tip()
            node.stop()
            digest = miner.find_block()
            node.start()
            wait_best(node, digest)
            wait_state(pool, digest, 'accepted')


if __name__ == '__main__':
    if not REAL_NODE:
        print('SKIP: ADIT_TEST_BITCOIND names no bitcoind')
    unittest.main(verbosity=2)
