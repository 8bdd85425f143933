# SPDX-License-Identifier: MIT
"""What was asked of the node: calls per method, blocks submitted, proposals, faults served."""
import collections
import time

KEPT = 10_000


class Stats:
    def __init__(self):
        self.reset()

    def reset(self):
        self.calls = collections.Counter()
        self.faults = collections.Counter()
        self.submitted = collections.deque(maxlen=KEPT)
        self.proposals = collections.deque(maxlen=KEPT)
        self.connections = self.open_connections = self.unauthorized = 0
        self.first_template = self.last_template = None

    def call(self, method):
        self.calls[method] += 1
        if method == "getblocktemplate":
            self.last_template = time.time()
            self.first_template = self.first_template or self.last_template

    def block(self, digest, height, size, answered, actual):
        """`answered` is what the caller was told, `actual` what the chain made of it ("not-tried": nothing)."""
        self.submitted.append({"hash": digest, "height": height, "bytes": size, "time": time.time(),
                               "result": answered, "actual": actual})

    def proposal(self, digest, answered):
        self.proposals.append({"hash": digest, "time": time.time(), "result": answered})

    def view(self):
        return {"calls": dict(self.calls), "faults": dict(self.faults), "submitted": list(self.submitted),
                "proposals": list(self.proposals), "connections": self.connections,
                "open_connections": self.open_connections, "unauthorized": self.unauthorized,
                "first_template": self.first_template, "last_template": self.last_template}
