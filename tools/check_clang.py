#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sees that clang takes every source file of the build without a warning.

g++ builds; clang reads the same files with the same flags and makes no code of them. Warnings
are errors with clang 14, Debian 12's; a newer one may find what nobody has looked at yet, so of
those only errors count. Without clang the check is left out, and says so.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from check_headers import built_sources, flags_of

KNOWN = 14
SKIPPED = 77  # meson's word for a test that did not run


def find_clang():
    """The compiler and its major version; None without one."""
    for name in (f'clang++-{KNOWN}', 'clang++'):
        if path := shutil.which(name):
            text = subprocess.run([path, '--version'], capture_output=True, text=True, check=True).stdout
            if found := re.search(r'version (\d+)\.', text):
                return path, int(found[1])
    return None, 0


def without_compiler(words):
    """The words after `ccache g++`."""
    return words[next(i for i, word in enumerate(words) if word.startswith('-')):]


def complaint(clang, version, source, entry):
    """What clang says of one file, empty when nothing that counts."""
    own = ['-fsyntax-only', '-fno-color-diagnostics', '-Wno-unknown-warning-option',
           '-Wno-unused-command-line-argument']
    flags = [word for word in without_compiler(flags_of(entry)) if word != '-Werror']
    if version == KNOWN:
        own.append('-Werror')
    done = subprocess.run([clang, *flags, *own, str(source)], cwd=entry['directory'], capture_output=True, text=True,
                          check=False)
    return done.stderr if done.returncode else ''


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', type=pathlib.Path, required=True)
    options = parser.parse_args()
    clang, version = find_clang()
    if clang is None:
        print('skipped: clang++ is not installed')
        return SKIPPED
    sources = [pair for pair in built_sources(options.build.resolve()) if pair[0].suffix == '.cpp' and pair[0].exists()]
    if not sources:
        sys.exit('check_clang: no source file in compile_commands.json')
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [text for text in pool.map(lambda pair: complaint(clang, version, *pair), sources) if text]
    for text in complaints:
        print(text)
    print(f'check_clang: clang {version}, {len(sources)} files, {len(complaints)} with complaints')
    return 1 if complaints else 0


if __name__ == '__main__':
    sys.exit(main())
