# SPDX-License-Identifier: MIT
"""A Stratum V2 miner for tests: opens channels, follows jobs, mines, and holds the pool to the specification.

Every message that comes is checked (RuleBroken) before a test sees it."""

import time

import messages
from link import Closed, Link
from work import Channel, RuleBroken, number

REQUIRES_STANDARD_JOBS = 1
REQUIRES_WORK_SELECTION = 2
REQUIRES_VERSION_ROLLING = 4
ANY_TARGET = b'\xff' * 32

__all__ = ['ANY_TARGET', 'Closed', 'Miner', 'RuleBroken']


class Miner(Link):
    """One connection. `strict` off: counts of acknowledged shares are not held against what was sent."""

    def __init__(self, address, authority=None, timeout=10.0, **options):
        super().__init__(address, authority, timeout, **options)
        self.channels = {}
        self.closed_ids = set()
        self.groups = {}           # id -> SetGroupChannel's members, or nothing but the opened channels' word
        self.log = []              # every message, in order
        self.opened = {}           # request id -> Success or Error
        self.waiting = {}          # request id -> user
        self.pending = []          # (channel, sequence) sent and not judged yet
        self.verdicts = {}         # (channel, sequence) -> 'accepted' or the error code
        self.acks = []             # (time, SubmitShares.Success)
        self.flags = 0
        self.next_request = 1
        self.strict = True
        self.extensions = set()

    # -- in

    def read_message(self, seconds=None):
        message = messages.decode(self.read_frame(seconds))
        if message.channel_bit != messages.BY_NAME[message.name].channel:
            raise RuleBroken(f'channel bit of {message}')
        if message.rest:
            raise RuleBroken(f'{message} and {len(message.rest)} bytes more')
        self.log.append(message)
        handler = self.HANDLERS.get(message.name)
        if handler:
            handler(self, message)
        elif message.name not in ('SetupConnection.Success', 'SetupConnection.Error', 'UpdateChannel.Error', 'Reconnect',
                                  'SetCustomMiningJob.Success', 'SetCustomMiningJob.Error', 'RequestExtensions.Success',
                                  'RequestExtensions.Error'):
            raise RuleBroken(f'a server does not send {message}')
        return message

    def wait(self, condition, seconds=None, what='condition'):
        """Reads until condition() gives something; returns it."""
        deadline = time.monotonic() + (self.timeout if seconds is None else seconds)
        while not (value := condition()):
            try:
                self.read_message(deadline - time.monotonic())
            except TimeoutError:
                raise TimeoutError(f'{what} has not come; last: {self.log[-4:]}') from None
        return value

    def wait_for(self, name, since=None, seconds=None, **fields):
        """The first message of that name after the first `since` of the log (default: what comes from now on)."""
        at = len(self.log) if since is None else since

        def found():
            for message in self.log[at:]:
                if message.name == name and all(getattr(message, k) == v for k, v in fields.items()):
                    return message
            return None
        return self.wait(found, seconds, f'{name} {fields}')

    def read_for(self, seconds):
        """Everything that comes within the time; returns those messages."""
        since, deadline = len(self.log), time.monotonic() + seconds
        while True:
            try:
                self.read_message(deadline - time.monotonic())
            except TimeoutError:
                return self.log[since:]

    def members(self, identifier):
        """The channels that a channel id or a group id stands for."""
        if identifier in self.channels:
            return [self.channels[identifier]]
        found = [channel for channel in self.channels.values() if channel.group == identifier]
        if not found and identifier not in self.closed_ids:
            raise RuleBroken(f'no channel or group has the id {identifier}')
        return found

    def on_opened(self, message):
        user = self.waiting.pop(message.request_id, None)
        if user is None:
            raise RuleBroken(f'no open request of that id: {message}')
        self.opened[message.request_id] = message
        if message.name == 'OpenMiningChannel.Error':
            return
        used = set(self.channels) | {channel.group for channel in self.channels.values()}
        if message.channel_id in used or message.channel_id in self.closed_ids:
            raise RuleBroken(f'channel id used before: {message}')
        if message.group_channel_id in self.channels or message.group_channel_id == message.channel_id:
            raise RuleBroken(f"a group's id is a channel's: {message}")
        self.channels[message.channel_id] = Channel(message, user)
        self.check_group(self.channels[message.channel_id])

    def check_group(self, new):
        sizes = {len(channel.extranonce_prefix) + channel.extranonce_size
                 for channel in self.channels.values() if channel.group == new.group}
        if len(sizes) != 1:
            raise RuleBroken(f'full extranonce sizes in group {new.group}: {sizes}')
        prefixes = [c.extranonce_prefix for c in self.channels.values()]
        for one in prefixes:
            if sum(other.startswith(one) for other in prefixes) != 1:
                raise RuleBroken(f'search spaces overlap: {[p.hex() for p in prefixes]}')

    def on_job(self, message):
        if message.name == 'NewMiningJob' and message.channel_id not in self.channels and \
                message.channel_id not in self.closed_ids:
            raise RuleBroken(f'a standard job goes to a standard channel: {message}')
        for channel in self.members(message.channel_id):
            if message.name == 'NewExtendedMiningJob' and message.channel_id == channel.id and not channel.extended:
                raise RuleBroken(f'an extended job on a standard channel: {message}')
            if message.name == 'NewExtendedMiningJob' and self.flags & REQUIRES_STANDARD_JOBS:
                raise RuleBroken(f'this client cannot read an extended job: {message}')
            if message.name == 'NewExtendedMiningJob' and self.flags & REQUIRES_VERSION_ROLLING and \
                    not message.version_rolling_allowed:
                raise RuleBroken(f'this client must roll versions: {message}')
            channel.history.append('job, future' if message.min_ntime is None else 'job')
            channel.take_job(message)

    def on_tip(self, message):
        for channel in self.members(message.channel_id):
            channel.history.append('tip')
            channel.take_tip(message)

    def on_target(self, message):
        for channel in self.members(message.channel_id):
            channel.history.append('target')
            channel.target = number(message.maximum_target)

    def on_prefix(self, message):
        self.channels[message.channel_id].extranonce_prefix = message.extranonce_prefix

    def on_close(self, message):
        for channel in self.members(message.channel_id):
            self.forget(channel.id)

    def on_accepted(self, message):
        covered = []
        for at, (channel, sequence) in enumerate(self.pending):
            if channel == message.channel_id:
                covered.append((channel, sequence))
                if sequence == message.last_sequence_number and len(covered) >= message.new_submits_accepted_count:
                    break
        else:
            if self.strict:
                raise RuleBroken(f'{message} with {self.pending} waiting')
        if self.strict and len(covered) != message.new_submits_accepted_count:
            raise RuleBroken(f'{message} counts not the {covered} that waited')
        if not message.new_submits_accepted_count:
            raise RuleBroken(f'an empty batch: {message}')
        for key in covered[:message.new_submits_accepted_count]:
            self.pending.remove(key)
            self.verdicts[key] = 'accepted'
        self.acks.append((time.monotonic(), message))

    def on_rejected(self, message):
        key = (message.channel_id, message.sequence_number)
        if not message.error_code.isascii() or not message.error_code.isprintable():
            raise RuleBroken(f'control characters in {message!r}')
        if key in self.pending:
            # Several of one number: the youngest is taken for the rejected one.
            del self.pending[len(self.pending) - 1 - self.pending[::-1].index(key)]
        elif self.strict:
            raise RuleBroken(f'{message} rejects what was not sent')
        self.verdicts[key] = message.error_code

    HANDLERS = {
        'OpenStandardMiningChannel.Success': on_opened, 'OpenExtendedMiningChannel.Success': on_opened,
        'OpenMiningChannel.Error': on_opened, 'NewMiningJob': on_job, 'NewExtendedMiningJob': on_job,
        'SetNewPrevHash': on_tip, 'SetTarget': on_target, 'SetExtranoncePrefix': on_prefix, 'CloseChannel': on_close,
        'SubmitShares.Success': on_accepted, 'SubmitShares.Error': on_rejected,
    }

    def forget(self, identifier):
        channel = self.channels.pop(identifier)
        self.closed_ids.update((identifier, channel.group))

    # -- out

    def send(self, name, rest=b'', channel_bit=None, **fields):
        self.send_frame(messages.encode(name, rest, channel_bit, **fields))

    def setup(self, flags=0, protocol=0, min_version=2, max_version=2, vendor='adit-test', device_id='', **fields):
        """Returns SetupConnection.Success or .Error."""
        self.flags = flags
        self.send('SetupConnection', **self.setup_fields(flags, protocol, min_version, max_version, vendor, device_id,
                                                         **fields))
        since = len(self.log)
        return self.wait(lambda: self.log[since:] and self.log[since], what='an answer to SetupConnection')

    @staticmethod
    def setup_fields(flags=0, protocol=0, min_version=2, max_version=2, vendor='adit-test', device_id='', **fields):
        return {'protocol': protocol, 'min_version': min_version, 'max_version': max_version, 'flags': flags,
                'endpoint_host': 'localhost', 'endpoint_port': 3334, 'vendor': vendor, 'hardware_version': 'cpu',
                'firmware': 'python', 'device_id': device_id, **fields}

    def request_extensions(self, *wanted, request_id=1):
        since = len(self.log)
        self.send('RequestExtensions', request_id=request_id, requested=list(wanted))
        answer = self.wait(lambda: next((m for m in self.log[since:] if m.name.startswith('RequestExtensions')), None),
                           what='an answer to RequestExtensions')
        if answer.name.endswith('Success'):
            self.extensions.update(answer.supported)
        return answer

    def ask_open(self, user, extended=False, rate=1e3, max_target=ANY_TARGET, min_extranonce_size=0, request_id=None):
        """Sends the request; returns its id."""
        if request_id is None:
            request_id, self.next_request = self.next_request, self.next_request + 1
        self.waiting[request_id] = user
        fields = {'request_id': request_id, 'user_identity': user, 'nominal_hash_rate': rate, 'max_target': max_target}
        if extended:
            self.send('OpenExtendedMiningChannel', min_extranonce_size=min_extranonce_size, **fields)
        else:
            self.send('OpenStandardMiningChannel', **fields)
        return request_id

    def open(self, user, extended=False, work=True, **wishes):
        """Opens a channel and waits for its first work; returns the channel, or the error code."""
        request = self.ask_open(user, extended, **wishes)
        answer = self.wait(lambda: self.opened.get(request), what=f'an answer to open request {request}')
        if answer.name == 'OpenMiningChannel.Error':
            return answer.error_code
        channel = self.channels[answer.channel_id]
        if work:
            self.wait(lambda: channel.job, what='the first work')
        return channel

    def submit(self, share, sequence=None, rest=b'', **changes):
        """Sends a share; returns (channel id, sequence number)."""
        channel = share.channel
        if sequence is None:
            channel.sequence += 1
            sequence = channel.sequence
        fields = share.fields(sequence_number=sequence, **changes)
        name = 'SubmitSharesExtended' if 'extranonce' in fields else 'SubmitSharesStandard'
        key = (fields['channel_id'], sequence)
        self.pending.append(key)
        self.verdicts.pop(key, None)
        self.send(name, rest=rest, **fields)
        return key

    def verdict(self, key, seconds=None):
        return self.wait(lambda: self.verdicts.get(key), seconds, f'a verdict on share {key}')

    def judge(self, share, **changes):
        """Submits and waits: 'accepted' or the error code."""
        return self.verdict(self.submit(share, **changes))

    def close_channel(self, identifier, reason='done'):
        self.send('CloseChannel', channel_id=identifier, reason_code=reason)
        for channel in list(self.members(identifier)):
            self.forget(channel.id)
