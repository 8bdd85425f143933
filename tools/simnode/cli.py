# SPDX-License-Identifier: MIT
"""Command line, start and end of the process."""
import argparse
import asyncio
import json
import os
import secrets
import select
import signal
import sys
import tempfile

from . import params
from .dispatch import Rpc
from .httpd import HttpServer
from .node import Node
from .peer import Peers
from .zmtp import Publisher
from . import rpc_chain, rpc_mining, rpc_sim, rpc_wallet  # noqa: F401 (each registers its methods)


def parse_arguments(argv):
    p = argparse.ArgumentParser(prog="sim-node", description="A bitcoind stand-in for tests, on 127.0.0.1 only.")
    p.add_argument("--port", type=int, default=0, help="RPC port (0: any free one)")
    p.add_argument("--zmq-port", type=int, default=0, help="ZMQ port (0: any free one, -1: no ZMQ)")
    p.add_argument("--cookie", metavar="FILE", help="write a cookie file, as bitcoind does, and remove it at the end")
    p.add_argument("--user", default=None)
    p.add_argument("--password", default=None)
    p.add_argument("--network", choices=sorted(params.NETWORKS), default="regtest")
    p.add_argument("--bits", type=lambda text: int(text, 16), default=params.EASY_BITS,
                   help="compact target of all blocks after the pre-mined ones, in hex")
    p.add_argument("--premine", type=int, default=110, help="blocks mined at the start, at 207fffff")
    p.add_argument("--start-time", type=int, default=0, help="time of the last pre-mined block (0: a minute ago)")
    p.add_argument("--mock-time", type=int, default=0, help="the node's clock stands here (0: real time)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--tx-count", type=int, default=10, help="transactions kept in the mempool")
    p.add_argument("--block-interval", type=float, default=0, metavar="S", help="find a block every S seconds")
    p.add_argument("--longpoll-tx-seconds", type=float, default=60)
    p.add_argument("--jsonrpc", choices=("1.0", "2.0", "1", "2"), default="1.0", help="shape of answers by default")
    p.add_argument("--peer", action="append", default=[], metavar="URL", help="another sim-node; may be repeated")
    p.add_argument("--ready-file", metavar="FILE", help="receives the ready line")
    p.add_argument("--exit-with-parent", action="store_true")
    p.add_argument("--quiet", action="store_true", help="no line per block")
    options = p.parse_args(argv)
    if params.target_of(options.bits) is None:
        p.error("--bits is no target")
    if (options.user is None) != (options.password is None):
        p.error("--user and --password go together")
    return options


def write_whole(path, text, mode=0o644):
    """The file appears with its whole content or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "w") as out:
        out.write(text)
    os.chmod(name, mode)
    os.replace(name, path)


def reporter(quiet):
    """Prints events as JSON lines. A reader that has stopped reading costs lines, never the node's time."""
    def report(event):
        if quiet and event["event"] != "ready":
            return
        try:
            if select.select([], [sys.stdout], [], 0)[1]:
                print(json.dumps(event), flush=True)
        except OSError:
            pass
    return report


async def watch_parent(node, parent):
    while os.getppid() == parent:
        await asyncio.sleep(0.2)
    node.stopping.set()


async def find_blocks(node):
    """The clock of --block-interval."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        interval = node.options.block_interval
        if interval <= 0:
            await asyncio.sleep(0.05)
            due = loop.time()
            continue
        due += interval
        while loop.time() < due and node.options.block_interval == interval:
            await asyncio.sleep(min(0.05, max(0, due - loop.time())))
        if node.options.block_interval == interval:
            node.find_block()
            due = max(due, loop.time() - interval)


def credentials(options):
    """The accepted user:password pairs; also writes the cookie."""
    pairs = []
    if options.user is not None:
        pairs.append("%s:%s" % (options.user, options.password))
    if options.cookie:
        pairs.append("__cookie__:" + secrets.token_hex(32))
        write_whole(options.cookie, pairs[-1], 0o600)
    return pairs or ["sim:sim"]


async def run(options, parent):
    report, early = reporter(options.quiet), []
    node = Node(options, early.append)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, node.stopping.set)
    node.peers = Peers(node)
    server = HttpServer(node, Rpc(node, "2.0" if options.jsonrpc.startswith("2") else "1.0"), credentials(options))
    ports = {"rpc_port": await server.start(options.port)}
    if options.zmq_port >= 0:
        node.publisher = Publisher()
        ports["zmq_port"] = await node.publisher.start(options.zmq_port)
    for url in options.peer:
        await node.peers.join(url)
    line = {"event": "ready", **ports, "network": options.network, "height": node.chain.tip.height,
            "tip": rpc_chain.getbestblockhash(node), "pid": os.getpid()}
    if options.ready_file:
        write_whole(options.ready_file, json.dumps(line) + "\n")
    for event in [line] + early:
        report(event)
    node.report = report
    tasks = [asyncio.ensure_future(find_blocks(node))]
    if options.exit_with_parent:
        tasks.append(asyncio.ensure_future(watch_parent(node, parent)))
    await node.stopping.wait()
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await server.stop()
    if node.publisher:
        await node.publisher.stop()
    if options.cookie and os.path.exists(options.cookie):
        os.unlink(options.cookie)


def main(argv=None):
    parent = os.getppid()
    asyncio.run(run(parse_arguments(sys.argv[1:] if argv is None else argv), parent))
    return 0
