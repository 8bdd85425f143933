# SPDX-License-Identifier: MIT
"""Blocks between two of these nodes, over their RPC ports: pull once when joined, push from then on."""
import asyncio
import base64
import json
from urllib.parse import urlsplit

from .wire import Block, display, parse_hash

AGENT = "sim-node-peer"


class Peer:
    def __init__(self, url):
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.port:
            raise ValueError("expected http://user:password@127.0.0.1:port")
        self.url, self.host, self.port = url, parts.hostname, parts.port
        login = "%s:%s" % (parts.username or "", parts.password or "")
        self._auth = base64.b64encode(login.encode()).decode()

    async def call(self, method, *params):
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=1 << 26)
        try:
            body = json.dumps({"method": method, "params": params, "id": 1}).encode()
            head = ("POST / HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAuthorization: Basic %s\r\nConnection: close\r\n"
                    "Content-Length: %d\r\n\r\n" % (self.host, AGENT, self._auth, len(body)))
            writer.write(head.encode() + body)
            answer = await reader.read()
        finally:
            writer.close()
        reply = json.loads(answer.partition(b"\r\n\r\n")[2])
        if reply["error"]:
            raise ValueError(reply["error"]["message"])
        return reply["result"]


class Peers:
    def __init__(self, node):
        self.node, self._peers, self._tasks = node, {}, set()

    def urls(self):
        return list(self._peers)

    async def add(self, url):
        peer = Peer(url)
        await self._pull(peer)
        self._peers[url] = peer

    async def join(self, url):
        """As `add`, for the start: a peer that is not up yet is kept all the same."""
        try:
            await self.add(url)
        except OSError as error:
            self._peers[url] = Peer(url)
            self.node.report({"event": "peer-error", "peer": urlsplit(url).netloc.split("@")[-1],
                              "text": str(error)})

    def remove(self, url):
        self._peers.pop(url, None)

    def announce(self, entry):
        for peer in self._peers.values():
            task = asyncio.ensure_future(self._push(peer, entry))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pull(self, peer):
        """Fetches the peer's branch down to a block that is known here."""
        missing, digest = [], await peer.call("getbestblockhash")
        while parse_hash(digest) not in self.node.chain.entries:
            block = Block.parse(bytes.fromhex(await peer.call("getblock", digest, 0)))
            missing.append(block)
            digest = display(block.header.prev)
        for block in reversed(missing):
            self.node.accept(block, "peer")

    async def _push(self, peer, entry):
        """Sends a block, after those of its ancestors that the peer lacks."""
        line = [entry]
        try:
            while line:
                answer = await peer.call("sim_peer_block", line[-1].block.serialize().hex())
                if answer == "prev-blk-not-found" and line[-1].prev:
                    line.append(line[-1].prev)
                else:
                    line.pop()
        except (OSError, ValueError) as error:
            self.node.report({"event": "peer-error", "peer": "%s:%d" % (peer.host, peer.port), "text": str(error)})
