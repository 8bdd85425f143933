# SPDX-License-Identifier: MIT
"""Orders for faults.cpp: clocks that jump and disks that fail, for a pool started with this environment. And power_loss(): what
a disk may hold when the power goes at a chosen moment of the log."""

import mmap
import os
import struct
import unittest

from support import ADIT

LIBRARY = os.environ.get('ADIT_TEST_FAULTS', os.path.join(os.path.dirname(ADIT), 'tests', 'e2e', 'libfaults.so'))
ORDERS = ('steady_offset', 'wall_offset', 'wall_frozen', 'sync_delay', 'fail_at', 'fail_errno', 'calls', 'log_size',
          'die_at_block_call', 'die_delay')
RECORD = struct.Struct('<qqqIIc7x')
SECTOR = 512
SECOND = 1_000_000_000

needs_faults = unittest.skipUnless(os.path.exists(LIBRARY), f'{LIBRARY} is not built (never under a sanitizer)')


class Faults:
    """One control block. Its attributes are those of ORDERS; setting one takes effect at once."""

    def __init__(self, folder, disk='', log=False):
        path = os.path.join(folder, 'faults')
        with open(path, 'wb') as file:
            file.write(bytes(8 * len(ORDERS)))
        self.log_path = os.path.join(folder, 'faults.log') if log else ''
        with open(path, 'r+b') as file:
            object.__setattr__(self, 'memory', mmap.mmap(file.fileno(), 0))
        self.environment = {**os.environ, 'LD_PRELOAD': LIBRARY, 'ADIT_FAULTS': path, 'ADIT_FAULTS_FOLDER': disk,
                            **({'ADIT_FAULTS_LOG': self.log_path} if log else {})}

    def __getattr__(self, name):
        if name not in ORDERS:
            raise AttributeError(name)
        return struct.unpack_from('<q', self.memory, 8 * ORDERS.index(name))[0]

    def __setattr__(self, name, value):
        if name in ORDERS:
            struct.pack_into('<q', self.memory, 8 * ORDERS.index(name), int(value))
        else:
            object.__setattr__(self, name, value)

    def fail_next(self, number=1, errno=5):
        self.fail_errno = errno
        self.fail_at = self.calls + number


class Records:
    """The log of a disk, in order."""

    def __init__(self, path):
        self.all, self.ends = [], []
        with open(path, 'rb') as file:
            data = file.read()
        at = 0
        while at + RECORD.size <= len(data):
            sequence, offset, begun, path_size, size, kind = RECORD.unpack_from(data, at)
            at += RECORD.size
            name = data[at:at + path_size].decode().rstrip('/')
            at += path_size
            self.all.append((sequence, kind.decode(), name, offset, data[at:at + size], begun))
            at += size
            self.ends.append(at)


class Inode:
    def __init__(self):
        self.changes = []  # (sequence, offset, data), or data None for a truncation to offset
        self.synced = 0    # changes up to this sequence are safe

    def content(self, chance):
        """What is safe, and any of the sectors that are not."""
        out = bytearray()
        for sequence, offset, data in self.changes:
            safe = sequence <= self.synced
            if data is None:
                if safe or chance.random() < 0.5:
                    del out[offset:]
                    out.extend(bytes(max(0, offset - len(out))))
                continue
            at = 0
            while at < len(data):
                end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
                if safe or chance.random() < 0.5:
                    out.extend(bytes(max(0, offset + at - len(out))))
                    out[offset + at:offset + end] = data[at:end]
                at = end
        return bytes(out)


def power_loss(records, count, target, chance):
    """Writes to `target` what may be left of the folder after the first `count` records: all that was synced; of the rest
    any sector of a file, and of each folder's changes of names a beginning."""
    names, safe = {}, {}    # path: Inode, or None for a folder; as the program saw it, and as the disk has it
    waiting = {}            # folder: [(sequence, path, Inode)] not synced; Inode 'gone' for a name that was removed

    def change(sequence, path, what):
        if what == 'gone':
            names.pop(path, None)
        else:
            names[path] = what
        waiting.setdefault(os.path.dirname(path), []).append((sequence, path, what))

    def settle(folder, until):
        rest = []
        for sequence, path, what in waiting.get(folder, []):
            if sequence > until:
                rest.append((sequence, path, what))
            elif what == 'gone':
                safe.pop(path, None)
            else:
                safe[path] = what
        waiting[folder] = rest

    for sequence, kind, path, offset, data, begun in records.all[:count]:
        if kind == 'c':
            change(sequence, path, Inode())
        elif kind == 'd':
            names[path] = safe[path] = None  # folders are made at the start only
        elif kind == 'u':
            change(sequence, path, 'gone')
        elif kind == 'r':
            inode = names.get(path)
            change(sequence, path, 'gone')
            if inode is not None:
                change(sequence, data.decode(), inode)
        elif kind in 'wt' and names.get(path) is not None:
            names[path].changes.append((sequence, offset, data if kind == 'w' else None))
        elif kind == 's':
            inode = names.get(path)
            if inode is not None:
                inode.synced = max(inode.synced, begun)
            else:
                settle('' if path == '.' else path, begun)
    for folder, changes in list(waiting.items()):
        if changes:
            settle(folder, changes[chance.randrange(len(changes))][0] - chance.randrange(2))
    write_image(target, safe, chance)


def write_image(target, files, chance):
    os.makedirs(target)
    for path in sorted(path for path, inode in files.items() if inode is None):
        os.makedirs(os.path.join(target, path), exist_ok=True)
    for path, inode in files.items():
        if inode is not None:
            os.makedirs(os.path.dirname(os.path.join(target, path)), exist_ok=True)
            with open(os.path.join(target, path), 'wb') as file:
                file.write(inode.content(chance))
