# SPDX-License-Identifier: MIT
"""JSON-RPC: from a body to method calls and back, in the 1.0 shape and in bitcoind 28's 2.0 shape."""
import inspect
import json


class RpcError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


METHODS = {}


def rpc(function):
    """Registers `function(node, ...)` under its own name; parameters with defaults are optional."""
    METHODS[function.__name__] = function
    return function


def bind(function, method, params):
    """Positional or named parameters to arguments, with bitcoind's complaints."""
    names = list(inspect.signature(function).parameters.values())[1:]
    if method.startswith("sim_") and isinstance(params, list) and len(params) == 1 and isinstance(params[0], dict):
        params = params[0]
    if isinstance(params, dict):
        known = {p.name for p in names}
        for key in params:
            if key not in known:
                raise RpcError(-8, "Unknown named parameter " + key)
        given = dict(params)
    else:
        if len(params) > len(names):
            raise RpcError(-1, method + " takes at most %d parameters" % len(names))
        given = {p.name: value for p, value in zip(names, params)}
    for p in names:
        if p.default is p.empty and given.get(p.name) is None:
            raise RpcError(-1, "%s: parameter %s is missing" % (method, p.name))
        if given.get(p.name) is None:
            given.pop(p.name, None)
    return given


def expect(value, kind):
    """Refuses a JSON value of the wrong type with bitcoind's words."""
    names = {str: "string", int: "number", float: "number", list: "array", dict: "object", bool: "bool",
             type(None): "null"}
    if not isinstance(value, kind) or isinstance(value, bool) and kind is not bool:
        raise RpcError(-3, "JSON value of type %s is not of expected type %s"
                       % (names.get(type(value), "null"), names[kind]))
    return value


class Calls:
    """The calls of one body: one, or a batch, or an error that stands for the whole."""

    def __init__(self, calls, batch=False, error=None):
        self.calls, self.batch, self.error = calls, batch, error

    def methods(self):
        return [c["method"] for c in self.calls if isinstance(c, dict) and isinstance(c.get("method"), str)]


class Rpc:
    def __init__(self, node, version="1.0"):
        self.node, self.default = node, version

    @staticmethod
    def encode(reply):
        return b"" if reply is None else json.dumps(reply, separators=(",", ":")).encode() + b"\n"

    def parse(self, body):
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return Calls([], error=RpcError(-32700, "Parse error"))
        if isinstance(value, list):
            return Calls(value, batch=True)
        if not isinstance(value, dict):
            return Calls([], error=RpcError(-32700, "Top-level object parse error"))
        return Calls([value])

    async def run(self, calls, forced=None):
        """(HTTP status, reply); `forced` is an error (code, message) that replaces every call."""
        if calls.error:
            return 500, self._shape(False, None, None, calls.error)
        if calls.batch:
            replies = [(await self._one(c, forced))[1] for c in calls.calls]
            replies = [r for r in replies if r is not None]
            return (200, replies) if replies or not calls.calls else (204, None)
        return await self._one(calls.calls[0], forced)

    async def _one(self, call, forced):
        request = call if isinstance(call, dict) else {}
        modern = request.get("jsonrpc", self.default) == "2.0"
        answer_id = request.get("id")
        try:
            if forced:
                raise RpcError(*forced)
            result, error = await self._call(call), None
        except RpcError as failure:
            result, error = None, failure
        if modern and "id" not in request:
            return 204, None
        status = 200
        if error and not modern:
            status = {-32600: 400, -32601: 404}.get(error.code, 500)
        return status, self._shape(modern, answer_id, result, error)

    async def _call(self, call):
        if not isinstance(call, dict):
            raise RpcError(-32600, "Invalid Request object")
        method, params = call.get("method"), call.get("params")
        if method is None:
            raise RpcError(-32600, "Missing method")
        if not isinstance(method, str):
            raise RpcError(-32600, "Method must be a string")
        params = [] if params is None else params
        if not isinstance(params, (list, dict)):
            raise RpcError(-32600, "Params must be an array or object")
        if self.node.warmup and not method.startswith("sim_"):
            raise RpcError(-28, self.node.warmup)
        function = METHODS.get(method)
        if function is None:
            raise RpcError(-32601, "Method not found")
        result = function(self.node, **bind(function, method, params))
        return await result if inspect.isawaitable(result) else result

    @staticmethod
    def _shape(modern, answer_id, result, error):
        error = {"code": error.code, "message": error.message} if error else None
        if not modern:
            return {"result": result, "error": error, "id": answer_id}
        body = {"error": error} if error else {"result": result}
        return {"jsonrpc": "2.0", **body, "id": answer_id}
