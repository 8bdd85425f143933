# SPDX-License-Identifier: MIT
"""Plants each violation in a small tree and sees that the lint reports it, and nothing else."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools'))

import check_layers  # noqa: E402
import cpp_text  # noqa: E402
import tidy  # noqa: E402

SPDX = '// SPDX-License-Identifier: MIT\n'


class TreeTest(unittest.TestCase):
    """A temporary tree of files, judged by one lint."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)

    def put(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding='utf-8')

    def expect(self, lint, *parts):
        """Exactly one message, holding all the parts."""
        messages = lint.check(self.root)[1]
        self.assertEqual(len(messages), 1, messages)
        for part in parts:
            self.assertIn(part, messages[0])

    def expect_clean(self, lint):
        self.assertEqual(lint.check(self.root)[1], [])


class Layers(TreeTest):
    def reported(self, path, include, *parts):
        self.put(path, f'{SPDX}\n#include {include}\n')
        self.expect(check_layers, f'{path}:3: ', *parts)

    def allowed(self, path, include):
        self.put(path, f'{SPDX}#include {include}\n')
        self.expect_clean(check_layers)

    def test_a_room_above_is_reported(self):
        self.reported('src/mining/a.cpp', '"adit/stratum/session.h"', "'mining' may not see")

    def test_a_sibling_room_is_reported(self):
        self.reported('src/node/a.cpp', '"adit/ledger/ledger.h"', "'node' may not see 'ledger'")

    def test_public_headers_are_checked_too(self):
        self.reported('include/adit/base/a.h', '"adit/runtime/ports.h"', "'base' may not see")

    def test_a_room_far_below_is_allowed(self):
        self.allowed('src/stratum/v2/a.cpp', '"adit/base/bytes.h"')

    def test_a_foreign_private_header_is_reported(self):
        self.reported('src/mining/a.cpp', '"bitcoin/tables.h"', "private to 'bitcoin'")

    def test_a_private_header_in_a_public_one_is_reported(self):
        self.reported('include/adit/mining/a.h', '"mining/tables.h"', 'is private')

    def test_app_sees_private_headers_of_adapters_only(self):
        self.allowed('src/app/a.cpp', '"uv/reactor.h"')
        self.reported('src/app/a.cpp', '"mining/tables.h"', "private to 'mining'")

    def test_an_include_without_its_room_is_reported(self):
        self.reported('src/mining/a.cpp', '"tables.h"', 'does not name its room')

    def test_a_way_up_is_reported(self):
        self.reported('src/mining/a.cpp', '"../base/hex.h"', 'does not name its room')

    def test_an_unknown_room_is_reported(self):
        self.put('src/attic/a.cpp', SPDX)
        self.expect(check_layers, 'src/attic/a.cpp:1: ', "room 'attic' is unknown")

    def test_each_vendor_has_its_room(self):
        strangers = {'spdlog/spdlog.h': 'uv', 'sodium.h': 'stratum', 'secp256k1.h': 'bitcoin',
                     'openssl/bn.h': 'uv', 'openssl/ssl.h': 'crypto', 'uv.h': 'app',
                     'curl/curl.h': 'node', 'zmq.h': 'node', 'rocksdb/db.h': 'ledger',
                     'simdjson.h': 'base', 'toml++/toml.h': 'node', 'CLI/CLI.hpp': 'uv',
                     'doctest/doctest.h': 'base'}
        for header, room in strangers.items():
            with self.subTest(header=header):
                self.reported(f'src/{room}/a.cpp', f'<{header}>', 'belongs to')
                (self.root / f'src/{room}/a.cpp').unlink()

    def test_quotes_do_not_hide_a_vendor(self):
        self.reported('src/node/a.cpp', '"uv.h"', "belongs to 'uv'")

    def test_owners_may_include_their_vendor(self):
        self.allowed('src/crypto/a.cpp', '<openssl/bn.h>')
        self.allowed('src/uv/a.cpp', '<openssl/ssl.h>')
        self.allowed('src/rocks/a.cpp', '<rocksdb/db.h>')

    def test_tests_see_what_their_room_sees(self):
        self.allowed('tests/mining/a_test.cpp', '<doctest/doctest.h>')
        self.allowed('tests/mining/b_test.cpp', '"mining/tables.h"')
        self.allowed('tests/mining/d_test.cpp', '<openssl/sha.h>')
        self.put('tests/mining/helper.h', SPDX)
        self.allowed('tests/mining/e_test.cpp', '"helper.h"')
        self.allowed('tests/support/a.cpp', '"adit/ledger/ledger.h"')
        self.reported('tests/mining/c_test.cpp', '"adit/ledger/ledger.h"', "may not see 'ledger'")

    def test_our_own_header_in_angles_is_reported(self):
        self.reported('src/mining/a.cpp', '<adit/base/hex.h>', 'in quotes')


class Tidy(TreeTest):
    def reported(self, line, *parts, path='src/mining/a.cpp'):
        self.put(path, f'{SPDX}{line}\n')
        self.expect(tidy, f'{path}:2: ', *parts)

    def allowed(self, line, path='src/mining/a.cpp'):
        self.put(path, f'{SPDX}{line}\n')
        self.expect_clean(tidy)

    def test_a_long_file(self):
        self.put('src/mining/a.cpp', SPDX + 'int a;\n' * 499)
        self.expect_clean(tidy)
        self.put('src/mining/a.cpp', SPDX + 'int a;\n' * 500)
        self.expect(tidy, 'the file has 501 lines')

    def test_a_long_function(self):
        self.put('tests/mining/a.cpp', SPDX + 'void f() {\n' + '  g();\n' * 68 + '}\n')
        self.expect_clean(tidy)
        self.put('tests/mining/a.cpp', SPDX + 'void f() {\n' + '  g();\n' * 69 + '}\n')
        self.expect(tidy, ":2: function 'f' has 71 lines")

    def test_a_long_python_function(self):
        self.put('tools/a.py', '# ' + SPDX + 'def f():\n' + '    g()\n' * 70)
        self.expect(tidy, ":2: function 'f' has 71 lines")

    def test_a_long_line(self):
        self.reported('// ' + 'x' * 98, '101 columns')
        self.allowed('// https://' + 'x' * 98)

    def test_clocks_and_random_bytes(self):
        for call in ('auto t = std::chrono::steady_clock::now();', 'auto t = time(nullptr);',
                     'auto t = std::time(&x);', 'gettimeofday(&tv, nullptr);',
                     'clock_gettime(CLOCK_REALTIME, &ts);', 'std::random_device device;',
                     'int x = rand();', 'getrandom(p, 8, 0);', 'randombytes_buf(p, 8);',
                     'crypto_box_keypair(p, s);'):
            with self.subTest(call=call):
                self.reported(call, 'reads a clock or random bytes')
        (self.root / 'src/mining/a.cpp').unlink()
        self.allowed('auto t = std::chrono::steady_clock::now();', 'src/uv/a.cpp')
        self.allowed('auto t = std::chrono::steady_clock::now();', 'tests/mining/a.cpp')

    def test_time_as_a_name_is_allowed(self):
        self.allowed('auto t = header.time(); // time(nullptr) is uv\'s')
        self.allowed('using TimePoint = std::chrono::steady_clock::time_point;')

    def test_floating_money(self):
        for path in ('src/ledger/a.cpp', 'src/payout/a.cpp'):
            self.reported('double fee = 0;', "'double'", path=path)
            (self.root / path).unlink()
        self.allowed('// a double entry\nauto s = "double";', 'src/ledger/a.cpp')

    def test_banned_calls(self):
        for name in ('strtoul', 'atoi', 'sscanf', 'strcpy', 'sprintf', 'alloca', 'std::atoi'):
            with self.subTest(name=name):
                self.reported(f'x = {name}(p);', 'is banned')
        self.allowed('snprintf(p, 4, "%d", 1);')

    def test_using_namespace_in_a_header(self):
        self.put('tests/a.cpp', SPDX + '#include "mining/a.h"\nusing namespace adit;\n')
        self.reported('using namespace std;', 'using namespace', path='src/mining/a.h')

    def test_a_missing_licence(self):
        self.put('src/mining/a.cpp', 'int a;\n')
        self.expect(tidy, ':1: ', 'SPDX')
        self.put('src/mining/a.cpp', SPDX)
        self.put('tools/a', '#!/bin/sh\necho\n')
        self.expect(tidy, 'tools/a:1: ', 'SPDX')

    def test_unfinished_work(self):
        for word in ('TO' 'DO', 'FIX' 'ME', 'X' 'XX'):
            self.reported(f'// {word}: later', word)
        self.allowed('auto t = "/tmp/XXXXXX";')

    def test_an_unused_header(self):
        self.put('include/adit/mining/a.h', SPDX)
        self.expect(tidy, 'include/adit/mining/a.h:1: no file includes this header')
        self.allowed('#include "adit/mining/a.h"')

    def test_slow_headers(self):
        self.reported('#include <iostream>', '<iostream>')
        self.reported('#include <regex>', '<regex>')


class TypesDefinedTwice(TreeTest):
    def both(self, one, two):
        for path, text in (('src/base/one.cpp', one), ('src/node/two.cpp', two)):
            self.put(path, f'{SPDX}{text}')

    def test_one_name_in_two_rooms(self):
        for what in ('struct Block', 'class Block final : public Base', 'enum class Block : char',
                     'template <class T>\nstruct Block'):
            with self.subTest(what=what):
                self.both(f'namespace adit {{\n{what} {{ int a; }};\n}}\n',
                          'namespace adit {\nvoid f() {}\nstruct Block { int b; };\n}\n')
                self.expect(tidy, 'src/node/two.cpp:4: ', "'adit::Block' is another type in src/base/one.cpp")

    def test_what_is_another_name(self):
        block = 'struct Block { int a; };\n'
        here = f'namespace adit {{\n{block}}}\n'
        for there in (f'namespace adit {{\nnamespace {{\n{block}}}\n}}\n',
                      f'namespace adit::test {{\n{block}}}\n',
                      f'namespace adit {{\nstruct Outer {{\n{block}}};\n}}\n',
                      f'namespace adit {{\nvoid f() {{\n{block}}}\n}}\n',
                      'namespace adit {\nstruct Block;\nstruct Block* f();\nstruct Block f() { return {}; }\n}\n',
                      'namespace adit {\ntemplate <>\nstruct Block<int> {};\n}\n',
                      'template <>\nstruct adit::Block<int> {};\n'):
            with self.subTest(there=there):
                self.both(here, there)
                self.expect_clean(tidy)


class Functions(unittest.TestCase):
    """Where functions begin and end."""

    def found(self, text):
        return [(name, line, length) for name, line, length in cpp_text.functions(text)]

    def test_scopes_are_transparent(self):
        text = ('namespace a::b {\nextern "C" {\nclass C final : public ::D {\n public:\n'
                '  int f() const {\n    return 1;\n  }\n};\n}\n}\n')
        self.assertEqual(self.found(text), [('f', 5, 3)])

    def test_member_initialisers_belong_to_the_function(self):
        text = 'C::C(int a)\n    : a_{a},\n      b_{1},\n      c_(2) {\n  f();\n}\nvoid g() {}\n'
        self.assertEqual(self.found(text), [('C::C', 1, 6), ('g', 7, 1)])

    def test_tables_are_no_functions(self):
        text = 'const int kA[] = {\n1,\n2,\n};\nstd::array<int, 2> a{1,\n2};\nint f() {\n}\n'
        self.assertEqual(self.found(text), [('f', 7, 2)])

    def test_braces_in_literals_and_comments_do_not_count(self):
        text = ('void f() {\n  g("{", \'{\', R"x(\n{ )" {\n)x");  // {\n  /* { */\n'
                '  h(1\'000\'000);\n}\nvoid g() {\n}\n')
        self.assertEqual(self.found(text), [('f', 1, 7), ('g', 8, 2)])

    def test_templates_and_trailing_types(self):
        text = ('template <class T>\nauto f(T t) -> struct X {\n}\n'
                'template <class T>\nclass A {\n  void g() noexcept {\n  }\n};\n')
        self.assertEqual(self.found(text), [('f', 1, 3), ('g', 6, 2)])

    def test_preprocessor_lines_are_ignored(self):
        text = '#define OPEN {\\\n  {\nvoid f() {\n#if X\n#endif\n}\n'
        self.assertEqual(self.found(text), [('f', 3, 4)])

    def test_test_suites_are_scopes(self):
        text = 'TEST_SUITE("x") {\nTEST_CASE("y") {\n}\n}\n'
        self.assertEqual(self.found(text), [('TEST_CASE', 2, 2)])

    def test_lambdas_at_namespace_scope(self):
        self.assertEqual(self.found('const auto f = [] {\n};\nauto g = [](int x) {\n};\n'),
                         [('lambda', 1, 2), ('lambda', 3, 2)])


class Headers(TreeTest):
    def run_lint(self, source=''):
        """With one built source of that text."""
        build = self.root / 'build'
        build.mkdir(exist_ok=True)
        self.put('src/base/a.cpp', SPDX + source)
        command = 'c++ -std=c++20 -O2 -Wall -I../include -I../src -o a.o -c ../src/base/a.cpp'
        self.put('build/compile_commands.json', json.dumps(
            [{'directory': str(build), 'command': command, 'file': '../src/base/a.cpp'}]))
        script = ROOT / 'tools' / 'check_headers.py'
        return subprocess.run(
            [sys.executable, str(script), '--root', str(self.root), '--build', str(build)],
            capture_output=True, text=True, check=False)

    def test_a_header_that_leans_on_others_is_reported(self):
        self.put('include/adit/base/good.h', '#pragma once\n#include <string>\nstd::string f();\n')
        done = self.run_lint()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.put('src/base/bad.h', '#pragma once\nstd::string g();\n')
        done = self.run_lint()
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn('src/base/bad.h:1: does not compile alone', done.stdout)
        self.assertNotIn('good.h:1', done.stdout)

    def test_a_header_that_does_not_come_first_is_compiled_alone(self):
        self.put('src/base/bad.h', '#pragma once\nstd::string g();\n')
        for before in ('#include <string>\n', '#include "base/good.h"\n', '#define std ::adit\n',
                       '#if 0\n', 'int a;\n', '/* one */ int a; /* two */\n', '#include <string> // '):
            with self.subTest(before=before):
                self.put('src/base/good.h', '#pragma once\n#include <string>\n')
                done = self.run_lint(before + '#include "base/bad.h"\n')
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn('src/base/bad.h:1: does not compile alone', done.stdout)

    def test_a_header_of_the_same_name_in_another_place_is_compiled_alone(self):
        self.put('src/base/bad.h', '#pragma once\nstd::string g();\n')
        self.put('src/base/base/bad.h', '#pragma once\n')  # this one is what "base/bad.h" means in src/base/a.cpp
        done = self.run_lint('#include "base/bad.h"\n')
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn('src/base/bad.h:1: does not compile alone', done.stdout)

    def test_what_the_build_compiled_alone_is_not_compiled_again(self):
        self.put('include/adit/base/bad.h', '#pragma once\nstd::string g();\n')  # no build would have passed
        done = self.run_lint('\n// A comment.\n/* Another,\n   longer one. **/\n#include "adit/base/bad.h"\n')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('1 headers, 1 of them come first', done.stdout)


if __name__ == '__main__':
    unittest.main()
