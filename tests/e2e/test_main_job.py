# SPDX-License-Identifier: MIT
"""The main job: a miner gets work, its shares are judged and booked, a found block reaches the node."""

import json
import unittest

from support import MINER_ADDRESS, OTHER_ADDRESS, POOL_ADDRESS, PoolTest, wait_until
from v1_miner import Miner


class MainJob(PoolTest):
    def test_share_is_booked_and_block_is_connected(self):
        node = self.make_node(bits='1f7fffff')
        pool = self.make_pool(node)
        user = MINER_ADDRESS + '.rig1'
        with Miner(pool.address) as miner:
            self.assertIs(miner.hello(user, mask='ffffffff')['result'], True)
            self.assertEqual(miner.mask, 0x1fffe000)
            share = miner.find(user, block=False)
            wanted = miner.share_hash(share)  # the next job may come before the reply
            reply = miner.submit(share)
            self.assertEqual(reply, {'id': reply['id'], 'result': True, 'error': None})
            # Acknowledged means durable: it is in the books already, while the pool runs.
            booked = pool.lines('shares')
            self.assertEqual([row['hash'] for row in booked], [wanted])
            self.assertEqual(booked[0]['account'], MINER_ADDRESS)
            self.assertEqual(booked[0]['worker'], 'rig1')

            height = node.rpc('getblockcount')
            jobs = miner.jobs
            block = miner.find(user, block=True)
            wanted = miner.share_hash(block)
            self.assertIs(miner.submit(block)['result'], True)
            wait_until(lambda: node.rpc('getbestblockhash') == wanted, what='the node connects our block')
            self.assertEqual(node.rpc('getblockcount'), height + 1)
            wait_until(lambda: any(row['hash'] == wanted and row['state'] == 'accepted' for row in pool.lines('blocks')),
                       what='the block is booked as accepted')
            # The next job builds on it.
            job = miner.wait_job(clean=True, after=jobs)
            self.assertEqual(bytes.fromhex(wanted)[::-1], job.header('', '', job.ntime, 0, 0)[4:36])
        self.assertEqual(pool.command('ledger', 'verify').returncode, 0)
        self.assertEqual(pool.terminate(), 0)

    def test_a_probe_finds_everything_in_its_first_read(self):
        """Firmware on its fallback pool asks the first one so: no configure, and "mining.notify" in what one read gives."""
        pool = self.make_pool(self.make_node(bits='1f7fffff'))
        hello = b''.join(json.dumps({'id': id_, 'method': f'mining.{method}', 'params': params}).encode() + b'\n'
                         for id_, method, params in ((1, 'subscribe', ['bitaxe/BM1366/v2.4.0']),
                                                     (2, 'authorize', [MINER_ADDRESS + '.axe', 'x'])))
        for _ in range(20):
            with Miner(pool.address) as probe:
                probe.send_raw(hello)
                said = [json.loads(line) for line in probe.sock.recv(65536).splitlines()]
                self.assertEqual([message.get('method', message['id']) for message in said],
                                 [1, 2, 'mining.set_difficulty', 'mining.notify'])
        self.assertEqual(pool.terminate(), 0)

    def test_two_workers_of_one_account_add_up(self):
        node = self.make_node(bits='1f7fffff')
        pool = self.make_pool(node, workers=2)
        miners = [Miner(pool.address) for _ in range(4)]
        for n, miner in enumerate(miners):
            user = f'{MINER_ADDRESS if n < 3 else OTHER_ADDRESS}.w{n}'
            miner.hello(user)
            for _ in range(5):
                self.assertIs(miner.submit(miner.find(user, block=False))['result'], True)
            miner.close()
        self.assertEqual(len({m.extranonce1 for m in miners}), 4)
        totals = {row['address']: row['shares'] for row in pool.lines('accounts')}
        self.assertEqual(totals, {MINER_ADDRESS: 15, OTHER_ADDRESS: 5})
        self.assertEqual({row['name']: row['shares'] for row in pool.lines('workers')}, {f'w{n}': 5 for n in range(4)})
        self.assertEqual(pool.terminate(), 0)

    def test_check_prints_the_coinbase(self):
        node = self.make_node()
        pool = self.make_pool(node, start=False)
        done = pool.command('check')
        self.assertIn(POOL_ADDRESS, done.stdout)
        self.assertIn('valid', done.stdout)
        if not node.simulated:
            return  # test_real_node.py has the rest
        node.rpc('sim_network', 'main')
        done = pool.command('check', check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn('another chain', done.stderr)


if __name__ == '__main__':
    unittest.main(verbosity=2)
