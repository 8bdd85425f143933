# SPDX-License-Identifier: MIT
"""`adit demo`: a whole pool on this machine finds blocks and ends by itself."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from support import ADIT, ROOT, PoolTest, wait_until

MINER = os.path.join(os.path.dirname(ADIT), 'cpu-miner')


@unittest.skipUnless(os.access(MINER, os.X_OK), 'cpu-miner is not built')
class Demo(PoolTest):
    def setUp(self):
        super().setUp()
        # As installed beside a source tree, wherever the build folder is.
        os.mkdir(os.path.join(self.folder, 'bin'))
        os.symlink(os.path.join(ROOT, 'tools'), os.path.join(self.folder, 'tools'))
        for program in (ADIT, MINER):
            shutil.copy(program, os.path.join(self.folder, 'bin'))
        self.adit = os.path.join(self.folder, 'bin', 'adit')
        self.temporary = os.path.join(self.folder, 'tmp')
        os.mkdir(self.temporary)

    def demo(self, *arguments, **kwargs):
        return subprocess.Popen([self.adit, 'demo', *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, 'TMPDIR': self.temporary}, **kwargs)

    def test_ends_by_itself_with_blocks_connected(self):
        with self.demo('--seconds', '20') as process:
            head = ''
            while '/workers\n' not in head and (line := process.stdout.readline()):
                head += line
            self.look(head)
            out, errors = process.communicate(timeout=60)
            out = head + out
        self.assertEqual(process.returncode, 0, out + errors)
        self.assertRegex(out, r'block +\d+ +[0-9a-f]{64}')
        self.assertRegex(out, r'[1-9]\d* shares accepted, \d+ rejected; [1-9]\d* blocks found, [1-9]\d* connected')
        found, connected, second, waiting = (int(n or 0) for n in re.search(
            r'(\d+) blocks found, (\d+) connected by the node(?:, (\d+) came second at their height)?(?:, (\d+) not answered yet)?; height',
            out).groups())
        self.assertEqual(found, connected + second + waiting, out)
        self.assertEqual(len(re.findall(r'^block ', out, re.M)), connected, out)
        self.assertRegex(out, r'bcrt1q\S+ +earned +\d+\.\d{8}, paid +\d+\.\d{8}, still owed')
        self.assertEqual(os.listdir(self.temporary), [])

    def look(self, head):
        """Where it says to look there is something to see."""
        metrics, page = re.search(r'look +(http://\S+)\n +(http://\S+)\n', head).groups()
        with urllib.request.urlopen(metrics, timeout=10) as answer:
            self.assertIn('\nadit_jobs_total ', answer.read().decode())

        def workers():
            try:
                with urllib.request.urlopen(page, timeout=10) as answer:
                    return json.load(answer)['workers']
            except urllib.error.HTTPError as error:  # until the first miner is in
                self.assertEqual(error.code, 404)
                return None
        self.assertEqual(wait_until(workers, 15, 'a miner of the page')[0]['name'], 'demo1')

    def test_an_interrupt_ends_it_and_its_children(self):
        data = os.path.join(self.folder, 'kept')
        os.mkdir(data)
        with self.demo('--data-dir', data, '--miners', '2') as process:
            wait_until(lambda: os.path.exists(os.path.join(data, 'miner2.log')), 20, 'the demo is up')
            children = self.children(process.pid)
            self.assertEqual(len(children), 3)
            process.send_signal(signal.SIGINT)
            begin = time.monotonic()
            out, _ = process.communicate(timeout=20)
            self.assertLess(time.monotonic() - begin, 15)
        self.assertIn('the books are kept', out)
        self.assertFalse([pid for pid in children if os.path.exists(f'/proc/{pid}')])
        done = subprocess.run([self.adit, 'ledger', 'verify', '-c', os.path.join(data, 'adit.toml')], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_early_interrupt_leaves_no_child(self):
        with self.demo('--miners', '1') as process:
            children = wait_until(lambda: self.children(process.pid), 20, 'its first child')
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1)  # nothing was mined, and it says so
        self.assertFalse([pid for pid in children if os.path.exists(f'/proc/{pid}')])
        self.assertEqual(os.listdir(self.temporary), [])

    @staticmethod
    def children(pid):
        found = []
        for task in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{task}/children') as children:
                found += [int(child) for child in children.read().split()]
        return found


if __name__ == '__main__':
    unittest.main(verbosity=2)
