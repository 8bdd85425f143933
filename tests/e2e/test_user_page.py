# SPDX-License-Identifier: MIT
"""What a user and an operator see over HTTP: a worker from the moment it is connected, and the pool's counters."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
from urllib.parse import quote

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'sv2'))

from support import ADIT, MINER_ADDRESS, OTHER_ADDRESS, PAYOUTS, POOL_ADDRESS, ROOT, wait_until  # noqa: E402
from sv2_support import Sv2Test  # noqa: E402
from v1_miner import Miner  # noqa: E402

API = '[api]\nlisten = "127.0.0.1:0"\n'
SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"\})? (\d+(?:\.\d+)?)')
REASONS = {'unknown_job', 'stale_job', 'ntime_out_of_range', 'version_not_allowed', 'version_missing', 'bad_extranonce_size',
           'low_difficulty', 'duplicate', 'unauthorised', 'storage_full', 'too_fast'}
# Debian's python3-prometheus-client belongs to Debian's python3, which need not be the one that runs this.
FOREIGN = '''
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([[family.type, family.documentation, sample.name, sample.labels, sample.value]
                  for family in text_string_to_metric_families(sys.stdin.read()) for sample in family.samples]))
'''


def parse_metrics(text):
    """The whole of the text in the form that the pool writes, or an error: sample -> value, family -> type."""
    values, types = {}, {}
    family = None
    assert text.endswith('\n') and '\r' not in text
    lines = text[:-1].split('\n')
    for number, line in enumerate(lines):
        if line.startswith('# HELP '):
            family = line.split(' ', 3)[2]
            assert family not in types and line.split(' ', 3)[3], line
            kind = lines[number + 1].split(' ')
            assert kind[:3] == ['#', 'TYPE', family] and kind[3] in ('counter', 'gauge', 'summary'), lines[number + 1]
            types[family] = kind[3]
            assert (kind[3] == 'counter') == family.endswith('_total'), family
            continue
        if line.startswith('# TYPE '):
            assert lines[number - 1].startswith('# HELP '), line
            continue
        name, label, value, count = SAMPLE.fullmatch(line).groups()
        own = (family + '_sum', family + '_count') if types[family] == 'summary' else (family,)
        assert name in own, line
        key = name if label is None else f'{name}{{{value}}}'
        assert key not in values, f'{key} twice'
        values[key] = float(count) if '.' in count else int(count)
    return values, types


def documented(heading):
    """The section of docs/api.md, and the first cells of its tables."""
    with open(os.path.join(ROOT, 'docs', 'api.md'), encoding='utf-8') as file:
        section = file.read().split(f'\n## {heading}\n')[1].split('\n## ')[0]
    return section, re.findall(r'^\| `(\w+)` \|', section, re.M)


def foreign_python():
    """A python3 that has prometheus_client, or nothing."""
    for python in (sys.executable, '/usr/bin/python3'):
        if os.path.exists(python) and subprocess.run([python, '-c', 'import prometheus_client'], capture_output=True).returncode == 0:
            return python
    return None


class Site(Sv2Test):
    def begin(self, bits='1d00ffff', payout='', **options):
        self.need_sim()
        self.node = self.make_node(bits=bits, longpoll_tx_seconds=1)
        self.pool = self.make_sv2(self.node, extra=API + payout, vardiff='start = 1e-7\nminimum = 1e-7\nmaximum = 1e-7\n', zmq=False,
                                  **options)
        self.url = 'http://' + self.pool.wait_log(r'api: HTTP on (\S+)').group(1)

    def get(self, path):
        """Status, content type, text."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.headers['Content-Type'], answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers['Content-Type'], error.read().decode()

    def json(self, path):
        status, kind, text = self.get(path)
        self.assertEqual(kind, 'application/json')
        return status, json.loads(text)

    def account(self, address=MINER_ADDRESS):
        status, answer = self.json(f'/api/v1/accounts/{address}')
        self.assertEqual(status, 200, answer)
        return answer

    def workers(self, address=MINER_ADDRESS, query=''):
        status, answer = self.json(f'/api/v1/accounts/{address}/workers{query}')
        self.assertEqual(status, 200, answer)
        self.assertEqual((answer['address'], answer['complete']), (address, True))
        return {worker['name']: worker for worker in answer['workers']}

    def wait_worker(self, name, what, **fields):
        """Until the worker is as said; returns it."""
        def as_said():
            worker = self.workers().get(name)
            return worker if worker and all(worker[key] == value for key, value in fields.items()) else None
        return wait_until(as_said, 10, what)

    def metrics(self):
        status, kind, text = self.get('/metrics')
        self.assertEqual((status, kind), (200, 'text/plain; version=0.0.4; charset=utf-8'))
        return parse_metrics(text)[0]


class UserPage(Site):
    def share(self, miner, user):
        self.assertIs(miner.submit(miner.find(user, block=False))['result'], True)

    def test_a_worker_is_there_before_its_first_share(self):
        self.begin(workers=2)
        for path in (f'/api/v1/accounts/{MINER_ADDRESS}', f'/api/v1/accounts/{MINER_ADDRESS}/workers'):
            status, answer = self.json(path)
            self.assertEqual((status, list(answer)), (404, ['error']))
        user = MINER_ADDRESS + '.nerd'
        before = int(time.time() * 1000)
        with Miner(self.pool.address) as miner:
            self.assertIs(miner.hello(user)['result'], True)
            worker = self.workers()['nerd']  # at once, not after a while
            since = worker['connected_since_ms']
            self.assertEqual(worker, {'name': 'nerd', 'state': 'no_share_yet', 'text': 'connected, no share yet', 'connections': 1,
                                      'shares': 0, 'work': '0', 'hashrate': 0, 'connected_since_ms': since,
                                      'last_share_ms': None})
            self.assertTrue(before - 1000 <= since <= time.time() * 1000 + 1000, since)
            answer = self.account()
            self.assertEqual((answer['workers'], answer['connected_workers'], answer['connections'], answer['shares']),
                             (1, 1, 1, 0))
            self.share(miner, user)
            worker = self.workers()['nerd']
            self.assertEqual((worker['state'], worker['connections']), ('mining', 1))
            self.assertGreaterEqual(worker['last_share_ms'], since - 1)
            self.assertGreater(worker['hashrate'], 0)
            worker = self.wait_worker('nerd', 'the share is in the books that the page reads', shares=1)
            self.share(miner, user)  # another total, though the record on disk is not written anew yet
            worker = self.wait_worker('nerd', 'both shares', shares=2)
            booked, = self.pool.lines('workers')
            self.assertEqual((worker['shares'], worker['work']), (2, booked['work']))
            self.assertEqual(self.account()['work'], booked['work'])
        worker = self.wait_worker('nerd', 'it is offline, and listed all the same', state='offline')
        self.assertEqual((worker['connections'], worker['shares'], worker['connected_since_ms'], worker['hashrate']),
                         (0, 2, None, 0))
        with Miner(self.pool.address) as miner:
            miner.hello(user)
            worker = self.workers()['nerd']
            self.assertEqual((worker['state'], worker['text']), ('no_share_yet', 'connected, no share yet since it came back'))
        self.pool.kill()
        self.pool.start().wait_work()
        self.url = 'http://' + self.pool.wait_log(r'api: HTTP on (\S+)').group(1)
        worker = self.workers()['nerd']  # from the books alone
        self.assertEqual((worker['state'], worker['shares']), ('offline', 2))

    def test_every_field_is_documented(self):
        """docs/api.md has each field, and no other; with money, of a block that the coinbase paid."""
        self.begin(bits='1f7fffff', pool='scheme = "pplns"', payout='[payout]\nway = "coinbase"\nminimum = 546\n')
        with Miner(self.pool.address) as miner:
            miner.hello(MINER_ADDRESS)
            self.share(miner, MINER_ADDRESS)
            for _ in range(2):  # the first one closes the slice that the second one pays
                after = miner.last_clean
                self.assertIs(miner.submit(miner.find(MINER_ADDRESS, block=True))['result'], True)
                miner.wait_job(20, after=after, clean=True)
            account = wait_until(lambda: (answer := self.account())['money'] and answer, 15, 'the block is booked')
            self.assertEqual({*account, *account['money']}, set(documented('Accounts')[1]))
            status, answer = self.json(f'/api/v1/accounts/{MINER_ADDRESS}/workers')
            fields = documented('Workers')[1]
            states = {'no_share_yet', 'mining', 'offline'}
            self.assertLessEqual(states, set(fields))
            self.assertEqual({*answer['workers'][0], 'next'}, set(fields) - states)
            def as_booked():
                row, = self.pool.lines('balances')
                return self.account()['money'] == {key: row[key + '_sat'] for key in ('balance', 'earned', 'paid')}
            wait_until(as_booked, 10, 'the money is that of the books')

    def test_the_same_for_stratum_v2(self):
        self.begin()
        for extended in (False, True):
            name = f'v2-{extended}'
            miner = self.connect(self.pool)
            channel = miner.open(f'{MINER_ADDRESS}.{name}', extended)
            worker = self.workers()[name]
            self.assertEqual((worker['state'], worker['connections'], worker['shares']), ('no_share_yet', 1, 0))
            self.mine(miner, channel)
            self.assertEqual(self.workers()[name]['state'], 'mining')
            self.wait_worker(name, 'the share is booked', state='mining', shares=1)
            miner.close_channel(channel.id)
            self.wait_worker(name, 'its channel is closed', state='offline', connections=0, shares=1)
            miner.close()

    def test_workers_add_up_and_come_in_pages(self):
        self.begin(workers=2)
        names = ['', *(f'rig{i:02}' for i in range(12))]
        miners = [Miner(self.pool.address) for _ in range(2 * len(names))]  # on both threads, as the kernel likes
        for i, miner in enumerate(miners):
            miner.hello(f'{MINER_ADDRESS}.{names[i % len(names)]}'.rstrip('.'))
        for i in (0, 1, 14):
            self.share(miners[i], f'{MINER_ADDRESS}.{names[i % len(names)]}'.rstrip('.'))
        other = Miner(self.pool.address)
        other.hello(OTHER_ADDRESS + '.rig00')
        wait_until(lambda: self.account()['shares'] == 3, 10, 'all shares are booked')
        answer = self.account()
        self.assertEqual((answer['workers'], answer['connected_workers'], answer['connections']), (13, 13, 26))
        workers = self.workers()
        self.assertEqual(list(workers), names)
        self.assertEqual({worker['connections'] for worker in workers.values()}, {2})
        self.assertEqual([name for name, worker in workers.items() if worker['state'] == 'mining'], ['', 'rig00'])
        self.assertEqual(workers['rig00']['shares'], 2)
        self.assertEqual(list(self.workers(OTHER_ADDRESS)), ['rig00'])
        seen, start = [], ''
        while start is not None:
            status, answer = self.json(f'/api/v1/accounts/{MINER_ADDRESS}/workers?limit=5&from={quote(start)}')
            self.assertEqual(status, 200)
            self.assertLessEqual(len(answer['workers']), 5)
            seen += [worker['name'] for worker in answer['workers']]
            start = answer['next']
        self.assertEqual(seen, names)
        for miner in (*miners, other):
            miner.close()

    def test_a_pool_that_ends_hurts_nobody_who_asks(self):
        self.begin(workers=2)
        for _ in range(100):
            miner = Miner(self.pool.address)
            self.addCleanup(miner.close)
            miner.hello(MINER_ADDRESS)
        os.kill(self.pool.process.pid, signal.SIGTERM)
        told = set()
        while True:
            try:
                told.add(self.get(f'/api/v1/accounts/{MINER_ADDRESS}/workers')[0])
            except (OSError, http.client.HTTPException):  # it is gone
                break
        self.assertLessEqual(told, {200, 503})
        self.assertIn(503, told)
        self.assertEqual(self.pool.process.process.wait(20), 0)

    def test_what_is_no_account_here(self):
        self.begin()
        for address, why in ((PAYOUTS['main'], 'wrong network'), ('nobody', 'invalid'), (MINER_ADDRESS[:-1] + 'x', 'checksum')):
            for tail in ('', '/workers'):
                status, answer = self.json(f'/api/v1/accounts/{address}{tail}')
                self.assertEqual((status, list(answer)), (400, ['error']))
                self.assertIn(why, answer['error'])
        for tail in ('', '/workers'):
            status, answer = self.json(f'/api/v1/accounts/{POOL_ADDRESS}{tail}')
            self.assertEqual((status, answer), (404, {'error': 'nobody mines for this address: no share is booked, nobody is connected'}))


class Metrics(Site):
    def test_the_text_is_what_foreign_parsers_read(self):
        self.begin()
        with Miner(self.pool.address) as miner:
            miner.hello(MINER_ADDRESS)
            self.assertIs(miner.submit(miner.find(MINER_ADDRESS))['result'], True)
            text = self.get('/metrics')[2]
        values, types = parse_metrics(text)
        version = subprocess.run([ADIT, '--version'], capture_output=True, text=True).stdout.split()[1]
        self.assertEqual(values[f'adit_build_info{{{version}}}'], 1)
        self.assertEqual({name[len('adit_shares_rejected_total{'):-1] for name in values if name.startswith('adit_shares_rej')},
                         REASONS)
        self.assertEqual(types['adit_first_share_seconds'], 'summary')
        self.assertTrue(0 <= values['adit_first_share_seconds_sum'] < 30)
        section, names = documented('Metrics')
        self.assertEqual(re.findall(r'^\| `(\w+)` \| (\w+) \|', section, re.M), [(name, types[name]) for name in names])
        self.assertEqual(set(names), set(types))
        self.assertEqual(set(re.findall(r'`(\w+)`', section.split('\nReasons: ')[1].split('\n\n')[0])), REASONS)
        python = foreign_python()
        if python is None:
            self.skipTest('python3-prometheus-client is not installed')
        done = subprocess.run([python, '-c', FOREIGN], input=text, capture_output=True, text=True, check=True)
        foreign = {}
        for kind, help_text, name, labels, value in json.loads(done.stdout):
            self.assertTrue(help_text)
            self.assertIn(kind, ('counter', 'gauge', 'summary'))
            foreign[name + ''.join(f'{{{text}}}' for text in labels.values())] = value
        self.assertEqual(foreign, values)

    def test_they_count_what_happens(self):
        self.begin(workers=2)
        before = self.metrics()
        self.assertEqual((before['adit_connections'], before['adit_shares_accepted_total']), (0, 0))
        with Miner(self.pool.address) as miner, Miner(self.pool.address) as idle:
            for one in (miner, idle):
                one.hello(MINER_ADDRESS)
            time.sleep(0.3)  # the measured time is not nothing
            share = miner.find(MINER_ADDRESS)
            self.assertIs(miner.submit(share)['result'], True)
            self.assertIsNot(miner.submit(share)['result'], True)
            self.assertIs(miner.submit(miner.find(MINER_ADDRESS))['result'], True)
            now = self.metrics()
            self.assertEqual([now[f'adit_{name}'] for name in (
                'connections', 'connections_opened_total', 'connections_closed_total', 'shares_accepted_total',
                'shares_rejected_total{duplicate}', 'shares_rejected_total{stale_job}', 'first_share_seconds_count',
                'ledger_sequence', 'storage_full')], [2, 2, 0, 2, 1, 0, 1, 2, 0])
            self.assertGreater(now['adit_first_share_seconds_sum'], 0.3)
            self.assertEqual(now['adit_tip_height'], self.node.rpc('getblockcount'))
            self.assertGreater(now['adit_ledger_commits_total'], 0)
        wait_until(lambda: self.metrics()['adit_connections'] == 0, 10, 'both have left')
        now = self.metrics()
        self.assertEqual((now['adit_connections_opened_total'], now['adit_connections_closed_total']), (2, 2))

    def test_a_new_tip_is_one_clean_job_and_a_refresh_is_none(self):
        self.begin()
        with Miner(self.pool.address) as miner:
            miner.hello(MINER_ADDRESS)
            while not miner.job.branch:
                miner.wait_job(after=miner.jobs)
            before = self.metrics()
            for more in range(1, 4):
                jobs = miner.jobs
                self.node.rpc('sim_add_transactions', 5)
                miner.wait_job(20, after=jobs)
                self.assertFalse(miner.job.clean)
                now = self.metrics()
                self.assertEqual(now['adit_clean_jobs_total'], before['adit_clean_jobs_total'], 'a refresh')
                self.assertGreaterEqual(now['adit_jobs_total'], before['adit_jobs_total'] + more)
            for more in range(1, 4):
                self.node.generate()
                tip = self.node.rpc('getblockcount')
                jobs = miner.jobs
                miner.wait_job(20, after=miner.last_clean, clean=True)
                while not miner.job.branch:  # the full job that follows the empty one
                    miner.wait_job(20, after=jobs)
                    jobs = miner.jobs
                now = self.metrics()
                self.assertEqual((now['adit_clean_jobs_total'], now['adit_tip_height']),
                                 (before['adit_clean_jobs_total'] + more, tip))


if __name__ == '__main__':
    unittest.main(verbosity=2)
