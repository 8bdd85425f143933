#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks who includes whom: rooms, private headers and vendor libraries.

The tables below are the architecture: a room sees the rooms under it, and a vendor library
shows itself to one room. tests/<room>/ sees what its room sees, and any vendor library (as an
oracle); the other tests and tools/ see all.
"""
import argparse
import pathlib
import re
import sys

# room -> the rooms directly under it; what those see, it sees too.
ROOMS = {
    'base': (),
    'crypto': ('base',),
    'bitcoin': ('crypto',),
    'mining': ('bitcoin',),
    'stratum': ('mining',),
    'node': ('mining',),
    'ledger': ('bitcoin',),
    'payout': ('ledger',),
    'runtime': ('base',),
    'uv': ('runtime',),
    'rocks': ('ledger',),
    'api': ('ledger', 'payout'),
    'app': ('stratum', 'node', 'api', 'uv', 'rocks'),
}

# The composition root builds the adapters, so it may see their private headers.
PRIVATE_OPEN_TO = {'app': ('uv', 'rocks')}

# First match wins: how the included path starts -> the rooms that may include it.
VENDORS = (
    ('fmt/', tuple(ROOMS)),
    ('spdlog/', ('base',)),
    ('sodium', ('crypto',)),
    ('secp256k1', ('crypto',)),
    ('openssl/bn.h', ('crypto',)),
    ('openssl/', ('uv',)),
    ('uv.h', ('uv',)),
    ('curl/', ('uv',)),
    ('zmq', ('uv',)),
    ('microhttpd', ('uv',)),
    ('rocksdb/', ('rocks',)),
    ('simdjson', ('stratum', 'node')),
    ('toml++/', ('app',)),
    ('toml.hpp', ('app',)),
    ('CLI/', ('app',)),
    ('jemalloc/', ('app',)),
    ('doctest', ()),
)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = ('.cpp', '.h')


def visible_from(room):
    """The room itself and every room under it."""
    seen, queue = set(), [room]
    while queue:
        current = queue.pop()
        if current not in seen:
            seen.add(current)
            queue.extend(ROOMS[current])
    return seen


class Place:
    """Where a file stands: its room (None: sees everything), and whether it is a test."""

    def __init__(self, path):
        parts = path.parts
        if parts[:2] == ('include', 'adit'):
            self.room, self.test, self.public = parts[2], False, True
        elif parts[0] == 'src':
            self.room, self.test, self.public = parts[1], False, False
        else:
            room = parts[1] if parts[0] == 'tests' else None
            self.room, self.test, self.public = (room if room in ROOMS else None), True, False
        # A file directly in src/, such as main.cpp, belongs to the composition root.
        if parts[0] == 'src' and len(parts) == 2:
            self.room = 'app'


def vendor_of(target):
    """The rooms that may include this vendor header, or None when it is no vendor's."""
    return next((rooms for prefix, rooms in VENDORS if target.startswith(prefix)), None)


def judge_vendor(place, target):
    rooms = vendor_of(target)
    if place.test or place.room in rooms:
        return None
    owner = ' and '.join(f"'{room}'" for room in rooms) if rooms else 'tests'
    return f"<{target}> belongs to {owner}; go through a header of that room"


def judge_room(place, target):
    """A quoted include of one of our own headers."""
    parts = target.split('/')
    public = parts[0] == 'adit'
    room = parts[1] if public and len(parts) > 2 else parts[0]
    if len(parts) < 2 or '..' in parts or (public and len(parts) < 3):
        return f'"{target}" does not name its room; write "room/file.h" or "adit/room/file.h"'
    if room not in ROOMS:
        return None if place.test else f'"{target}" is of no known room; add the room to ROOMS'
    if place.room is None:
        return None
    if public:
        if room in visible_from(place.room):
            return None
        return (f"'{place.room}' may not see '{room}'; move the code up, "
                'or pass a value through a room both see')
    if place.public:
        return f'"{target}" is private; a public header includes public headers only'
    if room == place.room or room in PRIVATE_OPEN_TO.get(place.room, ()):
        return None
    return f'"{target}" is private to \'{room}\'; use its public headers in include/adit/{room}'


def check_file(root, path):
    """Yields one message a wrong include."""
    place = Place(path)
    if not place.test and place.room not in ROOMS:
        yield f"{path}:1: room '{place.room}' is unknown; add it to ROOMS in tools/check_layers.py."
        return
    text = (root / path).read_text(encoding='utf-8')
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        bracket, target = match.groups()
        if vendor_of(target) is not None:
            problem = judge_vendor(place, target)
        elif place.test and (root / path).parent.joinpath(target).exists():
            problem = None
        elif bracket == '"':
            problem = judge_room(place, target)
        elif target.split('/')[0] in (*ROOMS, 'adit') and '/' in target:
            problem = f'<{target}> is our own header; include it in quotes'
        else:
            problem = None
        if problem:
            yield f'{path}:{number}: {problem}.'


def check(root):
    """Returns (number of files, messages) for the tree at root."""
    count, messages = 0, []
    for base in ('include', 'src', 'tests', 'tools'):
        for file in sorted((root / base).rglob('*')):
            if file.suffix in SOURCES and 'node_modules' not in file.parts:
                count += 1
                messages.extend(check_file(root, file.relative_to(root)))
    return count, messages


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).parents[1])
    count, messages = check(parser.parse_args().root.resolve())
    for message in messages:
        print(message)
    print(f'check_layers: {count} files, {len(messages)} wrong includes')
    return 1 if messages else 0


if __name__ == '__main__':
    sys.exit(main())
