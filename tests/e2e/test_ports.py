# SPDX-License-Identifier: MIT
"""Ports for miners of a kind, starts by the name of a miner's software, and what the log says of shares and jobs."""

import os
import re
import shutil
import subprocess
import unittest

from blocks import USER, Finder
from support import MINER_ADDRESS, PoolTest
from test_tls_proxy import TlsMiner
from v1_miner import Miner

PORTS = '''
[[stratum.v1.port]]
name = "nano"
listen = ["127.0.0.1:0"]
start = 4e-8
minimum = 1e-8
maximum = 1e-6
shares_per_minute = 600

[[stratum.v1.port]]
name = "rental"
listen = ["127.0.0.1:0"]
start = 0.001
minimum = 0.0005
version_mask = "00000000"
'''
AGENTS = '''
[[vardiff.agent]]
match = "nerdminer"
start = 2e-7

[[vardiff.agent]]
match = "NiceHash"
start = 0.002
'''
VARDIFF = 'start = 1e-5\nminimum = 1e-9\nmaximum = 1.0\n'


class Ports(PoolTest):
    def pool_with_ports(self, v1=PORTS, **options):
        node = self.make_node(bits='1d00ffff')
        pool = self.make_pool(node, workers=2, v1=v1, vardiff=VARDIFF + AGENTS, **options)
        pool.ports = dict((name, address) for address, name in
                          re.findall(r'V1 on (\S+)(?: \(TLS\))? \(port "(\w+)"\)', pool.log_text()))
        return pool

    def begins_at(self, address, agent='test/1', user=USER, password='x'):
        with Miner(address) as miner:
            miner.hello(user, password=password, agent=agent)
            return miner.difficulty

    def near(self, value, expected):
        self.assertAlmostEqual(value / expected, 1, 3)

    def test_each_port_has_its_own_rules(self):
        self.need_sim()
        pool = self.pool_with_ports()
        nano, rental = pool.ports['nano'], pool.ports['rental']
        self.near(self.begins_at(pool.address), 1e-5)
        self.near(self.begins_at(nano), 4e-8)
        self.near(self.begins_at(rental), 0.001)
        told = pool.command('check').stdout
        self.assertIn('port "nano": start 4e-8, 1e-8 to 0.000001, 600 shares a minute\n', told)
        self.assertIn('agents with "nerdminer": start 2e-7\n', told)
        # What its software is called counts before the port, within the port's bounds.
        self.near(self.begins_at(pool.address, 'NerdMinerV2/V1.7.0'), 2e-7)
        self.near(self.begins_at(pool.address, 'NiceHash/1.0.0'), 0.002)
        self.near(self.begins_at(nano, 'NerdMinerV2/V1.7.0'), 2e-7)
        self.near(self.begins_at(nano, 'NiceHash/1.0.0'), 1e-6)
        self.near(self.begins_at(rental, 'NerdMinerV2/V1.7.0'), 0.0005)
        # The miner's own wish counts before both.
        self.near(self.begins_at(nano, 'NerdMinerV2/V1.7.0', password='d=3e-8'), 3e-8)
        self.near(self.begins_at(rental, password='d=1e-7'), 0.0005)
        for address, answer in ((pool.address, {'version-rolling': True, 'version-rolling.mask': '1fffe000'}),
                                (rental, {'version-rolling': False})):
            with Miner(address) as miner:
                reply = miner.call('mining.configure', [['version-rolling'], {'version-rolling.mask': 'ffffffff'}])
                self.assertEqual(reply['result'], answer)
        self.assertEqual(pool.terminate(), 0)

    def test_what_is_remembered_keeps_to_the_port(self):
        self.need_sim()
        pool = self.pool_with_ports()
        user = MINER_ADDRESS + '.small'
        with Miner(pool.ports['nano']) as miner:
            miner.hello(user)
            while miner.difficulty < 9e-7:  # 600 shares a minute are wanted; this miner does more
                self.assertIs(miner.submit(miner.find(user))['result'], True)
            session = miner.session
        self.near(self.begins_at(pool.ports['rental'], user=user), 0.0005)
        self.assertGreater(self.begins_at(pool.address, user=user), 2e-6)
        with Miner(pool.ports['rental']) as miner:
            miner.call('mining.subscribe', ['test/1', session])
            miner.call('mining.authorize', [user, 'x'])
            miner.wait_job()
            self.near(miner.difficulty, 0.0005)
        self.assertEqual(pool.terminate(), 0)

    def test_a_reload_changes_bounds_and_agents_at_once_and_names_what_waits(self):
        self.need_sim()
        pool = self.pool_with_ports()
        with open(pool.config) as file:
            good = file.read()
        with Miner(pool.ports['nano']) as nano, Miner(pool.address) as other:
            nano.hello(USER)
            other.hello(USER + '2')
            jobs, others = nano.jobs, other.jobs
            pool.reload(good.replace('minimum = 1e-8', 'minimum = 1e-7').replace('start = 2e-7', 'start = 3e-7'),
                        'config: reloaded\n')
            nano.wait_job(after=jobs)
            self.near(nano.difficulty, 1e-7)
            self.near(self.begins_at(pool.ports['nano'], user=USER + '3'), 1e-7)
            self.near(self.begins_at(pool.address, 'NerdMinerV2', user=USER + '4'), 3e-7)
            other.call('mining.ping', [])
            self.assertEqual(other.jobs, others)
            told = pool.reload(good.replace('name = "rental"', 'name = "market"').replace('1e-8', '2e-7'),
                               'config: reloaded, but .*')
            self.assertIn('[[stratum.v1.port]] takes effect at the next start', told)
            jobs = nano.jobs
            nano.wait_job(after=jobs)
            self.near(nano.difficulty, 2e-7)  # what may change does, whatever else must wait
        self.near(self.begins_at(pool.ports['rental']), 0.001)  # what is gone stays till then
        line = good[:good.index('minimum = 1e-8')].count('\n') + 1
        told = pool.reload(good.replace('minimum = 1e-8', 'minimum = 1e-5'), 'not reloaded: .*')
        self.assertIn(f'{pool.config}:{line}: stratum.v1.port.minimum: is above maximum', told)
        self.assertEqual(pool.terminate(), 0)

    @unittest.skipUnless(shutil.which('openssl'), 'needs the openssl program to make a certificate')
    def test_a_port_may_be_for_tls(self):
        self.need_sim()
        path = os.path.join(self.folder, 'tls')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                        '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout',
                        path + '.key', '-out', path + '.pem'], check=True, capture_output=True)
        pool = self.pool_with_ports('tls_certificate = "tls.pem"\ntls_key = "tls.key"\n[[stratum.v1.port]]\nname = "safe"\n'
                                    'tls_listen = ["127.0.0.1:0"]\nstart = 3e-8\n')
        self.assertIn('(TLS) (port "safe")', pool.log_text())
        with TlsMiner(pool.ports['safe'], path + '.pem') as miner:
            miner.hello(USER)
            self.near(miner.difficulty, 3e-8)
            self.assertIs(miner.submit(miner.find(USER))['result'], True)
        self.assertEqual(pool.terminate(), 0)


class Log(PoolTest):
    def test_the_best_share_of_each_tip_and_how_many_jobs_were_clean(self):
        self.need_sim()
        node = self.make_node(bits='1f7fffff')
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            height = node.rpc('getblockcount')
            best = 2**256
            for _ in range(20):
                params = miner.find(USER, block=False)
                best = min(best, int(miner.share_hash(params), 16))
                self.assertIs(miner.submit(params)['result'], True)
            mark, jobs = pool.log_mark(), miner.jobs
            node.generate()
            miner.wait_job(after=jobs, clean=True)
            self.assertIs(miner.submit(miner.find(USER, block=False))['result'], True)
            told = pool.wait_log(r'pool: height (\d+) is over; its best share: difficulty (\S+) of (\S+) \((\S+)%\), (\S+)',
                                 mark)
            self.assertEqual((int(told.group(1)), told.group(5)), (height + 1, USER))
            one, network = 0xFFFF << 208, miner.job.network_target()
            self.assertAlmostEqual(float(told.group(2)) / (one / best), 1, 2)
            self.assertAlmostEqual(float(told.group(3)) / (one / network), 1, 2)
            self.assertAlmostEqual(float(told.group(4)) / (100 * network / best), 1, 1)
            self.assertIs(miner.submit(miner.find(USER, block=False))['result'], True)
            self.assertEqual(pool.log_text().count('its best share'), 1)
            miner.on_full_work()
        self.assertEqual(pool.terminate(), 0)
        jobs, clean = map(int, re.search(r', (\d+) jobs \(\+\d+\), (\d+) of them clean', pool.log_text()).groups())
        self.assertEqual(clean, 2)
        begun, seconds = re.search(r'(\d+) miners had their first share accepted, (\S+) s after', pool.log_text()).groups()
        self.assertEqual(begun, '1')
        self.assertLess(float(seconds), 10)
        self.assertGreaterEqual(jobs, 3)  # the empty one of the new tip, and the full one


if __name__ == '__main__':
    unittest.main(verbosity=2)
