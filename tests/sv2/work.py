# SPDX-License-Identifier: MIT
"""What a Stratum V2 miner makes of its messages: channels, jobs, headers, shares.

All hashes and targets are as on the wire: little-endian 32 bytes, the raw order of SHA-256d."""

import hashlib
import struct


class RuleBroken(AssertionError):
    """The pool sent what the specification forbids."""


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def number(raw):
    return int.from_bytes(raw, 'little')


def target_of_bits(bits):
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    return mantissa << 8 * (exponent - 3) if exponent >= 3 else mantissa >> 8 * (3 - exponent)


class Job:
    """A job on one channel. A job of a group is one of these on each member."""

    def __init__(self, message, channel):
        self.id, self.version, self.min_ntime = message.job_id, message.version, message.min_ntime
        self.future = message.min_ntime is None
        self.channel = channel
        self.extended = message.name == 'NewExtendedMiningJob'
        self.rolling = message.version_rolling_allowed if self.extended else True
        self.message = message
        self.prefix = channel.extranonce_prefix
        self.target = None if self.future else channel.target
        self.prev_hash = None if self.future else channel.prev_hash
        self.nbits = None if self.future else channel.nbits
        self.next_nonce = 0
        self.next_extranonce = 0

    def activate(self, message):
        self.prev_hash, self.nbits, self.min_ntime = message.prev_hash, message.nbits, message.min_ntime
        self.target = self.channel.target

    def coinbase(self, extranonce=b''):
        """The coinbase transaction without its witness; its hash is the txid."""
        return self.message.coinbase_tx_prefix + self.prefix + extranonce + self.message.coinbase_tx_suffix

    def merkle_root(self, extranonce=b''):
        if not self.extended:
            return self.message.merkle_root
        root = sha256d(self.coinbase(extranonce))
        for sibling in self.message.merkle_path:
            root = sha256d(root + sibling)
        return root

    def header(self, nonce, ntime, version, extranonce=b''):
        return (struct.pack('<I', version) + self.prev_hash + self.merkle_root(extranonce) +
                struct.pack('<III', ntime, self.nbits, nonce))


class Share:
    """A submit, found or made up."""

    def __init__(self, job, nonce, ntime, version, extranonce):
        self.job_id, self.nonce, self.ntime, self.version, self.extranonce = job.id, nonce, ntime, version, extranonce
        self.channel = job.channel
        self.raw_hash = sha256d(job.header(nonce, ntime, version, extranonce)) if job.prev_hash else None
        self.is_block = self.raw_hash is not None and number(self.raw_hash) <= target_of_bits(job.nbits)

    @property
    def hash(self):
        """As a node shows it."""
        return self.raw_hash[::-1].hex()

    def fields(self, **changes):
        fields = {'channel_id': self.channel.id, 'job_id': self.job_id, 'nonce': self.nonce, 'ntime': self.ntime,
                  'version': self.version}
        if self.channel.extended:
            fields['extranonce'] = self.extranonce
        fields.update(changes)
        return fields


class Channel:
    """One open channel, and the rules for what a server may send on it."""

    def __init__(self, success, user):
        self.id, self.group, self.user = success.channel_id, success.group_channel_id, user
        self.extended = success.name.startswith('OpenExtended')
        self.target = number(success.target)
        self.extranonce_prefix = success.extranonce_prefix
        self.extranonce_size = success.extranonce_size if self.extended else 0
        self.jobs = {}      # valid ones: what may be mined on, and future ones
        self.retired = {}   # of older tips
        self.job = None     # to be mined on now
        self.prev_hash = self.nbits = self.min_ntime = None
        self.sequence = 0
        self.tips = 0
        self.history = []   # names of what came for this channel, in order

    def take_job(self, message):
        if message.job_id in self.jobs:
            raise RuleBroken(f'job {message.job_id} of channel {self.id} is in use: {message}')
        if message.name == 'NewMiningJob' and self.extended:
            raise RuleBroken(f'a standard job on an extended channel: {message}')
        job = Job(message, self)
        if not job.future and self.prev_hash is None:
            raise RuleBroken(f'a job to start at once before any SetNewPrevHash: {message}')
        self.jobs[job.id] = job
        if not job.future:
            self.job = job

    def take_tip(self, message):
        job = self.jobs.get(message.job_id)
        if job is None or not job.future:
            raise RuleBroken(f'SetNewPrevHash names a job that was not sent as a future job here: {message}')
        self.prev_hash, self.nbits, self.min_ntime = message.prev_hash, message.nbits, message.min_ntime
        del self.jobs[job.id]
        self.retired.update(self.jobs)
        job.activate(message)
        job.future = False
        self.jobs = {job.id: job}
        self.job = job
        self.tips += 1

    # -- mining

    def find(self, job=None, block=None, meets=True, ntime=None, version=None, tries=3_000_000, start=None):
        """The next share of this channel. block: True wants the network's target met, False not; meets: the channel's.
        Equal arguments never give the same share twice."""
        job = job or self.job
        ntime = job.min_ntime if ntime is None else ntime
        version = job.version if version is None else version
        network = target_of_bits(job.nbits)
        extranonce = b''
        if self.extended:
            extranonce = job.next_extranonce.to_bytes(16, 'big')[16 - self.extranonce_size:] if self.extranonce_size else b''
            job.next_extranonce += 1
        front = job.header(0, ntime, version, extranonce)[:76]
        first = job.next_nonce if start is None else start
        for nonce in range(first, first + tries):
            value = number(sha256d(front + struct.pack('<I', nonce)))
            if (value <= job.target) == meets and (block is None or (value <= network) == block):
                job.next_nonce = nonce + 1
                return Share(job, nonce, ntime, version, extranonce)
        raise AssertionError('no share found')
