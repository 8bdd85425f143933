# SPDX-License-Identifier: MIT
"""Start and end: ready line, ready file, cookie, signals, the end of the parent."""
import json
import pathlib
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from support import TREE, NodeProcess

PROGRAM = str(TREE / "tools/sim-node")


def running(pid):
    """Whether the process is there and not merely waiting to be reaped."""
    try:
        return pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Process(unittest.TestCase):
    def test_cookie_and_ready_file(self):
        with tempfile.TemporaryDirectory() as folder:
            cookie, ready = pathlib.Path(folder, "cookie"), pathlib.Path(folder, "ready")
            with NodeProcess("--premine", "0", "--cookie", str(cookie), "--ready-file", str(ready)) as node:
                self.assertEqual(json.loads(ready.read_text()), node.ready)
                self.assertEqual(stat.S_IMODE(cookie.stat().st_mode), 0o600)
                response, _ = node.post({"method": "uptime"}, auth=cookie.read_text())
                self.assertEqual(response.status, 200)
                node.process.terminate()
                self.assertEqual(node.process.wait(5), 0)
                self.assertFalse(cookie.exists())

    def test_stop_call_ends_it_even_with_a_long_poll(self):
        with NodeProcess("--premine", "0") as node:
            template = node.getblocktemplate({"rules": ["segwit"]})
            link = node.connect()
            link.request("POST", "/", json.dumps({"method": "getblocktemplate", "params": [
                {"rules": ["segwit"], "longpollid": template["longpollid"]}]}), {"Authorization": "Basic dTpw"})
            time.sleep(0.1)
            self.assertEqual(node.stop(), "Bitcoin Core stopping")
            self.assertEqual(node.process.wait(5), 0)
            link.close()

    def test_lines_per_block(self):
        with NodeProcess() as node:
            digest = node.generate(1)[0]
            line = json.loads(node.process.stdout.readline())
            self.assertEqual(line, {"event": "connected", "hash": digest, "height": 111, "tx": 11, "from": "own"})
            node.sim_reorg(1)
            kinds = [json.loads(node.process.stdout.readline())["event"] for _ in range(4)]
            self.assertEqual(kinds, ["side", "reorg", "connected", "connected"])

    def test_lines_that_nobody_reads_do_not_stop_it(self):
        with NodeProcess("--tx-count", "0", "--premine", "0") as node:
            node.generate(600)
            self.assertEqual(node.getblockcount(), 600)

    def test_ends_with_its_parent(self):
        script = ("import subprocess, sys\n"
                  "p = subprocess.Popen([sys.executable, sys.argv[1], '--exit-with-parent', '--premine', '0'],\n"
                  "                     stdout=subprocess.PIPE)\n"
                  "p.stdout.readline(); print(p.pid)")
        done = subprocess.run([sys.executable, "-c", script, PROGRAM], capture_output=True, text=True, timeout=10)
        pid, end = int(done.stdout), time.monotonic() + 5
        while running(pid) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertFalse(running(pid))

    def test_usage_errors(self):
        for wrong in (["--bits", "00000000"], ["--user", "x"], ["--network", "moon"]):
            done = subprocess.run([sys.executable, PROGRAM, *wrong], capture_output=True, timeout=10)
            self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
