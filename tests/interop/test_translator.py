# SPDX-License-Identifier: MIT
"""Old miners behind the reference implementation's translator: V1 on the one side, the pool's V2 on the other."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest

from sri import build_translator, free_port
from support import ADIT, MINER_ADDRESS, Pool, Process, SimNode, wait_until

TRANSLATOR = build_translator()
CPU_MINER = os.environ.get('ADIT_CPU_MINER', os.path.join(os.path.dirname(ADIT), 'cpu-miner'))
BITS = '1e7fffff'  # a block in 131,072 hashes
VARDIFF = 'start = 1e-7\nminimum = 1e-7\nmaximum = 1e-7\n'
CONFIG = '''downstream_address = "127.0.0.1"
downstream_port = {port}
max_supported_version = 2
min_supported_version = 2
downstream_extranonce2_size = 4
verify_payout = false
aggregate_channels = {aggregate}
supported_extensions = [{extensions}]
required_extensions = [{extensions}]
[downstream_difficulty_config]
min_individual_miner_hashrate = 500.0
shares_per_minute = 60.0
enable_vardiff = false
job_keepalive_interval_secs = 60
[[upstreams]]
address = "{host}"
port = {pool_port}
authority_pubkey = "{key}"
user_identity = "{user}"
'''


@unittest.skipUnless(TRANSLATOR, 'no cargo that builds the translator')
class Translator(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='adit-translator-')
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.node = SimNode(self.folder, bits=BITS).start()
        self.addCleanup(self.node.stop)
        subprocess.run([ADIT, 'keygen', '--out', self.folder + '/authority.key'], capture_output=True, check=True, timeout=30)
        section = f'[stratum.v2]\nlisten = ["127.0.0.1:0"]\nauthority_secret_file = "{self.folder}/authority.key"\n'
        self.pool = Pool(self.folder, [self.node], vardiff=VARDIFF, extra=section)
        self.addCleanup(lambda: self.pool.process and self.pool.kill())
        self.pool.start().wait_work()
        self.v2 = self.pool.wait_log(r'V2 on ([^\s,;]+)').group(1)

    def start_translator(self, aggregate, extensions=''):
        with open(self.folder + '/authority.key.pub') as public:
            key = public.read().strip()
        host, pool_port = self.v2.rsplit(':', 1)
        self.port = free_port()
        path = self.folder + '/translator.toml'
        with open(path, 'w') as config:
            config.write(CONFIG.format(port=self.port, aggregate=str(aggregate).lower(), extensions=extensions, host=host,
                                       pool_port=pool_port, key=key, user=MINER_ADDRESS))
        self.translator = Process([TRANSLATOR, '-c', path], self.folder + '/translator.log')
        self.addCleanup(self.translator.kill)

    def start_miner(self, name):
        miner = Process([CPU_MINER, '--url', f'127.0.0.1:{self.port}', '--user', name, '--limit-mhs', '0.02',
                         '--seconds', '120', '--exit-with-parent'], f'{self.folder}/{name}.log')
        self.addCleanup(miner.kill)
        return miner

    def words(self, *miners):
        return '\n'.join(process.text()[-1500:] for process in (*miners, self.translator, self.pool.process))

    def mine(self, names, shares=20, seconds=100):
        """Miners behind the translator until each name of the pool has its shares and there is a block."""
        deadline = time.monotonic() + seconds
        miners = [self.start_miner(name) for name in ('left', 'right')]
        booked = {}
        while time.monotonic() < deadline:
            booked = {row['name']: row['shares'] for row in self.pool.lines('workers')}
            if all(booked.get(name, 0) >= shares for name in names) and self.pool.lines('blocks'):
                break
            time.sleep(0.5)
        else:
            self.fail(f'{booked} after {seconds} s\n{self.words(*miners)}')
        self.assertEqual({row['account'] for row in self.pool.lines('shares')}, {MINER_ADDRESS})
        wait_until(lambda: self.pool.lines('blocks')[0]['state'] == 'accepted', 15, 'the block is accepted')
        self.assertGreaterEqual(self.node.rpc('getblockcount'), 1)
        for miner in miners:
            self.assertTrue(miner.alive(), miner.text()[-1500:])
        self.assertEqual(self.pool.terminate(), 0)

    def test_a_channel_for_each_miner(self):
        self.start_translator(aggregate=False)
        self.mine(['miner1', 'miner2'])

    def test_one_channel_for_all(self):
        self.start_translator(aggregate=True)
        self.mine(['translator-proxy'], shares=40)

    def test_one_channel_that_names_its_workers(self):
        self.start_translator(aggregate=True, extensions='0x0002')
        self.mine(['left', 'right'])


if __name__ == '__main__':
    unittest.main()
