# SPDX-License-Identifier: MIT
"""One header in the block tree, and what is known of its block."""
from . import params


class Entry:
    """`stored`: the block passed its own checks. `valid`: it has been connected. `linked`: so have a whole
    line of stored ancestors. `failed`: it, or an ancestor, broke a rule or was invalidated by the operator."""

    def __init__(self, header, prev):
        self.header, self.prev, self.hash = header, prev, header.hash
        self.height = prev.height + 1 if prev else 0
        self.work = (prev.work if prev else 0) + params.work_of(header.bits)
        self.block = self.undo = None
        self.valid = self.linked = self.failed = False
        self.sequence = 0
        self.children = []
        if prev:
            prev.children.append(self)

    @property
    def rank(self):
        """The best tip has the greatest: most work, then first seen."""
        return (self.work, -self.sequence)

    def median_time(self):
        times, entry = [], self
        while entry and len(times) < 11:
            times.append(entry.header.time)
            entry = entry.prev
        return sorted(times)[len(times) // 2]

    def descends_from(self, other):
        entry = self
        while entry and entry.height > other.height:
            entry = entry.prev
        return entry is other

    def subtree(self):
        pending = [self]
        while pending:
            entry = pending.pop()
            yield entry
            pending += entry.children


def fork_of(a, b):
    """The last common ancestor."""
    while a is not b:
        if a.height >= b.height:
            a = a.prev
        else:
            b = b.prev
    return a
