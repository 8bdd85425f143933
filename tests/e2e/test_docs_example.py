# SPDX-License-Identifier: MIT
"""The Python example of docs/ledger.md, as it stands there, with a stock RocksDB binding from PyPI, and always with one
that stands in for it on the system's library."""

import os
import re
import subprocess
import sys
import unittest

from blocks import Finder, wait_state
from money import balances
from support import MINER_ADDRESS, ROOT, PoolTest, wait_until

PACKAGE = 'rocksdict==0.3.29'


def example():
    with open(os.path.join(ROOT, 'docs', 'ledger.md'), encoding='utf-8') as text:
        return re.search(r'## Example: balances in Python.*?```python\n(.*?)```', text.read(), re.S).group(1)


class Example(PoolTest):
    def bindings(self):
        """A Python and its environment for each: rocksdict in a folder of the build, and what stands in for it."""
        yield sys.executable, dict(os.environ, PYTHONPATH=os.path.join(os.path.dirname(__file__), 'standin'))
        home = os.environ.get('ADIT_TEST_VENV') or os.path.join(self.folder, 'venv')
        python = os.path.join(home, 'bin', 'python')
        if not os.path.exists(python) or \
                subprocess.run([python, '-c', 'import rocksdict'], capture_output=True, check=False).returncode != 0:
            subprocess.run([sys.executable, '-m', 'venv', home], check=True, capture_output=True, timeout=120)
            done = subprocess.run([python, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', PACKAGE],
                                  capture_output=True, text=True, timeout=240, check=False)
            if done.returncode != 0:
                print(f'only with the stand-in: pip cannot install {PACKAGE}: {done.stderr[-300:]}', file=sys.stderr)
                return
        yield python, dict(os.environ)

    def test_it_prints_what_the_pool_says(self):
        script = os.path.join(self.folder, 'balances.py')
        with open(script, 'w', encoding='utf-8') as out:
            out.write(example())
        self.assertLessEqual(len(example().splitlines()), 30)
        bindings = list(self.bindings())
        node = self.make_node(bits='1f7fffff')
        pool = self.make_pool(node)
        with Finder(pool, node) as miner:
            digest = miner.on_tip().find_block()
        wait_state(pool, digest, 'accepted')
        node.generate(99)
        wait_state(pool, digest, 'mature')
        wait_until(lambda: balances(pool)[MINER_ADDRESS]['balance_sat'], 10, 'booked')

        def printed():
            texts = set()
            for python, environment in bindings:
                done = subprocess.run([python, script, os.path.join(pool.data, 'ledger')], capture_output=True,
                                      text=True, timeout=60, check=False, env=environment)
                self.assertEqual(done.returncode, 0, done.stderr)
                texts.add(done.stdout)
            return texts
        wanted = ''.join(f'{address} {row["balance_sat"]}\n' for address, row in balances(pool).items())
        self.assertGreater(balances(pool)[MINER_ADDRESS]['balance_sat'], 0)
        self.assertEqual(printed(), {wanted})  # beside the running pool
        pool.terminate()
        self.assertEqual(printed(), {wanted})


if __name__ == '__main__':
    unittest.main()
