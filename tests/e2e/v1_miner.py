# SPDX-License-Identifier: MIT
"""A Stratum V1 miner in plain Python: an independent reading of the protocol that mines real shares.

Blocking socket with a time-out on every read; nothing here is shared with the pool's code."""

import hashlib
import json
import socket
import struct
import time

DIFFICULTY_ONE = 0xFFFF << 208


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def swap_words(hexed: str) -> bytes:
    """V1 sends prevhash as eight 32-bit words, each byte-swapped."""
    raw = bytes.fromhex(hexed)
    return b''.join(raw[i:i + 4][::-1] for i in range(0, 32, 4))


class Closed(Exception):
    """The pool closed the connection."""


class Job:
    def __init__(self, params):
        (self.id, self.prevhash, self.coinb1, self.coinb2, self.branch, self.version, self.nbits,
         self.ntime, self.clean) = params

    def header(self, extranonce1: str, extranonce2: str, ntime: str, nonce: int, version: int) -> bytes:
        root = sha256d(bytes.fromhex(self.coinb1 + extranonce1 + extranonce2 + self.coinb2))
        for sibling in self.branch:
            root = sha256d(root + bytes.fromhex(sibling))
        return (struct.pack('<I', version) + swap_words(self.prevhash) + root +
                bytes.fromhex(ntime)[::-1] + bytes.fromhex(self.nbits)[::-1] + struct.pack('<I', nonce))

    def network_target(self) -> int:
        bits = int(self.nbits, 16)
        exponent, mantissa = bits >> 24, bits & 0x7FFFFF
        return mantissa << 8 * (exponent - 3) if exponent >= 3 else mantissa >> 8 * (3 - exponent)


class Miner:
    """One connection. Replies and notifications are sorted as they come."""

    def __init__(self, address, timeout=10.0):
        host, port = address.rsplit(':', 1)
        self.timeout = timeout
        self.sock = socket.create_connection((host.strip('[]'), int(port)), timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b''
        self.next_id = 1
        self.replies = {}
        self.job = None
        self.jobs = 0
        self.last_clean = 0  # the number of the newest job that revoked the others
        self.difficulty = 1.0
        self.extranonce1 = ''
        self.extranonce2_size = 0
        self.session = None
        self.mask = 0
        self.messages = []
        self.counter = 0

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- wire

    def send_raw(self, data: bytes):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from None

    def send(self, method, params):
        request = self.next_id
        self.next_id += 1
        self.send_raw(json.dumps({'id': request, 'method': method, 'params': params}).encode() + b'\n')
        return request

    def read_line(self, timeout=None):
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while b'\n' not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError('no line from the pool')
            self.sock.settimeout(left)
            try:
                more = self.sock.recv(65536)
            except socket.timeout:
                raise TimeoutError('no line from the pool') from None
            except OSError as error:
                raise Closed(str(error)) from None
            if not more:
                raise Closed('end of stream')
            self.buffer += more
        line, self.buffer = self.buffer.split(b'\n', 1)
        return json.loads(line)

    def read_message(self, timeout=None):
        message = self.read_line(timeout)
        method = message.get('method')
        if method is None:
            self.replies[message['id']] = message
        elif method == 'mining.notify':
            self.job = Job(message['params'])
            self.job.extranonce1, self.job.extranonce2_size = self.extranonce1, self.extranonce2_size
            self.jobs += 1
            if self.job.clean:
                self.last_clean = self.jobs
        elif method == 'mining.set_difficulty':
            self.difficulty = message['params'][0]
        elif method == 'mining.set_extranonce':
            self.extranonce1, self.extranonce2_size = message['params']
        else:
            self.messages.append(message)
        return message

    def wait_reply(self, request, timeout=None):
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while request not in self.replies:
            self.read_message(max(0.0, deadline - time.monotonic()))
        return self.replies.pop(request)

    def call(self, method, params, timeout=None):
        return self.wait_reply(self.send(method, params), timeout)

    def wait_job(self, timeout=None, after=None, clean=False):
        """Waits for a job newer than `after` (a count of jobs), or for any; `clean`: for one that revokes the others, and
        there may be another since. Gives the newest."""
        after = 0 if after is None else after
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while (self.last_clean if clean else self.jobs) <= after:
            self.read_message(max(0.0, deadline - time.monotonic()))
        return self.job

    # -- protocol

    def hello(self, user, password='x', agent='adit-test/1', mask=None, wait_job=True):
        if mask is not None:
            reply = self.call('mining.configure', [['version-rolling'], {'version-rolling.mask': mask}])
            self.mask = int(reply['result']['version-rolling.mask'], 16)
        reply = self.call('mining.subscribe', [agent])
        self.session = reply['result'][0][0][1]
        self.extranonce1 = reply['result'][1]
        self.extranonce2_size = reply['result'][2]
        reply = self.call('mining.authorize', [user, password])
        if reply['result'] is True and wait_job:
            self.wait_job()
        return reply

    def share_target(self):
        return min(int(DIFFICULTY_ONE / self.difficulty), 2**256 - 1) if self.difficulty else 2**256 - 1

    def find(self, user, block=None, tries=2_000_000, job=None):
        """Parameters of a submit that meets the share target. block True: the network target too; block False: not."""
        job = job or self.job
        share, network = self.share_target(), job.network_target()
        self.counter += 1
        extranonce2 = self.counter.to_bytes(8, 'big')[-job.extranonce2_size:].hex()
        version = int(job.version, 16)
        front = job.header(job.extranonce1, extranonce2, job.ntime, 0, version)[:76]
        for nonce in range(tries):
            value = int.from_bytes(sha256d(front + struct.pack('<I', nonce)), 'little')
            if value <= share and (block is None or (value <= network) == block):
                params = [user, job.id, extranonce2, job.ntime, f'{nonce:08x}']
                if self.mask:
                    params.append('00000000')
                return params
        raise AssertionError('no share found')

    def submit(self, params, timeout=None):
        return self.call('mining.submit', params, timeout)

    def share_hash(self, params, job=None):
        """The header hash of a submit's parameters as a node shows it."""
        job = job or self.job
        header = job.header(job.extranonce1, params[2], params[3], int(params[4], 16), int(job.version, 16))
        return sha256d(header)[::-1].hex()
