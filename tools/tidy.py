#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The project's rules that a machine can check; each message says where, what and what to do.

CONTRIBUTING.md lists the rules. Includes are checked by check_layers.py, layout by check_format.
"""
import argparse
import ast
import pathlib
import re
import sys

from cpp_text import code_of, functions, types

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100

CPP = ('.cpp', '.h')
SCRIPTS = ('.py', '.sh', '.build', '.ts', '.tsx', '.js', '.mjs', '.go', '.rs')
SKIPPED_FOLDERS = ('.git', 'subprojects', 'node_modules', 'dist', 'target')
LICENCE = 'SPDX-License-Identifier: MIT'

CLOCK_OR_RANDOM = re.compile(
    r'\b(?:steady|system|high_resolution|utc|tai|gps|file)_clock\s*::\s*now\b'
    r'|(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0|&\s*\w+)\s*\)|\bstd\s*::\s*time\s*\('
    r'|\b(?:gettimeofday|clock_gettime|timespec_get|uv_hrtime|uv_now)\s*\('
    r'|\brandom_device\b|(?<![\w.>])(?:s?rand\s*\(|random\s*\(\s*\))'
    r'|\b(?:getrandom|getentropy|uv_random|RAND_bytes|randombytes_\w+)\s*\('
    r'|\barc4random\w*\s*\(|\bcrypto_\w+_(?:keygen|(?<!seed_)keypair)\s*\(')
BANNED_CALL = re.compile(
    r'(?<![\w.>])(?:strto(?:ul|ull|l|ll)|ato[ilf]|atoll|sscanf|strcpy|strcat|strtok'
    r'|v?sprintf|gets|alloca)\s*\(')
FLOATING = re.compile(r'\b(?:double|float)\b')
UNFINISHED = re.compile(r'\b(?:TO' r'DO|FIX' r'ME|X' r'XX)\b')
USING_NAMESPACE = re.compile(r'\busing\s+namespace\b')
SLOW_HEADER = re.compile(r'^\s*#\s*include\s*<(iostream|regex)>')
QUOTED_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


class File:
    """One file of the tree: its path inside it, its text and its lines."""

    def __init__(self, root, path):
        self.path = path
        self.text = (root / path).read_text(encoding='utf-8')
        self.lines = self.text.splitlines()
        self.cpp = path.suffix in CPP
        self.test_or_tool = path.parts[0] in ('tests', 'tools')
        parts = path.parts
        public = parts[:2] == ('include', 'adit') and len(parts) > 3
        private = parts[0] == 'src' and len(parts) > 2
        self.room = parts[2] if public else parts[1] if private else None


def tree(root):
    """Every file that the rules are about, in order."""
    for path in sorted(root.rglob('*')):
        relative = path.relative_to(root)
        folders = relative.parts[:-1]
        if any(f in SKIPPED_FOLDERS for f in folders) or relative.parts[0].startswith('build'):
            continue
        if not path.is_file() or path.is_symlink():
            continue
        script = relative.parts[0] in ('tools', '.ci') and path.suffix == ''
        if path.suffix in CPP + SCRIPTS or script:
            yield File(root, relative)


def check_size(file):
    if len(file.lines) > MAX_FILE_LINES:
        yield 1, f'the file has {len(file.lines)} lines (at most {MAX_FILE_LINES}); split it'
    found = ()
    if file.cpp:
        found = functions(file.text)
    elif file.path.suffix == '.py':
        found = ((node.name, node.lineno, node.end_lineno - node.lineno + 1)
                 for node in ast.walk(ast.parse(file.text))
                 if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    for name, line, length in found:
        if length > MAX_FUNCTION_LINES:
            yield line, (f"function '{name}' has {length} lines (at most {MAX_FUNCTION_LINES}); "
                         'split it')


def check_text(file):
    """What holds for every language: the licence line, nothing left unfinished."""
    if not file.lines:
        return
    head = file.lines[:1] if file.cpp else file.lines[:3]
    if not any(LICENCE in line for line in head):
        yield 1, f"no '{LICENCE}' comment; put one at the top"
    for number, line in enumerate(file.lines, 1):
        if match := UNFINISHED.search(line):
            yield number, f"'{match.group(0)}' marks unfinished work; finish it or remove it"


def check_cpp_lines(file):
    for number, line in enumerate(file.lines, 1):
        if len(line) > MAX_COLUMNS and '://' not in line:
            yield number, f'{len(line)} columns (at most {MAX_COLUMNS}); run tools/check_format --fix'
        if match := SLOW_HEADER.match(line):
            yield number, f'<{match.group(1)}> is slow to compile or run; use fmt or plain code'


def check_cpp_code(file):
    money = file.room in ('ledger', 'payout')
    pure = file.room != 'uv' and not file.test_or_tool
    for number, line in enumerate(code_of(file.text).split('\n'), 1):
        if pure and (match := CLOCK_OR_RANDOM.search(line)):
            yield number, (f"'{match.group(0)}' reads a clock or random bytes outside src/uv; "
                           'take the value as an argument')
        if money and (match := FLOATING.search(line)):
            yield number, f"'{match.group(0)}' where money is counted; use integers"
        if match := BANNED_CALL.search(line):
            yield number, f"'{match.group(0)}' is banned; use from_chars, span, string or fmt"
        if file.path.suffix == '.h' and USING_NAMESPACE.search(line):
            yield number, "'using namespace' in a header reaches every includer; qualify the names"


def unused_headers(files):
    """Headers that no file includes."""
    included = set()
    for file in files:
        if file.cpp:
            for target in QUOTED_INCLUDE.findall(file.text):
                included.add(target)
                # Tests may include a neighbour without naming its folder.
                included.add(str(file.path.parent / target))
    for file in files:
        if file.path.suffix != '.h':
            continue
        spellings = {str(file.path), '/'.join(file.path.parts[1:])}
        if not spellings & included:
            yield file.path, 1, 'no file includes this header; remove it'


def types_defined_twice(files):
    """One name, two types: the linker takes one of each inline function for both."""
    first = {}
    for file in files:
        if file.room is None or not file.cpp:
            continue
        for name, line in types(file.text):
            other = first.setdefault(name, file.path)
            if other != file.path:
                yield file.path, line, f"'{name}' is another type in {other}; rename one of them"


def check(root):
    """Returns (number of files, messages) for the tree at root."""
    files = list(tree(root))
    messages = []
    for file in files:
        checks = [check_size, check_text]
        if file.cpp:
            checks += [check_cpp_lines, check_cpp_code]
        for one in checks:
            messages += [f'{file.path}:{line}: {what}.' for line, what in one(file)]
    for whole in (unused_headers, types_defined_twice):
        messages += [f'{path}:{line}: {what}.' for path, line, what in whole(files)]
    return len(files), messages


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).parents[1])
    count, messages = check(parser.parse_args().root.resolve())
    for message in messages:
        print(message)
    print(f'tidy: {count} files, {len(messages)} findings')
    return 1 if messages else 0


if __name__ == '__main__':
    sys.exit(main())
