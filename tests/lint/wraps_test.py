# SPDX-License-Identifier: MIT
"""Whatever library the build asks for has a wrap in subprojects/, and the table there tells the truth about it."""
import configparser
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUBPROJECTS = ROOT / 'subprojects'
NO_LIBRARY = {'threads'}  # Meson's own
ASKED = re.compile(r"\bdependency\('([^']+)'")


def wraps():
    """Name and sections of each wrap; keys are in small letters, as Meson itself compares them."""
    for file in sorted(SUBPROJECTS.glob('*.wrap')):
        wrap = configparser.ConfigParser(interpolation=None)
        wrap.read(file, encoding='utf-8')
        yield file.stem, wrap


def source_of(wrap):
    return wrap[next(name for name in wrap.sections() if name.startswith('wrap-'))]


def without_wrap(build_text):
    provided = {name for _, wrap in wraps() for name in wrap['provide']}
    return {name for name in ASKED.findall(build_text)
            if name.lower() not in provided and name not in NO_LIBRARY}


class Wraps(unittest.TestCase):
    def test_a_library_without_a_wrap_is_noticed(self):
        self.assertEqual(without_wrap("a = dependency('libuv')\nb = dependency('libnobody', version: '>=1')\n"
                                      "c = dependency('threads')\nd = dependency('CLI11')\n"), {'libnobody'})

    def test_each_library_has_a_wrap(self):
        for file in (ROOT / 'meson.build', *SUBPROJECTS.glob('packagefiles/*/meson.build')):
            with self.subTest(file=file.relative_to(ROOT)):
                self.assertEqual(without_wrap(file.read_text(encoding='utf-8')), set())

    def test_each_wrap_has_its_files_and_no_files_are_left_over(self):
        used = {source_of(wrap)['patch_directory'] for _, wrap in wraps() if 'patch_directory' in source_of(wrap)}
        self.assertEqual(used, {folder.name for folder in (SUBPROJECTS / 'packagefiles').iterdir()})

    def test_the_table_names_each_wrap_and_its_version(self):
        table = (SUBPROJECTS / 'README.md').read_text(encoding='utf-8')
        rows = dict(re.findall(r'^\| `([\w-]+)\.wrap` \| (.*)$', table, re.MULTILINE))
        self.assertEqual(set(rows), {name for name, _ in wraps()})
        for name, wrap in wraps():
            source = source_of(wrap)
            version = re.search(r'\d+([._]\d+)+', source.get('revision') or source['source_filename'])
            with self.subTest(wrap=name):
                self.assertIn(f" {version.group(0).replace('_', '.')}", rows[name].split('|')[0])

    def test_each_project_says_the_version_of_its_wrap(self):
        for name, wrap in wraps():
            source = source_of(wrap)
            if 'patch_directory' not in source:
                continue
            build = SUBPROJECTS / 'packagefiles' / source['patch_directory'] / 'meson.build'
            version = re.search(r"\bversion: '([^']+)'", build.read_text(encoding='utf-8')).group(1)
            with self.subTest(wrap=name):
                self.assertIn(version, (source.get('revision') or source['source_filename']).replace('_', '.'))


if __name__ == '__main__':
    unittest.main()
