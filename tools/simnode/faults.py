# SPDX-License-Identifier: MIT
"""Scripted faults of the RPC link: which call is hit, how often, and what goes out on the wire instead."""
import asyncio
import gzip
import random
import socket
import struct

# Faults that strike before the method runs, unless told otherwise; all others run it and spoil the answer.
UNEXECUTED = {"503", "401", "404", "error", "hang"}
KINDS = {
    "delay": "wait `seconds`, then answer normally",
    "503": "HTTP 503, work queue depth exceeded",
    "401": "HTTP 401 whatever the credentials",
    "404": "HTTP 404",
    "status": "HTTP status `status`, with the normal body",
    "error": "JSON-RPC error `code` and `message`",
    "hang": "no answer for `seconds`, then close",
    "close": "close before the first byte of the answer",
    "reset": "half of the body, then a TCP reset",
    "cut": "half of the body, then an orderly close",
    "stall": "half of the body, `seconds` of silence, then the rest",
    "trickle": "one byte every `seconds`, `size` bytes long, then the rest",
    "truncated": "half of the JSON under a matching length",
    "length_long": "Content-Length 100 too great",
    "length_short": "Content-Length 10 too small",
    "garbage": "`size` random bytes as a body",
    "html": "a login page",
    "empty": "200 and no body",
    "null": "the JSON value null as a body",
    "oversized": "a body of `size` bytes (default 200 MB)",
    "gzip": "the body compressed, unasked",
    "chunked": "the body in correct chunks",
    "chunked_garbage": "chunks with senseless sizes",
    "not_http": "bytes that are no HTTP at all",
    "id": "the answer with id `value`",
    "shape": "the answer in the shape of JSON-RPC `value`: 1.0 or 2.0",
    "result": "`value` in the place of the result",
    "batch_reverse": "the answers of a batch in reverse order",
}


class Fault:
    def __init__(self, kind, method=None, count=1, execute=None, seconds=1.0, code=-1, message="scripted fault",
                 status=500, size=None, value=None):
        if kind not in KINDS:
            raise ValueError("unknown kind %s; known: %s" % (kind, ", ".join(KINDS)))
        self.kind, self.method, self.left = kind, method, count
        self.execute = kind not in UNEXECUTED if execute is None else execute
        self.seconds, self.code, self.message, self.status = seconds, code, message, status
        self.size, self.value = size, value

    def view(self):
        return {"kind": self.kind, "method": self.method, "left": self.left, "execute": self.execute}


class FaultPlan:
    """Faults in the order they were set. A call meets every delay that fits it and the first other fault."""

    def __init__(self):
        self.pending = []

    def add(self, fault):
        self.pending.append(fault)

    def clear(self):
        self.pending = []

    def take(self, method):
        delay, hit = 0.0, None
        for fault in list(self.pending):
            if fault.method not in (None, method) or (fault.kind != "delay" and hit):
                continue
            if fault.kind == "delay":
                delay += fault.seconds
            else:
                hit = fault
            if fault.left > 0:
                fault.left -= 1
                if fault.left == 0:
                    self.pending.remove(fault)
        return delay, hit


def reshape(reply, fault):
    """The faults that change what the JSON says."""
    if isinstance(reply, list):
        return list(reversed(reply)) if fault.kind == "batch_reverse" else reply
    if fault.kind == "id":
        return dict(reply, id=fault.value)
    if fault.kind == "result":
        return dict(reply, result=fault.value)
    if fault.kind == "shape" and reply.get("id") is not None:
        result, error = reply.get("result"), reply.get("error")
        if fault.value == "1.0":
            return {"result": result, "error": error, "id": reply["id"]}
        body = {"error": error} if error else {"result": result}
        return {"jsonrpc": "2.0", **body, "id": reply["id"]}
    return reply


def _abort(writer):
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _pour(writer, size):
    block = b" " * 65536
    while size > 0:
        writer.write(block[:size])
        await writer.drain()
        size -= len(block)


async def spoil(head, writer, fault, status, body):
    """Sends a spoiled answer; returns whether the connection may go on."""
    kind, half = fault.kind, body[:len(body) // 2]
    if kind in ("close", "hang"):
        if kind == "hang":
            await asyncio.sleep(fault.seconds)
        return False
    if kind == "not_http":
        writer.write(b"\x00\xff\x16SSH-2.0-nothing\r\n\r\n")
        return False
    if kind in ("cut", "reset", "stall"):
        writer.write(head(status, len(body)) + half)
        await writer.drain()
        if kind == "stall":
            await asyncio.sleep(fault.seconds)
            writer.write(body[len(half):])
            return True
        if kind == "reset":
            await asyncio.sleep(0.02)
            _abort(writer)
        return False
    if kind == "trickle":
        writer.write(head(status, len(body)))
        for i in range(min(fault.size or 100, len(body))):
            writer.write(body[i:i + 1])
            await asyncio.sleep(fault.seconds)
        writer.write(body[min(fault.size or 100, len(body)):])
        return True
    if kind == "oversized":
        size = fault.size or 200_000_000
        writer.write(head(200, size) + b'{"result":"')
        await _pour(writer, size - 11)
        return True
    if kind.startswith("length"):
        wrong = len(body) + 100 if kind == "length_long" else max(0, len(body) - 10)
        writer.write(head(status, wrong) + body)
        return False
    if kind.startswith("chunked"):
        return _chunks(head, writer, kind, status, body)
    return _replace(head, writer, fault, status, body)


def _chunks(head, writer, kind, status, body):
    writer.write(head(status, None, [("Transfer-Encoding", "chunked")]))
    if kind == "chunked":
        for at in range(0, len(body), 1000):
            piece = body[at:at + 1000]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        writer.write(b"0\r\n\r\n")
        return True
    writer.write(b"zz\r\n" + body[:20] + b"\r\nffffffffffffffffff\r\n" + body + b"\r\n-1\r\n")
    return False


def _replace(head, writer, fault, status, body):
    """The faults that are a whole, well-framed answer of the wrong content."""
    kind, headers, form = fault.kind, [], "application/json"
    if kind == "503":
        status, form, body = 503, "text/html; charset=ISO-8859-1", b"Work queue depth exceeded"
    elif kind == "401":
        status, body, headers = 401, b"", [("WWW-Authenticate", 'Basic realm="jsonrpc"')]
    elif kind == "404":
        status, body = 404, b""
    elif kind == "status":
        status = fault.status
    elif kind == "truncated":
        body = body[:len(body) // 2]
    elif kind == "garbage":
        body = random.Random(len(body)).randbytes(fault.size or 4096)
    elif kind == "html":
        form, body = "text/html", b"<!DOCTYPE html><html><body><form>Please log in</form></body></html>"
    elif kind in ("empty", "null"):
        body = b"" if kind == "empty" else b"null\n"
    elif kind == "gzip":
        headers, body = [("Content-Encoding", "gzip")], gzip.compress(body)
    writer.write(head(status, len(body), headers, form) + body)
    return True


def rpc_error(fault):
    """The error value of an `error` fault; None for every other kind."""
    return (fault.code, fault.message) if fault and fault.kind == "error" else None
