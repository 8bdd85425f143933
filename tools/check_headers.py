#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sees that every header of include/ and src/ compiles alone: that each one includes what it uses.

A header that is the first include of a source file was compiled alone when that file was built,
so this runs after the build; the other headers are compiled here. The compiler and its flags
come from the build folder's compile_commands.json: those of a source file in the header's own
room, or, for a room without one, those of the file with the most flags. Through ccache a second
run costs next to nothing.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

DROPPED_WITH_VALUE = ('-o', '-MF', '-MQ', '-MT')
FORCED_INCLUDES = ('-include', '-imacros')  # what comes before a file's own text
# A file's text up to its first include: blank lines and comments, and nothing that a header could lean on.
FIRST_INCLUDE = re.compile(r'(?:\s|//[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*#\s*include\s*"([^"]+)"')
DROPPED = ('-c', '-MD', '-MMD', '-MP', '-g', '-U_FORTIFY_SOURCE')


def flags_of(entry):
    """The command of one compile_commands entry without its inputs, outputs and optimisation."""
    words, kept, skip = shlex.split(entry['command']), [], False
    for word in words:
        if skip or word in DROPPED_WITH_VALUE:
            skip = not skip
            continue
        if word in DROPPED or word == entry['file'] or word.startswith(('-O', '-D_FORTIFY_SOURCE')):
            continue
        kept.append(word)
    return kept


def room_of(path):
    """'src/uv/x.h' and 'include/adit/uv/x.h' both belong to 'uv'."""
    parts = path.parts
    return parts[2] if parts[:2] == ('include', 'adit') else parts[1]


def built_sources(build):
    """Pairs of a source file and its entry in compile_commands.json."""
    entries = json.loads((build / 'compile_commands.json').read_text(encoding='utf-8'))
    return [(pathlib.Path(os.path.normpath(os.path.join(e['directory'], e['file']))), e) for e in entries]


def proven_by_the_build(root, sources):
    """The headers that are the first include of a source file; nothing stands before them there."""
    proven = set()
    for source, entry in sources:
        if any(word.startswith(FORCED_INCLUDES) for word in shlex.split(entry['command'])):
            continue
        found = FIRST_INCLUDE.match(source.read_text(encoding='utf-8')) if source.exists() else None
        if found:
            places = [folder / found[1] for folder in (source.parent, root / 'include', root / 'src')]
            proven.add(next((place for place in places if place.exists()), None))
    return proven


def commands_by_room(root, sources):
    """One command line a room, and under None the longest one."""
    chosen = {None: []}
    for source, entry in sources:
        if not source.is_relative_to(root / 'src') or source.suffix != '.cpp':
            continue
        flags = flags_of(entry)
        chosen.setdefault(source.relative_to(root).parts[1], flags)
        chosen[None] = max(chosen[None], flags, key=len)
    return chosen


def compile_alone(header, include_as, command, build):
    """Returns the compiler's output, empty when the header stands alone."""
    folder = build / 'header-check'
    folder.mkdir(exist_ok=True)
    unit = folder / (str(include_as).replace('/', '__') + '.cpp')
    text = f'#include "{include_as}"\n'
    if not unit.exists() or unit.read_text(encoding='utf-8') != text:
        unit.write_text(text, encoding='utf-8')
    own = ['-O0', '-fdiagnostics-color=never', '-c', str(unit), '-o', str(unit) + '.o']
    done = subprocess.run(command + own, cwd=build, capture_output=True, text=True, check=False)
    if done.returncode == 0 and not done.stderr:
        return ''
    return f'{header}:1: does not compile alone; include what it uses.\n{done.stderr}'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).parents[1])
    parser.add_argument('--build', type=pathlib.Path, required=True)
    options = parser.parse_args()
    root, build = options.root.resolve(), options.build.resolve()

    sources = built_sources(build)
    commands = commands_by_room(root, sources)
    if not commands[None]:
        sys.exit('check_headers: no source file of src/ in compile_commands.json')
    proven = proven_by_the_build(root, sources)
    jobs, total = [], 0
    for base in ('include', 'src'):
        for header in sorted((root / base).rglob('*.h')):
            total += 1
            if header in proven:
                continue
            path = header.relative_to(root)
            command = commands.get(room_of(path), commands[None])
            jobs.append((path, path.relative_to(base), command, build))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        messages = [m for m in pool.map(lambda job: compile_alone(*job), jobs) if m]
    for message in messages:
        print(message)
    print(f'check_headers: {total} headers, {total - len(jobs)} of them come first in a source that was built, '
          f'{len(messages)} do not stand alone')
    return 1 if messages else 0


if __name__ == '__main__':
    sys.exit(main())
