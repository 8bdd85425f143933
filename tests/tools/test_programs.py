#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cpu-miner and stratum-load as programs, against floor-server and a pool that misbehaves."""
import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import threading
import unittest

MINER, LOAD, FLOOR = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:4])
USER = ['--user', 'address.worker']


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=30, check=False)


class Floor:
    """A floor-server for the length of a `with` block."""

    def __enter__(self):
        self.child = subprocess.Popen([FLOOR], stdout=subprocess.PIPE, text=True)
        self.url = ['--url', f'127.0.0.1:{int(self.child.stdout.readline())}']
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()
        self.child.stdout.close()

    def load(self, scenario, *more):
        done = run(LOAD, scenario, *self.url, *USER, '--pid', self.child.pid, '--json', *more)
        return done.returncode, json.loads(done.stdout)


class Pool:
    """Listens; each connection's lines go to `answer`, whose text goes back."""

    def __init__(self, answer):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.url = ['--url', f'127.0.0.1:{self.listener.getsockname()[1]}']
        self.answer, self.connections = answer, 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with (contextlib.suppress(ConnectionError), peer,
                  peer.makefile('rwb', buffering=0) as wire):
                for line in wire:
                    text = self.answer(self.connections, json.loads(line))
                    if text is None:
                        break
                    wire.write(text.encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def reply(request, result, error=None):
    return json.dumps({'id': request['id'], 'result': result, 'error': error}) + '\n'


def call(method, *params):
    return json.dumps({'id': None, 'method': method, 'params': params}) + '\n'


def job(clean=True):
    return call('mining.notify', 'j', '00' * 32, '01', '02', ['03' * 32], '20000000', '1d00ffff',
                '60000000', clean)


class Miner(unittest.TestCase):
    def test_mines_at_a_fraction_of_a_million_hashes(self):
        with Floor() as floor:
            done = run(MINER, *floor.url, *USER, '--limit-mhs', 0.0005, '--seconds', 2, '--quiet')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        accepted = int(done.stdout.split(' shares accepted')[0].split()[-1])
        self.assertTrue(200 <= accepted <= 1100, done.stdout)

    def test_counts_refusals_by_reason_and_fails_without_an_accepted_share(self):
        def answer(_, request):
            match request['method']:
                case 'mining.subscribe':
                    return reply(request, [[], '0a', 4])
                case 'mining.authorize':
                    return reply(request, True) + call('mining.set_difficulty', 1e-10) + job()
                case 'mining.submit':
                    self.assertEqual(len(request['params']), 5)
                    return reply(request, None, [21, 'stale', None])
            return reply(request, None, [-3, 'unknown method', None])

        with Pool(answer) as pool:
            done = run(MINER, *pool.url, *USER, '--limit-mhs', 0.0001, '--seconds', 1)
        self.assertEqual(done.returncode, 1)
        self.assertIn('x stale', done.stdout)

    def test_reconnects_when_asked_but_to_no_other_host(self):
        def answer(number, request):
            if request['method'] == 'mining.subscribe':
                return reply(request, [[], '0a', 4])
            if request['method'] == 'mining.authorize':
                away = ['198.51.100.1', 1] if number == 1 else []
                return reply(request, True) + call('client.reconnect', *away)
            return reply(request, {})

        with Pool(answer) as pool:
            done = run(MINER, *pool.url, *USER, '--seconds', 3)
            self.assertGreaterEqual(pool.connections, 2)
        self.assertIn('not followed: 198.51.100.1', done.stdout)

    def test_says_why_the_pool_refuses(self):
        def answer(_, request):
            if request['method'] == 'mining.authorize':
                return reply(request, False, [24, 'no such address', None])
            return reply(request, [[], '0a', 4])

        with Pool(answer) as pool:
            done = run(MINER, *pool.url, *USER, '--seconds', 1)
        self.assertIn('no such address', done.stdout)
        self.assertEqual(done.returncode, 1)

    def test_wrong_command_lines(self):
        self.assertEqual(run(MINER, *USER, '--url', 'nowhere').returncode, 2)
        self.assertEqual(run(MINER).returncode, 2)
        self.assertEqual(run(MINER, '--help').returncode, 0)


class Load(unittest.TestCase):
    def test_submit(self):
        with Floor() as floor:
            status, figures = floor.load('submit', '--connections', 10, '--shares', 5000)
        self.assertEqual(status, 0, figures)
        self.assertGreaterEqual(figures['accepted'], 5000)
        self.assertEqual(figures['rejected'] + figures['out_of_order'] + figures['unanswered'], 0)
        self.assertGreater(figures['cpu_per_accepted_us'], 0)
        self.assertGreaterEqual(figures['latency_max_us'], figures['latency_p50_us'])

    def test_fan_out(self):
        with Floor() as floor:
            status, figures = floor.load('fan-out', '--connections', 100, '--jobs', 2,
                                         '--trigger-signal', floor.child.pid)
        self.assertEqual(status, 0, figures)
        self.assertGreater(figures['spread_us'], 0)
        self.assertLessEqual(figures['trigger_to_first_us'], figures['trigger_to_last_us'])

    def test_connect_and_idle(self):
        with Floor() as floor:
            status, figures = floor.load('connect', '--connections', 200)
            self.assertEqual((status, figures['connections']), (0, 200))
            status, figures = floor.load('idle', '--connections', 100)
            self.assertEqual(status, 0, figures)
            self.assertIn('rss_per_connection_bytes', figures)

    def test_connections_that_do_not_come_up_are_a_failure(self):
        def answer(number, request):
            if number > 3:
                return None
            match request['method']:
                case 'mining.subscribe':
                    return reply(request, [[], '0a', 4])
                case 'mining.authorize':
                    return reply(request, True) + call('mining.set_difficulty', 1) + job()
            return reply(request, {})

        with Pool(answer) as pool:
            done = run(LOAD, 'connect', *pool.url, *USER, '--connections', 8, '--in-flight', 1, '--seconds', 5, '--json')
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)['connections'], 3)
        self.assertEqual(json.loads(done.stdout)['error'], '3 of 8 connections came up')

    def test_answers_out_of_order_are_a_failure(self):
        held = []

        def answer(_, request):
            match request['method']:
                case 'mining.subscribe':
                    return reply(request, [[], '0a', 4])
                case 'mining.authorize':
                    return reply(request, True) + call('mining.set_difficulty', 1e-10) + job()
                case 'mining.submit':
                    held.append(reply(request, True))
                    if len(held) < 4:
                        return ''
                    text = ''.join(reversed(held))
                    held.clear()
                    return text
            return reply(request, {})

        with Pool(answer) as pool:
            done = run(LOAD, 'submit', *pool.url, *USER, '--connections', 1, '--in-flight', 4,
                       '--seconds', 0.3, '--json')
        self.assertEqual(done.returncode, 1)
        self.assertGreater(json.loads(done.stdout)['out_of_order'], 0)

    def test_another_host_is_refused(self):
        self.assertEqual(run(LOAD, 'connect', '--url', '192.0.2.1:3333', *USER).returncode, 2)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
