# SPDX-License-Identifier: MIT
"""The Stratum V2 reference implementation as peers: its crates in our client, its applications from the registry.

Programs are built with cargo into a folder outside the source tree and kept there."""

import os
import re
import shutil
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'e2e'))
FOLDER = os.environ.get('ADIT_INTEROP_BUILD', os.path.expanduser('~/.cache/adit-interop'))
OLDEST = (1, 85)  # Debian 13's; Debian 12 has a newer one in cargo-web
OLDEST_FOR_APPLICATIONS = (1, 88)
TRANSLATOR_VERSION = '0.6.0'
BUILD_SECONDS = 1200


def cargo_version():
    """(major, minor) of cargo, or None."""
    if not shutil.which('cargo'):
        return None
    text = subprocess.run(['cargo', '--version'], capture_output=True, text=True, check=False).stdout
    found = re.match(r'cargo (\d+)\.(\d+)', text)
    return found and (int(found[1]), int(found[2]))


def usable(oldest, installable=True):
    """Whether cargo is there and new enough. Where tools/setup can install one, it is a failure if not."""
    version = cargo_version()
    if version and version >= oldest:
        return True
    why = f'cargo {version or "is missing"}; {oldest} is needed'
    if installable and shutil.which('apt-get') and os.environ.get('ADIT_NO_SETUP') != '1':
        raise RuntimeError(why + '; tools/setup --interop installs it')
    print('SKIP: ' + why)
    return False


def run_cargo(arguments, name, seconds=BUILD_SECONDS, **environment):
    done = subprocess.run(['cargo', *arguments], capture_output=True, text=True, timeout=seconds, check=False,
                          env={**os.environ, 'CARGO_BUILD_JOBS': '2', **environment})
    if done.returncode != 0:
        raise RuntimeError(f'cargo, {name}: ' + done.stderr[-3000:])


def build_client():
    """The path of our client on SRI's crates; None with a printed reason where it cannot be built."""
    if not usable(OLDEST):
        return None
    target = os.path.join(FOLDER, 'sri_client')
    run_cargo(['build', '--release', '--locked', '--manifest-path', os.path.join(HERE, 'sri_client', 'Cargo.toml')],
              'sri_client', CARGO_TARGET_DIR=target)
    return os.path.join(target, 'release', 'sri_client')


def build_translator():
    """The path of the published translator_sv2; None with a printed reason where it cannot be built."""
    if not usable(OLDEST_FOR_APPLICATIONS, installable=False):  # Debian 13's is older
        return None
    root = os.path.join(FOLDER, 'translator-' + TRANSLATOR_VERSION)
    program = os.path.join(root, 'bin', 'translator_sv2')
    if not os.path.exists(program):
        # Without the web pages that watch miners: they are two thirds of its dependencies.
        run_cargo(['install', '--locked', '--no-default-features', '--version', TRANSLATOR_VERSION, '--root', root,
                   'translator_sv2'], 'translator_sv2', 3 * BUILD_SECONDS // 2,
                  CARGO_TARGET_DIR=os.path.join(FOLDER, 'translator-build'))
    return program


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]
