# SPDX-License-Identifier: MIT
"""A Go that is new enough: the machine's own, or the toolchain that an older one fetches as a module (Debian 12 has 1.19)."""

import json
import os
import re
import shutil
import stat
import subprocess

NEEDED = (1, 25)
TOOLCHAIN = 'go1.25.5'


def version_of(program):
    text = subprocess.run([program, 'version'], capture_output=True, text=True, timeout=60).stdout
    found = re.search(r'go version go(\d+)\.(\d+)', text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def fetch_toolchain(old, folder):
    """Go's releases are modules too. A Go before 1.21 does not know that, and leaves them without x bits."""
    work = os.path.join(folder, 'go-toolchain')
    os.makedirs(work, exist_ok=True)
    env = {**os.environ, 'GOMODCACHE': os.path.join(work, 'modules'), 'GOFLAGS': '-mod=mod -modcacherw', 'GOWORK': 'off'}
    arch = subprocess.run([old, 'env', 'GOARCH'], capture_output=True, text=True, timeout=60).stdout.strip()
    with open(os.path.join(work, 'go.mod'), 'w') as module:
        module.write('module toolchain\n')
    done = subprocess.run([old, 'mod', 'download', '-json', f'golang.org/toolchain@v0.0.1-{TOOLCHAIN}.linux-{arch}'],
                          cwd=work, env=env, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f'go mod download of {TOOLCHAIN}: ' + (done.stderr or done.stdout)[-2000:])
    root = json.loads(done.stdout)['Dir']
    for place in ('bin', 'pkg/tool'):
        for path, _, names in os.walk(os.path.join(root, place)):
            for name in names:
                program = os.path.join(path, name)
                os.chmod(program, os.stat(program).st_mode | stat.S_IXUSR)
    return os.path.join(root, 'bin', 'go')


def find_go(folder):
    """The path of a Go of at least NEEDED; None where there is none at all. What is fetched is kept in `folder`."""
    own = shutil.which('go')
    if own is None or version_of(own) >= NEEDED:
        return own
    return fetch_toolchain(own, folder)
