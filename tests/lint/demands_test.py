# SPDX-License-Identifier: MIT
"""tests/demands.txt names each demand once, and each test it names is there and belongs to the build."""
import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NUMBERS = range(1, 58)
# Demands that have no test yet. This set only shrinks.
OPEN = set()

DEMAND = re.compile(r'(\d+)\. \S')
TEST = re.compile(r'   test: ([\w./-]+)(?:: "(.+)")?')
NO_TEST = '   test: none yet'
TEXTS = r'"(?:[^"\\\n]|\\.)*"'
IN_CPP = re.compile(rf'^ *(?:TEST_CASE|SUBCASE)\(\s*({TEXTS}(?:\s*{TEXTS})*)', re.MULTILINE)
IN_PYTHON = re.compile(r'^ +def (test_\w+)\(', re.MULTILINE)
IN_CORPUS = re.compile(r'^case (\S+)', re.MULTILINE)


def tests_in(path, text):
    """The names of a file's tests."""
    if path.suffix == '.cpp':
        return {re.sub(r'"\s*"', '', written)[1:-1] for written in IN_CPP.findall(text)}
    return set((IN_PYTHON if path.suffix == '.py' else IN_CORPUS).findall(text))


def in_the_build(root, path):
    """Whether the build of its folder lists the file: whole, or as the Python suites do, without test_ and .py."""
    build = root / path.parent / 'meson.build'
    listed = build.read_text(encoding='utf-8') if build.exists() else ''
    return any(f"'{name}'" in listed for name in (path.name, path.stem.removeprefix('test_')))


def fault_of_test(root, path, name):
    """What is wrong with a named test, or None."""
    path = pathlib.PurePosixPath(path)
    if path.parts[0] != 'tests' or '..' in path.parts or not (root / path).is_file():
        return f'there is no file {path}'
    transcript = path.parent.name == 'transcripts' and path.suffix == '.txt'
    if name is None:
        return None if transcript else f'{path}: which test of it?'
    if transcript or name not in tests_in(path, (root / path).read_text(encoding='utf-8')):
        return f'{path} has no test "{name}"'
    if path.suffix != '.txt' and not in_the_build(root, path):
        return f'{path} is in no meson.build'
    return None


def read_demands(text):
    """The demands as [number, rules, tests, "none yet"], a test as (path, name), and what could not be read."""
    demands, faults = [], []
    for number, line in enumerate(text.splitlines(), 1):
        begun, test = DEMAND.match(line), TEST.fullmatch(line)
        if begun:
            demands.append([int(begun[1]), 0, [], False])
        elif not line or line.startswith('~ '):
            continue
        elif demands and line.startswith('   rule: '):
            demands[-1][1] += 1
        elif demands and line == NO_TEST:
            demands[-1][3] = True
        elif demands and test:
            demands[-1][2].append(test.groups())
        else:
            faults.append(f'line {number} is no demand, rule or test')
    return demands, faults


def faults_of(root, numbers, still_open):
    """What is wrong with tests/demands.txt in the tree at `root`."""
    demands, faults = read_demands((root / 'tests' / 'demands.txt').read_text(encoding='utf-8'))
    found = [demand[0] for demand in demands]
    faults += [f'{number}: is missing' for number in numbers if number not in found]
    faults += [f'{number}: is there twice' for number in sorted(set(found)) if found.count(number) > 1]
    faults += [f'{number}: is no number of a demand' for number in found if number not in numbers]
    for number, rules, tests, none_yet in demands:
        if rules != 1:
            faults.append(f'{number}: has {rules} rules')
        if none_yet == bool(tests):
            faults.append(f'{number}: has tests and none' if tests else f'{number}: has no test')
        if none_yet and number not in still_open:
            faults.append(f'{number}: had a test once')
        if tests and number in still_open:
            faults.append(f'{number}: has a test now, so it is not OPEN any more')
        if len(set(tests)) < len(tests):
            faults.append(f'{number}: names a test twice')
        faults += [f'{number}: {fault}' for fault in (fault_of_test(root, *test) for test in tests) if fault]
    return faults


class Demands(unittest.TestCase):
    def test_each_demand_names_its_tests(self):
        self.assertEqual(faults_of(ROOT, NUMBERS, OPEN), [])


GOOD = '''~ A heading.

1. The first (here #1).
   rule: So it is.
   test: tests/a/one_test.cpp: "a \\"good\\" name, and a long one in two pieces"
   test: tests/a/one_test.cpp: "inside"

2. The second.
   rule: So it is.
   test: tests/e/test_two.py: "test_it"
   test: tests/transcripts/three.txt

3. The third.
   rule: So it is.
   test: tests/corpus/four.txt: "X-04"

4. The fourth.
   rule: So it will be.
   test: none yet
'''
TREE = {
    'tests/a/meson.build': "files('one_test.cpp')\n",
    'tests/a/one_test.cpp': 'TEST_CASE(\n    "a \\"good\\" name, "\n    "and a long one in two pieces") {\n'
                            '  SUBCASE("inside") {}\n}\n// TEST_CASE("gone") {}\n',
    'tests/a/left_test.cpp': 'TEST_CASE("left out") {}\n',
    'tests/e/meson.build': "foreach unit : ['two']\n",
    'tests/e/test_two.py': 'class Two:\n    def test_it(self):\n        pass\n\n    # def test_gone(self):\n',
    'tests/transcripts/three.txt': '> {}\n',
    'tests/corpus/four.txt': 'case X-04 f\n',
}


class WrongRows(unittest.TestCase):
    """Plants each mistake in a small tree and sees that it is found, and nothing else."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for path, text in TREE.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, encoding='utf-8')

    def faults(self, text, still_open=(4,)):
        (self.root / 'tests' / 'demands.txt').write_text(text, encoding='utf-8')
        return faults_of(self.root, range(1, 5), set(still_open))

    def expect(self, old, new, *faults):
        self.assertEqual(GOOD.count(old), 1, old)
        self.assertEqual(self.faults(GOOD.replace(old, new)), list(faults))

    def test_good_rows(self):
        self.assertEqual(self.faults(GOOD), [])

    def test_numbers(self):
        self.expect('2. The second.', '5. The second.', '2: is missing', '5: is no number of a demand')
        self.expect('2. The second.', '1. The second.', '2: is missing', '1: is there twice')

    def test_rules(self):
        self.expect('   rule: So it will be.\n', '', '4: has 0 rules')
        self.expect('   rule: So it will be.\n', '   rule: So it will be.\n   rule: Or so.\n', '4: has 2 rules')

    def test_lines_that_are_nothing(self):
        self.expect('test: tests/transcripts/three.txt', 'tests: tests/transcripts/three.txt', 'line 11 is no demand, rule or test')
        self.expect('"X-04"', 'X-04', 'line 15 is no demand, rule or test', '3: has no test')

    def test_files(self):
        self.expect('e/test_two.py', 'e/test_too.py', '2: there is no file tests/e/test_too.py')
        self.expect('tests/transcripts/three.txt', 'tests/transcripts/four.txt', '2: there is no file tests/transcripts/four.txt')
        self.expect('tests/e/test_two.py', '../tests/e/test_two.py', '2: there is no file ../tests/e/test_two.py')

    def test_names(self):
        self.expect('in two pieces', 'in 2 pieces',
                    '1: tests/a/one_test.cpp has no test "a \\"good\\" name, and a long one in 2 pieces"')
        self.expect('"inside"', '"gone"', '1: tests/a/one_test.cpp has no test "gone"')
        self.expect('"test_it"', '"test_gone"', '2: tests/e/test_two.py has no test "test_gone"')
        self.expect('"test_it"', '"test_i"', '2: tests/e/test_two.py has no test "test_i"')
        self.expect('"X-04"', '"X-0"', '3: tests/corpus/four.txt has no test "X-0"')
        self.expect(': "test_it"', '', '2: tests/e/test_two.py: which test of it?')
        self.expect('three.txt', 'three.txt: "one"', '2: tests/transcripts/three.txt has no test "one"')
        self.expect('"inside"', '"a \\"good\\" name, and a long one in two pieces"', '1: names a test twice')

    def test_what_is_not_built(self):
        self.expect('one_test.cpp: "inside"', 'left_test.cpp: "left out"', '1: tests/a/left_test.cpp is in no meson.build')
        (self.root / 'tests/e/meson.build').unlink()
        self.assertEqual(self.faults(GOOD), ['2: tests/e/test_two.py is in no meson.build'])

    def test_demands_without_a_test(self):
        self.expect('   test: none yet\n', '', '4: has no test')
        self.expect('"X-04"', '"X-04"\n   test: none yet', '3: has tests and none', '3: had a test once')
        self.assertEqual(self.faults(GOOD, ()), ['4: had a test once'])
        self.assertEqual(self.faults(GOOD, (3, 4)), ['3: has a test now, so it is not OPEN any more'])


if __name__ == '__main__':
    unittest.main()
