# SPDX-License-Identifier: MIT
"""What the tests of money share: the outputs of a block's coinbase, and what the books say that somebody is owed."""

from support import POOL_ADDRESS, wait_until

SUBSIDY = 5_000_000_000
SCRIPTS = {}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        part = self.data[self.at:self.at + count]
        assert len(part) == count
        self.at += count
        return part

    def number(self, count):
        return int.from_bytes(self.take(count), 'little')

    def compact(self):
        first = self.number(1)
        return first if first < 253 else self.number(2 if first == 253 else 4 if first == 254 else 8)


def coinbase_outputs(node, digest):
    """[(satoshi, script in hex)] of a block, the commitment left out; an own reading of the block's bytes."""
    reader = Reader(bytes.fromhex(node.rpc('getblock', digest, 0)))
    reader.take(80)
    reader.compact()
    reader.take(4)
    inputs = reader.compact()
    if inputs == 0:  # the witness flag
        reader.take(1)
        inputs = reader.compact()
    assert inputs == 1
    reader.take(36)
    reader.take(reader.compact())
    reader.take(4)
    outputs = [(reader.number(8), reader.take(reader.compact()).hex()) for _ in range(reader.compact())]
    return [(value, script) for value, script in outputs if not script.startswith('6a')]



def paid_by(node, digest):
    """{address: satoshi} of a block's coinbase, for the addresses in SCRIPTS."""
    names = {script: address for address, script in SCRIPTS.items()}
    return {names.get(script, script): value for value, script in coinbase_outputs(node, digest)}


def balances(pool):
    return {row['address']: row for row in pool.lines('balances')}


def wait_balance(pool, address, wanted, key='balance_sat', seconds=20):
    def there():
        row = balances(pool).get(address)
        return row is not None and row[key] == wanted
    try:
        wait_until(there, seconds, f'{address} has {key} {wanted}', every=0.2)
    except AssertionError as error:
        raise AssertionError(f'{error}; the books say {balances(pool).get(address)}; log:\n'
                             f'{pool.log_text()[-2000:]}') from None


# P2WPKH, P2WSH and P2PKH: the scripts of the addresses that the tests use, as BIP173 and base58check say.
SCRIPTS.update({
    POOL_ADDRESS: '0014751e76e8199196d454941c45d1b3a323f1433bd6',
    'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry':
        '00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262',
    'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn': '76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac',
})
