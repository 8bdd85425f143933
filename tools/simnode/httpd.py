# SPDX-License-Identifier: MIT
"""HTTP/1.1 with keep-alive in front of the RPC methods, answering as bitcoind's server does."""
import asyncio
import base64
import hmac
from email.utils import formatdate

from . import faults
from .peer import AGENT

MAX_BODY, MAX_HEADERS = 0x02000000, 8192
REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
           404: "Not Found", 405: "Method Not Allowed", 413: "Request Entity Too Large",
           500: "Internal Server Error", 503: "Service Unavailable"}


class BadRequest(Exception):
    def __init__(self, status):
        super().__init__(status)
        self.status = status


def head(status, length, headers=(), form="application/json"):
    lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, "Status")), "Content-Type: " + form,
             "Date: " + formatdate(usegmt=True)]
    if length is not None:
        lines.append("Content-Length: %d" % length)
    lines += ["%s: %s" % pair for pair in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Request:
    def __init__(self, verb, path, headers, body):
        self.verb, self.path, self.headers, self.body = verb, path, headers, body

    @property
    def wants_close(self):
        return "close" in self.headers.get("connection", "").lower()


async def read_request(reader, writer):
    """The next request, or None at the end of the connection."""
    try:
        block = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        raise BadRequest(400)
    lines = block.decode("latin-1").split("\r\n")
    words = lines[0].split()
    if len(words) != 3 or len(block) > MAX_HEADERS:
        raise BadRequest(400)
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(words[0], words[1], headers, await _read_body(reader, headers))


async def _read_body(reader, headers):
    if "chunked" in headers.get("transfer-encoding", "").lower():
        parts, total = [], 0
        while True:
            size = int((await reader.readline()).split(b";")[0], 16)
            total += size
            if total > MAX_BODY:
                raise BadRequest(413)
            parts.append(await reader.readexactly(size))
            await reader.readline()
            if size == 0:
                return b"".join(parts)
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise BadRequest(400)
    if int(length) > MAX_BODY:
        raise BadRequest(413)
    return await reader.readexactly(int(length))


class HttpServer:
    """Authenticates, lets the fault plan strike, and hands bodies to `rpc` (see dispatch.py)."""

    def __init__(self, node, rpc, credentials):
        self.node, self.rpc = node, rpc
        self._expected = [("Basic " + base64.b64encode(c.encode()).decode()).encode() for c in credentials]
        self._server, self._tasks = None, set()

    async def start(self, port):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, backlog=512)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        stats = self.node.stats
        stats.connections, stats.open_connections = stats.connections + 1, stats.open_connections + 1
        try:
            while await self._turn(reader, writer):
                pass
            await writer.drain()
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            stats.open_connections -= 1
            self._tasks.discard(task)
            writer.close()

    async def _turn(self, reader, writer):
        """One request and its answer; whether to go on."""
        try:
            request = await read_request(reader, writer)
        except BadRequest as bad:
            writer.write(head(bad.status, 0, [("Connection", "close")]))
            return False
        if request is None:
            return False
        refusal = self._refusal(request)
        if refusal:
            status, headers, text = refusal
            if status == 401:
                self.node.stats.unauthorized += 1
                await asyncio.sleep(0.25)
            writer.write(head(status, len(text), headers, "text/html; charset=ISO-8859-1") + text)
            await writer.drain()
            return not request.wants_close
        go_on = await self._answer(writer, request)
        await writer.drain()
        return go_on and not request.wants_close

    def _refusal(self, request):
        path = request.path.split("?")[0]
        if path != "/" and not path.startswith("/wallet/"):
            return 404, [], b""
        if request.verb != "POST":
            return 405, [], b"JSONRPC server handles only POST requests"
        given = request.headers.get("authorization", "").encode()
        if not any(hmac.compare_digest(given, e) for e in self._expected):
            return 401, [("WWW-Authenticate", 'Basic realm="jsonrpc"')], b""
        return None

    async def _answer(self, writer, request):
        calls = self.rpc.parse(request.body)
        delay, fault = 0.0, None
        if request.headers.get("user-agent") != AGENT:
            delay, fault = self._strike(calls)
        if delay:
            await asyncio.sleep(delay)
        executed = fault is None or fault.execute or fault.kind == "error"
        status, reply = await self.rpc.run(calls, faults.rpc_error(fault)) if executed else (200, None)
        if fault:
            reply = faults.reshape(reply, fault) if reply is not None else None
        body = self.rpc.encode(reply)
        if fault and fault.kind not in ("error", "id", "shape", "result", "batch_reverse"):
            return await faults.spoil(head, writer, fault, status, body)
        writer.write(head(status, len(body)) + body)
        return True

    def _strike(self, calls):
        """Counts the calls and asks the plan; the control methods are never hit."""
        delay, fault = 0.0, None
        for method in calls.methods():
            self.node.stats.call(method)
            if method.startswith("sim_"):
                continue
            more, hit = self.node.faults.take(method)
            delay, fault = delay + more, fault or hit
            if hit:
                self.node.stats.faults[hit.kind] += 1
        return delay, fault
